"""What is light stays light: help, configs and recipes answer before any heavy library is read."""

import json
import subprocess
import sys

import pytest

HEAVY = (
    "torch",
    "transformers",
    "mlflow",
    "sklearn",
    "scipy",
    "pandas",
    "pyarrow",
    "matplotlib",
    "datasets",
    "trafilatura",
    "bm25s",
    "sentencex",
    "faiss",
)
LIGHT = ("claimsieve", "claimsieve.cli", "claimsieve.config", "claimsieve.data.recipes", "claimsieve.data.corpora")


def heavy_after(code: str) -> list[str]:
    """The heavy libraries that a fresh Python has read after `code`."""
    script = f"import sys, json\n{code}\nprint('\\n' + json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=600, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def test_light_modules_read_no_heavy_library():
    assert heavy_after("\n".join(f"import {name}" for name in LIGHT)) == []


def test_what_an_encoder_predicts_with_reads_no_scikit_learn():
    modules = ("models.encoder", "models.two_axis", "inference.predict", "evaluation.assessment")
    code = "\n".join(f"import claimsieve.{name}" for name in modules)
    assert {"torch", "sklearn", "pandas"} & set(heavy_after(code)) == {"torch"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "--help"],
        ["predict", "--help"],
        ["compare", "--help"],
        ["promote", "--help"],
        ["cascade", "--help"],
        ["match", "--help"],
        ["export", "claimreview", "--help"],
        ["sweep", "--help"],
        ["track", "sync", "--help"],
        ["article", "--help"],
        ["media", "check", "--help"],
        ["configs", "check", "starter-encoder"],
        ["recipe", "list"],
    ],
    ids=" ".join,
)
def test_light_commands_read_no_heavy_library(arguments):
    code = f"""
sys.argv = ["claimsieve", *{arguments!r}]
from claimsieve.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
    assert heavy_after(code) == []


def test_what_is_wrong_with_a_claims_file_is_said_before_torch_is_read(tmp_path):
    """Without the check the model directory would be missed first."""
    (tmp_path / "in.csv").write_text("text\nhit\n")
    code = f"""
sys.argv = ["claimsieve", "predict", "no-model", {str(tmp_path / "in.csv")!r}]
from claimsieve.cli import main
try:
    main()
except SystemExit as end:
    assert end.code == 1, end.code
"""
    assert heavy_after(code) == []
