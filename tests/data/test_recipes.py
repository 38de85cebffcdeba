"""Recipes over tiny files in the shape of each public corpus, and over the corpora themselves where they lie."""

import copy
import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from claimsieve.data import recipe_reader, recipes
from claimsieve.data.files import Reject
from claimsieve.data.inputs import render
from claimsieve.errors import ConfigError, DataError
from claimsieve.records import Claim, Evidence

ALL_INPUTS = ("claim", "evidence", "source", "date")
FOLDER = os.environ.get("CLAIMSIEVE_CORPORA")
PUBLIC = ("averitec", "climate_fever", "climate_fever_pairs", "covidfact", "fever_pairs", "pheme", "scifact_rte")

with_corpora = pytest.mark.skipif(
    not FOLDER, reason="CLAIMSIEVE_CORPORA does not name the folder of the public corpora"
)

AVERITEC = {
    "claim": "The bridge was closed.",
    "label": "Refuted",
    "justification": "The operator says that it stayed open.",
    "claim_date": "8-1-2020",
    "speaker": "A. Speaker",
    "fact_checking_article": "https://example.org/no-the-bridge-was-open",
    "questions": [
        {
            "question": "Was it closed?",
            "answers": [
                {"answer": "No", "boolean_explanation": "Cars were seen.", "source_url": "https://example.org/a"},
                {"answer": "Not for long."},
            ],
        },
        {"question": "Who says so?", "answers": []},
    ],
}
CLIMATE = {
    "claim_id": "7",
    "claim": "Ice grows.",
    "claim_label": "DISPUTED",
    "evidences": [
        {"evidence": "It does.", "article": "Ice", "evidence_label": "SUPPORTS", "votes": ["SUPPORTS"], "entropy": 0.0},
        {
            "evidence": "It does not.",
            "article": "Sea",
            "evidence_label": "REFUTES",
            "votes": ["REFUTES"],
            "entropy": 0.7,
        },
    ],
}
COVID = {
    "claim": "Masks help.",
    "label": "SUPPORTED",
    "evidence": ["They do.", "So it is."],
    "gold_source": "https://example.org/b",
}
FEVER = {"claim": "A is B.", "evidence": "A is not B .", "label": "not_entailment"}
PHEME = {
    "id": 553529101659566080,
    "text": "BREAKING: a siege",
    "veracity": "false",
    "user_screen_name": "someone",
    "created_at": "Fri Jan 09 12:10:08 +0000 2015",
    "event": "siege",
    "lang": "de",
}

SHAPES = {
    "averitec": ("averitec/train.json", json.dumps([AVERITEC])),
    "climate_fever": ("climate_fever/climate-fever.jsonl", json.dumps(CLIMATE)),
    "climate_fever_pairs": ("climate_fever/climate-fever.jsonl", json.dumps(CLIMATE)),
    "covidfact": ("covidfact/COVIDFACT_dataset.jsonl", json.dumps(COVID)),
    "fever_pairs": ("fever_pairs/pairs.jsonl", json.dumps(FEVER)),
    "pheme": ("pheme/rumours.jsonl", json.dumps(PHEME)),
    "scifact_rte": (
        "scifact_rte/train.tsv",
        "index\tsentence1\tsentence2\tentailment\n0\tMice were healed.\tIt heals mice.\tentailment\n",
    ),
}

