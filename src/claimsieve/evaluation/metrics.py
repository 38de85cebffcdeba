"""Every metric as a function of sums over rows.

How many verified claims were called propaganda, the summed log loss, the summed gap in a bin of confidence: from such
sums follow all metrics here. A bootstrap resample only changes how often each row counts, so a thousand resamples are
one matrix product: counts (resamples, n) times row statistics (n, columns), taken in chunks of flat memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from claimsieve.records import LABELS, Label

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

METRICS = ("macro_f1", "accuracy", "mcc", "log_loss", "brier", "ece")
LABEL_METRICS = ("precision", "recall", "f1")

SMALLEST_PROBABILITY = 1e-15  # a certain mistake costs 34.5 in log loss, not infinity
LARGEST_CHUNK = 2_000_000  # counts held at once: about 70 MB, whatever the number of rows and resamples

_CELLS = len(LABELS) ** 2


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a reliability diagram: confidences in (low, high], all in [0, 1]; the means are None when n is 0."""

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


def one_hot(labels: Sequence[Label]) -> Booleans:
    """True in the column of each row's label, columns in the order of LABELS. Shape: (n, 3). ValueError if unknown."""
    result: Booleans = np.asarray(labels, dtype=object)[:, None] == np.asarray(LABELS, dtype=object)
    if not result.any(axis=1).all():
        unknown = next(label for label in labels if label not in LABELS)
        raise ValueError(f"expected labels out of {', '.join(LABELS)}, found {unknown!r}")
    return result


def chosen_labels(probabilities: Floats) -> Booleans:
    """One-hot of the most probable label; a tie goes to the one that stands first in LABELS. Shape: (n, 3) -> (n, 3)"""
    result: Booleans = probabilities.argmax(axis=1)[:, None] == np.arange(len(LABELS))
    return result


def confusion_matrix(truth: Booleans, chosen: Booleans) -> Floats:
    """Counts, one row per true label and one column per chosen label. Both arguments one-hot (n, 3). Shape: (3, 3)"""
    return truth.astype(np.float64).T @ chosen


def accuracy(confusion: Floats) -> Floats:
    """Share of right rows, in [0, 1]. confusion: counts. Shape: (..., 3, 3) -> (...)"""
    return _ratio(_hits(confusion).sum(-1), confusion.sum((-2, -1)))


def precision(confusion: Floats) -> Floats:
    """Per label, the share of rows called so that are so, in [0, 1]; 0 if none is called so. (..., 3, 3) -> (..., 3)"""
    return _ratio(_hits(confusion), confusion.sum(-2))


def recall(confusion: Floats) -> Floats:
    """Per label, the share of rows that are so and called so, in [0, 1]; 0 if none is so. (..., 3, 3) -> (..., 3)"""
    return _ratio(_hits(confusion), confusion.sum(-1))


def f1(confusion: Floats) -> Floats:
    """Per label, the harmonic mean of precision and recall, in [0, 1]; 0 when both are. (..., 3, 3) -> (..., 3)"""
    return _ratio(2 * _hits(confusion), confusion.sum(-1) + confusion.sum(-2))


def macro_f1(confusion: Floats, *, present: Booleans) -> Floats:
    """Mean F1 over the labels that occur in the truth, in [0, 1]. Shape: (..., 3, 3) -> (...)

    present: which labels occur in the truth, at least one. Shape: (3,). A label that never occurs, in all rows or in a
    resample, has no recall to speak of and is left out; rows wrongly called so still lower the recall of the others.
    Equals scikit-learn's f1_score(labels=those present, average="macro", zero_division=0).
    """
    counted = present & (confusion.sum(-1) > 0)
    return _ratio((f1(confusion) * counted).sum(-1), counted.sum(-1))


def mcc(confusion: Floats) -> Floats:
    """Multiclass Matthews correlation R_K (Gorodkin 2004), in [-1, 1]; 0 is no better than chance.

    Also 0, as in scikit-learn, where it is undefined: one label only in the truth or in the predictions.
    confusion: counts. Shape: (..., 3, 3) -> (...)
    """
    n, true, called = confusion.sum((-2, -1)), confusion.sum(-1), confusion.sum(-2)
    covariance = _hits(confusion).sum(-1) * n - (true * called).sum(-1)
    spread = np.sqrt((n**2 - (true**2).sum(-1)) * (n**2 - (called**2).sum(-1)))
    return _ratio(covariance, spread)


def log_losses(probabilities: Floats, truth: Booleans) -> Floats:
    """Natural log loss of each row, in [0, 34.5]: probabilities are clipped to [1e-15, 1]. (n, 3), (n, 3) -> (n,)"""
    losses: Floats = -np.log(np.clip(probabilities[truth], SMALLEST_PROBABILITY, 1.0))
    return losses


def brier_scores(probabilities: Floats, truth: Booleans) -> Floats:
    """Squared error of each row summed over the labels (Brier 1950), in [0, 2]. (n, 3), (n, 3) -> (n,)"""
    scores: Floats = ((probabilities - truth) ** 2).sum(axis=1)
    return scores


