"""An Evaluation as files: the numbers, the pictures, and the test predictions they were made from."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from claimsieve.errors import ModelError
from claimsieve.evaluation.evaluate import Evaluation, from_json, to_json
from claimsieve.evaluation.plots import confusion_matrix_figure, figure_bytes, reliability_figure
from claimsieve.evaluation.shortcuts import Shortcuts
from claimsieve.evaluation.shortcuts import from_json as shortcuts_from_json
from claimsieve.records import LABELS, Claim

EVALUATION = "evaluation.json"
TEST_PREDICTIONS = "test_predictions.jsonl"
SHORTCUTS = "shortcuts.json"
AUDIT = "audit.json"


def evaluation_documents(evaluation: Evaluation, test: Sequence[Claim], probabilities: np.ndarray) -> dict[str, bytes]:
    """File name → content. probabilities: of the test claims, in the order of LABELS. Shape: (n, 3)."""
    predicted = [
        {"id": claim.id, "label": claim.label, **{f"p_{label}": float(p) for label, p in zip(LABELS, row, strict=True)}}
        for claim, row in zip(test, probabilities, strict=True)
    ]
    return {
        EVALUATION: (json.dumps(to_json(evaluation), indent=1) + "\n").encode(),
        TEST_PREDICTIONS: lines(predicted),
        "confusion_matrix.png": figure_bytes(confusion_matrix_figure(evaluation)),
        "reliability.png": figure_bytes(reliability_figure(evaluation)),
    }


def lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows).encode()


def read_evaluation(directory: Path) -> Evaluation:
    """The evaluation saved in a model directory. Raises ModelError when there is none."""
    try:
        return from_json(json.loads((directory / EVALUATION).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{directory}: expected {EVALUATION}, found none that can be read ({error}).") from None


def read_shortcuts(directory: Path) -> Shortcuts | None:
    """The shortcuts saved in a model directory; None when they were not measured. Raises ModelError as above."""
    path = directory / SHORTCUTS
    if not path.is_file():
        return None
    try:
        return shortcuts_from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: expected the scores of shortcuts, found something else ({error}).") from None
