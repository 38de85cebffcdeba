"""The shipped claims keep the promises of the codebook (docs/codebook.md)."""

import itertools
import json
import re
from collections import Counter
from pathlib import Path

import pytest

import claimsieve.data
from claimsieve import config as configs
from claimsieve.records import LABELS, claim_from_row, label_of
from claimsieve.studies import study_shortcuts

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
    assert len(CLAIMS) >= 600
    assert len(STORIES) >= 40
    assert len(DEMO) >= 16
    years = [int(row["date"][:4]) for row in CLAIMS]
    assert (min(years), max(years)) == (1898, 2023)


def test_every_kind_of_source_stands_under_every_label():
    kinds = {"government", "military", "state media", "independent media", "eyewitness", "social media"}
    found = {(row["source_kind"], row["label"]) for row in CLAIMS}
    assert found >= set(itertools.product(kinds, LABELS))
    assert {row["source_kind"] for row in ALL} <= kinds | {"international body", "research"}


def test_claims_were_first_said_in_many_languages():
    assert len({row["original_lang"] for row in CLAIMS}) >= 12
    assert all(re.fullmatch("[a-z]{2}", row["original_lang"]) for row in CLAIMS)


def test_no_claim_tells_its_own_verdict():
    verdict = re.compile(r"\b(false|fake|debunk\w*|unverified|propaganda|hoax|reportedly|allegedly)\b", re.IGNORECASE)
    assert not [row["id"] for row in CLAIMS if verdict.search(row["claim"])]


def test_it_needs_the_evidence():
    """What a classifier scores on new events without it: mean macro-F1 of five seeds; a third is chance."""
    study = study_shortcuts(configs.load("starter-tfidf"), range(5))
    assert study.scores["claim_only"].value <= 0.50
    assert study.scores["source_only"].value <= 0.45
    assert study.scores["length_only"].value <= 0.40


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
    assert len(contrasted) >= 2 * 150
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


def test_the_data_card_counts_what_is_there():
    card = (Path(__file__).parents[2] / "docs" / "starter-corpus.md").read_text(encoding="utf-8")
    cells = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", card, flags=re.MULTILINE))
    labels = Counter(row["label"] for row in CLAIMS)
    assert cells["records"] == str(len(CLAIMS))
    assert cells["events"].startswith(f"{len(STORIES)}, from 1898 to 2023")
    assert cells["labels"] == ", ".join(f"{labels[label]} {label}" for label in LABELS)
    assert cells["contrast pairs"].startswith(f"{sum(bool(row['contrast']) for row in CLAIMS) // 2}: ")
    assert cells["passages"].startswith(f"{sum(len(row['evidence']) for row in CLAIMS):,}, ")
    kinds = Counter((row["source_kind"], row["label"]) for row in CLAIMS)
    for kind in {row["source_kind"] for row in CLAIMS}:
        assert f"| {kind} | " + " | ".join(str(kinds[kind, label]) for label in LABELS) + " |" in card
    assert all(re.search(rf"\b{story}\b", card) for story in STORIES)
