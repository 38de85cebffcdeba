"""On a model whose reasons are known: each word adds to the logit of 'propaganda' what a table says."""

import json
from dataclasses import replace

import numpy as np
import pytest

from claimsieve.data.inputs import render
from claimsieve.errors import DataError
from claimsieve.evaluation.faithfulness import faithfulness, from_json, summary_metrics, to_json
from claimsieve.models.attributions import Attributions, softmax, towards_chosen
from claimsieve.records import Claim, Evidence

TABLE = {"denied": 3.0, "fake": 2.0, "confirmed": -3.0}
WORDS = (*TABLE, "bridge", "harbour", "convoy", "pilot", "market", "tower", "school")


class Linear:
    """Reads the first `window` words of each side."""

    inputs = ("claim", "evidence")

    def __init__(self, *, wrong=False, window=100):
        self.wrong, self.window = wrong, window

    def predict_proba(self, claims):
        logits = np.zeros((len(claims), 3))
        for row, claim in enumerate(claims):
            logits[row, 2] = sum(TABLE.get(word, 0.0) for side in render(claim, self.inputs) for word in self._of(side))
        return softmax(logits)

    def attribute(self, claims):
        probabilities = self.predict_proba(claims)
        direction = towards_chosen(np.log(probabilities))
        found = [(0, 0, 0, 0.0)]
        for row, claim in enumerate(claims):
            for side, text in enumerate(render(claim, self.inputs)):
                place = 0
                for word in self._of(text):
                    start = text.index(word, place)
                    place = start + len(word)
                    weight = TABLE.get(word, 0.0) * direction[row, 2]
                    found.append((2 * row + side, start, place, 0.01 - weight if self.wrong else weight))
        texts, starts, ends, weights = (np.array(column) for column in zip(*found, strict=True))
        yield Attributions(np.arange(len(claims)), probabilities, texts, starts, ends, weights)

    def _of(self, text):
        return text.split()[: self.window]


def claims(n, *, length=12, seed=0):
    random = np.random.default_rng(seed)
    return [
        Claim("bridge hit", evidence=tuple(Evidence(" ".join(random.choice(WORDS, length // 2))) for _ in range(2)))
        for _ in range(n)
    ]


def test_the_right_words_are_told_from_random_ones():
    found = faithfulness(Linear(), claims(100), top=3, resamples=200)
    assert found.comprehensiveness_gain.low > 0.05
    assert found.sufficiency_gain.low > 0.05
    assert found.sufficiency.value < 0.05


def test_words_with_a_wrong_weight_are_found_out():
    found = faithfulness(Linear(wrong=True), claims(100), top=3, resamples=200)
    assert found.comprehensiveness_gain.high < 0
    assert found.sufficiency_gain.high < 0


def test_both_measures_are_differences_of_probability_that_can_be_done_by_hand():
    claim = Claim("bridge", evidence=(Evidence("denied harbour confirmed"), Evidence("the fake pilot")))
    found = faithfulness(Linear(), [claim], top=8, draws=50)
    whole, neither, named = softmax(np.array([[0, 0, 2.0], [0, 0, -3.0], [0, 0, 5.0]]))[:, 2]
    assert (found.n, found.mean_words) == (1, 2.0)
    assert found.comprehensiveness.value == pytest.approx(whole - neither)
    assert found.sufficiency.value == pytest.approx(whole - named)
    assert found.comprehensiveness_gain.value == pytest.approx(
        found.comprehensiveness.value - found.random_comprehensiveness.value
    )
    assert found.sufficiency_gain.value == pytest.approx(found.random_sufficiency.value - found.sufficiency.value)


def test_random_words_are_of_the_same_field():
    """The claim's two words are both named, so no draw can differ in it; the evidence has none that weighs."""
    claim = Claim("denied fake", evidence=(Evidence("bridge harbour convoy"),))
    found = faithfulness(Linear(), [claim])
    assert found.comprehensiveness_gain.value == pytest.approx(0)
    assert found.sufficiency_gain.value == pytest.approx(0)


def test_words_beyond_the_window_do_not_move_up_into_it():
    claim = Claim("denied bridge", evidence=(Evidence("market tower"), Evidence("confirmed confirmed")))
    model = Linear(window=2)
    found = faithfulness(model, [claim])
    alone = model.predict_proba([replace(claim, claim=" bridge", evidence=(Evidence("market tower"),))])[0, 2]
    assert found.comprehensiveness.value == pytest.approx(model.predict_proba([claim])[0, 2] - alone)


def test_the_same_seed_gives_the_same_and_other_draws_differ():
    model, rows = Linear(), claims(30)
    assert faithfulness(model, rows, resamples=100) == faithfulness(model, rows, resamples=100)
    one, other = (faithfulness(model, rows, resamples=100, seed=seed) for seed in (0, 1))
    assert one.random_comprehensiveness != other.random_comprehensiveness
    assert one.comprehensiveness.value == other.comprehensiveness.value


def test_without_a_word_that_speaks_for_a_label_there_is_nothing_to_measure():
    with pytest.raises(ValueError, match="expected a claim with a word that speaks for its label, found none"):
        faithfulness(Linear(), [Claim("bridge")])
    with pytest.raises(ValueError, match="expected at least 1 draw and 1 word, found 0 and 8"):
        faithfulness(Linear(), claims(3), draws=0)


def test_it_is_read_back_as_it_was_written():
    found = faithfulness(Linear(), claims(20), resamples=100)
    assert from_json(json.loads(json.dumps(to_json(found), allow_nan=False))) == found
    assert summary_metrics(found)["comprehensiveness_gain"] == found.comprehensiveness_gain.value
    with pytest.raises(DataError, match="expected the faithfulness of explanations"):
        from_json({"n": 3})
    for key, value in (("sufficiency", {"value": 0.1, "low": "x", "high": 1}), ("n", "many"), ("mean_words", None)):
        with pytest.raises(DataError, match="expected the faithfulness of explanations"):
            from_json(to_json(found) | {key: value})
