"""What was seen before: pictures with a hit among known ones, and earlier verdicts on like claims."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from claimsieve.analysis.pictures import Thumbnail, Thumbnails
from claimsieve.analysis.values import day, mappings, number, text, texts, truth, web_address
from claimsieve.analysis.visible import one_line, visible
from claimsieve.analysis.wording import MATCHES, SURE_MATCHES, UNLABELLED
from claimsieve.records import LABELS, Claim

MAX_HITS = 20  # shown of a claim
MAX_MATCHES = 20
MAX_OWN_PICTURES = 6  # of a claim, without a hit


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture of the claim beside the older one that it resembles.

    facts: since when, where and as what the older one is known, as far as known. likeness: how close the two are.
    link: of its page. words: the sentence that became evidence.
    """

    picture: Thumbnail
    known: Thumbnail | None
    facts: list[str]
    likeness: str
    link: str | None
    address: str | None
    words: str | None


@dataclass(frozen=True, slots=True)
class Unseen:
    """A picture of the claim without a hit. words: what looking it up came to; None where nobody looked.

    looked_up: whether it was compared with known ones, and not found.
    """

    picture: Thumbnail
    words: str | None
    looked_up: bool


@dataclass(frozen=True, slots=True)
class Match:
    """An earlier verdict. verdict: in the words that it was given in; None: it says none. tray: UNLABELLED unless those
    are a label of ours. kind: in words. is_sure: whether it is the same claim, and not only perhaps. similarity: as the
    matcher gave it. why: what keeps it from being the same, in words. machine_made: whether no person gave the label.
    """

    claim: str
    verdict: str | None
    tray: str
    kind: str
    is_sure: bool
    similarity: float | None
    date: str | None
    source: str | None
    why: list[str]
    machine_made: bool
    link: str | None
    address: str | None


def hits_of(row: Mapping[str, Any], thumbnails: Thumbnails) -> list[Hit]:
    """The row's pictures that are known, MAX_HITS at most."""
    return [_hit(one, thumbnails) for one in mappings(row.get("pictures"))[:MAX_HITS]]


def own_pictures(row: Mapping[str, Any], claim: Claim, thumbnails: Thumbnails) -> list[Unseen]:
    """Pictures that came with the claim and have no hit."""
    asked = isinstance(row.get("pictures"), list | tuple)
    with_hit = {text(one.get("picture")) for one in mappings(row.get("pictures"))}
    why: dict[str | None, str] = {}
    too_many = None
    for one in mappings(row.get("pictures_unmatched")):
        why[text(one.get("picture"))] = one_line(text(one.get("words")) or "it was not looked up", limit=300)
        too_many = one if one.get("reason") == "pictures_too_many" else too_many
    if too_many is not None and (first := text(too_many.get("picture"))) in claim.media:
        why |= dict.fromkeys(claim.media[claim.media.index(first) :], why[first])
    without = [path for path in claim.media if path not in with_hit][:MAX_OWN_PICTURES]
    return [
        Unseen(
            _named(thumbnails(path)),
            words=f"no answer: {why[path]}" if path in why else "not found among those known" if asked else None,
            looked_up=asked and path not in why,
        )
        for path in without
    ]


def matches_of(row: Mapping[str, Any]) -> list[Match]:
    """The row's earlier verdicts, MAX_MATCHES at most: those on the same claim first, then by likeness."""
    found = [_match(one) for one in mappings(row.get("matches")) if text(one.get("claim"))]
    return sorted(found, key=lambda match: (not match.is_sure, -(match.similarity or 0)))[:MAX_MATCHES]


def _hit(one: Mapping[str, Any], thumbnails: Thumbnails) -> Hit:
    picture, known = text(one.get("picture")), text(one.get("known"))
    distance, quality = number(one.get("distance"), 0), number(one.get("quality"), 0)
    date, place, title = (text(one.get(name)) for name in ("date", "place", "title"))
    since = "taken, by the date in its file," if one.get("dated_by") == "camera" else "known since"
    facts = [f"{since} {day(date)}" if date else "date not known"]
    facts += [*([place] if place else []), *([f"“{title}”"] if title else [])]
    seen_as = text(one.get("seen_as"))
    likeness = [
        *([f"distance {distance:.0f} (0 is the same picture)"] if distance is not None else []),
        *([f"quality {quality:.0f} of 100"] if quality is not None else []),
        *([f"seen {seen_as}"] if seen_as and seen_as != "whole" else []),
    ]
    words = text(one.get("words"))
    return Hit(
        picture=_named(thumbnails(picture)) if picture else Thumbnail("?", missing="the row does not name it"),
        known=_named(thumbnails(known, known=True)) if known else None,
        facts=[one_line(fact, limit=300) for fact in facts],
        likeness=one_line(", ".join(likeness), limit=200),
        **_address(one.get("page")),
        words=visible(words[:2_000]) if words else None,
    )


def _match(one: Mapping[str, Any]) -> Match:
    label, kind, source, date = (text(one.get(name)) for name in ("label", "kind", "source", "date"))
    return Match(
        claim=one_line(str(one["claim"]), limit=600),
        verdict=one_line(label, limit=200) if label else None,
        tray=label if label in LABELS else UNLABELLED,
        kind=MATCHES.get(kind or "") or one_line(kind or "a claim", limit=60),
        is_sure=kind in SURE_MATCHES,
        similarity=number(one.get("similarity")),
        date=one_line(date, limit=40) if date else None,
        source=one_line(source, limit=200) if source else None,
        why=[one_line(reason, limit=200) for reason in texts(one.get("why"))[:5]],
        machine_made=truth(one.get("machine_made")) or False,
        **_address(one.get("url")),
    )


def _address(value: Any) -> dict[str, str | None]:
    """What may be followed as `link`, and another as text in `address`."""
    link, given = web_address(value), text(value)
    return {"link": link, "address": one_line(given, limit=200) if given and link is None else None}


def _named(made: Thumbnail) -> Thumbnail:
    """The same with a name that can be looked at."""
    return Thumbnail(one_line(made.name, limit=200), made.uri, made.width, made.height, made.missing)
