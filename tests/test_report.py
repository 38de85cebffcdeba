"""The page shows what was saved, is whole in itself, and nothing that a corpus says becomes markup."""

import itertools
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from claimsieve.card import model_card
from claimsieve.config import validate
from claimsieve.errors import ModelError
from claimsieve.evaluation.axes import axis_report, to_json
from claimsieve.pages import number, share
from claimsieve.records import Claim, Evidence
from claimsieve.report import MAX_EVENTS, evaluation_page, read_directory
from claimsieve.runner import run_experiment
from html_pages import HOSTILE, Page, assert_inert, poisoned_documents


@pytest.fixture(scope="module")
def trained(planted_claims, tmp_path_factory):
    """A model directory; claims without words of their label make it err, and a row without a claim is left out."""
    folder = tmp_path_factory.mktemp("report")
    rows = [json.loads(line) for line in planted_claims.read_text().splitlines()]
    for row in rows[::4]:
        row["evidence"] = "nothing that tells a label"
    data = folder / "planted.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"claim": "", "label": "verified"}\n')
    config = {
        "name": "planted-page",
        "data": {
            "corpora": [{"file": str(data)}],
            "split": {"train": 0.4, "valid": 0.1, "calibration": 0.2, "test": 0.3},
        },
        "model": {"kind": "tfidf"},
        "evaluation": {
            "resamples": 100,
            "min_slice_rows": 2,
            "prevalence": {"verified": 0.9, "unverified": 0.08, "propaganda": 0.02},
        },
        "tracking": {"enabled": False},
    }
    [result] = run_experiment(validate(config, place="test"), folder / "model")
    return result.directory


@pytest.fixture(scope="module")
def documents(trained):
    return read_directory(trained)[0]


@pytest.fixture(scope="module")
def origin(trained):
    return read_directory(trained)[1]


@pytest.fixture(scope="module")
def page(documents, origin):
    return Page(evaluation_page(documents, origin=origin))


def test_the_page_is_whole_in_itself(page):
    assert_inert(page)
    assert len(page.all("img")) >= 3


def test_what_a_corpus_says_does_not_become_markup(documents, origin):
    for hostile in HOSTILE:
        page = Page(evaluation_page(poisoned_documents(documents, hostile), origin=origin))
        assert_inert(page)
        # In the tables of corpora and events, among the mistakes and among the rows left out.
        assert page.words.count(" ".join(hostile.split())) > 10


def test_sections_in_the_order_in_which_to_decide(page):
    ids = [attributes["id"] for tag, attributes in page.elements if tag == "h2"]
    expected = (
        "numbers shortcuts explanations behaviour labels confusion corpora events calibration coverage selective "
        "base-rates audit data mistakes making meaning"
    )
    assert ids == expected.split()
    first = page.words.index("Margin over the best shortcut")
    assert first < page.words.index("Macro-F1 (n")


def test_readers_that_speak_find_their_way(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in page.all("a")} <= set(ids)
    assert all(cell.get("scope") in ("row", "col") for cell in page.all("th"))
    assert all(picture["alt"] for picture in page.all("img"))
    assert all(table["caption"] for table in page.tables)
    assert page.all("html")[0]["lang"] == "en"


def test_every_table_of_estimates_has_n_and_intervals(page):
    estimated = [
        table for table in page.tables if any("[95\xa0%]" in cell for cell in [table["caption"], *table["head"]])
    ]
    assert len(estimated) >= 10
    for table in estimated:
        counted = "n\xa0=\xa0" in table["caption"] or {"n", "claims"} & set(table["head"])
        assert counted, table["caption"]
        for row in table["rows"]:
            if row[0] == "the mix alone, without a model":
                continue  # follows from the mix alone, so it is known exactly
            for head, cell in zip(table["head"], row, strict=True):
                if "[95\xa0%]" in head and "wrong among" not in head:  # a number of items may be known exactly
                    assert re.search(r"\d \[[^]]+, [^]]+\]|–", cell), (table["caption"], cell)


def test_the_page_shows_what_was_saved(page, documents):
    evaluation = json.loads(documents["evaluation.json"])
    estimates = [*evaluation["overall"]["metrics"].values(), *evaluation["corpora"]["planted"]["metrics"].values()]
    estimates += [one for label in evaluation["overall"]["per_label"].values() for one in label.values()]
    decisions = json.loads(documents["decisions.json"])
    estimates += [part["covered"] for part in decisions["coverage"]["labels"].values()]
    estimates += [row["error_share"] for row in decisions["review"]]
    estimates += [label["precision"] for label in decisions["base_rates"]["at_mix"]["labels"].values()]
    for estimate in filter(None, estimates):
        assert "{} [{}, {}]".format(*(number(estimate[key]) for key in ("value", "low", "high"))) in page.words


@pytest.mark.parametrize("name", ["evaluation.json", "shortcuts.json"])
def test_a_document_with_any_part_wrong_gives_a_page_or_one_clear_error(name, documents, origin):
    kept = {key: documents[key] for key in ("evaluation.json", "shortcuts.json")}
    document = json.loads(documents[name])
    wrong = itertools.cycle([None, "x", {}, -1, 10**400, [0]])
    refused = 0
    for path, page in itertools.product(places(document), (evaluation_page, model_card)):
        try:
            page(kept | {name: json.dumps(with_part(document, path, next(wrong))).encode()}, origin=origin)
        except ModelError as error:
            refused += str(error).startswith(f"{name}: expected ")
    assert refused > 20


