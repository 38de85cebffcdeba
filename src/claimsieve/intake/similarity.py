"""How alike texts are in meaning: cosine of mean-pooled sentence embeddings of a small encoder."""

from collections.abc import Sequence
from typing import Any

import numpy as np

MAX_TOKENS = 128
BATCH_TEXTS = 64


class Embedder:
    """all-MiniLM-L6-v2 as the installed package carries it: the mean of all tokens' last states, of length 1.

    Sentence encoders are trained so (Reimers & Gurevych 2019, arXiv:1908.10084). A fine-tuned classifier's states are
    not: it is asked what label a pair has, and not whether two texts are alike. Raises ModelError without weights.
    """

    def __init__(self) -> None:
        from transformers import AutoModel, AutoTokenizer

        from claimsieve.models.checkpoints import checkpoint_directory
        from claimsieve.models.opening import quiet_transformers

        folder = checkpoint_directory("default")
        safe = {"local_files_only": True, "trust_remote_code": False}
        with quiet_transformers():
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, **safe)
            self._network: Any = AutoModel.from_pretrained(folder, use_safetensors=True, **safe).eval()

    def embed(self, texts: Sequence[str]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """Shape: (texts, width); each row has length 1."""
        import torch

        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        rows: list[Any] = [None] * len(texts)
        for start in range(0, len(order), BATCH_TEXTS):
            places = order[start : start + BATCH_TEXTS]
            batch = self._tokenizer(
                [texts[place] for place in places],
                padding=True,
                truncation=True,
                max_length=MAX_TOKENS,
                return_tensors="pt",
            )
            with torch.inference_mode():
                states = self._network(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
            mean = (states * mask).sum(1) / mask.sum(1)
            for place, row in zip(places, torch.nn.functional.normalize(mean, dim=1).numpy(), strict=True):
                rows[place] = row
        width = int(self._network.config.hidden_size)
        return np.asarray(rows, dtype=np.float32).reshape(len(texts), width)
