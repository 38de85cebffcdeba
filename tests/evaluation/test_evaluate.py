import json
from dataclasses import replace

import numpy as np
import pytest

from claimsieve.errors import DataError
from claimsieve.evaluation.evaluate import (
    evaluate,
    from_json,
    rows_by_event,
    slice_metrics,
    summary_metrics,
    table,
    to_json,
)
from claimsieve.evaluation.metrics import point_metrics
from claimsieve.records import LABELS, Claim

QUICK = 200


def sample(n, *, seed=0, concentration=1.0):
    """Probabilities and claims whose labels are drawn from these very probabilities."""
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet([concentration] * 3, size=n)
    codes = [generator.choice(3, p=row) for row in probabilities]
    corpora, events = ("press", "rumours"), ("strike", "flood", "vote")
    claims = [
        Claim(claim=f"claim {i}", label=LABELS[code], corpus=corpora[i % 2], event=events[min(i % 10, 2)])
        for i, code in enumerate(codes)
    ]
    return probabilities, claims


def certain(claims):
    return np.array([[float(claim.label == label) for label in LABELS] for claim in claims])


def test_values_are_the_point_metrics_and_lie_within_their_intervals():
    probabilities, claims = sample(600, concentration=0.5)
    overall = evaluate(probabilities, claims, resamples=QUICK).overall
    truth = certain(claims).astype(bool)
    expected = point_metrics(probabilities, truth)
    assert {name: overall.metrics[name].value for name in overall.metrics}.items() <= expected.items()
    estimates = {**overall.metrics, **{f"{k}_{name}": e for k in LABELS for name, e in overall.per_label[k].items()}}
    assert estimates.keys() == expected.keys()
    del estimates["ece"]  # its interval leans upwards, as Estimate says
    for estimate in estimates.values():
        assert estimate.low < estimate.value < estimate.high


def test_intervals_narrow_with_the_square_root_of_the_rows():
    def width(n):
        macro_f1 = evaluate(*sample(n), resamples=400).overall.metrics["macro_f1"]
        return macro_f1.high - macro_f1.low

    assert width(200) / width(3200) == pytest.approx(4, rel=0.25)


def test_a_bootstrap_interval_agrees_with_the_binomial_one():
    accuracy = evaluate(*sample(2000), resamples=1000).overall.metrics["accuracy"]
    expected = 2 * 1.96 * np.sqrt(accuracy.value * (1 - accuracy.value) / 2000)
    assert accuracy.high - accuracy.low == pytest.approx(expected, rel=0.15)


def test_perfect_answers_score_perfectly():
    _, claims = sample(90)
    metrics = evaluate(certain(claims), claims, resamples=QUICK).overall.metrics
    found = {name: (e.low, e.value, e.high) for name, e in metrics.items()}
    ones, zeros = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
    assert found == {"macro_f1": ones, "accuracy": ones, "mcc": ones, "log_loss": zeros, "brier": zeros, "ece": zeros}


def test_guessing_scores_as_guessing():
    _, claims = sample(4000)
    guesses = np.random.default_rng(9).dirichlet([1, 1, 1], size=len(claims))
    metrics = evaluate(guesses, claims, resamples=QUICK).overall.metrics
    assert metrics["accuracy"].value == pytest.approx(1 / 3, abs=0.03)
    assert metrics["mcc"].low < 0 < metrics["mcc"].high
    assert metrics["ece"].low > 0.1  # guesses that are sure of themselves


def test_slices_count_their_own_rows_and_small_events_are_left_out():
    probabilities, claims = sample(100)  # one row in ten is of strike, one of flood, eight of vote
    claims[0] = replace(claims[0], corpus=None, event=None)
    evaluation = evaluate(probabilities, claims, resamples=QUICK, min_slice_rows=20)
    assert {name: part.n for name, part in evaluation.corpora.items()} == {"rumours": 50, "press": 49}
    assert list(evaluation.corpora) == ["rumours", "press"]
    assert {name: part.n for name, part in evaluation.events.items()} == {"press/vote": 40, "rumours/vote": 40}
    assert evaluation.smaller_events == 2
    votes = [i for i, claim in enumerate(claims) if (claim.corpus, claim.event) == ("press", "vote")]
    alone = evaluate(probabilities[votes], [claims[i] for i in votes], resamples=QUICK)
    assert alone.overall == evaluation.events["press/vote"]
    assert sum(sum(row.values()) for row in evaluation.confusion.values()) == 100
    assert {label: sum(evaluation.confusion[label].values()) for label in LABELS} == evaluation.overall.labels


def test_events_are_of_a_corpus():
    corpora, events = ["a", "a", "b", None, "b"], ["1", "2", "1", "1", None]
    assert rows_by_event(corpora, events) == {"2": [1], "a/1": [0], "b/1": [2], "–/1": [3]}


def test_a_label_absent_from_the_truth_is_null_and_outside_the_mean():
    claims = [Claim(claim="a", label="verified"), Claim(claim="b", label="unverified")] * 10
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]] * 10)
    evaluation = evaluate(probabilities, claims, resamples=QUICK)
    assert evaluation.overall.labels == {"verified": 10, "unverified": 10, "propaganda": 0}
    assert evaluation.overall.per_label["propaganda"] == {"precision": None, "recall": None, "f1": None}
    assert evaluation.overall.metrics["macro_f1"].value == 0.5
    assert evaluation.overall.per_label["unverified"]["f1"].value == 0
    assert evaluation.confusion["unverified"]["propaganda"] == 10
    assert "propaganda_f1" not in summary_metrics(evaluation)


