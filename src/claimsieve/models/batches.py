"""Batches of like lengths under a budget of tokens: little padding, and a plan that a seed decides."""

from collections.abc import Sequence

import numpy as np

_POOL_BATCHES = 50  # how many batches are sorted together: enough for even lengths, few enough to keep the shuffle


def cut(order: np.ndarray, lengths: np.ndarray, *, batch_tokens: int) -> list[np.ndarray]:
    """Cut rows, taken in `order`, into batches of at most `batch_tokens` tokens when padded to their longest row.

    A row that is longer than the budget is a batch of its own.
    """
    batches: list[np.ndarray] = []
    start, longest = 0, 0
    for position, row in enumerate(order):
        longest_with = max(longest, int(lengths[row]), 1)
        if position > start and longest_with * (position - start + 1) > batch_tokens:
            batches.append(order[start:position])
            start, longest_with = position, max(int(lengths[row]), 1)
        longest = longest_with
    if start < len(order):
        batches.append(order[start:])
    return batches


def by_length(lengths: Sequence[int] | np.ndarray, *, batch_tokens: int) -> list[np.ndarray]:
    """Batches for inference: longest first, so that the memory peak comes at once and not after an hour."""
    array = np.asarray(lengths)
    return cut(np.argsort(-array, kind="stable"), array, batch_tokens=batch_tokens)


def plan_epoch(lengths: Sequence[int] | np.ndarray, *, batch_tokens: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Batches for one epoch of training: shuffled rows, sorted by length in pools, batches shuffled again."""
    array = np.asarray(lengths)
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(array))
    pool_rows = max(1, int(_POOL_BATCHES * batch_tokens / max(1.0, float(array.mean()))))
    batches: list[np.ndarray] = []
    for start in range(0, len(order), pool_rows):
        pool = order[start : start + pool_rows]
        batches += cut(pool[np.argsort(array[pool], kind="stable")], array, batch_tokens=batch_tokens)
    return [batches[place] for place in random.permutation(len(batches))]
