"""Plain text: paragraphs by blank lines, by lines where there are none, and lines of facts at the top."""

import re
from collections.abc import Iterator
from itertools import pairwise

from claimsieve.intake.articles import Span
from claimsieve.intake.dates import PATTERN, iso_date, read_date
from claimsieve.intake.pieces import Facts, Piece, Reading, trimmed

_BLANK = re.compile(r"\n[^\S\n]*\n\s*")
_FACT = re.compile(
    r"\s*(?P<key>title|headline|date|published|updated|author|by|source|outlet|publisher|url"
    r"|link)\s*:\s*(?P<value>\S[^\n]{0,500})",
    re.IGNORECASE,
)
# "date 2020-01-08 text …": what a scraper put before the text, on one line with it.
_LEADING_DATE = re.compile(rf"\s*(?:date|published|updated)(?:\s*+:)?+\s++{PATTERN}[.,;:]?(?:\s+|$)", re.IGNORECASE)
_KEYS = {
    "headline": "title",
    "published": "date",
    "by": "author",
    "source": "outlet",
    "publisher": "outlet",
    "link": "url",
}
_BEGINS_ANEW = re.compile(r"\s*(?:By\s+[A-Z]|Published|Updated|Credit:|Photo:|[—–-]{1,2}\s|[-*•]\s)")
_SHORTEST_WRAPPED_LINE, _LONGEST_WRAPPED_LINE = 40, 120
_LONGEST_HEADING = 150
_FEW_WORDS = 6
_ENDS_A_SENTENCE = (".", "!", ":", ";", ",", "…", ")")
_AFTER_THE_END = "\"”’' "


def read_plain(text: str) -> Reading:
    """A plain text as it stands; its pieces are spans of it. Facts are read from lines 'Key: value' at the top."""
    facts, start = _facts(text)
    spans = [span for part in _parts(text, start) for span in _lines(text, part)]
    pieces = [Piece(*span, "heading" if _is_heading(text, span, spans) else "paragraph") for span in spans]
    headings = [text[piece.start : piece.end] for piece in pieces[:2] if piece.hint == "heading"]
    if len(headings) == 2 and headings[0].isupper() and not headings[1].isupper():
        del headings[0]  # the paper's name above the headline
    if "title" not in facts and headings and pieces[0].hint == "heading":
        facts["title"] = headings[0]
    return Reading(text, pieces, Facts(**facts))


def _facts(text: str) -> tuple[dict[str, str], int]:
    """Facts by name, and where the article itself begins."""
    facts: dict[str, str] = {}
    place = 0
    if match := _LEADING_DATE.match(text):
        if found := iso_date(match):
            facts["date"] = found
        place = match.end()
    while match := _FACT.match(text, place):
        key = match["key"].lower()
        value, key = match["value"].strip(), _KEYS.get(key, key)
        dated = read_date(value) if key in ("date", "updated") else value
        if key == "date" and dated is None:
            break  # "Date: to be announced" is text
        if key != "updated" and dated:
            facts.setdefault(key, dated)
        place = match.end()
    return facts, place


def _parts(text: str, start: int) -> Iterator[Span]:
    """Stretches between blank lines."""
    for match in _BLANK.finditer(text, start):
        yield trimmed(text, (start, match.start()))
        start = match.end()
    yield trimmed(text, (start, len(text)))


def _lines(text: str, span: Span) -> Iterator[Span]:
    """One span where the lines are a wrapped paragraph, else one for each line."""
    start, end = span
    if start >= end:
        return
    lines = text[start:end].split("\n")
    if len(lines) == 1 or _is_wrapped(lines):
        yield span
        return
    for line in lines:
        inner = trimmed(text, (start, start + len(line)))
        if inner[0] < inner[1]:
            yield inner
        start += len(line) + 1


def _is_wrapped(lines: list[str]) -> bool:
    """Whether lines end where the next word would not have fitted any more."""
    width = max(len(line.rstrip()) for line in lines)
    if not _SHORTEST_WRAPPED_LINE <= width <= _LONGEST_WRAPPED_LINE or any(
        _BEGINS_ANEW.match(line) for line in lines[1:]
    ):
        return False
    pairs = [(line, following) for line, following in pairwise(lines) if following.split()]
    full = sum(len(line.rstrip()) + 1 + len(following.split()[0]) > width - 8 for line, following in pairs)
    return full >= 0.7 * len(pairs)


def _is_heading(text: str, span: Span, spans: list[Span]) -> bool:
    """A short line without the end of a sentence, that is not all there is."""
    line = text[span[0] : span[1]]
    if len(spans) < 2 or len(line) > _LONGEST_HEADING or "\n" in line or _ends_a_sentence(line):
        return False
    return bool(re.search(r"[^\W\d_]", line)) and (line[0].isupper() or line[0].isdigit() or not line[0].isalpha())


def _ends_a_sentence(line: str) -> bool:
    """A question may be a heading; only capitals, or a few words, show that it is one."""
    bare = line.rstrip(_AFTER_THE_END)
    if bare.endswith("?"):
        return not line.isupper() and len(line.split()) > _FEW_WORDS
    return bare.endswith(_ENDS_A_SENTENCE)
