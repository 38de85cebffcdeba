"""Run configs, read from YAML with one level of `extends` and `--set key=value`."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from claimsieve import yaml12
from claimsieve.errors import ConfigError
from claimsieve.problems import did_you_mean, explain
from claimsieve.settings import RunConfig


def shipped_directory() -> Path:
    """Where the configs stand: inside the installed package, or at the top of a checkout."""
    installed = Path(__file__).parent / "configs"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "configs"


def shipped() -> list[str]:
    """Names of the shipped run configs, in order."""
    root = shipped_directory()
    return sorted(
        path.relative_to(root).with_suffix("").as_posix()
        for path in root.rglob("*.yaml")
        if path.relative_to(root).parts[0] != "corpora" and not path.stem.endswith("base")
    )


def locate(name: str) -> Path:
    """The file of a config given by path or by the name of a shipped one. Raises ConfigError with the nearest name."""
    with suppress(OSError):  # a name that is too long for a file
        if Path(name).is_file():
            return Path(name)
        candidate = shipped_directory() / (name if name.endswith(".yaml") else f"{name}.yaml")
        if ".." not in Path(name).parts and candidate.is_file():
            return candidate
    raise ConfigError(
        f"{name}: expected a config file or the name of a shipped config, found neither."
        f"{did_you_mean(name, shipped())} See `claimsieve configs list`."
    )


def load(name: str, overrides: Sequence[str] = ()) -> RunConfig:
    """Read, extend, override and check a config. Raises ConfigError that lists every problem by the path typed."""
    path = locate(name)
    data = yaml12.read(path)
    parent = read_extends(path)
    if parent is not None:
        base = yaml12.read(parent)
        if "extends" in base:
            raise ConfigError(f"{path}: {parent.name} extends another config itself; one level is allowed.")
        data.pop("extends")
        data = _merged(base, data)
    for override in overrides:
        _set(data, override)
    return validate(data, place=str(path))


def read_extends(path: Path) -> Path | None:
    """The file that a config extends, by its name beside it; None when it stands alone."""
    data = yaml12.read(path)
    if "extends" not in data:
        return None
    if not isinstance(data["extends"], str):
        raise ConfigError(f"{path}: expected the name of a file in 'extends', found {type(data['extends']).__name__}.")
    return path.parent / data["extends"]


def validate(data: Mapping[str, Any], *, place: str) -> RunConfig:
    """Check plain data against the schema. Raises ConfigError that lists every problem at once."""
    try:
        # Through JSON, whose strict mode takes a list where a tuple is declared.
        return RunConfig.model_validate_json(json.dumps(data))
    except ValidationError as error:
        problems = explain(error, data, RunConfig)
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise ConfigError(f"{place}: {count}\n" + "\n".join(f"  {problem}" for problem in problems))


def _merged(base: Mapping[str, Any], child: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged key by key; anything else, lists too, is replaced. A model of another kind starts afresh."""
    result = dict(base)
    for key, value in child.items():
        old = result.get(key)
        other_kind = (
            isinstance(value, dict) and isinstance(old, dict) and value.get("kind", old.get("kind")) != old.get("kind")
        )
        result[key] = (
            _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) and not other_kind else value
        )
    return result


def _set(data: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override}: expected KEY=VALUE, such as training.epochs=5.")
    value = yaml12.parse(text, place=f"--set {key}") if text else None
    *parents, last = key.split(".")
    target: Any = data
    for part in [*parents, None]:
        name = last if part is None else part
        if isinstance(target, list):
            if not re.fullmatch(r"[0-9]{1,9}", name) or int(name) >= len(target):
                raise ConfigError(f"--set {key}: expected a position from 0 to {len(target) - 1}, found '{name}'.")
            position: Any = int(name)
        elif isinstance(target, dict):
            position = name
            if part is not None:
                target.setdefault(part, {})
        else:
            raise ConfigError(f"--set {key}: '{name}' cannot stand below a single value.")
        if part is None:
            target[position] = value
        else:
            target = target[position]


def corpora_directory() -> Path | None:
    """Where the public corpora lie: the environment variable CLAIMSIEVE_CORPORA, or None when it is not set."""
    value = os.environ.get("CLAIMSIEVE_CORPORA")
    return Path(value) if value else None
