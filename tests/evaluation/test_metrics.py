import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from claimsieve.evaluation import metrics as m
from claimsieve.records import LABELS

CODES = range(len(LABELS))


@st.composite
def labelled_rows(draw):
    """Random probabilities and truths, with labels that may be missing and rows that may be certain."""
    n = draw(st.integers(1, 60))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    probabilities = generator.dirichlet([draw(st.sampled_from([0.3, 1.0, 5.0]))] * 3, size=n)
    codes = generator.choice(draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True)), size=n)
    return probabilities, np.eye(3, dtype=bool)[codes]


def by_hand_of_sklearn(probabilities, truth):
    codes, chosen = truth.argmax(axis=1), probabilities.argmax(axis=1)
    present = sorted(set(codes.tolist()))
    expected = {
        "macro_f1": sk.f1_score(codes, chosen, labels=present, average="macro", zero_division=0),
        "accuracy": sk.accuracy_score(codes, chosen),
        "log_loss": sk.log_loss(codes, probabilities, labels=CODES),
        "brier": sk.brier_score_loss(codes, probabilities, labels=CODES, scale_by_half=False),
    }
    if len(present) > 1:
        expected["mcc"] = sk.matthews_corrcoef(codes, chosen)
    scores = sk.precision_recall_fscore_support(codes, chosen, labels=CODES, zero_division=0)[:3]
    for name, values in zip(m.LABEL_METRICS, scores, strict=True):
        expected |= {f"{LABELS[code]}_{name}": values[code] for code in present}
    return expected


@given(labelled_rows())
@settings(max_examples=60, deadline=None)
def test_point_metrics_equal_scikit_learn(rows):
    found = m.point_metrics(*rows)
    expected = by_hand_of_sklearn(*rows)
    assert found.keys() == expected.keys() | {"ece"}
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-12)


@given(labelled_rows())
@settings(max_examples=40, deadline=None)
def test_confusion_matrix_and_correlation_equal_scikit_learn_even_with_one_label(rows):
    probabilities, truth = rows
    codes, chosen = truth.argmax(axis=1), probabilities.argmax(axis=1)
    confusion = m.confusion_matrix(truth, m.chosen_labels(probabilities))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of a single label in the correlation
        assert confusion.tolist() == sk.confusion_matrix(codes, chosen, labels=CODES).tolist()
        assert float(m.mcc(confusion)) == pytest.approx(sk.matthews_corrcoef(codes, chosen), abs=1e-12)


@given(labelled_rows(), st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_calibration_error_follows_from_the_reliability_bins(rows, bins):
    parts = m.reliability(*rows, bins=bins)
    n = len(rows[0])
    assert (parts[0].low, parts[-1].high, sum(part.n for part in parts)) == (0.0, 1.0, n)
    expected = sum(part.n / n * abs(part.accuracy - part.confidence) for part in parts if part.n)
    assert m.point_metrics(*rows, bins=bins)["ece"] == pytest.approx(expected, abs=1e-12)


def test_calibration_error_of_a_hand_worked_example():
    # Two bins over [0, 1]. Lower bin: confidences 0.4 and 0.5, one of them right: |0.5 - 0.45| = 0.05.
    # Upper bin: confidences 0.9, 0.8 and 0.7, all right: |1 - 0.8| = 0.2. Together 2/5 * 0.05 + 3/5 * 0.2 = 0.14.
    probabilities = np.array([[0.4, 0.3, 0.3], [0.5, 0.2, 0.3], [0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.1, 0.2, 0.7]])
    truth = m.one_hot(["verified", "propaganda", "verified", "unverified", "propaganda"])
    assert m.point_metrics(probabilities, truth, bins=2)["ece"] == pytest.approx(0.14)


def test_a_bin_is_closed_at_its_upper_edge():
    lower, upper = m.reliability(np.array([[0.5, 0.25, 0.25]]), m.one_hot(["verified"]), bins=2)
    assert lower == m.Bin(0.0, 0.5, 1, 0.5, 1.0)
    assert upper == m.Bin(0.5, 1.0, 0, None, None)


def test_log_loss_and_brier_of_certain_answers():
    probabilities = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    truth = m.one_hot(["verified", "propaganda"])
    assert m.log_losses(probabilities, truth).tolist() == pytest.approx([0.0, -np.log(1e-15)])
    assert m.brier_scores(probabilities, truth).tolist() == [0.0, 2.0]


def test_resampled_metrics_are_the_metrics_of_the_resampled_rows(monkeypatch):
    n, resamples = 40, 25
    generator = np.random.default_rng(1)
    probabilities = generator.dirichlet([1, 1, 1], size=n)
    truth = np.eye(3, dtype=bool)[generator.integers(3, size=n)]
    monkeypatch.setattr(m, "LARGEST_CHUNK", 7 * n)  # 25 resamples in chunks of 7, 7, 7 and 4
    sums = m.resampled_sums(m.row_statistics(probabilities, truth), resamples=resamples, seed=3)
    found = m.metrics_of_sums(sums, present=truth.any(axis=0))
    again = np.random.default_rng(3)
    for resample in range(resamples):
        rows = again.integers(n, size=n)
        expected = m.point_metrics(probabilities[rows], truth[rows])
        assert {name: values[resample] for name, values in found.items()} == pytest.approx(expected, abs=1e-9)


def test_chunks_do_not_change_the_resamples(monkeypatch):
    statistics = np.random.default_rng(0).random((31, 4))
    whole = m.resampled_sums(statistics, resamples=50, seed=5)
    monkeypatch.setattr(m, "LARGEST_CHUNK", 1)
    assert np.allclose(m.resampled_sums(statistics, resamples=50, seed=5), whole)
    assert not np.allclose(m.resampled_sums(statistics, resamples=50, seed=6), whole)


def test_an_unknown_label_is_named():
    with pytest.raises(ValueError, match="verified, unverified, propaganda, found 'fake'"):
        m.one_hot(["verified", "fake"])
