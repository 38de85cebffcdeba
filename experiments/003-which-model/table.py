"""Write results.md from the trained models and their comparison.

python experiments/003-which-model/table.py runs/003
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from claimsieve.comparison.records import from_json
from claimsieve.evaluation.assessment import Assessment, read_assessment
from claimsieve.evaluation.evaluate import Slice
from claimsieve.evaluation.repeats import bounds, over_seeds
from claimsieve.models.artifacts import read_manifest
from claimsieve.records import LABELS
from claimsieve.whole_files import write_file

KINDS = ("tfidf", "static", "encoder")
HERE = Path(__file__).parent
TEST_TO_TRAIN = 0.18 / 0.6


def main(runs: Path) -> None:
    found = {kind: [read_assessment(path) for path in sorted((runs / kind).glob("seed-*"))] for kind in KINDS}
    seeds = [read_manifest(path).seed for path in sorted((runs / KINDS[0]).glob("seed-*"))]
    comparison = from_json(json.loads((runs / "comparison.json").read_text(encoding="utf-8")))
    text = [
        "# Results",
        "",
        f"Seeds {', '.join(map(str, seeds))}, each a split of its own; intervals over seeds (95 %, Nadeau–Bengio).",
        "",
        "## The verdict",
        "",
        f"By {comparison.unit}, {comparison.units:,} units: {comparison.verdict.sentence}.",
        *(f"{caveat}" for caveat in comparison.verdict.caveats),
        "",
        *_pairs(comparison),
        "## All corpora together",
        "",
        *_whole(found),
        "## By corpus",
        "",
        "Macro-F1 over the labels that a corpus has in test, mean over seeds and its interval; n is the mean number of "
        "test rows. Corpora of one label in test are left out.",
        "",
        *_corpora(found),
        "## Calibration by corpus: ECE before → after, encoder, mean over seeds",
        "",
        *_calibration(found["encoder"]),
    ]
    write_file(HERE / "results.md", ("\n".join(text).rstrip("\n") + "\n").encode())


def _pairs(comparison) -> list[str]:
    rows = []
    for pair in comparison.pairs:
        seeds = "–" if pair.seeds is None else _signed(pair.seeds.mean)
        rows.append(
            [
                f"{_short(pair.first)} – {_short(pair.second)}",
                _signed(pair.difference),
                seeds,
                f"{pair.p:.4f}",
                f"{pair.p_adjusted:.4f}",
                f"{pair.right_to_wrong:,} / {pair.wrong_to_right:,}",
                "sure" if pair.sure else "within noise",
            ]
        )
    return _table(
        ["pair", "macro-F1, pooled rows", "macro-F1, seed by seed", "p", "corrected", "rows won / lost", ""], rows
    )


def _whole(found: dict[str, list[Assessment]]) -> list[str]:
    names = {
        "test/macro_f1": "macro-F1",
        "test/accuracy": "accuracy",
        "probe/margin_over_best": "margin over best shortcut",
        "probe/model_evidence_shuffled_macro_f1": "macro-F1, evidence swapped",
        "calibration/ece_before": "ECE before calibration",
        "calibration/ece": "ECE after",
        "calibration/temperature": "temperature",
        "coverage/overall": "coverage of prediction sets (asked: .9)",
        "coverage/smallest": "coverage of the label covered least",
        "coverage/abstained": "abstained",
        "coverage/right_when_decided": "right when decided",
        "selective/aurc": "AURC",
        "base_rate/propaganda_precision": "precision of propaganda at 70/20/10",
        "base_rate/propaganda_precision_in_equal_shares": "precision of propaganda in equal shares",
        "base_rate/propaganda_false_flags_per_10_000": "false flags per 10,000 at 70/20/10",
    }
    rows = [["test rows", *(f"{mean(one.evaluation.overall.n for one in found[kind]):,.0f}" for kind in KINDS)]]
    for name, shown in names.items():
        rows.append([shown, *(_over(name, [one.metrics().get(name) for one in found[kind]]) for kind in KINDS)])
    return _table(["mean over seeds", *KINDS], rows)


def _corpora(found: dict[str, list[Assessment]]) -> list[str]:
    names = sorted({name for runs in found.values() for one in runs for name in one.evaluation.corpora})
    rows = []
    for name in names:
        parts = {kind: [one.evaluation.corpora.get(name) for one in found[kind]] for kind in KINDS}
        if any(part is None or _labels(part) < 2 for of_kind in parts.values() for part in of_kind):
            continue
        n = mean(part.n for part in parts["tfidf"])
        cells = [_over("macro_f1", [part.metrics["macro_f1"].value for part in parts[kind]]) for kind in KINDS]
        rows.append([name, f"{n:,.0f}", *cells])
    return _table(["corpus", "n", *KINDS], rows)


def _calibration(runs: Sequence[Assessment]) -> list[str]:
    reports = [one.decisions.calibration for one in runs]
    names = sorted(set.intersection(*(set(report.corpora) for report in reports)))
    rows = []
    for name in names:
        parts = [report.corpora[name] for report in reports]
        before, after = (mean(part.stages[stage].ece.value for part in parts) for stage in ("before", "after"))
        rows.append([name, f"{mean(part.n for part in parts):,.0f}", f"{before:.3f} → {after:.3f}"])
    return _table(["corpus", "n", "ECE"], rows)


def _labels(part: Slice) -> int:
    return sum(part.labels[label] > 0 for label in LABELS)


def _over(name: str, values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "–"
    low, high = bounds(name)
    span = over_seeds(known, test_to_train=TEST_TO_TRAIN, low=low, high=high)
    digits = 0 if abs(span.value) > 100 else 3
    return f"{span.value:,.{digits}f} [{span.low:,.{digits}f}, {span.high:,.{digits}f}]"


def _signed(estimate) -> str:
    return f"{estimate.value:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]"


def _short(name: str) -> str:
    return Path(name).name


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
