"""What models score on corpora that were left out of their training, beside what the claim's words alone score there.

python experiments/004-two-axes/transfer.py runs/004/transfer        # a folder for each fold, in it one for each kind
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from claimsieve.config import load
from claimsieve.data.prepare import cuts, parts, prepare
from claimsieve.evaluation.evaluate import Estimate, interval, macro_f1_draws, truth_of
from claimsieve.evaluation.metrics import Booleans, Floats
from claimsieve.evaluation.shortcut_models import shortcut_probabilities
from claimsieve.evaluation.shortcuts import sampled
from claimsieve.models.artifacts import CONFIG, read_manifest
from claimsieve.records import LABELS, Claim
from claimsieve.whole_files import write_file

KINDS = ("two_axis", "single_head")
MODELS = ("commonest", "claim_only", *KINDS)
RESAMPLES = 1000


def main(runs: Path) -> None:
    rows, gains = [], []
    for fold in sorted(path for path in runs.iterdir() if path.is_dir()):
        found = measured(fold)
        rows += [row for row, _ in found]
        gains += [gain for _, gain in found if gain is not None]
    lines = [json.dumps(row) for row in rows]
    write_file(Path(__file__).parent / "transfer.jsonl", ("\n".join(lines) + "\n").encode())
    print("\n".join(table(rows)))
    if gains:
        mean = interval(float(np.mean([value for value, _ in gains])), np.mean([draws for _, draws in gains], axis=0))
        print(f"\n{' - '.join(KINDS)}, mean of {len(gains)} corpora: {_shown_gain(mean)}")


def measured(fold: Path) -> list[tuple[dict, tuple[float, Floats] | None]]:
    """A row for each corpus of the fold's test split, and by how much two axes beat a single head, paired."""
    directories = {kind: fold / kind for kind in KINDS if (fold / kind / "test_predictions.jsonl").is_file()}
    splits, seed = splits_of(next(iter(directories.values())))
    test = splits["test"]
    shortcuts = shortcut_probabilities(sampled(splits["train"], seed), test, seed=seed)
    found = {"claim_only": shortcuts["claim_only"]}
    found |= {kind: predicted(directory, test) for kind, directory in directories.items()}
    truth = truth_of(test)
    result = []
    for corpus in sorted({str(claim.corpus) for claim in test}):
        own = np.flatnonzero([claim.corpus == corpus for claim in test])
        shares = truth[own].mean(axis=0)
        scores = {"commonest": scored(np.tile(shares, (len(own), 1)), truth[own])}
        scores |= {name: scored(probabilities[own], truth[own]) for name, probabilities in found.items()}
        called = {name: np.bincount(p[own].argmax(axis=1), minlength=3).tolist() for name, p in found.items()}
        has = dict(zip(LABELS, truth[own].sum(axis=0).tolist(), strict=True))
        row = {"fold": fold.name, "corpus": corpus, "seed": seed, "has": has, "called": called} | scores
        result.append((row, difference(*(found.get(kind) for kind in KINDS), truth=truth, own=own)))
    return result


def difference(
    one: Floats | None, other: Floats | None, *, truth: Booleans, own: np.ndarray
) -> tuple[float, Floats] | None:
    """Of macro-F1 on a corpus's own rows, and its bootstrap draws. None where there is one model only."""
    if one is None or other is None:
        return None
    first, second = (macro_f1_draws(part[own], truth[own], resamples=RESAMPLES) for part in (one, other))
    return first[0] - second[0], first[1] - second[1]


def splits_of(directory: Path) -> tuple[dict[str, list[Claim]], int]:
    """The claims that a model was trained and measured on, and its seed."""
    config, seed = load(str(directory / CONFIG)), read_manifest(directory).seed
    prepared = prepare(config.data)
    (cut,) = cuts(prepared, config.data, [seed])
    return parts(prepared, cut), seed


def predicted(directory: Path, test: Sequence[Claim]) -> Floats:
    rows = [json.loads(line) for line in (directory / "test_predictions.jsonl").read_text().splitlines()]
    if [row["id"] for row in rows] != [claim.id for claim in test]:
        raise SystemExit(f"{directory}: expected predictions of the fold's test rows, found others")
    return np.array([[row[f"p_{label}"] for label in LABELS] for row in rows])


def scored(probabilities: Floats, truth: Booleans) -> dict[str, object]:
    """Macro-F1 over the labels that there are: with any label allowed, and with those that the corpus has alone."""
    free = interval(*macro_f1_draws(probabilities, truth, resamples=RESAMPLES))
    chosen = np.where(truth.any(axis=0), probabilities, -1.0)
    forced = np.eye(len(LABELS))[chosen.argmax(axis=1)]
    only = interval(*macro_f1_draws(forced, truth, resamples=RESAMPLES))
    return {"any": [free.value, free.low, free.high], "own": [only.value, only.low, only.high]}


def table(rows: Sequence[dict]) -> list[str]:
    """Markdown: a row a corpus, and the means."""
    header = ["corpus", "n", *MODELS, "of its own labels: claim_only", *KINDS]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        cells = [_shown(row.get(name), "any") for name in MODELS]
        cells += [_shown(row.get(name), "own") for name in MODELS[1:]]
        lines.append([row["corpus"], f"{sum(row['has'].values()):,}", *cells])
    means = [[row[name][way][0] for row in rows if name in row] for way in ("any", "own") for name in MODELS]
    del means[len(MODELS)]
    lines.append(["mean", "", *(f"{np.mean(values):.3f}" if values else "–" for values in means)])
    return ["| " + " | ".join(line) + " |" for line in lines]


def _shown_gain(gain: Estimate) -> str:
    return f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"


def _shown(found: dict | None, way: str) -> str:
    return "–" if found is None else "{:.3f} [{:.3f}, {:.3f}]".format(*found[way])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
