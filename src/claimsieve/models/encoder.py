"""A transformer sequence classifier on the pair of claim and evidence, from any checkpoint."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from claimsieve import processes
from claimsieve.models.attributions import Attributions, Places, softmax, towards_chosen
from claimsieve.models.fitting import fit_network
from claimsieve.models.loop import Examples, LoopSettings, label_places
from claimsieve.models.lora import LoraSettings
from claimsieve.models.pairs import PairEncoder, Pairs
from claimsieve.models.passages import combined
from claimsieve.models.pooling import Pooling
from claimsieve.models.reference import reference_logits
from claimsieve.models.step import State, Step
from claimsieve.models.transformer import LogitsOnly, Transformer, as_encoded
from claimsieve.records import LABELS, Claim, InputField


class EncoderModel:
    """Claim and evidence as one sequence pair, a linear head on the checkpoint's pooled output.

    max_tokens: a training pair longer than this loses the end of its longer side; how many do is in the notes of the
    first Step. loop: LoopSettings. The rest: see Transformer.
    """

    heads: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        inputs: Sequence[InputField],
        checkpoint: str = "default",
        revision: str | None = None,
        dropout: float = 0.0,
        max_tokens: int = 256,
        pooling: Pooling = "first",
        precision: str = "auto",
        device: str = "auto",
        seed: int = 0,
        lora: LoraSettings | None = None,
        frozen_layers: int = 0,
        activation_checkpointing: bool = False,
        loop: LoopSettings | None = None,
    ) -> None:
        self.inputs = tuple(inputs)
        self.loop = loop or LoopSettings()
        self.transformer = Transformer(
            outputs=LABELS,
            checkpoint=checkpoint,
            revision=revision,
            dropout=dropout,
            max_tokens=max_tokens,
            pooling=pooling,
            precision=precision,
            device=device,
            seed=seed,
            lora=lora,
            frozen_layers=frozen_layers,
            activation_checkpointing=activation_checkpointing,
        )
        self._encoder: PairEncoder | None = None

    def fit(self, train: Sequence[Claim], *, valid: Sequence[Claim], state: State | None = None) -> Iterator[Step]:
        """Fine-tune all weights, or adapters. Raises ModelError when the checkpoint cannot be used."""
        transformer = self.transformer
        precision = transformer.prepare()
        self._encoder = None
        encoded, truncated = transformer.one_window(train, self.inputs)
        valid_encoded, _ = transformer.one_window(processes.share(valid), self.inputs)
        labels = label_places([claim.label for claim in train])
        notes = {
            "precision": precision,
            "truncated": f"{truncated:,} of {len(train):,} training pairs are longer than "
            f"{transformer.max_tokens} tokens",
        }
        yield from fit_network(
            LogitsOnly(transformer.network),
            Examples(
                [len(ids) for ids in encoded["input_ids"]],
                labels,
                lambda rows: transformer.collate(encoded, rows),
                draws=self.loop.draws(
                    [(claim.corpus, None) for claim in train], labels, [*map(self.loop.part_of, train)]
                ),
            ),
            valid_labels=label_places([claim.label for claim in valid]),
            valid_probabilities=lambda: softmax(transformer.logits(valid_encoded)),
            valid_corpora=[claim.corpus for claim in valid],
            settings=self.loop,
            seed=transformer.seed,
            state=state,
            notes=notes,
        )
        transformer.finish()

    def predict_proba(self, claims: Sequence[Claim]) -> np.ndarray:
        """Shape: (n, 3), in the order of LABELS. Computed in batches of like lengths; the order is kept."""
        return self.answers(self.encode(claims))

    def encode(self, claims: Sequence[Claim]) -> Pairs:
        """Claims as token ids; evidence longer than the window in pieces. May run beside `answers`."""
        if self._encoder is None:
            self._encoder = self.transformer.pair_encoder(self.inputs)
        return self._encoder(claims)

    def answers(self, encoded: Pairs) -> np.ndarray:
        """What the network says of them. Shape: (n, 3), in the order of LABELS."""
        return combined(softmax(self.transformer.logits(as_encoded(encoded))), encoded.owners, encoded.count)

    def reference(self, claims: Sequence[Claim]) -> np.ndarray:
        """As predict_proba, by transformers as it comes, in float32, one sequence at a time without padding."""
        found = reference_logits(self.transformer, claims, self.inputs)
        alone = [combined(softmax(logits), np.zeros(len(logits), dtype=np.int64), 1) for logits in found]
        return np.concatenate([np.zeros((0, len(LABELS))), *alone])

    @property
    def batch_tokens(self) -> int:
        """Of a padded batch in inference."""
        return self.transformer.batch_tokens

    @batch_tokens.setter
    def batch_tokens(self, tokens: int) -> None:
        self.transformer.batch_tokens = tokens

    def time_batch(self, tokens: int) -> float:
        """Seconds that one batch of so many tokens takes, in rows of usual length."""
        return self.transformer.time_batch(tokens)

    def computed_as(self) -> Mapping[str, Any]:
        return self.transformer.computed_as()

    def settings(self) -> Mapping[str, Any]:
        transformer = self.transformer
        return {"inputs": list(self.inputs), "max_tokens": transformer.max_tokens, "pooling": transformer.pooling}

    def save(self, directory: Path) -> None:
        self.transformer.save(directory)

    @classmethod
    def load(cls, directory: Path, *, precision: str = "auto", device: str = "auto", **settings: Any) -> "EncoderModel":
        model = cls(checkpoint=str(directory), precision=precision, device=device, **settings)
        model.transformer.load()
        return model

    def attribute(self, claims: Sequence[Claim], *, chosen: Places | None = None) -> Iterator[Attributions]:
        """Gradient times hidden state of each token, low in the network."""
        asked = np.full(len(claims), -1) if chosen is None else chosen
        tokens = self.transformer.attributed(
            claims, self.inputs, lambda rows, logits: towards_chosen(logits, asked[rows])
        )
        for rows, logits, texts, starts, ends, weights in tokens:
            yield Attributions(rows, softmax(logits), texts, starts, ends, weights)
