"""Models that are to be compared: the same test rows for all of them, in one order, or the reason why not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from claimsieve.comparison.paired import Integers
from claimsieve.comparison.tested import Tested
from claimsieve.errors import DataError
from claimsieve.evaluation.metrics import Booleans, Floats, one_hot
from claimsieve.records import Label

Unit = Literal["claim", "event"]  # what is drawn as one
RunKey = tuple[int, str]  # seed and fold

_SAME_SPLIT = "Train them on the same corpora, with the same split and the same seeds."


@dataclass(frozen=True, slots=True)
class Contestant:
    """A config under a name of its own, with what it said on each of its seeds and folds."""

    name: str
    runs: tuple[Tested, ...]


@dataclass(frozen=True, slots=True)
class Matched:
    """The rows of all runs one after another, in the same order for every contestant.

    names: in alphabetical order. probabilities: Shape (contestants, n, 3). truth: one-hot, Shape (n, 3). seeds: of each
    row, None where the contestants are single runs, whose seeds may differ. test_to_train: test rows of a seed / rows
    that it was trained on, None where that is not known.
    """

    names: tuple[str, ...]
    probabilities: Floats
    truth: Booleans
    ids: tuple[str, ...]
    claims: tuple[str, ...]
    labels: tuple[Label, ...]
    corpora: tuple[str | None, ...]
    events: tuple[str | None, ...]
    seeds: tuple[int | None, ...]
    folds: tuple[str | None, ...]
    test_to_train: float | None

    def units(self, unit: Unit) -> Integers:
        """Number of each row's unit, from 0; a row without an event is a unit of its own. Shape: (n,)"""
        if unit == "claim":
            return numbered(self.ids)
        told = zip(self.ids, self.corpora, self.events, strict=True)
        return numbered([("claim", row) if event is None else ("event", corpus, event) for row, corpus, event in told])

    def seed_rows(self) -> dict[int, Integers]:
        """Row numbers by seed, the smallest first; {} where there is but one."""
        found = sorted({seed for seed in self.seeds if seed is not None})
        of_row = np.array([-1 if seed is None else seed for seed in self.seeds])
        return {seed: np.flatnonzero(of_row == seed) for seed in found} if len(found) > 1 else {}


def match(contestants: Sequence[Contestant]) -> Matched:
    """Bring the rows of all contestants into one order.

    Raises DataError when there are fewer than two, two of one name, other seeds or folds, or other test rows.
    """
    _check_names(contestants)
    ordered = sorted(contestants, key=lambda one: one.name)
    single = all(len(one.runs) == 1 for one in ordered)
    runs = [_by_key(one, single=single) for one in ordered]
    _check_keys(ordered, runs)
    keys = sorted(runs[0])
    _check_rows(ordered, runs, keys)
    model = [runs[0][key] for key in keys]
    aligned = [[_sorted_probabilities(found[key]) for key in keys] for found in runs]
    orders = [_order(run) for run in model]
    rows = [(run, row) for run, order in zip(model, orders, strict=True) for row in order]
    labels = tuple(run.labels[row] for run, row in rows)
    return Matched(
        names=tuple(one.name for one in ordered),
        probabilities=np.stack([np.concatenate(parts) for parts in aligned]),
        truth=one_hot(labels),
        ids=tuple(run.ids[row] for run, row in rows),
        claims=tuple(run.claims[row] for run, row in rows),
        labels=labels,
        corpora=tuple(run.corpora[row] for run, row in rows),
        events=tuple(run.events[row] for run, row in rows),
        seeds=tuple(None if single else run.seed for run, _ in rows),
        folds=tuple(run.fold for run, _ in rows),
        test_to_train=_test_to_train(ordered),
    )


def numbered(keys: Sequence[object]) -> Integers:
    """The same number, from 0, for the same key, by first occurrence. Shape: (n,)"""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _check_names(contestants: Sequence[Contestant]) -> None:
    if len(contestants) < 2:
        raise DataError(f"expected two models or more to compare, found {len(contestants)}. Name another one.")
    doubled = [name for name, count in Counter(one.name for one in contestants).items() if count > 1]
    if doubled:
        raise DataError(f"expected each model once, found {', '.join(doubled)} twice. Leave one of the two out.")
    if empty := [one.name for one in contestants if not one.runs]:
        raise DataError(f"expected one run or more of each model, found none of {', '.join(empty)}. Train it first.")


