import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression

from claimsieve.errors import DataError
from claimsieve.evaluation import metrics as m
from claimsieve.evaluation.calibration_error import (
    ERRORS,
    adaptive_ece,
    brier_decomposition,
    calibration_report,
    from_json,
    summary_metrics,
    table,
    to_json,
)
from claimsieve.evaluation.evaluate import evaluate
from claimsieve.records import LABELS, Claim

QUICK = 200


def sample(n, *, seed=0, sharpness=1.0):
    """Probabilities, and claims of two corpora. `rumours` is calibrated, `press` as sharp as asked: 1 is calibrated."""
    generator = np.random.default_rng(seed)
    honest = generator.dirichlet([1.0] * 3, size=n)
    codes = [generator.choice(3, p=row) for row in honest]
    claims = [
        Claim(claim=f"claim {i}", label=LABELS[code], corpus=("press", "rumours")[i % 2])
        for i, code in enumerate(codes)
    ]
    given = honest ** np.where(np.arange(n) % 2 == 0, sharpness, 1.0)[:, None]
    return given / given.sum(axis=1, keepdims=True), honest, claims


def truth_of(claims):
    return np.array([[claim.label == label for label in LABELS] for claim in claims])


@st.composite
def labelled_rows(draw):
    """Random probabilities and truths, with labels that may be missing, and with ties."""
    n = draw(st.integers(1, 60))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    probabilities = generator.dirichlet([draw(st.sampled_from([0.1, 1.0, 5.0]))] * 3, size=n)
    if draw(st.booleans()):
        probabilities = np.round(probabilities, 1)
    codes = generator.choice(draw(st.lists(st.sampled_from(range(3)), min_size=1, max_size=3, unique=True)), size=n)
    return probabilities, np.eye(3, dtype=bool)[codes]


@pytest.mark.parametrize("bins", [1, 5, 15])
@pytest.mark.parametrize("seed", range(3))
def test_adaptive_error_follows_from_the_quantile_curve_of_scikit_learn(bins, seed):
    probabilities, _, claims = sample(300, seed=seed, sharpness=3.0)
    truth = truth_of(claims)
    confidence = probabilities.max(axis=1)
    right = truth[np.arange(300), probabilities.argmax(axis=1)]
    shares, means = calibration_curve(right, confidence, n_bins=bins, strategy="quantile")
    assert len(shares) == bins  # no ties, so each bin has as many rows
    assert adaptive_ece(probabilities, truth, bins=bins) == pytest.approx(np.abs(shares - means).mean(), abs=1e-12)


def test_adaptive_error_of_a_hand_worked_example():
    # Confidences 0.4, 0.5 | 0.8, 0.9 in two bins of two rows; right: one of the lower, both of the upper.
    probabilities = np.array([[0.4, 0.3, 0.3], [0.9, 0.1, 0.0], [0.5, 0.2, 0.3], [0.1, 0.8, 0.1]])
    truth = m.one_hot(["verified", "verified", "propaganda", "unverified"])
    assert adaptive_ece(probabilities, truth, bins=2) == pytest.approx(0.5 * 0.05 + 0.5 * 0.15)
    # In three bins the edges are the quantiles 0.5 and 0.8, and a bin is closed above: two rows, one and one.
    gaps = [abs(1 - 0.4 + 0 - 0.5), 1 - 0.8, 1 - 0.9]
    assert adaptive_ece(probabilities, truth, bins=3) == pytest.approx(sum(gaps) / 4)


