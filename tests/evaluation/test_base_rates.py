import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, precision_score, recall_score

from claimsieve.errors import DataError
from claimsieve.evaluation.base_rates import (
    SHARES,
    base_rates,
    corrected,
    correction_table,
    from_json,
    headline,
    mix_of,
    summary_metrics,
    table,
    to_json,
)
from claimsieve.evaluation.metrics import one_hot
from claimsieve.records import LABELS

QUICK = 100
EQUAL = dict.fromkeys(LABELS, 1 / 3)
NEWSROOM = {"verified": 0.9, "unverified": 0.08, "propaganda": 0.02}


def mix(verified, unverified, propaganda):
    return {"verified": verified, "unverified": unverified, "propaganda": propaganda}


def sample(n, *, seed=0, shares=(0.3, 0.3, 0.4)):
    """Probabilities that know something of the truth, and the truth, one-hot."""
    generator = np.random.default_rng(seed)
    codes = generator.choice(3, p=shares, size=n)
    scores = generator.normal(size=(n, 3)) + 1.5 * np.eye(3)[codes]
    probabilities = np.exp(scores)
    return probabilities / probabilities.sum(axis=1, keepdims=True), np.eye(3, dtype=bool)[codes]


def decided(counts):
    """Probabilities and truth with the confusion counts[true][called]."""
    rows = [(true, called) for true in range(3) for called in range(3) for _ in range(counts[true][called])]
    probabilities = np.full((len(rows), 3), 0.1) + 0.7 * np.eye(3)[[called for _, called in rows]]
    return probabilities, one_hot([LABELS[true] for true, _ in rows])


def weights_at(shares, truth):
    return truth @ (np.array([shares[label] for label in LABELS]) / truth.mean(axis=0))


def two_gaussians(x, share):
    """The exact probability that x is of the label with mean 1 and not of the one with mean -1."""
    other, this = (1 - share) * norm.pdf(x, -1), share * norm.pdf(x, 1)
    return this / (this + other)


@pytest.mark.parametrize("after", [False, True])
def test_agrees_with_scikit_learn_on_rows_weighed_by_their_label(after):
    probabilities, truth = sample(500)
    rates = base_rates(probabilities, truth, prevalence=NEWSROOM, trained_for=EQUAL, resamples=QUICK)
    found = rates.corrected if after else rates.at_mix
    shown = corrected(probabilities, trained_for=EQUAL, prevalence=NEWSROOM) if after else probabilities
    codes, given_codes, weights = truth.argmax(axis=1), shown.argmax(axis=1), weights_at(NEWSROOM, truth)
    both = {"labels": [0, 1, 2], "sample_weight": weights}
    precisions = precision_score(codes, given_codes, average=None, **both)
    recalls = recall_score(codes, given_codes, average=None, **both)
    confusion = confusion_matrix(codes, given_codes, **both) / 500 * 10_000
    for column, label in enumerate(LABELS):
        of_label = found.labels[label]
        assert of_label.precision.value == pytest.approx(precisions[column])
        assert of_label.recall.value == pytest.approx(recalls[column])
        wrongly = confusion[:, column].sum() - confusion[column, column]
        assert of_label.false_flags_per_10_000.value == pytest.approx(wrongly)
        missed = confusion[column].sum() - confusion[column, column]
        assert of_label.missed_per_10_000.value == pytest.approx(missed)
    assert found.accuracy.value == pytest.approx(accuracy_score(codes, given_codes, sample_weight=weights))
    assert found.log_loss.value == pytest.approx(log_loss(codes, shown, **both))
    assert found.mix == pytest.approx(NEWSROOM)


@pytest.mark.parametrize("bins", [1, 15])
def test_calibration_error_weighs_rows_by_their_label(bins):
    probabilities, truth = sample(400)
    rates = base_rates(probabilities, truth, prevalence=NEWSROOM, resamples=QUICK, bins=bins)
    confidence, weights = probabilities.max(axis=1), weights_at(NEWSROOM, truth)
    gaps = weights * ((probabilities.argmax(axis=1) == truth.argmax(axis=1)) - confidence)
    of_bin = np.minimum((confidence * bins).astype(int), bins - 1)
    expected = sum(abs(gaps[of_bin == one].sum()) for one in range(bins)) / weights.sum()
    assert rates.at_mix.ece.value == pytest.approx(expected)


