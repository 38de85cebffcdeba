import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.records import (
    LABELS,
    MAX_CLAIM_CHARACTERS,
    MAX_EVIDENCE_CHARACTERS,
    STANCES,
    Claim,
    Evidence,
    RecordError,
    claim_from_row,
    label_of,
    row_of_claim,
)

CODEBOOK = {
    ("supported", False): "verified",
    ("supported", True): "verified",
    ("insufficient", False): "unverified",
    ("insufficient", True): "propaganda",
    ("conflicting", False): "unverified",
    ("conflicting", True): "propaganda",
    ("refuted", False): "propaganda",
    ("refuted", True): "propaganda",
}

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
words = text.map(lambda drawn: f"{drawn}a")  # something in it can be seen
names = text.filter(bool)
dates = st.one_of(
    st.dates().map(str), st.dates().map(lambda day: str(day)[:7]), st.integers(1, 9999).map(lambda year: f"{year:04}")
)
passages = st.builds(Evidence, text=words, source=st.none() | text, date=st.none() | dates, url=st.none() | text)
verdicts = st.one_of(
    st.tuples(st.none(), st.none() | st.sampled_from(LABELS)),
    st.tuples(st.sampled_from(STANCES), st.sampled_from(LABELS)),
)


@st.composite
def claims(draw):
    """Any claim that can be written down; a stance comes with a label."""
    stance, label = draw(verdicts)
    optional = {name: draw(st.none() | text) for name in ("source", "lang", "corpus")}
    optional |= {name: draw(st.none() | names) for name in ("id", "event", "rating")}
    return Claim(
        claim=draw(words),
        date=draw(st.none() | dates),
        evidence=tuple(draw(st.lists(passages, max_size=3))),
        media=tuple(draw(st.lists(text, max_size=2))),
        manipulation=draw(st.none() | st.lists(text, max_size=2).map(tuple)),
        label=label,
        stance=stance,
        **optional,
    )


@pytest.mark.parametrize(("stance", "manipulation"), CODEBOOK)
def test_the_label_is_the_codebooks(stance, manipulation):
    label = CODEBOOK[stance, manipulation]
    assert label_of(stance, manipulation) == label
    row = {"claim": "a", "stance": stance, "manipulation": ["recycled"] if manipulation else []}
    assert claim_from_row(row).label == label


def test_a_label_in_the_row_stands_whatever_the_table_says():
    assert claim_from_row({"claim": "a", "stance": "refuted", "label": "unverified"}).label == "unverified"


@given(claims())
@settings(deadline=None)
def test_a_claim_written_and_read_is_the_same_claim(claim):
    assert claim_from_row(json.loads(json.dumps(row_of_claim(claim)))) == claim


def test_only_the_claim_is_required_and_unknown_keys_are_ignored():
    assert claim_from_row({"claim": "a"}) == Claim(claim="a")
    assert claim_from_row({"claim": "a", "verdict": 7, "probability": float("nan")}) == Claim(claim="a")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, ()),
        ("", ()),
        ([], ()),
        ("one", (Evidence("one"),)),
        (["one", "two"], (Evidence("one"), Evidence("two"))),
        (["one", "", "  \n"], (Evidence("one"),)),
        ({"text": "one", "date": "2020-01", "page": 3}, (Evidence("one", date="2020-01"),)),
        (
            [{"text": "one", "source": "a", "date": "2020", "url": "b"}, "two"],
            (Evidence("one", "a", "2020", "b"), Evidence("two")),
        ),
    ],
)
def test_evidence_comes_in_many_shapes(given, found):
    assert claim_from_row({"claim": "a", "evidence": given}).evidence == found


def test_techniques_looked_for_and_not_found_are_not_techniques_nobody_looked_for():
    assert claim_from_row({"claim": "a", "manipulation": []}).manipulation == ()
    assert claim_from_row({"claim": "a", "manipulation": None}).manipulation is None
    assert claim_from_row({"claim": "a", "manipulation": "recycled"}).manipulation == ("recycled",)
    assert "manipulation" not in row_of_claim(Claim("a"))


@pytest.mark.parametrize("key", ["id", "event", "rating"])
def test_whole_numbers_become_text(key):
    assert getattr(claim_from_row({"claim": "a", key: 553529101659566080}), key) == "553529101659566080"
    assert getattr(claim_from_row({"claim": "a", key: ""}), key) is None


@pytest.mark.parametrize("date", ["2020", "2020-02", "2020-02-29", "0001-01-01", "9999"])
def test_dates_may_stop_at_the_year_or_the_month(date):
    assert claim_from_row({"claim": "a", "date": date, "evidence": {"text": "b", "date": date}}).date == date


