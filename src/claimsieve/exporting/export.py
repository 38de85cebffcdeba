"""A file of labelled claims as ClaimReviews: read, turn, validate, write."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimsieve.data.fields import field_mapper
from claimsieve.data.files import Reject, Row, format_of
from claimsieve.data.sources import files_of, read_files
from claimsieve.errors import ConfigError, DataError
from claimsieve.exporting.claimreview import CONTEXT, Form, address_of, answer_of, can_be_written, claim_review
from claimsieve.exporting.schema import claimreview_problem
from claimsieve.inference.outputs import output, write_rejects
from claimsieve.inference.sources import check_columns, check_places
from claimsieve.media.dates import is_date
from claimsieve.pages import INVISIBLE
from claimsieve.records import Claim, RecordError, claim_from_row

_GRAPH, _LINES = (".jsonld", ".json"), (".jsonl", ".ndjson")
# A page's parser ends a script at "</script" and opens a comment at "<!--", wherever they stand; readers of JSON get
# the same text. Line separators end a line in old JavaScript.
_MARKUP = re.compile(r"[<>&\u2028\u2029]|" + INVISIBLE.pattern)
_OF_CLAIM = ("id", "claim", "source", "date", "evidence", "lang")
_TEXTS = ("source", "lang", "url")


@dataclass(frozen=True, slots=True)
class Tally:
    """read = written + left_out + rejected. undecided: of written. left_out: undecided ones, where only decided ones
    are asked for."""

    read: int = 0
    written: int = 0
    undecided: int = 0
    left_out: int = 0
    rejected: int = 0
    rejects_file: str | None = None


def check(source: str, target: str, mapping: Mapping[str, str] = {}) -> None:
    """Raises ConfigError or DataError before anything is read or written."""
    if target != "-" and Path(target).suffix.lower() not in (*_GRAPH, *_LINES):
        raise ConfigError(
            f"{target}: expected an output that ends in .jsonld or .json (one document) or .jsonl (one a line), found "
            f"'{Path(target).suffix or 'no suffix'}'."
        )
    for name in files_of(source):
        if format_of(name) != "jsonl":
            raise DataError(
                f"{name}: expected JSON Lines, found a table. Label into one: claimsieve predict … -o x.jsonl"
            )
    check_columns(source, mapping)
    check_places(source, target)


def export_reviews(
    source: str, target: str, *, form: Form, mapping: Mapping[str, str] = {}, decided_only: bool = False
) -> Tally:
    """Write a ClaimReview of each labelled row, each validated against claimreview.schema.json.

    mapping: record field → column, as `predict` was given it; labels and what goes with them are always its own.
    target: .jsonl holds one document a line, .jsonld and .json one document with all in its @graph; '-' is the latter
    on standard output. A row that is no labelled claim goes to `<target>.rejects.jsonl` (to stderr for '-').
    """
    rejects: list[Reject] = []
    counts = {"read": 0, "written": 0, "undecided": 0, "left_out": 0}
    one_a_line = Path(target).suffix.lower() in _LINES
    with output(target) as stream:
        stream.write(b"" if one_a_line else b'{"@context": "https://schema.org", "@graph": [')
        for review in _reviews(source, form, mapping, decided_only, counts, rejects):
            if one_a_line:
                stream.write(f"{_safe({'@context': CONTEXT} | review)}\n".encode())
            else:
                stream.write(("\n" if counts["written"] == 1 else ",\n").encode() + _safe(review).encode())
        stream.write(b"" if one_a_line else b"\n]}\n")
    return Tally(**counts, rejected=len(rejects), rejects_file=write_rejects(target, rejects))


def _reviews(
    source: str,
    form: Form,
    mapping: Mapping[str, str],
    decided_only: bool,
    counts: dict[str, int],
    rejects: list[Reject],
) -> Iterator[dict[str, Any]]:
    problem = claimreview_problem()
    mapper = field_mapper({field: name for field, name in mapping.items() if field in _OF_CLAIM}, place="--map")
    taken: dict[str, int] = {}
    for row in read_files(files_of(source)):
        counts["read"] += 1
        if isinstance(row, Reject):
            rejects.append(row)
            continue
        try:
            review = _review(row, _claim(mapper(row.fields)), form, taken)
            if wrong := problem(review):
                raise RecordError(f"its review breaks the schema at {wrong}")
        except RecordError as error:
            excerpt = json.dumps(row.fields, ensure_ascii=True, default=str)[:200]
            rejects.append(Reject(row.place, str(error), excerpt, row.file))
            continue
        undecided = "ratingValue" not in review["reviewRating"]
        if undecided and decided_only:
            counts["left_out"] += 1
            continue
        counts["undecided"] += undecided
        counts["written"] += 1
        yield review


def _review(row: Row, claim: Claim, form: Form, taken: dict[str, int]) -> dict[str, Any]:
    fields, answer = row.fields, answer_of(row.fields)
    url = None if form.base_url is None else address_of(form.base_url, claim, taken)
    return claim_review(
        claim, answer, form=form, url=url, appearance=fields.get("url"), first=fields.get("first_appearance")
    )


def _claim(fields: Mapping[str, Any]) -> Claim:
    """The claim of a row, without what `predict` carries along in whatever form and cannot be read here."""
    seen = _readable({name: fields.get(name) for name in _OF_CLAIM})
    if isinstance(number := seen.get("id"), float) and number.is_integer():  # pandas makes them of ids with gaps
        seen["id"] = int(number)
    return claim_from_row(seen)


def _readable(value: Any) -> Any:
    """A row, also its passages, without dates that are none, and texts about it that are none."""
    if isinstance(value, list):
        return [_readable(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _readable(one) for name, one in value.items() if not _is_unreadable(name, one)}


def _is_unreadable(name: str, value: Any) -> bool:
    if name == "date":
        return not (isinstance(value, str) and is_date(value))
    return name in _TEXTS and not can_be_written(value)


def _safe(document: dict[str, Any]) -> str:
    """JSON that may be put between script tags as it is, and that shows no invisible characters."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return _MARKUP.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
