import csv
import io
import json
import sys
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.files import Reject, Row, columns, format_of, read_rows, record_cells
from claimsieve.errors import DataError

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.fixture
def rows_in(tmp_path):
    """Write a file and read its rows."""

    def read(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(read_rows(str(path)))

    return read


def short(items):
    """Rows as (place, fields), rejects as (place, reason)."""
    return [(item.place, item.fields if isinstance(item, Row) else item.reason) for item in items]


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


def test_json_lines_keep_their_line_numbers(rows_in):
    content = (
        b'\xef\xbb\xbf{"claim": "first"}\r\n'
        b"\r\n"
        b'{"claim": "caf\xc3\xa9"}\n'
        b'{"claim": "caf\xe9"}\n'
        b'{"claim": "after"}\n'
        b'["claim"]\n'
        b'{"claim": NaN}\n'
        b'{"claim": "half}\n'
        b'  {"claim": "last"}'
    )
    assert short(rows_in("a.jsonl", content)) == [
        (1, {"claim": "first"}),
        (3, {"claim": "café"}),
        (4, "not UTF-8: byte 0xe9 at 15"),
        (5, {"claim": "after"}),
        (6, "expected a JSON object"),
        (7, "not JSON: NaN"),
        (8, "not JSON: Invalid control character at character 17"),
        (9, {"claim": "last"}),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"claim": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"claim": ' + b"9" * 5_000 + b"}", "a whole number has too many digits"),
        (b"x" * 16_000_001, "the line is longer than 16,000,000 bytes"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8: byte 0xff at 1"),
        (b"{'claim': 'a'}", "not JSON: Expecting property name enclosed in double quotes at character 2"),
        (b"claim,label", "not JSON: Expecting value at character 1"),
        (b'{"claim": -Infinity}', "not JSON: -Infinity"),
        (b"null", "expected a JSON object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_line_of_json_costs_that_line_only(rows_in, line, reason):
    before, bad, after = rows_in("a.jsonl", b'{"claim": "before"}\n' + line + b'\n{"claim": "after"}\n')
    assert (before, after) == (Row(1, {"claim": "before"}), Row(3, {"claim": "after"}))
    assert isinstance(bad, Reject)
    assert bad.place == 2
    assert bad.reason.startswith(reason)
    assert bad.excerpt.startswith(line[:5].decode("utf-8", "replace"))
    assert len(bad.excerpt) <= 200


def test_only_a_line_feed_ends_a_line_of_json(rows_in):
    (row,) = rows_in("a.jsonl", '{"claim": "a\u2028b\x85c"}\n')
    assert row.fields == {"claim": "a\u2028b\x85c"}


def test_tables_keep_their_line_numbers(rows_in):
    content = (
        b"\xef\xbb\xbfclaim,label\r\n"
        b"first,verified\r\n"
        b"\r\n"
        b'"two\r\nlines, and a ""quote""",unverified\r\n'
        b"caf\xe9,verified\r\n"
        b"caf\xc3\xa9,verified\r\n"
        b"one cell\r\n"
        b"three,cells,here\r\n"
        b'"closed" too early,verified\r\n'
        b",\r\n"
        b"last,verified"
    )
    assert short(rows_in("a.csv", content)) == [
        (2, {"claim": "first", "label": "verified"}),
        (5, {"claim": 'two\r\nlines, and a "quote"', "label": "unverified"}),
        (6, "not UTF-8"),
        (7, {"claim": "café", "label": "verified"}),
        (8, "expected 2 cells, found 1"),
        (9, "expected 2 cells, found 3"),
        (10, "not a row of the table: ',' expected after '\"'"),
        (11, {"claim": "", "label": ""}),
        (12, {"claim": "last", "label": "verified"}),
    ]


def test_every_line_that_an_open_quote_swallows_is_counted(rows_in):
    lines = ["claim,label", "a,b", '"never closed,b', *["a,b"] * 50]
    row, *rejects = rows_in("a.csv", "\n".join(lines))
    assert row == Row(2, {"claim": "a", "label": "b"})
    assert short(rejects) == [(line, "not a row of the table: unexpected end of data") for line in range(3, 54)]


def test_a_cell_that_is_too_long_costs_its_row_only(rows_in):
    found = rows_in("a.csv", b"claim\n" + b"x" * 16_000_001 + b"\nafter\n")
    assert short(found) == [
        (2, "not a row of the table: longer than 16,000,000 characters"),
        (3, {"claim": "after"}),
    ]


def test_tabs_part_the_cells_of_a_tsv(rows_in):
    assert rows_in("a.tsv", "claim\tid\na, b\t1\n") == [Row(2, {"claim": "a, b", "id": "1"})]


def test_blank_lines_may_stand_above_the_header(rows_in):
    assert rows_in("a.csv", "\n\nclaim\na\n") == [Row(4, {"claim": "a"})]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("claim,id,claim\na,1,b\n", r"a\.csv: expected each column once in the header, found twice: 'claim'"),
        ("claim,,\na,,\n", "found twice: ''"),
        (b"claim,l\xe4nge\na,b\n", r"a\.csv: expected a header in UTF-8"),
        ("claim\na\n".encode("utf-16"), "expected text in UTF-8, found text in UTF-16. Save it as UTF-8."),
        ('"claim,id\na,1\n', r"a\.csv: expected names of columns in the first row, found unexpected end of data"),
    ],
)
def test_a_header_that_names_no_columns_is_refused(rows_in, tmp_path, content, problem):
    with pytest.raises(DataError, match=problem):
        rows_in("a.csv", content)
    with pytest.raises(DataError, match=problem):
        columns(str(tmp_path / "a.csv"))


@given(st.lists(st.tuples(text, text), max_size=5), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["csv", "tsv"]))
@settings(deadline=None)
def test_any_table_that_is_written_is_read(tmp_path_factory, rows, line_end, kind):
    path = tmp_path_factory.getbasetemp() / f"any.{kind}"
    with path.open("w", encoding="utf-8", newline="") as stream:
        delimiter = "\t" if kind == "tsv" else ","
        writer = csv.writer(stream, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
        writer.writerows([("claim", "id"), *rows])
    assert [row.fields for row in read_rows(str(path))] == [{"claim": claim, "id": name} for claim, name in rows]


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
    if kind != "jsonl" or content.startswith((b"\xff\xfe", b"\xfe\xff")):  # a file may be wrong as a whole
        try:
            items = list(read_rows(str(path)))
        except DataError:
            return
    items = list(read_rows(str(path)))
    places = [item.place for item in items]
    assert places == sorted(set(places))
    assert all(isinstance(item, Row | Reject) for item in items)
    for item in items:
        str(item).encode()  # whatever is told of a row can be printed


def test_standard_input_is_json_lines(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"claim": "a"}\n[]\n')))
    assert short(read_rows("-")) == [(1, {"claim": "a"}), (2, "expected a JSON object")]


def test_columns_stand_in_the_order_in_which_they_occur(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"b": 1}\nnot json\n{"a": 1, "b": 2}\n')
    assert columns(str(tmp_path / "a.jsonl")) == ["b", "a"]
    (tmp_path / "a.csv").write_text("b,a\n")
    assert columns(str(tmp_path / "a.csv")) == ["b", "a"]
    (tmp_path / "b.csv").write_text("b,a\nonly one cell\n")
    assert columns(str(tmp_path / "b.csv")) == ["b", "a"]
    pq.write_table(pa.table({"b": [1], "a": [2]}), tmp_path / "a.parquet")
    assert columns(str(tmp_path / "a.parquet")) == ["b", "a"]


def parquet_rows(tmp_path, table):
    pq.write_table(table, tmp_path / "a.parquet")
    return list(read_rows(str(tmp_path / "a.parquet")))


def test_parquet_keeps_types_and_nesting(tmp_path):
    evidence = [{"text": "b", "date": "2020"}]
    table = pa.table({"claim": ["a", None], "id": [1, 2], "evidence": [evidence, []], "day": [date(2020, 1, 8), None]})
    assert parquet_rows(tmp_path, table) == [
        Row(1, {"claim": "a", "id": 1, "evidence": evidence, "day": date(2020, 1, 8)}),
        Row(2, {"claim": None, "id": 2, "evidence": [], "day": None}),
    ]


def test_parquet_is_numbered_through_its_batches(tmp_path):
    rows = parquet_rows(tmp_path, pa.table({"claim": [str(number) for number in range(3_000)]}))
    assert [row.place for row in rows] == list(range(1, 3_001))
    assert rows[2_500].fields == {"claim": "2500"}


def test_a_parquet_row_that_is_not_utf8_costs_that_row_only(tmp_path):
    offsets = pa.array([0, 1, 2, 3], pa.int32()).buffers()[1]
    claims = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"a\xe9b")])
    assert short(parquet_rows(tmp_path, pa.table({"claim": claims}))) == [
        (1, {"claim": "a"}),
        (2, "not UTF-8: byte 0xe9 at 1"),
        (3, {"claim": "b"}),
    ]


