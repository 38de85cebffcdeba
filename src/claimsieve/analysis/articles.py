"""An article with its claims marked: paragraphs of stretches, each of which may lead to a claim's card."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimsieve.analysis.cards import Card
from claimsieve.analysis.stretches import Span, span_in, stretches
from claimsieve.analysis.values import text, web_address
from claimsieve.analysis.visible import one_line, visible
from claimsieve.analysis.wording import LANGUAGE

MAX_ARTICLES = 200
MAX_ARTICLE_CHARACTERS = 200_000

_MAX_KEPT = 24
_HEADLINE_WITHIN = 3  # paragraphs: a kicker or a byline may stand above it
_FOREIGN = (
    "The article is not in English, or its language is not known: every sentence was taken as its own statement, and "
    "who says what was not looked for."
)
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the article's text. owner: the claim to be seen in it, or None. ends: claims that end with it."""

    text: str
    owner: Card | None
    ends: list[Card]

    @property
    def is_link(self) -> bool:
        """Whether the piece itself leads to its claim: the last one does; a claim in several pieces is one link."""
        return any(card is self.owner for card in self.ends)

    @property
    def split(self) -> tuple[str, str]:
        """The text without its last word, and that word, which a badge stays beside; a long word stays where it is."""
        place = 1 + max(self.text.rfind(" "), self.text.rfind("\n"))
        return (self.text[:place], self.text[place:]) if len(self.text) - place <= _MAX_KEPT else (self.text, "")


@dataclass(frozen=True, slots=True)
class ArticleView:
    """An article as the page shows it. number: from 1. cards: of its claims. marked: numbers of those with a mark.

    notes: what could not be shown. lang: of its text; '' where that is not known, None where nobody asked. foreign:
    in words that it is not in English, where nobody is looked for who says it. cut: characters of the text left out.
    """

    number: int
    title: str
    byline: list[str]
    date: str | None
    link: str | None
    paragraphs: list[list[Piece]]
    cards: list[Card]
    marked: frozenset[int]
    notes: list[str]
    lang: str | None
    foreign: str | None
    cut: int


def article_views(articles: Sequence[Mapping[str, Any]], cards: Sequence[Card]) -> tuple[list[ArticleView], list[Card]]:
    """The articles in order, each with its claims, and the cards that are from none of them.

    Of articles with one name the first is taken; an article without text is left out.
    """
    by_name: dict[str, list[Card]] = {}
    for card in cards:
        if card.article is not None:
            by_name.setdefault(card.article, []).append(card)
    found: list[ArticleView] = []
    taken: set[str] = set()
    for article in articles[:MAX_ARTICLES]:
        name = text(article.get("name")) or ""
        if name not in taken and text(article.get("text")):
            taken.add(name)
            found.append(_view(article, len(found) + 1, by_name.get(name, [])))
    return found, [card for card in cards if card.article not in taken]


def _view(article: Mapping[str, Any], number: int, cards: Sequence[Card]) -> ArticleView:
    whole = str(article["text"])
    content = whole[:MAX_ARTICLE_CHARACTERS]
    placed, notes = [], []
    for card in cards:
        span = span_in(card.span, len(content))
        if span is not None:
            placed.append((card, span))
        elif card.span is not None:
            notes.append(f"Claim {card.number} is not marked: its span does not lie within the text.")
    title = one_line(text(article.get("title")) or text(article.get("name")) or "Article", limit=300)
    lang = text(article.get("lang"))
    names = (text(article.get(name)) for name in ("author", "outlet"))
    date = text(article.get("date"))
    return ArticleView(
        number=number,
        title=title,
        byline=[one_line(name, limit=200) for name in names if name],
        date=one_line(date, limit=40) if date else None,
        link=web_address(article.get("url")),
        paragraphs=_without_headline(_paragraphs(content, placed), title),
        cards=list(cards),
        marked=frozenset(card.number for card, _ in placed),
        notes=notes,
        lang=lang if lang and LANGUAGE.fullmatch(lang) else "" if "lang" in article else None,
        foreign=_FOREIGN if "lang" in article and lang != "en" else None,
        cut=len(whole) - len(content),
    )


def _without_headline(paragraphs: list[list[Piece]], title: str) -> list[list[Piece]]:
    """Without the headline, which stands above the text already, unless a claim is marked in it."""
    for place, pieces in enumerate(paragraphs[:_HEADLINE_WITHIN]):
        words = one_line("".join(piece.text for piece in pieces), limit=300)
        if words == title and not any(piece.owner or piece.ends for piece in pieces):
            return [*paragraphs[:place], *paragraphs[place + 1 :]]
    return paragraphs


def _paragraphs(content: str, placed: Sequence[tuple[Card, tuple[int, int]]]) -> list[list[Piece]]:
    """The text in paragraphs, without the empty lines between them."""
    breaks = [found.span() for found in _SPACE.finditer(content) if found.group().count("\n") > 1]
    # The shorter span is the one to be seen, so that a claim within another has a mark of its own.
    spans = [Span(start, end, end - start) for _, (start, end) in placed]
    found: list[list[Piece]] = [[]]
    gaps = iter([*breaks, (len(content), len(content))])
    gap = next(gaps)
    for part in stretches(len(content), spans, cuts=(border for pair in breaks for border in pair)):
        while part.start >= gap[1] and gap[1] < len(content):
            gap = next(gaps)
            found.append([])
        between = gap[0] <= part.start < gap[1]
        ends = [placed[place][0] for place in part.ends]
        if between and not ends:
            continue
        owner = None if part.owner is None or between else placed[part.owner][0]
        found[-1].append(Piece("" if between else visible(content[part.start : part.end]), owner, ends))
    return [paragraph for paragraph in found if paragraph]
