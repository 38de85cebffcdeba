import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from claimsieve.errors import DataError
from claimsieve.evaluation.calibration import Calibration, apply, calibrate, fitted_mix, from_json, to_json
from claimsieve.evaluation.conformal import conformal_thresholds, prediction_sets
from claimsieve.evaluation.metrics import log_losses, point_metrics
from claimsieve.records import LABELS, Claim

EVEN = dict.fromkeys(LABELS, 1 / 3)


def sharpened(n, *, temperature, seed=0, corpus=None):
    """Claims with labels drawn from probabilities, and these probabilities with their logits times the temperature."""
    generator = np.random.default_rng(seed)
    honest = generator.dirichlet([1.0] * 3, size=n)
    codes = [generator.choice(3, p=row) for row in honest]
    given = honest**temperature
    return given / given.sum(axis=1, keepdims=True), claims_of(codes, corpus=corpus)


def claims_of(codes, *, corpus=None):
    return [Claim(claim=f"claim {i}", label=LABELS[code], corpus=corpus) for i, code in enumerate(codes)]


def truth_of(claims):
    return np.array([[claim.label == label for label in LABELS] for claim in claims])


def fitted(probabilities, claims, **options):
    return calibrate(probabilities, claims, **{"trained_for": EVEN, **options})


def with_temperature(temperature, corpora=()):
    return replace(fitted(np.zeros((0, 3)), []), temperature=temperature, corpora=dict(corpora))


def best_temperature(probabilities, claims):
    """The temperature of the lowest log loss, found without scikit-learn."""
    logits, truth = np.log(probabilities), truth_of(claims)
    found = minimize_scalar(
        lambda log_beta: -log_softmax(np.exp(log_beta) * logits, axis=1)[truth].mean(), bounds=(-5, 5)
    )
    return float(np.exp(-found.x))


@pytest.mark.parametrize("planted", [0.5, 1.0, 2.5])
def test_a_planted_temperature_is_recovered(planted):
    calibration = fitted(*sharpened(4000, temperature=planted))
    assert calibration.temperature == pytest.approx(planted, rel=0.08)  # three standard deviations


def test_a_fresh_sample_is_better_calibrated_afterwards():
    calibration = fitted(*sharpened(2000, temperature=3.0))
    probabilities, claims = sharpened(3000, temperature=3.0, seed=1)
    truth = truth_of(claims)
    before = point_metrics(probabilities, truth)
    after = point_metrics(apply(calibration, probabilities, [None] * 3000), truth)
    assert before["ece"] > 0.1
    assert after["ece"] < 0.03
    assert after["log_loss"] < before["log_loss"]
    assert after["macro_f1"] == before["macro_f1"]


@pytest.mark.parametrize("planted", [0.4, 1.0, 3.0])
@pytest.mark.parametrize("without", [None, "verified", "unverified", "propaganda"])
def test_the_temperature_has_the_lowest_log_loss_over_all_three_columns(planted, without):
    """A label that no calibration row has keeps its column."""
    probabilities, claims = sharpened(3000, temperature=planted)
    kept = [row for row, claim in enumerate(claims) if claim.label != without]
    probabilities, claims = probabilities[kept], [claims[row] for row in kept]
    found = fitted(probabilities, claims).temperature
    assert found == pytest.approx(best_temperature(probabilities, claims), rel=0.003)  # one row among n is added


def test_a_label_that_the_model_gives_no_probability_does_not_spoil_the_fit():
    probabilities, claims = sharpened(500, temperature=1.0)
    probabilities[:50] = [[1.0, 0.0, 0.0]]
    claims[:50] = claims_of([0] * 49 + [1])
    calibration = fitted(probabilities, claims)
    after = apply(calibration, probabilities, [None] * 500)
    assert 1 < calibration.temperature < 20
    assert np.isfinite(np.log(after)).all()
    truth = truth_of(claims)
    assert log_losses(after, truth).mean() < log_losses(probabilities, truth).mean()


@pytest.mark.parametrize("n", [10, 100, 1000])
def test_a_model_that_was_always_right_is_not_called_certain(n):
    """n right answers of n are taken for n right answers of n + 1."""
    codes = np.arange(n) % 3
    probabilities = np.where(np.eye(3, dtype=bool)[codes], 0.8, 0.1)
    calibration = fitted(probabilities, claims_of(codes))
    after = apply(calibration, probabilities, [None] * n)
    assert after.max(axis=1) == pytest.approx(n / (n + 1), rel=1e-6)


