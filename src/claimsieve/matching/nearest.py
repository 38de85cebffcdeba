"""The nearest vectors by cosine, exactly, in blocks of matrix products: no index to build, tune or keep in step."""

import numpy as np
from numpy.typing import NDArray

_QUERIES = 1_024
_KNOWN = 8_192  # a block of 1,024 by 8,192 cosines is 32 MB

Half = NDArray[np.float16]


def nearest(
    asked: Half, known: Half, *, least: float, most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Of each asked vector the known ones at `least` this cosine, the `most` nearest.

    asked, known: vectors of length one. Shapes: (n, d), (m, d). Returns places in asked, places in known, cosines; by
    asked, nearest first, then by place.
    """
    parts = []
    for begin in range(0, len(asked), _QUERIES):
        block = asked[begin : begin + _QUERIES].astype(np.float32)
        best = _none()
        for start in range(0, len(known), _KNOWN):
            cosines = block @ known[start : start + _KNOWN].astype(np.float32).T
            rows, columns = _above(cosines, least, most)
            if len(rows):
                best = _first(
                    np.concatenate([best[0], rows]),
                    np.concatenate([best[1], columns + start]),
                    np.concatenate([best[2], cosines[rows, columns]]),
                    most,
                )
        parts.append((best[0] + begin, best[1], best[2]))
    if not parts:
        return _none()
    places, found, cosines = (np.concatenate(part) for part in zip(*parts, strict=True))
    return places, found, np.clip(cosines, -1, 1)


def _above(cosines: NDArray[np.float32], least: float, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    hits = cosines >= least
    crowded = np.flatnonzero(hits.sum(axis=1) > most)
    if len(crowded):  # else a collection of one pattern would give millions of pairs
        top = np.argpartition(cosines[crowded], -most, axis=1)[:, -most:]
        hits[crowded] = False
        hits[crowded[:, None], top] = True
    rows, columns = np.nonzero(hits)
    return rows, columns


def _first(
    rows: NDArray[np.int64], columns: NDArray[np.int64], cosines: NDArray[np.float32], most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """The best of each row, in order."""
    order = np.lexsort((columns, -cosines, rows))
    rows, columns, cosines = rows[order], columns[order], cosines[order]
    starts = np.searchsorted(rows, rows, "left")
    kept = np.arange(len(rows)) - starts < most
    return rows[kept], columns[kept], cosines[kept]


def _none() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
