import itertools

import numpy as np
import pytest

from claimsieve.evaluation.base_rates import base_rates
from claimsieve.evaluation.decision_plots import (
    MAX_NAME_CHARACTERS,
    base_rate_figure,
    calibration_figure,
    forest_figure,
    risk_coverage_figure,
)
from claimsieve.evaluation.evaluate import Estimate
from claimsieve.evaluation.metrics import Bin
from claimsieve.evaluation.plots import BLUE, DOTS_PER_INCH, GREY, VERMILION, figure_bytes
from claimsieve.evaluation.selective import risk_coverage

NEWSROOM = {"verified": 0.9, "unverified": 0.08, "propaganda": 0.02}

BEFORE = [Bin(0.0, 0.5, 300, 0.45, 0.4), Bin(0.5, 1.0, 1000, 0.9, 0.6)]
AFTER = [Bin(0.0, 0.5, 0, None, None), Bin(0.5, 1.0, 1300, 0.6, 0.55)]


def calibration():
    before, after = Estimate(0.242, 0.21, 0.27), Estimate(0.05, 0.04, 0.07)
    return calibration_figure(BEFORE, AFTER, ece_before=before, ece_after=after, n=1300)


def curve(*, n=200, weights=None):
    generator = np.random.default_rng(0)
    confidence = generator.uniform(0.4, 1, n)
    return risk_coverage(confidence, generator.uniform(size=n) < confidence, weights=weights, resamples=100)


def rates(prevalence=NEWSROOM, *, propaganda=True):
    codes = np.arange(120) % (3 if propaganda else 2)
    given = np.where(np.arange(120) % 5 == 0, (codes + 1) % 3, codes)
    return base_rates(0.1 + 0.7 * np.eye(3)[given], np.eye(3, dtype=bool)[codes], prevalence=prevalence, resamples=100)


def forest(names=("encoder", "static", "tfidf")):
    differences = [Estimate(0.03, 0.01, 0.05), Estimate(-0.02, -0.05, 0.01), Estimate(-0.09, -0.13, -0.05)]
    return forest_figure(list(zip(names, differences, strict=True)), measure="macro-F1 less that of words", n=1300)


def texts(figure):
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def cut_or_overlapping(figure):
    """Texts that stick out of the picture, and pairs of texts that overlap."""
    from matplotlib.text import Text

    figure.set_dpi(DOTS_PER_INCH)
    figure.canvas.draw()
    hidden = set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        hidden |= {tick.label1 for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high}
    shown = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible() and text not in hidden]
    boxes = {text: text.get_window_extent() for text in shown}
    width, height = figure.canvas.get_width_height()
    cut = [text for text, box in boxes.items() if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height]
    pairs = itertools.combinations([(text, box.padded(-1)) for text, box in boxes.items() if box.width > 0], 2)
    return cut + [(one, other) for (one, first), (other, second) in pairs if first.overlaps(second)]


def test_calibration_shows_both_sides_on_the_same_scales():
    figure = calibration()
    before, after, counts_before, counts_after = figure.axes
    assert [bar.get_height() for bar in before.patches] == [0.4, 0.6]
    assert [bar.get_height() for bar in after.patches] == [0.55]
    assert [bar.get_height() for bar in counts_before.patches] == [300, 1000]
    assert [bar.get_height() for bar in counts_after.patches] == [1300]
    assert before.get_xlim() == after.get_xlim() == counts_after.get_xlim() == (0, 1)
    assert counts_before.get_ylim() == counts_after.get_ylim()
    found = texts(figure)
    assert "Confidence before and after calibration, on 1,300 claims" in found
    assert {"before: ECE 0.242 [0.210, 0.270]", "after: ECE 0.050 [0.040, 0.070]"} <= set(found)
    assert [text for text in found if text.startswith("perfect")] == ["perfect calibration"]


