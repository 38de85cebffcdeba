"""A run while it goes on, and a parent run with its parts, in a SQLite store."""

import os
import time
from functools import partial
from pathlib import Path

import pytest

from claimsieve import config as configs
from claimsieve import tracking
from claimsieve.runner import Watch, run_experiment
from claimsieve.tracking import parent_is_open, run, served, start_parent
from claimsieve.tracking.record import Facts, find_records, new_record, read_record
from claimsieve.tracking.run import TrackedRun
from claimsieve.tracking.store import client as new_client
from claimsieve.tracking.sync import sync
from claimsieve.tracking.system import SystemSampler

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    before = Path.cwd()
    os.chdir(folder)  # artifacts of a SQLite store lie in ./mlruns
    yield f"sqlite:///{folder}/mlflow.db"
    os.chdir(before)


@pytest.fixture(scope="module")
def client(store):
    return new_client(store)


@pytest.fixture
def config(store, planted_claims, request):
    """A config whose runs stand in an experiment of the test's own."""

    def make(**sections):
        document = {
            "name": "parts",
            "data": {
                "corpora": [{"file": str(planted_claims)}],
                "split": {"train": 0.6, "valid": 0.1, "calibration": 0.1, "test": 0.2},
            },
            "model": {"kind": "tfidf"},
            "evaluation": {"resamples": 100, "shortcuts": False},
            "tracking": {"uri": store, "experiment": request.node.name},
        }
        return configs.validate(document | sections, place="test")

    return make


@pytest.fixture
def runs(client, request):
    """The parent runs and the other runs of the test's experiment, by name."""

    def find():
        experiment = client.get_experiment_by_name(request.node.name)
        found = client.search_runs([experiment.experiment_id], order_by=["attributes.run_name"])
        return (
            [one for one in found if "claimsieve.parts" in one.data.tags],
            [one for one in found if "claimsieve.parts" not in one.data.tags],
        )

    return find


def a_record(store, directory, **changes):
    given = {"uid": directory.parent.name, "uri": store, "experiment": "alone", "name": "one", "start_ms": 1000}
    return new_record(directory, Facts(directory=directory.name, **(given | changes)))


def test_what_is_logged_is_in_the_store_while_the_run_goes_on(store, client, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "_FLUSH_MOMENTS", 3)
    tracked = TrackedRun(a_record(store, tmp_path / "model"))
    for step in range(4):
        tracked.log_step(step + 1, {"train/loss": 1.0})
    found = client.get_run(tracked.run_id)
    assert found.info.status == "RUNNING"
    assert len(client.get_metric_history(tracked.run_id, "train/loss")) == 3
    assert tracked.record.facts.sent == 3
    tracked.end("FAILED")
    assert client.get_run(tracked.run_id).info.status == "FAILED"
    assert len(client.get_metric_history(tracked.run_id, "train/loss")) == 4
    assert (tracked.failure, find_records(tmp_path)) == (None, [])


def test_a_page_of_the_run_shows_its_description_and_its_report(store, client, tmp_path):
    directory = tmp_path / "model"
    directory.mkdir()
    (directory / "report.html").write_text("<h1>Report</h1>")
    tracked = TrackedRun(a_record(store, directory))
    tracked.describe("# What this run is\n" + "x" * 9000)
    tracked.set_tags({"trial": "complete"})
    tracked.log_files(["report.html"])
    tracked.log_files(["report.html"])
    tracked.end()
    tags = client.get_run(tracked.run_id).data.tags
    assert tags["mlflow.note.content"].startswith("# What this run is\nxx")
    assert tags["trial"] == "complete"
    assert [item.path for item in client.list_artifacts(tracked.run_id)] == ["report.html"]


def test_names_that_mlflow_refuses_do_not_cost_the_run_its_metrics(store, client, tmp_path):
    tracked = TrackedRun(a_record(store, tmp_path / "model"))
    tracked.log_metrics({"slice/event/who did it? (no one)_macro_f1": 0.5, "test/macro_f1": float("nan")})
    tracked.end()
    assert tracked.failure is None
    assert "slice/event/who did it_ _no one__macro_f1" in client.get_run(tracked.run_id).data.metrics


