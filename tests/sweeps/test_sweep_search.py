"""What is proposed, and when a trial is given up: the same answers whenever the same is asked."""

import math
import random

import pytest

from claimsieve.evaluation.evaluate import Estimate
from claimsieve.settings import Range
from claimsieve.sweeps.search import importances, lags_behind, propose
from claimsieve.sweeps.space import in_space
from claimsieve.sweeps.trials import Trial

SPACE = {"rate": Range(low=1e-5, high=1e-1, log=True), "epochs": Range(low=1, high=9), "weights": ("balanced", "none")}


def trial(number, values, score=None, *, curve=None, state="complete"):
    estimate = None if state != "complete" else Estimate(score, score, score)
    return Trial(number, values, state, 1.0, macro_f1=estimate, curve=curve or {})


def searched(space, score, *, trials, seed=0):
    """Trials by a score that is known for all values."""
    found = []
    for number in range(1, trials + 1):
        values = propose(space, found, seed=seed, number=number)
        found.append(trial(number, values, score(values)))
    return found


def bump(values):
    """Highest at a rate of 1e-3."""
    return math.exp(-((math.log10(values["rate"]) + 3) ** 2))


def test_what_is_proposed_hangs_on_trials_seed_and_number_alone():
    done = searched(SPACE, bump, trials=14)
    again = [propose(SPACE, done[: n - 1], seed=0, number=n) for n in range(1, 15)]
    assert again == [one.values for one in done]
    assert [one.values for one in searched(SPACE, bump, trials=14, seed=1)] != again
    assert all(in_space(SPACE, values) for values in again)


def test_the_search_closes_in_on_what_does_well():
    sweeps = [searched(SPACE, bump, trials=40, seed=seed) for seed in range(5)]
    distances = [abs(math.log10(one.values["rate"]) + 3) for done in sweeps for one in done[-15:]]
    assert sum(distances) / len(distances) < 0.7  # 1.0 for values drawn at random
    assert all(max(one.macro_f1.value for one in done) > 0.95 for done in sweeps)


def test_no_values_come_twice_and_a_small_space_comes_to_an_end():
    space = {"epochs": Range(low=1, high=4), "weights": ("balanced", "none", True)}
    done = searched(space, lambda values: values["epochs"] / 4, trials=12)
    assert len({(values["epochs"], values["weights"]) for values in (one.values for one in done)}) == 12
    assert propose(space, done, seed=0, number=13) is None
    assert propose(space, done[:11], seed=0, number=12) == done[11].values


def test_values_outside_the_space_and_failures_are_no_hindrance():
    outside = trial(1, {"rate": 0.5, "epochs": None, "weights": "balanced"}, 0.9)
    failed = trial(2, {"rate": 1e-2, "epochs": 3, "weights": "none"}, state="failed")
    ended = [trial(n, {"rate": 10**-n / 3, "epochs": n, "weights": "none"}, 0.1 * n) for n in range(2, 5)]
    assert in_space(SPACE, propose(SPACE, [outside, failed, *ended], seed=0, number=6))


CURVES = [{100: level, 200: level + 0.1} for level in (0.2, 0.3, 0.4, 0.5, 0.6)]


@pytest.mark.parametrize(
    ("curve", "lags"),
    [
        ({100: 0.39}, True),
        ({100: 0.41}, False),
        ({100: 0.45, 200: 0.1}, True),  # its best is 0.45, the median at this point 0.5
        ({100: 0.55, 200: 0.1}, False),
        ({50: 0.0}, False),  # nobody was measured there
    ],
)
def test_a_trial_lags_when_its_best_is_below_the_median_at_the_same_point(curve, lags):
    done = [trial(n, {"rate": None}, max(one.values()), curve=one) for n, one in enumerate(CURVES, start=1)]
    assert lags_behind(curve, done) is lags


def test_no_trial_lags_behind_fewer_than_five_complete_ones():
    done = [trial(n, {}, max(one.values()), curve=one) for n, one in enumerate(CURVES, start=1)]
    ended = trial(5, {}, curve=CURVES[4], state="pruned")
    assert lags_behind({100: 0.0}, done)
    assert not lags_behind({100: 0.0}, [*done[:4], ended])


def test_importance_goes_to_what_decides():
    draw = random.Random(0)
    values = [{"rate": 10 ** draw.uniform(-5, -1), "epochs": draw.randint(1, 9), "weights": "none"} for _ in range(30)]
    done = [trial(n, one, one["epochs"] / 9) for n, one in enumerate(values, start=1)]
    found = importances(SPACE, done)
    assert sum(found.values()) == pytest.approx(1)
    assert found["epochs"] > 0.8
    assert found.keys() == SPACE.keys()


def test_importance_of_few_trials_or_equal_scores_is_not_told():
    done = searched(SPACE, bump, trials=10)
    assert importances(SPACE, done) is not None
    assert importances(SPACE, done[:9]) is None
    assert importances(SPACE, [trial(one.number, one.values, 0.5) for one in done]) is None
