"""How far confidence may be trusted, before and after calibration, overall and per corpus.

A model may be calibrated on average and wild on one corpus, so every corpus has its own numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from claimsieve.errors import DataError
from claimsieve.evaluation.evaluate import LEVEL, Estimate, interval, known_estimate, rows_by_name, truth_of
from claimsieve.evaluation.metrics import (
    Bin,
    Booleans,
    Floats,
    chosen_labels,
    metrics_of_sums,
    occurring,
    reliability,
    resampled_sums,
    row_statistics,
)
from claimsieve.records import LABELS, Claim

ERRORS = ("ece", "adaptive_ece", "brier", "log_loss")


@dataclass(frozen=True, slots=True)
class BrierParts:
    """Mean Brier score = miscalibration - discrimination + uncertainty, each 0 or more.

    miscalibration: what perfect recalibration of each label would save; small samples overstate it. discrimination:
    what the model then gains over always giving the labels' shares. uncertainty: the score of those shares.
    """

    miscalibration: float
    discrimination: float
    uncertainty: float


@dataclass(frozen=True, slots=True)
class StageErrors:
    """Errors of one stage of the probabilities, with bootstrap intervals; the parts of the Brier score have none.

    ece, adaptive_ece: in bins of equal width and of equal mass, in [0, 1]. Their intervals lean upwards, as resampled
    rows repeat, and may lie above the value.
    """

    ece: Estimate
    adaptive_ece: Estimate
    brier: Estimate
    log_loss: Estimate
    brier_parts: BrierParts


@dataclass(frozen=True, slots=True)
class CalibrationPart:
    """Some of the rows. stages: by name, in order. change: by the names in ERRORS, the last stage less the first.

    All stages are resampled together, so a change whose interval lies below 0 is one that these rows can tell from
    chance.
    """

    n: int
    stages: dict[str, StageErrors]
    change: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """Errors of the confidence on one set of claims. corpora: the largest first. reliability: overall, by stage.

    settings: bins, resamples, seed, level.
    """

    overall: CalibrationPart
    corpora: dict[str, CalibrationPart]
    reliability: dict[str, list[Bin]]
    settings: dict[str, int | float]


def calibration_report(
    stages: Mapping[str, Floats],
    claims: Sequence[Claim],
    *,
    bins: int = 15,
    resamples: int = 1000,
    seed: int = 0,
) -> CalibrationReport:
    """Compare stages of the probabilities of the same labelled claims.

    stages: name → probabilities, the uncalibrated first and the ones in use last, columns in the order of LABELS.
    Shape: (n, 3) each. Every part starts from `seed` afresh. Raises DataError when there is no claim or a claim has no
    label, ValueError when there is no stage, a shape differs, or resamples are fewer than 100.
    """
    truth = truth_of(claims)
    stages = {name: np.asarray(probabilities, dtype=np.float64) for name, probabilities in stages.items()}
    shapes = [probabilities.shape for probabilities in stages.values()]
    if set(shapes) != {truth.shape}:
        raise ValueError(f"expected one or more stages of shape {truth.shape}, found {shapes}")
    if resamples < 100 or bins < 1:
        raise ValueError(f"expected at least 100 resamples and 1 bin, found {resamples} and {bins}")

    def part(rows: Sequence[int] | slice) -> CalibrationPart:
        chosen = {name: probabilities[rows] for name, probabilities in stages.items()}
        return _part(chosen, truth[rows], bins=bins, resamples=resamples, seed=seed)

    return CalibrationReport(
        overall=part(slice(None)),
        corpora={name: part(rows) for name, rows in rows_by_name([claim.corpus for claim in claims]).items()},
        reliability={name: reliability(probabilities, truth, bins=bins) for name, probabilities in stages.items()},
        settings={"bins": bins, "resamples": resamples, "seed": seed, "level": LEVEL},
    )


def adaptive_ece(probabilities: Floats, truth: Booleans, *, bins: int = 15) -> float:
    """Expected calibration error in bins of equal mass (Nixon et al. 2019, arXiv:1904.01685), of the label given.

    Shapes: (n, 3), n at least 1. Returns a value in [0, 1]; 0 is perfect. Equal confidences stay in one bin, so the
    order of rows does not matter and bins with many ties hold more.
    """
    return float(np.abs(_adaptive_gaps(probabilities, truth, bins=bins).sum(axis=0)).sum() / len(truth))


def brier_decomposition(probabilities: Floats, truth: Booleans) -> BrierParts:
    """Parts of the mean Brier score, summed over the labels, by isotonic recalibration of each label's probability.

    CORP (Dimitriadis, Gneiting & Jordan 2021, arXiv:2008.03033): no bins to choose. Shapes: (n, 3), n at least 1.
    """
    shares = truth.mean(axis=0)
    score, recalibrated, uncertainty = (
        float(((forecast - truth) ** 2).sum(axis=1).mean())
        for forecast in (probabilities, _recalibrated(probabilities, truth), shares)
    )
    return BrierParts(score - recalibrated, uncertainty - recalibrated, uncertainty)


def to_json(report: CalibrationReport) -> dict[str, Any]:
    """Plain dicts, lists, texts and finite numbers, ready for json.dumps(allow_nan=False)."""
    return asdict(report)


def from_json(document: Any) -> CalibrationReport:
    """Read back what `to_json` made. Raises DataError when the document is something else."""
    try:
        return CalibrationReport(
            overall=_part_from(document["overall"]),
            corpora={name: _part_from(row) for name, row in document["corpora"].items()},
            reliability={name: [Bin(**row) for row in rows] for name, rows in document["reliability"].items()},
            settings=dict(document["settings"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"expected calibration errors as claimsieve writes them, found something else ({error}). "
            "Train the model again."
        ) from error


def summary_metrics(report: CalibrationReport) -> dict[str, float]:
    """Flat names and values for an experiment tracker: of the last stage, and of the first as "<name>_before"."""
    first, last = _ends(report.overall)
    summary = {f"{name}_before": _estimates(first)[name].value for name in ERRORS}
    summary |= {name: _estimates(last)[name].value for name in ERRORS}
    summary |= {f"{name}_before": value for name, value in asdict(first.brier_parts).items() if name != "uncertainty"}
    return summary | asdict(last.brier_parts) | {"ece_low": last.ece.low, "ece_high": last.ece.high}


def table(report: CalibrationReport) -> list[list[str]]:
    """Rows for a terminal: a header, one row per corpus, the overall row last; first stage → last stage."""
    rows = [["", "n", "ECE [95 %]", "adaptive ECE", "Brier"]]
    for name, part in [*report.corpora.items(), ("overall", report.overall)]:
        first, last = _ends(part)
        ece = f"{first.ece.value:.3f} → {last.ece.value:.3f} [{last.ece.low:.3f}, {last.ece.high:.3f}]"
        adaptive = f"{first.adaptive_ece.value:.3f} → {last.adaptive_ece.value:.3f}"
        brier = f"{first.brier.value:.3f} → {last.brier.value:.3f}"
        rows.append([name, f"{part.n:,}", ece, adaptive, brier])
    return rows


def _part(stages: Mapping[str, Floats], truth: Booleans, *, bins: int, resamples: int, seed: int) -> CalibrationPart:
    columns = [
        np.hstack([row_statistics(given, truth, bins=bins), _adaptive_gaps(given, truth, bins=bins)])
        for given in stages.values()
    ]
    sums = resampled_sums(np.hstack(columns), resamples=resamples, seed=seed)  # together, so the stages are paired
    present = occurring(truth)
    values = [_errors(part.sum(axis=0), n=len(truth), present=present, bins=bins) for part in columns]
    draws = [_errors(part, n=len(truth), present=present, bins=bins) for part in np.split(sums, len(columns), axis=1)]
    change = {
        name: interval(float(values[-1][name] - values[0][name]), draws[-1][name] - draws[0][name]) for name in ERRORS
    }
    return CalibrationPart(
        n=len(truth),
        stages={
            name: StageErrors(
                **{error: interval(float(value[error]), drawn[error]) for error in ERRORS},
                brier_parts=brier_decomposition(given, truth),
            )
            for (name, given), value, drawn in zip(stages.items(), values, draws, strict=True)
        },
        change=change,
    )


def _errors(sums: Floats, *, n: int, present: Booleans, bins: int) -> dict[str, Floats]:
    """sums: of one stage's columns. Shape: (..., columns) -> each (...)"""
    found = metrics_of_sums(sums[..., :-bins], present=present)
    return {name: found[name] for name in ("ece", "brier", "log_loss")} | {
        "adaptive_ece": np.abs(sums[..., -bins:]).sum(-1) / n
    }


