"""Several models on the same rows: which differences are more than the luck of the draw.

Rows are drawn, and swapped, by unit: a claim, so that a row tested under several seeds counts as one, or an event,
since rows of one story resemble one another. All models share the draws, so that differences are paired.

The p of a difference in macro-F1 is that of paired randomisation: swap the two models' answers on units picked by a
fair coin, and count how often the difference grows as large (Yeh 2000, arXiv:cs/0008005). It is exact where the two can
be exchanged, for any number of units. In simulation (tests/evaluation/test_paired.py has a short form) its share of
false alarms at .05 was .03 to .06 throughout, also where two models are equally good but make other errors, while the
bootstrap's was .10 with 8 events and .09 with 20. The interval shown is the bootstrap's, of one pair by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from claimsieve.evaluation.evaluate import Estimate, interval
from claimsieve.evaluation.metrics import LARGEST_CHUNK, Booleans, Floats, macro_f1, resampled_sums
from claimsieve.records import LABELS

Integers = npt.NDArray[np.int64]

MIN_UNITS = 6  # with 5, the smallest two-sided p that swapping can give is 1/16
CELLS = len(LABELS) ** 2
_ROUNDING = 1e-12  # two ways to sum the same macro-F1 may differ by this


@dataclass(frozen=True, slots=True)
class Draws:
    """Sums of row statistics of k models over the same units, as they are, resampled and swapped.

    The first CELLS columns are those of the confusion matrix. totals: Shape (k, columns). resampled: Shape (resamples,
    k, columns). picked: over the units that a coin picked, confusion only. Shape (swaps, k, CELLS). present: which
    labels occur in the truth. Shape (3,).
    """

    totals: Floats
    resampled: Floats
    picked: Floats
    present: Booleans
    units: int

    def macro_f1(self, model: int) -> Estimate:
        return interval(float(self._value(self.totals[model])), self._value(self.resampled[:, model]))

    def difference(self, first: int, second: int) -> Estimate:
        """Macro-F1 of the first minus that of the second, with a 95 % interval of both resampled together."""
        value = float(self._value(self.totals[first]) - self._value(self.totals[second]))
        return interval(value, self._difference_draws(first, second))

    def error(self, first: int, second: int) -> float:
        """Standard error of the difference over the resamples."""
        return float(np.std(self._difference_draws(first, second)))

    def p(self, first: int, second: int) -> float:
        """Two-sided p of the difference by paired randomisation, in [1 / (swaps + 1), 1]."""
        one, other = self.totals[first, :CELLS], self.totals[second, :CELLS]
        observed = abs(self._value(one) - self._value(other))
        change = self.picked[:, second] - self.picked[:, first]
        swapped = np.abs(self._value(one + change) - self._value(other - change))
        return float((1 + (swapped >= observed - _ROUNDING).sum()) / (1 + len(swapped)))

    def _difference_draws(self, first: int, second: int) -> Floats:
        return self._value(self.resampled[:, first]) - self._value(self.resampled[:, second])

    def _value(self, sums: Floats) -> Floats:
        confusion = sums[..., :CELLS].reshape(*sums.shape[:-1], len(LABELS), len(LABELS))
        return macro_f1(confusion, present=self.present)


def draw(statistics: Floats, *, present: Booleans, resamples: int, swaps: int, seed: int) -> Draws:
    """statistics: sums by unit and model, the confusion cells first. Shape: (units, k, columns)."""
    units, models, columns = statistics.shape
    flat = statistics.reshape(units, models * columns)
    cells = statistics[:, :, :CELLS].reshape(units, models * CELLS)
    return Draws(
        totals=flat.sum(axis=0).reshape(models, columns),
        resampled=resampled_sums(flat, resamples=resamples, seed=seed).reshape(resamples, models, columns),
        picked=picked_sums(cells, draws=swaps, seed=seed).reshape(swaps, models, CELLS),
        present=present,
        units=units,
    )


def unit_sums(statistics: Floats, unit_of: Integers) -> Floats:
    """Sums of row statistics by unit. unit_of: from 0, none left out. Shape: (n, ...), (n,) -> (units, ...)"""
    order = np.argsort(unit_of, kind="stable")
    starts = np.searchsorted(unit_of[order], np.arange(unit_of.max() + 1))
    sums: Floats = np.add.reduceat(statistics[order], starts, axis=0)
    return sums


def picked_sums(cells: Floats, *, draws: int, seed: int) -> Floats:
    """Sums over the units that a fair coin picks. Shape: (units, columns) -> (draws, columns)

    Each draw tosses a coin per unit, the same for all columns; the same seed picks the same. cells: whole numbers whose
    sums stay below 2**24, so that float32 keeps them exact.
    """
    units = len(cells)
    counts, generator = np.ascontiguousarray(cells, dtype=np.float32), np.random.default_rng(seed)
    sums = np.empty((draws, cells.shape[1]))
    chunk, words = max(1, LARGEST_CHUNK // units), -(-units // 64)
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        coins = generator.integers(2**64, size=(size, words), dtype=np.uint64)
        picks = np.unpackbits(coins.view(np.uint8), axis=1, count=units)
        sums[start : start + size] = picks.astype(np.float32) @ counts
    return sums


def swaps_for(tests: int, *, alpha: float, least: int) -> int:
    """How many swaps make a p small enough to hold after correction for so many tests."""
    return max(least, int(np.ceil(2 * tests / alpha)))


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Exact two-sided McNemar (1947): of the rows that one of the two gets right, is either's share beyond a half?"""
    discordant = only_first + only_second
    return float(stats.binomtest(only_first, discordant).pvalue) if discordant else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """p values corrected for being many (Holm 1979): below alpha, the chance of any false alarm is below alpha."""
    p, n = np.asarray(p_values, dtype=np.float64), len(p_values)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(n)
    adjusted[order] = np.maximum.accumulate((n - np.arange(n)) * p[order]).clip(max=1.0)
    return [float(value) for value in adjusted]
