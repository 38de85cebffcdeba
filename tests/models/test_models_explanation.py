"""Why each kind says what it says: of planted models the reason is known."""

import json
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.evaluation.faithfulness import faithfulness
from claimsieve.models import kind_class
from claimsieve.models.attributions import Attributions, softmax, towards_chosen
from claimsieve.models.explanation import TOP, explain, largest
from claimsieve.records import LABELS, MAX_CLAIM_CHARACTERS, Claim, Evidence

CUES = {"confirmed", "documented", "unclear", "unnamed", "denied", "fabricated"}

ODD = [
    Claim("..."),
    Claim("x"),
    Claim(" "),
    Claim(""),
    Claim("\U0001f680\U0001f525\U0001f9d1\u200d\U0001f692 cafe\u0301"),
    Claim("the bridge", evidence=(Evidence("   \n\t "), Evidence(""), Evidence("\U0001f525"))),
    Claim("the bridge", evidence=(Evidence("..."), Evidence("denied"))),
    Claim("\u200b\u202e\ufeff\x00"),
    Claim("Ｂｒｉｄｇｅ ﬁre é e\u0301 İ ß ½ ﷺ"),
    Claim("大橋が攻撃された " * 20),
    Claim("Мост الجسر הגֶּשֶׁר पुल", evidence=(Evidence("العربية, “עברית”"),)),
    Claim("é" * MAX_CLAIM_CHARACTERS),
    Claim(("bridge " * MAX_CLAIM_CHARACTERS)[:MAX_CLAIM_CHARACTERS], evidence=(Evidence("confirmed " * 5000),)),
]


@pytest.fixture(params=("tfidf", "static", "encoder"), scope="module")
def kind(request):
    return request.param


def texts_of(claim):
    fields = {("claim", None): claim.claim, ("source", None): claim.source, ("date", None): claim.date}
    for number, passage in enumerate(claim.evidence):
        fields |= {
            ("evidence", number): passage.text,
            ("source", number): passage.source,
            ("date", number): passage.date,
        }
    return fields


def assert_stands(explanation, claim):
    for word in explanation.words:
        assert word.text
        assert texts_of(claim)[word.field, word.passage][word.start : word.end] == word.text
        assert np.isfinite(word.weight)
        assert word.weight != 0
    sizes = [abs(word.weight) for word in explanation.words]
    assert all(one >= other - 1e-8 for one, other in pairwise(sizes))
    assert len(explanation.words) <= TOP
    assert len({passage.passage for passage in explanation.passages}) == len(explanation.passages)
    assert all(passage.passage < len(claim.evidence) for passage in explanation.passages)


def test_the_planted_word_weighs_most(kind, trained, held_out):
    _, found = explain(trained(kind), held_out, top=1)
    # One word in seven is planted. An encoder's gradient is a first-order estimate at a point where it is sure.
    bar = 0.7 if kind == "encoder" else 0.9
    assert np.mean([bool(each.words) and each.words[0].text in CUES for each in found]) > bar


def test_a_word_that_speaks_for_another_label_weighs_against(kind, trained):
    claim = Claim("the bridge", evidence=(Evidence("denied fabricated"), Evidence("confirmed")))
    probabilities, [found] = explain(trained(kind), [claim])
    weights = {word.text: word.weight for word in found.words}
    assert LABELS[probabilities[0].argmax()] == "propaganda"
    assert weights["denied"] > 0 > weights["confirmed"]
    assert [passage.passage for passage in sorted(found.passages, key=lambda each: -each.weight)] == [0, 1]


def test_the_named_words_move_the_label_and_shuffled_ones_do_not(kind, trained, held_out):
    model = trained(kind)
    own = faithfulness(model, held_out, top=2, resamples=200)
    assert own.n > 80
    assert own.comprehensiveness_gain.low > 0.1
    assert own.sufficiency_gain.low > 0.1
    random = np.random.default_rng(0)
    shuffled = []
    for batch in model.attribute(held_out):
        order = np.lexsort((random.random(len(batch.texts)), batch.texts))  # within each text
        place = np.empty_like(order)
        place[np.argsort(batch.texts, kind="stable")] = order
        shuffled.append(replace(batch, weights=batch.weights[place]))
    chance = faithfulness(model, held_out, attributions=shuffled, top=2, resamples=200)
    assert chance.comprehensiveness_gain.value < own.comprehensiveness_gain.low / 2
    assert chance.sufficiency_gain.value < own.sufficiency_gain.low / 2


