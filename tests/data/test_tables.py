import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from read_back import short

from claimsieve.data.files import Row, columns, read_rows
from claimsieve.errors import DataError

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


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
    assert short(rejects) == [
        (line, "not a row of the table: unexpected end of data (the row begins in line 3)") for line in range(3, 54)
    ]


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


def test_a_row_is_never_cut_off_and_read(rows_in, monkeypatch):
    """Each cell alone is short enough."""
    monkeypatch.setattr("claimsieve.data.tables.MAX_ROW_BYTES", 20)
    content = b"claim,id\n" + b"x" * 15 + b"," + b"y" * 15 + b"\n" + b"x" * 15 + b",yyy\n" + b"x" * 15 + b",yyyy\nz,z"
    assert short(rows_in("a.csv", content)) == [
        (2, "not a row of the table: longer than 20 characters"),
        (3, {"claim": "x" * 15, "id": "yyy"}),
        (4, "not a row of the table: longer than 20 characters"),
        (5, {"claim": "z", "id": "z"}),
    ]


def test_a_row_that_goes_on_over_lines_has_a_limit(rows_in, monkeypatch):
    """Quotation marks that close and open on every line would make one row of all cells of a file."""
    monkeypatch.setattr("claimsieve.data.tables.MAX_ROW_BYTES", 20)
    *rejects, row = rows_in("a.csv", b'claim\n"' + b'\n","' * 5 + b"\nlast\n")
    reason = "not a row of the table: longer than 20 characters (the row begins in line 2)"
    assert short(rejects) == [(line, reason) for line in range(2, 8)]
    assert row == Row(8, {"claim": "last"})


def test_a_header_of_very_many_columns_is_checked_in_time(rows_in):
    names = ",".join(map(str, range(300_000)))
    assert rows_in("a.csv", names + "\n") == []
    with pytest.raises(DataError, match="found twice: '7', '8'"):
        rows_in("a.csv", names + ",7,8\n")


def test_every_sign_that_others_take_for_a_line_end_stays_in_its_cell(rows_in):
    cell = "a\x0b\x0c\x1c\x85\u2028\0b"
    assert rows_in("a.csv", f"claim\n{cell}\n") == [Row(2, {"claim": cell})]


def test_line_ends_may_be_carriage_returns_alone(rows_in):
    assert rows_in("a.csv", 'claim,id\ra,1\r"b\rc",2\r') == [
        Row(2, {"claim": "a", "id": "1"}),
        Row(4, {"claim": "b\rc", "id": "2"}),
    ]
