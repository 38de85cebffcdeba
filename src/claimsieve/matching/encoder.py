"""Texts as vectors, by a sentence encoder: what is meant alike lies close together.

As Reimers & Gurevych 2019, arXiv:1908.10084, have it: the mean of the tokens' states, brought to length one.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimsieve.errors import ModelError
from claimsieve.models.checkpoints import checkpoint_directory, sha256_of
from claimsieve.models.precision import choose_device, choose_precision

MAX_TOKENS = 256
_BATCH_TOKENS = 8_192
_CHUNK = 8_192  # texts turned to tokens at once
_MAX_CHARACTERS_PER_TOKEN = 40  # ten times the usual
_MAX_JSON_BYTES = 1_000_000
_STEPS = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True, slots=True)
class Encoder:
    """An opened sentence encoder.

    fingerprint: SHA-256 of its weights and of how they are used. precision: of the numbers it computes in. pooling:
    what a text's vector is made of, 'mean' of all tokens or the 'first' one.
    """

    network: Any
    tokenizer: Any
    fingerprint: str
    precision: str
    pooling: str
    max_tokens: int
    dimensions: int


@dataclass(frozen=True, slots=True)
class Embedded:
    """vectors: of length one, as half floats. Shape: (n, dimensions). cut: texts longer than the window, read without
    their end. unread: share of a text's tokens that the vocabulary lacks; of such texts a vector says little. (n,)"""

    vectors: NDArray[np.float16]
    cut: NDArray[np.bool_]
    unread: NDArray[np.float32]


def open_encoder(checkpoint: str = "default", *, precision: str = "auto", device: str = "auto") -> Encoder:
    """A sentence encoder from 'default' (all-MiniLM-L6-v2), a local folder or a Hub id.

    The folder's own word on pooling and length is followed, as far as it is a mean or a first token. Raises ModelError
    when it is no encoder, and for one that has further layers.
    """
    from claimsieve.models.opening import longest, open_body
    from claimsieve.models.packed import packed

    folder = checkpoint_directory(checkpoint)
    pooling, max_tokens = _pooling(folder), _max_tokens(folder)
    tokenizer, network = open_body(folder)
    place = choose_device(device)
    dtype, _ = choose_precision(precision, place)
    max_tokens = min(max_tokens, longest(network))
    network = network.to(device=place, dtype=dtype)
    dimensions = int(network.config.hidden_size)
    named = f"{_weights(folder)} {pooling} {max_tokens}"
    return Encoder(
        packed(network),
        tokenizer,
        hashlib.sha256(named.encode()).hexdigest(),
        str(dtype).removeprefix("torch."),
        pooling,
        max_tokens,
        dimensions,
    )


def embed(encoder: Encoder, texts: Sequence[str]) -> Embedded:
    """The vectors of texts, in their order. They do not depend on it but in the last digits."""
    parts = list(_embedded(encoder, texts))
    if not parts:
        vectors = np.zeros((0, encoder.dimensions), dtype=np.float16)
        return Embedded(vectors, np.zeros(0, dtype=bool), np.zeros(0, dtype=np.float32))
    return Embedded(
        np.concatenate([part.vectors for part in parts]),
        np.concatenate([part.cut for part in parts]),
        np.concatenate([part.unread for part in parts]),
    )


def _embedded(encoder: Encoder, texts: Sequence[str]) -> Iterator[Embedded]:
    import torch

    from claimsieve.models.batches import by_length

    limit = encoder.max_tokens * _MAX_CHARACTERS_PER_TOKEN
    for start in range(0, len(texts), _CHUNK):
        chunk = [text[:limit] for text in texts[start : start + _CHUNK]]
        encoded = encoder.tokenizer(chunk, truncation=True, max_length=encoder.max_tokens, return_attention_mask=False)
        ids = encoded["input_ids"]
        vectors = np.zeros((len(ids), encoder.dimensions), dtype=np.float16)
        with torch.inference_mode():
            for rows in by_length([len(row) for row in ids], batch_tokens=_BATCH_TOKENS):
                vectors[rows] = _vectors(encoder, [ids[row] for row in rows])
        unknown = encoder.tokenizer.unk_token_id
        unread = [sum(one == unknown for one in row) / max(1, len(row) - 2) for row in ids]
        # A text of exactly the limit may be whole; counting it as cut errs on the honest side.
        cut = np.array([len(row) >= encoder.max_tokens for row in ids])
        yield Embedded(vectors, cut, np.array(unread, dtype=np.float32))


def _vectors(encoder: Encoder, ids: Sequence[Sequence[int]]) -> NDArray[np.float16]:
    """One batch, as sentence-transformers does it: pooled, then brought to length one."""
    import torch

    padded = np.full((len(ids), max(map(len, ids))), encoder.tokenizer.pad_token_id, dtype=np.int64)
    mask = np.zeros_like(padded)
    for place, row in enumerate(ids):
        padded[place, : len(row)] = row
        mask[place, : len(row)] = 1
    device = next(encoder.network.parameters()).device
    tokens, kept = torch.from_numpy(padded).to(device), torch.from_numpy(mask).to(device)
    states = encoder.network(input_ids=tokens, attention_mask=kept).last_hidden_state.float()
    if encoder.pooling == "first":
        pooled = states[:, 0]
    else:
        weights = kept.unsqueeze(-1).float()
        pooled = (states * weights).sum(dim=1) / weights.sum(dim=1)
    found: NDArray[np.float16] = torch.nn.functional.normalize(pooled, dim=1).half().cpu().numpy()
    return found


def _weights(folder: Path) -> str:
    return " ".join(sha256_of(path) for path in sorted(folder.glob("*.safetensors")))


def _pooling(folder: Path) -> str:
    """'mean' or 'first', as the folder says; 'mean' where it says nothing."""
    steps = _read(folder / "modules.json")
    if isinstance(steps, list):
        kinds = [str(step.get("type", "")).rpartition(".")[2] for step in steps if isinstance(step, dict)]
        others = [kind for kind in kinds if kind not in _STEPS]
        if others:
            raise ModelError(
                f"{folder}: expected a sentence encoder that only pools its tokens, found a layer '{others[0]}'. "
                "Use another encoder."
            )
    pooling = _read(folder / "1_Pooling" / "config.json")
    if not isinstance(pooling, dict):
        return "mean"
    modes = [name for name, on in pooling.items() if name.startswith("pooling_mode") and on is True]
    if pooling.get("pooling_mode") in ("mean", "cls"):  # since sentence-transformers 6
        modes = [f"pooling_mode_{pooling['pooling_mode']}_token"]
    if modes in (["pooling_mode_mean_tokens"], ["pooling_mode_mean_token"], []):
        return "mean"
    if modes == ["pooling_mode_cls_token"]:
        return "first"
    raise ModelError(f"{folder}: expected pooling by the mean or the first token, found {', '.join(modes)}.")


def _max_tokens(folder: Path) -> int:
    said = _read(folder / "sentence_bert_config.json")
    length = said.get("max_seq_length") if isinstance(said, dict) else None
    return min(MAX_TOKENS, length) if type(length) is int and length > 2 else MAX_TOKENS


def _read(path: Path) -> object:
    """JSON that may be absent. Raises ModelError when it is there and cannot be read."""
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise ValueError("too large")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: cannot be read: {error}.") from None
