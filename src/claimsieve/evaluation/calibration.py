"""What the calibration split decides: how far to trust the probabilities, and which labels a prediction set holds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from claimsieve.errors import DataError
from claimsieve.evaluation.conformal import conformal_thresholds
from claimsieve.evaluation.evaluate import rows_by_name, truth_of
from claimsieve.evaluation.metrics import SMALLEST_PROBABILITY, Booleans, Floats
from claimsieve.records import LABELS, Claim, Label

MIN_ROWS = 10  # fewer tell nothing about a temperature
MIN_MIX_ROWS = 20  # of each label; fewer tell nothing about the mix that probabilities are of
SMALLEST_PREFERENCE = 1e-9  # between two logits; rows without a preference cost the same at any temperature

# Networks are mostly found between 0.5 and 5. Beyond these bounds a few hundred rows would turn faint preferences into
# near certainty, or erase them; what is read from a model directory has to lie within them too.
LOWEST_TEMPERATURE = 0.05
HIGHEST_TEMPERATURE = 20.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted on the calibration split.

    temperature: logits are divided by it; 1 leaves the probabilities, more makes them more cautious. corpora: corpus →
    a temperature of its own. coverage: the share of each label's claims whose set is to hold that label, in (0, 1).
    thresholds: label → the smallest uncalibrated probability with which a set holds it; None: too few calibration rows
    of the label, so every set holds it; 1: neither train nor calibration has it, so no set does. rows: calibration rows
    by label. trained_for: the mix of labels that the calibrated probabilities are of, shares that sum to 1.
    """

    temperature: float
    corpora: Mapping[str, float]
    coverage: float
    thresholds: Mapping[Label, float | None]
    rows: Mapping[Label, int]
    trained_for: Mapping[Label, float]


def calibrate(
    probabilities: Floats,
    claims: Sequence[Claim],
    *,
    method: Literal["temperature", "none"] = "temperature",
    min_corpus_rows: int = 200,
    coverage: float = 0.9,
    trained_for: Mapping[Label, float],
) -> Calibration:
    """Fit temperatures (Guo et al. 2017, arXiv:1706.04599) and the thresholds of the prediction sets.

    probabilities: the model's, uncalibrated, on labelled claims that it was not trained on; columns in the order of
    LABELS. Shape: (n, 3), n may be 0. min_corpus_rows: a corpus with so many rows, two labels among them, gets a
    temperature of its own where the claims are of several corpora. trained_for: which labels the model knows, and what
    is taken for the mix that it is of where there are too few rows to fit it. The temperature stays 1 with fewer than
    MIN_ROWS rows, a single label, or no preference in any row. Raises DataError when a claim has no label, ValueError
    when an argument is out of range.
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if probabilities.shape != (len(claims), len(LABELS)) or not np.isfinite(probabilities).all():
        expected = (len(claims), len(LABELS))
        raise ValueError(f"expected finite probabilities of shape {expected}, found shape {probabilities.shape}")
    if not _is_mix(trained_for):
        raise ValueError(f"expected trained_for as shares of {', '.join(LABELS)} that sum to 1, found {trained_for}")
    truth = truth_of(claims) if claims else np.zeros((0, len(LABELS)), dtype=bool)
    fitted = method == "temperature"
    temperature = _temperature(probabilities, truth) if fitted else None
    found = Calibration(
        temperature=1.0 if temperature is None else temperature,
        corpora=_corpus_temperatures(probabilities, truth, claims, min_rows=min_corpus_rows) if fitted else {},
        coverage=coverage,
        thresholds=_thresholds(probabilities, truth, coverage=coverage, trained_for=trained_for),
        rows=dict(zip(LABELS, truth.sum(axis=0).tolist(), strict=True)),
        trained_for=dict(trained_for),
    )
    calibrated = apply(found, probabilities, [claim.corpus for claim in claims])
    mix = fitted_mix(calibrated, truth, known=[trained_for[label] > 0 for label in LABELS])
    return found if mix is None else replace(found, trained_for=mix)


def fitted_mix(probabilities: Floats, truth: Booleans, *, known: Sequence[bool]) -> dict[Label, float] | None:
    """The mix of labels that the probabilities are of: turned from it to that of the rows, they fit the rows best.

    The bias of bias-corrected temperature scaling (Alexandari, Kundaje & Shrikumar 2020, arXiv:1901.06852), as a mix. A
    model with balanced weights need not be one of equal shares: n-grams that fit their train rows closely hardly heed
    them. probabilities: calibrated, columns in the order of LABELS. truth: one-hot. Shape: (n, 3). known: which labels
    the model was trained on; the others get 0. None with fewer than MIN_MIX_ROWS rows of such a label.
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    columns, counts = np.flatnonzero(known), truth.sum(axis=0)
    if len(columns) < 2 or counts[columns].min() < MIN_MIX_ROWS:
        return None
    rows = truth[:, columns].any(axis=1)
    logits, own = _logits(probabilities)[rows][:, columns], truth[rows][:, columns]

    def loss(free: Floats) -> float:
        turned = logits + np.append(0.0, free)
        return float((logsumexp(turned, axis=1) - turned[own]).mean())

    turn = np.append(0.0, minimize(loss, np.zeros(len(columns) - 1), bounds=[(-5.0, 5.0)] * (len(columns) - 1)).x)
    shares = counts[columns] / counts[columns].sum() * np.exp(-turn)
    mix = dict.fromkeys(LABELS, 0.0)
    for column, share in zip(columns.tolist(), (shares / shares.sum()).tolist(), strict=True):
        mix[LABELS[column]] = share
    return mix


