"""Cut a corpus into train, valid, calibration and test without letting a story or a text stand on two sides."""

from calendar import monthrange
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from math import isclose
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from claimsieve.data.leaks import (
    GROUPS,
    HELD_OUT,
    NOWHERE,
    SPLITS,
    Split,
    check_splits,
    cluster_numbers,
    id_of,
    row_name,
    source_of,
)
from claimsieve.data.units import Unit, by_hash, by_time, units_of
from claimsieve.errors import ConfigError, DataError
from claimsieve.problems import did_you_mean
from claimsieve.records import Claim

By = Literal["group", "source", "time", "random", "corpus"]


def split(
    claims: Sequence[Claim],
    clusters: ArrayLike,
    *,
    by: By,
    fractions: Mapping[str, float],
    seed: int,
    gap_days: int = 0,
    hold_out: str | Sequence[str] | None = None,
    allow_group_leak: bool = False,
    before: Sequence[Split | None] = (),
) -> NDArray[np.str_]:
    """Give each claim the name of its split.

    clusters: near-duplicate cluster of each claim (see `duplicates.cluster`). Shape: (n,). Clusters and ids are never
        cut, whatever the way to split.
    by: "group" keeps every event of a corpus in one split and balances labels within each corpus; "source" keeps every
        source in one split, over all corpora, and lets events be cut (a row without a source goes by its event);
        "time" keeps events, and puts the oldest in train and the latest in test; "random" lets events be cut, and is
        refused when it does cut one; "corpus" holds one out, and splits the rest as "group" does.
    fractions: share of the rows per split, in [0, 1], sum 1; a split that is left out gets nothing.
    seed: another seed, another draw (not for "time"). The row order never matters, and rows that are added later leave
        nearly all the others where they were.
    gap_days: for "time", days that must lie between a row and the last day of the split before its own. Rows that are
        nearer, or older, are in no split and get the empty name.
    hold_out: the event (for "source" the source, for "corpus" the corpus) that is the whole of test, or several; the
        rest fills the other splits, but for rows of other groups that a near-duplicate ties to them, which get the
        empty name.
    allow_group_leak: accept that "random" cuts events; without it a cut event raises LeakError.
    before: the split that each claim had when the model was trained that this training starts from, None for those that
        it has not met. Shape: (n,), or empty. They stay there, with all that must stay with them; where the way to
        split wants them in a later one, they get the empty name: what was learnt from is never asked.
    Returns split names. Shape: (n,). Raises ConfigError for wrong settings, DataError for missing dates.
    """
    shares = _shares(fractions)
    if by not in get_args(By):
        raise ConfigError(f"data.split.by: expected one of {', '.join(get_args(By))}, found {by!r}")
    if by == "time":
        _need_dates(claims)
    if by == "source" and claims and not any(source_of(claim) for claim in claims):
        raise DataError(
            "expected sources on the claims to split by source, found none. Map a source in the recipe, or split by "
            "group instead: data.split.by: group"
        )
    keys: list[Sequence[Hashable]] = [cluster_numbers(claims, clusters), [id_of(claim) for claim in claims]]
    if by == "corpus" and hold_out is None:
        raise ConfigError("data.split.by: corpus: expected the name of a corpus in data.split.hold_out, or each.")
    units = units_of(claims, keys, [GROUPS[by](claim) for claim in claims] if by in GROUPS else [])
    known = _known(units, before)
    if by == "time":
        split_of_unit = by_time(units, [last_day(claim.date or "") for claim in claims], shares)
    elif hold_out is None:
        split_of_unit = _drawn(units, claims, shares, seed, known=known)
    else:
        wanted = _wanted(claims, by=by, names=[hold_out] if isinstance(hold_out, str) else hold_out)
        split_of_unit = _held_out(units, claims, shares, seed, by=by, wanted=wanted, known=known)
    assignment = np.full(len(claims), NOWHERE, dtype=f"<U{max(map(len, SPLITS))}")
    for unit, name in zip(units, split_of_unit, strict=True):
        had = known.get(unit)
        if had is None or SPLITS.index(name) <= SPLITS.index(had):
            assignment[list(unit.rows)] = name
    if by == "time":
        _open_gap(assignment, claims, gap_days)
    if hold_out is not None:
        # What a near-duplicate ties to the group that is held out is not of it, and must not be in train either.
        others = [row for row, claim in enumerate(claims) if HELD_OUT[by](claim) not in wanted]
        assignment[others] = np.where(assignment[others] == "test", NOWHERE, assignment[others])
    check_splits(claims, clusters, assignment, allow_group_leak=allow_group_leak or by == "source")
    return assignment


def folds(
    claims: Sequence[Claim],
    clusters: ArrayLike,
    *,
    by: By = "group",
    fractions: Mapping[str, float],
    seed: int,
    before: Sequence[Split | None] = (),
) -> Iterator[tuple[str, NDArray[np.str_]]]:
    """Leave one group out: each event (for "source" each source, for "corpus" each corpus) in turn is all of test.

    Yields its name and the split names, shape (n,), in the order of the names. Rows without one are never in test.
    """
    for name in groups(claims, by=by):
        yield name, split(claims, clusters, by=by, fractions=fractions, seed=seed, hold_out=name, before=before)


