"""What a model may see of a claim: one function renders it for every kind."""

from collections.abc import Sequence

from claimsieve.records import Claim, InputField


def render(claim: Claim, inputs: Sequence[InputField]) -> tuple[str, str]:
    """The claim's side and the evidence's side as text. A field that is not in `inputs` leaves no trace.

    With `source` and `date` the claim's side begins with who said it and when, and each passage ends with its own.
    Without evidence, or without `evidence` in `inputs`, the second text is empty.
    """
    return render_claim(claim, inputs), " ".join(render_passages(claim, inputs))


def render_claim(claim: Claim, inputs: Sequence[InputField]) -> str:
    """The claim's side: what is claimed, with who said it and when before it where `inputs` has them."""
    if "source" not in inputs and "date" not in inputs:
        return claim.claim if "claim" in inputs else ""
    head = [
        value
        for field, value in (("date", claim.date), ("source", claim.source))
        if field in inputs and value is not None
    ]
    return ": ".join([" ".join(head)] * bool(head) + [claim.claim] * ("claim" in inputs))


def render_passages(claim: Claim, inputs: Sequence[InputField]) -> list[str]:
    """The evidence's side, passage by passage."""
    if "evidence" not in inputs:
        return []
    if "source" not in inputs and "date" not in inputs:
        return [passage.text for passage in claim.evidence]
    passages = []
    for passage in claim.evidence:
        origin = [
            value
            for field, value in (("source", passage.source), ("date", passage.date))
            if field in inputs and value is not None
        ]
        passages.append(f"{passage.text} ({', '.join(origin)})" if origin else passage.text)
    return passages