@given(labelled_rows(), st.integers(1, 20), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_adaptive_error_does_not_depend_on_the_order_of_rows(rows, bins, random):
    probabilities, truth = rows
    order = list(range(len(truth)))
    random.shuffle(order)
    found = adaptive_ece(probabilities, truth, bins=bins)
    assert adaptive_ece(probabilities[order], truth[order], bins=bins) == pytest.approx(found, abs=1e-12)
    assert 0 <= found <= 1


def test_adaptive_error_sees_what_wide_bins_average_away():
    """All confidences lie in one bin of equal width, where too much and too little cancel out."""
    confidence = np.repeat([0.93, 0.99], 500)
    right = np.concatenate([np.arange(500) % 100 < 99, np.arange(500) % 100 < 93])
    probabilities = np.column_stack([confidence, 1 - confidence, np.zeros(1000)])
    truth = np.eye(3, dtype=bool)[np.where(right, 0, 1)]
    assert m.point_metrics(probabilities, truth, bins=10)["ece"] == pytest.approx(0, abs=1e-9)
    assert adaptive_ece(probabilities, truth, bins=10) == pytest.approx(0.06)


@given(labelled_rows())
@settings(max_examples=100, deadline=None)
def test_the_parts_add_up_to_the_brier_score_and_none_is_negative(rows):
    parts = brier_decomposition(*rows)
    whole = parts.miscalibration - parts.discrimination + parts.uncertainty
    assert whole == pytest.approx(m.brier_scores(*rows).mean(), abs=1e-12)
    assert min(asdict(parts).values()) >= -1e-12


@given(labelled_rows())
@settings(max_examples=60, deadline=None)
def test_the_parts_agree_with_isotonic_regression_label_by_label(rows):
    probabilities, truth = np.round(rows[0], 9), rows[1]  # scikit-learn takes values 1e-15 apart for equal
    recalibrated = np.column_stack(
        [IsotonicRegression().fit_transform(probabilities[:, k], truth[:, k].astype(float)) for k in range(3)]
    )
    of_recalibrated = ((recalibrated - truth) ** 2).sum(axis=1).mean()
    of_shares = ((truth.mean(axis=0) - truth) ** 2).sum(axis=1).mean()
    parts = brier_decomposition(probabilities, truth)
    assert parts.miscalibration == pytest.approx(
        m.brier_scores(probabilities, truth).mean() - of_recalibrated, abs=1e-9
    )
    assert parts.discrimination == pytest.approx(of_shares - of_recalibrated, abs=1e-9)
    assert parts.uncertainty == pytest.approx(of_shares, abs=1e-12)


def test_the_parts_of_forecasts_that_are_known():
    truth = m.one_hot(["verified", "verified", "unverified", "propaganda"])
    shares = np.tile(truth.mean(axis=0), (4, 1))
    assert asdict(brier_decomposition(shares, truth)) == pytest.approx(
        {"miscalibration": 0, "discrimination": 0, "uncertainty": 0.625}  # 1 - 1/4 - 1/16 - 1/16
    )
    assert asdict(brier_decomposition(truth.astype(float), truth)) == pytest.approx(
        {"miscalibration": 0, "discrimination": 0.625, "uncertainty": 0.625}
    )
    constant = np.tile([0.0, 1.0, 0.0], (4, 1))  # no discrimination, and 3 of 4 rows 2 off
    assert asdict(brier_decomposition(constant, truth)) == pytest.approx(
        {"miscalibration": 1.5 - 0.625, "discrimination": 0, "uncertainty": 0.625}
    )


def test_equal_probabilities_are_recalibrated_to_one_value():
    """However the rows are ordered; otherwise the order would leak the labels into the recalibration."""
    truth = np.eye(3, dtype=bool)[[1, 1, 0, 0]]
    parts = brier_decomposition(np.full((4, 3), [[0.5, 0.5, 0.0]]), truth)
    assert parts.discrimination == pytest.approx(0)


def test_sharpening_is_miscalibration_and_does_not_touch_discrimination():
    """A rising function of each label's probability keeps its order, and so what it tells apart."""
    probabilities, _, claims = sample(2000)
    truth = truth_of(claims)
    before, after = brier_decomposition(probabilities, truth), brier_decomposition(probabilities**4, truth)
    assert after.discrimination == pytest.approx(before.discrimination)
    assert after.uncertainty == before.uncertainty
    assert after.miscalibration > before.miscalibration + 0.05


def test_values_are_those_of_the_evaluation_and_of_scikit_learn():
    given, honest, claims = sample(400, sharpness=3.0)
    truth = truth_of(claims)
    report = calibration_report({"before": given, "after": honest}, claims, resamples=QUICK)
    for name, probabilities in {"before": given, "after": honest}.items():
        stage = report.overall.stages[name]
        expected = m.point_metrics(probabilities, truth) | {"adaptive_ece": adaptive_ece(probabilities, truth)}
        assert {error: getattr(stage, error).value for error in ERRORS}.items() <= expected.items()
        codes = truth.argmax(axis=1)
        assert stage.log_loss.value == pytest.approx(sk.log_loss(codes, probabilities, labels=range(3)))
        brier = sk.brier_score_loss(codes, probabilities, labels=range(3), scale_by_half=False)
        assert stage.brier.value == pytest.approx(brier)
        assert stage.brier_parts == brier_decomposition(probabilities, truth)
        evaluation = evaluate(probabilities, claims, resamples=QUICK)
        assert (stage.ece, stage.brier) == (evaluation.overall.metrics["ece"], evaluation.overall.metrics["brier"])
        assert report.reliability[name] == evaluation.reliability


def test_an_interval_is_that_of_resampled_rows_with_the_bins_kept():
    given, _, claims = sample(90, sharpness=3.0)
    truth = truth_of(claims)
    stage = calibration_report({"only": given}, claims, resamples=150, seed=2, bins=4).overall.stages["only"]
    confidence = given.max(axis=1)
    edges = np.quantile(confidence, [0.25, 0.5, 0.75])
    of_row = (confidence[:, None] > edges).sum(axis=1)
    gaps = truth[np.arange(90), given.argmax(axis=1)] - confidence
    generator = np.random.default_rng(2)
    draws = []
    for _ in range(150):
        rows = generator.integers(90, size=90)
        draws.append(np.abs(np.bincount(of_row[rows], weights=gaps[rows], minlength=4)).sum() / 90)
    assert (stage.adaptive_ece.low, stage.adaptive_ece.high) == pytest.approx(tuple(np.percentile(draws, (2.5, 97.5))))


def test_a_corpus_that_is_wild_shows_although_another_is_calibrated():
    given, honest, claims = sample(3000, sharpness=4.0)
    report = calibration_report({"before": given, "after": honest}, claims, resamples=QUICK)
    assert {name: part.n for name, part in report.corpora.items()} == {"press": 1500, "rumours": 1500}
    before = {name: part.stages["before"].ece.value for name, part in report.corpora.items()}
    assert before["press"] > 0.2
    assert before["rumours"] < 0.05
    change = {name: part.change["ece"] for name, part in report.corpora.items()}
    assert change["press"].high < -0.15
    unchanged = change["rumours"]
    assert (unchanged.low, unchanged.value, unchanged.high) == pytest.approx((0, 0, 0), abs=1e-12)
    press = [i for i, claim in enumerate(claims) if claim.corpus == "press"]
    alone = calibration_report(
        {"before": given[press], "after": honest[press]}, [claims[i] for i in press], resamples=QUICK
    )
    assert alone.overall == report.corpora["press"]


def test_stages_are_compared_on_the_same_resampled_rows():
    """Which rows are drawn moves both Brier scores alike, so their difference is known far better than either."""
    given, _, claims = sample(500)
    tempered = given**1.1 / (given**1.1).sum(axis=1, keepdims=True)
    part = calibration_report({"before": given, "after": tempered}, claims, resamples=QUICK).overall

    def width(estimate):
        return estimate.high - estimate.low

    assert part.change["brier"].value == part.stages["after"].brier.value - part.stages["before"].brier.value
    assert width(part.change["brier"]) < width(part.stages["before"].brier) / 3


@pytest.mark.parametrize("rows", [1, 3])
def test_a_handful_of_rows_has_a_report(rows):
    given, honest, claims = sample(rows)
    report = calibration_report({"before": given, "after": honest}, claims, resamples=QUICK)
    assert report.overall.n == rows


@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(1, 20))
@settings(max_examples=15, deadline=None)
def test_json_round_trip(n, seed, bins):
    given, honest, claims = sample(n, seed=seed, sharpness=2.0)
    report = calibration_report(
        {"before": given, "one temperature": honest, "after": honest}, claims, resamples=100, bins=bins
    )
    found = from_json(json.loads(json.dumps(to_json(report), allow_nan=False)))
    assert found == report
    assert list(found.overall.stages) == ["before", "one temperature", "after"]