def _by_key(contestant: Contestant, *, single: bool) -> dict[RunKey, Tested]:
    found: dict[RunKey, Tested] = {}
    for run in contestant.runs:
        key = (0, "") if single else (run.seed, run.fold or "")
        if key in found:
            raise DataError(
                f"{contestant.name}: expected one run per seed and fold, found two of {_key_name(key)}. "
                "Leave one of the two out."
            )
        doubled = [row for row, count in Counter(run.ids).items() if count > 1]
        if doubled:
            raise DataError(
                f"{contestant.name}: expected each id once among the test rows, found {len(doubled):,} twice or more: "
                f"{', '.join(doubled[:3])}. Give each claim an id of its own and train again."
            )
        found[key] = run
    return found


def _check_keys(contestants: Sequence[Contestant], runs: Sequence[dict[RunKey, Tested]]) -> None:
    for one, found in zip(contestants[1:], runs[1:], strict=True):
        if only := sorted(found.keys() ^ runs[0].keys()):
            has, lacks = (one, contestants[0]) if only[0] in found else (contestants[0], one)
            raise DataError(
                f"expected the same seeds and folds of every model, found {_key_name(only[0])} of {has.name} but not "
                f"of {lacks.name}{f', and {len(only) - 1:,} more such' if len(only) > 1 else ''}. {_SAME_SPLIT}"
            )


def _check_rows(
    contestants: Sequence[Contestant], runs: Sequence[dict[RunKey, Tested]], keys: Sequence[RunKey]
) -> None:
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, found in enumerate(runs):
        groups.setdefault(tuple(found[key].rows_digest for key in keys), []).append(number)
    if len(groups) == 1:
        return
    listed = " | ".join(", ".join(contestants[number].name for number in group) for group in groups.values())
    (first, *_), (second, *_), *_ = groups.values()
    key = next(key for key in keys if runs[first][key].rows_digest != runs[second][key].rows_digest)
    place = f" ({_key_name(key)})" if len(keys) > 1 else ""
    names = (contestants[first].name, contestants[second].name)
    raise DataError(
        f"expected the same test rows for every model, found {len(groups)} sets of them: {listed}. "
        f"{names[0]} and {names[1]}{place}: {_told_apart(runs[first][key], runs[second][key], names)}"
    )


def _told_apart(first: Tested, second: Tested, names: tuple[str, str]) -> str:
    """How two sets of test rows differ, and what to do."""
    one, other = _rows_by_id(first), _rows_by_id(second)
    both = one.keys() & other.keys()
    texts, labels, corpora = (sum(one[row][part] != other[row][part] for row in both) for part in range(3))
    counts = f"{len(both):,} ids in both, {len(one) - len(both):,} only in {names[0]}, "
    counts += f"{len(other) - len(both):,} only in {names[1]}"
    for count, what in ((texts, "another text"), (labels, "another label"), (corpora, "another corpus")):
        counts += f", {count:,} of those in both with {what}" if count else ""
    if texts or corpora:
        return f"{counts}. These are other data, or another version of them. Train both on the same corpora."
    if labels:
        return (
            f"{counts}. The labels come from other maps of the ratings. Train both with the same data.maps and recipes."
        )
    seeds = f" (theirs are {first.seed} and {second.seed})" if first.seed != second.seed else ""
    return f"{counts}. {_SAME_SPLIT[:-1]}{seeds}; data.split.seed fixes the split for every seed."


def _rows_by_id(run: Tested) -> dict[str, tuple[str, str, str | None]]:
    return dict(zip(run.ids, zip(run.claims, run.labels, run.corpora, strict=True), strict=True))


def _key_name(key: RunKey) -> str:
    return f"seed {key[0]}" + (f", {key[1]} held out" if key[1] else "")


def _order(run: Tested) -> list[int]:
    return sorted(range(len(run.ids)), key=run.ids.__getitem__)


def _sorted_probabilities(run: Tested) -> Floats:
    return np.asarray(run.probabilities, dtype=np.float64)[_order(run)]


def _test_to_train(contestants: Sequence[Contestant]) -> float | None:
    """Mean over the contestants' seeds, the folds of a seed taken together."""
    ratios = []
    for one in contestants:
        for seed in sorted({run.seed for run in one.runs}):
            folds = [run for run in one.runs if run.seed == seed]
            trained = [run.train_rows for run in folds if run.train_rows is not None]
            if len(trained) < len(folds):
                return None
            ratios.append(sum(len(run.ids) for run in folds) / float(np.mean(trained)))
    return float(np.mean(ratios))
