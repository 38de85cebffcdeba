"""Recipes of the corpora without evidence and of the pairs, over rows of our own in the shape of each corpus."""

import csv
import gzip
import io
import json
import os

import pytest

from claimsieve.data import recipe_reader, recipes
from claimsieve.data.files import Reject
from claimsieve.data.inputs import render
from claimsieve.errors import DataError
from claimsieve.records import Claim, Evidence

ALL_INPUTS = ("claim", "evidence", "source", "date")
FOLDER = os.environ.get("CLAIMSIEVE_CORPORA")
BIAS = "average_bias_west", "majority_bias_west"

with_corpora = pytest.mark.skipif(
    not FOLDER, reason="CLAIMSIEVE_CORPORA does not name the folder of the public corpora"
)


def liar_row(number, rating, statement):
    cells = [
        f"{number}.json",
        rating,
        statement,
        "weather",
        "jane-doe",
        "Mayor",
        "Ohio",
        "independent",
        *"01234",
        "tea",
    ]
    return dict(zip(recipes.load("liar").columns, cells, strict=True))


def pairs_row(number, rating, group):
    row = {"id": f"snli_cad:test-{number}", "claim": "A dog sleeps.", "evidence": ["A dog lies still.", "It is noon."]}
    return {**row, "rating": rating, "stance": "open", "group": group, "split": "test"}


SNOPES = {"url": "https://example.org/cows", "title": "Can Cows Swim?", "subtitle": "We looked.", "author": "A. B."}
SNOPES |= {"statement": "Cows can swim.", "post_author": "", "evaluation": "mostly-true", "date_posted": "9 May 2020"}
CASE = {"date": "2020-06-30", "id": "https://example.org/report/moths", "title": "The moths were sent by the West"}
CASE |= {"countries": "Moon", "keywords": "moths", "languages": "Latin", "outlets": "Radio Moth"}
SENTENCE = {"article_id": "42", "line": 3, "is_title": False, "text": "Only a fool would doubt it!"}
BABE = {
    "text": "The vile plan passed.",
    "news_link": "https://example.org/plan",
    "outlet": "The Daily",
    "topic": "plans",
}
BABE |= {"type": "left", "label_bias": "Biased", "label_opinion": "Expresses an opinion", "biased_words": "['vile']"}
UKRAINE = {"text": "The mayor came to Kyiv.", "label": "0", **dict.fromkeys(BIAS, "1.0")}

# Recipe → the files of its corpus and their rows.
ROWS = {
    "liar": {
        "liar/train.tsv": [liar_row(1, "pants-fire", '"Rain" is dry, said "nobody.')],
        "liar/valid.tsv": [liar_row(2, "half-true", 'Snow is "warm".')],
        "liar/test.tsv": [liar_row(3, "mostly-true", "It rains.")],
    },
    "snopes": {"snopes/snopes.jsonl": [SNOPES, SNOPES | {"evaluation": "outdated"}]},
    "euvsdisinfo": {"euvsdisinfo/posts.csv": [CASE]},
    "ptc": {
        "ptc/sentences.jsonl": [
            SENTENCE | {"propaganda": True, "techniques": ["Doubt", "Name_Calling,Labeling", "Doubt"]},
            SENTENCE | {"text": "It rained.", "propaganda": False, "techniques": []},
        ]
    },
    "semeval2021_memes": {
        "semeval2021_memes/dev_set_task1.json": [{"id": "1", "labels": [], "text": "WHEN IT RAINS"}],
        "semeval2021_memes/test_set_task1.json": [
            {"id": "1", "labels": ["Thought-terminating cliché", "Smears"], "text": "IT IS\n\nWHAT IT IS"}
        ],
    },
    "ukraine_news": {"ukraine_news/sentences.csv": [UKRAINE | {"id": "7-12"}, UKRAINE | {"id": "7-13", "label": "1"}]},
    "babe": {"babe/babe_full.csv": [BABE, BABE | {"label_bias": "No agreement"}, BABE | {"label_bias": "Non-biased"}]},
    "pairs:snli_cad": {"pairs/snli_cad.jsonl.gz": [pairs_row(0, "neutral", "a1"), pairs_row(1, "contradiction", "a1")]},
}


def made(corpus, identifier, claim, label, **fields):
    return Claim(claim=claim, id=f"{corpus}:{identifier}", lang="en", label=label, corpus=corpus, **fields)


