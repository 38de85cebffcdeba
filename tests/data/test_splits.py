"""Splits: everything is placed once, nothing related is parted, and neither row order nor luck decides."""

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from claimsieve.data.duplicates import cluster
from claimsieve.data.leaks import NOWHERE, SPLITS, check_labels, check_splits
from claimsieve.data.splits import By, split
from claimsieve.errors import ConfigError, DataError, LeakError
from claimsieve.records import LABELS, Claim

FRACTIONS = {"train": 0.6, "valid": 0.1, "calibration": 0.1, "test": 0.2}
FIRST_DAYS = {"2019": "2019-01-01", "2019-06": "2019-06-01", "2019-06-01": "2019-06-01", "2020-01-08": "2020-01-08"}
WAYS: list[By] = ["group", "source", "time", "random"]

Corpus = tuple[list[Claim], list[int]]


@st.composite
def corpora(draw: st.DrawFn) -> Corpus:
    """Claims with events, labels, dates and now and then a shared id, and clusters that cut across all of them."""
    rows = draw(st.integers(1, 40))
    claims = [
        Claim(
            claim=f"claim number {row}",
            id=draw(st.sampled_from([str(row), str(row), None, "0"])),
            event=draw(st.none() | st.sampled_from("abcdefgh")),
            source=draw(st.none() | st.sampled_from(["ministry", "Ministry", "wire"])),
            corpus=draw(st.sampled_from([None, "pheme", "liar"])),
            label=draw(st.none() | st.sampled_from(LABELS)),
            date=draw(st.sampled_from(list(FIRST_DAYS))),
        )
        for row in range(rows)
    ]
    return claims, draw(st.lists(st.integers(0, 2 * rows), min_size=rows, max_size=rows))


def story_corpus(*, events: int = 60, rows: int = 8, corpus: str = "pheme") -> list[Claim]:
    """Many small events, each with its own mixture of labels."""
    draw = random.Random(7)
    claims = []
    for event in range(events):
        weights = [draw.random() for _ in LABELS]
        for row in range(rows):
            name = f"{corpus}-{event}-{row}"
            label = draw.choices(LABELS, weights)[0]
            claims.append(Claim(claim=name, id=name, event=str(event), corpus=corpus, label=label))
    return claims


def placed(claims: Sequence[Claim], clusters: Sequence[int] | None = None, *, by: By, seed: int = 0) -> list[str]:
    numbers = range(len(claims)) if clusters is None else clusters
    try:
        names = split(claims, list(numbers), by=by, fractions=FRACTIONS, seed=seed, allow_group_leak=True)
    except DataError as error:
        # By time, dates may be too coarse or too few for every split to be later than the one before.
        assume(by != "time" or "found none. Shorten the gap" not in str(error))
        raise
    assert names.shape == (len(claims),)
    result: list[str] = names.tolist()
    return result


def parted(keys: Sequence[Hashable], assignment: Sequence[str]) -> list[Hashable]:
    names = defaultdict(set)
    for key, name in zip(keys, assignment, strict=True):
        if name != NOWHERE:
            names[key].add(name)
    return [key for key, found in names.items() if len(found) > 1]


@settings(max_examples=60, deadline=None)
@given(corpora(), st.sampled_from(WAYS), st.integers(0, 5))
def test_every_row_is_placed_and_nothing_related_is_parted(rows: Corpus, by: By, seed: int) -> None:
    claims, clusters = rows
    assume(by != "source" or any(claim.source for claim in claims))
    assignment = placed(claims, clusters, by=by, seed=seed)
    assert set(assignment) <= {*SPLITS, *([NOWHERE] if by == "time" else [])}
    assert not parted(clusters, assignment)
    assert not parted([(c.corpus, c.id) if c.id else c.claim for c in claims], assignment)
    if by in ("group", "time"):
        assert not parted([(c.corpus, c.event) if c.event else c.claim for c in claims], assignment)
    if by == "source":
        assert not parted([c.source.casefold() if c.source else c.claim for c in claims], assignment)


@settings(max_examples=60, deadline=None)
@given(corpora(), st.sampled_from(WAYS), st.integers(0, 5), st.randoms())
def test_the_order_of_rows_and_the_numbering_of_clusters_do_not_matter(
    rows: Corpus, by: By, seed: int, shuffler: random.Random
) -> None:
    claims, clusters = rows
    assume(by != "source" or any(claim.source for claim in claims))
    order = shuffler.sample(range(len(claims)), len(claims))
    first = placed(claims, clusters, by=by, seed=seed)
    again = placed([claims[row] for row in order], [1000 - clusters[row] for row in order], by=by, seed=seed)
    assert again == [first[row] for row in order]


