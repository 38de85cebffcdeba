"""What a recipe may read, which of several corpora it reads, and what a run maps otherwise than its recipe."""

import json
import os
from pathlib import Path

import pytest

from claimsieve import config as configs
from claimsieve.data import corpora as reading
from claimsieve.data import recipe_reader, recipes
from claimsieve.data.fields import field_mapper
from claimsieve.errors import ConfigError, DataError
from claimsieve.records import RecordError
from claimsieve.settings import Corpus

VERDICTS = ("Supported", "Refuted", "Not Enough Evidence", "Conflicting Evidence/Cherrypicking")


@pytest.fixture
def averitec(corpora, tmp_path):
    """A run config over five claims in the shape of AVeriTeC: the last two refuted."""
    keys = ("claim_date", "speaker", "fact_checking_article", "questions")
    rows = [
        {**dict.fromkeys(keys), "claim": f"Claim {number}.", "label": verdict}
        for number, verdict in enumerate((*VERDICTS, "Refuted"))
    ]
    corpora("averitec/train.json", json.dumps(rows))
    path = tmp_path / "run.yaml"
    path.write_text("name: run\ndata: {corpora: [{recipe: averitec}]}\nmodel: {kind: tfidf}\n")
    return str(path)


def loaded(config, *changes):
    """Number of the claim → stance and label, through the loader of configs."""
    data = configs.load(config, list(changes)).data
    claims, left_out = reading.load(data.corpora, maps=data.maps)
    assert left_out == []
    return {int(claim.claim[6:-1]): (claim.stance, claim.label) for claim in claims}


AS_THE_RECIPE_SAYS = {
    0: ("supported", "verified"),
    1: ("refuted", "propaganda"),
    2: ("insufficient", "unverified"),
    3: ("conflicting", "unverified"),
    4: ("refuted", "propaganda"),
}


def test_a_run_may_give_a_rating_another_label_and_the_stance_stays(averitec):
    assert loaded(averitec) == AS_THE_RECIPE_SAYS
    changed = ("refuted", "unverified")
    found = loaded(averitec, "data.maps.averitec.Refuted=unverified")
    assert found == AS_THE_RECIPE_SAYS | {1: changed, 4: changed}


def test_a_run_may_give_a_rating_another_stance_and_the_label_follows(averitec):
    changed = ("insufficient", "unverified")
    found = loaded(averitec, "data.maps.averitec.Refuted=insufficient")
    assert found == AS_THE_RECIPE_SAYS | {1: changed, 4: changed}


def test_a_rating_that_a_run_maps_to_null_drops_its_rows(averitec):
    found = loaded(
        averitec,
        "data.maps.averitec.Refuted=null",
        "data.maps.averitec.Conflicting Evidence/Cherrypicking=propaganda",
    )
    assert found == {0: ("supported", "verified"), 2: ("insufficient", "unverified"), 3: ("conflicting", "propaganda")}
    everything = [f"data.maps.averitec.{verdict}=null" for verdict in VERDICTS]
    with pytest.raises(DataError, match="averitec: expected labelled claims, found no rows"):
        loaded(averitec, *everything)


def test_a_run_may_bring_back_what_a_recipe_leaves_out(own_recipe):
    corpus = Corpus(recipe=own_recipe({"text": "a", "verdict": "joke"}, {"text": "b", "verdict": "yes"}))
    assert [claim.claim for claim in reading.load([corpus])[0]] == ["b"]
    claims, _ = reading.load([corpus], maps={"own": {"joke": "unverified"}})
    assert [(claim.claim, claim.stance, claim.label) for claim in claims] == [
        ("a", None, "unverified"),
        ("b", "supported", "verified"),
    ]


