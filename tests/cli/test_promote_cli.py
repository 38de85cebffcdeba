"""claimsieve promote as it is typed, and models by their place in the registry where a model directory is taken."""

import json
import os
from pathlib import Path

import pytest

from claimsieve import config as configs
from claimsieve.runner import run_experiment

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves

CARD = "card: {owner: a, contact: b, licence: MIT, languages: [en], intended_use: c}"


@pytest.fixture(scope="module")
def store(planted_claims, tmp_path_factory):
    """A folder with a SQLite store, a run in it, and configs whose gates are met and not met."""
    folder = tmp_path_factory.mktemp("promoted")
    uri = f"sqlite:///{folder}/mlflow.db"
    common = (
        f"name: gate\ndata: {{corpora: [{{file: {planted_claims}}}]}}\nmodel: {{kind: tfidf, max_features: 2000}}\n"
    )
    common += f"evaluation: {{resamples: 100}}\ntracking: {{uri: '{uri}', experiment: claims}}\n{CARD}\n"
    (folder / "met.yaml").write_text(common + "gate: {max_ece: 1.0, clean_audit: false, min_coverage: 0.1}\n")
    (folder / "unmet.yaml").write_text(common + "gate: {min_margin_over_shortcuts: 0.9, max_ece: 0.0}\n")
    before = Path.cwd()
    os.chdir(folder)  # artifacts of a SQLite store lie in ./mlruns
    try:
        run_experiment(configs.load(str(folder / "met.yaml")), folder / "model")
        yield folder
    finally:
        os.chdir(before)


