"""Write results.md from trained models.

python experiments/004-two-axes/table.py runs/004
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from claimsieve.evaluation.assessment import Assessment, read_assessment
from claimsieve.evaluation.evaluate import Estimate
from claimsieve.whole_files import write_file

HERE = Path(__file__).parent


def main(runs: Path) -> None:
    text = ["# Results", ""]
    if (flagship := runs / "flagship" / "evaluation.json").is_file():
        text += _flagship(read_assessment(flagship.parent))
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


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def _shown(estimate: Estimate | None) -> str:
    return "–" if estimate is None else f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
