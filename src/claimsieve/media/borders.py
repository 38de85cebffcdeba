"""The picture within a picture: what a frame of bars or margins, or a screenshot with lines of text, encloses."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_TOLERANCE = 20  # grey levels that a line of one colour may span after JPEG and resizing
_OF_A_LINE = 0.98  # share of a line that has its colour
_LEAST_GAP = 4  # lines of one colour, of 512, that part two things
_LEAST_LEFT = 0.25  # of either side; less is no picture in a frame but a thing on a ground
_LEAST_PIXELS = 32


def inside_of(grey: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The largest block between lines and columns of one colour; None where there is no such line, or too little left.

    Shape: (h, w), and a smaller one.
    """
    found = grey
    for _ in range(3):  # a block of lines may hold columns of one colour, and what they enclose again lines
        block = _largest_block(_largest_block(found).T).T
        if block.shape == found.shape:
            break
        found = block
    least = [max(_LEAST_PIXELS, _LEAST_LEFT * side) for side in grey.shape]
    if found.shape == grey.shape or found.shape[0] < least[0] or found.shape[1] < least[1]:
        return None
    return np.ascontiguousarray(found)


def _largest_block(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The longest run of lines without a gap of lines of one colour; all of them where there is none."""
    if not grey.size:
        return grey
    plain = _of_one_colour(grey)
    edges = np.flatnonzero(np.diff(plain, prepend=not plain[0], append=not plain[-1]))
    starts, ends = edges[:-1], edges[1:]
    # At an edge one line is enough; within a picture a line or two may be of one colour.
    parting = plain[starts] & ((ends - starts >= _LEAST_GAP) | (starts == 0) | (ends == len(grey)))
    stops = [(0, 0), *zip(starts[parting].tolist(), ends[parting].tolist(), strict=True), (len(grey), len(grey))]
    first, last = max(
        ((before[1], after[0]) for before, after in pairwise(stops)),
        key=lambda block: block[1] - block[0],
    )
    return grey[first:last]


def _of_one_colour(grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which lines have one colour but for a few of their pixels. Shape: (h,)"""
    some = grey[:, :: max(1, grey.shape[1] // 128)]
    spare = int(some.shape[1] * (1 - _OF_A_LINE) / 2)
    ordered = np.partition(some, (spare, some.shape[1] - 1 - spare), axis=1)
    found: NDArray[np.bool_] = (
        ordered[:, -1 - spare].astype(np.int16) - ordered[:, spare].astype(np.int16) <= _TOLERANCE
    )
    return found
