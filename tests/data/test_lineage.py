"""What a model has met is told apart from what is new, and never asked again."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimsieve.data.leaks import NOWHERE, SPLITS, check_splits
from claimsieve.data.lineage import digest_of, lineage_of, merged, places_before, read, written
from claimsieve.data.prepare import cuts, prepare, with_lineage
from claimsieve.data.splits import split
from claimsieve.records import LABELS, Claim
from claimsieve.settings import Corpus, Data

FRACTIONS = {"train": 0.6, "valid": 0.1, "calibration": 0.1, "test": 0.2}


def stories(count: int, *, start: int = 0, rows: int = 4, corpus: str = "wire") -> list[Claim]:
    """Events of a few claims, a month after another."""
    return [
        Claim(
            claim=f"the convoy was hit {number} times near bridge {number * row}",
            id=f"{number}-{row}",
            event=str(number),
            label=LABELS[(number + row) % 3],
            corpus=corpus,
            date=f"{2000 + number // 12}-{1 + number % 12:02}-01",
        )
        for number in range(start, start + count)
        for row in range(rows)
    ]


def placed(claims, *, before=(), by="group", seed=1, **more):
    return split(claims, range(len(claims)), by=by, fractions=FRACTIONS, seed=seed, before=before, **more)


def test_a_claim_is_known_by_what_it_says_and_not_by_id_or_corpus():
    first = Claim(claim="The bridge was hit.", id="1", corpus="wire")
    again = Claim(claim="  the BRIDGE was hit", id="9", corpus="other")
    lineage = lineage_of([first], np.array(["test"]), {})
    assert places_before([again, Claim(claim="the harbour was hit")], lineage) == ["test", None]
    assert len(digest_of(first)) == 16
    assert "bridge" not in written(lineage).decode()


def test_of_two_splits_of_one_claim_the_one_that_was_learnt_from_counts():
    claims = [Claim(claim="it was hit"), Claim(claim="it was hit!")]
    assert list(lineage_of(claims, np.array(["test", "train"]), {}).values()) == ["train"]
    assert merged({"a": "test"}, {"a": "valid", "b": "test"}) == {"a": "valid", "b": "test"}
    assert not lineage_of(claims, np.array([NOWHERE, NOWHERE]), {})


@given(st.dictionaries(st.text("0123456789abcdef", min_size=16, max_size=16), st.sampled_from(SPLITS)))
def test_what_is_written_is_read_back(lineage):
    assert read(written(lineage)) == lineage


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"train": [], "valid": [], "test": []}', b"\xff",
     b'{"train": ["abc"], "valid": [], "calibration": [], "test": []}',
     b'{"train": [7], "valid": [], "calibration": [], "test": []}',
     b'{"train": ["0123456789abcdef"], "valid": ["0123456789abcdef"], "calibration": [], "test": []}'],
)  # fmt: skip
def test_anything_else_is_refused(content):
    with pytest.raises(ValueError, match=r"expected|decode|Expecting"):
        read(content)


def test_known_claims_keep_their_splits_whatever_the_seed_and_new_ones_are_drawn():
    old, new = stories(40), stories(40, start=100)
    had = placed(old, seed=1)
    lineage = lineage_of(old, had, {})
    claims = [*old, *new]
    for seed in (2, 3):
        found = placed(claims, before=places_before(claims, lineage), seed=seed)
        assert found[: len(old)].tolist() == had.tolist()
        shares = Counter(found[len(old) :].tolist())
        assert all(abs(shares[name] / len(new) - share) < 0.1 for name, share in FRACTIONS.items())


def test_a_new_claim_of_a_known_story_goes_where_the_story_was():
    old = stories(40)
    lineage = lineage_of(old, placed(old, seed=1), {})
    later = [Claim(claim=f"a later word on story {number}", event=str(number), corpus="wire") for number in range(40)]
    claims = [*old, *later]
    found = placed(claims, before=places_before(claims, lineage), seed=5)
    check_splits(claims, range(len(claims)), found)
    where = {claim.event: name for claim, name in zip(old, found, strict=False)}
    assert [where[claim.event] for claim in later] == found[len(old) :].tolist()


def test_a_story_that_ties_learnt_and_asked_claims_together_is_learnt():
    old = [Claim(claim="first word", label="verified"), Claim(claim="second word", label="propaganda")]
    tied = [Claim(claim=claim.claim, event="one", label=claim.label) for claim in old]
    others = stories(20)
    claims = [*tied, *others]
    before = places_before(claims, lineage_of(old, np.array(["test", "train"]), {}))
    assert placed(claims, before=before)[:2].tolist() == ["train", "train"]


@pytest.mark.parametrize("more", [{"by": "time"}, {"hold_out": "7"}, {"by": "corpus", "hold_out": "late"}])
def test_where_the_split_asks_for_it_a_learnt_claim_is_left_out_and_never_asked(more):
    claims = [*stories(40), *stories(40, start=40, corpus="late")]
    had = ["train" if int(claim.event) % 2 else "test" for claim in claims]
    plain, found = placed(claims, **more), placed(claims, before=had, **more)
    learnt = np.array(had) == "train"
    assert set(found[learnt].tolist()) <= {"train", NOWHERE}
    assert NOWHERE in found[learnt]
    if more.get("by") == "time":
        assert found[~learnt].tolist() == plain[~learnt].tolist()
    if more.get("by") == "corpus":
        assert set(found[~learnt & np.array([claim.corpus == "late" for claim in claims])].tolist()) == {"test"}


def test_a_split_that_is_no_more_is_learnt_from():
    claims = stories(40)
    found = split(
        claims, range(len(claims)), by="group", seed=0, before=["calibration", *[None] * (len(claims) - 1)],
        fractions={"train": 0.7, "valid": 0.1, "test": 0.2},
    )  # fmt: skip
    assert found[0] == "train"


def test_a_run_that_starts_from_a_model_says_how_many_claims_it_knows(planted_claims):
    data = Data(corpora=(Corpus(file=str(planted_claims)),))
    plain = prepare(data)
    (cut,) = cuts(plain, data, [0])
    known = with_lineage(plain, lineage_of(plain.claims, cut.assignment, {}))
    assert "known to the model" not in plain.described()
    assert known.described().endswith("120 known to the model that this starts from: they keep their splits")
    (again,) = cuts(known, data, [1])
    assert again.assignment.tolist() == cut.assignment.tolist()
