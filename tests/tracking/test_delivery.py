"""What a record holds arrives exactly once, at whichever request the store or the sender dies."""

import itertools
import os
from pathlib import Path

import pytest
from stores import snapshot

from claimsieve.errors import TrackingError
from claimsieve.tracking import delivery
from claimsieve.tracking.record import Facts, Moment, new_record, read_record
from claimsieve.tracking.store import client as new_client
from claimsieve.tracking.sync import sync, waiting

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
def finished(store, tmp_path):
    """Records of finished runs, each beside a small directory of its own."""
    numbers, begun = itertools.count(), []

    def make(**changes):
        number = next(numbers)
        directory = tmp_path / f"model-{number}"
        (directory / "plots").mkdir(parents=True)
        (directory / "manifest.json").write_text('{"kind": "tfidf"}')
        (directory / "report.html").write_text("<p>" + "x" * 500)
        (directory / "plots" / "one.png").write_bytes(b"\x89PNG" * 20)
        given = {
            "uid": f"{tmp_path.name}-{number}",
            "uri": store,
            "experiment": "delivery",
            "name": "a run",
            "directory": directory.name,
            "start_ms": 1_000_000,
            "tags": {"kind": "tfidf", "mlflow.note.content": "# What it is"},
            "params": {"training.epochs": "3"},
            "texts": {"config.yaml": "name: one\n"},
            "datasets": (_dataset("train"), _dataset("test")),
            "files": ("report.html", "plots/one.png"),
            "example": {"claim": "the bridge was hit", "evidence": "", "source": "", "date": ""},
            "manifest": delivery.fingerprint(directory),
            "status": "FINISHED",
            "end_ms": 1_060_000,
        }
        record = new_record(directory, Facts(**(given | changes)))
        for step in range(4):
            record.add(Moment(step + 1, 1_000_000 + step, {"train/loss": 1 / (step + 1), "train/epoch": step / 4}))
        record.add(Moment(0, 1_050_000, {"test/macro_f1": 0.5, "test/ece": 0.1}))
        record.update()
        begun.append(record)
        return record

    yield make
    for record in begun:
        record.close()


def _dataset(name):
    return {
        "name": name,
        "digest": f"digest-{name}",
        "source_type": "code",
        "source": '{"tags": {"corpora": "planted"}}',
        "schema": "{}",
        "profile": '{"num_rows": 4}',
    }


class Dying:
    """A client whose `number`-th request dies, before the store has carried it out or after."""

    def __init__(self, client, number, *, carried_out, error):
        self._client, self._left = client, number
        self._carried_out, self._error = carried_out, error

    def __getattr__(self, name):
        method = getattr(self._client, name)

        def call(*arguments, **options):
            self._left -= 1
            if self._left == 0:
                if self._carried_out:
                    method(*arguments, **options)
                raise self._error
            return method(*arguments, **options)

        return call

    @property
    def died(self):
        return self._left <= 0


def only_run(client, record):
    experiment = client.get_experiment_by_name(record.facts.experiment)
    (run,) = client.search_runs([experiment.experiment_id], f"tags.`claimsieve.run` = '{record.facts.uid}'")
    return run.info.run_id


@pytest.fixture
def expected(client, finished):
    """What the store holds of a run that met no trouble."""
    record = finished()
    delivery.send(record)
    return snapshot(client, only_run(client, record))


def test_everything_arrives_as_it_was_recorded(expected):
    assert expected["name"] == "a run"
    assert expected["status"] == ("FINISHED", "active")
    assert expected["times"] == (1_000_000, 1_060_000)
    assert expected["params"] == {"training.epochs": "3"}
    assert (expected["tags"]["kind"], expected["tags"]["mlflow.note.content"]) == ("tfidf", "# What it is")
    assert expected["metrics"]["train/loss"] == [(step + 1, 1_000_000 + step, 1 / (step + 1)) for step in range(4)]
    assert expected["metrics"]["test/macro_f1"] == [(0, 1_050_000, 0.5)]
    assert expected["datasets"] == [("test", "digest-test", "test"), ("train", "digest-train", "train")]
    assert set(expected["artifacts"]) == {"config.yaml", "report.html", "plots/one.png"}
    assert expected["artifacts"]["report.html"] == "<p>" + "x" * 500
    assert expected["models"] == [("model", "READY", ["test/ece", "test/macro_f1"])]
    assert expected["outputs"] is True


def test_sending_again_sends_nothing_but_the_end(client, finished, monkeypatch):
    record = finished()
    delivery.send(record)
    first = snapshot(client, only_run(client, record))
    asked = []

    class Listening:
        def __getattr__(self, name):
            asked.append(name)
            return getattr(client, name)

    monkeypatch.setattr(delivery, "new_client", lambda uri: Listening())
    for sent in (record.facts.sent, 0):  # with and without the memory of what was confirmed
        record.update(sent=sent)
        delivery.send(record)
        assert [name for name in asked if not name.startswith(("get_", "search_", "list_"))] == ["set_terminated"]
        asked.clear()
    assert snapshot(client, only_run(client, record)) == first


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
def test_at_whichever_request_the_store_dies_everything_is_there_once_in_the_end(
    client, finished, expected, monkeypatch, carried_out
):
    for number in itertools.count(1):
        record = finished()
        error = KeyboardInterrupt() if number % 3 == 0 else ConnectionError("the server is gone")
        dying = Dying(client, number, carried_out=carried_out, error=error)
        monkeypatch.setattr(delivery, "new_client", lambda uri, dying=dying: dying)
        try:
            delivery.send(record)
        except (TrackingError, KeyboardInterrupt):
            assert dying.died
        monkeypatch.undo()
        record.close()
        delivery.send(read_record(record.folder))  # as another process finds it
        assert snapshot(client, only_run(client, record)) == expected, f"request {number}"
        if not dying.died:
            break
    assert number > 15


