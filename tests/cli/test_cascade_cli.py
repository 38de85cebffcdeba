"""claimsieve cascade, and every command that takes what it made."""

import json

import pytest

from claimsieve import yaml12

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves

SPLIT = {"by": "group", "train": 0.4, "valid": 0.1, "calibration": 0.25, "test": 0.25}
ASKED = ("--max-disagreement", "0.2", "--confidence", "0.9")


@pytest.fixture
def place(monkeypatch, tmp_path):
    """A folder with a store of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    return tmp_path


@pytest.fixture
def pair(place, claimsieve, planted_claims, tiny_checkpoint):
    """Two trained models that are logged nowhere."""
    for kind in ("static", "encoder"):
        config = {
            "name": kind,
            "data": {"corpora": [{"file": str(planted_claims)}], "split": SPLIT},
            "model": {"kind": kind, "checkpoint": str(tiny_checkpoint)},
            "training": {"epochs": 3, "batch_tokens": 256, "learning_rate": 0.02 if kind == "static" else 3e-3},
            "evaluation": {"resamples": 100, "shortcuts": False},
            "gate": {
                "min_macro_f1": None,  # this is about the commands
                "complete_card": False,
                "clean_audit": False,
                "max_ece": None,
                "min_coverage": None,
                "min_margin_over_shortcuts": None,
            },
            "tracking": {"enabled": kind == "encoder"},
        }
        (place / f"{kind}.yaml").write_text(yaml12.dump(config), encoding="utf-8")
        code, _, errors = claimsieve("train", f"{kind}.yaml", "-q", "-o", f"runs/{kind}")
        assert code == 0, errors
    return "runs/static", "runs/encoder"


def test_a_cascade_is_made_and_logged_and_every_command_takes_it(pair, claimsieve, planted_claims, place):
    from mlflow import MlflowClient

    code, out, errors = claimsieve("cascade", *pair, "-o", "runs/both", *ASKED)
    assert code == 0, errors
    assert "answered by static [95 %]" in out
    assert "Speed on this machine" in out
    assert "next: claimsieve predict runs/both" in errors

    code, out, errors = claimsieve("predict", "runs/both", planted_claims, "-q")
    assert code == 0, errors
    assert len(out.splitlines()) == 120
    code, out, errors = claimsieve("evaluate", "runs/both", planted_claims, "--json", "-q")
    assert code == 0, errors
    assert json.loads(out)["overall"]["n"] == 120
    for command in (
        ("compare", "runs/static", "runs/both", "-q"),
        ("report", "runs/both", "-o", "report.html"),
        ("card", "runs/both", "-o", "card.md"),
    ):
        code, _, errors = claimsieve(*command)
        assert code == 0, (command, errors)
    assert "Two tiers" in (place / "card.md").read_text(encoding="utf-8")
    code, out, errors = claimsieve("promote", "runs/both", "--as", "champion", "--name", "claims", "--json")
    assert (code, json.loads(out)["passed"]) == (0, True), errors
    code, out, errors = claimsieve("predict", "models:/claims@champion", planted_claims, "-q")
    assert code == 0, errors

    code, out, errors = claimsieve("cascade", *pair, "-o", "runs/again", *ASKED, "--json", "-q")
    assert (code, errors) == (0, "")
    printed = json.loads(out)
    assert 0 <= printed["threshold"] <= 1
    assert printed["limit"] <= 0.2
    assert {"rows", "answered", "expected", "measured"} == printed["speed"].keys()
    client = MlflowClient()
    (experiment,) = [one for one in client.search_experiments() if one.name == "claimsieve"]
    runs = client.search_runs([experiment.experiment_id], "tags.kind = 'cascade'")
    assert len(runs) == 2
    metrics = runs[0].data.metrics
    assert metrics["cascade/threshold"] == pytest.approx(printed["threshold"])
    assert metrics["test/macro_f1"] == printed["metrics"]["test/macro_f1"]
    assert runs[0].data.tags["encoder"] == printed["fingerprints"]["encoder"]
    assert runs[0].data.params["model.cheap.kind"] == "static"


@pytest.mark.parametrize("option", ["--max-disagreement", "--confidence"])
@pytest.mark.parametrize("value", ["0", "1", "-0.1", "nan", "1e-320"])
def test_a_share_out_of_range_is_a_wrong_option(claimsieve, option, value):
    code, _, errors = claimsieve("cascade", "a", "b", "-o", "c", option, value)
    assert code == 2
    assert f"claimsieve: {option}: expected a number from 0.000001 to less than 1, found {float(value):g}" in errors


def test_a_directory_without_a_model_is_one_line_on_stderr(claimsieve, place):
    code, out, errors = claimsieve("cascade", "nowhere", "nothing", "-o", "both")
    assert (code, out) == (1, "")
    assert errors.startswith("claimsieve: nowhere: expected a model directory with manifest.json, found none as there")
    assert list(place.iterdir()) == []
