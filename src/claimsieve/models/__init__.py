"""Model kinds behind one Protocol, looked up by name and imported only when used."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from claimsieve.errors import ModelError
from claimsieve.models.attributions import Attributions
from claimsieve.models.step import State, Step
from claimsieve.records import Claim, InputField

KINDS = {
    "tfidf": "claimsieve.models.tfidf:TfidfModel",
    "static": "claimsieve.models.static:StaticModel",
    "encoder": "claimsieve.models.encoder:EncoderModel",
}


class Model(Protocol):
    """What every kind can do. Built with keyword arguments; sees claims only, never a config object or MLflow."""

    inputs: tuple[InputField, ...]

    def fit(self, train: Sequence[Claim], *, valid: Sequence[Claim], state: State | None = None) -> Iterator[Step]:
        """Train, yielding after every step; the model is ready when the iterator ends. `state` continues a training."""
        ...

    def predict_proba(self, claims: Sequence[Claim]) -> np.ndarray:
        """Probabilities in the order of LABELS. Shape: (n, 3), float64, rows sum to 1. Any n, also 0."""
        ...

    def attribute(self, claims: Sequence[Claim]) -> Iterator[Attributions]:
        """What the answers go by: batches that hold every claim once, in any order, with its probabilities."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """Keyword arguments, in plain types, with which `load` rebuilds the model beside its files."""
        ...

    def save(self, directory: Path) -> None:
        """Write weights into an existing, empty directory: JSON and safetensors only."""
        ...

    @classmethod
    def load(cls, directory: Path, **settings: Any) -> "Model":
        """Read what `save` wrote."""
        ...


def kind_class(kind: str) -> Any:
    """The class of a kind. Raises ModelError for an unknown one."""
    if kind not in KINDS:
        raise ModelError(f"expected a model of kind {', '.join(KINDS)}, found '{kind}'.")
    module, name = KINDS[kind].split(":")
    return getattr(import_module(module), name)
