"""What a model says, which labels it cannot rule out, and why it leaves a claim to a person."""

from types import SimpleNamespace

import numpy as np
import pytest

from claimsieve.errors import ModelError
from claimsieve.evaluation.calibration import Calibration, apply
from claimsieve.inference.decide import MAX_PASSAGES, decide, judge, predictions_of
from claimsieve.records import LABELS, Claim, Evidence

EVEN = dict.fromkeys(LABELS, 1 / 3)
SAYS = {"yes": (0.9, 0.05, 0.05), "no": (0.05, 0.05, 0.9), "maybe": (0.1, 0.8, 0.1), "hm": (0.35, 0.3, 0.35)}


class Reader:
    """Goes by the first passage alone, or by the words 'both ways' where there are several."""

    inputs = ("claim", "evidence")
    heads = ()

    def __init__(self) -> None:
        self.asked = 0

    def encode(self, claims):
        return claims

    def answers(self, claims):
        return self.predict_proba(claims)

    def predict_proba(self, claims):
        self.asked += len(claims)
        rows = []
        for claim in claims:
            texts = [passage.text for passage in claim.evidence]
            rows.append(SAYS["hm" if len(set(texts)) != 1 else texts[0]])
        return np.array(rows).reshape(len(claims), 3)


def calibration(**changes):
    known = {"temperature": 2.0, "corpora": {}, "coverage": 0.9, "rows": dict.fromkeys(LABELS, 50)}
    known |= {"thresholds": dict.fromkeys(LABELS, 0.25), "trained_for": EVEN}
    return Calibration(**(known | changes))


def claim(*texts, **fields):
    return Claim("something happened", evidence=tuple(Evidence(text) for text in texts), **fields)


def test_sets_are_of_the_uncalibrated_probabilities_and_the_answer_is_calibrated():
    claims = [claim("yes"), claim("no"), claim("maybe"), claim("hm")]
    decisions = decide(Reader(), claims, calibration())
    assert decisions.raw.tolist() == [list(SAYS[name]) for name in ("yes", "no", "maybe", "hm")]
    assert decisions.probabilities == pytest.approx(apply(calibration(), decisions.raw, [None] * 4))
    found = predictions_of(decisions, claims, fingerprint="f")
    assert [one.prediction_set for one in found] == [("verified",), ("propaganda",), ("unverified",), LABELS]
    assert [one.abstained for one in found] == [False, False, False, True]
    assert [one.label for one in found[:3]] == ["verified", "propaganda", "unverified"]
    assert found[0].probabilities["verified"] < 0.9  # a temperature of 2 is more cautious
    assert {one.model for one in found} == {"f"}


def test_without_evidence_a_person_decides_but_the_sets_are_measured_as_they_are():
    class Sure(Reader):
        def predict_proba(self, claims):
            return np.array([SAYS["yes"]] * len(claims))

    class OfTheClaim(Sure):
        inputs = ("claim",)

    claims = [claim("yes"), claim()]
    decisions = decide(Sure(), claims, calibration())
    assert decisions.abstained.tolist() == [False, False]
    assert [one.abstained for one in predictions_of(decisions, claims)] == [False, True]
    for model, by in ((OfTheClaim(), calibration()), (Sure(), None)):
        assert [one.abstained for one in predictions_of(decide(model, claims, by), claims)] == [False, False]


def test_three_reasons_are_kept_apart():
    claims = [claim("yes"), claim(), claim("yes", "no"), claim("maybe"), claim("hm"), claim("hm", "yes")]
    decisions = decide(Reader(), claims, calibration())
    assert list(decisions.reasons) == [
        (),
        ("evidence_insufficient",),
        ("evidence_conflicts",),
        ("evidence_insufficient",),
        ("model_unsure",),
        ("model_unsure",),
    ]


def test_passages_are_read_alone_only_where_the_model_does_not_settle_on_a_side():
    model = Reader()
    decide(model, [claim("yes", "yes"), claim("yes", "no", "no"), claim("hm")], calibration())
    assert model.asked == 3 + 3
    model = Reader()
    decide(model, [claim(*["yes", "no"] * MAX_PASSAGES)], calibration())
    assert model.asked == 1 + MAX_PASSAGES


def test_a_claim_is_never_called_one_thing_with_a_set_of_another():
    thresholds = {"verified": 0.5, "unverified": 0.5, "propaganda": 0.3}
    (row,) = decide(Reader(), [claim("hm")], calibration(thresholds=thresholds)).sets
    assert row.tolist() == [True, False, True]  # most probable is verified, which its own threshold rules out
    thresholds = dict.fromkeys(LABELS, 0.95)
    decisions = decide(Reader(), [claim("yes")], calibration(thresholds=thresholds))
    assert decisions.sets.tolist() == [[False, False, False]]  # like no label: stays empty, and goes to a person
    assert decisions.abstained.tolist() == [True]
    assert list(decisions.reasons) == [("model_unsure",)]


def test_a_passage_is_on_no_side_that_is_not_its_most_probable_one():
    thresholds = {"verified": 0.5, "unverified": 0.5, "propaganda": 0.3}
    claims = [claim("yes", "hm"), claim("yes", "no")]  # "hm" alone: verified first, and a set of propaganda only
    assert list(decide(Reader(), claims, calibration(thresholds=thresholds)).reasons) == [
        ("model_unsure",),
        ("evidence_conflicts",),
    ]


def test_a_corpus_with_a_temperature_of_its_own_gets_it():
    claims = [claim("yes", corpus="press"), claim("yes", corpus="other"), claim("yes")]
    probabilities = decide(Reader(), claims, calibration(corpora={"press": 1.0})).probabilities[:, 0]
    assert probabilities[0] == pytest.approx(0.9)
    assert probabilities[1] == probabilities[2] < 0.9


def test_without_a_calibration_there_are_no_sets_and_no_abstention():
    decisions = decide(Reader(), [claim("hm"), claim()], None)
    assert decisions.sets is None
    (first, _) = predictions_of(decisions, [claim("hm"), claim()])
    assert (first.prediction_set, first.abstained, first.reasons) == (None, False, ())
    with pytest.raises(ValueError, match="expected a calibration"):
        predictions_of(decisions, [claim("hm"), claim()], prevalence=EVEN)


def test_probabilities_turn_to_the_mix_that_is_named():
    mix = {"verified": 0.9, "unverified": 0.08, "propaganda": 0.02}
    decisions = decide(Reader(), [claim("hm")], calibration(temperature=1.0))
    (found,) = predictions_of(decisions, [claim("hm")], calibration=calibration(), prevalence=mix)
    weighed = {label: p * mix[label] for label, p in zip(LABELS, SAYS["hm"], strict=True)}
    expected = {label: value / sum(weighed.values()) for label, value in weighed.items()}
    assert found.probabilities_at_prevalence == pytest.approx(expected)
    assert found.probabilities == pytest.approx(dict(zip(LABELS, SAYS["hm"], strict=True)))


def test_no_claims_are_no_trouble():
    decisions = decide(Reader(), [], calibration())
    assert (decisions.sets.shape, list(decisions.reasons), predictions_of(decisions, [])) == ((0, 3), [], [])


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_answers_that_are_no_numbers_label_nothing(broken):
    answers = np.array([[0.2, 0.3, 0.5], [broken, 0.5, 0.5]])
    with pytest.raises(ModelError, match="found NaN or infinity for 1 of 2 claims"):
        judge(SimpleNamespace(inputs=("claim",), heads=()), [Claim("a"), Claim("b")], answers, None)
