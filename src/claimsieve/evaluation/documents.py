"""The files beside an assessment: pictures, and what the model said of each test claim."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from claimsieve.evaluation.assessment import Assessment
from claimsieve.evaluation.decision_plots import base_rate_figure, calibration_figure, risk_coverage_figure
from claimsieve.evaluation.decisions import Axes, Decisions, labels_of
from claimsieve.evaluation.plots import confusion_matrix_figure, figure_bytes, reliability_figure
from claimsieve.models.axes import AXES
from claimsieve.records import LABELS, Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEST_PREDICTIONS = "test_predictions.jsonl"
EXPLANATIONS = "explanations.jsonl"
AUDIT = "audit.json"
SPLIT_TABLE = "splits.jsonl"
LEFT_OUT = "left_out.jsonl"


def pictures(assessment: Assessment) -> dict[str, bytes]:
    """File name → PNG."""
    figures = {
        "confusion_matrix.png": confusion_matrix_figure(assessment.evaluation),
        "reliability.png": _reliability(assessment),
        "risk_coverage.png": risk_coverage_figure(assessment.decisions.selective),
    }
    if (rates := assessment.decisions.base_rates) is not None and (figure := base_rate_figure(rates)) is not None:
        figures["base_rates.png"] = figure
    return {name: figure_bytes(figure) for name, figure in figures.items()}


def _reliability(assessment: Assessment) -> "Figure":
    """Before and after calibration side by side; one diagram where nothing was calibrated."""
    report = assessment.decisions.calibration
    if report is None:
        return reliability_figure(assessment.evaluation)
    stages, bins = report.overall.stages, report.reliability
    return calibration_figure(
        bins["before"],
        bins["after"],
        ece_before=stages["before"].ece,
        ece_after=stages["after"].ece,
        n=report.overall.n,
    )


def prediction_lines(test: Sequence[Claim], decisions: Decisions) -> bytes:
    """JSON Lines: each test claim with its true label, what the model says, and whether it leaves it to a person."""
    held = decisions.sets
    rows = zip(
        test,
        decisions.probabilities.tolist(),
        decisions.raw.tolist(),
        [None] * len(test) if held is None else [labels_of(row) for row in held],
        decisions.abstained.tolist(),
        decisions.reasons,
        [{}] * len(test) if decisions.axes is None else _axes(decisions.axes),
        strict=True,
    )
    return lines(
        {
            "id": claim.id,
            "claim": claim.claim,
            "corpus": claim.corpus,
            "event": claim.event,
            "label": claim.label,
            "stance": claim.stance,
            **{f"p_{label}": p for label, p in zip(LABELS, calibrated, strict=True)},
            **{f"raw_p_{label}": p for label, p in zip(LABELS, raw, strict=True)},
            "prediction_set": prediction_set,
            "abstained": abstained,
            "reasons": list(why),
            **axes,
        }
        for claim, calibrated, raw, prediction_set, abstained, why, axes in rows
    )


def _axes(axes: Axes) -> list[dict[str, Any]]:
    return [
        {
            "predicted_stance": stance,
            "stance_basis": basis,
            **{f"p_{name}": p for name, p in zip(AXES, row, strict=True)},
        }
        for stance, basis, row in zip(axes.stances, axes.bases, axes.probabilities.tolist(), strict=True)
    ]


def lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows as JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows).encode()
