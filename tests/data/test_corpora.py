import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from claimsieve.data import corpora
from claimsieve.data.files import Reject
from claimsieve.errors import ConfigError, DataError
from claimsieve.records import Claim, Evidence
from claimsieve.settings import Corpus


@pytest.fixture
def file(tmp_path):
    """Write a claims file and give its name."""

    def write(*rows, name="news.jsonl"):
        path = tmp_path / name
        path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
        return str(path)

    return write


def labelled(count, **fields):
    return [{"claim": f"claim {number}", "label": "verified", **fields} for number in range(count)]


def test_a_file_of_our_own_records_needs_no_map(file):
    row = {"id": "a", "claim": "b", "evidence": ["c"], "stance": "refuted", "event": "d"}
    claims, left_out = corpora.load([Corpus(file=file(row))])
    assert left_out == []
    assert claims == [
        Claim(
            id="news:a",
            claim="b",
            evidence=(Evidence("c"),),
            stance="refuted",
            label="propaganda",
            event="d",
            corpus="news",
        )
    ]


def test_a_table_is_read_by_map_and_ratings(file):
    name = file(
        "What was said,Who,Verdict,When\n",
        '"a, b",someone,TRUE,2020-01-08\n',
        "c,,mixture,2020\n",
        "d,someone,satire,\n",
        name="facts.csv",
    )
    corpus = Corpus(
        file=name,
        map={"claim": "What was said", "source": "Who", "rating": "Verdict", "date": "When"},
        ratings={"TRUE": "verified", "mixture": "conflicting", "satire": None},
    )
    claims, _ = corpora.load([corpus])
    assert [(c.id, c.claim, c.source, c.date, c.label, c.stance, c.rating) for c in claims] == [
        ("facts:2", "a, b", "someone", "2020-01-08", "verified", None, "TRUE"),
        ("facts:3", "c", None, "2020", "unverified", "conflicting", "mixture"),
    ]


def test_a_table_may_carry_nested_evidence(file):
    name = file(
        'claim,evidence,label\na,"[{""text"": ""b"", ""date"": ""2020""}, ""c""]",verified\nd,[sic] e,verified\n',
        name="a.csv",
    )
    claims, _ = corpora.load([Corpus(file=name)])
    assert [claim.evidence for claim in claims] == [
        (Evidence("b", date="2020"), Evidence("c")),
        (Evidence("[sic] e"),),
    ]


def test_nested_evidence_may_stand_under_another_name(file):
    name = file('claim,proof,label\na,"[""b"", ""c""]",verified\n', name="a.csv")
    (claim,), _ = corpora.load([Corpus(file=name, map={"evidence": "proof"})])
    assert claim.evidence == (Evidence("b"), Evidence("c"))


def test_a_path_may_reach_into_a_nested_column(tmp_path):
    table = pa.table({"doc": [{"text": "a", "parts": ["b"]}], "label": ["verified"]})
    pq.write_table(table, tmp_path / "a.parquet")
    for path, claim in [("doc.text", "a"), ("doc.parts[0]", "b"), ("join(' ', [doc.text, 'c'])", "a c")]:
        (found,), _ = corpora.load([Corpus(file=str(tmp_path / "a.parquet"), map={"claim": path})])
        assert found.claim == claim


def test_a_recipe_is_read_by_name():
    claims, left_out = corpora.load([Corpus(recipe="demo", max_claims=20), Corpus(recipe="starter", max_claims=10)])
    assert [claim.corpus for claim in claims] == ["demo"] * 20 + ["starter"] * 10
    assert left_out == []


def test_max_claims_draws_whole_stories_from_all_of_the_file(file):
    rows = [{**row, "event": f"story {number // 5}"} for number, row in enumerate(labelled(100))]
    claims, _ = corpora.load([Corpus(file=file(*rows), max_claims=20)])
    stories = Counter(claim.event for claim in claims)
    assert set(stories.values()) == {5}
    assert len(stories) == 4
    order = [int(claim.id.rpartition(":")[2]) for claim in claims]
    assert order == sorted(order)
    assert order[-1] > 40
    again, _ = corpora.load([Corpus(file=file(*rows[::-1]), max_claims=20)])
    assert {claim.event for claim in again} == set(stories)


def test_a_few_bad_rows_are_left_out_and_told(file):
    bad = [
        {"claim": ""},
        {"claim": "a", "label": "fake"},
        "not json\n",
        {"claim": "a", "label": "verified", "date": "soon"},
    ]
    claims, left_out = corpora.load([Corpus(file=file(*labelled(76), *bad)), Corpus(recipe="demo")])
    assert len(claims) == 76 + 30
    (told,) = left_out
    assert told.corpus == "news"
    assert [(reject.place, reject.reason[:30]) for reject in told.rejects] == [
        (77, "the claim is empty"),
        (78, "expected 'label' to be one of "),
        (79, "not JSON: Expecting value at c"),
        (80, "expected 'date' as YYYY, YYYY-"),
    ]


def test_more_than_five_percent_bad_rows_are_no_corpus(file):
    name = file(*labelled(94), *[{"claim": ""}] * 4, *[{}] * 2)
    problem = (
        r"news: expected at most 5% unreadable rows, found 6 of 100: "
        r"the claim is empty \(4 rows\); no claim \(2 rows\). First: row 95"
    )
    with pytest.raises(DataError, match=problem):
        corpora.load([Corpus(file=name)])


def test_an_open_quote_that_swallows_a_table_does_not_pass(file):
    name = file("claim,label\n", *["a,verified\n"] * 50, '"b,verified\n', *["c,verified\n"] * 50, name="a.csv")
    with pytest.raises(DataError, match="found 51 of 101"):
        corpora.load([Corpus(file=name)])


