"""Batches of like lengths under a budget of tokens: little padding, and a plan that a seed decides."""

from collections.abc import Sequence

import numpy as np

_POOL_BATCHES = 50  # how many batches are sorted together: enough for even lengths, few enough to keep the shuffle
_ENOUGH_TOKENS = 1_024  # of a batch that may end for the next row's length: with fewer, being started costs more
_LIKE = 0.9  # of a batch's longest row


def cut(order: np.ndarray, lengths: np.ndarray, *, batch_tokens: int, like: float = 0.0) -> list[np.ndarray]:
    """Cut rows, taken in `order`, into batches of at most `batch_tokens` tokens when padded to their longest row.

    A row that is longer than the budget is a batch of its own. like: a row that is shorter than this share of the
    longest before it begins a batch, if those before it are enough for one.
    """
    batches: list[np.ndarray] = []
    start, longest = 0, 0
    for position, row in enumerate(order):
        longest_with = max(longest, int(lengths[row]), 1)
        unlike = lengths[row] < like * longest and longest * (position - start) >= _ENOUGH_TOKENS
        if position > start and (unlike or longest_with * (position - start + 1) > batch_tokens):
            batches.append(order[start:position])
            start, longest_with = position, max(int(lengths[row]), 1)
        longest = longest_with
    if start < len(order):
        batches.append(order[start:])
    return batches


def by_length(lengths: Sequence[int] | np.ndarray, *, batch_tokens: int) -> list[np.ndarray]:
    """Batches for inference: longest first, so that the memory peak comes at once and not after an hour.

    Of few rows a full batch would hold lengths that differ: with 400 claims and their evidence 18 % would be padding.
    """
    array = np.asarray(lengths)
    return cut(np.argsort(-array, kind="stable"), array, batch_tokens=batch_tokens, like=_LIKE)


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
