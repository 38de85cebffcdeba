"""A model of two axes from config to labelled files: both answers stand in every format, and repeats cost nothing."""

import csv
import json

import pyarrow.parquet
import pytest

from claimsieve import yaml12
from claimsieve.records import label_of

STANCES = {"verified": "supported", "unverified": "insufficient", "propaganda": "refuted"}
HEADS = {"stance", "stance_basis", "manipulation", "p_supported", "p_open", "p_refuted", "p_manipulated"}


@pytest.fixture(scope="module")
def claims(planted_claims, tmp_path_factory):
    """The planted claims with a stance, every second one pushed; each fifth comes without evidence."""
    rows = [json.loads(line) for line in planted_claims.read_text(encoding="utf-8").splitlines()]
    for number, row in enumerate(rows):
        row["stance"] = STANCES[row["label"]]
        row["manipulation"] = ["loaded_language"] if number % 2 else []
        if number % 5 == 0:
            row["evidence"], row["stance"] = [], "insufficient"
        row["label"] = label_of(row["stance"], bool(row["manipulation"]))
    path = tmp_path_factory.mktemp("axes") / "claims.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model(claims, tiny_checkpoint, tmp_path_factory):
    from claimsieve.config import validate
    from claimsieve.runner import run_experiment

    config = {
        "name": "axes",
        "data": {
            "corpora": [{"file": str(claims)}],
            "split": {"train": 0.4, "valid": 0.1, "calibration": 0.25, "test": 0.25},
        },
        "model": {"kind": "two_axis", "checkpoint": str(tiny_checkpoint)},
        "training": {"epochs": 2, "batch_tokens": 256, "learning_rate": 3e-3, "corpus_temperature": 2.0},
        "evaluation": {"resamples": 100, "explained_rows": 4},
        "tracking": {"enabled": False},
    }
    [result] = run_experiment(validate(config, place="test"), tmp_path_factory.mktemp("run") / "model")
    return result


def test_a_training_measures_both_heads(model):
    report = model.assessment.axes
    assert report.stance.n > 0
    assert report.manipulation.manipulated > 0
    assert {"axis/stance_macro_f1", "axis/manipulation_recall"} <= model.assessment.metrics().keys()
    assert {"axes.json", "faithfulness.json", "explanations.jsonl"} <= {path.name for path in model.directory.iterdir()}
    rows = [json.loads(line) for line in (model.directory / "test_predictions.jsonl").read_text().splitlines()]
    assert all({"predicted_stance", "p_manipulated"} <= row.keys() for row in rows)
    assert sum(report.stance_corpora[name].n for name in report.stance_corpora) == report.stance.n


def test_both_answers_stand_in_every_format(model, claims, claimsieve, tmp_path):
    outputs = {}
    for suffix in ("jsonl", "csv", "parquet"):
        target = tmp_path / f"out.{suffix}"
        code, _, errors = claimsieve("predict", str(model.directory), claims, "-o", target, "-q")
        assert code == 0, errors
        outputs[suffix] = target
    rows = [json.loads(line) for line in outputs["jsonl"].read_text().splitlines()]
    with outputs["csv"].open(newline="") as stream:
        cells = list(csv.DictReader(stream))
    table = pyarrow.parquet.read_table(outputs["parquet"]).to_pylist()
    assert len(rows) == len(cells) == len(table) == 120
    for row, cell, typed in zip(rows, cells, table, strict=True):
        assert HEADS | {"input_stance", "input_manipulation"} <= row.keys() & cell.keys() & typed.keys()
        assert row["stance_basis"] == ("evidence" if row["evidence"] else "no_evidence")
        if not row["evidence"]:
            assert (row["p_supported"], row["p_open"], row["p_refuted"]) == (0, 1, 0)
            assert row["label"] != "verified"
        assert sum(row[f"p_{name}"] for name in ("supported", "open", "refuted")) == pytest.approx(1, abs=1e-5)
        assert float(cell["p_manipulated"]) == row["p_manipulated"] == typed["p_manipulated"]
        assert typed["manipulation"] == row["manipulation"] == (row["p_manipulated"] >= 0.5)


def test_evaluate_measures_both_axes_at_the_trained_threshold(model, claims, claimsieve):
    code, out, errors = claimsieve("evaluate", str(model.directory), claims, "--json", "-q")
    assert code == 0, errors
    found = json.loads(out)["axes"]
    assert found["threshold"] == model.assessment.axes.threshold
    assert (found["stance"]["n"], found["manipulation"]["manipulated"]) == (96, 60)
    code, out, errors = claimsieve("evaluate", str(model.directory), claims, "-q")
    assert code == 0, errors
    assert "stance, of claims with evidence" in out
    assert "manipulation, at the threshold" in out


def test_a_repeated_row_gets_what_its_first_one_got(model, claims, claimsieve, tmp_path):
    lines = claims.read_text().splitlines()[:10]
    doubled = tmp_path / "doubled.jsonl"
    doubled.write_text("\n".join([*lines, *lines]) + "\n")
    code, out, errors = claimsieve("predict", str(model.directory), doubled, "--explain", "-q")
    assert code == 0, errors
    rows = [json.loads(line) for line in out.splitlines()]
    assert rows[:10] == rows[10:]
    assert all(row["explanation"]["words"] for row in rows)


def test_a_prediction_of_a_prediction_keeps_both(model, claims, claimsieve, tmp_path):
    once, twice = tmp_path / "once.jsonl", tmp_path / "twice.jsonl"
    for source, target in ((claims, once), (once, twice)):
        code, _, errors = claimsieve("predict", str(model.directory), source, "-o", target, "-q")
        assert code == 0, errors
    row = json.loads(twice.read_text().splitlines()[0])
    assert {"stance", "input_stance", "input_input_stance"} <= row.keys()


def test_stance_rows_alone_are_refused_with_what_to_do(planted_claims, tiny_checkpoint, claimsieve, tmp_path):
    config = {
        "name": "axes",
        "data": {"corpora": [{"file": str(planted_claims)}]},
        "model": {"kind": "two_axis", "checkpoint": str(tiny_checkpoint)},
        "tracking": {"enabled": False},
    }
    (tmp_path / "axes.yaml").write_text(yaml12.dump(config), encoding="utf-8")
    code, _, errors = claimsieve("train", tmp_path / "axes.yaml", "-o", tmp_path / "model", "-q")
    assert code == 1
    assert "expected train rows that say whether the claim manipulates" in errors
    assert "Traceback" not in errors
