"""A file of claims looked up among checked ones, into a file: the story of `claimsieve match`."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from claimsieve.data.files import Reject
from claimsieve.errors import DataError
from claimsieve.inference.formats import Format, kind_and_packing
from claimsieve.inference.outputs import output, write_rejects
from claimsieve.inference.windows import Item, ItemReader, windows
from claimsieve.matching.checked import Checked, read_checked
from claimsieve.matching.encoder import Encoder
from claimsieve.matching.library import Found, Library
from claimsieve.matching.passages import is_known_by, passage_of
from claimsieve.matching.thresholds import Thresholds
from claimsieve.records import InputField, row_of_claim

MATCHES = "matches"


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
    top: int = 3
    evidence: bool = False
    as_of: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """read = matched (rows written) + rejected. The kinds count rows by their best match.

    checked: claims that were searched. checked_rejected, checked_later: rows of FILE that could not be read, or were
    left out by --as-of. checked_open: of checked, those without a verdict. disagreeing: rows whose duplicate and
    similar matches have more than one verdict. evidence: rows that were given an earlier check as evidence.
    """

    read: int = 0
    written: int = 0
    rejected: int = 0
    rejects_file: str | None = None
    duplicate: int = 0
    similar: int = 0
    suggested: int = 0
    disagreeing: int = 0
    evidence: int = 0
    checked: int = 0
    checked_rejected: int = 0
    checked_later: int = 0
    checked_open: int = 0

    def plus(self, **counts: int) -> "Tally":
        return replace(self, **{name: getattr(self, name) + count for name, count in counts.items()})


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
    checked, rejects, tally = _checked(job)
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


def _checked(job: Job) -> tuple[list[Checked], list[Reject], Tally]:
    found = list(read_checked(job.against, mapping=job.against_mapping))
    rejects = [one for one in found if isinstance(one, Reject)]
    readable = [one for one in found if isinstance(one, Checked)]
    if not readable:
        why = f"; the first row: {rejects[0].reason}" if rejects else ""
        raise DataError(
            f"{', '.join(job.against)}: expected checked claims, found none that can be read{why}. "
            "Is the claim in another column? --against-map claim=COLUMN"
        )
    known = [one for one in readable if is_known_by(one.date, job.as_of)]
    tally = Tally(
        checked=len(known),
        checked_rejected=len(rejects),
        checked_later=len(readable) - len(known),
        checked_open=sum(one.label is None for one in known),
    )
    return known, rejects, tally


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
        yield _Part(form.encode([row for row, _ in rows]), rejects, _counts(len(read), found, [n for _, n in rows]))


def _row(item: Item, found: Sequence[Found], job: Job) -> tuple[dict[str, Any], int]:
    """The row as it is written, and how many passages it was given."""
    row = {f"input_{name}" if name == MATCHES else name: value for name, value in item.fields.items()}
    row[MATCHES] = [_told(one) for one in found]
    if not job.evidence:
        return row, 0
    passages = [
        passage
        for verdict, checked in found
        if is_known_by(checked.date, item.claim.date) and (passage := passage_of(checked, verdict.kind))
    ]
    if passages:
        whole = replace(item.claim, evidence=(*item.claim.evidence, *dict.fromkeys(passages)))
        row["evidence"] = row_of_claim(whole)["evidence"]
    return row, len(passages)


def _told(found: Found) -> dict[str, Any]:
    verdict, checked = found
    return {
        "claim": checked.claim,
        "label": checked.label,
        "date": checked.date,
        "source": checked.source,
        "url": checked.url,
        "similarity": verdict.similarity,
        "kind": verdict.kind,
        **({"why": list(verdict.why)} if verdict.why else {}),
        **({"machine_made": True} if checked.is_made else {}),
    }


def _counts(read: int, found: Sequence[Sequence[Found]], passages: Sequence[int]) -> dict[str, int]:
    best = [matches[0][0].kind for matches in found if matches]
    counts = {"read": read, "written": len(found), "rejected": read - len(found)}
    counts |= {kind: best.count(kind) for kind in ("duplicate", "similar", "suggested")}
    verdicts = [
        {checked.label for verdict, checked in matches if verdict.kind != "suggested" and checked.label is not None}
        for matches in found
    ]
    return counts | {
        "disagreeing": sum(len(labels) > 1 for labels in verdicts),
        "evidence": sum(count > 0 for count in passages),
    }


def _lang(item: Item) -> str | None:
    lang = item.fields.get("lang")
    return lang if isinstance(lang, str) else None