READ = {
    "averitec": [
        Claim(
            claim="The bridge was closed.",
            id="averitec:1",
            source="A. Speaker",
            date="2020-01-08",
            evidence=(
                Evidence("Was it closed? No Cars were seen. Not for long.", url="https://example.org/a"),
                Evidence("Who says so?"),
            ),
            event="https://example.org/no-the-bridge-was-open",
            lang="en",
            label="propaganda",
            stance="refuted",
            rating="Refuted",
            corpus="averitec",
        )
    ],
    "climate_fever": [
        Claim(
            claim="Ice grows.",
            id="climate_fever:7",
            evidence=(Evidence("It does.", "Ice"), Evidence("It does not.", "Sea")),
            event="7",
            lang="en",
            label="unverified",
            stance="conflicting",
            rating="DISPUTED",
            corpus="climate_fever",
        )
    ],
    "climate_fever_pairs": [
        Claim(
            claim="Ice grows.",
            id=f"climate_fever_pairs:7-{number}",
            evidence=(passage,),
            event="7",
            lang="en",
            label=label,
            stance=stance,
            rating=rating,
            corpus="climate_fever_pairs",
        )
        for number, passage, label, stance, rating in [
            (0, Evidence("It does.", "Ice"), "verified", "supported", "SUPPORTS"),
            (1, Evidence("It does not.", "Sea"), "propaganda", "refuted", "REFUTES"),
        ]
    ],
    "covidfact": [
        Claim(
            claim="Masks help.",
            id="covidfact:1",
            evidence=(Evidence("They do."), Evidence("So it is.")),
            event="https://example.org/b",
            lang="en",
            label="verified",
            stance="supported",
            rating="SUPPORTED",
            corpus="covidfact",
        )
    ],
    "fever_pairs": [
        Claim(
            claim="A is B.",
            id="fever_pairs:1",
            evidence=(Evidence("A is not B ."),),
            event="A is not B .",
            lang="en",
            label="propaganda",
            stance="refuted",
            rating="not_entailment",
            corpus="fever_pairs",
        )
    ],
    "pheme": [
        Claim(
            claim="BREAKING: a siege",
            id="pheme:553529101659566080",
            source="someone",
            date="2015-01-09",
            event="siege",
            lang="de",
            label="propaganda",
            rating="false",
            corpus="pheme",
        )
    ],
    "scifact_rte": [
        Claim(
            claim="It heals mice.",
            id="scifact_rte:1",
            evidence=(Evidence("Mice were healed."),),
            event="Mice were healed.",
            lang="en",
            label="verified",
            stance="supported",
            rating="entailment",
            corpus="scifact_rte",
        )
    ],
}

# Rows and labels of the public corpora (verified, unverified, propaganda), as their owners ship them.
COUNTS = {
    "averitec": (836, 475, 1740),
    "climate_fever": (654, 628, 253),
    "climate_fever_pairs": (1943, 4930, 802),
    "covidfact": (1296, 0, 2790),
    "fever_pairs": (6466, 0, 6443),
    "pheme": (914, 545, 518),
    "scifact_rte": (508, 0, 265),
}

ROOT = Path(__file__).parents[2]


@pytest.fixture
def own(own_recipe):
    """What a recipe of one's own makes of rows of one's own."""

    def read(*lines, **changes):
        return list(recipe_reader.read(recipes.load(own_recipe(*lines, **changes))))

    return read


def test_the_recipes_are_the_public_corpora_and_our_own():
    assert set(recipes.names()) >= {*PUBLIC, "starter", "demo"}


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_says_where_its_corpus_is_from_and_what_gives_it_away(name):
    recipe = recipes.load(name)
    assert recipe.name == name.rpartition(":")[2]
    ours = recipe.root == "package"  # of these the data card tells
    assert (ROOT / recipe.url).is_file() if ours else recipe.url.startswith("https://")
    assert recipe.citation
    assert recipe.licence
    assert recipe.shortcuts
    assert all(recipe.never_inputs.values())


@pytest.mark.parametrize("name", SHAPES)
def test_a_row_in_the_shape_of_its_corpus_makes_a_claim(name, corpora):
    corpora(*SHAPES[name])
    assert list(recipe_reader.read(recipes.load(name))) == READ[name]


@pytest.mark.parametrize("name", ["starter", "demo"])
def test_our_own_claims_need_no_folder(name, monkeypatch):
    monkeypatch.delenv("CLAIMSIEVE_CORPORA", raising=False)
    found = list(recipe_reader.read(recipes.load(name)))
    assert all(isinstance(claim, Claim) for claim in found)
    assert {claim.corpus for claim in found} == {name}
    assert all(claim.label and claim.stance for claim in found)


@with_corpora
@pytest.mark.corpora
@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_corpus_is_what_its_owner_ships(name):
    recipe = recipes.load(name)
    items = list(recipe_reader.read(recipe))
    claims = [item for item in items if isinstance(item, Claim)]
    # One row of AVeriTeC has an empty claim.
    assert [item.reason for item in items if isinstance(item, Reject)] == ["the claim is empty"] * (name == "averitec")
    labels = Counter(claim.label for claim in claims)
    assert (labels["verified"], labels["unverified"], labels["propaganda"]) == COUNTS[name]
    assert labels.keys() <= {"verified", "unverified", "propaganda"}
    assert {claim.rating for claim in claims} == recipe.ratings.keys()
    assert len({claim.id for claim in claims}) == len(claims)
    assert all(claim.event for claim in claims)
    assert all(bool(claim.evidence) == (name != "pheme") for claim in claims)
    assert all(claim.stance for claim in claims) == (name != "pheme")
    dated = [claim.date for claim in claims if claim.date]
    assert len(dated) == {"averitec": 2946, "pheme": 1977}.get(name, 0)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", day) for day in dated)