def test_the_probabilities_are_those_without_an_explanation(kind, trained, held_out):
    claims = [*held_out, *ODD]
    probabilities, found = explain(trained(kind), claims)
    np.testing.assert_allclose(probabilities, trained(kind).predict_proba(claims), rtol=0, atol=1e-6)
    assert len(found) == len(claims)


def test_odd_texts_are_explained_and_spans_index_them(kind, trained):
    for explanation, claim in zip(explain(trained(kind), ODD)[1], ODD, strict=True):
        assert_stands(explanation, claim)


odd = st.text(max_size=10) | st.sampled_from(["denied", "confirmed. ", "“unclear”", "\U0001f525\u0301", "大が"])
claims_of_odd = st.builds(
    Claim,
    claim=odd,
    source=st.none() | odd,
    date=st.none() | st.just("2020"),
    evidence=st.lists(st.builds(Evidence, text=odd, source=st.none() | odd), max_size=3).map(tuple),
)


@pytest.fixture(scope="module")
def trained_on_all(model_of, train, valid):
    """Of each kind a model that reads sources and dates too, for a few steps."""

    def fit(kind):
        if kind not in known:
            options = {} if kind == "tfidf" else {"loop": {"max_steps": 3}}
            known[kind] = model_of(kind, inputs=("claim", "evidence", "source", "date"), **options)
            dressed = [replace(claim, source="TASS denied", date="2020") for claim in train]
            list(known[kind].fit(dressed, valid=valid))
        return known[kind]

    known = {}
    return fit


@settings(deadline=None, max_examples=40)
@given(claims=st.lists(claims_of_odd, min_size=1, max_size=4))
def test_spans_index_the_field_that_is_named(kind, trained_on_all, claims):
    for explanation, claim in zip(explain(trained_on_all(kind), claims)[1], claims, strict=True):
        assert_stands(explanation, claim)


def test_sources_and_dates_are_named_as_such(kind, trained_on_all):
    claim = Claim("x", source="denied", date="2020", evidence=(Evidence("y", "TASS", "2020"),))
    _, [found] = explain(trained_on_all(kind), [claim])
    assert {(word.field, word.passage) for word in found.words} >= {("source", None), ("date", None), ("source", 0)}
    assert_stands(found, claim)


def test_company_and_order_change_no_explanation(kind, trained, held_out):
    claims = [*held_out[:12], *ODD]
    together = explain(trained(kind), claims)[1]
    alone = [explain(trained(kind), [claim])[1][0] for claim in claims]
    for one, other in zip(alone, together, strict=True):
        weights = [
            {(w.field, w.passage, w.start): w.weight for w in each.words if abs(w.weight) > 1e-3}
            for each in (one, other)
        ]
        shared = weights[0].keys() & weights[1].keys()
        assert len(shared) >= len(weights[0]) - 1  # a tie for the last place may fall either way
        assert [weights[0][key] for key in shared] == pytest.approx([weights[1][key] for key in shared], abs=1e-4)


def test_explaining_twice_gives_the_same_and_changes_nothing(kind, trained, held_out):
    before = trained(kind).predict_proba(held_out)
    once, again = explain(trained(kind), held_out), explain(trained(kind), held_out)
    np.testing.assert_array_equal(once[0], again[0])
    assert once[1] == again[1]
    np.testing.assert_array_equal(trained(kind).predict_proba(held_out), before)


def test_no_claims_have_no_explanation(kind, trained):
    probabilities, found = explain(trained(kind), [])
    assert probabilities.shape == (0, 3)
    assert found == []


def test_a_record_is_plain_and_small(kind, trained, held_out):
    _, found = explain(trained(kind), held_out[:5])
    for explanation in found:
        record = explanation.record()
        assert json.loads(json.dumps(record)) == record
        assert list(record) == ["words", "passages"]
        for word, plain in zip(explanation.words, record["words"], strict=True):
            keys = (
                ["text", "in", "start", "end", "weight"]
                if word.passage is None
                else [
                    "text",
                    "in",
                    "passage",
                    "start",
                    "end",
                    "weight",
                ]
            )
            assert list(plain) == keys
            assert plain["weight"] == pytest.approx(word.weight, abs=5e-5)


def test_a_model_of_two_labels_is_explained(kind, model_of, train, held_out):
    two = [claim for claim in train if claim.label != "unverified"]
    options = {} if kind == "tfidf" else {"loop": {"max_steps": 3}}
    model = model_of(kind, **options)
    list(model.fit(two, valid=[]))
    for explanation, claim in zip(explain(model, held_out)[1], held_out, strict=True):
        assert explanation.words
        assert_stands(explanation, claim)


