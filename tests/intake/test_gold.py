"""The gold annotation is whole: it quotes what stands there, leaves no word out, and no article repeats another."""

import json
import os
import re
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from gold_files import GOLD, PARTS, Gold, gold_articles, one_spaced, spans

CONTEXTS = {"statement", "report", "quote", "post", "caption"}
WHYS = {"opinion", "boilerplate", "question", "wish", "too vague", "heading", "byline"}
ARTICLES = gold_articles()
RUN_WORDS = 8

every_article = pytest.mark.parametrize("gold", ARTICLES, ids=lambda gold: f"{gold.part}/{gold.name}")


def test_the_parts_have_the_articles_and_formats_that_the_guidelines_promise() -> None:
    assert Counter(gold.part for gold in ARTICLES) == {"dev": 12, "test": 16, "demo": 1}
    suffixes = Counter(gold.path.suffix for gold in ARTICLES if gold.part != "demo")
    assert suffixes == {".txt": 14, ".md": 9, ".html": 5}
    assert {gold.path.suffix for gold in gold_articles("dev")} == set(suffixes)


def test_the_guidelines_count_what_is_there() -> None:
    table = (GOLD / "README.md").read_text(encoding="utf-8")
    for part in PARTS:
        golds = gold_articles(part)
        claims, others = sum(len(gold.claims) for gold in golds), sum(len(gold.not_claims) for gold in golds)
        assert re.search(rf"^\| `{part}` \| {len(golds)} \| [^|]+ \| {claims} \| {others} \|", table, re.MULTILINE)


def test_no_article_lacks_an_annotation() -> None:
    files = [path for part in ("dev", "test") for path in (GOLD / part).iterdir() if path.suffix != ".json"]
    assert sorted(files) == sorted(gold.path for gold in ARTICLES if gold.part != "demo")


@every_article
def test_articles_have_the_length_of_news(gold: Gold) -> None:
    low, high = (450, 600) if gold.part == "demo" else (350, 700)
    assert low <= len(gold.text.split()) <= high


@every_article
def test_annotations_have_all_their_fields_and_no_other(gold: Gold) -> None:
    raw = json.loads((GOLD / gold.part / f"{gold.name}.gold.json").read_text(encoding="utf-8"))
    assert set(raw) == {"article", "claims", "not_claims"}
    assert set(gold.article) == {"title", "date", "author", "outlet"}
    for claim in gold.claims:
        assert set(claim) - {"occurrence"} == {"quote", "speaker", "speaker_aliases", "context", "claim"}
        assert claim["context"] in CONTEXTS, claim
        assert claim["claim"].strip(), claim
        assert claim["quote"] == one_spaced(claim["quote"]), claim
        assert len(set(claim["speaker_aliases"])) == len(claim["speaker_aliases"]), claim
    for passed in gold.not_claims:
        assert set(passed) - {"occurrence"} == {"quote", "why"}
        assert passed["why"] in WHYS, passed
        assert passed["quote"] == one_spaced(passed["quote"]), passed


@every_article
def test_what_a_reader_should_get_stands_in_the_file(gold: Gold) -> None:
    raw = gold.path.read_text(encoding="utf-8")
    assert gold.article["title"] in gold.text
    assert gold.article["author"].casefold() in raw.casefold()  # one article has none
    assert gold.article["outlet"].casefold() in raw.casefold()
    year, month, day = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", gold.article["date"]).groups()
    assert year in raw
    assert re.search(rf"(?<!\d)0?{int(day)}(?!\d)", raw)
    assert 1 <= int(month) <= 12


@every_article
def test_every_quote_stands_there_where_it_says(gold: Gold) -> None:
    for annotation in (*gold.claims, *gold.not_claims):
        assert gold.text.count(annotation["quote"]) >= annotation.get("occurrence", 1), annotation
        if gold.text.count(annotation["quote"]) > 1:
            assert "occurrence" in annotation, annotation


@every_article
def test_every_word_lies_in_one_list_and_in_one_only(gold: Gold) -> None:
    """Two claims may share a span word for word; beyond that nothing overlaps, and nothing is left out."""
    claimed = {spans(gold, claim) for claim in gold.claims}
    passed = [spans(gold, one) for one in gold.not_claims]
    ordered = sorted([*claimed, *passed])
    assert all(a[1] <= b[0] for a, b in pairwise(ordered))
    for word in re.finditer(r"\w+", gold.text):
        assert any(start <= word.start() and word.end() <= end for start, end in ordered), word


@every_article
def test_who_speaks_fits_the_context_and_is_named_in_the_article(gold: Gold) -> None:
    text = _plain(gold.text)
    for claim in gold.claims:
        if claim["context"] == "statement":
            assert not claim["speaker"], claim
        if claim["context"] in ("quote", "post"):
            assert claim["speaker"], claim
        if claim["speaker"]:
            assert any(_plain(name) in text for name in (claim["speaker"], *claim["speaker_aliases"])), claim
        else:
            assert not claim["speaker_aliases"], claim


def test_all_contexts_and_reasons_occur_in_dev_and_in_test() -> None:
    for part in ("dev", "test"):
        golds = gold_articles(part)
        assert {claim["context"] for gold in golds for claim in gold.claims} == CONTEXTS
        assert {one["why"] for gold in golds for one in gold.not_claims} == WHYS


def test_no_article_shares_a_run_of_words_with_another() -> None:
    runs = {f"{gold.part}/{gold.name}": _runs(gold.text) for gold in ARTICLES}
    assert {pair: shared for pair in combinations(runs, 2) if (shared := runs[pair[0]] & runs[pair[1]])} == {}


def test_the_demo_article_is_not_copied_from_the_newspaper_of_that_day() -> None:
    if not (path := os.environ.get("CLAIMSIEVE_ARTICLE")):
        pytest.skip("CLAIMSIEVE_ARTICLE does not name the newspaper article")
    newspaper = _runs(Path(path).read_text(encoding="utf-8"))
    (demo,) = gold_articles("demo")
    assert _runs(demo.text) & newspaper == set()


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[at : at + RUN_WORDS]) for at in range(len(words) - RUN_WORDS + 1)}


def _plain(text: str) -> str:
    return text.casefold().replace("’", "'")