def test_answers_that_are_always_wrong_are_flattened_but_stay_the_answers():
    codes = np.arange(300) % 3
    probabilities = np.where(np.eye(3, dtype=bool)[(codes + 1) % 3], 0.9, 0.05)
    calibration = fitted(probabilities, claims_of(codes))
    after = apply(calibration, probabilities, [None] * 300)
    assert calibration.temperature == 20
    assert after.max() < 0.4
    assert (after.argmax(axis=1) == probabilities.argmax(axis=1)).all()


@given(st.integers(10, 60), st.integers(0, 2**32 - 1), st.sampled_from([0.01, 0.3, 1.0, 30.0]))
@settings(max_examples=40, deadline=None)
def test_any_rows_give_a_temperature_that_can_be_used(n, seed, concentration):
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet([concentration] * 3, size=n)
    calibration = fitted(probabilities, claims_of(generator.integers(3, size=n)))
    after = apply(calibration, probabilities, [None] * n)
    assert 0.05 <= calibration.temperature <= 20
    assert after.sum(axis=1) == pytest.approx(np.ones(n), abs=1e-12)
    assert from_json(json.loads(json.dumps(to_json(calibration), allow_nan=False))) == calibration


@pytest.mark.parametrize("codes", [[], [0, 1, 2] * 3, [1] * 50], ids=["no rows", "nine rows", "one label"])
def test_rows_that_cannot_tell_a_temperature_leave_it_at_one(codes):
    probabilities = np.full((len(codes), 3), [[0.6, 0.3, 0.1]])
    calibration = fitted(probabilities, claims_of(codes))
    assert (calibration.temperature, calibration.corpora) == (1.0, {})


def test_rows_without_a_preference_do_not_sharpen_others():
    """Their log loss is log 3 at any temperature; a bound of the search is no answer."""
    calibration = fitted(np.full((60, 3), 1 / 3), claims_of([0, 1, 2] * 20))
    assert calibration.temperature == 1.0


def test_no_temperature_when_none_is_asked_for():
    probabilities, claims = sharpened(400, temperature=3.0)
    asked, not_asked = (fitted(probabilities, claims, method=method) for method in ("temperature", "none"))
    assert not_asked == replace(asked, temperature=1.0, trained_for=not_asked.trained_for)
    assert asked.temperature > 2


def test_without_calibration_rows_no_label_is_ever_ruled_out():
    calibration = fitted(np.zeros((0, 3)), [])
    assert calibration.thresholds == dict.fromkeys(LABELS)
    assert calibration.rows == dict.fromkeys(LABELS, 0)


def test_a_label_that_neither_train_nor_calibration_has_is_ruled_out():
    claims = [Claim("c", label=LABELS[2 * (row % 2)]) for row in range(40)]
    probabilities = np.array([[0.9, 0.0, 0.1] if claim.label == "verified" else [0.1, 0.0, 0.9] for claim in claims])
    without = {"verified": 0.5, "unverified": 0.0, "propaganda": 0.5}
    known = fitted(probabilities, claims, trained_for=without).thresholds
    assert prediction_sets(probabilities, known).sum(axis=1).tolist() == [1] * 40
    # Were it in train, forty rows without it would say nothing of it.
    assert fitted(probabilities, claims, trained_for=EVEN).thresholds["unverified"] is None
    # Were it in calibration, sets would have to hold it there.
    met = [Claim("c", label="unverified"), *claims[1:]]
    assert fitted(probabilities, met, trained_for=without).thresholds["unverified"] is None


def test_thresholds_are_of_the_uncalibrated_probabilities_and_rows_are_counted():
    probabilities, claims = sharpened(300, temperature=3.0)
    calibration = fitted(probabilities, claims, coverage=0.8)
    assert calibration.thresholds == conformal_thresholds(probabilities, truth_of(claims), coverage=0.8)
    assert sum(calibration.rows.values()) == 300
    assert calibration.rows["propaganda"] == sum(claim.label == "propaganda" for claim in claims)
    assert calibration.coverage == 0.8
    assert list(calibration.trained_for.values()) == pytest.approx([1 / 3] * 3, abs=0.1)
    few = fitted(probabilities[:40], claims[:40])
    assert few.trained_for == EVEN


def pooled(*samples):
    probabilities, claims = zip(*samples, strict=True)
    return np.vstack(probabilities), [claim for part in claims for claim in part]


