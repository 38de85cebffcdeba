"""Which passages are chosen for a claim, and which never are."""

import json

import numpy as np
import pytest

from claimsieve.errors import DataError
from claimsieve.intake.claims import claims_of
from claimsieve.intake.evidence import Limits, Pool
from claimsieve.intake.evidence_files import read_evidence
from claimsieve.intake.passages import Passage, last_day, passages_of
from claimsieve.intake.reading import document_of
from claimsieve.intake.sources import Source
from claimsieve.records import Evidence

STORY = """Title: A dam

Date: 2021-03-04

Police said two people drowned in Tarsk.

The mayor of Tarsk said nobody drowned. He spoke at noon.

Police told reporters that two people drowned in Tarsk on Monday.

Baker Ann Lee sold 300 loaves of bread.
"""


@pytest.fixture
def document():
    return document_of(Source("dam.txt", STORY, "text"))


def pool_of(*passages: Passage | str, embedder=None, **limits) -> Pool:
    listed = [Passage(Evidence(one)) if isinstance(one, str) else one for one in passages]
    return Pool(listed, limits=Limits(**limits), embedder=embedder)


def texts(found) -> list[str]:
    return [passage.text for passage in found]


def test_neither_the_sentence_itself_nor_the_same_said_again_is_evidence(document):
    claims = claims_of(document)
    first = claims[0]
    assert (first.speaker, first.claim) == ("Police", "Two people drowned in Tarsk.")
    found = pool_of(*passages_of(document, claims)).evidence_for(first, article="dam.txt")
    assert texts(found) == ["The mayor of Tarsk said nobody drowned."]


def test_another_who_says_the_same_is_evidence(document):
    claims = claims_of(document)
    other = document_of(Source("other.txt", "The water board said two people drowned in Tarsk.", "text"))
    found = pool_of(*passages_of(document, claims), *passages_of(other)).evidence_for(claims[0], article="dam.txt")
    assert "The water board said two people drowned in Tarsk." in texts(found)


DENIED = """Posts shared thousands of times claim that the lake was poisoned. The water board called this baseless.

Bread prices rose by a third in Tarsk. The lake was calm.
"""


def test_a_word_on_the_sentence_before_is_found_by_that_sentence():
    document = document_of(Source("lake.txt", DENIED, "text"))
    claims = claims_of(document)
    pool = pool_of(*passages_of(document, claims))
    assert claims[0].claim == "The lake was poisoned."
    assert texts(pool.evidence_for(claims[0], article="lake.txt"))[0] == "The water board called this baseless."
    prices = next(one for one in claims if "prices" in one.claim)
    assert texts(pool.evidence_for(prices, article="lake.txt")) == []


def test_a_word_on_the_sentence_before_brings_it_to_another_claim():
    document = document_of(Source("lake.txt", DENIED, "text"))
    (claim,) = claims_of(document_of(Source("other.txt", "Officials say the lake was never poisoned.", "text")))
    found = " ".join(texts(pool_of(*passages_of(document)).evidence_for(claim, article="other.txt")))
    assert found.count("Posts shared thousands of times claim that the lake was poisoned.") == 1
    assert found.count("The water board called this baseless.") == 1


def test_a_sentence_that_begins_with_a_pronoun_brings_the_one_before(document):
    claims = claims_of(document)
    bread = next(one for one in claims if "bread" in one.claim)
    story = "The mayor of Tarsk, Jan Holt, was there. He counted 280 loaves of bread."
    other = document_of(Source("other.txt", story, "text"))
    assert texts(pool_of(*passages_of(other)).evidence_for(bread, article="dam.txt")) == [story]


def test_nothing_later_than_as_of_is_used(document):
    claim = claims_of(document)[0]
    dates = ("2021-03-03", "2021-03-04", "2021-03-05", "2021-03", "2021", None)
    passages = [
        Passage(Evidence(f"Two people drowned, witness {place}.", date=date)) for place, date in enumerate(dates)
    ]

    def used(**limits):
        return sorted(
            str(one.date) for one in pool_of(*passages, passages=10, **limits).evidence_for(claim, article="a")
        )

    assert used(as_of="2021-03-04") == ["2021-03-03", "2021-03-04", "None"]
    assert used(as_of="2021-03-04", dated_only=True) == ["2021-03-03", "2021-03-04"]
    assert used(as_of="2021-03") == ["2021-03", "2021-03-03", "2021-03-04", "2021-03-05", "None"]
    assert len(used()) == 6


def test_last_days():
    assert [last_day(date) for date in ("2020", "2020-02", "2020-02-03")] == ["2020-12-31", "2020-02-29", "2020-02-03"]


