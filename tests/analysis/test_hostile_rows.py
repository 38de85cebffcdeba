"""Rows may come from anywhere: no text becomes markup, no address runs, no size breaks the page."""

import random
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyst_rows import ARTICLE, article_rows, labelled
from claimsieve.analysis.page import analysis_page
from html_pages import HOSTILE, Page

MORE = (
    "</title><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "' onmouseover='alert(1)",
    "\u202e\u2066evil\x00\x1b[2J",
    "]]><!--",
)
KEEP = {
    "label",
    "in",
    "kind",
    "context",
    "stance",
    "stance_basis",
    "name",
    "article",
    "date",
    "reasons",
    "prediction_set",
}


def poisoned(value, hostile, key=""):
    if isinstance(value, dict):
        return {name: poisoned(item, hostile, name) for name, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item, hostile, key) for item in value]
    return value + hostile if isinstance(value, str) and key not in KEEP else value


def assert_inert(text):
    page = Page(text)
    assert not {tag for tag, _ in page.elements} & {"script", "iframe", "object", "embed", "link", "base"}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], tag
        assert "style" not in attributes
        assert attributes.get("src", "data:image/jpeg;base64,").startswith("data:image/jpeg;base64,")
        assert re.match(r"#[\w-]+$|https?://", attributes.get("href", "#x"))
    assert len(page.all("style")) == 1
    assert len(page.all("title")) == 1
    return page


@pytest.mark.parametrize("hostile", [*HOSTILE, *MORE])
def test_what_a_row_says_does_not_become_markup(hostile):
    rows, article = poisoned(article_rows(), hostile), poisoned(ARTICLE, hostile)
    text = analysis_page(rows, articles=[article], model=f"m{hostile}", title=f"t{hostile}")
    page = assert_inert(text)
    clean = Page(analysis_page(article_rows(), articles=[ARTICLE], model="m", title="t"))
    # Marks of words come from offsets, which stay; nothing else may change the elements but links that are no more.
    assert {tag for tag, _ in page.elements} == {tag for tag, _ in clean.elements}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", text)
    elsewhere = analysis_page([labelled("x", (0.8, 0.1, 0.1), article=f"a{hostile}")])
    assert_inert(elsewhere)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", elsewhere)
    if hostile.isprintable():
        assert page.words.count(" ".join(hostile.split())) > 20


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "https://a b"])
def test_an_address_that_is_no_web_address_is_text(address):
    evidence = [{"text": "a passage", "url": address}]
    hit = {"picture": "x.jpg", "known": None, "distance": 1, "quality": 100, "page": address}
    match = {"claim": "another", "label": "verified", "url": address, "similarity": 0.9, "kind": "similar"}
    row = labelled("A claim", (0.8, 0.1, 0.1), evidence=evidence, pictures=[hit], matches=[match])
    page = assert_inert(analysis_page([row], articles=[ARTICLE | {"url": address}]))
    assert page.words.count(f"address not linked: {address}") == 3


def test_long_claims_and_words_are_shown():
    words = random.Random(1)
    claim = "".join(words.choice("abcdefghij ") for _ in range(19_990)).strip()
    page = Page(analysis_page([labelled(claim, (0.8, 0.1, 0.1)), labelled("w" * 20_000, (0.1, 0.8, 0.1))]))
    assert page.words.count("The whole claim (20,000 characters)") == 1
    assert " ".join(claim.split()) in page.words
    assert "w" * 20_000 in page.words


def test_a_claim_beyond_the_limit_of_records_is_counted_as_unreadable():
    assert "1 row could not be read" in Page(analysis_page([labelled("w" * 20_001, (0.8, 0.1, 0.1))])).words


def test_long_evidence_is_cut_and_told():
    evidence = [{"text": "x" * 50_000}, *({"text": f"passage {number}"} for number in range(60))]
    text = analysis_page([labelled("A claim", (0.8, 0.1, 0.1), evidence=evidence)])
    assert len(text) < 100_000
    words = Page(text).words
    assert "46,000 more characters are left out" in words
    assert "41 further passages are left out of this page." in words


def test_a_page_that_would_be_too_large_for_a_browser_is_cut_and_told(monkeypatch):
    monkeypatch.setattr("claimsieve.analysis.page.MAX_CHARACTERS", 50_000)
    rows = [labelled(f"claim {number} " + "x" * 9_000, (0.8, 0.1, 0.1)) for number in range(50)]
    text = analysis_page(rows)
    assert len(text) < 150_000
    shown = len(re.findall('<article class="card', text))
    assert f"{50 - shown} more rows are left out" in Page(text).words


def test_thousands_of_marks_over_one_another():
    text = "word " * 2_000
    rows = [
        labelled(f"claim {number}", (0.8, 0.1, 0.1), article="a", span=[number, len(text) - number])
        for number in range(2_000)
    ]
    found = analysis_page(rows, articles=[{"name": "a", "text": text}])
    assert found.count('id="mark-') == 2_000
    assert len(found) < 20_000_000


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = (
    *("id", "source", "date", "evidence", "media", "lang", "label", "p_verified", "p_unverified", "p_propaganda"),
    *("stance", "stance_basis", "manipulation", "p_supported", "p_manipulated", "prediction_set", "abstained"),
    *("reasons", "explanation", "article", "span", "context", "pictures", "matches"),
)
PARTS = (
    *("words", "passages", "text", "in", "passage", "start", "end", "weight", "picture", "known", "distance"),
    *("page", "claim", "label", "url", "kind"),
)
objects = st.dictionaries(st.sampled_from(PARTS), values)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from(KEYS), values | objects | st.lists(objects, max_size=3)),
    st.lists(objects, max_size=2),
)
def test_whatever_stands_in_a_row_the_page_is_made(row, articles):
    text = analysis_page([{"claim": "A claim"} | row], articles=[{"name": "a", "text": "An article"}, *articles])
    assert "A claim" in text
    text.encode()
