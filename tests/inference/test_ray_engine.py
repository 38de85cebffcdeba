"""On a Ray cluster the same comes out as on one machine, whoever is killed on the way."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from claimsieve.data.corpora import load_labelled
from claimsieve.errors import ConfigError, DataError, ModelError
from claimsieve.evaluation.calibration import Calibration
from claimsieve.inference import predict, ray_crew, ray_engine, windows
from claimsieve.inference.predict import Job, Tally, predict_file
from claimsieve.inference.ray_crew import Crew
from claimsieve.inference.ray_engine import predict_on_ray
from claimsieve.models import kind_class
from claimsieve.models.artifacts import load_model, write_model
from claimsieve.models.loop import LoopSettings
from claimsieve.models.tfidf import TfidfModel
from claimsieve.records import LABELS

# Ray may take nothing but loopback for the address of this machine, counts nobody's use, and writes no token at home.
os.environ.update(RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0", RAY_USAGE_STATS_ENABLED="0", RAY_AUTH_MODE="disabled")
pytest.importorskip("ray", reason="needs Ray: pip install 'claimsieve[ray]'")

ROWS = 400  # in windows of eight: fifty


class TwoNodes:
    """A cluster whose head computes nothing, and two nodes with one CPU each."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "object_store_memory": 100_000_000, "include_dashboard": False}
        soon = {"health_check_period_ms": 500, "health_check_timeout_ms": 2_000, "health_check_failure_threshold": 3}
        self.cluster = Cluster(
            initialize_head=True, head_node_args={**head, "node_ip_address": "127.0.0.1", "_system_config": soon}
        )
        self.nodes: list[Any] = []
        self.complete()

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def complete(self) -> None:
        while len(self.nodes) < 2:
            node = self.cluster.add_node(num_cpus=1, object_store_memory=80_000_000, node_ip_address="127.0.0.1")
            self.nodes.append(node)

    def kill_node(self) -> None:
        self.cluster.remove_node(self.nodes.pop(), allow_graceful=False)


@pytest.fixture(scope="module")
def whole_cluster() -> Iterator[TwoNodes]:
    two_nodes = TwoNodes()
    yield two_nodes
    two_nodes.cluster.shutdown()


@pytest.fixture
def cluster(whole_cluster: TwoNodes) -> TwoNodes:
    whole_cluster.complete()
    return whole_cluster