@pytest.mark.parametrize("name", ["a.jsonl", "b.csv"])
def test_a_corpus_without_claims_is_no_corpus(file, name):
    with pytest.raises(DataError, match="expected labelled claims, found no rows"):
        corpora.load([Corpus(file=file("claim,label\n" if name.endswith("csv") else "\n", name=name))])


def test_claims_without_a_label_are_not_trained_on(file):
    name = file(*labelled(3), {"claim": "x", "id": "the-one"}, {"claim": "y", "label": None})
    with pytest.raises(DataError, match=r"found none on 2 of 5 \(first: news:the-one\). Map the corpus's own verdicts"):
        corpora.load([Corpus(file=name)])


def test_a_verdict_that_no_map_knows_stops_the_reading(file):
    name = file({"claim": "a", "verdict": "true"}, {"claim": "b", "verdict": "mostly true"})
    with pytest.raises(
        DataError, match=r"news.jsonl, row 2: expected a rating that the map knows \(true\), found 'mostly true'"
    ):
        corpora.load([Corpus(file=name, map={"rating": "verdict"}, ratings={"true": "verified"})])


def test_verdicts_as_integers_are_never_labels(file):
    with pytest.raises(DataError, match="expected 'label' to be one of verified, unverified, propaganda, found 1"):
        corpora.load([Corpus(file=file({"claim": "a", "label": 1}))])


def test_an_id_stands_once(file):
    name = file({"id": "x", "claim": "a", "label": "verified"}, {"id": "x", "claim": "b", "label": "verified"})
    with pytest.raises(DataError, match="expected every id once, found 1 ids on several rows: news:x"):
        corpora.load([Corpus(file=name)])
    with pytest.raises(DataError, match=r"found 30 ids on several rows: demo:strikes-2020-01, .*, \.\.\."):
        corpora.load([Corpus(recipe="demo"), Corpus(recipe="demo")])


def test_the_same_id_may_stand_in_two_corpora(file):
    row = {"id": "1", "claim": "a", "label": "verified"}
    claims, _ = corpora.load([Corpus(file=file(row, name="a.jsonl")), Corpus(file=file(row, name="b.jsonl"))])
    assert [claim.id for claim in claims] == ["a:1", "b:1"]


def test_a_table_without_a_claim_says_which_column_may_be_it(file):
    name = file("Text,verdict\na,b\n", name="a.csv")
    with pytest.raises(
        DataError, match=r"a.csv: expected a column 'claim', found 'Text', 'verdict'. Map it: --map claim=Text"
    ):
        corpora.load([Corpus(file=name)])
    with pytest.raises(DataError, match=r"expected a column 'Claim', found 'Text', 'verdict'"):
        corpora.load([Corpus(file=name, map={"claim": "Claim"})])
    with pytest.raises(DataError, match=r"expected labelled claims, found no rows"):  # as of empty JSON Lines
        corpora.load([Corpus(file=file("", name="a.csv"))])


def test_maps_and_ratings_are_checked_before_the_file_is_read():
    with pytest.raises(ConfigError, match="Did you mean 'claim'"):
        corpora.load([Corpus(file="none.jsonl", map={"clam": "text"})])
    with pytest.raises(ConfigError, match="Did you mean 'verified'"):
        corpora.load([Corpus(file="none.jsonl", ratings={"true": "verifed"})])


def test_labelled_claims_of_a_file_keep_their_own_ids(file):
    name = file({"id": "x", "claim": "a", "label": "verified"}, *labelled(30), "not json\n")
    claims, rejects = corpora.load_labelled(name)
    assert [claim.id for claim in claims] == ["x"] + [None] * 30
    assert [type(reject) for reject in rejects] == [Reject]
    assert {claim.corpus for claim in corpora.load_labelled("recipe:demo")[0]} == {"demo"}
    with pytest.raises(DataError, match="expected every id once"):
        corpora.load_labelled(file(*labelled(2, id="x")))
    with pytest.raises(DataError, match="expected a label on every claim"):
        corpora.load_labelled(file({"claim": "a"}))


def test_two_files_of_one_name_are_two_corpora(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.csv").write_text("claim,label\nThe bridge was hit.,verified\n")
    claims, _ = corpora.load([Corpus(file=str(tmp_path / folder / "x.csv")) for folder in ("a", "b")])
    assert [claim.id for claim in claims] == ["x:2", "x+:2"]
    assert [claim.corpus for claim in claims] == ["x", "x+"]


def test_a_row_without_a_rating_is_left_out_and_a_corpus_without_ratings_refused(tmp_path):
    path = tmp_path / "checks.csv"
    path.write_text("claim,verdict\n" + "A bridge was hit.,right\n" * 30 + "A depot was hit.,\n")
    corpus = Corpus(file=str(path), map={"rating": "verdict"}, ratings={"right": "supported"})
    claims, (left_out,) = corpora.load([corpus])
    assert len(claims) == 30
    assert "no rating" in left_out.rejects[0].reason
    with pytest.raises(DataError, match=r"no rating .*map: \{rating: COLUMN\}"):
        corpora.load([Corpus(file=str(path), ratings={"right": "supported"})])


def test_a_column_that_no_row_has_is_told_of_json_lines_too(file):
    name = file(*labelled(3))
    with pytest.raises(DataError, match="expected a column 'notez'"):
        corpora.load([Corpus(file=name, map={"evidence": "notez"})])


def test_a_file_of_a_recipes_name_is_another_corpus_in_any_order(file):
    settings = [Corpus(file=file(*labelled(3), name="starter.jsonl")), Corpus(recipe="starter", max_claims=3)]
    assert corpora.corpus_names(settings) == ["starter+", "starter"]
    assert corpora.corpus_names(settings[::-1]) == ["starter", "starter+"]
