"""What a label goes by, as `predict --explain` tells it: words marked in the texts, and passages by their weight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimsieve.analysis.stretches import Span, span_in, stretches
from claimsieve.analysis.values import host_of, mappings, number, text, truth, web_address, whole
from claimsieve.analysis.visible import one_line, visible
from claimsieve.records import Claim, Evidence

MAX_PASSAGES = 20  # shown of a claim
MAX_PASSAGE_CHARACTERS = 4_000  # shown of a passage
MAX_WORDS = 40
LEVELS = 3


@dataclass(frozen=True, slots=True)
class Word:
    """A word that mattered. weight: in log-odds of the row's label; above 0 it speaks for it. level: 1 to LEVELS."""

    text: str
    weight: float
    level: int
    passage: int | None  # None: it stands in the claim
    start: int
    end: int

    @property
    def kind(self) -> str:
        return "for" if self.weight > 0 else "against"


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text as it is shown; kind and level of the word that it is, or None."""

    text: str
    kind: str | None = None
    level: int = 0


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of evidence as it is shown.

    number: its place in the record, from 1. link: an address that may be followed; address: one that may not.
    weight: None where nobody asked. length: of the weight's bar, in per cent of the weightiest. cut: characters left
    out. published: the source, or the host of the page.
    """

    number: int
    runs: list[Run]
    published: str | None
    date: str | None
    link: str | None
    address: str | None
    weight: float | None
    length: float
    cut: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Words and weights of passages of a row; empty where the row has none."""

    words: list[Word]
    weights: Mapping[int, float]
    beginning_only: bool = False

    def told(self, kind: str) -> list[Word]:
        """The words for or against the label, the weightiest first."""
        chosen = [word for word in self.words if word.kind == kind]
        return sorted(chosen, key=lambda word: -abs(word.weight))


def explanation_of(row: Mapping[str, Any]) -> Explanation:
    """The row's explanation; words and weights that are no such thing are left out."""
    found = row.get("explanation")
    found = found if isinstance(found, Mapping) else {}
    raw = []
    for one in mappings(found.get("words")):
        weight, span = number(one.get("weight")), span_in([one.get("start"), one.get("end")], 10**9)
        place = whole(one.get("passage")) if one.get("in") == "evidence" else None
        if weight and span and (one.get("in") == "claim" or (place is not None and place >= 0)):
            raw.append((one_line(text(one.get("text")) or "", limit=60), weight, place, span))
    raw = sorted(raw, key=lambda one: -abs(one[1]))[:MAX_WORDS]
    most = max((abs(weight) for _, weight, _, _ in raw), default=1.0)
    words = [
        Word(spelt, weight, min(LEVELS, 1 + int(abs(weight) / most * LEVELS)), place, *span)
        for spelt, weight, place, span in raw
    ]
    weights = {}
    for one in mappings(found.get("passages")):
        place, weight = whole(one.get("passage")), number(one.get("weight"))
        if place is not None and weight is not None:
            weights[place] = weight
    return Explanation(words, weights, beginning_only=truth(found.get("beginning_only")) or False)


def marked(content: str, words: Sequence[Word], *, limit: int | None = None) -> list[Run]:
    """The text, or its first `limit` characters, in runs; words beyond its end are left out."""
    content = content if limit is None else content[:limit]
    inside = [word for word in words if word.end <= len(content)]
    spans = [Span(word.start, word.end, -abs(word.weight)) for word in inside]
    runs = []
    for part in stretches(len(content), spans):
        shown = visible(content[part.start : part.end])
        if part.owner is None:
            runs.append(Run(shown))
        else:
            runs.append(Run(shown, inside[part.owner].kind, inside[part.owner].level))
    return runs


def passages_of(claim: Claim, found: Explanation) -> list[Passage]:
    """The claim's evidence, the weightiest first and what has no weight in its own order, MAX_PASSAGES at most."""
    order = sorted(range(len(claim.evidence)), key=lambda place: -abs(found.weights.get(place, 0.0)))
    most = max((abs(weight) for weight in found.weights.values()), default=0.0)
    return [_passage(claim.evidence[place], place, found, most) for place in order[:MAX_PASSAGES]]


def _passage(passage: Evidence, place: int, found: Explanation, most: float) -> Passage:
    weight = found.weights.get(place)
    link = web_address(passage.url)
    published = passage.source or host_of(passage.url)
    return Passage(
        number=place + 1,
        runs=marked(
            passage.text, [word for word in found.words if word.passage == place], limit=MAX_PASSAGE_CHARACTERS
        ),
        published=None if published is None else one_line(published, limit=200),
        date=passage.date,
        link=link,
        address=one_line(passage.url, limit=200) if passage.url and link is None else None,
        weight=weight,
        length=abs(weight) / most * 100 if weight and most else 0.0,
        cut=max(0, len(passage.text) - MAX_PASSAGE_CHARACTERS),
    )
