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
        "'0' (train) and '3' (valid): a witness at crossing 0 saw smoke over the river in the even",
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
        "'barely true' in 1 rows (1 unverified)",
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
    texts = [claim.claim for claim in claims]
    clusters = [texts.index(text) for text in texts]
    return audit(claims, clusters, names, **({"inputs": ALL} | settings))


def counts(report: AuditReport) -> dict[str, int]:
    return {finding.check: finding.count for finding in report.findings}


def test_clean_claims_give_no_finding_and_every_claim_is_counted() -> None:
    report = audited(clean_claims())
    assert report.findings == report.failures == ()
    assert report.claims == 60
    assert report.splits == {name: dict.fromkeys(LABELS, 5) for name in SPLITS}
    assert report.corpora == {"-": dict.fromkeys(LABELS, 20)}
    assert report.languages == {name: {"en": 15} for name in SPLITS}


@pytest.mark.parametrize(("check", "changes", "example"), PLANTED)
def test_one_planted_leak_is_found_and_named_and_nothing_else(
    check: AuditCheck, changes: Changes, example: str
) -> None:
    report = audited(changed(changes))
    assert counts(report) == {check: 1}
    assert report.findings[0].examples == (example,)


def test_an_event_in_several_splits_is_one_overlap_however_many_rows_it_has() -> None:
    assert counts(audited(changed({row: {"event": "0"} for row in range(3, 12)}))) == {"event_overlap": 1}


def test_at_most_five_are_shown_and_all_are_counted() -> None:
    late = (passage_of(0, "Late", date="2020-02"), passage_of(0, "Later", date="2021"))
    (finding,) = audited(changed({row: {"evidence": late} for row in range(7)})).findings
    assert (finding.check, finding.count) == ("time_travel", 14)
    assert len(finding.examples) == 5


def test_the_same_id_or_event_in_two_corpora_is_not_one() -> None:
    assert not audited(changed({3: {"id": "0", "event": "0", "corpus": "pheme"}})).findings


@pytest.mark.parametrize(("marked", "found"), [(12, {}), (13, {"identifiers": 1})])
def test_addresses_and_handles_in_more_than_a_fifth_of_the_claims_are_found(marked: int, found: dict[str, int]) -> None:
    marks = ("@witness", "https://t.co/abc", "www.example.org", "1234567890")
    report = audited(changed({row: {"claim": f"{row} was hit {marks[row % 4]}"} for row in range(marked)}))
    assert counts(report) == found
    for finding in report.findings:
        assert finding.examples == ("claim: 13 of 60 hold an address, a handle or a long number",)


def test_sources_that_name_the_row_are_found_where_the_model_sees_them() -> None:
    claims = changed({row: {"source": f"Outlet {row}"} for row in range(60)})
    assert audited(claims).findings[0].examples == ("source: 60 different ones for 60 claims",)
    handles = changed({row: {"evidence": (passage_of(row, source=f"@user{row}"),)} for row in range(60)})
    assert counts(audited(handles)) == {"identifiers": 1}
    for hidden in (claims, handles):
        assert not audited(hidden, inputs=("claim", "evidence", "date")).findings


def test_a_corpus_of_one_label_or_two_is_found_and_a_small_one_is_not() -> None:
    report = audited(changed({row: {"corpus": "liar", "label": "verified"} for row in range(20)}))
    assert counts(report) == {"label_balance": 1}
    assert report.findings[0].examples == ("liar: 100% verified; none unverified or propaganda",)
    assert not audited(changed({row: {"corpus": "liar", "label": "verified"} for row in range(19)})).findings
    of_two = audited(changed({row: {"label": "verified"} for row in range(2, 60, 3)}))
    assert of_two.findings[0].examples == ("-: 67% verified; none propaganda",)


def test_labels_of_one_language_alone_are_told_by_corpus_only() -> None:
    report = audited(changed({row: {"label": "verified"} for row in range(56)}))
    assert counts(report) == {"label_balance": 1}
    assert report.findings[0].examples == ("-: 95% verified",)


def test_a_language_that_is_only_tested_or_goes_with_one_label_is_found() -> None:
    tested = audited(changed({row: {"lang": "fr"} for row in range(60) if NAMES[row] == "test"}))
    assert counts(tested) == {"languages": 1}
    assert tested.findings[0].examples == ("fr: 15 claims in test, none in train",)
    of_one_label = audited(changed({row: {"lang": "uk"} for row in range(0, 60, 3)}))
    assert counts(of_one_label) == {"languages": 1}
    assert of_one_label.findings[0].examples == ("uk: 100% of 20 claims are verified",)
    assert not audited(changed({row: {"lang": None} for row in range(60) if row % 4})).findings