@pytest.fixture(scope="module")
def directory(planted_claims: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    claims, _ = load_labelled(str(planted_claims))
    model = TfidfModel(inputs=("claim", "evidence"), max_features=500)
    list(model.fit(claims, valid=claims))
    return saved(model, "tfidf", tmp_path_factory.mktemp("model") / "tfidf")


def saved(model: Any, kind: str, directory: Path) -> Path:
    write_model(model, directory, kind=kind, config_yaml="", data_fingerprint="", seed=0)
    return directory


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Rows of which some repeat and some cannot be read."""
    draw = random.Random(3)
    words = ("bridge", "officials", "footage", "nobody", "harbour", "older", "confirm")
    lines = []
    for number in range(ROWS):
        row = {
            "id": number,
            "claim": f"{number % 150} " + " ".join(draw.choices(words, k=3)),
            "evidence": draw.choice(words),
        }
        lines.append("not json" if number % 13 == 5 else json.dumps(row))
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "WINDOW_ROWS", 8)


def on_one_machine(directory: Path, job: Job, **options: Any) -> Tally:
    model, manifest = load_model(directory, precision="float32", device="cpu")
    return predict_file(model, job, fingerprint=manifest.fingerprint, **options)


@pytest.fixture
def when_both_work(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], Callable[[int], None]]:
    """Does something in the middle of a job, when both workers take windows."""
    crews: list[Crew] = []

    class Watched(Crew):
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, **keywords)
            crews.append(self)

    monkeypatch.setattr(ray_engine, "Crew", Watched)

    def once(act: Callable[[], object]) -> Callable[[int], None]:
        acted: list[bool] = []

        def advance(rows: int) -> None:
            if acted or rows == 0:
                return
            if len(crews[-1]._ready) < 2:
                time.sleep(4)  # a busy machine takes its time to start the second one
                return
            acted.append(True)
            act()

        return advance

    return once


def assert_same(found: Path, expected: Path, tallies: tuple[Tally, Tally]) -> None:
    """All but the last digits of probabilities, and how much was computed twice."""
    rows, others = ([json.loads(line) for line in path.read_text().splitlines()] for path in (found, expected))
    assert len(rows) == len(others) > 0
    for row, other in zip(rows, others, strict=True):
        probabilities = {name for name in row if name.startswith("p_")}
        assert {name: row[name] for name in probabilities} == pytest.approx(
            {name: other[name] for name in probabilities}, abs=2e-6
        )
        assert {k: v for k, v in row.items() if k not in probabilities} == {
            k: v for k, v in other.items() if k not in probabilities
        }
    rejects = [Path(f"{path}.rejects.jsonl") for path in (found, expected)]
    assert [path.read_text() for path in rejects if path.exists()][:1] == [
        path.read_text() for path in rejects if path.exists()
    ][1:]
    ours, theirs = (tally.counts() for tally in tallies)
    assert ours["read"] == ours["labelled"] + ours["rejected"]
    for name in ("read", "labelled", "rejected", "without_evidence", "abstained"):
        assert ours[name] == theirs[name]


@pytest.fixture
def expected(directory: Path, source: Path, tmp_path: Path) -> tuple[Path, Tally]:
    target = tmp_path / "expected.jsonl"
    return target, on_one_machine(directory, Job(str(source), str(target)))


def test_a_cluster_gives_what_one_machine_gives(cluster, directory, source, tmp_path, expected):
    alike = dict.fromkeys(LABELS, 0.4)
    calibration = Calibration(1.2, {}, 0.9, alike, dict.fromkeys(LABELS, 50), dict.fromkeys(LABELS, 1 / 3))
    target, other = tmp_path / "out.jsonl", tmp_path / "other.jsonl"
    told: list[int] = []
    tallies = (
        predict_on_ray(
            directory,
            Job(str(source), str(target)),
            address=cluster.address,
            calibration=calibration,
            advance=told.append,
        ),
        on_one_machine(directory, Job(str(source), str(other)), calibration=calibration),
    )
    assert_same(target, other, tallies)
    assert tallies[0].rejected > 0
    assert tallies[0].abstained > 0
    assert told == [0, *[8] * (ROWS // 8)]


def test_a_table_is_the_same_bytes_and_little_is_read_ahead(cluster, directory, source, tmp_path, monkeypatch):
    counts = {"read": 0, "written": 0}
    ahead: list[int] = []

    def counted(*arguments: Any, **keywords: Any) -> Iterator[windows.Window]:
        for window in windows.windows(*arguments, **keywords):
            counts["read"] += 1
            ahead.append(counts["read"] - counts["written"])
            yield window

    def advance(rows: int) -> None:
        counts["written"] += rows > 0

    target, other = tmp_path / "out.csv.gz", tmp_path / "other.csv.gz"
    on_one_machine(directory, Job(str(source), str(other)))
    monkeypatch.setattr(predict, "windows", counted)
    job = Job(str(source), str(target))
    predict_on_ray(directory, job, address=cluster.address, workers=2, advance=advance)
    assert target.read_bytes() == other.read_bytes()
    assert counts == {"read": ROWS // 8, "written": ROWS // 8}
    assert max(ahead) <= 4 * 2 + 2  # of two workers; one is being read, one is being written


def test_a_node_is_killed_and_its_windows_are_computed_elsewhere(
    cluster, directory, source, tmp_path, expected, when_both_work
):
    target = tmp_path / "out.jsonl"
    job = Job(str(source), str(target))
    tally = predict_on_ray(directory, job, address=cluster.address, advance=when_both_work(cluster.kill_node))
    assert len(cluster.nodes) == 1
    assert_same(target, expected[0], (tally, expected[1]))


def test_a_worker_is_killed_and_replaced(cluster, directory, source, tmp_path, expected, when_both_work):
    target = tmp_path / "out.jsonl"
    killed: list[int] = []

    def kill_one() -> None:
        killed.append(min(worker_processes()))
        os.kill(killed[0], signal.SIGKILL)

    job = Job(str(source), str(target))
    tally = predict_on_ray(directory, job, address=cluster.address, advance=when_both_work(kill_one))
    assert killed
    assert_same(target, expected[0], (tally, expected[1]))


def worker_processes() -> list[int]:
    """Of this user's clusters, the processes with a copy of the model."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and (folder / "cmdline").read_bytes().startswith(b"ray::Worker"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_without_any_worker_what_is_done_is_kept(
    cluster, directory, source, tmp_path, expected, when_both_work, monkeypatch
):
    target = tmp_path / "out.jsonl"
    job = Job(str(source), str(target))

    def kill_all() -> None:
        while cluster.nodes:
            cluster.kill_node()
        start = time.monotonic()
        # From now on the driver's clock runs faster.
        monkeypatch.setattr(ray_crew, "time", SimpleNamespace(monotonic=lambda: start + 100 * (real() - start)))

    real = time.monotonic
    with pytest.raises(DataError, match=r"expected a worker.*found none for 300 seconds.*the same command goes on"):
        predict_on_ray(directory, job, address=cluster.address, advance=when_both_work(kill_all))
    assert not target.exists()
    told: list[int] = []
    tally = on_one_machine(directory, job, advance=told.append)  # the other engine goes on
    assert told[0] > 0
    assert_same(target, expected[0], (tally, expected[1]))


