"""A pretrained transformer with a linear head: opened, trained in place, laid out for inference, saved.

Sequences of token ids in, logits out. What the logits mean is up to the kind of model that holds it.
"""

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from claimsieve import processes
from claimsieve.data.inputs import render, render_claim
from claimsieve.errors import ModelError
from claimsieve.models.attributions import Floats, Places, Tokens, flat_offsets
from claimsieve.models.batches import by_length
from claimsieve.models.checkpoints import checkpoint_directory
from claimsieve.models.gradients import answered, low_layer
from claimsieve.models.joined import can_join, joined, joined_logits, layout
from claimsieve.models.layers import freeze
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
from claimsieve.models.pooling import Pooling, pool
from claimsieve.models.precision import choose_device, choose_precision
from claimsieve.records import Claim, InputField

ATTRIBUTED_ROWS = 1_024
ATTRIBUTED_BATCH_TOKENS = 4_096
_INFERENCE_BATCH_TOKENS = 8_192
_USUAL_TOKENS = 64  # of a pair, where a batch is timed
_MAX_CHARACTERS_PER_TOKEN = 40  # ten times the usual
_SEGMENTS = "token_type_ids"

Encoded = dict[str, list[list[int]]]
Direction = Callable[[Places, Floats], Floats]  # rows and their logits → the gradient of an answer in the logits


