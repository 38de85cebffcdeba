"""The values that a sweep may try: what they are settings of, and whether each makes a valid config."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from claimsieve.config import validate
from claimsieve.errors import ConfigError
from claimsieve.problems import did_you_mean
from claimsieve.settings import Range, RunConfig, Sweep

Value = str | int | float | bool | None  # None: only ever the config's own
Values = Mapping[str, Value]
Space = Mapping[str, Range | Sequence[str | int | float | bool]]

_MAX_COMBINATIONS = 100_000  # more are not written out
_EXAMPLE = """
  sweep:
    trials: 20
    space:
      training.learning_rate: {low: 1e-5, high: 1e-3, log: true}
      training.batch_tokens: [1024, 2048, 4096]"""
_OTHER_ROWS = "it decides which rows are valid and what they say, and scores on other rows cannot be compared"
_NO_MODEL = "it changes no model"
_REFUSED = {
    "name": _NO_MODEL,
    "tracking": _NO_MODEL,
    "gate": _NO_MODEL,
    "card": _NO_MODEL,
    "sweep": "a sweep does not sweep itself",
    "evaluation": "it decides how a model is measured, not which one is trained",
    "calibration": "it is fitted after the training and changes no label that is given",
    "seeds": "a seed is luck: the best of many is the luckiest. Name several in seeds to average over them",
    "data.corpora": _OTHER_ROWS,
    "data.maps": _OTHER_ROWS,
    "data.split": _OTHER_ROWS,
    "data.audit": _NO_MODEL,
    "model.kind": "kinds have settings of their own. Write a config for each kind, and compare the runs",
    "training.checkpoint_seconds": _NO_MODEL,
    "training.device": _NO_MODEL,
}


def check_sweep(config: RunConfig) -> Sweep:
    """The config's sweep. Raises ConfigError that lists every path, bound and choice that will not do."""
    if config.sweep is None:
        raise ConfigError(f"expected a section 'sweep' that says which values to try, found none. Such as:{_EXAMPLE}")
    if config.data.split.hold_out == "each":
        raise ConfigError(
            "data.split.hold_out: each makes every group test once, so that no row is left which the sweep has not "
            "seen. Hold one group out by its name, or split without holding out."
        )
    problems = [problem for path in config.sweep.space for problem in _problems(config, path)]
    if problems:
        raise ConfigError("sweep.space:\n" + "\n".join(f"  {problem}" for problem in problems))
    return config.sweep


def with_values(config: RunConfig, values: Values) -> RunConfig:
    """The config with other values by dotted path, and without a sweep. Raises ConfigError where they do not fit."""
    data = _plain(config)
    for path, value in values.items():
        *parents, last = path.split(".")
        here = data
        for key in parents:
            here = here[_key(here, key)]
        here[_key(here, last)] = value
    return validate(data, place="sweep")


def own_values(config: RunConfig, space: Space) -> dict[str, Value]:
    """What the config itself says for every path of the space."""
    settings = dict(_leaves(_plain(config)))
    return {path: settings[path] for path in space}


def in_space(space: Space, values: Values) -> bool:
    """Whether a sweep could have proposed the values."""
    return all(_holds(options, values[path]) for path, options in space.items())


def combinations(space: Space) -> list[dict[str, Value]] | None:
    """Every combination of values; None where there are too many, as there are of real numbers."""
    listed: list[Sequence[Value]] = []
    for options in space.values():
        if not isinstance(options, Range):
            listed.append(options)
        elif is_whole(options):
            listed.append(range(int(options.low), int(options.high) + 1))
        else:
            return None
    if prod(map(len, listed)) > _MAX_COMBINATIONS:
        return None
    return [dict(zip(space, values, strict=True)) for values in product(*listed)]


def is_whole(options: Range) -> bool:
    """Whether a range is of whole numbers."""
    return isinstance(options.low, int) and isinstance(options.high, int)


def _problems(config: RunConfig, path: str) -> Iterator[str]:
    """What is wrong with one path of the space, in words."""
    assert config.sweep is not None
    if reason := _refusal(config, path):
        yield f"{path}: cannot be swept: {reason}."
        return
    settings = dict(_leaves(_plain(config)))
    if path not in settings:
        inside = [known for known in settings if known.startswith(f"{path}.")]
        if inside:
            yield f"{path}: expected the path of a single value, such as {inside[0]}."
            return
        known = [name for name in settings if _refusal(config, name) is None]
        yield f"{path}: expected the path of a value of this config, found none.{did_you_mean(path, known)}"
        return
    options = config.sweep.space[path]
    if isinstance(options, Range):
        ends = [options.low, options.high]
        tried: Sequence[Value] = ends if is_whole(options) else [float(end) for end in ends]
    else:
        tried = options
        if len(set(options)) < max(2, len(options)):  # 1, 1.0 and true are one value to Python, and to Optuna
            yield f"{path}: expected two or more choices, each once, found {json.dumps(list(options))}."
            return
    for value in tried:
        try:
            with_values(config, {path: value})
        except ConfigError as error:
            yield from (line.strip() for line in str(error).splitlines()[1:])


def _refusal(config: RunConfig, path: str) -> str | None:
    """Why a sweep may not touch a path; None when it may."""
    for refused, reason in _REFUSED.items():
        if path == refused or path.startswith(f"{refused}."):
            return reason
    kind = config.model.kind
    if kind == "tfidf" and path.startswith("training.") and path != "training.label_weights":
        return "tfidf is trained in one step, and of training it reads label_weights only"
    if kind == "static" and path == "training.precision":
        return "static is always trained in float32"
    return None


def _plain(config: RunConfig) -> Any:
    return json.loads(config.model_dump_json(exclude={"sweep"}))


def _leaves(data: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted path and value of every single value; places in a list count from 0."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _key(here: Any, key: str) -> Any:
    return int(key) if isinstance(here, list) else key


def _holds(options: Range | Sequence[str | int | float | bool], value: Value) -> bool:
    if not isinstance(options, Range):
        return value in options
    numeric = isinstance(value, int if is_whole(options) else (int, float)) and not isinstance(value, bool)
    return numeric and options.low <= value <= options.high  # type: ignore[operator]  # it is a number here
