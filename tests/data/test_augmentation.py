"""Augmentation: new rows are unverified, as many as asked for, and their evidence is another story's."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.augmentation import augment, other_evidence
from claimsieve.data.leaks import event_of
from claimsieve.records import LABELS, Claim, Evidence


def story_claims(*, events: int, rows: int = 2, corpus: str = "pheme") -> list[Claim]:
    """Each row has one or two passages of its own, which begin with the names of their corpus and story."""
    return [
        Claim(
            claim=f"{corpus} {event} {row}",
            id=f"{corpus}:{event}-{row}",
            source=f"outlet {row}",
            date="2020-01-08",
            evidence=tuple(
                Evidence(f"{corpus} {event} {row} " + "so it is said " * (event % 7 + number))
                for number in range(1 + (event + row) % 2)
            ),
            event=str(event),
            label=LABELS[row % 3],
            stance="supported",
            manipulation=(),
            rating="half-true",
            corpus=corpus,
        )
        for event in range(events)
        for row in range(rows)
    ]


def kind_of(claim: Claim) -> str:
    return (claim.id or "").rpartition("#")[2]


def original_of(claim: Claim, claims: Sequence[Claim]) -> Claim:
    return next(other for other in claims if other.id == (claim.id or "").rpartition("#")[0])


@st.composite
def corpora(draw: st.DrawFn) -> list[Claim]:
    """Rows of one to three corpora in few or many stories, with and without evidence, stories and manipulation."""
    names = st.sampled_from(["pheme", "liar", None])
    return [
        Claim(
            claim=f"claim {row}",
            id=str(row),
            event=draw(st.sampled_from([None, *"abcd"])),
            evidence=(Evidence(f"passage {row}"),) * draw(st.integers(0, 2)),
            manipulation=draw(st.sampled_from([None, (), ("loaded language",)])),
            corpus=draw(names),
        )
        for row in range(draw(st.integers(0, 25)))
    ]


@pytest.mark.parametrize(("mispaired", "withheld"), [(0.5, 0.2), (1.0, 0.0), (0.0, 1.0), (0.13, 0.87)])
def test_every_corpus_gets_the_share_that_was_asked_for(mispaired: float, withheld: float) -> None:
    train = story_claims(events=50) + story_claims(events=20, corpus="liar")
    rows_made = augment(train, mispaired=mispaired, withheld=withheld, seed=0)
    made = Counter((claim.corpus, kind_of(claim)) for claim in rows_made)
    for corpus, rows in (("pheme", 100), ("liar", 40)):
        assert made[corpus, "mispaired"] == round(mispaired * rows)
        assert made[corpus, "withheld"] == round(withheld * rows)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.3, 0.45])
@pytest.mark.parametrize("mispaired", [0.0, 0.1])
def test_a_corpus_gets_open_rows_until_it_has_the_share_that_was_asked_for(share: float, mispaired: float) -> None:
    decided = [
        replace(claim, label="verified" if number % 2 else "propaganda")
        for number, claim in enumerate(story_claims(events=40, corpus="fever"))
    ]
    mixed = story_claims(events=40, rows=3, corpus="averitec")  # a third is open already
    made = augment([*decided, *mixed], mispaired=mispaired, withheld=0, open_share=share, seed=0)
    for rows in (decided, mixed):
        own = [*rows, *(claim for claim in made if claim.corpus == rows[0].corpus)]
        found = sum(claim.label == "unverified" for claim in own) / len(own)
        assert found >= share
        fewer = len(own) - 1
        least = sum(claim.label == "unverified" for claim in rows) + round(mispaired * len(rows))
        assert found * len(own) == least or (found * len(own) - 1) / fewer < share


def test_a_distracted_row_has_its_own_passages_and_some_of_one_other_story_and_keeps_its_label() -> None:
    train = story_claims(events=40)
    made = augment(train, mispaired=0, withheld=0, distracted=1.0, seed=0)
    assert len(made) == len(train)
    orders = Counter()
    for claim in made:
        original = original_of(claim, train)
        assert (claim.label, claim.stance, claim.claim) == (original.label, original.stance, original.claim)
        strange = [passage for passage in claim.evidence if passage not in original.evidence]
        assert set(original.evidence) < set(claim.evidence)
        assert 1 <= len(strange) <= 3
        donors = [donor for donor in train if set(strange) <= set(donor.evidence)]
        assert donors
        assert all(event_of(donor) != event_of(original) for donor in donors)
        orders[claim.evidence[0] in original.evidence] += 1
    assert min(orders.values()) > len(made) / 5  # strangers stand first as well as last


def test_a_row_that_would_not_fit_a_window_is_not_distracted() -> None:
    train = [replace(claim, evidence=(Evidence("long " * 150),)) for claim in story_claims(events=4)]
    train += [replace(claim, evidence=(Evidence("short"),)) for claim in story_claims(events=4, corpus="short")]
    made = augment(train, mispaired=0, withheld=0, distracted=1.0, seed=0)
    assert {claim.corpus for claim in made} <= {"short"}


def test_rows_without_evidence_or_with_manipulation_are_neither_used_nor_counted() -> None:
    train = story_claims(events=20)
    train[::4] = [replace(claim, evidence=()) for claim in train[::4]]
    train[1::4] = [replace(claim, manipulation=("loaded language",)) for claim in train[1::4]]
    train[2::4] = [replace(claim, manipulation=None) for claim in train[2::4]]
    made = augment(train, mispaired=1.0, withheld=0.5, seed=0)
    assert Counter(map(kind_of, made)) == {"mispaired": 20, "withheld": 10}
    assert {(claim.id or "").partition("#")[0] for claim in made} == {claim.id for claim in train[2::4] + train[3::4]}
    manipulated = {claim.evidence for claim in train[1::4]}
    assert not any(claim.evidence in manipulated for claim in made)


def test_a_new_row_says_what_its_original_says_and_is_unverified() -> None:
    train = story_claims(events=10)
    for claim in augment(train, mispaired=1.0, withheld=1.0, seed=0):
        original = original_of(claim, train)
        assert (claim.label, claim.stance, claim.rating) == ("unverified", "insufficient", None)
        assert claim.id == f"{original.id}#{kind_of(claim)}"
        assert bool(claim.evidence) == (kind_of(claim) == "mispaired")
        kept = {"id", "evidence", "label", "stance", "rating"}
        assert replace(original, **{name: getattr(claim, name) for name in kept}) == claim


def test_a_row_without_an_id_makes_rows_without_one() -> None:
    train = [replace(claim, id=None) for claim in story_claims(events=4)]
    assert {claim.id for claim in augment(train, mispaired=1.0, withheld=1.0, seed=0)} == {None}


@settings(max_examples=100, deadline=None)
@given(corpora(), st.integers(0, 3))
def test_mispaired_evidence_is_of_another_story_of_the_same_corpus(train: list[Claim], seed: int) -> None:
    owners = {passage.text: claim for claim in train for passage in claim.evidence}
    made = augment(train, mispaired=1.0, withheld=0.0, seed=seed)
    for claim in made:
        for passage in claim.evidence:
            owner = owners[passage.text]
            assert owner.corpus == claim.corpus
            assert (event_of(owner) or owner.claim) != (event_of(claim) or claim.claim)
            assert not owner.manipulation
    usable = [claim for claim in train if claim.evidence and not claim.manipulation]
    stories = {(claim.corpus, claim.event or claim.claim) for claim in usable}
    crowded = [corpus for corpus, count in Counter(corpus for corpus, _ in stories).items() if count > 1]
    assert Counter(claim.corpus for claim in made) == Counter(c.corpus for c in usable if c.corpus in crowded)


def test_a_corpus_of_one_story_has_no_evidence_to_swap() -> None:
    train = story_claims(events=1, rows=6) + story_claims(events=9, rows=1, corpus="liar")
    made = augment(train, mispaired=1.0, withheld=1.0, seed=0)
    assert Counter((claim.corpus, kind_of(claim)) for claim in made) == {
        ("pheme", "withheld"): 6,
        ("liar", "mispaired"): 9,
        ("liar", "withheld"): 9,
    }


def test_stories_with_the_same_evidence_have_none_to_swap() -> None:
    shared = (Evidence("The ministry has not said anything so far"),)
    train = [replace(claim, evidence=shared) for claim in story_claims(events=5)]
    assert not augment(train, mispaired=1.0, withheld=0.0, seed=0)


def test_where_every_story_is_single_each_evidence_is_handed_out_once() -> None:
    train = story_claims(events=40, rows=1) + story_claims(events=15, rows=1, corpus="liar")
    made = augment(train, mispaired=1.0, withheld=0.0, seed=3)
    assert Counter(claim.evidence for claim in made) == Counter(claim.evidence for claim in train)
    lengths = [[len(passage.text) for claim in claims for passage in claim.evidence] for claims in (made, train)]
    assert sorted(lengths[0]) == sorted(lengths[1])


@settings(max_examples=60, deadline=None)
@given(corpora(), st.floats(0, 1), st.floats(0, 1), st.integers(0, 3), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    train: list[Claim], mispaired: float, withheld: float, seed: int, shuffler: random.Random
) -> None:
    before = list(train)
    made = augment(train, mispaired=mispaired, withheld=withheld, seed=seed)
    assert train == before
    assert augment(shuffler.sample(train, len(train)), mispaired=mispaired, withheld=withheld, seed=seed) == made
    ids = [claim.id for claim in made]
    assert len(set(ids)) == len(ids)


def test_another_seed_is_another_draw() -> None:
    train = story_claims(events=30)
    first, same, other = (augment(train, mispaired=0.5, withheld=0.5, seed=seed) for seed in (1, 1, 2))
    assert first == same
    assert len(first) == len(other)
    for kind in ("mispaired", "withheld"):
        assert {c.id for c in first if kind_of(c) == kind} != {c.id for c in other if kind_of(c) == kind}
    pairs, others = ({c.id: c.evidence for c in made if kind_of(c) == "mispaired"} for made in (first, other))
    assert any(pairs[name] != others[name] for name in pairs.keys() & others.keys())


def test_rows_that_are_added_to_one_corpus_leave_the_other_as_it_was() -> None:
    pheme, liar = story_claims(events=20), story_claims(events=20, corpus="liar")
    alone = augment(pheme, mispaired=0.3, withheld=0.3, seed=0)
    beside = augment(liar + pheme, mispaired=0.3, withheld=0.3, seed=0)
    assert [claim for claim in beside if claim.corpus == "pheme"] == alone


def test_a_rate_of_nothing_makes_nothing() -> None:
    assert augment(story_claims(events=10), mispaired=0.0, withheld=0.0, seed=0) == []
    assert augment([], mispaired=1.0, withheld=1.0, seed=0) == []


def test_claims_without_evidence_have_none_to_swap_and_keep_their_place() -> None:
    claims = story_claims(events=3, rows=1)
    claims.insert(1, replace(claims[0], id="bare", evidence=()))
    taken = other_evidence(claims, seed=0)
    assert [evidence is None for evidence in taken] == [False, True, False, False]


def test_claims_of_one_text_without_an_event_are_one_story() -> None:
    claims = [Claim(claim="the dam broke", id=str(row), evidence=(Evidence(f"passage {row}"),)) for row in range(3)]
    assert other_evidence(claims, seed=0) == [None, None, None]
