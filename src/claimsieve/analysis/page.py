"""Labelled claims as one HTML page: no script, nothing fetched, and every text from data escaped."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from claimsieve.analysis.articles import article_views
from claimsieve.analysis.cards import Card, card_of
from claimsieve.analysis.pictures import Thumbnails
from claimsieve.analysis.summary import source_keys, summary_of
from claimsieve.analysis.values import day
from claimsieve.analysis.visible import one_line
from claimsieve.analysis.wording import MEANINGS
from claimsieve.pages import rendered
from claimsieve.records import RecordError

if TYPE_CHECKING:
    from markupsafe import Markup

MAX_ROWS = 2_000
MAX_CHARACTERS = 30_000_000  # of claims and evidence on a page, which a browser still opens
TITLE = "Claims and what is known of them"


def analysis_page(
    rows: Sequence[Mapping[str, Any]],
    *,
    articles: Sequence[Mapping[str, Any]] = (),
    model: str | None = None,
    title: str = TITLE,
    thumbnails: Thumbnails | None = None,
    limit: int = MAX_ROWS,
    labels: Mapping[str, int] | None = None,
    unreadable: int = 0,
) -> str:
    """The analyst's page of labelled rows, in their order, with the articles that they are from.

    rows: as `claimsieve predict --explain` writes them; what a row lacks is not shown, and a row without a claim is
    counted. articles: `{name, title, text, date, author, outlet, url}`; a row's `article` and `span` lead into them.
    thumbnails: what reads pictures; none are read without. limit: rows shown. labels: label → rows of the whole file,
    where `rows` is only its beginning; unreadable: rows of it that could not be read.
    """
    cards, taken, without_claim = _cards(rows[:limit], thumbnails or Thumbnails(()))
    in_all = sum(labels.values()) if labels else len(rows)
    views, others = article_views(articles, cards)
    summary = summary_of(cards, labels=labels if labels and in_all > taken else None)
    css = rendered("analysis/page.css", {"summary": summary})
    facts = {
        "title": one_line(title, limit=300),
        "model": one_line(model, limit=300) if model else None,
        "policy": _policy(css),
        "css": _markup(css),
        "views": views,
        "others": others,
        "summary": summary,
        "keys": source_keys(summary),
        "meanings": MEANINGS,
        "left_out": max(0, in_all - taken),
        "unreadable": unreadable + without_claim,
        "day": day,
    }
    return rendered("analysis/page.html", facts)


def _cards(rows: Sequence[Mapping[str, Any]], thumbnails: Thumbnails) -> tuple[list[Card], int, int]:
    """Cards, how many rows were taken before the page was full, and how many of those have no claim."""
    cards: list[Card] = []
    characters = without_claim = 0
    for taken, row in enumerate(rows):
        try:
            card = card_of(row, len(cards) + 1, thumbnails)
        except RecordError:
            without_claim += 1
            continue
        characters += card.shown_characters
        if characters > MAX_CHARACTERS and cards:
            return cards, taken, without_claim
        cards.append(card)
    return cards, len(rows), without_claim


def _policy(css: str) -> str:
    """Nothing may be fetched, run or sent; the one style sheet is allowed by what it says, and pictures are data."""
    digest = b64encode(sha256(css.encode()).digest()).decode("ascii")
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _markup(css: str) -> "Markup":
    """The style sheet is ours alone: nothing in it comes from data but numbers."""
    from markupsafe import Markup

    return Markup(css)
