import subprocess
import sys

import numpy as np
import pytest

from claimsieve.evaluation.evaluate import evaluate
from claimsieve.evaluation.plots import confusion_matrix_figure, figure_bytes, reliability_figure
from claimsieve.records import Claim


@pytest.fixture(scope="module")
def evaluation():
    """1,300 verified claims of which 1,040 are called so at 0.7, and 260 propaganda at 0.9; nothing else."""
    probabilities = np.array([[0.7, 0.2, 0.1]] * 1040 + [[0.05, 0.05, 0.9]] * 260)
    return evaluate(probabilities, [Claim(claim="a", label="verified")] * 1300, resamples=100)


def texts(figure):
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_confusion_matrix_shows_counts_shares_and_n(evaluation):
    found = texts(confusion_matrix_figure(evaluation))
    assert "Labels given to 1,300 claims" in found
    assert found.count("1,040") == found.count("80.0%") == 1
    assert found.count("260") == found.count("20.0%") == 1
    assert found.count("–") == 6  # two labels without claims have no shares
    assert "verified\nn = 1,300" in found


def test_reliability_shows_bins_counts_and_calibration_error(evaluation):
    figure = reliability_figure(evaluation)
    top, bottom = figure.axes
    assert [bar.get_height() for bar in top.patches] == [1.0, 0.0]
    assert [bar.get_height() for bar in bottom.patches] == [1040, 260]
    assert [round(bar.get_x(), 3) for bar in bottom.patches] == [0.667, 0.867]
    # 0.8 * |1 - 0.7| + 0.2 * |0 - 0.9|
    assert any("1,300 claims; ECE 0.420 [" in text for text in texts(figure))


@pytest.mark.parametrize("draw", [confusion_matrix_figure, reliability_figure])
def test_the_same_evaluation_gives_the_same_picture(evaluation, draw):
    first, second = figure_bytes(draw(evaluation)), figure_bytes(draw(evaluation))
    assert first == second
    assert first.startswith(b"\x89PNG")
    assert b"matplotlib" not in first


def test_matplotlib_is_imported_only_to_draw_and_pyplot_never():
    code = (
        "import sys; from claimsieve.evaluation import plots; assert 'matplotlib' not in sys.modules; "
        "plots.new_figure(width_inches=1, height_inches=1); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)
