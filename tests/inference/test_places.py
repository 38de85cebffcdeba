"""Where an output can go, and what is said where it cannot."""

import json
import os
import sys
from pathlib import Path

import pytest

from claimsieve.data.corpora import load_labelled
from claimsieve.errors import DataError, ModelError
from claimsieve.inference.predict import Job, predict_file
from claimsieve.inference.sources import check_paths, described
from claimsieve.models.tfidf import TfidfModel


@pytest.fixture(scope="module")
def model(planted_claims: Path) -> TfidfModel:
    claims, _ = load_labelled(str(planted_claims))
    trained = TfidfModel(inputs=("claim",), max_features=300)
    list(trained.fit(claims, valid=claims))
    return trained


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"claim": "the bridge was hit"}) + "\n")
    return str(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_a_file_would_take_the_place_of_is_no_output(source, tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "device.jsonl").symlink_to(os.devnull)
    (tmp_path / "folder.jsonl").mkdir()
    for name, found in {"pipe": "a device or pipe", "device": "a device or pipe", "folder": "a folder"}.items():
        with pytest.raises(DataError, match=f"expected a file for the output, found {found}"):
            check_paths(source, str(tmp_path / f"{name}.jsonl"))
    (tmp_path / "out.jsonl.rejects.jsonl").mkdir()
    with pytest.raises(DataError, match=r"rejects\.jsonl: expected a file for the output, found a folder"):
        check_paths(source, str(tmp_path / "out.jsonl"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_no_input_but_as_standard_input(tmp_path):
    os.mkfifo(tmp_path / "in.jsonl")
    with pytest.raises(DataError, match="expected a file, found a device or pipe; '-' reads standard input"):
        described(str(tmp_path / "in.jsonl"))


def test_a_model_directory_is_no_place_for_an_output(source, tmp_path):
    (tmp_path / "model" / "weights").mkdir(parents=True)
    (tmp_path / "model" / "manifest.json").write_text("{}")
    with pytest.raises(ModelError, match="lies inside the model directory model, which would be spoilt"):
        check_paths(source, str(tmp_path / "model" / "labelled.csv"))


def test_a_name_that_is_too_long_is_one_clear_error(source, tmp_path):
    with pytest.raises(DataError, match="cannot be written: File name too long"):
        check_paths(source, str(tmp_path / f"{'a' * 245}.csv"))


def test_a_closed_standard_output_is_one_clear_error(model, source, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(DataError, match="expected standard output to be open, found it closed"):
        predict_file(model, Job(source, "-"))


def test_a_closed_standard_error_loses_no_rows(model, source, monkeypatch, capsysbinary):
    with open(source, "a") as lines:  # noqa: PTH123
        lines.write("no row\n")
    monkeypatch.setattr(sys, "stderr", None)
    assert predict_file(model, Job(source, "-")).rejected == 1
    assert len(capsysbinary.readouterr().out.splitlines()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")
def test_a_name_that_is_not_utf8_is_a_name_like_any_other(model, source, tmp_path):
    first, second = (str(tmp_path / os.fsdecode(name)) for name in (b"a\xe9.parquet", b"b\xe9.parquet"))
    assert predict_file(model, Job(source, first)).labelled == 1
    assert predict_file(model, Job(first, second)).labelled == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_standard_output_that_is_full_is_one_clear_error(model, source, monkeypatch):
    with open("/dev/full", "wb", buffering=0) as full, monkeypatch.context() as patch:  # noqa: PTH123
        patch.setattr(sys, "stdout", type("Output", (), {"buffer": full, "flush": lambda: None, "encoding": "utf-8"}))
        with pytest.raises(DataError, match="standard output: cannot be written: No space left"):
            predict_file(model, Job(source, "-"))


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a place where nobody can write")
def test_nothing_is_said_to_be_kept_where_nothing_can_be_written(model, source):
    with pytest.raises(DataError, match=r"cannot be written: .*another place\.$"):
        predict_file(model, Job(source, "/proc/out.jsonl"))
