"""The look-up finds every hash within the distance and none besides: compared with counting all bits of all pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.media.lookup import MAX_DISTANCE, build_table, within

MANY = np.random.default_rng(7).integers(0, 256, (5_000, 32), dtype=np.uint8)
MANY_TABLE = build_table(MANY)


def changed(hash_: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """A hash with these bits the other way."""
    unpacked = np.unpackbits(hash_)
    unpacked[bits] ^= 1
    return np.packbits(unpacked)


def brute_force(hashes: np.ndarray, queries: np.ndarray, distance: int) -> list[tuple[int, int, int]]:
    pairs = np.unpackbits(queries[:, None] ^ hashes[None], axis=2).sum(axis=2, dtype=np.int64)
    return [(int(query), int(row), int(pairs[query, row])) for query, row in np.argwhere(pairs <= distance)]


def looked_up(hashes: np.ndarray, queries: np.ndarray, distance: int, threads: int = 1) -> list[tuple[int, int, int]]:
    found = within(build_table(hashes), queries, distance=distance, threads=threads)
    return list(zip(found.queries.tolist(), found.rows.tolist(), found.distances.tolist(), strict=True))


@pytest.mark.parametrize("distance", [0, 1, 15, 16, 31, 32, 47, MAX_DISTANCE])
@pytest.mark.parametrize("threads", [1, 3])
def test_all_pairs_within_the_distance_and_no_other(distance, threads):
    draw = np.random.default_rng(distance)
    hashes = draw.integers(0, 256, (3_000, 32), dtype=np.uint8)
    hashes[1_000:1_020] = hashes[0]  # twins, also of a query
    near = [changed(hashes[row], draw.choice(256, count, replace=False)) for row, count in enumerate(range(70))]
    queries = np.stack([*near, *draw.integers(0, 256, (30, 32), dtype=np.uint8)])
    expected = brute_force(hashes, queries, distance)
    assert len(expected) >= distance  # a planted one at each distance
    assert sorted(looked_up(hashes, queries, distance, threads)) == sorted(expected)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 255), min_size=31, max_size=33, unique=True), st.integers(0, 15))
def test_wherever_31_bits_differ_they_are_found(bits, spared):
    """Also where they are spread as evenly over the pieces as can be, which is the hardest case."""
    query = changed(MANY[77], np.array(bits))
    pairs = [16 * piece + bit for piece in range(16) for bit in (3, 9) if (piece, bit) != (spared, 9)]
    found = within(MANY_TABLE, np.stack([query, changed(MANY[78], np.array(pairs))]), distance=31)
    expected = [(0, 77)] if len(bits) == 31 else []
    assert list(zip(found.queries.tolist(), found.rows.tolist(), strict=True)) == [*expected, (1, 78)]
    assert set(found.distances.tolist()) == {31}


def test_pairs_come_by_query_and_nearest_first():
    draw = np.random.default_rng(0)
    query = draw.integers(0, 256, (1, 32), dtype=np.uint8)
    counts = [20, 3, 31, 0, 12]
    hashes = np.stack([changed(query[0], draw.choice(256, count, replace=False)) for count in counts])
    assert looked_up(hashes, np.concatenate([query, query]), 31) == [
        (number, row, counts[row]) for number in range(2) for row in (3, 1, 4, 0, 2)
    ]


def test_a_crowd_of_equal_hashes_is_found_whole():
    hashes = np.zeros((70_000, 32), dtype=np.uint8)
    assert len(looked_up(hashes, np.zeros((2, 32), dtype=np.uint8), 31)) == 140_000


def test_opposite_hashes_differ_in_256_bits_and_are_no_pair():
    hashes = np.zeros((5, 32), dtype=np.uint8)
    for distance in (31, MAX_DISTANCE):
        assert looked_up(hashes, ~hashes[:1], distance) == []


def test_nothing_is_found_in_nothing():
    nothing = np.zeros((0, 32), dtype=np.uint8)
    some = np.ones((3, 32), dtype=np.uint8)
    assert looked_up(nothing, some, 31) == looked_up(some, nothing, 31) == looked_up(nothing, nothing, 40) == []


@pytest.mark.parametrize("distance", [-1, MAX_DISTANCE + 1])
def test_distances_that_say_nothing_are_refused(distance):
    with pytest.raises(ValueError, match="from 0 to 63"):
        looked_up(np.zeros((1, 32), dtype=np.uint8), np.zeros((1, 32), dtype=np.uint8), distance)
