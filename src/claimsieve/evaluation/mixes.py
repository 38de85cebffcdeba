"""What a model does with the claims of each label, weighed by how often each label comes: its figures at any mix.

Resamples are drawn within each true label, as the mix is given and not drawn: a rare label cannot vanish from one. How
a label's claims are decided is drawn from Dirichlet(counts + 1/2), not by counting resampled rows, which would take
what never happened in the test claims for impossible: if none of 60 verified claims is called propaganda, 4 % of them
still may be, and where 90 % of the items are verified that would be most of what is called propaganda.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from claimsieve.evaluation.evaluate import Estimate, estimate_from, interval, known_estimate
from claimsieve.evaluation.metrics import (
    Booleans,
    Floats,
    chosen_labels,
    confusion_matrix,
    resampled_sums,
    row_statistics,
)
from claimsieve.records import LABELS, Label

ITEMS = 10_000

_CELLS = len(LABELS) ** 2
_PER_10_000 = ("false_flags_per_10_000", "missed_per_10_000")


@dataclass(frozen=True, slots=True)
class LabelRates:
    """One label at one mix.

    precision: share of the items called so that are so; None when none is called so. recall: share of the items that
    are so and called so, whatever the mix; None for a label that no test claim has. Of 10,000 items,
    false_flags_per_10_000 are called so and are not, missed_per_10_000 are so and called something else.
    """

    precision: Estimate | None
    recall: Estimate | None
    false_flags_per_10_000: Estimate
    missed_per_10_000: Estimate


@dataclass(frozen=True, slots=True)
class Rates:
    """Everything at one mix of labels, whose shares sum to 1. log_loss and ece weigh a claim by its label's share."""

    mix: dict[Label, float]
    labels: dict[Label, LabelRates]
    accuracy: Estimate
    log_loss: Estimate
    ece: Estimate


@dataclass(frozen=True, slots=True)
class ByLabel:
    """How the claims of each true label fare: the values, then those of each resample. Zeros for an absent label.

    present: labels that some claim has. Shape: (3,). given: share given each label. Shape: (1 + resamples, 3, 3).
    losses: mean log loss. Shape: (1 + resamples, 3). gaps: by bin of confidence, the sum of right (0 or 1) less
    confidence, divided by the label's claims. Shape: (1 + resamples, 3, bins)
    """

    present: Booleans
    given: Floats
    losses: Floats
    gaps: Floats


def by_label(probabilities: Floats, truth: Booleans, *, resamples: int, seed: int, bins: int) -> ByLabel:
    """probabilities, truth: Shape (n, 3). The same truth and seed draw the same rows, so differences are paired."""
    statistics = row_statistics(probabilities, truth, bins=bins)
    counts, claims = confusion_matrix(truth, chosen_labels(probabilities)), truth.sum(axis=0)
    given = np.zeros((1 + resamples, len(LABELS), len(LABELS)))
    means = np.zeros((1 + resamples, len(LABELS), statistics.shape[1]))
    for label, own_seed in enumerate(np.random.SeedSequence(seed).generate_state(len(LABELS)).tolist()):
        if claims[label] == 0:
            continue
        rows = statistics[truth[:, label]]
        means[0, label] = rows.mean(axis=0)
        means[1:, label] = resampled_sums(rows, resamples=resamples, seed=own_seed) / claims[label]
        given[0, label] = counts[label] / claims[label]
        given[1:, label] = np.random.default_rng(own_seed).dirichlet(counts[label] + 0.5, size=resamples)
    return ByLabel(claims > 0, given, losses=means[..., _CELLS], gaps=means[..., _CELLS + 2 :])


def defined_at(mix: Floats, of: ByLabel) -> bool:
    """Whether some claim has each label that the mix has. mix: shares in the order of LABELS. Shape: (3,)"""
    return not bool((mix[~of.present] > 0).any())


def rates_at(mix: Floats, of: ByLabel) -> Rates:
    """mix: shares in the order of LABELS, where `defined_at` holds. Shape: (3,)"""
    cells = mix[:, None] * of.given
    hits, true, called = np.diagonal(cells, axis1=1, axis2=2), cells.sum(axis=2), cells.sum(axis=1)
    labels = {
        label: LabelRates(
            precision=precision_at(mix, of, label),
            recall=_around(of.given[:, column, column]) if of.present[column] else None,
            false_flags_per_10_000=_around(ITEMS * (called - hits)[:, column]),
            missed_per_10_000=_around(ITEMS * (true - hits)[:, column]),
        )
        for column, label in enumerate(LABELS)
    }
    ece = np.abs(np.einsum("l,rlb->rb", mix, of.gaps)).sum(axis=1)
    losses = of.losses @ mix
    return Rates(
        mix=named(mix),
        labels=labels,
        accuracy=_around(hits.sum(axis=1)),
        log_loss=interval(float(losses[0]), losses[1:]),
        ece=interval(float(ece[0]), ece[1:]),
    )


def precision_at(mix: Floats, of: ByLabel, label: Label) -> Estimate | None:
    """Share of the items called so that are so; None when none is called so. mix: as for `rates_at`."""
    column = LABELS.index(label)
    called = of.given[:, :, column] @ mix
    if called[0] == 0:
        return None
    return _around(mix[column] * of.given[:, column, column] / called)


def named(mix: Floats) -> dict[Label, float]:
    """Shape: (3,)"""
    return dict(zip(LABELS, mix.tolist(), strict=True))


def rates_from(row: Mapping[str, Any]) -> Rates:
    """Read back what dataclasses.asdict made. Raises AttributeError, KeyError, TypeError or ValueError otherwise."""
    labels = {
        cast(Label, label): LabelRates(
            precision=estimate_from(of_label["precision"]),
            recall=estimate_from(of_label["recall"]),
            **{name: known_estimate(of_label[name]) for name in _PER_10_000},
        )
        for label, of_label in row["labels"].items()
    }
    whole = {name: known_estimate(row[name]) for name in ("accuracy", "log_loss", "ece")}
    return Rates(**{**row, "labels": labels, **whole})


def _around(values: Floats) -> Estimate:
    """The value in front and the interval of the draws behind it, stretched to the value where counts are few."""
    value = float(values[0])
    drawn = interval(value, values[1:])
    return Estimate(value, min(drawn.low, value), max(drawn.high, value))
