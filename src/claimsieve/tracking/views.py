"""Saved views of the MLflow UI's run table: which columns and charts a reader sees first.

MLflow has no columns for everyone: a browser that never saw an experiment shows run names and no metric. It does keep
named views, as tags of the experiment, which the button "Views" lists and a link opens (seen in MLflow 3.17).
"""

import json
from typing import Any

BEST_FIRST = "claimsieve-best-first"
NEWEST_FIRST = "claimsieve-newest-first"

_TAG = "mlflow.sharedViewState."
_NAMES = {BEST_FIRST: "claimsieve: best first", NEWEST_FIRST: "claimsieve: newest first, parts folded"}
# In the order of the table, with widths in pixels. A column that no run of the experiment has is left out by the UI.
_FIXED = {"1": 73, "attributes.`Run Name`": 320, "runDateAndNestInfo": 122}
_METRICS = {
    "test/macro_f1": 106,
    "test/macro_f1_low": 124,
    "test/macro_f1_high": 128,
    "probe/margin_over_best": 158,
    "compare/rank": 110,
    "compare/behind_best": 148,
    "test/ece": 90,
    "coverage/smallest": 128,
    "coverage/abstained": 138,
    "base_rate/propaganda_precision": 205,
    "probe/margin_over_best_low": 185,
    "test/macro_f1_std": 124,
    "test/rows": 90,
}
_TAGS = {"compare.verdict": 150, "kind": 80, "inputs": 135, "seed": 70, "held_out": 110}
_GLANCE = "at a glance"
_GLANCE_CHARTS = ("test/macro_f1", "probe/margin_over_best", "test/ece", "coverage/smallest", "coverage/abstained")
_SECTIONS = (_GLANCE, "test", "probe", "calibration", "coverage", "selective")  # else by the alphabet, test late


def default_view() -> tuple[str, str]:
    """Every run by itself, the highest macro-F1 first. Returns the key and the value of an experiment's tag."""
    return _view(BEST_FIRST, order="metrics.`test/macro_f1`")


def folded_view() -> tuple[str, str]:
    """The same columns, the newest run first: the only order in which MLflow folds child runs under their parent."""
    return _view(NEWEST_FIRST, order="attributes.start_time")


def view_tags() -> dict[str, str]:
    """Both views as tags of an experiment."""
    return dict((default_view(), folded_view()))


def experiment_links(client: Any, server: str) -> dict[str, str]:
    """Name of an experiment → the link to its run table, for those that have our views, the last used one first.

    client: an MlflowClient. server: as for `view_url`.
    """
    key, _ = default_view()
    found = client.search_experiments(order_by=["last_update_time DESC"])
    return {one.name: view_url(server, one.experiment_id) for one in found if key in one.tags}


def view_url(server: str, experiment_id: str, *, view: str = BEST_FIRST, charts: bool = False) -> str:
    """The link that opens an experiment's run table, or its charts, with a saved view.

    server: "http://127.0.0.1:5000", as the browser reaches it.
    """
    # Without /runs the UI forgets the view; without workflowType it opens its part for agents and prompts.
    mode = "&compareRunsMode=CHART" if charts else ""
    page = f"{server.rstrip('/')}/#/experiments/{experiment_id}/runs"
    return f"{page}?workflowType=machine_learning{mode}&viewStateShareKey={view}"


def _view(view: str, *, order: str) -> tuple[str, str]:
    columns = {f"metrics.`{name}`": width for name, width in _METRICS.items()}
    columns |= {f"tags.`{name}`": width for name, width in _TAGS.items()}
    widths = _FIXED | columns
    state: dict[str, Any] = {
        "orderByKey": order,
        "orderByAsc": False,
        "selectedColumns": list(columns),
        "columnOrder": list(widths),
        "columnWidths": widths,
        "runsHiddenMode": "FIRST_20_RUNS",  # of these the charts speak
        "isAccordionReordered": True,
        "compareRunSections": [_section(name) for name in _SECTIONS],
        "compareRunCharts": [_chart(name) for name in _GLANCE_CHARTS],
    }
    # The time is asked for and shown nowhere; a fixed one keeps the tag the same for everyone who writes it.
    value = {"name": _NAMES[view], "createdAt": 0, "updatedAt": 0, "state": _compact(state)}
    return f"{_TAG}{view}", _compact(value)


def _section(name: str) -> dict[str, Any]:
    return {"uuid": name, "name": name, "display": True, "isReordered": name == _GLANCE, "deleted": False}


def _chart(metric: str) -> dict[str, Any]:
    named = {"uuid": metric, "metricKey": metric, "displayName": metric, "metricSectionId": _GLANCE}
    return {"type": "BAR", "runsCountToCompare": 20, "deleted": False, "isGenerated": True, **named}


def _compact(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
