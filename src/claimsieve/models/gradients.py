"""Gradients of an answer in what a part of the network gave, in the same pass that gives the answer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from claimsieve.models.attributions import Floats, towards_chosen
from claimsieve.models.layers import layers_of


def answered(
    network: torch.nn.Module,
    inner: torch.nn.Module,
    batch: Mapping[str, torch.Tensor],
    direction: Callable[[Floats], Floats] = towards_chosen,
) -> tuple[Floats, list[torch.Tensor], list[torch.Tensor]]:
    """Logits (rows, labels); what `inner` gave at each of its calls; and the gradients in it, float32 or better.

    direction: the answer's gradient in the logits, by default that of the chosen label's log-odds. Attention and the
    scale of layer norms are taken as given (Ali et al. 2022, arXiv:2202.07304): both are saturated where a network is
    sure, and the plain gradient then says little. Gradients end at `inner`, and weights get none: only what lies
    between it and the logits is walked back. The logits are those of the network as it is.
    """
    with torch.enable_grad(), _frozen(network), _leaves(inner) as leaves:
        with _Given():
            output = network(**batch)
        raw = getattr(output, "logits", output)
        logits = raw.detach().double().cpu().numpy()
        gradients = torch.autograd.grad(raw, leaves, torch.from_numpy(direction(logits)).to(raw))
    return logits, [leaf.detach().float() for leaf in leaves], [gradient.float() for gradient in gradients]


def low_layer(network: Any) -> torch.nn.Module:
    """The layer a sixth of the way up a transformer; where layers cannot be told, its embeddings.

    Below it tokens have hardly mixed. Walking back this far takes four fifths of the time of a pass; down to the
    embeddings it takes all of it, and was not measurably better.
    """
    layers = layers_of(network)
    if layers is None:
        return network.get_input_embeddings()  # type: ignore[no-any-return]
    return layers[(len(layers) - 1) // 6]


class _Given(TorchFunctionMode):
    """While open, no gradient flows through the weights of attention or through the deviation of a layer norm.

    By function and not by module, so that it holds for every architecture, eager or fused.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is functional.scaled_dot_product_attention:
            query, key, *others = args
            return func(query.detach(), key.detach(), *others, **kwargs)
        if func in (functional.softmax, torch.softmax, torch.Tensor.softmax):
            return func(*args, **kwargs).detach()
        if func is functional.layer_norm and len(args[1]) == 1:
            return _LayerNorm.apply(*args, kwargs["weight"], kwargs["bias"], kwargs["eps"])  # type: ignore[no-untyped-call]
        return func(*args, **kwargs)


class _LayerNorm(torch.autograd.Function):
    """Layer norm whose gradient takes the deviation as a constant."""

    @staticmethod
    def forward(context: Any, x: Any, shape: Any, weight: Any, bias: Any, epsilon: float) -> Any:
        output, _, inverse_deviation = torch.native_layer_norm(x, shape, weight, bias, epsilon)
        context.save_for_backward(weight, inverse_deviation)
        return output

    @staticmethod
    def backward(context: Any, gradient: Any) -> Any:
        weight, inverse_deviation = context.saved_tensors
        scaled = gradient * inverse_deviation if weight is None else gradient * weight * inverse_deviation
        return (scaled - scaled.mean(dim=-1, keepdim=True)).to(gradient.dtype), None, None, None, None


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
