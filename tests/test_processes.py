"""Three real processes take the steps that one takes."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from claimsieve import processes
from claimsieve.errors import ConfigError

SCRIPT = Path(__file__).with_name("process_script.py")
COUNT = 3


def start(folder, **environment):
    return subprocess.Popen(
        [sys.executable, SCRIPT, folder],
        env={**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What one process alone found, and what each of three did."""
    folder, alone = tmp_path_factory.mktemp("three"), tmp_path_factory.mktemp("alone")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {"WORLD_SIZE": str(COUNT), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    started = [start(folder, RANK=str(place), **common) for place in range(COUNT)] + [start(alone)]
    try:
        errors = [process.communicate(timeout=600)[1] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 3, 0, 0], "\n".join(errors)
    read = [json.loads((folder / f"{place}.json").read_text()) for place in range(COUNT)]
    return json.loads((alone / "0.json").read_text()), read


@pytest.mark.parametrize("way", ["plain", "accumulated", "unweighted"])
def test_several_processes_take_the_steps_of_one(found, way):
    alone, several = found
    for one in several:
        for (loss, tokens, valid), (expected_loss, expected_tokens, expected) in zip(
            one[way]["steps"], alone[way]["steps"], strict=True
        ):
            assert loss == pytest.approx(expected_loss, rel=1e-4)
            assert tokens == expected_tokens
            assert valid == (None if expected is None else pytest.approx(expected, rel=1e-4))
        for weight, expected in zip(one[way]["weights"], alone[way]["weights"], strict=True):
            np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("way", ["plain", "accumulated", "unweighted", "bfloat16", "whole"])
def test_all_processes_hold_the_same_bits(found, way):
    _, several = found
    assert all(one[way] == several[0][way] for one in several)


def test_a_training_with_dropout_goes_on_to_the_same_bits(found):
    alone, several = found
    assert several[0]["resumed"] == several[0]["whole"]
    assert alone["resumed"] == alone["whole"]
    assert several[0]["whole"] != alone["whole"]  # each process drops out units of its own


def test_a_signal_to_one_stops_all_after_the_same_step(found):
    alone, several = found
    assert [one["stopped"] for one in (alone, *several)] == [3, 3, 3, 3]


def test_processes_that_would_train_on_other_rows_are_refused(found):
    alone, several = found
    assert alone["other seed"] is None
    for one in several:
        assert one["other seed"].startswith("expected 3 processes with the same data, settings and checkpoint")


def test_a_loss_that_is_not_finite_for_one_stops_all(found):
    alone, several = found
    for one in (alone, *several):
        assert "expected a finite loss, found nan at step" in one["nan"]


def test_rows_come_back_in_their_order(found):
    alone, several = found
    for one in (alone, *several):
        assert one["gathered"] == [[float(row)] * 2 for row in range(5)]


def test_a_process_that_is_gone_is_told_of_and_nobody_waits(found):
    _, several = found
    for one in (several[0], several[2]):
        assert one["lost"].startswith("expected 3 processes until the end, lost one")
        assert "--resume" in one["lost"]


@pytest.mark.parametrize("command", ["predict", "sweep", "demo"])
def test_only_train_runs_in_several_processes(monkeypatch, command):
    monkeypatch.setenv("WORLD_SIZE", "2")
    processes.check_launch("train")
    with pytest.raises(ConfigError, match=f"claimsieve {command}: expected one process, found 2"):
        processes.check_launch(command)


def test_a_launcher_that_starts_one_in_place_of_several_is_told_of(monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    processes.check_launch("train")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    with pytest.raises(ConfigError, match=r"expected several processes, found one.*torchrun"):
        processes.check_launch("train")
    monkeypatch.setenv("WORLD_SIZE", "2")
    processes.check_launch("train")


@pytest.mark.parametrize(("place", "said"), [("0", "late\n"), ("1", "")])
def test_one_that_has_done_its_part_ends_at_once_and_the_first_as_usual(place, said):
    code = "import atexit; from claimsieve import processes; atexit.register(print, 'late'); processes.leave()"
    environment = {**os.environ, "WORLD_SIZE": "2", "RANK": place}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
