"""What is gained when people look at the least confident rows: risk against coverage, and a table of reviewer hours."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from claimsieve.errors import DataError
from claimsieve.evaluation.evaluate import LEVEL, Estimate, known_estimate
from claimsieve.evaluation.metrics import Booleans, Floats
from claimsieve.evaluation.ranking import (
    Ranked,
    at_least_exact,
    cumulative,
    effective_rows,
    estimates,
    last_decided,
    least_mean_risk,
    mean_risk,
    ranked,
    wrong_at,
)

MAX_CURVE_POINTS = 100

Rule = Literal["hours", "prediction sets"]


@dataclass(frozen=True, slots=True)
class Kept:
    """The share of rows that the machine decides, in (0, 1], and the share of wrong ones among them."""

    coverage: float
    risk: Estimate


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """How wrong the kept rows are as the least confident ones are handed away.

    n: rows that count. weighted: whether some count more than others. error_share: of all rows, none handed away.
    aurc: mean risk over all coverages; for an order by chance it is the error share. excess_aurc: aurc less that of the
    best possible order, wrong rows last; 0 is perfect. curve: at most 100 coverages, rising to 1.
    """

    n: int
    weighted: bool
    error_share: Estimate
    aurc: Estimate
    excess_aurc: Estimate
    curve: list[Kept]
    settings: dict[str, int | float]


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One week: what people look at, what the machine decides alone, how many of its decisions are expected wrong.

    rule: who goes to people, the least confident items that the hours allow, or those whose prediction set is not one
    label. hours: there for people, or needed by them. to_people, decided, errors: items a week; an interval is that of
    the expected number, one week scatters more. error_share: errors / decided; None when nothing is decided.
    threshold: confidence of the least confident item decided; all items below it go to people, and of those at it as
    many as there are hours for. None when all items or none go, and for prediction sets. n: test rows.
    """

    rule: Rule
    hours: float
    to_people: Estimate
    decided: Estimate
    errors: Estimate
    error_share: Estimate | None
    threshold: float | None
    n: int


def risk_coverage(
    confidence: Floats, right: Booleans, *, weights: Floats | None = None, resamples: int = 1000, seed: int = 0
) -> RiskCoverage:
    """Selective risk by coverage (Geifman & El-Yaniv 2017, arXiv:1705.08500), AURC and E-AURC (arXiv:1805.08206).

    confidence: calibrated probability of the label given; only its order matters. Shape: (n,)
    right: whether the label given is right. Shape: (n,), n at least 1.
    weights: how often each row counts, 0 or more, in any unit; None counts each once. Shape: (n,)
    AURC is the mean of the risks of the k most confident rows, k = 1 to n; weights count as k, whole or not.
    Raises ValueError when an argument is out of range.
    """
    rows = ranked(confidence, right, weights=weights)
    points = min(rows.n, MAX_CURVE_POINTS)
    coverages = np.arange(1, points + 1) / points

    def measured(counts: Floats) -> Floats:
        kept, wrong = cumulative(rows, counts)
        area = mean_risk(kept, wrong)
        excess = np.maximum(area - least_mean_risk(kept, wrong), 0)  # below 0 by rounding only
        return np.column_stack([area, excess, wrong_at(coverages, kept, wrong) / (coverages * kept[:, -1:])])

    aurc, excess, *found = estimates(measured, n=rows.n, resamples=resamples, seed=seed)
    effective = effective_rows(rows, coverages).tolist()
    risks = [at_least_exact(risk, rows=of_kept) for risk, of_kept in zip(found, effective, strict=True)]
    return RiskCoverage(
        n=rows.n,
        weighted=weights is not None,
        error_share=risks[-1],
        aurc=aurc,
        excess_aurc=excess,
        curve=[Kept(coverage, risk) for coverage, risk in zip(coverages.tolist(), risks, strict=True)],
        settings={"resamples": resamples, "seed": seed, "level": LEVEL},
    )


