"""Write results.md and results-large.md from trained models, each where there is one.

python experiments/004-two-axes/table.py runs/004
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from transfer import predicted, splits_of

from claimsieve.evaluation.assessment import Assessment, read_assessment
from claimsieve.evaluation.evaluate import Estimate, interval, macro_f1_draws, truth_of
from claimsieve.evaluation.shortcut_models import shortcut_probabilities
from claimsieve.evaluation.shortcuts import sampled
from claimsieve.whole_files import write_file

HERE = Path(__file__).parent
RESULTS = {"flagship": "results.md", "flagship-large": "results-large.md"}
READ = ("averitec", "climate_fever", "climate_fever_pairs", "covidfact", "fever_pairs", "scifact_rte", "starter")


def main(runs: Path) -> None:
    for name, file in RESULTS.items():
        if (runs / name / "evaluation.json").is_file():
            text = [f"# Results of {name}", "", *_scores(read_assessment(runs / name)), *_margins(runs / name)]
            write_file(HERE / file, ("\n".join(text).rstrip("\n") + "\n").encode())


def _scores(found: Assessment) -> list[str]:
    axes = found.axes
    if axes is None or axes.stance is None or axes.manipulation is None:
        raise SystemExit("expected models of two axes")
    stance = [
        [name, f"{part.n:,}", _shown(part.macro_f1), f"{part.majority:.3f}"]
        for name, part in [*axes.stance_corpora.items(), ("all", axes.stance)]
    ]
    manipulation = [
        [name, f"{part.manipulated:,}", _shown(part.recall), f"{part.clean:,}", _shown(part.false_alarms)]
        for name, part in [*axes.manipulation_corpora.items(), ("all", axes.manipulation)]
    ]
    return [
        "## On its own test split, one seed",
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


def _margins(directory: Path) -> list[str]:
    """Of each corpus with evidence, and the best of its own shortcuts: picked on the test rows, in its favour."""
    splits, seed = splits_of(directory)
    test = splits["test"]
    own, truth = predicted(directory, test), truth_of(test)
    shortcuts = shortcut_probabilities(sampled(splits["train"], seed), test, seed=seed)
    rows = []
    for corpus in READ:
        places = np.flatnonzero([claim.corpus == corpus for claim in test])
        scores = {name: macro_f1_draws(p[places], truth[places]) for name, p in shortcuts.items()}
        best = max(scores, key=lambda name: scores[name][0])
        value, draws = macro_f1_draws(own[places], truth[places])
        margin = interval(value - scores[best][0], draws - scores[best][1])
        shown = _shown(interval(value, draws)), f"{scores[best][0]:.3f} ({best})", f"{scores['claim_only'][0]:.3f}"
        rows.append([corpus, f"{len(places):,}", *shown, _shown(margin)])
    header = ["corpus", "n", "label macro-F1 [95 %]", "best shortcut", "claim only", "margin [95 %]"]
    return [
        "Labels, beside each corpus's best shortcut (all were trained on the whole mix):",
        "",
        *_table(header, rows),
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def _shown(estimate: Estimate | None) -> str:
    return "–" if estimate is None else f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