def test_risk_coverage_draws_the_curve_between_chance_and_the_best_order():
    found = curve()
    figure = risk_coverage_figure(found)
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.lines}
    assert lines["by confidence"].get_xdata().tolist() == [kept.coverage for kept in found.curve]
    assert lines["by confidence"].get_ydata().tolist() == [kept.risk.value for kept in found.curve]
    assert set(lines["by chance"].get_ydata()) == {found.error_share.value}
    best = dict(zip(lines["best possible"].get_xdata(), lines["best possible"].get_ydata(), strict=True))
    assert best[1.0] == pytest.approx(found.error_share.value)
    assert best[0.5] == 0  # fewer than half are wrong
    assert best[0.9] == pytest.approx((found.error_share.value - 0.1) / 0.9)
    assert (lines["best possible"].get_ydata() <= lines["by confidence"].get_ydata() + np.float64(1e-12)).all()
    assert axes.get_ylim()[1] >= found.error_share.high
    assert any("200 claims\n" in text and f"AURC {found.aurc.value:.3f} [" in text for text in texts(figure))


def test_risk_coverage_says_when_claims_were_weighed():
    figure = risk_coverage_figure(curve(weights=np.linspace(0.1, 1, 200)))
    assert any("200 claims, weighed by your mix of labels" in text for text in texts(figure))


def test_base_rates_mark_the_user_s_mix_on_the_curve():
    found = rates()
    figure = base_rate_figure(found)
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.lines}
    own = found.at_mix.labels["propaganda"].precision.value
    assert (lines["your mix"].get_xdata(), lines["your mix"].get_ydata()) == ([0.02], [own])
    assert lines["precision"].get_xydata().tolist() == [[row.share, row.precision.value] for row in found.by_share]
    assert set(lines["in equal shares"].get_ydata()) == {found.in_equal_shares.labels["propaganda"].precision.value}
    assert any("120 test claims, 40 of them propaganda" in text for text in texts(figure))


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.8])
def test_a_mix_beyond_the_curve_is_still_in_the_picture(share):
    found = rates({"verified": 0.9 * (1 - share), "unverified": 0.1 * (1 - share), "propaganda": share})
    (axes,) = base_rate_figure(found).axes
    low, high = axes.get_xlim()
    assert 0 < low <= 0.001
    assert high == max(0.5, share)
    marks = [line.get_xdata() for line in axes.lines if line.get_label() == "your mix"]
    assert marks == ([[share]] if share else [])
    assert share == 0 or low <= share


def test_without_propaganda_in_test_there_is_no_picture_of_its_precision():
    assert base_rate_figure(rates(propaganda=False)) is None


def test_forest_fills_what_leaves_out_zero():
    figure = forest()
    (axes,) = figure.axes
    marks = [line for line in axes.lines if line.get_marker() == "o"]
    assert [line.get_color() for line in marks] == [BLUE, GREY, VERMILION]
    assert [line.get_markerfacecolor() for line in marks] == [BLUE, "white", VERMILION]
    assert [line.get_ydata() for line in marks] == [[0], [1], [2]]
    low, high = axes.get_ylim()
    assert low > high  # the first row stands on top
    found = texts(figure)
    assert "macro-F1 less that of words, 95 % interval, n = 1,300" in found
    assert "-0.020 [-0.050, +0.010]" in found


def test_forest_takes_any_name():
    long = "static-claim+evidence-" + "a-very-long-name-" * 5 + "seed-1"
    found = texts(figure := forest(("$a_{$", long, "tfidf")))
    (shortened,) = {text for text in found if "…" in text}
    assert len(shortened) == MAX_NAME_CHARACTERS
    assert shortened.startswith("static-claim+evidence-")
    assert shortened.endswith("seed-1")
    assert "$a_{$" in found
    assert figure_bytes(figure).startswith(b"\x89PNG")


def test_forest_of_equal_runs():
    figure = forest_figure([("again", Estimate(0, 0, 0))], measure="macro-F1 less that of words", n=3)
    assert not cut_or_overlapping(figure)


@pytest.mark.parametrize(
    "draw",
    [
        calibration,
        lambda: risk_coverage_figure(curve(n=1)),
        lambda: risk_coverage_figure(curve(n=3000, weights=np.linspace(0.1, 1, 3000))),
        lambda: base_rate_figure(rates()),
        forest,
        lambda: forest_figure(
            [(f"run-{i}" * 9, Estimate(0.1, -1, 1)) for i in range(20)], measure="accuracy", n=30_000
        ),
    ],
)
def test_texts_are_whole_and_apart_and_the_picture_repeats(draw):
    assert cut_or_overlapping(draw()) == []
    assert figure_bytes(draw()) == figure_bytes(draw())