def planted(row, path, value):
    """The row with another value at a path such as `evidences[].votes`; an error when there is nothing."""
    head, _, rest = path.partition("[].")
    assert head in row, path
    if rest:
        return {**row, head: [planted(item, rest, value) for item in row[head]]}
    return {**row, head: value}


def rendered(name):
    return [render(claim, ALL_INPUTS) for claim in recipe_reader.read(recipes.load(name)) if isinstance(claim, Claim)]


def check_that_verdicts_leave_no_trace(name, rows, corpora):
    """Whatever stands in the columns that are never inputs, and in the rating, the model is shown the same."""
    recipe = recipes.load(name)

    def write(rows):
        corpora(recipe.files[0], json.dumps(rows) if recipe.format == "json" else "\n".join(map(json.dumps, rows)))

    write(rows)
    before = rendered(name)
    assert len(before) >= len(rows)
    rating = recipe.fields["rating"].replace("item.", f"{recipe.explode}[].")
    changed = copy.deepcopy(rows)
    for number in range(len(rows)):
        changed[number] = planted(changed[number], rating, list(recipe.ratings)[number % 2])
        for column in recipe.never_inputs:
            changed[number] = planted(changed[number], column, "PLANTED VERDICT")
    assert changed != rows
    write(changed)
    assert rendered(name) == before


TINY = {
    "averitec": [AVERITEC],
    "climate_fever": [CLIMATE],
    "climate_fever_pairs": [CLIMATE],
    "covidfact": [COVID],
    "fever_pairs": [FEVER],
    "pheme": [PHEME],
}


@pytest.mark.parametrize("name", TINY)
def test_verdicts_leave_no_trace(name, corpora):
    check_that_verdicts_leave_no_trace(name, TINY[name], corpora)


@with_corpora
@pytest.mark.corpora
@pytest.mark.parametrize("name", TINY)
def test_verdicts_of_the_public_corpora_leave_no_trace(name, corpora):
    recipe = recipes.load(name)
    text = (Path(FOLDER) / recipe.files[0]).read_text(encoding="utf-8")
    rows = json.loads(text) if recipe.format == "json" else [json.loads(line) for line in text.splitlines()[:300]]
    check_that_verdicts_leave_no_trace(name, rows[:300], corpora)


@pytest.mark.parametrize("name", PUBLIC)
def test_without_the_folder_the_error_says_what_to_set_and_where_to_fetch(name, monkeypatch):
    monkeypatch.delenv("CLAIMSIEVE_CORPORA", raising=False)
    problem = rf"{name}: expected the environment variable CLAIMSIEVE_CORPORA .* found it unset. Fetch .* https://"
    with pytest.raises(DataError, match=problem):
        next(recipe_reader.read(recipes.load(name)))


@pytest.mark.parametrize("name", PUBLIC)
def test_a_missing_file_is_named_with_the_place_to_fetch_it(name, corpora):
    corpora("elsewhere/a.txt", "")
    with pytest.raises(
        DataError, match=rf"{name}: expected {name.removesuffix('_pairs')}.* found nothing there. Fetch it from https"
    ):
        next(recipe_reader.read(recipes.load(name)))


def test_a_rating_that_the_recipe_does_not_know_stops_the_reading(own):
    with pytest.raises(
        DataError,
        match=r"own: rows.jsonl, row 2: expected a rating that the map knows \(yes, no, joke\), found 'perhaps'",
    ):
        own({"text": "a", "verdict": "yes"}, {"text": "b", "verdict": "perhaps"})


@pytest.mark.parametrize(
    ("row", "column"), [({"claim": "a", "verdict": "yes"}, "text"), ({"text": "a", "label": "yes"}, "verdict")]
)
def test_a_corpus_with_other_columns_is_another_version(own, row, column):
    with pytest.raises(DataError, match=rf"expected '{column}' for .*, found nothing. The corpus is not the version"):
        own(row)


