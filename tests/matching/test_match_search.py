"""What a search finds is what looking at every pair finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.duplicates import normalise
from claimsieve.matching import nearest as nearest_module
from claimsieve.matching.near import NEAR, NearTexts
from claimsieve.matching.nearest import nearest

WORDS = ("bridge", "harbour", "convoy", "airfield", "village", "depot", "hospital", "station", "radar", "ship", "smoke")


def vectors(count, seed):
    found = np.random.default_rng(seed).normal(size=(count, 16))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float16)


@pytest.mark.parametrize("block", [1, 7, 1_000])
@pytest.mark.parametrize("most", [1, 5, 200])
def test_the_nearest_are_those_of_every_pair(block, most, monkeypatch):
    monkeypatch.setattr(nearest_module, "_QUERIES", block)
    monkeypatch.setattr(nearest_module, "_KNOWN", block)
    asked, known = vectors(23, 0), vectors(57, 1)
    rows, places, cosines = nearest(asked, known, least=0.2, most=most)
    every = asked.astype(np.float32) @ known.astype(np.float32).T
    for row in range(len(asked)):
        best = sorted((place for place in range(57) if every[row, place] >= 0.2), key=lambda p: -every[row, p])[:most]
        assert places[rows == row].tolist() == best
        assert cosines[rows == row] == pytest.approx(every[row, best], abs=1e-6)


def test_nothing_is_near_nothing():
    none = np.zeros((0, 16), dtype=np.float16)
    assert [len(part) for part in nearest(none, vectors(3, 0), least=0.1, most=2)] == [0, 0, 0]
    assert [len(part) for part in nearest(vectors(3, 0), none, least=0.1, most=2)] == [0, 0, 0]
    assert NearTexts([]).of(["a"]) == [{}]
    assert NearTexts(["a"]).of([]) == []


def grams(text):
    return {text[start : start + 5] for start in range(max(1, len(text) - 4))}


def jaccard(one, other):
    ours, theirs = grams(one), grams(other)
    return len(ours & theirs) / len(ours | theirs)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=3, max_size=12), min_size=1, max_size=25), st.randoms())
def test_near_texts_are_found_with_their_exact_similarity(sentences, dice):
    known = sorted({normalise(" ".join(words)) for words in sentences})
    asked = [text[:-1] for text in known] + [" ".join(dice.sample(WORDS, 6))]
    for text, found in zip(asked, NearTexts(known).of(asked), strict=True):
        every = {place: jaccard(text, other) for place, other in enumerate(known)}
        assert found == {place: pytest.approx(share) for place, share in every.items() if share >= NEAR}


def test_a_collection_of_one_pattern_is_searched_in_time():
    known = [f"on day {number} the depot north of the river was hit by shells once more" for number in range(3_000)]
    found = NearTexts(known).of([known[77]])[0]
    assert 0 < len(found) < 3_000
