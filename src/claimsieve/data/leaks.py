"""What two rows may share, and the refusal of a split that puts it on two sides."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from claimsieve.errors import DataError, LeakError
from claimsieve.records import Claim

Split = Literal["train", "valid", "calibration", "test"]

SPLITS: tuple[Split, ...] = get_args(Split)
NOWHERE = ""  # a row that a split by time leaves out, so that a gap stands between before and after

_NEXT_STEPS = {
    "near-duplicate text": "Keep the rows of a cluster together, or drop all but one.",
    "id": "Give every claim an id of its own, or keep rows of one id together.",
    "event": "Split by group instead: data.split.by: group, or allow it and have the run tagged leaky: "
    "data.split.allow_group_leak: true",
}


def event_of(claim: Claim) -> Hashable:
    """Events are a corpus's own: story '1' in two corpora is not one story. None where there is none."""
    return None if claim.event is None else (claim.corpus, claim.event)


def source_of(claim: Claim) -> Hashable:
    """A speaker or outlet is the same in every corpus. None where none is named."""
    return " ".join((claim.source or "").casefold().split()) or None


def id_of(claim: Claim) -> Hashable:
    """Ids are a corpus's own."""
    return None if claim.id is None else (claim.corpus, claim.id)


def source_or_event_of(claim: Claim) -> Hashable:
    return source_of(claim) or event_of(claim)


def corpus_of(claim: Claim) -> Hashable:
    return claim.corpus


# What rows must stay together by, and what can be held out, for each way to split.
GROUPS: dict[str, Callable[[Claim], Hashable]] = {
    "group": event_of,
    "time": event_of,
    "source": source_or_event_of,
    "corpus": event_of,
}
HELD_OUT: dict[str, Callable[[Claim], Hashable]] = {
    "group": event_of,
    "source": source_or_event_of,
    "corpus": corpus_of,
}


def check_splits(
    claims: Sequence[Claim], clusters: ArrayLike, assignment: ArrayLike, *, allow_group_leak: bool = False
) -> None:
    """Raise LeakError when a near-duplicate cluster, an id or an event of one corpus stands in two splits.

    assignment: split name of each claim. Shape: (n,). allow_group_leak: events may be cut.
    """
    numbers = cluster_numbers(claims, clusters)
    names = np.asarray(assignment).tolist()
    keys: dict[str, Sequence[Hashable]] = {"near-duplicate text": numbers, "id": [id_of(claim) for claim in claims]}
    if not allow_group_leak:
        keys["event"] = [event_of(claim) for claim in claims]
    problems = []
    for kind, values in keys.items():
        if pairs := straddling(values, names):
            shown = "; ".join(
                f"{row_name(claims, a)} ({names[a]}) and {row_name(claims, b)} ({names[b]})" for a, b in pairs[:5]
            )
            problems.append(
                f"expected every {kind} in one split, found {len(pairs):,} in two or more: {shown}. {_NEXT_STEPS[kind]}"
            )
    if problems:
        raise LeakError("\n".join(problems))


def check_labels(claims: Sequence[Claim], assignment: ArrayLike) -> None:
    """Raise DataError when train holds fewer than two labels or test holds no labelled claim.

    assignment: split name of each claim. Shape: (n,)
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in (*SPLITS, NOWHERE)}
    for claim, name in zip(claims, np.asarray(assignment), strict=True):
        counts[str(name)][claim.label or "no label"] += 1
    found = "; ".join(f"{name}: {_counted(counts[name])}" for name in SPLITS)
    if len(counts["train"].keys() - {"no label"}) < 2:
        raise DataError(
            f"expected at least two labels in train, found {found}. Check the recipe's label map, or add claims of "
            "another label."
        )
    if not counts["test"].keys() - {"no label"}:
        raise DataError(
            f"expected labelled claims in test, found {found}. Add claims of other events, or raise data.split.test; "
            "claims of one event, and near-duplicates, always go to one split."
        )


def cluster_numbers(claims: Sequence[Claim], clusters: ArrayLike) -> list[Hashable]:
    """The near-duplicate cluster of each claim as a list. Raises ValueError when the lengths differ."""
    numbers: list[Hashable] = np.asarray(clusters).tolist()
    if len(numbers) != len(claims):
        raise ValueError(f"expected one cluster per claim, found {len(numbers)} for {len(claims)}")
    return numbers


def straddling(keys: Sequence[Hashable], assignment: Sequence[str]) -> list[tuple[int, int]]:
    """For each key in two splits, its first row and the first row elsewhere. A key of None matches no other."""
    if len(assignment) != len(keys):
        raise ValueError(f"expected one split per claim, found {len(assignment)} for {len(keys)}")
    first: dict[Hashable, int] = {}
    pairs: dict[Hashable, tuple[int, int]] = {}
    for row, key in enumerate(keys):
        if key is None or assignment[row] == NOWHERE:
            continue
        if assignment[first.setdefault(key, row)] != assignment[row]:
            pairs.setdefault(key, (first[key], row))
    return list(pairs.values())


def row_name(claims: Sequence[Claim], row: int) -> str:
    """The id, or the place in the sequence (from 0) where there is none."""
    identifier = claims[row].id
    return f"claims[{row}]" if identifier is None else repr(identifier)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {label}" for label, count in sorted(counts.items())) or "nothing"
