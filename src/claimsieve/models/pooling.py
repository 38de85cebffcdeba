"""What a classification head reads: the first token's state, as checkpoints do it, or the mean over all tokens."""

from collections.abc import Mapping
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


def _last(network: Any) -> Any:
    """The module whose output is the tokens' last states; a pooler, where there is one inside the body, comes after."""
    body = network.base_model
    return body.encoder if getattr(body, "pooler", None) is not None else body


def _keep_mask(network: Any, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> None:
    _last(network).padding_mask = named.get("attention_mask")


def _mean_first(module: Any, arguments: tuple[Any, ...], output: Any) -> Any:
    states = output[0]
    if module.padding_mask is None:  # nothing is padded
        mean = states.mean(dim=1, keepdim=True)
    else:
        mask = module.padding_mask.unsqueeze(-1).to(states.dtype)
        mean = (states * mask).sum(dim=1, keepdim=True) / mask.sum(dim=1, keepdim=True)
    pooled = torch.cat([mean, states[:, 1:]], dim=1)
    if isinstance(output, tuple):
        return (pooled, *output[1:])
    output["last_hidden_state"] = pooled
    return output
