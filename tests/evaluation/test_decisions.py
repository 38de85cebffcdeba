"""The report that one decides by: its parts agree with one another, and are read back as they were."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from claimsieve.errors import DataError, ModelError
from claimsieve.evaluation.assessment import Assessment, read_assessment, read_calibration
from claimsieve.evaluation.calibration import apply, calibrate
from claimsieve.evaluation.conformal import prediction_sets
from claimsieve.evaluation.decisions import Decisions, from_json, report_on, summary_metrics, tables
from claimsieve.evaluation.documents import pictures, prediction_lines
from claimsieve.evaluation.evaluate import evaluate
from claimsieve.records import LABELS, Claim

MIX = {"verified": 0.9, "unverified": 0.08, "propaganda": 0.02}
EVEN = dict.fromkeys(LABELS, 1 / 3)
QUICK = 100


def drawn(count, *, seed, sure=3.0):
    """Claims and probabilities that are right about two times in three, and surer than that."""
    generator = np.random.default_rng(seed)
    places = generator.integers(3, size=count)
    scores = generator.normal(size=(count, 3)) + 1.2 * np.eye(3)[places]
    raw = np.exp(sure * scores)
    claims = [
        Claim(f"claim {n}", id=str(n), corpus=("press", "social")[n % 2], event=f"e{n // 30}", label=LABELS[place],
              stance="conflicting" if n % 3 == 0 else "supported")
        for n, place in enumerate(places.tolist())
    ]  # fmt: skip
    return raw / raw.sum(axis=1, keepdims=True), claims


@pytest.fixture(scope="module")
def measured():
    held_out, calibration_claims = drawn(600, seed=1)
    calibration = calibrate(held_out, calibration_claims, trained_for=EVEN, min_corpus_rows=200)
    raw, claims = drawn(500, seed=2)
    sets = prediction_sets(raw, calibration.thresholds)
    reasons = [() if row.sum() == 1 else ("model_unsure",) for row in sets]
    decisions = Decisions(raw, apply(calibration, raw, [claim.corpus for claim in claims]), sets, reasons)
    report = report_on(decisions, claims, calibration, prevalence=MIX, resamples=QUICK)
    evaluation = evaluate(decisions.probabilities, claims, resamples=QUICK)
    return decisions, claims, Assessment(evaluation, None, calibration, report)


def test_calibration_lowers_the_error_of_an_overconfident_model_and_changes_no_label(measured):
    decisions, _, assessment = measured
    stages = assessment.decisions.calibration.overall.stages
    assert list(stages) == ["before", "one temperature", "after"]
    assert assessment.calibration.temperature > 1.5
    assert set(assessment.calibration.corpora) == {"press", "social"}
    assert stages["after"].ece.value < stages["before"].ece.value / 2
    assert (decisions.raw.argmax(axis=1) == decisions.probabilities.argmax(axis=1)).all()


def test_the_parts_agree(measured):
    decisions, _, assessment = measured
    report = assessment.decisions
    assert sum(report.mix.values()) == pytest.approx(1)
    assert report.calibration.overall.stages["after"].ece.value == pytest.approx(
        assessment.evaluation.overall.metrics["ece"].value
    )
    assert report.coverage.overall.abstained.value == pytest.approx(decisions.abstained.mean())
    assert 0.85 < report.coverage.overall.covered.value < 0.95
    asked = {stance: sum(counts.values()) for stance, counts in report.reasons.items()}
    assert asked == {"conflicting": 167, "supported": 333}
    assert sum(counts["model_unsure"] for counts in report.reasons.values()) == decisions.abstained.sum()


def test_with_a_mix_of_ones_own_errors_are_counted_at_that_mix(measured):
    decisions, claims, assessment = measured
    plain = report_on(decisions, claims, assessment.calibration, resamples=QUICK)
    weighted = assessment.decisions
    assert (plain.weighted, weighted.weighted, plain.base_rates) == (False, True, None)
    wrong = decisions.probabilities.argmax(axis=1) != [LABELS.index(claim.label) for claim in claims]
    assert plain.selective.error_share.value == pytest.approx(wrong.mean())
    by_label = {label: wrong[[claim.label == label for claim in claims]].mean() for label in LABELS}
    assert weighted.selective.error_share.value == pytest.approx(sum(MIX[label] * by_label[label] for label in LABELS))
    assert 1 - weighted.base_rates.at_mix.accuracy.value == pytest.approx(weighted.selective.error_share.value)


def test_a_mix_with_a_label_that_test_lacks_is_not_made_up(measured):
    decisions, claims, assessment = measured
    kept = [row for row, claim in enumerate(claims) if claim.label != "propaganda"]
    some = Decisions(
        decisions.raw[kept],
        decisions.probabilities[kept],
        decisions.sets[kept],
        [decisions.reasons[row] for row in kept],
    )
    report = report_on(some, [claims[row] for row in kept], assessment.calibration, prevalence=MIX, resamples=QUICK)
    assert report.weighted is False
    assert report.base_rates.at_mix is None


def test_it_is_read_back_as_it_was_and_other_documents_are_refused(measured, tmp_path):
    *_, assessment = measured
    for name, content in assessment.documents().items():
        (tmp_path / name).write_bytes(content)
    assert read_assessment(tmp_path) == assessment
    document = json.loads(json.dumps(asdict(assessment.decisions)))
    for broken in ({}, [], {**document, "selective": None}, {**document, "unknown": 1}):
        with pytest.raises(DataError, match="expected"):
            from_json(broken)
    (tmp_path / "calibration.json").write_text('{"temperature": -1}')
    with pytest.raises(ModelError, match=r"calibration\.json: expected what a training writes"):
        read_calibration(tmp_path)
    (tmp_path / "decisions.json").unlink()
    with pytest.raises(ModelError):
        read_assessment(tmp_path)


def test_metrics_are_grouped_and_tables_name_their_mix(measured):
    *_, assessment = measured
    metrics = assessment.metrics()
    groups = {name.partition("/")[0] for name in metrics}
    assert groups == {"test", "slice", "calibration", "coverage", "selective", "base_rate"}
    assert metrics["calibration/temperature"] == pytest.approx(assessment.calibration.temperature, abs=1e-6)
    assert {"slice/corpus/press_macro_f1", "coverage/smallest", "base_rate/propaganda_precision"} <= metrics.keys()
    assert set(summary_metrics(assessment.decisions, None)["calibration"]) == set()
    titles = list(tables(assessment.decisions))
    assert any("at your mix" in title for title in titles)
    assert any("verified 0.9" in title for title in titles)


def test_a_coverage_that_the_calibration_claims_cannot_give_is_said(measured):
    decisions, claims, assessment = measured
    ample = next(title for title in tables(assessment.decisions) if title.startswith("prediction sets"))
    assert "too few" not in ample
    few = [claim for claim in claims if claim.label == "propaganda"][50:]
    kept = [n for n, claim in enumerate(claims) if claim not in few]
    scarce = calibrate(decisions.raw[kept], [claims[n] for n in kept], trained_for=EVEN, coverage=0.985)
    report = report_on(decisions, claims, scarce, resamples=QUICK)
    assert report.never_ruled_out == {"propaganda": 50}
    assert from_json(json.loads(json.dumps(asdict(report)))).never_ruled_out == {"propaganda": 50}
    title = next(title for title in tables(report) if title.startswith("prediction sets"))
    assert title.endswith("too few calibration claims for 98.5 %, so every set holds propaganda (n = 50)")


def test_where_an_interval_may_lie_above_its_value_it_is_said(measured):
    *_, assessment = measured
    for title, rows in tables(assessment.decisions).items():
        assert any("ECE" in head and "[95 %]" in head for head in rows[0]) == ("leans upwards" in title)


def test_the_description_names_what_matters_with_n_and_intervals(measured):
    *_, assessment = measured
    told = assessment.described().splitlines()
    assert [line[:2] for line in told] == ["- "] * 4
    assert "n = 500" in told[0]
    assert "(asked: 90%)" in told[2]
    assert "of 10,000 items" in told[3]


def test_pictures_and_rows_of_the_test_split(measured):
    decisions, claims, assessment = measured
    found = pictures(assessment)
    assert {"confusion_matrix.png", "reliability.png", "risk_coverage.png", "base_rates.png"} == set(found)
    assert all(png.startswith(b"\x89PNG") for png in found.values())
    rows = [json.loads(line) for line in prediction_lines(claims, decisions).splitlines()]
    assert [row["id"] for row in rows] == [claim.id for claim in claims]
    assert [tuple(row["prediction_set"]) for row in rows] == [
        tuple(label for label, held in zip(LABELS, row, strict=True) if held) for row in decisions.sets
    ]
    for row, raw in zip(rows, decisions.raw, strict=True):
        assert [row[f"raw_p_{label}"] for label in LABELS] == raw.tolist()
