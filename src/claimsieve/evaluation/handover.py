"""From which confidence on a cheap model may answer in an encoder's place, and how often its label is then another."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from claimsieve.errors import DataError
from claimsieve.evaluation.conformal import exact_share
from claimsieve.evaluation.evaluate import Estimate, estimate_from, known_estimate
from claimsieve.evaluation.metrics import Booleans, Floats
from claimsieve.evaluation.saved import by_name, finite, whole
from claimsieve.records import Claim

HANDOVER = "cascade.json"
TIERS = ("cheap", "encoder")
MODELS = (*TIERS, "cascade")


@dataclass(frozen=True, slots=True)
class Agreement:
    """A cascade's labels beside those of its encoder alone, on the rows of one split; shares with exact 95 % intervals.

    answered: rows that the cheap tier answered. differs: rows with another label than the encoder's, of all n.
    events_differing: events with such a row, of all `events`; a row without an event is one of its own.
    """

    n: int
    answered: Estimate
    differs: Estimate
    events: int
    events_differing: Estimate


@dataclass(frozen=True, slots=True)
class Handover:
    """How the answer passes from one tier to the other, and what that was worth.

    threshold: the cheap tier answers where its most probable label has so much, uncalibrated, in [0, 1].
    max_disagreement, confidence: what was asked for. limit: the upper confidence limit of the share of rows with
    another label than the encoder's, by the calibration rows. kinds, fingerprints: of the tiers, by TIERS. macro_f1:
    on test, by MODELS.
    """

    threshold: float
    max_disagreement: float
    confidence: float
    limit: float
    kinds: Mapping[str, str]
    fingerprints: Mapping[str, str]
    calibration: Agreement
    test: Agreement
    macro_f1: Mapping[str, Estimate | None]


def choose_threshold(
    confidences: Floats, differs: Booleans, *, max_disagreement: float, confidence: float
) -> float | None:
    """The lowest threshold from which on a cheap model may answer: above it, its label is seldom another.

    Over draws of the calibration rows, the true share of rows, of all rows, that reach the threshold and have another
    label exceeds max_disagreement with a probability of at most 1 - confidence. Each threshold is tested by an exact
    binomial p-value (Clopper & Pearson 1934), from the strictest down, and the first that fails ends it: a fixed
    sequence, as in Learn then Test (Angelopoulos et al. 2021, arXiv:2110.01052). No level is spent on how many there
    are, nor on taking them from the rows: the share only grows as the threshold falls, so a choice that is too low
    always means that one and the same test, where the share passes the bound, came out wrong.

    This takes rows to be drawn each for itself from the mix that the cascade will meet. Rows of one event resemble one
    another, so that the promise is weaker than its number where there are few events.

    confidences: of the cheap model's labels, in [0, 1]. differs: where its label is not the other's. Shapes: (n,)
    Returns None when no threshold qualifies, as always with fewer than `rows_needed`.
    """
    from scipy.special import bdtr

    if not len(confidences):
        return None
    order = np.argsort(-confidences, kind="stable")
    thresholds, differing = confidences[order], np.cumsum(differs[order])
    last = np.append(thresholds[1:] < thresholds[:-1], True)  # rows of one confidence are answered together
    failing = bdtr(differing[last], len(thresholds), max_disagreement) > 1 - confidence
    passed = int(failing.argmax()) if failing.any() else len(failing)
    return float(thresholds[last][passed - 1]) if passed else None


def rows_needed(*, max_disagreement: float, confidence: float) -> int:
    """The fewest rows, without one differing label, that show a share to be at most so large. Both in (0, 1)."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-max_disagreement) - 1e-9)


def upper_limit(differing: int, n: int, *, confidence: float) -> float:
    """Clopper and Pearson's one-sided limit of a share of which `differing` of n rows were seen; n at least 1."""
    from scipy.special import betaincinv

    return float(betaincinv(differing + 1, n - differing, confidence)) if differing < n else 1.0


def agreement(answered: Booleans, differs: Booleans, claims: Sequence[Claim]) -> Agreement:
    """answered: by the cheap tier. differs: where its label is not the encoder's. Shapes: (n,), n at least 1."""
    wrong = answered & differs
    events = [(claim.corpus, claim.event or f"row {row}") for row, claim in enumerate(claims)]
    touched = {event for event, differing in zip(events, wrong.tolist(), strict=True) if differing}
    return Agreement(
        n=len(claims),
        answered=exact_share(int(answered.sum()), len(claims)),
        differs=exact_share(int(wrong.sum()), len(claims)),
        events=len(set(events)),
        events_differing=exact_share(len(touched), len(set(events))),
    )


