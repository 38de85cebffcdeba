"""The page shows what the rows say, leads from the article to the claims and back, and says what it leaves out."""

import base64
import hashlib
import itertools
import json
import re
from typing import get_args

import pytest

from analyst_rows import ARTICLE, TEXT, article_rows, draw_pictures, labelled, marked
from claimsieve.analysis.articles import article_views
from claimsieve.analysis.cards import card_of
from claimsieve.analysis.page import MAX_ROWS, analysis_page
from claimsieve.analysis.pictures import Thumbnails
from claimsieve.analysis.wording import REASONS
from claimsieve.evaluation.conformal import Reason
from claimsieve.media.evidence import PictureReason
from html_pages import Page


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("rows")
    draw_pictures(made / "pictures")
    return made


@pytest.fixture(scope="module")
def text(folder):
    return analysis_page(article_rows(), articles=[ARTICLE], model="runs/flagship", thumbnails=Thumbnails([folder]))


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


@pytest.fixture(scope="module")
def cards(text):
    """Each card as a page of its own, by the number of the claim."""
    parts = re.split(r'<article class="card', text)[1:]
    return {
        int(re.search(r'id="claim-(\d+)"', part)[1]): Page(f'<article class="card{part}'[: _end(part)])
        for part in parts
    }


def _end(part):
    return part.index("</article>") + len('<article class="card') + len("</article>")


def test_the_page_is_whole_in_itself(page, text):
    assert not {tag for tag, _ in page.elements} & {"script", "iframe", "object", "embed", "link", "base"}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not [attributes for _, attributes in page.elements if "style" in attributes]
    assert all(picture["src"].startswith("data:image/jpeg;base64,") for picture in page.all("img"))
    assert "url(" not in page.style
    assert "@import" not in page.style


def test_the_policy_allows_this_style_sheet_and_nothing_else(page, text):
    [policy] = [one["content"] for one in page.all("meta") if "http-equiv" in one]
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_every_claim_has_its_label_in_words_and_in_numbers(text, cards):
    for number, row in enumerate(article_rows(), start=1):
        words = cards[number].words
        assert row["label"].capitalize() in words
        assert row["source"] in words
        assert f"{row['p_propaganda'] * 100:.3g}\xa0%" in "".join(cards[number].text)
        assert ("For a person" in words) == row["abstained"]


def test_why_a_person_decides_is_said_in_words(cards):
    assert "Cannot be ruled out: verified and unverified. A person decides." in cards[3].words
    assert "the model does not know how" in cards[3].words
    assert "The other two labels are ruled out." in cards[2].words
    assert "Weigh the sources." in cards[2].words
    assert "No evidence came with it" in cards[7].words
    assert "A person decides, however sure the model is. No evidence came with it" in cards[8].words
    of_pictures = {word for part in get_args(PictureReason) for word in get_args(part) or (part,)}
    assert set(REASONS) == {
        *get_args(Reason),
        *of_pictures,
        "picture_recycled",
        "picture_undated_claim",
        "date_unreadable",
    }


def test_two_axes_are_told_where_the_model_has_them(cards):
    assert "The evidence contradicts it. supported 5" in cards[4].words
    assert "Its words resemble manipulation." in cards[4].words
    assert "resemble manipulation" not in cards[2].words
    annotated = labelled("A claim", (0.8, 0.1, 0.1), stance="refuted", manipulation=["recycled"])  # by its corpus
    assert "contradicts it" not in Page(analysis_page([annotated])).words


def test_evidence_comes_by_weight_with_source_date_and_link(cards):
    words = cards[4].words
    places = [words.index(name) for name in ("Pentagon", "Ministry of Defence", "1 more passage")]
    assert places == sorted(places)
    assert "speaks for the label (+2.73)" in words
    assert "8 January 2020" in words
    assert {"href": "https://pentagon.example/briefing", "rel": "noopener noreferrer nofollow"} in cards[4].all("a")


def test_words_that_mattered_are_marked_where_they_stand(text, cards):
    assert '<mark class="for w3">no soldier was killed</mark>' in text
    assert '<mark class="against w1">dead at eighty</mark>' in text
    assert '<mark class="for w1">Eighty</mark>' in text
    assert "no soldier was killed+2.31" in cards[4].words  # and once more as text, for whom a mark says nothing


def test_what_is_missing_is_said(cards):
    assert "What is missing" in cards[3].words
    assert "The only passage names no source that could be asked." in cards[3].words
    assert "All evidence is from the one who says it" in cards[5].words
    assert "No evidence came with the claim." in cards[8].words
    assert "What is missing" not in cards[1].words


def test_a_recycled_picture_stands_beside_the_older_one(cards):
    card = cards[6]
    assert len(card.all("img")) == 2
    assert "The older one: known since 12 June 2017, another country, “Skyline after shelling”" in card.words
    assert "distance 6" in card.words
    assert {picture["alt"] for picture in card.all("img")} == {
        "The picture that came with the claim",
        "The older picture that it resembles",
    }


