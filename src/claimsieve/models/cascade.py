"""Two trained models as one: a cheap one answers where it is sure, an encoder everything else."""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from claimsieve.errors import ModelError, TrainingError
from claimsieve.models import Encoded, Model, load_kind
from claimsieve.models.attributions import Attributions, Places
from claimsieve.models.step import State, Step
from claimsieve.records import Claim

CHEAP_KINDS = ("tfidf", "static")


@dataclass(frozen=True, slots=True)
class Tier:
    """A trained model of a kind, and the folder that its weights were read from."""

    kind: str
    model: Model
    weights: Path


@dataclass(frozen=True, slots=True)
class Tiered:
    """Claims, with what the cheap tier answers, and the encoder's reading of those that it is to answer.

    cheap: answers of the cheap tier. Shape: (n, 3). unsure: places of the encoder's claims. Shape: (unsure,)
    in_pieces, cut: by the window of the tier that answers.
    """

    cheap: np.ndarray
    unsure: np.ndarray
    encoded: Encoded
    in_pieces: list[int]
    cut: list[int]


class CascadeModel:
    """A row is the cheap tier's where its most probable label has at least `threshold`, in [0, 1]; else the encoder's.

    answered: how many rows each kind has answered since the model was opened. Raises ModelError for tiers of other
    kinds and for tiers that do not read the same, ValueError for a threshold out of range.
    """

    heads: tuple[str, ...] = ()

    def __init__(self, *, cheap: Tier, encoder: Tier, threshold: float) -> None:
        require_kinds(cheap.kind, encoder.kind)
        if cheap.model.inputs != encoder.model.inputs:
            raise ModelError(
                f"expected two models that read the same, found {', '.join(cheap.model.inputs)} and "
                f"{', '.join(encoder.model.inputs)}. Train both with the same data.inputs."
            )
        if not 0 <= threshold <= 1:
            raise ValueError(f"expected a threshold in [0, 1], found {threshold}")
        self.inputs = encoder.model.inputs
        self.threshold = float(threshold)
        self.answered: Counter[str] = Counter({cheap.kind: 0, encoder.kind: 0})
        self._cheap = cheap
        self._encoder = encoder

    def fit(self, train: Sequence[Claim], *, valid: Sequence[Claim], state: State | None = None) -> Iterator[Step]:
        """Raises TrainingError: its tiers are trained, each by itself."""
        raise TrainingError(
            "a cascade is not trained. Train its two models, then: claimsieve cascade CHEAP ENCODER -o DIR"
        )

    def predict_proba(self, claims: Sequence[Claim]) -> np.ndarray:
        """Each row as the tier that answers it gives it. Shape: (n, 3), in the order of LABELS."""
        return self.answers(self.encode(claims))

    def encode(self, claims: Sequence[Claim]) -> Tiered:
        """The cheap tier answers here already: only then is it known which claims the encoder has to read."""
        cheaply = self._cheap.model.encode(claims)
        cheap = np.array(self._cheap.model.answers(cheaply), dtype=np.float64)
        unsure = np.flatnonzero(~self.sure(cheap))
        encoded = self._encoder.model.encode([claims[row] for row in unsure.tolist()])

        def of_both(cheaps: Sequence[int], encoders: Sequence[int]) -> list[int]:
            return sorted({*cheaps} - {*unsure.tolist()} | {*unsure[list(encoders)].tolist()})

        return Tiered(
            cheap,
            unsure,
            encoded,
            in_pieces=of_both(cheaply.in_pieces, encoded.in_pieces),
            cut=of_both(cheaply.cut, encoded.cut),
        )

    def answers(self, encoded: Tiered) -> np.ndarray:
        """As predict_proba. Shape: (n, 3), in the order of LABELS."""
        return self._joined(encoded.cheap, encoded.unsure, self._encoder.model.answers(encoded.encoded))

    def attribute(self, claims: Sequence[Claim], *, chosen: Places | None = None) -> Iterator[Attributions]:
        """Each row as the tier that answers it explains it."""
        sure = self.sure(self._cheap.model.predict_proba(claims))
        for tier, rows in ((self._cheap, np.flatnonzero(sure)), (self._encoder, np.flatnonzero(~sure))):
            own = [claims[row] for row in rows.tolist()]
            for batch in tier.model.attribute(own, chosen=None if chosen is None else chosen[rows]):
                yield replace(batch, rows=rows[batch.rows])

    def reference(self, claims: Sequence[Claim]) -> np.ndarray:
        """As predict_proba, each tier by its own reference."""
        cheap = self._cheap.model.reference(claims)
        unsure = np.flatnonzero(~self.sure(cheap))
        return self._joined(cheap, unsure, self._encoder.model.reference([claims[row] for row in unsure.tolist()]))

    def _joined(self, cheap: np.ndarray, unsure: np.ndarray, by_encoder: np.ndarray) -> np.ndarray:
        result = np.array(cheap, dtype=np.float64)
        result[unsure] = by_encoder
        self.answered.update({self._cheap.kind: len(cheap) - len(unsure), self._encoder.kind: len(unsure)})
        return result

    @property
    def batch_tokens(self) -> int:
        """Of the encoder's batches."""
        return int(self._encoder.model.batch_tokens)  # type: ignore[attr-defined]

    @batch_tokens.setter
    def batch_tokens(self, tokens: int) -> None:
        self._encoder.model.batch_tokens = tokens  # type: ignore[attr-defined]

    def time_batch(self, tokens: int) -> float:
        """Seconds that one batch of the encoder takes."""
        return float(self._encoder.model.time_batch(tokens))  # type: ignore[attr-defined]

    def computed_as(self) -> Mapping[str, Any]:
        return self._encoder.model.computed_as()

    def sure(self, probabilities: np.ndarray) -> np.ndarray:
        """Which rows the cheap tier answers. probabilities: its own. Shape: (n, 3) -> (n,)"""
        return np.asarray(probabilities.max(axis=1) >= self.threshold)

    def settings(self) -> Mapping[str, Any]:
        tiers = {"cheap": self._cheap, "encoder": self._encoder}
        described = {name: {"kind": tier.kind, "settings": dict(tier.model.settings())} for name, tier in tiers.items()}
        return {"threshold": self.threshold, **described}

    def save(self, directory: Path) -> None:
        """The files that the tiers were read from, byte for byte: a tier opened in bfloat16 loses nothing."""
        shutil.copytree(self._cheap.weights, directory / "cheap")
        shutil.copytree(self._encoder.weights, directory / "encoder")

    @classmethod
    def load(cls, directory: Path, *, precision: str = "auto", device: str = "auto", **settings: Any) -> "CascadeModel":
        kinds = {name: str(settings[name]["kind"]) for name in ("cheap", "encoder")}
        require_kinds(kinds["cheap"], kinds["encoder"])  # before a cascade in a cascade is opened
        opened = {
            name: Tier(
                kind,
                load_kind(kind, directory / name, settings[name]["settings"], precision=precision, device=device),
                directory / name,
            )
            for name, kind in kinds.items()
        }
        return cls(**opened, threshold=settings["threshold"])


def require_kinds(cheap: str, encoder: str) -> None:
    """Raises ModelError when two kinds make no cascade."""
    if cheap not in CHEAP_KINDS:
        raise ModelError(f"expected {' or '.join(CHEAP_KINDS)} as the cheap model of a cascade, found {cheap}.")
    if encoder != "encoder":
        raise ModelError(f"expected an encoder as the second model of a cascade, found {encoder}.")
