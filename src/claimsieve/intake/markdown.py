"""Markdown: blocks as CommonMark has them, with inline marks taken away, and `key: value` lines of a front matter."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claimsieve.intake.articles import Picture
from claimsieve.intake.dates import read_date
from claimsieve.intake.images import once, picture_of
from claimsieve.intake.pieces import Facts, Hint, Part, Reading, joined, placed_pictures

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT = re.compile(r"\s*---[^\S\n]*\n(?P<lines>.*?)\n(?:---|\.\.\.)[^\S\n]*(?:\n|$)", re.DOTALL)
_FRONT_CHARACTERS = 20_000
_OF_FACTS = re.compile(r"[A-Za-z_][\w -]*\s*:(?:\s|$)|\s*-\s|\s+\S|#")  # a key, an entry, what goes on, a remark
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
    """The text without its marks.

    Captions are what stands in one paragraph with a picture, a paragraph of emphasis alone right after one, and else
    the picture's title.
    """
    from markdown_it import MarkdownIt

    facts, body = _front_matter(text)
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(body)
    parts = placed_pictures(_parts(tokens))
    if "title" not in facts and parts and parts[0].hint == "heading":
        facts["title"] = parts[0].text.strip()
    return joined(parts, Facts(**facts))


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    match = _FRONT.match(text[:_FRONT_CHARACTERS])
    if match is None:
        return {}, text
    given = [line for line in match["lines"].splitlines() if line.strip()]
    if not given or not all(_OF_FACTS.match(line) for line in given):
        return {}, text  # a rule, and the article below it
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


def _parts(tokens: Sequence["Token"]) -> list[Part]:
    """Every block."""
    parts: list[Part] = []
    quotes: list[int] = []
    titled: dict[int, list[tuple[str, Picture]]] = {}  # of parts that are nothing but pictures
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
            within = _of_html(token.content, number)
            parts.extend(within)
            number += len(parts)
            after_picture = any(one.pictures for one in within) and not any(one.text.strip() for one in within)
        elif token.type == "inline":
            line = _inline(token.children or [])
            shown, links = line.text, line.marked == "links"
            hint: Hint = "heading" if heading else "aside" if table or links else "quote" if quotes else "paragraph"
            if line.marked == "bold" and hint == "paragraph" and not shown.rstrip().endswith((".", "!", ",", ";")):
                hint = "heading"
            if hint == "paragraph" and shown.strip() and (line.pictures or (after_picture and line.emphasised)):
                hint = "caption"
            after_picture = bool(line.pictures) and not shown.strip()
            if after_picture and hint == "paragraph":
                titled[len(parts)] = line.pictures
            parts.append(Part(shown, hint, quotes[0] if quotes else None, once(one for _, one in line.pictures)))
    return _with_titles(parts, titled)


def _with_titles(parts: Sequence[Part], titled: Mapping[int, Sequence[tuple[str, Picture]]]) -> list[Part]:
    """The titles of pictures as their captions, where no caption stands below."""
    result: list[Part] = []
    for place, part in enumerate(parts):
        below = parts[place + 1] if place + 1 < len(parts) else None
        named = [(title, picture) for title, picture in titled.get(place, ()) if title.strip()]
        if named and (below is None or below.hint != "caption" or below.pictures):
            result += [Part(title, "caption", None, once([picture])) for title, picture in named]
        else:
            result.append(part)
    return result


@dataclass(frozen=True, slots=True)
class _Line:
    """Some inline tokens. pictures: with their titles. emphasised: whether all of it is.

    marked: 'bold' where all of it is, 'links' where all words are links, else ''.
    """

    text: str
    pictures: list[tuple[str, Picture]]
    emphasised: bool
    marked: str


def _inline(children: Sequence["Token"]) -> _Line:
    shown: list[str] = []
    depth = {"em": 0, "strong": 0, "link": 0}
    outside = dict.fromkeys(depth, False)
    pictures: list[tuple[str, Picture]] = []
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
            pictures.append(
                (str(child.attrs.get("title") or ""), picture_of({"src": str(child.attrs.get("src") or "")}))
            )
        elif child.type == "html_inline" and child.content[:4].lower() == "<img":
            pictures += [("", picture) for part in _of_html(child.content, 0) for picture in part.pictures]
    text = "".join(shown)
    marked = "" if not text.strip() else "bold" if not outside["strong"] else "links" if not outside["link"] else ""
    return _Line(text, pictures, not outside["em"] or not outside["strong"], marked)


def _of_html(content: str, number: int) -> list[Part]:
    from claimsieve.intake.html import fragment_parts

    return fragment_parts(content, first_group=number + 1)
