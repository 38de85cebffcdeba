"""Nearly the same words: texts of one collection that share most of their 5-grams with a text asked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimsieve.data.duplicates import bucket_of, rows_per_band, shingle_sets, signatures_of

NEAR = 0.8  # Jaccard similarity of the sets of character 5-grams from which two texts are called near-duplicates
_PERMUTATIONS = 128
_MOST_CANDIDATES = 64  # of one text and band: in a collection of one pattern each text resembles all others


class NearTexts:
    """Normalised texts, laid out so that near-duplicates of others are found quickly (data/duplicates.py says how).

    100,000 texts of a hundred characters take some 200 MB.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._grams = _Grams(texts)
        self._bands = []
        for bucket in self._grams.buckets():
            order = np.argsort(bucket, kind="stable")
            self._bands.append((bucket[order], order))

    def of(self, texts: Sequence[str]) -> list[dict[int, float]]:
        """For each text the places of its near-duplicates, with the similarity, in [NEAR, 1].

        Candidates come from MinHash, which may miss a pair just above NEAR once in 20,000; each is confirmed. Of a text
        with many look-alikes the first 64 of each band are looked at.
        """
        if not texts or not self._grams.count:
            return [{} for _ in texts]
        asked = _Grams(texts)
        candidates: list[set[int]] = [set() for _ in texts]
        for bucket, (known, order) in zip(asked.buckets(), self._bands, strict=True):
            begins, ends = np.searchsorted(known, bucket, "left"), np.searchsorted(known, bucket, "right")
            for row in np.flatnonzero(ends > begins).tolist():
                candidates[row].update(order[begins[row] : min(ends[row], begins[row] + _MOST_CANDIDATES)].tolist())
        return [self._confirmed(asked, row, sorted(found)) for row, found in enumerate(candidates)]

    def _confirmed(self, asked: "_Grams", row: int, candidates: Sequence[int]) -> dict[int, float]:
        ours = asked.of(row)
        found = {}
        for place in candidates:
            theirs = self._grams.of(place)
            if min(len(ours), len(theirs)) < NEAR * max(len(ours), len(theirs)):
                continue
            shared = len(np.intersect1d(ours, theirs, assume_unique=True))
            similarity = shared / (len(ours) + len(theirs) - shared)
            if similarity >= NEAR:
                found[place] = similarity
        return found


class _Grams:
    """The 5-grams of texts as hashes."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.count = len(texts)
        self._sets: Any = None
        self._hashes: NDArray[np.uint64] = np.zeros(0, dtype=np.uint64)
        if texts:
            self._sets, self._hashes = shingle_sets(texts)

    def of(self, row: int) -> NDArray[np.uint64]:
        begin, end = self._sets.indptr[row : row + 2]
        found: NDArray[np.uint64] = self._hashes[self._sets.indices[begin:end]]
        return found

    def buckets(self) -> list[NDArray[np.uint64]]:
        """A number of each text for each band of its signature; texts that agree in one are candidates."""
        if not self.count:
            return []
        signatures = signatures_of(self._sets, self._hashes, permutations=_PERMUTATIONS, seed=0)
        rows = rows_per_band(NEAR, _PERMUTATIONS)
        return [bucket_of(signatures[start : start + rows]) for start in range(0, _PERMUTATIONS - rows + 1, rows)]
