"""What a sweep says of itself: no more than it found."""

import pytest

from claimsieve.evaluation.evaluate import Estimate
from claimsieve.evaluation.plots import figure_bytes
from claimsieve.sweeps.outcome import headline, line, short_names, table
from claimsieve.sweeps.picture import history_figure
from claimsieve.sweeps.trials import Record, Trial

VALUES = {"training.learning_rate": 0.00012345, "model.hidden": 64, "training.max_steps": None}


def trial(number, score=None, *, gain=None, state="complete", **more):
    own = None if gain is None else Estimate(gain, gain - 0.05, gain + 0.05)
    macro_f1 = None if score is None else Estimate(score, score - 0.1, score + 0.1)
    return Trial(number, dict(VALUES), state, 2.0, macro_f1=macro_f1, gain=own, **more)


def record(*trials, importances=None, seeds=(0,)):
    return Record("tried", "c", "d", 0, seeds, 600, 1234, trials=trials, importances=importances)


PRUNED = trial(3, state="pruned", curve={50: 0.3, 100: 0.2})
FAILED = trial(4, state="failed", reason="TrainingError: expected a finite loss, found nan at step 3.")


def test_the_table_has_the_best_first_and_failures_last():
    rows = table(record(trial(1, 0.5), trial(2, 0.6, gain=0.1), FAILED, PRUNED))
    assert rows[0][4:] == ["learning_rate", "hidden", "max_steps"]
    assert [row[0] for row in rows[1:]] == ["2", "1", "3", "4"]
    assert rows[1][1:] == ["0.600 [0.500, 0.700]", "+0.100 [+0.050, +0.150]", "2.0", "0.0001234", "64", "null"]
    assert [row[1:3] for row in rows[2:]] == [
        ["0.500 [0.400, 0.600]", "the config's own"],
        ["ended early", "–"],
        ["failed", "–"],
    ]
    assert len(table(record(*(trial(n, 0.5) for n in range(1, 30))))) == 11


def test_names_are_short_where_that_is_enough():
    assert short_names(["model.dropout", "training.epochs"]) == {
        "model.dropout": "dropout",
        "training.epochs": "epochs",
    }
    assert short_names(["data.inputs.0", "other.0"]) == {"data.inputs.0": "data.inputs.0", "other.0": "other.0"}


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (
            0.1,
            "trial 2 is best with macro-F1 0.600 [0.500, 0.700] on valid, +0.100 [+0.050, +0.150] against the config's",
        ),
        (0.04, "+0.040 [-0.010, +0.090] against the config's own values: a difference that may be noise."),
    ],
)
def test_the_headline_gives_n_intervals_and_says_when_it_may_be_noise(gain, words):
    told = headline(record(trial(1, 0.5), trial(2, 0.6, gain=gain), PRUNED, FAILED))
    assert told[0].startswith("4 trials (2 complete, 1 ended early, 1 failed) on 1,234 valid claims, seed 0: ")
    assert words in told[0]
    assert ("noise" in told[0]) == (gain < 0.05)
    assert "too high" in told[-1]


def test_when_nothing_beats_the_config_that_is_said():
    told = headline(record(trial(1, 0.7), trial(2, 0.6, gain=-0.1), seeds=(0, 1, 2)))
    assert "mean of 3 seeds" in told[0]
    assert told[0].endswith("the config's own values. Nothing that was tried does better.")


def test_importance_is_told_as_the_rough_thing_that_it_is():
    told = headline(record(trial(1, 0.5), trial(2, 0.6, gain=0.1), importances={"model.hidden": 0.75}))
    assert "between the 2 complete trials, roughly: hidden 75%." in told[1]


def test_a_line_says_how_each_trial_ended():
    best = trial(2, 0.6)
    own = line(trial(1, 0.5), planned=9, best=best)
    assert own.startswith(
        "trial 1/9: valid macro-F1 0.500 [0.400, 0.600], best so far 0.600 · 2.0 s · learning_rate=0.000"
    )
    assert own.endswith("max_steps=null (the config's own)")
    assert "best so far" not in line(best, planned=9, best=best)
    assert "trial 3/9: ended early at epoch 1, macro-F1 0.200" in line(PRUNED, planned=9, best=best)
    assert "trial 4/9: failed: TrainingError: expected a finite loss" in line(FAILED, planned=9, best=best)


def test_the_picture_has_complete_and_ended_trials_and_the_best_so_far():
    found = record(trial(1, 0.5), trial(2, 0.4), PRUNED, FAILED, trial(5, 0.7))
    (axes,) = history_figure(found).axes
    lines = {one.get_label(): one for one in axes.lines}
    assert lines["best so far"].get_xydata().tolist() == [[1, 0.5], [2, 0.5], [5, 0.7], [5, 0.7]]
    assert lines["ended early"].get_xydata().tolist() == [[3, 0.3]]
    assert lines["complete, with 95 % interval"].get_xdata().tolist() == [1, 2, 5]
    assert "1,234 valid claims" in axes.get_ylabel()
    assert figure_bytes(history_figure(found)).startswith(b"\x89PNG")


def test_the_picture_does_not_need_the_config_s_own_values():
    failed = trial(1, state="failed", reason="out of memory")
    (axes,) = history_figure(record(failed, trial(2, 0.4))).axes
    assert "the config's own values" not in {one.get_label() for one in axes.lines}
