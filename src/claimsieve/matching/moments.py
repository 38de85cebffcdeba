"""When a text says that something was: years, months, days and weekdays, so that two claims can be compared by them."""

import re
from dataclasses import dataclass, fields

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH_OF = {name: number for number, name in enumerate(_MONTHS, 1)} | {
    short: number
    for number, shorts in enumerate(
        ("jan", "feb", "mar", "apr", "", "jun", "jul", "aug", "sep sept", "oct", "nov", "dec"), 1
    )
    for short in shorts.split()
}
_MONTH = r"(?:(?:" + "|".join(sorted(_MONTH_OF, key=len, reverse=True)) + r")\b\.?)"
_YEAR = r"(?:1[5-9]\d\d|20\d\d)"
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DATE = re.compile(
    rf"(?P<iso>\b(?P<iso_year>{_YEAR})-(?P<iso_month>\d\d)(?:-(?P<iso_day>\d\d))?\b)"
    rf"|\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?(?P<month>{_MONTH})(?:,?\s(?P<year>{_YEAR})\b)?"
    rf"|\b(?P<month2>{_MONTH})\s(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!,\d)(?:,?\s(?P<year2>{_YEAR})\b)?"
    rf"|\b(?P<month3>{_MONTH}),?\s(?P<year3>{_YEAR})\b",
    re.IGNORECASE,
)
# "May" and "March" are words as well: alone they are a month with a capital after such a word only.
_MONTH_ALONE = re.compile(
    rf"\b(?:in|of|on|since|until|till|last|next|by|early|late|mid|during|this|from)[\s-](?P<month>{_MONTH})",
    re.IGNORECASE,
)
# A year has no separator, no unit, and no hyphen to another figure; "2,000 people" and "2000 people" are a number.
_YEAR_ALONE = re.compile(
    rf"(?P<led>\b(?:in|since|until|till|by|before|after|from|of|during|to|the|and|early|late|mid|year)[\s-])?"
    rf"(?<![\w.,$€£/:-])(?P<year>{_YEAR})(?P<decade>s\b)?(?![\w%]|[.,:/-]\d)(?P<ends>\s*(?:[.,;:!?)\]\"'’”]|$))?"
)
_PLAIN_YEAR = range(1900, 2100)
_WEEKDAY = re.compile(r"\b(?:" + "|".join(_WEEKDAYS) + r")\b")
_RELATIVE = re.compile(r"\b(?:today|tonight|yesterday|tomorrow)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Moments:
    """Each a set of words that are equal where two texts name the same. days: with their month."""

    years: frozenset[str] = frozenset()
    months: frozenset[str] = frozenset()
    days: frozenset[str] = frozenset()
    weekdays: frozenset[str] = frozenset()
    relative: frozenset[str] = frozenset()


def moments(text: str) -> tuple[Moments, str]:
    """What the text says of when, and the text with spaces in its place, so that no number is left of a date."""
    found: dict[str, set[str]] = {field.name: set() for field in fields(Moments)}

    def dated(match: re.Match[str]) -> str:
        part = match.groupdict()
        year = part["iso_year"] or part["year"] or part["year2"] or part["year3"]
        name = part["month"] or part["month2"] or part["month3"]
        month = int(part["iso_month"]) if part["iso"] else _MONTH_OF[name.lower().rstrip(".")]
        day = part["iso_day"] or part["day"] or part["day2"]
        if not 1 <= month <= 12 or (day and not 1 <= int(day) <= 31):
            return match.group()
        found["years"].update([year] if year else [])
        found["months"].add(_MONTHS[month - 1])
        found["days"].update([f"{int(day)} {_MONTHS[month - 1]}"] if day else [])
        return " " * len(match.group())

    def month(match: re.Match[str]) -> str:
        name = match["month"].lower().rstrip(".")
        if not match["month"][0].isupper():
            return match.group()
        found["months"].add(_MONTHS[_MONTH_OF[name] - 1])
        return match.group().removesuffix(match["month"]) + " " * len(match["month"])

    def year(match: re.Match[str]) -> str:
        if not (match["led"] or match["ends"] or match["decade"] or int(match["year"]) in _PLAIN_YEAR):
            return match.group()
        found["years"].add(match["year"] + (match["decade"] or ""))
        return " " * len(match.group())

    rest = _DATE.sub(dated, text)
    rest = _MONTH_ALONE.sub(month, rest)
    rest = _YEAR_ALONE.sub(year, rest)
    found["weekdays"].update(match.group().lower() for match in _WEEKDAY.finditer(rest))
    found["relative"].update(match.group().lower().replace("tonight", "today") for match in _RELATIVE.finditer(rest))
    return Moments(**{name: frozenset(values) for name, values in found.items()}), rest


def conflicts(ours: Moments, theirs: Moments) -> list[tuple[frozenset[str], frozenset[str]]]:
    """What both texts name, and name differently; a date that only one of them names is no conflict."""
    pairs = [(getattr(ours, field.name), getattr(theirs, field.name)) for field in fields(Moments)]
    return [(one, other) for one, other in pairs if one and other and one != other]
