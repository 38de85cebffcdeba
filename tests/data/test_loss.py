"""What a corpus holds under its recipe's map, and what the map drops, merges and never reads."""

import pytest

from claimsieve.data import recipes
from claimsieve.data.loss import LossReport, loss_report
from claimsieve.errors import DataError

FIELDS = {
    "claim": "text",
    "rating": "verdict",
    "event": "story",
    "source": "who",
    "date": "day",
    "lang": "tongue",
    "evidence": "proof",
}
RATINGS = {
    "right": "supported",
    "rather right": "supported",
    "wrong": "refuted",
    "open": "insufficient",
    "mixed": "unverified",
    "satire": None,
    "opinion": None,
    "never met": "refuted",
}


def row(number, verdict, **fields):
    empty = dict.fromkeys(("story", "who", "day", "proof"))
    return {"text": f"claim {number}", "verdict": verdict, "tongue": "en", **empty, **fields}


@pytest.fixture
def report(own_recipe):
    """The report on rows of one's own."""

    def read(*rows, fields=FIELDS, ratings=RATINGS, **changes):
        return loss_report(recipes.load(own_recipe(*rows, fields=fields, ratings=ratings, **changes)))

    return read


def test_everything_that_a_corpus_holds_is_counted(report):
    found = report(
        row(1, "right", story="a", who="x", day="2/3/2020", tongue="de", proof="p", notes="n"),
        row(2, "right", story="a", who="y", day="1/3/2020", proof="p"),
        row(3, "rather right", story="b", who="x", day="9/9/2019", tongue="de"),
        row(4, "wrong", story="c", proof="q"),
        row(5, "open", tongue="de"),
        row(6, "mixed"),
        row(7, "mixed"),
        row(8, "satire", day="1/1/1999", story="z", tongue="fr", who="z", proof="r"),
        row(9, "opinion", url="u"),
        row(10, "satire"),
        row("", "right") | {"text": " "},
        "not json\n",
        date_formats=["%d/%m/%Y"],
    )
    assert found == LossReport(
        rows=7,
        rejects=2,
        reasons={"the claim is empty": 1, "not JSON: Expecting value at character 1": 1},
        labels={"verified": 3, "unverified": 3, "propaganda": 1},
        ratings={"right": 2, "mixed": 2, "rather right": 1, "wrong": 1, "open": 1},
        dropped={"satire": 2, "opinion": 1},
        merged={"verified": ("right", "rather right"), "unverified": ("mixed", "open")},
        unread=("notes", "url"),
        events=3,
        sources=2,
        with_evidence=3,
        languages={"en": 4, "de": 3},
        first_date="2019-09-09",
        last_date="2020-03-02",
    )
    assert list(found.ratings)[:2] == ["right", "mixed"]
    assert list(found.dropped) == ["satire", "opinion"]


def test_a_corpus_of_bare_claims_holds_only_them(report):
    bare = {"fields": {"claim": "text", "rating": "verdict"}}
    found = report({"text": "a", "verdict": "right"}, **bare)
    assert (found.rows, found.rejects, found.events, found.sources, found.with_evidence) == (1, 0, 0, 0, 0)
    assert (found.dropped, found.merged, found.unread) == ({}, {}, ())
    assert found.first_date is found.last_date is None
    assert found.languages == {"en": 1}
    assert report({"text": "a", "verdict": "right"}, **bare, lang="uk").languages == {"uk": 1}
    assert report({"text": "a", "verdict": "right"}, **bare, lang=None).languages == {"unknown": 1}


def test_ratings_that_a_label_merges_stand_by_number(report):
    rows = [row(number, verdict) for number, verdict in enumerate(["open", "mixed", "mixed", "wrong", "right"])]
    assert report(*rows).merged == {"unverified": ("mixed", "open")}


def test_one_rating_may_end_in_two_labels(report):
    """The technique decides where the evidence does not, so a rating is no label."""
    rows = [row(1, "open", tricks=["spin"]), row(2, "open", tricks=[]), row(3, "wrong", tricks=[])]
    found = report(*rows, fields=FIELDS | {"manipulation": "tricks"}, techniques={"spin": "loaded_language"})
    assert found.labels == {"verified": 0, "unverified": 1, "propaganda": 2}
    assert found.ratings == {"open": 2, "wrong": 1}
    assert found.merged == {"propaganda": ("open", "wrong")}


def test_columns_that_a_path_begins_with_are_read(report):
    rows = {"text": "a", "verdict": "right", "proofs": [{"what": "b", "where": "c"}], "id": 7, "article": "9-3", "x": 1}
    fields = {
        "claim": "text",
        "rating": "verdict",
        "evidence": "proofs[].{text: what}",
        "event": "before(article, '-')",
    }
    assert report(rows, fields=fields).unread == ("x",)


def test_a_list_taken_apart_is_counted_by_item(report):
    rows = {"all": [{"text": "a", "verdict": "right"}, {"text": "b", "verdict": "satire"}], "verdict": "wrong"}
    found = report(rows, explode="all", fields={"claim": "item.text", "rating": "item.verdict"})
    assert (found.rows, found.dropped, found.unread) == (1, {"satire": 1}, ("verdict",))


def test_a_corpus_of_nothing_but_dropped_rows_is_no_mistake(report):
    found = report(row(1, "satire"), row(2, "satire"))
    assert (found.rows, found.dropped) == (0, {"satire": 2})
    assert found.labels == {"verified": 0, "unverified": 0, "propaganda": 0}


def test_a_corpus_without_rows_has_no_report(report):
    with pytest.raises(DataError, match=r"own: expected rows in own/rows\.jsonl, found none"):
        report("\n")


def test_dropped_rows_stand_under_the_rating_of_the_map(report):
    rows = [{"text": "a", "verdict": True}, {"text": "b", "verdict": False}]
    fields = {"claim": "text", "rating": "verdict"}
    found = report(*rows, fields=fields, ratings={"true": "verified", "false": None})
    assert (found.ratings, found.dropped) == ({"true": 1}, {"false": 1})
