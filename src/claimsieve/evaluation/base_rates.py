"""The same decisions at a user's own mix of labels, where most of what is called propaganda may be something else.

Only the shares of the labels are taken to differ from those in test; the claims of one label are taken to look alike.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from claimsieve.errors import DataError
from claimsieve.evaluation.evaluate import LEVEL, Estimate, estimate_from, interval
from claimsieve.evaluation.metrics import Booleans, Floats
from claimsieve.evaluation.mixes import (
    ByLabel,
    LabelRates,
    Rates,
    by_label,
    defined_at,
    named,
    precision_at,
    rates_at,
    rates_from,
)
from claimsieve.records import LABELS, Label

SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)  # of propaganda

_PROPAGANDA: Label = "propaganda"


@dataclass(frozen=True, slots=True)
class AtShare:
    """Precision of propaganda if `share` of the items were propaganda, and the other labels kept their proportion."""

    share: float
    precision: Estimate | None


@dataclass(frozen=True, slots=True)
class BaseRates:
    """Decisions at the user's mix, beside the test claims' mix and equal shares.

    n, labels: test claims, in all and by true label. prevalence: the user's mix. at_mix and in_equal_shares are None
    when they have a label that no test claim has; `undefined` says which. trained_for: the mix that the probabilities
    are of. corrected: at the user's mix, when the probabilities are turned from trained_for to it.
    log_loss_saved: by that, both resampled together; the correction helps where it is above 0. These three are None
    when trained_for is not known. by_share: in case the user's mix is off; empty where it is undefined.
    """

    n: int
    labels: dict[Label, int]
    prevalence: dict[Label, float]
    at_mix: Rates | None
    at_test_mix: Rates
    in_equal_shares: Rates | None
    undefined: str | None
    trained_for: dict[Label, float] | None
    corrected: Rates | None
    log_loss_saved: Estimate | None
    by_share: list[AtShare]
    settings: dict[str, int | float]

    @property
    def without_a_model(self) -> tuple[float, float]:
        """Accuracy and log loss of giving every item the mix itself: what any model has to beat there."""
        shares = list(self.prevalence.values())
        return max(shares), sum(-share * math.log(share) for share in shares if share > 0)


def base_rates(
    probabilities: Floats,
    truth: Booleans,
    *,
    prevalence: Mapping[Label, float],
    trained_for: Mapping[Label, float] | None = None,
    resamples: int = 1000,
    seed: int = 0,
    bins: int = 15,
) -> BaseRates:
    """Measure the most probable labels at the mix `prevalence`.

    probabilities: calibrated, columns in the order of LABELS. truth: one-hot. Shape: (n, 3), n at least 1.
    prevalence, trained_for: a share for every label; they sum to 1. resamples: at least 100; mixes.py says how.
    Raises ValueError when an argument is out of range.
    """
    if not len(truth) or probabilities.shape != truth.shape or resamples < 100:
        raise ValueError(
            "expected probabilities and truth of one shape (n, 3) and at least 100 resamples, "
            f"found {probabilities.shape}, {truth.shape} and {resamples}"
        )
    mix, settings = _mix(prevalence, "prevalence"), {"resamples": resamples, "seed": seed, "bins": bins}
    as_is = by_label(probabilities, truth, **settings)
    defined, equal = defined_at(mix, as_is), np.full(len(LABELS), 1 / len(LABELS))
    turned, saved = None, None
    if trained_for is not None and defined:
        shifted = corrected(probabilities, trained_for=trained_for, prevalence=prevalence)
        turned = by_label(shifted, truth, **settings)
        gain = (as_is.losses - turned.losses) @ mix
        saved = interval(float(gain[0]), gain[1:])
    absent = [label for label, present in zip(LABELS, as_is.present, strict=True) if not present]
    return BaseRates(
        n=len(truth),
        labels=dict(zip(LABELS, truth.sum(axis=0).tolist(), strict=True)),
        prevalence=named(mix),
        at_mix=rates_at(mix, as_is) if defined else None,
        at_test_mix=rates_at(truth.mean(axis=0), as_is),
        in_equal_shares=None if absent else rates_at(equal, as_is),
        undefined=f"no test claim is labelled {' or '.join(absent)}" if absent else None,
        trained_for=None if trained_for is None else named(_mix(trained_for, "trained_for")),
        corrected=None if turned is None else rates_at(mix, turned),
        log_loss_saved=saved,
        by_share=_by_share(mix, as_is),
        settings={**settings, "level": LEVEL},
    )


def mix_of(truth: Booleans) -> dict[Label, float]:
    """The share of each label. truth: one-hot. Shape: (n, 3), n at least 1."""
    return named(truth.mean(axis=0))


def corrected(
    probabilities: Floats, *, trained_for: Mapping[Label, float], prevalence: Mapping[Label, float]
) -> Floats:
    """Probabilities at another mix: p * prevalence / trained_for, scaled to sum to 1 (Elkan 2001; Saerens et al. 2002).

    probabilities: at the mix trained_for, columns in the order of LABELS. Shape: (n, 3) -> (n, 3). Both mixes have a
    share for every label and sum to 1, else ValueError. A label that trained_for lacks gets 0. A row that gives all to
    labels that the prevalence lacks tells nothing of the others: it becomes the prevalence, of the labels trained for.
    Where the two mixes have no label in common, nothing can be corrected and the probabilities stay as they are.
    """
    before, after = _mix(trained_for, "trained_for"), _mix(prevalence, "prevalence")
    fallback = np.where(before > 0, after, 0)
    if not fallback.any():
        return probabilities.copy()
    with np.errstate(divide="ignore"):  # log(0) is the -inf that is meant
        # In logs, as the ratio of two shares may be larger than a float.
        factors = np.where(before > 0, np.log(after) - np.log(np.where(before > 0, before, 1)), -np.inf)
        scores = np.log(probabilities) + factors
    highest = scores.max(axis=1, keepdims=True)
    found = np.exp(scores - np.where(np.isfinite(highest), highest, 0))
    rows: Floats = np.where(np.isfinite(highest), found, fallback)
    result: Floats = rows / rows.sum(axis=1, keepdims=True)
    return result


def to_json(rates: BaseRates) -> dict[str, Any]:
    """Plain dicts, lists, texts, finite numbers and None, ready for json.dumps(allow_nan=False)."""
    return asdict(rates)


def from_json(document: Any) -> BaseRates:
    """Read back what `to_json` made. Raises DataError when the document is something else."""
    try:
        optional = ("at_mix", "in_equal_shares", "corrected")
        known = {name: None if document[name] is None else rates_from(document[name]) for name in optional}
        return BaseRates(
            **{
                **document,
                **known,
                "at_test_mix": rates_from(document["at_test_mix"]),
                "log_loss_saved": estimate_from(document["log_loss_saved"]),
                "by_share": [AtShare(row["share"], estimate_from(row["precision"])) for row in document["by_share"]],
            }
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"expected base rates as claimsieve writes them, found something else ({error}). Evaluate the model again."
        ) from error


def summary_metrics(rates: BaseRates) -> dict[str, float]:
    """Flat names and values for an experiment tracker, at the user's mix; what is undefined is left out.

    accuracy, log_loss, ece, "<label>_precision", "<label>_false_flags_per_10_000", "<label>_missed_per_10_000"; all
    of them with "corrected_" in front; propaganda_precision_in_equal_shares; log_loss_saved. Those of propaganda and
    log_loss_saved come with "_low" and "_high" behind.
    """
    found: dict[str, Estimate | None] = {}
    for prefix, at in (("", rates.at_mix), ("corrected_", rates.corrected)):
        if at is not None:
            found |= {f"{prefix}accuracy": at.accuracy, f"{prefix}log_loss": at.log_loss, f"{prefix}ece": at.ece}
            for label, of_label in at.labels.items():
                found[f"{prefix}{label}_precision"] = of_label.precision
                found[f"{prefix}{label}_false_flags_per_10_000"] = of_label.false_flags_per_10_000
                found[f"{prefix}{label}_missed_per_10_000"] = of_label.missed_per_10_000
    found["log_loss_saved"] = rates.log_loss_saved
    if rates.in_equal_shares is not None:
        found["propaganda_precision_in_equal_shares"] = rates.in_equal_shares.labels[_PROPAGANDA].precision
    known = {name: estimate for name, estimate in found.items() if estimate is not None}
    bounded = {name: estimate for name, estimate in known.items() if _PROPAGANDA in name or name == "log_loss_saved"}
    return {
        **{name: estimate.value for name, estimate in known.items()},
        **{f"{name}_low": estimate.low for name, estimate in bounded.items()},
        **{f"{name}_high": estimate.high for name, estimate in bounded.items()},
    }


def table(rates: BaseRates) -> list[list[str]]:
    """Rows for a terminal, a column per label; no figure stands without the mix that it is at."""
    yours, test, equal = rates.at_mix, rates.at_test_mix, rates.in_equal_shares
    rows = [
        [f"n = {rates.n:,}", *LABELS],
        ["test claims", *(f"{rates.labels[label]:,}" for label in LABELS)],
        ["share at your mix", *(f"{rates.prevalence[label]:.4g}" for label in LABELS)],
        ["precision at your mix [95 %]", *_cells(yours, lambda of: of.precision, "{:.3f}")],
        ["precision at the test claims' mix", *_cells(test, lambda of: of.precision, "{:.3f}")],
        ["precision in equal shares", *_cells(equal, lambda of: of.precision, "{:.3f}")],
        ["recall at any mix", *_cells(test, lambda of: of.recall, "{:.3f}")],
        ["false flags per 10,000 at your mix", *_cells(yours, lambda of: of.false_flags_per_10_000, "{:,.0f}")],
        ["missed per 10,000 at your mix", *_cells(yours, lambda of: of.missed_per_10_000, "{:,.0f}")],
    ]
    if (after := rates.corrected) is not None:
        rows += [
            ["corrected: precision at your mix", *_cells(after, lambda of: of.precision, "{:.3f}")],
            ["corrected: recall", *_cells(after, lambda of: of.recall, "{:.3f}")],
            ["corrected: false flags per 10,000", *_cells(after, lambda of: of.false_flags_per_10_000, "{:,.0f}")],
            ["corrected: missed per 10,000", *_cells(after, lambda of: of.missed_per_10_000, "{:,.0f}")],
        ]
    return rows


def correction_table(rates: BaseRates) -> list[list[str]]:
    """Rows for a terminal: whether turning the probabilities to the user's mix helps. Only a header when unknown."""
    rows = [[f"at your mix, n = {rates.n:,}", "accuracy [95 %]", "log loss [95 %]", "ECE [95 %]"]]
    if rates.at_mix is None or rates.corrected is None:
        return rows
    for name, at in (("as calibrated", rates.at_mix), ("corrected", rates.corrected)):
        rows.append([name, *(_shown(estimate, "{:.3f}") for estimate in (at.accuracy, at.log_loss, at.ece))])
    accuracy, loss = rates.without_a_model
    rows.append(["the mix alone, without a model", f"{accuracy:.3f}", f"{loss:.3f}", "0.000"])
    return [*rows, ["saved by the correction", "", _shown(rates.log_loss_saved, "{:.3f}"), ""]]


