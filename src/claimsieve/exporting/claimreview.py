"""A labelled row as a schema.org ClaimReview, marked in every place that readers show as made by a machine.

The vocabulary: https://schema.org/ClaimReview and https://schema.org/Claim.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

from claimsieve.records import LABELS, Claim, Evidence, Label, RecordError

CONTEXT = "https://schema.org"
STATUS = "Machine-made; not checked by a person"
SOURCE_TYPE = "https://schema.org/TrainedAlgorithmicMediaDigitalSource"
TOOL = "claimsieve (a program; no person has checked this)"
MARK = "machine-made label"  # stands in alternateName, which is what readers show
VALUES: Mapping[Label, int] = {"propaganda": 1, "unverified": 2, "verified": 3}
UNDECIDED = "undecided"

_MEANING: Mapping[str, str] = {
    "verified": "its evidence supports it",
    "unverified": "its evidence does not settle it",
    "propaganda": "it is spread as fact although its evidence contradicts it, or pushed by manipulation",
}
_WHY = {
    "evidence_insufficient": "there is no evidence, or it leaves the claim open",
    "evidence_conflicts": "the passages contradict one another",
    "model_unsure": "the model cannot tell",
    "picture_undated_claim": "a picture that came with it is known, and the claim has no date to compare with",
    "picture_recycled": "a picture that came with it is recycled: it was known before the claim's date",
}
_NOT_LOOKED_UP = "a picture that came with it could not be looked up"
_MOST_PASSAGES = 3
_PASSAGE_CHARACTERS = 300
_NAME_CHARACTERS = 500
_ID_CHARACTERS, _QUOTED_CHARACTERS = 200, 1_200  # of an id in an address
_ADDRESS = re.compile(r"https?://[^\s<>\"'`|\\^{}\x00-\x20\x7f-\x9f\ud800-\udfff]{1,1990}")
_HALF = re.compile("[\ud800-\udfff]")  # half a character
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said of a claim. label: None where it left the decision to a person. probability: of the label.

    weights: of the passages by their place in the evidence, where `--explain` gave them.
    """

    label: Label | None
    probability: float
    reasons: tuple[str, ...] = ()
    weights: Mapping[int, float] | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """How reviews are written. date: of the reviews, YYYY-MM-DD. base_url: of the page that they stand on; None: they
    have no address. source_type: what the claims' sources are, 'Organization' or 'Person'."""

    date: str
    base_url: str | None = None
    source_type: str = "Organization"


def answer_of(row: Mapping[str, Any]) -> Answer:
    """Reads what `predict` wrote. Raises RecordError where it did not: a label without probabilities is a person's."""
    label = row.get("label")
    if label not in LABELS:
        raise RecordError("no label of a model: claimsieve predict writes one")
    probability = row.get(f"p_{label}")
    if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise RecordError(f"no p_{label} from 0 to 1 beside the label: only what claimsieve predict wrote is exported")
    abstained = row.get("abstained", False)
    if not isinstance(abstained, bool):
        raise RecordError(f"expected 'abstained' as true or false, found {abstained!r:.40}")
    reasons = row.get("reasons") or []
    known = tuple(filter(can_be_written, reasons)) if isinstance(reasons, list) else ()
    return Answer(None if abstained else label, float(probability), known, _weights(row.get("explanation")))


def claim_review(
    claim: Claim, answer: Answer, *, form: Form, url: str | None = None, appearance: Any = None, first: Any = None
) -> dict[str, Any]:
    """One ClaimReview without its @context.

    url: of the review. appearance, first: where the claim stands, and where it stood first; what is no web address is
    left out.
    """
    review = {
        "@type": "ClaimReview",
        "@id": url,
        "url": url,
        "claimReviewed": claim.claim,
        "inLanguage": claim.lang if claim.lang and _LANGUAGE.fullmatch(claim.lang) else None,
        "itemReviewed": _present(
            {
                "@type": "Claim",
                "text": claim.claim,
                "author": _author(claim.source, form),
                "datePublished": claim.date,
                "appearance": _work(appearance),
                "firstAppearance": _work(first),
            }
        ),
        "reviewRating": _rating(claim.evidence, answer),
        "author": {"@type": "Organization", "name": TOOL},
        "datePublished": form.date,
        "creativeWorkStatus": STATUS,
        "digitalSourceType": SOURCE_TYPE,
        "disambiguatingDescription": _told(answer),
    }
    return _present(review)


