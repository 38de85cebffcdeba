"""Markdown: blocks as CommonMark has them, with inline marks taken away, and `key: value` lines of a front matter."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from claimsieve.intake.dates import read_date
from claimsieve.intake.pieces import Facts, Hint, Reading, joined

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT = re.compile(r"\s*---[^\S\n]*\n(?P<lines>.*?)\n(?:---|\.\.\.)[^\S\n]*(?:\n|$)", re.DOTALL)
_FRONT_CHARACTERS = 20_000
_LINE = re.compile(r"(?P<key>[A-Za-z_]+)\s*:\s*(?P<value>\S.*)")
_KEYS = {
    "title": "title",
    "headline": "title",
    "date": "date",
    "published": "date",
    "author": "author",
    "byline": "author",
    "outlet": "outlet",
    "source": "outlet",
    "publisher": "outlet",
    "site": "outlet",
    "url": "url",
    "link": "url",
    "lang": "lang",
    "language": "lang",
}


def read_markdown(text: str) -> Reading:
    """The text without its marks. A paragraph of emphasis alone right after a picture is its caption."""
    from markdown_it import MarkdownIt

    facts, body = _front_matter(text)
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(body)
    parts = _parts(tokens)
    if "title" not in facts and parts and parts[0][1] == "heading":
        facts["title"] = parts[0][0].strip()
    return joined(parts, Facts(**facts))


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    match = _FRONT.match(text[:_FRONT_CHARACTERS])
    if match is None:
        return {}, text
    facts: dict[str, str] = {}
    for line in match["lines"].splitlines():
        found = _LINE.match(line)
        key = _KEYS.get(found["key"].lower()) if found else None
        if found is None or key is None:
            continue
        value = found["value"].strip().strip("\"'").strip()
        dated = read_date(value) if key == "date" else value
        if dated:
            facts.setdefault(key, dated)
    return facts, text[match.end() :]


def _parts(tokens: Sequence["Token"]) -> list[tuple[str, Hint, int | None]]:
    """Text, hint and group of every block."""
    parts: list[tuple[str, Hint, int | None]] = []
    quotes: list[int] = []
    number, heading, table, after_picture = 0, False, False, False
    for token in tokens:
        if token.type == "blockquote_open":
            number += 1
            quotes.append(number)
        elif token.type == "blockquote_close":
            quotes.pop()
        elif token.type in ("heading_open", "heading_close"):
            heading = token.type == "heading_open"
        elif token.type in ("table_open", "table_close"):
            table = token.type == "table_open"
        elif token.type == "html_block":
            parts.extend(_of_html(token.content, number))
            number += len(parts)
        elif token.type == "inline":
            shown, picture, emphasised, marked = _inline(token.children or [])
            hint: Hint = (
                "heading" if heading else "aside" if table or marked == "links" else "quote" if quotes else "paragraph"
            )
            if marked == "bold" and hint == "paragraph" and not shown.rstrip().endswith((".", "!", ",", ";")):
                hint = "heading"
            if hint == "paragraph" and shown.strip() and (picture or (after_picture and emphasised)):
                hint = "caption"
            parts.append((shown, hint, quotes[0] if quotes else None))
            after_picture = picture and not shown.strip()
    return parts


def _inline(children: Sequence["Token"]) -> tuple[str, bool, bool, str]:
    """The text of some inline tokens, whether a picture is among them, whether all of it is emphasised, and what else.

    'bold' where all of it is, 'links' where all words are links, else ''.
    """
    shown: list[str] = []
    depth = {"em": 0, "strong": 0, "link": 0}
    outside = dict.fromkeys(depth, False)
    picture = False
    for child in children:
        kind, _, edge = child.type.rpartition("_")
        if kind in depth and edge in ("open", "close"):
            depth[kind] += 1 if edge == "open" else -1
        elif child.type in ("text", "code_inline"):
            shown.append(child.content)
            for name in outside:
                outside[name] |= depth[name] == 0 and any(character.isalnum() for character in child.content)
        elif child.type == "softbreak":
            shown.append(" ")
        elif child.type == "hardbreak":
            shown.append("\n")
        elif child.type == "image":
            picture = True
    text = "".join(shown)
    marked = "" if not text.strip() else "bold" if not outside["strong"] else "links" if not outside["link"] else ""
    return text, picture, not outside["em"] or not outside["strong"], marked


def _of_html(content: str, number: int) -> list[tuple[str, Hint, int | None]]:
    from claimsieve.intake.html import fragment_parts

    return fragment_parts(content, first_group=number + 1)
