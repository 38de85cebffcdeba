"""A transformer sequence classifier on the pair of claim and evidence, from any checkpoint."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from claimsieve import processes
from claimsieve.data.inputs import render
from claimsieve.errors import ModelError
from claimsieve.models.attributions import Attributions, flat_offsets, softmax
from claimsieve.models.batches import by_length
from claimsieve.models.checkpoints import checkpoint_directory
from claimsieve.models.fitting import fit_network
from claimsieve.models.gradients import answered, low_layer
from claimsieve.models.loop import Examples, LoopSettings, label_places
from claimsieve.models.lora import LoraSettings, require_peft, with_adapters
from claimsieve.models.opening import (
    checkpoint_activations,
    longest,
    open_classifier,
    quiet_transformers,
    unpadded_attention,
)
from claimsieve.models.packed import packed
from claimsieve.models.pairs import PairEncoder, Pairs
from claimsieve.models.passages import combined
from claimsieve.models.precision import choose_device, choose_precision
from claimsieve.models.step import State, Step
from claimsieve.records import LABELS, Claim, InputField

_ATTRIBUTED_ROWS = 1_024
_ATTRIBUTED_BATCH_TOKENS = 4_096
_INFERENCE_BATCH_TOKENS = 8_192
_USUAL_TOKENS = 64  # of a pair, where a batch is timed
_MAX_CHARACTERS_PER_TOKEN = 40  # ten times the usual
_SEGMENTS = "token_type_ids"

Encoded = dict[str, list[list[int]]]


class EncoderModel:
    """Claim and evidence as one sequence pair, a linear head on the checkpoint's pooled output.

    checkpoint: 'default' (all-MiniLM-L6-v2), a local folder, or a Hub id. max_tokens: a pair longer than this loses
    the end of its longer side; how many do is in the notes of the first Step. dropout: replaces the checkpoint's own;
    0 is quickest on a processor. precision: 'auto', 'float32' or 'bfloat16'. lora: train adapters and the head only.
    activation_checkpointing: compute activations again in the backward pass rather than keep them; the same gradients
    in less memory, a third slower. The rest: LoopSettings.
    """

    def __init__(
        self,
        *,
        inputs: Sequence[InputField],
        checkpoint: str = "default",
        revision: str | None = None,
        dropout: float = 0.0,
        max_tokens: int = 256,
        precision: str = "auto",
        device: str = "auto",
        seed: int = 0,
        lora: LoraSettings | None = None,
        activation_checkpointing: bool = False,
        loop: LoopSettings | None = None,
    ) -> None:
        if lora is not None:
            require_peft()
        self.inputs = tuple(inputs)
        self.checkpoint = checkpoint
        self.revision = revision
        self.dropout = dropout
        self.max_tokens = max_tokens
        self.precision = precision
        self.device = device
        self.seed = seed
        self.lora = lora
        self.activation_checkpointing = activation_checkpointing
        self.loop = loop or LoopSettings()
        self._network: Any = None
        self._quick: Any = None  # the same network, laid out for inference, once it is loaded
        self._tokenizer: Any = None
        self._encoder: PairEncoder | None = None
        self.batch_tokens = _INFERENCE_BATCH_TOKENS  # of a padded batch in inference

    def fit(self, train: Sequence[Claim], *, valid: Sequence[Claim], state: State | None = None) -> Iterator[Step]:
        """Fine-tune all weights, or adapters. Raises ModelError when the checkpoint cannot be used."""
        folder = checkpoint_directory(self.checkpoint, revision=self.revision)
        device = processes.join(choose_device(self.device))
        dtype, why = choose_precision(self.precision, device)
        if processes.anyone(dtype == torch.float32):  # each process has measured it for itself
            dtype = torch.float32
        self._prepare(folder)
        self._network.to(device=device, dtype=dtype)
        encoded, truncated = self._encode(train)
        valid_encoded, _ = self._encode(processes.share(valid))
        lengths = [len(ids) for ids in encoded["input_ids"]]
        notes = {
            "precision": f"{str(dtype).removeprefix('torch.')} on {device.type} ({why})",
            "truncated": f"{truncated:,} of {len(train):,} training pairs are longer than {self.max_tokens} tokens",
        }
        yield from fit_network(
            LogitsOnly(self._network),
            Examples(
                lengths, label_places([claim.label for claim in train]), lambda rows: self._collate(encoded, rows)
            ),
            valid_labels=label_places([claim.label for claim in valid]),
            valid_probabilities=lambda: self._probabilities(valid_encoded),
            settings=self.loop,
            seed=self.seed,
            state=state,
            notes=notes,
        )
        if self.lora is not None:
            self._merge(folder)
        self._network.eval()

    def predict_proba(self, claims: Sequence[Claim]) -> np.ndarray:
        """Shape: (n, 3), in the order of LABELS. Computed in batches of like lengths; the order is kept."""
        return self.probabilities(self.encode(claims))

    def encode(self, claims: Sequence[Claim]) -> Pairs:
        """Claims as token ids; evidence longer than the window in pieces. May run beside `probabilities`."""
        if self._encoder is None:
            self._encoder = PairEncoder(self._tokenizer, inputs=self.inputs, max_tokens=self.max_tokens)
        return self._encoder(claims)

    def probabilities(self, encoded: Pairs) -> np.ndarray:
        """What the network says of them. Shape: (n, 3), in the order of LABELS."""
        named = {"input_ids": encoded.ids} | ({} if encoded.segments is None else {_SEGMENTS: encoded.segments})
        return combined(self._probabilities(named), encoded.owners, encoded.count)

    def reference(self, claims: Sequence[Claim]) -> np.ndarray:
        """As predict_proba, by transformers as it comes, in float32, one sequence at a time without padding."""
        network = self._network
        if self._quick is not None:  # loaded, perhaps rounded to bfloat16
            with quiet_transformers():
                network = (
                    type(network)
                    .from_pretrained(self.checkpoint, use_safetensors=True, local_files_only=True, dtype=torch.float32)
                    .eval()
                )
        alone = [self._reference(network, claim) for claim in claims]
        return np.concatenate([np.zeros((0, len(LABELS))), *alone])

    def _reference(self, network: Any, claim: Claim) -> np.ndarray:
        first, second = render(claim, self.inputs)
        whole = self._tokenizer(
            [first], [second] if "evidence" in self.inputs else None, truncation=False, padding=False, verbose=False
        )
        if len(whole["input_ids"][0]) <= self.max_tokens:
            sequences = [dict(whole)]
        else:  # the rule of models/passages.py says what is put together
            pairs = self.encode([claim])
            named = {"input_ids": pairs.ids} | ({} if pairs.segments is None else {_SEGMENTS: pairs.segments})
            sequences = [{name: [rows[place]] for name, rows in named.items()} for place in range(len(pairs.ids))]
        with torch.inference_mode():
            logits = [
                network(**{name: torch.tensor(rows, device=network.device) for name, rows in sequence.items()}).logits
                for sequence in sequences
            ]
        alone = torch.cat(logits).double().softmax(dim=-1).cpu().numpy()
        return combined(alone, np.zeros(len(alone), dtype=np.int64), 1)

    def time_batch(self, tokens: int) -> float:
        """Seconds that one batch of so many tokens takes, in rows of usual length."""
        length = min(_USUAL_TOKENS, self.max_tokens)
        ids = [[self._tokenizer.pad_token_id + 1] * length] * (tokens // length)
        segments = [[0] * length] * len(ids) if _SEGMENTS in self._tokenizer.model_input_names else None
        pairs = Pairs(ids, segments, np.arange(len(ids)), len(ids), cut=[])
        before, self.batch_tokens = self.batch_tokens, tokens
        try:
            start = time.perf_counter()
            self.probabilities(pairs)
            return time.perf_counter() - start
        finally:
            self.batch_tokens = before

    def computed_as(self) -> Mapping[str, Any]:
        weight = next(self._network.parameters())
        precision = str(weight.dtype).removeprefix("torch.")
        return {"precision": precision, "device": weight.device.type, "batch_tokens": self.batch_tokens}

    def settings(self) -> Mapping[str, Any]:
        return {"inputs": list(self.inputs), "max_tokens": self.max_tokens}

    def save(self, directory: Path) -> None:
        with quiet_transformers():
            self._network.float().save_pretrained(directory)
            self._tokenizer.save_pretrained(directory)

    @classmethod
    def load(cls, directory: Path, *, precision: str = "auto", device: str = "auto", **settings: Any) -> "EncoderModel":
        model = cls(checkpoint=str(directory), precision=precision, device=device, **settings)
        chosen = choose_device(device)
        dtype, _ = choose_precision(precision, chosen)
        model._open(directory, training=False, attention=unpadded_attention(chosen, dtype))
        model._network.to(device=chosen, dtype=dtype).eval()
        model._quick = packed(model._network)
        return model

    def _prepare(self, folder: Path) -> Any:
        """Tokenizer and network for a training. Returns the adapters, if any."""
        torch.manual_seed(self.seed)  # the first weights of head and adapters
        self._open(folder, training=True)
        self._quick = None
        if self.activation_checkpointing:
            checkpoint_activations(self._network, folder)
        return with_adapters(self._network, self.lora) if self.lora is not None else None

    def _merge(self, folder: Path) -> None:
        """The checkpoint's weights as they were, not as bfloat16 may have rounded them, with what was trained."""
        device = self._network.device
        trained = {name: weight for name, weight in self._network.named_parameters() if weight.requires_grad}
        adapters = self._prepare(folder)
        self._network.load_state_dict({name: weight.detach() for name, weight in trained.items()}, strict=False)
        adapters.merge_and_unload()
        self._network.to(device)

    def _open(self, folder: Path, *, training: bool, attention: str | None = None) -> None:
        """Tokenizer and network from local files, and how much of a pair they can read."""
        dropout = self.dropout if training else None
        self._tokenizer, self._network = open_classifier(folder, dropout=dropout, attention=attention)
        self.max_tokens = min(self.max_tokens, longest(self._network))
        self._encoder = None

    def _encode(self, claims: Sequence[Claim]) -> tuple[Encoded, int]:
        """Token ids without padding, and how many pairs were cut."""
        if not claims:
            return {"input_ids": []}, 0
        encoded = self._first_windows(claims)
        # A pair of exactly the limit may be whole; counting it as cut errs on the honest side.
        truncated = sum(len(ids) >= self.max_tokens for ids in encoded["input_ids"])
        return dict(encoded), truncated

    def _first_windows(self, claims: Sequence[Claim]) -> Any:
        """What the tokenizer makes of the claims, each cut to one window."""
        sides = [render(claim, self.inputs) for claim in claims]
        # The tokenizer pairs every piece that it cuts off one side with every piece of the other: gigabytes for a book.
        limit = self.max_tokens * _MAX_CHARACTERS_PER_TOKEN
        return self._tokenizer(
            [first[:limit] for first, _ in sides],
            # A model that is never shown evidence reads single sequences, without an empty second part.
            [second[:limit] for _, second in sides] if "evidence" in self.inputs else None,
            truncation="longest_first",
            max_length=self.max_tokens,
            return_attention_mask=False,
        )

    def _collate(self, encoded: Encoded, rows: np.ndarray) -> dict[str, torch.Tensor]:
        ids = [encoded["input_ids"][row] for row in rows]
        longest = max(len(row) for row in ids)
        padded = np.full((len(ids), longest), self._tokenizer.pad_token_id, dtype=np.int64)
        mask = np.zeros_like(padded)
        for place, row in enumerate(ids):
            padded[place, : len(row)] = row
            mask[place, : len(row)] = 1
        batch = {"input_ids": torch.from_numpy(padded), "attention_mask": torch.from_numpy(mask)}
        if _SEGMENTS in encoded:
            segments = np.zeros_like(padded)
            for place, row in enumerate(rows):
                values = encoded[_SEGMENTS][row]
                segments[place, : len(values)] = values
            batch[_SEGMENTS] = torch.from_numpy(segments)
        return batch

    def _probabilities(self, encoded: Encoded) -> np.ndarray:
        lengths = [len(ids) for ids in encoded["input_ids"]]
        result = np.zeros((len(lengths), len(LABELS)))
        network = self._quick or self._network.eval()
        device = self._network.device
        with torch.inference_mode():
            for rows in by_length(lengths, batch_tokens=self.batch_tokens):
                batch = {name: tensor.to(device) for name, tensor in self._collate(encoded, rows).items()}
                logits = network(**batch).logits
                result[rows] = logits.double().softmax(dim=-1).cpu().numpy()
        return result

    def attribute(self, claims: Sequence[Claim]) -> Iterator[Attributions]:
        """Gradient times hidden state of each token, low in the network, in batches of like lengths.

        With attention and layer norms as given (gradients.answered), in the number format of the network itself: what
        `packed` laid out for inference has no gradients.
        """
        network = self._network.eval()
        for start in range(0, len(claims), _ATTRIBUTED_ROWS):
            encoded, texts, offsets = self._encode_with_offsets(claims[start : start + _ATTRIBUTED_ROWS])
            lengths = [len(ids) for ids in encoded["input_ids"]]
            for rows in by_length(lengths, batch_tokens=_ATTRIBUTED_BATCH_TOKENS):
                batch = {name: tensor.to(network.device) for name, tensor in self._collate(encoded, rows).items()}
                logits, (hidden,), (gradient,) = answered(network, low_layer(network), batch)
                products = (hidden * gradient).sum(dim=-1).double().cpu().numpy()
                of_token = np.repeat(np.arange(len(rows)), [lengths[row] for row in rows])
                starts, ends = flat_offsets([offsets[row] for row in rows]).T
                yield Attributions(
                    rows=start + rows,
                    probabilities=softmax(logits),
                    texts=2 * of_token + np.concatenate([texts[row] for row in rows]),
                    starts=starts,
                    ends=ends,
                    weights=np.concatenate([products[place, : lengths[row]] for place, row in enumerate(rows)]),
                )

    def _encode_with_offsets(
        self, claims: Sequence[Claim]
    ) -> tuple[Encoded, list[list[int]], list[list[tuple[int, int]]]]:
        """Token ids, and for each token its side and its place there; a token of no text has the place (0, 0)."""
        encoded = self._first_windows(claims)
        if encoded.encodings is None:
            raise ModelError(f"{self.checkpoint}: expected a tokenizer that says where tokens stand, found a slow one.")
        texts = [[side or 0 for side in encoding.sequence_ids] for encoding in encoded.encodings]
        return dict(encoded), texts, [encoding.offsets for encoding in encoded.encodings]


class LogitsOnly(torch.nn.Module):
    """The network's logits as a plain tensor, as the training loop expects."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, **batch: torch.Tensor) -> torch.Tensor:
        return self.network(**batch).logits  # type: ignore[no-any-return]
