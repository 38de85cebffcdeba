"""What a run is called, and what is known of it at its start."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name, _validate_param_name

from claimsieve.errors import TrackingError
from claimsieve.tracking.start import described_parts, flattened, parameters
from claimsieve.tracking.store import lasting_uri, safe_name, shown_uri, store_errors, tracking_uri


def cuts(seeds, folds=(None,)):
    return [SimpleNamespace(seed=seed, fold=fold) for seed in seeds for fold in folds]


@pytest.mark.parametrize(
    ("given_cuts", "told"),
    [
        (cuts([0, 1, 2, 3, 4]), "seeds 0–4"),
        (cuts([7, 0]), "seeds 0, 7"),
        (cuts([3], ["a", "b"]), "2 held out in turn · seed 3"),
        (cuts([0, 1], ["a", "b", "c"]), "3 held out in turn · seeds 0–1"),
        (cuts([0, 1], ["a"]), "seeds 0–1"),
    ],
)
def test_the_parts_of_a_training_are_told_in_a_few_words(given_cuts, told):
    assert described_parts(given_cuts) == told


def test_nested_settings_are_flattened_by_dotted_path():
    nested = {"a": {"b": 1, "c": [1, 2]}, "d": [{"e": None}, {"e": "x"}], "f": {}}
    assert flattened(nested) == {"a.b": "1", "a.c": "[1, 2]", "d.0.e": "None", "d.1.e": "x", "f": "{}"}


def test_a_rating_with_any_signs_is_no_parameter_that_is_refused():
    found = parameters({"maps": {"own": {"half true?": "refuted"}}, "long": "x" * 9000})
    assert found["maps.own.half true_"] == "refuted"
    assert len(found["long"]) == 500


@settings(deadline=None)
@given(st.text(max_size=300) | st.text("/. a", max_size=12) | st.text("/.a", min_size=245, max_size=255))
def test_no_name_that_we_give_is_refused(text):
    name = safe_name(text)
    _validate_metric_name(name)
    _validate_param_name(name)
    assert len(name) <= 250


@pytest.mark.parametrize("name", ["test/macro_f1", "slice/event/Qasem Soleimani_macro_f1", "data.split.train", "a:b-c"])
def test_a_good_name_stays_as_it_is(name):
    assert safe_name(name) == name


def test_a_relative_sqlite_store_is_found_from_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert lasting_uri("sqlite:///mlflow.db") == f"sqlite:///{tmp_path}/mlflow.db"
    for uri in ("sqlite:////srv/mlflow.db", "sqlite:///:memory:", "http://127.0.0.1:5000", "postgresql://u@host/db"):
        assert lasting_uri(uri) == uri


def test_the_config_goes_before_the_environment_and_that_before_the_default(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri(None) == "sqlite:///mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking_uri(None) == "http://127.0.0.1:5000"
    assert tracking_uri("http://127.0.0.1:6000") == "http://127.0.0.1:6000"


def fail_as_mlflow_does():
    try:
        raise ConnectionRefusedError("no //me:secret@host:5 there")
    except ConnectionRefusedError as error:
        raise ValueError("API request to http://me:secret@host:5/api/2.0/runs failed with pages of text") from error


def test_a_store_error_tells_the_innermost_reason_and_no_password():
    message = r"^http://host:5: ConnectionRefusedError: no //host:5 there \(/api/2\.0/runs\)\. Is the server running\?"
    with pytest.raises(TrackingError, match=message), store_errors("http://me:secret@host:5"):
        fail_as_mlflow_does()
    assert shown_uri("sqlite:////srv/a@b.db") == "sqlite:////srv/a@b.db"