def test_work_that_no_worker_survives_is_given_up(cluster, directory, source, tmp_path):
    over = threading.Event()

    def kill_each() -> None:
        while not over.wait(0.1):
            for process in worker_processes():
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    killer = threading.Thread(target=kill_each)
    killer.start()
    try:
        with pytest.raises(
            DataError, match=r"found 5 workers lost without a window done, the last by: .+. What is done"
        ):
            predict_on_ray(directory, Job(str(source), str(tmp_path / "out.jsonl")), address=cluster.address, workers=1)
    finally:
        over.set()
        killer.join()


DRIVER = """
import os, signal, sys
from pathlib import Path
from claimsieve.inference import windows
from claimsieve.inference.predict import Job
from claimsieve.inference.ray_engine import predict_on_ray

windows.WINDOW_ROWS = 8
directory, source, target, address, parts = sys.argv[1:]
seen = []

def advance(rows):
    seen.append(rows)
    if len(seen) > int(parts):
        os.kill(os.getpid(), signal.SIGKILL)

predict_on_ray(Path(directory), Job(source, target), address=address, advance=advance)
"""


def test_the_driver_is_killed_and_the_same_command_goes_on(cluster, directory, source, tmp_path, expected):
    target = tmp_path / "out.jsonl"
    arguments = [str(directory), str(source), str(target), cluster.address]
    driver = subprocess.run([sys.executable, "-c", DRIVER, *arguments, "7"], capture_output=True, timeout=600)
    assert driver.returncode == -signal.SIGKILL, driver.stderr.decode()
    told: list[int] = []
    job = Job(str(source), str(target))
    tally = predict_on_ray(directory, job, address=cluster.address, advance=told.append)
    assert told[0] == 7 * 8
    assert_same(target, expected[0], (tally, expected[1]))


def test_an_encoder_is_sent_to_its_workers(cluster, planted_claims, tiny_checkpoint, tmp_path):
    claims, _ = load_labelled(str(planted_claims))
    model = kind_class("encoder")(
        inputs=("claim", "evidence"),
        checkpoint=str(tiny_checkpoint),
        max_tokens=64,
        loop=LoopSettings(max_steps=5, batch_tokens=1024, learning_rate=1e-3),
        device="cpu",
        precision="float32",
    )
    list(model.fit(claims, valid=claims))
    directory = saved(model, "encoder", tmp_path / "encoder")
    ours, others = tmp_path / "ours.jsonl", tmp_path / "others.jsonl"
    tally = predict_on_ray(
        directory, Job(str(planted_claims), str(ours)), address=cluster.address, precision="float32", device="cpu"
    )
    assert_same(ours, others, (tally, on_one_machine(directory, Job(str(planted_claims), str(others)))))


def test_what_a_worker_finds_wrong_is_one_clear_error(cluster, directory, source, tmp_path, monkeypatch):
    monkeypatch.setattr("claimsieve.inference.ray_worker.library_versions", lambda: {"claimsieve": "0.0.1"})
    with pytest.raises(ConfigError, match=r"versions of this machine.*claimsieve .* in place of 0\.0\.1"):
        predict_on_ray(directory, Job(str(source), str(tmp_path / "out.jsonl")), address=cluster.address)


def test_a_changed_model_is_refused_before_any_cluster_is_asked(directory, source, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "manifest.json").write_bytes((directory / "manifest.json").read_bytes())
    with pytest.raises(ModelError, match="found nothing"):
        predict_on_ray(broken, Job(str(source), str(tmp_path / "out.jsonl")), address="127.0.0.1:1")


def test_the_command_writes_to_stdout_and_nothing_else(cluster, directory, source, expected, claimsieve):
    code, out, err = claimsieve("predict", directory, source, "--engine", "ray", "--address", cluster.address, "-q")
    assert code == 3, err
    assert out == expected[0].read_text()
    assert all(json.loads(line)["place"] for line in err.splitlines())
