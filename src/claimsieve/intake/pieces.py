"""What a reader hands over: pieces of text, each with what its markup says it is, and facts about the article."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from claimsieve.intake.articles import Picture, Span

Hint = Literal["paragraph", "heading", "quote", "post", "caption", "aside"]  # aside: code, tables, buttons

MAX_PICTURES = 100  # of one piece

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
class Part:
    """What a reader of markup finds between two tags: text, pictures, or both.

    group: parts of one block quote share a number. pictures: that stand in it or, of a caption in a figure, that it is
    of. above: that stand right above it with nothing between. apart: something else to look at stands above it, such as
    a film, so that pictures before that are not right above.
    """

    text: str
    hint: Hint = "paragraph"
    group: int | None = None
    pictures: tuple[Picture, ...] = ()
    above: tuple[Picture, ...] = ()
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text, and what its markup says of it. The other fields as in Part."""

    start: int
    end: int
    hint: Hint = "paragraph"
    group: int | None = None
    pictures: tuple[Picture, ...] = ()
    above: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A file read: its text, the pieces of it in order, and its facts."""

    text: str
    pieces: Sequence[Piece]
    facts: Facts = field(default_factory=Facts)


def joined(parts: Sequence[Part], facts: Facts) -> Reading:
    """A text made of pieces with a blank line between them; parts without words are left out."""
    texts: list[str] = []
    pieces: list[Piece] = []
    place = 0
    for part in parts:
        clean = _LINES.sub("\n", _SPACES.sub(" ", part.text)).strip()
        if clean:
            pieces.append(Piece(place, place + len(clean), part.hint, part.group, part.pictures, part.above))
            texts.append(clean)
            place += len(clean) + 2
    return Reading("\n\n".join(texts), pieces, facts)


def placed_pictures(parts: Sequence[Part]) -> list[Part]:
    """The same parts, with the pictures of those without words handed to the words that they stand by.

    Within a block quote they are its own; elsewhere they stand above the words that follow. Of several in a row, each
    in a part of its own, only the last ones are right above.
    """
    result = list(parts)
    above: tuple[Picture, ...] = ()
    last: int | None = None  # part with words, to which pictures below it in a quote are added
    early: tuple[Picture, ...] = ()  # pictures before the first words of the quote `quote`
    quote: int | None = None
    for place, part in enumerate(parts):
        above = () if part.apart else above
        if part.text.strip():
            own = early if part.group is not None and part.group == quote else ()
            result[place] = replace(part, pictures=(*own, *part.pictures)[:MAX_PICTURES], above=above)
            last, above, early, quote = place, (), (), None
            continue
        result[place] = replace(part, pictures=())
        if not part.pictures or part.hint == "aside":
            continue
        if part.group is None:
            above = part.pictures
        elif last is not None and result[last].group == part.group:
            taken = (*result[last].pictures, *part.pictures)[:MAX_PICTURES]
            result[last] = replace(result[last], pictures=taken)
        else:
            early = (*(early if quote == part.group else ()), *part.pictures)[:MAX_PICTURES]
            quote = part.group
    return result


def trimmed(text: str, span: Span) -> Span:
    """The span without white space at its ends."""
    start, end = span
    inner = text[start:end]
    return start + len(inner) - len(inner.lstrip()), end - (len(inner) - len(inner.rstrip()))