def test_one_label_alone_has_no_correlation():
    claims = [Claim(claim="a", label="verified")] * 5
    evaluation = evaluate(np.array([[0.8, 0.1, 0.1]] * 5), claims, resamples=QUICK)
    assert evaluation.overall.metrics["mcc"] is None
    assert "mcc" not in summary_metrics(evaluation)


def test_the_same_seed_gives_the_same_evaluation():
    probabilities, claims = sample(80)
    first = evaluate(probabilities, claims, resamples=QUICK, seed=4)
    assert first == evaluate(probabilities, claims, resamples=QUICK, seed=4)
    assert first.overall != evaluate(probabilities, claims, resamples=QUICK, seed=5).overall


def test_json_round_trip():
    probabilities, claims = sample(60)
    claims = [replace(claim, label="verified") if claim.corpus == "press" else claim for claim in claims]
    evaluation = evaluate(probabilities, claims, resamples=QUICK, model="abc123")
    text = json.dumps(to_json(evaluation), allow_nan=False)
    assert from_json(json.loads(text)) == evaluation
    assert json.loads(text)["corpora"]["press"]["per_label"]["propaganda"]["f1"] is None


@pytest.mark.parametrize("document", [None, [], "text", {}, {"overall": 3}])
def test_another_document_is_refused(document):
    with pytest.raises(DataError, match="expected an evaluation"):
        from_json(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("overall", "n"), 0),
        (("overall", "n"), "many"),
        (("corpora", "press", "n"), True),
        (("overall", "labels"), {"verified": 1}),
        (("overall", "labels", "verified"), 1.5),
        (("overall", "metrics"), {}),
        (("overall", "metrics", "ece", "low"), float("inf")),
        (("overall", "metrics", "ece", "low"), None),
        (("overall", "metrics", "ece"), {"value": 0.1}),
        (("overall", "metrics", "ece", "value"), 10**400),
        (("overall", "per_label"), {}),
        (("overall", "per_label", "propaganda"), {"f1": None}),
        (("confusion",), {"verified": {}}),
        (("confusion", "verified", "verified"), "<b>"),
        (("settings",), {}),
        (("settings", "resamples"), "1000"),
        (("settings", "resamples"), 99),
        (("settings", "resamples"), 10**12),
        (("settings", "level"), float("nan")),
        (("smaller_events",), None),
    ],
)
def test_a_document_with_one_thing_wrong_is_refused(path, value):
    document = to_json(evaluate(*sample(60), resamples=QUICK))
    part = document
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(DataError, match="expected an evaluation"):
        from_json(document)


def test_summary_metrics_are_flat_and_fit_for_mlflow():
    probabilities, claims = sample(60)
    claims = [replace(claim, corpus="X/fact (en)" if claim.corpus == "press" else "..") for claim in claims]
    evaluation = evaluate(probabilities, claims, resamples=QUICK)
    summary = summary_metrics(evaluation)
    names = {"macro_f1", "macro_f1_low", "macro_f1_high", "accuracy", "mcc", "log_loss", "brier", "ece"}
    names |= {f"{label}_{metric}" for label in LABELS for metric in ("precision", "recall", "f1")}
    assert summary.keys() == names | {"rows"}
    slices = slice_metrics(evaluation)
    assert {"corpus/X_fact _en__macro_f1", "corpus/__macro_f1"} <= slices.keys()
    assert {name.split("/")[0] for name in slices} <= {"corpus", "event"}
    assert summary["macro_f1_low"] <= summary["macro_f1"] <= summary["macro_f1_high"]
    assert all(type(value) is float for value in summary.values())


def test_table_has_a_row_per_corpus_and_the_whole_last():
    _, claims = sample(1200)
    rows = table(evaluate(certain(claims), claims, resamples=QUICK))
    assert rows[0] == ["", "n", "macro-F1 [95 %]", "accuracy", "ECE"]
    assert rows[1] == ["press", "600", "1.000 [1.000, 1.000]", "1.000", "0.000"]
    assert rows[-1] == ["overall", "1,200", "1.000 [1.000, 1.000]", "1.000", "0.000"]


def test_unlabelled_claims_are_counted_and_refused():
    probabilities, claims = sample(30)
    claims[3] = replace(claims[3], label=None)
    claims[7] = replace(claims[7], label=None)
    with pytest.raises(DataError, match=r"found 2 of 30 without one\. Label them, or leave them out"):
        evaluate(probabilities, claims)


def test_no_claims_are_refused():
    with pytest.raises(DataError, match=r"found none\. Give at least one claim with a label"):
        evaluate(np.zeros((0, 3)), [])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0.5, 0.5], "shape"),
        ([float("nan"), 0.5, 0.5], "finite"),
        ([-0.1, 0.6, 0.5], "0 or more"),
        ([0.5, 0.5, 0.002], "sum to 1 within 0.001, found one 0.002 off"),
    ],
)
def test_rows_that_are_no_probabilities_are_refused(row, message):
    with pytest.raises(ValueError, match=message):
        evaluate(np.array([row]), [Claim(claim="a", label="verified")])


def test_too_few_resamples_for_an_interval_are_refused():
    with pytest.raises(ValueError, match="at least 100 resamples"):
        evaluate(*sample(30), resamples=99)