def test_a_recycled_picture_is_a_badge_and_no_label_is_ruled_out_beside_it(cards):
    words = cards[6].words
    assert "For a person Recycled picture" in words
    assert "A person decides, however sure the model is. A picture that came with it was known before" in words
    assert "ruled out" not in words
    assert "Recycled picture" not in cards[4].words


def test_a_picture_without_an_answer_is_told_apart_from_one_that_is_not_known():
    def words(media, **columns):
        return Page(analysis_page([labelled("A claim", (0.8, 0.1, 0.1), media=media, **columns)])).words

    outside = {"picture": "../a.jpg", "reason": "picture_outside", "words": "expected a file below the folder"}
    found = words(["../a.jpg"], pictures=[], pictures_unmatched=[outside], reasons=["picture_outside"])
    assert "Its picture: no answer: expected a file below the folder" in found
    assert "lies outside the folder that may be read" in found
    assert "picture_outside" not in found
    assert "not found among those known" not in found
    both = words(["../a.jpg", "b.jpg"], pictures=[], pictures_unmatched=[outside])
    assert "Its pictures: not found" not in both
    assert "With the claim: not found among those known (b.jpg)" in both
    assert "With the claim: no answer: expected a file below the folder (../a.jpg)" in both
    many = {"picture": "b.jpg", "reason": "pictures_too_many", "words": "the others were not looked at"}
    assert "not looked at (c.jpg)" in words(["a.jpg", "b.jpg", "c.jpg"], pictures=[], pictures_unmatched=[many])
    assert "Its picture: not found among those known" in words(["a.jpg"], pictures=[], pictures_unmatched=[])
    assert "With the claim (a.jpg)" in words(["a.jpg"])


def test_a_picture_that_is_not_there_is_told_in_words():
    page = Page(analysis_page(article_rows(), articles=[ARTICLE]))
    assert page.all("img") == []
    assert page.words.count("not shown: pictures are not read for this page") == 2
    assert "(pictures/known.jpg)" in page.words


def test_earlier_verdicts_are_told(cards):
    words = cards[4].words
    assert "Judged before" in words
    assert words.index("80 US troops died") < words.index("Dozens of soldiers")
    assert "the same claim (similarity .91) · Desk archive" in words


def test_marks_lead_to_their_claims_and_back(page, text):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [link["href"][1:] for link in page.all("a") if link["href"].startswith("#")]
    assert set(targets) <= set(ids)
    for number in range(1, 9):
        assert f"claim-{number}" in targets
        assert f"mark-{number}" in targets
        assert f"mark-{number}" in ids
    outer, inner = re.findall(r'href="#claim-([45])"', text)[:2]
    assert (outer, inner) == ("4", "5")  # the claim within another has its own mark, before the rest of the other
    assert re.search(
        r'<a class="mark l-propaganda s\d+" href="#claim-4">eighty American soldiers lay <span class="keep">dead<', text
    )


def test_the_article_is_shown_whole_and_once():
    cards = [card_of(row, number, Thumbnails([])) for number, row in enumerate(article_rows(), start=1)]
    [view], others = article_views([ARTICLE], cards)
    assert others == []
    assert "\n\n".join("".join(piece.text for piece in paragraph) for paragraph in view.paragraphs) == TEXT
    assert view.marked == frozenset(range(1, 9))


def test_the_headline_is_shown_once_unless_a_claim_is_marked_in_it():
    title = ARTICLE["title"]
    article = ARTICLE | {"text": f"{title}\n\n{TEXT}"}
    [view], _ = article_views([article], [])
    assert "\n\n".join("".join(piece.text for piece in paragraph) for paragraph in view.paragraphs) == TEXT
    assert Page(analysis_page([], articles=[article])).words.count(title) == 1
    row = labelled(title, (0.8, 0.1, 0.1), article=ARTICLE["name"], span=[0, len(title)])
    assert 'href="#claim-1"' in analysis_page([row], articles=[article])


@pytest.mark.parametrize(("lang", "told"), [("en", False), ("de", True), (None, True), ('"x', True)])
def test_an_article_that_is_not_in_english_says_so_and_its_text_has_its_language(lang, told):
    page = Page(analysis_page([], articles=[ARTICLE | {"lang": lang}], title=ARTICLE["title"]))
    assert ("not in English, or its language is not known" in page.words) == told
    known = lang if lang in ("en", "de") else ""
    assert {one["lang"] for one in page.all("p") if one.get("class") == "text"} == {known}
    assert page.all("h1")[0]["lang"] == known
    plain = Page(analysis_page([], articles=[ARTICLE]))
    assert "not in English" not in plain.words
    assert not [one for one in plain.all("p") if "lang" in one]


