import json
from dataclasses import replace
from itertools import product
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from claimsieve.errors import DataError
from claimsieve.evaluation import conformal as c
from claimsieve.records import LABELS, Claim

ROWS = {"verified": 20, "unverified": 45, "propaganda": 12}  # few, so that + 1 or not matters


def drawn(counts, generator):
    """Rows of each label from a model that is good at verified, fair at unverified and poor at propaganda."""
    skill = {"verified": (6, 1), "unverified": (2, 2), "propaganda": (1, 3)}
    parts, codes = [], []
    for column, (label, n) in enumerate(counts.items()):
        true, first = generator.beta(*skill[label], size=n), generator.random(n)
        others = np.column_stack([first, 1 - first]) * (1 - true)[:, None]
        parts.append(np.insert(others, column, true, axis=1))
        codes += [column] * n
    return np.vstack(parts), np.eye(3, dtype=bool)[codes]


def covered_by_label(sets, truth):
    return {label: int((sets & truth)[:, column].sum()) for column, label in enumerate(LABELS)}


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_each_label_is_covered_as_often_as_promised(level):
    """A new claim and m calibration claims of a label, exchangeable: covered with chance ceil((m + 1) level) / (m + 1).

    Each repetition draws both afresh, so the covered ones are an exact binomial count.
    """
    generator = np.random.default_rng(7)
    repetitions = 3000
    covered = dict.fromkeys(LABELS, 0)
    for _ in range(repetitions):
        thresholds = c.conformal_thresholds(*drawn(ROWS, generator), coverage=level)
        probabilities, truth = drawn(dict.fromkeys(LABELS, 1), generator)
        for label, count in covered_by_label(c.prediction_sets(probabilities, thresholds), truth).items():
            covered[label] += count
    for label, m in ROWS.items():
        promised = ceil(round((m + 1) * level, 9)) / (m + 1)
        assert level <= promised < level + 1 / (m + 1)
        assert binomtest(covered[label], repetitions, promised).pvalue > 0.001, (label, covered[label], promised)


def test_coverage_does_not_depend_on_the_mix_of_labels_and_holds_in_a_large_sample():
    generator = np.random.default_rng(3)
    thresholds = c.conformal_thresholds(*drawn(dict.fromkeys(LABELS, 4000), generator), coverage=0.9)
    probabilities, truth = drawn({"verified": 9000, "unverified": 800, "propaganda": 200}, generator)
    sets = c.prediction_sets(probabilities, thresholds)
    for label, count in covered_by_label(sets, truth).items():
        n = int(truth[:, LABELS.index(label)].sum())
        spread = np.sqrt(0.9 * 0.1 * (1 / n + 1 / 4000))
        assert count / n == pytest.approx(0.9, abs=4 * spread)


def test_no_promise_without_exchangeability():
    """A shifted test set breaks coverage: that is what the report is for."""
    generator = np.random.default_rng(3)
    thresholds = c.conformal_thresholds(*drawn(dict.fromkeys(LABELS, 500), generator), coverage=0.9)
    probabilities, truth = drawn({"verified": 500, "unverified": 0, "propaganda": 0}, generator)
    shifted = np.column_stack([probabilities[:, 0] ** 3, probabilities[:, 1:]])
    assert covered_by_label(c.prediction_sets(shifted, thresholds), truth)["verified"] < 400


@pytest.mark.parametrize(("level", "enough"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.55, 2)])
def test_too_few_rows_of_a_label_never_rule_it_out(level, enough):
    def threshold(m):
        probabilities = np.full((m, 3), [[0.5, 0.2, 0.3]])
        truth = np.zeros((m, 3), dtype=bool)
        truth[:, 0] = True
        return c.conformal_thresholds(probabilities, truth, coverage=level)

    assert threshold(enough) == {"verified": 0.5, "unverified": None, "propaganda": None}
    assert threshold(enough - 1)["verified"] is None
    sets = c.prediction_sets(np.array([[0.0, 0.0, 1.0]]), threshold(enough - 1))
    assert sets.tolist() == [[True, True, True]]