@pytest.mark.parametrize("document", [None, [], "text", {}, {"overall": 3}, {"overall": {"n": 3, "stages": {}}}])
def test_another_document_is_refused(document):
    with pytest.raises(DataError, match="expected calibration errors"):
        from_json(document)


def test_summary_metrics_are_of_the_first_and_the_last_stage():
    given, honest, claims = sample(300, sharpness=3.0)
    wild = np.full((300, 3), [[1.0, 0.0, 0.0]])
    report = calibration_report({"before": given, "one temperature": wild, "after": honest}, claims, resamples=QUICK)
    found = summary_metrics(report)
    names = {name + ending for name in ERRORS for ending in ("", "_before")}
    names |= {"miscalibration", "discrimination", "uncertainty", "miscalibration_before", "discrimination_before"}
    assert found.keys() == names | {"ece_low", "ece_high"}
    assert all(type(value) is float for value in found.values())
    stages = report.overall.stages
    assert (found["ece_before"], found["ece"]) == (stages["before"].ece.value, stages["after"].ece.value)
    assert found["miscalibration_before"] == stages["before"].brier_parts.miscalibration
    assert found["miscalibration"] == stages["after"].brier_parts.miscalibration
    assert found["miscalibration_before"] > found["miscalibration"]


def test_one_stage_is_its_own_before_and_after():
    given, _, claims = sample(50)
    report = calibration_report({"only": given}, claims, resamples=QUICK)
    found = summary_metrics(report)
    assert found["ece"] == found["ece_before"]
    assert report.overall.change["ece"].value == 0


