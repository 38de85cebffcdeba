"""Static token embeddings, distilled once from a transformer, trained further together with a small head."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch

from claimsieve import processes
from claimsieve.data.inputs import render, render_claim, render_passages
from claimsieve.data.parts import CLAIM_SIDE, EVIDENCE_SIDE
from claimsieve.errors import ModelError
from claimsieve.models.attributions import Attributions, Places, flat_offsets, softmax, towards_chosen
from claimsieve.models.batches import by_length, cut
from claimsieve.models.distillation import distilled
from claimsieve.models.fitting import fit_network
from claimsieve.models.gradients import answered
from claimsieve.models.loop import Examples, LoopSettings, label_places
from claimsieve.models.passages import combined, evidence_pieces, in_pieces
from claimsieve.models.precision import choose_device
from claimsieve.models.step import State, Step
from claimsieve.models.words import TokenIds
from claimsieve.records import LABELS, Claim, InputField

_ATTRIBUTED_CHARACTERS = 262_144  # at once: about 60,000 tokens, each with its embedding and its gradient
_INFERENCE_BATCH_TOKENS = 65_536
_TOKENIZER = "tokenizer.json"
_WEIGHTS = "model.safetensors"

Encoded = tuple[list[list[int]], list[list[int]]]


@dataclass(frozen=True, slots=True)
class Sides:
    """Token ids of claims and of their evidence in pieces; owners: the claim of each piece. See pairs.Pairs."""

    ids: Encoded
    owners: np.ndarray
    count: int
    cut: list[int]

    @property
    def in_pieces(self) -> list[int]:
        """The claims whose evidence is read in several pieces."""
        return in_pieces(self.owners, self.count)


class StaticNetwork(torch.nn.Module):
    """Mean embedding of the claim (u) and of the evidence (v); a head on [u, v, |u - v|, u * v]."""

    def __init__(self, embedding: torch.Tensor, *, hidden: int, dropout: float) -> None:
        super().__init__()
        self.embedding = torch.nn.EmbeddingBag.from_pretrained(embedding, freeze=False, mode="mean")
        self.head = torch.nn.Sequential(
            torch.nn.Dropout(dropout),
            torch.nn.Linear(4 * embedding.shape[1], hidden),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(hidden, len(LABELS)),
        )

    def forward(
        self,
        claim_ids: torch.Tensor,
        claim_starts: torch.Tensor,
        evidence_ids: torch.Tensor,
        evidence_starts: torch.Tensor,
    ) -> torch.Tensor:
        """ids: token ids of all rows, one after another; starts: where each row begins. Returns logits (rows, 3)."""
        u = self.embedding(claim_ids, claim_starts)
        v = self.embedding(evidence_ids, evidence_starts)
        return self.head(torch.cat([u, v, (u - v).abs(), u * v], dim=1))  # type: ignore[no-any-return]


class StaticModel:
    """model2vec embeddings (github.com/MinishLab/model2vec) of a checkpoint's vocabulary, fine-tuned with a head.

    checkpoint: as for the encoder; distilling it takes seconds and is kept in the user's cache. dimensions: of the
    embeddings after PCA. hidden: width of the head. max_tokens: of each side. The rest: LoopSettings.
    """

    heads: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        inputs: Sequence[InputField],
        checkpoint: str = "default",
        dimensions: int = 256,
        hidden: int = 256,
        dropout: float = 0.2,
        max_tokens: int = 512,
        device: str = "auto",
        seed: int = 0,
        loop: LoopSettings | None = None,
    ) -> None:
        self.inputs = tuple(inputs)
        self.checkpoint = checkpoint
        self.dimensions = dimensions
        self.hidden = hidden
        self.dropout = dropout
        self.max_tokens = max_tokens
        self.device = device
        self.seed = seed
        self.loop = loop or LoopSettings()
        self._tokenizer: Any = None
        self._network: Any = None
        self._token_ids: TokenIds | None = None

    def fit(self, train: Sequence[Claim], *, valid: Sequence[Claim], state: State | None = None) -> Iterator[Step]:
        """Train embeddings and head together, in float32."""
        self._tokenizer, embedding = distilled(self.checkpoint, dimensions=self.dimensions)
        self._token_ids = None
        torch.manual_seed(self.seed)  # the head's first weights
        self._network = StaticNetwork(embedding, hidden=self.hidden, dropout=self.dropout)
        self._network.to(processes.join(choose_device(self.device)))
        encoded, valid_encoded = self._encode(train), self._encode(processes.share(valid))
        lengths = [len(first) + len(second) for first, second in zip(*encoded, strict=True)]
        yield from fit_network(
            self._network,
            Examples(lengths, label_places([claim.label for claim in train]), lambda rows: _collate(encoded, rows)),
            valid_labels=label_places([claim.label for claim in valid]),
            valid_probabilities=lambda: self._probabilities(valid_encoded),
            settings=self.loop,
            seed=self.seed,
            state=state,
            notes={"precision": "float32 (sums of embeddings; there are few matrix products to speed up)"},
        )
        self._network.eval()

    def predict_proba(self, claims: Sequence[Claim]) -> np.ndarray:
        """Shape: (n, 3), in the order of LABELS."""
        return self.answers(self.encode(claims))

    def encode(self, claims: Sequence[Claim]) -> Sides:
        """Claims as token ids; evidence longer than the window in pieces. May run beside `answers`."""
        if self._token_ids is None:
            self._token_ids = TokenIds(self._tokenizer)
        passages = [render_passages(claim, self.inputs) for claim in claims]
        firsts = self._token_ids([render_claim(claim, self.inputs) for claim in claims])
        seconds = self._token_ids([" ".join(texts) for texts in passages])
        rows = range(len(claims))
        owners = list(rows)
        for row in [row for row in rows if len(seconds[row]) > self.max_tokens]:
            seconds[row], *more = evidence_pieces(
                passages[row], room=self.max_tokens, units=self._ids_of, whole=seconds[row]
            )
            seconds += more
            owners += [row] * len(more)
        cut = [row for row in rows if len(firsts[row]) > self.max_tokens]
        claim_ids = [firsts[row][: self.max_tokens] for row in owners]
        return Sides((claim_ids, seconds), np.array(owners, dtype=np.int64), len(claims), cut)

    def answers(self, encoded: Sides) -> np.ndarray:
        """What the network says of them. Shape: (n, 3), in the order of LABELS."""
        return combined(self._probabilities(encoded.ids), encoded.owners, encoded.count)

    def reference(self, claims: Sequence[Claim]) -> np.ndarray:
        """As predict_proba, one claim at a time, its words read by the tokenizer itself and not from memory."""
        return np.concatenate([np.zeros((0, len(LABELS))), *(self._reference(claim) for claim in claims)])

    def _reference(self, claim: Claim) -> np.ndarray:
        def ids(text: str) -> list[int]:
            return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

        self._tokenizer.no_truncation()
        first = ids(render_claim(claim, self.inputs))[: self.max_tokens]
        pieces = evidence_pieces(render_passages(claim, self.inputs), room=self.max_tokens, units=ids)
        alone = [self._probabilities(([first], [piece])) for piece in pieces]
        return combined(np.concatenate(alone), np.zeros(len(pieces), dtype=np.int64), 1)

    def computed_as(self) -> Mapping[str, Any]:
        return {"device": next(self._network.parameters()).device.type}

    def settings(self) -> Mapping[str, Any]:
        return {"inputs": list(self.inputs), "hidden": self.hidden, "max_tokens": self.max_tokens}

    def save(self, directory: Path) -> None:
        from safetensors.torch import save_file

        self._tokenizer.save(str(directory / _TOKENIZER))
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in self._network.state_dict().items()}
        save_file(weights, directory / _WEIGHTS)

    @classmethod
    def load(cls, directory: Path, *, precision: str = "auto", device: str = "auto", **settings: Any) -> "StaticModel":
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        model = cls(device=device, **settings)
        try:
            model._tokenizer = Tokenizer.from_file(str(directory / _TOKENIZER))
            weights = load_file(directory / _WEIGHTS)
            model._network = StaticNetwork(weights["embedding.weight"], hidden=model.hidden, dropout=model.dropout)
            model._network.load_state_dict(weights)
        except Exception as error:  # tokenizers raises nothing narrower
            raise ModelError(f"{directory}: not a static model: {error}") from None
        model._network.to(choose_device(device)).eval()
        return model

    def _encode(self, claims: Sequence[Claim]) -> Encoded:
        sides = [render(claim, self.inputs) for claim in claims]
        return self._ids([first for first, _ in sides]), self._ids([second for _, second in sides])

    def _ids(self, texts: list[str]) -> list[list[int]]:
        encodings = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [encoding.ids[: self.max_tokens] for encoding in encodings]

    def _ids_of(self, text: str) -> list[int]:
        assert self._token_ids is not None  # for the type checker
        return self._token_ids([text])[0]

    def _probabilities(self, encoded: Encoded) -> np.ndarray:
        lengths = [len(first) + len(second) for first, second in zip(*encoded, strict=True)]
        result = np.zeros((len(lengths), len(LABELS)))
        self._network.eval()
        device = next(self._network.parameters()).device
        with torch.inference_mode():
            for rows in by_length(lengths, batch_tokens=_INFERENCE_BATCH_TOKENS):
                batch = {name: tensor.to(device) for name, tensor in _collate(encoded, rows).items()}
                result[rows] = self._network(**batch).double().softmax(dim=-1).cpu().numpy()
        return result

    def attribute(self, claims: Sequence[Claim], *, chosen: Places | None = None) -> Iterator[Attributions]:
        """Gradient times embedding of each token (Shrikumar et al. 2016, arXiv:1605.01713), in batches of flat memory.

        The mean's gradient is that of each of its tokens, but for their number, so one step back to the means is exact.
        """
        sides = [render(claim, self.inputs) for claim in claims]
        lengths = np.array([len(first) + len(second) for first, second in sides])
        self._network.eval()
        for rows in cut(np.arange(len(claims)), lengths, batch_tokens=_ATTRIBUTED_CHARACTERS):
            encodings = [
                self._tokenizer.encode_batch([sides[row][side] for row in rows], add_special_tokens=False)
                for side in (CLAIM_SIDE, EVIDENCE_SIDE)
            ]
            yield self._attributions(encodings, rows, None if chosen is None else chosen[rows])

    def _attributions(self, encodings: list[Any], rows: np.ndarray, chosen: Places | None) -> Attributions:
        embedding = self._network.embedding
        encoded = [[encoding.ids[: self.max_tokens] for encoding in side] for side in encodings]
        batch = _collate((encoded[0], encoded[1]), np.arange(len(rows)))
        batch = {name: tensor.to(embedding.weight.device) for name, tensor in batch.items()}
        logits, _, gradients = answered(self._network, embedding, batch, partial(towards_chosen, chosen=chosen))
        texts, weights = [], []
        for side, (name, ids) in enumerate(zip(("claim", "evidence"), encoded, strict=True)):
            counts = np.array([len(row) for row in ids])
            of_token = np.repeat(np.arange(len(rows)), counts)
            # The gradient of a sum in its terms' weights is each term times the slope, without a copy of the terms.
            shares = torch.ones(len(of_token), device=embedding.weight.device, requires_grad=True)
            sums = torch.nn.functional.embedding_bag(
                batch[f"{name}_ids"],
                embedding.weight.detach(),
                batch[f"{name}_starts"],
                mode="sum",
                per_sample_weights=shares,
            )
            (products,) = torch.autograd.grad(sums, shares, gradients[side])
            weights.append(products.double().cpu().numpy() / counts[of_token])
            texts.append(2 * of_token + side)
        offsets = [encoding.offsets[: self.max_tokens] for side in encodings for encoding in side]
        starts, ends = flat_offsets(offsets).T
        return Attributions(rows, softmax(logits), np.concatenate(texts), starts, ends, np.concatenate(weights))


def _collate(encoded: Encoded, rows: np.ndarray) -> dict[str, torch.Tensor]:
    batch = {}
    for name, side in zip(("claim", "evidence"), encoded, strict=True):
        ids = [side[row] for row in rows]
        ends = np.cumsum([len(row) for row in ids])
        flat = np.fromiter(chain.from_iterable(ids), dtype=np.int64, count=int(ends[-1]))
        batch[f"{name}_ids"] = torch.from_numpy(flat)
        batch[f"{name}_starts"] = torch.from_numpy(np.concatenate([[0], ends[:-1]]))
    return batch
