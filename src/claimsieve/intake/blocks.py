"""What each piece of an article is: a paragraph, a heading, a quote, a post, a caption, or no part of the story."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from claimsieve.intake.articles import Block, Span
from claimsieve.intake.bylines import DATELINE
from claimsieve.intake.dates import PATTERN
from claimsieve.intake.images import once
from claimsieve.intake.pictures import pointed_at, with_pictures
from claimsieve.intake.pieces import Piece
from claimsieve.intake.posts import sign_off, signed_group, signed_posts
from claimsieve.intake.wording import either, entries

_BYLINE = re.compile(
    r"(?:By|Words by|Story by|Report by|From)\s+(?:our\s|[A-Z])[^.!?\n]{2,110}$|"
    r"By\s+(?:[A-Z][\w.'’-]*\s+){1,4}[·|•][^\n]{0,80}$|"
    r"(?:[A-Z][\w.'’-]+\s+){1,3}[A-Z][\w'’-]+,\s+(?:[\w-]+\s){0,3}(?:editor|reporter|writer|correspondent"
    r"|columnist|staff)(?:\s+in\s+\w+)?$|"
    r"\d{1,3}\s+min(?:ute)?s?\s+read$|(?:\d+\s+)?(?:shares|comments?)$"
)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w+|\bwww\.\w|https?://")
_LONGEST_WITH_ADDRESS = 300
_LONGEST_NOTICE = 200
_ONLY_A_DATE = re.compile(
    rf"(?:(?:Published|Updated|Posted|Last updated)[:\s]\s*)?(?:\w+day,?\s+)?{PATTERN}[\s,·|–-]*"
    r"(?:\d{1,2}[:.]\d{2}\s*\w{0,4}(?:\s\w{2,4})?)?$",
    re.IGNORECASE,
)
_CREDITED = re.compile(
    r"[\s(\[|/–—-]*\b(?:(?:Photo|Picture|Image|Video|Photograph|File)s?\s+)?"
    r"(?:Credit|Photo|Photograph|Picture|Image|Photos|Pictures|Images|Photography|Illustration|Graphic)s?"
    r"\s*(?::|©|/|\bby\b|\bvia\b|\bcourtesy\b(?:\s+of)?)\s*(?P<name>[^\n]{1,100}?)\s*$",
    re.IGNORECASE,
)
_PICTURED = re.compile(
    r"(?:Pictured|Photo|Image|Picture|Caption|FILE(?: PHOTO)?|File photo|In this (?:photo|image"
    r"|picture))\b[^\n]{0,40}?[:,–—-]\s"
)
_TIMED = re.compile(
    r"\d{1,2}[:.]\d{2}(?:\s?(?:[ap]\.?m\b\.?|GMT|BST|CES?T|E[SD]T|P[SD]T|UTC|local\s+time))?(?:\s*[-–—|:]+)?\s+"
    r"(?=[A-Z\"“'‘«])"
)
_NOT_A_NAME = re.compile(r"(?:file|archived?|library|stock)(?:\s+(?:photo\w*|pictures?|images?))?", re.IGNORECASE)
# Possessive, and begun where a run begins: else a thousand dots in a row take seconds.
_CREDIT_END = re.compile(r"(?<![\s)\].])[\s)\].]*+(?:\b(?:More|Read more|Enlarge|Close)[\s)\].]*+)?$")


def blocks_of(text: str, pieces: Sequence[Piece]) -> list[Block]:
    """Every piece in a block, in order; pieces of one quote or post share a block."""
    found = [_without_time(text, block) for block in signed_posts(text, [*_blocks(text, pieces)])]
    return pointed_at(_without_dateline(text, found))


def _blocks(text: str, pieces: Sequence[Piece]) -> Iterator[Block]:
    place, in_related = 0, False
    while place < len(pieces):
        piece = pieces[place]
        if piece.group is not None:
            last = place
            while last + 1 < len(pieces) and pieces[last + 1].group == piece.group:
                last += 1
            together = pieces[place : last + 1]
            signed = signed_group(text, [(one.start, one.end) for one in together])
            yield replace(signed, pictures=once(picture for one in together for picture in one.pictures))
            place = last + 1
            continue
        block = with_pictures(_block(text, piece), piece)
        if block.kind == "heading":
            # Of plain text the links below such a heading look like headings too.
            links = in_related and not _is_paragraph(pieces[place + 1 : place + 2])
            in_related = links or _plain(text, piece) in entries("boilerplate.txt", "headings")
        yield replace(block, kind="boilerplate") if in_related else block
        place += 1


def _is_paragraph(following: Sequence[Piece]) -> bool:
    return bool(following) and following[0].hint != "heading"


def _block(text: str, piece: Piece) -> Block:
    shown = text[piece.start : piece.end]
    if piece.hint == "aside" or is_boilerplate(shown):
        return Block("boilerplate", piece.start, piece.end)
    if signed := sign_off(text, (piece.start, piece.end)):
        return signed
    credit = _credit(shown)
    if piece.hint == "caption" or credit is not None:
        end, name = credit or (len(shown), None)
        parts: tuple[Span, ...] = ((piece.start, piece.start + end),) if end < len(shown) else ()
        return Block("caption", piece.start, piece.end, speaker=name, parts=parts) if end else _none(piece)
    if piece.hint == "heading":
        return Block("heading", piece.start, piece.end)
    return Block("paragraph", piece.start, piece.end)


def _none(piece: Piece) -> Block:
    return Block("boilerplate", piece.start, piece.end)


def is_boilerplate(shown: str) -> bool:
    """Whether a line invites, credits, dates or sells, and tells nothing."""
    line = " ".join(shown.replace("’", "'").lower().split())
    if line.rstrip(".: ") in entries("boilerplate.txt", "whole"):
        return True
    if len(line) > 400:  # a paragraph that begins so is one all the same
        return False
    begins, contains = _boilerplate()
    # A story may speak of a firm's terms of service; a page's line on its own is short.
    if begins.match(line) or (len(line) <= _LONGEST_NOTICE and contains.search(line)):
        return True
    one_line = " ".join(shown.split())
    if _ADDRESS.search(one_line) and len(one_line) <= _LONGEST_WITH_ADDRESS and "(@" not in one_line:
        return True
    return bool(_BYLINE.match(one_line) or _ONLY_A_DATE.match(one_line))


@cache
def _boilerplate() -> tuple[re.Pattern[str], re.Pattern[str]]:
    begins = either(entries("boilerplate.txt", "begins"))
    return re.compile(rf"\W*(?:{begins})(?![\w-])"), re.compile(either(entries("boilerplate.txt", "contains")))


@cache
def _agency_at_end() -> re.Pattern[str]:
    names = entries("agencies.txt")
    either_case = either(names | {name.upper() for name in names})
    lead = r"(?:\s+[-–—]\s+|\s*[/|©]\s*|\s*[(\[]\s*|(?<=[.!?])\s+)"
    return re.compile(rf"{lead}(?P<name>(?:[^\n()\[\]/|–—.]{{1,40}}[/,]\s*)?(?:{either_case}))\s*$")


def _credit(shown: str) -> tuple[int, str | None] | None:
    """Where the credit of a caption begins, and whom it names; None for what is no caption."""
    end = _CREDIT_END.search(shown)
    body = shown[: end.start()] if end else shown
    if match := _CREDITED.search(body[-140:]):
        begin = len(body) - len(body[-140:]) + match.start()
        return begin, match["name"].strip(" .)([]") or None
    if len(body) <= 600 and (match := _agency_at_end().search(body[-110:])):
        name = match["name"].strip()
        return len(body) - len(body[-110:]) + match.start(), None if _NOT_A_NAME.fullmatch(name) else name
    return (len(shown), None) if _PICTURED.match(shown) and len(shown) <= 600 else None


def _without_time(text: str, block: Block) -> Block:
    """A live blog's entry without its time: "07:15 Police have closed the road"."""
    match = _TIMED.match(text, block.start, block.end) if block.kind == "paragraph" and not block.parts else None
    return replace(block, parts=((match.end(), block.end),)) if match else block


def _without_dateline(text: str, blocks: list[Block]) -> list[Block]:
    """The first paragraph without its place and agency: "BAGHDAD (Reuters) - "."""
    for number, block in enumerate(blocks):
        if block.kind == "paragraph":
            match = DATELINE.match(text, block.start, min(block.end, block.start + 120))
            if match and not block.parts:
                blocks[number] = replace(block, parts=((match.end(), block.end),))
            break
    return blocks


def _plain(text: str, piece: Piece) -> str:
    return " ".join(text[piece.start : piece.end].lower().split()).rstrip(".: ")
