import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.files import Reject, Row, columns, format_of, read_rows
from claimsieve.errors import DataError


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.jsonl", "jsonl"), ("a.NDJSON", "jsonl"), ("a.b.csv", "csv"), ("a.TSV", "tsv"), ("-", "jsonl")],
)
def test_the_suffix_tells_the_format(name, kind):
    assert format_of(name) == kind


@pytest.mark.parametrize(("name", "found"), [("a.xlsx", "'.xlsx'"), ("claims", "'no suffix'"), (".csv", "'no suffix'")])
def test_another_suffix_is_refused(name, found):
    with pytest.raises(DataError, match=rf"expected a file that ends in .jsonl, .*, found {found}"):
        list(read_rows(name))


@pytest.mark.parametrize("name", ["none.jsonl", "none.csv", "none.tsv", "none.parquet", "a\0b.csv"])
def test_a_file_that_is_not_there_is_named(tmp_path, name):
    with pytest.raises(DataError, match="cannot be read"):
        list(read_rows(str(tmp_path / name)))


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_a_folder_is_no_claims_file(tmp_path, suffix):
    (tmp_path / f"a.{suffix}").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        list(read_rows(str(tmp_path / f"a.{suffix}")))


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.tsv"])
@pytest.mark.parametrize("content", ["", "\n\r\n\n", "\ufeff"])
def test_an_empty_file_has_no_rows_and_no_columns(rows_in, tmp_path, name, content):
    assert rows_in(name, content) == []
    assert columns(str(tmp_path / name)) == []


pieces = st.sampled_from(
    [
        b'{"claim":"a"}',
        b"{",
        b"}",
        b'"',
        b",",
        b"\n",
        b"\r\n",
        b"\r",
        b"\t",
        b"a",
        b"\xe9",
        b"\xc3\xa9",
        b"\xef\xbb\xbf",
        b"\0",
        b"\\",
    ]
)


@given(st.binary(max_size=100) | st.lists(pieces, max_size=25).map(b"".join), st.sampled_from(["jsonl", "csv", "tsv"]))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_rows_and_rejects_in_order(tmp_path_factory, content, kind):
    path = tmp_path_factory.getbasetemp() / f"bytes.{kind}"
    path.write_bytes(content)
    try:
        items = list(read_rows(str(path)))
    except DataError:  # a table without a header, or what begins like another kind of file
        return
    places = [item.place for item in items]
    assert places == sorted(set(places))
    assert all(isinstance(item, Row | Reject) for item in items)
    for item in items:
        str(item).encode()  # whatever is told of a row can be printed


def test_columns_stand_in_the_order_in_which_they_occur(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"b": 1}\nnot json\n{"a": 1, "b": 2}\n')
    assert columns(str(tmp_path / "a.jsonl")) == ["b", "a"]
    (tmp_path / "a.csv").write_text("b,a\n")
    assert columns(str(tmp_path / "a.csv")) == ["b", "a"]
    (tmp_path / "b.csv").write_text("b,a\nonly one cell\n")
    assert columns(str(tmp_path / "b.csv")) == ["b", "a"]
    pq.write_table(pa.table({"b": [1], "a": [2]}), tmp_path / "a.parquet")
    assert columns(str(tmp_path / "a.parquet")) == ["b", "a"]
