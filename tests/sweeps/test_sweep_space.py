"""What may be swept: every path is a setting of the model, and every bound and choice makes a valid config."""

import pytest

from claimsieve.errors import ConfigError
from claimsieve.settings import Range
from claimsieve.sweeps.space import check_sweep, combinations, in_space, own_values, with_values

RATES = {"low": 1e-4, "high": 1e-1, "log": True}


def test_a_good_space_passes_whole(sweep_config):
    space = {
        "training.learning_rate": RATES,
        "training.epochs": {"low": 1, "high": 4},
        "model.hidden": [8, 16],
        "data.augmentation.withheld": {"low": 0.0, "high": 0.5},
        "data.inputs.1": ["evidence", "source"],
    }
    assert check_sweep(sweep_config(space, "static")).space.keys() == space.keys()


def test_a_config_without_a_sweep_is_shown_one(sweep_config):
    config = sweep_config({"model.max_word_ngram": [1, 2]}).model_copy(update={"sweep": None})
    with pytest.raises(ConfigError, match=r"expected a section 'sweep'(.|\n)*training\.learning_rate: \{low: 1e-5"):
        check_sweep(config)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("name", "it changes no model"),
        ("tracking.experiment", "it changes no model"),
        ("training.checkpoint_seconds", "it changes no model"),
        ("training.device", "it changes no model"),
        ("evaluation.resamples", "how a model is measured"),
        ("calibration.coverage", "fitted after the training"),
        ("seeds.0", "the best of many is the luckiest"),
        ("data.split.valid", "scores on other rows cannot be compared"),
        ("data.corpora.0.max_claims", "scores on other rows cannot be compared"),
        ("data.audit", "it changes no model"),
        ("gate.max_ece", "it changes no model"),
        ("card.owner", "it changes no model"),
        ("sweep.trials", "does not sweep itself"),
        ("model.kind", "a config for each kind"),
    ],
)
def test_what_is_measured_or_makes_no_model_is_refused_with_the_reason(sweep_config, path, reason):
    with pytest.raises(ConfigError, match=rf"sweep\.space:\n  {path}: cannot be swept: .*{reason}"):
        check_sweep(sweep_config({path: [1, 2]}))


@pytest.mark.parametrize(
    ("kind", "path", "reason"),
    [
        ("tfidf", "training.learning_rate", "tfidf is trained in one step"),
        ("static", "training.precision", "always trained in float32"),
    ],
)
def test_a_setting_that_the_kind_does_not_read_is_refused(sweep_config, kind, path, reason):
    with pytest.raises(ConfigError, match=reason):
        check_sweep(sweep_config({path: ["float32", "bfloat16"]}, kind))


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("training.learning_rat", RATES, r"found none\. Did you mean 'training\.learning_rate'\?"),
        ("model.hiden", [8, 16], r"Did you mean 'model\.hidden'\?"),
        ("data.inputs.7", ["claim", "evidence"], "expected the path of a value of this config"),
        ("training", [1, 2], r"the path of a single value, such as training\.epochs"),
        ("training.epochs", {"low": 0, "high": 3}, "training.epochs: expected greater than or equal to 1, found 0"),
        ("training.epochs", {"low": 1.5, "high": 3}, r"training.epochs: expected a valid integer.*found 1\.5"),
        (
            "training.learning_rate",
            {"low": 1e-3, "high": 2.0},
            r"training.learning_rate: expected less than 1, found 2",
        ),
        ("model.hidden", [16, "many"], 'model.hidden: expected a valid integer, found "many"'),
        ("data.inputs.1", ["evidence", "verdict"], r"data.inputs.1: .*found \"verdict\""),
        ("model.hidden", [16], r"expected two or more choices, each once, found \[16\]"),
        ("model.hidden", [], "expected two or more choices"),
        ("model.dropout", [0, 0.0, 0.1], r"expected two or more choices, each once, found \[0, 0\.0, 0\.1\]"),
    ],
)
def test_a_wrong_path_bound_or_choice_is_named(sweep_config, path, options, message):
    with pytest.raises(ConfigError, match=message):
        check_sweep(sweep_config({path: options}, "static"))


def test_every_problem_is_told_at_once(sweep_config):
    space = {"training.epochs": {"low": 0, "high": 3}, "model.hiden": [8, 16], "name": ["a", "b"]}
    with pytest.raises(ConfigError) as refused:
        check_sweep(sweep_config(space, "static"))
    assert [line.split(":")[0].strip() for line in str(refused.value).splitlines()[1:]] == list(space)


def test_where_every_group_is_test_once_there_is_nothing_to_leave_alone(sweep_config, planted_claims):
    data = {"corpora": [{"file": str(planted_claims)}], "split": {"hold_out": "each"}}
    with pytest.raises(ConfigError, match=r"data\.split\.hold_out: each makes every group test once"):
        check_sweep(sweep_config({"model.max_word_ngram": [1, 2]}, data=data))


def test_values_go_where_their_paths_say_and_nowhere_else(sweep_config):
    config = sweep_config({"model.hidden": [8, 16]}, "static")
    changed = with_values(config, {"model.hidden": 8, "data.inputs.1": "source", "training.max_steps": 5})
    assert (changed.model.hidden, changed.data.inputs, changed.training.max_steps) == (8, ("claim", "source"), 5)
    assert changed.sweep is None
    back = with_values(changed, own_values(config, {"model.hidden": [], "data.inputs.1": [], "training.max_steps": []}))
    assert back == config.model_copy(update={"sweep": None})


def test_a_space_of_whole_numbers_and_choices_can_be_written_out():
    space = {"a": Range(low=1, high=3), "b": ("x", True)}
    assert len(combinations(space)) == 6
    assert all(in_space(space, values) for values in combinations(space))
    assert combinations(space | {"c": Range(low=0.0, high=1.0)}) is None
    assert combinations({"a": Range(low=1, high=10**9)}) is None


@pytest.mark.parametrize("value", [0, 4, 2.5, True, "2", None])
def test_a_range_of_whole_numbers_holds_whole_numbers_only(value):
    assert in_space({"a": Range(low=1, high=3)}, {"a": 2})
    assert not in_space({"a": Range(low=1, high=3)}, {"a": value})
