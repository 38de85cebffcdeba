"""Words and their weights, from stretches that a model is made to have weighed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.inputs import render
from claimsieve.models.attributions import Attributions, flat_offsets, softmax, towards_chosen
from claimsieve.models.explained_words import words_of
from claimsieve.records import Claim, Evidence

FIELDS = ("claim", "evidence", "source", "date")


def stretches(n, *rows):
    """Of n claims: (text, start, end, weight), as a model would give them."""
    texts, starts, ends, weights = (np.array(column) for column in zip(*rows, strict=True))
    return Attributions(np.arange(n), np.full((n, 3), 1 / 3), texts, starts, ends, weights.astype(np.float64))


def named(claims, found, inputs=("claim", "evidence")):
    words = words_of(claims, inputs, found)
    columns = (words.rows, words.of_part, words.starts, words.ends, words.weights)
    return [
        (row, words.parts[part].field, words.parts[part].passage, words.parts[part].text[start:end], round(weight, 9))
        for row, part, start, end, weight in zip(*columns, strict=True)
    ]


def test_pieces_of_a_word_are_one_word_and_their_weights_add():
    found = stretches(1, (0, 0, 3, 1.0), (0, 3, 6, 0.5), (0, 7, 10, -2.0))
    assert named([Claim("bridge hit")], found) == [
        (0, "claim", None, "bridge", 1.5),
        (0, "claim", None, "hit", -2.0),
    ]


def test_a_stretch_over_two_words_is_shared_by_their_characters():
    found = stretches(1, (0, 0, 7, 6.0))
    assert [word[3:] for word in named([Claim("ab cdef")], found)] == [("ab", 2.0), ("cdef", 4.0)]


def test_each_passage_has_its_own_words_and_what_joins_fields_has_none():
    claim = Claim("hit", source="TASS", date="2020", evidence=(Evidence("no hit", "AP", "2021"), Evidence("old")))
    sides = render(claim, FIELDS)
    assert sides == ("2020 TASS: hit", "no hit (AP, 2021) old")
    found = stretches(1, (0, 0, len(sides[0]), float(4 + 4 + 3)), (1, 0, len(sides[1]), float(5 + 2 + 4 + 3)))
    assert named([claim], found, FIELDS) == [
        (0, "date", None, "2020", 4 * 11 / 11),
        (0, "source", None, "TASS", 4.0),
        (0, "claim", None, "hit", 3.0),
        (0, "evidence", 0, "no", 2.0),
        (0, "evidence", 0, "hit", 3.0),
        (0, "source", 0, "AP", 2.0),
        (0, "date", 0, "2021", 4.0),
        (0, "evidence", 1, "old", 3.0),
    ]


def test_passages_that_touch_are_two_words():
    claim = Claim("x", evidence=(Evidence("one"), Evidence("two")))
    assert [word[2:] for word in named([claim], stretches(1, (1, 0, 7, 6.0)))] == [(0, "one", 3.0), (1, "two", 3.0)]


def test_what_was_not_read_is_no_word_and_a_word_that_was_cut_off_is_whole():
    claims = [Claim("bridge hit again"), Claim("harbour")]
    assert [word[3] for word in named(claims, stretches(2, (0, 0, 8, 1.0)))] == ["bridge", "hit"]


def test_a_token_of_no_text_belongs_to_no_word():
    found = stretches(1, (0, 0, 0, 5.0), (0, 3, 4, 5.0), (0, 0, 3, 1.0))
    assert [word[3:] for word in named([Claim("hit  now")], found)] == [("hit", 1.0)]


def test_han_and_kana_are_words_by_the_character():
    found = stretches(1, (0, 0, 9, 9.0))
    assert [word[3] for word in named([Claim("大橋が hit落ちた")], found)] == [*"大橋が", "hit", *"落ちた"]


@pytest.mark.parametrize("text", ["cafe\u0301 now", "\U0001f9d1\u200d\U0001f692 now", "हिन्दी now", "הגֶּשֶׁר now"])
def test_marks_and_joiners_stay_with_their_word(text):
    found = stretches(1, (0, 0, len(text), 1.0))
    assert [word[3] for word in named([Claim(text)], found)] == text.split()


odd = st.text(alphabet=st.sampled_from("ab .,(:)\n\t\u3000\u0301\u200d\u202e大が\U0001f525\x00é"), max_size=12)
claims_of_odd = st.builds(
    Claim,
    claim=odd,
    source=st.none() | odd,
    evidence=st.lists(st.builds(Evidence, text=odd, date=st.none() | odd), max_size=3).map(tuple),
)


@given(st.lists(claims_of_odd, min_size=1, max_size=4), st.data())
@settings(deadline=None)
def test_words_index_the_fields_and_no_weight_is_lost_or_doubled(claims, data):
    """Against a plain count: each stretch over its characters that are no white space, those in no field set aside."""
    rows, expected = [], 0.0
    for row, claim in enumerate(claims):
        for side, rendered in enumerate(render(claim, FIELDS)):
            start = data.draw(st.integers(0, len(rendered)))
            end = data.draw(st.integers(start, len(rendered)))
            rows.append((2 * row + side, start, end, float(len(rows) + 1)))
    words = words_of(claims, FIELDS, found := stretches(len(claims), *rows))
    for part, start, end in zip(words.of_part, words.starts, words.ends, strict=True):
        assert words.parts[part].text[start:end].split() == [words.parts[part].text[start:end]]
    places = list(zip(words.of_part, words.starts, words.ends, strict=True))
    assert len(set(places)) == len(places)
    for text, start, end, weight in zip(found.texts, found.starts, found.ends, found.weights, strict=True):
        own = [
            part.start + place
            for part, row in zip(words.parts, words.part_rows, strict=True)
            if 2 * row + part.side == text
            for place, character in enumerate(part.text)
            if not character.isspace() and start <= part.start + place < end
        ]
        expected += weight if own else 0.0
    assert words.weights.sum() == pytest.approx(expected, abs=1e-9)


def test_no_stretch_is_no_word():
    empty = np.zeros(0, dtype=np.int64)
    found = Attributions(np.arange(1), np.full((1, 3), 1 / 3), empty, empty, empty, np.zeros(0))
    assert named([Claim("a")], found) == []


def test_the_direction_is_the_gradient_of_the_log_odds():
    logits = np.array([[2.0, -1.0, 0.5], [0.1, 0.2, 3.0], [30.0, 0.0, -1e9]])

    def log_odds(row, chosen):
        others = np.delete(row, chosen)
        return row[chosen] - (others.max() + np.log(np.exp(others - others.max()).sum()))

    for row, found in zip(logits, towards_chosen(logits), strict=True):
        chosen = row.argmax()
        steps = np.eye(3) * 1e-5
        expected = [(log_odds(row + step, chosen) - log_odds(row - step, chosen)) / 2e-5 for step in steps]
        np.testing.assert_allclose(found, expected, atol=1e-6)
        assert found[chosen] == 1
        assert found.sum() == pytest.approx(0)


def test_a_softmax_of_large_logits_is_finite():
    np.testing.assert_allclose(softmax(np.array([[1e4, -1e9, 1e4]])), [[0.5, 0, 0.5]])


def test_offsets_are_flattened_in_order():
    assert flat_offsets([[(0, 1), (2, 3)], [], [(4, 5)]]).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert flat_offsets([]).shape == (0, 2)