def test_a_failure_is_not_tried_again_before_the_end(store, client, tmp_path, monkeypatch):
    sent = []
    tracked = TrackedRun(a_record(store, tmp_path / "model"), failure="the parent could not reach it")
    monkeypatch.setattr(run, "send_moments", lambda *_: sent.append("live"))
    for step in range(1000):
        tracked.log_step(step + 1, {"train/loss": 1.0})
    tracked.flush()
    assert (sent, tracked.run_id) == ([], "")
    tracked.end()
    assert tracked.failure is None
    assert len(client.get_metric_history(tracked.run_id, "train/loss")) == 1000


def test_a_long_run_shows_how_busy_the_machine_was(store, client, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "SystemSampler", partial(SystemSampler, after_seconds=0.0, every_seconds=0.01))
    tracked = TrackedRun(a_record(store, tmp_path / "model"))
    tracked.log_step(1, {"train/loss": 1.0})
    while len(tracked.record.moments()) < 4:
        time.sleep(0.01)
    tracked.log_step(2, {"train/loss": 0.5})
    tracked.end()
    found = client.get_run(tracked.run_id).data.metrics
    shown = {"cpu_utilization_percentage", "system_memory_usage_megabytes", "disk_usage_percentage"}
    assert {f"system/{name}" for name in shown} <= set(found)
    samples = client.get_metric_history(tracked.run_id, "system/cpu_utilization_percentage")
    assert [sample.step for sample in samples] == list(range(1, len(samples) + 1))
    assert [point.value for point in client.get_metric_history(tracked.run_id, "train/loss")] == [1.0, 0.5]


def test_a_short_run_shows_no_system_metrics_and_a_machine_that_cannot_be_measured_ends_nothing(capfd):
    taken = []
    SystemSampler(lambda number, values: taken.append(number)).stop()
    assert taken == []

    def fail(number, values):
        taken.append(number)
        raise RuntimeError("the driver is gone")

    sampler = SystemSampler(fail, after_seconds=0.0, every_seconds=0.01)
    sampler._thread.join(timeout=600)
    sampler.stop()
    assert taken == [1]
    assert capfd.readouterr().err == ""


def test_seeds_are_parts_of_one_run(config, runs, client, tmp_path):
    results = run_experiment(config(seeds=[0, 1]), tmp_path / "model")
    assert [result.tracking_failure for result in results] == [None, None]
    (parent,), parts = runs()
    assert parent.info.run_name == "parts · tfidf · claim+evidence · seeds 0–1"
    assert [part.info.run_name for part in parts] == [
        "parts · tfidf · claim+evidence · seed 0",
        "parts · tfidf · claim+evidence · seed 1",
    ]
    assert {part.data.tags["mlflow.parentRunId"] for part in parts} == {parent.info.run_id}
    assert {one.info.status for one in (parent, *parts)} == {"FINISHED"}
    mean = sum(part.data.metrics["test/macro_f1"] for part in parts) / 2
    assert parent.data.metrics["test/macro_f1"] == pytest.approx(mean, abs=1e-5)
    assert parent.data.tags["claimsieve.parts"] == "2"
    assert not parent_is_open(tmp_path / "model")
    assert find_records(tmp_path) == []


def test_one_seed_more_joins_the_same_parent_and_finished_parts_are_not_logged_again(config, runs, client, tmp_path):
    run_experiment(config(seeds=[0, 1]), tmp_path / "model")
    (before,), old = runs()
    run_experiment(config(seeds=[0, 1, 2]), tmp_path / "model", resume=True)
    (parent,), parts = runs()
    assert parent.info.run_id == before.info.run_id
    assert parent.info.run_name.endswith("seeds 0–2")
    assert [part.info.run_id for part in parts][:2] == [part.info.run_id for part in old]
    assert [part.info.end_time for part in parts][:2] == [part.info.end_time for part in old]
    assert {part.data.tags["mlflow.parentRunId"] for part in parts} == {parent.info.run_id}
    assert [len(client.get_metric_history(part.info.run_id, "test/macro_f1")) for part in parts] == [1, 1, 1]