def test_a_model_of_the_claim_alone_names_no_evidence(kind, model_of, train, held_out):
    options = {} if kind == "tfidf" else {"loop": {"max_steps": 3}}
    model = model_of(kind, inputs=("claim",), **options)
    list(model.fit(train, valid=[]))
    for explanation in explain(model, held_out[:9])[1]:
        assert {word.field for word in explanation.words} == {"claim"}
        assert explanation.passages == ()


def test_explaining_n_grams_imports_no_torch(trained, held_out, tmp_path):
    model = trained("tfidf")
    model.save(tmp_path)
    options = json.dumps(dict(model.settings()))
    lines = (
        "import json, sys; from pathlib import Path",
        "from claimsieve.models import kind_class; from claimsieve.models.explanation import explain",
        "from claimsieve.records import Claim",
        f"model = kind_class('tfidf').load(Path({str(tmp_path)!r}), **json.loads({options!r}))",
        f"assert explain(model, [Claim({held_out[0].claim!r})])[1][0].words",
        "assert 'torch' not in sys.modules",
    )
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True)


def test_punctuation_that_clings_is_not_named(trained):
    claim = Claim("the bridge", evidence=(Evidence("(“denied,”) confirmed... —"),))
    _, [found] = explain(trained("tfidf"), [claim])
    assert {"denied", "confirmed"} <= {word.text for word in found.words}
    assert_stands(found, claim)


def test_the_largest_are_those_farthest_from_nought_of_each_row():
    weights = np.array([0.1, -3.0, 0.0, 2.0, 1.0, -1.0, 1e-15])
    rows = np.array([0, 0, 0, 0, 1, 1, 2])
    assert largest(weights, rows, top=2).tolist() == [1, 3, 4, 5]
    assert largest(weights, rows, top=1).tolist() == [1, 4]


def test_in_bfloat16_the_same_words_weigh_most(trained, held_out, tmp_path):
    """Weights carry 8 bits there, and gradients run through all layers above: a tenth of the largest is allowed for."""
    trained("encoder").save(tmp_path)
    plain, coarse = (
        kind_class("encoder").load(tmp_path, precision=precision, device="cpu", **trained("encoder").settings())
        for precision in ("float32", "bfloat16")
    )
    (expected, fine), (found, rough) = explain(plain, held_out), explain(coarse, held_out)
    np.testing.assert_allclose(found, expected, atol=0.05)
    np.testing.assert_allclose(found, coarse.predict_proba(held_out), atol=0.05)
    for one, other in zip(fine, rough, strict=True):
        weights = {(word.field, word.passage, word.start): word.weight for word in other.words}
        first = one.words[0]
        assert weights[first.field, first.passage, first.start] == pytest.approx(first.weight, rel=0.1, abs=0.05)


class InPieces:
    """Its first window says verified, all of its evidence together propaganda; 'denied' speaks for the latter."""

    inputs, heads = ("claim", "evidence"), ()

    def encode(self, claims):
        return SimpleNamespace(in_pieces=[row for row, claim in enumerate(claims) if len(claim.evidence) > 1], cut=[])

    def answers(self, encoded):
        return np.array([[0.2, 0.1, 0.7] for _ in encoded.in_pieces])

    def attribute(self, claims, *, chosen=None):
        logits = np.log(np.tile([0.6, 0.1, 0.3], (len(claims), 1)))
        weights = towards_chosen(logits, chosen)[:, 2]
        rows = np.arange(len(claims))
        yield Attributions(rows, softmax(logits), 2 * rows + 1, 0 * rows, 0 * rows + len("denied"), weights)


def test_what_is_explained_is_the_label_of_all_pieces_and_not_of_the_first():
    short = Claim("the bridge", evidence=(Evidence("denied"),))
    long = replace(short, evidence=(Evidence("denied"), Evidence("denied")))
    answers, explanations = explain(InPieces(), [short, long, short])
    assert [LABELS[place] for place in answers.argmax(axis=1)] == ["verified", "propaganda", "verified"]
    assert [one.words[0].weight > 0 for one in explanations] == [False, True, False]
    assert [one.beginning_only for one in explanations] == [False, True, False]


def test_any_label_may_be_asked_for(kind, trained, held_out):
    model = trained(kind)
    for place in range(len(LABELS)):
        asked = np.full(len(held_out), place)
        for batch in model.attribute(held_out, chosen=asked):
            mine = batch.answers.argmax(axis=1) == place
            [usual] = [b for b in model.attribute(held_out) if np.array_equal(b.rows, batch.rows)]
            same = mine[batch.texts // 2]
            np.testing.assert_allclose(batch.weights[same], usual.weights[same], rtol=1e-5, atol=1e-7)