def test_a_seed_is_one_draw_and_another_seed_another() -> None:
    claims = story_corpus()
    assert placed(claims, by="group", seed=1) == placed(claims, by="group", seed=1)
    assert placed(claims, by="group", seed=1) != placed(claims, by="group", seed=2)


@pytest.mark.parametrize("by", ["group", "random"])
def test_fractions_hold_within_every_corpus_and_label(by: By) -> None:
    claims = story_corpus(corpus="pheme") + story_corpus(events=90, rows=5, corpus="averitec")
    assignment = np.array(placed(claims, by=by))
    for corpus in ("pheme", "averitec"):
        for label in LABELS:
            rows = [row for row, c in enumerate(claims) if (c.corpus, c.label) == (corpus, label)]
            for name, share in FRACTIONS.items():
                assert np.mean(assignment[rows] == name) == pytest.approx(share, abs=0.06)


@settings(max_examples=60, deadline=None)
@given(corpora(), st.sampled_from(["group", "random"]), st.integers(0, 5))
def test_four_units_fill_four_splits(rows: Corpus, by: By, seed: int) -> None:
    claims = [Claim(claim=c.claim, event=c.event, corpus="one", label=c.label) for c in rows[0]]
    assume(len({c.claim if by == "random" else c.event or c.claim for c in claims}) >= 4)
    assert set(placed(claims, by=by, seed=seed)) == set(SPLITS)


def test_a_unit_larger_than_half_of_its_corpus_goes_to_train_and_the_others_fill_the_rest() -> None:
    small = [Claim(claim=f"small {row}", corpus="pheme") for row in range(3)]
    big = [Claim(claim=f"big {row}", event="big", corpus="pheme") for row in range(20)]
    for seed in range(10):
        assignment = placed(small + big, by="group", seed=seed)
        assert set(assignment[3:]) == {"train"}
        assert sorted(assignment[:3]) == ["calibration", "test", "valid"]


def test_a_split_of_no_share_gets_nothing_and_one_of_all_gets_all() -> None:
    claims = story_corpus(events=10)
    clusters = range(len(claims))
    halves = split(claims, clusters, by="group", fractions={"train": 0.5, "valid": 0.0, "test": 0.5}, seed=0)
    assert set(halves.tolist()) == {"train", "test"}
    assert set(split(claims, clusters, by="group", fractions={"test": 1.0}, seed=0).tolist()) == {"test"}
    assert placed([], by="group") == placed([], by="time") == []


