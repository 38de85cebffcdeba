"""What a model says of claims, and when it leaves the answer to a person."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from claimsieve.evaluation.base_rates import corrected
from claimsieve.evaluation.calibration import Calibration, apply
from claimsieve.evaluation.conformal import prediction_sets, reasons
from claimsieve.evaluation.decisions import Decisions, labels_of
from claimsieve.evaluation.metrics import Booleans, Floats, chosen_labels
from claimsieve.models import Model
from claimsieve.records import LABELS, Claim, Label, Prediction

MAX_PASSAGES = 8  # of a claim, looked at one by one where the model does not decide


def decide(model: Model, claims: Sequence[Claim], calibration: Calibration | None) -> Decisions:
    """Probabilities, prediction sets and reasons, in the order of the claims."""
    raw = np.asarray(model.predict_proba(claims), dtype=np.float64)
    if calibration is None:
        return Decisions(raw, raw, None, [()] * len(claims))
    sets = _with_chosen(prediction_sets(raw, calibration.thresholds), raw)
    reads_evidence = "evidence" in model.inputs
    return Decisions(
        raw,
        apply(calibration, raw, [claim.corpus for claim in claims]),
        sets,
        reasons(
            sets,
            reads_evidence=reads_evidence,
            has_evidence=[bool(claim.evidence) for claim in claims],
            passage_sets=_passage_sets(model, claims, sets, calibration) if reads_evidence else [None] * len(claims),
        ),
    )


def predictions_of(
    decisions: Decisions,
    claims: Sequence[Claim],
    *,
    fingerprint: str | None = None,
    calibration: Calibration | None = None,
    prevalence: Mapping[Label, float] | None = None,
) -> list[Prediction]:
    """One Prediction per claim, in order. prevalence: the mix of labels that the probabilities are turned to as well.

    Raises ValueError for a prevalence without a calibration, which knows the mix that the model was trained for.
    """
    turned: Sequence[Floats | None] = [None] * len(claims)
    if prevalence is not None:
        if calibration is None:
            raise ValueError("expected a calibration with a prevalence, found none")
        turned = list(corrected(decisions.probabilities, trained_for=calibration.trained_for, prevalence=prevalence))
    sets: Sequence[Booleans | None] = [None] * len(claims) if decisions.sets is None else list(decisions.sets)
    rows = zip(claims, decisions.probabilities, sets, decisions.abstained, decisions.reasons, turned, strict=True)
    return [
        Prediction(
            id=claim.id,
            label=LABELS[int(row.argmax())],
            probabilities=_by_label(row),
            probabilities_at_prevalence=None if at_prevalence is None else _by_label(at_prevalence),
            prediction_set=None if held is None else labels_of(held),
            abstained=bool(abstained),
            reasons=why,
            model=fingerprint,
        )
        for claim, row, held, abstained, why, at_prevalence in rows
    ]


def _with_chosen(sets: Booleans, raw: Floats) -> Booleans:
    """Sets that hold labels, but not the most probable one, hold that one too.

    Labels have thresholds of their own, so a claim could be called verified with the set {propaganda}; now people get
    it. Larger sets cover no less. An empty set stays empty: the claim resembles those of no label.
    """
    holds_some: Booleans = np.any(sets, axis=1, keepdims=True)
    return sets | (chosen_labels(raw) & holds_some)


def _by_label(row: Floats) -> dict[Label, float]:
    return {label: float(value) for label, value in zip(LABELS, row, strict=True)}


def _passage_sets(
    model: Model, claims: Sequence[Claim], sets: Booleans, calibration: Calibration
) -> list[Booleans | None]:
    """What each passage alone would give, where there are several and the model does not settle on a side.

    A conflict is two passages that settle it differently, which the set of all passages together does not show.
    """
    settled = (sets.sum(axis=1) == 1) & ~sets[:, LABELS.index("unverified")]
    open_rows = [row for row, claim in enumerate(claims) if len(claim.evidence) > 1 and not settled[row]]
    alone = [
        replace(claims[row], evidence=(passage,))
        for row in open_rows
        for passage in claims[row].evidence[:MAX_PASSAGES]
    ]
    raw = np.asarray(model.predict_proba(alone), dtype=np.float64)
    found = _with_chosen(prediction_sets(raw, calibration.thresholds), raw)
    result: list[Booleans | None] = [None] * len(claims)
    ends = np.cumsum([min(len(claims[row].evidence), MAX_PASSAGES) for row in open_rows]).tolist()
    for row, start, end in zip(open_rows, [0, *ends], ends, strict=False):
        result[row] = found[start:end]
    return result
