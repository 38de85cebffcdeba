"""Features with words remembered are those of scikit-learn, to the bit, for any text."""

from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from claimsieve.models import ngrams
from claimsieve.models.ngrams import Ngrams
from claimsieve.models.tfidf import TfidfModel

UNITS = ("word", "char")
TRAINED_ON = (
    "The bridge was hit; officials of both sides CONFIRM it.",
    "nobody has been able to check the footage, café naïve Ünïcode ﬁnd ½ ΑΣ ας στ",
    "80 soldiers, 3.5 % of them — 中文 中 文 한국어 ไทย ひらがな İstanbul ß e\u0301 a\u00a0b a¨b x\u200by",
)
PIECES = (
    *TRAINED_ON,
    *(
        " ",
        "  ",
        "\t",
        "\n",
        "\u00a0",
        "\u2003",
        "\u3000",
        "\u2028",
        "\u0085",
        "\x1c",
        "\x1f",
        "\u200b",
        "\ufeff",
        "\0",
    ),
    *(
        "Σ",
        "ΑΣ",
        "Α\u0301Σ",
        "Σ'",
        "¨",
        "´x",
        "\u0301",
        "\u0308",
        "İ",
        "ﬁ",
        "½",
        "㎏",
        "ﷺ",
        "中文",
        "😀",
        "bridge",
        "x" * 50,
        "_",
        "a-b",
    ),
)
any_text = st.lists(st.sampled_from(PIECES) | st.text(st.characters(codec="utf-8"), max_size=6), max_size=12).map(
    "".join
)


@cache
def fitted(unit: str) -> TfidfVectorizer:
    """As the model makes them."""
    return TfidfModel(inputs=("claim",))._vectoriser(unit).fit(TRAINED_ON)


@cache
def quick(unit: str) -> Ngrams:
    """Remembers the words of all examples before."""
    return Ngrams(fitted(unit))


def assert_same(found, expected) -> None:
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype == np.float64
    np.testing.assert_array_equal(found.indptr, expected.indptr)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(found.data, expected.data)


@pytest.mark.parametrize("unit", UNITS)
@given(st.lists(any_text, min_size=1, max_size=5))
@example(["", " ", "\u00a0", "bridge", "bridge", "bridge  bridge\u3000bridge"])
@example(["ΑΣ ΑΣ", "ΑΣ\u0301 x", "ΑΣ\x1cΑ", "ΑΣ\u00a0Α", "Σ", "a Σ"])
@example(["a¨b", "¨", "a ¨ b", "a\u0301 \u0301b", "ﷺ", "½½"])
@settings(max_examples=150, deadline=None)
def test_features_are_scikit_learns_to_the_bit(unit, texts):
    assert_same(quick(unit).transform(texts), fitted(unit).transform(texts))


@pytest.mark.parametrize("unit", UNITS)
def test_no_texts_and_texts_without_known_terms_have_no_features(unit):
    terms = len(fitted(unit).vocabulary_)
    assert quick(unit).transform([]).shape == (0, terms)
    found = quick(unit).transform(["", "\u4e00\u4e01 \u4e02"])
    assert found.shape == (2, terms)
    assert found.nnz == 0


def test_a_word_is_analysed_once_and_a_row_alone_is_as_among_others():
    vectoriser = fitted("char")
    asked = []
    made = Ngrams(vectoriser)
    analyse = made._analyse
    made._analyse = lambda text: asked.append(text) or analyse(text)
    texts = ["bridge hit bridge", "hit", "bridge"]
    together = made.transform(texts)
    assert sorted(asked) == ["bridge", "hit"]
    for row, text in enumerate(texts):
        assert_same(made.transform([text]), together[row])
    assert len(asked) == 2


def test_no_more_words_are_remembered_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(ngrams, "_MAX_WORDS", 100)
    made = Ngrams(fitted("char"))
    for start in range(0, 1_000, 20):
        texts = [f"bridge {number} {number}:{'x' * 41}" for number in range(start, start + 20)]
        assert_same(made.transform(texts), fitted("char").transform(texts))
        assert len(made._words) <= 100 + 2  # the last text's own
        assert 1 < max(map(len, made._words)) <= 40
