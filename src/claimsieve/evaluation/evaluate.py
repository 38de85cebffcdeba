"""Probabilities and labelled claims in, one Evaluation out: numbers with intervals, overall, by corpus and by event."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from claimsieve.errors import DataError
from claimsieve.evaluation.metrics import (
    LABEL_METRICS,
    METRICS,
    Bin,
    Booleans,
    Floats,
    chosen_labels,
    confusion_matrix,
    macro_f1,
    metrics_of_sums,
    occurring,
    one_hot,
    reliability,
    resampled_sums,
    row_statistics,
)
from claimsieve.evaluation.saved import by_name, finite, whole
from claimsieve.records import LABELS, Claim, Label

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric and its percentile bootstrap interval (2.5 % to 97.5 %).

    Resampled rows repeat, which looks like more miscalibration: the interval of `ece` leans upwards and may lie above
    the value. Where the calibration is good it hardly ever holds the true value, and is but a bound from above.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Slice:
    """The metrics of some of the rows. Intervals of a slice with few rows are too narrow; look at `n`.

    labels: how many rows truly have each label. metrics: by the names in metrics.METRICS; `mcc` is None when the truth
    has one label only. per_label: precision, recall and f1; None for a label that does not occur in the truth.
    """

    n: int
    labels: dict[Label, int]
    metrics: dict[str, Estimate | None]
    per_label: dict[Label, dict[str, Estimate | None]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How one model does on one set of labelled claims.

    confusion: counts as confusion[true label][chosen label]. reliability: bins of the confidence, from 0 to 1.
    corpora: by the claims' corpus. events: by the claims' event, those with enough rows; smaller_events is how many
    were left out. Both have the largest first; a claim without a corpus or an event stands in `overall` only.
    settings: resamples, seed, bins, level, min_slice_rows. model: the fingerprint or name of what was evaluated.
    """

    overall: Slice
    confusion: dict[Label, dict[Label, int]]
    reliability: list[Bin]
    corpora: dict[str, Slice]
    events: dict[str, Slice]
    smaller_events: int
    settings: dict[str, int | float]
    model: str | None = None


def evaluate(
    probabilities: Floats,
    claims: Sequence[Claim],
    *,
    resamples: int = 1000,
    seed: int = 0,
    bins: int = 15,
    min_slice_rows: int = 20,
    model: str | None = None,
) -> Evaluation:
    """Compare probabilities with the claims' labels.

    probabilities: one row per claim, columns in the order of LABELS, each row summing to 1 within 0.001. Shape: (n, 3)
    resamples: bootstrap resamples per slice, at least 100. Each slice starts from `seed` afresh, so its interval
    does not depend on which other slices there are. min_slice_rows: events with fewer rows get no slice.
    Raises DataError when there is no claim or a claim has no label, ValueError when an argument is out of range.
    """
    if resamples < 100 or bins < 1:
        raise ValueError(f"expected at least 100 resamples and 1 bin, found {resamples} and {bins}")
    truth = truth_of(claims)
    checked = _checked(probabilities, n=len(claims))
    statistics = row_statistics(checked, truth, bins=bins)

    def slices(groups: dict[str, list[int]]) -> dict[str, Slice]:
        return {k: _slice(statistics[v], truth[v], resamples=resamples, seed=seed) for k, v in groups.items()}

    events = rows_by_event([claim.corpus for claim in claims], [claim.event for claim in claims])
    large_events = {event: rows for event, rows in events.items() if len(rows) >= min_slice_rows}
    confusion = confusion_matrix(truth, chosen_labels(checked)).astype(int).tolist()
    return Evaluation(
        overall=_slice(statistics, truth, resamples=resamples, seed=seed),
        confusion={true: dict(zip(LABELS, row, strict=True)) for true, row in zip(LABELS, confusion, strict=True)},
        reliability=reliability(checked, truth, bins=bins),
        corpora=slices(rows_by_name([claim.corpus for claim in claims])),
        events=slices(large_events),
        smaller_events=len(events) - len(large_events),
        settings={
            "resamples": resamples,
            "seed": seed,
            "bins": bins,
            "level": LEVEL,
            "min_slice_rows": min_slice_rows,
        },
        model=model,
    )


