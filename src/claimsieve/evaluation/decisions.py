"""What one can decide on: how far confidence may be trusted, what is left to people, and what it is worth at a mix."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from claimsieve.errors import DataError
from claimsieve.evaluation import base_rates, calibration_error, conformal, selective
from claimsieve.evaluation.base_rates import BaseRates, mix_of
from claimsieve.evaluation.calibration import Calibration, apply
from claimsieve.evaluation.calibration_error import CalibrationReport, calibration_report
from claimsieve.evaluation.conformal import Coverage, Reason, coverage_report
from claimsieve.evaluation.evaluate import truth_of
from claimsieve.evaluation.metrics import Booleans, Floats, chosen_labels
from claimsieve.evaluation.selective import ReviewRow, RiskCoverage, review_table, risk_coverage
from claimsieve.records import LABELS, Claim, Label, Stance

_LEANS = "the interval of ECE leans upwards and may lie above the value"


Basis = Literal["evidence", "no_evidence", "claim_alone"]


@dataclass(frozen=True, slots=True)
class Axes:
    """The codebook's two answers to n claims, of a model that has a head for each.

    probabilities: supported, open, refuted, manipulated, uncalibrated, the first three summing to 1. Shape: (n, 4).
    stances: the most probable one; an open stance is insufficient, or conflicting where passages settle the claim
    differently. bases: what the stance rests on: evidence, none there (open by construction), or the claim alone (what
    it resembles). manipulated: whether more probably than not. Shape: (n,)
    """

    probabilities: Floats
    stances: Sequence[Stance]
    bases: Sequence[Basis]

    @property
    def manipulated(self) -> Booleans:
        held: Booleans = self.probabilities[:, 3] >= 0.5
        return held


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a model says of n claims.

    raw, probabilities: before and after calibration, columns in the order of LABELS. Shape: (n, 3). sets: which labels
    cannot be ruled out, shape (n, 3); None for a model without a calibration split. reasons: () where it decides.
    axes: None for a model that answers with labels only.
    """

    raw: Floats
    probabilities: Floats
    sets: Booleans | None
    reasons: Sequence[tuple[Reason, ...]]
    axes: Axes | None = None

    @property
    def abstained(self) -> Booleans:
        """Where the set is not one label; nowhere without sets. Shape: (n,)"""
        if self.sets is None:
            return np.zeros(len(self.raw), dtype=bool)
        several: Booleans = self.sets.sum(axis=1) != 1
        return several


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """The numbers of a test split that tell what may be left to a model.

    calibration: errors of the confidence before and after calibration. coverage: of the prediction sets; both are None
    for a model without a calibration split. selective: risk as more claims are decided. review: reviewer hours.
    mix: share of each label among the test claims. base_rates: at the mix that the config names; None without one.
    weighted: whether selective and review count claims by that mix. reasons: true stance → reason → claims, for the
    claims whose stance is known; "decided" where the model gave none. never_ruled_out: label → its calibration claims,
    for labels of which there were too few to keep the coverage asked for, so that every set holds them.
    """

    calibration: CalibrationReport | None
    coverage: Coverage | None
    selective: RiskCoverage
    review: tuple[ReviewRow, ...]
    mix: Mapping[Label, float]
    base_rates: BaseRates | None
    weighted: bool
    reasons: Mapping[str, Mapping[str, int]]
    never_ruled_out: Mapping[Label, int] = field(default_factory=dict)


def report_on(
    decisions: Decisions,
    claims: Sequence[Claim],
    calibration: Calibration | None,
    *,
    items_per_week: int = 1000,
    minutes_per_item: float = 15.0,
    hours_per_week: Sequence[float] = (0.0, 20.0, 40.0, 80.0),
    prevalence: Mapping[Label, float] | None = None,
    bins: int = 15,
    resamples: int = 1000,
    min_slice_rows: int = 20,
    seed: int = 0,
) -> DecisionReport:
    """Measure what the calibration split decided on labelled claims that took no part in it."""
    truth = truth_of(claims)
    mix = mix_of(truth)
    right = np.any(chosen_labels(decisions.probabilities) & truth, axis=1)
    confidence = decisions.probabilities.max(axis=1)
    weights = None if prevalence is None else _weights(truth, mix, prevalence)
    common: dict[str, Any] = {"resamples": resamples, "seed": seed}
    return DecisionReport(
        calibration=None
        if calibration is None
        else calibration_report(_stages(decisions, claims, calibration), claims, bins=bins, **common),
        coverage=None
        if decisions.sets is None or calibration is None
        else coverage_report(decisions.sets, claims, level=calibration.coverage, min_rows=min_slice_rows, **common),
        selective=risk_coverage(confidence, right, weights=weights, **common),
        review=tuple(
            review_table(
                confidence,
                right,
                items_per_week=items_per_week,
                minutes_per_item=minutes_per_item,
                hours_per_week=hours_per_week,
                weights=weights,
                abstained=None if decisions.sets is None else decisions.abstained,
                **common,
            )
        ),
        mix=mix,
        base_rates=None
        if prevalence is None
        else base_rates.base_rates(
            decisions.probabilities,
            truth,
            prevalence=prevalence,
            trained_for=None if calibration is None else calibration.trained_for,
            bins=bins,
            **common,
        ),
        weighted=weights is not None,
        reasons=_reasons_by_stance(decisions, claims),
        never_ruled_out={}
        if calibration is None
        else {label: calibration.rows[label] for label, least in calibration.thresholds.items() if least is None},
    )


