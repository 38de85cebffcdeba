"""The shipped claims keep the promises of the codebook (docs/codebook.md)."""

import json
from collections import Counter
from pathlib import Path

import pytest

import claimsieve.data
from claimsieve.records import LABELS, claim_from_row, label_of

STARTER = Path(claimsieve.data.__file__).parent / "starter"

TECHNIQUES = {
    *("recycled", "fabricated", "loaded_language", "name_calling", "repetition", "exaggeration", "doubt"),
    *("appeal_to_fear", "flag_waving", "causal_oversimplification", "slogans", "appeal_to_authority"),
    *("black_and_white_fallacy", "thought_terminating_cliche", "whataboutism", "reductio_ad_hitlerum"),
    *("red_herring", "bandwagon", "obfuscation", "straw_man"),
}


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


STORIES = {path.stem: rows_of(path) for path in sorted((STARTER / "claims").glob("*.jsonl"))}
CLAIMS = [row for rows in STORIES.values() for row in rows]
DEMO = rows_of(STARTER / "demo.jsonl")
ALL = [*CLAIMS, *DEMO]
BY_ID = {row["id"]: row for row in ALL}


def test_there_are_enough_claims_and_events():
    assert len(CLAIMS) >= 150
    assert len(STORIES) >= 12
    assert len(DEMO) >= 16


@pytest.mark.parametrize("story", STORIES)
def test_a_file_is_one_event(story):
    assert {row["event"] for row in STORIES[story]} == {story}


def test_ids_are_unique():
    assert len(BY_ID) == len(ALL)


@pytest.mark.parametrize("story", [*STORIES, "demo"])
def test_records_keep_to_the_codebook(story):
    for row in STORIES.get(story, DEMO):
        claim = claim_from_row(row)
        assert label_of(claim.stance, bool(claim.manipulation)) == row["label"], row["id"]
        assert claim.manipulation is not None, row["id"]
        assert set(claim.manipulation) <= TECHNIQUES, row["id"]
        assert claim.evidence or claim.stance == "insufficient", row["id"]
        assert all([claim.source, claim.date, row["source_kind"], row["rationale"]]), row["id"]
        assert len(claim.evidence) == len(row["evidence"]), row["id"]
        for passage in claim.evidence:
            assert all([passage.text.strip(), passage.source, passage.date]), row["id"]
            assert passage.url is None or passage.url.startswith(("https://", "http://")), row["id"]


@pytest.mark.parametrize("rows", [CLAIMS, DEMO], ids=["starter", "demo"])
def test_every_label_has_a_quarter(rows):
    counts = Counter(row["label"] for row in rows)
    assert min(counts[label] for label in LABELS) >= len(rows) / 4


def test_a_claim_alone_does_not_tell_its_label():
    """The same words stand under different labels, with different evidence: two such records are contrasts."""
    contrasted = [row for row in CLAIMS if row["contrast"]]
    assert len(contrasted) >= len(CLAIMS) / 2
    for row in contrasted:
        other = BY_ID[row["contrast"]]
        assert other["contrast"] == row["id"]
        assert other["claim"] == row["claim"]
        assert other["event"] == row["event"]
        assert other["label"] != row["label"]
        assert other["evidence"] != row["evidence"]


def test_contrasts_of_the_demo_differ_in_words_or_evidence_and_in_label():
    for row in DEMO:
        if row["contrast"]:
            other = BY_ID[row["contrast"]]
            assert other["contrast"] == row["id"]
            assert other["label"] != row["label"]
            assert (other["claim"], other["evidence"]) != (row["claim"], row["evidence"])


def test_claims_with_the_same_words_know_of_each_other():
    counts = Counter(row["claim"] for row in ALL)
    assert not [row["id"] for row in ALL if counts[row["claim"]] > 1 and not row["contrast"]]


def test_the_demo_holds_the_claims_of_that_night():
    (killed,) = [row for row in DEMO if "80 soldiers" in row["claim"]]
    assert (killed["label"], killed["stance"]) == ("propaganda", "refuted")
    (pictures,) = [row for row in DEMO if "last night's explosions" in row["claim"]]
    assert (pictures["label"], pictures["manipulation"]) == ("propaganda", ["recycled"])
    (fired,) = [row for row in DEMO if row["claim"].startswith("Iran fired 22 missiles at two bases")]
    assert fired["label"] == "verified"
    assert {row["label"] for row in DEMO if "in bunkers" in row["claim"]} == {"unverified", "verified"}


def test_no_claim_or_passage_of_the_demo_is_trained_on():
    def texts(rows):
        return {row["claim"] for row in rows} | {passage["text"] for row in rows for passage in row["evidence"]}

    assert not texts(CLAIMS) & texts(DEMO)
    assert not {row["event"] for row in CLAIMS} & {row["event"] for row in DEMO}
