"""Is a picture among the known ones? Hits by distance, and apart from them those that a negative silences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from claimsieve.media.fingerprints import HASH_BYTES, Fingerprint, processors
from claimsieve.media.index import Known, PictureIndex
from claimsieve.media.lookup import Found, Hashes, within

MAX_HITS = 5  # told of a picture: the nearest ones, and the oldest


@dataclass(frozen=True, slots=True)
class Hit:
    """A known picture that a picture comes near.

    distance: differing bits of 256. quality: PDQ's, of the hash that came near, 0 to 100. seen_as: 'whole', 'inside' (a
    frame), 'mirrored' or 'mirrored inside'.
    """

    known: Known
    distance: int
    quality: int
    seen_as: str


@dataclass(frozen=True, slots=True)
class Search:
    """What became of one picture. hits: up to five, nearest first, the oldest among them. count: of all hits.

    negative: the nearest negative, where there is one within the threshold; then there are no hits. silenced: known
    pictures near it that do not count, as the picture or the known one is near a negative. quality: of the picture.
    matchable: whether it has a hash of enough quality.
    """

    hits: tuple[Hit, ...]
    count: int
    negative: Hit | None
    silenced: int
    quality: int
    matchable: bool


@dataclass(frozen=True, slots=True)
class _Queries:
    """The hashes by which pictures are looked up, each as it is and mirrored. Shapes: (q, 32), (q,)"""

    hashes: Hashes
    pictures: NDArray[np.int64]
    qualities: tuple[int, ...]
    seen_as: tuple[str, ...]


def search(index: PictureIndex, fingerprints: Sequence[Fingerprint]) -> list[Search]:
    """For each picture the known ones within the index's threshold.

    It is looked up as it is, mirrored, and both without a frame around it.
    """
    queries = _queries(fingerprints)
    found = within(index.table, queries.hashes, distance=index.threshold, threads=processors())
    near = within(index.negative_table, queries.hashes, distance=index.threshold)
    rows = index.rows[found.rows]
    silenced = _near_a_negative(index, rows)
    asking, asking_negative = queries.pictures[found.queries], queries.pictures[near.queries]
    return [
        _judged(
            index,
            queries,
            _of(found, rows, asking == number),
            silenced[asking == number],
            _of(near, index.negative_rows[near.rows], asking_negative == number),
            fingerprint,
        )
        for number, fingerprint in enumerate(fingerprints)
    ]


def _queries(fingerprints: Sequence[Fingerprint]) -> _Queries:
    parts = [
        (hashes, number, found.qualities, tuple(form.format(part).strip() for part in found.parts))
        for number, found in enumerate(fingerprints)
        for hashes, form in ((found.hashes, "{}"), (found.mirrored, "mirrored {}"))
    ]
    return _Queries(
        np.concatenate([np.zeros((0, HASH_BYTES), dtype=np.uint8), *(part[0] for part in parts)]),
        np.repeat(np.array([part[1] for part in parts], dtype=np.int64), [len(part[0]) for part in parts]),
        tuple(quality for part in parts for quality in part[2]),
        tuple(name.removesuffix(" whole") for part in parts for name in part[3]),
    )


def _near_a_negative(index: PictureIndex, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the known hashes are themselves near a negative. Shape: that of rows"""
    if not len(index.negative_table) or not len(rows):
        return np.zeros(len(rows), dtype=bool)
    different, back = np.unique(rows, return_inverse=True)
    close = np.zeros(len(different), dtype=bool)
    close[within(index.negative_table, index.hashes[different], distance=index.threshold).queries] = True
    return close[back]


def _of(found: Found, rows: NDArray[np.int64], kept: NDArray[np.bool_]) -> Found:
    """The pairs of one picture, with rows that count all hashes of the index."""
    return Found(found.queries[kept], rows[kept], found.distances[kept])


def _judged(
    index: PictureIndex,
    queries: _Queries,
    found: Found,
    silenced: NDArray[np.bool_],
    near: Found,
    fingerprint: Fingerprint,
) -> Search:
    negative = _nearest(index, near)
    if len(negative):
        silenced = np.ones_like(silenced)
    counted = Found(*(array[~silenced] for array in (found.queries, found.rows, found.distances)))
    places = _nearest(index, counted)
    return Search(
        hits=tuple(_hit(index, queries, counted, place) for place in _told(index, counted, places)),
        count=len(places),
        negative=_hit(index, queries, near, int(negative[0])) if len(negative) else None,
        silenced=len(np.unique(index.owners[found.rows[silenced]])),
        quality=max((fingerprint.quality, *fingerprint.qualities)),
        matchable=bool(fingerprint.parts),
    )


def _nearest(index: PictureIndex, found: Found) -> NDArray[np.int64]:
    """Of the pairs the nearest one of each known picture, nearest first."""
    by_distance = np.lexsort((index.owners[found.rows], found.distances))
    _, first = np.unique(index.owners[found.rows][by_distance], return_index=True)
    return by_distance[np.sort(first)]


def _told(index: PictureIndex, found: Found, places: NDArray[np.int64]) -> list[int]:
    """The nearest pairs and the oldest one."""
    if not len(places):
        return []
    oldest = places[index.last_days[index.owners[found.rows[places]]].argmin()]
    nearest: list[int] = places[:MAX_HITS].tolist()
    return nearest if oldest in nearest else [*nearest[:-1], int(oldest)]


def _hit(index: PictureIndex, queries: _Queries, found: Found, place: int) -> Hit:
    query = int(found.queries[place])
    return Hit(
        known=index.known(int(index.owners[found.rows[place]])),
        distance=int(found.distances[place]),
        quality=queries.qualities[query],
        seen_as=queries.seen_as[query],
    )
