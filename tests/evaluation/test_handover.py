"""From which confidence on a cheap model may answer: what is promised, and that the promise is kept."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from claimsieve.errors import DataError
from claimsieve.evaluation.evaluate import Estimate
from claimsieve.evaluation.handover import (
    Handover,
    agreement,
    choose_threshold,
    from_json,
    rows_needed,
    sentences,
    table,
    to_json,
    upper_limit,
)
from claimsieve.records import Claim


def disagreement(threshold):
    """The truth of `drawn`: confidences are uniform; a label of confidence c differs with probability 0.3 (1 - c)."""
    return 0.15 * (1 - threshold) ** 2


def drawn(generator, n):
    confidences = generator.random(n)
    return confidences, generator.random(n) < 0.3 * (1 - confidences)


def naive(confidences, differs, bound):
    """The lowest threshold that looks good enough on the same rows."""
    order = np.argsort(-confidences)
    good = np.flatnonzero(np.cumsum(differs[order]) / len(order) <= bound)
    return confidences[order][good[-1]]


def test_the_bound_is_kept_with_the_stated_confidence_where_a_naive_choice_breaks_it():
    generator, bound, trials = np.random.default_rng(0), 0.02, 3000
    kept = broken = 0
    for _ in range(trials):
        rows = drawn(generator, 500)
        chosen = choose_threshold(*rows, max_disagreement=bound, confidence=0.95)
        kept += disagreement(chosen) <= bound
        broken += disagreement(naive(*rows, bound)) > bound
    failures = binomtest(trials - kept, trials, 0.05, alternative="greater")
    assert failures.pvalue > 0.001, failures.statistic  # no more than one set in twenty
    assert kept < 0.99 * trials  # nor is the promise kept by promising far too little
    assert broken > 0.3 * trials


def test_the_bound_is_kept_where_many_rows_share_a_confidence():
    generator, bound, trials = np.random.default_rng(1), 0.05, 2000
    failed = 0
    for _ in range(trials):
        confidences, differs = drawn(generator, 200)
        chosen = choose_threshold(np.round(confidences, 1), differs, max_disagreement=bound, confidence=0.9)
        failed += chosen is not None and disagreement(chosen - 0.05) > bound
    assert binomtest(failed, trials, 0.1, alternative="greater").pvalue > 0.001


def test_the_threshold_is_the_lowest_before_the_first_failing_test():
    confidences = np.linspace(1, 0.001, 1000)
    differs = np.zeros(1000, dtype=bool)
    differs[[100, 300, 500, 700, 900]] = True  # of 1,000 rows, four show at most 1 %: binom.cdf(4, 1000, .01) = .029
    chosen = choose_threshold(confidences, differs, max_disagreement=0.01, confidence=0.95)
    assert chosen == confidences[899]
    assert upper_limit(4, 1000, confidence=0.95) <= 0.01 < upper_limit(5, 1000, confidence=0.95)


def test_rows_of_one_confidence_are_answered_together_or_not_at_all():
    confidences = np.array([0.9] * 300 + [0.8] * 300)
    differs = np.zeros(600, dtype=bool)
    differs[300:310] = True
    assert choose_threshold(confidences, differs, max_disagreement=0.01, confidence=0.95) == 0.9
    differs[:10] = True
    assert choose_threshold(confidences, differs, max_disagreement=0.01, confidence=0.95) is None


@pytest.mark.parametrize(
    ("bound", "confidence", "n"), [(0.01, 0.95, 299), (0.05, 0.95, 59), (0.5, 0.5, 1), (1e-4, 0.9, 23025)]
)
def test_one_row_fewer_than_needed_is_too_few(bound, confidence, n):
    asked = {"max_disagreement": bound, "confidence": confidence}
    assert rows_needed(**asked) == n
    assert choose_threshold(np.full(n, 0.7), np.zeros(n, dtype=bool), **asked) == 0.7
    assert choose_threshold(np.full(n - 1, 0.7), np.zeros(n - 1, dtype=bool), **asked) is None


def test_the_limit_is_clopper_and_pearsons():
    expected = binomtest(3, 640, alternative="less").proportion_ci(confidence_level=0.95, method="exact").high
    assert upper_limit(3, 640, confidence=0.95) == pytest.approx(expected, abs=1e-9)
    assert upper_limit(5, 5, confidence=0.95) == 1.0


def test_only_rows_that_the_cheap_tier_answered_can_differ_and_events_count_once():
    claims = [Claim("a", event="x"), Claim("b", event="x"), Claim("c", event="y"), Claim("d"), Claim("e")]
    answered, differs = np.array([1, 1, 0, 1, 1], dtype=bool), np.array([1, 1, 1, 0, 1], dtype=bool)
    found = agreement(answered, differs, claims)
    assert (found.n, found.answered.value, found.differs.value) == (5, 0.8, 0.6)
    assert (found.events, found.events_differing.value) == (4, 0.5)
    assert found.differs.low < 0.6 < found.differs.high


@pytest.fixture
def handover():
    claims = [Claim(str(number)) for number in range(400)]
    some = np.arange(400) % 4 == 0
    part = agreement(~some, np.arange(400) == 1, claims)
    f1 = {name: Estimate(0.5, 0.4, 0.6) for name in ("cheap", "encoder", "cascade")}
    kinds = {"cheap": "static", "encoder": "encoder"}
    return Handover(0.75, 0.02, 0.95, 0.0118, kinds, {"cheap": "a" * 64, "encoder": "b" * 64}, part, part, f1)


def test_it_comes_back_from_json_as_it_was(handover):
    assert from_json(json.loads(json.dumps(to_json(handover), allow_nan=False))) == handover


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": "high"},
        {"kinds": {}},
        {"fingerprints": {"cheap": 1, "encoder": 2}},
        {"test": None},
        {"macro_f1": {"cheap": 1}},
        {"limit": float("nan")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_document_of_another_form_is_refused(handover, change):
    with pytest.raises(DataError, match="expected what claimsieve writes of a cascade"):
        from_json(to_json(handover) | change)


def test_words_and_table_name_the_tiers_and_every_number_with_its_n(handover):
    words = " ".join(sentences(handover))
    assert "static answered 0.750 [0.705, 0.792] of 400 test claims" in words
    assert "by 400 calibration claims it is at most 0.0118 (seen: 0.0025)" in words
    assert "static 0.500 [0.400, 0.600], encoder 0.500" in words
    head, *rows = table(handover)
    assert head[2] == "answered by static [95 %]"
    assert [row[:2] for row in rows] == [["calibration", "400"], ["test", "400"]]
    assert "The bound does not hold on test" not in words
    without = replace(handover, macro_f1=dict.fromkeys(handover.macro_f1))
    assert from_json(to_json(without)) == without


def test_a_bound_that_test_contradicts_beyond_chance_is_said_to_be_broken(handover):
    within = replace(handover, test=replace(handover.test, differs=Estimate(0.03, 0.015, 0.05)))
    beyond = replace(handover, test=replace(handover.test, differs=Estimate(0.04, 0.021, 0.06)))
    assert "The bound does not hold on test" not in " ".join(sentences(within))
    assert "The bound does not hold on test" in " ".join(sentences(beyond))
