"""Cut a corpus into train, valid, calibration and test without letting a story or a text stand on two sides."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import isclose
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from claimsieve.errors import ConfigError, DataError, LeakError
from claimsieve.records import Claim

Split = Literal["train", "valid", "calibration", "test"]
By = Literal["group", "time", "random"]

SPLITS: tuple[Split, ...] = get_args(Split)

_Cells = tuple[tuple[Hashable, int], ...]


@dataclass(frozen=True, slots=True)
class _Unit:
    """Rows that must stay together.

    name: decides its place in the draw; read from what the rows say, so that their order does not matter.
    levels: how many of its rows lie in each (corpus, label), in each corpus, and in all.
    """

    rows: tuple[int, ...]
    name: str
    levels: tuple[_Cells, _Cells, _Cells]


def split(
    claims: Sequence[Claim],
    clusters: ArrayLike,
    *,
    by: By,
    fractions: Mapping[str, float],
    seed: int,
    allow_group_leak: bool = False,
) -> NDArray[np.str_]:
    """Give each claim the name of its split.

    clusters: near-duplicate cluster of each claim (see `duplicates.cluster`). Shape: (n,)
    by: "group" keeps every event of a corpus, cluster and id in one split and balances labels within each corpus;
        "time" does too, and puts the oldest in train and the latest in test; "random" lets events be cut.
    fractions: share of the rows per split, in [0, 1], sum 1; a split that is left out gets nothing.
    seed: another seed, another draw (not for "time"). The row order never matters.
    allow_group_leak: accept that "random" cuts events; without it a cut event raises LeakError.
    Returns split names. Shape: (n,). Raises ConfigError for wrong fractions, DataError for missing dates.
    """
    shares = _shares(fractions)
    if by not in get_args(By):
        raise ConfigError(f"data.split.by: expected one of {', '.join(get_args(By))}, found {by!r}")
    if by == "time":
        _need_dates(claims)
    keys = _keys(claims, clusters)
    if by == "random":
        del keys["event"]
    units = _units(claims, _joined(keys.values(), len(claims)))
    split_of_unit = _by_time(units, claims, shares) if by == "time" else _by_need(units, shares, seed)
    assignment = np.full(len(claims), "", dtype=f"<U{max(map(len, SPLITS))}")
    for unit, name in zip(units, split_of_unit, strict=True):
        assignment[list(unit.rows)] = name
    check_splits(claims, clusters, assignment, allow_group_leak=allow_group_leak)
    return assignment


def check_splits(
    claims: Sequence[Claim], clusters: ArrayLike, assignment: ArrayLike, *, allow_group_leak: bool = False
) -> None:
    """Raise LeakError when a near-duplicate cluster, an id or an event of one corpus stands in two splits.

    assignment: split name of each claim. Shape: (n,). allow_group_leak: events may be cut.
    """
    next_steps = {
        "near-duplicate text": "Keep the rows of a cluster together, or drop all but one.",
        "id": "Give every claim an id of its own, or keep rows of one id together.",
        "event": "Split by group instead: data.split.by: group, or allow it and have the run tagged leaky: "
        "data.split.allow_group_leak: true",
    }
    names = np.asarray(assignment).tolist()
    problems = []
    for kind, keys in _keys(claims, clusters).items():
        if kind == "event" and allow_group_leak:
            continue
        if pairs := _straddling(keys, names):
            shown = "; ".join(
                f"{_row_name(claims, a)} ({names[a]}) and {_row_name(claims, b)} ({names[b]})" for a, b in pairs[:5]
            )
            problems.append(
                f"expected every {kind} in one split, found {len(pairs):,} in two or more: {shown}. {next_steps[kind]}"
            )
    if problems:
        raise LeakError("\n".join(problems))


def check_labels(claims: Sequence[Claim], assignment: ArrayLike) -> None:
    """Raise DataError when train holds fewer than two labels or test holds no labelled claim.

    assignment: split name of each claim. Shape: (n,)
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in SPLITS}
    for claim, name in zip(claims, np.asarray(assignment), strict=True):
        counts[str(name)][claim.label or "no label"] += 1
    found = "; ".join(f"{name}: {_counted(counts[name])}" for name in SPLITS)
    if len(counts["train"].keys() - {"no label"}) < 2:
        raise DataError(
            f"expected at least two labels in train, found {found}. Check the recipe's label map, or add claims of "
            "another label."
        )
    if not counts["test"].keys() - {"no label"}:
        raise DataError(f"expected labelled claims in test, found {found}. Add claims, or raise data.split.test.")


