"""Gradients of an answer in what a part of the network gave, in the same pass that gives the answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from claimsieve.models.attributions import Floats, towards_chosen


def answered(
    network: torch.nn.Module, inner: torch.nn.Module, batch: Mapping[str, torch.Tensor]
) -> tuple[Floats, list[torch.Tensor], list[torch.Tensor]]:
    """Logits (rows, labels); what `inner` gave at each of its calls; and the gradients in it, float32 or better.

    The gradients are those of the chosen label's log-odds (attributions.towards_chosen). They end at `inner`, and
    weights get none: only what lies between it and the logits is walked back.
    """
    with torch.enable_grad(), _frozen(network), _leaves(inner) as leaves:
        output = network(**batch)
        raw = getattr(output, "logits", output)
        logits = raw.detach().double().cpu().numpy()
        gradients = torch.autograd.grad(raw, leaves, torch.from_numpy(towards_chosen(logits)).to(raw))
    return logits, [leaf.detach().float() for leaf in leaves], [gradient.float() for gradient in gradients]


@contextmanager
def _leaves(inner: torch.nn.Module) -> Iterator[list[torch.Tensor]]:
    """Each output of `inner` while this is open, cut off from what made it, so that gradients end there."""
    found: list[torch.Tensor] = []

    def cut_off(module: Any, arguments: Any, output: Any) -> Any:
        first, *others = output if isinstance(output, tuple) else (output,)
        found.append(first.detach().requires_grad_())
        return (found[-1], *others) if isinstance(output, tuple) else found[-1]

    handle = inner.register_forward_hook(cut_off)
    try:
        yield found
    finally:
        handle.remove()


@contextmanager
def _frozen(network: torch.nn.Module) -> Iterator[None]:
    """Without gradients of the weights, which would cost as much as those of the activations."""
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    for weight in trained:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in trained:
            weight.requires_grad_(True)
