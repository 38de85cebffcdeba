"""The two heads measured: stance where there is evidence, manipulation where somebody looked, alarms within bounds."""

import json
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimsieve.errors import DataError
from claimsieve.evaluation.axes import (
    MAX_FALSE_ALARMS,
    alarm_threshold,
    axis_report,
    from_json,
    summary_metrics,
    tables,
    to_json,
)
from claimsieve.records import Claim, Evidence

PASSAGE = (Evidence("a passage"),)
OUTPUT = {"supported": 0, "insufficient": 1, "conflicting": 1, "refuted": 2}


numbers = count()


def claim(stance=None, manipulation=None, *, evidence=PASSAGE, corpus="one"):
    return Claim(f"claim {next(numbers)}", stance=stance, manipulation=manipulation, evidence=evidence, corpus=corpus)


def oracle(claims, *, manipulated=0.9):
    """Answers that are right wherever the record knows."""
    axes = np.full((len(claims), 4), 0.1)
    for row, one in enumerate(claims):
        axes[row, OUTPUT[one.stance or "insufficient"]] = 0.8
        axes[row, 3] = manipulated if one.manipulation else 1 - manipulated
    return axes


CLAIMS = [
    *(claim(stance) for stance in ("supported", "refuted", "insufficient", "conflicting") * 10),
    *(claim("supported", corpus="two") for _ in range(5)),
    *(claim("insufficient", techniques, evidence=(), corpus="news") for techniques in [(), ("doubt",)] * 20),
]


def report_of(axes, claims=CLAIMS, **settings):
    return axis_report(axes, claims, threshold=alarm_threshold(axes[:, 3], claims), resamples=100, **settings)


def test_right_answers_score_one():
    report = report_of(oracle(CLAIMS))
    assert report.stance.n == 45
    assert report.stance.macro_f1.value == 1
    assert report.stance_corpora.keys() == {"one", "two"}
    assert report.manipulation.recall.value == 1
    assert report.manipulation.false_alarms.value == 0
    assert (report.manipulation.manipulated, report.manipulation.clean) == (20, 20)
    assert report.curve[0] == [0, 1]
    assert report.curve[-1] == [1, 1]


def test_one_stance_for_all_scores_what_the_commonest_does():
    axes = oracle(CLAIMS)
    axes[:, :3] = (0.9, 0.05, 0.05)
    report = report_of(axes)
    assert report.stance_corpora["two"].macro_f1.value == 1
    assert report.stance_corpora["one"].macro_f1.value == pytest.approx(2 * 10 / (40 + 10) / 3)
    assert report.stance_corpora["one"].majority == pytest.approx(2 * 20 / (40 + 20) / 3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.lists(st.floats(0, 1), max_size=60))
def test_the_threshold_keeps_alarms_within_bounds_and_is_the_lowest_that_does(clean, pushed):
    claims = [claim(manipulation=()) for _ in clean] + [claim(manipulation=("doubt",)) for _ in pushed]
    threshold = alarm_threshold(np.array([*clean, *pushed]), claims)
    assert np.mean(np.array(clean) >= threshold) <= MAX_FALSE_ALARMS
    lower = [p for p in clean if p < threshold]
    if lower:
        assert np.mean(np.array(clean) >= max(lower)) > MAX_FALSE_ALARMS


def test_a_claim_counts_once_whatever_evidence_it_comes_with():
    """Both in the threshold and in what is measured; a text that two corpora answer differently counts for both."""
    claims = [claim(manipulation=()) for _ in range(20)] + [claim(manipulation=("doubt",)) for _ in range(10)]
    axes = oracle(claims)
    axes[:20, 3] = np.linspace(0.1, 0.5, 20)
    often = [replace(claims[0], evidence=(Evidence(f"passage {number}"),)) for number in range(200)]
    more = np.tile(axes[:1], (200, 1))
    assert alarm_threshold(np.concatenate([axes, more])[:, 3], [*claims, *often]) == alarm_threshold(axes[:, 3], claims)
    report, repeated = report_of(axes, claims), report_of(np.concatenate([axes, more]), [*claims, *often])
    assert (repeated.manipulation, repeated.curve) == (report.manipulation, report.curve)
    assert repeated.stance_corpora.keys() == report.stance_corpora.keys()
    other = replace(claims[0], manipulation=("doubt",))
    assert report_of(np.concatenate([axes, axes[:1]]), [*claims, other]).manipulation.manipulated == 11


def test_without_clean_claims_the_threshold_is_a_half_and_there_are_no_alarms():
    claims = [claim("supported", ("doubt",))] * 3
    report = report_of(oracle(claims), claims)
    assert report.threshold == 0.5
    assert report.manipulation.false_alarms is None
    assert report.curve == []


def test_chance_recalls_what_it_alarms():
    random = np.random.default_rng(0)
    claims = [claim(manipulation=techniques, evidence=()) for techniques in [(), ("doubt",)] * 2_000]
    axes = np.column_stack([np.tile([0.0, 1.0, 0.0], (4_000, 1)), random.random(4_000)])
    report = report_of(axes, claims)
    assert report.stance is None
    assert report.manipulation.recall.value == pytest.approx(MAX_FALSE_ALARMS, abs=0.03)
    for alarms, recall in report.curve:
        assert recall == pytest.approx(alarms, abs=0.05)


def test_it_is_read_back_as_it_was_written():
    report = report_of(oracle(CLAIMS))
    assert from_json(json.loads(json.dumps(to_json(report), allow_nan=False))) == report


@pytest.mark.parametrize(
    "document", [None, [], {}, {"stance": {}}, {**to_json(report_of(oracle(CLAIMS))), "stance": 3}]
)
def test_something_else_is_refused(document):
    with pytest.raises(DataError, match="expected the report of two axes"):
        from_json(document)


def test_tables_and_metrics_name_both_heads():
    report = report_of(oracle(CLAIMS))
    found = tables(report)
    assert [rows[-1][0] for rows in found.values()] == ["all", "all"]
    assert summary_metrics(report).keys() == {
        "alarm_threshold",
        "stance_macro_f1",
        "manipulation_recall",
        "manipulation_false_alarms",
    }
