"""How a model of two axes answers each question: stance by corpus, manipulation at a bearable rate of alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from claimsieve.errors import DataError
from claimsieve.evaluation.conformal import exact_share
from claimsieve.evaluation.evaluate import (
    Estimate,
    estimate_from,
    interval,
    known_estimate,
    macro_f1_draws,
    rows_by_name,
)
from claimsieve.evaluation.metrics import Booleans, Floats
from claimsieve.models.axes import first_of_wording
from claimsieve.records import Claim

MAX_FALSE_ALARMS = 0.1  # of claims that do not manipulate, on the calibration split
CURVE_POINTS = 41

_PLACES = {"supported": 0, "insufficient": 1, "conflicting": 1, "refuted": 2}


@dataclass(frozen=True, slots=True)
class StanceSlice:
    """Of n claims that come with evidence: macro-F1 over the stances that occur, and that of the commonest stance."""

    n: int
    macro_f1: Estimate
    majority: float


@dataclass(frozen=True, slots=True)
class ManipulationSlice:
    """At the threshold: recall among the claims that manipulate, and the share of alarms among those that do not."""

    manipulated: int
    recall: Estimate | None
    clean: int
    false_alarms: Estimate | None


@dataclass(frozen=True, slots=True)
class AxisReport:
    """What the test split says of both heads, uncalibrated.

    stance, stance_corpora: rows with evidence and a known stance, all and by corpus; None where there are none.
    manipulation, manipulation_corpora: claims where somebody looked, each once whatever evidence it comes with.
    threshold: the lowest that keeps alarms on clean calibration claims at MAX_FALSE_ALARMS; .5 where there are none.
    curve: [false alarms, recall], from no alarm to all.
    """

    stance: StanceSlice | None
    stance_corpora: dict[str, StanceSlice]
    manipulation: ManipulationSlice | None
    manipulation_corpora: dict[str, ManipulationSlice]
    threshold: float
    curve: list[list[float]]


def axis_report(
    axes: Floats,
    claims: Sequence[Claim],
    *,
    threshold: float,
    resamples: int = 1000,
    seed: int = 0,
) -> AxisReport:
    """Measure both heads on labelled claims.

    axes: supported, open, refuted, manipulated. Shape: (n, 4). threshold: of manipulation, from alarm_threshold.
    """
    stance = [row for row, claim in enumerate(claims) if claim.evidence and claim.stance is not None]
    looked = first_of_wording(claims)

    def of_stance(rows: Sequence[int]) -> StanceSlice:
        truth = np.eye(3, dtype=bool)[[_PLACES[str(claims[row].stance)] for row in rows]]
        draws = partial(macro_f1_draws, truth=truth, resamples=resamples, seed=seed)
        commonest = np.tile(np.eye(3)[truth.sum(axis=0).argmax()], (len(rows), 1))
        return StanceSlice(len(rows), interval(*draws(axes[rows, :3])), draws(commonest)[0])

    def of_manipulation(rows: Sequence[int]) -> ManipulationSlice:
        return _manipulation(axes[rows, 3] >= threshold, np.array([bool(claims[row].manipulation) for row in rows]))

    return AxisReport(
        stance=of_stance(stance) if stance else None,
        stance_corpora={name: of_stance(rows) for name, rows in _by_corpus(claims, stance).items()},
        manipulation=of_manipulation(looked) if looked else None,
        manipulation_corpora={name: of_manipulation(rows) for name, rows in _by_corpus(claims, looked).items()},
        threshold=threshold,
        curve=_curve(axes[looked, 3], np.array([bool(claims[row].manipulation) for row in looked], dtype=bool)),
    )


def alarm_threshold(probabilities: Floats, claims: Sequence[Claim], *, most: float = MAX_FALSE_ALARMS) -> float:
    """The lowest threshold at which at most a share `most` of the claims that do not manipulate are called so.

    A claim counts once, whatever evidence it comes with: the head is not shown it. probabilities: of manipulation.
    Shape: (n,). Returns a value in [0, 1], the next number above a probability; .5 where no claim is known not to
    manipulate.
    """
    rows = [row for row in first_of_wording(claims) if claims[row].manipulation == ()]
    clean = np.sort(probabilities[rows])[::-1]
    if not len(clean):
        return 0.5
    allowed = int(most * len(clean) + 1e-9)
    return float(np.nextafter(clean[allowed], np.inf)) if allowed < len(clean) else 0.0


def to_json(report: AxisReport) -> dict[str, Any]:
    """Plain values, ready for json.dumps(allow_nan=False)."""
    return asdict(report)


def from_json(document: Any) -> AxisReport:
    """Read back what `to_json` made. Raises DataError when the document is something else."""
    try:
        return AxisReport(
            **{
                **document,
                "stance": None if document["stance"] is None else _stance_from(document["stance"]),
                "stance_corpora": {name: _stance_from(row) for name, row in document["stance_corpora"].items()},
                "manipulation": None
                if document["manipulation"] is None
                else _manipulation_from(document["manipulation"]),
                "manipulation_corpora": {
                    name: _manipulation_from(row) for name, row in document["manipulation_corpora"].items()
                },
            }
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"expected the report of two axes as claimsieve writes it, found something else ({error}). "
            "Train the model again."
        ) from error


def summary_metrics(report: AxisReport) -> dict[str, float]:
    """Flat names and values for an experiment tracker."""
    found = {"alarm_threshold": report.threshold}
    if report.stance is not None:
        found["stance_macro_f1"] = report.stance.macro_f1.value
    if (overall := report.manipulation) is not None:
        found |= {} if overall.recall is None else {"manipulation_recall": overall.recall.value}
        found |= {} if overall.false_alarms is None else {"manipulation_false_alarms": overall.false_alarms.value}
    return found


def tables(report: AxisReport) -> dict[str, list[list[str]]]:
    """Title → rows for a terminal."""
    found = {}
    if report.stance is not None:
        rows = [*report.stance_corpora.items(), ("all", report.stance)]
        found["stance, of claims with evidence"] = [
            ["", "n", "macro-F1 [95 %]", "commonest stance"],
            *([name, f"{part.n:,}", _shown(part.macro_f1), f"{part.majority:.3f}"] for name, part in rows),
        ]
    if report.manipulation is not None:
        title = f"manipulation, at the threshold {report.threshold:.3f} ({MAX_FALSE_ALARMS:.0%} alarms on calibration)"
        found[title] = [
            ["", "manipulate", "recall [95 %]", "do not", "false alarms [95 %]"],
            *(
                [name, f"{part.manipulated:,}", _shown(part.recall), f"{part.clean:,}", _shown(part.false_alarms)]
                for name, part in [*report.manipulation_corpora.items(), ("all", report.manipulation)]
            ),
        ]
    return found


def _by_corpus(claims: Sequence[Claim], rows: Sequence[int]) -> dict[str, list[int]]:
    named = rows_by_name([claims[row].corpus for row in rows])
    return {name: [rows[place] for place in places] for name, places in named.items()}


def _manipulation(alarms: Booleans, manipulated: Booleans) -> ManipulationSlice:
    hits, known = int(alarms[manipulated].sum()), int(manipulated.sum())
    false, clean = int(alarms[~manipulated].sum()), int((~manipulated).sum())
    return ManipulationSlice(
        manipulated=known,
        recall=exact_share(hits, known) if known else None,
        clean=clean,
        false_alarms=exact_share(false, clean) if clean else None,
    )


def _curve(probabilities: Floats, manipulated: Booleans) -> list[list[float]]:
    """[false alarms, recall] at evenly spread shares of false alarms; empty where one of the two does not occur."""
    if not manipulated.any() or manipulated.all():
        return []
    clean, pushed = np.sort(probabilities[~manipulated])[::-1], probabilities[manipulated]
    points = []
    for share in np.linspace(0, 1, CURVE_POINTS):
        allowed = int(share * len(clean) + 1e-9)
        threshold = clean[allowed] if allowed < len(clean) else -np.inf
        points.append([allowed / len(clean), float((pushed > threshold).mean())])
    return points


def _stance_from(row: Mapping[str, Any]) -> StanceSlice:
    return StanceSlice(**{**row, "macro_f1": known_estimate(row["macro_f1"])})


def _manipulation_from(row: Mapping[str, Any]) -> ManipulationSlice:
    return ManipulationSlice(**{**row, **{name: estimate_from(row[name]) for name in ("recall", "false_alarms")}})


def _shown(estimate: Estimate | None) -> str:
    return "–" if estimate is None else f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
