"""claimsieve article: what it writes, prints and refuses."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from claimsieve.data.corpora import load_labelled
from claimsieve.models.artifacts import write_model
from claimsieve.models.tfidf import TfidfModel

STORY = """A dam bursts above Tarsk

Date: 2021-03-04

The dam above Tarsk burst on Monday night.

Police said two people drowned. "The mill is gone," said the miller, Jan Holt.

State outlets claim that "80 people" drowned, but there is no evidence to support this.
"""


@pytest.fixture
def story(tmp_path):
    path = tmp_path / "dam.txt"
    path.write_text(f"Date: 2021-03-04\n\n{STORY}")
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory, planted_claims):
    claims, _ = load_labelled(str(planted_claims))
    trained = TfidfModel(inputs=("claim", "evidence"), max_features=500)
    list(trained.fit(claims, valid=claims))
    directory = tmp_path_factory.mktemp("article-model") / "model"
    write_model(trained, directory, kind="tfidf", config_yaml="{}\n", data_fingerprint="0" * 64, seed=0)
    return directory


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_an_article_becomes_claims_with_speakers_spans_and_evidence(claimsieve, story, tmp_path):
    code, out, err = claimsieve("article", story, "-o", tmp_path / "out", "--no-similarity")
    assert code == 0, err
    assert "who says it" in out
    assert "claimsieve predict" in err
    (article,) = json.loads((tmp_path / "out" / "article.json").read_text())
    assert list(article) == ["name", "title", "text", "date", "author", "outlet", "url", "lang"]
    rows = rows_of(tmp_path / "out" / "claims.jsonl")
    assert [(row.get("source"), row["context"], row["claim"]) for row in rows] == [
        (None, "statement", "The dam above Tarsk burst on Monday night."),
        ("Police", "report", "Two people drowned."),
        ("Jan Holt", "quote", "The mill is gone."),
        ("State outlets", "report", '"80 people" drowned.'),
    ]
    for row in rows:
        start, end = row["span"]
        assert row["claim"].rstrip(".").split()[-1] in article["text"][start:end]
        assert (row["article"], row["date"], row["lang"]) == ("dam.txt", "2021-03-04", "en")
    assert len({row["id"] for row in rows}) == 4
    assert rows[-1]["evidence"][0]["text"] == "There is no evidence to support this."


def test_a_bad_file_is_told_and_the_others_go_on(claimsieve, story, tmp_path):
    (tmp_path / "bad.txt").write_bytes(b"caf\xe9 and more")
    code, out, err = claimsieve(
        "article", tmp_path / "bad.txt", story, "-o", tmp_path / "out", "--json", "--no-similarity"
    )
    assert code == 3
    assert "found byte 0xe9" in err
    summary = json.loads(out)
    assert (summary["articles"], summary["claims"], len(summary["rejects"])) == (1, 4, 1)
    code, out, err = claimsieve("article", tmp_path / "bad.txt", "-o", tmp_path / "none", "-q")
    assert (code, out) == (1, "")
    assert err.count("claimsieve: ") == 1
    assert not (tmp_path / "none").exists()


def test_with_a_model_the_rows_are_labelled_and_explained(claimsieve, story, model, tmp_path):
    code, out, err = claimsieve("article", story, "-o", tmp_path / "out", "--model", model, "--no-similarity")
    assert code == 0, err
    rows = rows_of(tmp_path / "out" / "labelled.jsonl")
    assert len(rows) == 4
    for row in rows:
        assert row["label"] in ("verified", "unverified", "propaganda")
        assert {"article", "span", "context", "explanation", "p_verified"} <= row.keys()
    assert out.startswith("label")


def test_the_page_shows_what_was_found(claimsieve, story, model, tmp_path):
    code, _, err = claimsieve("article", story, "-o", tmp_path / "out", "--model", model, "--no-similarity")
    assert code == 0, err
    page = (tmp_path / "out" / "page.html").read_text(encoding="utf-8")
    assert "A dam bursts above Tarsk" in page
    assert "Jan Holt" in page
    assert "page.html" in err


def test_labels_of_an_earlier_run_do_not_stay_beside_other_claims(claimsieve, story, model, tmp_path):
    claimsieve("article", story, "-o", tmp_path / "out", "--no-similarity", "--model", model)
    assert (tmp_path / "out" / "page.html").exists()
    code, _, err = claimsieve("article", story, "-o", tmp_path / "out", "--no-similarity")
    assert code == 0, err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["article.json", "claims.jsonl"]
    assert "removed labelled.jsonl and page.html of an earlier run" in err


@pytest.mark.parametrize("name", ["claims.jsonl", "labelled.jsonl", "page.html", "evidence.rejects.jsonl"])
def test_what_others_put_into_the_folder_stays(claimsieve, story, tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("mine")
    code, _, err = claimsieve("article", story, "-o", tmp_path / "out", "--no-similarity")
    assert code == 2
    assert f"{name}: expected a new folder or that of an earlier run, found a file that would be written over" in err
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_a_folder_in_the_place_of_an_output_is_told_before_the_work(claimsieve, story, tmp_path):
    (tmp_path / "out" / "against.rejects.jsonl").mkdir(parents=True)
    code, _, err = claimsieve("article", story, "-o", tmp_path / "out", "--no-similarity")
    assert code == 2
    assert "against.rejects.jsonl: expected a file or none, found a folder" in err


def test_a_mistyped_model_takes_nothing_away(claimsieve, story, model, tmp_path):
    command = ("article", story, "-o", tmp_path / "out", "--no-similarity", "--model")
    claimsieve(*command, model)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    code, _, err = claimsieve(*command, tmp_path / "mdoel")
    assert code == 1
    assert "expected a model directory" in err
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_no_article_is_written_into_a_model(claimsieve, story, model, tmp_path):
    copy = shutil.copytree(model, tmp_path / "copy")
    code, _, err = claimsieve("article", story, "-o", copy, "--no-similarity")
    assert code == 1
    assert "lies inside the model directory copy, which would be spoilt" in err
    assert not (copy / "claims.jsonl").exists()


def test_a_full_disk_on_stdout_is_one_sentence(story, tmp_path):
    command = [sys.executable, "-m", "claimsieve", "article", str(story), "-o", "out", "--no-similarity", "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "claimsieve: the output cannot be written: No space left on device."
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", [(), ("--evidence",)])
def test_an_input_is_never_overwritten(claimsieve, story, tmp_path, option):
    page = tmp_path / "page.html"
    page.write_text(f"<article><h1>A dam bursts</h1><p>{STORY}</p></article>")
    given = (*option, page)
    code, _, err = claimsieve("article", *(given if not option else (story, *given)), "-o", tmp_path)
    assert code == 2
    assert "expected another folder for the output" in err
    assert page.read_text().startswith("<article>")


def test_a_mended_list_of_rejects_is_not_taken_away(claimsieve, story, tmp_path):
    mended = tmp_path / "evidence.rejects.jsonl"
    mended.write_text('{"text": "The dam burst."}\n')
    code, _, err = claimsieve("article", story, "-o", tmp_path, "--evidence", mended, "--no-similarity")
    assert code == 2
    assert "expected another folder for the output" in err
    assert mended.exists()


def test_one_bad_article_gets_one_error(claimsieve, tmp_path):
    code, out, err = claimsieve("article", tmp_path / "nope.txt", "-o", tmp_path / "out")
    assert (code, out) == (1, "")
    assert err.count("nope.txt") == 1


def test_evidence_of_other_files_and_a_limit_of_date(claimsieve, story, tmp_path):
    later = {"text": "Two people drowned in the mill race of Tarsk.", "date": "2021-03-09", "source": "Echo"}
    (tmp_path / "more.jsonl").write_text(json.dumps(later) + "\n")
    for as_of, used in (("2021-03-10", True), ("2021-03-08", False)):
        code, _, err = claimsieve(
            *("article", story, "-o", tmp_path / as_of, "--evidence", tmp_path / "more.jsonl", "--as-of", as_of),
            *("--no-similarity", "-q"),
        )
        assert (code, err) == (0, "")
        rows = rows_of(tmp_path / as_of / "claims.jsonl")
        assert any(later["text"] == one["text"] for row in rows for one in row.get("evidence", ())) is used


def test_another_language_is_said_and_nobody_is_guessed_to_speak(claimsieve, tmp_path):
    text = "Die Talsperre oberhalb von Tarsk ist am Montag gebrochen. Die Polizei sagte, zwei Menschen würden vermisst."
    (tmp_path / "damm.txt").write_text(text)
    code, _, err = claimsieve("article", tmp_path / "damm.txt", "-o", tmp_path / "out", "--no-similarity")
    assert code == 0
    assert "not in English" in err
    assert {row["context"] for row in rows_of(tmp_path / "out" / "claims.jsonl")} == {"statement"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--as-of", "8 January"], "--as-of 8 January: expected a date"),
        (["--as-of", "2020-13-01"], "--as-of 2020-13-01: expected a date of the calendar, but there is no such day"),
        (["-", "-"], "expected one article on standard input, found it named twice"),
        (["-", "--evidence", "-"], "expected one article on standard input, found it named twice"),
        (["-o", "dam.txt"], "expected a folder for the output, found a file"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_read(claimsieve, story, monkeypatch, options, message):
    monkeypatch.chdir(story.parent)
    code, out, err = claimsieve("article", "none.txt", "-o", "out", *options)
    assert (code, out) == (2, "")
    assert message in err


def test_names_that_are_no_utf_8_are_written_with_escapes_and_stay_apart(claimsieve, tmp_path):
    one, other, bad = (tmp_path / os.fsdecode(name) for name in (b"bad\xff.txt", b"bad\xfe.txt", b"none\xff.txt"))
    one.write_text(STORY)
    other.write_text(STORY.replace("Monday", "Sunday"))
    bad.write_bytes(b"caf\xe9")
    code, out, err = claimsieve(
        "article", one, other, bad, "-o", tmp_path / os.fsdecode(b"out\xff"), "--json", "--no-similarity"
    )
    assert code == 3, err
    told = json.loads(out)
    assert told["rejects"][0]["article"] == f"{tmp_path}/none\\xff.txt"
    assert told["written"][0] == f"{tmp_path}/out\\xff/article.json"
    rows = rows_of(tmp_path / os.fsdecode(b"out\xff") / "claims.jsonl")
    assert {row["article"] for row in rows} == {"bad\\xff.txt", "bad\\xfe.txt"}


def test_bad_rows_of_evidence_are_told_counted_and_listed_and_the_others_used(claimsieve, story, tmp_path):
    good = {"text": "Two people drowned in the mill race of Tarsk.", "date": "2021-03-04"}
    (tmp_path / "more.jsonl").write_text(f'{{"text": ""}}\n{json.dumps(good)}\n{{\n')
    arguments = ("article", story, "-o", tmp_path / "out", "--evidence", tmp_path / "more.jsonl", "--no-similarity")
    code, out, err = claimsieve(*arguments, "--json")
    assert (code, json.loads(out)["evidence_rejected"]) == (3, 2)
    assert f"{tmp_path}/more.jsonl, line 1: a passage with an empty text\n" in err
    assert f"2 rows of evidence rejected → {tmp_path}/out/evidence.rejects.jsonl\n" in err
    assert [row["place"] for row in rows_of(tmp_path / "out" / "evidence.rejects.jsonl")] == [1, 3]
    rows = rows_of(tmp_path / "out" / "claims.jsonl")
    assert any(good["text"] == one["text"] for row in rows for one in row.get("evidence", ()))
    (tmp_path / "more.jsonl").write_text(json.dumps(good) + "\n")
    assert claimsieve(*arguments, "-q") == (0, "", "")
    assert not (tmp_path / "out" / "evidence.rejects.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["-o", "dam.txt/out"], 1, "cannot be written into: Not a directory"),
        (["--media-index", "none"], 1, "none: expected a picture index"),
        (["--evidence", "none.jsonl"], 1, "none.jsonl: cannot be read"),
        (["--evidence", "bad.jsonl"], 1, "bad.jsonl: expected passages, found no row that can be read"),
        (["--against-index", "dam.txt"], 1, "expected a folder for the index, found a file"),
        (["--against-index", "dam.txt/index"], 1, "cannot be written into: Not a directory"),
    ],
)
def test_what_is_cheap_to_check_is_told_before_encoders_and_articles(
    claimsieve, story, monkeypatch, options, code, message
):
    def never(*_, **__):
        raise AssertionError("too late")

    monkeypatch.chdir(story.parent)
    monkeypatch.setattr("claimsieve.matching.earlier.open_encoder", never)
    monkeypatch.setattr("claimsieve.intake.desk.read_document", never)
    (story.parent / "bad.jsonl").write_text("{\n")
    (story.parent / "checks.jsonl").write_text('{"claim": "The mill is gone."}\n')
    found, out, err = claimsieve("article", "dam.txt", "-o", "out", "--against", "checks.jsonl", *options)
    assert (found, out) == (code, "")
    assert message in err
    assert not (story.parent / "out").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "expected text, found a JPEG picture"),
        (b"\x89PNG\r\n\x1a\n\xff", "expected text, found a PNG picture"),
        (b"GIF89a\xff", "expected text, found a GIF picture"),
        (b"PK\x03\x04\xff", "expected text, found a zip file"),
        (None, "expected an article, found a folder"),
    ],
)
def test_what_is_no_text_is_named(claimsieve, tmp_path, content, message):
    path = tmp_path / "a.txt"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    code, _, err = claimsieve("article", path, "-o", tmp_path / "out")
    assert (code, message in err) == (1, True), err


def test_an_article_that_is_named_twice_is_taken_once(claimsieve, story, tmp_path, monkeypatch):
    monkeypatch.chdir(story.parent)
    code, out, err = claimsieve("article", story, "dam.txt", "-o", tmp_path / "out", "--json", "--no-similarity")
    assert (code, json.loads(out)["articles"]) == (0, 1), err
