"""predict reads standard input that stays open: it ends when it has to, and not when the input does."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from claimsieve.data.corpora import load_labelled
from claimsieve.inference.windows import WINDOW_ROWS
from claimsieve.models.artifacts import write_model
from claimsieve.models.tfidf import TfidfModel

_SECONDS = 100


@pytest.fixture(scope="module")
def model(planted_claims: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    claims, _ = load_labelled(str(planted_claims))
    trained = TfidfModel(inputs=("claim",), max_features=300)
    list(trained.fit(claims, valid=claims))
    directory = tmp_path_factory.mktemp("runs") / "model"
    write_model(trained, directory, kind="tfidf", config_yaml="{}\n", data_fingerprint="0" * 64, seed=0)
    return directory


@pytest.fixture
def predicting(model: Path) -> Iterator[subprocess.Popen]:
    """The command, with its input held open by the test."""
    words = ("predict", model, "-", "-o", "-", "--max-rejects", "0", "-q")
    command = [sys.executable, "-m", "claimsieve", *map(str, words)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, **pipes, preexec_fn=_heeds_ctrl_c) as process:
        yield process
        process.kill()


def test_too_many_rejects_end_it(predicting):
    predicting.stdin.write(b"no row\n" * WINDOW_ROWS)
    predicting.stdin.flush()
    told = predicting.stderr.read().decode()
    assert predicting.wait(_SECONDS) == 1
    assert "expected fewer rejected rows" in told
    assert "Fatal" not in told


def test_ctrl_c_ends_it(predicting):
    predicting.stdin.write((json.dumps({"claim": "the bridge was hit"}) + "\n").encode() * WINDOW_ROWS)
    predicting.stdin.flush()
    assert b"p_verified" in os.read(predicting.stdout.fileno(), 4_096)  # it is at work, and will wait for more
    predicting.send_signal(signal.SIGINT)
    told = _rest(predicting)
    assert predicting.wait(_SECONDS) == 130
    assert "Fatal" not in told


def _heeds_ctrl_c() -> None:
    """What a shell runs in the background is told to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _rest(process: subprocess.Popen) -> str:
    """What it still says, while its input stays open."""
    while os.read(process.stdout.fileno(), 1 << 20):
        pass
    return process.stderr.read().decode()
