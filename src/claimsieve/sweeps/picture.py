"""A sweep as a picture: how each trial did on valid, and the best so far."""

from itertools import accumulate
from typing import TYPE_CHECKING

from claimsieve.evaluation.plots import BLUE, GREY, VERMILION
from claimsieve.sweeps.trials import OWN, Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def history_figure(record: Record) -> "Figure":
    """Macro-F1 on valid by trial, with intervals; trials that were ended early where they stood; the best so far."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    complete = [(trial.number, trial.macro_f1) for trial in record.trials if trial.macro_f1 is not None]
    numbers = [number for number, _ in complete]
    scores = [score.value for _, score in complete]
    axes.vlines(numbers, [s.low for _, s in complete], [s.high for _, s in complete], color=BLUE, alpha=0.3)
    axes.plot(numbers, scores, "o", color=BLUE, markersize=5, label="complete, with 95 % interval")
    ended = [trial for trial in record.trials if trial.state == "pruned"]
    if ended:
        axes.plot(
            [trial.number for trial in ended],
            [max(trial.curve.values()) for trial in ended],
            "x",
            color=GREY,
            markersize=6,
            label="ended early",
        )
    best = list(accumulate(scores, max))
    last = record.trials[-1].number
    axes.step([*numbers, last], [*best, best[-1]], where="post", color=VERMILION, linewidth=1.5, label="best so far")
    if numbers[0] == OWN:
        axes.axhline(scores[0], color=GREY, linestyle="--", linewidth=1, label="the config's own values")
    axes.set_ylim(0, 1)
    axes.set_xlabel("trial")
    axes.set_ylabel(f"macro-F1 on {record.n_valid:,} valid claims")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False, fontsize=9)
    return figure
