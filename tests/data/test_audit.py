"""Audit: a planted leak is found, counted and named; clean claims give no finding; the row order never matters."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.audit import AuditReport, audit
from claimsieve.data.leaks import NOWHERE, SPLITS
from claimsieve.records import LABELS, Claim, Evidence, InputField
from claimsieve.settings import AuditCheck

ALL: tuple[InputField, ...] = ("claim", "evidence", "source", "date")


def passage_of(row: int, text: str = "", *, date: str = "2020-01-07", source: str = "wire") -> Evidence:
    return Evidence(text or f"A witness at crossing {row} saw smoke over the river in the evening", source, date)


def clean_claims() -> list[Claim]:
    """60 claims in 20 stories of three, one of each label; a story's source speaks of nothing else."""
    return [
        Claim(
            claim=f"the bridge at crossing {row} was hit",
            id=str(row),
            source=f"Outlet {row // 3}",
            date="2020-01-08",
            evidence=(passage_of(row),),
            event=str(row // 3),
            lang="en",
            label=LABELS[row % 3],
        )
        for row in range(60)
    ]


NAMES = [SPLITS[row // 3 % 4] for row in range(60)]  # rows 0 to 2 in train, 3 to 5 in valid, 9 to 11 in test

Changes = Mapping[int, Mapping[str, Any]]

PLANTED: list[tuple[AuditCheck, Changes, str]] = [
    ("event_overlap", {3: {"event": "0"}}, "'0' (train) and '3' (valid)"),
    ("source_overlap", {9: {"source": "OUTLET 0"}}, "'0' (train) and '9' (test)"),
    ("duplicate_overlap", {9: {"claim": "the bridge at crossing 1 was hit"}}, "'1' (train) and '9' (test)"),
    ("id_overlap", {9: {"id": "1"}}, "'1' (train) and '1' (test)"),
    (
        "evidence_overlap",
        {3: {"evidence": (passage_of(3), passage_of(0, f"  {passage_of(0).text.upper()}\n"))}},
        "'0' (train) and '3' (valid)",
    ),
    (
        "time_travel",
        {3: {"evidence": (passage_of(3, date="2020-01-09"),)}},
        "'3': said 2020-01-08, evidence of 2020-01-09",
    ),
    (
        "rating_words",
        {3: {"evidence": (passage_of(3, "The picture is older. We rate this claim so."),)}},
        "'we rate this' in 1 rows (1 verified)",
    ),
    (
        "rating_words",
        {4: {"evidence": (passage_of(4, "Both sides call it barely-true since then."),), "rating": "Barely-True"}},
        "'barely-true' in 1 rows (1 unverified)",
    ),
    (
        "two_labels",
        {1: {"claim": "The bridge  at crossing 0 was hit", "evidence": (passage_of(0),)}},
        "'1' (unverified) and '0' (verified)",
    ),
]


def changed(changes: Changes) -> list[Claim]:
    return [replace(claim, **changes.get(row, {})) for row, claim in enumerate(clean_claims())]


def audited(claims: Sequence[Claim], names: Sequence[str] = NAMES, **settings: Any) -> AuditReport:
    """Clusters are those of equal texts."""
    texts = ["we rate this", "@someone there", *(passage_of(row).text for row in range(60))]
    rows = [
        replace(
            claim,
            claim=shuffler.choice([claim.claim, claim.claim, "the bridge was hit", "see www.example.org"]),
            id=shuffler.choice([claim.id, claim.id, None, "0"]),
            event=shuffler.choice([claim.event, None, "0"]),
            source=shuffler.choice([claim.source, claim.id, None]),
            evidence=(passage_of(0, shuffler.choice(texts), date="2020-01-09"),),
            lang=shuffler.choice(["en", "en", "uk", None]),
            corpus=shuffler.choice(["pheme", "pheme", "liar"]),
            label=shuffler.choice([claim.label, "verified"]),
        )
        for claim in clean_claims()
    ]
    return rows, [shuffler.choice([*SPLITS, NOWHERE]) for _ in rows]


@settings(max_examples=40, deadline=None)
@given(spoilt(), st.randoms(use_true_random=False), st.sampled_from([ALL, ("claim",), ("claim", "evidence")]))
def test_what_is_found_does_not_depend_on_the_order_of_the_rows(
    rows: tuple[list[Claim], list[str]], shuffler: random.Random, inputs: tuple[InputField, ...]
) -> None:
    claims, names = rows
    order = shuffler.sample(range(len(claims)), len(claims))
    first = audited(claims, names, inputs=inputs)
    again = audited([claims[row] for row in order], [names[row] for row in order], inputs=inputs)
    assert counts(first) == counts(again) != {}
    assert (first.splits, first.corpora, first.languages) == (again.splits, again.corpora, again.languages)
