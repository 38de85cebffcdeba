"""Settings that are refused in words which help."""

import pytest

from claimsieve import config
from claimsieve.errors import ConfigError

MINIMAL = {"name": "a", "data": {"corpora": [{"recipe": "starter"}]}, "model": {"kind": "tfidf"}}


def problems(**changes):
    """The problems of the minimal config with some keys changed."""
    with pytest.raises(ConfigError) as refusal:
        config.validate(MINIMAL | changes, place="a.yaml")
    return [line.removeprefix("  ") for line in str(refusal.value).split("\n")[1:]]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"low": 2, "high": 1}, ": expected low < high, and low > 0 with log, found 2 and 1."),
        ({"low": "a", "high": 1}, '.low: expected a valid number, found "a".'),
        ({"low": 1}, ".high: missing; a value is required."),
        ({"low": 1, "high": 2, "lgo": True}, ".lgo: unknown key. Did you mean 'low'? Known here: high, log, low."),
        (3, ": expected {low, high} or a list of values: texts, numbers, true, false."),
        ([1, {}], ": expected {low, high} or a list of values: texts, numbers, true, false."),
    ],
)
def test_each_problem_of_a_sweep_is_told_once_by_the_typed_path(options, told):
    found = problems(sweep={"space": {"training.learning_rate": options, "training.epochs": [1, 2]}})
    assert found == [f"sweep.space.training.learning_rate{told}"]


@pytest.mark.parametrize("uri", ["https://me:secret@host/store", "postgresql+psycopg2://me:secret@host:5/x"])
def test_a_password_in_the_tracking_address_is_refused_and_not_repeated(uri):
    (problem,) = problems(tracking={"uri": uri})
    assert problem.startswith("tracking.uri: expected an address without user and password")
    assert "MLFLOW_TRACKING_PASSWORD" in problem
    assert "secret" not in problem
    for kept in ("sqlite:///a=b.db", "http://host:5000", "postgresql://me@host/x", "http://host/a:b@c"):
        changed = config.validate(MINIMAL | {"tracking": {"uri": kept}}, place="a.yaml")
        assert changed.tracking.uri == kept


@pytest.mark.parametrize(
    ("lora", "told"),
    [
        (5, ": expected an object, found 5."),
        ({"rank": 0}, ".rank: expected greater than or equal to 1, found 0."),
        ({"rnk": 8}, ".rnk: unknown key. Did you mean 'rank'? Known here: alpha, dropout, rank, target_modules."),
        ({"target_modules": "query"}, '.target_modules: expected a valid array, found "query".'),
        ({"target_modules": []}, ".target_modules: expected at least 1 entry, found none."),
        ({"target_modules": [1]}, ".target_modules.0: expected a valid string, found 1."),
    ],
)
def test_what_is_wrong_with_adapters_is_told_once(lora, told):
    assert problems(model={"kind": "encoder", "lora": lora}) == [f"model.lora{told}"]


@pytest.mark.parametrize(
    ("training", "told"),
    [
        (
            {"epoch_rows": 10},
            "training.epoch_rows, first_epochs and even_within go with training.corpus_temperature, found none",
        ),
        (
            {"even_within": "event"},
            "training.epoch_rows, first_epochs and even_within go with training.corpus_temperature, found none",
        ),
        (
            {"first_epochs": 1},
            "training.epoch_rows, first_epochs and even_within go with training.corpus_temperature, found none",
        ),
        (
            {"corpus_temperature": 2.0, "first_epochs": 1},
            "go together, with fewer first epochs than epochs, found 0 corpora and 1 of 3 epochs",
        ),
        (
            {"corpus_temperature": 2.0, "first_epochs": 3, "first_corpora": ["ptc"]},
            "go together, with fewer first epochs than epochs, found 1 corpora and 3 of 3 epochs",
        ),
    ],
)
def test_what_belongs_to_a_mixture_is_asked_for_whole(training, told):
    (problem,) = problems(model={"kind": "two_axis"}, training=training)
    assert told in problem


def test_two_axes_read_claim_and_evidence():
    corpora = [{"recipe": "starter"}]
    (problem,) = problems(model={"kind": "two_axis"}, data={"corpora": corpora, "inputs": ["claim"]})
    assert "model.kind two_axis reads claim and evidence: add evidence to data.inputs" in problem


def test_a_split_by_corpus_names_the_one_that_is_held_out():
    (problem,) = problems(data={"corpora": [{"recipe": "starter"}], "split": {"by": "corpus"}})
    assert "by: corpus needs hold_out, the name of a corpus or `each`" in problem


@pytest.mark.parametrize(
    ("hold_out", "told"),
    [
        ([3], "expected a valid string, found 3."),
        ([["averitec"]], 'expected a valid string, found ["averitec"].'),
        ([""], 'expected a text that should have at least 1 character, found "".'),
        ([], "expected at least 1 entry, found none."),
    ],
)
def test_what_is_held_out_has_a_name(hold_out, told):
    found = problems(data={"corpora": [{"recipe": "starter"}], "split": {"by": "corpus", "hold_out": hold_out}})
    assert f"data.split.hold_out: {told}" in "\n".join(found)
    assert "constrained" not in "\n".join(found)


def test_layers_are_frozen_by_count_or_by_adapters():
    (problem,) = problems(model={"kind": "two_axis", "lora": {}, "frozen_layers": 2})
    assert problem.endswith("expected lora or frozen_layers, found both: with lora all layers are frozen.")


@pytest.mark.parametrize("kind", ["tfidf", "static"])
def test_what_only_an_encoder_has_is_refused_for_another_kind(kind):
    (problem,) = problems(model={"kind": kind}, training={"activation_checkpointing": True})
    assert problem.endswith(f"training.activation_checkpointing is for model.kind encoder and two_axis, found {kind}.")
    (problem,) = problems(model={"kind": kind}, training={"corpus_temperature": 2.0})
    assert problem.endswith(f"training.corpus_temperature is for model.kind encoder and two_axis, found {kind}.")
    for own, value in (("lora", {}), ("frozen_layers", 1)):
        (problem,) = problems(model={"kind": kind, own: value})
        assert problem.startswith(f"model.{own}: unknown key.")
