"""Rows in memory looked up among checked claims: how `claimsieve article` knows what was checked before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimsieve.data.files import Reject
from claimsieve.matching.checked import Checked
from claimsieve.matching.encoder import Encoder, open_encoder
from claimsieve.matching.library import Found, Library
from claimsieve.matching.passages import passage_of
from claimsieve.matching.tally import MATCHES, MOST_MATCHES, Tally, counts_of, read_known, row_of_match
from claimsieve.matching.thresholds import ARTICLE_OPTIONS, Thresholds, thresholds_of
from claimsieve.records import Claim, Evidence, claim_from_row, row_of_claim


@dataclass(frozen=True, slots=True)
class Earlier:
    """Checked claims, and how they are searched. rejects: rows that could not be read. tally: of the checked alone.

    index: a folder for their vectors, see matching/index.py.
    """

    known: Sequence[Checked]
    rejects: Sequence[Reject]
    tally: Tally
    encoder: Encoder
    by: Thresholds
    index: Path | None = None


def open_earlier(
    against: Sequence[str],
    *,
    mapping: Mapping[str, str],
    as_of: str | None = None,
    encoder: str = "default",
    similar: float | None = None,
    suggested: float | None = None,
    index: Path | None = None,
) -> Earlier:
    """Read what was checked, then open the encoder that searches it.

    mapping: field → column, of the checked claims. as_of: YYYY-MM-DD; checks not surely there then are left out.
    Raises DataError when nothing can be read, ModelError for no encoder, ConfigError for thresholds that make no sense.
    """
    known, rejects, tally = read_known(against, mapping=mapping, as_of=as_of)
    opened = open_encoder(encoder)
    by = thresholds_of(opened.fingerprint, similar=similar, suggested=suggested, options=ARTICLE_OPTIONS)
    return Earlier(known, rejects, tally, opened, by, index)


def look_up(
    rows: Sequence[Mapping[str, Any]],
    earlier: Earlier,
    *,
    most_passages: int,
    told: Callable[[str], None] = lambda line: None,
) -> tuple[list[dict[str, Any]], Tally]:
    """Claim records with `matches`, and dated checks of the same or a similar claim as their first evidence.

    most_passages: of a claim's evidence with the checks; what stood last gives way. told: is told what takes time.
    Raises DataError for an index that cannot be used.
    """
    if not rows:
        return [], earlier.tally
    told(f"{len(earlier.known):,} checked claims are laid out …")
    library = Library(earlier.known, earlier.encoder, index=earlier.index)
    claims, langs = [str(row["claim"]) for row in rows], [row.get("lang") for row in rows]
    found = library.matches(claims, langs, by=earlier.by, most=MOST_MATCHES)
    passages = [_passages(matches)[:most_passages] for matches in found]
    result = [
        _with(row, checks, most_passages) | {MATCHES: [row_of_match(one) for one in matches]}
        for row, checks, matches in zip(rows, passages, found, strict=True)
    ]
    return result, earlier.tally.plus(**counts_of(found, [bool(checks) for checks in passages], read=len(rows)))


def _passages(matches: Sequence[Found]) -> list[Evidence]:
    """What dated checks found. A check without a date may be of any day, also of one after --as-of."""
    told = (passage_of(checked, verdict.kind) for verdict, checked in matches if checked.date is not None)
    return list(dict.fromkeys(passage for passage in told if passage is not None))


def _with(row: Mapping[str, Any], checks: Sequence[Evidence], most_passages: int) -> dict[str, Any]:
    """The row with checks before its own evidence, at most so many passages together."""
    if not checks:
        return dict(row)
    evidence = tuple(dict.fromkeys((*checks, *claim_from_row(row).evidence)))[:most_passages]
    return dict(row) | {"evidence": row_of_claim(Claim(str(row["claim"]), evidence=evidence))["evidence"]}
