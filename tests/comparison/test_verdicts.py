"""Words that fit the numbers, above all where interval and verdict seem to disagree."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimsieve.comparison.records import McNemar, Pair, Repeats, Standing
from claimsieve.comparison.verdicts import Facts, judged, verdict
from claimsieve.evaluation.evaluate import Estimate

FACTS = Facts(claims=900, unit="claim", units=900, seeds=1, events=0, train_rows_known=True)


def pair(value=0.03, *, low=0.01, p=0.01, seeds_p=None, second="b"):
    span = Estimate(value, low, 2 * value - low)
    seeds = None if seeds_p is None else Repeats((0, 1), (value, value), span, 0.0, seeds_p, False)
    one_p = p if seeds_p is None else max(p, seeds_p)
    counts = McNemar(9, 5, 0.4, 0.4)
    return Pair("a", second, span, p, seeds, one_p, one_p, False, "", counts, 9, 5)


@given(
    st.lists(st.tuples(st.floats(0.001, 0.2), st.floats(-0.1, 0.1), st.floats(0, 1)), min_size=1, max_size=5),
    st.none() | st.floats(0, 1),
)
def test_a_verdict_that_the_interval_alone_would_not_give_is_explained(rows, seeds_p):
    pairs = [pair(value, low=value - abs(half), p=p, seeds_p=seeds_p) for value, half, p in rows]
    for one in judged(pairs, alpha=0.05):
        outside = one.difference.low > 0 or one.difference.high < 0
        assert bool(one.note) == (one.sure != outside)
        assert one.sure == (one.p_adjusted < 0.05)


@pytest.mark.parametrize(
    ("one", "others", "words"),
    [
        (pair(low=-0.001, p=0.04), 0, "the interval reaches 0, but swaps by chance .* in only 4.0% of cases"),
        (pair(p=0.051), 0, "the interval leaves 0 out, but swaps by chance make such a difference in 5.1% of cases"),
        (pair(p=0.001, seeds_p=0.2), 0, r"over 2 seeds it is not: \+0\.030 \[\+0\.010, \+0\.050\]"),
        (pair(p=0.03), 2, "p = 0.030 by itself, 0.090 corrected for 3 pairs"),
    ],
)
def test_the_explanation_names_what_decided(one, others, words):
    found = judged([one, *[pair(p=0.5)] * others], alpha=0.05)[0]
    assert re.search(words, found.note)


def test_rows_and_seeds_have_to_agree_on_who_is_ahead():
    one = pair(p=0.001, seeds_p=0.001)
    opposed = replace(one, seeds=replace(one.seeds, mean=Estimate(-0.02, -0.03, -0.01)))
    assert [found.sure for found in judged([one, opposed], alpha=0.05)] == [True, False]


def test_what_the_numbers_cannot_know_is_said():
    standings = [Standing(name, 1, *[Estimate(0.5, 0.4, 0.6)] * 3, {}) for name in "ab"]
    pairs = judged([pair()], alpha=0.05)
    assert "the luck of training is not in the intervals" in verdict(standings, pairs, FACTS).caveats[0]
    assert verdict(standings, pairs, replace(FACTS, seeds=3)).caveats == ()
    assert "cautious guess" in verdict(standings, pairs, replace(FACTS, seeds=3, train_rows_known=False)).caveats[0]
    assert "of 40 events" in verdict(standings, pairs, replace(FACTS, seeds=3, events=40)).caveats[0]
    assert verdict(standings, pairs, replace(FACTS, seeds=3, unit="event", units=40, events=40)).caveats == ()
