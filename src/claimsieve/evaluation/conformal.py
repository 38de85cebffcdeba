"""Prediction sets that hold the true label as often as asked, per label, and why a claim is left to a person.

Split conformal prediction by label (Mondrian, after Vovk; Sadinle, Lei & Wasserman 2019, arXiv:1609.00451;
Angelopoulos & Bates, arXiv:2107.07511). The promise is about claims drawn as the calibration claims were: a new story,
a new corpus or another time break it, which is why coverage is measured on test and per slice.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from claimsieve.errors import DataError
from claimsieve.evaluation.evaluate import (
    LEVEL,
    Estimate,
    estimate_from,
    interval,
    known_estimate,
    rows_by_event,
    rows_by_name,
    truth_of,
)
from claimsieve.evaluation.metrics import Booleans, Floats
from claimsieve.evaluation.saved import by_name, whole
from claimsieve.records import LABELS, Claim, Label

Reason = Literal["evidence_insufficient", "evidence_conflicts", "model_unsure"]

_VERIFIED, _UNVERIFIED, _PROPAGANDA = (LABELS.index(label) for label in ("verified", "unverified", "propaganda"))


@dataclass(frozen=True, slots=True)
class CoverageSlice:
    """How the prediction sets of n claims did.

    covered: share of sets that hold the true label. mean_set_size: labels in a set, from 0 to 3. abstained: share of
    sets that are not one label. decided: number of the others. right: share of them that are right; None when there are
    none. Intervals of shares are exact binomial ones (Clopper & Pearson 1934), that of the size is a bootstrap's. Rows
    of one story resemble one another, so the true uncertainty is larger.
    """

    n: int
    covered: Estimate
    mean_set_size: Estimate
    abstained: Estimate
    decided: int
    right: Estimate | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whether the prediction sets keep their promise.

    level: the coverage asked for, of each label. labels: by true label, those that occur. corpora, events: the largest
    first; events with fewer than min_rows claims are only counted, in smaller_events.
    """

    level: float
    overall: CoverageSlice
    labels: dict[Label, CoverageSlice]
    corpora: dict[str, CoverageSlice]
    events: dict[str, CoverageSlice]
    smaller_events: int
    min_rows: int


def conformal_thresholds(probabilities: Floats, truth: Booleans, *, coverage: float) -> dict[Label, float | None]:
    """Per label, the smallest probability with which a set has to hold it to hold `coverage` of the label's claims.

    probabilities: uncalibrated, so that the rows which set a temperature do not also judge it. truth: one-hot. Shapes:
    (n, 3). coverage: in (0, 1). With 1 - p of the true label as score, this is 1 - the ceil((m + 1) coverage)-th
    smallest of the label's m scores: the + 1 counts the new claim, so the promise holds for any m. None where m is too
    small for that: no probability then rules the label out.
    """
    if not 0 < coverage < 1:
        raise ValueError(f"expected a coverage between 0 and 1, found {coverage}")
    thresholds: dict[Label, float | None] = {}
    for column, label in enumerate(LABELS):
        own = np.sort(probabilities[truth[:, column], column])
        # 100 * 0.55 is 55, and a little more in floating point. The first rank is 1, however low the coverage.
        rank = max(1, math.ceil((len(own) + 1) * coverage - 1e-9))
        thresholds[label] = float(own[len(own) - rank]) if rank <= len(own) else None
    return thresholds


def prediction_sets(probabilities: Floats, thresholds: Mapping[Label, float | None]) -> Booleans:
    """Which labels cannot be ruled out, columns in the order of LABELS. Shape: (n, 3) -> (n, 3)

    probabilities: uncalibrated, as the thresholds are. A set may be empty: the claim resembles those of no label.
    """
    smallest = [-math.inf if (value := thresholds[label]) is None else value for label in LABELS]
    held: Booleans = np.asarray(probabilities) >= np.array(smallest)
    return held


def single(sets: Booleans) -> Booleans:
    """Where the set is one label; elsewhere the model abstains. Shape: (n, 3) -> (n,)"""
    decided: Booleans = sets.sum(axis=1) == 1
    return decided


def reasons(
    sets: Booleans,
    *,
    reads_evidence: bool,
    has_evidence: Sequence[bool] | Booleans,
    passage_sets: Sequence[Booleans | None],
) -> list[tuple[Reason, ...]]:
    """Per claim the one reason that matters most, or () where the model decides and nothing speaks against it.

    The first that holds:
    - evidence_insufficient: the model reads evidence, and there is none;
    - evidence_conflicts: one passage alone gives the set {verified}, another alone {propaganda};
    - evidence_insufficient: the set is {unverified}, from a model that reads evidence;
    - model_unsure: the set is not one label.
    So missing evidence is never called a doubt of the model, nor is a doubt about what the evidence says called missing
    evidence. A claim may have a reason although its set is one label.

    sets: Shape (n, 3). has_evidence: Shape (n,). passage_sets: per claim the sets of its passages, each taken alone,
    shape (passages, 3), or None where they were not looked at.
    """
    decided = single(sets)
    open_question = decided & sets[:, _UNVERIFIED] & reads_evidence
    found: list[tuple[Reason, ...]] = []
    rows = zip(has_evidence, passage_sets, open_question.tolist(), decided.tolist(), strict=True)
    for evidence, passages, is_open, is_decided in rows:
        if reads_evidence and not evidence:
            found.append(("evidence_insufficient",))
        elif passages is not None and _conflict(passages):
            found.append(("evidence_conflicts",))
        elif is_open:
            found.append(("evidence_insufficient",))
        else:
            found.append(() if is_decided else ("model_unsure",))
    return found


