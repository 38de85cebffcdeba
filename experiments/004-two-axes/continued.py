"""What going on with one corpus alone gives, beside the flagship on the same test rows and the best shortcut there.

python experiments/004-two-axes/continued.py runs/004      # writes continued.md, of runs/004/continued and .../plain
"""

import json
import sys
from pathlib import Path

import numpy as np
from table import _shown, _table

from claimsieve.evaluation.assessment import read_assessment
from claimsieve.evaluation.evaluate import Estimate, interval, macro_f1_draws
from claimsieve.evaluation.metrics import Booleans, Floats
from claimsieve.records import LABELS
from claimsieve.whole_files import write_file

RESULTS = Path(__file__).with_name("continued.md")
HEADER = ["corpus", "n", "flagship", "continued", "gain", "best shortcut", "margin", "n", "from plain MiniLM"]


def main(runs: Path) -> None:
    flagship = answers(runs / "flagship")
    rows = []
    for directory in sorted(path.parent for path in runs.glob("continued/*/evaluation.json")):
        corpus, own = directory.name, answers(directory)
        if missing := [row for row in own if row not in flagship]:
            raise SystemExit(f"{directory}: expected test rows of the flagship, found {len(missing)} others")
        truth = np.array([truth for truth, _ in own.values()])
        before, after = (np.array([found[row][1] for row in own]) for found in (flagship, own))
        rows.append([corpus, f"{len(own):,}", *compared(before, after, truth), *shortcut(directory)])
        plain = runs / "plain" / corpus
        rows[-1] += of_plain(plain) if (plain / "evaluation.json").is_file() else ["–", "–"]
    write_file(RESULTS, ("\n".join(["# One corpus alone, from the flagship on", "", *_table(HEADER, rows)])).encode())
    print(RESULTS.read_text(encoding="utf-8"))


def answers(directory: Path) -> dict[str, tuple[list[bool], list[float]]]:
    """Id of a test row → its true label as a row of the truth, and the probabilities."""
    rows = [json.loads(line) for line in (directory / "test_predictions.jsonl").read_text().splitlines()]
    return {
        row["id"]: ([row["label"] == label for label in LABELS], [row[f"p_{label}"] for label in LABELS])
        for row in rows
    }


def compared(before: Floats, after: Floats, truth: Booleans) -> list[str]:
    """Label macro-F1 of both, and the difference, paired."""
    first, second = (macro_f1_draws(found, truth) for found in (before, after))
    gain = interval(second[0] - first[0], second[1] - first[1])
    return [_shown(interval(*first)), _shown(interval(*second)), signed(gain)]


def shortcut(directory: Path) -> list[str]:
    found = read_assessment(directory).shortcuts
    if found is None or found.margin is None:
        return ["–", "–"]
    return [f"{found.scores[found.best].value:.3f} ({found.best})", signed(found.margin)]


def of_plain(directory: Path) -> list[str]:
    """Its test rows are nearly, not quite the same."""
    found = read_assessment(directory).evaluation.overall
    return [f"{found.n:,}", _shown(found.metrics["macro_f1"])]


def signed(estimate: Estimate) -> str:
    return f"{estimate.value:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
