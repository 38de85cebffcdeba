"""Edits of numbers: a count, an amount or a share becomes another of the same form and a plausible size."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from claimsieve.data.editing.texts import (
    around,
    clause_at,
    content,
    is_plain,
    like,
    lowered,
    replaced,
    sentence_at,
    states,
    stems,
    vocabulary,
    words,
)

_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_LOOSE = {"dozens": "thousands", "thousands": "dozens", "hundreds": "millions", "millions": "hundreds"}
_SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_NUMBER = re.compile(
    r"(?<![\w.,/:#’'–-])"
    rf"(?P<form>\d{{1,3}}(?:,\d{{3}}){{1,4}}(?:\.\d{{1,4}})?|\d{{1,9}}(?:\.\d{{1,4}})?|{'|'.join((*_WORDS, *_LOOSE))})"
    r"(?![.,/:–-]?\d)(?!\w)(?!-(?!year|month|week|day|hour|minute|mile|foot|man|story|storey|seat|member))"
    rf"(?:\s(?P<scale>{'|'.join(_SCALES)})\b)?",
    re.IGNORECASE,
)
_YEAR_OR_ONE = re.compile(r"1\d{3}|20\d\d|[01]")
_UP_TO_HUNDRED = re.compile(r"\s*%|\s*per\s?cent\b|[\s-]years?\b")
_LEAST_RATIO = 1.5  # a nearer number may pass for "about" the old one

# A bound leaves room for other numbers: "at least 40" is not refuted by 60.
_BOUNDS = vocabulary(
    """more over least less fewer under most nearly almost below above exceed exceeds exceeded exceeding up minimum
    maximum beyond within only or every per than least exceeding surpass surpassed surpassing upwards"""
)
_AFTER_BOUND = vocabulary("or plus more fewer less th st nd rd of to and through")
_FRAMES = vocabulary("for in after over within since at during")  # "for 50 years" says when, before it is said what
_LABELS = vocabulary(
    """number no season seasons series chapter episode part volume page level type grade class phase stage version route
    highway article section act bill channel flight top day week year room step group line age aged first last next
    other another"""
)
# Of a claim with such a word a number in the evidence may be the ground, though the claim does not name it.
_MEASURED = vocabulary(
    """more most less least fewer few many several every all each both pair couple duo trio half majority minority
    average percent total double twice triple number numbers rate increase increased increases decrease decreased
    decreases high higher highest low lower lowest large larger largest big bigger biggest small smaller smallest long
    longer longest short tall taller tallest heavy light old older oldest young younger age aged years year decade
    decades century record grew grow grown growing grows rise rose risen rises rising fell fall falls fallen falling
    cost costs price expensive cheap population length size multiple group groups crowd alone single only lone solo one
    lot lots team family another other others together time times first second third last than exceed exceeded exceeds
    profit worth any some much enough common rare often frequently significant significantly slightly massive huge tiny
    near far close distance area deep depth height weight wide width fast slow speed quick quickly success successful
    failure popular hit bestselling top best worst wealthy rich poor dozens hundreds thousands millions billions hot
    cold warm cool warmer warming change changed changes effective likely risk variety various different range
    outperformed individual individuals person someone somebody nobody crowded busy full empty quarter tripled doubled
    numerous series part parts"""
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text. value: what it comes to without its scale; None for a loose one such as "dozens"."""

    start: int
    form: str
    value: float | None
    scale: int = 1

    @property
    def end(self) -> int:
        return self.start + len(self.form)

    @property
    def amount(self) -> float | str:
        return self.form.lower() if self.value is None else self.value * self.scale


def find(text: str) -> list[Number]:
    """The numbers of a text but for 0 and 1, years, dates, scores and what is part of a longer word."""
    found = []
    for match in _NUMBER.finditer(text):
        form, scale = match["form"], _SCALES.get((match["scale"] or "").lower(), 1)
        if form.lower() in _WORDS:
            found.append(Number(match.start(), form, _WORDS.index(form.lower()) + 2, scale))
        elif not form[0].isdigit():
            found.append(Number(match.start(), form, None))
        elif scale > 1 or not _YEAR_OR_ONE.fullmatch(form):
            found.append(Number(match.start(), form, float(form.replace(",", "")), scale))
    return found


def refuting(claim: str, passages: Sequence[str], dice: random.Random) -> list[str] | None:
    """A number that claim and evidence give of the same thing is another wherever the evidence has it."""
    if not is_plain(claim):
        return None
    ours = find(claim)
    for number in dice.sample(ours, len(ours)):
        if sum(other.amount == number.amount for other in ours) > 1 or not _is_said(claim, number):
            continue
        places = _places(passages, number.amount)
        if any(_of_the_same(claim, number, passages[row], other) for row, other in places) and (
            edited := _changed(claim, passages, places, dice)
        ):
            return edited
    return None


def harmless(claim: str, passages: Sequence[str], dice: random.Random) -> list[str] | None:
    """A number is another wherever the evidence has it, and nothing in the claim speaks of numbers or sizes."""
    if not is_plain(claim) or find(claim) or re.search(r"\d", claim) or lowered(claim) & _MEASURED:
        return None
    amounts = sorted({number.amount for text in passages for number in find(text)}, key=str)
    for amount in dice.sample(amounts, len(amounts)):
        places = _places(passages, amount)
        if all(_is_apart(claim, passages[row], number) for row, number in places) and (
            edited := _changed(claim, passages, places, dice)
        ):
            return edited
    return None


