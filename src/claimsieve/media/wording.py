"""What a hit says, in our words, and as a row shows it."""

import re
from typing import Any

from claimsieve.media.dates import days_between, relation
from claimsieve.media.search import Hit

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")  # and turning text
_QUOTED_CHARACTERS = 160
_SEEN = {
    "whole": "",
    "inside": ", without the frame around it",
    "mirrored": ", mirrored",
    "mirrored inside": ", mirrored and without the frame around it",
}


def words_of(hit: Hit, claimed: str | None) -> str:
    """A hit as evidence: since when a picture has been known, and whether that is before the claimed date.

    Such as: The picture matches one published on 2017-06-18 as "Missiles at night" (distance 6). That is 934 days
    before the claimed date, 2020-01-08.
    """
    known = hit.known
    title = f" as {quoted(known.title)}" if known.title else ""
    place = f", place given as {quoted(known.place)}" if known.place else ""
    seen = f"(distance {hit.distance}{_SEEN[hit.seen_as]})"
    if known.date is None:
        return f"The picture matches a known one, of which the date is not known{title}{place} {seen}."
    on = f"on {known.date}" if len(known.date) == 10 else f"in {known.date}"
    how = f"taken {on} by the date in its file" if known.dated_by == "camera" else f"published {on}"
    return f"The picture matches one {how}{title}{place} {seen}.{_compared(known.date, claimed)}"


def hit_row(name: str, hit: Hit, claimed: str | None, *, leeway_days: int = 0) -> dict[str, Any]:
    """A hit as a row shows it. name: the picture, as the claim names it. relation: of the known date to the claimed."""
    known = hit.known
    return {
        "picture": name,
        "known": known.file,
        "distance": hit.distance,
        "quality": hit.quality,
        "date": known.date,
        "place": known.place,
        "page": known.page,
        "title": known.title,
        "words": words_of(hit, claimed),
        "dated_by": known.dated_by,
        "seen_as": hit.seen_as,
        "relation": relation(known.date, claimed, leeway_days=leeway_days),
    }


def quoted(text: str) -> str:
    """A stranger's words between quotation marks, in one line, without what is not seen, and not too long."""
    line = " ".join(_UNSEEN.sub(" ", text).replace('"', "'").split())
    return f'"{line if len(line) <= _QUOTED_CHARACTERS else line[: _QUOTED_CHARACTERS - 1] + "…"}"'


def _compared(known: str, claimed: str | None) -> str:
    if claimed is None:
        return ""
    found = relation(known, claimed)
    if found == "unknown":
        return f" Whether that is before the claimed date, {claimed}, cannot be told."
    if found == "same_or_later":
        return f" That is not before the claimed date, {claimed}."
    days = days_between(known, claimed)
    least = "" if len(known) == len(claimed) == 10 else "at least "
    return f" That is {least}{days:,} {'day' if days == 1 else 'days'} before the claimed date, {claimed}."
