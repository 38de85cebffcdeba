"""How well claims and speakers are found in articles that people annotated, and what one article of 2020 says."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from claimsieve.intake.claims import claims_of
from claimsieve.intake.reading import read_document

ROOT = Path(__file__).parents[2]
GOLD = Path(__file__).parent / "gold"
DEV = GOLD / "dev"


@pytest.fixture(scope="module")
def measure():
    path = ROOT / "experiments" / "005-articles" / "measure.py"
    spec = importlib.util.spec_from_file_location("measure_articles", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not DEV.is_dir(), reason="the annotated articles are not here")
def test_claims_of_the_development_articles_are_found_and_ascribed(measure):
    counts = measure.measured(DEV)
    found = {name: value for name, (value, _) in measure.rates(counts).items()}
    assert sum(one.gold for one in counts) >= 60
    assert found["recall"] >= 0.85
    assert found["precision"] >= 0.75
    assert found["attribution"] >= 0.80


def test_two_annotators_see_the_same_claims(measure):
    counts = measure.measured(GOLD / "test", second=GOLD / "second")
    assert len(counts) == len(list((GOLD / "second").glob("*.gold.json")))
    for name, (value, n) in measure.rates(counts).items():
        assert value >= 0.9, name
        assert n >= 150


def test_a_speaker_is_right_when_an_alias_stands_in_it(measure):
    claim = {"speaker": "Hamad Hasan", "speaker_aliases": ["the health minister"]}
    assert measure.speaker_is_right("health minister Hamad Hasan", claim)
    assert measure.speaker_is_right("The health minister", claim)
    assert not measure.speaker_is_right("Hasan", claim)
    assert not measure.speaker_is_right(None, claim)
    assert measure.speaker_is_right(None, {"speaker": ""})
    assert not measure.speaker_is_right("the army", {"speaker": ""})


ARTICLE = os.environ.get("CLAIMSIEVE_ARTICLE")


@pytest.fixture(scope="module")
def article():
    if not ARTICLE or not Path(ARTICLE).is_file():
        pytest.skip("needs an article of 8 January 2020, named by CLAIMSIEVE_ARTICLE")
    document = read_document(ARTICLE)
    return document, claims_of(document)


@pytest.mark.parametrize(
    ("words", "speaker", "context"),
    [
        ("fired 22 missiles", None, "statement"),
        ("did not cause any casualties", "us and iraqi officials", "report"),
        ("hiding in bunkers", "us media", "report"),
        ("80 soldiers", "propaganda outlets", "report"),
        ("pictures of explosions", "social media channels", "report"),
    ],
)
def test_the_known_claims_of_an_article_each_appear_once_with_their_speaker(article, words, speaker, context):
    document, found = article
    (one,) = [one for one in found if words in one.claim]
    assert one.context == context
    assert (one.speaker is None) if speaker is None else speaker in (one.speaker or "").lower()
    assert words in document.article.text[one.span[0] : one.span[1]]


def test_its_posts_have_their_authors_and_its_remarks_are_evidence(article):
    document, found = article
    posts = {block.speaker for block in document.blocks if block.kind == "post"}
    assert posts == {"Khamenei.ir (@khamenei_ir)", "Hassan Rouhani (@HassanRouhani)"}
    (claim,) = [one for one in found if "80 soldiers" in one.claim]
    assert ["no evidence" in document.article.text[start:end] for start, end in claim.remarks] == [True]