def test_a_corpus_without_rows_is_no_corpus(own):
    with pytest.raises(DataError, match=r"own: expected rows in own/rows.jsonl, found none"):
        own("\n")


def test_ratings_mapped_to_null_are_left_out_in_silence_and_bad_rows_are_not(own):
    found = own(
        {"text": "a", "verdict": "joke"}, "not json\n", {"text": "", "verdict": "no"}, {"text": "d", "verdict": "no"}
    )
    assert [(item.place, item.reason) for item in found if isinstance(item, Reject)] == [
        (2, "not JSON: Expecting value at character 1"),
        (3, "the claim is empty"),
    ]
    (claim,) = [item for item in found if isinstance(item, Claim)]
    assert (claim.id, claim.claim, claim.label, claim.rating) == ("own:3", "d", "propaganda", "no")


def test_a_date_that_fits_no_format_costs_its_row(own):
    fields = {"claim": "text", "rating": "verdict", "date": "day"}
    row = {"text": "a", "verdict": "yes"}
    days = ["8/1/2020", "2020-01-08", "", None]
    found = own(*({**row, "day": day} for day in days), fields=fields, date_formats=["%d/%m/%Y"])
    assert [item.date for item in found if isinstance(item, Claim)] == ["2020-01-08", None, None]
    assert [item.reason for item in found if isinstance(item, Reject)] == [
        "expected a date like %d/%m/%Y, found '2020-01-08'"
    ]


def test_files_are_read_in_order_and_once(own, corpora):
    corpora("own/b.jsonl", '{"text": "second", "verdict": "no"}\n')
    found = own({"text": "first", "verdict": "yes"}, file="own/a.jsonl", files=["own/*.jsonl", "own/b.jsonl"])
    assert [claim.claim for claim in found] == ["first", "second"]


@pytest.mark.parametrize("file", ["../outside.jsonl", "own/../../outside.jsonl", "/etc/passwd", "..", ""])
def test_files_outside_the_folder_are_refused(own, file):
    with pytest.raises(ConfigError, match="expected files below the corpora folder, found"):
        own({"text": "a", "verdict": "yes"}, files=[file])


def test_a_list_that_is_taken_apart_has_to_be_one(own):
    fields = {"claim": "item", "rating": "verdict"}
    found = own({"texts": ["a", "b"], "verdict": "yes"}, fields=fields, explode="texts")
    assert [claim.claim for claim in found] == ["a", "b"]
    with pytest.raises(DataError, match="own: expected a list in 'texts', found str"):
        own({"texts": "a", "verdict": "yes"}, fields=fields, explode="texts")


def test_a_json_file_is_one_list_of_objects(own):
    rows = [{"text": "a", "verdict": "yes"}, "b"]
    claim, reject = own(json.dumps(rows), file="own/rows.json", format="json")
    assert claim.claim == "a"
    assert (reject.place, reject.reason) == (2, "expected a JSON object")
    for text in ('{"a": 1}', "[", "[" * 100_000):
        with pytest.raises(DataError, match=r"rows.json: expected a JSON list of objects"):
            own(text, file="own/rows.json", format="json")


def test_an_unknown_recipe_is_answered_with_the_nearest():
    with pytest.raises(
        ConfigError, match=r"averitek: expected the name of a recipe .* Did you mean 'averitec'\? Known: averitec,"
    ):
        recipes.load("averitek")
    with pytest.raises(ConfigError, match="expected the name of a recipe or a recipe file"):
        recipes.load("../corpora/averitec")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"tilte": "a", "licence": 5},
            r"(?s)not a recipe.*licence: expected a valid string, found 5.*tilte: unknown key. Did you mean 'title'",
        ),
        ({"ratings": {"yes": "verifed"}}, r"rating 'yes' is mapped to 'verifed'; .* Did you mean 'verified'\?"),
        ({"fields": {"clam": "text"}}, r"found 'clam'. Did you mean 'claim'\?"),
        ({"root": "/"}, r"root: expected 'corpora' or 'package'"),
        ({"files": []}, "files: expected at least 1 entry, found none"),
    ],
)
def test_a_recipe_is_as_strict_as_a_config(own, changes, problem):
    with pytest.raises(ConfigError, match=problem):
        own({"text": "a", "verdict": "yes"}, **changes)
