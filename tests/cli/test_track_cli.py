"""claimsieve track: what waits to be sent, and sending it."""

import json
import subprocess
import sys

import pytest

from claimsieve.tracking.record import Facts, Moment, new_record, read_record
from claimsieve.tracking.store import client as new_client

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def wait(tmp_path, monkeypatch):
    """Leave the record of a run that could not be sent, below the working directory's runs."""
    monkeypatch.chdir(tmp_path)

    def make(name, uri=NOWHERE, **changes):
        given = {"uid": name * 8, "experiment": "waiting", "name": f"{name} · tfidf", "start_ms": 1_600_000_000_000}
        facts = Facts(**(given | {"uri": uri, "directory": name, "status": "FINISHED", "end_ms": 1_600_000_060_000}))
        record = new_record(tmp_path / "runs" / name, facts.model_copy(update=changes))
        record.add(Moment(0, 1_600_000_050_000, {"test/macro_f1": 0.5}))
        record.close()
        return record.folder

    return make


def test_what_waits_is_told(wait, claimsieve):
    wait("mine")
    code, out, error = claimsieve("track", "status")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["record", "state", "run", "started", "store"]
    assert "runs/mine.tracking  waiting  mine · tfidf  2020-09-13 12:26 UTC  http://127.0.0.1:9" in lines[2]
    assert "next: claimsieve track sync" in error
    assert claimsieve("track", "status", "-q")[2] == ""


@pytest.mark.parametrize("command", ["status", "sync"])
def test_nothing_that_waits_is_no_error(tmp_path, monkeypatch, claimsieve, command):
    monkeypatch.chdir(tmp_path)
    assert claimsieve("track", command)[:2] == (0, "no run waits to be sent\n")
    assert claimsieve("track", command, "--json")[:2] == (0, "[]\n")


def test_a_dry_run_sends_nothing(wait, claimsieve):
    folder = wait("mine")
    before = (folder / "run.json").read_bytes()
    code, out, _ = claimsieve("track", "sync", "--dry-run", "--json")
    assert code == 0
    (row,) = json.loads(out)
    assert (row["state"], row["status"], row["experiment"]) == ("waiting", "FINISHED", "waiting")
    assert (folder / "run.json").read_bytes() == before


def test_what_cannot_be_sent_is_told_with_exit_code_4_and_stays(wait, claimsieve, tmp_path):
    folders = [wait("one"), wait("two", uri=f"sqlite:///{tmp_path}/mlflow.db")]
    code, out, error = claimsieve("track", "sync")
    assert code == 4
    assert "1 of 2 runs could not be sent; their records are kept" in error
    assert "http://127.0.0.1:9: ConnectionRefusedError: [Errno 111] Connection refused" in error
    assert [folder.exists() for folder in folders] == [True, False]
    assert "failed" in out
    assert "sent" in out


def test_a_run_is_sent_to_another_store_when_asked(wait, claimsieve, tmp_path):
    folder = wait("mine")
    code, out, error = claimsieve("track", "sync", tmp_path / "runs" / "mine", "--uri", "sqlite:///other.db", "--json")
    assert code == 0
    assert json.loads(out)[0]["state"] == "sent"
    assert f"{tmp_path}/runs/mine.tracking: sent" in error
    assert not folder.exists()
    client = new_client(f"sqlite:///{tmp_path}/other.db")
    (run,) = client.search_runs([client.get_experiment_by_name("waiting").experiment_id])
    assert run.data.metrics == {"test/macro_f1": 0.5}
    assert (run.info.start_time, run.info.end_time) == (1_600_000_000_000, 1_600_000_060_000)


def test_a_place_that_is_not_there_is_refused(wait, claimsieve, tmp_path):
    code, _, error = claimsieve("track", "sync", "no-such-model")
    assert code == 4
    assert "no-such-model: expected a record, a model directory or a folder of them, found none" in error


def test_the_next_sync_goes_on_where_one_was_interrupted(wait, claimsieve, tmp_path, monkeypatch):
    folder = wait("mine", uri=f"sqlite:///{tmp_path}/mlflow.db")

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("mlflow.MlflowClient.set_terminated", interrupt)
        assert claimsieve("track", "sync")[0] == 130
    assert read_record(folder).facts.run_id
    assert claimsieve("track", "sync")[0] == 0
    client = new_client(f"sqlite:///{tmp_path}/mlflow.db")
    (run,) = client.search_runs([client.get_experiment_by_name("waiting").experiment_id])
    assert run.info.status == "FINISHED"
    assert len(client.get_metric_history(run.info.run_id, "test/macro_f1")) == 1


def test_looking_reads_neither_mlflow_nor_torch(wait):
    wait("mine")
    code = """
import sys
sys.argv = ["claimsieve", "track", "status"]
from claimsieve.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code
assert not {"mlflow", "torch", "transformers"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600, capture_output=True)