@pytest.mark.parametrize(
    "date",
    ["2019-02-29", "2020-13", "2020-00", "0000", "2020-1-8", "20200108", "8 January 2020", "２０２０", 2020, True],
)
def test_impossible_dates_are_refused(date):
    with pytest.raises(RecordError, match="expected 'date' as YYYY, YYYY-MM or YYYY-MM-DD, found"):
        claim_from_row({"claim": "a", "date": date})
    with pytest.raises(RecordError, match="expected 'evidence date' as YYYY"):
        claim_from_row({"claim": "a", "evidence": [{"text": "b", "date": date}]})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a", "expected an object with a key 'claim', found text"),
        ([], "found a list"),
        (None, "found null"),
        ({}, "no claim"),
        ({"claim": None, "text": "a"}, "no claim"),
        ({"claim": ""}, "the claim is empty"),
        ({"claim": " \t\n"}, "the claim is empty"),
        ({"claim": 5}, "expected text in 'claim', found a number"),
        ({"claim": 10**400}, "expected text in 'claim', found a number"),
        ({"claim": float("nan")}, "found not a finite number"),
        ({"claim": True}, "found true or false"),
        ({"claim": ["a"]}, "found a list"),
        ({"claim": b"a"}, "found bytes"),
        ({"claim": "a", "source": 5}, "expected text in 'source', found a number"),
        ({"claim": "a", "id": True}, "expected text or a whole number in 'id', found true or false"),
        ({"claim": "a", "id": 1.0}, "expected text or a whole number in 'id', found a number"),
        ({"claim": "a", "event": ["a"]}, "expected text or a whole number in 'event', found a list"),
        (
            {"claim": "a", "label": "fake"},
            "expected 'label' to be one of verified, unverified, propaganda, found 'fake'",
        ),
        ({"claim": "a", "label": 1}, "expected 'label' to be one of .*, found 1"),
        ({"claim": "a", "stance": ["refuted"]}, "expected 'stance' to be one of"),
        ({"claim": "a", "evidence": 5}, "expected an evidence passage as text or object, found a number"),
        ({"claim": "a", "evidence": [None]}, "found null"),
        ({"claim": "a", "evidence": [["b"]]}, "found a list"),
        ({"claim": "a", "evidence": [{"url": "b"}]}, "an evidence passage has no text"),
        ({"claim": "a", "evidence": [{"text": 5}]}, "expected text in 'text', found a number"),
        ({"claim": "a", "manipulation": ["b", 5]}, "expected a list of texts in 'manipulation'"),
        ({"claim": "a", "manipulation": False}, "expected a list of texts in 'manipulation', found true or false"),
        ({"claim": "a", "media": {"b": "c"}}, "expected a list of texts in 'media', found an object"),
    ],
)
def test_a_row_that_makes_no_claim_is_refused_with_the_reason(row, reason):
    with pytest.raises(RecordError, match=reason):
        claim_from_row(row)


def test_texts_have_limits():
    assert claim_from_row({"claim": "a" * MAX_CLAIM_CHARACTERS})
    with pytest.raises(RecordError, match="'claim' has 5,000,000 characters; the limit is 20,000"):
        claim_from_row({"claim": "a" * 5_000_000})
    half = "b" * (MAX_EVIDENCE_CHARACTERS // 2)
    assert len(claim_from_row({"claim": "a", "evidence": [half, half]}).evidence) == 2
    with pytest.raises(RecordError, match="the evidence is longer than 1,000,000 characters"):
        claim_from_row({"claim": "a", "evidence": [half, half, "c"]})


@pytest.mark.parametrize(
    "key", ["claim", "id", "source", "event", "rating", "lang", "media", "manipulation", "evidence"]
)
def test_half_a_character_is_refused_wherever_it_stands(key):
    with pytest.raises(RecordError, match="holds half a character"):
        claim_from_row({"claim": "a", **json.loads(f'{{"{key}": "\\ud800"}}')})


def test_a_refusal_quotes_little_of_what_it_refuses():
    with pytest.raises(RecordError) as refusal:
        claim_from_row({"claim": "a", "label": "x" * 1_000_000})
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("blank", ["", " ", "\u200b", "\ufeff \u2060\n", "\x00\x07", "\u202e\u200d"])
def test_what_cannot_be_seen_is_neither_a_claim_nor_evidence(blank):
    with pytest.raises(RecordError, match="the claim is empty"):
        claim_from_row({"claim": blank})
    assert claim_from_row({"claim": "a", "evidence": [blank, "b"]}).evidence == (Evidence("b"),)
    assert claim_from_row({"claim": f"{blank}a"}).claim == f"{blank}a"
