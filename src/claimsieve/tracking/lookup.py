"""MLflow runs and experiments by what a user types."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from claimsieve.errors import DataError, TrackingError
from claimsieve.problems import did_you_mean
from claimsieve.tracking.store import client as new_client
from claimsieve.tracking.store import shown_uri, store_errors

EXPERIMENT = "experiment:"
_AN_EXPERIMENT = "an experiment"
PARENT = "mlflow.parentRunId"
_WHERE = "Run this where you train, or say where the store is: MLFLOW_TRACKING_URI=sqlite:////path/to/mlflow.db"
_MIN_PREFIX = 6
_TOO_SHORT = f"[0-9a-f]{{1,{_MIN_PREFIX - 1}}}"
_DOT = " · "  # between the parts of a run's name
_MAX_SUGGESTIONS_FROM = 1000  # the latest runs, whose names are compared with a misspelt one


def opened(uri: str) -> Any:
    """A client for a store that is there, where MLflow would make an empty one. Raises TrackingError when it is not."""
    if uri.startswith("sqlite:"):
        from sqlalchemy.engine import make_url

        with store_errors(uri):
            path = make_url(uri).database
        if path and path != ":memory:" and not Path(path).is_file():
            raise TrackingError(f"{uri}: expected a tracking store, found no such file. {_WHERE}")
    elif uri.startswith(("file:", "/", "./")) and (folder := local_path(uri)) is not None and not folder.is_dir():
        raise TrackingError(f"{uri}: expected a tracking store, found no such folder. {_WHERE}")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # it does not know of -q
    with store_errors(uri):
        return new_client(uri)


def find_run(client: Any, text: str, *, uri: str, offered: str = "") -> Any:
    """The run of an id, of six or more first digits of one, of a name, or of the first word of a top-level run's name.

    offered: what else the caller takes, for the message. Raises DataError when there is none, more than one, or a
    deleted one.
    """
    runs = _by_id(client, text) or _by_name(client, text) or _by_prefix(client, text) or _by_first_word(client, text)
    if not runs:
        raise _unknown(client, text, uri, offered)
    return _only(text, runs)


def find_run_or_experiment(
    client: Any, text: str, *, uri: str, offered: str = f"a model directory, {_AN_EXPERIMENT}, or "
) -> tuple[Any, Any]:
    """A run or an experiment, and None for the other. Raises as `find_run` does, and when both have this name."""
    name = text.removeprefix(EXPERIMENT)
    experiment = client.get_experiment_by_name(name) if name else None
    runs = [] if name != text else _by_id(client, text) or _by_name(client, text)
    if runs and experiment is not None:
        raise DataError(
            f"{text}: expected one thing of this name, found a run and an experiment. "
            f"Name the experiment as {EXPERIMENT}{text}, or the run by its id: {runs[0].info.run_id}"
        )
    if experiment is not None and experiment.lifecycle_stage != "active":
        restore = f"mlflow experiments restore -x {experiment.experiment_id}"
        raise DataError(f"{text}: the experiment is deleted. Restore it: {restore}")
    if experiment is not None:
        return None, experiment
    if name != text:
        known = [one.name for one in _pages(lambda token: client.search_experiments(page_token=token))]
        place = shown_uri(uri)
        raise DataError(f"{text}: expected an experiment in {place}, found none of it.{did_you_mean(name, known)}")
    return _only(text, runs) if runs else find_run(client, text, uri=uri, offered=offered), None


def runs_of(client: Any, experiment_id: str, query: str = "") -> list[Any]:
    """Its runs that are not deleted, the oldest first."""
    order = ["attributes.start_time ASC"]
    return list(
        _pages(lambda token: client.search_runs([experiment_id], query, order_by=order, page_token=token))
    )  # fmt: skip


def children_of(client: Any, run: Any) -> list[Any]:
    """The runs below a run, such as those of its seeds."""
    return runs_of(client, run.info.experiment_id, f"tags.`{PARENT}` = '{run.info.run_id}'")


def all_runs(client: Any, query: str) -> list[Any]:
    """Runs of any experiment, deleted ones too."""
    from mlflow.entities import ViewType

    experiments = _pages(lambda token: client.search_experiments(view_type=ViewType.ALL, page_token=token))
    ids = [one.experiment_id for one in experiments]
    return list(_pages(lambda token: client.search_runs(ids, query, ViewType.ALL, page_token=token)))


def described(run: Any) -> str:
    """A run for a message: its id, its name, and when it started."""
    started = datetime.fromtimestamp((run.info.start_time or 0) / 1000, UTC)
    return f"{run.info.run_id} '{run.info.run_name}', started {started:%Y-%m-%d %H:%M:%S} UTC"


def quoted(text: str) -> str | None:
    """A text as MLflow's queries take it; None for one with both kinds of quotes, which they cannot."""
    if "'" in text and '"' in text:
        return None
    return f'"{text}"' if "'" in text else f"'{text}'"


