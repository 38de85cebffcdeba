"""What a model may see of a claim: one function renders it for every kind."""

from collections.abc import Sequence

from claimsieve.records import Claim, InputField


def render(claim: Claim, inputs: Sequence[InputField]) -> tuple[str, str]:
    """The claim's side and the evidence's side as text. A field that is not in `inputs` leaves no trace.

    With `source` and `date` the claim's side begins with who said it and when, and each passage ends with its own.
    Without evidence, or without `evidence` in `inputs`, the second text is empty.
    """
    head = [
        value
        for field, value in (("date", claim.date), ("source", claim.source))
        if field in inputs and value is not None
    ]
    first = ": ".join([" ".join(head)] * bool(head) + [claim.claim] * ("claim" in inputs))
    if "evidence" not in inputs:
        return first, ""
    passages = []
    for passage in claim.evidence:
        origin = [
            value
            for field, value in (("source", passage.source), ("date", passage.date))
            if field in inputs and value is not None
        ]
        passages.append(f"{passage.text} ({', '.join(origin)})" if origin else passage.text)
    return first, " ".join(passages)
