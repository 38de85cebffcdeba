"""Resamples and swaps by unit, and the p values that rest on them, against scipy and statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from claimsieve.comparison import paired
from claimsieve.evaluation.metrics import macro_f1


def answers(generator, truth, *, right):
    """Labels that are right with this chance, else one of the others."""
    n = len(truth)
    return np.where(generator.random(n) < right, truth, (truth + generator.integers(1, 3, size=n)) % 3)


def two_models(seed, n, *, first=0.7, second=0.6):
    generator = np.random.default_rng(seed)
    truth = generator.integers(3, size=n)
    return truth, answers(generator, truth, right=first), answers(generator, truth, right=second)


def drawn(truth, *models, unit_of=None, resamples=1000, swaps=1999, seed=0):
    cells = np.stack([np.eye(9)[truth * 3 + chosen] for chosen in models], axis=1)
    statistics = cells if unit_of is None else paired.unit_sums(cells, np.asarray(unit_of))
    present = np.bincount(truth, minlength=3) > 0
    return paired.draw(statistics, present=present, resamples=resamples, swaps=swaps, seed=seed)


def f1_of(truth, chosen):
    confusion = np.bincount(truth * 3 + chosen, minlength=9).reshape(3, 3).astype(float)
    return float(macro_f1(confusion, present=np.bincount(truth, minlength=3) > 0))


# --- sums


@given(st.lists(st.integers(0, 8), min_size=1, max_size=40), st.integers(0, 99))
def test_unit_sums_are_the_sums_of_the_units_rows(keys, seed):
    unit_of = np.unique(keys, return_inverse=True)[1]
    rows = np.random.default_rng(seed).random((len(keys), 2, 3))
    expected = [rows[unit_of == unit].sum(axis=0) for unit in range(unit_of.max() + 1)]
    assert paired.unit_sums(rows, unit_of) == pytest.approx(np.array(expected))


def test_a_coin_is_tossed_once_per_unit_and_draw_for_all_columns(monkeypatch):
    coins = paired.picked_sums(np.eye(70), draws=400, seed=4)
    assert set(coins.ravel().tolist()) == {0.0, 1.0}
    assert stats.binomtest(int(coins.sum()), coins.size).pvalue > 0.001
    assert np.abs(np.corrcoef(coins.T)[np.triu_indices(70, 1)]).max() < 0.25  # 2,415 pairs, each within .05 of 0
    cells = np.random.default_rng(0).integers(0, 9, size=(70, 4)).astype(float)
    assert (paired.picked_sums(cells, draws=400, seed=4) == coins @ cells).all()
    monkeypatch.setattr(paired, "LARGEST_CHUNK", 70 * 33)  # 400 draws in chunks of 33
    assert (paired.picked_sums(cells, draws=400, seed=4) == coins @ cells).all()


# --- the difference and its interval


def test_the_difference_is_that_of_the_two_macro_f1():
    truth, first, second = two_models(1, 80)
    found = drawn(truth, first, second)
    assert found.difference(0, 1).value == pytest.approx(f1_of(truth, first) - f1_of(truth, second))
    assert found.macro_f1(1).value == pytest.approx(f1_of(truth, second))


def test_the_interval_is_scipys_paired_bootstrap():
    truth, first, second = two_models(2, 150)

    def difference(rows):
        return f1_of(truth[rows], first[rows]) - f1_of(truth[rows], second[rows])

    theirs = stats.bootstrap(
        (np.arange(len(truth)),),
        difference,
        n_resamples=4000,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(3),
    )
    ours = drawn(truth, first, second, resamples=4000)
    tolerance = (
        4 * theirs.standard_error * 2.7 / 4000**0.5
    )  # a 2.5 % quantile of a normal has 2.7 times the mean's error
    assert ours.difference(0, 1).low == pytest.approx(theirs.confidence_interval.low, abs=tolerance)
    assert ours.difference(0, 1).high == pytest.approx(theirs.confidence_interval.high, abs=tolerance)
    assert ours.error(0, 1) == pytest.approx(theirs.standard_error, rel=0.1)


def test_rows_of_one_unit_are_drawn_together():
    """Every row four times over: by row it looks like four times the data, by unit it is what it was."""
    truth, first, second = two_models(3, 60)
    single = drawn(truth, first, second)
    units = np.repeat(np.arange(60), 4)
    together = drawn(truth[units], first[units], second[units], unit_of=units)
    apart = drawn(truth[units], first[units], second[units])
    assert together.difference(0, 1).low == pytest.approx(single.difference(0, 1).low)
    assert together.p(0, 1) == single.p(0, 1)
    assert apart.error(0, 1) == pytest.approx(single.error(0, 1) / 2, rel=0.1)


# --- p values


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_the_p_of_swapping_is_scipys_permutation_test(seed):
    """On ten rows scipy goes through all 1,024 ways to swap."""
    truth, first, second = two_models(seed, 10, first=0.9, second=0.4)

    def difference(one, other):
        return f1_of(truth, one) - f1_of(truth, other)

    theirs = stats.permutation_test((first, second), difference, permutation_type="samples", vectorized=False)
    assert len(theirs.null_distribution) == 1024
    assert theirs.pvalue < 1
    swaps = 20_000
    error = (theirs.pvalue * (1 - theirs.pvalue) / swaps) ** 0.5
    ours = drawn(truth, first, second, swaps=swaps).p(0, 1)
    assert ours == pytest.approx(theirs.pvalue, abs=4 * error + 1 / swaps)


def test_a_model_against_itself_has_no_difference_and_p_one():
    truth, first, _ = two_models(8, 50)
    found = drawn(truth, first, first)
    assert (found.difference(0, 1).value, found.difference(0, 1).low, found.difference(0, 1).high) == (0, 0, 0)
    assert found.p(0, 1) == 1


def test_few_units_cannot_give_a_small_p_however_large_the_difference():
    """Six events, the first model right on all, the second wrong: two of 64 ways to swap are as far apart."""
    truth = np.tile([0, 1, 2], 40)
    found = drawn(truth, truth, (truth + 1) % 3, unit_of=np.repeat(np.arange(6), 20), swaps=20_000)
    assert found.p(0, 1) == pytest.approx(2 / 64, abs=0.005)
    assert found.difference(0, 1).low == found.difference(0, 1).high == 1


def test_of_equals_with_other_errors_swapping_keeps_its_rate_where_the_bootstrap_does_not():
    """Ten events of 20 rows; each model knows another label and is lucky on other events: as good on average."""
    by_swaps, by_interval, trials = 0, 0, 300
    for trial in range(trials):
        generator = np.random.default_rng(trial)
        events = np.repeat(np.arange(10), 20)
        truth = generator.integers(3, size=200)
        models = [
            answers(generator, truth, right=np.clip(skill[truth] + generator.normal(0, 0.25, 10)[events], 0, 1))
            for skill in (np.array([0.8, 0.6, 0.4]), np.array([0.4, 0.6, 0.8]))
        ]
        found = drawn(truth, *models, unit_of=events, resamples=200, swaps=199, seed=trial)
        span = found.difference(0, 1)
        by_swaps += found.p(0, 1) <= 0.05
        by_interval += span.low > 0 or span.high < 0
    assert stats.binomtest(by_swaps, trials, 0.05).pvalue > 0.01
    assert stats.binomtest(by_interval, trials, 0.05, alternative="greater").pvalue < 0.01


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_that_of_statsmodels(only_first, only_second):
    expected = 1.0
    if only_first + only_second:
        expected = mcnemar([[7, only_first], [only_second, 9]], exact=True).pvalue
    assert paired.mcnemar_p(only_first, only_second) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(deadline=None, max_examples=12)  # statsmodels takes a tenth of a second each
def test_holm_is_that_of_statsmodels(p_values):
    assert paired.holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist())


@given(st.integers(1, 2000), st.floats(0.001, 0.5))
def test_there_are_enough_swaps_to_be_sure_of_one_difference_among_many(tests, alpha):
    swaps = paired.swaps_for(tests, alpha=alpha, least=99)
    assert swaps >= 99
    assert tests / (swaps + 1) < alpha
