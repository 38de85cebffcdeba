"""The card can be read by the Hub and by us, says what is not stated, and takes no text of a corpus for markup."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from claimsieve import yaml12
from claimsieve.card import card_page, corpus_facts, missing, model_card
from claimsieve.config import validate
from claimsieve.data import recipes
from claimsieve.errors import ModelError
from claimsieve.evaluation.behaviour import STANDING
from claimsieve.pages import link, markdown_text, number
from claimsieve.report import read_directory
from claimsieve.runner import run_experiment
from claimsieve.settings import Card, Corpus
from html_pages import HOSTILE, Page, assert_inert, poisoned_documents

FULL = {
    "owner": "The data desk",
    "contact": "desk@example.org",
    "licence": "Apache-2.0",
    "languages": ["en", "no"],
    "intended_use": "To sort incoming claims for a person to check.",
}


@pytest.fixture(scope="module")
def trained(planted_claims, tmp_path_factory):
    config = {
        "name": "planted-card",
        "data": {
            "corpora": [{"file": str(planted_claims)}],
            "split": {"train": 0.4, "valid": 0.1, "calibration": 0.2, "test": 0.3},
        },
        "model": {"kind": "tfidf"},
        "evaluation": {"resamples": 100, "prevalence": {"verified": 0.9, "unverified": 0.08, "propaganda": 0.02}},
        "tracking": {"enabled": False},
    }
    directory = tmp_path_factory.mktemp("card") / "model"
    run_experiment(validate(config, place="test"), directory)
    return directory


@pytest.fixture(scope="module")
def documents(trained):
    return read_directory(trained)[0]


@pytest.fixture(scope="module")
def origin(trained):
    return read_directory(trained)[1]


def changed(origin, **sections):
    """The same origin with other sections in its config."""
    config = json.loads(origin.config.model_dump_json()) | sections
    return replace(origin, config=validate(config, place="test"))


def header_of(card):
    return re.match(r"---\n(.*?)\n---\n", card, re.DOTALL).group(1)


def named(documents, corpus):
    """The documents of a run whose corpus has another name."""
    return {
        name: content.replace(b'"planted"', json.dumps(corpus).encode()) if name.endswith(".json") else content
        for name, content in documents.items()
    }


def test_the_hub_reads_the_header(documents, origin):
    from huggingface_hub import ModelCard

    card = ModelCard(model_card(documents, origin=changed(origin, card=FULL)))
    assert card.data.license == "apache-2.0"
    assert card.data.language == ["en", "no"]  # not False
    assert card.data.pipeline_tag == "text-classification"
    assert card.data.datasets == ["planted"]
    assert card.data.model_name == "planted-card"
    evaluation = json.loads(documents["evaluation.json"])
    found = {result.dataset_type: result for result in card.data.eval_results}
    assert set(found) == {"all-corpora", "planted"}
    for name, part in (("all-corpora", evaluation["overall"]), ("planted", evaluation["corpora"]["planted"])):
        f1 = part["metrics"]["macro_f1"]
        assert found[name].metric_value == round(f1["value"], 4)
        assert found[name].metric_name.endswith(f"{f1['low']:.3f} to {f1['high']:.3f}, n = {part['n']}")
        assert (found[name].metric_type, found[name].dataset_split) == ("f1", "test")


@pytest.mark.parametrize("corpus", ["planted", "1e5", "no", "0o17", "null", "2020-01-08", "a: b # c", *HOSTILE])
def test_both_versions_of_yaml_read_the_same_header(documents, origin, corpus):
    import yaml

    card = model_card(named(documents, corpus), origin=origin)
    found = yaml12.parse(header_of(card), place="card")
    assert found == yaml.safe_load(header_of(card))
    names = [result["dataset"]["name"] for result in found["model-index"][0]["results"]]
    assert names == ["all corpora of the run", corpus]


def test_what_is_not_stated_is_named(documents, origin):
    assert missing(Card()) == ["owner", "contact", "licence", "languages", "intended_use"]
    assert missing(Card(**FULL | {"languages": ("en",)})) == []
    assert missing(Card(owner="  ", contact="us")) == ["owner", "licence", "languages", "intended_use"]
    text = model_card(documents, origin=origin)
    for name in missing(Card()):
        assert re.search(rf"\*\*Not stated\*\*.*{name}", text)
    for row in ("owner", "contact", "licence of the weights", "languages"):
        assert f"| {row} | not stated |" in text
    stated = model_card(documents, origin=changed(origin, card=FULL))
    assert "Not stated" not in stated
    for value in ("The data desk", "desk@example.org", "Apache-2.0", "en, no", "To sort incoming claims"):
        assert value in stated


def test_numbers_stand_with_interval_and_n(documents, origin):
    tables = Page(card_page(model_card(documents, origin=origin))).tables
    estimated = [table for table in tables if any("[95 %]" in cell for cell in table["head"])]
    assert len(estimated) == 5  # corpora, labels, calibration, prediction sets, base rates
    for table in estimated:
        assert {"n", "test claims"} & set(table["head"])
        for row in table["rows"]:
            for head, cell in zip(table["head"], row, strict=True):
                assert "[95 %]" not in head or re.fullmatch(r"[\d,]*\.?\d+ \[[^]]+, [^]]+\]|–", cell)


def test_behaviour_stands_by_kind_and_the_standing_examples_variation_by_variation(documents, origin):
    behaviour = json.loads(documents["behaviour.json"])
    page = Page(card_page(model_card(documents, origin=origin)))
    share = "{} [{}, {}]".format(*(number(behaviour["right"][key]) for key in ("value", "low", "high")))
    assert f"Right in {share} of n = {behaviour['n']} variations" in page.words
    assert "not a benchmark" in page.words
    [kinds] = [table for table in page.tables if table["head"] == ["kind", "right", "n"]]
    assert kinds["rows"] == [[kind, str(of["right"]), str(of["n"])] for kind, of in behaviour["kinds"].items()]
    shown = [table["rows"] for table in page.tables if table["head"][-1:] == ["right"]]
    assert len(shown) == len(STANDING)
    for group, rows in zip(STANDING, shown, strict=True):
        answers = [answer for answer in behaviour["answers"] if answer["group"] == group]
        assert answers[0]["claim"] in page.words
        for cells, answer in zip(rows, answers, strict=True):
            assert cells[0] == answer["kind"]
            assert cells[2] == " or ".join(answer["expected"])
            assert cells[3].startswith(answer["label"])
            assert cells[4] == ("yes" if answer["label"] in answer["expected"] else "no")
    without = {name: content for name, content in documents.items() if name != "behaviour.json"}
    assert "## Behaviour" not in model_card(without, origin=origin)


def test_no_precision_stands_without_its_mix(documents, origin):
    text = model_card(documents, origin=origin)
    assert "At 90 % verified, 8 % unverified, 2 % propaganda, as the config expects" in text
    decisions = json.loads(documents["decisions.json"]) | {"base_rates": None}
    without = model_card({**documents, "decisions.json": json.dumps(decisions).encode()}, origin=origin)
    assert "No mix of labels is configured" in without
    for card in (text, without):
        assert "Precision and accuracy are at the test split’s own mix (" in card


def test_what_a_corpus_says_does_not_become_markup(documents, origin):
    for hostile in HOSTILE:
        text = model_card(poisoned_documents(documents, hostile), origin=changed(origin, card={"owner": hostile}))
        page = Page(card_page(text))
        assert_inert(page)
        assert page.words.count(" ".join(hostile.split())) >= 4
        # Nor for a reader that would let HTML through.
        loose = Page(MarkdownIt("commonmark", {"html": True}).enable("table").render(text.split("---\n", 2)[2]))
        assert not {tag for tag, _ in loose.elements} & {"script", "img", "style"}
        assert all(link["href"].startswith("https://") for link in loose.all("a"))
        for table in loose.tables:
            assert {len(row) for row in table["rows"]} == {len(table["head"])}


@given(st.text(max_size=80) | st.text(alphabet="`*_[]()<>&|~$#!\\:/.\"'= \nwhtps1a-", max_size=40))
@example("&lt;b&gt; &copy; &#60;i>")
@example("https://a.b <https://a.b> www.a.b")
def test_escaped_text_is_read_back_as_it_was(text):
    shown = " ".join(text.split())
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(f"x {markdown_text(text)} y")
    page = Page(rendered)
    assert {tag for tag, _ in page.elements} == {"p"}
    visible = re.sub(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "", shown)
    assert page.words == " ".join(f"x {visible} y".split())


def test_only_web_addresses_become_links():
    assert str(link("https://example.org/a_b?c=1")) == "<https://example.org/a_b?c=1>"
    for address in ("javascript:alert(1)", "https://a b", "https://a>b", "file:///etc/passwd", "https://a|b"):
        page = Page(MarkdownIt("commonmark").render(f"x {link(address)}"))
        assert not page.all("a")
        assert page.words == f"x {address}"


def test_corpora_are_described_by_their_recipes(documents, origin):
    recipe = recipes.load("starter")
    facts = corpus_facts(
        [Corpus(recipe="starter"), Corpus(recipe="pairs:wice"), Corpus(hub="owner/name"), Corpus(recipe="gone.yaml")]
    )
    assert [one.name for one in facts] == ["starter", "wice", "owner_name", "gone"]
    assert (facts[0].title, facts[0].licence, facts[0].citation) == (recipe.title, recipe.licence, recipe.citation)
    assert facts[2].hub == "owner/name"
    assert facts[3].licence is None
    data = {"corpora": [{"recipe": "starter"}, {"hub": "owner/name"}]}
    text = model_card(documents, origin=changed(origin, data=data))
    assert f"| starter | {recipe.title} | {recipe.licence} |" in text
    assert "| owner_name | not stated | not stated |" in text
    assert yaml12.parse(header_of(text), place="card")["datasets"] == ["starter", "owner/name"]


@pytest.mark.parametrize(
    ("checkpoint", "named"),
    [("default", "sentence-transformers/all-MiniLM-L6-v2"), ("owner/some-model", "owner/some-model"), ("{tmp}", None)],
)
def test_the_base_model_is_named_when_it_is_on_the_hub(documents, origin, tmp_path, checkpoint, named):
    model = {"kind": "encoder", "checkpoint": checkpoint.format(tmp=tmp_path)}
    card = model_card(documents, origin=changed(origin, model=model))
    assert yaml12.parse(header_of(card), place="card").get("base_model") == named
    assert str(tmp_path) not in header_of(card)


def test_a_card_without_an_evaluation_is_refused(documents, origin):
    with pytest.raises(ModelError, match=r"^expected evaluation\.json to make a card of, found none"):
        model_card({}, origin=origin)
    text = model_card({"evaluation.json": documents["evaluation.json"]}, origin=origin)
    assert "Not measured, so nothing shows that the model reads the evidence." in text
    assert "There was no calibration split" in text


def test_a_model_that_does_not_clear_its_shortcuts_says_so_at_the_top(documents, origin):
    shortcuts = json.loads(documents["shortcuts.json"])
    for low, warned in ((-0.01, True), (0.01, False)):
        shortcuts["margin"] = {"value": 0.1, "low": low, "high": 0.2}
        text = model_card({**documents, "shortcuts.json": json.dumps(shortcuts).encode()}, origin=origin)
        assert ("not known to read the evidence" in text.split("## ")[0]) == warned


def test_the_page_shows_the_card_without_its_header(documents, origin):
    text = model_card(documents, origin=origin)
    page = Page(card_page(text))
    assert_inert(page)
    assert "pipeline_tag" not in page.words
    headings = re.findall(r"^##? (.+)$", text, re.MULTILINE)
    assert len(headings) == 16
    assert all(heading in page.words for heading in headings)
    assert all(cell["scope"] == "col" for cell in page.all("th"))


def test_the_command_prints_the_card(trained, tmp_path, claimsieve):
    code, out, error = claimsieve("card", trained)
    documents, origin = read_directory(trained)
    assert (code, out) == (0, model_card(documents, origin=origin))
    assert "not stated: owner, contact, licence, languages, intended_use" in error
    code, out, _ = claimsieve("card", trained, "--html", "-o", tmp_path / "card.html", "-q")
    assert (code, out) == (0, "")
    assert_inert(Page((tmp_path / "card.html").read_text(encoding="utf-8")))
    code, _, error = claimsieve("card", tmp_path)
    assert code == 1
    assert "expected a model directory with manifest.json, found none" in error