def to_json(handover: Handover) -> dict[str, Any]:
    """Plain dicts, texts, finite numbers and None, ready for json.dumps(allow_nan=False)."""
    return asdict(handover)


def from_json(document: Any) -> Handover:
    """Read back what `to_json` made. Raises DataError when the document is something else."""
    try:
        numbers = by_name(document, ("threshold", "max_disagreement", "confidence", "limit"), finite)
        return Handover(
            **numbers,
            kinds=by_name(document["kinds"], TIERS, _text),
            fingerprints=by_name(document["fingerprints"], TIERS, _text),
            calibration=_agreement_from(document["calibration"]),
            test=_agreement_from(document["test"]),
            macro_f1=by_name(document["macro_f1"], MODELS, estimate_from),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"expected what claimsieve writes of a cascade, found something else ({error}). Build the cascade again."
        ) from None


def summary_metrics(handover: Handover) -> dict[str, float]:
    """Flat names and values for an experiment tracker; all but threshold and limit are of the test rows."""
    test = handover.test
    return {
        "threshold": handover.threshold,
        "limit": handover.limit,
        "answered_by_cheap": test.answered.value,
        "disagreement": test.differs.value,
        "disagreement_high": test.differs.high,
    }


def sentences(handover: Handover) -> list[str]:
    """What has to be known of a cascade, in words."""
    cheap, test, calibration = handover.kinds["cheap"], handover.test, handover.calibration
    broken = [
        "The bound does not hold on test, so the test claims are not like the calibration claims: another mix of "
        "corpora, or few events. Expect the share that was measured on test, and ask for less."
    ]
    return [
        f"The {cheap} tier answers where its most probable label has at least {handover.threshold:.3f} before "
        f"calibration, the encoder everything else; so {cheap} answered {_shown(test.answered)} of {test.n:,} test "
        "claims.",
        f"Asked was another label than the encoder alone would give for at most {handover.max_disagreement:.3g} of "
        f"all claims, with {handover.confidence:.3g} confidence; by {calibration.n:,} calibration claims it is at most "
        f"{handover.limit:.4f} (seen: {calibration.differs.value:.4f}). On test it was {_shown(test.differs, 4)}, in "
        f"{_shown(test.events_differing)} of {test.events:,} events.",
        *(broken if test.differs.low > handover.max_disagreement else []),
        "Macro-F1 on test: "
        + ", ".join(
            f"{handover.kinds.get(name, name)} {_shown(value)}" for name, value in handover.macro_f1.items() if value
        )
        + ".",
        "The bound takes claims to be drawn each for itself, from a mix like the calibration claims'. Claims of one "
        "event resemble one another, and a new event, time or source may differ more often.",
        "The same calibration claims chose the threshold, which hardly moves what prediction sets hold, but makes "
        "their promise no longer exact; what they held on test was measured on claims that chose nothing.",
    ]


def table(handover: Handover) -> list[list[str]]:
    """Rows for a terminal: a header, then calibration and test."""
    rows = [["", "n", f"answered by {handover.kinds['cheap']} [95 %]", "label differs [95 %]", "events", ""]]
    for name, part in (("calibration", handover.calibration), ("test", handover.test)):
        touched = f"{_shown(part.events_differing)} with such a label"
        rows.append([name, f"{part.n:,}", _shown(part.answered), _shown(part.differs, 4), f"{part.events:,}", touched])
    return rows


def _agreement_from(row: Any) -> Agreement:
    shares = by_name(row, ("answered", "differs", "events_differing"), known_estimate)
    counts = by_name(row, ("n", "events"), lambda value: whole(value, least=1))
    return Agreement(
        n=counts["n"],
        answered=shares["answered"],
        differs=shares["differs"],
        events=counts["events"],
        events_differing=shares["events_differing"],
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, found {type(value).__name__}")
    return value


def _shown(share: Estimate, digits: int = 3) -> str:
    return f"{share.value:.{digits}f} [{share.low:.{digits}f}, {share.high:.{digits}f}]"