def is_address(text: str) -> bool:
    return bool(_ADDRESS.fullmatch(text))


def can_be_written(value: Any) -> bool:
    """Whether it is a text without half characters."""
    return isinstance(value, str) and not _HALF.search(value)


def address_of(base_url: str, claim: Claim, taken: dict[str, int]) -> str:
    """An address on the page: by the claim's id, else, or where that is too long, by a hash of its words or id.

    taken: addresses that are taken, each with the number that the last one like it got; one more gets the next.
    """
    name = quote((claim.id or "")[:_ID_CHARACTERS], safe="")
    if not 0 < len(name) <= _QUOTED_CHARACTERS:
        name = "claim-" + blake2b((claim.id or claim.claim).encode(), digest_size=6).hexdigest()
    stem = url = f"{base_url.partition('#')[0]}#{name}"
    number = taken.get(stem, 0)
    while url in taken:
        number += 1
        url = f"{stem}-{number}"
    taken[stem] = max(1, number)
    taken.setdefault(url, 1)
    return url


def _rating(evidence: Sequence[Evidence], answer: Answer) -> dict[str, Any]:
    name = f"{answer.label or UNDECIDED} ({MARK})"
    rating: dict[str, Any] = {"@type": "Rating", "alternateName": name}
    if answer.label is not None:
        rating |= {"ratingValue": VALUES[answer.label], "worstRating": 1, "bestRating": 3}
    return rating | {"ratingExplanation": _explanation(evidence, answer)}


def _explanation(evidence: Sequence[Evidence], answer: Answer) -> str:
    chosen = list(range(len(evidence)))[:_MOST_PASSAGES]
    lead = "The model was given: "
    if answer.weights:
        places = [place for place in answer.weights if 0 <= place < len(evidence)]
        by_weight = sorted(places, key=lambda place: (-abs((answer.weights or {})[place]), place))
        if by_weight:
            chosen, lead = by_weight[:_MOST_PASSAGES], "The label goes by: "
    if not chosen:
        return "The model was given no evidence, so the label goes by the words of the claim alone and means nothing."
    return lead + " ".join(_passage(evidence[place]) for place in chosen)


def _passage(passage: Evidence) -> str:
    text = " ".join(passage.text.split())
    if len(text) > _PASSAGE_CHARACTERS:
        text = text[: _PASSAGE_CHARACTERS - 1] + "…"
    where = ", ".join(part for part in (passage.source, passage.date, passage.url) if part)
    return f"“{text}”" + (f" ({where[:_PASSAGE_CHARACTERS]})." if where else ".")


def _told(answer: Answer) -> str:
    """What the review is and is not, for a reader who sees this sentence only."""
    begin = "Made by a machine, and checked by no person. "
    if answer.label is None:
        why = dict.fromkeys(_why(reason) for reason in answer.reasons)
        return begin + "The claim is left to a person" + (f": {'; '.join(why)[:500]}." if why else ".")
    return (
        f"{begin}With the evidence it came with, the claim resembles claims that the training corpora label "
        f"{answer.label} ({_MEANING[answer.label]}), with a probability of {answer.probability:.2f}. "
        "That is no probability that the claim is true or false."
    )


def _why(reason: str) -> str:
    return _WHY.get(reason) or (_NOT_LOOKED_UP if reason.startswith("picture") else reason)


def _weights(explanation: Any) -> Mapping[int, float] | None:
    passages = explanation.get("passages") if isinstance(explanation, Mapping) else None
    if not isinstance(passages, list):
        return None
    found = {}
    for one in passages:
        place, weight = (one.get("passage"), one.get("weight")) if isinstance(one, Mapping) else (None, None)
        if type(place) is int and isinstance(weight, int | float) and not isinstance(weight, bool):
            found[place] = float(weight) if abs(weight) <= sys.float_info.max else 0.0
    return found


def _author(source: str | None, form: Form) -> dict[str, str] | None:
    name = " ".join((source or "").split())[:_NAME_CHARACTERS]
    return {"@type": form.source_type, "name": name} if name else None


def _work(url: Any) -> dict[str, str] | None:
    return {"@type": "CreativeWork", "url": url} if isinstance(url, str) and is_address(url) else None


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
