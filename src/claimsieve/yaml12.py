"""YAML 1.2 files, read as data that may be hostile: no tags, no aliases, no duplicate keys, no huge files."""

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.representer import SafeRepresenter

from claimsieve.errors import ConfigError

_MAX_BYTES = 1_000_000
_MAX_DEPTH = 50
_MAX_INTEGER = 2**63


class _Constructor(SafeConstructor):
    """YAML 1.2 has no dates: what looks like one stays the text that it is."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


class _Representer(SafeRepresenter):
    """A text with Unicode's own line ends is written with escapes, or it would be read back with others."""

    def represent_str(self, data: str) -> Any:
        style = '"' if any(character in data for character in "\x85\u2028\u2029") else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Representer.add_representer(str, _Representer.represent_str)


def read(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises ConfigError with the place of the first problem."""
    return mapping(text_of(path), place=str(path))


def text_of(path: Path) -> str:
    """What stands in a YAML file. Raises ConfigError when that is too much, or no text."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # of no size, and without end
            raise ConfigError(f"{path}: expected a file, found a device or pipe.")
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise ConfigError(f"{path}: expected at most {_MAX_BYTES:,} bytes of YAML, found {size:,}.")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected UTF-8 text, found byte {error.object[error.start]:#04x}.") from None
    except ValueError as error:  # a name with a null byte
        raise ConfigError(f"{str(path)!r}: cannot be read: {error}.") from None


def mapping(text: str, *, place: str) -> dict[str, Any]:
    """As `parse`, of a mapping. Raises ConfigError for anything else."""
    data = parse(text, place=place)
    if not isinstance(data, dict):
        raise ConfigError(f"{place}: expected a mapping of keys to values, found {type(data).__name__}.")
    return data


def parse(text: str, *, place: str) -> Any:
    """Any YAML 1.2 value: `2e-5` is a number, `no` is a text. Raises ConfigError naming `place`."""
    try:
        _refuse_hostile(text, place)
        yaml = YAML(typ="safe", pure=True)
        yaml.Constructor = _Constructor
        return _plain(yaml.load(text), place)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        problem = (getattr(error, "problem", None) or str(error)).splitlines()[0]
        raise ConfigError(f"{place}{where}: not valid YAML: {problem}.") from None
    except (ValueError, TypeError) as error:  # TypeError: a list of mappings as a key
        raise ConfigError(f"{place}: not valid YAML: {error}.") from None


def dump(data: Mapping[str, Any]) -> str:
    """YAML text that `parse` reads back to the same data."""
    buffer = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # its stub knows None only
    yaml.width = 120
    yaml.dump(dict(data), buffer)
    return buffer.getvalue()


def _refuse_hostile(text: str, place: str) -> None:
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
        where = f"{place}, line {event.start_mark.line + 1}"
        # An alias can make a few lines expand to gigabytes, and configs have no use for one.
        if getattr(event, "anchor", None) is not None:
            raise ConfigError(f"{where}: anchors and aliases (& and *) are not supported.")
        if getattr(event, "tag", None) not in (None, "!"):
            raise ConfigError(f"{where}: tags (!) are not supported. Put a text that begins with ! in quotes.")
        if getattr(event, "version", None) not in (None, (1, 2)):
            raise ConfigError(f"{where}: expected YAML 1.2, found another version in %YAML.")
        # The parser's time grows with the square of the depth.
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise ConfigError(f"{where}: nested too deeply: expected at most {_MAX_DEPTH} levels.")


def _plain(value: Any, place: str) -> Any:
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise ConfigError(f"{place}: expected a text as key, found {key!r}. Put it in quotes.")
        return {_plain(key, place): _plain(item, place) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, place) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{place}: expected a finite number, found {value}.")
    if isinstance(value, int) and abs(value) >= _MAX_INTEGER:
        raise ConfigError(f"{place}: expected a whole number below 2**63, found a longer one.")
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise ConfigError(f"{place}: a text holds half a character (a lone surrogate): {value!r:.80}.")
    return value
