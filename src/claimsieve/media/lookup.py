"""Which of many 256-bit hashes lie within a Hamming distance of a query: all of them, and none besides.

Multi-index hashing (Norouzi, Punjani & Fleet 2012, arXiv:1307.2982): a hash is cut into 16 pieces of 16 bits. Two
hashes that differ in at most 31 bits differ in at most one bit of some piece, as 16 x 2 is 32. So for each piece it is
enough to look at the hashes that have the same one, or one of the 16 that differ in one bit, and to count their bits.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PIECES = 16
MAX_DISTANCE = 63  # unrelated pictures are 128 apart, give or take 8 for each standard deviation

_KEYS = 1 << 16
_QUERIES_AT_ONCE = 32  # some 130,000 candidates among a million hashes, which the processor's cache can hold
_CANDIDATES_AT_ONCE = 1 << 20
_ROWS_AT_ONCE = 1 << 16

Hashes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Found:
    """Pairs within the distance, by query and then by distance and row. Each of shape (pairs,)"""

    queries: NDArray[np.int64]
    rows: NDArray[np.int64]
    distances: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class HashTable:
    """Hashes that can be looked up. Some 100 bytes a hash.

    words: the hashes as four numbers each. Shape: (n, 4). order: for each piece the rows by its value, one piece behind
    another. Shape: (16 n,). starts: where in `order` each value of each piece begins. Shape: (16, 65,537)
    """

    words: NDArray[np.uint64]
    order: NDArray[np.uint32]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.words)


def build_table(hashes: Hashes) -> HashTable:
    """hashes: shape (n, 32)"""
    hashes = np.ascontiguousarray(hashes, dtype=np.uint8)
    pieces = hashes.view("<u2")
    order = np.empty((PIECES, len(hashes)), dtype=np.uint32)
    starts = np.zeros((PIECES, _KEYS + 1), dtype=np.int64)
    for place in range(PIECES):
        order[place] = np.argsort(pieces[:, place], kind="stable")
        starts[place, 1:] = np.cumsum(np.bincount(pieces[:, place], minlength=_KEYS))
        starts[place] += place * len(hashes)
    return HashTable(hashes.view(np.uint64), order.ravel(), starts)


def within(table: HashTable, queries: Hashes, *, distance: int, threads: int = 1) -> Found:
    """Every pair of a query and a hash that differ in at most `distance` bits. queries: shape (q, 32)

    Raises ValueError for a distance beyond 0 to 63.
    """
    if not 0 <= distance <= MAX_DISTANCE:
        raise ValueError(f"expected a distance from 0 to {MAX_DISTANCE}, found {distance}")
    queries = np.ascontiguousarray(queries, dtype=np.uint8)
    look = _in_buckets if distance < 2 * PIECES else _in_all
    firsts = range(0, len(queries), _QUERIES_AT_ONCE)

    def some(first: int) -> tuple[NDArray[np.int64], ...]:
        found = look(table, queries[first : first + _QUERIES_AT_ONCE], distance)
        return (found[0] + first, *found[1:])

    if not len(table) or not len(queries):
        parts: Sequence[tuple[NDArray[np.int64], ...]] = []
    elif threads > 1 and len(firsts) > 1:
        with ThreadPoolExecutor(max_workers=threads) as pool:
            parts = list(pool.map(some, firsts))
    else:
        parts = [some(first) for first in firsts]
    if not parts:
        return Found(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
    return Found(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _in_buckets(table: HashTable, queries: Hashes, distance: int) -> tuple[NDArray[np.int64], ...]:
    """Pairs by multi-index hashing, for distances below 32."""
    words = queries.view(np.uint64)
    flips = np.array([0] + [1 << bit for bit in range(16)] * (distance >= PIECES), dtype=np.int64)
    keys = queries.view("<u2").astype(np.int64)[:, :, None] ^ flips  # (q, 16, 17) or (q, 16, 1)
    places = np.arange(PIECES)[None, :, None]
    begin, end = table.starts[places, keys].ravel(), table.starts[places, keys + 1].ravel()
    owners = np.repeat(np.arange(len(queries)), keys.shape[1] * keys.shape[2])
    kept = []
    for rows, asking in _candidates(table.order, begin, end - begin, owners):
        # np.take of whole rows is seven times as quick as an array in brackets.
        near = _distances(np.take(table.words, rows, axis=0), np.take(words, asking, axis=0))
        close = np.flatnonzero(near <= distance)
        kept.append((asking[close], rows[close].astype(np.int64), near[close].astype(np.int64)))
    return _sorted(*(np.concatenate(arrays) for arrays in zip(*kept, strict=True)), rows=len(table))


def _candidates(
    order: NDArray[np.uint32], begin: NDArray[np.int64], counts: NDArray[np.int64], owners: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.int64]]]:
    """The rows of all buckets and who asked for them, a bounded number at once unless one bucket is larger."""
    before = np.concatenate([[0], np.cumsum(counts)])
    cut = 0
    while cut < len(counts):
        stop = int(np.searchsorted(before, before[cut] + _CANDIDATES_AT_ONCE, side="right")) - 1
        stop = max(cut + 1, stop)
        some = counts[cut:stop]
        shifts = np.repeat(begin[cut:stop] - (before[cut:stop] - before[cut]), some)
        yield np.take(order, shifts + np.arange(len(shifts))), np.repeat(owners[cut:stop], some)
        cut = stop


def _in_all(table: HashTable, queries: Hashes, distance: int) -> tuple[NDArray[np.int64], ...]:
    """Pairs by counting the bits of every hash."""
    kept = []
    for asking, word in enumerate(queries.view(np.uint64)):
        for first in range(0, len(table), _ROWS_AT_ONCE):
            near = _distances(table.words[first : first + _ROWS_AT_ONCE], word)
            close = np.flatnonzero(near <= distance)
            kept.append((np.full(len(close), asking), close + first, near[close].astype(np.int64)))
    return _sorted(*(np.concatenate(arrays) for arrays in zip(*kept, strict=True)), rows=len(table))


def _distances(these: NDArray[np.uint64], those: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Differing bits of hashes as four numbers each. Shape: (n,)"""
    # Four counts up to 64 are one number of four bytes; their sum may be 256, which a byte does not hold.
    counts = np.bitwise_count(these ^ those).view(np.uint32)[:, 0]
    pairs = (counts & np.uint32(0x00FF00FF)) + ((counts >> np.uint32(8)) & np.uint32(0x00FF00FF))
    found: NDArray[np.uint32] = (pairs & np.uint32(0xFFFF)) + (pairs >> np.uint32(16))
    return found


def _sorted(
    asking: NDArray[np.int64], found: NDArray[np.int64], near: NDArray[np.int64], *, rows: int
) -> tuple[NDArray[np.int64], ...]:
    """Each pair once: several pieces may have led to it."""
    _, first = np.unique(asking * rows + found, return_index=True)
    by = first[np.lexsort((found[first], near[first], asking[first]))]
    return asking[by], found[by], near[by]
