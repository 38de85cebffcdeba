"""YAML 1.2 files, read as data that may be hostile: no tags, no aliases, no duplicate keys, no huge files."""

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from claimsieve.errors import ConfigError

_MAX_BYTES = 1_000_000


def read(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises ConfigError with the place of the first problem."""
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise ConfigError(f"{path}: expected at most {_MAX_BYTES:,} bytes of YAML, found {size:,}.")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected UTF-8 text, found byte {error.object[error.start]:#04x}.") from None
    data = parse(text, place=str(path))
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a mapping of keys to values, found {type(data).__name__}.")
    return data


def parse(text: str, *, place: str) -> Any:
    """Any YAML 1.2 value: `2e-5` is a number, `no` is a text. Raises ConfigError naming `place`."""
    try:
        # An alias can make a few lines expand to gigabytes, and configs have no use for one.
        for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
            if getattr(event, "anchor", None) is not None:
                line = event.start_mark.line + 1
                raise ConfigError(f"{place}, line {line}: anchors and aliases (& and *) are not supported.")
        return _plain(YAML(typ="safe", pure=True).load(text), place)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        problem = (getattr(error, "problem", None) or str(error)).splitlines()[0]
        raise ConfigError(f"{place}{where}: not valid YAML: {problem}.") from None
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"{place}: not valid YAML: {type(error).__name__}.") from None


def dump(data: Mapping[str, Any]) -> str:
    """YAML text that `parse` reads back to the same data."""
    buffer = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # its stub knows None only
    yaml.width = 120
    yaml.dump(dict(data), buffer)
    return buffer.getvalue()


def _plain(value: Any, place: str) -> Any:
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise ConfigError(f"{place}: expected a text as key, found {key!r}. Put it in quotes.")
        return {key: _plain(item, place) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, place) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{place}: expected a finite number, found {value}.")
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)  # a text, or a date kept as written