def reliability(probabilities: Floats, truth: Booleans, *, bins: int = 15) -> list[Bin]:
    """Confidence against accuracy in equal-width bins of the chosen label's probability (arXiv:1706.04599)."""
    confidence, right, edges = probabilities.max(axis=1), _right(probabilities, truth), _edges(bins)
    of_row = _bin_of(confidence, bins=bins)
    counts = np.bincount(of_row, minlength=bins)
    confidences = np.bincount(of_row, weights=confidence, minlength=bins)
    accuracies = np.bincount(of_row, weights=right, minlength=bins)
    return [
        Bin(float(edges[b]), float(edges[b + 1]), n, float(confidences[b] / n), float(accuracies[b] / n))
        if n
        else Bin(float(edges[b]), float(edges[b + 1]), 0, None, None)
        for b, n in enumerate(counts.tolist())
    ]


def row_statistics(probabilities: Floats, truth: Booleans, *, bins: int = 15) -> Floats:
    """What each row adds to the sums: 9 confusion cells, log loss, Brier score, one gap per bin. Shape: (n, 11 + bins)

    A row's gap, right (0 or 1) minus confidence, stands in the column of its bin, so the expected calibration error is
    the sum over bins of |summed gap| / n.
    """
    n = len(probabilities)
    gaps = np.zeros((n, bins))
    confidence = probabilities.max(axis=1)
    gaps[np.arange(n), _bin_of(confidence, bins=bins)] = _right(probabilities, truth) - confidence
    cells = (truth[:, :, None] & chosen_labels(probabilities)[:, None, :]).reshape(n, _CELLS)
    losses, scores = log_losses(probabilities, truth), brier_scores(probabilities, truth)
    return np.column_stack([cells, losses, scores, gaps]).astype(np.float64)


def resampled_sums(statistics: Floats, *, resamples: int, seed: int) -> Floats:
    """Sums of the row statistics over bootstrap resamples: n of the n rows, with replacement, as if independent.

    Shape: (n, columns) -> (resamples, columns), n at least 1. The same seed gives the same sums.
    """
    drawn = resampled_counts(len(statistics), resamples=resamples, seed=seed)
    return np.concatenate([counts @ statistics for counts in drawn])


def resampled_counts(n: int, *, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each row is drawn when n of n are, with replacement, in chunks of flat memory. Shape: (chunk, n)"""
    generator = np.random.default_rng(seed)
    chunk = max(1, LARGEST_CHUNK // n)
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        rows = generator.integers(n, size=(size, n))
        rows += n * np.arange(size)[:, None]  # each resample counts into a stretch of its own, so one bincount does all
        yield np.bincount(rows.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


def metrics_of_sums(sums: Floats, *, present: Booleans) -> dict[str, Floats]:
    """All metrics by name, METRICS first, then "<label>_precision", "<label>_recall", "<label>_f1".

    sums: of row statistics, over the rows or over each resample. Shape: (..., 11 + bins) -> each (...)
    present: which labels occur in the truth. Shape: (3,). What has no meaning is left out: the metrics of a label
    that does not occur in the truth, and the correlation `mcc` when only one label does. A resample that happens to
    miss a rare label leaves it out of macro-F1, and counts 0 in the label's own metrics.
    """
    cells, losses, scores, gaps = np.split(sums, [_CELLS, _CELLS + 1, _CELLS + 2], axis=-1)
    confusion = cells.reshape(*sums.shape[:-1], len(LABELS), len(LABELS))
    n = cells.sum(-1)
    metrics = {
        "macro_f1": macro_f1(confusion, present=present),
        "accuracy": accuracy(confusion),
        "mcc": mcc(confusion),
        "log_loss": losses[..., 0] / n,
        "brier": scores[..., 0] / n,
        "ece": np.abs(gaps).sum(-1) / n,
    }
    if present.sum() < 2:
        del metrics["mcc"]
    per_label = dict(zip(LABEL_METRICS, (precision(confusion), recall(confusion), f1(confusion)), strict=True))
    for column in np.flatnonzero(present):
        metrics |= {f"{LABELS[column]}_{name}": values[..., column] for name, values in per_label.items()}
    return metrics


def occurring(truth: Booleans) -> Booleans:
    """Which labels occur in the truth. Shape: (n, 3) -> (3,)"""
    present: Booleans = np.any(truth, axis=0)
    return present


def point_metrics(probabilities: Floats, truth: Booleans, *, bins: int = 15) -> dict[str, float]:
    """All metrics of these rows by name, without intervals. probabilities, truth: Shape (n, 3), n at least 1."""
    sums = row_statistics(probabilities, truth, bins=bins).sum(axis=0)
    return {name: float(value) for name, value in metrics_of_sums(sums, present=occurring(truth)).items()}


def _hits(confusion: Floats) -> Floats:
    return np.diagonal(confusion, axis1=-2, axis2=-1)


def _right(probabilities: Floats, truth: Booleans) -> Booleans:
    right: Booleans = np.any(chosen_labels(probabilities) & truth, axis=1)
    return right


def _edges(bins: int) -> Floats:
    return np.linspace(0.0, 1.0, bins + 1)


def _bin_of(confidence: Floats, *, bins: int) -> npt.NDArray[np.intp]:
    return np.searchsorted(_edges(bins)[1:-1], confidence, side="left")  # "left" closes a bin at its upper edge


def _ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole, and 0 where whole is 0."""
    zeros = np.zeros(np.shape(whole))
    return np.divide(part, whole, out=zeros, where=np.asarray(whole) != 0)