def test_a_map_changes_one_corpus_and_no_other(tmp_path):
    for name in ("here", "there"):
        (tmp_path / f"{name}.jsonl").write_text('{"claim": "a", "verdict": "so"}\n')
    table = {"map": {"rating": "verdict"}, "ratings": {"so": "verified"}}
    both = [Corpus(file=str(tmp_path / f"{name}.jsonl"), **table) for name in ("here", "there")]
    claims, _ = reading.load(both, maps={"there": {"so": "propaganda"}})
    assert {claim.corpus: claim.label for claim in claims} == {"here": "verified", "there": "propaganda"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("averitek.Refuted=unverified", r"data.maps.averitek: .*Did you mean 'averitec'\? Known: averitec\."),
        ("averitec.Refutde=unverified", r"data.maps.averitec: .*found 'Refutde'\. Did you mean 'Refuted'\? Known: Sup"),
        ("averitec.Refuted=unverifeid", r"'Refuted' is mapped to 'unverifeid'; .* Did you mean 'unverified'\?"),
        ("averitec.Refuted=1", r"data.maps.averitec.Refuted: expected a valid string, found 1"),
        ("averitec=unverified", r"data.maps.averitec: expected .*, found \"unverified\""),
    ],
)
def test_a_map_of_what_is_not_there_is_refused(averitec, change, problem):
    with pytest.raises(ConfigError, match=problem):
        loaded(averitec, f"data.maps.{change}")


def test_a_corpus_without_ratings_has_no_map_to_change(tmp_path):
    (tmp_path / "plain.jsonl").write_text('{"claim": "a", "label": "verified"}\n')
    with pytest.raises(ConfigError, match=r"data.maps.plain: expected a rating of the corpus, .* Known: none\."):
        reading.load([Corpus(file=str(tmp_path / "plain.jsonl"))], maps={"plain": {"so": "verified"}})


def test_before_is_what_stands_before_the_first_mark():
    event = field_mapper({"event": "before(id, '-')"}, place="a test")
    assert [event({"id": name})["event"] for name in ("12-3-4", "12", "-3", "")] == ["12", "12", "", ""]
    for wrong in ({"id": 12}, {"id": None}, {}):
        with pytest.raises(RecordError, match=r"'event' cannot be read with before\(id, '-'\): "):
            event(wrong)


def test_a_technique_mapped_to_null_is_not_one(own_recipe):
    fields = {"claim": "text", "manipulation": "tricks"}
    name = own_recipe(
        *(
            {"text": "a", "verdict": "open", "tricks": tricks}
            for tricks in (["spin"], ["spin", "joke"], ["joke"], None)
        ),
        fields=fields | {"rating": "verdict"},
        ratings={"open": "insufficient"},
        techniques={"spin": "loaded_language", "joke": None},
    )
    found = [(claim.manipulation, claim.label) for claim in recipe_reader.read(recipes.load(name))]
    looked = ("loaded_language",)
    assert found == [(looked, "propaganda"), (looked, "propaganda"), ((), "unverified"), (None, "unverified")]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"claim": "summary"}, "claim"),
        ({"claim": "text", "source": "join(' ', [text, summary])"}, "source"),
        ({"claim": "text", "evidence": "[summary]"}, "evidence"),
        ({"claim": "text", "date": "page.summary"}, "date"),
    ],
)
def test_a_field_of_models_is_not_read_from_what_they_may_not_see(own_recipe, fields, field):
    hidden = {"page.summary": "says how it ended"}
    problem = rf"own.yaml: .* from 'page.summary' \(says how it ended\), found it in '{field}': "
    with pytest.raises(ConfigError, match=problem):
        recipes.load(own_recipe(fields=fields | {"rating": "verdict"}, never_inputs=hidden))
    # What only looks like it, or what no model is shown, may be read.
    recipes.load(own_recipe(fields={"claim": "text_summary", "rating": "summary"}, never_inputs=hidden))


def test_a_field_of_models_is_not_taken_by_its_own_name_from_what_they_may_not_see(own_recipe):
    row = {"text": "a", "verdict": "no", "source": "a page that says: false"}
    name = own_recipe(row, never_inputs={"source": "says how it ended"})
    assert [claim.source for claim in recipe_reader.read(recipes.load(name))] == [None]


