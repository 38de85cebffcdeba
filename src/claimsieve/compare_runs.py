"""From what a user types to a verdict on runs, and back to MLflow, so that its UI can sort by it."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from claimsieve.comparison.compare import compare
from claimsieve.comparison.contestants import Contestant, Unit
from claimsieve.comparison.records import Comparison
from claimsieve.comparison.tables import summary_metrics, verdict_tags
from claimsieve.comparison.tested import Tested, read_tested
from claimsieve.errors import TrackingError
from claimsieve.evaluation.decision_plots import forest_figure
from claimsieve.evaluation.documents import SPLIT_TABLE
from claimsieve.evaluation.plots import figure_bytes
from claimsieve.pages import data_uri, rendered
from claimsieve.tracking.directories import runs_that_logged
from claimsieve.tracking.references import Part, fetched, log_verdicts, resolve

METRIC_GROUP = "compare"
FLIPS_SHOWN = 20  # of each pair and direction, on the page; the JSON has more


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison of runs.

    written: MLflow runs that now hold the verdict. failure: why runs that were named by id or name do not, if so.
    notes: a line for each model, named by its directory, whose run does not.
    """

    comparison: Comparison
    written: tuple[str, ...]
    failure: str | None
    notes: tuple[str, ...] = ()


def compare_runs(
    references: Sequence[str],
    *,
    uri: str,
    unit: Unit = "claim",
    resamples: int = 1000,
    seed: int = 0,
    alpha: float = 0.05,
    min_slice_rows: int = 20,
    write_back: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> Compared:
    """Compare what the texts stand for (tracking.references.resolve says what they may be) on their common test rows.

    write_back: leave the verdict on the MLflow runs among them, as metrics `compare/…` and tags `compare.…`; for a
    directory, on the run that logged it. Raises as `resolve` and `compare` do; a store that refuses the verdict is told
    in `failure` and `notes`, and costs no comparison.
    """
    with tempfile.TemporaryDirectory() as folder:
        found = resolve(references, uri=uri, folder=Path(folder))
        say(f"{len(found)} model{'' if len(found) == 1 else 's'}: {', '.join(one.name for one in found)}")
        contestants = [Contestant(one.name, tuple(_tested(part, uri=uri) for part in one.parts)) for one in found]
    comparison = compare(
        contestants, unit=unit, resamples=resamples, seed=seed, alpha=alpha, min_slice_rows=min_slice_rows
    )
    if not write_back:
        return Compared(comparison, (), None)
    names = {one.run_id: one.name for one in found if one.run_id is not None}
    failure = _written_back(comparison, names, uri=uri)
    with tempfile.TemporaryDirectory() as folder:
        directories = [one for one in found if one.run_id is None]
        logged, notes = runs_that_logged(directories, uri=uri, folder=Path(folder))
    logged = {run_id: name for run_id, name in logged.items() if run_id not in names}
    if (reason := _written_back(comparison, logged, uri=uri)) is not None:
        notes += [f"{', '.join(logged.values())}: not written to MLflow: {reason}"]
    written = (*(() if failure else names), *(() if reason else logged))
    return Compared(comparison, written, failure, tuple(notes))


def comparison_page(comparison: Comparison) -> str:
    """The comparison as one self-contained HTML page."""
    best = comparison.verdict.best
    against = [comparison.between(best, one.name) for one in comparison.standings[1:]]
    rows = [(pair.second, pair.turned().difference) for pair in against]
    figure = forest_figure(rows, measure=f"macro-F1 less that of {best}", n=comparison.n)
    facts = {
        "comparison": comparison,
        "best": best,
        "against": against,
        "words": {one.name: verdict_tags(comparison, one.name)["verdict"] for one in comparison.standings},
        "picture": data_uri(figure_bytes(figure)),
        "flips_shown": FLIPS_SHOWN,
    }
    return rendered("compare.html", facts)


def _tested(part: Part, *, uri: str) -> Tested:
    fetched(part, SPLIT_TABLE, uri=uri)  # it tells how many rows the model was trained on
    return read_tested(part.directory, seed=part.seed, fold=part.fold)


def _written_back(comparison: Comparison, names: Mapping[str, str], *, uri: str) -> str | None:
    """Why the verdict could not be written to these runs, by id and name; None when it was."""
    if not names:
        return None
    metrics = {
        run_id: {f"{METRIC_GROUP}/{key}": round(value, 6) for key, value in summary_metrics(comparison, name).items()}
        for run_id, name in names.items()
    }
    tags = {
        run_id: {f"{METRIC_GROUP}.{key}": text for key, text in verdict_tags(comparison, name).items()}
        for run_id, name in names.items()
    }
    try:
        log_verdicts(metrics, tags, uri=uri)
    except TrackingError as error:
        return str(error)
    return None