def test_a_threshold_of_a_hand_worked_example():
    # Nine propaganda rows, level 0.8: the ceil(10 * 0.8) = 8th smallest score 1 - p, so the second smallest p.
    own = [0.31, 0.92, 0.15, 0.44, 0.78, 0.64, 0.22, 0.55, 0.86]
    probabilities = np.array([[1 - p, 0.0, p] for p in own])
    truth = np.tile([False, False, True], (9, 1))
    thresholds = c.conformal_thresholds(probabilities, truth, coverage=0.8)
    assert thresholds == {"verified": None, "unverified": None, "propaganda": 0.22}
    tested = c.prediction_sets(np.array([[0.5, 0.28, 0.22], [0.5, 0.29, 0.21]]), thresholds)
    assert tested[:, 2].tolist() == [True, False]


def test_a_level_that_floating_point_overshoots_takes_no_rank_too_many():
    probabilities = np.column_stack([np.arange(1, 100) / 100, np.zeros((99, 2))])
    truth = np.tile([True, False, False], (99, 1))
    assert 100 * 0.55 > 55  # in floating point
    assert c.conformal_thresholds(probabilities, truth, coverage=0.55)["verified"] == 0.45


@pytest.mark.parametrize(("n", "threshold"), [(0, None), (10, 0.5)])
def test_a_level_near_zero_asks_for_the_surest_row(n, threshold):
    probabilities = np.tile([0.5, 0.25, 0.25], (n, 1))
    found = c.conformal_thresholds(probabilities, np.tile([True, False, False], (n, 1)), coverage=1e-12)
    assert found["verified"] == threshold


def test_a_set_may_be_empty_and_no_rows_give_no_sets():
    thresholds = dict.fromkeys(LABELS, 0.6)
    assert c.prediction_sets(np.array([[0.4, 0.3, 0.3]]), thresholds).tolist() == [[False] * 3]
    assert c.prediction_sets(np.zeros((0, 3)), thresholds).shape == (0, 3)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, float("nan")])
def test_a_level_out_of_range_is_refused(level):
    with pytest.raises(ValueError, match="expected a coverage between 0 and 1"):
        c.conformal_thresholds(np.zeros((0, 3)), np.zeros((0, 3), dtype=bool), coverage=level)


def held(*labels):
    return [label in labels for label in LABELS]


V, U, P = "verified", "unverified", "propaganda"
ONE_SIDE = [held(V), held(V, P), held(U), held()]
BOTH_SIDES = [held(V), held(U), held(P)]
NEARLY_BOTH = [held(V), held(P, U)]  # the second does not settle on propaganda


def why(labels, *, reads=True, evidence=True, passages=None):
    sets = None if passages is None else np.array(passages, dtype=bool).reshape(-1, 3)
    found = c.reasons(np.array([held(*labels)]), reads_evidence=reads, has_evidence=[evidence], passage_sets=[sets])
    return found[0]


INSUFFICIENT, CONFLICTS, UNSURE = (("evidence_insufficient",), ("evidence_conflicts",), ("model_unsure",))


@pytest.mark.parametrize(
    ("labels", "options", "expected"),
    [
        # The model settles it.
        ([V], {}, ()),
        ([P], {}, ()),
        ([V], {"passages": ONE_SIDE}, ()),
        ([P], {"passages": NEARLY_BOTH}, ()),
        # It cannot: the doubt is the model's.
        ([], {}, UNSURE),
        ([V, P], {}, UNSURE),
        ([V, U], {}, UNSURE),
        ([U, P], {"passages": ONE_SIDE}, UNSURE),
        ([V, U, P], {"passages": NEARLY_BOTH}, UNSURE),
        ([V, P], {"passages": []}, UNSURE),
        # There is evidence, and it leaves the claim open.
        ([U], {}, INSUFFICIENT),
        ([U], {"passages": ONE_SIDE}, INSUFFICIENT),
        # Passages settle it differently, whatever they give together.
        ([V, P], {"passages": BOTH_SIDES}, CONFLICTS),
        ([U], {"passages": BOTH_SIDES}, CONFLICTS),
        ([V, U, P], {"passages": BOTH_SIDES}, CONFLICTS),
        ([], {"passages": BOTH_SIDES}, CONFLICTS),
        ([P], {"passages": BOTH_SIDES}, CONFLICTS),
        # No evidence where the model reads it, whatever the set.
        ([V], {"evidence": False}, INSUFFICIENT),
        ([U], {"evidence": False}, INSUFFICIENT),
        ([V, P], {"evidence": False}, INSUFFICIENT),
        ([], {"evidence": False}, INSUFFICIENT),
        # A model that reads no evidence says nothing about it.
        ([V], {"reads": False, "evidence": False}, ()),
        ([U], {"reads": False, "evidence": False}, ()),
        ([U], {"reads": False}, ()),
        ([V, P], {"reads": False, "evidence": False}, UNSURE),
        ([], {"reads": False}, UNSURE),
    ],
)
def test_reasons(labels, options, expected):
    assert why(labels, **options) == expected