def headline(rates: BaseRates) -> str:
    """One line: false flags of propaganda and its precision at the user's mix, against equal shares."""
    mix = ", ".join(f"{label} {rates.prevalence[label]:.4g}" for label in LABELS)
    n = f"n = {rates.n:,}, {rates.labels[_PROPAGANDA]:,} of them propaganda"
    if rates.at_mix is None:
        return f"at your mix ({mix}): not known, as {rates.undefined}; {n}"
    of_label = rates.at_mix.labels[_PROPAGANDA]
    equal = rates.in_equal_shares
    against = (
        "" if equal is None else f" against {_shown(equal.labels[_PROPAGANDA].precision, '{:.3f}')} in equal shares"
    )
    return (
        f"at your mix ({mix}): of 10,000 items {_shown(of_label.false_flags_per_10_000, '{:,.0f}')} are flagged "
        f"propaganda wrongly; precision of propaganda {_shown(of_label.precision, '{:.3f}')}{against}, {n}"
    )


def _by_share(mix: Floats, of: ByLabel) -> list[AtShare]:
    column = LABELS.index(_PROPAGANDA)
    others = np.where(np.arange(len(LABELS)) == column, 0, mix)
    if not others.any() or not of.present[column] or not defined_at(others, of):
        return []
    found = []
    for share in SHARES:
        shifted = others / others.sum() * (1 - share)
        shifted[column] = share
        found.append(AtShare(share, precision_at(shifted, of, _PROPAGANDA)))
    return found


def _mix(shares: Mapping[Label, float], name: str) -> Floats:
    """Shares in the order of LABELS, summing to 1. Shape: (3,)"""
    found = np.array([shares.get(label, np.nan) for label in LABELS], dtype=np.float64)
    if not (found >= 0).all() or abs(found.sum() - 1) > 1e-6:
        raise ValueError(f"expected {name} with a share of 0 or more for {', '.join(LABELS)}, in sum 1, found {shares}")
    exact: Floats = found / found.sum()
    return exact


def _cells(rates: Rates | None, figure: Callable[[LabelRates], Estimate | None], form: str) -> list[str]:
    return ["–" if rates is None else _shown(figure(rates.labels[label]), form) for label in LABELS]


def _shown(estimate: Estimate | None, form: str) -> str:
    if estimate is None:
        return "–"
    return f"{form.format(estimate.value)} [{form.format(estimate.low)}, {form.format(estimate.high)}]"
