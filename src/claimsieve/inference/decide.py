"""What a model says of claims, and when it leaves the answer to a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from claimsieve.errors import ModelError
from claimsieve.evaluation.base_rates import corrected
from claimsieve.evaluation.calibration import Calibration, apply
from claimsieve.evaluation.conformal import Reason, prediction_sets, reasons
from claimsieve.evaluation.decisions import Axes, Basis, Decisions, labels_of
from claimsieve.evaluation.metrics import Booleans, Floats, chosen_labels
from claimsieve.models import Model
from claimsieve.records import LABELS, Claim, Label, Prediction, Stance

MAX_PASSAGES = 8  # of a claim, looked at one by one where the model does not decide
NOT_READ = 255
_STANCES: tuple[Stance, ...] = ("supported", "insufficient", "refuted")  # by the outputs of a stance head
_BITS = (1 << np.arange(len(LABELS))).astype(np.uint8)  # a set of labels as a number


@dataclass(frozen=True, slots=True)
class Judged:
    """What a model says of claims, before it is turned into decisions.

    answers: as Model.answers gives them. Shape: (n, 3 + heads). alone: what each of the first passages alone would
    give, as a set of labels in bits; NOT_READ where there is none or the question does not arise.
    Shape: (n, MAX_PASSAGES), uint8
    """

    answers: Floats
    alone: NDArray[np.uint8]

    @property
    def raw(self) -> Floats:
        """Uncalibrated probabilities of the labels. Shape: (n, 3)"""
        return self.answers[:, : len(LABELS)]


def decide(model: Model, claims: Sequence[Claim], calibration: Calibration | None) -> Decisions:
    """Probabilities, prediction sets and reasons, in the order of the claims."""
    answers = model.answers(model.encode(claims))
    return decisions_of(judge(model, claims, answers, calibration), model, claims, calibration)


def judge(model: Model, claims: Sequence[Claim], answers: Floats, calibration: Calibration | None) -> Judged:
    """What the model answers, and what it says of the passages of claims one by one where it does not decide.

    A conflict is two passages that settle a claim differently, which the set of all passages together does not show.
    Raises ModelError for answers that are no numbers.
    """
    _require_numbers(answers)
    alone = np.full((len(claims), MAX_PASSAGES), NOT_READ, dtype=np.uint8)
    if calibration is None or "evidence" not in model.inputs:
        return Judged(answers, alone)
    raw = answers[:, : len(LABELS)]
    sets = _with_chosen(prediction_sets(raw, calibration.thresholds), raw)
    settled = (sets.sum(axis=1) == 1) & ~sets[:, LABELS.index("unverified")]
    places = [
        (row, place)
        for row, claim in enumerate(claims)
        if len(claim.evidence) > 1 and not settled[row]
        for place in range(min(len(claim.evidence), MAX_PASSAGES))
    ]
    if places:
        found = model.predict_proba([replace(claims[row], evidence=(claims[row].evidence[at],)) for row, at in places])
        _require_numbers(found)
        rows, ats = np.array(places).T
        alone[rows, ats] = _with_chosen(prediction_sets(found, calibration.thresholds), found) @ _BITS
    return Judged(answers, alone)


def _require_numbers(answers: Floats) -> None:
    broken = np.flatnonzero(~np.isfinite(answers).all(axis=1))
    if len(broken):
        raise ModelError(
            f"expected answers that are numbers, found NaN or infinity for {len(broken):,} of {len(answers):,} claims. "
            "Try --precision float32; if that is no better, the weights are broken: copy the model again, or train it."
        )


def decisions_of(judged: Judged, model: Model, claims: Sequence[Claim], calibration: Calibration | None) -> Decisions:
    """Calibrated probabilities, prediction sets and reasons of claims that are judged."""
    raw = judged.raw
    if calibration is None:
        why: list[tuple[Reason, ...]] = [()] * len(claims)
        return Decisions(raw, raw, None, why, _axes(judged, model, claims, why))
    sets = _with_chosen(prediction_sets(raw, calibration.thresholds), raw)
    why = reasons(
        sets,
        reads_evidence="evidence" in model.inputs,
        has_evidence=[bool(claim.evidence) for claim in claims],
        passage_sets=[
            _unpacked(row) if any_read else None
            for row, any_read in zip(judged.alone, (judged.alone != NOT_READ).any(axis=1).tolist(), strict=True)
        ],
    )
    calibrated = apply(calibration, raw, [claim.corpus for claim in claims])
    return Decisions(raw, calibrated, sets, why, _axes(judged, model, claims, why))


def _axes(judged: Judged, model: Model, claims: Sequence[Claim], why: Sequence[tuple[Reason, ...]]) -> Axes | None:
    """The answers to the two questions; None for a model without heads for them."""
    if not model.heads:
        return None
    probabilities = judged.answers[:, len(LABELS) :]
    without: Basis = "claim_alone" if model.settings()["no_evidence"] == "learned" else "no_evidence"
    return Axes(
        probabilities,
        stances=[
            "conflicting" if "evidence_conflicts" in reason else _STANCES[place]
            for place, reason in zip(probabilities[:, :3].argmax(axis=1).tolist(), why, strict=True)
        ],
        bases=["evidence" if claim.evidence and "evidence" in model.inputs else without for claim in claims],
    )


def to_a_person(decisions: Decisions, claims: Sequence[Claim]) -> Booleans:
    """Where a person decides: the set is not one label, or the model reads evidence and none came. Shape: (n,)

    An evaluation asks for the first alone (`Decisions.abstained`), for it measures the sets. Without a calibration a
    model has no reasons, and leaves nothing to a person.
    """
    lacking = [
        not claim.evidence and "evidence_insufficient" in why
        for claim, why in zip(claims, decisions.reasons, strict=True)
    ]
    left: Booleans = decisions.abstained | np.array(lacking, dtype=bool)
    return left


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
    left = to_a_person(decisions, claims)
    rows = zip(claims, decisions.probabilities, sets, left, decisions.reasons, turned, strict=True)
    axes = decisions.axes
    return [
        Prediction(
            id=claim.id,
            label=LABELS[int(row.argmax())],
            probabilities=_by_label(row),
            probabilities_at_prevalence=None if at_prevalence is None else _by_label(at_prevalence),
            stance=None if axes is None else axes.stances[place],
            manipulation=None if axes is None else bool(axes.manipulated[place]),
            prediction_set=None if held is None else labels_of(held),
            abstained=bool(abstained),
            reasons=why,
            model=fingerprint,
        )
        for place, (claim, row, held, abstained, why, at_prevalence) in enumerate(rows)
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


def _unpacked(bits: NDArray[np.uint8]) -> Booleans:
    """The sets of those of a claim's passages that were read one by one, one row each."""
    sets: Booleans = (bits[bits != NOT_READ][:, None] & _BITS) > 0
    return sets
