"""The same config trained several times: what the spread over seeds says of a mean."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from claimsieve.evaluation.evaluate import LEVEL, Estimate


def over_seeds(values: Sequence[float], *, test_to_train: float, low: float = 0.0, high: float = 1.0) -> Estimate:
    """Mean over seeds with a 95 % t interval, corrected for splits that overlap (Nadeau & Bengio 2003).

    values: one per seed, at least two. test_to_train: test rows / train rows. low, high: the interval ends there.
    """
    error = _spread(values) * (1 / len(values) + test_to_train) ** 0.5
    return _interval(values, error, freedom=len(values) - 1, low=low, high=high)


def difference_over_seeds(
    differences: Sequence[float], *, row_error: float, test_to_train: float
) -> tuple[Estimate, float]:
    """Mean difference of two configs over seeds: a 95 % t interval, and the two-sided p that it is 0.

    differences: one per seed, at least two. row_error: standard error of the difference on all rows together, which a
    handful of seeds tells too little of; 0 leaves it out. test_to_train: test rows / train rows where splits differ and
    overlap (Nadeau & Bengio 2003), 0 where all seeds test the same rows and so differ by the luck of training alone.
    The two variances add up, with degrees of freedom by Welch and Satterthwaite.
    """
    seeds = len(differences)
    luck = _spread(differences) ** 2 * (1 / seeds + test_to_train)
    error = (luck + row_error**2) ** 0.5
    freedom = (seeds - 1) * (error**2 / luck) ** 2 if luck else float("inf")
    span = _interval(differences, error, freedom=freedom, low=-1.0, high=1.0)
    return span, _p(differences, error, freedom=freedom)


def combined(parts: Sequence[Mapping[str, float]], *, test_to_train: float) -> dict[str, float]:
    """Metrics of a config from those of its seeds or folds: the mean of each, and what it scatters by.

    parts: the same names in each; a name that one lacks is left out. With "_std" behind stands the standard deviation
    over the parts. Names that have "_low" and "_high" in the parts get an interval over the parts in their place,
    corrected for splits that overlap; it is never narrower than theirs are on average, since parts that test the same
    rows do not show the luck of the rows. Rounded to six digits, as the parts are.
    """
    found = {}
    shared = [name for name in parts[0] if all(name in part for part in parts)]
    for name in shared:
        if name.endswith(("_low", "_high")):
            continue
        values = [part[name] for part in parts]
        found[name] = float(np.mean(values))
        found[f"{name}_std"] = _spread(values)
        if f"{name}_low" in shared:
            low, high = bounds(name)
            span = over_seeds(values, test_to_train=test_to_train, low=low, high=high)
            found[f"{name}_low"] = min(span.low, float(np.mean([part[f"{name}_low"] for part in parts])))
            found[f"{name}_high"] = max(span.high, float(np.mean([part[f"{name}_high"] for part in parts])))
    return {name: round(value, 6) for name, value in found.items()}


def bounds(name: str) -> tuple[float, float]:
    """Between which values a metric of this name lies; most are shares."""
    if "per_10_000" in name:
        return 0.0, 10_000.0
    if name.endswith(("log_loss", "temperature")):
        return 0.0, float("inf")
    if "margin" in name or name.endswith("mcc"):
        return -1.0, 1.0
    return (float("-inf"), float("inf")) if name.endswith("saved") else (0.0, 2.0 if name.endswith("brier") else 1.0)


def _spread(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1))


def _interval(values: Sequence[float], error: float, *, freedom: float, low: float, high: float) -> Estimate:
    mean, half = float(np.mean(values)), float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    return Estimate(mean, max(mean - half, low), min(mean + half, high))


def _p(values: Sequence[float], error: float, *, freedom: float) -> float:
    mean = abs(float(np.mean(values)))
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stats.t.sf(mean / error, freedom))
