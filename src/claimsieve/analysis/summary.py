"""All cards of a page in numbers: labels, sources, what is left to people, what is missing most."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from claimsieve.analysis.cards import Card
from claimsieve.analysis.gaps import counted
from claimsieve.analysis.wording import TRAYS

MAX_SOURCES = 40  # that the page can be filtered by


@dataclass(frozen=True, slots=True)
class Tray:
    """A label with its number of claims, and where its part of the bar begins and how long it is, in per cent."""

    name: str
    count: int
    begin: float
    length: float


@dataclass(frozen=True, slots=True)
class Source:
    """Who says it. key: names it in filters. counts: tray → claims. to_a_person: how many a person decides."""

    key: str
    name: str
    counts: Mapping[str, int]
    to_a_person: int

    @property
    def claims(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Summary:
    """What stands on top of the page; of the claims shown, unless `all_trays` is there, which is of the whole file.

    seen_before, recycled: claims with a picture that is known, and with one that is older than the claim.
    matched, suggested: claims that a person judged before, and others with matches. further_sources: claims of sources
    beyond MAX_SOURCES, or of nobody named.
    """

    shown: int
    trays: list[Tray]
    all_trays: list[Tray]
    to_a_person: int
    without_evidence: int
    seen_before: int
    recycled: int
    matched: int
    suggested: int
    sources: list[Source]
    further_sources: int
    gaps: list[tuple[str, int]]

    def empty_filters(self) -> list[tuple[str, str]]:
        """Pairs of a label (or 'person') and the key of a source that no claim is of."""
        kinds = [tray.name for tray in self.trays] + ["person"]
        return [
            (kind, source.key)
            for source in self.sources
            for kind in kinds
            if not (source.to_a_person if kind == "person" else source.counts.get(kind, 0))
        ]


def summary_of(cards: Sequence[Card], *, labels: Mapping[str, int] | None = None) -> Summary:
    """labels: label → rows of the whole file, where the page shows only a part of it."""
    trays = Counter(card.verdict.tray for card in cards)
    sources = _sources(cards)
    matched = sum(card.is_judged_before for card in cards)
    return Summary(
        shown=len(cards),
        trays=_trays(trays),
        all_trays=_trays(labels or {}),
        to_a_person=sum(card.verdict.abstained for card in cards),
        without_evidence=sum(not card.claim.evidence for card in cards),
        seen_before=sum(bool(card.hits) for card in cards),
        recycled=sum(card.verdict.recycled for card in cards),
        matched=matched,
        suggested=sum(bool(card.matches) for card in cards) - matched,
        sources=sources,
        further_sources=len(cards) - sum(source.claims for source in sources),
        gaps=counted([card.gaps for card in cards]),
    )


def source_keys(summary: Summary) -> dict[str, str]:
    """Name of a source → its key in filters."""
    return {source.name: source.key for source in summary.sources}


def _trays(counts: Mapping[str, int]) -> list[Tray]:
    """The trays that hold something, in the order of TRAYS."""
    total, before, found = sum(counts.values()), 0, []
    for name in TRAYS:
        if count := counts.get(name, 0):
            found.append(Tray(name, count, before / total * 100, count / total * 100))
            before += count
    return found


def _sources(cards: Sequence[Card]) -> list[Source]:
    by_name: dict[str, list[Card]] = {}
    for card in cards:
        if card.source is not None:
            by_name.setdefault(card.source, []).append(card)
    busiest = sorted(by_name.items(), key=lambda item: -len(item[1]))[:MAX_SOURCES]
    return [
        Source(
            f"s{place}",
            name,
            Counter(card.verdict.tray for card in of_source),
            sum(card.verdict.abstained for card in of_source),
        )
        for place, (name, of_source) in enumerate(busiest)
    ]
