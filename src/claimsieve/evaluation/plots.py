"""An Evaluation as pictures: who was taken for whom, and whether confidence means anything.

Figures are drawn without pyplot, so nothing is kept between calls and no display is needed. Colours are one hue from
light to dark, or the blue and vermilion of Okabe and Ito, which stay apart for colour-blind readers and in grey.
"""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from claimsieve.evaluation.evaluate import Evaluation
from claimsieve.evaluation.metrics import Bin
from claimsieve.records import LABELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE = "#0072B2"
VERMILION = "#D55E00"
GREY = "#767676"

DOTS_PER_INCH = 150


def confusion_matrix_figure(evaluation: Evaluation) -> "Figure":
    """Counts and shares of each true label's claims; the darker a cell, the larger its share."""
    figure = new_figure(width_inches=5.2, height_inches=4.8)
    axes = figure.add_subplot()
    totals = {label: sum(evaluation.confusion[label].values()) for label in LABELS}
    shares = [[_share(evaluation.confusion[true][given], totals[true]) for given in LABELS] for true in LABELS]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, true in enumerate(LABELS):
        for column, given in enumerate(LABELS):
            share = shares[row][column]
            style: dict[str, Any] = {"ha": "center", "va": "center", "color": "white" if share > 0.65 else "black"}
            axes.text(column, row - 0.08, f"{evaluation.confusion[true][given]:,}", fontsize=15, **style)
            # A label without claims has no shares: "0.0%" would say that all of them went elsewhere.
            axes.text(column, row + 0.2, f"{share:.1%}" if totals[true] else "–", fontsize=9, **style)
    for edge in (0.5, 1.5):
        axes.axhline(edge, color="white", linewidth=2)
        axes.axvline(edge, color="white", linewidth=2)
    axes.set_xticks(range(len(LABELS)), LABELS)
    axes.set_yticks(range(len(LABELS)), [f"{label}\nn = {totals[label]:,}" for label in LABELS])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("label given")
    axes.set_ylabel("true label")
    axes.set_title(f"Labels given to {evaluation.overall.n:,} claims", pad=22)
    subtitle = "count, and share of the true label's claims"
    axes.text(0.5, 1.02, subtitle, ha="center", fontsize=9, color=GREY, transform=axes.transAxes)
    return figure


def reliability_figure(evaluation: Evaluation) -> "Figure":
    """Accuracy against mean confidence per bin, and beneath it how many claims each bin holds."""
    figure = new_figure(width_inches=5.6, height_inches=6.0)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    draw_reliability(top, bottom, evaluation.reliability)
    # Above the axes, as no corner inside is free for every model.
    top.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False, fontsize=9)
    figure.suptitle(f"Reliability on {evaluation.overall.n:,} claims{_calibration_error(evaluation)}")
    return figure


def draw_reliability(top: "Axes", bottom: "Axes", bins: Sequence[Bin]) -> None:
    """Accuracy and gap per bin on the axes `top`, claims per bin on `bottom`."""
    filled = [
        (part.low, part.confidence, part.accuracy, part.n)
        for part in bins
        if part.confidence is not None and part.accuracy is not None
    ]
    lows, confidences, accuracies, counts = ([row[column] for row in filled] for column in range(4))
    left = min([*lows, 1 / len(LABELS)])  # the most probable of three labels has at least a third
    bars: dict[str, Any] = {
        "width": 1 / len(bins),
        "align": "edge",
        "edgecolor": "white",
        "color": BLUE,
    }

    top.bar(lows, accuracies, alpha=0.35, label="accuracy", **bars)
    top.vlines(confidences, confidences, accuracies, color=VERMILION, linewidth=2, label="gap to mean confidence")
    top.plot(confidences, accuracies, "o", color=BLUE, markersize=5, clip_on=False)
    top.plot([left, 1], [left, 1], color=GREY, linestyle="--", linewidth=1, label="perfect calibration")
    top.set_ylim(0, 1)
    top.set_ylabel("accuracy")

    bottom.bar(lows, counts, **bars)
    bottom.set_xlim(left, 1)
    bottom.set_xlabel("confidence: probability of the label given")
    bottom.set_ylabel("claims")
    bottom.yaxis.set_major_formatter("{x:,.0f}")
    for axes in (top, bottom):
        axes.spines[["top", "right"]].set_visible(False)


def optimism_figure(scores: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> "Figure":
    """Macro-F1 by seed under an honest and under a random split, a line between the means.

    scores: name of what was trained → (honest, random), a value per seed each.
    """
    figure = new_figure(width_inches=7.0, height_inches=1.4 + 0.32 * len(scores))
    axes = figure.add_subplot()
    for row, (honest, random) in enumerate(scores.values()):
        means = [sum(values) / len(values) for values in (honest, random)]
        axes.plot(means, [row, row], color=GREY, linewidth=1.5, zorder=1)
        for values, mean, colour, mark in ((honest, means[0], BLUE, "o"), (random, means[1], VERMILION, "s")):
            axes.plot(values, [row] * len(values), mark, color=colour, alpha=0.35, markersize=4)
            axes.plot([mean], [row], mark, color=colour, markersize=8)
    axes.set_yticks(range(len(scores)), list(scores))
    axes.set_ylim(len(scores) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xlabel("macro-F1 on test")
    axes.spines[["top", "right"]].set_visible(False)
    for label, colour, mark in (("honest split", BLUE, "o"), ("random rows", VERMILION, "s")):
        axes.plot([], [], mark, color=colour, label=label)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False, fontsize=9)
    return figure


def figure_bytes(figure: "Figure") -> bytes:
    """The figure as a PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    # matplotlib would write its version into the file; the bytes are to depend on the picture only.
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()


def new_figure(*, width_inches: float, height_inches: float) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _share(count: int, total: int) -> float:
    return count / total if total else 0.0


def _calibration_error(evaluation: Evaluation) -> str:
    ece = evaluation.overall.metrics["ece"]
    return "" if ece is None else f"; ECE {ece.value:.3f} [{ece.low:.3f}, {ece.high:.3f}]"
