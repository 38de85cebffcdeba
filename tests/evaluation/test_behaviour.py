"""Behaviour: a reader that knows is right, one that does not look is not, and what is written is read back."""

import json
from dataclasses import replace

import numpy as np
import pytest

from claimsieve.errors import DataError
from claimsieve.evaluation.behaviour import (
    STANDING,
    Tally,
    behave,
    from_json,
    headline,
    summary_metrics,
    table,
    to_json,
    variations,
)
from claimsieve.evaluation.conformal import exact_share
from claimsieve.records import LABELS

SHOWN = variations()
TRUE = [variation.claim.label for variation in SHOWN]


def says(labels):
    """Probabilities of a reader that is quite sure of these labels."""
    return np.full((len(labels), 3), 0.1) + 0.7 * np.eye(3)[[LABELS.index(label) for label in labels]]


@pytest.fixture(scope="module")
def by_chance():
    draw = np.random.default_rng(1)
    return behave(draw.dirichlet(np.ones(3), len(SHOWN)), SHOWN)


def test_the_shipped_variations_are_read_whole():
    assert len(SHOWN) >= 72
    assert {variation.claim.event for variation in SHOWN} >= set(STANDING)
    ids = [variation.claim.id for variation in SHOWN]
    assert len(set(ids)) == len(ids)
    assert {variation.same_as for variation in SHOWN} - {None} < set(ids)


def test_a_reader_that_knows_is_right_in_all():
    found = behave(says(TRUE), SHOWN)
    assert (found.right.value, found.right.high) == (1, 1)
    assert found.right.low == exact_share(len(SHOWN), len(SHOWN)).low < 1  # all right, and yet not certain
    assert found.pairs.right == found.pairs.n > 0
    assert found.disagreements == ()
    assert all(tally.right == tally.n for tally in [*found.kinds.values(), *found.groups.values()])


@pytest.mark.parametrize("label", LABELS)
def test_a_reader_that_always_says_the_same_is_right_in_less_than_two_of_five(label):
    found = behave(says([label] * len(SHOWN)), SHOWN)
    assert found.right.value < 0.4
    assert found.pairs.right == found.pairs.n


def test_without_evidence_everything_counts_but_verified():
    for label, right in (("verified", False), ("unverified", True), ("propaganda", True)):
        tally = behave(says([label] * len(SHOWN)), SHOWN).kinds["withheld"]
        assert tally.right == tally.n * right


def test_one_changed_answer_breaks_its_pair_and_no_other():
    labels = list(TRUE)
    place = next(row for row, variation in enumerate(SHOWN) if variation.kind == "order")
    labels[place] = next(label for label in LABELS if label != TRUE[place])
    found = behave(says(labels), SHOWN)
    [pair] = found.disagreements
    assert (pair.id, pair.kind, pair.same_as) == (SHOWN[place].claim.id, "order", SHOWN[place].same_as)
    assert (pair.label, pair.label_of_same) == (labels[place], TRUE[place])
    assert found.pairs == Tally(found.pairs.n - 1, found.pairs.n)
    assert found.kinds["order"].right == found.kinds["order"].n - 1


def test_the_interval_is_no_narrower_than_one_that_knows_of_the_groups_and_one_that_does_not(by_chance):
    exact = exact_share(sum(answer.right for answer in by_chance.answers), by_chance.n)
    assert by_chance.right.low <= exact.low < exact.value == by_chance.right.value < exact.high <= by_chance.right.high
    # All of half the groups right, none of the others: rows alone would know it far too well.
    groups = sorted({variation.claim.event for variation in SHOWN})
    known = set(groups[::2])
    wrong = {"verified": "propaganda", "unverified": "verified", "propaganda": "verified"}
    labels = [v.claim.label if v.claim.event in known else wrong[v.claim.label] for v in SHOWN]
    found = behave(says(labels), SHOWN)
    exact = exact_share(sum(answer.right for answer in found.answers), found.n)
    assert found.right.high - found.right.low > 1.5 * (exact.high - exact.low)


def test_the_parts_count_the_same_answers(by_chance):
    right = sum(answer.right for answer in by_chance.answers)
    assert by_chance.n == len(by_chance.answers) == len(SHOWN)
    for tallies in (by_chance.kinds, by_chance.groups):
        assert sum(tally.n for tally in tallies.values()) == by_chance.n
        assert sum(tally.right for tally in tallies.values()) == right
    assert by_chance.right.value == right / by_chance.n
    assert len(by_chance.disagreements) == by_chance.pairs.n - by_chance.pairs.right > 0


def test_it_is_read_back_as_it_was(by_chance):
    assert from_json(json.loads(json.dumps(to_json(by_chance), allow_nan=False))) == by_chance


@pytest.mark.parametrize(
    "change",
    [
        {"answers": []},
        {"answers": [{}]},
        {"answers": "none"},
        {"right": None},
        {"right": {"value": 1, "low": "0", "high": 1}},
    ],
)
def test_other_documents_are_refused(by_chance, change):
    with pytest.raises(DataError, match="expected behaviour as claimsieve writes it"):
        from_json(to_json(by_chance) | change)


@pytest.mark.parametrize(
    "change",
    [
        {"label": "true"},
        {"evidence": "a text"},
        {"expected": ["false"]},
        {"claim": 3},
        {"probabilities": {"verified": 1.0}},
        {"same_as": "nobody"},
    ],
)
def test_an_answer_with_a_part_wrong_is_refused(by_chance, change):
    first, *others = to_json(by_chance)["answers"]
    with pytest.raises(DataError, match="expected behaviour as claimsieve writes it"):
        from_json(to_json(by_chance) | {"answers": [first | change, *others]})


def test_probabilities_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="expected probabilities of shape"):
        behave(says(TRUE)[:-1], SHOWN)
    with pytest.raises(ValueError, match="at least one variation"):
        behave(np.empty((0, 3)), [])


def test_table_headline_and_metrics_say_the_same(by_chance):
    share = by_chance.right
    rows = table(by_chance)
    assert rows[-1] == ["overall [95 %]", str(by_chance.n), f"{share.value:.1%} [{share.low:.1%}, {share.high:.1%}]"]
    assert {row[0] for row in rows} >= set(by_chance.kinds)
    assert f"{by_chance.pairs.right} of {by_chance.pairs.n} pairs" in headline(by_chance)
    metrics = summary_metrics(by_chance)
    assert (metrics["right"], metrics["right_low"], metrics["right_high"]) == (share.value, share.low, share.high)
    assert metrics["pairs_one_label"] == by_chance.pairs.right / by_chance.pairs.n


def test_variations_that_stand_alone_have_no_pairs():
    alone = [replace(variation, same_as=None) for variation in SHOWN]
    found = behave(says(TRUE), alone)
    assert found.pairs == Tally(0, 0)
    assert "pairs_one_label" not in summary_metrics(found)
