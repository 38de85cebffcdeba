"""Is the quick way right? On some of the user's own rows, against the plain library, one claim at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from claimsieve.errors import ModelError
from claimsieve.inference.predict import Job
from claimsieve.inference.windows import Item, ItemReader, windows
from claimsieve.models import Model
from claimsieve.records import Claim

ROWS = 64
TOLERANCES = {"bfloat16": 0.03}  # of a probability; 8 bits of each number are kept
TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Selfcheck:
    """What came out.

    rows: how many were compared. labels_equal: how many have the reference's label. largest_difference: of a
    probability from the reference's. largest_batch_difference: of a probability when the same claims come in another
    order and in batches of another size. tolerance: what both differences have to keep to.
    """

    rows: int
    labels_equal: int
    largest_difference: float
    largest_batch_difference: float
    tolerance: float

    def described(self) -> str:
        """In words."""
        return (
            f"self-check: {self.labels_equal:,} of {self.rows:,} labels as in float32 one claim at a time; largest "
            f"difference of a probability {self.largest_difference:.2g}, between orders and sizes of batches "
            f"{self.largest_batch_difference:.2g} (allowed {self.tolerance:g})"
        )


def sample(source: str, reader: ItemReader, *, rows: int = ROWS) -> list[Claim]:
    """Claims spread evenly over the first window of a source, the longest of it among them."""
    first = next(windows(source), None)
    found = [reader(row) for row in (first.rows if first else ())]
    claims = sorted((item.claim for item in found if isinstance(item, Item)), key=_length)
    if len(claims) <= rows:
        return claims
    return [claims[place] for place in np.linspace(0, len(claims) - 1, rows).astype(int)]


def selfchecked(model: Model, job: Job) -> Selfcheck:
    """A model checked on rows of a job. Raises as `selfcheck` does."""
    return selfcheck(model, sample(job.source, ItemReader(job.source, job.mapping, model.inputs)))


def selfcheck(model: Model, claims: Sequence[Claim], *, tolerance: float | None = None) -> Selfcheck:
    """Compare what the model gives with its own reference. Raises ModelError when a difference is beyond tolerance."""
    if tolerance is None:
        tolerance = TOLERANCES.get(str(model.computed_as().get("precision")), TOLERANCE)
    if not claims:
        return Selfcheck(0, 0, 0.0, 0.0, tolerance)
    expected = model.reference(claims)
    found = model.predict_proba(claims)
    order = np.random.default_rng(0).permutation(len(claims))
    shuffled = np.empty_like(found)
    shuffled[order] = model.predict_proba([claims[place] for place in order])
    alone = np.concatenate([model.predict_proba([claim]) for claim in claims])
    result = Selfcheck(
        rows=len(claims),
        labels_equal=int((found.argmax(axis=1) == expected.argmax(axis=1)).sum()),
        largest_difference=_largest(found, expected),
        largest_batch_difference=max(_largest(found, shuffled), _largest(found, alone)),
        tolerance=tolerance,
    )
    # Not "greater than": a number that is none has to fail too.
    if not max(result.largest_difference, result.largest_batch_difference) <= tolerance:
        raise ModelError(f"{result.described()}. Use --precision float32, or another build of torch; tell us of it.")
    return result


def _largest(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())


def _length(claim: Claim) -> int:
    return len(claim.claim) + sum(len(passage.text) for passage in claim.evidence)
