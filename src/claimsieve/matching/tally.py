"""What was found before, as it stands in a row (`matches`), and counted over rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from claimsieve.data.files import Reject
from claimsieve.errors import DataError
from claimsieve.matching.checked import Checked, read_checked
from claimsieve.matching.library import Found
from claimsieve.matching.passages import is_known_by

MATCHES = "matches"
MOST_MATCHES = 3  # of a claim, unless the user asks for another number


@dataclass(frozen=True, slots=True)
class Tally:
    """read = matched (rows written) + rejected. The kinds count rows by their best match.

    checked: claims that were searched. checked_rejected, checked_later: rows of FILE that could not be read, or were
    left out by --as-of. checked_open, checked_by_model: of checked, those without a verdict, and those whose label is
    a model's. disagreeing: rows whose duplicate and similar matches have more than one verdict. evidence: rows that
    were given an earlier check as evidence.
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
    checked_by_model: int = 0

    def plus(self, **counts: int) -> "Tally":
        return replace(self, **{name: getattr(self, name) + count for name, count in counts.items()})


def read_known(
    against: Sequence[str], *, mapping: Mapping[str, str], as_of: str | None
) -> tuple[list[Checked], list[Reject], Tally]:
    """The checked claims that were there on the day of as_of, rows that cannot be read, and both counted.

    as_of: YYYY-MM-DD, or None: all of them. Raises DataError when nothing can be read.
    """
    found = list(read_checked(against, mapping=mapping))
    rejects = [one for one in found if isinstance(one, Reject)]
    readable = [one for one in found if isinstance(one, Checked)]
    if not readable:
        why = f"; the first row: {rejects[0].reason}" if rejects else ""
        raise DataError(
            f"{', '.join(against)}: expected checked claims, found none that can be read{why}. "
            "Is the claim in another column? --against-map claim=COLUMN"
        )
    known = [one for one in readable if is_known_by(one.date, as_of)]
    tally = Tally(
        checked=len(known),
        checked_rejected=len(rejects),
        checked_later=len(readable) - len(known),
        checked_open=sum(one.label is None for one in known),
        checked_by_model=sum(one.is_made for one in known),
    )
    return known, rejects, tally


def row_of_match(found: Found) -> dict[str, Any]:
    """One match as it is written."""
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


def counts_of(found: Sequence[Sequence[Found]], given: Sequence[bool], *, read: int) -> dict[str, int]:
    """For Tally.plus. found: matches of each row written. given: whether it was given a check as evidence."""
    best = [matches[0][0].kind for matches in found if matches]
    counts = {"read": read, "written": len(found), "rejected": read - len(found)}
    counts |= {kind: best.count(kind) for kind in ("duplicate", "similar", "suggested")}
    verdicts = [
        {checked.label for verdict, checked in matches if verdict.kind != "suggested" and checked.label is not None}
        for matches in found
    ]
    return counts | {"disagreeing": sum(len(labels) > 1 for labels in verdicts), "evidence": sum(given)}
