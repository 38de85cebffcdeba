"""A text cut into stretches, so that spans which overlap or lie within one another can be marked one by one."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from claimsieve.analysis.values import listed, whole


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of a text. rank: where spans lie over one another, the lowest is the one to be seen."""

    start: int
    end: int
    rank: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters [start, end) over which nothing changes.

    owner: place of the span to be seen there, or None. ends: places of the spans that end here.
    """

    start: int
    end: int
    owner: int | None
    ends: tuple[int, ...] = ()


def span_in(value: Any, length: int) -> tuple[int, int] | None:
    """[start, end) as two whole numbers within a text of `length` characters; None for anything else."""
    pair = [whole(item) for item in listed(value)]
    if len(pair) != 2 or pair[0] is None or pair[1] is None:
        return None
    return (pair[0], pair[1]) if 0 <= pair[0] < pair[1] <= length else None


def stretches(length: int, spans: Sequence[Span], *, cuts: Iterable[int] = ()) -> list[Stretch]:
    """The whole text of `length` characters, in order, cut where a span begins or ends and at the cuts.

    The spans lie within the text and are not empty. Time n log n in their number, however they overlap.
    """
    borders = {0, length, *(cut for cut in cuts if 0 < cut < length)}
    borders |= {border for span in spans for border in (span.start, span.end)}
    beginning = sorted(range(len(spans)), key=lambda place: spans[place].start, reverse=True)
    ending: dict[int, list[int]] = {}
    for place, span in enumerate(spans):
        ending.setdefault(span.end, []).append(place)
    over: list[tuple[float, int]] = []  # spans over where we are, and some that have ended and are not yet dropped
    found = []
    places = sorted(borders)
    for start, end in pairwise(places):
        while beginning and spans[beginning[-1]].start <= start:
            place = beginning.pop()
            heapq.heappush(over, (spans[place].rank, place))
        while over and spans[over[0][1]].end <= start:
            heapq.heappop(over)
        found.append(Stretch(start, end, over[0][1] if over else None, tuple(ending.get(end, ()))))
    return found