def stated(number, claim, label, rating):
    return made("liar", f"{number}.json", claim, label, rating=rating, source="jane-doe", event="jane-doe")


def biased(number, rating):
    claim = "The vile plan passed."
    fields = {"rating": rating, "source": "The Daily", "event": "plans", "manipulation": ()}
    return made("babe", number, claim, "unverified", **fields)


def paired(number, label, stance, rating):
    evidence = (Evidence("A dog lies still."), Evidence("It is noon."))
    fields = {"stance": stance, "rating": rating, "evidence": evidence, "event": "a1"}
    return made("snli_cad", f"test-{number}", "A dog sleeps.", label, **fields)


OPEN_FALSE = {"stance": "insufficient", "rating": "false", "manipulation": ()}
OPEN_TRUE = {"stance": "insufficient", "rating": "true"}

READ = {
    "liar": [
        stated(1, '"Rain" is dry, said "nobody.', "propaganda", "pants-fire"),
        stated(2, 'Snow is "warm".', "unverified", "half-true"),
        stated(3, "It rains.", "verified", "mostly-true"),
    ],
    "snopes": [made("snopes", 1, "Cows can swim.", "verified", rating="mostly-true", date="2020-05-09")],
    "euvsdisinfo": [
        made(
            "euvsdisinfo",
            "https://example.org/report/moths",
            "The moths were sent by the West",
            "propaganda",
            rating="case",
            manipulation=("disinformation_case",),
            source="Radio Moth",
            date="2020-06-30",
        )
    ],
    "ptc": [
        made("ptc", 1, SENTENCE["text"], "propaganda", event="42", manipulation=("doubt", "name_calling"), **OPEN_TRUE),
        made("ptc", 2, "It rained.", "unverified", event="42", **OPEN_FALSE),
    ],
    "semeval2021_memes": [
        made("semeval2021_memes", 1, "WHEN IT RAINS", "unverified", **OPEN_FALSE),
        made(
            "semeval2021_memes",
            2,
            "IT IS\n\nWHAT IT IS",
            "propaganda",
            manipulation=("thought_terminating_cliche", "smears"),
            **OPEN_TRUE,
        ),
    ],
    "ukraine_news": [
        made("ukraine_news", "7-12", UKRAINE["text"], "unverified", rating="0", event="7", manipulation=())
    ],
    "babe": [biased(1, "Biased"), biased(3, "Non-biased")],
    "pairs:snli_cad": [
        paired(0, "unverified", "insufficient", "neutral"),
        paired(1, "propaganda", "refuted", "contradiction"),
    ],
}
RATED = [name for name in ROWS if name not in ("euvsdisinfo", "semeval2021_memes")]
HIDING = [name for name in ROWS if recipes.load(name).never_inputs]
COLUMNS = [
    (name, column)
    for name in ROWS
    if recipes.load(name).format != "tabs"
    for column in recipe_reader.columns_read(recipes.load(name))
]


