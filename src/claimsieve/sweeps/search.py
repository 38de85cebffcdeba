"""What to try next, and when to give up on a trial: Optuna, asked anew each time.

Nothing is kept between calls: every answer hangs on the finished trials, the sweep's seed and the trial's number. So a
sweep that was interrupted proposes what it would have proposed anyway, and there is no database to go stale.
"""

import hashlib
import random
from collections.abc import Mapping, Sequence
from typing import Any

from claimsieve.settings import Range
from claimsieve.sweeps.space import Space, Value, combinations, in_space, is_whole
from claimsieve.sweeps.trials import Trial

MIN_TRIALS_FOR_IMPORTANCE = 10
_ATTEMPTS = 20


def propose(space: Space, trials: Sequence[Trial], *, seed: int, number: int) -> dict[str, Value] | None:
    """Values that no trial has had yet, by a tree-structured Parzen estimator; None when none are left.

    The first ten are drawn at random. Failed trials and trials outside the space teach it nothing.
    """
    tried = [dict(trial.values) for trial in trials]
    left = combinations(space)
    if left is not None:
        left = [values for values in left if values not in tried]
        if not left:
            return None
    optuna = _optuna()
    known = [trial for trial in trials if in_space(space, trial.values)]
    study = _study(known, space)
    values: dict[str, Value] = {}
    for attempt in range(_ATTEMPTS):
        study.sampler = optuna.samplers.TPESampler(seed=_draw(seed, number, attempt))
        proposed = study.ask(_distributions(space)).params
        values = {path: proposed[path] for path in space}
        if values not in tried:
            return values
    return random.Random(_draw(seed, number, _ATTEMPTS)).choice(left) if left else values


def lags_behind(curve: Mapping[int, float], trials: Sequence[Trial]) -> bool:
    """Whether the best macro-F1 so far is below the median of the complete trials at the same point.

    curve: hundredths of an epoch → macro-F1 on valid. Never true before five trials are complete.
    """
    optuna = _optuna()
    running = optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING, intermediate_values=dict(curve))
    return bool(optuna.pruners.MedianPruner().prune(_study(trials, {}), running))


def importances(space: Space, trials: Sequence[Trial]) -> dict[str, float] | None:
    """How much of the scores' variance each path explains by itself, as shares that sum to 1 (functional ANOVA,
    Hutter et al. 2014). None with fewer than ten complete trials or nothing to explain.
    """
    known = [trial for trial in trials if trial.state == "complete" and in_space(space, trial.values)]
    scores = {trial.macro_f1.value for trial in known if trial.macro_f1 is not None}
    if len(known) < MIN_TRIALS_FOR_IMPORTANCE or len(scores) < 2 or len(space) < 2:
        return None
    optuna = _optuna()
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    found = optuna.importance.get_param_importances(_study(known, space), evaluator=evaluator)
    return {path: float(share) for path, share in found.items()}


def _study(trials: Sequence[Trial], space: Space) -> Any:
    """The finished trials as Optuna keeps them, in memory. With an empty space, without their values."""
    optuna = _optuna()
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    states = {"complete": optuna.trial.TrialState.COMPLETE, "pruned": optuna.trial.TrialState.PRUNED}
    for trial in trials:
        if trial.state == "failed":
            continue
        study.add_trial(
            optuna.trial.create_trial(
                state=states[trial.state],
                value=None if trial.macro_f1 is None else trial.macro_f1.value,
                params={path: trial.values[path] for path in space},
                distributions=_distributions(space),
                intermediate_values=dict(trial.curve),
            )
        )
    return study


def _distributions(space: Space) -> dict[str, Any]:
    distributions = _optuna().distributions
    found: dict[str, Any] = {}
    for path, options in sorted(space.items()):  # the order in a config draws no other values
        if not isinstance(options, Range):
            found[path] = distributions.CategoricalDistribution(tuple(options))
        elif is_whole(options):
            found[path] = distributions.IntDistribution(options.low, options.high, log=options.log)
        else:
            found[path] = distributions.FloatDistribution(options.low, options.high, log=options.log)
    return found


def _draw(seed: int, number: int, attempt: int) -> int:
    """A seed of 32 bits that another trial or attempt does not share."""
    return int.from_bytes(hashlib.sha256(f"{seed} {number} {attempt}".encode()).digest()[:4])


def _optuna() -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)  # it reports every study that it opens
    return optuna
