"""The frame around a picture that was photographed off a screen or padded to a shape: where it ends."""

import numpy as np
from numpy.typing import NDArray

_TOLERANCE = 10  # grey levels by which JPEG and resizing may blur one colour
_OF_A_LINE = 0.98  # share of a line that has the frame's colour
_LEAST_LEFT = 0.25  # of either side; less is no picture in a frame but a thing on a ground
_LEAST_PIXELS = 32


def inside_of(grey: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """What a frame of one colour on any side encloses; None where there is no frame, or too little in it.

    Sides may differ in colour, and one frame may stand in another. Shape: (h, w), and a smaller one.
    """
    found = grey
    for _ in range(3):
        trimmed = _trimmed(_trimmed(found).T).T
        if trimmed.shape == found.shape:
            break
        found = trimmed
    least = [max(_LEAST_PIXELS, _LEAST_LEFT * side) for side in grey.shape]
    if found.shape == grey.shape or found.shape[0] < least[0] or found.shape[1] < least[1]:
        return None
    return np.ascontiguousarray(found)


def _trimmed(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without the lines at the upper and the lower edge that have one colour, each edge its own."""
    above = _lines(grey)
    if above == len(grey):
        return grey[:0]
    below = _lines(grey[::-1])
    return grey[above : len(grey) - below]


def _lines(grey: NDArray[np.uint8]) -> int:
    """How many lines from the first on have the colour of the first; 0 where the first has several."""
    if not grey.size:
        return 0
    colour = np.median(grey[0])
    if not _of_colour(grey[:1], colour)[0]:
        return 0  # most pictures have no frame
    same = _of_colour(grey, colour)
    return len(grey) if same.all() else int(same.argmin())


def _of_colour(lines: NDArray[np.uint8], colour: float) -> NDArray[np.bool_]:
    near = np.abs(lines.astype(np.int16) - colour) <= _TOLERANCE
    found: NDArray[np.bool_] = near.mean(axis=1) >= _OF_A_LINE
    return found
