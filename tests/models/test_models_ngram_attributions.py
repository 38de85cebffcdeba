"""What n-grams add, against scikit-learn's own features and a plain count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.inputs import render
from claimsieve.models.attributions import towards_chosen
from claimsieve.models.explained_words import words_of
from claimsieve.models.tfidf import TfidfModel
from claimsieve.records import Claim, Evidence

INPUTS = ("claim", "evidence")
ALPHABET = "ab cAB.,-'\n\té ﬁ½İΣσ\u0301\u00b4\u2121\ufdfa\u00a0大が\U0001f525\x00\x1f_9"
text = st.text(alphabet=st.sampled_from(ALPHABET), max_size=14)
claims_of_text = st.builds(Claim, claim=text, evidence=st.lists(st.builds(Evidence, text=text), max_size=2).map(tuple))


@pytest.fixture(scope="module", params=[(1, 2), (3, 4), (2, 5)], ids=str)
def model(request):
    """Trained on rubbish of the same alphabet, so that odd n-grams are features too."""
    random = np.random.default_rng(0)
    words, characters = request.param
    train = [
        Claim(
            "".join(random.choice(list(ALPHABET), 30)),
            evidence=(Evidence("".join(random.choice(list(ALPHABET), 60))),),
            label=("verified", "unverified", "propaganda")[number % 3],
        )
        for number in range(60)
    ]
    model = TfidfModel(inputs=INPUTS, max_word_ngram=words, max_char_ngram=characters)
    list(model.fit(train, valid=[]))
    return model


@settings(deadline=None, max_examples=200)
@given(claims=st.lists(claims_of_text, min_size=1, max_size=5))
def test_contributions_and_intercept_are_the_logit_difference(model, claims):
    [found] = model.attribute(claims)
    probabilities = model.predict_proba(claims)
    np.testing.assert_allclose(found.answers, probabilities, rtol=1e-9, atol=1e-12)
    logits = np.log(probabilities)  # up to a constant, and directions sum to 0
    direction = towards_chosen(logits)
    sums = np.bincount(found.texts // 2, found.weights, minlength=len(claims))
    np.testing.assert_allclose(
        sums + direction @ model._intercepts, np.einsum("ij,ij->i", direction, logits), atol=1e-9
    )
    words = words_of(claims, INPUTS, found)
    np.testing.assert_allclose(np.bincount(words.rows, words.weights, minlength=len(claims)), sums, atol=1e-9)


@settings(deadline=None, max_examples=200)
@given(claim=claims_of_text)
def test_an_n_gram_stands_where_it_is_attributed(model, claim):
    """The text of a stretch, read alone, has as many of the block's n-grams as are attributed to it, at least."""
    [found] = model.attribute([claim])
    sides = render(claim, INPUTS)
    for side, start, end, weight in zip(found.texts, found.starts, found.ends, found.weights, strict=True):
        assert 0 <= start <= end <= len(sides[side])
        if weight:
            assert sides[side][start:end].strip()


def test_a_weight_goes_to_the_word_that_has_it(claims_of):
    """Only one word tells the label; with its coefficients known, its weight is a sum that can be done by hand."""
    model = TfidfModel(inputs=INPUTS, max_word_ngram=1, max_char_ngram=2)
    list(model.fit(claims_of(120, seed=1), valid=[]))
    claim = Claim("the bridge", evidence=(Evidence("the harbour denied the harbour"),))
    [found] = model.attribute([claim])
    words = words_of([claim], INPUTS, found)
    direction = towards_chosen(np.log(model.predict_proba([claim])))[0]
    expected, first = {}, 0
    for name, block in model._blocks.items():
        side, _, unit = name.partition("_")
        text = render(claim, INPUTS)[side == "evidence"]
        values = block.transform([text]).toarray()[0]
        for gram, column in block.vocabulary_.items():
            if unit == "word":
                places = [place for place, word in enumerate(text.split()) if word == gram]
            else:
                places = [p for p, word in enumerate(text.split()) for _ in range(f" {word} ".count(gram))]
            for place in places:
                added = values[column] * direction @ model._coefficients[:, first + column] / len(places)
                expected[side, place] = expected.get((side, place), 0.0) + added
        first += len(block.vocabulary_)
    by_word = [expected["claim", 0], expected["claim", 1], *(expected.get(("evidence", p), 0) for p in range(5))]
    np.testing.assert_allclose(words.weights, by_word, atol=1e-9)
    assert np.argmax(words.weights) == 4  # 'denied'


def test_batches_of_characters_change_nothing(trained, held_out, monkeypatch):
    model = trained("tfidf")
    [whole] = model.attribute(held_out)
    monkeypatch.setattr("claimsieve.models.tfidf._ATTRIBUTED_CHARACTERS", 300)
    batches = list(model.attribute(held_out))
    assert len(batches) > 5
    assert np.concatenate([batch.rows for batch in batches]).tolist() == list(range(len(held_out)))
    together = np.concatenate([np.bincount(b.texts, b.weights, minlength=2 * len(b.rows)) for b in batches])
    np.testing.assert_allclose(together, np.bincount(whole.texts, whole.weights), atol=1e-12)


def test_the_part_of_the_evidence_that_is_not_read_is_not_attributed(trained):
    claim = Claim("a bridge", evidence=(Evidence("bridge " * 570 + "confirmed " * 20 + "denied"),))
    [found] = trained("tfidf").attribute([claim])
    assert found.ends.max() <= 4_000