def test_the_user_s_mix_the_test_claims_mix_and_equal_shares_stand_side_by_side():
    probabilities, truth = decided([[80, 10, 10], [5, 40, 5], [2, 3, 15]])
    rates = base_rates(probabilities, truth, prevalence=NEWSROOM, resamples=QUICK)
    assert (rates.n, rates.labels) == (170, {"verified": 100, "unverified": 50, "propaganda": 20})
    precisions = [part.labels["propaganda"].precision.value for part in (rates.at_mix, rates.at_test_mix)]
    assert precisions == pytest.approx([0.02 * 0.75 / (0.9 * 0.1 + 0.08 * 0.1 + 0.02 * 0.75), 15 / 30])
    assert rates.in_equal_shares.labels["propaganda"].precision.value == pytest.approx(0.75 / 0.95)
    assert rates.at_test_mix.mix == pytest.approx(mix_of(truth))
    assert rates.at_mix.labels["propaganda"].false_flags_per_10_000.value == pytest.approx(980)
    assert rates.at_mix.labels["propaganda"].missed_per_10_000.value == pytest.approx(50)
    assert rates.corrected is None  # nobody said what the probabilities were trained for
    assert rates.log_loss_saved is None


def test_mix_of_counts_labels():
    assert mix_of(one_hot(["verified", "verified", "propaganda", "verified"])) == mix(0.75, 0, 0.25)


@given(st.integers(30, 200), st.integers(0, 5), st.permutations(range(200)))
@settings(max_examples=30, deadline=None)
def test_values_do_not_depend_on_the_order_of_rows_and_lie_in_their_intervals(n, seed, order):
    probabilities, truth = sample(n, seed=seed)
    shuffled = [row for row in order if row < n]
    both = [
        base_rates(probabilities[rows], truth[rows], prevalence=NEWSROOM, trained_for=EQUAL, resamples=QUICK)
        for rows in (list(range(n)), shuffled)
    ]
    first, second = (summary_metrics(rates) for rates in both)
    values = {name: value for name, value in first.items() if not name.endswith(("_low", "_high"))}
    assert {name: second[name] for name in values} == pytest.approx(values)
    for rates in (both[0].at_mix, both[0].at_test_mix, both[0].in_equal_shares, both[0].corrected):
        for of_label in rates.labels.values():
            for share in (of_label.precision, of_label.recall):
                assert share is None or 0 <= share.low <= share.value <= share.high <= 1
            for items in (of_label.false_flags_per_10_000, of_label.missed_per_10_000):
                assert 0 <= items.low <= items.value <= items.high <= 10_000 + 1e-6


def test_intervals_cover_the_truth_as_often_as_they_say():
    """Also where a confusion is too rare to be seen in every test split: 2 % of verified claims called propaganda."""
    given_by_label = np.array([[0.93, 0.05, 0.02], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]])
    true_precision = 0.02 * 0.7 / (NEWSROOM["verified"] * 0.02 + NEWSROOM["unverified"] * 0.1 + 0.02 * 0.7)
    generator, covered = np.random.default_rng(0), []
    for seed in range(300):
        counts = [
            generator.multinomial(rows, shares) for rows, shares in zip((60, 40, 50), given_by_label, strict=True)
        ]
        rates = base_rates(*decided(counts), prevalence=NEWSROOM, resamples=200, seed=seed)
        of_label = rates.at_mix.labels["propaganda"]
        flags = of_label.false_flags_per_10_000
        covered.append(
            (of_label.precision.low <= true_precision <= of_label.precision.high, flags.low <= 260 <= flags.high)
        )
    assert np.mean(covered, axis=0) == pytest.approx([0.95, 0.95], abs=0.035)


def test_no_false_flag_seen_is_not_no_false_flag_possible():
    probabilities, truth = decided([[60, 0, 0], [0, 60, 0], [0, 0, 60]])
    of_label = base_rates(probabilities, truth, prevalence=NEWSROOM).at_mix.labels["propaganda"]
    assert (of_label.precision.value, of_label.precision.high) == (1, 1)
    assert of_label.precision.low < 0.5  # 4 % of 90 % is more than 2 %
    assert of_label.false_flags_per_10_000.low == of_label.false_flags_per_10_000.value == 0
    assert 300 < of_label.false_flags_per_10_000.high < 500


def test_a_rare_label_is_in_every_resample():
    probabilities, truth = decided([[300, 5, 5], [5, 300, 5], [0, 0, 1]])
    rates = base_rates(probabilities, truth, prevalence=NEWSROOM, trained_for=EQUAL)
    # Its one claim has the same loss in every resample, so with all claims of one label alike nothing is left to vary.
    same = base_rates(probabilities, truth, prevalence=mix(0, 0, 1)).at_mix.log_loss
    assert same.low == pytest.approx(same.value) == pytest.approx(same.high)
    assert rates.at_mix.labels["propaganda"].recall.low < 0.5


