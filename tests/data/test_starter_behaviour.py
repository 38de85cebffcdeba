"""The shipped variations keep to the codebook, are balanced, and do not tell their labels without their evidence."""

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import claimsieve.data
from claimsieve.data.duplicates import cluster
from claimsieve.records import LABELS, claim_from_row, label_of

STARTER = Path(claimsieve.data.__file__).parent / "starter"
RULED_OUT = {"contradicted", "number", "date", "negation", "place"}  # by the evidence, in one way or another
UNCHANGED = {"order", "irrelevant", "speaker", "paraphrase"}


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


ROWS = rows_of(STARTER / "behaviour.jsonl")
BY_ID = {row["id"]: row for row in ROWS}
TRAIN = [row for path in sorted((STARTER / "claims").glob("*.jsonl")) for row in rows_of(path)]


def of_kind(*kinds):
    return [row for row in ROWS if row["kind"] in kinds]


def passages(row):
    return [passage["text"] for passage in row["evidence"]]


def test_there_are_enough_of_every_kind():
    assert len(BY_ID) == len(ROWS) >= 72
    kinds = Counter(row["kind"] for row in ROWS)
    assert set(kinds) == {"confirmed", "open", "disagreeing", "withheld"} | RULED_OUT | UNCHANGED
    assert min(kinds.values()) >= 2
    groups = Counter(row["event"] for row in ROWS)
    assert len(groups) >= 10
    assert groups["soldiers-killed"] >= 12
    assert groups["photographs-of-that-night"] >= 12


def test_records_keep_to_the_codebook():
    for row in ROWS:
        claim = claim_from_row(row)
        assert row["label"] == label_of(claim.stance, bool(claim.manipulation)), row["id"]
        assert row["expected"] == (["unverified", "propaganda"] if row["kind"] == "withheld" else [row["label"]])
        assert all([claim.source, claim.date, claim.event]), row["id"]
        assert len(claim.evidence) == len(row["evidence"]) <= 4, row["id"]
        assert all(passage.text and passage.source and passage.date for passage in claim.evidence), row["id"]
        assert all(10 <= len(text.split()) <= 90 for text in passages(row)), row["id"]


@pytest.mark.parametrize(
    ("kinds", "stance"),
    [
        (("confirmed",), "supported"),
        (RULED_OUT, "refuted"),
        (("open", "withheld"), "insufficient"),
        (("disagreeing",), "conflicting"),
    ],
)
def test_a_kind_says_what_the_evidence_does(kinds, stance):
    assert {row["stance"] for row in of_kind(*kinds)} == {stance}
    assert {row["same_as"] for row in of_kind(*kinds)} == {None}


def test_what_has_no_evidence_is_withheld_and_nothing_else():
    assert [row for row in ROWS if not row["evidence"]] == of_kind("withheld")


def test_what_must_not_change_the_label_changes_one_thing():
    for row in of_kind(*UNCHANGED):
        base = BY_ID[row["same_as"]]
        assert base["kind"] not in UNCHANGED
        same = {key for key in ("event", "date", "label", "stance", "manipulation") if row[key] == base[key]}
        assert len(same) == 5, row["id"]
        assert (row["claim"] != base["claim"]) == (row["kind"] == "paraphrase"), row["id"]
        assert (row["source"] != base["source"]) == (row["kind"] == "speaker"), row["id"]
        if row["kind"] == "irrelevant":
            assert [text for text in passages(row) if text in passages(base)] == passages(base), row["id"]
            assert len(row["evidence"]) > len(base["evidence"]), row["id"]
        else:
            assert (passages(row) != passages(base)) == (row["kind"] == "order"), row["id"]
            assert sorted(passages(row)) == sorted(passages(base)), row["id"]


def test_a_label_is_a_third_and_no_constant_answer_scores_more_than_two_in_five():
    labels = Counter(row["label"] for row in ROWS)
    assert all(0.3 <= labels[label] / len(ROWS) <= 0.4 for label in LABELS)
    assert all(sum(label in row["expected"] for row in ROWS) < 0.4 * len(ROWS) for label in LABELS)


def test_no_claim_tells_its_label():
    labels = defaultdict(Counter)
    for row in ROWS:
        labels[row["claim"]][row["label"]] += 1
    assert all(set(counts) == set(LABELS) for counts in labels.values())
    most = sum(max(counts.values()) for counts in labels.values())
    assert most < 0.45 * len(ROWS)  # of a reader that knows the commonest label of each claim


def test_many_passages_speak_for_one_claim_and_against_another():
    decided = defaultdict(set)
    for row in of_kind("confirmed", *RULED_OUT):
        for text in passages(row):
            decided[text].add(row["stance"])
    both = [text for text, stances in decided.items() if len(stances) == 2]
    assert len(both) >= len(decided) / 3


def test_nothing_of_it_is_trained_on():
    numbers = cluster([claim_from_row(row) for row in [*ROWS, *TRAIN]]).tolist()
    assert not set(numbers[: len(ROWS)]) & set(numbers[len(ROWS) :])
    assert not {text for row in ROWS for text in passages(row)} & {text for row in TRAIN for text in passages(row)}
    assert not {row["event"] for row in ROWS} & {row["event"] for row in TRAIN}


def test_the_data_card_counts_what_is_there():
    card = (Path(__file__).parents[2] / "docs" / "starter-corpus.md").read_text(encoding="utf-8")
    assert f"{len(ROWS)} variations of {len({row['event'] for row in ROWS})} claims" in card
    counted = re.findall(r"^\| ([a-z, ]+) \| [^|]+ \| (\d+) \|$", card, flags=re.MULTILINE)
    told = {names: int(number) for names, number in counted if names.split(", ")[0] in {row["kind"] for row in ROWS}}
    assert told == {names: len(of_kind(*names.split(", "))) for names in told}
    assert sum(told.values()) == len(ROWS)
