"""Several short sequences in one row of a batch, each seeing only itself (Krell et al. 2021, arXiv:2107.02027).

On a processor, attention over two dozen tokens costs more for being started than for being computed. Sequences of like
lengths laid end to end, with a mask between them, are read a quarter quicker, and nearly without padding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from claimsieve.models.batches import by_length
from claimsieve.models.pooling import mean_by_piece

WIDTH = 96  # tokens of a row; of 64, 96 and 128 the quickest with MiniLM on claims of 24 tokens
_BODIES = ("BertModel",)  # takes places and a mask between tokens, and pools after its encoder
_TOLERANCE = {torch.bfloat16: 0.05, torch.float32: 1e-4}
_LAST = 5  # of the lengths that are tried


@dataclass(frozen=True, slots=True)
class Joined:
    """What the network's body reads, where each sequence's first token stands in the flattened rows, and its number."""

    batch: dict[str, torch.Tensor]
    pieces: torch.Tensor
    firsts: torch.Tensor


def rows_of(lengths: np.ndarray, *, width: int = WIDTH) -> list[np.ndarray]:
    """Sequences in order of length, as many together as fit in a row; one that is longer than half a row is alone."""
    rows: list[list[int]] = []
    room = 0
    for place in np.argsort(-lengths, kind="stable"):
        length = max(int(lengths[place]), 1)
        if length > room:
            rows.append([])
            room = width
        rows[-1].append(int(place))
        room -= length
    return [np.array(row) for row in rows]


def layout(lengths: np.ndarray, *, batch_tokens: int, joins: bool) -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """Batches of sequences that have a row each, and batches of rows with several sequences."""
    rows = rows_of(lengths) if joins else [np.array([place]) for place in range(len(lengths))]
    alone = np.array([row[0] for row in rows if len(row) == 1], dtype=np.int64)
    shared = [row for row in rows if len(row) > 1]
    widths = [int(lengths[row].sum()) for row in shared]
    return (
        [alone[chosen] for chosen in by_length(lengths[alone], batch_tokens=batch_tokens)],
        [[shared[place] for place in chosen] for chosen in by_length(widths, batch_tokens=batch_tokens)],
    )


def padded_tokens(lengths: np.ndarray, *, batch_tokens: int, joins: bool) -> int:
    """How many tokens are computed for sequences of these lengths, padding among them."""
    alone, shared = layout(lengths, batch_tokens=batch_tokens, joins=joins)
    widths = [lengths[rows] for rows in alone] + [np.array([lengths[row].sum() for row in rows]) for rows in shared]
    return int(sum(of_rows.max() * len(of_rows) for of_rows in widths))


def joined(
    ids: Sequence[Sequence[int]], segments: Sequence[Sequence[int]] | None, rows: Sequence[np.ndarray]
) -> Joined:
    """Rows of sequences, given by their places in `ids`, as one batch. Sequences are numbered as they stand in rows."""
    width = max(sum(len(ids[place]) for place in row) for row in rows)
    tokens = np.zeros((3, len(rows), width), dtype=np.int64)  # ids, segments, places
    pieces = np.full((len(rows), width), -1, dtype=np.int64)
    firsts, number = [], 0
    for at, row in enumerate(rows):
        start = 0
        for place in row:
            end = start + len(ids[place])
            tokens[0, at, start:end] = ids[place]
            tokens[1, at, start:end] = 0 if segments is None else segments[place]
            tokens[2, at, start:end] = np.arange(end - start)
            pieces[at, start:end] = number
            firsts.append(at * width + start)
            start, number = end, number + 1
    batch = {"input_ids": tokens[0], "token_type_ids": tokens[1], "position_ids": tokens[2]}
    if segments is None:
        del batch["token_type_ids"]
    return Joined({k: torch.from_numpy(v) for k, v in batch.items()}, torch.from_numpy(pieces), torch.tensor(firsts))


def joined_logits(network: Any, rows: Joined) -> torch.Tensor:
    """Of each sequence, in the order of its number. Shape: (sequences, outputs)"""
    body = network.base_model
    # True where a token may look; as numbers to be added it would take a tenth longer. Padding looks at padding.
    mask = rows.pieces[:, None, :, None] == rows.pieces[:, None, None, :]
    with mean_by_piece(network, rows.pieces):
        states = body(**rows.batch, attention_mask=mask).last_hidden_state
    first = states.flatten(0, 1)[rows.firsts].unsqueeze(1)
    return network.classifier(body.pooler(first))  # type: ignore[no-any-return]


def can_join(network: Any, tokenizer: Any) -> bool:
    """Whether sequences that share a row are read as they are alone: on a processor, tried on a few."""
    weights = next(network.parameters())
    attention = network.config._attn_implementation  # "eager" would add the mask's truths up
    if type(network.base_model).__name__ not in _BODIES or attention != "sdpa" or weights.device.type != "cpu":
        return False
    first = tokenizer.pad_token_id + 1
    ids = [[first + (7 * place + 3 * step) % 50 for step in range(place)] for place in range(2, 2 + _LAST)]
    with torch.inference_mode():
        together = joined_logits(network, joined(ids, None, [np.arange(_LAST)]))
        alone = torch.cat([network(input_ids=torch.tensor([row])).logits for row in ids])
    scale = max(float(alone.abs().max()), 1e-3)
    return float((together - alone).abs().max()) <= _TOLERANCE[weights.dtype] * scale
