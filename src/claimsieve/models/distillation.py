"""Static embeddings of a checkpoint's vocabulary, distilled once and kept in the user's cache."""

import io
import os
import shutil
import tempfile
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import numpy as np
import torch

from claimsieve.errors import ModelError
from claimsieve.models.checkpoints import checkpoint_directory, sha256_of

_TOKENIZER = "tokenizer.json"
_WEIGHTS = "model.safetensors"


def distilled(checkpoint: str, *, dimensions: int) -> tuple[Any, torch.Tensor]:
    """Tokenizer and embeddings (tokens, dimensions) of a checkpoint, distilled once and kept in the user's cache.

    The cache is `$XDG_CACHE_HOME/claimsieve` or `~/.cache/claimsieve`; its name holds the SHA-256 of the weights.
    """
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    folder = checkpoint_directory(checkpoint)
    weights = next(iter(sorted(folder.glob("*.safetensors"))))
    cached = cache_directory() / f"static-{sha256_of(weights)[:16]}-{dimensions}"
    if not (cached / _WEIGHTS).is_file():
        _distil(folder, cached, dimensions=dimensions)
    return Tokenizer.from_file(str(cached / _TOKENIZER)), load_file(cached / _WEIGHTS)["embedding"]


def _distil(folder: Path, target: Path, *, dimensions: int) -> None:
    from model2vec.distill import distill_from_model
    from safetensors.torch import save_file
    from transformers import AutoModel, AutoTokenizer

    safe = {"local_files_only": True, "trust_remote_code": False}
    try:
        with redirect_stderr(io.StringIO()):  # their progress bars are not ours to show
            # Opened here, as model2vec's own loading would read pickled weights too.
            network = AutoModel.from_pretrained(str(folder), use_safetensors=True, dtype=torch.float32, **safe)
            tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), **safe)
            static = distill_from_model(network, tokenizer, device="cpu", pca_dims=dimensions)
    except Exception as error:  # tokenizers raises nothing narrower
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"{folder}: cannot be distilled: {reason}") from None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent))
    except OSError as error:
        raise ModelError(f"{target.parent}: cannot be written: {error.strerror}. Set XDG_CACHE_HOME.") from None
    static.tokenizer.save(str(temporary / _TOKENIZER))
    save_file({"embedding": torch.from_numpy(np.asarray(static.embedding, dtype=np.float32))}, temporary / _WEIGHTS)
    try:
        temporary.rename(target)
    except OSError:  # another process was quicker
        shutil.rmtree(temporary)


def cache_directory() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "claimsieve"
