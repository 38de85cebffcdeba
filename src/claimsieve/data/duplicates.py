"""Which claims are the same claim: exact and near duplicates, found with MinHash and confirmed with exact Jaccard.

Everything after `normalise` works on the sorted unique texts, so the clusters cannot depend on the order of the rows.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from claimsieve.records import Claim

# Characters, not words. Measured on edits of real claims (pheme, covidfact, fever, liar, snopes, averitec) at 0.8:
# 5-grams find 89 % of changed numbers, 86 % of typos and 90 % of added tails; word pairs find 43 %, 31 % and 92 %;
# single words find 91 %, 74 % and 94 %, but join 2,280 of 12,679 FEVER claims, most of which merely share a sentence
# pattern (5-grams join 928). And languages without spaces have no words to count.
SHINGLE_CHARACTERS = 5

MAX_MISS_RATE = 1e-4  # at the threshold itself; pairs above it are missed far more rarely
_CHUNK = 1 << 17  # pairs or shingles handled at once: keeps the working memory at some 100 MB

_URL = re.compile(r"(?:https?://|\bwww\.)[!-~]+")
_HANDLE = re.compile(
    r"(?<![a-z0-9_])@[a-z0-9_]+"
)  # plain letters only: in Chinese the sentence follows without a space
_NOT_WORD = re.compile(r"[^\w\s]|_")
_LEADING_RT = re.compile(r"^(?:rt(?: |$))+")


def normalise(text: str) -> str:
    """The text as duplicates are compared: NFKC, casefolded, punctuation and whitespace collapsed to single spaces.

    Handles, URLs and a leading 'RT' are dropped: a repost is the same claim. A text made of nothing else is only
    casefolded, for two bare links are not one claim. Combining marks stay: vowels in Hindi, Thai and others are marks.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = _HANDLE.sub(" ", _URL.sub(" ", folded))
    words = " ".join(_NOT_WORD.sub(_mark_or_space, bare).split())
    return _LEADING_RT.sub("", words) or " ".join(folded.split())


