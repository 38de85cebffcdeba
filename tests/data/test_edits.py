"""Edited evidence refutes what it supported, the claim keeps its words, and edits beside the claim change nothing."""

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.edits import edited
from claimsieve.records import STANCES, Claim, Evidence, label_of

PLACES = ("harbour", "depot", "village", "airfield", "station", "bridge", "hospital", "market", "school", "refinery")


def reports(*, rows: int = 40, corpus: str = "wire") -> list[Claim]:
    """Half the claims give the number that the evidence gives, half give none and the evidence does."""
    claims = []
    for row in range(rows):
        place, dead = f"{PLACES[row % 10]} of sector {'abcdefghij'[row // 10 % 10]}", 20 + 7 * row
        said = f"{dead} soldiers were killed at the {place}." if row % 2 else f"Soldiers held the {place}."
        found = (
            f"At the {place} {dead} soldiers were killed."
            if row % 2
            else f"Soldiers held the {place}, {dead} tents burnt."
        )
        claims.append(
            Claim(
                claim=said,
                id=f"{corpus}:{row}",
                source=f"outlet {row}",
                date="2020-01-08",
                evidence=(
                    Evidence("Nothing else is known.", source="an office"),
                    Evidence(found, "an office", "2020-01-09"),
                ),
                event=str(row),
                lang="en",
                label="verified",
                stance="supported",
                manipulation=(),
                rating="true",
                corpus=corpus,
            )
        )
    return claims


def kind_of(claim: Claim) -> str:
    return (claim.id or "").rpartition("#")[2]


def original_of(claim: Claim, claims: Sequence[Claim]) -> Claim:
    return next(other for other in claims if other.id == (claim.id or "").rpartition("#")[0])


def evidence_of(claim: Claim) -> str:
    return " ".join(passage.text for passage in claim.evidence)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5])
def test_every_corpus_gets_the_share_that_was_asked_for_and_as_many_that_stay_supported(share: float) -> None:
    train = reports() + reports(rows=20, corpus="radio")
    made = Counter((claim.corpus, kind_of(claim)) for claim in edited(train, share=share, seed=0))
    for corpus, rows in (("wire", 40), ("radio", 20)):
        assert made[corpus, "edited"] == made[corpus, "untouched"] == round(share * rows)


def test_what_cannot_be_edited_is_not_made_up_for() -> None:
    made = Counter(kind_of(claim) for claim in edited(reports(), share=1.0, seed=0))
    assert made == {"edited": 20, "untouched": 20}


def test_a_new_row_says_what_its_original_says_and_only_its_evidence_reads_otherwise() -> None:
    train = reports()
    for claim in edited(train, share=1.0, seed=0):
        original = original_of(claim, train)
        stance = "refuted" if kind_of(claim) == "edited" else "supported"
        assert (claim.stance, claim.label, claim.rating) == (stance, label_of(stance, False), None)
        assert [replace(passage, text="") for passage in claim.evidence] == [
            replace(passage, text="") for passage in original.evidence
        ]
        assert evidence_of(claim) != evidence_of(original)
        kept = {"id", "evidence", "label", "stance", "rating"}
        assert replace(original, **{name: getattr(claim, name) for name in kept}) == claim


def test_the_claims_number_is_gone_from_refuting_evidence_and_stays_in_the_claim() -> None:
    for claim in edited(reports(), share=1.0, seed=0):
        numbers = re.findall(r"\d+", claim.claim)
        assert bool(numbers) == (kind_of(claim) == "edited")
        assert not set(numbers) & set(re.findall(r"\d+", evidence_of(claim)))


def test_only_supported_rows_with_evidence_in_english_are_edited() -> None:
    rows = reports(rows=6)
    others = [replace(row, stance=stance) for row in rows for stance in (*STANCES[1:], None)]
    others += [replace(row, evidence=()) for row in rows] + [replace(row, lang="de") for row in rows]
    assert edited(others, share=1.0, seed=0) == []
    assert edited([], share=1.0, seed=0) == []


def test_a_manipulation_goes_with_the_claim_and_the_label_is_the_codebooks() -> None:
    made = edited([replace(row, manipulation=("doubt",)) for row in reports()], share=1.0, seed=0)
    labels = {(claim.stance, claim.label, claim.manipulation) for claim in made}
    assert labels == {("refuted", "propaganda", ("doubt",)), ("supported", "verified", ("doubt",))}


def test_a_row_without_an_id_makes_rows_without_one() -> None:
    assert {claim.id for claim in edited([replace(row, id=None) for row in reports()], share=1.0, seed=0)} == {None}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 30), st.floats(0, 1), st.integers(0, 3), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: int, share: float, seed: int, shuffler: random.Random) -> None:
    train = reports(rows=rows) + reports(rows=rows // 2, corpus="radio")
    made = edited(train, share=share, seed=seed)
    assert edited(shuffler.sample(train, len(train)), share=share, seed=seed) == made
    assert len({claim.id for claim in made}) == len(made)


def test_another_seed_is_another_draw_and_another_number() -> None:
    first, same, other = ({c.id: c.evidence for c in edited(reports(), share=0.25, seed=seed)} for seed in (1, 1, 2))
    assert first == same
    assert first.keys() != other.keys()
    assert any(first[name] != other[name] for name in first.keys() & other.keys())


def test_rows_that_are_added_to_one_corpus_leave_the_other_as_it_was() -> None:
    alone = edited(reports(), share=0.3, seed=0)
    beside = edited(reports(corpus="radio") + reports(), share=0.3, seed=0)
    assert [claim for claim in beside if claim.corpus == "wire"] == alone


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=80),
    st.lists(st.text(alphabet="12,. ?!'\nABab-notwisn", max_size=120), min_size=1, max_size=3),
    st.integers(0, 2),
)
def test_any_text_is_read_without_an_error(claim: str, passages: list[str], seed: int) -> None:
    evidence = tuple(map(Evidence, passages))
    for row in edited([Claim(claim=claim, stance="supported", evidence=evidence)], share=1.0, seed=seed):
        assert row.evidence != evidence


def test_a_claim_that_stands_refuted_as_well_is_not_edited() -> None:
    """What the edit would teach it has, and a second passage may go on supporting it."""
    claims = reports(rows=20)
    twins = [
        replace(claim, id=f"{claim.id}b", evidence=(Evidence("It was otherwise."),), stance="refuted")
        for claim in claims[:10]
    ]
    made = edited([*claims, *twins], share=1.0, seed=0)
    assert made
    assert not {claim.claim for claim in made} & {claim.claim for claim in twins}


def test_evidence_that_no_window_holds_is_not_edited() -> None:
    claims = [
        replace(claim, evidence=(*claim.evidence, Evidence(" ".join(map(str, range(3_000))))))
        for claim in reports(rows=4)
    ]
    assert edited(claims, share=1.0, seed=0) == []
