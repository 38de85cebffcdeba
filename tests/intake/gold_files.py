"""The gold articles, and what a reader sees of each: the text that the annotations quote."""

import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

GOLD = Path(__file__).parent / "gold"
STARTER = Path(__file__).parents[2] / "src/claimsieve/data/starter"
PARTS = ("dev", "test", "demo")

_UNSEEN = {"head", "script", "style", "template", "noscript"}
_INLINE = {"a", "abbr", "b", "code", "em", "i", "mark", "q", "small", "span", "strong", "sub", "sup", "time", "u"}
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Gold:
    """An article and its annotation. `text` is what a reader sees, with every run of white space as one space."""

    part: str
    name: str
    path: Path
    text: str
    article: dict[str, str]
    claims: tuple[dict[str, Any], ...]
    not_claims: tuple[dict[str, Any], ...]


def gold_articles(*parts: str) -> list[Gold]:
    """The annotated articles of `dev`, `test` or `demo` (all of them if none is named), by part and name."""
    return [_read(path, part) for part in parts or PARTS for path in sorted((GOLD / part).glob("*.gold.json"))]


def spans(gold: Gold, annotation: dict[str, Any]) -> tuple[int, int]:
    """[start, end) of an annotation's quote in `gold.text`; ValueError where the text does not have it."""
    start = -1
    for _ in range(annotation.get("occurrence", 1)):
        start = gold.text.index(annotation["quote"], start + 1)
    return start, start + len(annotation["quote"])


def visible_text(path: Path) -> str:
    """What a reader sees of a .txt, .md or .html file, with every run of white space as one space."""
    raw = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        raw = MarkdownIt().render(_FRONT_MATTER.sub("", raw))
    return one_spaced(raw if path.suffix == ".txt" else _seen(raw))


def one_spaced(text: str) -> str:
    return " ".join(text.split())


def _read(path: Path, part: str) -> Gold:
    name = path.name.removesuffix(".gold.json")
    folder = STARTER if part == "demo" else path.parent
    (article,) = (found for found in folder.glob(f"{name}.*") if found.suffix in (".txt", ".md", ".html"))
    gold = json.loads(path.read_text(encoding="utf-8"))
    lists = (tuple(gold["claims"]), tuple(gold["not_claims"]))
    return Gold(part, name, article, visible_text(article), gold["article"], *lists)


def _seen(html: str) -> str:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "".join(reader.pieces)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self.unseen.append(tag)
        if tag not in _INLINE:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self.unseen and tag == self.unseen[-1]:
            self.unseen.pop()
        if tag not in _INLINE:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.pieces.append(data)