def cluster(
    claims: Sequence[Claim], *, threshold: float = 0.8, permutations: int = 128, seed: int = 0
) -> NDArray[np.int64]:
    """Number the clusters of claims that say the same in the same or nearly the same words.

    Two claims are joined when the Jaccard similarity of their sets of character 5-grams is at least `threshold`, and
    joins are transitive. Candidates come from MinHash (Broder 1997, "On the resemblance and containment of documents")
    with locality-sensitive hashing (Indyk & Motwani 1998); each is confirmed by its exact similarity, so chance never
    joins two claims. It may miss a pair: at similarity 0.8 with 128 permutations once in 20,000. 100,000 claims of a
    hundred characters take 5 seconds and 500 MB; texts of one pattern just under the threshold take quadratic time.

    threshold: similarity in (0, 1]; a lower one costs more time. permutations: hash functions a signature, 1 or more.
    Returns cluster numbers from 0 up, without gaps. Shape: (n,). They depend on the texts, not on their order.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"expected threshold in (0, 1], found {threshold}")
    if permutations < 1:
        raise ValueError(f"expected at least one permutation, found {permutations}")
    if not claims:
        return np.zeros(0, dtype=np.int64)
    texts, text_of_row = np.unique(np.array([normalise(c.claim) for c in claims], dtype=object), return_inverse=True)
    sets, hashes = shingle_sets(texts.tolist())
    signatures = signatures_of(sets, hashes, permutations=permutations, seed=seed)
    cluster_of_text = _join(sets, signatures, threshold=threshold, rows=rows_per_band(threshold, permutations))
    return cluster_of_text[text_of_row]


_INVISIBLE_MARKS = {0x034F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}


def _mark_or_space(match: re.Match[str]) -> str:
    category = unicodedata.category(match[0])
    # Zero-width characters, joiners and variation selectors: invisible, and a known way around exact matching.
    if category == "Cf" or ord(match[0]) in _INVISIBLE_MARKS:
        return ""
    return match[0] if category.startswith("M") else " "


def shingle_sets(texts: Sequence[str]) -> tuple[Any, NDArray[np.uint64]]:
    """Each text's set of character 5-grams; a text shorter than that is one shingle.

    Returns a sparse matrix of ones and zeros, shape (texts, distinct shingles), and the hash of each column.
    """
    # The gap is one longer than a shingle reaches, so that no shingle sees the next text, not even an empty text's.
    codes = np.frombuffer(("\0" * SHINGLE_CHARACTERS).join([*texts, ""]).encode("utf-32-le"), dtype="<u4")
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    counts = np.maximum(lengths - SHINGLE_CHARACTERS + 1, 1)
    text_starts = np.cumsum(lengths + SHINGLE_CHARACTERS) - lengths - SHINGLE_CHARACTERS
    bounds = np.concatenate([[0], np.cumsum(counts)])
    places = np.arange(bounds[-1]) + np.repeat(text_starts - bounds[:-1], counts)
    hashes = np.zeros(len(places), dtype=np.uint64)
    for offset in range(SHINGLE_CHARACTERS):
        hashes = _mix(hashes + codes[places + offset])
    distinct, columns = np.unique(hashes, return_inverse=True)
    ones = np.ones(len(columns), dtype=np.int32)
    sets = csr_array((ones, columns.astype(np.int32), bounds), shape=(len(texts), len(distinct)))
    sets.sum_duplicates()
    sets.data[:] = 1
    return sets, distinct


def signatures_of(sets: Any, hashes: NDArray[np.uint64], *, permutations: int, seed: int) -> NDArray[np.uint32]:
    """MinHash signatures: the smallest value of each permutation over each set. Shape: (permutations, texts).

    A permutation is h -> a·h + b in 32 bits with odd a, a bijection (the "affine32" scheme of datasketch 2.0).
    """
    random = np.random.default_rng(seed)
    factors = random.integers(0, 1 << 31, permutations, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    summands = random.integers(0, 1 << 32, permutations, dtype=np.uint32)
    short_hashes = (hashes >> np.uint64(32)).astype(np.uint32)
    signatures = np.empty((permutations, sets.shape[0]), dtype=np.uint32)
    first = 0
    while first < sets.shape[0]:
        begin = sets.indptr[first]
        last = max(first + 1, int(np.searchsorted(sets.indptr, begin + _CHUNK, side="right")) - 1)
        values = short_hashes[sets.indices[begin : sets.indptr[last]]]
        starts = sets.indptr[first:last] - begin
        for row, (factor, summand) in enumerate(zip(factors, summands, strict=True)):
            signatures[row, first:last] = np.minimum.reduceat(values * factor + summand, starts)
        first = last
    return signatures


def rows_per_band(threshold: float, permutations: int) -> int:
    """The most signature rows a band may have while a pair at the threshold is missed at most once in 10,000."""
    affordable = [
        rows for rows in range(1, permutations + 1) if (1 - threshold**rows) ** (permutations // rows) <= MAX_MISS_RATE
    ]
    return max(affordable, default=1)


def _join(sets: Any, signatures: NDArray[np.uint32], *, threshold: float, rows: int) -> NDArray[np.int64]:
    """Clusters of the texts: texts that agree on all rows of some band are compared, and joined when similar enough."""
    clusters = np.arange(sets.shape[0])
    buckets = [bucket_of(signatures[start : start + rows]) for start in range(0, len(signatures) - rows + 1, rows)]
    # Most of a big bucket is one family. Strides of 1, 2, 4, … over every band join it in few comparisons, and what is
    # one cluster by then need not be compared pair by pair: 100,000 texts of one pattern make 5 billion pairs.
    for band in buckets:
        for left, right in _strides(band):
            clusters = _joined(clusters, left, right, sets, threshold=threshold)
    for band in buckets:
        for left, right in _remaining_pairs(band, clusters):
            clusters = _joined(clusters, left, right, sets, threshold=threshold)
    return clusters


def bucket_of(band: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """One number per text for its rows of a band; a chance collision costs one comparison. Shape: (texts,)"""
    bucket = np.zeros(band.shape[1], dtype=np.uint64)
    for row in band:
        bucket = _mix(bucket + row)
    return bucket


def _strides(buckets: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    order = np.argsort(buckets, kind="stable")
    places, ends = np.arange(len(order)), _run_ends(buckets[order])
    stride = 1
    while (places := places[places + stride < ends[places]]).size:
        yield order[places], order[places + stride]
        stride *= 2


def _remaining_pairs(
    buckets: NDArray[np.uint64], clusters: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """All pairs that share a bucket and not a cluster, in chunks."""
    order = np.lexsort((clusters, buckets))
    bucket_ends = _run_ends(buckets[order])
    # A cluster's run inside a bucket; its rows pair with every later row of the bucket.
    run_ends = np.minimum(_run_ends(clusters[order]), bucket_ends)
    counts = bucket_ends - run_ends
    totals = np.cumsum(counts)
    for begin in range(0, int(totals[-1]), _CHUNK):
        pair = np.arange(begin, min(begin + _CHUNK, int(totals[-1])))
        left = np.searchsorted(totals, pair, side="right")
        right = run_ends[left] + pair - (totals - counts)[left]
        yield order[left], order[right]


def _run_ends(values: NDArray[Any]) -> NDArray[np.int64]:
    """For each place, where its run of equal values ends (exclusive). Shape: (n,)"""
    ends = np.append(np.flatnonzero(values[1:] != values[:-1]) + 1, len(values))
    return np.repeat(ends, np.diff(ends, prepend=0))


def _joined(
    clusters: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64], sets: Any, *, threshold: float
) -> NDArray[np.int64]:
    """The clusters after every pair (left, right) whose exact Jaccard similarity reaches the threshold is joined."""
    sizes = np.diff(sets.indptr)
    shorter, longer = np.minimum(sizes[left], sizes[right]), np.maximum(sizes[left], sizes[right])
    # No intersection is larger than the smaller set: unequal lengths rule out most pairs without a look at the text.
    worth = (clusters[left] != clusters[right]) & (shorter / longer >= threshold)
    left, right = left[worth], right[worth]
    similar = np.zeros(len(left), dtype=bool)
    for begin in range(0, len(left), _CHUNK):
        a, b = left[begin : begin + _CHUNK], right[begin : begin + _CHUNK]
        shared = sets[a].multiply(sets[b]).sum(axis=1)
        similar[begin : begin + _CHUNK] = shared / (sizes[a] + sizes[b] - shared) >= threshold
    if not similar.any():
        return clusters
    edges = clusters[left[similar]], clusters[right[similar]]
    graph = coo_array((np.ones(len(edges[0]), dtype=bool), edges), shape=(len(clusters), len(clusters)))
    _, joined = connected_components(graph, directed=False)
    merged: NDArray[np.int64] = joined.astype(np.int64)[clusters]
    return merged


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of MurmurHash3 (Appleby, public domain): a bijection of 64 bits that leaves no pattern."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        values = (values ^ (values >> np.uint64(33))) * np.uint64(factor)
    return values ^ (values >> np.uint64(33))
