"""What a model that reads evidence does when only the evidence changes, on the variations that come with the package.

A claim comes confirmed, contradicted, left open and without evidence; and it comes with its passages in another order,
among others that have nothing to do with it, said by somebody else or in other words, which must not change the label
(behavioural testing: Ribeiro et al. 2020, arXiv:2005.04118; contrast sets: Gardner et al. 2020, arXiv:2004.02709). They
are texts that we wrote, and no benchmark.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import claimsieve.data
from claimsieve.errors import DataError
from claimsieve.evaluation.conformal import exact_share
from claimsieve.evaluation.evaluate import Estimate, estimate_from, interval
from claimsieve.evaluation.metrics import Booleans, Floats
from claimsieve.evaluation.saved import by_name, finite, text
from claimsieve.records import LABELS, Claim, Label, claim_from_row

STANDING = ("soldiers-killed", "photographs-of-that-night")  # the groups that a card shows variation by variation

_SHIPPED = Path(claimsieve.data.__file__).parent / "starter" / "behaviour.jsonl"


@dataclass(frozen=True, slots=True)
class Variation:
    """A claim with evidence of one kind. Its event is the group: all variations of one claim.

    kind: what was done to the evidence or the claim. expected: the labels that count as right. same_as: the id of the
    variation that it may not differ from in label; None where it stands for itself.
    """

    claim: Claim
    kind: str
    expected: tuple[Label, ...]
    same_as: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one variation, which stands here in full. evidence: the texts of the passages.

    probabilities: calibrated where the model is, to six digits, by label. label: the most probable one.
    """

    id: str
    group: str
    kind: str
    claim: str
    source: str
    evidence: tuple[str, ...]
    expected: tuple[Label, ...]
    same_as: str | None
    probabilities: dict[Label, float]
    label: Label

    @property
    def right(self) -> bool:
        return self.label in self.expected


@dataclass(frozen=True, slots=True)
class Tally:
    """So many of n. Of a handful an interval would say no more than the two numbers do."""

    right: int
    n: int


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two variations, by id, that should get one label and get two. kind: how the first was made from `same_as`."""

    id: str
    kind: str
    label: Label
    same_as: str
    label_of_same: Label


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a model does with the variations.

    n: variations. right: share of them that get an expected label. Its interval reaches as far down and as far up as
    the exact binomial one or a bootstrap of whole groups does: variations of one claim resemble one another, which the
    first does not know, and the second has no width where all are right. kinds, groups: in the order of the file.
    pairs: how many of those that should get one label do. disagreements: those that do not.
    """

    n: int
    right: Estimate
    kinds: dict[str, Tally]
    groups: dict[str, Tally]
    pairs: Tally
    disagreements: tuple[Disagreement, ...]
    answers: tuple[Answer, ...]


def variations() -> tuple[Variation, ...]:
    """The variations that come with the package, in the order of their file."""
    rows = [json.loads(line) for line in _SHIPPED.read_text(encoding="utf-8").splitlines()]
    return tuple(Variation(claim_from_row(row), row["kind"], tuple(row["expected"]), row["same_as"]) for row in rows)


