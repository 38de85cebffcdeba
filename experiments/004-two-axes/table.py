"""Write results.md from trained models.

python experiments/004-two-axes/table.py runs/004
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from claimsieve.evaluation.assessment import Assessment, read_assessment
from claimsieve.evaluation.evaluate import Estimate
from claimsieve.records import LABELS
from claimsieve.whole_files import write_file

HERE = Path(__file__).parent
KINDS = {"two_axis": "two axes", "single_head": "single head"}


def main(runs: Path) -> None:
    text = ["# Results", ""]
    if (flagship := runs / "flagship" / "evaluation.json").is_file():
        text += _flagship(read_assessment(flagship.parent))
    text += _transfer(runs / "transfer")
    write_file(HERE / "results.md", ("\n".join(text).rstrip("\n") + "\n").encode())


def _flagship(found: Assessment) -> list[str]:
    axes = found.axes
    if axes is None or axes.stance is None or axes.manipulation is None:
        raise SystemExit("expected a model of two axes in flagship/")
    stance = [
        [name, f"{part.n:,}", _shown(part.macro_f1), f"{part.majority:.3f}"]
        for name, part in [*axes.stance_corpora.items(), ("all", axes.stance)]
    ]
    manipulation = [
        [name, f"{part.manipulated:,}", _shown(part.recall), f"{part.clean:,}", _shown(part.false_alarms)]
        for name, part in [*axes.manipulation_corpora.items(), ("all", axes.manipulation)]
    ]
    return [
        "## The flagship on its own test split, one seed",
        "",
        *(line for line in found.described().splitlines()),
        "",
        "Stance, macro-F1 over the stances that a corpus has (open is insufficient or conflicting):",
        "",
        *_table(["corpus", "n", "macro-F1 [95 %]", "commonest stance"], stance),
        f"Manipulation, at the threshold with 10 % false alarms on calibration ({axes.threshold:.3f}):",
        "",
        *_table(["corpus", "manipulate", "recall [95 %]", "do not", "false alarms [95 %]"], manipulation),
    ]


def _transfer(runs: Path) -> list[str]:
    names = sorted({path.parent.name for path in runs.glob("*/*/evaluation.json")})
    if not names:
        return []
    rows = []
    for name in names:
        for kind, title in KINDS.items():
            if (runs / name / kind / "evaluation.json").is_file():
                rows.append(_left_out(name, title, runs / name / kind))
    header = [
        "corpus left out",
        "model",
        "n",
        "macro-F1 [95 %]",
        "claim-only probe",
        "commonest label",
        "called",
        "are",
    ]
    note = "Macro-F1 over the labels that the corpus has. called, are: verified / unverified / propaganda, in per cent."
    return ["## On a corpus that was left out of training, one seed", "", note, "", *_table(header, rows)]


def _left_out(name: str, title: str, directory: Path) -> list[str]:
    found = read_assessment(directory)
    overall, lines = found.evaluation.overall, (directory / "test_predictions.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    called = Counter(max(LABELS, key=lambda label, row=row: row[f"p_{label}"]) for row in rows)
    commonest = max(overall.labels.values()) / overall.n
    probe = None if found.shortcuts is None else found.shortcuts.scores.get("claim_only")
    return [
        name,
        title,
        f"{overall.n:,}",
        _shown(overall.metrics["macro_f1"]),
        _shown(probe),
        f"{2 * commonest / (1 + commonest) / sum(count > 0 for count in overall.labels.values()):.3f}",
        " / ".join(f"{100 * called[label] / overall.n:.0f}" for label in LABELS),
        " / ".join(f"{100 * overall.labels.get(label, 0) / overall.n:.0f}" for label in LABELS),
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def _shown(estimate: Estimate | None) -> str:
    return "–" if estimate is None else f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