def _shares(fractions: Mapping[str, float]) -> dict[Split, float]:
    """The splits that get rows, in the order of SPLITS."""
    if unknown := [name for name in fractions if name not in SPLITS]:
        raise ConfigError(f"data.split: expected {', '.join(SPLITS)}, found {', '.join(map(repr, unknown))}")
    total = sum(fractions.values())
    if not all(share >= 0 for share in fractions.values()) or not isclose(total, 1, abs_tol=1e-6):
        found = ", ".join(f"{name}: {share}" for name, share in fractions.items())
        raise ConfigError(
            f"data.split: expected shares of 0 or more that sum to 1, found {found or 'none'} "
            f"(sum {total:.6g}). Change them to, say, train: 0.7, valid: 0.1, calibration: 0.1, test: 0.1"
        )
    return {name: fractions[name] for name in SPLITS if fractions.get(name, 0) > 0}


def _need_dates(claims: Sequence[Claim]) -> None:
    missing = [row for row, claim in enumerate(claims) if claim.date is None]
    if missing:
        shown = ", ".join(_row_name(claims, row) for row in missing[:5])
        raise DataError(
            f"expected a date on every claim to split by time, found {len(missing):,} of {len(claims):,} without one: "
            f"{shown}. Map a date in the recipe, drop these claims, or split by group instead: data.split.by: group"
        )


def _keys(claims: Sequence[Claim], clusters: ArrayLike) -> dict[str, list[Hashable]]:
    """What rows may share, by kind; None shares nothing. Events and ids are a corpus's own: '1' in two is not one."""
    numbers = np.asarray(clusters).tolist()
    if len(numbers) != len(claims):
        raise ValueError(f"expected one cluster per claim, found {len(numbers)} for {len(claims)}")
    return {
        "near-duplicate text": numbers,
        "id": [None if claim.id is None else (claim.corpus, claim.id) for claim in claims],
        "event": [None if claim.event is None else (claim.corpus, claim.event) for claim in claims],
    }


def _joined(key_lists: Iterable[Sequence[Hashable]], rows: int) -> NDArray[np.int64]:
    """Unit number of each row: rows with a common key are joined, and joins are transitive. Shape: (rows,)"""
    edges = []
    for keys in key_lists:
        first: dict[Hashable, int] = {}
        edges += [(first.setdefault(key, row), row) for row, key in enumerate(keys) if key is not None]
    left, right = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(edges), dtype=bool), (left, right)), shape=(rows, rows))
    units: NDArray[np.int64] = connected_components(graph, directed=False)[1]
    return units


def _units(claims: Sequence[Claim], numbers: NDArray[np.int64]) -> list[_Unit]:
    members: dict[int, list[int]] = defaultdict(list)
    for row, number in enumerate(numbers.tolist()):
        members[number].append(row)
    units = []
    for rows in members.values():
        strata = Counter((claims[row].corpus or "", claims[row].label or "") for row in rows)
        corpora = Counter(claims[row].corpus or "" for row in rows)
        # Sorted, for a sum of floats depends on its order and a tie may hang on the last bit.
        levels = tuple(sorted(strata.items())), tuple(sorted(corpora.items())), ((None, len(rows)),)
        name = min(f"{claims[row].corpus}\0{claims[row].id}\0{claims[row].claim}" for row in rows)
        units.append(_Unit(tuple(rows), name, levels))
    return units