def coverage_report(
    sets: Booleans, claims: Sequence[Claim], *, level: float, min_rows: int = 20, resamples: int = 1000, seed: int = 0
) -> Coverage:
    """Measure prediction sets on labelled claims that took no part in their thresholds.

    sets: columns in the order of LABELS. Shape: (n, 3). level: the coverage that was asked for. min_rows: events with
    fewer claims get no slice. Raises DataError when there is no claim or a claim has no label.
    """
    truth = truth_of(claims)
    if sets.shape != truth.shape:
        raise ValueError(f"expected sets of shape {truth.shape}, found {sets.shape}")

    def part(rows: Sequence[int] | Booleans) -> CoverageSlice:
        return _slice(sets[rows], truth[rows], resamples=resamples, seed=seed)

    events = rows_by_event([claim.corpus for claim in claims], [claim.event for claim in claims])
    large = {name: rows for name, rows in events.items() if len(rows) >= min_rows}
    return Coverage(
        level=level,
        overall=_slice(sets, truth, resamples=resamples, seed=seed),
        labels={label: part(truth[:, column]) for column, label in enumerate(LABELS) if truth[:, column].any()},
        corpora={name: part(rows) for name, rows in rows_by_name([claim.corpus for claim in claims]).items()},
        events={name: part(rows) for name, rows in large.items()},
        smaller_events=len(events) - len(large),
        min_rows=min_rows,
    )


def to_json(coverage: Coverage) -> dict[str, Any]:
    """Plain dicts, texts, finite numbers and None, ready for json.dumps(allow_nan=False)."""
    return asdict(coverage)


def from_json(document: Any) -> Coverage:
    """Read back what `to_json` made. Raises DataError when the document is something else."""
    try:
        parts = {
            key: {name: _slice_from(row) for name, row in document[key].items()}
            for key in ("labels", "corpora", "events")
        }
        return Coverage(**{**document, "overall": _slice_from(document["overall"]), **parts})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"expected the coverage of prediction sets as claimsieve writes it, found something else ({error}). "
            "Train the model again."
        ) from error


def summary_metrics(coverage: Coverage) -> dict[str, float]:
    """Flat names and values for an experiment tracker; "smallest" is of the label that is covered least."""
    overall = coverage.overall
    by_label = {str(label): part.covered.value for label, part in coverage.labels.items()}
    summary = {"overall": overall.covered.value, **by_label, "smallest": min(by_label.values())}
    summary |= {"mean_set_size": overall.mean_set_size.value, "abstained": overall.abstained.value}
    if overall.right is not None:
        summary["right_when_decided"] = overall.right.value
    return summary


def table(coverage: Coverage) -> list[list[str]]:
    """Rows for a terminal: a header, one row per label and per corpus, the overall row last."""
    rows = [
        ["", "n", f"covered [95 %], asked {coverage.level:.0%}", "labels in a set", "abstained", "right if decided"]
    ]
    for name, part in [*coverage.labels.items(), *coverage.corpora.items(), ("overall", coverage.overall)]:
        size = f"{part.mean_set_size.value:.2f}"
        shares = [_shown(share) for share in (part.covered, part.abstained, part.right)]
        rows.append([name, f"{part.n:,}", shares[0], size, *shares[1:]])
    return rows


def _slice(sets: Booleans, truth: Booleans, *, resamples: int, seed: int) -> CoverageSlice:
    n, decided, covered = len(sets), single(sets), (sets & truth).any(axis=1)
    of_size = np.bincount(sets.sum(axis=1), minlength=len(LABELS) + 1)
    # Drawing how many sets there are of each size is drawing rows.
    drawn = np.random.default_rng(seed).multinomial(n, of_size / n, size=resamples)
    sizes = np.arange(len(of_size)) / n
    return CoverageSlice(
        n=n,
        covered=exact_share(int(covered.sum()), n),
        mean_set_size=interval(float(of_size @ sizes), drawn @ sizes),
        abstained=exact_share(n - int(decided.sum()), n),
        decided=int(decided.sum()),
        right=exact_share(int((covered & decided).sum()), int(decided.sum())) if decided.any() else None,
    )


def exact_share(count: int, n: int) -> Estimate:
    """count / n with its exact interval, as scipy.stats.binomtest gives it, which is slow for a thousand events."""
    from scipy.special import betaincinv

    tail = (1 - LEVEL) / 2
    low = float(betaincinv(count, n - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, n - count, 1 - tail)) if count < n else 1.0
    return Estimate(count / n, low, high)


def _slice_from(row: Mapping[str, Any]) -> CoverageSlice:
    found = by_name(row, ("covered", "mean_set_size", "abstained"), known_estimate)
    return CoverageSlice(**{**row, **found, "n": whole(row["n"]), "right": estimate_from(row["right"])})


def _shown(share: Estimate | None) -> str:
    return "–" if share is None else f"{share.value:.1%} [{share.low:.1%}, {share.high:.1%}]"


def _conflict(passages: Booleans) -> bool:
    alone = passages[single(passages)]
    return bool(alone[:, _VERIFIED].any() and alone[:, _PROPAGANDA].any())
