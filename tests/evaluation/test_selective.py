import itertools
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from claimsieve.errors import DataError
from claimsieve.evaluation.evaluate import Estimate
from claimsieve.evaluation.selective import (
    MAX_CURVE_POINTS,
    from_json,
    review_from_json,
    review_table,
    review_to_json,
    risk_coverage,
    table,
    to_json,
)

QUICK = 100
WEEK = {"items_per_week": 1000, "minutes_per_item": 15.0, "resamples": QUICK}

# Few values, so that ties are common.
tied_rows = st.lists(st.tuples(st.sampled_from([0.4, 0.5, 0.7, 0.9]), st.booleans()), min_size=1, max_size=6)


def sample(n, *, seed=0):
    """Confidences that are as right as they say."""
    generator = np.random.default_rng(seed)
    confidence = generator.uniform(0.34, 1, n)
    return confidence, generator.uniform(size=n) < confidence


def arrays(rows):
    return np.array([confidence for confidence, _ in rows]), np.array([right for _, right in rows])


def brute_force_aurc(confidence, right):
    """The mean over every order that is sorted by confidence of the mean risk of the k most confident rows."""
    areas = []
    for order in itertools.permutations(range(len(right))):
        if all(confidence[a] >= confidence[b] for a, b in itertools.pairwise(order)):
            wrong = np.cumsum([not right[row] for row in order])
            areas.append(np.mean(wrong / np.arange(1, len(right) + 1)))
    return np.mean(areas)


@given(tied_rows)
@settings(max_examples=40, deadline=None)
def test_aurc_is_the_mean_over_all_orders_of_tied_rows(rows):
    confidence, right = arrays(rows)
    found = risk_coverage(confidence, right, resamples=QUICK)
    assert found.aurc.value == pytest.approx(brute_force_aurc(confidence, right))
    best = brute_force_aurc(right.astype(float), right)
    assert found.excess_aurc.value == pytest.approx(found.aurc.value - best)


@given(tied_rows, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_nothing_depends_on_the_order_of_rows(rows, random):
    shuffled = random.sample(rows, len(rows))
    given_up = {"hours_per_week": (0.0, 40.0, 100.0), **WEEK}
    for first, second in zip(
        (risk_coverage(*arrays(rows), resamples=QUICK), review_table(*arrays(rows), **given_up)),
        (risk_coverage(*arrays(shuffled), resamples=QUICK), review_table(*arrays(shuffled), **given_up)),
        strict=True,
    ):
        assert first == second


def test_intervals_of_many_tied_rows_do_not_depend_on_their_order():
    generator = np.random.default_rng(3)
    confidence, right = generator.choice([0.4, 0.6, 0.8], size=90), generator.uniform(size=90) < 0.6
    weights, abstained, order = generator.uniform(size=90), generator.uniform(size=90) < 0.3, generator.permutation(90)
    for rows in (order, order[::-1]):
        of_curve = risk_coverage(confidence[rows], right[rows], weights=weights[rows], resamples=QUICK)
        assert of_curve == risk_coverage(confidence, right, weights=weights, resamples=QUICK)
        week = WEEK | {"hours_per_week": (0, 40)}
        shuffled = review_table(confidence[rows], right[rows], abstained=abstained[rows], **week)
        assert shuffled == review_table(confidence, right, abstained=abstained, **week)


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.booleans(), st.sampled_from([0.0, 0.25, 1.0, 3.0])), min_size=1, max_size=40
    ).filter(lambda rows: any(weight for _, _, weight in rows))
)
@settings(max_examples=60, deadline=None)
def test_risks_are_shares_and_no_order_beats_the_best(rows):
    confidence, right, weights = (np.array(column) for column in zip(*rows, strict=True))
    found = risk_coverage(confidence, right, weights=weights, resamples=QUICK)
    assert 0 <= found.excess_aurc.value <= found.aurc.value + 1e-12
    assert found.aurc.value <= 1
    assert all(-1e-12 <= bound <= 1 + 1e-12 for kept in found.curve for bound in (kept.risk.low, kept.risk.high))
    assert found.curve[-1].coverage == 1
    expected = 1 - accuracy_score(np.ones(len(right)), right, sample_weight=weights)
    assert found.error_share.value == pytest.approx(expected)
    assert found.error_share.value == found.curve[-1].risk.value


