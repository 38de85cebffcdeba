"""What a sweep leaves for people: the best config, a table, and words that promise no more than was found."""

import json
from collections.abc import Sequence

from claimsieve import yaml12
from claimsieve.evaluation.evaluate import Estimate
from claimsieve.settings import RunConfig
from claimsieve.sweeps.space import Value, with_values
from claimsieve.sweeps.trials import OWN, Record, Trial

BEST = "best.yaml"
HISTORY = "history.png"
CAUTION = (
    "The best of many trials is lucky as well as good: its score on valid is too high, the more so the more trials "
    "there are and the fewer valid claims. What it is worth is its score on test, which no trial has seen."
)
_SHOWN = 10


def best_yaml(config: RunConfig, best: Trial, *, n_trials: int, n_valid: int) -> str:
    """A config with the best values and without a sweep. config: with the seed of the split that the trials shared."""
    found = with_values(config, best.values).model_copy(update={"name": f"{config.name}-best"})
    settings = json.loads(found.model_dump_json(exclude={"sweep"}))
    return (
        f"# Trial {best.number} of a sweep: the best of {n_trials} by macro-F1 on {n_valid:,} valid claims.\n"
        "# data.split.seed is the sweep's own: with another, test would hold claims that the sweep has chosen by.\n"
        + yaml12.dump(settings)
    )


def line(trial: Trial, *, planned: int, best: Trial | None) -> str:
    """A trial in one line, for those who wait. best: of the trials so far, this one included."""
    names = short_names(list(trial.values))
    values = ", ".join(f"{name}={shown(trial.values[path])}" for path, name in names.items())
    values += " (the config's own)" if trial.number == OWN else ""
    return f"trial {trial.number}/{planned}: {_found(trial, best)} · {trial.seconds:.1f} s · {values}"


def table(record: Record, *, rows: int = _SHOWN) -> list[list[str]]:
    """A header and the best trials, best first; then those that were ended early and those that failed."""
    order = sorted(record.trials, key=lambda trial: (-_score(trial), trial.state == "failed", trial.number))
    names = short_names(list(record.trials[0].values) if record.trials else [])
    header = ["trial", "valid macro-F1 [95 %]", "gain on the config's own", "seconds", *names.values()]
    return [header, *(_row(trial, list(names)) for trial in order[:rows])]


def headline(record: Record) -> list[str]:
    """What was found, with n and intervals, and how far to trust it. One paragraph a line."""
    best = record.best_trial()
    states = [trial.state for trial in record.trials]
    ended = ", ".join(f"{states.count(state)} {word}" for state, word in _STATES.items() if state in states)
    if best is None or best.macro_f1 is None:
        return [f"{len(states)} trials: {ended}."]
    paragraphs = [
        f"{len(states)} trials ({ended}) on {record.n_valid:,} valid claims, {_seeds(record.seeds)}: "
        f"trial {best.number} is best with macro-F1 {interval(best.macro_f1)} on valid{_against_own(best)}"
    ]
    if record.importances:
        names = short_names(list(record.importances))
        shares = ", ".join(f"{names[path]} {share:.0%}" for path, share in record.importances.items())
        complete = states.count("complete")
        paragraphs.append(f"What made the difference between the {complete} complete trials, roughly: {shares}.")
    return [*paragraphs, CAUTION]


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """Path → its last word, where no other path ends with it."""
    lasts = [path.rpartition(".")[2] for path in paths]
    return {path: last if lasts.count(last) == 1 else path for path, last in zip(paths, lasts, strict=True)}


def interval(estimate: Estimate | None, *, sign: bool = False) -> str:
    """0.412 [0.380, 0.444]"""
    if estimate is None:
        return "–"
    form = "+.3f" if sign else ".3f"
    return f"{estimate.value:{form}} [{estimate.low:{form}}, {estimate.high:{form}}]"


def shown(value: Value) -> str:
    """A value as short as it can be read: four digits of a number."""
    return f"{value:.4g}" if isinstance(value, float) else json.dumps(value).strip('"')


_STATES = {"complete": "complete", "pruned": "ended early", "failed": "failed"}


def _found(trial: Trial, best: Trial | None) -> str:
    if trial.state == "failed":
        return f"failed: {trial.reason}"
    if trial.macro_f1 is None:
        point = max(trial.curve)
        return f"ended early at epoch {point / 100:g}, macro-F1 {trial.curve[point]:.3f}"
    found = f"valid macro-F1 {interval(trial.macro_f1)}"
    return found if best is None or best.number == trial.number else f"{found}, best so far {_score(best):.3f}"


def _row(trial: Trial, paths: Sequence[str]) -> list[str]:
    found = interval(trial.macro_f1) if trial.macro_f1 is not None else _STATES[trial.state]
    own = "the config's own" if trial.number == OWN else interval(trial.gain, sign=True)
    return [str(trial.number), found, own, f"{trial.seconds:.1f}", *(shown(trial.values[path]) for path in paths)]


def _score(trial: Trial) -> float:
    return -1.0 if trial.macro_f1 is None else trial.macro_f1.value


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"mean of {len(seeds)} seeds"


def _against_own(best: Trial) -> str:
    if best.number == OWN:
        return ": the config's own values. Nothing that was tried does better."
    if best.gain is None:
        return "."
    words = f", {interval(best.gain, sign=True)} against the config's own values"
    if best.gain.low > 0:
        return f"{words}."
    return f"{words}: a difference that may be noise."
