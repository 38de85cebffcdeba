"""Batch inference against other ways with the same weights, and against itself as files grow."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from claimsieve.benchmarks.measures import cold_start, job_alone, matrix_rate, spread, take_turns
from claimsieve.benchmarks.rivals import rivals
from claimsieve.data.inputs import render
from claimsieve.evaluation.assessment import read_calibration
from claimsieve.inference.budget import measured_batch_tokens
from claimsieve.inference.journal import Journal
from claimsieve.inference.predict import Job, predict_file
from claimsieve.models import Model
from claimsieve.models.artifacts import load_model
from claimsieve.models.joined import padded_tokens
from claimsieve.records import LABELS, Claim, row_of_claim

Say = Callable[[str], None]


def against_rivals(directory: Path, claims: Sequence[Claim], *, repeats: int, folder: Path, say: Say) -> dict[str, Any]:
    """An encoder file to file, against the other ways on lists in memory. claims: as many as can be waited for.

    No prediction sets on our side: no rival makes them, and they take a second look at claims with several passages.
    """
    model: Any
    model, manifest = load_model(directory)
    _with_best_budget(model, manifest.fingerprint, folder)
    source, target = write_claims(claims, folder / "claims.jsonl"), folder / "labelled.jsonl"
    pairs = [(a, b if "evidence" in model.inputs else None) for a, b in (render(c, model.inputs) for c in claims)]
    committing: list[float] = []

    def ours() -> list[str]:
        with _timed_commits(committing):
            predict_file(model, Job(str(source), str(target), restart=True))
        return [json.loads(line)["label"] for line in target.read_text(encoding="utf-8").splitlines()]

    sides = {
        "claimsieve": ours,
        **rivals(directory / "weights", pairs, max_tokens=model.transformer.max_tokens, folder=folder),
    }
    seconds, given = take_turns(sides, repeats=repeats, say=say)
    lengths = [len(ids) for ids in model.encode(claims).ids]
    padded = padded_tokens(np.array(lengths), batch_tokens=model.batch_tokens, joins=model.transformer.joins)
    ours_seconds = spread(seconds["claimsieve"])["median"]
    plain = np.array(LABELS)[model.reference(claims).argmax(axis=1)]
    labels = np.array(given["claimsieve"])
    rate = matrix_rate(str(model.computed_as()["precision"]))
    return {
        "claims": len(claims),
        "mean_tokens": float(np.mean(lengths)),
        "batch_tokens": model.batch_tokens,
        "computed": dict(model.computed_as()),
        "claims_per_second": {
            name: spread([len(claims) / value for value in values]) for name, values in seconds.items()
        },
        "tokens_per_second": sum(lengths) / ours_seconds,
        "padding_share": 1 - sum(lengths) / padded,
        "labels_equal_to_float32": float((labels == plain).mean()),
        "labels_equal": {
            n: float((labels == np.array(value)).mean()) for n, value in given.items() if n != "claimsieve"
        },
        "share_of_matrix_rate": _operations(model, lengths) / ours_seconds / rate,
        "commit_share": float(np.median(committing)) / ours_seconds,
    }


def of_kind(directory: Path, claims: Sequence[Claim], *, repeats: int, folder: Path, say: Say) -> dict[str, Any]:
    """Rows per second file to file of a model of any kind as users run it, and what repeated rows cost."""
    model: Any
    model, manifest = load_model(directory)
    if "batch_tokens" in model.computed_as():
        _with_best_budget(model, manifest.fingerprint, folder)
    calibration = read_calibration(directory)
    whole = write_claims(claims, folder / "whole.jsonl")
    half = [*claims[: len(claims) // 2], *claims[: len(claims) - len(claims) // 2]]
    repeated = write_claims(half, folder / "repeated.jsonl")

    def job(source: Path) -> Callable[[], object]:
        target = str(folder / "out.jsonl")
        return lambda: predict_file(model, Job(str(source), target, restart=True), calibration=calibration)

    seconds, _ = take_turns({"whole": job(whole), "repeated": job(repeated)}, repeats=repeats, say=say)
    starts = [cold_start(directory, write_claims(claims[:1], folder / "one.jsonl"), folder / "one.out.jsonl")]
    starts += [cold_start(directory, folder / "one.jsonl", folder / "one.out.jsonl") for _ in range(repeats)]
    return {
        "kind": manifest.kind,
        "claims": len(claims),
        "claims_per_second": spread([len(claims) / value for value in seconds["whole"]]),
        "half_repeated_cost": float(np.median(seconds["repeated"]) / np.median(seconds["whole"])),
        "cold_start_seconds": spread(starts[1:]),
    }


def scaling(
    directory: Path, claims: Sequence[Claim], sizes: Sequence[int], *, folder: Path, say: Say
) -> list[dict[str, float]]:
    """Seconds and peak memory of files of so many rows, each in a process of its own. No row repeats another."""
    found = []
    for size in sizes:
        source = folder / "scaling.jsonl"
        with source.open("w", encoding="utf-8") as stream:
            for number in range(size):
                row = row_of_claim(claims[number % len(claims)])
                row["claim"] = f"{row['claim']} {number}"
                stream.write(json.dumps(row) + "\n")
        found.append(job_alone(directory, source, folder / "scaling.out.jsonl"))
        say(f"{size:,} rows: {found[-1]['seconds']:.1f} s, {found[-1]['peak_gigabytes']:.2f} GB")
    return found


def write_claims(claims: Sequence[Claim], path: Path) -> Path:
    """Claims as JSON Lines."""
    path.write_text("".join(json.dumps(row_of_claim(claim)) + "\n" for claim in claims), encoding="utf-8")
    return path


def _with_best_budget(model: Any, fingerprint: str, folder: Path) -> None:
    model.batch_tokens = measured_batch_tokens(model, fingerprint=fingerprint, cache=folder / "budget.json")


@contextmanager
def _timed_commits(totals: list[float]) -> Iterator[None]:
    """Within the block, how long commits to the journal take together is added to the list."""
    real, spent = Journal.commit, [0.0]

    def commit(self: Journal, parts: Mapping[str, bytes], tally: Mapping[str, int]) -> None:
        start = time.perf_counter()
        real(self, parts, tally)
        spent[0] += time.perf_counter() - start

    Journal.commit = commit  # type: ignore[method-assign]
    try:
        yield
    finally:
        Journal.commit = real  # type: ignore[method-assign]
    totals.append(spent[0])


def _operations(model: Model, lengths: Sequence[int]) -> float:
    """Of the matrix products, for the tokens that are there: twice the weights of linear layers, and the attention."""
    import torch

    network: Any = model.transformer.network  # type: ignore[attr-defined]
    linear = sum(
        module.weight.numel()
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.Linear) and "pooler" not in name and "classifier" not in name
    )
    width, layers = network.config.hidden_size, network.config.num_hidden_layers
    return float(sum(2 * linear * n + 4 * layers * width * n * n for n in lengths))
