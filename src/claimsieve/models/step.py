"""What a training yields: plain records, importable without torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class State:
    """All that a training needs to go on as if it had never stopped.

    tensors: name → torch.Tensor. values: plain JSON values (counters, history, random-number states as numbers).
    """

    tensors: Mapping[str, Any]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One optimiser step. `loss` is the weighted mean cross-entropy of its batch, in nats.

    tokens: tokens seen so far without padding. valid: metrics on the valid split when this step was evaluated.
    state: call it to get the State after this step.
    """

    number: int
    total: int
    epoch: float
    loss: float
    learning_rate: float
    tokens: int
    state: Callable[[], State]
    valid: Mapping[str, float] | None = None
    notes: Mapping[str, str] | None = None