def _thresholds(
    probabilities: Floats, truth: Booleans, *, coverage: float, trained_for: Mapping[Label, float]
) -> dict[Label, float | None]:
    """A label that neither train nor calibration has is ruled out: the model was never told of it."""
    found = conformal_thresholds(probabilities, truth, coverage=coverage)
    counts = dict(zip(LABELS, truth.sum(axis=0).tolist(), strict=True))
    never = [label for label in LABELS if len(truth) and not counts[label] and not trained_for[label]]
    return found | dict.fromkeys(never, 1.0)


def apply(calibration: Calibration, probabilities: Floats, corpora: Sequence[str | None]) -> Floats:
    """Calibrated probabilities; the most probable label of a row stays the most probable, ties included.

    corpora: of each row; one without a temperature of its own, or None, gets the common one. Shape: (n, 3) -> (n, 3)
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if len(corpora) != len(probabilities):
        raise ValueError(f"expected a corpus or None for each of {len(probabilities)} rows, found {len(corpora)}")
    common, own = calibration.temperature, calibration.corpora
    temperatures = np.array([common if name is None else own.get(name, common) for name in corpora], dtype=np.float64)
    scaled = _logits(probabilities) / temperatures[:, None]
    scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    scaled /= scaled.sum(axis=1, keepdims=True)
    scaled = np.where(temperatures[:, None] == 1, probabilities, scaled)
    chosen = probabilities.argmax(axis=1)
    rounded = scaled.argmax(axis=1) != chosen  # two labels that differed in the last digit have become equal
    scaled[rounded, chosen[rounded]] = np.nextafter(scaled[rounded].max(axis=1), 2.0)
    return scaled


def to_json(calibration: Calibration) -> dict[str, Any]:
    """The calibration as plain dicts, texts, finite numbers and None, ready for json.dumps(allow_nan=False)."""
    return asdict(calibration)


def from_json(document: Any) -> Calibration:
    """Read back what `to_json` made. Raises DataError when the document is something else or out of range."""
    try:
        return Calibration(
            temperature=_number(document["temperature"], LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE),
            corpora={
                name: _number(value, LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE)
                for name, value in document["corpora"].items()
            },
            coverage=_number(document["coverage"], 0, 1),
            thresholds={
                label: None if value is None else _number(value, 0, 1)
                for label, value in _of_labels(document["thresholds"]).items()
            },
            rows={label: _count(value) for label, value in _of_labels(document["rows"]).items()},
            trained_for=_mix(document["trained_for"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"expected a calibration as claimsieve writes it, found something else ({error}). Train the model again."
        ) from None


def _corpus_temperatures(
    probabilities: Floats, truth: Booleans, claims: Sequence[Claim], *, min_rows: int
) -> dict[str, float]:
    names = [claim.corpus for claim in claims]
    if len(set(names)) < 2:
        return {}
    large = {name: rows for name, rows in rows_by_name(names).items() if len(rows) >= min_rows}
    fitted = {name: _temperature(probabilities[rows], truth[rows]) for name, rows in large.items()}
    return {name: temperature for name, temperature in fitted.items() if temperature is not None}


def _temperature(probabilities: Floats, truth: Booleans) -> float | None:
    """The temperature with the lowest log loss, within bounds; None when the rows cannot tell one.

    scikit-learn sees four more rows. Three have no preference, one for each label: they cost log 3 at any temperature
    and only make every label occur. The last keeps a temperature from falling to 0 where the model is always right:
    it stands for one mistake among n + 1 answers, as Laplace's rule of succession and Platt's (1999) targets do.
    """
    logits = _logits(probabilities)
    if len(truth) < MIN_ROWS or truth.any(axis=0).sum() < 2 or np.ptp(logits, axis=1).max() < SMALLEST_PREFERENCE:
        return None
    by_logit = np.sort(logits, axis=1)
    middle = np.argsort(by_logit[:, -1] - by_logit[:, -2], kind="stable")[len(logits) // 2]
    second = int(np.argsort(-logits[middle], kind="stable")[1])  # a row as sure as most, whose second choice is true
    added = np.vstack([np.zeros((len(LABELS), len(LABELS))), logits[middle]])
    columns = np.concatenate([truth.argmax(axis=1), np.arange(len(LABELS)), [second]])
    temperature = _scikit_learn_temperature(np.vstack([logits, added]), columns)
    # The log loss has one minimum over temperatures, so the nearest bound is the best within the bounds.
    return float(np.clip(temperature, LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE))


def _scikit_learn_temperature(logits: Floats, columns: np.ndarray) -> float:
    """logits: Shape (n, 3). columns: of the true label, each of 0, 1, 2 occurring. Shape: (n,)"""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.linear_model import LogisticRegression

    given = LogisticRegression()  # with the identity for weights it hands over the logits as they are
    given.classes_, given.coef_, given.intercept_ = np.arange(len(LABELS)), np.eye(len(LABELS)), np.zeros(len(LABELS))
    every_row = np.arange(len(logits))
    calibrated = CalibratedClassifierCV(FrozenEstimator(given), method="temperature", cv=[(every_row, every_row)])
    calibrated.fit(logits, columns)
    step = 0.01  # between two logits; what scikit-learn makes of it tells the temperature
    first, second, _ = calibrated.predict_proba([[0.0, -step, -step]])[0]
    return step / float(np.log(first / second))


def _logits(probabilities: Floats) -> Floats:
    logits: Floats = np.log(np.clip(probabilities, SMALLEST_PROBABILITY, 1.0))
    return logits


def _is_mix(shares: Mapping[Any, float]) -> bool:
    return set(shares) == set(LABELS) and min(shares.values()) >= 0 and abs(sum(shares.values()) - 1) <= 1e-6


def _of_labels(values: Mapping[str, Any]) -> dict[Label, Any]:
    if set(values.keys()) != set(LABELS):
        raise ValueError(f"expected a value for each of {', '.join(LABELS)}")
    return {label: values[label] for label in LABELS}


def _number(value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"expected a number from {low:g} to {high:g}, found {value!r:.80}")
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"expected a number of rows, found {value!r:.80}")
    return value


def _mix(values: Mapping[str, Any]) -> dict[Label, float]:
    mix = {label: _number(value, 0, 1) for label, value in _of_labels(values).items()}
    if not _is_mix(mix):
        raise ValueError("expected a mix of labels that sums to 1")
    return mix
