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
