"""claimsieve article --against: what was checked before reaches the rows, the table, the summary and the page."""

import csv
import json

import pytest

from claimsieve.data.corpora import load_labelled
from claimsieve.models.artifacts import write_model
from claimsieve.models.tfidf import TfidfModel
from html_pages import Page

STORY = """Date: 2021-03-04

A dam bursts above Tarsk

The dam above Tarsk burst on Monday night.

Police said two people drowned in the flood below the dam. "The old mill by the river is gone," said Jan Holt.

State outlets claim that eighty people drowned in the flood below the dam, but there is no evidence to support this.
"""
TWO = "Two people drowned in the flood below the dam."
EIGHTY = "Eighty people drowned in the flood below the dam."
HOSTILE = 'Wrong"><script>alert(1)</script>\u202e”: verified.'
CHECKS = [
    {"claim": TWO, "label": "verified", "date": "2021-03-06", "source": "River Desk", "url": "https://desk.example/1"},
    {"claim": EIGHTY, "rating": HOSTILE, "date": "2021-03-09", "source": "<b>Desk", "url": "javascript:alert(1)"},
    {"claim": "The dam above Tarsk burst on Friday night.", "rating": "False", "date": "2021-03-05"},
    {"claim": "The mill is a ruin.", "date": "some day"},
]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the story and the checks, which is the working directory."""
    (tmp_path / "dam.txt").write_text(STORY, encoding="utf-8")
    lines = "".join(json.dumps(check) + "\n" for check in CHECKS)
    (tmp_path / "checks.jsonl").write_text(lines, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def model(tmp_path_factory, planted_claims):
    claims, _ = load_labelled(str(planted_claims))
    trained = TfidfModel(inputs=("claim", "evidence"), max_features=500)
    list(trained.fit(claims, valid=claims))
    directory = tmp_path_factory.mktemp("against-model") / "model"
    write_model(trained, directory, kind="tfidf", config_yaml="{}\n", data_fingerprint="0" * 64, seed=0)
    return directory


@pytest.fixture
def run(claimsieve):
    def article(*options):
        return claimsieve("article", "dam.txt", "-o", "out", "--no-similarity", *options)

    return article


def rows_of(path):
    return {row["claim"]: row for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())}


def checks_in(row):
    return [one["date"] for one in row.get("evidence", ()) if one["text"].startswith("An earlier check")]


def test_from_the_article_to_the_page(run, place, model, claimsieve):
    code, out, told = run("--against", "checks.jsonl", "--model", model)
    assert code == 3  # of the checks one cannot be read
    assert "2 were checked before in the same words" in told
    assert "1 row rejected → out/against.rejects.jsonl" in told
    (reject,) = (place / "out" / "against.rejects.jsonl").read_text().splitlines()
    assert (json.loads(reject)["place"], json.loads(reject)["file"]) == (4, "checks.jsonl")
    assert "checked before" in out.splitlines()[0]
    assert "duplicate: verified" in out
    assert "\u202e" not in out

    for name in ("claims.jsonl", "labelled.jsonl"):
        rows = rows_of(place / "out" / name)
        assert rows[TWO]["matches"][0] == {**CHECKS[0], "similarity": 1.0, "kind": "duplicate"}
        assert rows[TWO]["evidence"][0] == {
            "text": f"An earlier check, of 2021-03-06, found “{TWO}”: verified.",
            "source": "River Desk",
            "date": "2021-03-06",
            "url": "https://desk.example/1",
        }
        assert checks_in(rows[EIGHTY]) == ["2021-03-09"]
        (burst,) = rows["The dam above Tarsk burst on Monday night."]["matches"]
        assert (burst["kind"], burst["label"]) == ("suggested", "False")
        assert checks_in(rows["The dam above Tarsk burst on Monday night."]) == []
        assert rows["The old mill by the river is gone."]["matches"] == []

    text = (place / "out" / "page.html").read_text(encoding="utf-8")
    assert "script" not in {tag for tag, _ in Page(text).elements}
    assert "\u202e" not in text
    words = Page(text).words
    assert "2 were judged before" in words
    assert "1 perhaps was judged before:" in words
    assert 'Wrong"><script>alert(1)</script>⟨U+202E⟩”: verified.' in words
    assert "River Desk · 6 March 2021" in words
    assert {"href": "https://desk.example/1", "rel": "noopener noreferrer nofollow"} in Page(text).all("a")
    assert "javascript:" not in text
    code, _, told = claimsieve("report", "out", "-o", "again.html", "-q")
    assert (code, told) == (0, "")
    assert words.count("Judged before") == Page((place / "again.html").read_text()).words.count("Judged before") == 2


def test_a_check_dated_after_as_of_is_neither_a_match_nor_evidence(run, place):
    code, out, _ = run("--against", "checks.jsonl", "--as-of", "2021-03-08", "--json", "-q")
    assert code == 3
    rows = rows_of(place / "out" / "claims.jsonl")
    assert checks_in(rows[TWO]) == ["2021-03-06"]
    assert checks_in(rows[EIGHTY]) == []
    assert "2021-03-09" not in (place / "out" / "claims.jsonl").read_text()
    before = json.loads(out)["checked_before"]
    assert (before["duplicate"], before["suggested"], before["evidence"]) == (1, 2, 1)
    assert (before["checked"], before["checked_later"], before["checked_rejected"]) == (2, 1, 1)
    assert before["rejects_file"] == "out/against.rejects.jsonl"


@pytest.mark.parametrize(("as_of", "known"), [("2021-03", 3), ("2021", 3), ("2021-02", 0), ("2021-03-05", 1)])
def test_as_of_means_the_last_day_of_a_month_or_year_as_for_other_evidence(as_of, known, run, place):
    _, out, _ = run("--against", "checks.jsonl", "--as-of", as_of, "--json", "-q")
    assert json.loads(out)["checked_before"]["checked"] == known


@pytest.mark.parametrize("most", [0, 1, 2])
def test_evidence_passages_is_the_number_of_all(most, run, place):
    run("--against", "checks.jsonl", "--evidence-passages", most, "-q")
    rows = rows_of(place / "out" / "claims.jsonl")
    assert max(len(row.get("evidence", ())) for row in rows.values()) == most
    assert len(checks_in(rows[TWO])) == min(1, most)
    assert rows[TWO]["matches"]


def test_dated_only_keeps_dated_checks(run, place):
    checks = [CHECKS[0], {key: value for key, value in CHECKS[1].items() if key != "date"}]
    (place / "checks.jsonl").write_text("".join(json.dumps(check) + "\n" for check in checks))
    for options in (["--dated-only"], []):
        code, _, _ = run("--against", "checks.jsonl", *options, "-q")
        assert code == 0
        rows = rows_of(place / "out" / "claims.jsonl")
        assert checks_in(rows[TWO]) == ["2021-03-06"]
        assert checks_in(rows[EIGHTY]) == []
        assert rows[EIGHTY]["matches"][0]["kind"] == "duplicate"
    assert not (place / "out" / "against.rejects.jsonl").exists()


def test_an_article_checked_again_knows_the_model_s_labels_for_what_they_are(run, place, model, claimsieve):
    run("--against", "checks.jsonl", "--model", model, "-q")
    code, _, told = claimsieve(
        *("article", "dam.txt", "-o", "again", "--no-similarity", "--model", model),
        *("--against", "out/labelled.jsonl"),
    )
    assert code == 0, told
    assert "4 were checked before in the same words" in told
    assert "4 checked claims bear a label that a model gave, which is no person's verdict" in told
    assert "as evidence" not in told
    for row in rows_of(place / "again" / "labelled.jsonl").values():
        assert row["matches"][0]["machine_made"] is True
        assert checks_in(row) == []
    assert "(by a machine)" in Page((place / "again" / "page.html").read_text(encoding="utf-8")).words


def test_tables_are_read_by_a_map_and_an_index_is_kept(run, place):
    with (place / "checks.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["statement", "verdict", "on"], [TWO, "Confirmed", "2021-03-06"]])
    maps = [word for pair in ("claim=statement", "rating=verdict", "date=on") for word in ("--against-map", pair)]
    given = ["--against", "checks.csv", *maps, "--against-index", "index"]
    for _ in range(2):
        code, _, told = run(*given)
        assert code == 0, told
        assert rows_of(place / "out" / "claims.jsonl")[TWO]["evidence"][0]["text"].endswith(": Confirmed.")
    assert (place / "index" / "index.json").is_file()


def test_without_against_nothing_speaks_of_it(run, place):
    code, out, told = run()
    assert code == 0
    assert "checked before" not in out + told
    assert not any("matches" in row for row in rows_of(place / "out" / "claims.jsonl").values())
    _, out, _ = run("--json", "-q")
    assert "checked_before" not in json.loads(out)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--against", "none.jsonl"], 1, "none.jsonl: expected a claims file, found none"),
        (["--against", "-"], 2, "--against -: expected a file of checked claims"),
        (["--against", "bad.jsonl"], 1, "expected checked claims, found none that can be read"),
        (["--against", "bad.csv"], 1, "expected a column 'claim', found 'a', 'b'. Map it: --against-map claim="),
        (["--against", "checks.jsonl", "--against-map", "clam=x"], 2, "--against-map"),
        (
            ["--against", "checks.jsonl", "--against-similar", "0.1"],
            2,
            "--against-suggest, --against-similar: expected",
        ),
        (["--against", "checks.jsonl", "--against-encoder", "no/such/folder/x"], 1, "a local folder, or a Hub id"),
        (["--against-map", "claim=x"], 2, "expected --against with them"),
        (["--against", "out/claims.jsonl"], 2, "expected a file that is not written over"),
        (["--against", "out"], 2, "expected a file that is not written over"),
    ],
)
def test_what_is_wrong_is_told_before_the_article_is_read(options, code, message, run, place, monkeypatch):
    def never(*_, **__):
        raise AssertionError("the article was read")

    (place / "bad.jsonl").write_text('{"text": "x"}\n{\n')
    (place / "bad.csv").write_text("a,b\n1,2\n")
    (place / "out").mkdir()
    (place / "out" / "article.json").write_text("[]")
    (place / "out" / "claims.jsonl").write_text(json.dumps(CHECKS[0]) + "\n")
    monkeypatch.setattr("claimsieve.intake.desk.take_in", never)
    found, _, told = run(*options)
    assert found == code
    assert message in told
    assert told.count("claimsieve: ") == 1
    assert (place / "out" / "claims.jsonl").read_text() == json.dumps(CHECKS[0]) + "\n"


@pytest.mark.parametrize("name", ["against.rejects.jsonl", "evidence.rejects.jsonl", "claims.jsonl"])
def test_checks_that_would_be_written_over_or_removed_are_refused(run, place, name):
    (place / "out").mkdir()
    (place / "out" / "article.json").write_text("[]")
    (place / "out" / name).write_text(json.dumps(CHECKS[0]) + "\n")
    code, _, err = run("--against", f"out/{name}")
    assert code == 2
    assert "expected a file that is not written over" in err
    assert json.loads((place / "out" / name).read_text()) == CHECKS[0]