@pytest.mark.parametrize(
    ("fractions", "found"),
    [
        ({"train": 0.8, "test": 0.1}, r"sum to 1, found train: 0.8, test: 0.1 \(sum 0.9\)"),
        ({"train": 1.2, "test": -0.2}, "0 or more"),
        ({"train": float("nan")}, "0 or more"),
        ({}, "found none"),
        ({"train": 0.9, "dev": 0.1}, "found 'dev'"),
    ],
)
def test_wrong_fractions_are_refused(fractions: dict[str, float], found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        split([Claim(claim="a")], [0], by="group", fractions=fractions, seed=0)


def test_an_unknown_way_to_split_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected one of group, source, time, random, corpus, found 'event'"):
        split([Claim(claim="a")], [0], by="event", fractions=FRACTIONS, seed=0)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(corpora())
def test_a_time_split_orders_the_units_by_their_latest_date(rows: Corpus) -> None:
    claims = [Claim(claim=c.claim, event=c.event, date=c.date) for c in rows[0]]
    latest: dict[str, str] = {}
    for claim in claims:
        unit = claim.event or claim.claim
        latest[unit] = max(latest.get(unit, ""), FIRST_DAYS[claim.date or ""])
    days = [latest[claim.event or claim.claim] for claim in claims]
    assignment = placed(claims, by="time")
    assert not parted(days, assignment)
    places = [SPLITS.index(name) for _, name in sorted(zip(days, assignment, strict=True)) if name != NOWHERE]
    assert places == sorted(places)
    own_days = [FIRST_DAYS[claim.date or ""] for claim in claims]
    for earlier, later in itertools.combinations(SPLITS, 2):
        before = [day for day, name in zip(own_days, assignment, strict=True) if name == earlier]
        after = [day for day, name in zip(own_days, assignment, strict=True) if name == later]
        assert not before or not after or max(before) < min(after)


def test_a_time_split_cuts_at_the_quantiles_of_the_rows_and_fills_every_split() -> None:
    claims = [Claim(claim=f"c{day}", date=f"2020-01-{day:02d}") for day in range(1, 11)]
    assert placed(claims, by="time") == ["train"] * 6 + ["valid", "calibration", "test", "test"]
    crowded = [Claim(claim=f"c{row}", date=date) for row, date in enumerate(["2020"] * 50 + ["2021", "2022", "2023"])]
    assert placed(crowded, by="time") == ["train"] * 50 + ["valid", "calibration", "test"]


def test_a_time_split_needs_every_date() -> None:
    claims = [Claim(claim="a", date="2020"), Claim(claim="b", id="b7"), Claim(claim="c")]
    with pytest.raises(DataError, match=r"found 2 of 3 without one: 'b7', claims\[2\]\. .*data.split.by: group"):
        split(claims, [0, 1, 2], by="time", fractions=FRACTIONS, seed=0)


def test_events_with_random_labels_are_refused_under_a_random_split() -> None:
    draw = random.Random(1)
    claims = [Claim(claim=f"c{row}", event=str(row % 5), label=draw.choice(LABELS)) for row in range(50)]
    with pytest.raises(LeakError, match=r"every event in one split.*data\.split\.by: group.*allow_group_leak: true$"):
        split(claims, range(50), by="random", fractions=FRACTIONS, seed=0)
    assert Counter(placed(claims, by="random")).keys() == set(SPLITS)


def test_a_planted_leak_is_found_and_named() -> None:
    claims = [
        Claim(claim="one", id="a", event="story", corpus="pheme"),
        Claim(claim="two", id="b", event="story", corpus="pheme"),
        Claim(claim="three", event="story", corpus="liar"),
        Claim(claim="three!"),
        Claim(claim="four", id="a", corpus="pheme"),
    ]
    clusters = cluster(claims)
    check_splits(claims, clusters, ["train", "train", "test", "test", "train"])
    with pytest.raises(
        LeakError, match=r"near-duplicate text .* found 1 .*claims\[2\] \(test\) and claims\[3\] \(valid\)"
    ):
        check_splits(claims, clusters, ["train", "train", "test", "valid", "train"])
    with pytest.raises(LeakError, match=r"every id in one split, found 1 .*: 'a' \(train\) and 'a' \(test\)"):
        check_splits(claims, clusters, ["train", "train", "test", "test", "test"])
    cut_event = ["train", "test", "test", "test", "train"]
    with pytest.raises(LeakError, match=r"every event .*: 'a' \(train\) and 'b' \(test\)\. Split by group instead"):
        check_splits(claims, clusters, cut_event)
    check_splits(claims, clusters, cut_event, allow_group_leak=True)


def test_every_kind_of_leak_is_told_at_once_with_at_most_five_pairs_each() -> None:
    claims = [Claim(claim=f"c{row // 2}", event=str(row // 2)) for row in range(20)]
    with pytest.raises(LeakError, match="found 10 in two or more") as caught:
        check_splits(claims, cluster(claims), ["train", "test"] * 10)
    lines = str(caught.value).splitlines()
    assert [line.count("(train)") for line in lines] == [5, 5]


def test_lengths_that_do_not_match_are_a_programming_mistake() -> None:
    claims = [Claim(claim="a"), Claim(claim="b")]
    with pytest.raises(ValueError, match="one cluster per claim, found 1 for 2"):
        check_splits(claims, [0], ["train", "test"])
    with pytest.raises(ValueError, match="one split per claim, found 1 for 2"):
        check_splits(claims, [0, 1], ["train"])


def test_train_needs_two_labels_and_test_a_labelled_claim() -> None:
    claims = [Claim(claim="a", label="verified"), Claim(claim="b", label="propaganda"), Claim(claim="c")]
    with pytest.raises(DataError, match=r"two labels in train, found train: 1 no label, 1 verified; .*1 propaganda"):
        check_labels(claims, ["train", "test", "train"])
    with pytest.raises(DataError, match=r"labelled claims in test, found .*test: 1 no label"):
        check_labels(claims, ["train", "train", "test"])
    with pytest.raises(DataError, match="test: nothing"):
        check_labels(claims, ["train", "train", "valid"])
    check_labels([*claims, Claim(claim="d", label="verified")], ["train", "train", "valid", "test"])
