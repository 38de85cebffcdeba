"""Model kinds behind one Protocol, looked up by name and imported only when used."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from claimsieve.errors import ModelError
from claimsieve.models.attributions import Attributions, Places
from claimsieve.models.step import State, Step
from claimsieve.records import Claim, InputField

KINDS = {
    "tfidf": "claimsieve.models.tfidf:TfidfModel",
    "static": "claimsieve.models.static:StaticModel",
    "encoder": "claimsieve.models.encoder:EncoderModel",
    "two_axis": "claimsieve.models.two_axis:TwoAxisModel",
    "cascade": "claimsieve.models.cascade:CascadeModel",
}


class Encoded(Protocol):
    """Claims as numbers. in_pieces: places of those whose evidence is longer than the model's window. cut: places of
    those that are themselves too long for it, and read without their end."""

    @property
    def in_pieces(self) -> list[int]: ...

    @property
    def cut(self) -> list[int]: ...


class Model(Protocol):
    """What every kind can do. Built with keyword arguments; sees claims only, never a config object or MLflow."""

    inputs: tuple[InputField, ...]
    heads: tuple[str, ...]  # what it answers beside the labels: models/axes.py AXES, or nothing

    def fit(self, train: Sequence[Claim], *, valid: Sequence[Claim], state: State | None = None) -> Iterator[Step]:
        """Train, yielding after every step; the model is ready when the iterator ends. `state` continues a training."""
        ...

    def predict_proba(self, claims: Sequence[Claim]) -> np.ndarray:
        """Probabilities in the order of LABELS. Shape: (n, 3), float64, rows sum to 1. Any n, also 0.

        These are the first columns of `answers(encode(claims))`.
        """
        ...

    def encode(self, claims: Sequence[Claim]) -> "Encoded":
        """Texts as numbers, and whatever has to be known for that (a cascade: what the cheap tier answers).

        May run in one thread while `answers` runs in another.
        """
        ...

    def answers(self, encoded: Any) -> np.ndarray:
        """Of what `encode` gave: label probabilities as predict_proba, then those of `heads`. Shape: (n, 3 + heads)"""
        ...

    def reference(self, claims: Sequence[Claim]) -> np.ndarray:
        """As predict_proba, the slow way: by the plain library, in float32 or better, one claim at a time."""
        ...

    def computed_as(self) -> Mapping[str, Any]:
        """What the last digits of probabilities hang on beside the weights: number format, device, size of batches."""
        ...

    def attribute(self, claims: Sequence[Claim], *, chosen: Places | None = None) -> Iterator[Attributions]:
        """What the answers go by: batches that hold every claim once, in any order, with its probabilities.

        chosen: the label that is to be explained, by its place in LABELS; -1: the most probable by what is read in one
        window, as for all where it is None. Shape: (n,)
        """
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


def load_kind(kind: str, directory: Path, settings: Mapping[str, Any], *, precision: str, device: str) -> Model:
    """A model of a kind from the files that its `save` wrote; tfidf has no use for precision and device."""
    options = {} if kind == "tfidf" else {"precision": precision, "device": device}
    model: Model = kind_class(kind).load(directory, **settings, **options)
    return model
