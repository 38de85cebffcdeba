"""AdamW that keeps float32 weights beside a bfloat16 network."""

import math
from collections.abc import Iterable, Mapping

import torch


class MasterAdamW:
    """Fused AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101) on float32 copies of the network's weights.

    A bfloat16 weight has 8 bits of precision: an update below 1/256 of it would be rounded away, so the sums are kept
    in float32 and copied into the network after each step (Micikevicius et al. 2018, arXiv:1710.03740). For a float32
    network the copies are the weights themselves. Weights with fewer than two dimensions are not decayed.
    """

    def __init__(self, parameters: Iterable[torch.nn.Parameter], *, weight_decay: float) -> None:
        self._parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self._masters = [
            parameter.detach().float() if parameter.dtype != torch.float32 else parameter.data
            for parameter in self._parameters
        ]
        decayed = [master for master in self._masters if master.ndim >= 2]
        plain = [master for master in self._masters if master.ndim < 2]
        groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self._adam = torch.optim.AdamW([group for group in groups if group["params"]], lr=0.0, fused=True)

    @torch.no_grad()
    def collect(self) -> None:
        """Add the gradients that backward left on the network to the masters' own in float32, and clear them."""
        for parameter, master in zip(self._parameters, self._masters, strict=True):
            if parameter.grad is None:
                continue
            if master.grad is None:
                master.grad = parameter.grad.float()
            else:
                master.grad += parameter.grad
            parameter.grad = None

    @torch.no_grad()
    def step(self, *, learning_rate: float, max_gradient_norm: float) -> float:
        """Collect, clip to the norm, update, clear the gradients. Returns the norm before clipping.

        A norm that is not finite leaves the weights as they were.
        """
        self.collect()
        norm = float(torch.nn.utils.clip_grad_norm_(self._masters, max_gradient_norm))
        if not math.isfinite(norm):
            return norm
        for group in self._adam.param_groups:
            group["lr"] = learning_rate
        self._adam.step()
        for parameter, master in zip(self._parameters, self._masters, strict=True):
            master.grad = None
            if parameter.data_ptr() != master.data_ptr():
                parameter.copy_(master)
        return norm

    def masters(self) -> list[torch.Tensor]:
        """The float32 weights, in the order of the parameters."""
        return self._masters

    def tensors(self) -> dict[str, torch.Tensor]:
        """A copy of everything that the next step depends on."""
        result = {}
        for number, master in enumerate(self._masters):
            result[f"master.{number}"] = master.detach().clone()
            for name, value in self._adam.state[master].items():
                result[f"{name}.{number}"] = value.detach().clone()
        return result

    @torch.no_grad()
    def load(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Continue from what `tensors` gave."""
        for number, (parameter, master) in enumerate(zip(self._parameters, self._masters, strict=True)):
            master.copy_(tensors[f"master.{number}"])
            parameter.copy_(master)
            names = ("step", "exp_avg", "exp_avg_sq")
            if f"step.{number}" in tensors:
                self._adam.state[master] = {
                    name: tensors[f"{name}.{number}"].to(master.device, copy=True) for name in names
                }