@given(st.lists(st.tuples(st.sampled_from([0.4, 0.5, 0.9]), st.booleans(), st.integers(0, 4)), min_size=2, max_size=8))
@settings(max_examples=40, deadline=None)
def test_whole_weights_count_as_repeated_rows(rows):
    repeated = [(confidence, right) for confidence, right, times in rows for _ in range(times)]
    if not repeated:
        return
    confidence, right, times = (np.array(column) for column in zip(*rows, strict=True))
    week = WEEK | {"hours_per_week": (0, 60, 120, 200)}
    alone = [row.errors.value for row in review_table(*arrays(repeated), **week)]
    assert [row.errors.value for row in review_table(confidence, right, weights=times, **week)] == pytest.approx(alone)


def test_the_unit_of_weights_does_not_matter():
    confidence, right = sample(200)
    weights = np.random.default_rng(1).uniform(0.1, 2, 200)
    once, often = (risk_coverage(confidence, right, weights=weights * unit, resamples=QUICK) for unit in (1, 1000))
    assert once.aurc.value == pytest.approx(often.aurc.value)
    assert once.aurc.low == pytest.approx(often.aurc.low)
    ones = risk_coverage(confidence, right, weights=np.full(200, 7.0), resamples=QUICK)
    assert ones.aurc == risk_coverage(confidence, right, resamples=QUICK).aurc
    assert (ones.weighted, once.weighted, risk_coverage(confidence, right, resamples=QUICK).weighted) == (
        True,
        True,
        False,
    )


def test_weights_are_the_same_as_drawing_rows_by_them():
    confidence, right = sample(400)
    weights = np.where(right, 1.0, 5.0)
    drawn = np.random.default_rng(2).choice(400, size=40_000, p=weights / weights.sum())
    weighted = risk_coverage(confidence, right, weights=weights, resamples=QUICK)
    sampled = risk_coverage(confidence[drawn], right[drawn], resamples=QUICK)
    assert weighted.aurc.value == pytest.approx(sampled.aurc.value, abs=0.01)


def test_the_perfect_order_has_no_excess_and_the_worst_has_the_most():
    _, right = sample(300)
    perfect = risk_coverage(right.astype(float), right, resamples=QUICK).excess_aurc
    assert (perfect.low, perfect.value, perfect.high) == pytest.approx((0, 0, 0), abs=1e-12)
    # Untied: each right row above each wrong one, in any order among themselves.
    ranks = np.argsort(np.argsort(right, kind="stable")) / 300
    assert risk_coverage(ranks, right, resamples=QUICK).excess_aurc.value == pytest.approx(0, abs=1e-12)
    weights = np.random.default_rng(2).uniform(size=300)
    weighted = risk_coverage(ranks, right, weights=weights, resamples=QUICK).excess_aurc
    assert 0 <= weighted.low <= weighted.value <= weighted.high < 1e-12
    by_chance = risk_coverage(np.random.default_rng(1).uniform(size=300), right, resamples=QUICK)
    worst = risk_coverage(-ranks, right, resamples=QUICK)
    assert worst.excess_aurc.low > by_chance.excess_aurc.high > 0


def test_an_order_by_chance_has_the_error_share_as_its_area():
    _, right = sample(5000)
    one_group = risk_coverage(np.full(5000, 0.5), right, resamples=QUICK)
    assert one_group.aurc.value == pytest.approx(one_group.error_share.value)
    assert {round(kept.risk.value, 12) for kept in one_group.curve} == {round(1 - right.mean(), 12)}
    by_chance = risk_coverage(np.random.default_rng(1).uniform(size=5000), right, resamples=QUICK)
    assert by_chance.aurc.value == pytest.approx(1 - right.mean(), abs=0.03)


def test_an_interval_covers_the_truth_as_often_as_it_says():
    # Confidence uniform on [0, 1] and as right as it says: the risk at coverage c is c / 2, and AURC is 1/4.
    hits = 0
    for seed in range(150):
        confidence = np.random.default_rng(seed).uniform(size=300)
        right = np.random.default_rng(1000 + seed).uniform(size=300) < confidence
        found = risk_coverage(confidence, right, resamples=QUICK).aurc
        hits += found.low <= 0.25 <= found.high
    assert 0.88 <= hits / 150 <= 0.99


