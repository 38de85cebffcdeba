"""Files of evidence: articles, and JSON Lines of passages or claims."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimsieve.data.files import Reject, read_rows
from claimsieve.errors import DataError
from claimsieve.intake.fetching import is_address
from claimsieve.intake.passages import Passage, passages_of
from claimsieve.intake.reading import read_document
from claimsieve.intake.sources import SUFFIXES
from claimsieve.records import Evidence, RecordError, claim_from_row

MAX_PASSAGES = 200_000

_ROWS = (".jsonl", ".jsonl.gz", ".jsonl.zst")


@dataclass(frozen=True, slots=True)
class GivenEvidence:
    """passages: of all files, in order. rejects: rows that are none, with their file."""

    passages: tuple[Passage, ...] = ()
    rejects: tuple[Reject, ...] = ()


def read_evidence(
    names: Sequence[str], *, allow_private: bool = False, advance: Callable[[str], None] = lambda name: None
) -> GivenEvidence:
    """Passages of files of evidence: articles in any of their forms, or JSON Lines.

    A row has `text` (or `claim`), and may have source, date, url, and passages of its own under `evidence`. A bad row
    is a reject and the others go on. advance: is told what is read. Raises DataError for a file that cannot be read,
    or has rows and not one that can.
    """
    passages: list[Passage] = []
    rejects: list[Reject] = []
    for name in names:
        advance(name)
        if name.lower().endswith(_ROWS):
            found, bad = _of_rows(name)
            passages += found
            rejects += bad
        else:
            _check_suffix(name)
            passages += passages_of(read_document(name, allow_private=allow_private))
    return GivenEvidence(tuple(passages), tuple(rejects))


def _of_rows(name: str) -> tuple[list[Passage], list[Reject]]:
    passages: list[Passage] = []
    rejects: list[Reject] = []
    for row in read_rows(name):
        if isinstance(row, Reject):
            rejects.append(Reject(row.place, row.reason, row.excerpt, name))
            continue
        try:
            passages.extend(Passage(passage) for passage in _of_row(row.fields))
        except RecordError as error:
            rejects.append(Reject(row.place, str(error), str(row.fields)[:200], name))
        if len(passages) > MAX_PASSAGES:
            raise DataError(f"{name}: expected at most {MAX_PASSAGES:,} passages, found more.")
    if rejects and not passages:
        first = rejects[0]
        raise DataError(
            f"{name}: expected passages, found no row that can be read. The first, in line {first.place}: "
            f"{first.reason}."
        )
    return passages, rejects


def _of_row(fields: Mapping[str, Any]) -> Iterator[Evidence]:
    key = "claim" if fields.get("text") is None else "text"
    text = fields.get(key)
    if text is None:
        raise RecordError("a passage without a text ('text' or 'claim')")
    if isinstance(text, str) and not text.strip():
        raise RecordError("a passage with an empty text")
    try:
        claim = claim_from_row({**{name: fields.get(name) for name in ("source", "date", "evidence")}, "claim": text})
        address = {"text": "-", "url": fields["url"]} if isinstance(fields.get("url"), str) else None
        (own, *_) = claim_from_row({"claim": "-", "evidence": address}).evidence or (None,)
    except RecordError as error:
        raise RecordError(str(error).replace("'claim'", f"'{key}'")) from None
    yield Evidence(claim.claim, claim.source, claim.date, None if own is None else own.url)
    yield from claim.evidence


def _check_suffix(name: str) -> None:
    suffix = Path(name).suffix.lower()
    if name != "-" and not is_address(name) and suffix not in SUFFIXES:
        known = ", ".join((*_ROWS, *SUFFIXES))
        raise DataError(
            f"--evidence {name}: expected rows of passages or an article ({known}), '-' or a web address, found "
            f"'{suffix or name}'."
        )
