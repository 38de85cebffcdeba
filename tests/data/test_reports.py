"""Reports written for a claim: each claim comes with every stance, and neither claim nor wording tells which."""

from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimsieve.config import load
from claimsieve.data.reports import reported
from claimsieve.models.axes import stance_target
from claimsieve.records import Claim, Evidence, label_of

TOWNS = ("Ardal", "Brevik", "Coria", "Dolna", "Elst", "Fiskars", "Gori", "Hania", "Izola", "Jajce")


def stories(*, rows: int = 40, corpus: str = "wire") -> list[Claim]:
    return [
        Claim(
            claim=f"The bridge at {TOWNS[row % 10]} was closed for {row + 2} days.",
            id=f"{corpus}:{row}",
            evidence=(Evidence(f"Ferries ran at {TOWNS[row % 10]} on {row + 2} days.", "an office", "2020-01-09"),),
            event=f"bridge {row}",
            lang="en",
            label="unverified",
            stance="insufficient",
            manipulation=(),
            rating="nei",
            corpus=corpus,
        )
        for row in range(rows)
    ]


def told(claim: Claim) -> str:
    return (claim.id or "").rpartition("#")[2]


def test_every_chosen_claim_comes_confirmed_denied_and_left_open() -> None:
    claims = stories()

    made = reported(claims, share=0.25, seed=0)

    assert len(made) == 30
    by_claim = defaultdict(set)
    for row in made:
        by_claim[row.claim].add(told(row))
    assert len(by_claim) == 10
    assert all(kinds == {"confirmed", "denied", "left-open"} for kinds in by_claim.values())
    assert set(by_claim) <= {claim.claim for claim in claims}
    stances = Counter(stance_target(row) for row in made)
    assert stances == {"supported": 10, "refuted": 10, "open": 10}  # so the claim's words tell nothing


def test_what_a_row_says_of_itself_is_consistent() -> None:
    for row in reported(stories(), share=1.0, seed=3):
        assert row.stance is not None
        assert row.label == label_of(row.stance, manipulation=False)
        assert row.rating is None
        written = [passage for passage in row.evidence if not passage.text.startswith("Ferries ran")]
        assert written
        assert all(passage.source is None and passage.date is None for passage in written)


def test_the_reports_of_a_decided_row_name_its_claim() -> None:
    for row in reported(stories(), share=1.0, seed=1):
        named = row.claim.removeprefix("The ").rstrip(".") in " ".join(passage.text for passage in row.evidence)
        assert named or told(row) == "left-open"


def test_a_claim_keeps_its_letters_within_a_report() -> None:
    claims = [
        replace(claim, claim=f"U.S. forces closed {{bridge}} {row} for a day.") for row, claim in enumerate(stories())
    ]

    made = reported(claims, share=1.0, seed=0)

    assert len(made) == 120
    texts = [passage.text for row in made for passage in row.evidence if "{bridge}" in passage.text]
    assert all("U.S. forces closed {bridge} " in text for text in texts)


def test_words_of_confirmation_and_denial_stand_in_rows_of_every_stance() -> None:
    """Somebody else's claim may be what is confirmed; a bag of words without the claim cannot decide."""
    made = reported(stories(rows=300), share=1.0, seed=0)

    for word in ("confirmed", "not hold"):
        found = Counter(stance_target(row) for row in made if any(word in passage.text for passage in row.evidence))
        assert set(found) == {"supported", "open", "refuted"}, word


def test_some_rows_have_passages_of_another_story_in_any_place() -> None:
    strangers = [
        [passage.text.startswith("Ferries ran") for passage in row.evidence]
        for row in reported(stories(rows=300), share=1.0, seed=0)
        if len(row.evidence) > 1 and any(passage.text.startswith("Ferries ran") for passage in row.evidence)
    ]

    assert 0.2 < len(strangers) / 900 < 0.45
    assert any(row[0] for row in strangers)
    assert any(row[-1] for row in strangers)


@pytest.mark.parametrize(
    "text",
    [
        "Was the bridge closed?",
        "The bridge was not closed.",
        "It may be that the bridge was closed.",
        "The bridge didn't close.",
        "Closed.",
        "The bridge closed. The ferry ran.",
        "A " + "very " * 60 + "long claim.",
        "…and the bridge was closed",
    ],
)
def test_claims_that_no_report_can_hold_are_left_alone(text: str) -> None:
    assert reported([replace(claim, claim=text, lang=None) for claim in stories()], share=1.0, seed=0) == []


def test_other_languages_manipulation_and_claims_without_evidence_are_left_alone() -> None:
    claims = stories()

    assert reported([replace(claim, lang="fr") for claim in claims], share=1.0, seed=0) == []
    assert reported([replace(claim, evidence=()) for claim in claims], share=1.0, seed=0) == []
    assert reported([replace(claim, manipulation=("exaggeration",)) for claim in claims], share=1.0, seed=0) == []


def test_a_corpus_of_one_story_gets_none() -> None:
    assert reported([replace(claim, event="one bridge") for claim in stories()], share=1.0, seed=0) == []


def test_a_near_duplicate_is_no_other_claim() -> None:
    claims = [replace(claim, event=None) for claim in stories(rows=4)]

    assert reported(claims, share=1.0, seed=0, clusters=[0] * 4) == []
    assert len(reported(claims, share=1.0, seed=0, clusters=[0, 0, 1, 1])) == 12


def test_the_share_is_of_each_corpus() -> None:
    made = reported([*stories(rows=40), *stories(rows=20, corpus="other")], share=0.5, seed=0)

    assert Counter(row.corpus for row in made) == {"wire": 60, "other": 30}
    assert reported(stories(), share=0.0, seed=0) == []


@given(st.permutations(range(12)), st.integers(0, 3))
def test_the_order_of_the_claims_never_matters(order: list[int], seed: int) -> None:
    claims = stories(rows=12)

    assert reported([claims[row] for row in order], share=0.5, seed=seed) == reported(claims, share=0.5, seed=seed)


def test_another_seed_draws_other_claims() -> None:
    drawn = {tuple(sorted({row.claim for row in reported(stories(), share=0.25, seed=seed)})) for seed in range(4)}

    assert len(drawn) == 4


def test_the_config_takes_a_share() -> None:
    data = load("starter-tfidf", overrides=["data.augmentation.reported=0.2"]).data

    assert data.augmentation.reported == 0.2


def test_a_passage_of_another_story_has_no_source_either() -> None:
    """The reports have none, so one that had would be known by it."""
    made = reported(stories(), share=1.0, seed=0)
    assert any(len(row.evidence) > 2 for row in made)
    assert {(passage.source, passage.date) for row in made for passage in row.evidence} == {(None, None)}


def test_beside_a_corpus_of_one_story_another_gets_its_share() -> None:
    one = [replace(claim, event="a bridge") for claim in stories()]
    assert len(reported([*one, *stories(corpus="other")], share=0.5, seed=0)) == 60
