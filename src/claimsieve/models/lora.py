"""Low-rank adapters (Hu et al. 2021, arXiv:2106.09685): a large network fine-tuned by a small share of its weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import torch

from claimsieve.errors import ConfigError, MissingPackageError


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """rank: of the change to each weight matrix; alpha / rank is its scale.

    target_modules: names of linear layers, or the ends of their paths; None for all of the body.
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    target_modules: Sequence[str] | None = None


def require_peft() -> None:
    """Raises MissingPackageError when adapters cannot be made."""
    if find_spec("peft") is None:
        raise MissingPackageError("model.lora: expected the package peft, found none: pip install 'claimsieve[lora]'")


def with_adapters(network: Any, settings: LoraSettings) -> Any:
    """Put adapters into the body of a sequence classifier, in place, and freeze all but them and the head.

    The pooler counts as head: in many checkpoints it is new. Returns what `merge_and_unload` takes them out with, their
    change added to the weights. Raises ConfigError for names that no linear layer has.
    """
    from peft import LoraConfig, LoraModel

    body = network.base_model
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=_targets(body, settings.target_modules),
    )
    adapters = LoraModel(body, config, "default")
    within = f"{network.base_model_prefix}."
    for name, parameter in network.named_parameters():
        parameter.requires_grad_("lora_" in name or "pooler" in name or not name.startswith(within))
    return adapters


def _targets(body: torch.nn.Module, asked: Sequence[str] | None) -> list[str]:
    """Full names of the linear layers that are asked for."""
    linear = [name for name, module in body.named_modules() if isinstance(module, torch.nn.Linear)]
    linear = [name for name in linear if "pooler" not in name]
    endings = [""] if asked is None else [f".{name}" for name in asked]
    missing = [ending[1:] for ending in endings if not any(f".{name}".endswith(ending) for name in linear)]
    if missing:
        known = ", ".join(sorted({name.rpartition(".")[2] for name in linear})) or "none"
        raise ConfigError(
            f"model.lora.target_modules: expected names of linear layers of {type(body).__name__} ({known}), found "
            f"{', '.join(missing) or 'no linear layer'}."
        )
    return [name for name in linear if any(f".{name}".endswith(ending) for ending in endings)]