def places(document, *, deepest=3):
    """The paths to parts of a document, the first two of each table or list that is not small."""
    inside = list(document.items()) if isinstance(document, dict) else list(enumerate(document))
    for key, part in inside if len(inside) < 12 else inside[:2]:
        yield (key,)
        if isinstance(part, dict | list) and deepest:
            yield from ((key, *rest) for rest in places(part, deepest=deepest - 1))


def with_part(document, path, part):
    copy = json.loads(json.dumps(document))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = part
    return copy


def test_a_report_never_recomputes(documents, origin):
    evaluation = json.loads(documents["evaluation.json"])
    evaluation["overall"]["metrics"]["macro_f1"] = {"value": 0.1234, "low": 0.1111, "high": 0.9876}
    changed = {**documents, "evaluation.json": json.dumps(evaluation).encode()}
    assert ".123 [.111, .988]" in Page(evaluation_page(changed, origin=origin)).words


def test_what_was_not_measured_has_no_section(documents, origin):
    before = replace(origin, fingerprint=None, weight_bytes=None, versions={})  # as inside the directory itself
    page = Page(evaluation_page({"evaluation.json": documents["evaluation.json"]}, origin=before))
    assert_inert(page)
    assert origin.fingerprint not in page.words
    ids = {attributes["id"] for tag, attributes in page.elements if tag == "h2"}
    assert not ids & {
        "shortcuts",
        "axes",
        "explanations",
        "behaviour",
        "coverage",
        "selective",
        "audit",
        "data",
        "mistakes",
    }
    assert "Shortcuts were not measured" in page.words
    assert "prevalence: {verified: 0.9" in page.words  # how to set one's own mix


def test_without_a_mix_the_page_says_at_which_mix_its_figures_are(documents, origin):
    decisions = json.loads(documents["decisions.json"]) | {"base_rates": None}
    page = Page(evaluation_page({**documents, "decisions.json": json.dumps(decisions).encode()}, origin=origin))
    labels = json.loads(documents["evaluation.json"])["overall"]["labels"]
    mix = ", ".join(f"{share(n / sum(labels.values()))} {label}" for label, n in labels.items())
    assert "No mix of labels is configured." in page.words
    assert page.words.count(" ".join(mix.split())) >= 3


def test_a_margin_that_reaches_zero_is_said_at_the_top(documents, origin):
    shortcuts = json.loads(documents["shortcuts.json"])
    for low, warned in ((-0.01, True), (0.01, False)):
        shortcuts["margin"] = {"value": 0.1, "low": low, "high": 0.2}
        text = evaluation_page({**documents, "shortcuts.json": json.dumps(shortcuts).encode()}, origin=origin)
        assert ("No margin over shortcuts." in text) == warned


def test_every_variation_stands_on_the_page_with_what_the_model_says(page, documents):
    behaviour = json.loads(documents["behaviour.json"])
    [table] = [table for table in page.tables if table["caption"].startswith("Every variation")]
    assert table["caption"].endswith(f"n = {behaviour['n']}")
    for cells, answer in zip(table["rows"], behaviour["answers"], strict=True):
        assert cells[:2] == [answer["kind"], answer["claim"]]
        assert cells[3] == " or ".join(answer["expected"])
        assert cells[4].startswith(answer["label"])
        assert cells[4].endswith("wrong") == (answer["label"] not in answer["expected"])


def axis_document():
    """Of an oracle on four claims of a corpus whose name is markup."""
    claims = [
        Claim(f"{word} {number}", stance=stance, manipulation=told, evidence=(Evidence("b"),), corpus="<i>one</i>")
        for number in range(2)
        for word, stance, told in (("a", "supported", ()), ("c", "refuted", ("doubt",)))
    ]
    axes = np.array([[0.9, 0.1, 0.0, 0.1], [0.0, 0.1, 0.9, 0.9]] * 2)
    report = axis_report(axes, claims, threshold=0.5, resamples=100)
    return json.dumps(to_json(report)).encode()


def test_both_axes_have_a_table_by_corpus(documents, origin):
    whole = {**documents, "axes.json": axis_document()}
    page = Page(evaluation_page(whole, origin=origin))
    captions = {table["caption"].partition(",")[0]: table for table in page.tables}
    assert captions["Stance of claims with evidence"]["rows"][0][:2] == ["<i>one</i>", "4"]
    assert captions["Manipulation"]["rows"][0][1] == "2"
    card = model_card(whole, origin=origin)
    assert "## Two axes" in card
    assert "&lt;i&gt;one&lt;/i&gt; | 4 | 1.000 [1.000, 1.000] | .333 |" in card
    assert "## Two axes" not in model_card(documents, origin=origin)
    with pytest.raises(ModelError, match=r"^axes\.json: expected what a training writes there"):
        evaluation_page({**documents, "axes.json": b"{}"}, origin=origin)