def groups(claims: Sequence[Claim], *, by: By = "group") -> dict[str, Hashable]:
    """Name → key of the events (for "source" of the sources, for "corpus" of the corpora) of the claims, by name.

    An event whose name stands in several corpora is called corpus/event.
    """
    key_of = HELD_OUT[by]
    found: dict[Hashable, str] = {}
    for claim in claims:
        name = {"source": claim.source, "corpus": claim.corpus}.get(by, claim.event)
        if name is not None and key_of(claim) is not None and (by != "source" or source_of(claim)):
            key = key_of(claim)
            found[key] = min(name, found.get(key, name))
    twice = {name for name, count in Counter(found.values()).items() if count > 1}
    named = {_full_name(key, name) if name in twice else name: key for key, name in found.items()}
    return dict(sorted(named.items()))


def _full_name(key: Hashable, name: str) -> str:
    return f"{key[0]}/{name}" if isinstance(key, tuple) else name


def _wanted(claims: Sequence[Claim], *, by: By, names: Sequence[str]) -> set[Hashable]:
    """The keys of the groups of these names. Raises ConfigError when there is none of a name."""
    known = groups(claims, by=by)
    spelt = {other.casefold(): other for other in known}
    wanted = set()
    for name in names:
        key = known.get(name, known.get(spelt.get(name.casefold(), "")))
        if key is None:
            what = {"source": "a source", "corpus": "a corpus"}.get(by, "an event")
            some = f"{', '.join(list(known)[:10])}{', ...' if len(known) > 10 else ''}"
            raise ConfigError(
                f"data.split.hold_out: expected the name of {what}, found '{name}'."
                f"{did_you_mean(name, list(known))} Known: {some}."
            )
        wanted.add(key)
    return wanted


def _known(units: Sequence[Unit], before: Sequence[Split | None]) -> dict[Unit, Split]:
    """Units with claims that had a split before: the earliest of theirs, as what was learnt from binds most."""
    found = {}
    for unit in units if before else []:
        names = {name for name in (before[row] for row in unit.rows) if name is not None}
        if names:
            found[unit] = min(names, key=SPLITS.index)
    return found


def _drawn(
    units: Sequence[Unit],
    claims: Sequence[Claim],
    shares: Mapping[Split, float],
    seed: int,
    *,
    known: Mapping[Unit, Split],
) -> list[Split]:
    """By hash those that are new; the others stay where they were, or learn where there is no such split."""
    placed = iter(by_hash([unit for unit in units if unit not in known], claims, shares, seed))
    return [(known[unit] if known[unit] in shares else "train") if unit in known else next(placed) for unit in units]


def _held_out(
    units: Sequence[Unit],
    claims: Sequence[Claim],
    shares: Mapping[Split, float],
    seed: int,
    *,
    by: By,
    wanted: set[Hashable],
    known: Mapping[Unit, Split],
) -> list[Split]:
    held = [any(HELD_OUT[by](claims[row]) in wanted for row in unit.rows) for unit in units]
    others = {split_name: share for split_name, share in shares.items() if split_name != "test"}
    total = sum(others.values())
    rest = [unit for unit, out in zip(units, held, strict=True) if not out]
    placed = iter(_drawn(rest, claims, {name: share / total for name, share in others.items()}, seed, known=known))
    return ["test" if out else next(placed) for out in held]


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
        shown = ", ".join(row_name(claims, row) for row in missing[:5])
        raise DataError(
            f"expected a date on every claim to split by time, found {len(missing):,} of {len(claims):,} without one: "
            f"{shown}. Map a date in the recipe, drop these claims, or split by group instead: data.split.by: group"
        )


def first_day(day: str) -> str:
    """YYYY and YYYY-MM as their first day."""
    return day + "-01-01"[len(day) - 4 :]


def last_day(day: str) -> str:
    """YYYY and YYYY-MM as their last day."""
    if len(day) == len("YYYY"):
        return f"{day}-12-31"
    return day if len(day) > len("YYYY-MM") else f"{day}-{monthrange(int(day[:4]), int(day[5:]))[1]}"


def _open_gap(assignment: NDArray[np.str_], claims: Sequence[Claim], gap_days: int) -> None:
    """Take out of every split the rows that are not surely later than the split before it by more than `gap_days`."""
    firsts = np.array([first_day(claim.date or "") for claim in claims])
    lasts = np.array([last_day(claim.date or "") for claim in claims])
    for before, after in pairwise(SPLITS):
        earlier = np.isin(assignment, SPLITS[: SPLITS.index(before) + 1])
        inside = assignment == after
        if not earlier.any() or not inside.any():
            continue
        last = date.fromisoformat(max(lasts[earlier].tolist()))
        try:
            first = (last + timedelta(days=gap_days + 1)).isoformat()
        except OverflowError:
            raise ConfigError(f"data.split.gap_days: expected a number of days, found {gap_days:,}") from None
        assignment[inside & (firsts < first)] = NOWHERE
        if not (assignment == after).any():
            raise DataError(
                f"expected rows in {after} more than {gap_days} days after {last}, found none. Shorten the gap "
                "(data.split.gap_days), or give the splits other shares."
            )
