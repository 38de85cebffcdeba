"""The record of a run on disk: what is written is read, whatever stops in between."""

import json
import resource
import shutil
import stat
import subprocess
import sys
from contextlib import contextmanager

import pytest

from claimsieve.errors import TrackingError
from claimsieve.tracking.record import Facts, Moment, Record, find_records, new_record, read_record, record_folder
from claimsieve.tracking.sync import sync


def facts(uid="a" * 32, **changes):
    given = {"uri": "http://127.0.0.1:1", "experiment": "tests", "name": "one", "directory": "model", "start_ms": 1000}
    return Facts(uid=uid, **(given | changes))


def moments(count, *, first=0):
    return [Moment(number, 1000 + number, {"train/loss": 1 / (1 + number)}) for number in range(first, first + count)]


@pytest.fixture
def begin():
    """Begin a record; its files are closed with the test."""
    begun = []

    def new(directory, given):
        begun.append(new_record(directory, given))
        return begun[-1]

    yield new
    for record in begun:
        record.close()


@contextmanager
def full_disk():
    """No file of this process grows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_was_written_is_read(begin, tmp_path):
    record = begin(tmp_path / "model", facts(tags={"kind": "tfidf"}, datasets=({"name": "test"},)))
    for moment in moments(3):
        record.add(moment)
    record.update(status="FINISHED", files=("a.json", "sub/b.png"))
    read = read_record(tmp_path / "model.tracking")
    assert read.facts == record.facts
    assert read.facts.files == ("a.json", "sub/b.png")
    assert read.moments() == moments(3)
    assert read.moments(2) == moments(3)[2:]
    assert read.directory == tmp_path / "model"


def test_metrics_are_on_disk_at_once(tmp_path):
    """A process that is killed takes none of them with it."""
    code = f"""
import os
from pathlib import Path
from claimsieve.tracking.record import Facts, Moment, new_record
facts = Facts(uid="a" * 32, uri="x", experiment="e", name="n", directory="model", start_ms=1)
record = new_record(Path({str(tmp_path)!r}) / "model", facts)
record.add(Moment(1, 2, {{"loss": 0.5}}))
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=600).returncode == -9
    assert read_record(tmp_path / "model.tracking").moments() == [Moment(1, 2, {"loss": 0.5})]


def test_a_line_that_was_cut_short_costs_no_other(begin, tmp_path):
    record = begin(tmp_path / "model", facts())
    for moment in moments(3):
        record.add(moment)
    record.close()
    path = tmp_path / "model.tracking" / "metrics.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    again = begin(tmp_path / "model", facts())
    assert again.moments() == moments(2)
    again.add(moments(1, first=9)[0])
    assert again.moments() == [*moments(2), *moments(1, first=9)]


def test_a_full_disk_loses_nothing_while_the_process_lives_and_is_told(begin, tmp_path):
    record = begin(tmp_path / "model", facts())
    record.add(moments(1)[0])
    with full_disk():
        for moment in moments(3, first=1):
            record.add(moment)
        record.update(tags={"kind": "tfidf"})
        assert "model.tracking: " in record.failure
        assert record.moments() == moments(4)
        assert record.facts.tags == {"kind": "tfidf"}
    assert read_record(record.folder).facts.tags == {}  # the former file is whole
    record.update(status="FINISHED")  # there is room again
    assert record.failure is None
    assert read_record(record.folder).moments() == moments(4)
    assert read_record(record.folder).facts == record.facts


def test_a_place_that_takes_nothing_at_all_raises_nothing(begin, tmp_path):
    (tmp_path / "file").write_text("no folder")
    record = begin(tmp_path / "file" / "model", facts())
    record.add(moments(1)[0])
    record.update(status="KILLED")
    assert "Not a directory" in record.failure
    assert record.moments() == moments(1)
    record.remove()


def test_a_file_in_the_place_of_a_record_is_moved_aside(begin, tmp_path):
    (tmp_path / "model.tracking").write_text("mine")
    begin(tmp_path / "model", facts())
    assert read_record(tmp_path / "model.tracking").facts.uid == "a" * 32
    assert [path.read_text() for path in tmp_path.iterdir() if path.is_file()] == ["mine"]


def test_a_run_that_goes_on_keeps_its_start_its_id_and_its_metrics(begin, tmp_path):
    first = begin(tmp_path / "model", facts())
    first.add(moments(1)[0])
    first.update(run_id="m1", sent=1, status="KILLED", end_ms=2000)
    first.close()
    again = begin(tmp_path / "model", facts(start_ms=9000, name="renamed"))
    assert (again.facts.start_ms, again.facts.run_id, again.facts.sent) == (1000, "m1", 1)
    assert (again.facts.name, again.facts.status, again.facts.end_ms) == ("renamed", None, None)
    assert again.moments() == moments(1)


def test_what_one_store_has_confirmed_another_has_not(begin, tmp_path):
    first = begin(tmp_path / "model", facts())
    first.update(run_id="m1", sent=7)
    first.close()
    assert begin(tmp_path / "model", facts(uri="http://127.0.0.1:2")).facts.sent == 0


