"""LIAR's six ratings as they are, on its authors' split, to stand beside published figures.

    CLAIMSIEVE_CORPORA=~/corpora python experiments/004-two-axes/liar_six.py 0 1 2    # seeds; writes liar_six.json

The statement alone, and the statement with who said it where (speaker, job, state, party, place, subjects), never with
the speaker's history of ratings, which holds the answer. all-MiniLM-L6-v2; the epoch with the best macro-F1 on the
authors' valid split is kept; test is looked at once a seed. Intervals: 95 % bootstrap over statements.
"""

import copy
import csv
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from claimsieve.models.fitting import fit_network
from claimsieve.models.loop import Examples, LoopSettings
from claimsieve.models.transformer import LogitsOnly, Transformer
from claimsieve.records import Claim, Evidence, InputField
from claimsieve.whole_files import write_file

RATINGS = ("pants-fire", "false", "barely-true", "half-true", "mostly-true", "true")
SETTINGS = LoopSettings(epochs=4, batch_tokens=2048, learning_rate=1e-4, label_weights="balanced")
RESAMPLES = 2_000
WAYS: dict[str, tuple[InputField, ...]] = {"statement": ("claim",), "statement, who and where": ("claim", "evidence")}
RESULTS = Path(__file__).with_name("liar_six.json")


def rows_of(part: str) -> tuple[list[Claim], np.ndarray]:
    """Statements, with who said them where as if it were evidence, and the places of their ratings."""
    path = Path(os.environ["CLAIMSIEVE_CORPORA"], "liar", f"{part}.tsv")
    claims, ratings = [], []
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            about = "; ".join(cell for cell in (*row[4:8], row[13], row[3]) if cell)
            claims.append(Claim(claim=row[2], evidence=(Evidence(about or "-"),)))
            ratings.append(RATINGS.index(row[1]))
    return claims, np.array(ratings)


def trained(inputs: tuple[InputField, ...], seed: int) -> Iterator[tuple[str, float, np.ndarray]]:
    """Yields 'valid' and its macro-F1 after each epoch, and at the end 'test', its macro-F1 and what was chosen."""
    transformer = Transformer(outputs=RATINGS, pooling="mean", max_tokens=128, seed=seed)
    transformer.prepare()
    (train, labels), (valid, valid_labels), (test, test_labels) = map(rows_of, ("train", "valid", "test"))
    encoded, _ = transformer.one_window(train, inputs)
    asked, _ = transformer.one_window(valid, inputs)
    examples = Examples(
        [len(ids) for ids in encoded["input_ids"]],
        labels,
        lambda rows: transformer.collate(encoded, rows),
        heads=(RATINGS,),
    )
    best, weights = -1.0, transformer.network.state_dict()
    steps = fit_network(
        LogitsOnly(transformer.network), examples, valid_labels=np.zeros(0, dtype=np.int64),
        valid_probabilities=lambda: np.zeros((0, 3)), settings=SETTINGS, seed=seed,
    )  # fmt: skip
    before = 0
    for step in steps:
        if int(step.epoch + 1e-9) == before and step.number < step.total:
            continue
        before = int(step.epoch + 1e-9)
        score = macro_f1(valid_labels, transformer.logits(asked).argmax(axis=1))
        yield "valid", score, valid_labels
        if score > best:
            best, weights = score, copy.deepcopy(transformer.network.state_dict())
    transformer.network.load_state_dict(weights)
    chosen = transformer.logits(transformer.one_window(test, inputs)[0]).argmax(axis=1)
    yield "test", macro_f1(test_labels, chosen), chosen


def macro_f1(labels: np.ndarray, chosen: np.ndarray) -> float:
    return float(f1_score(labels, chosen, average="macro", labels=range(len(RATINGS)), zero_division=0))


def interval(labels: np.ndarray, chosen: list[np.ndarray]) -> list[float]:
    """Of the mean of the seeds, which are asked the same statements."""
    draw = np.random.default_rng(0)
    means = []
    for _ in range(RESAMPLES):
        rows = draw.integers(0, len(labels), len(labels))
        means.append(np.mean([macro_f1(labels[rows], one[rows]) for one in chosen]))
    return [float(value) for value in np.percentile(means, [2.5, 97.5])]


def main(seeds: list[int]) -> None:
    _, labels = rows_of("test")
    results = {}
    for name, inputs in WAYS.items():
        told, choices, valid = [], [], []
        for seed in seeds:
            scores = []
            for part, score, chosen in trained(inputs, seed):
                print(name, seed, part, round(score, 4), file=sys.stderr, flush=True)
                if part == "valid":
                    scores.append(score)
                else:
                    told.append(score)
                    choices.append(chosen)
            valid.append(max(scores))
        results[name] = {
            "n": len(labels), "seeds": seeds, "macro_f1": told, "mean": float(np.mean(told)),
            "interval": interval(labels, choices), "accuracy": [float((one == labels).mean()) for one in choices],
            "valid_macro_f1": valid,
        }  # fmt: skip
        write_file(RESULTS, (json.dumps(results, indent=1) + "\n").encode())
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]])
