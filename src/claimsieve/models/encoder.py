"""A transformer sequence classifier on the pair of claim and evidence, from any checkpoint."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from claimsieve.data.inputs import render
from claimsieve.errors import ModelError
from claimsieve.models.attributions import Attributions, flat_offsets, softmax
from claimsieve.models.batches import by_length
from claimsieve.models.checkpoints import checkpoint_directory
from claimsieve.models.fitting import fit_network
from claimsieve.models.gradients import answered, low_layer
from claimsieve.models.loop import Examples, LoopSettings, label_places
from claimsieve.models.packed import packed
from claimsieve.models.precision import choose_device, choose_precision
from claimsieve.models.step import State, Step
from claimsieve.records import LABELS, Claim, InputField

_ATTRIBUTED_ROWS = 1_024
_ATTRIBUTED_BATCH_TOKENS = 4_096
_INFERENCE_BATCH_TOKENS = 8_192
_MAX_CHARACTERS_PER_TOKEN = 40  # ten times the usual
_SEGMENTS = "token_type_ids"

Encoded = dict[str, list[list[int]]]


class EncoderModel:
    """Claim and evidence as one sequence pair, a linear head on the checkpoint's pooled output.

    checkpoint: 'default' (all-MiniLM-L6-v2), a local folder, or a Hub id. max_tokens: a pair longer than this loses
    the end of its longer side; how many do is in the notes of the first Step. dropout: replaces the checkpoint's own;
    0 is quickest on a processor. precision: 'auto', 'float32' or 'bfloat16'. The rest: LoopSettings.
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
        loop: LoopSettings | None = None,
    ) -> None:
        self.inputs = tuple(inputs)
        self.checkpoint = checkpoint
        self.revision = revision
        self.dropout = dropout
        self.max_tokens = max_tokens
        self.precision = precision
        self.device = device
        self.seed = seed
        self.loop = loop or LoopSettings()
        self._network: Any = None
        self._quick: Any = None  # the same network, laid out for inference, once it is loaded
        self._tokenizer: Any = None

    def fit(self, train: Sequence[Claim], *, valid: Sequence[Claim], state: State | None = None) -> Iterator[Step]:
        """Fine-tune all weights. Raises ModelError when the checkpoint cannot be used."""
        folder = checkpoint_directory(self.checkpoint, revision=self.revision)
        device = choose_device(self.device)
        dtype, why = choose_precision(self.precision, device)
        torch.manual_seed(self.seed)  # the head's first weights
        self._open(folder, training=True)
        self._quick = None
        self._network.to(device=device, dtype=dtype)
        encoded, truncated = self._encode(train)
        valid_encoded, _ = self._encode(valid)
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
        self._network.eval()

    def predict_proba(self, claims: Sequence[Claim]) -> np.ndarray:
        """Shape: (n, 3), in the order of LABELS. Computed in batches of like lengths; the order is kept."""
        if not claims:
            return np.zeros((0, len(LABELS)))
        encoded, _ = self._encode(claims)
        return self._probabilities(encoded)

    def settings(self) -> Mapping[str, Any]:
        return {"inputs": list(self.inputs), "max_tokens": self.max_tokens}

    def save(self, directory: Path) -> None:
        with _quiet_transformers():
            self._network.float().save_pretrained(directory)
            self._tokenizer.save_pretrained(directory)

    @classmethod
    def load(cls, directory: Path, *, precision: str = "auto", device: str = "auto", **settings: Any) -> "EncoderModel":
        model = cls(checkpoint=str(directory), precision=precision, device=device, **settings)
        model._open(directory, training=False)
        chosen = choose_device(device)
        dtype, _ = choose_precision(precision, chosen)
        model._network.to(device=chosen, dtype=dtype).eval()
        model._quick = packed(model._network)
        return model

    def _open(self, folder: Path, *, training: bool) -> None:
        """Tokenizer and network from local files; no code of the checkpoint's own is ever run."""
        from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

        safe = {"local_files_only": True, "trust_remote_code": False}
        with _quiet_transformers():
            try:
                config = AutoConfig.from_pretrained(folder, **safe)
                if training:
                    self._shape(config)
                self._tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
                self._network, found = AutoModelForSequenceClassification.from_pretrained(
                    folder,
                    config=config,
                    use_safetensors=True,
                    dtype=torch.float32,
                    # Eager attention is quicker than SDPA's backward pass on a processor; elsewhere SDPA, the default
                    # of the architectures that have it, is quicker.
                    attn_implementation="eager" if training and not torch.cuda.is_available() else None,
                    ignore_mismatched_sizes=training,  # a head for other labels is replaced
                    output_loading_info=True,
                    **safe,
                )
            except Exception as error:  # tokenizers raises nothing narrower
                reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
                raise ModelError(f"{folder}: cannot be opened as a sequence classifier: {reason}") from None
        lost = _lost_weights(self._network, found, training=training)
        if lost:
            raise ModelError(
                f"{folder}: expected all weights of {type(self._network).__name__}, found none that fit "
                f"'{lost[0]}' and {len(lost) - 1} more. Its config.json and weights do not belong together."
            )
        self.max_tokens = min(self.max_tokens, _longest(self._network))
        if self._tokenizer.pad_token_id is None:
            raise ModelError(f"{folder}: expected a tokenizer with a padding token, found none.")

    def _shape(self, config: Any) -> None:
        config.num_labels = len(LABELS)
        config.id2label = dict(enumerate(LABELS))
        config.label2id = {label: place for place, label in enumerate(LABELS)}
        for name, value in config.to_dict().items():
            if "dropout" in name and type(value) in (int, float):
                setattr(config, name, self.dropout)

    def _encode(self, claims: Sequence[Claim]) -> tuple[Encoded, int]:
        """Token ids without padding, and how many pairs were cut."""
        if not claims:
            return {"input_ids": []}, 0
        sides = [render(claim, self.inputs) for claim in claims]
        # The tokenizer pairs every piece that it cuts off one side with every piece of the other: gigabytes for a book.
        limit = self.max_tokens * _MAX_CHARACTERS_PER_TOKEN
        encoded = self._tokenizer(
            [first[:limit] for first, _ in sides],
            # A model that is never shown evidence reads single sequences, without an empty second part.
            [second[:limit] for _, second in sides] if "evidence" in self.inputs else None,
            truncation="longest_first",
            max_length=self.max_tokens,
            return_attention_mask=False,
        )
        # A pair of exactly the limit may be whole; counting it as cut errs on the honest side.
        truncated = sum(len(ids) >= self.max_tokens for ids in encoded["input_ids"])
        return dict(encoded), truncated

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
            for rows in by_length(lengths, batch_tokens=_INFERENCE_BATCH_TOKENS):
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
        sides = [render(claim, self.inputs) for claim in claims]
        limit = self.max_tokens * _MAX_CHARACTERS_PER_TOKEN
        encoded = self._tokenizer(
            [first[:limit] for first, _ in sides],
            [second[:limit] for _, second in sides] if "evidence" in self.inputs else None,
            truncation="longest_first",
            max_length=self.max_tokens,
            return_attention_mask=False,
        )
        if encoded.encodings is None:
            raise ModelError(f"{self.checkpoint}: expected a tokenizer that says where tokens stand, found a slow one.")
        texts = [[side or 0 for side in encoding.sequence_ids] for encoding in encoded.encodings]
        return dict(encoded), texts, [encoding.offsets for encoding in encoded.encodings]


def _lost_weights(network: Any, found: Mapping[str, Any], *, training: bool) -> list[str]:
    """Names of the weights that stayed random although they should not; in training the head and pooler may be new."""
    names = sorted([*found["missing_keys"], *(name for name, *_ in found["mismatched_keys"])])
    if not training:
        return names
    body = f"{network.base_model_prefix}."
    return [name for name in names if name.startswith(body) and "pooler" not in name]


def _longest(network: Any) -> int:
    """How many tokens there are positions for. RoBERTa and its kin begin counting after the padding's place."""
    longest = getattr(network.config, "max_position_embeddings", None) or sys.maxsize
    for name, module in network.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            longest = min(longest, module.num_embeddings - module.padding_idx - 1)
    return int(longest)


class LogitsOnly(torch.nn.Module):
    """The network's logits as a plain tensor, as the training loop expects."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, **batch: torch.Tensor) -> torch.Tensor:
        return self.network(**batch).logits  # type: ignore[no-any-return]


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Without the load report: a new head is expected here, and is no news to the user."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
