"""A sweep in a tracking store: one parent, a run for each trial, and no more of them after an interruption."""

import os
import signal

import mlflow
import pytest

from claimsieve.runner import Watch
from claimsieve.sweeps.sweep import run_sweep
from claimsieve.tracking import delivery
from claimsieve.tracking.record import find_records

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves
SPACE = {"training.learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}, "model.dropout": [0.0, 0.1, 0.2]}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """An MLflow store that is there for all tests of this file; each has an experiment of its own."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


def runs_of(store, experiment):
    """The parent run, and the runs of the trials by name."""
    client = mlflow.MlflowClient(store)
    found = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    (parent,) = (run for run in found if "mlflow.parentRunId" not in run.data.tags)
    trials = [run for run in found if run is not parent]
    assert all(run.data.tags["mlflow.parentRunId"] == parent.info.run_id for run in trials)
    return parent, sorted(trials, key=lambda run: run.info.run_name)


@pytest.fixture
def tracked_config(sweep_config, store, request, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def make(*, trials, space=SPACE, uri=store, **sections):
        tracking = {"uri": uri, "experiment": request.node.name}
        return sweep_config(space, "static", trials=trials, tracking=tracking, **sections)

    return make


def test_each_trial_is_a_run_below_that_of_the_sweep(tracked_config, store, tmp_path, request):
    result = run_sweep(tracked_config(trials=3), tmp_path / "sweep")
    assert result.tracking_failure is None
    parent, trials = runs_of(store, request.node.name)
    assert "sweep of 3 trials" in parent.info.run_name
    assert [run.info.run_name.split(" · ")[0] for run in trials] == ["tried-trial-1", "tried-trial-2", "tried-trial-3"]
    assert {run.info.status for run in (parent, *trials)} == {"FINISHED"}
    for run, trial in zip(trials, result.record.trials, strict=True):
        assert {path: float(run.data.params[path]) for path in SPACE} == pytest.approx(trial.values)
        assert run.data.tags["trial"] == trial.state == "complete"
        assert run.data.metrics["valid/macro_f1"] == trial.macro_f1.value
        assert run.data.metrics["valid/macro_f1_low"] == trial.macro_f1.low
        curve = mlflow.MlflowClient(store).get_metric_history(run.info.run_id, "valid/macro_f1")
        assert [metric.value for metric in curve] == [*trial.curve.values(), trial.macro_f1.value]
        assert {one.dataset.name for one in run.inputs.dataset_inputs} == {"train", "valid"}
        assert not any(name.startswith("test/") for name in run.data.metrics)
    assert parent.data.metrics["valid/macro_f1"] == result.best.macro_f1.value
    assert "lucky as well as good" in parent.data.tags["mlflow.note.content"]
    files = {item.path for item in mlflow.MlflowClient(store).list_artifacts(parent.info.run_id)}
    assert {"sweep.json", "best.yaml", "history.png", "config.yaml"} <= files
    assert find_records(tmp_path) == []


def test_a_sweep_that_goes_on_is_the_same_runs(tracked_config, store, tmp_path, request):
    steps = []

    def interrupt(step):
        steps.append(step)
        if len(steps) == 40:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_sweep(tracked_config(trials=4), tmp_path / "sweep", watch=Watch(step=interrupt))
    parent, trials = runs_of(store, request.node.name)
    assert parent.info.status == "KILLED"
    assert [run.info.status for run in trials] == ["FINISHED", "KILLED"]
    result = run_sweep(tracked_config(trials=4), tmp_path / "sweep", resume=True)
    again, later = runs_of(store, request.node.name)
    assert again.info.run_id == parent.info.run_id
    assert [run.info.run_id for run in later[:2]] == [run.info.run_id for run in trials]
    assert [run.data.metrics["valid/macro_f1"] for run in later] == [t.macro_f1.value for t in result.record.trials]
    assert {run.info.status for run in (again, *later)} == {"FINISHED"}


def test_a_failed_trial_says_why(tracked_config, store, tmp_path, request, tiny_checkpoint):
    space = {"model.checkpoint": [str(tiny_checkpoint), str(tmp_path / "missing")]}
    run_sweep(tracked_config(trials=2, space=space), tmp_path / "sweep")
    parent, (good, bad) = runs_of(store, request.node.name)
    assert (parent.info.status, good.info.status, bad.info.status) == ("FINISHED", "FINISHED", "FAILED")
    assert bad.data.tags["trial"] == "failed"
    assert "missing: expected" in bad.data.tags["reason"]


def test_a_store_that_is_not_there_costs_no_trial(tracked_config, tmp_path, monkeypatch):
    monkeypatch.setattr("claimsieve.tracking.run._PAUSE_SECONDS", 0.0)
    result = run_sweep(tracked_config(trials=2, uri="http://127.0.0.1:9"), tmp_path / "sweep")
    assert [trial.state for trial in result.record.trials] == ["complete", "complete"]
    assert "127.0.0.1:9" in result.tracking_failure
    waiting = {folder.name for folder in find_records(tmp_path / "sweep")}
    assert waiting == {"sweep.tracking", "trial-1.tracking", "trial-2.tracking"}


def test_what_a_store_missed_it_gets_when_it_is_back_at_the_end(tracked_config, store, tmp_path, request, monkeypatch):
    monkeypatch.setattr("claimsieve.tracking.run._PAUSE_SECONDS", 0.0)
    working, gone = delivery.new_client, [True]

    def client(uri):
        if gone:
            raise ConnectionError("refused")
        return working(uri)

    def comes_back(text):
        if text.startswith("trial 2/3"):
            gone.clear()

    monkeypatch.setattr(delivery, "new_client", client)
    result = run_sweep(tracked_config(trials=3), tmp_path / "sweep", watch=Watch(say=comes_back))
    assert result.tracking_failure is None
    parent, trials = runs_of(store, request.node.name)
    assert [run.data.metrics["valid/macro_f1"] for run in trials] == [t.macro_f1.value for t in result.record.trials]
    assert {run.info.status for run in (parent, *trials)} == {"FINISHED"}
    assert find_records(tmp_path) == []
