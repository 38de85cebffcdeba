"""Evidence that is longer than a model's window: read in pieces, and the pieces' answers combined by one rule."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

OVERLAP = 1 / 4  # of a piece, read again at the head of the next one, so that no sentence is only ever read torn

Units = TypeVar("Units", str, list[int])  # what a window is measured in: characters or token ids


def combined(probabilities: np.ndarray, owners: np.ndarray, count: int) -> np.ndarray:
    """One row of probabilities for each of `count` claims from those of its pieces: their geometric mean.

    The mean of log-probabilities is what readers agree on who each saw a part: a piece that settles nothing is near
    even and moves little. A claim of one piece keeps its numbers to the bit.

    probabilities: of every piece. Shape: (pieces, 3). owners: the claim of each piece, from 0. Shape: (pieces,)
    Returns shape (count, 3), rows sum to 1. Every claim has a piece.
    """
    result = np.empty((count, probabilities.shape[1]))
    result[owners] = probabilities
    several = np.bincount(owners, minlength=count) > 1
    for claim in np.flatnonzero(several):
        logs = np.log(np.maximum(probabilities[owners == claim], np.finfo(np.float64).tiny)).mean(axis=0)
        exponentials = np.exp(logs - logs.max())
        result[claim] = exponentials / exponentials.sum()
    return result


def in_pieces(owners: np.ndarray, count: int) -> list[int]:
    """Which of `count` claims have several pieces. owners: the claim of each piece. Shape: (pieces,)"""
    found: list[int] = np.flatnonzero(np.bincount(owners, minlength=count) > 1).tolist()
    return found


def evidence_pieces(
    passages: Sequence[str], *, room: int, units: Callable[[str], Units], whole: Units | None = None
) -> list[Units]:
    """The evidence in pieces of at most `room` units: whole passages together, a longer passage in overlapping parts.

    units: a text's own (token ids or the text itself). whole: the units of all passages together, if they are known.
    Without passages there is one empty piece.
    """
    whole = units(" ".join(passages)) if whole is None else whole
    if len(whole) <= room:
        return [whole]
    groups = [whole]
    if len(passages) > 1:
        places = _groups([len(units(text)) for text in passages], room=room)
        groups = [units(" ".join(passages[place] for place in group)) for group in places]
    pieces = [group[start:end] for group in groups for start, end in _spans(len(group), room=room)]
    # A passage may have no units (signs that a tokenizer drops): its piece would speak as if there were no evidence.
    return [piece for piece in pieces if piece] or [whole[:room]]


def _groups(lengths: Sequence[int], *, room: int) -> list[list[int]]:
    """Consecutive passages, together at most `room` long; a longer one is a group of its own."""
    groups: list[list[int]] = []
    used = room
    for place, length in enumerate(lengths):
        if used + 1 + length > room:  # 1: what joins them may be a unit too
            groups.append([])
            used = -1
        groups[-1].append(place)
        used += 1 + length
    return groups


def _spans(length: int, *, room: int) -> list[tuple[int, int]]:
    """Start and end of overlapping parts of at most `room` that cover `length`; the last one ends with it."""
    if length <= room:
        return [(0, length)]
    step = max(1, room - int(room * OVERLAP))
    return [(start, start + room) for start in range(0, length - room, step)] + [(length - room, length)]
