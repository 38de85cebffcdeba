"""Values of a saved document, checked one by one: each raises ValueError, KeyError or TypeError for anything else."""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

_Name = TypeVar("_Name", bound=str)
_Read = TypeVar("_Read")


def finite(value: Any) -> float:
    """A number that is neither infinite nor NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise ValueError(f"expected a finite number, found {_short(value)}")
    return float(value)


def whole(value: Any, *, least: int = 0, most: int = 2**53) -> int:
    """A whole number from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"expected a whole number from {least} to {most}, found {_short(value)}")
    return value


def text(value: Any) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {_short(value)}")
    return value


def by_name(document: Any, names: Iterable[_Name], read: Callable[[Any], _Read]) -> dict[_Name, _Read]:
    """What a table holds under each of the names, in their order."""
    if not isinstance(document, Mapping):
        raise TypeError(f"expected a table, found {_short(document)}")
    if lacking := [name for name in names if name not in document]:
        raise ValueError(f"expected {', '.join(lacking)}, found none")
    return {name: read(document[name]) for name in names}


def _short(value: Any) -> str:
    try:
        return f"{value!r:.40}"
    except ValueError:  # more digits than Python writes out
        return "a huge one"
