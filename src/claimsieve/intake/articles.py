"""What an article is made of: its facts, its text, and blocks of that text."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MAX_TEXT_CHARACTERS = 1_000_000
MAX_BLOCKS = 20_000

BlockKind = Literal["paragraph", "heading", "quote", "post", "caption", "boilerplate"]
Context = Literal["statement", "report", "quote", "post", "caption"]
Span = tuple[int, int]  # [start, end) in characters of an article's text
Picture = tuple[str, ...]  # the names under which a page offers one picture, the best first


@dataclass(frozen=True, slots=True)
class Article:
    """What is known of an article. text: all of its blocks. date: YYYY, YYYY-MM or YYYY-MM-DD. lang: None: unknown.

    folder: that the names of its pictures are from; None where it was fetched from an address.
    """

    name: str
    text: str
    title: str | None = None
    date: str | None = None
    author: str | None = None
    outlet: str | None = None
    url: str | None = None
    lang: str | None = None
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the text of one kind.

    speaker, date: who signs it and when; of posts, captions with a credit, and quotes with a name below them.
    parts: the stretches that are its own words, without the sign-off or the credit; () is all of it.
    pictures: of a caption those that it belongs to, of others those within. above, below: pictures without a caption
    right there, which only a sentence that points at them is about.
    """

    kind: BlockKind
    start: int
    end: int
    speaker: str | None = None
    date: str | None = None
    parts: tuple[Span, ...] = ()
    pictures: tuple[Picture, ...] = ()
    above: tuple[Picture, ...] = ()
    below: tuple[Picture, ...] = ()

    @property
    def spans(self) -> tuple[Span, ...]:
        return self.parts or ((self.start, self.end),)


@dataclass(frozen=True, slots=True)
class Document:
    """An article and its blocks, in the order of the text."""

    article: Article
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One claim of an article.

    claim: as a sentence of its own. spans: where its words stand in the text, in order. span: with the words that say
    who says it. sentence: that it stands in. speaker: who says it, None: the article itself or, of a report, nobody
    named. date: of a post, when it was posted. remarks: what the article says of the claim in the same sentence, such
    as "there is no evidence to support this". origin: of a caption, whom its credit names.
    pictures: that it is about.
    """

    claim: str
    spans: tuple[Span, ...]
    span: Span
    sentence: Span
    context: Context
    speaker: str | None = None
    date: str | None = None
    remarks: tuple[Span, ...] = ()
    origin: str | None = None
    pictures: tuple[Picture, ...] = ()
