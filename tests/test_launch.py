"""`torchrun ... -m claimsieve train`: two real processes, from a config to one model directory and one tracked run."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
import torch
from safetensors.torch import load_file

from claimsieve import config as configs
from claimsieve.runner import run_experiment, training_directory
from claimsieve.yaml12 import dump

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.fixture(scope="module")
def world(tmp_path_factory, planted_claims, tiny_checkpoint):
    """A folder with a config; its training goes on long enough to be killed."""
    folder = tmp_path_factory.mktemp("launch")
    config = {
        "name": "launched",
        "data": {
            "corpora": [{"file": str(planted_claims)}],
            "split": {"by": "group", "train": 0.6, "valid": 0.1, "calibration": 0.1, "test": 0.2},
        },
        "model": {"kind": "encoder", "checkpoint": str(tiny_checkpoint)},
        "training": {
            **{"epochs": 10, "batch_tokens": 256, "learning_rate": 1e-3, "precision": "float32", "device": "cpu"},
            **{"patience_evaluations": 99, "checkpoint_seconds": 0.0},
        },
        "evaluation": {"resamples": 100, "shortcuts": False},
        "tracking": {"uri": f"sqlite:///{folder}/mlflow.db"},
    }
    (folder / "config.yaml").write_text(dump(config), encoding="utf-8")
    return folder


def launch(world, directory, *options):
    environment = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "HF_HUB_OFFLINE": "1"}
    return subprocess.Popen(
        [*TORCHRUN, "-m", "claimsieve", "train", "config.yaml", "-o", directory, *options],
        cwd=world,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(launched):
    """Exit code, stdout and stderr; no process is left behind."""
    children = psutil.Process(launched.pid).children(recursive=True) if launched.poll() is None else []
    try:
        out, err = launched.communicate(timeout=240)
    finally:
        for process in (launched, *children):
            if isinstance(process, subprocess.Popen) or process.is_running():
                process.kill()
    return launched.returncode, out, err


def kill_the_second(launched, checkpoint):
    """SIGKILL to one of the two as soon as there is a checkpoint."""
    while not checkpoint.is_file():
        assert launched.poll() is None, launched.communicate()
        time.sleep(0.01)
    (second,) = [process for process in psutil.Process(launched.pid).children() if process.environ().get("RANK") == "1"]
    second.send_signal(signal.SIGKILL)


@pytest.fixture(scope="module")
def whole(world):
    return ended(launch(world, "whole", "--json", "--set", "tracking.enabled=false"))


@pytest.fixture(scope="module")
def killed_and_resumed(world):
    launched = launch(world, "killed")
    kill_the_second(launched, training_directory(world / "killed") / "state.safetensors")
    first = ended(launched)
    left = sorted(path.name for path in world.iterdir() if "killed" in path.name)
    return first, left, ended(launch(world, "killed", "--resume", "--json"))


def weights(directory):
    return load_file(directory / "weights" / "model.safetensors")


def test_two_processes_make_the_model_that_one_makes(world, whole):
    code, out, err = whole
    assert code == 0, err
    (row,) = json.loads(out)  # of the first process only
    assert err.count("saved whole") == 1
    assert err.count("precision: float32") == 1
    config = configs.load(str(world / "config.yaml"), ["tracking.enabled=false"])
    (alone,) = run_experiment(config, world / "alone")
    ours, theirs = weights(world / "whole"), weights(world / "alone")
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        torch.testing.assert_close(weight, theirs[name], rtol=1e-3, atol=2e-4)
    assert row["metrics"] == pytest.approx(alone.assessment.metrics(), abs=1e-3, nan_ok=True)


def test_a_killed_process_ends_all_with_a_word_and_resume_goes_on_to_the_same_bits(world, whole, killed_and_resumed):
    (code, out, err), left, (resumed_code, resumed_out, resumed_err) = killed_and_resumed
    assert code not in (0, None)
    assert out == ""
    assert "claimsieve: expected 2 processes until the end, lost one" in err
    assert "with --resume goes on" in err
    assert left == ["killed.training"]
    assert resumed_code == 0, resumed_err
    assert json.loads(resumed_out)[0]["metrics"] == json.loads(whole[1])[0]["metrics"]
    ours, theirs = weights(world / "killed"), weights(world / "whole")
    assert all(torch.equal(weight, theirs[name]) for name, weight in ours.items())


def test_both_launches_are_one_tracked_run_and_leave_one_model_directory(world, killed_and_resumed):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{world}/mlflow.db")
    (run,) = client.search_runs([client.get_experiment_by_name("claimsieve").experiment_id])
    assert run.info.status == "FINISHED"
    losses = [metric.step for metric in client.get_metric_history(run.info.run_id, "train/loss")]
    assert losses == sorted(set(losses))
    assert losses[-1] == len(losses)
    assert sorted(path.name for path in world.iterdir() if "killed" in path.name) == ["killed"]
