"""Quotations: where they begin and end in a stretch of text."""

from collections.abc import Sequence
from dataclasses import dataclass

from claimsieve.intake.articles import Span

_PAIRS = {"“": "”", "„": "“”", "«": "»", "‹": "›"}
_BEFORE_OPENING = " \n\t\xa0([{—–-:…/"
_LONGEST = 20_000  # characters
_LONGEST_SINGLE = 1_500
FILLER = "¤"  # stands for a character within a quotation


@dataclass(frozen=True, slots=True)
class Quotation:
    """start, end: with its marks. inner: without. closed: False where the paragraph ends before the quotation does."""

    start: int
    end: int
    inner: Span
    closed: bool = True


def quotations(text: str, span: Span) -> list[Quotation]:
    """The outermost quotations of a stretch, in order. A mark that opens nothing or closes nothing is left alone."""
    found: list[Quotation] = []
    place, end = span
    while place < end:
        closing = _closing(text, place, span)
        if closing is None:
            place += 1
            continue
        stop, closed = closing
        found.append(Quotation(place, stop + closed, (place + 1, stop), bool(closed)))
        place = stop + 1
    return found


def _closing(text: str, place: int, span: Span) -> tuple[int, int] | None:
    """Where the quotation that opens here closes, and 1 if it does; None where none opens."""
    mark = text[place]
    before = text[place - 1] if place > span[0] else " "
    after = text[place + 1] if place + 1 < span[1] else " "
    if mark in _PAIRS:
        limit = min(span[1], place + _LONGEST)
        found = [stop for closing in _PAIRS[mark] if (stop := text.find(closing, place + 1, limit)) >= 0]
        if found:
            return min(found), 1
        return (span[1], 0) if mark == "“" else None
    if before not in _BEFORE_OPENING or after.isspace():
        return None
    if mark == '"':
        stop = text.find('"', place + 1, span[1])
        return (stop, 1) if stop >= 0 else (span[1], 0)
    if mark in "'‘" and (after.isalnum() or after in "…["):
        return _closing_single(text, place, span)
    return None


def _closing_single(text: str, place: int, span: Span) -> tuple[int, int] | None:
    """A single mark closes where no word goes on after it; a plural's apostrophe only if nothing better follows."""
    marks = "’'" if text[place] == "‘" else "'"
    plural = None
    for stop in range(place + 2, min(span[1], place + _LONGEST_SINGLE)):
        if text[stop] not in marks:
            continue
        spaced, goes_on = text[stop - 1].isspace(), stop + 1 < span[1] and text[stop + 1].isalnum()
        if spaced and goes_on:
            break  # the next one opens
        if spaced or goes_on:
            continue
        if text[stop - 1] == "s" and stop + 1 < span[1] and text[stop + 1] == " ":
            plural = plural or stop
            continue
        return stop, 1
    return (plural, 1) if plural is not None else None


def masked(text: str, span: Span, quoted: Sequence[Quotation]) -> str:
    """The stretch with every character within quotation marks replaced, so that patterns see the rest alone."""
    parts: list[str] = []
    place = span[0]
    for quotation in quoted:
        inner_start, inner_end = max(quotation.inner[0], span[0]), min(quotation.inner[1], span[1])
        if inner_start >= inner_end:
            continue
        parts += [text[place:inner_start], FILLER * (inner_end - inner_start)]
        place = inner_end
    return "".join([*parts, text[place : span[1]]])
