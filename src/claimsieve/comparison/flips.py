"""Rows that one of two models gets right and the other wrong."""

import numpy as np

from claimsieve.comparison.contestants import Matched
from claimsieve.comparison.paired import Integers
from claimsieve.comparison.records import Flip
from claimsieve.records import LABELS

MAX_FLIPS = 200  # kept in each direction


def flips(
    matched: Matched, chosen: Integers, first: int, second: int, *, most: int = MAX_FLIPS
) -> tuple[tuple[Flip, ...], tuple[Flip, ...]]:
    """Right of the first and wrong of the second, and the reverse, those whose true label's probability moved furthest.

    chosen: column of each contestant's label in LABELS. Shape: (contestants, n). first, second: contestants by number.
    """
    truth = matched.truth.argmax(axis=1)
    right = chosen == truth
    of_truth = matched.probabilities[:, np.arange(len(truth)), truth]
    moved = np.abs(of_truth[first] - of_truth[second])

    def kept(rows: Integers) -> tuple[Flip, ...]:
        furthest = rows[np.argsort(-moved[rows], kind="stable")][:most].tolist()
        return tuple(
            Flip(
                id=matched.ids[row],
                claim=matched.claims[row],
                label=matched.labels[row],
                first_label=LABELS[chosen[first, row]],
                second_label=LABELS[chosen[second, row]],
                first_probability=float(of_truth[first, row]),
                second_probability=float(of_truth[second, row]),
                corpus=matched.corpora[row],
                event=matched.events[row],
                seed=matched.seeds[row],
                fold=matched.folds[row],
            )
            for row in furthest
        )

    return (
        kept(np.flatnonzero(right[first] & ~right[second])),
        kept(np.flatnonzero(~right[first] & right[second])),
    )
