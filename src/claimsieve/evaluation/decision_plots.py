"""What one can decide on, as pictures: calibration, what is left to people, base rates, differences between runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from claimsieve.evaluation.base_rates import BaseRates
from claimsieve.evaluation.evaluate import Estimate
from claimsieve.evaluation.metrics import Bin
from claimsieve.evaluation.plots import BLUE, GREY, VERMILION, draw_reliability, new_figure
from claimsieve.evaluation.selective import RiskCoverage

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_NAME_CHARACTERS = 44


def calibration_figure(
    before: Sequence[Bin], after: Sequence[Bin], *, ece_before: Estimate, ece_after: Estimate, n: int
) -> "Figure":
    """Reliability diagrams of the same n claims before and after calibration, on the same scales."""
    figure = new_figure(width_inches=9.0, height_inches=5.6)
    grid = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(3, 1))
    starts = []
    for column, (name, bins, ece) in enumerate((("before", before, ece_before), ("after", after, ece_after))):
        top, bottom = grid[:, column]
        draw_reliability(top, bottom, bins)
        starts.append(bottom.get_xlim()[0])
        top.set_title(f"{name}: ECE {_shown(ece)}", fontsize=11)
    for axes in grid[:, 1]:
        axes.set_ylabel("")
    grid[0, 0].set_xlim(min(starts), 1)
    handles, names = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    figure.suptitle(f"Confidence before and after calibration, on {n:,} claims")
    return figure


def risk_coverage_figure(curve: RiskCoverage) -> "Figure":
    """The share of wrong decisions by the share of claims decided, between the best order and one by chance."""
    figure = new_figure(width_inches=6.2, height_inches=4.6)
    axes = figure.add_subplot()
    coverages = [point.coverage for point in curve.curve]
    risks = [point.risk for point in curve.curve]
    wrong = curve.error_share.value
    best = [max(0.0, coverage - (1 - wrong)) / coverage for coverage in coverages]
    lows, highs = [risk.low for risk in risks], [risk.high for risk in risks]
    axes.fill_between(coverages, lows, highs, color=BLUE, alpha=0.2, linewidth=0, label="95 % interval")
    axes.plot(coverages, [risk.value for risk in risks], color=BLUE, linewidth=2, label="by confidence")
    axes.plot([0, 1], [wrong, wrong], color=GREY, linestyle="--", linewidth=1, label="by chance")
    axes.plot(coverages, best, color=VERMILION, linestyle=":", linewidth=1.5, label="best possible")
    axes.set_xlim(0, 1)
    # The first points stand for so few claims that their intervals would flatten the rest.
    settled = [risk.high for risk in risks[len(risks) // 10 :]]
    axes.set_ylim(0, min(1.0, 1.1 * max([wrong, curve.error_share.high, *settled])))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(_percent)
    axes.set_xlabel("claims decided, the most confident first")
    axes.set_ylabel("wrong among the decided")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, frameon=False, fontsize=9)
    weighted = ", weighed by your mix of labels" if curve.weighted else ""
    figure.suptitle(
        f"Errors left when people take the rest: {curve.n:,} claims{weighted}\n"
        f"AURC {_shown(curve.aurc)}; above the best possible {_shown(curve.excess_aurc)}",
        fontsize=10,
    )
    return figure


def base_rate_figure(rates: BaseRates) -> "Figure | None":
    """Precision of propaganda by its share of the items, as the mix may be off; None where it is undefined."""
    points = [(row.share, row.precision) for row in rates.by_share if row.precision is not None]
    if not points:
        return None
    figure = new_figure(width_inches=6.2, height_inches=4.6)
    axes = figure.add_subplot()
    shares, precisions = [share for share, _ in points], [precision for _, precision in points]
    lows, highs = [precision.low for precision in precisions], [precision.high for precision in precisions]
    axes.fill_between(shares, lows, highs, color=BLUE, alpha=0.2, linewidth=0, label="95 % interval")
    axes.plot(shares, [precision.value for precision in precisions], color=BLUE, linewidth=2, label="precision")
    own = None if rates.at_mix is None else rates.at_mix.labels["propaganda"].precision
    share = rates.prevalence["propaganda"]
    if own is not None and share > 0:
        axes.plot([share, share], [own.low, own.high], color=VERMILION, linewidth=2)
        axes.plot([share], [own.value], "o", color=VERMILION, markersize=8, label="your mix")
    equal = None if rates.in_equal_shares is None else rates.in_equal_shares.labels["propaganda"].precision
    if equal is not None:
        axes.axhline(equal.value, color=GREY, linestyle="--", linewidth=1, label="in equal shares")
    axes.set_xscale("log")
    axes.set_xlim(min(shares[0], share or 1), max(shares[-1], share))
    ticks = [0.001, 0.005, 0.02, 0.1, 0.5]
    axes.set_xticks(ticks, [f"{tick:.1%}" if tick < 0.01 else f"{tick:.0%}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(0, 1)
    axes.set_xlabel("share of propaganda among the items (logarithmic)")
    axes.set_ylabel("precision of propaganda")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, frameon=False, fontsize=9)
    figure.suptitle(
        f"Precision of propaganda as its share of the items changes\n{rates.n:,} test claims, "
        f"{rates.labels['propaganda']:,} of them propaganda; other labels in your proportion",
        fontsize=10,
    )
    return figure


def forest_figure(rows: Sequence[tuple[str, Estimate]], *, measure: str, n: int) -> "Figure":
    """Differences with their intervals, from top to bottom; those whose interval leaves out 0 are filled.

    rows: name and difference, at least one. measure: what differs, such as "macro-F1 less that of tfidf-1".
    n: test claims that all of them were measured on.
    """
    figure = new_figure(width_inches=9.0, height_inches=1.6 + 0.34 * len(rows))
    axes = figure.add_subplot()
    axes.axvline(0, color=GREY, linewidth=1, zorder=0)
    for row, (_, difference) in enumerate(rows):
        colour = BLUE if difference.low > 0 else VERMILION if difference.high < 0 else GREY
        filling = "white" if difference.low <= 0 <= difference.high else colour
        axes.plot([difference.low, difference.high], [row, row], color=colour, linewidth=2)
        axes.plot([difference.value], [row], "o", color=colour, markerfacecolor=filling, markersize=7)
        axes.annotate(
            _signed(difference),
            (1.02, row),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
            annotation_clip=False,
        )
    axes.set_yticks(range(len(rows)), [_short(name) for name, _ in rows], parse_math=False)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.locator_params(axis="x", nbins=6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"{measure}, 95 % interval, n = {n:,}", parse_math=False)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.suptitle("Filled: the interval leaves out 0", fontsize=9, color=GREY)
    return figure


def _shown(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _signed(difference: Estimate) -> str:
    return f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"


def _short(name: str) -> str:
    """Long names keep both ends, where those of runs differ."""
    if len(name) <= MAX_NAME_CHARACTERS:
        return name
    half = MAX_NAME_CHARACTERS // 2
    return f"{name[:half]}…{name[-half + 1 :]}"


def _percent(share: float, _: float) -> str:
    return f"{share:.0%}"
