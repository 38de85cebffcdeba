"""Two configs seed by seed: is the one ahead whatever the seed?"""

from dataclasses import dataclass

import numpy as np

from claimsieve.comparison.contestants import Matched
from claimsieve.comparison.paired import CELLS, Integers
from claimsieve.comparison.records import Repeats
from claimsieve.evaluation.metrics import Floats, macro_f1, occurring
from claimsieve.evaluation.repeats import difference_over_seeds
from claimsieve.records import LABELS

_MIN_SEEDS = 3
_UNKNOWN_TEST_TO_TRAIN = 1.0  # wider than any usual split's


@dataclass(frozen=True, slots=True)
class BySeed:
    """macro_f1: seed → value of each contestant, shape (contestants,); {} where there is one seed only.

    same_rows: every seed tests the same rows. test_to_train: test rows / train rows.
    """

    macro_f1: dict[int, Floats]
    same_rows: bool
    test_to_train: float

    def between(self, first: int, second: int, *, row_error: float) -> Repeats | None:
        """The differences of two contestants by number; None where there is one seed. row_error: of the pooled rows."""
        if not self.macro_f1:
            return None
        differences = tuple(float(found[first] - found[second]) for found in self.macro_f1.values())
        # Two seeds that agree by chance would make the rows decide alone: simulated, one false winner in ten.
        known = row_error if self.same_rows or len(differences) >= _MIN_SEEDS else 0.0
        overlap = 0.0 if self.same_rows else self.test_to_train
        mean, p = difference_over_seeds(differences, row_error=known, test_to_train=overlap)
        spread = float(np.std(differences, ddof=1))
        return Repeats(tuple(self.macro_f1), differences, mean, spread, p, self.same_rows)


def by_seed(matched: Matched, chosen: Integers) -> BySeed:
    """chosen: column of each contestant's label in LABELS. Shape: (contestants, n)."""
    truth, seeds = matched.truth.argmax(axis=1), matched.seed_rows()
    found = {}
    for seed, rows in seeds.items():
        cells = truth[rows] * len(LABELS) + chosen[:, rows]
        confusion = np.stack([np.bincount(one, minlength=CELLS) for one in cells]).astype(np.float64)
        present = occurring(matched.truth[rows])
        found[seed] = macro_f1(confusion.reshape(-1, len(LABELS), len(LABELS)), present=present)
    tested = {frozenset(matched.ids[row] for row in rows) for rows in seeds.values()}
    ratio = _UNKNOWN_TEST_TO_TRAIN if matched.test_to_train is None else matched.test_to_train
    return BySeed(found, len(tested) == 1, ratio)
