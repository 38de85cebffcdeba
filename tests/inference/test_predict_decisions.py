"""Prediction sets, reasons and a mix of one's own in an output file, in every format."""

import csv
import json
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from claimsieve.data.corpora import load_labelled
from claimsieve.evaluation.calibration import Calibration
from claimsieve.inference.labelling import DECISION_COLUMNS, PREVALENCE_COLUMNS
from claimsieve.inference.predict import Job, predict_claims, predict_file
from claimsieve.models.tfidf import TfidfModel
from claimsieve.records import LABELS

MIX = {"verified": 0.9, "unverified": 0.08, "propaganda": 0.02}
CALIBRATION = Calibration(
    temperature=1.5,
    corpora={},
    coverage=0.9,
    thresholds=dict.fromkeys(LABELS, 0.3),
    rows=dict.fromkeys(LABELS, 40),
    trained_for=dict.fromkeys(LABELS, 1 / 3),
)


@pytest.fixture(scope="module")
def model(planted_claims):
    claims, _ = load_labelled(str(planted_claims))
    trained = TfidfModel(inputs=("claim", "evidence"), max_features=2_000)
    list(trained.fit(claims, valid=claims))
    return trained


@pytest.fixture
def source(tmp_path):
    rows = [
        {"claim": "the bridge was hit", "evidence": "officials of both sides confirm the report", "abstained": "mine"},
        {"claim": "the harbour was hit", "reasons": "mine too"},
    ]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_each_format_holds_the_decision_and_columns_of_ones_own_keep_their_values(model, source, tmp_path):
    for name in ("out.jsonl", "out.csv", "out.parquet"):
        tally = predict_file(model, Job(source, str(tmp_path / name), prevalence=MIX), calibration=CALIBRATION)
        assert (tally.labelled, tally.abstained) == (2, 1)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    with (tmp_path / "out.csv").open(newline="") as stream:
        cells = list(csv.DictReader(stream))
    table = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert lines[0]["prediction_set"] == ["verified"]
    assert (lines[0]["abstained"], lines[0]["reasons"]) == (False, [])
    assert (lines[1]["abstained"], lines[1]["reasons"]) == (True, ["evidence_insufficient"])
    for line, cell, row in zip(lines, cells, table, strict=True):
        assert {*DECISION_COLUMNS, *PREVALENCE_COLUMNS} <= line.keys() & cell.keys() & row.keys()
        assert json.loads(cell["prediction_set"]) == line["prediction_set"] == row["prediction_set"]
        assert json.loads(cell["abstained"]) is line["abstained"] is row["abstained"]
        assert sum(row[name] for name in PREVALENCE_COLUMNS) == pytest.approx(1, abs=1e-5)
        assert row["p_verified_at_prevalence"] > row["p_verified"]
    assert (lines[0]["input_abstained"], lines[1]["input_reasons"]) == ("mine", "mine too")
    assert (table[0]["input_abstained"], table[1]["input_reasons"]) == ("mine", "mine too")


def test_a_claim_without_evidence_goes_to_a_person_however_sure_the_model_is(model, source, tmp_path):
    sure = replace(CALIBRATION, thresholds=dict.fromkeys(LABELS, 0.335))
    tally = predict_file(model, Job(source, str(tmp_path / "out.jsonl")), calibration=sure)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert (rows[0]["abstained"], rows[0]["prediction_set"]) == (False, ["verified"])
    assert (rows[1]["abstained"], len(rows[1]["prediction_set"])) == (True, 1)
    assert tally.abstained == 1


def test_without_a_calibration_the_output_has_no_such_columns(model, source, tmp_path):
    predict_file(model, Job(source, str(tmp_path / "out.jsonl")))
    for line in (tmp_path / "out.jsonl").read_text().splitlines():
        assert not {*DECISION_COLUMNS, *PREVALENCE_COLUMNS} & json.loads(line).keys()


def test_the_file_says_what_the_function_says(model, planted_claims, tmp_path):
    claims, _ = load_labelled(str(planted_claims))
    predict_file(model, Job(str(planted_claims), str(tmp_path / "out.jsonl")), calibration=CALIBRATION)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    for line, found in zip(lines, predict_claims(model, claims, calibration=CALIBRATION), strict=True):
        assert line["label"] == found.label
        assert tuple(line["prediction_set"]) == found.prediction_set
        assert line["p_propaganda"] == pytest.approx(found.probabilities["propaganda"], abs=1e-6)