@pytest.mark.parametrize(("n", "points"), [(1, 1), (7, 7), (100, 100), (4321, MAX_CURVE_POINTS)])
def test_the_curve_is_short_and_its_risks_are_those_of_the_rows_kept(n, points):
    confidence, right = sample(n)
    curve = risk_coverage(confidence, right, resamples=QUICK).curve
    assert len(curve) == points
    assert [kept.coverage for kept in curve] == pytest.approx(np.arange(1, points + 1) / points)
    wrong = np.cumsum(~right[np.argsort(-confidence)])
    for kept in curve:
        rows = kept.coverage * n
        expected = np.interp(rows, np.arange(n + 1), [0, *wrong]) / rows
        assert kept.risk.value == pytest.approx(expected)


def test_no_error_seen_is_not_no_error_possible():
    found = risk_coverage(np.linspace(0.5, 1, 50), np.ones(50, dtype=bool), resamples=QUICK)
    # Clopper and Pearson: with 50 right rows out of 50, an error rate of 7.1 % is still likely enough.
    assert found.error_share.value == 0
    assert found.error_share.high == pytest.approx(0.0711, abs=1e-4)
    row = review_table(np.linspace(0.5, 1, 50), np.ones(50, dtype=bool), hours_per_week=(0,), **WEEK)[0]
    assert (row.errors.low, row.errors.value) == (0, 0)
    assert row.errors.high == pytest.approx(71.1, abs=0.1)


def test_all_wrong_is_not_nothing_right_possible():
    found = risk_coverage(np.array([0.7]), np.array([False]), resamples=QUICK)
    assert found.error_share == Estimate(1, pytest.approx(0.025), 1)


def test_few_rows_that_stand_for_most_items_still_cover_the_truth():
    """A mix of nine tenths verified, of which the test claims have one in ten; one verified claim in 25 is wrong."""
    hits = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        verified = generator.uniform(size=300) < 0.1
        weights = np.where(verified, 0.9 / verified.mean(), 0.1 / (1 - verified.mean()))
        right = generator.uniform(size=300) > np.where(verified, 0.04, 0.3)
        row = review_table(generator.uniform(size=300), right, weights=weights, hours_per_week=(0,), **WEEK)[0]
        hits += row.error_share.low <= 0.9 * 0.04 + 0.1 * 0.3 <= row.error_share.high
        assert row.errors.high == pytest.approx(1000 * row.error_share.high)
    assert hits / 200 >= 0.95  # the bootstrap alone: .72


def test_uneven_weights_tell_less_than_as_many_rows():
    confidence, right, weights = np.linspace(0.5, 1, 50), np.ones(50, dtype=bool), np.array([1.0] * 25 + [9.0] * 25)
    rows = 250**2 / (25 * 1 + 25 * 81)  # Kish's effective number of all, 30.5
    found = risk_coverage(confidence, right, weights=weights, resamples=QUICK)
    assert found.error_share.high == pytest.approx(1 - 0.025 ** (1 / rows))
    week = WEEK | {"hours_per_week": (0, 25)}
    everything, most, sets = review_table(confidence, right, weights=weights, abstained=np.zeros(50, bool), **week)
    shown = [everything.error_share.high, sets.error_share.high]
    assert shown == pytest.approx([found.error_share.high] * 2)
    assert most.error_share.high == pytest.approx(1 - 0.025 ** (1 / 25))  # nine tenths: just the heavy rows


def test_resamples_without_a_decided_row_are_left_out():
    """One row in five is decided, and a third of the resamples miss it."""
    abstained = np.array([True, True, True, True, False])
    *_, row = review_table(np.linspace(0.5, 1, 5), np.zeros(5, bool), hours_per_week=(0,), abstained=abstained, **WEEK)
    assert (row.error_share.value, row.error_share.high) == (1, 1)
    assert row.error_share.low == pytest.approx(0.025)  # one row that is wrong tells little, whatever is drawn
    assert row.decided.low == 0


def test_people_see_the_least_confident_items_that_their_hours_allow():
    confidence, right = sample(1000)
    rows = review_table(confidence, right, hours_per_week=(0, 40, 0.6, 250, 1000), **WEEK)
    assert [row.to_people.value for row in rows] == [0, 160, 2, 1000, 1000]
    assert [row.decided.value for row in rows] == [1000, 840, 998, 0, 0]
    assert [row.hours for row in rows] == [0, 40, 0.6, 250, 1000]
    order = np.argsort(-confidence)
    wrong = ~right[order]
    assert [row.errors.value for row in rows] == pytest.approx(
        [wrong.sum(), wrong[:840].sum(), wrong[:998].sum(), 0, 0]
    )
    assert rows[1].error_share.value == pytest.approx(wrong[:840].mean())
    assert rows[1].error_share.low < rows[1].error_share.value < rows[1].error_share.high
    assert rows[1].errors.high == pytest.approx(840 * rows[1].error_share.high)
    assert rows[1].threshold == confidence[order][839]
    assert (confidence < rows[1].threshold).sum() == 160
    assert [row.threshold for row in rows[3:]] == [None, None]
    assert [row.error_share for row in rows[3:]] == [None, None]
    assert rows[0].threshold is None
    assert {row.n for row in rows} == {1000}


