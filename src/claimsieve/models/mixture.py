"""How often each training row is drawn in an epoch of several corpora: by size tempered, by label even."""

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

Draws = NDArray[np.float64]


def draws_per_epoch(
    sources: Sequence[Hashable],
    labels: NDArray[np.int64],
    *,
    temperature: float,
    rows: int | None,
    parts: Sequence[Hashable] | None = None,
) -> Draws:
    """The number of times that each row is expected in an epoch.

    sources: what a row belongs to, its corpus or one head's part of it. Shape: (n,). labels: Shape: (n,). parts: what
    parts a source's rows, its events; None: nothing. Shape: (n,)
    A source of n rows counts n ** (1 / temperature): at 1 by its size, the higher the more alike (Arivazhagan et al.
    2019, arXiv:1907.05019). Within a source, or each part of it, every label that it has is drawn equally often, so
    that none predicts a label that it knows. rows: of an epoch, all draws together; None: as many as there are.
    """
    draws = np.zeros(len(labels))
    sizes = Counter(sources)
    members: dict[tuple[Hashable, Hashable], list[int]] = {}
    for row, source in enumerate(sources):
        members.setdefault((source, None if parts is None else parts[row]), []).append(row)
    for (source, _), own in members.items():
        counts = np.bincount(labels[own])
        of_part = len(own) * sizes[source] ** (1 / temperature - 1)
        draws[own] = of_part / (np.count_nonzero(counts) * counts[labels[own]])
    return draws * ((rows or len(labels)) / draws.sum()) if len(labels) else draws


def drawn(draws: Draws, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """The rows of one epoch, some of them more than once. The part of a number after the point is drawn for."""
    random = np.random.default_rng([seed, epoch, 1])
    times = np.floor(draws + random.random(len(draws))).astype(np.int64)
    return np.repeat(np.arange(len(draws)), times)