def test_an_interruption_between_parts_leaves_one_parent(config, runs, tmp_path):
    seen = []

    def interrupt(step):
        seen.append(step)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(config(seeds=[0, 1]), tmp_path / "model", watch=Watch(step=interrupt))
    (parent,), parts = runs()
    assert {one.info.status for one in (parent, parts[1])} == {"KILLED"}
    assert parent_is_open(tmp_path / "model")
    run_experiment(config(seeds=[0, 1]), tmp_path / "model", resume=True)
    (again,), parts = runs()
    assert (again.info.run_id, again.info.status) == (parent.info.run_id, "FINISHED")
    assert parts[0].info.status == "FINISHED"
    assert not parent_is_open(tmp_path / "model")


def test_parts_of_a_parent_that_could_not_be_reached_try_only_at_their_end(config, tmp_path):
    unreachable = config(tracking={"uri": "http://127.0.0.1:9", "experiment": "nowhere"})
    parent = start_parent(unreachable, tmp_path / "model", parts="seeds 0–1", count=2, resume=False)
    parent.end()
    assert "ConnectionRefusedError" in parent.failure
    assert read_record(tmp_path / "model.tracking").facts.status == "FINISHED"
    assert not parent_is_open(tmp_path / "model")
    same = start_parent(unreachable, tmp_path / "model", parts="seeds 0–2", count=3, resume=True)
    assert same.uid == parent.uid
    same.end("KILLED")
    other = start_parent(unreachable, tmp_path / "model", parts="seeds 0–2", count=3, resume=False)
    other.end()
    assert other.uid != parent.uid
    assert len(find_records(tmp_path)) == 2


def test_ctrl_c_while_sending_leaves_what_a_sync_can_finish(store, client, tmp_path, monkeypatch):
    def interrupt(record):
        raise KeyboardInterrupt

    tracked = TrackedRun(a_record(store, tmp_path / "model"))
    tracked.log_metrics({"test/macro_f1": 0.5})
    with monkeypatch.context() as patch:
        patch.setattr(run, "send", interrupt)
        with pytest.raises(KeyboardInterrupt):
            tracked.end()
    assert read_record(tracked.record.folder).facts.status == "FINISHED"
    assert [one.state for one in sync([tmp_path])] == ["sent"]
    assert client.get_run(tracked.run_id).info.status == "FINISHED"
    assert find_records(tmp_path) == []


def test_ctrl_c_in_front_of_a_slow_store_leaves_a_finished_run(store, client, tmp_path, monkeypatch):
    def interrupt(record, moments):
        raise KeyboardInterrupt

    tracked = TrackedRun(a_record(store, tmp_path / "model", uid="slow"))
    with monkeypatch.context() as patch:
        patch.setattr(run, "send_moments", interrupt)
        tracked.log_metrics({"test/macro_f1": 0.5})
        with pytest.raises(KeyboardInterrupt):
            tracked.end()
    assert [(one.state, one.status) for one in sync([tmp_path])] == [("sent", "FINISHED")]
    assert client.get_run(tracked.run_id).data.metrics == {"test/macro_f1": 0.5}


def test_a_record_that_cannot_be_written_costs_nothing_while_the_store_is_there(store, client, tmp_path):
    (tmp_path / "file").write_text("no folder")
    tracked = TrackedRun(a_record(store, tmp_path / "file" / "model", uid="unwritten"))
    tracked.log_step(1, {"train/loss": 0.5})
    tracked.end()
    assert tracked.failure is None
    assert client.get_run(tracked.run_id).data.metrics == {"train/loss": 0.5}


def test_without_store_and_disk_the_run_goes_on_and_says_both(tmp_path):
    (tmp_path / "file").write_text("no folder")
    tracked = TrackedRun(a_record("http://127.0.0.1:9", tmp_path / "file" / "model"))
    tracked.log_step(1, {"train/loss": 0.5})
    tracked.end()
    assert "Connection refused" in tracked.failure
    assert "nor could it all be kept for later" in tracked.failure
    assert "Not a directory" in tracked.failure


def test_models_that_were_logged_before_the_loader_had_a_module_of_its_own_still_open():
    assert tracking._load_pyfunc is served._load_pyfunc
