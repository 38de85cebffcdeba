"""Rows in the order of their confidence, and what is wrong among the most confident of them, with bootstrap draws.

Rows are grouped by confidence, and a group that is kept in part is kept with its own share of wrong rows: the mean over
all orders of tied rows. So nothing here depends on the order in which rows come.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from claimsieve.evaluation.evaluate import LEVEL, Estimate, interval
from claimsieve.evaluation.metrics import Booleans, Floats, resampled_counts


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows that count, the most confident first; weights have mean 1. starts: where each group of ties begins."""

    confidence: Floats
    weights: Floats
    wrong: Booleans
    abstained: Booleans
    starts: npt.NDArray[np.intp]

    @property
    def n(self) -> int:
        return len(self.confidence)


def ranked(confidence: Floats, right: Booleans, *, weights: Floats | None, abstained: Booleans | None = None) -> Ranked:
    """Order the rows and leave out those of weight 0. All of shape (n,), n at least 1; ValueError if they are not."""
    n = len(confidence)
    counted = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    handed = np.zeros(n, dtype=bool) if abstained is None else np.asarray(abstained, dtype=bool)
    shapes = [np.shape(values) for values in (confidence, right, counted, handed)]
    if not n or set(shapes) != {(n,)}:
        raise ValueError(f"expected confidence, right, weights and abstained of one shape (n,), found {shapes}")
    if not np.isfinite(confidence).all() or not np.isfinite(counted).all() or (counted < 0).any() or not counted.any():
        raise ValueError("expected finite confidence, and finite weights of 0 or more that are not all 0, found others")
    # Rows that are equal in everything are interchangeable, so the resamples do not hang on the order of rows either.
    order = np.lexsort((handed, right, counted, -confidence))
    order = order[counted[order] > 0]
    ordered = np.asarray(confidence, dtype=np.float64)[order]
    return Ranked(
        confidence=ordered,
        weights=counted[order] / counted[order].mean(),
        wrong=~np.asarray(right, dtype=bool)[order],
        abstained=handed[order],
        starts=np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])),
    )


def cumulative(rows: Ranked, counts: Floats) -> tuple[Floats, Floats]:
    """Weight, and weight of wrong rows, from the most confident group on, with a 0 in front.

    counts: how often each resample drew each row. Shape: (m, n) -> twice (m, groups + 1)
    """
    weights = counts * rows.weights
    front = np.zeros((len(counts), 1))

    def summed(values: Floats) -> Floats:
        by_group = np.add.reduceat(values, rows.starts, axis=1)
        return np.concatenate([front, np.cumsum(by_group, axis=1)], axis=1)

    return summed(weights), summed(weights * rows.wrong)


def wrong_at(coverages: Floats, kept: Floats, wrong: Floats) -> Floats:
    """Expected weight of wrong rows among the most confident. kept, wrong: cumulative, shape (m, groups + 1).

    coverages: shares of the weight, in [0, 1]. Shape: (c,) -> (m, c)
    """
    return np.stack([np.interp(coverages * k[-1], k, w) for k, w in zip(kept, wrong, strict=True)])


def mean_risk(kept: Floats, wrong: Floats) -> Floats:
    """The mean share of wrong ones among the k most confident, k = 1 to the weight of all. (m, groups + 1) -> (m,)

    In a group of g rows, e of them wrong, that follows c rows with a wrong ones, the shares are (a + j e/g) / (c + j)
    for j = 1 to g. They sum to e + (a - c e/g) (H(c + g) - H(c)), where H are the harmonic numbers. digamma extends
    them to weights that are not whole.
    """
    from scipy.special import digamma

    rows, errors, harmonic = np.diff(kept), np.diff(wrong), np.diff(digamma(kept + 1))
    share = np.divide(errors, rows, out=np.zeros_like(errors), where=rows > 0)
    means: Floats = (errors + (wrong[:, :-1] - kept[:, :-1] * share) * harmonic).sum(axis=1) / kept[:, -1]
    return means


def least_mean_risk(kept: Floats, wrong: Floats) -> Floats:
    """The mean risk of the best order, in which all right rows come first. Shape: twice (m, groups + 1) -> (m,)"""
    total, wrongs, nothing = kept[:, -1], wrong[:, -1], np.zeros(len(kept))
    return mean_risk(np.column_stack([nothing, total - wrongs, total]), np.column_stack([nothing, nothing, wrongs]))


def last_decided(rows: Ranked, coverages: Floats) -> npt.NDArray[np.intp]:
    """The number of the least confident row that is decided, in whole or in part. coverages: in (0, 1]. (c,) -> (c,)"""
    kept = np.cumsum(rows.weights)
    # Less a hair, as rounding is not to reach the next row.
    last: npt.NDArray[np.intp] = np.searchsorted(kept, coverages * kept[-1] * (1 - 1e-12))
    return last


def effective_rows(rows: Ranked, coverages: Floats) -> Floats:
    """How many rows of equal weight tell as much as the decided ones (Kish 1965). coverages: in (0, 1]. (c,) -> (c,)"""
    last = last_decided(rows, coverages)
    of_all: Floats = np.cumsum(rows.weights) ** 2 / np.cumsum(rows.weights**2)
    return of_all[last]


def at_least_exact(share: Estimate, *, rows: float) -> Estimate:
    """The interval, widened to the exact binomial one (Clopper & Pearson 1934) of as many rows of equal weight.

    A bootstrap takes for impossible what the rows do not show. Where few rows stand for most of the items, as at a mix
    of one's own, it covered .69 to .87 in place of .95. rows: effective ones, as Korn & Graubard (1998) have it.
    """
    from scipy.special import betaincinv

    wrong, right, tail = share.value * rows, (1 - share.value) * rows, (1 - LEVEL) / 2
    low = float(betaincinv(wrong, right + 1, tail)) if share.value > 0 else 0.0
    high = float(betaincinv(wrong + 1, right, 1 - tail)) if share.value < 1 else 1.0
    return replace(share, low=min(share.low, low), high=max(share.high, high))


def estimates(measured: Callable[[Floats], Floats], *, n: int, resamples: int, seed: int) -> list[Estimate]:
    """What is measured on n rows, with intervals over resamples of them as if independent.

    measured: from how often each row counts to values, NaN where undefined. Shape: (m, n) -> (m, values)
    An undefined value has NaN as its interval; undefined draws are left out. ValueError with fewer than 100 resamples.
    """
    if resamples < 100:
        raise ValueError(f"expected at least 100 resamples, found {resamples}")
    values = measured(np.ones((1, n)))[0].tolist()
    draws = np.concatenate([measured(counts) for counts in resampled_counts(n, resamples=resamples, seed=seed)])
    return [
        Estimate(value, value, value) if math.isnan(value) else interval(value, column[~np.isnan(column)])
        for value, column in zip(values, draws.T, strict=True)
    ]