def review_table(
    confidence: Floats,
    right: Booleans,
    *,
    items_per_week: int,
    minutes_per_item: float,
    hours_per_week: Sequence[float],
    abstained: Booleans | None = None,
    weights: Floats | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> list[ReviewRow]:
    """A row per number of hours; then, given `abstained`, one for sending people what has no single label.

    confidence, right, weights: as for `risk_coverage`. abstained: whether the prediction set is not one label. (n,)
    items_per_week: at least 1. minutes_per_item: of a person's time, above 0. hours_per_week: 0 or more each; people
    finish hours * 60 / minutes whole items, at most all. Raises ValueError when an argument is out of range.
    """
    known = items_per_week >= 1 and 0 < minutes_per_item < math.inf
    if not known or not all(0 <= hours < math.inf for hours in hours_per_week):
        raise ValueError(
            "expected items_per_week of 1 or more, minutes_per_item above 0 and hours of 0 or more, "
            f"found {items_per_week}, {minutes_per_item} and {list(hours_per_week)}"
        )
    rows = ranked(confidence, right, weights=weights, abstained=abstained)
    finished = [int(min(items_per_week, hours * 60 / minutes_per_item + 1e-9)) for hours in hours_per_week]
    coverages = np.array([1 - people / items_per_week for people in finished])

    def measured(counts: Floats) -> Floats:
        kept, wrong = cumulative(rows, counts)
        shares = counts * rows.weights / kept[:, -1:]
        decided, wrong_decided = shares @ ~rows.abstained, shares @ (rows.wrong & ~rows.abstained)
        wrong_share = np.divide(wrong_decided, decided, out=np.full(len(counts), np.nan), where=decided > 0)
        of_sets = [shares @ rows.abstained, decided, wrong_decided, wrong_share]
        return np.column_stack([wrong_at(coverages, kept, wrong) / kept[:, -1:], *of_sets])

    *wrong, handed, decided, set_wrong, set_share = estimates(measured, n=rows.n, resamples=resamples, seed=seed)
    result = [
        _row_of_hours(rows, share, coverage, hours=hours, items=items_per_week, people=people)
        for hours, people, coverage, share in zip(hours_per_week, finished, coverages.tolist(), wrong, strict=True)
    ]
    if abstained is not None:
        to_people, alone, errors = (_times(share, items_per_week) for share in (handed, decided, set_wrong))
        hours = to_people.value * minutes_per_item / 60
        result.append(_row_of_sets(rows, to_people, alone, errors, set_share, hours=hours))
    return result


def table(rows: Sequence[ReviewRow]) -> list[list[str]]:
    """Rows for a terminal: a header that names n, then one row per row of the review table."""
    n = f", n = {rows[0].n:,}" if rows else ""
    header = ["hours a week", "items to people", "decided", f"wrong among decided [95 %]{n}", "share wrong [95 %]"]
    body = []
    for row in rows:
        hours = f"{row.hours:,.4g}" if row.rule == "hours" else f"{row.hours:,.1f} (prediction sets)"
        share = "–" if row.error_share is None else _shown(row.error_share, "{:.1%}")
        threshold = "–" if row.threshold is None else f"{row.threshold:.3f}"
        items = [_shown(row.to_people, "{:,.0f}"), _shown(row.decided, "{:,.0f}"), _shown(row.errors, "{:,.1f}")]
        body.append([hours, *items, share, threshold])
    return [[*header, "to people below"], *body]


def to_json(curve: RiskCoverage) -> dict[str, Any]:
    """Plain dicts, lists and finite numbers, ready for json.dumps(allow_nan=False)."""
    return asdict(curve)


def from_json(document: Any) -> RiskCoverage:
    """Read back what `to_json` made. Raises DataError when the document is something else."""
    try:
        estimates = {name: known_estimate(document[name]) for name in ("error_share", "aurc", "excess_aurc")}
        curve = [Kept(point["coverage"], known_estimate(point["risk"])) for point in document["curve"]]
        return RiskCoverage(**{**document, **estimates, "curve": curve})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _other("a risk-coverage curve", error) from error


def review_to_json(rows: Sequence[ReviewRow]) -> list[dict[str, Any]]:
    """Plain dicts, finite numbers and None, ready for json.dumps(allow_nan=False)."""
    return [asdict(row) for row in rows]


def review_from_json(document: Any) -> list[ReviewRow]:
    """Read back what `review_to_json` made. Raises DataError when the document is something else."""
    try:
        return [_review_row_from(row) for row in document]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _other("a table of reviewer hours", error) from error


def _row_of_hours(
    rows: Ranked, wrong: Estimate, coverage: float, *, hours: float, items: int, people: int
) -> ReviewRow:
    """wrong: the share of all items that are decided, and wrongly."""
    share, threshold = None, None
    if coverage > 0:
        at = np.array([coverage])
        share = at_least_exact(_times(wrong, 1 / coverage), rows=float(effective_rows(rows, at)[0]))
        threshold = float(rows.confidence[last_decided(rows, at)[0]]) if people else None
    return ReviewRow(
        rule="hours",
        hours=float(hours),
        to_people=_exactly(people),
        decided=_exactly(items - people),
        errors=_exactly(0) if share is None else _times(share, items - people),
        error_share=share,
        threshold=threshold,
        n=rows.n,
    )


def _row_of_sets(
    rows: Ranked, to_people: Estimate, decided: Estimate, errors: Estimate, share: Estimate, *, hours: float
) -> ReviewRow:
    known = None
    if not math.isnan(share.value):
        weights = rows.weights[~rows.abstained]
        known = at_least_exact(share, rows=float(weights.sum() ** 2 / (weights**2).sum()))
        exact = _times(known, decided.value)
        errors = Estimate(errors.value, min(errors.low, exact.low), max(errors.high, exact.high))
    return ReviewRow("prediction sets", hours, to_people, decided, errors, known, threshold=None, n=rows.n)


def _exactly(items: int) -> Estimate:
    return Estimate(float(items), float(items), float(items))


def _times(estimate: Estimate, factor: float) -> Estimate:
    return Estimate(estimate.value * factor, estimate.low * factor, estimate.high * factor)


def _shown(estimate: Estimate, form: str) -> str:
    """The value, and its interval unless it is known exactly."""
    bounds = f" [{form.format(estimate.low)}, {form.format(estimate.high)}]" if estimate.low < estimate.high else ""
    return form.format(estimate.value) + bounds


def _review_row_from(row: Mapping[str, Any]) -> ReviewRow:
    estimates = {name: known_estimate(row[name]) for name in ("to_people", "decided", "errors")}
    share = row["error_share"]
    return ReviewRow(**{**row, **estimates, "error_share": None if share is None else known_estimate(share)})


def _other(what: str, error: Exception) -> DataError:
    return DataError(
        f"expected {what} as claimsieve writes it, found something else ({error}). Evaluate the model again."
    )