def macro_f1_draws(
    probabilities: Floats, truth: Booleans, *, resamples: int = 1000, seed: int = 0
) -> tuple[float, Floats]:
    """Macro-F1 over the labels that occur, and its bootstrap draws, shape (resamples,).

    probabilities, truth: Shape (n, 3). The same seed draws the same rows for any model, so differences are paired.
    """
    statistics, present = row_statistics(probabilities, truth, bins=1), occurring(truth)
    value = metrics_of_sums(statistics.sum(axis=0), present=present)["macro_f1"]
    resampled = resampled_sums(statistics, resamples=resamples, seed=seed)
    return float(value), metrics_of_sums(resampled, present=present)["macro_f1"]


def pooled_macro_f1(evaluations: Sequence[Evaluation], *, resamples: int = 1000, seed: int = 0) -> Estimate:
    """Macro-F1 of all rows of several evaluations together, such as the folds of leave-one-group-out.

    Drawing confusion cells is drawing rows, so the interval is the bootstrap's over rows.
    """
    cells = np.array([[[one.confusion[true][given] for given in LABELS] for true in LABELS] for one in evaluations])
    confusion = cells.sum(axis=0).astype(np.float64)
    present: Booleans = confusion.sum(axis=1) > 0
    n = int(confusion.sum())
    drawn = np.random.default_rng(seed).multinomial(n, confusion.ravel() / n, size=resamples)
    draws = macro_f1(drawn.reshape(resamples, *confusion.shape).astype(np.float64), present=present)
    return interval(float(macro_f1(confusion, present=present)), draws)


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as plain dicts, lists, texts, finite numbers and None, ready for json.dumps(allow_nan=False)."""
    return asdict(evaluation)


def from_json(document: Any) -> Evaluation:
    """Read back what `to_json` made. Raises DataError when the document is something else."""
    try:
        return Evaluation(
            **{
                **document,
                "overall": _slice_from(document["overall"]),
                "confusion": by_name(document["confusion"], LABELS, lambda row: by_name(row, LABELS, whole)),
                "reliability": [Bin(**row) for row in document["reliability"]],
                "corpora": {name: _slice_from(row) for name, row in document["corpora"].items()},
                "events": {name: _slice_from(row) for name, row in document["events"].items()},
                "smaller_events": whole(document["smaller_events"]),
                "settings": _settings_from(document["settings"]),
            }
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"expected an evaluation as claimsieve writes it, found something else ({error}). Evaluate the model again."
        ) from error


def summary_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Flat names and values for an experiment tracker; what is undefined is left out.

    The overall metrics by name, macro_f1_low, macro_f1_high, rows, "<label>_precision", "<label>_recall", "<label>_f1".
    """
    overall = evaluation.overall
    estimates = dict(overall.metrics)
    for label, by_metric in overall.per_label.items():
        estimates |= {f"{label}_{name}": estimate for name, estimate in by_metric.items()}
    summary = {name: estimate.value for name, estimate in estimates.items() if estimate is not None}
    if (estimate := overall.metrics["macro_f1"]) is not None:
        summary |= {"macro_f1_low": estimate.low, "macro_f1_high": estimate.high}
    return summary | {"rows": float(overall.n)}


