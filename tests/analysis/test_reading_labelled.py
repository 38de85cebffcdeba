"""The same rows give the same page, whichever kind of file they lie in; a large file is told, not shown."""

import csv
import gzip
import json

import pytest

from analyst_rows import ARTICLE, article_rows, labelled
from claimsieve.analysis.page import analysis_page
from claimsieve.analysis.reading import is_article_folder, read_article_folder, read_labelled
from claimsieve.errors import DataError
from claimsieve.inference.formats import Format, parquet_schema

COLUMNS = tuple(dict.fromkeys(name for row in article_rows() for name in row))


def written(path, kind):
    form = Format(kind, columns=() if kind == "jsonl" else COLUMNS)
    path.write_bytes(form.encode(article_rows(), first=True))
    return path


def page_of(found):
    return analysis_page(found.rows, articles=[ARTICLE])


@pytest.fixture
def from_json_lines(tmp_path):
    return read_labelled(str(written(tmp_path / "rows.jsonl", "jsonl")), mapping={}, limit=100)


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_tables_say_what_json_lines_say(tmp_path, from_json_lines, kind):
    found = read_labelled(str(written(tmp_path / f"rows.{kind}", kind)), mapping={}, limit=100)
    assert page_of(found) == page_of(from_json_lines)
    assert found.labels == {"verified": 2, "unverified": 2, "propaganda": 4}


def test_packed_files_and_parquet_too(tmp_path, from_json_lines):
    plain = written(tmp_path / "rows.jsonl", "jsonl").read_bytes()
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(plain))
    assert page_of(read_labelled(str(tmp_path / "rows.jsonl.gz"), mapping={}, limit=100)) == page_of(from_json_lines)
    schema = parquet_schema(COLUMNS, [], str, heads=("supported", "open", "refuted", "manipulated"))
    form = Format("parquet", columns=COLUMNS, schema=schema)
    (tmp_path / "parts").write_bytes(form.encode(article_rows(), first=True))
    form.finish(tmp_path / "parts", tmp_path / "rows.parquet")
    assert page_of(read_labelled(str(tmp_path / "rows.parquet"), mapping={}, limit=100)) == page_of(from_json_lines)


def test_the_first_rows_are_kept_and_all_are_counted(tmp_path):
    lines = [json.dumps(labelled(f"claim {number}", (0.1, 0.8, 0.1))) for number in range(50)]
    (tmp_path / "rows.jsonl").write_text("\n".join([*lines, "{broken", '{"claim": "x"}']) + "\n")
    found = read_labelled(str(tmp_path / "rows.jsonl"), mapping={}, limit=10)
    assert [row["claim"] for row in found.rows] == [f"claim {number}" for number in range(10)]
    assert found.labels == {"unverified": 50, "unlabelled": 1}
    assert found.unreadable == 1


def test_columns_are_mapped_as_predict_was_told(tmp_path):
    with (tmp_path / "rows.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "who", "verdict", "label", "p_verified", "p_unverified", "p_propaganda"])
        writer.writerow(["a claim", "Gazette", "false", "verified", "0.7", "0.2", "0.1"])
    mapping = {"claim": "text", "source": "who", "label": "verdict"}
    [row] = read_labelled(str(tmp_path / "rows.csv"), mapping=mapping, limit=10).rows
    assert row["claim"] == "a claim"
    assert row["source"] == "Gazette"
    assert row["label"] == "verified"  # the model's; the claims file's own is another


def test_claims_without_labels_are_refused_with_the_next_step(tmp_path):
    (tmp_path / "claims.jsonl").write_text('{"claim": "x"}\n')
    with pytest.raises(DataError, match=r"1 rows without a label\. Label them first: claimsieve predict MODEL"):
        read_labelled(str(tmp_path / "claims.jsonl"), mapping={}, limit=10)


def article_folder(folder, *, articles=None, rows="labelled.jsonl"):
    folder.mkdir()
    (folder / "article.json").write_text(json.dumps([ARTICLE]) if articles is None else articles)
    if rows:
        written(folder / rows, "jsonl")
    return folder


def test_an_article_folder_has_its_labelled_claims_or_the_bare_ones(tmp_path):
    whole = article_folder(tmp_path / "whole")
    written(whole / "claims.jsonl", "jsonl")
    assert is_article_folder(whole)
    assert not is_article_folder(tmp_path)
    found = read_article_folder(whole, limit=100)
    assert found.articles == (ARTICLE,)
    assert {path.name for path in found.files} == {"article.json", "labelled.jsonl"}
    bare = article_folder(tmp_path / "bare", rows="claims.jsonl")
    assert {path.name for path in read_article_folder(bare, limit=100).files} == {"article.json", "claims.jsonl"}


@pytest.mark.parametrize("content", ["", "{}", "[1]", "[" * 100_000, '"text"', "\x00"])
def test_a_broken_article_file_is_refused(tmp_path, content):
    with pytest.raises(DataError, match="expected a JSON list of articles"):
        read_article_folder(article_folder(tmp_path / "broken", articles=content), limit=100)


def test_an_article_folder_without_claims_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"expected labelled\.jsonl or claims\.jsonl beside article\.json"):
        read_article_folder(article_folder(tmp_path / "empty", rows=None), limit=100)
