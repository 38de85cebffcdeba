"""What can be compared, and what is refused with the reason."""

import numpy as np
import pytest

from claimsieve.comparison import tested as runs  # pytest would take an imported `Tested` for a class of tests
from claimsieve.comparison.contestants import Contestant, match
from claimsieve.errors import DataError
from claimsieve.records import LABELS

N = 12


def run(rows=range(N), *, seed=0, fold=None, order=None, train_rows=None, **changes):
    """Made-up test rows by number; the probabilities tell the number."""
    rows = [list(rows)[place] for place in order] if order is not None else list(rows)
    columns = {
        "ids": [f"own:{row:02}" for row in rows],
        "claims": [f"claim {row}" for row in rows],
        "labels": [LABELS[row % 3] for row in rows],
        "corpora": ["own"] * len(rows),
        "events": [f"event {row // 3}" for row in rows],
    } | changes
    share = np.array(rows) / 100
    probabilities = np.stack([share, 1 - share, 0 * share], axis=1)
    columns = {name: tuple(values) for name, values in columns.items()}
    return runs.Tested(**columns, probabilities=probabilities, seed=seed, fold=fold, train_rows=train_rows)


def pair(first, second):
    return [Contestant("a", tuple(first)), Contestant("b", tuple(second))]


def test_rows_are_brought_into_one_order_whatever_order_they_come_in():
    shuffled = np.random.default_rng(0).permutation(N)
    found = match(
        pair([run(seed=1), run(range(3, 9), seed=0)], [run(range(3, 9), seed=0), run(seed=1, order=shuffled)])
    )
    assert found.names == ("a", "b")
    assert (found.probabilities[0] == found.probabilities[1]).all()
    assert found.ids == tuple(f"own:{row:02}" for row in [*range(3, 9), *range(N)])
    assert found.probabilities[0, :, 0].tolist() == [row / 100 for row in [*range(3, 9), *range(N)]]
    assert {seed: rows.tolist() for seed, rows in found.seed_rows().items()} == {0: [*range(6)], 1: [*range(6, 18)]}


def test_units_are_claims_or_events_of_a_corpus():
    events = ["e", "e", None, None, "e", "f"] * 2
    corpora = ["x"] * 6 + ["y"] * 6
    found = match(pair([run(events=events, corpora=corpora)], [run(events=events, corpora=corpora)]))
    assert found.units("claim").tolist() == list(range(N))
    assert found.units("event").tolist() == [0, 0, 1, 2, 0, 3, 4, 4, 5, 6, 4, 7]


def test_a_claim_tested_under_two_seeds_is_one_unit():
    found = match(pair([run(seed=0), run(seed=1)], [run(seed=0), run(seed=1)]))
    assert found.units("claim").tolist() == [*range(N)] * 2


def test_single_runs_are_matched_whatever_their_seed():
    assert match(pair([run(seed=0)], [run(seed=7)])).seed_rows() == {}


def test_test_rows_are_set_against_train_rows_fold_by_fold():
    folds = [run(range(6), fold="e", train_rows=20), run(range(6, N), fold="f", train_rows=28)]
    assert match(pair(folds, folds)).test_to_train == pytest.approx(N / 24)
    assert match(pair([run(train_rows=24)], [run()])).test_to_train is None


@pytest.mark.parametrize(
    ("contestants", "reason"),
    [
        ([], "two models or more to compare, found 0"),
        ([Contestant("a", (run(),))], "two models or more to compare, found 1"),
        ([*pair([run()], [run()]), Contestant("a", (run(),))], "each model once, found a twice"),
        (pair([run()], []), "one run or more of each model, found none of b"),
        (pair([run(), run(seed=1)], [run()]), "found seed 1 of a but not of b. Train them on the same"),
        (pair([run(), run(seed=1)], [run(), run(seed=2)]), "found seed 1 of a but not of b, and 1 more such"),
        (pair([run(fold="e"), run(fold="f")], [run(fold="e"), run(fold="g")]), "found seed 0, f held out of a but"),
        (pair([run(), run()], [run(), run(seed=1)]), "a: expected one run per seed and fold, found two of seed 0"),
        (pair([run()], [run(ids=["1", "1", *map(str, range(2, N))])]), "b: expected each id once .*found 1 twice"),
        (
            pair([run(seed=0)], [run(range(4, N + 2), seed=1)]),
            r"8 ids in both, 4 only in a, 2 only in b\..*same seeds \(theirs are 0 and 1\); data.split.seed",
        ),
        (
            pair([run()], [run(claims=[f"claim {row}" if row else "changed" for row in range(N)])]),
            r"12 ids in both, 0 only in a, 0 only in b, 1 of those in both with another text\. These are other data",
        ),
        (
            pair([run()], [run(labels=["verified"] * N)]),
            "8 of those in both with another label. The labels come from other maps .*data.maps",
        ),
        (pair([run()], [run(corpora=["other"] * N)]), "12 of those in both with another corpus. These are other data"),
        (
            pair([run(), run(seed=1)], [run(), run(range(N + 1), seed=1)]),
            r"a and b \(seed 1\): 12 ids in both, 0 only in a, 1 only in b",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(contestants, reason):
    with pytest.raises(DataError, match=reason):
        match(contestants)


def test_models_that_could_be_compared_with_one_another_are_named_together():
    names = {"a": run(), "b": run(range(5)), "c": run(), "d": run(range(5))}
    with pytest.raises(
        DataError, match=r"same test rows for every model, found 2 sets of them: a, c \| b, d\. a and b:"
    ):
        match([Contestant(name, (one,)) for name, one in names.items()])
