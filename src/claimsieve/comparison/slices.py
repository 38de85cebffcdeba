"""On which corpora and events is a model better or worse than another?"""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from claimsieve.comparison.contestants import Matched, numbered
from claimsieve.comparison.paired import CELLS, MIN_UNITS, Draws, Integers, draw, holm, swaps_for, unit_sums
from claimsieve.comparison.records import Outcome, SliceDifference
from claimsieve.evaluation.metrics import occurring
from claimsieve.records import LABELS

MAX_SLICES = 50  # of each kind, those of most rows: each one more makes the others harder to tell from noise
_LEAST_SWAPS = 1_999

Kind = Literal["corpus", "event"]
Group = tuple[Kind, str, Integers]  # kind, name, row numbers


def slice_differences(
    matched: Matched,
    unit_of: Integers,
    chosen: Integers,
    pairs: Sequence[tuple[int, int]],
    *,
    resamples: int,
    seed: int,
    alpha: float,
    min_rows: int,
) -> tuple[list[tuple[SliceDifference, ...]], int]:
    """The slices of each pair of contestants, and how many corpora and events have too few rows or come too late.

    unit_of: unit of each row. Shape: (n,). chosen: column of each contestant's label. Shape: (contestants, n).
    Corrected over the slices of a pair (Holm). Rows of one event have nothing but their claims to be drawn by.
    """
    cells = matched.truth.argmax(axis=1) * len(LABELS) + chosen
    by_claim = numbered(matched.ids)
    found: list[tuple[Group, Integers]] = []
    groups = [*_groups("corpus", matched.corpora), *_groups("event", matched.events)]
    for group in groups:
        kind, _, rows = group
        units = numbered((unit_of if kind == "corpus" else by_claim)[rows].tolist())
        enough = len(rows) >= min_rows and units.max() + 1 >= MIN_UNITS
        if enough and sum(kind == other for (other, _, _), _ in found) < MAX_SLICES:
            found.append((group, units))
    swaps = swaps_for(len(found), alpha=alpha, least=_LEAST_SWAPS)
    drawn = [
        draw(
            unit_sums(np.eye(CELLS)[cells[:, rows].T], units),
            present=occurring(matched.truth[rows]),
            resamples=resamples,
            swaps=swaps,
            seed=seed,
        )
        for (_, _, rows), units in found
    ]
    parts = [group for group, _ in found]
    return [_judged(parts, drawn, *pair, alpha=alpha) for pair in pairs], len(groups) - len(found)


def _groups(kind: Kind, names: Sequence[str | None]) -> Iterator[Group]:
    """The largest first; none that is all of the rows."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        if name is not None:
            rows.setdefault(name, []).append(row)
    for name, of_name in sorted(rows.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(of_name) < len(names):
            yield kind, name, np.array(of_name)


def _judged(
    groups: Sequence[Group], drawn: Sequence[Draws], first: int, second: int, *, alpha: float
) -> tuple[SliceDifference, ...]:
    p_values = [draws.p(first, second) for draws in drawn]
    found = []
    for (kind, name, rows), draws, p, adjusted in zip(groups, drawn, p_values, holm(p_values), strict=True):
        difference = draws.difference(first, second)
        outcome: Outcome = "noise"
        if adjusted < alpha and difference.value != 0:
            outcome = "ahead" if difference.value > 0 else "behind"
        found.append(SliceDifference(kind, name, len(rows), draws.units, difference, p, adjusted, outcome))
    return tuple(found)
