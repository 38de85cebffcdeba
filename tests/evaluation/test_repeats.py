"""Means over seeds: the p values that go with the intervals. The interval itself is tested with the studies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from claimsieve.evaluation.repeats import combined, difference_over_seeds, over_seeds


def p_over_seeds(values, *, test_to_train):
    return difference_over_seeds(values, row_error=0.0, test_to_train=test_to_train)[1]


def over_shared_rows(values, *, row_error):
    return difference_over_seeds(values, row_error=row_error, test_to_train=0.0)


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


def test_three_seeds_with_splits_of_their_own_keep_below_the_nominal_rate_whatever_the_luck_of_training():
    generator = np.random.default_rng(1)
    trials, seeds, row = 2_000, 3, 0.02
    for training in (0.0, 0.02, 0.08):
        drawn = generator.normal(0, row, (trials, seeds)) + generator.normal(0, training, (trials, seeds))
        error = row / seeds**0.5
        p_values = [difference_over_seeds(one.tolist(), row_error=error, test_to_train=0.3)[1] for one in drawn]
        found = sum(p < 0.05 for p in p_values)
        assert stats.binomtest(found, trials, 0.05, alternative="greater").pvalue > 0.01


def test_rows_and_seeds_together_see_a_difference_that_so_few_seeds_alone_do_not():
    generator = np.random.default_rng(2)
    drawn = 0.08 + generator.normal(0, 0.02, (500, 3))
    both, alone = (
        np.mean([difference_over_seeds(one.tolist(), row_error=error, test_to_train=0.3)[1] < 0.05 for one in drawn])
        for error in (0.02 / 3**0.5, 0.0)
    )
    assert both > alone + 0.05


def test_parts_are_combined_by_name_with_mean_scatter_and_an_interval_no_narrower_than_theirs():
    parts = [
        {"test/macro_f1": 0.5, "test/macro_f1_low": 0.4, "test/macro_f1_high": 0.6, "test/ece": 0.1, "only/here": 1.0},
        {"test/macro_f1": 0.5, "test/macro_f1_low": 0.3, "test/macro_f1_high": 0.7, "test/ece": 0.3},
    ]
    found = combined(parts, test_to_train=0.2)
    assert found["test/ece"] == pytest.approx(0.2)
    assert found["test/ece_std"] == pytest.approx(np.std([0.1, 0.3], ddof=1), abs=1e-6)
    assert (found["test/macro_f1_low"], found["test/macro_f1_high"]) == pytest.approx((0.35, 0.65))
    assert "only/here" not in found
    apart = [
        {"margin": 0.2, "margin_low": 0.2, "margin_high": 0.2},
        {"margin": 0.4, "margin_low": 0.4, "margin_high": 0.4},
    ]
    assert combined(apart, test_to_train=0.2)["margin_low"] < 0.0


def test_intervals_end_where_their_metric_does():
    for name, low, high in (
        ("test/macro_f1", 0.0, 1.0),
        ("x/flags_per_10_000", 0.0, 10_000.0),
        ("p/margin_over", -1.0, 1.0),
    ):
        parts = [{name: value, f"{name}_low": value, f"{name}_high": value} for value in (low, high)]
        found = combined(parts, test_to_train=0.3)
        assert (found[f"{name}_low"], found[f"{name}_high"]) == (low, high)