def _by_need(units: Sequence[_Unit], shares: Mapping[Split, float], seed: int) -> list[Split]:
    """Each unit in turn goes to the split that lacks most of what it brings; the turn is drawn by a keyed hash.

    Need is (target - current) / target in the unit's (corpus, label) cells, averaged over its rows; a split that has
    none of them yet needs 1. Ties fall to the need within the corpus, then over all, then to the order of SPLITS, so
    with four units in a corpus every split gets one of them (Sechidis et al. 2011 stratify rows in this way).
    """
    rows_of: Counter[Hashable] = Counter()
    for unit in units:
        for cells in unit.levels:
            rows_of.update(dict(cells))
    placed: Counter[tuple[Hashable, Split]] = Counter()

    def need(name: Split, cells: _Cells) -> float:
        lacking = sum(rows * (1 - placed[cell, name] / (shares[name] * rows_of[cell])) for cell, rows in cells)
        return lacking / sum(rows for _, rows in cells)

    def is_big(unit: _Unit) -> bool:
        return any(rows > rows_of[corpus] / 2 for corpus, rows in unit.levels[1])

    draw = {unit.name: blake2b(f"{seed}\0{unit.name}".encode(), digest_size=16).digest() for unit in units}
    chosen: dict[int, Split] = {}
    # The big come first: train is theirs already, and what follows must know that it is served.
    for place in sorted(range(len(units)), key=lambda u: (not is_big(units[u]), draw[units[u].name], units[u].name)):
        unit = units[place]
        if is_big(unit) and "train" in shares:
            best: Split = "train"
        else:
            best = max(shares, key=lambda name: tuple(need(name, cells) for cells in unit.levels))
        chosen[place] = best
        for cells in unit.levels:
            for cell, rows in cells:
                placed[cell, best] += rows
    return [chosen[place] for place in range(len(units))]


def _by_time(units: Sequence[_Unit], claims: Sequence[Claim], shares: Mapping[Split, float]) -> list[Split]:
    """Units by their latest date, cut at the quantiles of the rows; units of one date are never parted.

    Every split gets at least one date where there are enough of them.
    """
    latest = [max(_first_day(claims[row].date) for row in unit.rows) for unit in units]
    rows_on: Counter[str] = Counter()
    for unit, day in zip(units, latest, strict=True):
        rows_on[day] += len(unit.rows)
    days = sorted(rows_on)
    rows_before = np.cumsum([0, *(rows_on[day] for day in days)])
    split_of_day: dict[str, Split] = {}
    begin, share = 0, 0.0
    for splits_left, (name, fraction) in zip(range(len(shares) - 1, -1, -1), shares.items(), strict=True):
        share += fraction
        end = int(np.abs(rows_before - share * len(claims)).argmin()) if splits_left else len(days)
        if len(days) >= len(shares):
            end = min(max(end, begin + 1), len(days) - splits_left)
        end = max(end, begin)
        split_of_day.update(dict.fromkeys(days[begin:end], name))
        begin = end
    return [split_of_day[day] for day in latest]


def _first_day(date: str | None) -> str:
    """YYYY and YYYY-MM as their first day, so that dates compare as text."""
    return "" if date is None else date + "-01-01"[len(date) - 4 :]


def _straddling(keys: Sequence[Hashable], assignment: Sequence[str]) -> list[tuple[int, int]]:
    """For each key in two splits, its first row and the first row elsewhere."""
    if len(assignment) != len(keys):
        raise ValueError(f"expected one split per claim, found {len(assignment)} for {len(keys)}")
    first: dict[Hashable, int] = {}
    pairs: dict[Hashable, tuple[int, int]] = {}
    for row, key in enumerate(keys):
        if key is not None and assignment[first.setdefault(key, row)] != assignment[row]:
            pairs.setdefault(key, (first[key], row))
    return list(pairs.values())


def _row_name(claims: Sequence[Claim], row: int) -> str:
    """The id, or the place in the sequence (from 0) where there is none."""
    identifier = claims[row].id
    return f"claims[{row}]" if identifier is None else repr(identifier)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {label}" for label, count in sorted(counts.items())) or "nothing"
