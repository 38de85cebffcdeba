"""Earlier verdicts on the page: in their own words, with who, when and where, and never surer than they are."""

from analyst_rows import labelled
from claimsieve.analysis.page import analysis_page
from claimsieve.analysis.seen import matches_of
from html_pages import Page

SAME = {
    "claim": "Two people drowned.",
    "label": "Pants on fire",
    "date": "2021-03-06",
    "source": "River Desk",
    "url": "https://desk.example/1",
    "similarity": 0.7,
    "kind": "similar",
}
PERHAPS = {
    "claim": "Three people drowned.",
    "label": "verified",
    "similarity": 0.95,
    "kind": "suggested",
    "why": ["number: two here, three there"],
}


def page_of(*rows):
    return Page(
        analysis_page([labelled(f"A claim {number}", (0.8, 0.1, 0.1), **row) for number, row in enumerate(rows)])
    )


def test_a_verdict_stands_in_the_words_it_was_given_in():
    page = page_of({"matches": [SAME]})
    assert "Judged before Pants on fire “Two people drowned.”a similar claim (similarity .70)" in page.words
    assert "(similarity .70) · River Desk · 6 March 2021 · read it" in page.words
    assert {"href": "https://desk.example/1", "rel": "noopener noreferrer nofollow"} in page.all("a")
    assert "1 was judged before, in the same or in other words." in page.words


def test_what_is_perhaps_the_same_claim_says_why_and_is_not_called_judged():
    words = page_of({"matches": [PERHAPS]}).words
    assert "Perhaps judged before verified “Three people drowned.”" in words
    assert "perhaps the same claim (similarity .95): number: two here, three there · no date" in words
    assert "Judged before" not in words
    assert "1 perhaps was judged before: the earlier claim is only like it" in words


def test_the_same_claim_comes_before_what_is_only_nearly_the_same_in_words():
    found = matches_of({"matches": [PERHAPS, SAME, {"claim": "x", "kind": "duplicate", "similarity": 0.9}, PERHAPS]})
    assert [match.kind for match in found] == [
        "the same claim",
        "a similar claim",
        "perhaps the same claim",
        "perhaps the same claim",
    ]
    # What another program calls a match is not taken for the same claim.
    assert not matches_of({"matches": [{"claim": "x", "kind": "same-ish"}]})[0].is_sure


def test_a_machine_s_label_and_a_claim_without_a_verdict_are_no_judgement():
    words = page_of({"matches": [SAME | {"machine_made": True}]}, {"matches": [SAME | {"label": None}]}).words
    assert "Perhaps judged before Pants on fire (by a machine)" in words
    assert "Perhaps judged before no verdict" in words
    assert "2 perhaps were judged before:" in words
    assert "in the same or in other words" not in words


def test_without_matches_nothing_is_said():
    for row in ({}, {"matches": []}, {"matches": None}, {"matches": "many"}):
        assert "udged before" not in page_of(row).words


def test_a_long_verdict_is_cut_and_hidden_signs_are_written_out():
    words = page_of({"matches": [SAME | {"label": "no\u202e " + "very " * 100}]}).words
    assert "no⟨U+202E⟩ very very" in words
    assert " … “Two people drowned.”" in words


def test_earlier_verdicts_are_not_folded_so_that_they_are_printed():
    text = analysis_page([labelled("A claim", (0.8, 0.1, 0.1), matches=[SAME])])
    before = text[: text.index("Pants on fire")]
    assert before.count("<details") == before.count("</details>")