def test_a_request_that_mlflow_repeated_by_itself_leaves_no_second_run_or_model(
    client, finished, expected, monkeypatch
):
    class Repeating(Dying):
        def __getattr__(self, name):
            method = getattr(self._client, name)
            if name in ("create_run", "create_logged_model"):
                return lambda *arguments, **options: [method(*arguments, **options) for _ in range(2)][1]
            return method

    record = finished()
    monkeypatch.setattr(delivery, "new_client", lambda uri: Repeating(client, 0, carried_out=True, error=None))
    delivery.send(record)
    assert snapshot(client, only_run(client, record)) == expected


def test_two_senders_at_once_do_not_double(client, finished, expected):
    record = finished()
    assert record.lock() is False  # the fixture has it, as a training would
    (busy,) = sync([record.folder])
    assert busy.state == "in use"
    assert [one.state for one in waiting([record.folder])] == ["in use"]
    record.close()
    assert [one.state for one in sync([record.folder])] == ["sent"]
    assert list(sync([record.directory])) == []
    assert snapshot(client, only_run(client, record)) == expected


def test_a_run_whose_process_died_is_sent_as_killed_without_files(client, finished):
    record = finished(status=None, end_ms=None, manifest=None)
    record.close()
    assert [one.state for one in sync([record.folder])] == ["sent"]
    found = snapshot(client, only_run(client, record))
    assert found["status"] == ("KILLED", "active")
    assert found["times"] == (1_000_000, 1_050_000)
    assert (set(found["artifacts"]), found["models"]) == ({"config.yaml"}, [])


def test_one_record_that_cannot_be_sent_holds_up_no_other(client, finished, tmp_path):
    gone, changed, fine = finished(), finished(), finished()
    (gone.directory / "report.html").unlink()
    (changed.directory / "manifest.json").write_text('{"kind": "another"}')
    (tmp_path / "broken.tracking").mkdir()
    (tmp_path / "broken.tracking" / "run.json").write_text("{")
    for record in (gone, changed, fine):
        record.close()
    by_folder = {one.record: one for one in sync([tmp_path])}
    assert by_folder[fine.folder].state == "sent"
    assert "report.html beside it, found nothing" in by_folder[gone.folder].error
    assert "expected the model of its run" in by_folder[changed.folder].error
    assert "expected the record of a run" in by_folder[tmp_path / "broken.tracking"].error
    assert {one.record for one in waiting([tmp_path])} == {gone.folder, changed.folder, tmp_path / "broken.tracking"}
    (gone.directory / "report.html").write_text("<p>" + "x" * 500)
    assert [one.state for one in sync([gone.folder])] == ["sent"]


def test_a_file_outside_the_directory_is_not_sent(finished, tmp_path):
    (tmp_path / "secret.txt").write_text("mine")
    record = finished(files=("../secret.txt",))
    with pytest.raises(TrackingError, match="lies outside"):
        delivery.send(record)


def test_another_directory_than_that_of_the_run_is_not_sent(finished, tmp_path):
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key").write_text("mine")
    for directory in (str(tmp_path / "private"), "../private", "..", "", "."):
        with pytest.raises(TrackingError, match="lies elsewhere"):
            delivery.send(finished(directory=directory, files=("key",), manifest=None))
    record = finished()
    (record.directory / "key").symlink_to(tmp_path / "private" / "key")
    with pytest.raises(TrackingError, match="found a link: key"):
        delivery.send(record)


def test_a_run_that_was_deleted_in_the_store_is_not_made_again(client, finished):
    record = finished()
    delivery.send(record)
    client.delete_run(record.facts.run_id)
    with pytest.raises(TrackingError, match=r"was deleted there\. Restore it"):
        delivery.send(record)


def test_a_renamed_experiment_keeps_its_run(client, finished):
    record = finished(experiment="first name", status=None)
    delivery.send(record)
    experiment = client.get_experiment_by_name("first name").experiment_id
    client.rename_experiment(experiment, "second name")
    record.update(status="FINISHED")
    delivery.send(record)
    (run,) = client.search_runs([experiment])
    assert run.info.status == "FINISHED"
    assert client.get_experiment_by_name("first name") is None


@pytest.mark.parametrize("first", ["parent", "part"])
def test_a_part_stands_below_its_parent_whichever_is_sent_first(client, finished, first):
    parent = finished(tags={"claimsieve.parts": "1"}, files=(), example=None, manifest=None)
    part = finished(parent=parent.facts.uid)
    for record in (parent, part) if first == "parent" else (part, parent):
        delivery.send(record)
    tags = client.get_run(only_run(client, part)).data.tags
    assert tags["mlflow.parentRunId"] == only_run(client, parent)


def test_a_record_can_be_sent_to_another_store(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = finished()
    delivery.send(record)
    record.close()
    other = f"sqlite:///{tmp_path}/other.db"
    assert [(one.state, one.store) for one in sync([record.folder], uri=other)] == [("sent", other)]
    found = snapshot(new_client(other), only_run(new_client(other), record))
    assert found["metrics"]["test/macro_f1"] == [(0, 1_050_000, 0.5)]


def test_a_password_in_the_address_is_not_shown(finished):
    record = finished(uri="http://me:secret@127.0.0.1:9/store")
    record.close()
    (failed,) = sync([record.folder])
    assert failed.state == "failed"
    assert "127.0.0.1:9" in failed.error
    assert "secret" not in failed.error + (failed.store or "")


def test_a_place_without_anything_is_refused(tmp_path):
    with pytest.raises(TrackingError, match="expected a record, a model directory or a folder"):
        list(sync([tmp_path / "nothing"]))
    assert list(sync([tmp_path])) == []
