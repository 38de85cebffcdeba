"""The gate: what in the data of a run would let a model score well for a wrong reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from claimsieve.data import contents, overlaps
from claimsieve.data.findings import Finding
from claimsieve.data.leaks import NOWHERE, SPLITS
from claimsieve.records import LABELS, Claim, InputField
from claimsieve.settings import AuditCheck


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was found, and the counts that it was found in.

    splits, corpora: name → label → claims. languages: split → language → claims. accepted: checks that the run knows
    of; their findings stand in the report and do not fail it.
    """

    claims: int
    splits: Mapping[str, Mapping[str, int]]
    corpora: Mapping[str, Mapping[str, int]]
    languages: Mapping[str, Mapping[str, int]]
    findings: tuple[Finding, ...]
    accepted: tuple[AuditCheck, ...] = ()

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings that nobody has accepted."""
        return tuple(finding for finding in self.findings if finding.check not in self.accepted)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"failures": len(self.failures)}


def audit(
    claims: Sequence[Claim],
    clusters: ArrayLike,
    assignment: ArrayLike,
    *,
    inputs: Sequence[InputField],
    accept: Sequence[AuditCheck] = (),
) -> AuditReport:
    """Look for leaks between the splits and for giveaways in what a model may see.

    clusters: near-duplicate cluster of each claim. Shape: (n,). assignment: split name of each claim. Shape: (n,).
    inputs: the fields that a model is shown; what stands in others is only compared between splits. accept: checks
    whose findings the run knows of. Takes about 15 seconds for 200,000 claims with evidence.
    """
    names = np.asarray(assignment).tolist()
    placed = [row for row, name in enumerate(names) if name != NOWHERE]
    seen, theirs = [claims[row] for row in placed], [names[row] for row in placed]
    found = [
        *overlaps.find(seen, np.asarray(clusters)[placed], theirs, inputs=inputs),
        *contents.find(seen, theirs, inputs=inputs),
    ]
    return AuditReport(
        claims=len(claims),
        splits=_table(names, [claim.label for claim in claims], [*SPLITS, NOWHERE]),
        corpora=_table([claim.corpus or "-" for claim in claims], [claim.label for claim in claims]),
        languages=_table(names, [claim.lang or "unknown" for claim in claims], [*SPLITS, NOWHERE]),
        findings=tuple(finding for finding in found if finding is not None),
        accepted=tuple(accept),
    )


def _table(rows: Sequence[str], columns: Sequence[str | None], order: Sequence[str] = ()) -> dict[str, dict[str, int]]:
    """Row name → column name → count; only what occurs, rows in the order given, columns as in LABELS."""
    counts: dict[str, Counter[str]] = {}
    for row, column in zip(rows, columns, strict=True):
        counts.setdefault(row, Counter())[column or "no label"] += 1
    names = [name for name in order if name in counts] or sorted(counts)
    return {
        name or "none": dict(sorted(counts[name].items(), key=lambda item: (_place(item[0]), item[0])))
        for name in names
    }


def _place(name: str) -> int:
    return next((place for place, label in enumerate(LABELS) if label == name), len(LABELS))