def test_at_most_so_many_and_none_that_has_nothing_in_common(document):
    claim = claims_of(document)[0]
    passages = [f"People drowned near mill {number}." for number in range(9)]
    assert len(pool_of(*passages, "Bread was sold.").evidence_for(claim, article="a")) == 5
    assert len(pool_of(*passages, passages=2).evidence_for(claim, article="a")) == 2
    assert pool_of(*passages, passages=0).evidence_for(claim, article="a") == ()
    assert pool_of("Bread was sold.").evidence_for(claim, article="a") == ()


class Directions:
    """Stands for an encoder: texts about water point one way, all others another."""

    def embed(self, listed):
        return np.array(
            [[1, 0] if "water" in text or "drowned" in text else [0, 1] for text in listed], dtype=np.float32
        )


def test_meaning_finds_what_words_do_not(document):
    claim = claims_of(document)[0]
    passages = ("The water took somebody.", "Bread was sold.")
    assert pool_of(*passages).evidence_for(claim, article="a") == ()
    assert texts(pool_of(*passages, embedder=Directions()).evidence_for(claim, article="a")) == [passages[0]]


def test_what_words_and_meaning_both_find_comes_first(document):
    claim = claims_of(document)[0]
    passages = ("Two people sold bread.", "The water took somebody.", "Two people drowned.")
    found = texts(pool_of(*passages, embedder=Directions()).evidence_for(claim, article="a"))
    assert found[0] == "Two people drowned."
    assert set(found) == set(passages)


def test_the_articles_own_word_on_a_claim_is_its_first_evidence():
    from claimsieve.intake.passages import remarks_of

    text = 'State outlets claim that "80 soldiers" were killed, but there is no evidence to support this.'
    document = document_of(Source("a", text, "text"))
    (claim,) = claims_of(document)
    assert texts(remarks_of(document, claim)) == ["There is no evidence to support this."]


def test_evidence_files_of_rows_and_of_articles(tmp_path):
    rows = [
        {"text": "Two drowned.", "source": "Echo", "date": "2021-03-04", "url": "https://a.example"},
        {"claim": "Nobody drowned.", "source": "mayor", "evidence": [{"text": "He was not there.", "date": "2021"}]},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [one.evidence for one in read_evidence([str(path)]).passages] == [
        Evidence("Two drowned.", "Echo", "2021-03-04", "https://a.example"),
        Evidence("Nobody drowned.", "mayor"),
        Evidence("He was not there.", date="2021"),
    ]
    (tmp_path / "dam.txt").write_text(STORY)
    assert {one.evidence.date for one in read_evidence([str(tmp_path / "dam.txt")]).passages} == {"2021-03-04"}


def test_a_bad_row_of_evidence_is_a_reject_and_the_others_are_used(tmp_path):
    bad = [
        '{"text": "a", "url": "https://a/\\ud800"}',
        '{"text": " "}',
        "{",
        '{"source": "a"}',
        '{"text": 7}',
        '{"text": "a", "date": "May"}',
        '{"claim": ""}',
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([*bad, '{"text": null, "claim": "Two drowned."}']) + "\n")
    found = read_evidence([str(path)])
    assert [one.evidence for one in found.passages] == [Evidence("Two drowned.")]
    assert {one.file for one in found.rejects} == {str(path)}
    assert [(one.place, one.reason) for one in found.rejects] == [
        (1, "'url' holds half a character (a lone surrogate)"),
        (2, "a passage with an empty text"),
        (3, "not JSON: Expecting property name enclosed in double quotes at character 3"),
        (4, "a passage without a text ('text' or 'claim')"),
        (5, "expected text in 'text', found a number"),
        (6, "expected 'date' as YYYY, YYYY-MM or YYYY-MM-DD, found 'May'"),
        (7, "a passage with an empty text"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "rows.jsonl",
            '{"text": ""}\n',
            "found no row that can be read. The first, in line 1: a passage with an empty",
        ),
        ("rows.jsonl", None, "cannot be read"),
        ("rows.csv", "text\na\n", "--evidence .*rows.csv: expected rows of passages or an article .*.jsonl.* '.csv'"),
    ],
)
def test_evidence_that_cannot_be_read_at_all_is_an_error(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        read_evidence([str(tmp_path / name)])


def test_the_encoder_tells_like_from_unlike():
    from claimsieve.intake.similarity import Embedder

    vectors = Embedder().embed(
        ["No troops were hurt.", "There were no military casualties.", "Bread was sold in the market."]
    )
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.5 > 0.3 > vectors[0] @ vectors[2]