def test_any_number_of_hours_is_enough_for_all_items():
    assert review_table(*sample(10), **{**WEEK, "hours_per_week": (1e308,)})[0].to_people.value == 1000


def test_whole_items_are_finished_whatever_the_rounding():
    confidence, right = sample(50)
    week = {"items_per_week": 1000, "minutes_per_item": 0.1, "resamples": QUICK}
    rows = review_table(confidence, right, hours_per_week=(0.005, 0.0066), **week)  # 3 items, and 3.96
    assert [row.to_people.value for row in rows] == [3, 3]


@given(st.integers(1, 60), st.lists(st.floats(0, 400), min_size=2, max_size=5), st.integers(1, 500))
@settings(max_examples=40, deadline=None)
def test_more_hours_never_leave_more_errors(n, hours, items):
    confidence, right = sample(n, seed=n)
    week = {"items_per_week": items, "minutes_per_item": 15.0, "resamples": QUICK}
    rows = review_table(confidence, right, hours_per_week=sorted(hours), **week)
    for fewer, more in itertools.pairwise(rows):
        assert fewer.to_people.value <= more.to_people.value
        assert fewer.errors.value >= more.errors.value - 1e-9
        assert more.to_people.value + more.decided.value == items


def test_tied_items_at_the_threshold_are_expected_to_be_as_wrong_as_each_other():
    confidence = np.array([0.9] * 50 + [0.6] * 50)
    right = np.array([True] * 50 + [True] * 30 + [False] * 20)
    week = {"items_per_week": 100, "minutes_per_item": 60.0, "resamples": QUICK}
    quarter, half = review_table(confidence, right, hours_per_week=(25, 50), **week)
    assert quarter.errors.value == pytest.approx(10)
    assert quarter.threshold == 0.6
    assert half.errors.value == 0
    assert half.threshold == 0.9


def test_prediction_sets_hand_over_what_they_leave_open():
    confidence, right = sample(1000)
    abstained = (confidence < 0.6) | (np.arange(1000) % 10 == 0)
    *_, row = review_table(confidence, right, hours_per_week=(0,), abstained=abstained, **WEEK)
    assert (row.rule, row.threshold) == ("prediction sets", None)
    assert row.to_people.value == pytest.approx(abstained.sum())
    assert row.to_people.low < row.to_people.value < row.to_people.high
    assert row.hours == pytest.approx(abstained.sum() / 4)
    assert row.decided.value == pytest.approx((~abstained).sum())
    assert row.errors.value == pytest.approx((~right & ~abstained).sum())
    assert row.error_share.value == pytest.approx((~right[~abstained]).mean())
    assert row.error_share.low < row.error_share.value < row.error_share.high


@pytest.mark.parametrize("weighted", [False, True])
def test_sets_that_are_open_below_a_threshold_are_the_row_of_those_hours(weighted):
    confidence, right = sample(1000)
    weights = np.random.default_rng(5).integers(1, 4, 1000).astype(float) if weighted else np.ones(1000)
    abstained = confidence < np.sort(confidence)[160]
    people = 1000 * weights[abstained].sum() / weights.sum()
    week = WEEK | {"minutes_per_item": 60.0, "items_per_week": 1_000_000, "hours_per_week": (people * 1000,)}
    hours, sets = review_table(confidence, right, abstained=abstained, weights=weights, **week)
    assert sets.to_people.value == pytest.approx(hours.to_people.value, abs=1.1)
    assert sets.errors.value == pytest.approx(hours.errors.value, rel=1e-4)
    assert sets.error_share.value == pytest.approx(hours.error_share.value, rel=1e-4)


def test_sets_that_are_all_open_or_never_wrong():
    confidence, right = sample(100)
    *_, row = review_table(confidence, right, hours_per_week=(0,), abstained=np.ones(100, dtype=bool), **WEEK)
    assert (row.to_people.value, row.decided.value, row.errors.value, row.error_share) == (1000, 0, 0, None)
    *_, row = review_table(confidence, right, hours_per_week=(0,), abstained=~right, **WEEK)
    assert row.errors.value == 0
    assert row.error_share.high == pytest.approx(1 - 0.025 ** (1 / right.sum()))
    assert row.errors.high == pytest.approx(row.error_share.high * row.decided.value)


