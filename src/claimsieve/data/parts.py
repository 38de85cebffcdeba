"""Where the fields of a claim stand in what `render` makes of it, so that what a model read can be found again."""

from collections.abc import Sequence
from typing import NamedTuple

from claimsieve.records import Claim, InputField

CLAIM_SIDE, EVIDENCE_SIDE = 0, 1


class Part(NamedTuple):
    """One field's text, whole, as it stands in the text of a side.

    side: CLAIM_SIDE or EVIDENCE_SIDE. start: where it begins there, in characters. passage: which passage of the
    evidence the text, source or date is of; None for the claim's own.
    """

    side: int
    start: int
    field: InputField
    passage: int | None
    text: str


def rendered_parts(claim: Claim, inputs: Sequence[InputField]) -> list[Part]:
    """The fields in `inputs` in the order in which `render` writes them; of each side its parts from left to right."""
    found = []
    end = 0
    head: tuple[tuple[InputField, str | None], ...] = (("date", claim.date), ("source", claim.source))
    for field, text in head:
        if field in inputs and text is not None:
            found.append(Part(CLAIM_SIDE, end, field, None, text))
            end += len(text) + len(" ")
    if "claim" in inputs:
        found.append(Part(CLAIM_SIDE, end + len(": ") - len(" ") if found else 0, "claim", None, claim.claim))
    if "evidence" in inputs:
        found += _evidence_parts(claim, inputs)
    return found


def _evidence_parts(claim: Claim, inputs: Sequence[InputField]) -> list[Part]:
    found = []
    start = 0
    for number, passage in enumerate(claim.evidence):
        found.append(Part(EVIDENCE_SIDE, start, "evidence", number, passage.text))
        start += len(passage.text)
        opening = " ("
        origin: tuple[tuple[InputField, str | None], ...] = (("source", passage.source), ("date", passage.date))
        for field, text in origin:
            if field in inputs and text is not None:
                found.append(Part(EVIDENCE_SIDE, start + len(opening), field, number, text))
                start += len(opening) + len(text)
                opening = ", "
        start += len(")") * (opening == ", ") + len(" ")
    return found
