"""Whether the words that an explanation names are those that the model goes by.

Comprehensiveness and sufficiency of ERASER (DeYoung et al. 2020, arXiv:1911.03429), each beside the same with words
drawn at random: how far any missing word moves a probability is the model's affair, so only the difference speaks for
the explanation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from claimsieve.errors import DataError
from claimsieve.evaluation.evaluate import Estimate, known_estimate
from claimsieve.evaluation.metrics import Booleans, Floats
from claimsieve.evaluation.ranking import estimates
from claimsieve.evaluation.saved import by_name, finite, whole
from claimsieve.models import Model
from claimsieve.models.attributions import Attributions
from claimsieve.models.explained_words import Words, words_of
from claimsieve.models.explanation import TOP, largest
from claimsieve.records import Claim, Evidence

_FIGURES = (
    *("comprehensiveness", "random_comprehensiveness", "comprehensiveness_gain"),
    *("sufficiency", "random_sufficiency", "sufficiency_gain"),
)


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """What the named words do to the probability of the label that was chosen with all words.

    comprehensiveness: the probability less that without the named words; high is good. sufficiency: the probability
    less that with no other words; low is good. random_...: the same for as many random words of the same fields.
    ..._gain: how much better the named words do than random ones, row by row; above 0 the model goes by them.
    n: rows with a named word. mean_words: how many are named. settings: top, draws, resamples, seed.
    """

    n: int
    mean_words: float
    comprehensiveness: Estimate
    random_comprehensiveness: Estimate
    comprehensiveness_gain: Estimate
    sufficiency: Estimate
    random_sufficiency: Estimate
    sufficiency_gain: Estimate
    settings: dict[str, int]


def faithfulness(
    model: Model,
    claims: Sequence[Claim],
    *,
    attributions: Sequence[Attributions] | None = None,
    top: int = TOP,
    draws: int = 5,
    resamples: int = 1000,
    seed: int = 0,
) -> Faithfulness:
    """Take words away and look what becomes of the probability, in every claim with a word that speaks for its label.

    attributions: batches that hold each claim once; None asks the model. Named are, of the `top` words that weigh most,
    those that speak for the label chosen. draws: how many sets of random words stand beside them, out of all words that
    the model read; the mean over the sets counts. Intervals are bootstraps over rows, as if independent.
    Raises ValueError when no claim has a named word, or an argument is out of range.
    """
    if draws < 1 or top < 1:
        raise ValueError(f"expected at least 1 draw and 1 word, found {draws} and {top}")
    random = np.random.default_rng(seed)
    losses, counts = [], []
    for batch in model.attribute(claims) if attributions is None else attributions:
        own = [claims[row] for row in batch.rows.tolist()]
        named, rows = _named(words := words_of(own, model.inputs, batch), n=len(own), top=top)
        if not rows:
            continue
        variants: list[Claim] = []
        for row in rows:
            variants += _variants(own[row], words, row, named, draws=draws, random=random)
        found = np.asarray(model.predict_proba(variants), dtype=np.float64).reshape(len(rows), 3 + 2 * draws, -1)
        of_chosen = found[np.arange(len(rows)), :, found[:, 0].argmax(axis=1)]
        losses.append(of_chosen[:, :1] - of_chosen[:, 1:])
        counts += [int(named[words.rows == row].sum()) for row in rows]
    if not counts:
        raise ValueError("expected a claim with a word that speaks for its label, found none")
    values = _compared(np.concatenate(losses))
    figures = estimates(lambda times: times @ values / len(values), n=len(values), resamples=resamples, seed=seed)
    return Faithfulness(
        n=len(counts),
        mean_words=float(np.mean(counts)),
        **dict(zip(_FIGURES, figures, strict=True)),
        settings={"top": top, "draws": draws, "resamples": resamples, "seed": seed},
    )


def to_json(found: Faithfulness) -> dict[str, Any]:
    """Plain values, ready for json.dumps(allow_nan=False)."""
    return asdict(found)


def from_json(document: Any) -> Faithfulness:
    """Read back what `to_json` made. Raises DataError when the document is something else."""
    try:
        figures = by_name(document, _FIGURES, known_estimate)
        numbers = {"n": whole(document["n"], least=1), "mean_words": finite(document["mean_words"])}
        return Faithfulness(**{**document, **numbers, **figures})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"expected the faithfulness of explanations as claimsieve writes it, found something else ({error}). "
            "Train the model again."
        ) from error


def summary_metrics(found: Faithfulness) -> dict[str, float]:
    """Flat names and values for an experiment tracker."""
    return {"n": float(found.n)} | {name: getattr(found, name).value for name in _FIGURES}


def headline(found: Faithfulness) -> str:
    """One line: whether the model goes by the words that explanations name."""
    gain = found.comprehensiveness_gain
    return (
        f"without the words that explanations name a label loses {gain.value:.3f} [{gain.low:.3f}, {gain.high:.3f}] "
        f"more of its probability than without random ones, n = {found.n:,}"
    )


def _compared(losses: Floats) -> Floats:
    """By row, in the order of _FIGURES. losses: without the named, with them alone, then the same of each draw."""
    without, alone = losses[:, 0], losses[:, 1]
    random_without, random_alone = losses[:, 2::2].mean(axis=1), losses[:, 3::2].mean(axis=1)
    gains = without - random_without, random_alone - alone
    return np.column_stack([without, random_without, gains[0], alone, random_alone, gains[1]])


def _named(words: Words, *, n: int, top: int) -> tuple[Booleans, list[int]]:
    """Which words are named, and the rows that have one."""
    named = np.zeros(len(words.weights), dtype=bool)
    named[largest(words.weights, words.rows, top=top)] = True
    named &= words.weights > 0
    return named, np.flatnonzero(np.bincount(words.rows[named], minlength=n)).tolist()


def _variants(
    claim: Claim, words: Words, row: int, named: Booleans, *, draws: int, random: np.random.Generator
) -> Iterator[Claim]:
    """The claim as it was read; without the named words and with them alone; then the same for each draw."""
    own = words.rows == row
    fields = np.array([words.parts[part].field for part in words.of_part[own]])
    yield _without(claim, words, own, np.zeros(len(own), dtype=bool))
    for drawn in [named[own], *(_drawn(fields, named[own], random) for _ in range(draws))]:
        for taken in (drawn, ~drawn):
            away = np.zeros(len(own), dtype=bool)
            away[own] = taken
            yield _without(claim, words, own, away)


def _drawn(fields: np.ndarray, named: Booleans, random: np.random.Generator) -> Booleans:
    """As many words of each field as are named in it."""
    drawn = np.zeros(len(named), dtype=bool)
    for field in np.unique(fields[named]):
        of_field = np.flatnonzero(fields == field)
        drawn[random.choice(of_field, size=int(named[of_field].sum()), replace=False)] = True
    return drawn


def _without(claim: Claim, words: Words, own: Booleans, away: Booleans) -> Claim:
    """The claim as far as it was read, less the words in `away`: no word beyond the model's window moves up into it."""
    texts: dict[tuple[str, int | None], str] = {}
    for number in np.unique(words.of_part[own]).tolist():
        part, of_part = words.parts[number], words.of_part == number
        kept, end = [], 0
        for start, stop in zip(words.starts[of_part & away], words.ends[of_part & away], strict=True):
            kept.append(part.text[end:start])
            end = stop
        texts[part.field, part.passage] = "".join(kept) + part.text[end : words.ends[of_part].max()]
    return replace(
        claim,
        claim=texts.get(("claim", None), ""),
        source=texts.get(("source", None)),
        date=texts.get(("date", None)),
        evidence=tuple(
            Evidence(texts["evidence", number], texts.get(("source", number)), texts.get(("date", number)))
            for number in range(len(claim.evidence))
            if ("evidence", number) in texts
        ),
    )
