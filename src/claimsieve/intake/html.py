"""HTML: which parts of a page are its article (trafilatura), with captions, quotes and embedded posts left whole."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from claimsieve.errors import DataError
from claimsieve.intake.articles import Picture
from claimsieve.intake.dates import read_date
from claimsieve.intake.figures import OTHER_MEDIA, Figures
from claimsieve.intake.images import once
from claimsieve.intake.pieces import Facts, Hint, Part, Reading, joined, placed_pictures

MAX_ELEMENTS = 50_000
MAX_DEPTH = 200

_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_ASIDES = frozenset(("table", "pre", "code", "dl", "menu"))
_BLOCKS = (
    _HEADINGS
    | _ASIDES
    | frozenset(
        (
            "p",
            "div",
            "section",
            "article",
            "main",
            "body",
            "blockquote",
            "figure",
            "figcaption",
            "ul",
            "ol",
            "li",
            "header",
        )
    )
    | frozenset(("aside", "footer", "address", "details", "summary", "td", "th", "tr", "dt", "dd", "hr", "cite"))
)
_SKIPPED = frozenset(
    ("script", "style", "noscript", "template", "nav", "form", "button", "select", "svg", "iframe", "head", "textarea")
)
_NOT_WORDS = re.compile(r"[\W_]+")
# What a page's own system says of a whole article in its wrapper's classes: "tag-fire single-author has-ad".
_OF_THE_WHOLE = re.compile(r"(?<!\S)(?:tag|category|single|has|post|type|format)-\S*")
# How pages mark what stands around a story.
_ASIDE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:byline|author|dateline|timestamp|share|sharing|social|related|newsletter|promo|cookie"
    r"|breadcrumbs?|tags?|ad|advert|sponsored)(?:$|[\s_-])",
    re.IGNORECASE,
)
_CAPTION_CLASS = re.compile(r"(?:^|[\s_-])caption", re.IGNORECASE)


def read_html(name: str, text: str, *, url: str | None = None) -> Reading:
    """The article of a page. Raises DataError for one that holds no text, or is too large or deep to be one."""
    tree = _tree(name, text)
    found = _extracted(text, url)
    parts = [part for part in placed_pictures([*_parts(tree, first_group=0)]) if part.text.strip()]
    kept = _of_article(parts, found.text if found is not None else None)
    if not kept:
        raise DataError(f"{name}: expected an article, found a page without text. Save the article's text as a file.")
    if found is None:
        return joined(kept, Facts(lang=_language(tree)))
    facts = Facts(
        title=found.title or None,
        date=read_date(found.date or ""),
        author=found.author or None,
        outlet=found.sitename or None,
        url=url or found.url or None,
        lang=_language(tree),
    )
    return joined(kept, facts)


def fragment_parts(content: str, *, first_group: int) -> list[Part]:
    """Blocks of HTML within another text; what cannot be read as such is nothing."""
    try:
        return list(_parts(_tree("HTML", f"<div>{content}</div>"), first_group=first_group))
    except DataError:
        return []


def _tree(name: str, text: str) -> Any:
    from lxml import etree
    from lxml import html as lxml_html

    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False)
    try:
        # As bytes: a text that names an encoding in an XML declaration would be refused.
        tree = lxml_html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        raise DataError(f"{name}: expected HTML, found none. Save the article's text as a file.") from None
    depth = elements = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        elements += event == "start"
        if depth > MAX_DEPTH or elements > MAX_ELEMENTS:
            raise DataError(
                f"{name}: expected a page of at most {MAX_ELEMENTS:,} elements, {MAX_DEPTH} deep, found more. "
                "Save the article's text as a file."
            )
    return tree


def _extracted(text: str, url: str | None) -> Any:
    """What trafilatura makes of a page: its text and facts; None where it finds no article."""
    import trafilatura

    # A date is read from what says that it is one: any date in the text could be of something else.
    dates = {"original_date": True, "extensive_search": False}
    return trafilatura.bare_extraction(
        text, url=url, include_comments=False, include_tables=False, with_metadata=True, date_extraction_params=dates
    )


def _language(tree: Any) -> str | None:
    value = str(tree.get("lang") or "").split("-")[0].lower()
    return value if re.fullmatch(r"[a-z]{2,3}", value) else None


def _of_article(parts: Sequence[Part], extracted: str | None) -> list[Part]:
    """Parts that stand in the extracted text, and the captions and quotes among them, which it may leave out.

    parts: those with words.
    """
    if extracted is None:
        return list(parts)
    bare = _NOT_WORDS.sub("", extracted)
    known = [bool(plain := _NOT_WORDS.sub("", text)) and plain in bare for text in (part.text for part in parts)]
    if True not in known:
        return list(parts)
    first, last = known.index(True), len(known) - known[::-1].index(True)
    # A picture at the top or the end belongs to the article as well.
    around = range(max(0, first - 2), min(len(parts), last + 2))
    return [
        part
        for place, part in enumerate(parts)
        if known[place] or (place in around and part.hint in ("caption", "quote"))
    ]


@dataclass(slots=True)
class _Walk:
    """Where the reading of a tree stands: the text and pictures since the last block tag, and what is around them."""

    groups: int
    buffer: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    hint: Hint = "paragraph"
    group: int | None = None
    of_figure: tuple[Picture, ...] = ()  # within a caption
    apart: bool = False  # a film or a frame since the last part
    within: list[tuple[Hint, int | None, tuple[Picture, ...]]] = field(default_factory=list)

    def passed(self, tag: str) -> None:
        """A film or a frame stands between pictures before it and what comes."""
        if tag in OTHER_MEDIA:
            self.apart, self.pictures = True, []

    def ended(self) -> Iterator[Part]:
        """The part that a block tag ends."""
        if self.buffer:
            pictures = once([*self.of_figure, *self.pictures])
            yield Part("".join(self.buffer), self.hint, self.group, pictures, apart=self.apart)
            self.buffer, self.pictures, self.apart = [], [], False


def _parts(tree: Any, *, first_group: int) -> Iterator[Part]:
    """Text between block tags, with what the tags around say of it, in document order."""
    from lxml import etree

    figures, walk, skipped = Figures(tree), _Walk(first_group), 0
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            if skipped or _is_skipped(element, tag, walk.group):
                walk.passed(tag)
                skipped += 1
                continue
            if tag in _BLOCKS:
                yield from walk.ended()
                walk.within.append((walk.hint, walk.group, walk.of_figure))
                if tag == "blockquote" and walk.group is None:
                    walk.group, walk.groups = walk.groups, walk.groups + 1
                walk.hint = _hint(element, tag, walk.hint, walk.group)
                walk.of_figure = figures.of_caption.get(element, walk.of_figure)
            walk.passed(tag)
            if tag == "img" and (picture := figures.loose.get(element)):
                walk.pictures.append(picture)
            if tag == "br":
                walk.buffer.append("\n")
            if tag == "cite" and walk.group is not None:
                walk.buffer.append("— ")
            walk.buffer.append(_spaced(element.text))
            continue
        if skipped:
            skipped -= 1
        elif tag in _BLOCKS:
            yield from walk.ended()
            walk.hint, walk.group, walk.of_figure = walk.within.pop()
        if not skipped:
            walk.buffer.append(_spaced(element.tail))


def _is_skipped(element: Any, tag: str, group: int | None) -> bool:
    if tag in _SKIPPED or element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    return tag in ("footer", "aside") and group is None  # within a quote it is who signs it


def _hint(element: Any, tag: str, outer: Hint, group: int | None) -> Hint:
    if tag == "figcaption" or (tag in ("p", "div") and _CAPTION_CLASS.search(element.get("class") or "")):
        return "caption"
    marks = _OF_THE_WHOLE.sub("", element.get("class") or "")
    if tag not in ("body", "main", "article") and _ASIDE_CLASS.search(marks) and element.find(".//h1") is None:
        return "aside"
    if outer in ("caption", "aside"):
        return outer
    if group is not None:
        return "quote"
    if tag in _HEADINGS:
        return "heading"
    return "aside" if tag in _ASIDES else outer


def _spaced(text: str | None) -> str:
    """A line feed in the source is a space; only <br> breaks a line."""
    return " ".join(text.split("\n")) if text else ""
