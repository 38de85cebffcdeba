"""The answers of a claim's pieces become one, by a rule that is fair to each piece and leaves a single one alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.models.passages import combined, evidence_pieces

weights = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 1e-300, 1e-12]), min_size=3, max_size=3).filter(any)
rows_of_pieces = st.lists(weights, min_size=1, max_size=12).map(
    lambda rows: np.array([[value / sum(row) for value in row] for row in rows])
)
positive = st.lists(st.floats(1e-6, 1), min_size=3, max_size=3)


def geometric(rows):
    """By the book: the n-th root of the product, made to sum to 1."""
    product = np.prod(np.asarray(rows, dtype=np.longdouble), axis=0) ** (np.longdouble(1) / len(rows))
    return product / product.sum()


@given(rows_of_pieces, st.data())
@settings(deadline=None)
def test_each_row_is_a_distribution_and_one_piece_keeps_its_bits(pieces, data):
    count = data.draw(st.integers(1, len(pieces)))
    more = data.draw(st.lists(st.integers(0, count - 1), min_size=len(pieces) - count, max_size=len(pieces) - count))
    owners = np.array(data.draw(st.permutations([*range(count), *more])))
    found = combined(pieces, owners, count)
    assert found.shape == (count, 3)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-9)
    for claim in range(count):
        own = pieces[owners == claim]
        if len(own) == 1:
            np.testing.assert_array_equal(found[claim], own[0])
        else:
            np.testing.assert_allclose(found[claim], combined(own, np.zeros(len(own), dtype=int), 1)[0], rtol=1e-12)


@given(st.lists(positive, min_size=2, max_size=8))
@settings(deadline=None)
def test_several_pieces_become_their_geometric_mean(rows):
    pieces = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    found = combined(pieces, np.zeros(len(pieces), dtype=int), 1)
    np.testing.assert_allclose(found[0], geometric(pieces).astype(float), rtol=1e-9)


@given(rows_of_pieces, st.randoms())
@settings(deadline=None)
def test_the_order_of_the_pieces_does_not_matter(pieces, draw):
    order = draw.sample(range(len(pieces)), len(pieces))
    owners = np.arange(len(pieces)) % 2
    count = int(owners.max()) + 1
    straight, shuffled = combined(pieces, owners, count), combined(pieces[order], owners[order], count)
    np.testing.assert_allclose(shuffled, straight, rtol=1e-9, atol=1e-300)


def test_a_piece_that_settles_nothing_moves_nothing_but_the_strength():
    sure, even = [0.9, 0.05, 0.05], [1 / 3] * 3
    (found,) = combined(np.array([sure, even]), np.array([0, 0]), 1)
    assert found.argmax() == 0
    assert found[0] < sure[0]
    assert found[1] == pytest.approx(found[2])


def test_what_no_piece_thinks_possible_stays_impossible_and_a_contradiction_is_no_error():
    (never,) = combined(np.array([[0.6, 0.4, 0.0], [0.5, 0.5, 0.0]]), np.array([0, 0]), 1)
    assert never[2] < 1e-300
    assert never[0] > never[1] > 0.4
    (torn,) = combined(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), np.array([0, 0]), 1)
    np.testing.assert_allclose(torn, [0.5, 0.5, 0.0], atol=1e-9)
    (veto,) = combined(np.array([[0.0, 0.5, 0.5], [0.98, 0.01, 0.01]]), np.array([0, 0]), 1)
    assert veto[0] < 1e-9


# --- the pieces themselves, in characters as tfidf reads them

passages = st.lists(st.text("ab ", max_size=12), max_size=8)


@given(passages, st.integers(1, 15))
@settings(max_examples=300, deadline=None)
def test_every_character_stands_in_a_piece_that_fits_and_none_is_empty(texts, room):
    whole = " ".join(texts)
    pieces = evidence_pieces(texts, room=room, units=str)
    if len(whole) <= room:
        assert pieces == [whole]
        return
    assert all(0 < len(piece) <= room for piece in pieces)
    for text in texts:
        if len(text) <= room:
            assert any(text in piece for piece in pieces)
        else:  # all of it in parts, from its first to its last character
            stretches = {start for start in range(len(text)) if any(_at(text, start, piece) for piece in pieces)}
            assert stretches.issuperset(range(len(text)))


def _at(text: str, place: int, piece: str) -> bool:
    """Whether a piece is a stretch of the text that has this place in it."""
    return any(text.startswith(piece, n) for n in range(max(0, place - len(piece) + 1), place + 1))


def test_passages_share_a_piece_as_long_as_there_is_room():
    texts = ["aaa", "bbb", "cc", "d" * 9, "e", "f"]
    assert evidence_pieces(texts, room=8, units=str) == ["aaa bbb", "cc", "dddddddd", "dddddddd", "e f"]
    assert evidence_pieces(texts, room=7, units=str) == ["aaa bbb", "cc", "ddddddd", "ddddddd", "e f"]
    assert evidence_pieces(texts, room=6, units=str) == ["aaa", "bbb cc", "dddddd", "dddddd", "e f"]
    assert evidence_pieces([], room=6, units=str) == [""]


def test_what_joins_passages_never_makes_a_piece_too_long():
    """Units may be of any kind: here a blank counts three times."""

    def units(text: str) -> str:
        return text.replace(" ", "___")

    pieces = evidence_pieces(["ab", "cd", "ef", "gh"], room=6, units=units)
    assert max(map(len, pieces)) <= 6
    assert all(any(text in piece for piece in pieces) for text in ("ab", "cd", "ef", "gh"))


def test_a_passage_without_units_is_no_piece_of_its_own():
    def units(text: str) -> str:
        return text.replace("~", "")

    assert evidence_pieces(["~", "abcdef", "~"], room=6, units=units) == ["abcdef"]
    assert evidence_pieces(["~"] * 4, room=2, units=units) == ["  "]
