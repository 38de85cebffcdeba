"""The layers of a transformer, found in whatever architecture, and the lowest of them left as they are."""

from pathlib import Path
from typing import Any

import torch

from claimsieve.errors import ConfigError


def layers_of(network: Any) -> torch.nn.ModuleList | None:
    """Lowest first; None where they cannot be told."""
    count = getattr(network.config, "num_hidden_layers", 0)
    for module in network.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == count > 0:
            return module
    return None


def freeze(network: Any, count: int, folder: Path) -> None:
    """Train only the body's layers above the lowest `count`, its pooler, and the head.

    What the lower ones hold hardly needs tuning (Lee et al. 2019, arXiv:1911.03090).
    Embeddings, positions shared by layers and a norm above them all stay as they are too, so no gradient is walked back
    below the layers that are trained. In a bfloat16 training the frozen weights are saved as rounded to it.
    Raises ConfigError when there are not more layers than that.
    """
    layers = layers_of(network)
    if layers is None or count >= len(layers):
        raise ConfigError(
            f"model.frozen_layers: expected fewer than the {0 if layers is None else len(layers)} layers of "
            f"{type(network).__name__} in {folder}, found {count}."
        )
    above = {parameter for layer in layers[count:] for parameter in layer.parameters()}
    for name, parameter in network.base_model.named_parameters():
        parameter.requires_grad_(parameter in above or "pooler" in name)