def test_the_surest_mistakes_stand_first(page, documents):
    rows = [json.loads(line) for line in documents["test_predictions.jsonl"].splitlines()]
    labels = ("verified", "unverified", "propaganda")
    wrong = [row for row in rows if max(labels, key=lambda label: row[f"p_{label}"]) != row["label"]]
    surest = sorted(wrong, key=lambda row: -max(row[f"p_{label}"] for label in labels))
    assert wrong
    assert f"of {len(wrong)} in {len(rows)} test claims" in page.words
    shown = [page.words.find(f"id {row['id']} ") for row in surest[:10]]
    assert -1 not in shown
    assert shown == sorted(shown)


def test_many_events_are_cut_and_counted(documents, origin):
    evaluation = json.loads(documents["evaluation.json"])
    part = next(iter(evaluation["events"].values()))
    evaluation["events"] = {f"story {place}": part for place in range(200)}
    page = Page(evaluation_page({**documents, "evaluation.json": json.dumps(evaluation).encode()}, origin=origin))
    assert f"The {MAX_EVENTS} with the lowest macro-F1 of 200 events" in page.words
    [table] = [table for table in page.tables if table["caption"].startswith("Results by event")]
    assert len(table["rows"]) == MAX_EVENTS


def test_a_document_that_is_something_else_is_named(documents, origin):
    named = ("evaluation", "shortcuts", "faithfulness", "behaviour", "calibration", "decisions", "audit")
    for name in (f"{one}.json" for one in named):
        for content in (b"[]", b"{}", b"not json"):
            with pytest.raises(ModelError, match=f"^{name}: expected what a training writes there"):
                evaluation_page({**documents, name: content}, origin=origin)
    with pytest.raises(ModelError, match=r"^expected evaluation\.json to report on, found none"):
        evaluation_page({}, origin=origin)
    with pytest.raises(ModelError, match=r"^test_predictions\.jsonl: expected a label and probabilities"):
        evaluation_page({**documents, "test_predictions.jsonl": b'{"id": "1"}'}, origin=origin)


def test_an_audit_of_other_kinds_is_named(documents, origin):
    audit = json.loads(documents["audit.json"])
    for change in ({"claims": float("inf")}, {"corpora": {"a": {"verified": "many"}}}, {"findings": [{"check": 3}]}):
        with pytest.raises(ModelError, match=r"^audit\.json: expected what a training writes there"):
            evaluation_page({**documents, "audit.json": json.dumps(audit | change).encode()}, origin=origin)


def test_a_manifest_of_ones_own_gives_one_error(trained, tmp_path, claimsieve):
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"versions": ["1"]}))
    assert claimsieve("report", copy, "-o", tmp_path / "r.html", "-q") == (0, "", "")
    del manifest["files"]["config.yaml"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    (copy / "config.yaml").unlink()
    code, _, error = claimsieve("report", copy, "-o", tmp_path / "r.html")
    assert code == 2
    assert "config.yaml: cannot be read" in error


def test_a_folder_is_not_written_to(trained, claimsieve):
    for output in (".", "/"):
        assert claimsieve("report", trained, "-o", output)[::2] == (
            2,
            f"claimsieve: {output}: expected a file to write, found a folder. Name one with -o.\n",
        )


def test_a_changed_directory_is_not_reported_on(trained, tmp_path, claimsieve):
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    (copy / "evaluation.json").write_text("{}")
    code, _, error = claimsieve("report", copy, "-o", tmp_path / "r.html")
    assert code == 1
    assert "'evaluation.json' is not what was saved" in error
    assert not (tmp_path / "r.html").exists()


def test_the_command_writes_the_page(trained, tmp_path, claimsieve):
    target = tmp_path / "report.html"
    code, out, error = claimsieve("report", trained, "-o", target)
    assert (code, out) == (0, "")
    assert f"wrote {target}" in error
    assert_inert(Page(target.read_text(encoding="utf-8")))
    assert list(tmp_path.iterdir()) == [target]
    code, out, error = claimsieve("report", trained, "-o", "-", "-q")
    assert (code, out, error) == (0, target.read_text(encoding="utf-8"), "")


def test_a_model_directory_is_not_written_into(trained, claimsieve):
    before = sorted(trained.rglob("*"))
    code, _, error = claimsieve("report", trained, "-o", trained / "new.html")
    assert code == 2
    assert "lies inside the model directory" in error
    assert sorted(trained.rglob("*")) == before


def test_numbers_are_written_alike():
    assert [number(value) for value in (0.4123, 0.9999, 1.0, 0.0, -0.05, None)] == [
        ".412",
        "1.000",
        "1.000",
        ".000",
        "−.050",
        "–",
    ]
    assert [number(value, signed=True) for value in (0.05, -0.05, 0.0001)] == ["+.050", "−.050", "±.000"]
    assert [number(value, 0) for value in (2473.2, 0.2)] == ["2,473", "0"]
    assert [share(value) for value in (0.9, 0.02, 0.2941, 1)] == ["90\xa0%", "2\xa0%", "29.4\xa0%", "100\xa0%"]
