"""What a reader hands over: pieces of text, each with what its markup says it is, and facts about the article."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from claimsieve.intake.articles import Span

Hint = Literal["paragraph", "heading", "quote", "post", "caption", "aside"]  # aside: code, tables, buttons

_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[ \n]*")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file says of its article beside its text."""

    title: str | None = None
    date: str | None = None
    author: str | None = None
    outlet: str | None = None
    url: str | None = None
    lang: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text, and what its markup says of it. group: pieces of one block quote share a number."""

    start: int
    end: int
    hint: Hint = "paragraph"
    group: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A file read: its text, the pieces of it in order, and its facts."""

    text: str
    pieces: Sequence[Piece]
    facts: Facts = field(default_factory=Facts)


def joined(parts: Sequence[tuple[str, Hint, int | None]], facts: Facts) -> Reading:
    """A text made of pieces with a blank line between them, of (text, hint, group); empty ones are left out."""
    texts: list[str] = []
    pieces: list[Piece] = []
    place = 0
    for text, hint, group in parts:
        clean = _LINES.sub("\n", _SPACES.sub(" ", text)).strip()
        if clean:
            pieces.append(Piece(place, place + len(clean), hint, group))
            texts.append(clean)
            place += len(clean) + 2
    return Reading("\n\n".join(texts), pieces, facts)


def trimmed(text: str, span: Span) -> Span:
    """The span without white space at its ends."""
    start, end = span
    inner = text[start:end]
    return start + len(inner) - len(inner.lstrip()), end - (len(inner) - len(inner.rstrip()))
