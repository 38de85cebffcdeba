"""Rows that the claim's words give away go, the others stay."""

import random
from dataclasses import replace

import pytest

from claimsieve.data.thinning import MIN_ROWS, thinned
from claimsieve.records import Claim, Evidence

NOUNS = ("bridge", "harbour", "minister", "convoy", "drone", "hospital", "river", "border", "factory", "village")
PASSAGE = (Evidence("a passage"),)
TELLS = {"verified": "indeed", "propaganda": "never"}


def rows(n, *, told, corpus="one", evidence=PASSAGE):
    """A share `told` of the claims has a word that gives the label away."""
    source = random.Random(3)
    claims = []
    for number in range(n):
        label = tuple(TELLS)[number % 2]
        words = [*source.choices(NOUNS, k=4), *([TELLS[label]] if source.random() < told else [])]
        story = f"e{number // 2}"
        claims.append(
            Claim(" ".join(words), id=str(number), event=story, label=label, corpus=corpus, evidence=evidence)
        )
    return claims


def tells(claim):
    return any(word in claim.claim.split() for word in TELLS.values())


def test_what_gives_itself_away_goes_and_the_rest_stays():
    train = rows(400, told=0.5)
    left = thinned(train, share=1.0, seed=0)
    told, plain = [claim for claim in train if tells(claim)], [claim for claim in train if not tells(claim)]
    assert sum(tells(claim) for claim in left) < 0.1 * len(told)
    assert sum(not tells(claim) for claim in left) > 0.6 * len(plain)
    assert [claim for claim in train if claim in left] == left


def test_a_share_of_them_goes():
    train = rows(400, told=1.0)
    assert len(thinned(train, share=0.5, seed=0)) == pytest.approx(200, abs=12)
    assert thinned(train, share=0.0, seed=0) == train


@pytest.mark.parametrize(
    "train",
    [
        rows(MIN_ROWS - 1, told=1.0),
        rows(400, told=1.0, evidence=()),
        [claim for claim in rows(400, told=1.0) if claim.label == "verified"],
        [],
    ],
    ids=["few", "without evidence", "one label", "none"],
)
def test_where_there_is_nothing_to_choose_all_stay(train):
    assert thinned(train, share=1.0, seed=0) == train


def test_a_label_of_one_story_is_solved_nowhere():
    """The fold with that story has no other label to learn."""
    train = [
        Claim(f"never {word} {row}", id=f"{row}", event="one" if label == "propaganda" else f"e{row}", label=label)
        for label, word in (("verified", "bridge"), ("propaganda", "river"))
        for row in range(150)
    ]
    train = [replace(claim, corpus="one", evidence=PASSAGE) for claim in train]
    left = thinned(train, share=1.0, seed=0)
    assert [claim for claim in left if claim.label == "propaganda"] == train[150:]


def test_the_order_of_rows_does_not_matter():
    train = rows(300, told=0.7)
    left = {claim.id for claim in thinned(train, share=0.6, seed=1)}
    assert len(left) < 250
    assert {claim.id for claim in thinned(train[::-1], share=0.6, seed=1)} == left