def test_the_record_of_another_run_is_moved_aside_and_ended(begin, tmp_path):
    first = begin(tmp_path / "model", facts())
    first.add(moments(5)[4])
    first.close()
    second = begin(tmp_path / "model", facts("b" * 32))
    assert second.moments() == []
    kept = read_record(tmp_path / "model.aaaaaaaa.tracking")
    assert (kept.facts.status, kept.facts.end_ms) == ("KILLED", 1004)
    assert find_records(tmp_path) == [tmp_path / "model.aaaaaaaa.tracking", tmp_path / "model.tracking"]


def test_nothing_is_overwritten_however_often_records_are_moved_aside(begin, tmp_path):
    for uid in ("a" * 32, "b" * 32, "a" * 32, "b" * 32):
        begin(tmp_path / "model", facts(uid)).close()
    found = [read_record(folder).facts.uid[0] for folder in find_records(tmp_path)]
    assert sorted(found) == ["a", "a", "b", "b"]


def test_the_record_of_another_training_that_goes_on_is_left_alone(begin, tmp_path):
    first = begin(tmp_path / "model", facts())
    second = begin(tmp_path / "model", facts("b" * 32))
    first.add(moments(1)[0])
    first.update(tags={"kind": "tfidf"})
    second.update(tags={"kind": "static"})
    assert read_record(tmp_path / "model.tracking").facts == first.facts
    assert read_record(tmp_path / "model.bbbbbbbb.tracking").facts == second.facts
    assert second.moments() == []


def test_a_record_in_use_is_left_alone(begin, tmp_path):
    first = begin(tmp_path / "model", facts())
    other = Record(first.folder, first.facts)
    assert not other.lock()
    first.update(sent=4)
    second = begin(tmp_path / "model", facts())
    assert second.folder != first.folder
    assert second.facts.sent == 0
    first.close()
    assert other.lock()
    other.close()


def test_records_are_found_at_beside_and_below_a_path(begin, tmp_path):
    for name in ("one", "group/seed-0", "group/seed-1"):
        begin(tmp_path / name, facts())
    (tmp_path / "empty.tracking").mkdir()
    group = [tmp_path / "group" / f"seed-{seed}.tracking" for seed in (0, 1)]
    assert find_records(tmp_path) == [*group, tmp_path / "one.tracking"]
    assert find_records(tmp_path / "one") == find_records(tmp_path / "one.tracking") == [tmp_path / "one.tracking"]
    assert find_records(tmp_path / "group") == group
    assert find_records(tmp_path / "nothing") == []
    begin(tmp_path / "one", facts("b" * 32))  # beside that of a training that goes on
    begin(tmp_path / "one.v2", facts())
    assert find_records(tmp_path / "one") == [tmp_path / "one.bbbbbbbb.tracking", tmp_path / "one.tracking"]


@pytest.mark.parametrize(
    "line",
    ['{"step": 1, "at_ms": "x", "values": {}}', '{"step": 1, "at_ms": 2, "values": [1]}', "[" * 100_000, "\udcff"],
)
def test_a_line_that_no_run_wrote_costs_no_other(begin, tmp_path, line):
    begin(tmp_path / "model", facts()).add(moments(1)[0])
    with (tmp_path / "model.tracking" / "metrics.jsonl").open("ab") as stream:
        stream.write(line.encode(errors="surrogateescape") + b"\n")
    assert read_record(tmp_path / "model.tracking").moments() == moments(1)


def test_what_is_removed_is_gone(begin, tmp_path):
    record = begin(tmp_path / "model", facts())
    record.add(moments(1)[0])
    record.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"expected the record of a run with run\.json, found none"),
        ("no json", "another: the file: Invalid JSON"),
        ("{}", "another: uid: Field required"),
        ({"format": 2}, "another: format: Input should be 1"),
        ({"surprise": 1}, "another: surprise: Extra inputs"),
        ({"start_ms": "yesterday"}, "another: start_ms: Input should be a valid integer"),
    ],
)
def test_what_is_no_record_is_refused_with_one_error(tmp_path, content, message):
    folder = record_folder(tmp_path / "model")
    folder.mkdir()
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(facts().model_dump(mode="json") | content)
        (folder / "run.json").write_text(text)
    with pytest.raises(TrackingError, match=message):
        read_record(folder)


def test_only_the_owner_reads_a_record(begin, tmp_path):
    """A store's address may hold a password."""
    record = begin(tmp_path / "model", facts())
    assert stat.S_IMODE(record.folder.stat().st_mode) == 0o700


def test_a_record_that_another_sync_has_sent_meanwhile_is_passed_over(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.tracking").mkdir()
        (tmp_path / f"{name}.tracking" / "run.json").write_text("{}")
    found = sync([tmp_path])
    assert next(found).state == "failed"  # no record of ours, and still there
    shutil.rmtree(tmp_path / "b.tracking")
    assert list(found) == []