def test_every_abstention_has_one_reason_and_rows_do_not_mix():
    options = list(product(product([True, False], repeat=3), [True, False], [None, ONE_SIDE, BOTH_SIDES]))
    sets = np.array([inside for inside, _, _ in options])
    passages = [None if some is None else np.array(some) for _, _, some in options]
    evidence = np.array([given for _, given, _ in options])
    for reads in (True, False):
        found = c.reasons(sets, reads_evidence=reads, has_evidence=evidence, passage_sets=passages)
        assert all(len(why) <= 1 for why in found)
        assert all(why for why, one in zip(found, c.single(sets), strict=True) if not one)
        alone = [
            c.reasons(sets[[i]], reads_evidence=reads, has_evidence=evidence[[i]], passage_sets=[passages[i]])[0]
            for i in range(len(options))
        ]
        assert found == alone


def test_each_row_needs_its_evidence_and_passages():
    with pytest.raises(ValueError, match="zip"):
        c.reasons(np.ones((2, 3), dtype=bool), reads_evidence=True, has_evidence=[True], passage_sets=[None, None])


def sample(n, *, seed=0):
    generator = np.random.default_rng(seed)
    codes = generator.integers(3, size=n)
    sets = generator.random((n, 3)) < 0.4
    sets[np.arange(n), codes] = generator.random(n) < 0.85
    claims = [
        Claim(claim=f"claim {i}", label=LABELS[code], corpus=("press", "rumours")[i % 2], event=f"event {i % 7}")
        for i, code in enumerate(codes)
    ]
    return sets, claims


def report(sets, claims, **options):
    return c.coverage_report(sets, claims, **({"level": 0.9} | options))


def test_the_report_counts_what_it_says():
    claims = [Claim(claim="a", label=label, corpus="x") for label in (V, V, U, P)]
    sets = np.array([held(V), held(P), held(U, P), held()])
    whole = report(sets, claims).overall
    assert (whole.n, whole.decided) == (4, 2)
    values = (whole.covered.value, whole.mean_set_size.value, whole.abstained.value, whole.right.value)
    assert values == (0.5, 1.0, 0.5, 0.5)
    labels = report(sets, claims).labels
    assert {label: part.covered.value for label, part in labels.items()} == {V: 0.5, U: 1.0, P: 0.0}
    assert labels[U].right is None
    assert (labels[V].decided, labels[V].right.value) == (2, 0.5)


def test_shares_have_the_exact_binomial_interval_of_scipy():
    sets, claims = sample(211)
    whole = report(sets, claims).overall
    covered = sum(sets[i, LABELS.index(claim.label)] for i, claim in enumerate(claims))
    decided = sets.sum(axis=1) == 1
    right = sum(sets[i, LABELS.index(claim.label)] for i, claim in enumerate(claims) if decided[i])
    counts = {"covered": (covered, 211), "abstained": ((~decided).sum(), 211), "right": (right, decided.sum())}
    for name, (count, n) in counts.items():
        exact = binomtest(int(count), int(n)).proportion_ci(0.95, method="exact")
        found = getattr(whole, name)
        assert (found.value, found.low, found.high) == pytest.approx((count / n, exact.low, exact.high), abs=1e-9)


@pytest.mark.parametrize(
    ("inside", "low", "high"), [(True, 0.025 ** (1 / 30), 1.0), (False, 0.0, 1 - 0.025 ** (1 / 30))]
)
def test_all_or_none_still_has_an_interval(inside, low, high):
    claims = [Claim(claim="a", label=V)] * 30
    covered = report(np.full((30, 3), inside), claims).overall.covered
    assert (covered.low, covered.high) == pytest.approx((low, high))


def test_the_interval_of_the_set_size_is_that_of_a_mean():
    sets, claims = sample(2000)
    size = report(sets, claims).overall.mean_set_size
    assert size.value == pytest.approx(sets.sum(axis=1).mean())
    width = 2 * 1.96 * sets.sum(axis=1).std() / np.sqrt(2000)
    assert size.high - size.low == pytest.approx(width, rel=0.15)
    assert size.low < size.value < size.high