def test_weights_stand_for_another_mix():
    """Rows that count nine times are nine times as many items."""
    confidence = np.array([0.9] * 100 + [0.5] * 100)
    right = np.array([True] * 90 + [False] * 10 + [True] * 50 + [False] * 50)
    weights = np.array([9.0] * 100 + [1.0] * 100)
    everything, a_tenth = review_table(confidence, right, weights=weights, hours_per_week=(0, 25), **WEEK)
    assert everything.errors.value == pytest.approx(900 * 0.1 + 100 * 0.5)
    assert a_tenth.errors.value == pytest.approx(90)
    assert a_tenth.threshold == 0.9


def test_rows_of_weight_zero_do_not_count():
    confidence, right = sample(60)
    weights = np.array([1.0] * 40 + [0.0] * 20)
    assert risk_coverage(confidence, right, weights=weights, resamples=QUICK).n == 40
    found = review_table(confidence, right, weights=weights, hours_per_week=(0, 40), **WEEK)
    assert found == review_table(confidence[:40], right[:40], hours_per_week=(0, 40), **WEEK)


def test_the_table_names_n_and_shows_no_interval_for_what_is_known():
    confidence, right = sample(1200)
    abstained = confidence < 0.5
    rows = table(review_table(confidence, right, hours_per_week=(40, 250), abstained=abstained, **WEEK))
    assert rows[0][3] == "wrong among decided [95 %], n = 1,200"
    assert rows[1][:3] == ["40", "160", "840"]
    assert re.fullmatch(r"[\d.]+ \[[\d.]+, [\d.]+\]", rows[1][3])
    assert re.fullmatch(r"[\d.]+% \[[\d.]+%, [\d.]+%\]", rows[1][4])
    assert rows[1][5].startswith("0.")
    assert rows[2] == ["250", "1,000", "0", "0.0", "–", "–"]
    assert rows[3][0].endswith("(prediction sets)")
    assert "[" in rows[3][1]
    assert {len(row) for row in rows} == {6}
    assert len(table([])) == 1


def test_json_round_trip():
    confidence, right = sample(80)
    curve = risk_coverage(confidence, right, weights=np.ones(80), resamples=QUICK)
    assert from_json(json.loads(json.dumps(to_json(curve), allow_nan=False))) == curve
    for abstained in (None, confidence < 0.5, confidence < 2):
        rows = review_table(confidence, right, hours_per_week=(0, 40, 250), abstained=abstained, **WEEK)
        assert review_from_json(json.loads(json.dumps(review_to_json(rows), allow_nan=False))) == rows


@pytest.mark.parametrize("document", [None, [1], "text", {}, {"aurc": 3}, [{"rule": "hours"}]])
def test_another_document_is_refused(document):
    with pytest.raises(DataError, match="expected a risk-coverage curve"):
        from_json(document)
    if document != {}:  # an empty table is a table
        with pytest.raises(DataError, match="expected a table of reviewer hours"):
            review_from_json(document)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"right": np.array([True])}, "of one shape"),
        ({"confidence": np.array([]), "right": np.array([], dtype=bool)}, "of one shape"),
        ({"confidence": np.array([0.5, np.nan])}, "finite confidence"),
        ({"weights": np.array([1.0, -1.0])}, "0 or more that are not all 0"),
        ({"weights": np.array([0.0, 0.0])}, "0 or more that are not all 0"),
        ({"resamples": 99}, "at least 100 resamples"),
    ],
)
def test_rows_that_make_no_curve_are_refused(changed, message):
    rows = {"confidence": np.array([0.5, 0.6]), "right": np.array([True, False])} | changed
    with pytest.raises(ValueError, match=message):
        risk_coverage(rows.pop("confidence"), rows.pop("right"), **rows)


@pytest.mark.parametrize(
    "changed",
    [{"items_per_week": 0}, {"minutes_per_item": 0}, {"hours_per_week": (-1,)}, {"hours_per_week": (np.inf,)}],
)
def test_an_impossible_week_is_refused(changed):
    with pytest.raises(
        ValueError, match="items_per_week of 1 or more, minutes_per_item above 0 and hours of 0 or more"
    ):
        review_table(*sample(10), **{**WEEK, "hours_per_week": (0,), **changed})