def test_table_has_a_row_per_corpus_and_the_whole_last():
    _, _, claims = sample(400)
    claims[0] = replace(claims[0], corpus=None)
    certain, even = truth_of(claims).astype(float), np.full((400, 3), 1 / 3)
    rows = table(calibration_report({"before": even, "after": certain}, claims, resamples=QUICK))
    assert rows[0] == ["", "n", "ECE [95 %]", "adaptive ECE", "Brier"]
    assert [row[:2] for row in rows[1:]] == [["rumours", "200"], ["press", "199"], ["overall", "400"]]
    assert rows[-1][2].endswith("→ 0.000 [0.000, 0.000]")
    assert rows[-1][4] == "0.667 → 0.000"


@pytest.mark.parametrize(
    ("stages", "options", "message"),
    [
        ({}, {}, r"expected one or more stages of shape \(2, 3\), found \[\]"),
        ({"a": np.full((3, 3), 1 / 3)}, {}, r"shape \(2, 3\), found \[\(3, 3\)\]"),
        ({"a": np.full((2, 3), 1 / 3)}, {"resamples": 99}, "at least 100 resamples"),
        ({"a": np.full((2, 3), 1 / 3)}, {"bins": 0}, "and 1 bin, found"),
    ],
)
def test_arguments_out_of_range_are_refused(stages, options, message):
    with pytest.raises(ValueError, match=message):
        calibration_report(stages, [Claim(claim="a", label="verified")] * 2, **options)


def test_unlabelled_claims_are_refused():
    with pytest.raises(DataError, match="1 of 1 without one"):
        calibration_report({"a": np.full((1, 3), 1 / 3)}, [Claim(claim="a")])
