"""What a model would score that never puts claim and evidence side by side: the bar that reading has to clear.

Each shortcut is a model trained on the run's train split and measured on its test split (hypothesis-only baselines:
Poliak et al. 2018, arXiv:1805.01042; claim-only ones for fact checking: Schuster et al. 2019, arXiv:1908.05267).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from typing import Any

from claimsieve.data.augmentation import other_evidence
from claimsieve.errors import DataError
from claimsieve.evaluation.evaluate import Estimate, estimate_from, interval, macro_f1_draws, truth_of
from claimsieve.evaluation.metrics import Floats
from claimsieve.evaluation.saved import whole
from claimsieve.records import Claim

MAX_TRAIN_CLAIMS = 30_000  # more of them hardly change what a shortcut scores
MIN_SWAPPED_SHARE = 0.9  # of the claims with evidence; below it a swap would mostly measure the true evidence
MIN_TEST_CLAIMS = 30

DESCRIPTIONS = {
    "claim_only": "words of the claim",
    "evidence_only": "words of the evidence, of its first 2,000 characters",
    "source_only": "who says it",
    "length_only": "how long claim and evidence are, and how many passages",
    "corpus_only": "which corpus it is from",
    "event_majority": "how the rest of its story was labelled in train; a new story: its corpus",
    "evidence_shuffled": "words of the claim and of another story's evidence",
}


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """Macro-F1 on the test split of models that cannot have read the evidence, and of the run's own model.

    scores: by the names in DESCRIPTIONS; one that has nothing to go by in these data is left out. best: the highest of
    them. model: the run's own. margin: model - best, with both resampled together. model_evidence_shuffled: the run's
    own when each test claim comes with another story's evidence; near `model` it means that evidence is not read.
    model_names_masked: the run's own when names of states, parties and outlets are placeholders, and names_change that
    less `model`, paired: a claim should not be better or worse off for who says it.
    n: test claims. train_claims: those that the shortcuts were trained on.
    """

    scores: dict[str, Estimate]
    best: str
    n: int
    train_claims: int
    model: Estimate | None = None
    margin: Estimate | None = None
    model_evidence_shuffled: Estimate | None = None
    model_names_masked: Estimate | None = None
    names_change: Estimate | None = None


def measure_shortcuts(
    train: Sequence[Claim],
    test: Sequence[Claim],
    *,
    model: Floats | None = None,
    model_evidence_shuffled: Floats | None = None,
    model_names_masked: Floats | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Shortcuts:
    """Train the shortcuts and compare them with a model.

    train, test: labelled claims, both non-empty. model, model_evidence_shuffled, model_names_masked: the run's own
    probabilities on test, as it is, with `shuffled` evidence and with `masked_names`; columns in the order of LABELS.
    Shape: (n, 3). seed: of what is drawn in training the shortcuts; the bootstrap always starts from 0, as `evaluate`
    does, so that the model's own interval is the same here and there.
    """
    from claimsieve.evaluation.shortcut_models import shortcut_probabilities

    seen = sampled(train, seed)
    truth = truth_of(test)
    draws = partial(macro_f1_draws, truth=truth, resamples=resamples)
    found = {
        name: draws(probabilities) for name, probabilities in shortcut_probabilities(seen, test, seed=seed).items()
    }
    best = max(found, key=lambda name: found[name][0])
    own = None if model is None else draws(model)
    swapped = None if model_evidence_shuffled is None else draws(model_evidence_shuffled)
    masked = None if model_names_masked is None else draws(model_names_masked)
    return Shortcuts(
        scores={name: interval(*pair) for name, pair in found.items()},
        best=best,
        n=len(test),
        train_claims=len(seen),
        model=None if own is None else interval(*own),
        margin=None if own is None else interval(own[0] - found[best][0], own[1] - found[best][1]),
        model_evidence_shuffled=None if swapped is None else interval(*swapped),
        model_names_masked=None if masked is None else interval(*masked),
        names_change=None if masked is None or own is None else interval(masked[0] - own[0], masked[1] - own[1]),
    )


def shuffled(claims: Sequence[Claim], *, train: Sequence[Claim], seed: int) -> list[Claim] | None:
    """The claims with another story's evidence of their corpus; None when nearly none can be had.

    Where the claims are of one story, or nearly, evidence is taken from train, which has none of their stories.
    """
    wanted = sum(bool(claim.evidence) for claim in claims)
    for pool in (claims, [*claims, *train]):
        others = other_evidence(pool, seed=seed)[: len(claims)]
        if wanted and sum(other is not None for other in others) >= MIN_SWAPPED_SHARE * wanted:
            pairs = zip(claims, others, strict=True)
            return [claim if other is None else replace(claim, evidence=other) for claim, other in pairs]
    return None


def from_json(document: Any) -> Shortcuts:
    """Read back what dataclasses.asdict made. Raises DataError when the document is something else."""
    try:
        scores = {name: _known(estimate_from(estimate)) for name, estimate in document["scores"].items()}
        optional = ("model", "margin", "model_evidence_shuffled", "model_names_masked", "names_change")
        return Shortcuts(
            **{
                **document,
                **{name: estimate_from(document[name]) for name in optional},
                "scores": scores,
                "best": _one_of(document["best"], scores),
                "n": whole(document["n"], least=1),
                "train_claims": whole(document["train_claims"]),
            }
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"expected shortcuts as claimsieve writes them, found something else ({error}). Train the model again."
        ) from error


def _known(estimate: Estimate | None) -> Estimate:
    if estimate is None:
        raise ValueError("expected a score of each shortcut, found none")
    return estimate


def _one_of(name: Any, scores: Mapping[str, Estimate]) -> str:
    if not isinstance(name, str) or name not in scores:
        raise ValueError(f"expected the best among the scores, found {name!r:.40}")
    return name


def summary_metrics(shortcuts: Shortcuts) -> dict[str, float]:
    """Flat names and values for an experiment tracker."""
    metrics = {f"{name}_macro_f1": estimate.value for name, estimate in shortcuts.scores.items()}
    if shortcuts.margin is not None:
        metrics["margin_over_best"] = shortcuts.margin.value
        metrics["margin_over_best_low"] = shortcuts.margin.low
        metrics["margin_over_best_high"] = shortcuts.margin.high
    if shortcuts.names_change is not None:
        metrics["names_masked_change"] = shortcuts.names_change.value
    if shortcuts.model_evidence_shuffled is not None:
        metrics["model_evidence_shuffled_macro_f1"] = shortcuts.model_evidence_shuffled.value
    return metrics


def table(shortcuts: Shortcuts) -> list[list[str]]:
    """Rows for a terminal: the best shortcut first, the run's own model last."""
    rows = [["shortcut", "macro-F1 [95 %]", "what it goes by"]]
    for name, estimate in sorted(shortcuts.scores.items(), key=lambda item: -item[1].value):
        rows.append([name, _shown(estimate), DESCRIPTIONS[name]])
    if shortcuts.model_evidence_shuffled is not None:
        rows.append(["(this model, evidence swapped)", _shown(shortcuts.model_evidence_shuffled), ""])
    if shortcuts.model_names_masked is not None:
        rows.append(["(this model, names masked)", _shown(shortcuts.model_names_masked), ""])
    if shortcuts.model is not None:
        rows.append(["(this model)", _shown(shortcuts.model), ""])
    return rows


