"""Units, the rows that must stay together, and the split that each of them goes to."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from claimsieve.data.leaks import Split
from claimsieve.records import LABELS, Claim

TOLERANCE = 0.02  # of the rows of a label in a corpus: how far its share of a split may lie from the one asked for

_KINDS = (*LABELS, None)  # what rows are counted by, and balanced over


@dataclass(frozen=True, slots=True)
class Unit:
    """Rows that must stay together. name: what the rows say, in any order; it decides the place in the draw."""

    rows: tuple[int, ...]
    name: str
    corpus: str  # where most of its rows come from


def units_of(
    claims: Sequence[Claim], keys: Iterable[Sequence[Hashable]], groups: Sequence[Hashable] = ()
) -> list[Unit]:
    """Rows joined where they share a key of any kind, or a group; joins are transitive. Sorted by name.

    groups: event or source of each row, None for none; empty when these may be cut. Shape: (n,)
    """
    groups = groups or [None] * len(claims)
    members: dict[int, list[int]] = defaultdict(list)
    for row, number in enumerate(_joined([*keys, groups], len(claims)).tolist()):
        members[number].append(row)
    units = []
    for rows in members.values():
        corpora = Counter(claims[row].corpus or "" for row in rows)
        corpus = min(corpora, key=lambda name: (-corpora[name], name))
        # A group's own name, so that it keeps its place in the draw when rows are added to it.
        named = [str(groups[row]) for row in rows if groups[row] is not None]
        units.append(Unit(tuple(rows), min(named) if named else min(_said(claims[row]) for row in rows), corpus))
    counts = Counter(unit.name for unit in units)
    # An id may be the number of a row, which moves when rows are added; so it only tells twins apart.
    units = [unit if counts[unit.name] == 1 else _told_apart(unit, claims) for unit in units]
    return sorted(units, key=lambda unit: (unit.name, sorted(str(claims[row]) for row in unit.rows)))


def _told_apart(unit: Unit, claims: Sequence[Claim]) -> Unit:
    return replace(unit, name=f"{unit.name}\0{min(str(claims[row].id) for row in unit.rows)}")


def _said(claim: Claim) -> str:
    return "\0".join([str(claim.corpus), "", claim.claim, *(passage.text for passage in claim.evidence)])


def by_hash(units: Sequence[Unit], claims: Sequence[Claim], shares: Mapping[Split, float], seed: int) -> list[Split]:
    """Each unit goes where its own keyed hash falls; then the most useful ones move until labels are balanced.

    A hash does not know of the other units, so rows that are added later leave the old ones where they are, but for
    the few that balance moves. A unit with more than half of its corpus goes to train.
    """
    placed: list[Split] = [next(iter(shares))] * len(units)
    corpora: dict[str, list[int]] = defaultdict(list)
    for place, unit in enumerate(units):
        corpora[unit.corpus].append(place)
    for places in corpora.values():
        counts = np.array([_counts(units[place], claims) for place in places])
        draws = np.array([_draw(units[place].name, seed) for place in places])
        for place, name in zip(places, _balanced(counts, draws, shares), strict=True):
            placed[place] = name
    return placed


def by_time(units: Sequence[Unit], days: Sequence[str], shares: Mapping[Split, float]) -> list[Split]:
    """Units by their latest day, cut at the quantiles of the rows; units of one day are never parted.

    days: first day of each row's date, YYYY-MM-DD. Every split gets at least one day where there are enough of them.
    """
    latest = [max(days[row] for row in unit.rows) for unit in units]
    rows_on: Counter[str] = Counter()
    for unit, day in zip(units, latest, strict=True):
        rows_on[day] += len(unit.rows)
    calendar = sorted(rows_on)
    rows_before = np.cumsum([0, *(rows_on[day] for day in calendar)])
    split_of_day: dict[str, Split] = {}
    begin, share = 0, 0.0
    for splits_left, (name, fraction) in zip(range(len(shares) - 1, -1, -1), shares.items(), strict=True):
        share += fraction
        end = int(np.abs(rows_before - share * len(days)).argmin()) if splits_left else len(calendar)
        if len(calendar) >= len(shares):
            end = min(max(end, begin + 1), len(calendar) - splits_left)
        end = max(end, begin)
        split_of_day.update(dict.fromkeys(calendar[begin:end], name))
        begin = end
    return [split_of_day[day] for day in latest]


def _joined(key_lists: Iterable[Sequence[Hashable]], rows: int) -> NDArray[np.int64]:
    """Unit number of each row. Shape: (rows,)"""
    edges = []
    for keys in key_lists:
        first: dict[Hashable, int] = {}
        edges += [(first.setdefault(key, row), row) for row, key in enumerate(keys) if key is not None]
    left, right = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(edges), dtype=bool), (left, right)), shape=(rows, rows))
    units: NDArray[np.int64] = connected_components(graph, directed=False)[1]
    return units


def _counts(unit: Unit, claims: Sequence[Claim]) -> list[int]:
    """Rows of each label, rows without one, and all rows."""
    found = Counter(claims[row].label for row in unit.rows)
    return [*(found[kind] for kind in _KINDS), len(unit.rows)]


def _draw(name: str, seed: int) -> float:
    """A number in [0, 1) that hangs on the name and the seed alone."""
    digest = blake2b(f"{seed}\0{name}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) / (1 << 53)


def _balanced(counts: NDArray[np.int64], draws: NDArray[np.float64], shares: Mapping[Split, float]) -> list[Split]:
    """The split of each unit of one corpus.

    counts: rows of a unit by kind, the last column all of them. Shape: (units, kinds).
    draws: in [0, 1). Shape: (units,)
    """
    names = list(shares)
    fractions = np.array(list(shares.values()))
    split = np.searchsorted(np.cumsum(fractions)[:-1], draws, side="right")
    fixed = counts[:, -1] > counts[:, -1].sum() / 2
    if "train" in shares:
        split[fixed] = names.index("train")
    target = np.outer(fractions, counts.sum(axis=0))
    # Every move brings the shares nearer to the target, by the chi-square distance; so it ends.
    weight = np.divide(1.0, target, out=np.zeros_like(target), where=target > 0)
    while True:
        excess = np.array([counts[split == place].sum(axis=0) for place in range(len(names))]) - target
        if (np.abs(excess) <= np.maximum(TOLERANCE * counts.sum(axis=0), 1)).all():
            break
        change = counts**2 @ weight.T + 2 * counts @ (weight * excess).T  # of joining a split. Shape: (units, splits)
        leaving = (weight[split] * (counts**2 - 2 * counts * excess[split])).sum(axis=1)
        change += leaving[:, None]
        change[np.arange(len(split)), split] = 0.0
        change[fixed] = 0.0
        best = np.unravel_index(change.argmin(), change.shape)
        if change[best] > -1e-9:
            break
        split[best[0]] = best[1]
    _fill(split, counts[:, -1], fixed, names)
    return [names[place] for place in split]


def _fill(split: NDArray[np.int64], rows: NDArray[np.int64], fixed: NDArray[np.bool_], names: Sequence[Split]) -> None:
    """Give an empty split the smallest unit of the split with the most units; train and test come first."""
    first = sorted(range(len(names)), key=lambda place: ("train", "test", "valid", "calibration").index(names[place]))
    for place in first:
        units_in = np.bincount(split, minlength=len(names))
        if units_in[place]:
            continue
        for donor in sorted(range(len(names)), key=lambda other: (-units_in[other], first.index(other))):
            movable = np.flatnonzero((split == donor) & ~fixed)
            if units_in[donor] > 1 and len(movable):
                split[movable[rows[movable].argmin()]] = place
                break
