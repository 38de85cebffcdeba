"""MLflow as a user meets it: what a run holds, the model behind MLflow's commands, and a store that is not there."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from claimsieve import config as configs
from claimsieve.errors import TrackingError
from claimsieve.evaluation.assessment import read_calibration
from claimsieve.inference.predict import predict_claims
from claimsieve.models.artifacts import load_model
from claimsieve.records import claim_from_row
from claimsieve.runner import run_experiment
from claimsieve.tracking import serve_ui
from claimsieve.tracking.views import default_view, folded_view

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves


def _config(claims: Path, uri: str, kind: str = "tfidf", **model):
    return configs.validate(
        {
            "name": "tracked",
            "data": {
                "corpora": [{"file": str(claims)}],
                "split": {"train": 0.6, "valid": 0.1, "calibration": 0.1, "test": 0.2},
            },
            "model": {"kind": kind, **model},
            "training": {"epochs": 1, "batch_tokens": 256, "precision": "float32"},
            "evaluation": {"resamples": 100},
            "tracking": {"uri": uri, "experiment": "tests"},
        },
        place="test",
    )


@pytest.fixture(scope="module")
def tracked(planted_claims, tiny_checkpoint, tmp_path_factory):
    """One tracked tfidf run and one tracked encoder run in a SQLite store; yields (folder, results)."""
    folder = tmp_path_factory.mktemp("tracked")
    before = Path.cwd()
    os.chdir(folder)  # artifacts of a SQLite store lie in ./mlruns
    try:
        uri = f"sqlite:///{folder}/mlflow.db"
        first = run_experiment(_config(planted_claims, uri), folder / "tfidf")
        second = run_experiment(
            _config(planted_claims, uri, "encoder", checkpoint=str(tiny_checkpoint)), folder / "encoder"
        )
        yield folder, [*first, *second]
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def client(tracked):
    import mlflow

    return mlflow.MlflowClient(f"sqlite:///{tracked[0]}/mlflow.db")


@pytest.fixture(scope="module")
def runs(client):
    experiment = client.get_experiment_by_name("tests")
    return {run.data.tags["kind"]: run for run in client.search_runs([experiment.experiment_id])}


def test_a_run_holds_config_metrics_datasets_plots_and_environment(tracked, client, runs):
    assert [result.tracking_failure for result in tracked[1]] == [None, None]
    run = runs["encoder"]
    assert run.info.status == "FINISHED"
    assert run.data.params["model.kind"] == "encoder"
    assert run.data.params["data.split.train"] == "0.6"
    macro_f1 = tracked[1][1].evaluation.overall.metrics["macro_f1"].value
    assert run.data.metrics["test/macro_f1"] == pytest.approx(macro_f1, abs=1e-6)
    assert run.data.metrics["test/macro_f1_low"] <= run.data.metrics["test/macro_f1_high"]
    assert len(client.get_metric_history(run.info.run_id, "train/loss")) > 3
    assert {entry.dataset.name for entry in run.inputs.dataset_inputs} == {"train", "valid", "calibration", "test"}
    names = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert {"config.yaml", "environment.txt", "evaluation.json", "confusion_matrix.png", "reliability.png"} <= names


def test_a_run_holds_its_audit_its_shortcuts_and_its_margin(tracked, client, runs):
    for run, result in zip((runs["tfidf"], runs["encoder"]), tracked[1], strict=True):
        names = {item.path for item in client.list_artifacts(run.info.run_id)}
        assert {"audit.json", "shortcuts.json"} <= names
        assert run.data.metrics["probe/margin_over_best"] == pytest.approx(result.shortcuts.margin.value, abs=1e-6)
        assert "probe/claim_only_macro_f1" in run.data.metrics
        assert "leaky" not in run.data.tags


def test_a_run_that_cuts_events_is_tagged_leaky(tracked, client, planted_claims, tmp_path):
    settings = _config(planted_claims, f"sqlite:///{tracked[0]}/mlflow.db").model_dump(mode="json")
    settings["data"]["split"] |= {"by": "random", "allow_group_leak": True}
    settings["tracking"]["experiment"] = "leaky"
    run_experiment(configs.validate(settings, place="test"), tmp_path / "model")
    (run,) = client.search_runs([client.get_experiment_by_name("leaky").experiment_id])
    assert (run.data.tags["leaky"], run.data.tags["split"]) == ("true", "random")


def test_run_names_tell_kind_inputs_and_seed_apart(runs):
    assert {run.info.run_name for run in runs.values()} == {
        "tracked · tfidf · claim+evidence · seed 0",
        "tracked · encoder · claim+evidence · seed 0",
    }


def test_metric_names_are_the_same_for_every_kind(runs):
    course = ("train/", "valid/", "system/")
    finals = [{name for name in run.data.metrics if not name.startswith(course)} for run in runs.values()]
    assert finals[0] == finals[1]


def test_the_experiment_opens_in_the_view_for_trained_models_with_our_columns(client):
    tags = client.get_experiment_by_name("tests").tags
    assert tags["mlflow.experimentKind"] == "custom_model_development"
    assert "not how probable it is" in tags["mlflow.note.content"]
    assert tags.items() >= dict([default_view(), folded_view()]).items()


def test_the_experiment_tells_of_every_group_of_metrics_and_its_searches_work(client, runs):
    note = client.get_experiment_by_name("tests").tags["mlflow.note.content"]
    groups = {name.split("/")[0] for run in runs.values() for name in run.data.metrics}
    assert "probe" in groups
    assert [group for group in sorted(groups) if f"`{group}/…`" not in note] == []
    searches = re.findall(r"^- `(.+)`$", note, flags=re.MULTILINE)
    assert len(searches) > 3
    experiment = client.get_experiment_by_name("tests").experiment_id
    for search in searches:
        client.search_runs([experiment], search)
    assert len(client.search_runs([experiment], 'tags.inputs = "claim+evidence" and tags.split = "group"')) == 2


def test_the_logged_model_predicts_as_the_directory_does_and_holds_no_pickle(tracked, client, runs, monkeypatch):
    import mlflow
    import pandas

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tracked[0]}/mlflow.db")
    model = mlflow.pyfunc.load_model(f"runs:/{runs['tfidf'].info.run_id}/model")
    assert model.metadata.signature is not None
    table = pandas.DataFrame(
        [{"claim": "the bridge was hit", "evidence": "officials confirm it"}, {"claim": "no evidence"}]
    )
    answer = model.predict(table)
    assert list(answer.columns) == ["label", "p_verified", "p_unverified", "p_propaganda"]
    directory = tracked[0] / "tfidf"
    claims = [claim_from_row(row) for row in table.fillna("").to_dict(orient="records")]
    said = predict_claims(load_model(directory)[0], claims, calibration=read_calibration(directory))
    assert [dict(row) for _, row in answer.iterrows()] == [
        {"label": one.label} | {f"p_{label}": pytest.approx(p) for label, p in one.probabilities.items()}
        for one in said
    ]
    stored = Path(mlflow.artifacts.download_artifacts(f"runs:/{runs['tfidf'].info.run_id}/model"))
    assert not [path for path in stored.rglob("*") if path.suffix in (".pkl", ".pickle", ".bin", ".pt")]


def test_a_bad_row_is_answered_with_nothing_and_costs_no_other_its_answer(tracked, client, runs, monkeypatch):
    import mlflow
    import pandas

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tracked[0]}/mlflow.db")
    model = mlflow.pyfunc.load_model(f"runs:/{runs['tfidf'].info.run_id}/model")
    answer = model.predict(
        pandas.DataFrame([{"claim": "the bridge was hit"}, {"claim": ""}, {"claim": "the depot too"}])
    )
    assert answer["label"].isna().tolist() == [False, True, False]
    assert answer["p_verified"].isna().tolist() == [False, True, False]


def test_a_taken_port_is_refused_by_name(tracked):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(TrackingError, match=f"port {port}: cannot be used"):
            serve_ui(uri=f"sqlite:///{tracked[0]}/mlflow.db", port=port)


def test_mlflow_models_predict_and_serve_work_on_it(tracked, runs, tmp_path):
    folder = tracked[0]
    # `mlflow models serve` starts uvicorn by its name, as in an activated environment.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db", "PATH": path}
    uri = f"runs:/{runs['tfidf'].info.run_id}/model"
    question = tmp_path / "question.json"
    question.write_text(
        json.dumps({"dataframe_records": [{"claim": "the bridge was hit", "evidence": "officials confirm"}]})
    )
    command = [sys.executable, "-m", "mlflow", "models"]
    answer = tmp_path / "answer.json"
    subprocess.run(
        [*command, "predict", "-m", uri, "-i", question, "-o", answer, "--env-manager", "local"],
        check=True, cwd=folder, env=environment, capture_output=True, timeout=600,
    )  # fmt: skip
    assert json.loads(answer.read_text())["predictions"][0]["label"] in ("verified", "unverified", "propaganda")

    port = _free_port()
    server = subprocess.Popen(
        [*command, "serve", "-m", uri, "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)],
        cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/ping", server)
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", question.read_bytes(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=600) as response:
            served = json.loads(response.read())
        assert served == json.loads(answer.read_text())
    finally:
        _end(server)


def test_claimsieve_ui_serves_the_store_on_loopback(tracked):
    folder = tracked[0]
    port = _free_port()
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    server = subprocess.Popen(
        [sys.executable, "-m", "claimsieve", "ui", "--port", str(port)],
        cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        page = _wait_for(f"http://127.0.0.1:{port}/", server)
        assert b"MLflow" in page
        body = json.dumps({"max_results": 10}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/search", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            names = [experiment["name"] for experiment in json.loads(response.read())["experiments"]]
        assert "tests" in names
        server.terminate()
        server.wait(timeout=30)
        _wait_until_gone(port)  # its workers end with it
    finally:
        _end(server)


def test_a_store_that_cannot_be_reached_does_not_cost_the_model(planted_claims, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.chdir(tmp_path)
    (result,) = run_experiment(_config(planted_claims, f"http://127.0.0.1:{_free_port()}"), tmp_path / "model")
    assert (result.directory / "manifest.json").is_file()
    assert result.tracking_failure is not None
    assert "127.0.0.1" in result.tracking_failure


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, server: subprocess.Popen, seconds: float = 120.0) -> bytes:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(address, timeout=5) as response:
                return response.read()
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"{address} did not answer")


def _wait_until_gone(port: int, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return
        time.sleep(0.2)
    raise AssertionError(f"something still answers on port {port}")


def _end(server: subprocess.Popen) -> None:
    """The server and the workers it started."""
    import psutil

    if server.poll() is not None:
        return
    family = [*psutil.Process(server.pid).children(recursive=True), psutil.Process(server.pid)]
    for process in family:
        process.terminate()
    _, alive = psutil.wait_procs(family, timeout=10)
    for process in alive:
        process.kill()
    server.wait()
