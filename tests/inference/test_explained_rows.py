"""What `explain` adds to the rows of an output, and that it changes nothing else in them."""

import csv
import json

import pytest

from claimsieve.data.corpora import load_labelled
from claimsieve.inference.predict import Job, predict_file
from claimsieve.models.tfidf import TfidfModel

LONG = " ".join(f"the footage of day {number} is older" for number in range(400))


@pytest.fixture(scope="module")
def model(planted_claims):
    claims, _ = load_labelled(str(planted_claims))
    trained = TfidfModel(inputs=("claim", "evidence"), max_features=2_000)
    list(trained.fit(claims, valid=claims))
    return trained


@pytest.fixture
def source(tmp_path):
    rows = [
        {"claim": "the bridge was hit", "evidence": ["officials of both sides confirm the report in full", "nobody"]},
        {"claim": "the harbour was hit", "evidence": [LONG]},
        {"claim": "the bridge was hit", "evidence": ["officials of both sides confirm the report in full", "nobody"]},
        {"claim": 5},
    ]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_an_explanation_stands_beside_the_same_answer(model, source, tmp_path):
    plain, explained = tmp_path / "plain.jsonl", tmp_path / "explained.jsonl"
    predict_file(model, Job(source, str(plain)))
    tally = predict_file(model, Job(source, str(explained), explain=True))
    assert (tally.read, tally.labelled, tally.rejected, tally.repeated) == (4, 3, 1, 1)
    found = rows_of(explained)
    for row, before in zip(found, rows_of(plain), strict=True):
        explanation = row.pop("explanation")
        for word in explanation["words"]:
            text = row["claim"] if word["in"] == "claim" else row["evidence"][word["passage"]]
            assert text[word["start"] : word["end"]] == word["text"]
        assert {name: row[name] for name in ("claim", "label")} == {name: before[name] for name in ("claim", "label")}
        assert row["p_verified"] == pytest.approx(before["p_verified"], abs=2e-6)


def test_repeated_rows_have_the_same_explanation_and_long_evidence_is_marked(model, source, tmp_path):
    target = tmp_path / "out.jsonl"
    predict_file(model, Job(source, str(target), explain=True))
    first, long, again = (row["explanation"] for row in rows_of(target))
    assert first == again
    assert first["words"][0]["in"] == "evidence"
    assert "beginning_only" not in first
    assert long["beginning_only"] is True


def test_a_table_has_a_column_for_it(model, source, tmp_path):
    target = tmp_path / "out.csv"
    predict_file(model, Job(source, str(target), explain=True))
    with target.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert json.loads(rows[0]["explanation"]).keys() == {"words", "passages"}