@pytest.fixture
def typed(store, claimsieve, monkeypatch):
    """Run a command on the store, in its folder."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}/mlflow.db")
    monkeypatch.chdir(store)
    return claimsieve


def test_conditions_that_hold_are_a_table_and_what_to_type_next(typed):
    code, out, err = typed("promote", "model", "--as", "champion")
    assert code == 0
    assert out.splitlines()[0].split() == ["condition", "holds", "expected", "found"]
    assert "NO" not in out
    assert "models:/claims@champion is version 1 now (it was not set)" in err
    assert "next: claimsieve predict models:/claims@champion recipe:demo" in err
    code, _, err = typed("promote", "model")
    assert (code, "is this model already, as version 1; nothing was changed" in err) == (0, True)


def test_conditions_that_do_not_hold_are_exit_code_5_and_named(typed):
    code, out, err = typed("promote", "model", "--config", "unmet.yaml", "--name", "unmet")
    assert code == 5
    assert "margin over shortcuts  NO" in out
    assert (
        "models:/unmet@champion: 3 of 8 conditions do not hold: margin over shortcuts, calibration error, clean" in err
    )
    assert "Nothing was changed: it is not set." in err


def test_a_text_that_is_no_run_is_not_offered_what_promote_does_not_take(typed):
    _, _, err = typed("promote", "claimz")
    assert "expected a model directory, or the id or name of a run" in err
    assert "experiment" not in err
    assert "Did you mean" not in err


def test_a_model_whose_record_waits_is_told_how_to_send_it(typed, store, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    config = configs.load(str(store / "met.yaml"))
    tracking = config.tracking.model_copy(update={"uri": "http://127.0.0.1:1"})
    run_experiment(config.model_copy(update={"tracking": tracking}), tmp_path / "waits")
    code, _, err = typed("promote", tmp_path / "waits")
    assert (code, f"claimsieve track sync {tmp_path / 'waits'}" in err) == (4, True)
    code, out, err = typed("compare", tmp_path / "waits", store / "model", "--resamples", 100)
    assert (code, bool(out)) == (0, True)
    assert f"{tmp_path / 'waits'}: not written to MLflow: named by directory, and its record waits to be sent" in err
    assert f"claimsieve track sync {tmp_path / 'waits'}" in err


@pytest.mark.parametrize(
    "command",
    [["promote", "a-run"], ["compare", "a", "b"], ["predict", "models:/claims@champion", "recipe:demo"], ["ui"]],
    ids=lambda command: command[0],
)
def test_a_server_that_does_not_answer_is_one_message_with_a_next_step(typed, monkeypatch, command):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    code, out, err = typed(*command)
    assert (code, out) == (4, "")
    assert err.rstrip().endswith("Is the server running? MLFLOW_TRACKING_URI says where it is.")
    assert len(err.splitlines()) == 1


def test_a_dry_run_says_that_it_was_one(typed):
    code, _, err = typed("promote", "model", "--name", "dry", "--dry-run")
    assert code == 0
    assert "every condition holds; nothing was changed (--dry-run), and models:/dry@champion is not set" in err
    assert typed("promote", "--rollback", "--name", "dry")[0] == 1


def test_json_tells_the_same_and_quiet_is_quiet(typed):
    code, out, err = typed("promote", "model", "--name", "json", "--json", "-q")
    done = json.loads(out)
    assert (code, err) == (0, "")
    assert (done["name"], done["version"], done["before"], done["moved"], done["passed"]) == (
        "json",
        "1",
        None,
        True,
        True,
    )
    assert {
        "name": "model card",
        "holds": True,
        "expected": done["conditions"][-1]["expected"],
        "found": "complete",
    } in (done["conditions"])
    code, out, err = typed("promote", "model", "--config", "unmet.yaml", "--name", "other", "--json", "-q")
    assert (code, json.loads(out)["passed"], json.loads(out)["moved"]) == (5, False, False)
    assert err.startswith("claimsieve: models:/other@champion: ")


def test_one_command_goes_back(typed, store):
    import mlflow

    typed("promote", "model", "--name", "back", "-q")
    client = mlflow.MlflowClient(f"sqlite:///{store}/mlflow.db")
    client.create_model_version("back", client.get_model_version("back", "1").source)
    client.set_registered_model_alias("back", "previous-champion", "2")
    code, out, err = typed("promote", "--rollback", "--as", "champion", "--name", "back")
    assert (code, out) == (0, "")
    assert "models:/back@champion is version 2 again (it was version 1)" in err
    code, out, _ = typed("promote", "--rollback", "--name", "back", "--json", "-q")
    assert (code, json.loads(out)) == (0, {"name": "back", "alias": "champion", "version": "1", "before": "2"})


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "RUN: expected a run's id or name"),
        (["model", "--as", "latest"], 2, "--as: expected letters"),
        (["model", "--name", "a/b"], 2, "--name: expected a name"),
        (["model", "--config", "nowhere.yaml"], 2, "expected a config file"),
        (["--rollback"], 2, "--rollback: expected --as and --name"),
        (["model", "--rollback", "--name", "claims"], 2, "--rollback: expected --as and --name"),
        (["nobody"], 1, "found none of them"),
        (["models:/nothing@champion"], 1, "expected a registered model"),
    ],
    ids=str,
)
def test_what_cannot_be_is_one_message(typed, arguments, code, message):
    found, out, err = typed("promote", *arguments)
    assert (found, out) == (code, "")
    assert message in err
    assert "Traceback" not in err


def test_a_store_that_is_not_there_is_exit_code_4_and_is_not_made(typed, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/none.db")
    for command in (["promote", "a-run"], ["predict", "models:/claims@champion", "recipe:demo"]):
        code, out, err = typed(*command)
        assert (code, out) == (4, "")
        assert "expected a tracking store, found no such file" in err
    assert list(tmp_path.iterdir()) == []


def test_predict_takes_the_champion_as_it_takes_the_directory(typed, tmp_path):
    typed("promote", "model", "--name", "used", "-q")
    for model, name in (("models:/used@champion", "one.jsonl"), ("model", "other.jsonl")):
        code, _, err = typed("predict", model, "recipe:demo", "-o", tmp_path / name, "-q")
        assert (code, err) == (0, "")
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "other.jsonl").read_bytes()
    code, _, err = typed("predict", "models:/used@nobody", "recipe:demo")
    assert (code, "Its aliases: champion" in err) == (1, True)
