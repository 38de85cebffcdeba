"""On which corpora and events is a model better or worse than another?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from claimsieve.comparison.contestants import Matched, numbered
from claimsieve.comparison.paired import CELLS, MIN_UNITS, Draws, Integers, draw, holm, swaps_for, unit_sums
from claimsieve.comparison.records import Outcome, SliceDifference
from claimsieve.evaluation.evaluate import rows_by_event, rows_by_name
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
    corpora, events = rows_by_name(matched.corpora), rows_by_event(matched.corpora, matched.events)
    groups = [*_groups("corpus", corpora, n=len(cells.T)), *_groups("event", events, n=len(cells.T))]
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


def _groups(kind: Kind, rows: Mapping[str, Sequence[int]], *, n: int) -> Iterator[Group]:
    """None that is all n of the rows."""
    for name, of_name in rows.items():
        if len(of_name) < n:
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
