"""However often and wherever a job is killed, the same command ends with the same bytes."""

import gzip
import json
import os
import random
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from claimsieve.data.corpora import load_labelled
from claimsieve.errors import DataError
from claimsieve.inference import journal, windows
from claimsieve.inference.predict import Job, Tally, predict_file
from claimsieve.models.tfidf import TfidfModel

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

ROWS = 90
TARGETS = ("out.jsonl", "out.csv", "out.jsonl.gz", "out.csv.zst", "out.parquet")


@pytest.fixture(scope="module")
def model(planted_claims: Path) -> TfidfModel:
    claims, _ = load_labelled(str(planted_claims))
    trained = TfidfModel(inputs=("claim", "evidence"), max_features=500)
    list(trained.fit(claims, valid=claims))
    return trained


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Rows of which some repeat and some cannot be read; eleven windows of eight rows."""
    draw = random.Random(3)
    words = ("bridge", "officials", "footage", "nobody")
    lines = []
    for number in range(ROWS):
        row = {"id": number, "claim": " ".join(draw.choices(words, k=2)), "evidence": draw.choice(words)}
        lines.append("not json" if number % 13 == 5 else json.dumps(row))
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "WINDOW_ROWS", 8)


def outputs(target: Path) -> dict[str, bytes]:
    """All that a job leaves, by name."""
    names = [path for path in target.parent.iterdir() if path.name.startswith(target.name)]
    return {path.name: path.read_bytes() for path in names if path.is_file()}


def in_child(work: Callable[[], object]) -> int:
    """Run in a process of its own; its wait status: 0 when it came to its end."""
    if (child := os.fork()) == 0:
        try:
            work()
        except DataError:
            os._exit(7)
        except BaseException:
            os._exit(99)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def killed_at(step: int, work: Callable[[], object]) -> Callable[[], object]:
    """The same work, which gets SIGKILL before the call that brings it to the disk for the step-th time."""

    def doomed() -> None:
        left = step

        def counting(real: Callable) -> Callable:
            def call(*arguments, **keywords):
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **keywords)

            return call

        for name in ("fsync", "open"):
            setattr(os, name, counting(getattr(os, name)))
        for name in ("replace", "unlink", "mkdir"):
            setattr(Path, name, counting(getattr(Path, name)))
        journal.shutil.rmtree = counting(journal.shutil.rmtree)
        work()

    return doomed


@pytest.mark.parametrize("name", TARGETS)
def test_killed_at_every_state_the_same_command_ends_with_the_same_bytes(model, source, tmp_path, name):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    tally = predict_file(model, Job(str(source), str(whole / name)))
    assert (tally.read, tally.rejected) == (ROWS, 7)
    assert tally.repeated > 0
    job = Job(str(source), str(broken / name))
    draw, kills = random.Random(name), 0
    # Each time with what the last one left; a start takes some ten calls, a first one more, a part three or four.
    while in_child(killed_at(draw.randint(1, 20), lambda: predict_file(model, job))) == signal.SIGKILL:
        kills += 1
        assert kills < 300
    assert kills >= 10
    assert outputs(broken / name) == outputs(whole / name)
    assert [path.name for path in broken.iterdir() if path.is_dir()] == []


def test_one_kill_at_each_state_then_the_same_command(model, source, tmp_path):
    predict_file(model, Job(str(source), str(tmp_path / "whole.csv")))
    whole = {name.replace("whole", "out"): content for name, content in outputs(tmp_path / "whole.csv").items()}
    job = Job(str(source), str(tmp_path / "out.csv"))
    for step in range(1, 200):
        ended = in_child(killed_at(step, lambda: predict_file(model, job))) == 0
        tally = predict_file(model, job)
        assert outputs(tmp_path / "out.csv") == whole
        assert tally.read == tally.labelled + tally.rejected == ROWS
        if ended:
            break
    assert step >= 50


def interrupted(model, source: Path, target: Path) -> Path:
    """A job that was killed with some parts done; its folder."""
    assert in_child(killed_at(22, lambda: predict_file(model, Job(str(source), str(target))))) == signal.SIGKILL
    folder = target.with_name(f"{target.name}.partial")
    assert (folder / "journal").read_bytes().count(b"\n") >= 2
    return folder


@pytest.mark.parametrize("cut", [0, 1, 40, 200, 10_000])
@pytest.mark.parametrize("file", ["journal", "output", "rejects", "memory"])
def test_what_a_power_cut_tears_off_is_computed_again(model, source, tmp_path, file, cut):
    predict_file(model, Job(str(source), str(tmp_path / "whole.jsonl")))
    folder = interrupted(model, source, tmp_path / "out.jsonl")
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: max(0, len(content) - cut)] + b"\0" * (cut % 3))
    predict_file(model, Job(str(source), str(tmp_path / "out.jsonl")))
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    rejects = [tmp_path / f"{name}.jsonl.rejects.jsonl" for name in ("out", "whole")]
    assert rejects[0].read_bytes() == rejects[1].read_bytes()


def test_what_changed_is_refused_by_name_and_restart_begins_anew(model, source, tmp_path):
    target = tmp_path / "out.jsonl"
    interrupted(model, source, target)
    with pytest.raises(DataError, match=r"options\.map\.claim was null, is \"id\".*--restart"):
        predict_file(model, Job(str(source), str(target), mapping={"claim": "id"}))
    with pytest.raises(DataError, match=r"model\.fingerprint was \"\", is \"abc\""):
        predict_file(model, Job(str(source), str(target)), fingerprint="abc")
    with source.open("a") as stream:
        stream.write('{"claim": "one more"}\n')
    with pytest.raises(DataError, match="source was"):
        predict_file(model, Job(str(source), str(target)))
    assert not target.exists()
    assert predict_file(model, Job(str(source), str(target), restart=True)).read == ROWS + 1


def test_a_job_of_another_process_is_left_alone(model, source, tmp_path):
    target = tmp_path / "out.jsonl"
    folder = interrupted(model, source, target)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with journal.open_journal(target, json.loads(before["identity.json"]), restart=False):
        assert os.waitstatus_to_exitcode(in_child(lambda: predict_file(model, Job(str(source), str(target))))) == 7
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_of_somebody_else_is_left_alone(model, source, tmp_path):
    folder = tmp_path / f"out.jsonl{journal.SUFFIX}"
    folder.mkdir()
    (folder / "notes.txt").write_text("precious")
    with pytest.raises(DataError, match=r"found 'notes\.txt' there, which is none of it"):
        predict_file(model, Job(str(source), str(tmp_path / "out.jsonl")))
    assert (folder / "notes.txt").read_text() == "precious"


def test_who_comes_as_the_folder_goes_is_told(tmp_path):
    held = journal._held(tmp_path / "gone", tmp_path / "out.jsonl")
    with pytest.raises(DataError, match="found another process at it"), held:
        pass


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("limit", [10, 700, 2_000])
def test_a_full_disk_is_one_clear_error_and_costs_nothing(model, source, tmp_path, name, limit):
    (tmp_path / "whole").mkdir()
    predict_file(model, Job(str(source), str(tmp_path / "whole" / name)))
    job = Job(str(source), str(tmp_path / name))

    def with_little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        with pytest.raises(DataError, match="cannot be written: File too large"):
            predict_file(model, job)

    assert in_child(with_little_room) == 0
    assert not (tmp_path / name).exists()
    predict_file(model, job)
    assert (tmp_path / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_nothing_is_lost_between_the_last_part_and_its_place(model, source, tmp_path):
    target, folder = tmp_path / "out.jsonl", tmp_path / "out.jsonl.partial"
    tally = predict_file(model, Job(str(source), str(tmp_path / "whole.jsonl")))
    told = 0
    for step in range(1, 200):
        if in_child(killed_at(step, lambda: predict_file(model, Job(str(source), str(target), restart=True)))) == 0:
            break
        if (folder / "journal").exists() and b"finished" in (folder / "journal").read_bytes():
            told += 1
            again = predict_file(model, Job(str(source), str(target)))
            assert again == Tally(**tally.counts(), rejects_file=f"{target}.rejects.jsonl")
            assert target.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
            assert not folder.exists()
    assert told >= 4


def test_a_packed_output_is_one_archive_of_all_parts(model, source, tmp_path):
    predict_file(model, Job(str(source), str(tmp_path / "a.jsonl")))
    predict_file(model, Job(str(source), str(tmp_path / "b.jsonl.gz")))
    assert gzip.decompress((tmp_path / "b.jsonl.gz").read_bytes()) == (tmp_path / "a.jsonl").read_bytes()


def test_standard_input_is_read_from_its_beginning_again(model, source, tmp_path, monkeypatch):
    target = tmp_path / "out.jsonl"
    for _ in range(2):
        with source.open() as stream:
            monkeypatch.setattr(sys, "stdin", stream)
            assert predict_file(model, Job("-", str(target))).read == ROWS


def test_what_is_begun_anew_has_the_columns_of_its_own_options(model, source, tmp_path):
    interrupted(model, source, tmp_path / "out.csv")
    for target in (tmp_path / "out.csv", tmp_path / "whole.csv"):
        predict_file(model, Job(str(source), str(target), explain=True, restart=target.name == "out.csv"))
    assert (tmp_path / "out.csv").read_text().splitlines()[0].endswith(",p_propaganda,explanation")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_run_that_committed_nothing_leaves_nothing_and_binds_nobody(model, source, tmp_path):
    target = tmp_path / "out.csv"
    broken = tmp_path / "broken.csv"
    broken.write_bytes(b"\xff\xfe" + source.read_bytes())  # another kind of file, which is found when it is read
    with pytest.raises(DataError):
        predict_file(model, Job(str(broken), str(target)))
    assert sorted(tmp_path.iterdir()) == sorted([broken, source])
    folder = tmp_path / "out.csv.partial"
    for step in range(1, 20):  # killed, it may leave its folder
        assert in_child(killed_at(step, lambda: predict_file(model, Job(str(source), str(target))))) == signal.SIGKILL
        if (folder / "journal").exists() and (folder / "journal").stat().st_size:
            break
        if folder.exists():
            assert predict_file(model, Job(str(source), str(target), explain=True)).read == ROWS
            target.unlink()
    assert step > 3


def test_who_comes_as_the_other_one_ends_does_not_hold_a_folder_that_is_gone(model, source, tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def late(handle: int, operation: int) -> None:
        shutil.rmtree(tmp_path / "out.jsonl.partial")

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(DataError, match="found another process at it"):
        predict_file(model, Job(str(source), str(tmp_path / "out.jsonl")))


def test_a_recipe_that_changed_is_refused_by_name(model, own_recipe, tmp_path):
    rows = [{"text": "a", "title": "b", "verdict": "yes"}] * 20
    target = str(tmp_path / "out.jsonl")
    recipe = f"recipe:{own_recipe(*rows)}"
    assert in_child(killed_at(22, lambda: predict_file(model, Job(recipe, target)))) == signal.SIGKILL
    own_recipe(*rows, fields={"claim": "title", "rating": "verdict"})
    with pytest.raises(DataError, match=r"options\.recipe\.fields\.claim was \"text\", is \"title\""):
        predict_file(model, Job(recipe, target))


def test_an_output_that_was_finished_and_is_gone_is_told(model, source, tmp_path, monkeypatch):
    """Killed between the last move and the end of the folder, and the output moved away before the next run."""
    target = tmp_path / "out.jsonl"
    with monkeypatch.context() as patched:
        patched.setattr(journal.Journal, "remove", lambda self: self.close())
        predict_file(model, Job(str(source), str(target)))
    assert predict_file(model, Job(str(source), str(target))).labelled > 0  # the output is there: all is well
    with monkeypatch.context() as patched:
        patched.setattr(journal.Journal, "remove", lambda self: self.close())
        predict_file(model, Job(str(source), str(target), restart=True))
    target.unlink()
    with pytest.raises(DataError, match=r"out.jsonl: was finished in an earlier run and is gone\. Begin anew"):
        predict_file(model, Job(str(source), str(target)))
    predict_file(model, Job(str(source), str(target), restart=True))
    assert target.exists()


def test_a_link_is_no_folder_to_work_in(model, source, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "out.jsonl.partial").symlink_to(elsewhere)
    with pytest.raises(DataError, match="expected a folder beside the output, found a link"):
        predict_file(model, Job(str(source), str(tmp_path / "out.jsonl")))
    assert not list(elsewhere.iterdir())


def test_an_input_that_is_written_over_while_it_is_read_is_noticed(model, source, tmp_path, monkeypatch):
    """The same size, so that only the moment of writing tells."""
    commit = journal.Journal.commit

    def commit_and_write_over(self, *parts):
        commit(self, *parts)
        source.write_bytes(source.read_bytes().replace(b"bridge", b"harbor"))

    monkeypatch.setattr(journal.Journal, "commit", commit_and_write_over)
    with pytest.raises(DataError, match=r"in\.jsonl: changed while it was read\. Begin anew"):
        predict_file(model, Job(str(source), str(tmp_path / "out.jsonl")))
    assert not (tmp_path / "out.jsonl").exists()