def test_a_corpus_with_enough_rows_has_a_temperature_of_its_own():
    large = sharpened(1500, temperature=3.0, corpus="sure of itself")
    small = sharpened(199, temperature=3.0, seed=1, corpus="small")
    timid = sharpened(1500, temperature=0.5, seed=2, corpus="timid")
    calibration = fitted(*pooled(large, small, timid), min_corpus_rows=200)
    assert calibration.corpora.keys() == {"sure of itself", "timid"}
    assert calibration.corpora["sure of itself"] == pytest.approx(3.0, rel=0.1)
    assert calibration.corpora["timid"] == pytest.approx(0.5, rel=0.1)
    assert 0.5 < calibration.temperature < 3.0
    row = np.array([[0.6, 0.3, 0.1]])
    common = apply(calibration, row, [None])
    assert (apply(calibration, row, ["small"]) == common).all()
    assert (apply(calibration, row, ["never seen"]) == common).all()
    three = apply(calibration, np.repeat(row, 3, axis=0), ["sure of itself", "small", "timid"])[:, 0]
    assert three[0] < three[1] < three[2]


def test_one_corpus_has_the_common_temperature_only():
    assert fitted(*sharpened(500, temperature=2.0, corpus="alone")).corpora == {}


def test_a_corpus_of_one_label_has_the_common_temperature():
    """Its temperature would say how sure the model is, not how right."""
    one_label = (np.full((300, 3), [[0.5, 0.3, 0.2]]), claims_of([0] * 300, corpus="only verified"))
    mixed = sharpened(300, temperature=2.0, corpus="mixed")
    assert fitted(*pooled(one_label, mixed)).corpora.keys() == {"mixed"}


def nearly_tied(draw_three):
    """Three probabilities; some are a last digit apart, or 0."""
    shares, steps = draw_three
    row = np.array(shares, dtype=np.float64)
    row = row / row.sum() if row.sum() else np.full(3, 1 / 3)
    for column, step in enumerate(steps):
        for _ in range(abs(step)):
            row[column] = np.nextafter(row[column], 1.0 if step > 0 else 0.0)
    return row


rows = st.tuples(
    st.tuples(*[st.sampled_from([0.0, 1e-300, 1e-9, 0.2, 1.0, 1.0, 1.0, 3.0])] * 3),
    st.tuples(*[st.integers(-2, 2)] * 3),
).map(nearly_tied)


