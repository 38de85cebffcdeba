"""The shipped stories: their form, and that neither a claim nor a passage tells the stance by itself."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

import claimsieve.data
from claimsieve import config as configs
from claimsieve.data.recipe_reader import read
from claimsieve.data.recipes import load
from claimsieve.data.story_rows import rows_of_story
from claimsieve.records import label_of
from claimsieve.studies import study_shortcuts

DATA = Path(claimsieve.data.__file__).parent
FILES = {
    path.stem: path.read_text(encoding="utf-8").splitlines() for path in sorted((DATA / "stories").glob("*.jsonl"))
}
STORIES = [json.loads(line) for lines in FILES.values() for line in lines]
PASSAGES = [passage for story in STORIES for passage in story["passages"]]
ROWS = [row for story in STORIES for row in rows_of_story(story)]


def test_there_are_many_and_no_name_stands_twice():
    names = [story["story"] for story in STORIES]
    assert len(set(names)) == len(names) >= 150


@pytest.mark.parametrize("file", FILES)
def test_every_claim_is_supported_by_one_passage_and_refuted_by_another(file):
    for story in map(json.loads, FILES[file]):
        ids = {claim["id"] for claim in story["claims"]}
        assert {claim for passage in story["passages"] for claim in passage["supports"]} == ids, story["story"]
        assert {claim for passage in story["passages"] for claim in passage["refutes"]} == ids, story["story"]
        assert sum(not (p["supports"] or p["refutes"]) for p in story["passages"]) >= 2, story["story"]


def test_no_sentence_stands_twice():
    texts = Counter([*(p["text"] for p in PASSAGES), *(c["text"] for story in STORIES for c in story["claims"])])
    assert not [text for text, times in texts.items() if times > 1]


def test_claims_carry_no_verdict_and_no_speaker():
    told = re.compile(r"\b(fake|debunk\w*|hoax|reportedly|allegedly|said|according)\b", re.IGNORECASE)
    assert not [c["text"] for story in STORIES for c in story["claims"] if told.search(c["text"])]


def test_nothing_of_them_stands_where_a_model_is_asked():
    """Neither the variations, nor the demo, nor the starter corpus has a claim or passage of a story."""
    texts = {*(p["text"] for p in PASSAGES), *(row["claim"] for row in ROWS)}
    for path in (DATA / "starter").rglob("*.jsonl"):
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            assert not texts & {row.get("claim"), row.get("text")}
            assert not texts & {passage["text"] for passage in row.get("evidence", [])}


def test_supported_and_refuted_are_as_many_in_every_story():
    for story in STORIES:
        stances = Counter(row["stance"] for row in rows_of_story(story))
        assert 0.6 <= stances["supported"] / stances["refuted"] <= 1.6, story["story"]


def test_a_negation_tells_nothing():
    """Of claims with one, as many rows are supported as refuted; so of passages."""
    negation = re.compile(r"\b(not?|never|nobody|none|nothing|neither|without)\b", re.IGNORECASE)
    for text_of in (lambda row: row["claim"], lambda row: row["evidence"][0]["text"]):
        negated = Counter(row["stance"] for row in ROWS if negation.search(text_of(row)))
        assert 0.8 <= negated["supported"] / negated["refuted"] <= 1.25


def test_it_needs_claim_and_evidence():
    """What a classifier scores on new stories by half of the input: a third is chance."""
    settings = configs.load("starter-tfidf", ["data.corpora=[{recipe: stories, max_claims: 6000}]"])
    study = study_shortcuts(settings, range(2))
    for half in ("claim_only", "evidence_only", "length_only"):
        assert study.scores[half].value <= 0.45, half


def test_the_recipe_reads_all_of_it():
    claims = list(read(load("stories")))
    assert len(claims) == len(ROWS)
    assert all(claim.label == label_of(claim.stance, bool(claim.manipulation)) for claim in claims)


def test_the_data_card_counts_what_is_there():
    card = (Path(__file__).parents[2] / "docs" / "stories.md").read_text(encoding="utf-8")
    cells = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", card, flags=re.MULTILINE))
    stances = Counter(row["stance"] for row in ROWS)
    pairs = sum(len(story["claims"]) * len(story["passages"]) for story in STORIES)
    decided = Counter({side: sum(len(p[side]) for p in PASSAGES) for side in ("supports", "refutes")})
    assert cells["stories"] == str(len(STORIES))
    assert cells["claims"].startswith(f"{sum(len(story['claims']) for story in STORIES):,}, ")
    assert cells["passages"].startswith(f"{len(PASSAGES):,}, ")
    assert cells["pairs judged"].startswith(
        f"{pairs:,}: {decided['supports']:,} support, {decided['refutes']:,} refute"
    )
    assert cells["rows"].startswith(
        f"{len(ROWS):,}: {stances['supported']:,} supported, {stances['refuted']:,} refuted"
    )
