"""Means over seeds: the p values that go with the intervals. The interval itself is tested with the studies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from claimsieve.evaluation.repeats import over_seeds, over_shared_rows, p_over_seeds

differences = st.lists(st.floats(-0.3, 0.3), min_size=2, max_size=8)


def test_without_overlap_the_p_is_students():
    values = [0.03, 0.01, 0.05, -0.01]
    assert p_over_seeds(values, test_to_train=0.0) == pytest.approx(stats.ttest_1samp(values, 0).pvalue)


@given(differences, st.floats(0, 1))
def test_p_is_below_05_exactly_where_the_interval_leaves_0_out(values, share):
    span, p = over_seeds(values, test_to_train=share, low=-9.0, high=9.0), p_over_seeds(values, test_to_train=share)
    if abs(p - 0.05) > 1e-9:
        assert (p < 0.05) == (span.low > 0 or span.high < 0)


def test_overlap_makes_differences_less_sure():
    p_values = [p_over_seeds([0.03, 0.01, 0.05], test_to_train=share) for share in (0.0, 0.2, 1.0)]
    assert p_values == sorted(p_values)
    assert p_values[0] < p_values[2]


def test_where_seeds_agree_only_the_luck_of_the_rows_is_left():
    span, p = over_shared_rows([0.02, 0.02, 0.02], row_error=0.01)
    assert p == pytest.approx(2 * stats.norm.sf(2))
    assert span.high - span.value == pytest.approx(stats.norm.ppf(0.975) * 0.01)


def test_where_rows_are_plenty_only_the_luck_of_training_is_left():
    values = [0.03, 0.01, 0.05, -0.01]
    span, p = over_shared_rows(values, row_error=0.0)
    expected = stats.ttest_1samp(values, 0)
    assert p == pytest.approx(expected.pvalue)
    assert (span.low, span.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_both_kinds_of_luck_together_keep_the_nominal_rate():
    """Four seeds on shared rows, equals: the mean is off by the rows' luck and by that of training."""
    generator = np.random.default_rng(0)
    trials = 1_000
    rows, training = generator.normal(0, 0.01, (trials, 1)), generator.normal(0, 0.02, (trials, 4))
    p_values = [over_shared_rows(values.tolist(), row_error=0.01)[1] for values in rows + training]
    found = sum(p < 0.05 for p in p_values)
    assert stats.binomtest(found, trials, 0.05).pvalue > 0.01
    alone = int((stats.ttest_1samp(rows + training, 0, axis=1).pvalue < 0.05).sum())
    assert alone > found  # a t test of the seeds does not know of the rows


def test_no_difference_at_any_seed_is_p_one():
    assert p_over_seeds([0.0, 0.0], test_to_train=0.1) == 1.0
    assert over_shared_rows([0.0, 0.0], row_error=0.0)[1] == 1.0
    assert p_over_seeds([0.1, 0.1], test_to_train=0.1) == 0.0
