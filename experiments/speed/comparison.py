"""Seconds to read and compare many models on the same test rows. Prints one line of JSON.

python experiments/speed/comparison.py [--models 20] [--rows 30000] [--unit claim]
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from claimsieve.comparison.compare import compare
from claimsieve.comparison.contestants import Contestant
from claimsieve.comparison.tested import read_tested
from claimsieve.evaluation.documents import TEST_PREDICTIONS
from claimsieve.records import LABELS

CORPORA, EVENTS = 5, 1_500
TEXT = "the bridge over the river was hit by shells on the night of the eighth, a witness told reporters"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--resamples", type=int, default=1_000)
    parser.add_argument("--unit", choices=["claim", "event"], default="claim")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directories = [
            written(Path(folder) / f"model-{number}", options.rows, number) for number in range(options.models)
        ]
        start = time.perf_counter()
        contestants = [Contestant(one.name, (read_tested(one, seed=0),)) for one in directories]
        read = time.perf_counter()
        comparison = compare(contestants, unit=options.unit, resamples=options.resamples)
        end = time.perf_counter()
    results = {
        **vars(options),
        "seconds_reading": round(read - start, 2),
        "seconds_comparing": round(end - read, 2),
        "seconds": round(end - start, 2),
        "peak_gigabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        "pairs": len(comparison.pairs),
        "slices": sum(len(pair.slices) for pair in comparison.pairs),
    }
    print(json.dumps(results))


def written(directory: Path, rows: int, number: int) -> Path:
    """Test predictions of a made-up model, each somewhat better than the one before, on the same rows for all."""
    same, own = np.random.default_rng(0), np.random.default_rng(number + 1)
    truth, events = same.integers(len(LABELS), size=rows), same.integers(EVENTS, size=rows)
    texts = [" ".join(same.choice(TEXT.split(), size=20)) for _ in range(rows)]
    logits = own.normal(size=(rows, len(LABELS)))
    logits[np.arange(rows), truth] += 1 + number / 100
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    directory.mkdir()
    with (directory / TEST_PREDICTIONS).open("w", encoding="utf-8") as stream:
        for row in range(rows):
            line = {
                "id": f"corpus-{row % CORPORA}:{row}",
                "claim": texts[row],
                "corpus": f"corpus-{row % CORPORA}",
                "event": f"event-{events[row]}",
                "label": LABELS[truth[row]],
                **{f"p_{label}": float(p) for label, p in zip(LABELS, probabilities[row], strict=True)},
                **{f"raw_p_{label}": float(p) for label, p in zip(LABELS, probabilities[row], strict=True)},
                "prediction_set": [LABELS[truth[row]]],
                "abstained": False,
                "reasons": [],
            }
            stream.write(json.dumps(line) + "\n")
    return directory


if __name__ == "__main__":
    main()
