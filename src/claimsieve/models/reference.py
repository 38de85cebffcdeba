"""The slow way, which the quick one is compared with: plain transformers in float32, one sequence at a time."""

from collections.abc import Sequence
from typing import Any

import torch

from claimsieve.data.inputs import render
from claimsieve.models.attributions import Floats
from claimsieve.models.opening import quiet_transformers
from claimsieve.models.pooling import pool
from claimsieve.models.transformer import Encoded, Transformer, as_encoded
from claimsieve.records import Claim, InputField


def reference_logits(transformer: Transformer, claims: Sequence[Claim], inputs: Sequence[InputField]) -> list[Floats]:
    """Of each claim, the logits of the sequences that it is read in, without padding. Shape: (sequences, outputs)"""
    network = _network(transformer)
    found = []
    with torch.inference_mode():
        for claim in claims:
            logits = [
                network(**{name: torch.tensor(ids, device=network.device) for name, ids in sequence.items()}).logits
                for sequence in _sequences(transformer, claim, inputs)
            ]
            found.append(torch.cat(logits).double().cpu().numpy())
    return found


def _network(transformer: Transformer) -> Any:
    if not transformer.is_saved:
        return transformer.network  # the weights of a training, which ends in float32
    with quiet_transformers():  # what is loaded is perhaps rounded to bfloat16
        plain = type(transformer.network).from_pretrained(
            transformer.checkpoint, use_safetensors=True, local_files_only=True, dtype=torch.float32
        )
    pool(plain, transformer.pooling)
    return plain.eval()


def _sequences(transformer: Transformer, claim: Claim, inputs: Sequence[InputField]) -> list[Encoded]:
    """The claim as the tokenizer itself puts it together; evidence longer than the window in pieces."""
    first, second = render(claim, inputs)
    whole = transformer.tokenizer(
        [first], [second] if "evidence" in inputs else None, truncation=False, padding=False, verbose=False
    )
    if len(whole["input_ids"][0]) <= transformer.max_tokens:
        return [dict(whole)]
    # The rule of models/passages.py says what goes together.
    named = as_encoded(transformer.pair_encoder(inputs)([claim]))
    return [{name: [rows[place]] for name, rows in named.items()} for place in range(len(named["input_ids"]))]
