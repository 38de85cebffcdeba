"""Splits by source, with a group held out, with a gap in time; and rows that stay where they are when others come."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.leaks import NOWHERE, SPLITS
from claimsieve.data.splits import By, folds, groups, split
from claimsieve.errors import ConfigError, DataError, LeakError
from claimsieve.records import LABELS, Claim

FRACTIONS = {"train": 0.6, "valid": 0.1, "calibration": 0.1, "test": 0.2}
FIRST_DAY = date(2020, 1, 1)


def stories(events: int, *, seed: int = 7, prefix: str = "story", corpus: str = "one") -> list[Claim]:
    """Events of one to nine rows, each with its own mixture of labels and one source."""
    draw = random.Random(seed)
    claims = []
    for event in range(events):
        weights = [draw.random() for _ in LABELS]
        for row in range(draw.randint(1, 9)):
            name = f"{prefix}-{event}-{row}"
            label = draw.choices(LABELS, weights)[0]
            story, source = f"{prefix}-{event}", f"source-{event % 40}"
            claims.append(Claim(claim=name, id=name, event=story, source=source, corpus=corpus, label=label))
    return claims


def placed(
    claims: Sequence[Claim],
    *,
    by: By,
    fractions: Mapping[str, float] = FRACTIONS,
    seed: int = 0,
    gap_days: int = 0,
    hold_out: str | Sequence[str] | None = None,
) -> list[str]:
    clusters = range(len(claims))
    names: list[str] = split(
        claims, clusters, by=by, fractions=fractions, seed=seed, gap_days=gap_days, hold_out=hold_out
    ).tolist()
    return names


def moved(claims: Sequence[Claim], grown: Sequence[Claim], *, seed: int) -> float:
    """Share of the claims that are in another split once there are more of them. In [0, 1]."""
    before = dict(zip([claim.id for claim in claims], placed(claims, by="group", seed=seed), strict=True))
    after = dict(zip([claim.id for claim in grown], placed(grown, by="group", seed=seed), strict=True))
    return sum(after[name] != place for name, place in before.items()) / len(before)


# --- by source


@pytest.mark.parametrize("seed", range(3))
def test_by_source_each_source_stands_in_one_split_over_all_corpora(seed: int) -> None:
    here, there = stories(120), stories(90, seed=8, prefix="other", corpus="two")
    shouted = [replace(claim, source=claim.source.upper()) for claim in there if claim.source]
    claims = here + shouted
    assignment = placed(claims, by="source", seed=seed)
    splits_of = defaultdict(set)
    for claim, name in zip(claims, assignment, strict=True):
        splits_of[str(claim.source).casefold()].add(name)
    assert len(splits_of) == 40
    assert all(len(names) == 1 for names in splits_of.values())
    assert set(assignment) == set(SPLITS)


def test_by_source_lets_events_be_cut_and_keeps_rows_without_a_source_by_their_event() -> None:
    claims = [Claim(claim=f"c{row}", event="one", source=f"s{row}") for row in range(8)]
    assert set(placed(claims, by="source")) == set(SPLITS)
    with pytest.raises(LeakError, match="every event in one split"):
        placed(claims, by="random")
    nameless = [Claim(claim=f"n{row}", event=f"e{row % 4}", source=" " if row % 2 else None) for row in range(12)]
    names = placed([*claims, *nameless], by="source")[len(claims) :]
    for event in {claim.event for claim in nameless}:
        found = {name for name, claim in zip(names, nameless, strict=True) if claim.event == event}
        assert len(found) == 1
    with pytest.raises(DataError, match="expected sources on the claims to split by source, found none"):
        placed(nameless, by="source")


# --- one group held out


@pytest.mark.parametrize("name", ["story-3", "STORY-3"])
def test_the_event_held_out_is_all_of_test_and_nothing_else_is(name: str) -> None:
    claims = stories(30)
    assignment = placed(claims, by="group", hold_out=name)
    assert [place == "test" for place in assignment] == [claim.event == "story-3" for claim in claims]
    counts = Counter(place for place in assignment if place != "test")
    rest = sum(counts.values())
    for place in ("train", "valid", "calibration"):
        assert counts[place] / rest == pytest.approx(FRACTIONS[place] / 0.8, abs=0.07)


def test_the_source_held_out_is_all_of_test_in_every_corpus() -> None:
    claims = stories(60) + stories(60, seed=8, prefix="other", corpus="two")
    assignment = placed(claims, by="source", hold_out="source-5")
    assert [place == "test" for place in assignment] == [claim.source == "source-5" for claim in claims]
    assert {claim.corpus for claim in claims if claim.source == "source-5"} == {"one", "two"}


def test_the_corpus_held_out_is_all_of_test_and_the_rest_is_split_by_event() -> None:
    claims = stories(60) + stories(60, seed=8, prefix="other", corpus="two") + stories(20, prefix="third", corpus="3")
    assignment = placed(claims, by="corpus", hold_out="two")
    assert [place == "test" for place in assignment] == [claim.corpus == "two" for claim in claims]
    places = defaultdict(set)
    for claim, place in zip(claims, assignment, strict=True):
        places[claim.corpus, claim.event].add(place)
    assert {len(found) for found in places.values()} == {1}
    assert {"train", "valid", "calibration"} <= set(assignment)
    found = dict(folds(claims, range(len(claims)), by="corpus", fractions=FRACTIONS, seed=0))
    assert list(found) == ["3", "one", "two"]
    assert found["two"].tolist() == assignment


def test_several_corpora_held_out_are_all_of_test_together() -> None:
    claims = stories(60) + stories(60, seed=8, prefix="other", corpus="two") + stories(20, prefix="third", corpus="3")
    claims.append(replace(claims[0], id="again", event=None))  # as a story of "one" that "3" has as well
    clusters = [*range(len(claims) - 1), len(claims) - 21]
    assignment = split(claims, clusters, by="corpus", fractions=FRACTIONS, seed=0, hold_out=["two", "3"]).tolist()
    assert [place == "test" for place in assignment] == [claim.corpus in {"two", "3"} for claim in claims]
    assert assignment[-1] == NOWHERE
    with pytest.raises(ConfigError, match=r"expected the name of a corpus, found 'tow'\. Did you mean 'two'"):
        split(claims, clusters, by="corpus", fractions=FRACTIONS, seed=0, hold_out=["3", "tow"])


def test_a_claim_that_stands_in_the_corpus_held_out_too_is_not_trained_on() -> None:
    claims = stories(40) + stories(40, seed=8, prefix="other", corpus="two")
    clusters = np.arange(len(claims))
    clusters[-1] = clusters[0]
    assignment = split(claims, clusters, by="corpus", fractions=FRACTIONS, seed=0, hold_out="two")
    assert assignment[0] == NOWHERE
    assert assignment[-1] == "test"


def test_a_split_by_corpus_needs_the_name_of_one() -> None:
    with pytest.raises(ConfigError, match=r"expected the name of a corpus in data\.split\.hold_out, or each"):
        placed(stories(5), by="corpus")
    with pytest.raises(ConfigError, match=r"expected the name of a corpus, found 'onee'\. Did you mean 'one'"):
        placed(stories(5), by="corpus", hold_out="onee")


def test_a_near_duplicate_of_the_event_that_is_held_out_is_neither_tested_nor_trained_on() -> None:
    claims = [Claim(claim=f"c{row}", event=f"e{row % 6}", corpus="one") for row in range(12)] + [
        Claim(claim="c3 again")
    ]
    clusters = [*range(12), 3]
    assignment = split(claims, clusters, by="group", fractions=FRACTIONS, seed=0, hold_out="e3")
    assert np.flatnonzero(assignment == "test").tolist() == [3, 9]
    assert assignment[12] == NOWHERE


@pytest.mark.parametrize(
    ("by", "name", "problem"),
    [
        ("group", "story-33", r"expected the name of an event, found 'story-33'\. Did you mean 'story-3'\? Known: "),
        ("source", "suorce-7", r"expected the name of a source, found 'suorce-7'\. Did you mean 'source-7'\?"),
        ("group", "source-7", r"data.split.hold_out: expected the name of an event, found 'source-7'\."),
        ("group", "zzz", r"expected the name of an event, found 'zzz'\. Known: story-0, .*, \.\.\.\.$"),
    ],
)
def test_a_group_that_is_not_there_cannot_be_held_out(by: By, name: str, problem: str) -> None:
    claims = [*stories(12), Claim(claim="without an event or a source")]
    with pytest.raises(ConfigError, match=problem):
        placed(claims, by=by, hold_out=name)


def test_no_name_is_not_the_name_of_an_event() -> None:
    with pytest.raises(ConfigError, match="expected the name of an event, found ''"):
        placed([*stories(12), Claim(claim="without an event")], by="group", hold_out="")


def test_each_event_is_a_fold_once_and_the_tests_are_all_rows_with_events() -> None:
    claims = stories(25) + [Claim(claim=f"alone {row}", corpus="one") for row in range(40)]
    random.Random(1).shuffle(claims)
    found = dict(folds(claims, range(len(claims)), fractions=FRACTIONS, seed=0))
    assert list(found) == list(groups(claims)) == sorted({claim.event for claim in claims if claim.event})
    assert len(list(folds(claims, range(len(claims)), fractions=FRACTIONS, seed=0))) == len(found)
    in_test = np.array([assignment == "test" for assignment in found.values()])  # Shape: (folds, rows)
    assert in_test.sum(axis=0).tolist() == [int(claim.event is not None) for claim in claims]
    for event, row in zip(found, in_test, strict=True):
        assert {claims[place].event for place in np.flatnonzero(row)} == {event}


def test_events_that_differ_in_case_are_two_folds() -> None:
    claims = [Claim(claim=f"c{row}", event=event, corpus="one") for row, event in enumerate("AaBCDEFG")]
    tests = [(assignment == "test").sum() for _, assignment in folds(claims, range(8), fractions=FRACTIONS, seed=0)]
    assert tests == [1] * 8


def test_a_source_written_in_two_ways_is_one_fold() -> None:
    claims = [Claim(claim=f"c{row}", source=name) for row, name in enumerate(["Wire", "wire", "Ministry", "x", "y"])]
    found = folds(claims, range(5), by="source", fractions=FRACTIONS, seed=0)
    assert sum((assignment == "test").sum() for _, assignment in found) == 5


# --- a gap in time


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=8, max_size=40), st.integers(0, 60))
def test_a_gap_leaves_out_exactly_the_rows_that_are_too_near(offsets: list[int], gap_days: int) -> None:
    days = [(FIRST_DAY + timedelta(days=offset)).isoformat() for offset in offsets]
    claims = [Claim(claim=f"c{row}", date=day) for row, day in enumerate(days)]
    plain = placed(claims, by="time")
    expected = list(plain)
    for number, name in enumerate(SPLITS[1:], start=1):
        earlier = [offset for offset, place in zip(offsets, plain, strict=True) if place in SPLITS[:number]]
        for row in [row for row, place in enumerate(plain) if place == name and earlier]:
            if offsets[row] - max(earlier) <= gap_days:
                expected[row] = NOWHERE
    if set(expected) - {NOWHERE} < set(plain):  # a split of which nothing is left
        with pytest.raises(DataError, match=rf"more than {gap_days} days after .*, found none\. Shorten the gap"):
            placed(claims, by="time", gap_days=gap_days)
        return
    found = placed(claims, by="time", gap_days=gap_days)
    assert found == expected
    tested = [offset for offset, place in zip(offsets, found, strict=True) if place == "test"]
    before = [offset for offset, place in zip(offsets, found, strict=True) if place not in ("test", NOWHERE)]
    assert not tested or not before or min(tested) - max(before) > gap_days


def test_an_old_row_of_a_late_event_is_in_no_split() -> None:
    ordinary = [Claim(claim=f"c{day}", date=f"2020-01-{day:02d}") for day in range(1, 21)]
    late = [Claim(claim=f"late {date}", event="late", date=date) for date in ("2020-01-02", "2020-01-31")]
    *others, old, new = placed(ordinary + late, by="time")
    assert (old, new) == (NOWHERE, "test")
    assert NOWHERE not in others
    gapped = placed(ordinary + late, by="time", gap_days=1)
    assert gapped.count(NOWHERE) == 4  # a day less in each split after the first, and the old row


def test_a_year_may_be_any_day_of_it() -> None:
    years = [Claim(claim=f"c{year}", date=str(year)) for year in range(2011, 2021)]
    placed(years, by="time")
    with pytest.raises(DataError, match=r"in valid more than 1 days after 2016-12-31, found none"):
        placed(years, by="time", gap_days=1)
    months = [Claim(claim=f"c{month}", date=f"2020-{month:02d}") for month in range(1, 11)]
    with pytest.raises(DataError, match=r"in valid more than 1 days after 2020-06-30, found none"):
        placed(months, by="time", gap_days=1)
    with pytest.raises(ConfigError, match="expected a number of days, found 4,000,000"):
        placed(years, by="time", gap_days=4_000_000)


# --- rows that come later


@pytest.mark.parametrize("seed", range(5))
def test_new_events_leave_the_old_rows_where_they_are(seed: int) -> None:
    claims = stories(300)
    grown = claims + stories(15, seed=seed + 100, prefix="new")
    random.Random(seed).shuffle(grown)
    assert moved(claims, grown, seed=seed) <= 0.05


@pytest.mark.parametrize("seed", range(5))
def test_rows_added_to_an_event_leave_the_others_where_they_are(seed: int) -> None:
    claims = stories(300)
    more = [replace(claims[0], id=f"new-{row}", claim=f"new {row}") for row in range(5)]
    others = [claim for claim in claims if claim.event != claims[0].event]
    assert moved(claims, claims + more, seed=seed) <= 0.05
    assert moved(others, claims, seed=seed) <= 0.05


def test_another_corpus_moves_nothing() -> None:
    claims = stories(100)
    assert moved(claims, claims + stories(50, seed=9, prefix="other", corpus="two"), seed=0) == 0


def test_the_rows_of_an_event_stay_together_as_it_grows() -> None:
    claims = stories(100)
    more = [replace(claims[0], id=f"new-{row}", claim=f"new {row}") for row in range(4)]
    assignment = placed(claims + more, by="group")
    assert set(assignment[-4:]) == {assignment[0]}
