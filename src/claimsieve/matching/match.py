"""A file of claims looked up among checked ones, into a file: the story of `claimsieve match`."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from claimsieve.data.files import Reject
from claimsieve.inference.formats import Format, kind_and_packing
from claimsieve.inference.outputs import output, write_rejects
from claimsieve.inference.windows import Item, ItemReader, windows
from claimsieve.matching.encoder import Encoder
from claimsieve.matching.library import Found, Library
from claimsieve.matching.passages import is_known_by, passage_of
from claimsieve.matching.tally import MATCHES, MOST_MATCHES, Tally, counts_of, read_known, row_of_match
from claimsieve.matching.thresholds import Thresholds
from claimsieve.records import InputField, row_of_claim


@dataclass(frozen=True, slots=True)
class Job:
    """What is looked up, and where.

    source, against: claims files, directories, patterns, '-' (source only) or recipes. target: JSON Lines, '-' is
    standard output. mapping, against_mapping: field of the record → column. top: matches of a claim. evidence: add
    what earlier checks found to the claim's evidence. as_of: YYYY-MM-DD; checks not surely there then are left out.
    """

    source: str
    against: Sequence[str]
    target: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    against_mapping: Mapping[str, str] = field(default_factory=dict)
    top: int = MOST_MATCHES
    evidence: bool = False
    as_of: str | None = None


def match_file(
    job: Job,
    encoder: Encoder,
    *,
    by: Thresholds,
    index: Path | None = None,
    told: Callable[[str], None] = lambda line: None,
    advance: Callable[[int], None] = lambda rows: None,
) -> Tally:
    """Write each row of the source with `matches` beside its own columns; see docs/matching.md.

    Rows of either side that cannot be read go to `<target>.rejects.jsonl` (to stderr when the target is '-'). The
    output appears whole or not at all. Raises DataError when nothing of `against` can be read, or the disk refuses.
    """
    checked, rejects, tally = read_known(job.against, mapping=job.against_mapping, as_of=job.as_of)
    told(f"{len(checked):,} checked claims are laid out …")
    library = Library(checked, encoder, index=index)
    told(f"{library.computed:,} of them were read by the encoder")
    with output(job.target) as stream:
        for part in _parts(job, library, by):
            stream.write(part.output)
            rejects += part.rejects
            tally = tally.plus(**part.counts)
            advance(part.counts["read"])
    return replace(tally, rejects_file=write_rejects(job.target, rejects))


@dataclass(frozen=True, slots=True)
class _Part:
    output: bytes
    rejects: list[Reject]
    counts: dict[str, int]


def _parts(job: Job, library: Library, by: Thresholds) -> Iterator[_Part]:
    # A date in words is no bad row, unless evidence has to be older than it.
    inputs: tuple[InputField, ...] = ("claim", "evidence", "date") if job.evidence else ("claim",)
    reader = ItemReader(job.source, job.mapping, inputs)
    _, packing = kind_and_packing(job.target)
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    form = Format("jsonl", packing, ascii_only=job.target == "-" and not utf8)
    for window in windows(job.source):
        read = [reader(row) for row in window.rows]
        items = [one for one in read if isinstance(one, Item)]
        claims = [item.claim.claim for item in items]
        found = library.matches(claims, [_lang(item) for item in items], by=by, most=job.top)
        rows = [_row(item, matches, job) for item, matches in zip(items, found, strict=True)]
        rejects = [one for one in read if isinstance(one, Reject)]
        counts = counts_of(found, [given for _, given in rows], read=len(read))
        yield _Part(form.encode([row for row, _ in rows]), rejects, counts)


def _row(item: Item, found: Sequence[Found], job: Job) -> tuple[dict[str, Any], bool]:
    """The row as it is written, and whether it was given a check as evidence."""
    row = {f"input_{name}" if name == MATCHES else name: value for name, value in item.fields.items()}
    row[MATCHES] = [row_of_match(one) for one in found]
    if not job.evidence:
        return row, False
    passages = [
        passage
        for verdict, checked in found
        if is_known_by(checked.date, item.claim.date) and (passage := passage_of(checked, verdict.kind))
    ]
    if passages:
        added = row_of_claim(replace(item.claim, evidence=tuple(dict.fromkeys(passages))))["evidence"]
        row["evidence"] = [*_own_evidence(item, job), *added]
        if "evidence" in item.fields and "evidence" in job.mapping:
            row["input_evidence"] = item.fields["evidence"]
    return row, bool(passages)


def _own_evidence(item: Item, job: Job) -> list[Any]:
    """The claim's passages, with all that the file says of them where it has a list of them."""
    own = item.fields.get("evidence")
    if "evidence" not in job.mapping and isinstance(own, list):
        return [{"text": one} if isinstance(one, str) else one for one in own]
    return list(row_of_claim(item.claim).get("evidence", []))


def _lang(item: Item) -> str | None:
    lang = item.fields.get("lang")
    return lang if isinstance(lang, str) else None