def test_a_claim_over_two_paragraphs_and_one_in_the_same_place():
    place = [TEXT.index("open ground"), TEXT.index("By breakfast") + 12]
    rows = [labelled(f"claim {n}", (0.8, 0.1, 0.1), article=ARTICLE["name"], span=place) for n in range(2)]
    cards = [card_of(row, number, Thumbnails([])) for number, row in enumerate(rows, start=1)]
    [view], _ = article_views([ARTICLE], cards)
    assert "\n\n".join("".join(piece.text for piece in paragraph) for paragraph in view.paragraphs) == TEXT
    ends = [card.number for paragraph in view.paragraphs for piece in paragraph for card in piece.ends]
    assert sorted(ends) == [1, 2]


@pytest.mark.parametrize("span", [[5, 5], [-1, 4], [0, 10**6], ["a", "b"], "0-5", [1.5, 3], {}])
def test_a_span_out_of_range_is_not_marked_and_told(span):
    row = labelled("A claim", (0.8, 0.1, 0.1), article=ARTICLE["name"], span=span)
    text = analysis_page([row], articles=[ARTICLE])
    assert 'class="mark' not in text
    assert "Claim 1 is not marked: its span does not lie within the text." in Page(text).words
    assert 'id="claim-1"' in text


def test_claims_of_no_article_stand_by_themselves():
    rows = [labelled("A claim from elsewhere", (0.8, 0.1, 0.1), article="other.html", span=[0, 4]), *article_rows()]
    words = Page(analysis_page(rows, articles=[ARTICLE])).words
    assert words.index("Claims from elsewhere") < words.index("A claim from elsewhere")
    assert "from other.html" in words


def test_the_summary_counts(page, text):
    tallies = re.findall(r'<b>(\d+)</b><span class="what">(?:<svg.*?</svg>)?([a-z ]+)<', text)
    assert tallies == [("2", "verified"), ("2", "unverified"), ("4", "propaganda"), ("5", "left to a person")]
    assert "1 came with a recycled picture, one older than the claim: a person looks at each." in page.words
    assert "seen before." not in page.words
    assert "Most often missing: no evidence came with it (2)" in page.words


def test_filters_know_what_there_is(page, text):
    names = {attributes["id"] for attributes in page.all("input")}
    assert names == {"f-all", "f-verified", "f-unverified", "f-propaganda", "f-person", "words"}
    assert len(page.all("option")) == 1 + len({row["source"] for row in article_rows()})


def test_readers_that_speak_find_their_way(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert page.all("html")[0]["lang"] == "en"
    assert all(picture.get("alt") for picture in page.all("img"))
    assert all(drawing.get("aria-hidden") == "true" for drawing in page.all("svg"))


def test_what_is_left_out_is_told():
    rows = [labelled(f"claim number {number}", (0.7, 0.2, 0.1)) for number in range(7)]
    words = Page(analysis_page(rows, limit=5)).words
    assert "This page shows the first 5 claims; 2 more rows are left out." in words
    whole = {"verified": 90, "propaganda": 1_000}
    words = Page(analysis_page(rows, limit=5, labels=whole, unreadable=3)).words
    assert "1,085 more rows are left out. In the whole file: 90 verified, 1,000 propaganda." in words
    assert "3 rows could not be read" in words
    assert "left out" not in Page(analysis_page(rows)).words
    assert MAX_ROWS == 2_000


def test_a_row_without_a_claim_is_counted_and_a_field_that_cannot_be_read_is_told():
    rows = [{"label": "verified"}, labelled("A claim", (0.8, 0.1, 0.1), date="last week", evidence=[{"text": 3}])]
    words = Page(analysis_page(rows)).words
    assert "1 row could not be read" in words
    assert "Left out: expected 'date' as YYYY" in words
    assert "Left out: expected text in 'text'" in words


def test_rows_without_a_label_or_a_calibration_say_so():
    words = Page(analysis_page([{"claim": "Nobody judged this"}])).words
    assert "Not labelled" in words
    assert "Show all" not in words
    uncalibrated = labelled("A claim", (0.8, 0.1, 0.1))
    del uncalibrated["prediction_set"], uncalibrated["abstained"], uncalibrated["reasons"]
    assert "The model has no calibration split" in Page(analysis_page([uncalibrated])).words
    empty = labelled("A claim", (0.8, 0.1, 0.1), prediction_set=[], abstained=True)
    assert (
        "It resembles claims of no label: all three are ruled out. A person decides."
        in Page(analysis_page([empty])).words
    )


def test_a_page_of_nothing_is_a_page():
    assert "There are none." in Page(analysis_page([])).words


def test_the_same_rows_give_the_same_page(text, folder):
    again = analysis_page(
        json.loads(json.dumps(article_rows())),
        articles=[ARTICLE],
        model="runs/flagship",
        thumbnails=Thumbnails([folder]),
    )
    assert again == text


def test_a_span_of_a_row_without_an_article_does_no_harm():
    assert 'class="mark' not in analysis_page([labelled("x", (0.8, 0.1, 0.1), **marked("open ground near Erbil"))])