class Transformer:
    """A checkpoint's body and one linear layer with an output for each of the names in `outputs`.

    checkpoint: 'default' (all-MiniLM-L6-v2), a local folder, or a Hub id. max_tokens: of a sequence; where the
    checkpoint has fewer positions it is lowered to that. pooling: what the head reads (models/pooling.py). dropout:
    replaces the checkpoint's own; 0 is quickest on a processor. precision: 'auto', 'float32' or 'bfloat16'. lora: train
    adapters and the head only. frozen_layers: so many of the lowest layers, and all embeddings, stay as they are; a
    third of them saves a fifth of the time. activation_checkpointing: compute activations again in the backward pass
    rather than keep them; the same gradients in less memory, a third slower.
    """

    def __init__(
        self,
        *,
        outputs: Sequence[str],
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
    ) -> None:
        if lora is not None:
            require_peft()
        self.outputs = tuple(outputs)
        self.checkpoint = checkpoint
        self.revision = revision
        self.dropout = dropout
        self.max_tokens = max_tokens
        self.pooling = pooling
        self.precision = precision
        self.device = device
        self.seed = seed
        self.lora = lora
        self.frozen_layers = frozen_layers
        self.activation_checkpointing = activation_checkpointing
        self.network: Any = None
        self.tokenizer: Any = None
        self.batch_tokens = _INFERENCE_BATCH_TOKENS  # of a padded batch in inference
        self._quick: Any = None  # the same network, laid out for inference, once it is trained or loaded
        self.joins = False  # whether short sequences may share a row there
        self._dtype = torch.float32  # of training and of inference
        self.is_saved = False  # the checkpoint holds these very weights
        self._folder: Path | None = None

    def prepare(self) -> str:
        """Open the checkpoint for training. Returns the number format in words. Raises ModelError if it will not do."""
        self._folder = checkpoint_directory(self.checkpoint, revision=self.revision)
        device = processes.join(choose_device(self.device))
        dtype, why = choose_precision(self.precision, device)
        if processes.anyone(dtype == torch.float32):  # each process has measured it for itself
            dtype = torch.float32
        self._prepare(self._folder)
        self.network.to(device=device, dtype=dtype)
        self._dtype = dtype
        return f"{str(dtype).removeprefix('torch.')} on {device.type} ({why})"

    def finish(self) -> None:
        """The training is over: adapters become part of the weights, and answers come as from a saved model."""
        if self.lora is not None and self._folder is not None:
            self._merge(self._folder)
        self.network.eval()
        rounded = self._dtype != torch.float32
        self._lay_out(copy.deepcopy(self.network).to(self._dtype) if rounded else self.network)

    def _lay_out(self, network: Any) -> None:
        self._quick = packed(network)
        self.joins = can_join(self._quick, self.tokenizer)

    def pair_encoder(self, inputs: Sequence[InputField]) -> PairEncoder:
        return PairEncoder(self.tokenizer, inputs=inputs, max_tokens=self.max_tokens)

    def one_window(self, claims: Sequence[Claim], inputs: Sequence[InputField]) -> tuple[Encoded, int]:
        """Token ids without padding, each claim cut to one window, and how many were cut. For training."""
        if not claims:
            return {"input_ids": []}, 0
        encoded = self._first_windows(claims, inputs)
        # A pair of exactly the limit may be whole; counting it as cut errs on the honest side.
        truncated = sum(len(ids) >= self.max_tokens for ids in encoded["input_ids"])
        return dict(encoded), truncated

    def _first_windows(self, claims: Sequence[Claim], inputs: Sequence[InputField]) -> Any:
        # The tokenizer pairs every piece that it cuts off one side with every piece of the other: gigabytes for a book.
        limit = self.max_tokens * _MAX_CHARACTERS_PER_TOKEN
        return self.tokenizer(
            [render_claim(claim, inputs)[:limit] for claim in claims],
            # A model that is never shown evidence reads single sequences, without an empty second part.
            [render(claim, inputs)[1][:limit] for claim in claims] if "evidence" in inputs else None,
            truncation="longest_first",
            max_length=self.max_tokens,
            return_attention_mask=False,
        )

    def collate(self, encoded: Encoded, rows: np.ndarray) -> dict[str, torch.Tensor]:
        """Chosen sequences as one padded batch."""
        ids = [encoded["input_ids"][row] for row in rows]
        longest_row = max(len(row) for row in ids)
        padded = np.full((len(ids), longest_row), self.tokenizer.pad_token_id, dtype=np.int64)
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

    def logits(self, encoded: Encoded) -> Floats:
        """In batches of like lengths; the order is kept. Shape: (sequences, outputs)"""
        lengths = np.array([len(ids) for ids in encoded["input_ids"]], dtype=np.int64)
        result = np.zeros((len(lengths), len(self.outputs)))
        network = self._quick or self.network.eval()
        device = self.network.device
        alone, shared = layout(lengths, batch_tokens=self.batch_tokens, joins=self.joins)
        with torch.inference_mode():
            for rows in alone:
                batch = {name: tensor.to(device) for name, tensor in self.collate(encoded, rows).items()}
                result[rows] = network(**batch).logits.double().cpu().numpy()
            for together in shared:
                laid = joined(encoded["input_ids"], encoded.get(_SEGMENTS), together)
                result[np.concatenate(together)] = joined_logits(network, laid).double().numpy()
        return result

    def attributed(
        self, claims: Sequence[Claim], inputs: Sequence[InputField], direction: Direction
    ) -> Iterator[Tokens]:
        """Gradient times hidden state of each token, low in the network, in batches of like lengths.

        direction: of what the gradient is taken; rows are places in `claims`.
        Yields rows, their logits (rows, outputs), and of each token: text (2 * place of its row + side), start and end
        there, weight. With attention and layer norms as given (gradients.answered), in the number format of the network
        itself: what `packed` laid out for inference has no gradients.
        """
        network = self.network.eval()
        for start in range(0, len(claims), ATTRIBUTED_ROWS):
            encoded, texts, offsets = self._with_offsets(claims[start : start + ATTRIBUTED_ROWS], inputs)
            lengths = [len(ids) for ids in encoded["input_ids"]]
            for rows in by_length(lengths, batch_tokens=ATTRIBUTED_BATCH_TOKENS):
                batch = {name: tensor.to(network.device) for name, tensor in self.collate(encoded, rows).items()}
                own = start + rows
                logits, (hidden,), (gradient,) = answered(network, low_layer(network), batch, partial(direction, own))
                products = (hidden * gradient).sum(dim=-1).double().cpu().numpy()
                of_token = np.repeat(np.arange(len(rows)), [lengths[row] for row in rows])
                starts, ends = flat_offsets([offsets[row] for row in rows]).T
                sides = 2 * of_token + np.concatenate([texts[row] for row in rows])
                weights = np.concatenate([products[place, : lengths[row]] for place, row in enumerate(rows)])
                yield own, logits, sides, starts, ends, weights

    def _with_offsets(
        self, claims: Sequence[Claim], inputs: Sequence[InputField]
    ) -> tuple[Encoded, list[list[int]], list[list[tuple[int, int]]]]:
        """Token ids, and for each token its side and its place there; a token of no text has the place (0, 0)."""
        encoded = self._first_windows(claims, inputs)
        if encoded.encodings is None:
            raise ModelError(f"{self.checkpoint}: expected a tokenizer that says where tokens stand, found a slow one.")
        texts = [[side or 0 for side in encoding.sequence_ids] for encoding in encoded.encodings]
        return dict(encoded), texts, [encoding.offsets for encoding in encoded.encodings]

    def time_batch(self, tokens: int) -> float:
        """Seconds that one batch of so many tokens takes, in rows of usual length."""
        length = min(_USUAL_TOKENS, self.max_tokens)
        encoded = {"input_ids": [[self.tokenizer.pad_token_id + 1] * length] * (tokens // length)}
        if _SEGMENTS in self.tokenizer.model_input_names:
            encoded[_SEGMENTS] = [[0] * length] * (tokens // length)
        before, self.batch_tokens = self.batch_tokens, tokens
        try:
            start = time.perf_counter()
            self.logits(encoded)
            return time.perf_counter() - start
        finally:
            self.batch_tokens = before

    def computed_as(self) -> Mapping[str, Any]:
        precision = str(self._dtype).removeprefix("torch.")
        return {"precision": precision, "device": self.network.device.type, "batch_tokens": self.batch_tokens}

    def save(self, directory: Path) -> None:
        with quiet_transformers():
            self.network.float().save_pretrained(directory)
            self.tokenizer.save_pretrained(directory)

    def load(self) -> None:
        """Open a saved model, the checkpoint, for inference. Raises ModelError when it is none with these outputs."""
        folder = Path(self.checkpoint)
        device = choose_device(self.device)
        dtype, _ = choose_precision(self.precision, device)
        self._open(folder, training=False, attention=unpadded_attention(device, dtype))
        if tuple(self.network.config.id2label.values()) != self.outputs:
            raise ModelError(f"{folder}: expected a network with the outputs {', '.join(self.outputs)}, found others.")
        self.network.to(device=device, dtype=dtype).eval()
        self._dtype, self.is_saved = dtype, True
        self._lay_out(self.network)

    def _prepare(self, folder: Path) -> Any:
        """Tokenizer and network for a training. Returns the adapters, if any."""
        torch.manual_seed(self.seed)  # the first weights of head and adapters
        self._open(folder, training=True)
        self._quick, self.joins, self.is_saved = None, False, False
        if self.activation_checkpointing:
            checkpoint_activations(self.network, folder)
        if self.frozen_layers:
            freeze(self.network, self.frozen_layers, folder)
        return with_adapters(self.network, self.lora) if self.lora is not None else None

    def _merge(self, folder: Path) -> None:
        """The checkpoint's weights as they were, not as bfloat16 may have rounded them, with what was trained."""
        device = self.network.device
        trained = {name: weight for name, weight in self.network.named_parameters() if weight.requires_grad}
        adapters = self._prepare(folder)
        self.network.load_state_dict({name: weight.detach() for name, weight in trained.items()}, strict=False)
        adapters.merge_and_unload()
        self.network.to(device)

    def _open(self, folder: Path, *, training: bool, attention: str | None = None) -> None:
        """Tokenizer and network from local files, and how much of a pair they can read."""
        dropout = self.dropout if training else None
        self.tokenizer, self.network = open_classifier(
            folder, outputs=self.outputs, dropout=dropout, attention=attention
        )
        pool(self.network, self.pooling)
        self.max_tokens = min(self.max_tokens, longest(self.network))


class LogitsOnly(torch.nn.Module):
    """The network's logits as a plain tensor, as the training loop expects."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, **batch: torch.Tensor) -> torch.Tensor:
        return self.network(**batch).logits  # type: ignore[no-any-return]


def as_encoded(pairs: Pairs) -> Encoded:
    """The pieces by the names that a network knows them under."""
    return {"input_ids": pairs.ids} | ({} if pairs.segments is None else {_SEGMENTS: pairs.segments})