def labels_of(held: Booleans) -> tuple[Label, ...]:
    """One row of sets as names. Shape: (3,)"""
    return tuple(label for label, inside in zip(LABELS, held, strict=True) if inside)


def from_json(document: Any) -> DecisionReport:
    """Read back what dataclasses.asdict made. Raises DataError when the document is something else."""
    try:
        of = {"calibration": calibration_error.from_json, "coverage": conformal.from_json}
        of |= {"base_rates": base_rates.from_json}
        parts = {name: None if document[name] is None else parse(document[name]) for name, parse in of.items()}
        review = tuple(selective.review_from_json(document["review"]))
        return DecisionReport(
            **{**document, **parts, "selective": selective.from_json(document["selective"]), "review": review}
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise DataError(
            f"expected decisions as claimsieve writes them, found something else ({error}). Train the model again."
        ) from error


def summary_metrics(report: DecisionReport, calibration: Calibration | None) -> dict[str, dict[str, float]]:
    """Group → flat names and values for an experiment tracker."""
    selection = report.selective
    found = {
        "calibration": {},
        "coverage": {} if report.coverage is None else conformal.summary_metrics(report.coverage),
        "selective": {"aurc": selection.aurc.value, "excess_aurc": selection.excess_aurc.value},
        "base_rate": {} if report.base_rates is None else base_rates.summary_metrics(report.base_rates),
    }
    if report.calibration is not None and calibration is not None:
        errors = calibration_error.summary_metrics(report.calibration)
        found["calibration"] = errors | {"temperature": calibration.temperature}
    return found


def tables(report: DecisionReport) -> dict[str, list[list[str]]]:
    """Title → rows for a terminal."""
    found = {}
    if report.calibration is not None:
        found[f"calibration, before → after; {_LEANS}"] = calibration_error.table(report.calibration)
    if report.coverage is not None:
        title = f"prediction sets: how often they hold the true label{_unreached(report)}"
        found[title] = conformal.table(report.coverage)
    mix = " at your mix" if report.weighted else f" at the mix of the test claims ({_shown(report.mix)})"
    found[f"what people look at in a week, and what is left to the model{mix}"] = selective.table(report.review)
    if report.base_rates is not None:
        found[base_rates.headline(report.base_rates)] = base_rates.table(report.base_rates)
        title = f"whether turning the probabilities to your mix helps; {_LEANS}"
        found[title] = base_rates.correction_table(report.base_rates)
    return found


def _unreached(report: DecisionReport) -> str:
    if report.coverage is None or not report.never_ruled_out:
        return ""
    counts = ", ".join(f"{label} (n = {rows:,})" for label, rows in report.never_ruled_out.items())
    return f"; too few calibration claims for {report.coverage.level * 100:g} %, so every set holds {counts}"


def _shown(mix: Mapping[Label, float]) -> str:
    return ", ".join(f"{label} {share:.0%}" for label, share in mix.items())


def _stages(decisions: Decisions, claims: Sequence[Claim], calibration: Calibration) -> dict[str, Floats]:
    """Before, with one temperature for all, and as it is used, which differs where corpora have their own."""
    shared = apply(calibration, decisions.raw, [None] * len(claims))
    return {"before": decisions.raw, "one temperature": shared, "after": decisions.probabilities}


def _weights(truth: Booleans, mix: Mapping[Label, float], prevalence: Mapping[Label, float]) -> Floats | None:
    """What each claim counts at the mix; None where a label that it has does not occur in the test claims."""
    if any(prevalence[label] > 0 and share == 0 for label, share in mix.items()):
        return None
    of_label = np.array([prevalence[label] / share if share else 0.0 for label, share in mix.items()])
    weights: Floats = truth.astype(np.float64) @ of_label
    return weights


def _reasons_by_stance(decisions: Decisions, claims: Sequence[Claim]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for claim, reasons in zip(claims, decisions.reasons, strict=True):
        if claim.stance is not None and decisions.sets is not None:
            found.setdefault(claim.stance, Counter())[reasons[0] if reasons else "decided"] += 1
    return {stance: dict(sorted(counts.items())) for stance, counts in sorted(found.items())}