def local_path(location: str) -> Path | None:
    """The folder of an artifact location on this machine; None for one elsewhere."""
    parts = urlsplit(location)
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost"):
        return None
    return Path(url2pathname(parts.path if parts.scheme else location))  # unquoted as MLflow does when it writes


def _by_id(client: Any, text: str) -> list[Any]:
    return all_runs(client, f"attributes.run_id = '{text}'") if re.fullmatch("[0-9a-f]{32}", text) else []


def _by_prefix(client: Any, text: str) -> list[Any]:
    if not re.fullmatch(f"[0-9a-f]{{{_MIN_PREFIX},31}}", text):
        return []
    return all_runs(client, f"attributes.run_id LIKE '{text}%'")


def _by_name(client: Any, text: str) -> list[Any]:
    """Runs of this name."""
    if not text or (value := quoted(text)) is None:
        return []
    return _best([run for run in all_runs(client, f"attributes.run_name = {value}") if run.info.run_name == text])


def _by_first_word(client: Any, text: str) -> list[Any]:
    """Top-level runs of a config of this name: what stands before the first dot of a run's name."""
    if not text or (value := quoted(f"{text}{_DOT}%")) is None:
        return []
    runs = all_runs(client, f"attributes.run_name LIKE {value}")  # which takes % and _ for any letters
    named = [run for run in runs if (run.info.run_name or "").startswith(f"{text}{_DOT}")]
    return _best([run for run in named if PARENT not in run.data.tags])


def _best(found: list[Any]) -> list[Any]:
    """Those of a parent, unfinished or deleted ones only where there are no others."""
    for better in (
        lambda run: run.info.lifecycle_stage == "active",
        lambda run: run.info.status == "FINISHED",
        lambda run: PARENT not in run.data.tags,
    ):
        found = list(filter(better, found)) or found
    return found


def _only(text: str, runs: Sequence[Any]) -> Any:
    if len(runs) > 1:
        listed = "\n".join(f"  {described(run)}" for run in runs)
        raise DataError(f"{text}: expected one run, found {len(runs)}. Name one by its id:\n{listed}")
    if runs[0].info.lifecycle_stage != "active":
        restore = f"mlflow runs restore --run-id {runs[0].info.run_id}"
        raise DataError(f"{text}: the run is deleted. Restore it: {restore}")
    return runs[0]


def _unknown(client: Any, text: str, uri: str, offered: str) -> DataError:
    experiments = list(_pages(lambda token: client.search_experiments(page_token=token)))
    ids = [one.experiment_id for one in experiments]
    names = [run.info.run_name or "" for run in client.search_runs(ids, max_results=_MAX_SUGGESTIONS_FROM)]
    known = [*(one.name for one in experiments), *names] if _AN_EXPERIMENT in offered else names
    short = f" Of an id it takes {_MIN_PREFIX} digits or more." if re.fullmatch(_TOO_SHORT, text) else ""
    return DataError(
        f"{text}: expected {offered}the id or name of a run in {shown_uri(uri)}, "
        f"found none of them.{short}{did_you_mean(text, known)} See `claimsieve ui`."
    )


def _pages(search: Callable[[str | None], Any]) -> Iterator[Any]:
    token = None
    while True:
        page = search(token)
        yield from page
        token = page.token
        if not token:
            return
