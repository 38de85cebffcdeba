"""`claimsieve report` of labelled claims, and `claimsieve predict --report`."""

import json

import pytest

from analyst_rows import ARTICLE, article_rows, draw_pictures
from claimsieve.config import validate
from claimsieve.runner import run_experiment


@pytest.fixture
def labelled_file(tmp_path):
    path = tmp_path / "labelled.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in article_rows()))
    draw_pictures(tmp_path / "pictures")
    return path


@pytest.fixture(scope="module")
def model(planted_claims, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "words"
    config = {
        "name": "words",
        "data": {"corpora": [{"file": str(planted_claims)}]},
        "model": {"kind": "tfidf", "max_features": 500},
        "evaluation": {"resamples": 100},
        "tracking": {"enabled": False},
    }
    run_experiment(validate(config, place="test"), folder)
    return folder


def test_a_labelled_file_becomes_a_page_with_its_pictures(claimsieve, labelled_file, tmp_path):
    code, out, err = claimsieve("report", labelled_file, "-o", tmp_path / "page.html")
    assert (code, out) == (0, "")
    assert "next: open it in a browser" in err
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/jpeg") == 2
    code, out, err = claimsieve("report", labelled_file, "-o", "-", "--rows", 3, "--title", "Three <claims>", "-q")
    assert (code, err) == (0, "")
    assert out.count('<article class="card') == 3
    assert "<h1>Three &lt;claims&gt;</h1>" in out


def test_json_says_what_the_page_shows(claimsieve, labelled_file, tmp_path):
    code, out, err = claimsieve("report", labelled_file, "-o", tmp_path / "page.html", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["written"] == str(tmp_path / "page.html")
    assert (told["page"], told["shown"], told["unreadable"]) == ("analysis", len(article_rows()), 0)
    assert sum(told["labels"].values()) == len(article_rows())
    code, out, err = claimsieve("report", labelled_file, "-o", "-", "--json")
    assert code == 0
    assert out.lstrip().startswith("<!doctype html>")
    assert json.loads(err)["written"] == "-"


def test_pictures_elsewhere_are_read_where_the_user_says_so(claimsieve, labelled_file, tmp_path):
    moved = tmp_path / "rows" / "labelled.jsonl"
    moved.parent.mkdir()
    labelled_file.rename(moved)
    assert claimsieve("report", moved, "-o", tmp_path / "page.html", "-q")[0] == 0
    assert "data:image/jpeg" not in (tmp_path / "page.html").read_text()
    assert claimsieve("report", moved, "-o", tmp_path / "page.html", "-q", "--pictures", tmp_path)[0] == 0
    assert (tmp_path / "page.html").read_text().count("data:image/jpeg") == 2


def test_the_folder_of_an_article_becomes_its_page(claimsieve, labelled_file, tmp_path):
    (tmp_path / "article.json").write_text(json.dumps([ARTICLE]))
    assert claimsieve("report", tmp_path, "-o", tmp_path / "page.html", "-q")[0] == 0
    assert ARTICLE["title"] in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("report", "none.jsonl", "-o", "page.html"), 1, "none.jsonl"),
        (("report", "labelled.jsonl", "-o", "labelled.jsonl"), 2, "expected another file than those"),
        (
            ("report", "labelled.jsonl", "-o", "page.html", "--pictures", "none"),
            2,
            "--pictures none: expected a folder",
        ),
        (("report", "labelled.jsonl", "-o", "page.html", "--map", "claims=text"), 2, "Did you mean 'claim'"),
        (("report", ".", "-o", "page.html", "--rows", "3"), 2, "expected a labelled file with them, found a model"),
        (("predict", "none", "claims.jsonl", "--report", "page.html"), 2, "found -o '-'"),
        (("predict", "none", "claims.jsonl", "-o", "out.jsonl", "--report", "-"), 2, "expected a file for the page"),
        (("predict", "none", "claims.jsonl", "-o", "out.jsonl", "--report", "out.jsonl"), 2, "expected another file"),
        (
            ("predict", "none", "claims.jsonl", "-o", "out.jsonl", "--report", "claims.jsonl"),
            2,
            "expected another file",
        ),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is_written(
    claimsieve, labelled_file, tmp_path, monkeypatch, arguments, code, message
):
    monkeypatch.chdir(tmp_path)
    before = labelled_file.read_bytes()
    (tmp_path / "claims.jsonl").write_text('{"claim": "x"}\n')
    found, out, err = claimsieve(*arguments)
    assert (found, out) == (code, "")
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "page.html").exists()
    assert labelled_file.read_bytes() == before


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_predict_writes_the_page_of_what_it_labelled(claimsieve, model, planted_claims, tmp_path, suffix):
    rows = [json.loads(line) for line in planted_claims.read_text().splitlines()[:6]]
    claims = tmp_path / "claims.jsonl"
    claims.write_text("".join(json.dumps({"text": row["claim"], "evidence": row["evidence"]}) + "\n" for row in rows))
    output = tmp_path / f"out.{suffix}"
    options = ("--explain", "--map", "claim=text", "--report", tmp_path / "page.html")
    code, _, err = claimsieve("predict", model, claims, "-o", output, *options)
    assert code == 0, err
    assert "page.html; next: open it in a browser" in err
    page = (tmp_path / "page.html").read_text()
    assert page.count('<article class="card') == 6
    assert 'class="for w' in page
    assert f"labelled by {model}" in page


def test_what_is_not_there_is_told_with_what_report_takes(claimsieve, tmp_path):
    code, _, err = claimsieve("report", tmp_path / "nothing", "-o", tmp_path / "page.html")
    assert code == 1
    assert "nothing: expected a model directory, a labelled file or the folder of an article, found nothing" in err
    code, _, err = claimsieve("report", tmp_path, "-o", tmp_path / "page.html")
    assert (code, "expected a model directory with manifest.json, found none in this folder" in err) == (1, True)
    (tmp_path / "a.jsonl").write_text("{}")
    arguments = ("predict", "none", tmp_path / "a.jsonl", "-o", tmp_path / "b.jsonl", "--report", tmp_path)
    code, _, err = claimsieve(*arguments)
    assert (code, f"--report {tmp_path}: expected a file for the page, found a folder" in err) == (2, True)