def test_a_parquet_date_beyond_the_calendar_costs_that_row_only(tmp_path):
    table = pa.table({"claim": ["a", "b"], "date": pa.array([2**50, 0], pa.timestamp("s"))})
    bad, good = parquet_rows(tmp_path, table)
    assert isinstance(bad, Reject)
    assert bad.reason.startswith("a value that cannot be read")
    assert good.fields["date"] == datetime(1970, 1, 1)


@pytest.mark.parametrize("content", [b"", b"claim,label\na,b\n", b"PAR1" + b"x" * 20 + b"PAR1"])
def test_what_is_called_parquet_and_is_not_is_refused(rows_in, content):
    with pytest.raises(DataError, match=r"a\.parquet: expected a Parquet file: Parquet"):
        rows_in("a.parquet", content)


def test_a_damaged_parquet_file_is_refused(tmp_path, rows_in):
    pq.write_table(
        pa.table({"claim": [str(number) * 50 for number in range(500)]}), tmp_path / "a.parquet", compression="none"
    )
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    content[50:2_000] = b"\xff" * 1_950
    with pytest.raises(DataError, match=r"a\.parquet: damaged after row 0"):
        rows_in("a.parquet", bytes(content))


def test_cells_become_values_of_a_record():
    cells = {
        "claim": "[sic] as it stood",
        "source": "",
        "id": 0,
        "date": datetime(2020, 1, 8, 23, 30, tzinfo=UTC),
        "evidence": json.dumps([{"text": "b"}, "c"]),
        "manipulation": "[]",
        "media": "[one.jpg",
        "other": '["a"]',
        "flag": False,
        "label": None,
    }
    assert record_cells(cells) == {
        "claim": "[sic] as it stood",
        "id": 0,
        "date": "2020-01-08",
        "evidence": [{"text": "b"}, "c"],
        "manipulation": [],
        "media": "[one.jpg",
        "other": '["a"]',
        "flag": False,
        "label": None,
    }
    assert record_cells({"evidence": "[" * 100_000})["evidence"] == "[" * 100_000