def test_a_label_without_test_claims_leaves_mixes_that_have_it_undefined():
    probabilities, truth = decided([[30, 5, 5], [5, 30, 5], [0, 0, 0]])
    rates = base_rates(probabilities, truth, prevalence=NEWSROOM, trained_for=EQUAL, resamples=QUICK)
    assert rates.at_mix is rates.corrected is rates.log_loss_saved is rates.in_equal_shares is None
    assert rates.undefined == "no test claim is labelled propaganda"
    assert rates.at_test_mix.labels["propaganda"].recall is None
    assert rates.at_test_mix.labels["propaganda"].precision.value == 0
    assert rates.by_share == []
    assert summary_metrics(rates) == {}
    assert "not known, as no test claim is labelled propaganda; n = 80, 0 of them propaganda" in headline(rates)
    assert table(rates)[3] == ["precision at your mix [95 %]", "–", "–", "–"]
    assert len(correction_table(rates)) == 1
    assert from_json(json.loads(json.dumps(to_json(rates), allow_nan=False))) == rates


def test_a_label_without_test_claims_does_not_matter_where_the_mix_has_none():
    probabilities, truth = decided([[30, 5, 5], [5, 30, 5], [0, 0, 0]])
    rates = base_rates(probabilities, truth, prevalence=mix(0.9, 0.1, 0), trained_for=EQUAL, resamples=QUICK)
    of_label = rates.at_mix.labels["propaganda"]
    assert (of_label.precision.value, of_label.recall, of_label.missed_per_10_000.value) == (0, None, 0)
    assert of_label.false_flags_per_10_000.value == pytest.approx(1250)
    assert rates.corrected.labels["propaganda"].false_flags_per_10_000.value == 0
    assert rates.corrected.labels["propaganda"].precision is None  # nothing is called so any more
    assert rates.in_equal_shares is None
    assert "0.000 [0.000, 0.000], n = 80" in headline(rates)


def test_precision_by_share_goes_through_the_user_s_mix_and_rises():
    probabilities, truth = sample(500)
    rates = base_rates(probabilities, truth, prevalence=NEWSROOM, resamples=QUICK)
    found = {row.share: row.precision for row in rates.by_share}
    assert tuple(found) == SHARES
    assert found[0.02] == rates.at_mix.labels["propaganda"].precision
    values = [precision.value for precision in found.values()]
    assert values == sorted(values)
    assert base_rates(probabilities, truth, prevalence=mix(0, 0, 1), resamples=QUICK).by_share == []
    probabilities, truth = decided([[30, 5, 5], [0, 0, 0], [5, 5, 30]])
    assert base_rates(probabilities, truth, prevalence=NEWSROOM, resamples=QUICK).by_share == []
    without = base_rates(probabilities, truth, prevalence=mix(0.9, 0, 0.1), resamples=QUICK)
    assert {row.share: row.precision for row in without.by_share}[0.1] == without.at_mix.labels["propaganda"].precision


@given(
    st.lists(
        st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda row: sum(row) > 0.1), min_size=1, max_size=9
    ),
    st.lists(st.sampled_from([0.0, 1e-300, 0.001, 1.0, 5.0]), min_size=6, max_size=6),
)
@settings(max_examples=200, deadline=None)
def test_corrected_rows_are_probabilities_whatever_the_mixes(rows, shares):
    before, after = np.array(shares[:3]), np.array(shares[3:])
    if not before.any() or not after.any():
        return
    before, after = (dict(zip(LABELS, (part / part.sum()).tolist(), strict=True)) for part in (before, after))
    probabilities = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    found = corrected(probabilities, trained_for=before, prevalence=after)
    assert found.shape == probabilities.shape
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found >= 0).all()
    if any(before[label] and after[label] for label in LABELS):
        impossible = [not before[label] or not after[label] for label in LABELS]
        assert not found[:, impossible].any()
    same = corrected(probabilities, trained_for=EQUAL, prevalence=EQUAL)
    assert same == pytest.approx(probabilities)
    assert probabilities.shape == found.shape


