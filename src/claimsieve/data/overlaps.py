"""Audit: what stands in two splits, so that a model may know it by heart, and evidence from after the claim."""

import re
from collections.abc import Hashable, Sequence

from numpy.typing import ArrayLike

from claimsieve.data.findings import Finding, finding
from claimsieve.data.leaks import (
    cluster_numbers,
    event_of,
    id_of,
    row_name,
    source_of,
    straddling,
)
from claimsieve.records import Claim, InputField
from claimsieve.settings import AuditCheck

MIN_SENTENCE_CHARACTERS = 40  # shorter ones ("Yes.") are shared by chance
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def find(
    claims: Sequence[Claim], clusters: ArrayLike, names: Sequence[str], *, inputs: Sequence[InputField]
) -> list[Finding | None]:
    """names: split name of each claim. Shape: (n,)"""
    numbers = cluster_numbers(claims, clusters)
    shared: list[tuple[AuditCheck, str, str, Sequence[Hashable]]] = [
        (
            "event_overlap",
            "events",
            "Rows of one story tell a model how it ended. Split by group: data.split.by: group",
            [event_of(claim) for claim in claims],
        ),
        (
            "source_overlap",
            "sources",
            "A model can learn who says what. See what the source alone scores (claimsieve data shortcuts), or split "
            "by source: data.split.by: source",
            [source_of(claim) for claim in claims],
        ),
        (
            "duplicate_overlap",
            "near-duplicate texts",
            "A model knows them by heart. Keep the rows of a cluster together.",
            numbers,
        ),
        ("id_overlap", "ids", "Give every claim an id of its own.", [id_of(claim) for claim in claims]),
    ]
    found = [
        finding(
            check, f"{unit} in two splits", advice, [_pair(claims, names, pair) for pair in straddling(keys, names)]
        )
        for check, unit, advice, keys in shared
    ]
    if "evidence" in inputs:
        found += [_evidence_overlap(claims, names), _time_travel(claims)]
    return found


def _pair(claims: Sequence[Claim], names: Sequence[str], rows: tuple[int, int]) -> str:
    return " and ".join(f"{row_name(claims, row)} ({names[row]})" for row in rows)


def _evidence_overlap(claims: Sequence[Claim], names: Sequence[str]) -> Finding | None:
    """Sentences, not passages: two passages are seldom the same, and a sentence of one settles as much."""
    first: dict[str, int] = {}
    in_train: set[str] = set()
    examples: dict[str, str] = {}
    said = [_sentences(claim) for claim in claims]
    for row, sentences in enumerate(said):
        for sentence in sentences:
            met = first.setdefault(sentence, row)
            if names[met] != names[row]:
                examples.setdefault(sentence, f"{_pair(claims, names, (met, row))}: {sentence[:60]}")
            if names[row] == "train":
                in_train.add(sentence)
    tested = [sentences for sentences, name in zip(said, names, strict=True) if name == "test"]
    known = sum(not in_train.isdisjoint(sentences) for sentences in tested)
    return finding(
        "evidence_overlap",
        "sentences of evidence in two splits",
        f"{known:,} of {len(tested):,} test claims have one that stands in train; what it settled there it may settle "
        "here. Give claims that share evidence one event.",
        list(examples.values()),
    )


def _sentences(claim: Claim) -> dict[str, None]:
    """Each once, in their order: a set's differs from one process to the next, and so would the report."""
    plain = (" ".join(part.casefold().split()) for p in claim.evidence for part in _SENTENCE_END.split(p.text))
    return dict.fromkeys(sentence for sentence in plain if len(sentence) >= MIN_SENTENCE_CHARACTERS)


def _time_travel(claims: Sequence[Claim]) -> Finding | None:
    examples = [
        f"{row_name(claims, row)}: said {claim.date}, evidence of {passage.date}"
        for row, claim in enumerate(claims)
        if claim.date is not None
        for passage in claim.evidence
        if passage.date is not None and is_after(passage.date, claim.date)
    ]
    return finding(
        "time_travel",
        "evidence passages dated after their claim",
        "Whoever labels claims on the day has no such evidence. Accept it where the label is meant as of the newest "
        "passage.",
        examples,
    )


def is_after(day: str, other: str) -> bool:
    """Whether `day` is surely later: 2020 is not after 2020-01-08, for it may be any day of that year."""
    digits = min(len(day), len(other))
    return day[:digits] > other[:digits]
