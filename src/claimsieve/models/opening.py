"""A checkpoint opened as a classifier or as a body: local files only, safetensors only, none of its own code."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from claimsieve.errors import ModelError
from claimsieve.records import LABELS


def open_classifier(
    folder: Path, *, outputs: Sequence[str] = LABELS, dropout: float | None, attention: str | None = None
) -> tuple[Any, Any]:
    """Tokenizer and network, in float32.

    outputs: what a new head's outputs are called. dropout: opens it for training, with this dropout and perhaps a new
    head; None: as it was saved. attention: an implementation of transformers; None is the quickest for the purpose.
    Raises ModelError when the folder holds no classifier, when its weights are not all there, and for a tokenizer
    without padding.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    training = dropout is not None
    if training and attention is None and not torch.cuda.is_available():
        attention = "eager"  # quicker than SDPA's backward pass on a processor; elsewhere SDPA, the default, is quicker
    safe = {"local_files_only": True, "trust_remote_code": False}
    with quiet_transformers():
        try:
            config = AutoConfig.from_pretrained(folder, **safe)
            if dropout is not None:
                _shape(config, outputs, dropout)
            tokenizer: Any = AutoTokenizer.from_pretrained(folder, **safe)
            network, found = AutoModelForSequenceClassification.from_pretrained(
                folder,
                config=config,
                use_safetensors=True,
                dtype=torch.float32,
                attn_implementation=attention,
                ignore_mismatched_sizes=training,  # a head for other labels is replaced
                output_loading_info=True,
                **safe,
            )
        except Exception as error:  # tokenizers raises nothing narrower
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(f"{folder}: cannot be opened as a sequence classifier: {reason}") from None
    lost = _lost_weights(network, found, training=training)
    if lost:
        raise ModelError(
            f"{folder}: expected all weights of {type(network).__name__}, found none that fit "
            f"'{lost[0]}' and {len(lost) - 1} more. Its config.json and weights do not belong together."
        )
    if tokenizer.pad_token_id is None:
        raise ModelError(f"{folder}: expected a tokenizer with a padding token, found none.")
    return tokenizer, network


def open_body(folder: Path) -> tuple[Any, Any]:
    """Tokenizer and network without a head, in float32, for inference.

    Raises ModelError when the folder holds none, when its weights are not all there (a pooler may be missing: nothing
    here reads it), and for a tokenizer without padding.
    """
    from transformers import AutoModel, AutoTokenizer

    safe = {"local_files_only": True, "trust_remote_code": False}
    with quiet_transformers():
        try:
            tokenizer: Any = AutoTokenizer.from_pretrained(folder, **safe)
            network, found = AutoModel.from_pretrained(
                folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **safe
            )
        except Exception as error:  # tokenizers raises nothing narrower
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(f"{folder}: cannot be opened as an encoder: {reason}") from None
    lost = [name for name in _lost_weights(network, found, training=False) if "pooler" not in name]
    if lost:
        raise ModelError(
            f"{folder}: expected all weights of {type(network).__name__}, found none that fit "
            f"'{lost[0]}' and {len(lost) - 1} more. Its config.json and weights do not belong together."
        )
    if tokenizer.pad_token_id is None:
        raise ModelError(f"{folder}: expected a tokenizer with a padding token, found none.")
    return tokenizer, network.eval()


def unpadded_attention(device: torch.device, dtype: torch.dtype) -> str | None:
    """Attention of variable length, which computes nothing for padding, where it is installed: on CUDA, in bfloat16."""
    from transformers.utils.import_utils import is_flash_attn_2_available

    if device.type == "cuda" and dtype == torch.bfloat16 and is_flash_attn_2_available():
        return "flash_attention_2"
    return None


def _shape(config: Any, outputs: Sequence[str], dropout: float) -> None:
    config.num_labels = len(outputs)
    config.id2label = dict(enumerate(outputs))
    config.label2id = {name: place for place, name in enumerate(outputs)}
    config.use_cache = False  # of text that is generated; transformers would warn of it
    for name, value in config.to_dict().items():
        if "dropout" in name and type(value) in (int, float):
            setattr(config, name, dropout)


def checkpoint_activations(network: Any, folder: Path) -> None:
    """Compute activations again in the backward pass. Raises ModelError for an architecture that cannot."""
    # Within transformers 5 the method has got another name.
    enable = getattr(network, "activation_checkpointing_enable", None) or network.gradient_checkpointing_enable
    try:
        enable({"use_reentrant": False})
    except ValueError:
        raise ModelError(
            f"{folder}: expected an architecture whose activations can be computed again, found "
            f"{type(network).__name__}. Set training.activation_checkpointing to false."
        ) from None


def _lost_weights(network: Any, found: Mapping[str, Any], *, training: bool) -> list[str]:
    """Names of the weights that stayed random although they should not; in training the head and pooler may be new."""
    names = sorted([*found["missing_keys"], *(name for name, *_ in found["mismatched_keys"])])
    if not training:
        return names
    body = f"{network.base_model_prefix}."
    return [name for name in names if name.startswith(body) and "pooler" not in name]


def longest(network: Any) -> int:
    """How many tokens there are positions for. RoBERTa and its kin begin counting after the padding's place."""
    found = getattr(network.config, "max_position_embeddings", None) or sys.maxsize
    for name, module in network.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            found = min(found, module.num_embeddings - module.padding_idx - 1)
    return int(found)


@contextmanager
def quiet_transformers() -> Iterator[None]:
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
