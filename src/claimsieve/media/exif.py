"""When and where a picture was taken, as its camera says. Anybody can write it anew; it is no proof."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from claimsieve.media.dates import is_date

_ORIGINAL, _DIGITISED = 0x9003, 0x9004
_LATITUDE_SIDE, _LATITUDE, _LONGITUDE_SIDE, _LONGITUDE = 1, 2, 3, 4
_FIRST_PHOTOGRAPH = "1826"


@dataclass(frozen=True, slots=True)
class Taken:
    """date: YYYY-MM-DD. place: degrees north and east, such as '33.7860, 42.4412'."""

    date: str | None = None
    place: str | None = None


def taken_of(exif: Mapping[str, Mapping[int, Any]]) -> Taken:
    """What the tags say, where it can be so: the day of the exposure, and the position.

    The time of the last change (DateTime) is not read: it says nothing of when the picture was taken.
    """
    exposure, position = exif["exposure"], exif["position"]
    days = (_day(exposure.get(tag)) for tag in (_ORIGINAL, _DIGITISED))
    north = _degrees(position.get(_LATITUDE), position.get(_LATITUDE_SIDE), "NS", 90)
    east = _degrees(position.get(_LONGITUDE), position.get(_LONGITUDE_SIDE), "EW", 180)
    placed = north is not None and east is not None and (north, east) != (0, 0)  # 0, 0 is a camera without a fix
    return Taken(next(filter(None, days), None), f"{north:.4f}, {east:.4f}" if placed else None)


def _day(value: Any) -> str | None:
    """'2017:06:18 22:10:00' as 2017-06-18."""
    if not isinstance(value, str):
        return None
    day = value[:10].replace(":", "-")
    return day if len(day) == 10 and is_date(day) and day >= _FIRST_PHOTOGRAPH else None


def _degrees(value: Any, side: Any, sides: str, most: int) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in value)
        found = degrees + minutes / 60 + seconds / 3600
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    if not math.isfinite(found) or not 0 <= found <= most or not (0 <= minutes < 60 and 0 <= seconds < 60):
        return None
    if side not in tuple(sides):
        return None
    return -found if side == sides[1] else found
