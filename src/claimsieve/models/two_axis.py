"""Two questions, one encoder: what the evidence says of the claim, and whether the claim's words manipulate."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np

from claimsieve import processes
from claimsieve.errors import TrainingError
from claimsieve.models.attributions import Attributions, Floats, Places, Tokens, gathered
from claimsieve.models.axes import (
    AXES,
    MANIPULATION_OUTPUTS,
    MAX_SHIFT,
    OUTPUTS,
    STANCE_OUTPUTS,
    first_of_wording,
    fitted_shift,
    label_probabilities,
    manipulation_probability,
    manipulation_target,
    places,
    stance_probabilities,
    stance_target,
    towards_label,
)
from claimsieve.models.fitting import fit_network
from claimsieve.models.loop import Examples, LoopSettings, label_places
from claimsieve.models.lora import LoraSettings
from claimsieve.models.pairs import PairEncoder, Pairs
from claimsieve.models.passages import combined
from claimsieve.models.pooling import Pooling
from claimsieve.models.reference import reference_logits
from claimsieve.models.step import State, Step
from claimsieve.models.transformer import ATTRIBUTED_ROWS, Encoded, LogitsOnly, Transformer, as_encoded
from claimsieve.records import LABELS, Claim, InputField

_OPEN = np.array([0.0, 1.0, 0.0])  # stance, where there is no evidence to have one


@dataclass(frozen=True, slots=True)
class Questions:
    """Claims by themselves, and those whose evidence is read with it. rows: places of the latter. Shape: (pairs,)"""

    claims: Pairs
    pairs: Pairs
    rows: Places

    @property
    def in_pieces(self) -> list[int]:
        found: list[int] = self.rows[self.pairs.in_pieces].tolist()
        return found

    @property
    def cut(self) -> list[int]:
        return sorted({*self.claims.cut, *self.rows[self.pairs.cut].tolist()})


class TwoAxisModel:
    """One encoder with two heads: stance over claim and evidence, manipulation over the claim alone.

    The codebook's table makes the three labels of their two answers (axes.label_probabilities). A row trains the heads
    that its record knows the answer for, so corpora that know one axis and corpora that know both are trained together.
    no_evidence: 'open': a claim that comes without evidence has an open stance by construction; 'learned': the stance
    head, shown the claim alone, says what it resembles, and is trained on rows without evidence as well, where nothing
    is known of manipulation. manipulation_shift: as a training fits it on valid (axes.fitted_shift). The rest: as for
    the encoder.
    """

    heads = AXES

    def __init__(
        self,
        *,
        inputs: Sequence[InputField],
        no_evidence: Literal["open", "learned"] = "open",
        manipulation_shift: float = 0.0,
        checkpoint: str = "default",
        revision: str | None = None,
        dropout: float = 0.0,
        max_tokens: int = 256,
        pooling: Pooling = "mean",
        precision: str = "auto",
        device: str = "auto",
        seed: int = 0,
        lora: LoraSettings | None = None,
        frozen_layers: int = 0,
        activation_checkpointing: bool = False,
        loop: LoopSettings | None = None,
    ) -> None:
        self.inputs = tuple(inputs)
        self.no_evidence = no_evidence
        if not -MAX_SHIFT <= manipulation_shift <= MAX_SHIFT:
            raise ValueError(
                f"manipulation_shift: expected -{MAX_SHIFT:g} to {MAX_SHIFT:g}, found {manipulation_shift}"
            )
        self.manipulation_shift = manipulation_shift
        self.loop = loop or LoopSettings()
        self.transformer = Transformer(
            outputs=OUTPUTS,
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
        self._encoders: tuple[PairEncoder, PairEncoder] | None = None

    @property
    def _alone(self) -> tuple[InputField, ...]:
        """What is read of a claim without its evidence."""
        return tuple(field for field in self.inputs if field != "evidence")

    def fit(self, train: Sequence[Claim], *, valid: Sequence[Claim], state: State | None = None) -> Iterator[Step]:
        """Fine-tune all weights, or adapters. Raises TrainingError when no row teaches one of the two axes."""
        label_places([claim.label for claim in train])  # every claim has one, as for the other kinds
        transformer = self.transformer
        precision = transformer.prepare()
        self._encoders, self.manipulation_shift = None, 0.0
        pairs, claims = self._lessons(train)
        sequences, truncated = self._sequences([claim for claim, _ in pairs], [claim for claim, _ in claims])
        labels = places([target for _, target in [*pairs, *claims]])
        taught = [(claim, target in STANCE_OUTPUTS) for claim, target in [*pairs, *claims]]
        sources = [(claim.corpus, of_stance) for claim, of_stance in taught]
        parts = [self.loop.part_of(claim) for claim, _ in taught]
        asked, valid_labels = self.encode(processes.share(valid)), label_places([claim.label for claim in valid])
        yield from fit_network(
            LogitsOnly(transformer.network),
            Examples(
                [len(ids) for ids in sequences["input_ids"]],
                labels,
                lambda rows: transformer.collate(sequences, rows),
                heads=(STANCE_OUTPUTS, MANIPULATION_OUTPUTS),
                draws=self.loop.draws(sources, labels, parts),
            ),
            valid_labels=valid_labels,
            valid_probabilities=lambda: self.answers(asked)[:, : len(LABELS)],
            valid_corpora=[claim.corpus for claim in valid],
            settings=self.loop,
            seed=transformer.seed,
            state=state,
            notes={
                "precision": precision,
                "lessons": _told([of_stance for _, of_stance in taught]),
                "truncated": truncated,
            },
        )
        transformer.finish()
        if valid:
            heads = processes.gathered(self.answers(asked)[:, len(LABELS) :], rows=len(valid))
            self.manipulation_shift = fitted_shift(heads, valid_labels)

    def _lessons(self, train: Sequence[Claim]) -> tuple[list[tuple[Claim, str]], list[tuple[Claim, str]]]:
        """Claims to be read with their evidence and claims to be read alone, each with the output that is right."""
        pairs, alone = [], []
        worded = set(first_of_wording(train, self._alone))
        for row, claim in enumerate(train):
            stance, manipulation = stance_target(claim), manipulation_target(claim)
            if stance is not None and self._is_read(claim):
                pairs.append((claim, stance))
            elif stance is not None and self.no_evidence == "learned" and manipulation is None:
                alone.append((claim, stance))
            if manipulation is not None and row in worded:
                alone.append((claim, manipulation))
        if not pairs:
            raise TrainingError(
                "model.kind two_axis: expected train rows with evidence and a stance or label, found none. Add a "
                "corpus with evidence, or train model.kind encoder."
            )
        if not any(target in MANIPULATION_OUTPUTS for _, target in alone):
            raise TrainingError(
                "model.kind two_axis: expected train rows that say whether the claim manipulates (manipulation: [] or "
                "names of techniques), found none. Add such a corpus (ptc, starter), or train model.kind encoder."
            )
        return pairs, alone

    def _sequences(self, pairs: Sequence[Claim], alone: Sequence[Claim]) -> tuple[Encoded, str]:
        """Pairs, and after them the claims alone, as one list of sequences; and how many were cut, in words."""
        first, cut_pairs = self.transformer.one_window(pairs, self.inputs)
        second, cut_claims = self.transformer.one_window(alone, self._alone)
        told = f"{cut_pairs + cut_claims:,} of {len(pairs) + len(alone):,} training sequences are longer than "
        return {name: [*first[name], *second[name]] for name in first}, f"{told}{self.transformer.max_tokens} tokens"

    def predict_proba(self, claims: Sequence[Claim]) -> np.ndarray:
        """Shape: (n, 3), in the order of LABELS."""
        return self.answers(self.encode(claims))[:, : len(LABELS)]

    def encode(self, claims: Sequence[Claim]) -> Questions:
        """Both questions as token ids; evidence longer than the window in pieces. May run beside `answers`."""
        if self._encoders is None:
            self._encoders = self.transformer.pair_encoder(self._alone), self.transformer.pair_encoder(self.inputs)
        alone, paired = self._encoders
        rows = self._with_evidence(claims)
        return Questions(alone(claims), paired([claims[row] for row in rows.tolist()]), rows)

    def _is_read(self, claim: Claim) -> bool:
        """Whether there is evidence to read with it."""
        return bool(claim.evidence) and "evidence" in self.inputs

    def _with_evidence(self, claims: Sequence[Claim]) -> Places:
        return np.flatnonzero([self._is_read(claim) for claim in claims])

    def answers(self, encoded: Questions) -> np.ndarray:
        """Label probabilities in the order of LABELS, and after them those of AXES. Shape: (n, 7)"""
        alone = self.transformer.logits(as_encoded(encoded.claims))
        pairs = stance_probabilities(self.transformer.logits(as_encoded(encoded.pairs)))
        return self._answers(alone, combined(pairs, encoded.pairs.owners, encoded.pairs.count), encoded.rows)

    def _answers(self, alone: Floats, stances: Floats, rows: Places) -> Floats:
        """alone: logits of the claims by themselves. stances: of those that come with evidence, which are `rows`."""
        axes = np.empty((len(alone), len(AXES)))
        axes[:, :3] = _OPEN if self.no_evidence == "open" else stance_probabilities(alone)
        axes[rows, :3] = stances
        axes[:, 3] = manipulation_probability(alone, self.manipulation_shift)
        return np.concatenate([label_probabilities(axes), axes], axis=1)

    def reference(self, claims: Sequence[Claim]) -> np.ndarray:
        """As predict_proba, by transformers as it comes, in float32, one sequence at a time without padding."""
        rows = self._with_evidence(claims)
        alone = reference_logits(self.transformer, claims, self._alone)
        paired = reference_logits(self.transformer, [claims[row] for row in rows.tolist()], self.inputs)
        stances = [combined(stance_probabilities(found), np.zeros(len(found), dtype=np.int64), 1) for found in paired]
        return self._answers(
            np.concatenate([np.zeros((0, len(OUTPUTS))), *(found[:1] for found in alone)]),
            np.concatenate([np.zeros((0, len(STANCE_OUTPUTS))), *stances]),
            rows,
        )[:, : len(LABELS)]

    def attribute(self, claims: Sequence[Claim], *, chosen: Places | None = None) -> Iterator[Attributions]:
        """Gradient of the label's log-odds through both heads, times each token's hidden state, low in the network.

        A claim's words count for what they do in either place: read alone, and read with the evidence. The answers here
        are of all pieces, so that they give the label, and `chosen` is not needed.
        """
        for start in range(0, len(claims), ATTRIBUTED_ROWS):
            own = claims[start : start + ATTRIBUTED_ROWS]
            encoded = self.encode(own)
            answers = self.answers(encoded)
            by_stance, by_manipulation = towards_label(answers[:, len(LABELS) :])
            read = encoded.rows
            if self.no_evidence == "open":
                alone = np.concatenate([np.zeros_like(by_stance), by_manipulation], axis=1)
            else:
                alone = np.concatenate([by_stance, by_manipulation], axis=1)
                alone[read, :3] = 0.0  # theirs is read with the evidence
            paired = np.concatenate([by_stance, np.zeros_like(by_manipulation)], axis=1)
            passes = chain(
                self._tokens(own, self._alone, np.arange(len(own)), alone),
                self._tokens([own[row] for row in read.tolist()], self.inputs, read, paired[read]),
            )
            yield gathered(passes, start + np.arange(len(own)), answers)

    def _tokens(
        self, claims: Sequence[Claim], inputs: Sequence[InputField], rows: Places, directions: Floats
    ) -> Iterator[Tokens]:
        """Tokens of one pass, their texts by the places of all claims."""
        for own, logits, texts, starts, ends, weights in self.transformer.attributed(
            claims, inputs, lambda own, logits: directions[own]
        ):
            yield rows[own], logits, 2 * rows[own][texts // 2] + texts % 2, starts, ends, weights

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
        return {
            "inputs": list(self.inputs),
            "no_evidence": self.no_evidence,
            "manipulation_shift": self.manipulation_shift,
            "max_tokens": self.transformer.max_tokens,
            "pooling": self.transformer.pooling,
        }

    def save(self, directory: Path) -> None:
        self.transformer.save(directory)

    @classmethod
    def load(cls, directory: Path, *, precision: str = "auto", device: str = "auto", **settings: Any) -> "TwoAxisModel":
        model = cls(checkpoint=str(directory), precision=precision, device=device, **settings)
        model.transformer.load()
        return model


def _told(of_stance: Sequence[bool]) -> str:
    return f"{sum(of_stance):,} rows teach the stance, {len(of_stance) - sum(of_stance):,} the manipulation"
