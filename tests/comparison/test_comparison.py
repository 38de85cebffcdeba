"""Who wins, who does not, and how sure that is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_runs import models, run, said, seeds_of
from scipy import stats

from claimsieve.comparison import compare as module
from claimsieve.comparison.compare import compare
from claimsieve.comparison.contestants import Contestant
from claimsieve.comparison.tables import tables
from claimsieve.evaluation.metrics import point_metrics
from claimsieve.evaluation.repeats import difference_over_seeds
from claimsieve.records import LABELS

DATA_SETS = 200


@pytest.fixture
def few_swaps(monkeypatch):
    monkeypatch.setattr(module, "_LEAST_SWAPS", 499)


# --- no winner where there is none


def winners(data_sets, *, unit, events, rows_of_event):
    """How often one of two models wins whose answers are swapped event by event, by a fair coin: neither is better."""
    won = 0
    for number in range(data_sets):
        generator = np.random.default_rng(number)
        of_row = np.repeat(np.arange(events), rows_of_event)
        truth = generator.integers(3, size=len(of_row))
        better, worse = said(generator, truth, skill=2.0), said(generator, truth, skill=0.3)
        swap = generator.integers(2, size=events).astype(bool)[of_row][:, None]
        answers = np.where(swap, better, worse), np.where(swap, worse, better)
        names = [f"event {event}" for event in of_row] if rows_of_event > 1 else None
        contestants = [
            Contestant(name, (run(truth, one, events=names),)) for name, one in zip("ab", answers, strict=True)
        ]
        found = compare(contestants, unit=unit, resamples=100, min_slice_rows=10_000)
        won += found.verdict.winner is not None
    return won


def test_between_a_model_and_itself_no_winner_is_found_beyond_the_nominal_rate(few_swaps):
    won = winners(DATA_SETS, unit="claim", events=250, rows_of_event=1)
    assert won > 0
    assert stats.binomtest(won, DATA_SETS, 0.05).pvalue > 0.01


def test_where_stories_decide_who_is_right_only_drawing_by_event_keeps_the_nominal_rate(few_swaps):
    """This is why there is a unit: rows of one event stand or fall together, and 300 of them are not 300 opinions."""
    by_event = winners(DATA_SETS, unit="event", events=30, rows_of_event=10)
    by_claim = winners(DATA_SETS, unit="claim", events=30, rows_of_event=10)
    assert stats.binomtest(by_event, DATA_SETS, 0.05).pvalue > 0.01
    assert stats.binomtest(by_claim, DATA_SETS, 0.05, alternative="greater").pvalue < 1e-6


def test_among_many_equals_the_correction_keeps_the_nominal_rate(few_swaps):
    """Six models, 15 pairs: without correction a pair would be called sure in nearly every other data set."""
    sure = alone = 0
    for number in range(60):
        found = compare(models([0.8] * 6, n=120, seed=number), resamples=100)
        sure += any(pair.sure for pair in found.pairs)
        alone += any(pair.p < 0.05 for pair in found.pairs)
    assert stats.binomtest(sure, 60, 0.05, alternative="greater").pvalue > 0.01
    assert stats.binomtest(alone, 60, 0.05, alternative="greater").pvalue < 1e-6


def test_the_same_predictions_differ_by_exactly_nothing():
    (one, _) = models([1.0, 1.0])
    found = compare([one, replace(one, name="again")])
    (pair,) = found.pairs
    assert (pair.difference.value, pair.difference.low, pair.difference.high) == (0, 0, 0)
    assert pair.p == pair.p_adjusted == pair.mcnemar.p == 1
    assert (pair.right_to_wrong, pair.wrong_to_right) == (0, 0)
    assert found.verdict.winner is None
    assert found.verdict.leaders == ("a", "again")
    assert found.verdict.sentence == "no winner: a and again are right on the same rows (n = 300 claims)"


def test_a_difference_within_the_noise_is_said_to_be_so():
    found = compare(models([1.0, 1.03], seed=4))
    assert found.verdict.winner is None
    assert found.verdict.sentence.startswith("no winner: the difference between a and b, +0.0")
    assert found.verdict.sentence.endswith("macro-F1, is within the noise (n = 300 claims)")


# --- a winner where there is one


def test_a_planted_better_model_wins():
    found = compare(models([0.8, 2.0, 0.7]))
    assert found.verdict.winner == found.verdict.best == "b"
    assert found.verdict.leaders == ("b",)
    assert set(found.verdict.behind) == {"a", "c"}
    assert [one.rank for one in found.standings] == [1, 2, 3]
    assert found.verdict.sentence.startswith("b (0.")
    assert "is better than each of the 2 others" in found.verdict.sentence
    assert found.between("b", "a").sure
    assert not found.between("a", "c").sure


def test_without_a_winner_those_that_cannot_be_told_from_the_best_lead():
    found = compare(models([1.5, 1.5, 0.0]))
    assert found.verdict.winner is None
    assert set(found.verdict.leaders) == {"a", "b"}
    assert found.verdict.behind == ("c",)
    assert "surely worse: c" in found.verdict.sentence


def test_the_estimates_are_the_metrics_of_the_rows():
    contestants = models([1.0, 1.5])
    for standing in compare(contestants).standings:
        tested = next(one for one in contestants if one.name == standing.name).runs[0]
        truth = np.array(tested.labels)[:, None] == np.array(LABELS)
        expected = point_metrics(tested.probabilities, truth)
        for name in ("macro_f1", "accuracy", "ece"):
            assert getattr(standing, name).value == pytest.approx(expected[name])
        assert standing.macro_f1.low < standing.macro_f1.value < standing.macro_f1.high


@given(st.integers(0, 1000), st.permutations(range(3)), st.sampled_from(["claim", "event"]))
@settings(max_examples=8, deadline=None)
def test_the_order_of_contestants_and_of_rows_changes_nothing(seed, order, unit):
    events = [f"event {row % 15}" for row in range(60)]
    contestants = models([0.5, 1.0, 1.0], n=60, seed=seed, events=events, corpora=["x", "y"] * 30)
    rows = np.random.default_rng(seed).permutation(60)

    def shuffled(one):
        tested = one.runs[0]
        columns = {
            name: tuple(getattr(tested, name)[row] for row in rows)
            for name in ("ids", "claims", "labels", "corpora", "events")
        }
        return Contestant(one.name, (replace(tested, **columns, probabilities=tested.probabilities[rows]),))

    expected = compare(contestants, unit=unit, resamples=100)
    assert compare([shuffled(contestants[place]) for place in order], unit=unit, resamples=100) == expected


@given(st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_with_names_exchanged_the_difference_changes_its_sign(seed):
    first, second = models([0.9, 1.2], n=60, seed=seed)
    one = compare([first, second], resamples=100).between("a", "b")
    other = compare([replace(first, name="b"), replace(second, name="a")], resamples=100).between("a", "b")
    assert other.difference.value == pytest.approx(-one.difference.value)
    assert (other.difference.low, other.difference.high) == pytest.approx((-one.difference.high, -one.difference.low))
    assert other.p == one.p
    assert (other.right_to_wrong, other.wrong_to_right) == (one.wrong_to_right, one.right_to_wrong)


# --- seeds


@pytest.mark.parametrize("same", [False, True])
def test_what_the_rows_call_sure_and_the_seeds_do_not_has_no_winner(same):
    (pair,) = (found := compare(seeds_of([0.9, -0.3, 0.3], same=same))).pairs
    assert pair.seeds.same_rows == same
    assert pair.p_rows < 0.001
    assert pair.difference.low > 0
    assert pair.seeds.p > 0.05
    assert pair.p == pair.seeds.p
    assert found.verdict.winner is None
    assert "over 3 seeds it is not" in pair.note
    assert pair.note in found.verdict.sentence


@pytest.mark.parametrize("same", [False, True])
def test_a_model_that_is_better_at_every_seed_by_about_as_much_wins(same):
    (pair,) = (found := compare(seeds_of([0.6, 0.6, 0.6, 0.6], same=same))).pairs
    assert found.verdict.winner == "a"
    assert pair.seeds.mean.low > 0
    assert pair.seeds.seeds == (0, 1, 2, 3)
    assert pair.seeds.mean.value == pytest.approx(np.mean(pair.seeds.differences))
    assert pair.seeds.std == pytest.approx(np.std(pair.seeds.differences, ddof=1))
    row_error = (pair.difference.high - pair.difference.low) / 2 / stats.norm.ppf(0.975)
    overlap = 0.0 if same else 0.5
    expected, _ = difference_over_seeds(pair.seeds.differences, row_error=row_error, test_to_train=overlap)
    assert pair.seeds.mean.low == pytest.approx(expected.low, rel=0.02)
    by_seed = [found.standing(name).by_seed for name in "ab"]
    assert pair.seeds.differences == pytest.approx([by_seed[0][seed] - by_seed[1][seed] for seed in range(4)])


@pytest.mark.parametrize("same", [False, True])
def test_the_ece_of_several_seeds_is_the_mean_of_their_own(same):
    contestants = seeds_of([0.0, 0.0, 0.0], n=300, same=same)
    for one in contestants[0].runs[::2]:  # too sure at two seeds, not sure enough at one: pooled, that cancels out
        one.probabilities[:] = one.probabilities**3 / (one.probabilities**3).sum(axis=1, keepdims=True)
    one = contestants[0].runs[1]
    one.probabilities[:] = one.probabilities**0.3 / (one.probabilities**0.3).sum(axis=1, keepdims=True)
    found = compare(contestants)
    own = [
        point_metrics(run.probabilities, np.array(run.labels)[:, None] == np.array(LABELS))["ece"]
        for run in contestants[0].runs
    ]
    ece = found.standing("a").ece
    assert ece.value == pytest.approx(np.mean(own))
    assert max(own[0], ece.low) < ece.high < 2 * max(own)
    assert tables(found)[0][0][4] == "ECE, mean of seeds"


def test_claims_under_several_seeds_count_once():
    """Twice the same run: neither the interval nor McNemar's test may take it for twice the claims."""
    (first,), (second,) = (one.runs for one in models([1.0, 1.3], n=200))
    once = compare([Contestant("a", (first,)), Contestant("b", (second,))])
    again = [Contestant(name, (one, replace(one, seed=1))) for name, one in (("a", first), ("b", second))]
    twice = compare(again)
    assert (once.n, once.claims, twice.n, twice.claims) == (200, 200, 400, 200)
    one, other = once.between("b", "a"), twice.between("b", "a")
    assert (other.difference.low, other.difference.high) == pytest.approx((one.difference.low, one.difference.high))
    assert other.p_rows == one.p_rows
    assert other.mcnemar == one.mcnemar
    assert other.right_to_wrong == 2 * one.right_to_wrong


def test_folds_of_one_seed_are_pooled_and_are_no_seeds():
    generator = np.random.default_rng(0)
    truth = generator.integers(3, size=90)
    folds = {"e": range(30), "f": range(30, 90)}
    contestants = []
    for name, skill in (("a", 0.5), ("b", 3.0)):
        parts = []
        for fold, rows in folds.items():
            answers = said(generator, truth[list(rows)], skill=skill)
            parts.append(run(truth[list(rows)], answers, rows=rows, fold=fold))
        contestants.append(Contestant(name, tuple(parts)))
    found = compare(contestants)
    assert found.n == 90
    assert found.pairs[0].seeds is None
    assert found.verdict.winner == "b"