def _places(passages: Sequence[str], amount: float | str) -> list[tuple[int, Number]]:
    return [(row, number) for row, text in enumerate(passages) for number in find(text) if number.amount == amount]


def _is_said(claim: str, number: Number) -> bool:
    before, after = around(claim, number.start, number.end, before=3, after=1)
    near = {word.lower() for word in before}
    return not (
        near & _BOUNDS
        or (near & _FRAMES and len(words(claim[: number.start])) <= 3)
        or {word.lower() for word in after} & (_AFTER_BOUND if number.value is not None else {"and", "or"})
        or claim[number.end : number.end + 1] == "+"
        or _is_name(claim, number)
    )


def _is_name(text: str, number: Number) -> bool:
    """Whether it is part of a name or numbers a thing of a series: "Apollo 11", "season 3", "Five Nights"."""
    start, _ = sentence_at(text, number.start)
    before, after = around(text[start:], number.start - start, number.end - start, before=1, after=1)
    if before and (before[-1].lower() in _LABELS or before[-1][-1].isdigit() or number.form[0].isupper()):
        return True
    if before and before[-1][0].isupper() and (stems(before) or before == ["May"]):
        return True
    return bool(after) and after[0].istitle() and text[number.end : number.end + 1] == " "


def _is_bound(text: str, number: Number) -> bool:
    """Whether other numbers fit as well: "over 60", "more than 60"."""
    before, _ = around(text, number.start, number.end, before=3, after=0)
    return bool({word.lower() for word in before} & (_BOUNDS - {"or", "every", "per", "only", "up"}))


def _of_the_same(claim: str, number: Number, passage: str, other: Number) -> bool:
    """Whether it is stated of a thing of the same name, or, in digits, beside two of the claim's words."""
    if not states(passage, other.start):
        return False
    start, end = sentence_at(passage, other.start)
    ours = around(claim, number.start, number.end, before=4, after=4)
    theirs = around(passage[start:end], other.start - start, other.end - start, before=6, after=6)
    if stems(ours[1][:2]) & stems(theirs[1][:3]):
        return True
    shared = stems([*ours[0], *ours[1]]) & stems([*theirs[0], *theirs[1]])
    return len(number.form) > 1 and number.form[0].isdigit() and len(shared) > 1


def _is_apart(claim: str, passage: str, number: Number) -> bool:
    """Whether it is a bare count, or no word of the claim is in the same clause."""
    is_count = number.form.lower() in _WORDS
    return is_count or not content(claim) & content(clause_at(passage, number.start))


def _changed(
    claim: str, passages: Sequence[str], places: Sequence[tuple[int, Number]], dice: random.Random
) -> list[str] | None:
    """The passages with another number in all places, unless one is a name or the number stays elsewhere."""
    if any(_is_name(passages[row], number) or _is_bound(passages[row], number) for row, number in places):
        return None
    forms = {number.form.lower() for _, number in places}
    is_share = any(_UP_TO_HUNDRED.match(passages[row], number.end) for row, number in places)
    taken = {number.amount for text in (claim, *passages) for number in find(text)}
    new = _another(places[0][1], dice, taken=taken, is_share=is_share) if len(forms) == 1 else None
    if new is None:
        return None
    edited = [
        replaced(text, [(number.start, number.end, like(number.form, new)) for at, number in places if at == row])
        for row, text in enumerate(passages)
    ]
    gone = re.compile(rf"(?<![\w.,]){re.escape(forms.pop())}(?!\d|[.,]\d)", re.IGNORECASE)
    return None if any(gone.search(text) for text in edited) else edited


def _another(number: Number, dice: random.Random, *, taken: set[float | str], is_share: bool) -> str | None:
    """Another number as round, with as many decimals, and from .4 to 2.5 times as large. is_share: 100 at most."""
    if number.value is None:
        loose = _LOOSE[number.form.lower()]
        return None if loose in taken else loose
    if number.form.lower() in _WORDS:
        near = [word for value, word in enumerate(_WORDS, 2) if abs(value - number.value) < 5]
        fit = [word for word in near if (_WORDS.index(word) + 2) * number.scale not in taken]
        return dice.choice(fit) if fit else None
    whole, _, behind = number.form.replace(",", "").partition(".")
    step = 10 ** (0 if behind else len(whole) - len(whole.rstrip("0"))) / 10 ** len(behind)
    most = 100 if is_share and number.value <= 100 else 2.5 * number.value
    steps = range(round(0.4 * number.value / step), round(min(most, 2.5 * number.value) / step) + 1)
    for _ in range(100):
        value = dice.choice(steps) * step
        if value > 1 and max(value, number.value) / min(value, number.value) >= _LEAST_RATIO:
            text = f"{value:,.{len(behind)}f}" if "," in number.form else f"{value:.{len(behind)}f}"
            is_as_exact = not behind or text[-1] != "0"
            if is_as_exact and value * number.scale not in taken and not _YEAR_OR_ONE.fullmatch(text):
                return text
    return None
