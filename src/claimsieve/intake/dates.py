"""Dates as articles write them, as YYYY-MM-DD."""

import re
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<{}>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
# Numbers only as ISO writes them: 08/01/2020 is two dates.
PATTERN = (
    r"(?:(?P<iso>\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?"
    rf"|{_MONTH.format('m1')} (?P<d1>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y1>\d{{4}})"
    rf"|(?P<d2>\d{{1,2}})(?:st|nd|rd|th)? {_MONTH.format('m2')},? (?P<y2>\d{{4}}))(?!\d)"
)
_DATE = re.compile(PATTERN, re.IGNORECASE)
_PARTIAL = re.compile(r"\d{4}(?:-\d{2})?")


def iso_date(match: re.Match[str]) -> str | None:
    """The date of a match of PATTERN; None where it has none, or the calendar has no such day."""
    found = match.groupdict()
    try:
        if found["iso"]:
            return date.fromisoformat(found["iso"]).isoformat()
        if not (found["m1"] or found["m2"]):
            return None
        number = "1" if found["m1"] else "2"
        month = _MONTHS.index(found[f"m{number}"][:3].lower()) + 1
        return date(int(found[f"y{number}"]), month, int(found[f"d{number}"])).isoformat()
    except ValueError:
        return None


def read_date(text: str) -> str | None:
    """The first date in a text, as YYYY-MM-DD, or a text that is only YYYY or YYYY-MM; None without one."""
    text = text.strip()[:200]
    if _PARTIAL.fullmatch(text):
        year, month = int(text[:4]), int(text[5:7] or 1)  # in whatever digits
        return f"{year:04d}" + (f"-{month:02d}" if text[5:] else "") if year and 1 <= month <= 12 else None
    match = _DATE.search(text)
    return iso_date(match) if match else None
