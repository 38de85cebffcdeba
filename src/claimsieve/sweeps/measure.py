"""One trial: train a model with its values on train, and see how it does on valid. Test rows never come this far."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from claimsieve.errors import ClaimsieveError
from claimsieve.evaluation.evaluate import Estimate, interval, macro_f1_draws, truth_of
from claimsieve.evaluation.metrics import Floats
from claimsieve.models.build import build_model
from claimsieve.models.step import Step
from claimsieve.records import Claim
from claimsieve.settings import RunConfig
from claimsieve.sweeps.space import Value, with_values
from claimsieve.sweeps.trials import State, Trial

RESAMPLES = 1000
_MEMORY_WORDS = ("out of memory", "can't allocate memory", "cannot allocate memory")


@dataclass(frozen=True, slots=True)
class Rows:
    """The claims of one seed that a sweep may see."""

    seed: int
    train: Sequence[Claim]
    valid: Sequence[Claim]


@dataclass(frozen=True, slots=True)
class Eyes:
    """Who looks on during a trial.

    step: takes every step, and whether it is one of the first seed, which alone makes the curve. interrupted: whether
    the user asked to stop. lags: whether a curve is so low that the trial is to end; None ends none.
    """

    step: Callable[[Step, bool], None]
    interrupted: Callable[[], bool]
    lags: Callable[[Mapping[int, float]], bool] | None


def measure(
    number: int,
    values: dict[str, Value],
    *,
    config: RunConfig,
    rows_of: Callable[[RunConfig], Sequence[Rows]],
    eyes: Eyes,
) -> tuple[Trial, Floats | None]:
    """Train once per seed. Returns the trial and the bootstrap draws of its macro-F1, shape (RESAMPLES,); None unless
    complete.

    A training that fails, or for which memory does not suffice, makes a failed trial; one that lags behind on the first
    seed a pruned one. Raises KeyboardInterrupt after the step in which the user asked to stop.
    """
    started = time.monotonic()
    curve: dict[int, float] = {}
    scores: list[float] = []
    draws: list[Floats] = []

    def ended(state: State, reason: str | None = None) -> Trial:
        return Trial(number, values, state, round(time.monotonic() - started, 3), curve=curve, reason=reason)

    try:
        changed = with_values(config, values)
        for rows in rows_of(changed):
            probabilities = _trained(changed, rows, curve=None if scores else curve, eyes=eyes)
            if probabilities is None:
                return ended("pruned"), None
            score, drawn = macro_f1_draws(probabilities, truth_of(rows.valid), resamples=RESAMPLES)
            scores.append(score)
            draws.append(drawn)
    except (ClaimsieveError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not any(words in str(error).lower() for words in _MEMORY_WORDS):
            raise
        return ended("failed", _reason(error)), None
    mean_draws = np.mean(draws, axis=0)
    macro_f1 = interval(float(np.mean(scores)), mean_draws)
    return replace(ended("complete"), macro_f1=macro_f1, by_seed=tuple(scores)), mean_draws


def gain(trial: Trial, draws: Floats, own: Trial, own_draws: Floats) -> Estimate | None:
    """Macro-F1 of a trial less that of the config's own values, on the same resampled rows; None where one has none."""
    if trial.macro_f1 is None or own.macro_f1 is None:
        return None
    return interval(trial.macro_f1.value - own.macro_f1.value, draws - own_draws)


def _trained(config: RunConfig, rows: Rows, *, curve: dict[int, float] | None, eyes: Eyes) -> Floats | None:
    """Probabilities of the valid claims by the model that training keeps, shape (n, 3); None when it was pruned.

    curve: filled with the macro-F1 on valid, by hundredths of an epoch, which are the same for every batch size; only a
    training that has one can be pruned.
    """
    per_epoch = config.training.evaluations_per_epoch
    model = build_model(config, seed=rows.seed)
    for step in model.fit(rows.train, valid=rows.valid):
        eyes.step(step, curve is not None)
        if eyes.interrupted():
            raise KeyboardInterrupt
        if curve is None or step.valid is None:
            continue
        point = round(100 * int(step.epoch * per_epoch + 1e-9) / per_epoch)
        if point not in curve:  # a training cut off by max_steps is measured between two points, at its end
            curve[point] = step.valid["macro_f1"]
            if eyes.lags is not None and step.number < step.total and eyes.lags(curve):
                return None
    return model.predict_proba(rows.valid)


def _reason(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:300] if text else 'no reason given'}"
