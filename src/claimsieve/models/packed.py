"""Linear layers as oneDNN likes them, for inference on CPU: weights packed once, bias and GELU in one pass.

torch's own linear copies the bias over the output before each product and computes GELU in another pass; with the
small layers of a MiniLM that is a quarter of the time. The operators are those that torch's compiler emits, used here
directly because the compiler wants a C++ toolchain on the user's machine.
"""

import copy
from typing import Any

import torch

# Of the largest output: bfloat16 has 8 bits, and sums may run in another order.
_TOLERANCE = {torch.bfloat16: 0.05, torch.float32: 1e-4}


class PackedLinear(torch.nn.Module):
    """x @ weight.T + bias, then GELU when `gelu` is set. Inference only."""

    def __init__(self, linear: torch.nn.Linear, *, gelu: bool) -> None:
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)
        self._bias = None if linear.bias is None else linear.bias.detach()
        self._gelu = gelu

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        activation, algorithm = ("gelu", "none") if self._gelu else ("none", "")
        return torch.ops.mkldnn._linear_pointwise(  # type: ignore[no-any-return]
            x, self._weight, self._bias, activation, [], algorithm
        )


def packed(network: Any) -> Any:
    """A copy of the network with packed linear layers, or the network itself where that does not help or does not hold.

    The network is evaluated, not trained, in what comes back; its own weights are left as they are.
    """
    weights = next(network.parameters())
    if weights.device.type != "cpu" or weights.dtype not in _TOLERANCE or not torch.backends.mkldnn.enabled:
        return network
    try:
        twin = copy.deepcopy(network)
        with torch.inference_mode():
            for module in list(twin.modules()):
                _pack_children(module)
    except (RuntimeError, AttributeError, NotImplementedError):  # another build of torch: slower, and as right
        return network
    return twin


def _pack_children(module: torch.nn.Module) -> None:
    # BERT and its kin: the activation stands beside its linear layer under this name.
    activation = getattr(module, "intermediate_act_fn", None)
    gelu = (
        activation is not None
        and _is_exact_gelu(activation)
        and isinstance(getattr(module, "dense", None), torch.nn.Linear)
    )
    for name, child in list(module.named_children()):
        if type(child) is not torch.nn.Linear:
            continue
        fused = gelu and name == "dense"
        layer = PackedLinear(child, gelu=fused)
        if _agree(layer, child, activation if fused else None):
            setattr(module, name, layer)
            if fused:
                module.intermediate_act_fn = torch.nn.Identity()


def _is_exact_gelu(activation: Any) -> bool:
    """By what it does, as libraries have several classes for it."""
    x = torch.linspace(-4, 4, 101)
    return callable(activation) and torch.allclose(activation(x), torch.nn.functional.gelu(x), atol=1e-6)


def _agree(layer: PackedLinear, linear: torch.nn.Linear, activation: Any) -> bool:
    x = torch.linspace(-1, 1, 8 * linear.in_features, dtype=linear.weight.dtype).reshape(8, -1)
    expected = linear(x) if activation is None else activation(linear(x))
    scale = max(float(expected.abs().max()), 1e-3)
    return float((layer(x) - expected).abs().max()) <= _TOLERANCE[linear.weight.dtype] * scale
