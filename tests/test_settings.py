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


@pytest.mark.parametrize("kind", ["tfidf", "static"])
def test_what_only_an_encoder_has_is_refused_for_another_kind(kind):
    (problem,) = problems(model={"kind": kind}, training={"activation_checkpointing": True})
    assert problem.endswith(f"training.activation_checkpointing is for model.kind encoder, found {kind}.")
    (problem,) = problems(model={"kind": kind, "lora": {}})
    assert problem.startswith("model.lora: unknown key.")
