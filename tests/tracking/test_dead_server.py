"""A real `mlflow server` that is missing, killed, hung or full: the run finishes, and arrives exactly once."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from servers import Server
from stores import artifacts, snapshot

from claimsieve import config as configs
from claimsieve.models.artifacts import load_model
from claimsieve.runner import Watch, run_experiment
from claimsieve.tracking import run as tracked_run
from claimsieve.tracking.record import read_record, record_folder
from claimsieve.tracking.store import client as new_client
from claimsieve.tracking.views import view_url

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def client(server):
    return new_client(server.uri)


@pytest.fixture(scope="module", autouse=True)
def _every_step_is_sent_at_once():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracked_run, "_FLUSH_SECONDS", 0.0)
        yield


@pytest.fixture(scope="module")
def config(server, planted_claims, tiny_checkpoint):
    """A config for a run that is tracked by the server."""

    def make(name, kind="tfidf"):
        model = {"checkpoint": str(tiny_checkpoint)} if kind == "encoder" else {}
        document = {
            "name": name,
            "data": {
                "corpora": [{"file": str(planted_claims)}],
                "split": {"train": 0.6, "valid": 0.1, "calibration": 0.1, "test": 0.2},
            },
            "model": {"kind": kind, **model},
            "training": {"epochs": 1, "batch_tokens": 256, "precision": "float32"},
            "evaluation": {"resamples": 100, "shortcuts": False},
            "tracking": {"uri": server.uri, "experiment": "dead"},
        }
        return configs.validate(document, place="test")

    return make


def at_step(number, action):
    """A watch that does something once, when a step is done."""
    return Watch(step=lambda step: action() if step.number == number else None)


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def runs(client, name):
    """The runs of a config, deleted ones too."""
    from mlflow.entities import ViewType

    experiment = client.get_experiment_by_name("dead")
    if experiment is None:
        return []
    found = client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL)
    return [run for run in found if run.info.run_name.startswith(f"{name} ·")]


def recorded(directory):
    """Metric → points, as the record holds them."""
    points = {}
    for moment in read_record(record_folder(directory)).moments():
        for key, value in moment.values.items():
            points.setdefault(key, []).append((moment.step, moment.at_ms, value))
    return {key: sorted(found) for key, found in points.items()}


def assert_complete(client, name, directory, points):
    """There is one run of this name, with each point, file and model exactly once."""
    (run,) = runs(client, name)
    found = snapshot(client, run.info.run_id)
    assert found["status"] == ("FINISHED", "active")
    assert found["metrics"] == points
    finals = sorted(key for key, taken in points.items() if taken[0][0] == 0)
    assert "test/macro_f1" in finals
    assert found["models"] == [("model", "READY", finals)]
    assert found["outputs"] is True
    assert [row[0] for row in found["datasets"]] == ["calibration", "test", "train", "valid"]
    there = artifacts(client, run.info.run_id)
    assert {"config.yaml", "environment.txt", "evaluation.json", "reliability.png", "manifest.json"} <= set(there)
    for file in set(there) - {"environment.txt"}:
        assert there[file] == (directory / file).read_bytes().decode(errors="replace"), file
    return found


def sync(*arguments):
    """`claimsieve track sync` as a process of its own."""
    command = [sys.executable, "-m", "claimsieve", "track", "sync", *map(str, arguments), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def story(server, client, config, tmp_path_factory):
    """What happens, in order; the tests below look at how it ended."""
    told = {"folder": tmp_path_factory.mktemp("runs")}

    def directory(name):
        return told["folder"] / name

    def killed():
        told["points before the kill"] = len(
            client.get_metric_history(runs(client, "killed")[0].info.run_id, "train/loss")
        )
        server.kill()

    told["killed"] = run_experiment(config("killed", "encoder"), directory("killed"), watch=at_step(4, killed))
    told["unreachable"] = run_experiment(config("unreachable"), directory("unreachable"))
    with suppress(KeyboardInterrupt):
        run_experiment(config("resumed", "encoder"), directory("resumed"), watch=at_step(3, interrupt))
    told["points"] = {name: recorded(directory(name)) for name in ("killed", "unreachable", "resumed")}

    too_early = sync(told["folder"])
    told["too early"] = (*too_early.communicate(timeout=300), too_early.returncode)
    server.start()
    steps = []
    told["resumed"] = run_experiment(
        config("resumed", "encoder"), directory("resumed"), resume=True, watch=Watch(step=steps.append)
    )
    told["first step after"] = steps[0].number
    both = [sync(told["folder"]) for _ in range(2)]
    told["at once"] = [(*one.communicate(timeout=300), one.returncode) for one in both]
    return told


def test_every_run_finished_and_said_what_happened(story, server):
    for name in ("killed", "unreachable"):
        (result,) = story[name]
        load_model(result.directory)
        assert result.tracking_failure.startswith(
            f"{server.uri}: ConnectionRefusedError: [Errno 111] Connection refused"
        )
    assert story["resumed"][0].tracking_failure is None


def test_the_server_was_killed_in_the_middle(story):
    steps = [step for step, _, _ in story["points"]["killed"]["train/loss"]]
    assert 0 < story["points before the kill"] < len(steps)


def test_a_sync_with_a_dead_server_fails_and_keeps_every_record(story, server):
    out, error, code = story["too early"]
    assert code == 4
    assert [row["state"] for row in json.loads(out)] == ["failed"] * 3
    assert "3 of 3 runs could not be sent; their records are kept" in error
    assert server.uri in error


def test_two_syncs_at_once_send_each_run_exactly_once(story, client):
    assert [code for _, _, code in story["at once"]] == [0, 0]
    states = [(row["record"], row["state"]) for out, _, _ in story["at once"] for row in json.loads(out)]
    sent = [record for record, state in states if state == "sent"]
    assert sorted(sent) == sorted(str(story["folder"] / f"{name}.tracking") for name in ("killed", "unreachable"))
    assert list(story["folder"].glob("*.tracking")) == []
    for name in ("killed", "unreachable"):
        assert_complete(client, name, story["folder"] / name, story["points"][name])


def test_a_training_that_was_resumed_is_one_run(story, client):
    (run,) = runs(client, "resumed")
    assert story["first step after"] == 4
    found = snapshot(client, run.info.run_id)
    assert found["status"] == ("FINISHED", "active")
    losses = found["metrics"]["train/loss"]
    assert [step for step, _, _ in losses] == list(range(1, len(losses) + 1))
    assert losses[:3] == story["points"]["resumed"]["train/loss"]
    assert found["times"][0] <= losses[0][1]


def test_a_sync_afterwards_has_nothing_to_do(story, client, claimsieve):
    before = {name: snapshot(client, runs(client, name)[0].info.run_id) for name in ("killed", "unreachable")}
    code, out, _ = claimsieve("track", "sync", story["folder"])
    assert (code, out) == (0, "no run waits to be sent\n")
    assert {name: snapshot(client, runs(client, name)[0].info.run_id) for name in before} == before


def test_the_model_that_was_sent_later_predicts(story, client, server, monkeypatch):
    import mlflow
    import pandas

    (run,) = runs(client, "unreachable")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    model = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    answer = model.predict(pandas.DataFrame([{"claim": "the bridge was hit", "evidence": "officials confirm it"}]))
    assert answer["label"].tolist()[0] in ("verified", "unverified", "propaganda")


def test_the_ui_of_a_server_is_its_own(story, client, server, claimsieve, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    number = client.get_experiment_by_name("dead").experiment_id
    code, _, said = claimsieve("ui")
    assert code == 0
    assert "the store is a server: open" in said
    assert f"  dead: {view_url(server.uri, number)}" in said.splitlines()


@pytest.mark.parametrize("trouble", ["fill_disk", "block_artifacts"])
def test_a_full_disk_at_the_end_costs_nothing_but_time(story, server, client, config, claimsieve, tmp_path, trouble):
    name = trouble.replace("_", "-")
    watch = at_step(1, lambda: getattr(server, trouble)(True))
    try:
        (result,) = run_experiment(config(name), tmp_path / name, watch=watch)
        assert result.tracking_failure is not None
        points = recorded(result.directory)
        code, _, error = claimsieve("track", "sync", result.directory)
        assert code == 4
        assert "1 of 1 runs could not be sent" in error
    finally:
        getattr(server, trouble)(False)
    code, out, error = claimsieve("track", "sync", result.directory, "--json")
    assert code == 0, error
    assert [row["state"] for row in json.loads(out)] == ["sent"]
    assert_complete(client, name, result.directory, points)
    assert not record_folder(result.directory).exists()


def test_what_a_server_that_hung_carries_out_late_is_not_doubled(
    story, server, client, config, claimsieve, tmp_path, monkeypatch
):
    def freeze():
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
        server.freeze(True)

    try:
        (result,) = run_experiment(config("frozen", "encoder"), tmp_path / "frozen", watch=at_step(3, freeze))
    finally:
        server.freeze(False)
    monkeypatch.undo()
    assert "TimeoutError: timed out (/api/2.0/mlflow/runs/" in result.tracking_failure
    points = recorded(result.directory)
    assert claimsieve("track", "sync", tmp_path)[0] == 0
    assert_complete(client, "frozen", result.directory, points)


def test_a_model_that_was_taken_away_is_told_and_its_numbers_are_sent(
    story, server, client, config, claimsieve, tmp_path
):
    server.block_artifacts(True)
    try:
        (result,) = run_experiment(config("moved"), tmp_path / "moved")
    finally:
        server.block_artifacts(False)
    shutil.move(result.directory, tmp_path / "elsewhere")
    code, _, error = claimsieve("track", "sync", tmp_path)
    assert code == 4
    assert "evaluation.json beside it, found nothing. Put the directory back" in error
    (run,) = runs(client, "moved")
    assert "test/macro_f1" in run.data.metrics
    shutil.move(tmp_path / "elsewhere", result.directory)
    points = recorded(result.directory)
    assert claimsieve("track", "sync", Path(tmp_path))[0] == 0
    assert_complete(client, "moved", result.directory, points)