def _adaptive_gaps(probabilities: Floats, truth: Booleans, *, bins: int) -> Floats:
    """Right (0 or 1) less confidence in the column of the row's bin. Shape: (n, bins)

    The edges are quantiles of these rows and stay fixed when rows are resampled, so that a resample is a sum again.
    """
    n, confidence = len(probabilities), probabilities.max(axis=1)
    right = (chosen_labels(probabilities) & truth).any(axis=1)
    edges = np.quantile(confidence, np.linspace(0, 1, bins + 1)[1:-1])
    gaps = np.zeros((n, bins))
    gaps[np.arange(n), np.searchsorted(edges, confidence, side="left")] = right - confidence
    return gaps


def _recalibrated(probabilities: Floats, truth: Booleans) -> Floats:
    """Per label, the share of right rows as a function that rises with the probability. Shape: (n, 3)"""
    from sklearn.isotonic import isotonic_regression

    result = np.empty(probabilities.shape)
    for column in range(len(LABELS)):
        # Equal probabilities have to get one answer, so they are pooled first.
        _, of_row, counts = np.unique(probabilities[:, column], return_inverse=True, return_counts=True)
        shares = np.bincount(of_row, weights=truth[:, column]) / counts
        result[:, column] = isotonic_regression(shares, sample_weight=counts)[of_row]
    return result


def _ends(part: CalibrationPart) -> tuple[StageErrors, StageErrors]:
    """The first and the last stage, which may be one."""
    stages = list(part.stages.values())
    return stages[0], stages[-1]


def _estimates(stage: StageErrors) -> dict[str, Estimate]:
    return {"ece": stage.ece, "adaptive_ece": stage.adaptive_ece, "brier": stage.brier, "log_loss": stage.log_loss}


def _part_from(row: Mapping[str, Any]) -> CalibrationPart:
    if not row["stages"]:
        raise ValueError("no stages")
    return CalibrationPart(
        n=row["n"],
        stages={
            name: StageErrors(
                **{error: known_estimate(stage[error]) for error in ERRORS},
                brier_parts=BrierParts(**stage["brier_parts"]),
            )
            for name, stage in row["stages"].items()
        },
        change={name: known_estimate(row["change"][name]) for name in ERRORS},
    )
