"""Which pictures a block or a claim of an article is about. Where that cannot be told, none: no picture is better than
a wrong one."""

import re
from collections.abc import Sequence
from dataclasses import replace

from claimsieve.intake.articles import Block, Found, Picture
from claimsieve.intake.images import once
from claimsieve.intake.pieces import Piece

# "These pictures show …", and "this dramatic photo shows …": what such a sentence is about stands right by it.
_POINTS = re.compile(
    r"\W*(?:(?:this|these)\s+(?:[\w'’-]+\s+){0,2}?|the\s+)(?:pictures?|pics?|photos?|photographs?|images?|snapshots?)\s+"
    r"(?:(?:above|below)\s+)?(?:[\w'’-]+\s+){0,3}?(?:shows?|depicts?|captures?|reveals?|proves?)\b",
    re.IGNORECASE,
)
# A caption that calls its picture an old one passes nothing off.
_FILED = re.compile(
    r"(?i:\b(?:file|archived?|library|stock)[\s-]+(?:photo\w*|pictures?|images?|pics?)\b)|^\W*FILE\b\W*[-–—:]"
    r"|(?i:\b(?:credit|photo|picture|image)\s*:\s*(?:the\s+)?archives?\b)"
)


def with_pictures(block: Block, piece: Piece) -> Block:
    """A block of one piece with its pictures; a caption is of those in its figure, or else of those right above it."""
    if block.kind == "caption":
        return replace(block, pictures=piece.pictures or piece.above)
    return replace(block, pictures=piece.pictures, above=piece.above)


def pictures_among(blocks: Sequence[Block]) -> tuple[Picture, ...]:
    """The pictures of blocks that turn out to be one post; those above the first may be another's."""
    within = [*blocks[0].pictures, *(one for block in blocks[1:] for one in (*block.above, *block.pictures))]
    return once(within)


def pointed_at(blocks: list[Block]) -> list[Block]:
    """The blocks, each told which pictures without a caption stand right below it."""
    below = [block.above for block in blocks[1:]]
    return [replace(block, below=near) if near else block for block, near in zip(blocks, [*below, ()], strict=True)]


def with_pictures_of(one: Found, block: Block, text: str) -> Found:
    """A claim with the pictures that it is about: all of its caption's or post's, or those that it points at."""
    if block.kind == "caption" and _FILED.search(text[block.start : block.end]):
        return one
    if block.kind in ("caption", "post", "quote"):
        return replace(one, pictures=block.pictures)
    if not _POINTS.match(one.claim) or (block.above and block.below and not block.pictures):
        return one
    return replace(one, pictures=block.pictures or block.above or block.below)
