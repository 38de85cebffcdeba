"""Posts and quotes with a name below them: who signs, when, and how far back the signed words go."""

import re
from collections.abc import Sequence
from dataclasses import replace

from claimsieve.intake.articles import Block, Span
from claimsieve.intake.dates import PATTERN, iso_date
from claimsieve.intake.pictures import pictures_among

# "— Name (@handle) January 8, 2020", "Name (@handle) · 8 Jan 2020"
_HANDLE = rf"\(\s*@(?P<handle>\w{{1,30}})\s*\)\s*(?:(?:[·|,•-]|on)\s*)?(?:{PATTERN})?[^\w(@]*"
_AFTER_TEXT = re.compile(rf"(?:^|(?<=\s))(?:[—–―]|--?)\s*(?P<name>[^\n—–―(]{{1,80}}?)\s*{_HANDLE}$", re.IGNORECASE)
_ALONE = re.compile(rf"(?:[—–―]|--?)?\s*(?P<name>[^\n—–―(.!?]{{1,60}}(?:\.\w+)?)\s*{_HANDLE}$", re.IGNORECASE)
_PLATFORMS = r"X|Twitter|Telegram|Facebook|Instagram|Truth Social|TikTok|VK|Weibo|WhatsApp|YouTube"
# "— Name on Telegram, 8 January 2020", "Name/Telegram"
_ON_PLATFORM = re.compile(
    rf"(?:^|(?<=\s))(?:[—–―]|--?)\s*(?P<name>[^\n—–―(]{{1,80}}?),?\s*(?:\bon|\bvia|/|\()\s*(?:{_PLATFORMS})\)?\s*"
    rf"(?:[·|,•-]\s*)?(?:{PATTERN})?[^\w(@]*$"
)
_NAMED_QUOTE = re.compile(r"(?:^|(?<=\s))(?:[—–―]|--)\s*(?P<name>[A-Z][^\n—–―]{1,100}?)\s*$")
_REPORTING = re.compile(
    r"\b(?:said|says|told|tweeted|wrote|posted|added|announced|claimed|reported|according to|confirmed|denied|warned)\b"
)
_POST_CHARACTERS = 300  # 280, and a little for links


def sign_off(text: str, span: Span) -> Block | None:
    """A post of one piece, with its sign-off at the end; a sign-off alone is a post without parts of its own yet."""
    shown = text[span[0] : span[1]]
    match = _ALONE.fullmatch(shown) if len(shown) <= 160 else None
    match = (
        match
        or _AFTER_TEXT.search(shown, max(0, len(shown) - 200))
        or _ON_PLATFORM.search(shown, max(0, len(shown) - 200))
    )
    if match is None:
        return None
    end = span[0] + match.start()
    while end > span[0] and text[end - 1].isspace():
        end -= 1
    return Block(
        "post",
        *span,
        speaker=_signer(match),
        date=iso_date(match),
        parts=((span[0], end),) if end > span[0] else ((span[0], span[0]),),
    )


def signed_group(text: str, spans: Sequence[Span]) -> Block:
    """The pieces of one block quote or embedded post as one block."""
    start, end = spans[0][0], spans[-1][1]
    for number in range(len(spans) - 1, max(-1, len(spans) - 3), -1):
        if signed := sign_off(text, spans[number]):
            own = [part for part in signed.parts if part[0] < part[1]]
            return replace(signed, start=start, end=end, parts=(*spans[:number], *own) or ((start, start),))
    last = text[spans[-1][0] : spans[-1][1]]
    if match := _NAMED_QUOTE.search(last, max(0, len(last) - 160)):
        own_end = spans[-1][0] + len(last[: match.start()].rstrip())
        own = [(spans[-1][0], own_end)] if own_end > spans[-1][0] else []
        return Block("quote", start, end, speaker=match["name"].strip(), parts=(*spans[:-1], *own) or ((start, start),))
    return Block("quote", start, end, parts=tuple(spans))


def signed_posts(text: str, blocks: Sequence[Block]) -> list[Block]:
    """Posts whose sign-off stands in a piece of its own get the pieces before it."""
    found: list[Block] = []
    for block in blocks:
        if block.kind == "post" and not _has_words(block):
            parts = _before(text, found)
            if parts:
                pictures = pictures_among([*found[-len(parts) :], block])
                del found[-len(parts) :]
                found.append(replace(block, start=parts[0][0], parts=tuple(parts), pictures=pictures))
                continue
            block = replace(block, kind="boilerplate", parts=())
        found.append(block)
    return found


def _before(text: str, found: Sequence[Block]) -> list[Span]:
    """The paragraphs that a sign-off below them signs, the last one always.

    More of them as long as all together are no longer than a post may be, and none reports what somebody said, which a
    post of its own words seldom does, or ends in a colon, with which an article hands over to a post.
    """
    parts: list[Span] = []
    for block in reversed(found):
        shown = text[block.start : block.end]
        if block.kind not in ("paragraph", "quote") or (block.parts and block.kind == "paragraph"):
            break
        if parts:
            whole = parts[-1][1] - block.start
            if whole > _POST_CHARACTERS or shown.rstrip().endswith(":") or _REPORTING.search(shown):
                break
        parts.insert(0, (block.start, block.end))
    return parts


def _has_words(block: Block) -> bool:
    return any(start < end for start, end in block.spans)


def _signer(match: re.Match[str]) -> str:
    """The name, with the handle where there is one."""
    name = match["name"].strip(" ,·-–—")
    handle = match.groupdict().get("handle")
    return f"{name} (@{handle})" if handle else name