def shaped(path, rows):
    """The rows as the file of that name holds them."""
    if path.endswith(".json"):
        return json.dumps(rows)
    if path.endswith(".tsv"):
        return "".join("\t".join(row.values()) + "\n" for row in rows)
    if path.endswith(".csv"):
        table = io.StringIO()
        writer = csv.DictWriter(table, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        return table.getvalue()
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    return gzip.compress(lines.encode()) if path.endswith(".gz") else lines


@pytest.fixture
def items(corpora):
    """What a recipe makes of its files; `change` is made to every row first."""

    def read(name, change=lambda row: row):
        for path, rows in ROWS[name].items():
            corpora(path, shaped(path, [change(row) for row in rows]))
        return list(recipe_reader.read(recipes.load(name)))

    return read


@pytest.mark.parametrize("name", ROWS)
def test_rows_in_the_shape_of_their_corpus_make_claims(name, items):
    assert items(name) == READ[name]


@pytest.mark.parametrize("name", HIDING)
def test_what_is_never_an_input_is_not_shown(name, items):
    """Whatever stands in those columns, and whatever the rating is, a model is shown the same."""
    recipe = recipes.load(name)
    hidden = dict.fromkeys(recipe.never_inputs, "PLANTED VERDICT")
    shown = [render(claim, ALL_INPUTS) for claim in items(name)]
    assert all(column in row for rows in ROWS[name].values() for row in rows for column in hidden)
    again = [render(claim, ALL_INPUTS) for claim in items(name, lambda row: row | hidden)]
    assert again == shown
    assert "PLANTED" not in str(again)
    rating = next(key for key, target in recipe.ratings.items() if target)
    if name in RATED:
        rated = items(name, lambda row: row | {recipe.fields["rating"]: rating})
        assert {render(claim, ALL_INPUTS) for claim in rated} == set(shown)


def test_a_line_of_liar_that_opens_a_quotation_mark_stays_one_row(corpora):
    open_ended = [liar_row(number, "true", f'"{number} of us') for number in range(40)]
    corpora("liar/train.tsv", shaped("train.tsv", open_ended) + "41.json\ttrue\ttoo few cells\n")
    for part in ("valid", "test"):
        corpora(f"liar/{part}.tsv", shaped(".tsv", [liar_row(part, "true", 'so "be" it"')]))
    found = list(recipe_reader.read(recipes.load("liar")))
    assert isinstance(found[40], Reject)
    assert (found[40].place, found[40].reason) == (41, "expected 14 cells, found 3")
    told = [item.claim for item in found if isinstance(item, Claim)]
    assert told == [*(f'"{number} of us' for number in range(40)), *['so "be" it"'] * 2]


@pytest.mark.parametrize("spoilt", [lambda whole: whole[:-12], lambda whole: whole[:40], lambda whole: b"not gzip"])
def test_a_damaged_archive_is_no_corpus(spoilt, corpora):
    path = "pairs/snli_cad.jsonl.gz"
    corpora(path, spoilt(shaped(path, [pairs_row(number, "neutral", "a") for number in range(50)])))
    with pytest.raises(DataError, match=r"snli_cad.jsonl.gz: expected a whole gzip file: .*Fetch it again"):
        list(recipe_reader.read(recipes.load("pairs:snli_cad")))


@pytest.mark.parametrize("name", RATED)
def test_a_rating_that_the_map_does_not_know_is_refused(name, items):
    column = recipes.load(name).fields["rating"]
    problem = rf"{name.rpartition(':')[2]}: .*, row \d: expected a rating that the map knows .*, found 'so-so'"
    with pytest.raises(DataError, match=problem):
        items(name, lambda row: row | {column: "so-so"})


@pytest.mark.parametrize(("name", "column"), [("ptc", "techniques"), ("semeval2021_memes", "labels")])
def test_a_technique_that_the_recipe_does_not_know_is_refused(name, column, items):
    problem = rf"{name}: .*, row 1: expected a technique that the recipe knows \(.*oubt.*\), found 'Dobut'\. Add it"
    with pytest.raises(DataError, match=problem):
        items(name, lambda row: row | {column: ["Doubt", "Dobut"]})


@pytest.mark.parametrize(("name", "column"), COLUMNS)
def test_a_column_that_is_gone_is_missed(name, column, items):
    with pytest.raises(DataError, match=rf"expected (a column )?'{column}'.*, found .*The corpus is not the version"):
        items(name, lambda row: {key: value for key, value in row.items() if key != column})


@pytest.mark.parametrize("name", ROWS)
def test_files_without_rows_are_no_corpus(name, corpora):
    for path, rows in ROWS[name].items():
        empty = shaped(path, rows).splitlines()[0] if path.endswith(".csv") else shaped(path, [])
        corpora(path, empty)
    with pytest.raises(
        DataError, match=rf"{name.rpartition(':')[2]}: expected rows in .*, found none\. Fetch it again"
    ):
        list(recipe_reader.read(recipes.load(name)))


@with_corpora
@pytest.mark.corpora
@pytest.mark.parametrize("name", [name for name in recipes.names() if name not in ("demo", "starter")])
def test_a_whole_corpus_is_read_with_hardly_a_reject_and_no_id_twice(name):
    found = list(recipe_reader.read(recipes.load(name)))
    claims = [item for item in found if isinstance(item, Claim)]
    assert len(found) - len(claims) <= 0.02 * len(found)
    assert len({claim.id for claim in claims}) == len(claims) > 0
    assert {claim.corpus for claim in claims} == {name.rpartition(":")[2]}
    assert all(claim.label for claim in claims)
