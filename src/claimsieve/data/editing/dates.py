"""Edits of dates: a year, a month or a weekday of something that happens once becomes another."""

import random
import re
from collections.abc import Sequence

from claimsieve.data.editing.texts import (
    around,
    clause_at,
    content,
    is_plain,
    lowered,
    replaced,
    states,
    stems,
    vocabulary,
)

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DATE = re.compile(
    r"(?<![\w.,/:$£€–-])(?:1[5-9]\d\d|20[0-2]\d)(?![\w%]|[.,/:–-]\d|-\w)"
    rf"|(?<![\w-])(?:{'|'.join((*_MONTHS, *_WEEKDAYS))})(?![\w-])"
)
_LATEST_YEAR = 2024

# What happens once has one date. What is measured every year has many: evidence on another year would say nothing.
_ONCE = vocabulary(
    """born died death birth released release founded established opened premiered published signed launched elected
    appointed built formed created assassinated murdered married began started ended introduced announced invented
    discovered debuted debut aired became joined retired resigned won completed incorporated arrested executed crowned
    inaugurated declared ratified adopted issued sworn dissolved abolished constructed cancelled canceled drafted
    acquired bought collapsed crashed sank sunk occurred happened took filed sentenced convicted hired fired dropped
    premiere came unveiled passed graduated moved"""
)
_BEFORE = vocabulary("in on since until from of by during early late mid") | {month.lower() for month in _MONTHS}
_AFTER = vocabulary(
    "and but by in on at to for with as when while after before from where which who the a an of he she it"
)
# Of a claim with such a word a date in the evidence may be the ground, though the claim does not name it.
_TIMED = vocabulary(
    """before after during early late later earlier modern recent recently ago old older oldest young younger age aged
    year years decade decades century centuries date day month week today yesterday tomorrow now currently current
    former formerly already still since until when while alive dead died death ever first last next previous previously
    new newest latest same simultaneously time times began begins started ended lasted annual annually yearly weekly
    summer winter spring autumn posthumously teenager child adult period era ancient historic once twice debut debuted
    birthday anniversary generation contemporary then"""
)


def refuting(claim: str, passages: Sequence[str], dice: random.Random) -> list[str] | None:
    """The claim's date of something that happens once is another wherever the evidence has it."""
    if not is_plain(claim) or not lowered(claim) & _ONCE:
        return None
    ours = list(_DATE.finditer(claim))
    for match in dice.sample(ours, len(ours)):
        if (
            _is_said(claim, match)
            and any(_dates_the_same(claim, passage, match.group()) for passage in passages)
            and (edited := _changed(claim, passages, match.group(), dice))
        ):
            return edited
    return None


def harmless(claim: str, passages: Sequence[str], dice: random.Random) -> list[str] | None:
    """A date is another wherever the evidence has it, and nothing in the claim speaks of time."""
    if not is_plain(claim) or re.search(r"\d", claim) or _DATE.search(claim) or lowered(claim) & _TIMED:
        return None
    dates = sorted({match.group() for text in passages for match in _DATE.finditer(text)})
    for date in dice.sample(dates, len(dates)):
        beside = [clause_at(text, match.start()) for text in passages for match in _places(text, date)]
        if not any(content(claim) & content(clause) for clause in beside) and (
            edited := _changed(claim, passages, date, dice)
        ):
            return edited
    return None


def _is_said(claim: str, match: re.Match[str]) -> bool:
    """Whether it says when, once, and is no part of a name such as "the 2008 election"."""
    before, after = around(claim, match.start(), match.end(), before=2, after=1)
    is_of_a_day = bool(before) and before[-1].isdigit() and (match.group() in _MONTHS or before[0] in _MONTHS)
    is_led_in = bool(before) and (before[-1].lower() in _BEFORE or is_of_a_day)
    ends = not after or claim[match.end() :].lstrip()[:1] in tuple(",.;")
    return claim.count(match.group()) == 1 and is_led_in and (ends or after[0].isdigit() or after[0].lower() in _AFTER)


def _dates_the_same(claim: str, passage: str, date: str) -> bool:
    """Whether the passage states the date and has the event, and three of the claim's words."""
    shared = content(claim) & content(passage)
    return (
        any(states(passage, match.start()) for match in _places(passage, date))
        and len(shared) > 2
        and ("born" in lowered(claim) or bool(stems(lowered(claim) & _ONCE) & shared))
    )


def _places(text: str, date: str) -> list[re.Match[str]]:
    return [match for match in _DATE.finditer(text) if match.group() == date]


def _changed(claim: str, passages: Sequence[str], date: str, dice: random.Random) -> list[str] | None:
    """The passages with another date, unless the old one stays in another form."""
    known = " ".join((claim, *passages))
    if date.isdigit():
        years = range(int(date) - 9, min(int(date) + 9, _LATEST_YEAR) + 1)
        others = [str(year) for year in years if abs(year - int(date)) > 1]
        stays = re.compile(rf"(?<!\d){date}(?!\d)")
    else:
        others = [name for name in (_MONTHS if date in _MONTHS else _WEEKDAYS) if name != date]
        stays = re.compile(rf"\b{date[:3]}(?:{date[3:]})?\b|\d[/-]\d", re.IGNORECASE)
    others = [other for other in others if other not in known]
    if not others:
        return None
    new = dice.choice(others)
    edited = [replaced(text, [(*match.span(), new) for match in _places(text, date)]) for text in passages]
    return None if edited == list(passages) or any(stays.search(text) for text in edited) else edited
