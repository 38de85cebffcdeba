"""Values of a labelled row, whatever its file made of them: a number may be a text, a list may be missing."""

import math
from collections.abc import Mapping, Sequence
from datetime import date as calendar_date
from typing import Any
from urllib.parse import urlsplit

MAX_ADDRESS_CHARACTERS = 2_000


def number(value: Any, low: float = -math.inf, high: float = math.inf) -> float | None:
    """A finite number in [low, high], also from text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and low <= found <= high else None


def whole(value: Any) -> int | None:
    """A whole number; None for anything else, such as 1.5 or True."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def truth(value: Any) -> bool | None:
    """True or False, also from the words that tables have for them."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def text(value: Any) -> str | None:
    """A text that has something in it."""
    return value if isinstance(value, str) and value.strip() else None


def listed(value: Any) -> list[Any]:
    """A list, or an empty one."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else []


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    return [item for item in listed(value) if isinstance(item, Mapping)]


def texts(value: Any) -> list[str]:
    """The texts of a list."""
    return [item for item in listed(value) if isinstance(item, str) and item.strip()]


def web_address(value: Any) -> str | None:
    """An http or https address that may become a link; None for another (javascript:, data:, file:) or a broken one."""
    address = text(value)
    if address is None or len(address) > MAX_ADDRESS_CHARACTERS:
        return None
    address = address.strip()
    if not address.isprintable() or any(sign in address for sign in " \\\"'<>`"):
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if parts.scheme in ("http", "https") and parts.hostname else None


def host_of(value: Any) -> str | None:
    """The host of a web address without www."""
    address = web_address(value)
    return None if address is None else (urlsplit(address).hostname or "").removeprefix("www.") or None


def day(value: str | None) -> str | None:
    """2020-01-08 as '8 January 2020', 2020-01 as 'January 2020'; what is no such date as it is."""
    if value is None:
        return None
    try:
        found = calendar_date.fromisoformat(value + "-01-01"[len(value) - 4 :] if len(value) < 10 else value)
    except ValueError:
        return value
    written = f"{_MONTHS[found.month - 1]} {found.year}"
    return value if len(value) == 4 else written if len(value) == 7 else f"{found.day} {written}"


# By name here, and not by strftime, whose names follow the locale.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
