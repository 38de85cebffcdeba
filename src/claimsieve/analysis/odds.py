"""What the model says of a row: its label, how sure, what cannot be ruled out, and why a person should look."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from claimsieve.analysis.values import number, text, texts, truth
from claimsieve.analysis.visible import one_line
from claimsieve.analysis.wording import BASES, NO_EVIDENCE, REASONS, RECYCLED, STANCES, UNLABELLED
from claimsieve.records import LABELS


@dataclass(frozen=True, slots=True)
class Share:
    """One label's probability in [0, 1], and where its part of the bar begins and how long it is, in per cent."""

    label: str
    value: float
    begin: float
    length: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the two answers of a two-axis model: in words, and the probabilities by what they are of."""

    words: str
    shares: list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a row says of its claim.

    tray: a label or UNLABELLED. shares: empty unless all three are there. at_prevalence: the same at the user's mix.
    decision: what cannot be ruled out, as a sentence. abstained: a person decides. recycled: a picture is older than
    the claim. why: sentences. answers: stance and manipulation of a two-axis model.
    """

    tray: str
    shares: list[Share]
    at_prevalence: list[Share]
    decision: str | None
    abstained: bool
    recycled: bool
    why: list[str]
    answers: list[Answer]


def verdict_of(row: Mapping[str, Any], *, has_evidence: bool) -> Verdict:
    """Reads the prediction's columns of a row; what a model did not say is left out."""
    label = row.get("label")
    tray = label if isinstance(label, str) and label in LABELS else UNLABELLED
    shares = _shares(row, "")
    held = texts(row["prediction_set"]) if isinstance(row.get("prediction_set"), list | tuple) else None
    abstained = truth(row.get("abstained")) or False
    reasons = texts(row.get("reasons"))
    return Verdict(
        tray=tray,
        shares=shares,
        at_prevalence=_shares(row, "_at_prevalence"),
        decision=None if tray == UNLABELLED else _decision(held, abstained=abstained),
        abstained=abstained,
        recycled=RECYCLED in reasons,
        why=[_reason(reason, has_evidence=has_evidence) for reason in reasons],
        answers=_answers(row),
    )


def _shares(row: Mapping[str, Any], form: str) -> list[Share]:
    values = [number(row.get(f"p_{label}{form}"), 0, 1) for label in LABELS]
    known = [value for value in values if value is not None]
    total = sum(known)
    if len(known) != len(LABELS) or not 0.97 <= total <= 1.03:
        return []
    begins = [sum(known[:place]) / total * 100 for place in range(len(known))]
    return [
        Share(label, value, begin, value / total * 100)
        for label, value, begin in zip(LABELS, known, begins, strict=True)
    ]


def _decision(held: list[str] | None, *, abstained: bool) -> str:
    known = [label for label in LABELS if label in (held or [])]
    if abstained and (held is None or len(known) == 1):
        return "A person decides, however sure the model is."
    if held is None:
        return "The model has no calibration split: it rules no label out, and never leaves a claim to a person."
    if not known:
        words = "It resembles claims of no label: all three are ruled out."
    elif len(known) == 1:
        words = "The other two labels are ruled out."
    else:
        words = f"Cannot be ruled out: {' and '.join(known) if len(known) == 2 else 'any of the three'}."
    return f"{words} A person decides." if abstained else words


def _reason(reason: str, *, has_evidence: bool) -> str:
    if reason == "evidence_insufficient" and not has_evidence:
        return NO_EVIDENCE
    return REASONS.get(reason) or f"{one_line(reason.replace('_', ' '), limit=200)}."


def _answers(row: Mapping[str, Any]) -> list[Answer]:
    """The answers of a model with two heads; a corpus's own stance and manipulation, without chances, are none."""
    found = []
    stances = [(name, number(row.get(f"p_{name}"), 0, 1)) for name in ("supported", "open", "refuted")]
    stance = next((words for name, words in STANCES.items() if name == row.get("stance")), None)
    if stance and all(value is not None for _, value in stances):
        basis = BASES.get(text(row.get("stance_basis")) or "")
        shares = [(name, value) for name, value in stances if value is not None]
        found.append(Answer(f"{stance}{f' ({basis})' if basis else ''}.", shares))
    manipulated, chance = truth(row.get("manipulation")), number(row.get("p_manipulated"), 0, 1)
    if manipulated is not None and chance is not None:
        words = "Its words resemble manipulation." if manipulated else "Its words do not resemble manipulation."
        found.append(Answer(words, [("manipulated", chance)]))
    return found