def headline(shortcuts: Shortcuts) -> str:
    """One line: by how much the model clears the best shortcut."""
    few = "" if shortcuts.n >= MIN_TEST_CLAIMS else " – too few test claims to tell"
    if shortcuts.margin is None:
        return f"best shortcut: {shortcuts.best} {_shown(shortcuts.scores[shortcuts.best])}, n = {shortcuts.n:,}"
    margin = shortcuts.margin
    return (
        f"margin over the best shortcut: {margin.value:+.3f} [{margin.low:+.3f}, {margin.high:+.3f}] macro-F1 "
        f"({shortcuts.best}: {shortcuts.scores[shortcuts.best].value:.3f}), n = {shortcuts.n:,}{few}"
    )


def _shown(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def sampled(train: Sequence[Claim], seed: int) -> Sequence[Claim]:
    """At most MAX_TRAIN_CLAIMS of the claims, drawn by what they say and the seed."""
    if len(train) <= MAX_TRAIN_CLAIMS:
        return train
    draws = [
        blake2b(f"{seed}\0{claim.corpus}\0{claim.claim}\0{claim.id}".encode(), digest_size=8).digest()
        for claim in train
    ]
    chosen = sorted(sorted(range(len(train)), key=draws.__getitem__)[:MAX_TRAIN_CLAIMS])
    return [train[row] for row in chosen]