def slice_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Macro-F1 as "corpus/<name>_macro_f1" and "event/<name>_macro_f1"; signs that MLflow refuses become "_"."""
    found = {}
    for kind, slices in (("corpus", evaluation.corpora), ("event", evaluation.events)):
        for name, part in slices.items():
            if (estimate := part.metrics["macro_f1"]) is not None:
                found[f"{kind}/{_metric_name(name)}_macro_f1"] = estimate.value
    return found


def table(evaluation: Evaluation) -> list[list[str]]:
    """Rows for a terminal: a header, one row per corpus, the overall row last."""
    rows = [["", "n", "macro-F1 [95 %]", "accuracy", "ECE"]]
    for name, part in [*evaluation.corpora.items(), ("overall", evaluation.overall)]:
        f1, accuracy, ece = (part.metrics[metric] for metric in ("macro_f1", "accuracy", "ece"))
        bounds = f" [{f1.low:.3f}, {f1.high:.3f}]" if f1 else ""
        rows.append([name, f"{part.n:,}", _number(f1) + bounds, _number(accuracy), _number(ece)])
    return rows


def truth_of(claims: Sequence[Claim]) -> Booleans:
    """One-hot labels. Shape: (n, 3). Raises DataError when there is no claim or a claim has no label."""
    if not claims:
        raise DataError("expected labelled claims to evaluate on, found none. Give at least one claim with a label.")
    labels = [claim.label for claim in claims if claim.label is not None]
    if len(labels) < len(claims):
        raise DataError(
            f"expected a label on every claim, found {len(claims) - len(labels):,} of {len(claims):,} without one. "
            "Label them, or leave them out of the evaluation."
        )
    return one_hot(labels)


def _checked(probabilities: Floats, *, n: int) -> Floats:
    checked = np.asarray(probabilities, dtype=np.float64)
    if checked.shape != (n, len(LABELS)):
        raise ValueError(f"expected probabilities of shape {(n, len(LABELS))}, found {checked.shape}")
    if not np.isfinite(checked).all() or (checked < 0).any():
        raise ValueError("expected finite probabilities of 0 or more, found others")
    if (furthest := float(np.abs(checked.sum(axis=1) - 1).max())) > 1e-3:
        raise ValueError(f"expected each row of probabilities to sum to 1 within 0.001, found one {furthest:.3g} off")
    return checked


def rows_by_name(names: Sequence[str | None]) -> dict[str, list[int]]:
    """Row numbers by name, the name with most rows first; rows without a name are left out."""
    found: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        if name is not None:
            found.setdefault(name, []).append(row)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


def rows_by_event(corpora: Sequence[str | None], events: Sequence[str | None]) -> dict[str, list[int]]:
    """As `rows_by_name`; events are a corpus's own, and one whose name stands in several is called corpus/event."""
    own: dict[str | None, set[str | None]] = {}
    for corpus, event in zip(corpora, events, strict=True):
        own.setdefault(event, set()).add(corpus)
    return rows_by_name(
        [
            f"{corpus or '–'}/{event}" if event is not None and len(own[event]) > 1 else event
            for corpus, event in zip(corpora, events, strict=True)
        ]
    )


def _slice(statistics: Floats, truth: Booleans, *, resamples: int, seed: int) -> Slice:
    present = occurring(truth)
    values = metrics_of_sums(statistics.sum(axis=0), present=present)
    draws = metrics_of_sums(resampled_sums(statistics, resamples=resamples, seed=seed), present=present)
    estimates = {name: interval(float(value), draws[name]) for name, value in values.items()}
    return Slice(
        n=len(truth),
        labels=dict(zip(LABELS, truth.sum(axis=0).tolist(), strict=True)),
        metrics={name: estimates.get(name) for name in METRICS},
        per_label={label: {name: estimates.get(f"{label}_{name}") for name in LABEL_METRICS} for label in LABELS},
    )


def interval(value: float, draws: Floats) -> Estimate:
    """A value with the percentile interval of its bootstrap draws. Shape of draws: (resamples,)"""
    low, high = np.percentile(draws, (100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2)).tolist()
    return Estimate(value, low, high)


def estimate_from(row: Mapping[str, Any] | None) -> Estimate | None:
    """Raises TypeError, ValueError or AttributeError for anything but three finite numbers by name, or None."""
    return None if row is None else Estimate(**{name: finite(value) for name, value in row.items()})


def known_estimate(row: Mapping[str, Any]) -> Estimate:
    """As `estimate_from`, of a value that cannot be missing."""
    return Estimate(**by_name(row, ("value", "low", "high"), finite))


def _settings_from(row: Any) -> dict[str, int | float]:
    whole_ones = by_name(row, ("seed", "bins", "min_slice_rows"), whole)
    resamples = whole(row["resamples"], least=100, most=1_000_000)  # a comparison draws as many
    return {"resamples": resamples, **whole_ones, "level": finite(row["level"])}


def _slice_from(row: Mapping[str, Any]) -> Slice:
    return Slice(
        n=whole(row["n"], least=1),
        labels=by_name(row["labels"], LABELS, whole),
        metrics=by_name(row["metrics"], METRICS, estimate_from),
        per_label=by_name(row["per_label"], LABELS, lambda of: by_name(of, LABEL_METRICS, estimate_from)),
    )


def _metric_name(name: str) -> str:
    return re.sub(r"[^\w.: -]|^\.+$", "_", name)[:100]


def _number(estimate: Estimate | None) -> str:
    return "–" if estimate is None else f"{estimate.value:.3f}"
