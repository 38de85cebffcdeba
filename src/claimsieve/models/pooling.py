"""What a classification head reads: the first token's state, as checkpoints do it, or the mean over all tokens."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import torch

Pooling = Literal["first", "mean"]


def pool(network: Any, pooling: Pooling) -> None:
    """Have the head of a sequence classifier read this, in place.

    'mean': in the first token's place stands the mean over all tokens, as sentence encoders are trained (Reimers &
    Gurevych 2019, arXiv:1908.10084); so one way serves every architecture whose head reads the first token.
    """
    if pooling == "first":
        return
    if hasattr(network.config, "classifier_pooling"):  # ModernBERT and its kin know both
        network.config.classifier_pooling = "mean"
        return
    network.register_forward_pre_hook(_keep_mask, with_kwargs=True)
    _last(network).register_forward_hook(_mean_first)


@contextmanager
def mean_by_piece(network: Any, pieces: torch.Tensor) -> Iterator[None]:
    """Within the block, rows hold several sequences, and a mean is that of one of them, in its first token's place.

    pieces: number of the sequence of each token, from 0 without gaps; -1 for padding. Shape: (rows, tokens)
    """
    last = _last(network)
    last.pieces = pieces
    try:
        yield
    finally:
        last.pieces = None


def _last(network: Any) -> Any:
    """The module whose output is the tokens' last states; a pooler, where there is one inside the body, comes after."""
    body = network.base_model
    return body.encoder if getattr(body, "pooler", None) is not None else body


def _keep_mask(network: Any, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> None:
    _last(network).padding_mask = named.get("attention_mask")


def _mean_first(module: Any, arguments: tuple[Any, ...], output: Any) -> Any:
    pieces = getattr(module, "pieces", None)
    pooled = _by_row(output[0], module.padding_mask) if pieces is None else _by_piece(output[0], pieces)
    if isinstance(output, tuple):
        return (pooled, *output[1:])
    output["last_hidden_state"] = pooled
    return output


def _by_row(states: torch.Tensor, padding_mask: torch.Tensor | None) -> torch.Tensor:
    if padding_mask is None:  # nothing is padded
        mean = states.mean(dim=1, keepdim=True)
    else:
        mask = padding_mask.unsqueeze(-1).to(states.dtype)
        mean = (states * mask).sum(dim=1, keepdim=True) / mask.sum(dim=1, keepdim=True)
    return torch.cat([mean, states[:, 1:]], dim=1)


def _by_piece(states: torch.Tensor, pieces: torch.Tensor) -> torch.Tensor:
    flat, owners = states.flatten(0, 1).float(), pieces.flatten()  # sums of bfloat16 would lose digits
    real = owners >= 0
    lengths = torch.bincount(owners[real])
    sums = torch.zeros(len(lengths), flat.shape[1]).index_add_(0, owners[real], flat[real])
    firsts = torch.cat([owners.new_full((1,), -1), owners[:-1]]) != owners
    flat[firsts & real] = sums / lengths.unsqueeze(1)
    return flat.to(states.dtype).view_as(states)
