"""Dates as YYYY, YYYY-MM or YYYY-MM-DD, and which of two is earlier where they are known well enough to say."""

import re
from datetime import date
from typing import Literal

Relation = Literal["before", "just_before", "same_or_later", "unknown"]

_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_DAYS_OF_A_MONTH = ("31", "30", "29", "28")


def days_of(text: str) -> tuple[date, date]:
    """The first and the last day that a date may mean. Raises ValueError for another form or a day that is not."""
    if not _DATE.fullmatch(text):
        raise ValueError(f"expected a date as YYYY, YYYY-MM or YYYY-MM-DD, found {text!r:.60}")
    first = date.fromisoformat(text + "-01-01"[len(text) - 4 :])
    if len(text) == 10:
        return first, first
    month = text if len(text) == 7 else f"{text}-12"
    for day in _DAYS_OF_A_MONTH:
        try:
            return first, date.fromisoformat(f"{month}-{day}")
        except ValueError:
            continue
    raise ValueError(f"expected a month, found {text!r:.60}")


def is_date(text: str) -> bool:
    """Whether `days_of` can read it."""
    try:
        days_of(text)
    except ValueError:
        return False
    return True


def relation(known: str | None, claimed: str | None, *, leeway_days: int = 0) -> Relation:
    """Whether a known date is before a claimed one, on every reading of both.

    '2020' against '2020-01-08' is unknown: the year may mean a day before or after. leeway_days: how many days before
    are only just before, as when a claim tells of the day before yesterday.
    """
    if known is None or claimed is None:
        return "unknown"
    (known_first, known_last), (claimed_first, claimed_last) = days_of(known), days_of(claimed)
    if known_last < claimed_first:
        return "before" if (claimed_first - known_last).days > leeway_days else "just_before"
    return "same_or_later" if known_first >= claimed_last or known == claimed else "unknown"


def days_between(known: str, claimed: str) -> int:
    """How many days lie at least between the known date and the later claimed one."""
    return (days_of(claimed)[0] - days_of(known)[1]).days
