"""The other ways of labelling pairs with the same weights, each as it is meant to be used."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from claimsieve.records import LABELS

Pair = tuple[str, str | None]
Run = Callable[[], list[str]]  # labels of all pairs, in order
PIPELINE_BATCHES = (1, 8, 32, 64)
OTHER_BATCHES = (32,)


def rivals(weights: Path, pairs: Sequence[Pair], *, max_tokens: int, folder: Path) -> dict[str, Run]:
    """Name → a run over all pairs. Those whose package is not installed are left out.

    weights: of an encoder. folder: an empty one, for an exported network.
    """
    found: dict[str, Run] = {}
    for size in PIPELINE_BATCHES:
        found[f"pipeline, batches of {size}"] = _pipeline(weights, pairs, size, max_tokens=max_tokens)
    for name, make in (("CrossEncoder", _cross_encoder), ("ONNX Runtime int8", _onnx_int8)):
        try:
            run = make(weights, pairs, max_tokens=max_tokens, folder=folder)
        except ImportError:
            continue
        for size in OTHER_BATCHES:
            found[f"{name}, batches of {size}"] = partial(run, size)
    return found


def _pipeline(weights: Path, pairs: Sequence[Pair], batch_size: int, *, max_tokens: int) -> Run:
    import transformers

    pipeline = transformers.pipeline("text-classification", model=str(weights), tokenizer=str(weights))
    inputs: Any = [{"text": a} if b is None else {"text": a, "text_pair": b} for a, b in pairs]

    def run() -> list[str]:
        # Over a list in memory; no file is read or written on this side.
        rows = pipeline(inputs, batch_size=batch_size, truncation="longest_first", max_length=max_tokens)
        return [row["label"] for row in rows]

    return run


def _cross_encoder(
    weights: Path, pairs: Sequence[Pair], *, max_tokens: int, folder: Path
) -> Callable[[int], list[str]]:
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(weights), num_labels=len(LABELS), max_length=max_tokens, local_files_only=True)

    def run(batch_size: int) -> list[str]:
        scores = model.predict([(a, b or "") for a, b in pairs], batch_size=batch_size, show_progress_bar=False)
        return [LABELS[place] for place in np.asarray(scores).argmax(axis=1)]

    return run


def _onnx_int8(weights: Path, pairs: Sequence[Pair], *, max_tokens: int, folder: Path) -> Callable[[int], list[str]]:
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(weights, local_files_only=True)
    exported, quantised = folder / "network.onnx", folder / "network-int8.onnx"
    names = [name for name in tokenizer.model_input_names if name in ("input_ids", "attention_mask", "token_type_ids")]
    _export(weights, tokenizer, names, exported)
    quantize_dynamic(str(exported), str(quantised), weight_type=QuantType.QInt8)
    session = onnxruntime.InferenceSession(str(quantised), providers=["CPUExecutionProvider"])
    # Sorted by length, which is more than its users mostly do.
    order = np.argsort([len(a) + len(b or "") for a, b in pairs], kind="stable")

    def run(batch_size: int) -> list[str]:
        labels = [""] * len(pairs)
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            seconds = [pairs[row][1] for row in rows]
            batch = tokenizer(
                [pairs[row][0] for row in rows], None if seconds[0] is None else seconds, padding=True,
                truncation="longest_first", max_length=max_tokens, return_tensors="np",
            )  # fmt: skip
            (logits,) = session.run(None, {name: batch[name].astype(np.int64) for name in names})
            for row, place in zip(rows, np.asarray(logits).argmax(axis=1), strict=True):
                labels[row] = LABELS[place]
        return labels

    return run


def _export(weights: Path, tokenizer: Any, names: Sequence[str], target: Path) -> None:
    import warnings

    import torch
    from transformers import AutoModelForSequenceClassification

    network = AutoModelForSequenceClassification.from_pretrained(
        weights, local_files_only=True, use_safetensors=True, attn_implementation="eager"
    ).eval()

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
            return self.network(**dict(zip(names, tensors, strict=True))).logits  # type: ignore[no-any-return]

    probe = tokenizer(["a b", "a"], ["c", "c d e"], padding=True, return_tensors="pt")
    axes = {name: {0: "rows", 1: "tokens"} for name in names} | {"logits": {0: "rows"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no compiler of its own is the older one
        torch.onnx.export(
            Logits(), tuple(probe[name] for name in names), str(target), input_names=list(names),
            output_names=["logits"], dynamic_axes=axes, dynamo=False,
        )  # fmt: skip