@given(
    st.lists(rows, min_size=1, max_size=20),
    st.one_of(st.sampled_from([0.05, 1.0, 20.0]), st.floats(0.05, 20)),
    st.floats(0.05, 20),
)
@settings(max_examples=300, deadline=None)
def test_calibration_never_changes_the_label_given(given_rows, temperature, of_corpus):
    probabilities = np.array(given_rows)
    corpora = [("a", "b", None)[i % 3] for i in range(len(probabilities))]
    after = apply(with_temperature(temperature, {"a": of_corpus}), probabilities, corpora)
    assert (after.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert after.sum(axis=1) == pytest.approx(np.ones(len(after)), abs=1e-12)
    assert ((after >= 0) & (after <= 1)).all()


def test_a_temperature_of_one_leaves_the_probabilities_bit_for_bit():
    probabilities = np.array([[1.0, 0.0, 0.0], [0.1, 0.2, 0.7], [1 / 3, 1 / 3, 1 / 3]])
    assert (apply(with_temperature(1.0), probabilities, [None] * 3) == probabilities).all()


def test_a_temperature_divides_the_logits():
    after = apply(with_temperature(2.0), np.array([[0.64, 0.32, 0.04]]), ["any"])
    roots = np.sqrt([0.64, 0.32, 0.04])
    assert after[0] == pytest.approx(roots / roots.sum())


def test_no_rows_stay_no_rows():
    assert apply(with_temperature(2.0), np.zeros((0, 3)), []).shape == (0, 3)


def test_each_row_needs_its_corpus():
    with pytest.raises(ValueError, match="for each of 2 rows, found 1"):
        apply(with_temperature(2.0), np.full((2, 3), 1 / 3), [None])


@pytest.mark.parametrize(
    ("probabilities", "options", "message"),
    [
        (np.zeros((2, 3)), {}, r"shape \(3, 3\), found shape \(2, 3\)"),
        (np.full((3, 3), np.nan), {}, "expected finite probabilities"),
        (np.full((3, 3), 1 / 3), {"coverage": 1.0}, "expected a coverage between 0 and 1, found 1.0"),
        (np.full((3, 3), 1 / 3), {"trained_for": {"verified": 1.0}}, "expected trained_for as shares"),
        (np.full((3, 3), 1 / 3), {"trained_for": dict.fromkeys(LABELS, 1.0)}, "that sum to 1"),
    ],
)
def test_arguments_out_of_range_are_refused(probabilities, options, message):
    with pytest.raises(ValueError, match=message):
        calibrate(probabilities, claims_of([0, 1, 2]), **({"trained_for": EVEN} | options))


def test_unlabelled_claims_are_refused():
    with pytest.raises(DataError, match="1 of 1 without one"):
        fitted(np.full((1, 3), 1 / 3), [Claim(claim="a")])


WHOLE = Calibration(
    temperature=1.5,
    corpora={"press": 0.7, "": 2.0},
    coverage=0.9,
    thresholds={"verified": 0.2, "unverified": None, "propaganda": 1.0},
    rows={"verified": 40, "unverified": 3, "propaganda": 12},
    trained_for={"verified": 0.5, "unverified": 0.5, "propaganda": 0.0},
)


def test_json_round_trip():
    assert from_json(json.loads(json.dumps(to_json(WHOLE), allow_nan=False))) == WHOLE


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": value}
        for value in (0, -1.5, 0.04, 20.1, float("nan"), float("inf"), 10**400, True, "1.5", None, [1.5])
    ]
    + [
        {"corpora": {"press": float("nan")}},
        {"corpora": {"press": 0}},
        {"corpora": ["press"]},
        {"corpora": []},
        {"corpora": None},
        {"coverage": 1.1},
        {"coverage": "0.9"},
        {"thresholds": {"verified": 0.2, "unverified": None}},
        {"thresholds": {"verified": 0.2, "unverified": None, "propaganda": 0.1, "satire": 0.1}},
        {"thresholds": {"verified": -0.1, "unverified": None, "propaganda": 0.1}},
        {"thresholds": {"verified": float("nan"), "unverified": None, "propaganda": 0.1}},
        {"rows": {"verified": -1, "unverified": 3, "propaganda": 12}},
        {"rows": {"verified": 1.5, "unverified": 3, "propaganda": 12}},
        {"rows": 55},
        {"trained_for": {"verified": 0.5, "unverified": 0.5, "propaganda": 0.5}},
        {"trained_for": {"verified": 1.5, "unverified": -0.5, "propaganda": 0.0}},
        {"trained_for": {"verified": float("nan"), "unverified": 0.5, "propaganda": 0.5}},
    ],
    ids=repr,
)
def test_a_calibration_out_of_range_is_refused(changes):
    with pytest.raises(DataError, match=r"expected a calibration as claimsieve writes it.*Train the model again"):
        from_json(to_json(WHOLE) | changes)


@pytest.mark.parametrize("missing", sorted(to_json(WHOLE)))
def test_an_incomplete_calibration_is_refused(missing):
    with pytest.raises(DataError, match=missing):
        from_json({key: value for key, value in to_json(WHOLE).items() if key != missing})


@pytest.mark.parametrize("document", [None, [], "text", 3, {}])
def test_another_document_is_refused(document):
    with pytest.raises(DataError, match="expected a calibration"):
        from_json(document)


# --- the mix that probabilities are of


def test_the_mix_that_probabilities_are_of_is_found_whatever_mix_the_rows_have():
    generator = np.random.default_rng(5)
    given, rows = np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.1, 0.3])
    places = generator.choice(3, size=20_000, p=rows)
    seen = generator.normal(size=(len(places), 3)) + 1.5 * np.eye(3)[places]
    densities = np.exp(1.5 * seen - 1.5**2 / 2) * given  # Bayes at the mix `given`
    probabilities = densities / densities.sum(axis=1, keepdims=True)
    found = fitted_mix(probabilities, np.eye(3, dtype=bool)[places], known=[True] * 3)
    assert list(found.values()) == pytest.approx(given.tolist(), abs=0.02)


def test_the_mix_is_not_fitted_on_a_handful_of_rows_and_leaves_out_labels_that_the_model_does_not_know():
    truth = np.eye(3, dtype=bool)[[0, 1] * 30]
    probabilities = np.tile([0.5, 0.5, 0.0], (60, 1))
    assert fitted_mix(probabilities, truth, known=[True] * 3) is None
    found = fitted_mix(probabilities, truth, known=[True, True, False])
    assert list(found.values()) == pytest.approx([0.5, 0.5, 0.0], abs=1e-4)