def test_correction_is_the_identity_at_the_mix_trained_for_and_comes_back():
    probabilities, _ = sample(50)
    assert corrected(probabilities, trained_for=NEWSROOM, prevalence=NEWSROOM) == pytest.approx(probabilities)
    there = corrected(probabilities, trained_for=EQUAL, prevalence=NEWSROOM)
    assert corrected(there, trained_for=NEWSROOM, prevalence=EQUAL) == pytest.approx(probabilities)
    odds = there[:, 0] / there[:, 2] / (probabilities[:, 0] / probabilities[:, 2])
    assert odds == pytest.approx(45)  # 0.9 / 0.02, as both were a third


def test_correction_gives_the_exact_probabilities_after_a_label_shift():
    x = np.linspace(-4, 4, 81)
    trained, used = mix(0.5, 0, 0.5), mix(0.95, 0, 0.05)
    before = np.column_stack([1 - two_gaussians(x, 0.5), np.zeros(81), two_gaussians(x, 0.5)])
    after = np.column_stack([1 - two_gaussians(x, 0.05), np.zeros(81), two_gaussians(x, 0.05)])
    assert corrected(before, trained_for=trained, prevalence=used) == pytest.approx(after)


def test_a_row_with_nothing_left_falls_back_on_the_mix():
    probabilities = np.array([[0.0, 0.0, 1.0], [0.5, 0.0, 0.5]])
    found = corrected(probabilities, trained_for=EQUAL, prevalence=mix(0.8, 0.2, 0))
    assert found == pytest.approx(np.array([[0.8, 0.2, 0], [1, 0, 0]]))
    # A label that was never trained for stays out of it, and mixes without a common label say nothing.
    found = corrected(probabilities, trained_for=mix(0.5, 0, 0.5), prevalence=mix(0.8, 0.2, 0))
    assert found == pytest.approx(np.array([[1.0, 0, 0], [1, 0, 0]]))
    apart = corrected(probabilities, trained_for=mix(0.5, 0, 0.5), prevalence=mix(0, 1, 0))
    assert apart == pytest.approx(probabilities)


def test_correction_helps_where_the_probabilities_are_those_of_another_mix_and_hurts_where_they_are_not():
    generator = np.random.default_rng(0)
    codes = generator.choice([0, 2], size=4000)
    x = generator.normal(size=4000) + np.where(codes == 2, 1, -1)
    truth, of_one = np.eye(3, dtype=bool)[codes], two_gaussians(x, 0.5)
    probabilities = np.column_stack([1 - of_one, np.zeros(4000), of_one])
    even, used = mix(0.5, 0, 0.5), mix(0.95, 0, 0.05)
    helped = base_rates(probabilities, truth, prevalence=used, trained_for=even, resamples=QUICK)
    assert helped.log_loss_saved.low > 0
    assert helped.log_loss_saved.value == pytest.approx(helped.at_mix.log_loss.value - helped.corrected.log_loss.value)
    assert helped.corrected.ece.value < 0.02
    before, after = (part.labels["propaganda"] for part in (helped.at_mix, helped.corrected))
    assert after.false_flags_per_10_000.high < before.false_flags_per_10_000.low
    assert after.precision.low > before.precision.high
    # Corrected already: to do it again overshoots.
    twice = corrected(probabilities, trained_for=even, prevalence=used)
    hurt = base_rates(twice, truth, prevalence=used, trained_for=even, resamples=QUICK)
    assert hurt.log_loss_saved.high < 0


def test_the_gain_is_paired():
    """Both log losses vary far more than their difference does."""
    probabilities, truth = sample(300)
    nearly = mix(0.3, 0.3, 0.4)
    rates = base_rates(probabilities, truth, prevalence=nearly, trained_for=mix(0.31, 0.3, 0.39), resamples=QUICK)
    gain, alone = rates.log_loss_saved, rates.at_mix.log_loss
    assert gain.high - gain.low < (alone.high - alone.low) / 5


def test_the_same_seed_gives_the_same_rates():
    probabilities, truth = sample(80)
    first, again, other = (
        base_rates(probabilities, truth, prevalence=NEWSROOM, trained_for=EQUAL, resamples=QUICK, seed=seed)
        for seed in (4, 4, 5)
    )
    assert first == again
    assert first.at_mix != other.at_mix


def test_json_round_trip():
    probabilities, truth = sample(60)
    for trained_for in (None, EQUAL):
        rates = base_rates(probabilities, truth, prevalence=NEWSROOM, trained_for=trained_for, resamples=QUICK)
        assert from_json(json.loads(json.dumps(to_json(rates), allow_nan=False))) == rates


