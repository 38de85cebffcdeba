"""How quick is training? Ratios within one run, against transformers' own Trainer with the same weights; and the demo.

    make bench-training               # or: python experiments/speed/training.py [--quick] [-o FILE]

Data: real claims with evidence from CLAIMSIEVE_CORPORA (fever_pairs, averitec), else the starter corpus repeated.
Every figure is a median over repeats that take turns, so that a slow minute of the machine hits both sides.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import transformers

from claimsieve.benchmarks.measures import machine
from claimsieve.config import corpora_directory
from claimsieve.data import corpora
from claimsieve.data.inputs import render
from claimsieve.models.checkpoints import checkpoint_directory
from claimsieve.models.encoder import EncoderModel
from claimsieve.models.loop import LoopSettings
from claimsieve.records import LABELS, Claim, InputField
from claimsieve.settings import Corpus

INPUTS: tuple[InputField, ...] = ("claim", "evidence")
MAX_TOKENS = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="Fewer rows and repeats, to try the script.")
    parser.add_argument("--repeats", type=int, default=3, help="How often each side is measured.")
    parser.add_argument("--skip-demo", action="store_true", help="Do not time the demo.")
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parent / "results.json")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    repeats = 1 if options.quick else options.repeats
    claims = real_claims(4_000 if not options.quick else 400)
    results: dict[str, Any] = {
        "machine": machine(),
        "data": sorted({str(claim.corpus) for claim in claims}),
        "repeats": repeats,
    }
    with tempfile.TemporaryDirectory() as folder:
        results["training"] = training(claims[: 600 if not options.quick else 60], repeats=repeats, folder=Path(folder))
        if not options.skip_demo:
            results["demo"] = demo(Path(folder))
    options.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=1))


def real_claims(count: int) -> list[Claim]:
    """Labelled claims with evidence, mixed in a fixed order."""
    if corpora_directory() is not None:
        parts = [
            Corpus(recipe="fever_pairs", max_claims=count * 3 // 4),
            Corpus(recipe="averitec", max_claims=count // 4),
        ]
        claims, _ = corpora.load(parts)
    else:
        claims, _ = corpora.load([Corpus(recipe="starter")])
        claims = (claims * (count // len(claims) + 1))[:count]
    return sorted(claims, key=lambda claim: zlib.crc32(str(claim.id).encode()))


def training(claims: list[Claim], *, repeats: int, folder: Path) -> dict[str, Any]:
    """Tokens per second without padding, one epoch over the same examples from the same checkpoint."""
    batch_tokens = 32 * 80

    def ours() -> float:
        model = EncoderModel(
            inputs=INPUTS, max_tokens=MAX_TOKENS, loop=LoopSettings(epochs=1, batch_tokens=batch_tokens)
        )
        steps = model.fit(claims, valid=claims[:8])
        first = next(steps)  # weights are read and texts encoded before this
        start, tokens = time.perf_counter(), first.tokens
        for step in steps:
            tokens = step.tokens
        return (tokens - first.tokens) / (time.perf_counter() - start)

    def trainer() -> float:
        return trainer_tokens_per_second(claims, folder)

    times = take_turns({"ours": ours, "trainer": trainer}, repeats)
    return {
        "examples": len(claims),
        "tokens_per_second": {name: round(statistics.median(values)) for name, values in times.items()},
        "ratio": round(statistics.median(times["ours"]) / statistics.median(times["trainer"]), 2),
    }


def trainer_tokens_per_second(claims: list[Claim], folder: Path) -> float:
    """transformers.Trainer with its default settings, padding per batch."""
    from datasets import Dataset

    checkpoint = checkpoint_directory("default")
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=len(LABELS))
    sides = [render(claim, INPUTS) for claim in claims]
    encoded = tokenizer([a for a, _ in sides], [b for _, b in sides], truncation="longest_first", max_length=MAX_TOKENS)
    labels = [LABELS.index(claim.label) for claim in claims if claim.label]
    data = Dataset.from_dict({**encoded, "labels": labels})
    trainer = transformers.Trainer(
        model=network,
        args=transformers.TrainingArguments(
            output_dir=str(folder / "trainer"), num_train_epochs=1, report_to=[], save_strategy="no", disable_tqdm=True
        ),
        train_dataset=data,
        data_collator=transformers.DataCollatorWithPadding(tokenizer),
    )
    start = time.perf_counter()
    trainer.train()
    return sum(len(ids) for ids in encoded["input_ids"]) / (time.perf_counter() - start)


def demo(folder: Path) -> dict[str, Any]:
    """Wall time and peak memory of `claimsieve demo` with an empty cache, in a process of its own."""
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(folder / "cache"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/m.db",
    }
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "claimsieve", "demo", "-o", "demo", "-q"],
        check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    peak_kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {"seconds": round(time.perf_counter() - start, 1), "peak_gigabytes": round(peak_kilobytes / 1e6, 2)}


def take_turns(sides: dict[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {name: [] for name in sides}
    for repeat in range(repeats):
        for name, measure in sides.items():
            values[name].append(measure())
            print(f"{repeat + 1}/{repeats} {name}: {values[name][-1]:,.1f}", file=sys.stderr, flush=True)
    return values


if __name__ == "__main__":
    main()