def test_a_column_may_have_spaces_in_its_name(own_recipe):
    name = own_recipe({"The text": "a", "verdict": "no"}, fields={"claim": "The text", "rating": "verdict"})
    assert [claim.claim for claim in recipe_reader.read(recipes.load(name))] == ["a"]


def test_a_single_technique_is_looked_up_too(own_recipe):
    name = own_recipe(
        {"text": "a", "verdict": "yes", "trick": "spin"},
        fields={"claim": "text", "rating": "verdict", "manipulation": "trick"},
        techniques={"spin": "loaded_language"},
    )
    assert [claim.manipulation for claim in recipe_reader.read(recipes.load(name))] == [("loaded_language",)]


def test_a_recipe_of_several_corpora_is_read_by_their_names():
    variants = [name for name in recipes.names() if name.startswith("pairs:")]
    assert len(variants) == 14
    assert "pairs" not in recipes.names()
    assert {recipes.load(name).files for name in variants} == {(f"pairs/{name[6:]}.jsonl.gz",) for name in variants}
    with pytest.raises(ConfigError, match=r"pairs: expected the name of one of its corpora after ':', found ''"):
        recipes.load("pairs")
    with pytest.raises(ConfigError, match=r"pairs: .*, found 'snli_cda'\. Did you mean 'snli_cad'\? Known: pairs:snli"):
        recipes.load("pairs:snli_cda")
    with pytest.raises(ConfigError, match=r"averitec: .*, found 'dev'\. Known: averitec \(it has no variants\)"):
        recipes.load("averitec:dev")


def test_a_recipe_reads_a_table_as_a_config_reads_the_file(own_recipe):
    """An empty cell is nothing, and JSON in a cell of evidence or techniques is read."""
    cells = (
        'text,verdict,notes,manipulation\na,open,"[""one"", ""two""]",[]\nb,open,,\nc,open,[sic] three,"[""doubt""]"\n'
    )
    fields = {"claim": "text", "rating": "verdict", "evidence": "notes"}
    recipe = own_recipe(cells, file="own/rows.csv", fields=fields, ratings={"open": "insufficient"})
    file = Path(os.environ["CLAIMSIEVE_CORPORA"]) / "own" / "rows.csv"
    by_recipe, _ = reading.load([Corpus(recipe=recipe)])
    by_file, _ = reading.load([Corpus(file=str(file), map=fields, ratings={"open": "insufficient"})])
    found = [[(c.claim, c.label, c.manipulation, c.evidence) for c in claims] for claims in (by_recipe, by_file)]
    assert found[0] == found[1]
    assert [(label, techniques) for _, label, techniques, _ in found[0]] == [
        ("unverified", ()),
        ("unverified", None),
        ("propaganda", ("doubt",)),
    ]
    assert [len(evidence) for *_, evidence in found[0]] == [2, 0, 1]


def test_a_recipe_may_lie_under_a_name_with_a_colon(own_recipe, tmp_path):
    path = tmp_path / "a:b" / "own.yaml"
    path.parent.mkdir()
    path.write_bytes(Path(own_recipe({"text": "a", "verdict": "yes"})).read_bytes())
    assert recipes.load(str(path)).name == "own"


@pytest.mark.parametrize("name", ["x" * 5_000, "x" * 300 + ".yaml", "a\0b.yaml"])
def test_a_name_that_can_be_no_file_is_no_recipe(name):
    with pytest.raises(ConfigError, match="expected the name of a recipe or a recipe file, found neither"):
        recipes.load(name)


def test_a_pattern_that_is_none_is_told(own_recipe):
    name = own_recipe({"text": "a", "verdict": "yes"}, files=["a**b.jsonl"])
    with pytest.raises(ConfigError, match=r"expected \*\* in place of whole folders only, found 'a\*\*b\.jsonl'"):
        recipes.load(name)


@pytest.mark.parametrize("source", ["(" * 5_000, "!" * 20_000 + "a", f"a[{'9' * 5_000}]"])
def test_an_expression_that_cannot_be_read_is_the_name_of_a_column(source):
    assert field_mapper({"claim": source}, place="here")({source: "said"})["claim"] == "said"
