"""Duplicates: reposts and rewordings are one claim, chance resemblance is not, and the row order never matters."""

import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.duplicates import cluster, normalise
from claimsieve.records import Claim

SENTENCES = (
    "22 missiles were fired at two bases that house coalition troops, the ministry said on Wednesday",
    "Officials of both countries say that no soldier was killed or wounded in the attack last night",
    "The photographs said to show the explosions were taken in another country four years earlier",
    "Troops sheltered in bunkers after a warning came through several hours before the first impact",
)


def claims_of(*texts: str) -> list[Claim]:
    return [Claim(claim=text) for text in texts]


def jaccard(left: str, right: str) -> float:
    """Exact similarity of the two sets of character 5-grams, written out."""
    a, b = ({t[i : i + 5] for i in range(max(1, len(t) - 4))} for t in (normalise(left), normalise(right)))
    return len(a & b) / len(a | b)


@pytest.mark.parametrize(
    ("repost", "original"),
    [
        ("RT @haaretzcom: Armed man takes HOSTAGE!!  http://t.co/PBs3sMwhLt", "armed man takes hostage"),
        ("Armed man takes “hostage” — via @BBC", "Armed man takes 'hostage' via"),
        ("Ａｒｍｅｄ　man takes hos\u200btage", "armed man takes hostage"),
        ("RT RT @a @b: armed_man www.example.org/x?y=1 takes hostage", "armed man takes hostage"),
        ("Straße", "STRASSE"),
        ("he said ❤\ufe0f", "he said"),  # a selector that makes the sign an emoji
        ("ho\u034fstage", "hostage"),
        ("导弹袭击@xinhua了两个基地 https://t.co/abc真的", "导弹袭击 了两个基地 真的"),
    ],
)
def test_a_repost_normalises_to_its_original(repost: str, original: str) -> None:
    assert normalise(repost) == normalise(original)


def test_what_carries_meaning_stays() -> None:
    assert normalise("की") != normalise("का")  # the vowel is a combining mark
    assert normalise("mail a@b.org") == "mail a b org"
    assert normalise("Art of the start") == "art of the start"


def test_claims_of_nothing_but_links_handles_or_signs_are_not_one_claim() -> None:
    numbers = cluster(claims_of("http://t.co/a1", "http://t.co/b2", "@someone", "RT @other", "😂😂", "?!", ""))
    assert len(set(numbers.tolist())) == 7


def test_an_edited_claim_joins_its_original_and_a_different_claim_does_not() -> None:
    edited = [
        SENTENCES[0].replace("22", "15"),
        SENTENCES[1].replace("soldier", "soldeir"),
        SENTENCES[2] + " via BBC",
        "RT @x: " + SENTENCES[3].upper() + "!!!",
    ]
    numbers = cluster(claims_of(*SENTENCES, *edited)).tolist()
    assert numbers[:4] == numbers[4:]
    assert sorted(numbers[:4]) == [0, 1, 2, 3]


def test_joins_are_transitive() -> None:
    words = SENTENCES[0].split()
    steps = [" ".join(words[cut:]) for cut in range(6)]
    assert len(set(cluster(claims_of(steps[0], steps[-1])).tolist())) == 2
    assert len(set(cluster(claims_of(*steps)).tolist())) == 1


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9, 1.0])
def test_clusters_are_the_components_of_exact_similarity(threshold: float) -> None:
    draw = random.Random(3)
    texts = list(SENTENCES)
    for _ in range(80):
        words = draw.choice(texts).split()
        words[draw.randrange(len(words))] = draw.choice(["base", "convoy", "harbour", "airport", "minister"])
        texts.append(" ".join(words))
    expected = list(range(len(texts)))
    for right in range(len(texts)):
        for left in range(right):
            if jaccard(texts[left], texts[right]) >= threshold:
                expected = [expected[left] if number == expected[right] else number for number in expected]
    numbers = cluster(claims_of(*texts), threshold=threshold).tolist()
    assert len(set(zip(numbers, expected, strict=True))) == len(set(numbers)) == len(set(expected))


def test_a_candidate_that_is_not_similar_enough_is_never_joined() -> None:
    # One permutation makes one band of one row: texts of similarity 0.7 meet there seven times in ten.
    near = SENTENCES[0].replace("coalition", "government")
    assert 0.6 < jaccard(SENTENCES[0], near) < 0.8
    for seed in range(20):
        assert len(set(cluster(claims_of(SENTENCES[0], near), permutations=1, seed=seed).tolist())) == 2


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_clusters_do_not_depend_on_the_order_of_the_rows(data: st.DataObject) -> None:
    edits = st.builds(lambda text, cut: " ".join(text.split()[cut:]), st.sampled_from(SENTENCES), st.integers(0, 6))
    texts = data.draw(st.lists(edits | st.text(max_size=20), max_size=15))
    order = data.draw(st.permutations(range(len(texts))))
    numbers = cluster(claims_of(*texts)).tolist()
    shuffled = cluster(claims_of(*(texts[row] for row in order))).tolist()
    assert shuffled == [numbers[row] for row in order]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=12), st.integers(0, 3))
def test_equal_texts_share_a_number_and_numbers_have_no_gaps(texts: list[str], seed: int) -> None:
    numbers = cluster(claims_of(*texts, *texts), seed=seed).tolist()
    assert numbers[: len(texts)] == numbers[len(texts) :]
    assert sorted(set(numbers)) == list(range(len(set(numbers))))


def test_no_claims_make_no_clusters() -> None:
    assert cluster([]).shape == (0,)
    assert cluster([]).dtype == np.int64


@pytest.mark.parametrize("threshold", [0.0, -0.1, 1.1, float("nan")])
def test_a_threshold_that_is_no_similarity_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match=r"expected threshold in \(0, 1\]"):
        cluster(claims_of("a"), threshold=threshold)


def test_no_permutations_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one permutation"):
        cluster(claims_of("a"), permutations=0)


def test_a_big_family_of_one_pattern_is_not_compared_pair_by_pair() -> None:
    family = [f"the number of missiles fired at the base on day {day} of the war was counted" for day in range(20_000)]
    begin = time.monotonic()
    assert set(cluster(claims_of(*family)).tolist()) == {0}
    assert time.monotonic() - begin < 30  # half a second here; its 200 million pairs would take minutes