def test_slices_are_the_report_of_their_own_rows():
    sets, claims = sample(150)
    claims[0] = replace(claims[0], corpus=None, event=None)
    whole = report(sets, claims, min_rows=11)
    assert {name: part.n for name, part in whole.corpora.items()} == {"rumours": 75, "press": 74}
    assert list(whole.corpora) == ["rumours", "press"]
    numbers = {"press": (1, 2, 4, 6), "rumours": (0, 1, 2, 3, 5)}
    large = [f"{corpus}/event {number}" for corpus, of_corpus in numbers.items() for number in of_corpus]
    assert {name: part.n for name, part in whole.events.items()} == dict.fromkeys(large, 11)
    assert whole.smaller_events == 14 - len(large)
    groups = {
        **{label: [i for i, claim in enumerate(claims) if claim.label == label] for label in LABELS},
        **{name: [i for i, claim in enumerate(claims) if claim.corpus == name] for name in whole.corpora},
        **{name: [i for i, claim in enumerate(claims) if f"{claim.corpus}/{claim.event}" == name] for name in large},
    }
    parts = {**whole.labels, **whole.corpora, **whole.events}
    assert {name: report(sets[rows], [claims[i] for i in rows]).overall for name, rows in groups.items()} == parts


def test_a_label_that_does_not_occur_has_no_coverage():
    claims = [Claim(claim="a", label=V)] * 4
    assert report(np.ones((4, 3), dtype=bool), claims).labels.keys() == {V}


@given(st.integers(1, 80), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_json_round_trip(n, seed):
    found = report(*sample(n, seed=seed), min_rows=5, resamples=100)
    assert c.from_json(json.loads(json.dumps(c.to_json(found), allow_nan=False))) == found


@pytest.mark.parametrize(
    ("key", "value"),
    [("covered", None), ("abstained", {"value": "x", "low": 0, "high": 1}), ("n", "many"), ("right", [])],
)
def test_a_slice_with_one_thing_wrong_is_refused(key, value):
    document = c.to_json(report(*sample(30, seed=1), min_rows=5, resamples=100))
    document["labels"]["verified"][key] = value
    with pytest.raises(DataError, match="expected the coverage of prediction sets"):
        c.from_json(document)


def test_a_name_that_two_corpora_have_is_two_stories():
    claims = [Claim("a", label=V, corpus=corpus, event="1") for corpus in "ab" for _ in range(30)]
    sets = np.ones((60, 3), dtype=bool)
    sets[30:, 0] = False
    events = report(sets, claims).events
    assert {name: part.covered.value for name, part in events.items()} == {"a/1": 1.0, "b/1": 0.0}


@pytest.mark.parametrize("document", [None, [], "text", {}, {"overall": 3}])
def test_another_document_is_refused(document):
    with pytest.raises(DataError, match="expected the coverage of prediction sets"):
        c.from_json(document)


def test_summary_metrics_name_the_label_that_is_covered_least():
    sets, claims = sample(400)
    sets[:, 1] = False  # unverified is never in a set
    found = c.summary_metrics(report(sets, claims))
    assert found["smallest"] == found["unverified"] == 0.0
    assert found.keys() == {"overall", V, U, P, "smallest", "mean_set_size", "abstained", "right_when_decided"}
    assert all(type(value) is float for value in found.values())
    nothing_decided = c.summary_metrics(report(np.ones((400, 3), dtype=bool), claims))
    assert "right_when_decided" not in nothing_decided
    assert (nothing_decided["abstained"], nothing_decided["mean_set_size"]) == (1.0, 3.0)


def test_table_has_the_labels_the_corpora_and_the_whole_last():
    _, claims = sample(60)
    rows = c.table(report(np.ones((60, 3), dtype=bool), claims))
    assert [row[0] for row in rows] == ["", *LABELS, "press", "rumours", "overall"]
    assert rows[0][2] == "covered [95 %], asked 90%"
    assert rows[-1] == ["overall", "60", "100.0% [94.0%, 100.0%]", "3.00", "100.0% [94.0%, 100.0%]", "–"]


def test_sets_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"expected sets of shape \(2, 3\), found \(3, 3\)"):
        report(np.ones((3, 3), dtype=bool), [Claim(claim="a", label=V)] * 2)


def test_unlabelled_claims_are_refused():
    with pytest.raises(DataError, match="1 of 1 without one"):
        report(np.ones((1, 3), dtype=bool), [Claim(claim="a")])
