"""All that was measured of one model on its test split, as numbers for a tracker and as files of its directory."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from claimsieve.errors import DataError, ModelError
from claimsieve.evaluation import axes, base_rates, behaviour, decisions, evaluate, faithfulness, shortcuts
from claimsieve.evaluation.axes import AxisReport
from claimsieve.evaluation.behaviour import Behaviour
from claimsieve.evaluation.calibration import Calibration
from claimsieve.evaluation.calibration import from_json as calibration_from_json
from claimsieve.evaluation.calibration import to_json as calibration_to_json
from claimsieve.evaluation.decisions import DecisionReport
from claimsieve.evaluation.evaluate import Evaluation
from claimsieve.evaluation.faithfulness import Faithfulness
from claimsieve.evaluation.shortcuts import Shortcuts

EVALUATION = "evaluation.json"
SHORTCUTS = "shortcuts.json"
CALIBRATION = "calibration.json"
DECISIONS = "decisions.json"
BEHAVIOUR = "behaviour.json"
AXES_REPORT = "axes.json"
FAITHFULNESS = "faithfulness.json"

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Assessment:
    """The numbers of one model on its test split.

    evaluation: of calibrated probabilities. shortcuts: None when the config turns them off. calibration: what the
    calibration split decided, None for a split without one. decisions: what one can decide on.
    behaviour: on the shipped variations; None for a model that does not read claim and evidence, or by the config.
    axes: of a model of two axes, head by head. faithfulness: of explanations of some test rows; None where there are
    none.
    """

    evaluation: Evaluation
    shortcuts: Shortcuts | None
    calibration: Calibration | None
    decisions: DecisionReport
    behaviour: Behaviour | None = None
    axes: AxisReport | None = None
    faithfulness: Faithfulness | None = None

    def metrics(self) -> dict[str, float]:
        """Flat names and values, grouped by what stands before the slash, the same for every kind of model.

        Rounded to six digits, since a tracker's tables show every digit.
        """
        groups = {
            "test": evaluate.summary_metrics(self.evaluation),
            "slice": evaluate.slice_metrics(self.evaluation),
            "probe": {} if self.shortcuts is None else shortcuts.summary_metrics(self.shortcuts),
            "behaviour": {} if self.behaviour is None else behaviour.summary_metrics(self.behaviour),
            "axis": {} if self.axes is None else axes.summary_metrics(self.axes),
            "faithfulness": {} if self.faithfulness is None else faithfulness.summary_metrics(self.faithfulness),
            **decisions.summary_metrics(self.decisions, self.calibration),
        }
        return {f"{group}/{name}": round(value, 6) for group, found in groups.items() for name, value in found.items()}

    def described(self) -> str:
        """What matters most, as Markdown for the top of a run's page."""
        overall = self.evaluation.overall
        lines = []
        if (f1 := overall.metrics["macro_f1"]) is not None:
            lines.append(f"macro-F1 on test **{f1.value:.3f}** [{f1.low:.3f}, {f1.high:.3f}], n = {overall.n:,}")
        if self.shortcuts is not None:
            lines.append(shortcuts.headline(self.shortcuts))
        if self.behaviour is not None:
            lines.append(behaviour.headline(self.behaviour))
        if self.faithfulness is not None:
            lines.append(faithfulness.headline(self.faithfulness))
        if self.decisions.calibration is not None:
            stages = list(self.decisions.calibration.overall.stages.values())
            lines.append(f"ECE {stages[0].ece.value:.3f} before calibration, {stages[-1].ece.value:.3f} after")
        if (coverage := self.decisions.coverage) is not None:
            held, left = coverage.overall.covered, coverage.overall.abstained
            lines.append(
                f"prediction sets hold the true label in {held.value:.1%} [{held.low:.1%}, {held.high:.1%}] of cases "
                f"(asked: {coverage.level:.0%}); {left.value:.1%} are left to people"
            )
        if self.decisions.base_rates is not None:
            lines.append(base_rates.headline(self.decisions.base_rates))
        return "\n".join(f"- {line}" for line in lines)

    def documents(self) -> dict[str, bytes]:
        """File name → content, as `read_assessment` reads it back."""
        found: dict[str, Any] = {
            EVALUATION: evaluate.to_json(self.evaluation),
            DECISIONS: asdict(self.decisions),
            SHORTCUTS: None if self.shortcuts is None else asdict(self.shortcuts),
            CALIBRATION: None if self.calibration is None else calibration_to_json(self.calibration),
            BEHAVIOUR: None if self.behaviour is None else behaviour.to_json(self.behaviour),
            AXES_REPORT: None if self.axes is None else axes.to_json(self.axes),
            FAITHFULNESS: None if self.faithfulness is None else faithfulness.to_json(self.faithfulness),
        }
        return {
            name: (json.dumps(document, indent=1, allow_nan=False) + "\n").encode()
            for name, document in found.items()
            if document is not None
        }


def read_assessment(directory: Path) -> Assessment:
    """What a model directory says of its test split. Raises ModelError when it cannot be read."""
    return Assessment(
        read_evaluation(directory),
        _read(directory / SHORTCUTS, shortcuts.from_json) if (directory / SHORTCUTS).is_file() else None,
        read_calibration(directory),
        _read(directory / DECISIONS, decisions.from_json),
        _read(directory / BEHAVIOUR, behaviour.from_json) if (directory / BEHAVIOUR).is_file() else None,
        read_axes(directory),
        _read(directory / FAITHFULNESS, faithfulness.from_json) if (directory / FAITHFULNESS).is_file() else None,
    )


def read_evaluation(directory: Path) -> Evaluation:
    """The evaluation saved in a model directory. Raises ModelError when there is none."""
    return _read(directory / EVALUATION, evaluate.from_json)


def read_axes(directory: Path) -> AxisReport | None:
    """What a model directory says of both axes; None for a model of one head. Raises ModelError as above."""
    path = directory / AXES_REPORT
    return _read(path, axes.from_json) if path.is_file() else None


def read_calibration(directory: Path) -> Calibration | None:
    """The calibration saved in a model directory; None for a model without one. Raises ModelError as above."""
    path = directory / CALIBRATION
    return _read(path, calibration_from_json) if path.is_file() else None


def _read(path: Path, parse: Callable[[Any], _Found]) -> _Found:
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, DataError) as error:
        raise ModelError(
            f"{path}: expected what a training writes there, found nothing that can be read ({error}). "
            "Copy the model directory again, whole, or train again with this version."
        ) from None