@pytest.mark.parametrize("wrong", [{"value": "x", "low": 0, "high": 1}, {"value": float("nan"), "low": 0, "high": 1}])
def test_a_number_that_is_none_is_refused(wrong):
    document = to_json(base_rates(*sample(60), prevalence=NEWSROOM, trained_for=EQUAL, resamples=QUICK))
    for path in (document["at_test_mix"]["labels"]["verified"], document):
        kept = dict(path)
        path["recall" if "recall" in path else "log_loss_saved"] = wrong
        with pytest.raises(DataError, match="expected base rates"):
            from_json(document)
        path.update(kept)
    assert from_json(document)


@pytest.mark.parametrize("document", [None, [], "text", {}, {"at_mix": 3}])
def test_another_document_is_refused(document):
    with pytest.raises(DataError, match="expected base rates"):
        from_json(document)


def test_summary_metrics_are_flat_and_bounded_for_propaganda():
    probabilities, truth = sample(90)
    rates = base_rates(probabilities, truth, prevalence=NEWSROOM, trained_for=EQUAL, resamples=QUICK)
    summary = summary_metrics(rates)
    assert all(type(value) is float and re.fullmatch(r"\w+", name) for name, value in summary.items())
    of_label = rates.corrected.labels["propaganda"].false_flags_per_10_000
    assert summary["corrected_propaganda_false_flags_per_10_000_high"] == of_label.high
    assert summary["propaganda_precision"] == rates.at_mix.labels["propaganda"].precision.value
    assert summary["propaganda_precision_in_equal_shares"] > summary["propaganda_precision"]
    assert {"accuracy", "log_loss", "ece", "verified_missed_per_10_000", "log_loss_saved_low"} <= summary.keys()
    assert "verified_precision_low" not in summary


def test_table_and_headline_name_the_mix_and_n():
    probabilities, truth = decided([[80, 10, 10], [5, 40, 5], [2, 3, 15]])
    rates = base_rates(probabilities, truth, prevalence=NEWSROOM, trained_for=EQUAL, resamples=QUICK)
    rows = {row[0]: row[1:] for row in table(rates)}
    assert rows["n = 170"] == list(LABELS)
    assert rows["test claims"] == ["100", "50", "20"]
    assert rows["share at your mix"] == ["0.9", "0.08", "0.02"]
    assert [rows[f"precision {where}"][2][:5] for where in ("at your mix [95 %]", "in equal shares")] == [
        "0.133",
        "0.789",
    ]
    assert rows["precision at the test claims' mix"][2].startswith("0.500 [")
    assert rows["recall at any mix"][2].startswith("0.750 [")
    assert rows["false flags per 10,000 at your mix"][2].startswith("980 [")
    assert rows["missed per 10,000 at your mix"][2].startswith("50 [")
    flags = rates.corrected.labels["propaganda"].false_flags_per_10_000.value
    assert rows["corrected: false flags per 10,000"][2].startswith(f"{flags:,.0f} [")
    names = ["as calibrated", "corrected", "the mix alone, without a model", "saved by the correction"]
    assert [row[0] for row in correction_table(rates)[1:]] == names
    assert correction_table(rates)[3][1:] == ["0.900", "0.375", "0.000"]  # always saying .9, .08, .02
    pattern = (
        r"at your mix \(verified 0\.9, unverified 0\.08, propaganda 0\.02\): of 10,000 items 980 \[[\d,]+, [\d,]+\] "
        r"are flagged propaganda wrongly; precision of propaganda 0\.133 \[[\d., ]+\] against 0\.789 \[[\d., ]+\] "
        r"in equal shares, n = 170, 20 of them propaganda"
    )
    assert re.fullmatch(pattern, headline(rates))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"prevalence": {"verified": 1.0}}, "prevalence with a share"),
        ({"prevalence": mix(0.5, 0.5, 0.5)}, "prevalence with a share"),
        ({"prevalence": mix(1.5, -0.5, 0)}, "prevalence with a share"),
        ({"trained_for": mix(0.5, 0.1, 0.1)}, "trained_for with a share"),
        ({"resamples": 99}, "at least 100 resamples"),
    ],
)
def test_impossible_mixes_are_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        base_rates(*sample(30), **{"prevalence": NEWSROOM, **changed})


def test_no_claims_are_refused():
    with pytest.raises(ValueError, match="of one shape"):
        base_rates(np.zeros((0, 3)), np.zeros((0, 3), dtype=bool), prevalence=NEWSROOM)