def behave(probabilities: Floats, shown: Sequence[Variation], *, resamples: int = 1000, seed: int = 0) -> Behaviour:
    """Compare what a model says of variations with what is expected.

    probabilities: of the variations' claims, columns in the order of LABELS. Shape: (n, 3). A tie goes to the label
    that stands first in LABELS. resamples: of groups. Raises ValueError for another shape, or for no variation.
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if not shown or probabilities.shape != (len(shown), len(LABELS)):
        raise ValueError(
            f"expected probabilities of shape {(len(shown), len(LABELS))} of at least one variation, "
            f"found {probabilities.shape}"
        )
    answers = tuple(_answer(*pair) for pair in zip(shown, probabilities, strict=True))
    right: Booleans = np.array([answer.right for answer in answers])
    groups = np.unique([answer.group for answer in answers], return_inverse=True)[1]
    return _behaviour(answers, _share(right, groups, resamples=resamples, seed=seed))


def headline(behaviour: Behaviour) -> str:
    """One line: how many variations are right, and how many pairs stay together."""
    right, pairs = behaviour.right, behaviour.pairs
    return (
        f"behaviour: right in {right.value:.1%} [{right.low:.1%}, {right.high:.1%}] of {behaviour.n:,} variations of "
        f"{len(behaviour.groups)} claims; one label in {pairs.right} of {pairs.n} pairs that differ in nothing decisive"
    )


def table(behaviour: Behaviour) -> list[list[str]]:
    """Rows for a terminal: a header, one row per kind, pairs, the overall row last."""
    rows = [["kind", "n", "right"]]
    for name, tally in [*behaviour.kinds.items(), ("(pairs: one label)", behaviour.pairs)]:
        rows.append([name, f"{tally.n:,}", f"{tally.right:,}"])
    right = behaviour.right
    share = f"{right.value:.1%} [{right.low:.1%}, {right.high:.1%}]"
    return [*rows, ["overall [95 %]", f"{behaviour.n:,}", share]]


def summary_metrics(behaviour: Behaviour) -> dict[str, float]:
    """Flat names and values for an experiment tracker."""
    right = behaviour.right
    found = {"right": right.value, "right_low": right.low, "right_high": right.high}
    if behaviour.pairs.n:
        found["pairs_one_label"] = behaviour.pairs.right / behaviour.pairs.n
    return found


def to_json(behaviour: Behaviour) -> dict[str, Any]:
    """Plain dicts, lists, texts, finite numbers and None, ready for json.dumps(allow_nan=False)."""
    return asdict(behaviour)


def from_json(document: Any) -> Behaviour:
    """Read back what `to_json` made; what is counted is counted again. Raises DataError for something else."""
    try:
        answers = tuple(_answer_from(row) for row in document["answers"])
        right = estimate_from(document["right"])
        if not answers or right is None:
            raise ValueError("expected answers and the share that is right, found none")
        return _behaviour(answers, right)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"expected behaviour as claimsieve writes it, found something else ({error}). Train the model again."
        ) from error


def _answer(variation: Variation, probabilities: Floats) -> Answer:
    claim = variation.claim
    return Answer(
        id=claim.id or "",
        group=claim.event or "",
        kind=variation.kind,
        claim=claim.claim,
        source=claim.source or "",
        evidence=tuple(passage.text for passage in claim.evidence),
        expected=variation.expected,
        same_as=variation.same_as,
        probabilities={label: round(float(p), 6) for label, p in zip(LABELS, probabilities, strict=True)},
        label=LABELS[int(probabilities.argmax())],
    )


def _behaviour(answers: tuple[Answer, ...], right: Estimate) -> Behaviour:
    by_id = {answer.id: answer for answer in answers}
    pairs = [(answer, by_id[answer.same_as]) for answer in answers if answer.same_as is not None]
    disagreements = tuple(
        Disagreement(one.id, one.kind, one.label, other.id, other.label)
        for one, other in pairs
        if one.label != other.label
    )
    return Behaviour(
        n=len(answers),
        right=right,
        kinds=_tallies(answers, lambda answer: answer.kind),
        groups=_tallies(answers, lambda answer: answer.group),
        pairs=Tally(len(pairs) - len(disagreements), len(pairs)),
        disagreements=disagreements,
        answers=answers,
    )


def _tallies(answers: Sequence[Answer], key: Callable[[Answer], str]) -> dict[str, Tally]:
    found: dict[str, list[bool]] = {}
    for answer in answers:
        found.setdefault(key(answer), []).append(answer.right)
    return {name: Tally(sum(right), len(right)) for name, right in found.items()}


def _share(right: Booleans, groups: Any, *, resamples: int, seed: int) -> Estimate:
    """groups: the number of each row's group, from 0 up. Shape: (n,)"""
    of_group, right_of_group = np.bincount(groups), np.bincount(groups, weights=right)
    number = len(of_group)
    drawn = np.random.default_rng(seed).multinomial(number, np.full(number, 1 / number), size=resamples)
    exact = exact_share(int(right.sum()), len(right))
    whole_groups = interval(exact.value, (drawn @ right_of_group) / (drawn @ of_group))
    return Estimate(exact.value, min(exact.low, whole_groups.low), max(exact.high, whole_groups.high))


def _answer_from(row: Mapping[str, Any]) -> Answer:
    texts = by_name(row, ("id", "group", "kind", "claim", "source"), text)
    return Answer(
        **texts,
        evidence=tuple(text(passage) for passage in _listed(row["evidence"])),
        expected=tuple(_label(label) for label in _listed(row["expected"])),
        same_as=None if row["same_as"] is None else text(row["same_as"]),
        probabilities=by_name(row["probabilities"], LABELS, finite),
        label=_label(row["label"]),
    )


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"expected a list, found {value!r:.40}")
    return list(value)


def _label(value: Any) -> Label:
    for label in LABELS:
        if value == label:
            return label
    raise ValueError(f"expected one of {', '.join(LABELS)}, found {value!r:.40}")