def test_accepted_checks_stay_findings_and_are_no_failures() -> None:
    changes: Changes = {3: {"event": "0", "evidence": (passage_of(3, date="2021"),)}}
    report = audited(changed(changes), accept=("time_travel", "id_overlap"))
    assert counts(report) == {"event_overlap": 1, "time_travel": 1}
    assert [finding.check for finding in report.failures] == ["event_overlap"]
    assert report.accepted == ("time_travel", "id_overlap")


@pytest.mark.parametrize("check", ["evidence_overlap", "time_travel", "rating_words"])
def test_evidence_that_a_model_does_not_see_gives_nothing_away(check: AuditCheck) -> None:
    for changes in (planted[1] for planted in PLANTED if planted[0] == check):
        assert not audited(changed(changes), inputs=("claim", "source", "date")).findings


def test_texts_are_one_with_two_labels_only_where_the_model_sees_no_difference() -> None:
    claims = changed({1: {"claim": clean_claims()[0].claim}})
    assert not audited(claims).findings
    assert counts(audited(claims, inputs=("claim",))) == {"two_labels": 1}


@pytest.mark.parametrize(("characters", "found"), [(39, {}), (40, {"evidence_overlap": 1})])
def test_short_passages_are_shared_by_chance(characters: int, found: dict[str, int]) -> None:
    shared = {"evidence": (passage_of(0, "Nobody was hurt".ljust(characters, "!")),)}
    assert counts(audited(changed({0: shared, 9: shared}))) == found


@pytest.mark.parametrize(
    ("evidence", "claim", "after"),
    [
        ("2020", "2020-01-08", False),
        ("2020-01", "2020-01-08", False),
        ("2020-01-08", "2020-01-08", False),
        ("2020-12-31", "2020", False),
        ("2020-01-09", "2020-01-08", True),
        ("2020-02", "2020-01-31", True),
        ("2021", "2020-12-31", True),
    ],
)
def test_a_date_is_after_another_only_when_it_surely_is(evidence: str, claim: str, after: bool) -> None:
    claims = changed({3: {"date": claim, "evidence": (passage_of(3, date=evidence),)}})
    assert counts(audited(claims)) == ({"time_travel": 1} if after else {})


def test_ratings_of_one_word_are_ordinary_words() -> None:
    texts = ("It is true that the bridge stands", "The false floor of the lorry gave way")
    changes: Changes = {row: {"evidence": (passage_of(row, text),)} for row, text in enumerate(texts)}
    assert not audited(changed({**changes, 3: {"rating": "true"}, 4: {"rating": "false"}})).findings


@pytest.mark.parametrize(
    "text",
    [
        "This false alarm sent the crews to the bunkers",
        "The radar generated false echoes at dusk",
        "The river separated half of the convoy",
        "His misleading map led them to the ford",
    ],
)
def test_a_verdict_does_not_begin_within_a_word(text: str) -> None:
    assert not audited(changed({3: {"evidence": (passage_of(3, text),)}})).findings


def found_without(changes: Changes) -> dict[str, int]:
    """What is found when no split holds the rows that were changed."""
    names = [NOWHERE if row in changes else name for row, name in enumerate(NAMES)]
    return counts(audited(changed(changes), names))


@pytest.mark.parametrize("changes", [planted[1] for planted in PLANTED if planted[0].endswith("overlap")])
def test_rows_that_are_in_no_split_overlap_with_none(changes: Changes) -> None:
    assert not found_without(changes)


@pytest.mark.parametrize("changes", [planted[1] for planted in PLANTED if not planted[0].endswith("overlap")])
def test_rows_that_are_in_no_split_give_nothing_away(changes: Changes) -> None:
    assert not found_without(changes)


def test_the_report_is_json() -> None:
    report = audited(changed({3: {"event": "0"}, 9: {"id": "0"}}), accept=("id_overlap",))
    document = json.loads(json.dumps(report.to_json(), allow_nan=False))
    found = {finding["check"]: finding["count"] for finding in document["findings"]}
    assert found == {"event_overlap": 1, "id_overlap": 1}
    assert document["failures"] == 1
    assert document["splits"]["train"]["verified"] == 5


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[list[Claim], list[str]]:
    """Claims of which many say what other rows say, and their splits."""
    shuffler = draw(st.randoms(use_true_random=False))
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
