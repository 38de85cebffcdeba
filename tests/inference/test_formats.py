"""Whatever is written can be read back, parts make a whole wherever they are cut, and no spreadsheet runs a claim."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.files import Row, read_rows
from claimsieve.errors import DataError
from claimsieve.inference.formats import Format, kind_and_packing, parquet_schema
from claimsieve.records import Claim, Evidence, row_of_claim

OWN = ("a", "b")
ADDED = ("label", "p_verified", "p_unverified", "p_propaganda")
PREDICTED = {"label": "verified", "p_verified": 0.5, "p_unverified": 0.25, "p_propaganda": 0.25}
STARTS = tuple("=+-@\t\r\n＝＋－＠")  # what OWASP's page on CSV injection names, and the full-width twins


def form_for(name: str, *, columns: tuple[str, ...] = (*OWN, *ADDED), templates: tuple = (), **options: Any) -> Format:
    kind, packing = kind_and_packing(name)
    if kind == "jsonl":
        return Format(kind, packing, **options)
    schema = parquet_schema(columns, list(map(str, templates)), str) if kind == "parquet" else b""
    return Format(kind, packing, columns=columns, schema=schema, **options)


def write(target: Path, rows: list[dict], *, cuts: tuple[int, ...] = (), form: Format | None = None) -> Path:
    """The rows in parts that end at the cuts, put one behind another as a job does."""
    form = form or form_for(target.name, csv_safe=False)
    rows = [{**row, **PREDICTED} for row in rows]
    ends = [*sorted(cuts), len(rows)]
    pieces = [rows[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    content = b"".join(form.encode(piece, first=number == 0) for number, piece in enumerate(pieces))
    if form.kind != "parquet":
        target.write_bytes(content)
        return target
    parts = target.with_suffix(".parts")
    parts.write_bytes(content)
    form.finish(parts, target)
    return target


def unpacked(path: Path) -> bytes:
    """What an archive holds, by readers that are not ours."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(content)
    if path.suffix == ".zst":
        with pa.input_stream(pa.BufferReader(content), compression="zstd") as stream:
            return stream.read()
    return content


def cells(content: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter, strict=True))


def table_of(rows: list[list[Any]], *, csv_safe: bool, kind: str = "csv", names: tuple[str, ...] = OWN) -> list[list]:
    """Header and rows as a spreadsheet gets them."""
    form = Format(kind, columns=names, csv_safe=csv_safe)
    content = form.encode([dict(zip(names, row, strict=True)) for row in rows], first=True)
    return cells(content, "," if kind == "csv" else "\t")


def refuse(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
texts = st.text(st.characters(codec="utf-8") | st.sampled_from("\r\n\t,;\"'=+-@ "), max_size=12)
text_rows = st.lists(st.fixed_dictionaries({"a": texts, "b": texts}), max_size=6)


# --- whatever is written can be read back


@given(st.lists(st.fixed_dictionaries({"a": json_values, "b": json_values}), max_size=5), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_json_row_comes_back_from_json_lines(rows, ascii_only):
    content = Format("jsonl", ascii_only=ascii_only).encode(rows)
    assert content.isascii() or not ascii_only
    lines = content.decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == rows


@given(text_rows, st.sampled_from(["csv", "tsv"]))
@settings(max_examples=60, deadline=None)
def test_any_text_comes_back_from_a_table(rows, kind):
    given_ = [[row["a"], row["b"]] for row in rows]
    assert table_of(given_, csv_safe=False, kind=kind) == [list(OWN), *given_]
    content = Format(kind, columns=OWN, csv_safe=False).encode(rows, first=True)
    assert content.endswith(b"\n")
    assert not content.endswith(b"\r\n")


def test_our_own_reader_reads_what_we_write(tmp_path):
    rows = [{"a": 'two\nlines, "quoted"', "b": "lone \r return"}, {"a": "tab\there", "b": "'="}]
    for name in ("out.csv", "out.tsv", "out.csv.gz", "out.tsv.gz", "out.jsonl", "out.jsonl.gz", "out.parquet"):
        read = list(read_rows(str(write(tmp_path / name, rows, cuts=(1,)))))
        assert all(isinstance(row, Row) for row in read)
        assert [{key: row.fields[key] for key in OWN} for row in read] == rows


def test_nested_values_stand_in_a_table_as_json(tmp_path):
    row = {"a": [{"text": "ü", "n": None}], "b": True}
    for kind in ("csv", "tsv"):
        _, first, second = table_of([[row["a"], row["b"]], [None, None]], csv_safe=True, kind=kind)
        assert [json.loads(cell) for cell in first] == [row["a"], row["b"]]
        assert '"ü"' in first[0]
        assert second == ["", ""]
    table = pq.read_table(write(tmp_path / "out.parquet", [row, {"a": None}]))
    assert table["a"].to_pylist() == [first[0], None]
    assert table["b"].to_pylist() == ["true", None]


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_a_claim_s_own_lists_stand_in_a_table_as_json(kind):
    fields = row_of_claim(Claim("c", evidence=(Evidence("e"),), manipulation=("recycled",)))
    row = [fields["evidence"], fields["manipulation"]]
    cells = table_of([row, [[], row_of_claim(Claim("c", manipulation=()))["manipulation"]]], csv_safe=True, kind=kind)
    assert json.loads(cells[1][0])[0]["text"] == "e"
    assert cells[1][1] == '["recycled"]'
    assert cells[2] == ["[]", "[]"]


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "tsv", "parquet"])
def test_half_a_character_in_a_column_nobody_reads_costs_no_row(tmp_path, suffix):
    form = form_for(f"x.{suffix}", columns=("a", "b", "key \ud800", *ADDED))
    rows = [{"a": "half \ud83d", "b": ["\udc00"]}, {"a": "whole 😀"}]
    target = write(tmp_path / f"out.{suffix}", rows, form=form)
    if suffix == "jsonl":
        found = [json.loads(line)["a"] for line in target.read_text(encoding="utf-8").splitlines()]
        assert found == ["half \ud83d", "whole 😀"]
    elif suffix == "parquet":
        assert pq.read_table(target)["a"].to_pylist() == ["half \\ud83d", "whole 😀"]
    else:
        table = cells(target.read_bytes(), "," if suffix == "csv" else "\t")
        assert [row[0] for row in table] == ["a", "half \\ud83d", "whole 😀"]
        assert table[0][2] == "key \\ud800"


def test_numbers_that_json_does_not_have_become_null():
    row = {"a": float("nan"), "b": {"deep": [float("inf"), 1.5, "NaN"]}}
    read = json.loads(Format("jsonl").encode([row]), parse_constant=refuse)
    assert read == {"a": None, "b": {"deep": [None, 1.5, "NaN"]}}
    ((_, cell),) = table_of([[1, row["b"]]], csv_safe=True)[1:]
    assert json.loads(cell, parse_constant=refuse) == read["b"]


# --- Parquet


def test_a_long_parquet_is_written_in_groups_and_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr("claimsieve.inference.formats._PARQUET_ROWS", 100)
    rows = [{"a": str(n), "b": None} for n in range(1_030)]
    target = write(tmp_path / "out.parquet", rows, cuts=tuple(range(30, 1_030, 30)))
    groups = pq.ParquetFile(target).metadata
    # A group is written once it is full, so none but the last is small, however small the parts were.
    assert [groups.row_group(n).num_rows for n in range(groups.num_row_groups)] == [120] * 8 + [70]
    assert pq.read_table(target)["a"].to_pylist() == [row["a"] for row in rows]


def test_a_parquet_takes_the_types_of_its_template_by_name(tmp_path):
    template = tmp_path / "in.parquet"
    pq.write_table(pa.table({"b": pa.array([], pa.date32()), "a": pa.array([], pa.int16())}), template)
    form = form_for("out.parquet", templates=(template,))
    types = pq.read_schema(write(tmp_path / "out.parquet", [{"a": 5, "b": None}], form=form)).types
    assert types == [pa.int16(), pa.date32(), pa.string(), pa.float64(), pa.float64(), pa.float64()]


def test_where_two_templates_disagree_a_column_is_text(tmp_path):
    for name, kind in (("one", pa.int16()), ("two", pa.string())):
        pq.write_table(pa.table({"a": pa.array([], kind), "b": pa.array([], pa.bool_())}), tmp_path / f"{name}.parquet")
    form = form_for("out.parquet", templates=(tmp_path / "one.parquet", tmp_path / "two.parquet"))
    table = pq.read_table(write(tmp_path / "out.parquet", [{"a": 5, "b": True}, {"a": "6", "b": None}], form=form))
    assert table.select(OWN).to_pylist() == [{"a": "5", "b": True}, {"a": "6", "b": None}]


def test_parquet_keeps_values_of_many_types_in_every_part(tmp_path):
    table = pa.table(
        {
            "a": pa.array(["x", "y", None, "x", "z"]).dictionary_encode(),
            "b": pa.array([[("k", 1)], [], None, [("l", 2)], [("k", None)]], pa.map_(pa.string(), pa.int8())),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    form = form_for("out.parquet", templates=(tmp_path / "in.parquet",))
    after = pq.read_table(write(tmp_path / "out.parquet", table.to_pylist(), cuts=(1, 2, 4), form=form))
    assert after.select(OWN).to_pylist() == table.to_pylist()
    assert after.schema.types[:2] == table.schema.types


@pytest.mark.parametrize(
    ("name", "compression"), [("a.parquet", "SNAPPY"), ("a.gz.parquet", "GZIP"), ("a.zst.parquet", "ZSTD")]
)
def test_parquet_is_packed_inside(tmp_path, name, compression):
    target = write(tmp_path / name, [{"a": "x", "b": "y"}], form=form_for(name))
    assert pq.ParquetFile(target).metadata.row_group(0).column(0).compression == compression


# --- parts put one behind another


@given(text_rows, st.data(), st.sampled_from(["jsonl", "csv", "tsv"]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_parts_are_the_whole_wherever_they_are_cut(rows, data, kind, csv_safe):
    form = Format(kind, columns=OWN if kind != "jsonl" else (), csv_safe=csv_safe)
    cut = data.draw(st.integers(0, len(rows)))
    again = data.draw(st.integers(cut, len(rows)))
    parts = [form.encode(rows[:cut], first=True), form.encode(rows[cut:again]), form.encode(rows[again:])]
    assert b"".join(parts) == form.encode(rows, first=True)


@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv"])
@pytest.mark.parametrize("packing", ["gz", "zst"])
@given(text_rows, st.data())
@settings(max_examples=15, deadline=None)
def test_an_archive_of_parts_is_one_archive(tmp_path_factory, kind, packing, rows, data):
    folder = tmp_path_factory.mktemp("any")
    cut = data.draw(st.integers(0, len(rows)))
    plain = write(folder / f"a.{kind}", rows)
    archive = write(folder / f"a.{kind}.{packing}", rows, cuts=(cut, cut))
    assert unpacked(archive) == plain.read_bytes()


@given(text_rows, st.lists(st.integers(0, 6), max_size=3))
@settings(max_examples=15, deadline=None)
def test_a_parquet_of_parts_has_all_rows(tmp_path_factory, rows, cuts):
    target = tmp_path_factory.mktemp("any") / "a.parquet"
    write(target, rows, cuts=tuple(min(cut, len(rows)) for cut in cuts))
    assert pq.read_table(target).select(OWN).to_pylist() == rows


def test_the_same_rows_are_packed_as_the_same_bytes():
    for packing in ("gzip", "zstd"):
        form = Format("jsonl", packing)
        assert form.encode([{"a": "x"}]) == form.encode([{"a": "x"}])


# --- names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("-", ("jsonl", None)),
        ("a.jsonl", ("jsonl", None)),
        ("a.NDJSON", ("jsonl", None)),
        ("a.ndjson.zstd", ("jsonl", "zstd")),
        ("a.b.csv", ("csv", None)),
        ("a.csv.GZ", ("csv", "gzip")),
        ("a.gz.csv", ("csv", None)),
        ("runs.gz/a.tsv.zst", ("tsv", "zstd")),
        ("a.parquet", ("parquet", None)),
        ("a.gz.parquet", ("parquet", "gzip")),
        ("a.zst.parquet", ("parquet", "zstd")),
        ("claims.v2.parquet", ("parquet", None)),
    ],
)
def test_the_name_says_how_an_output_is_written(name, expected):
    assert kind_and_packing(name) == expected


@pytest.mark.parametrize(
    ("name", "found"),
    [
        *(("a", "no suffix"), (".csv", "no suffix"), ("", "no suffix"), ("csv.gz", r"\.gz"), ("a.gz", r"\.gz")),
        *(("a.parquet.gz", r"\.gz"), ("a.xlsx", r"\.xlsx"), ("a.xlsx.zst", r"\.zst"), ("a.csv.bz2", r"\.bz2")),
    ],
)
def test_another_name_is_refused(name, found):
    with pytest.raises(DataError, match=rf"ends in \.jsonl, .*\.zst\.parquet\), found '{found}'"):
        kind_and_packing(name)


# --- no spreadsheet runs a claim


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_a_cell_that_a_spreadsheet_would_run_begins_with_an_apostrophe(start, kind):
    payload = f"{start}cmd|' /C calc'!A0"
    assert table_of([[payload, "x"]], csv_safe=True, kind=kind)[1] == [f"'{payload}", "x"]
    assert table_of([[payload, "x"]], csv_safe=False, kind=kind)[1] == [payload, "x"]
    assert table_of([], csv_safe=True, kind=kind, names=(payload, "b"))[0] == [f"'{payload}", "b"]
    assert table_of([], csv_safe=False, kind=kind, names=(payload, "b"))[0] == [payload, "b"]


@given(texts)
@settings(max_examples=300, deadline=None)
def test_nothing_else_changes(text):
    plain = table_of([[text, "x"]], csv_safe=False)[1][0]
    safe = table_of([[text, "x"]], csv_safe=True)[1][0]
    assert plain == text
    try:
        float(text)
        number = text[-1] in "0123456789."  # float() also takes inf, 1_000 and blanks around it
    except ValueError:
        number = False
    if text.startswith(STARTS) and not number:
        assert safe == f"'{text}"
    else:
        assert safe == text


@pytest.mark.parametrize("number", ["-1", "+1", "-0.5", "-.5", "+3.", "-1e-7", "+12.50E+3", "-007"])
def test_a_plain_number_stays_one(number):
    assert table_of([[number, -0.5]], csv_safe=True)[1] == [number, "-0.5"]


@pytest.mark.parametrize(
    "text",
    [
        "-1+1",
        "-1 ",
        "+49 170 1234",
        "-",
        "+",
        "--1",
        "-1e",
        "-1\n",
        "-1e5=",
        "-2+3+cmd|' /C calc'!A0",
        "-inf",
        "-0x1",
        "-1,5",
    ],
)
def test_what_only_begins_like_a_number_is_none(text):
    assert table_of([[text, "x"]], csv_safe=True)[1][0] == f"'{text}"


def test_a_value_that_is_no_text_is_no_way_in():
    from datetime import timedelta

    row = [[timedelta(seconds=-1), float("-inf")]]
    assert table_of(row, csv_safe=True)[1] == ["'-1 day, 23:59:59", "'-inf"]
    assert table_of(row, csv_safe=False)[1] == ["-1 day, 23:59:59", "-inf"]


def test_json_lines_and_parquet_are_for_programs_and_stay_as_they_are(tmp_path):
    row = {"a": "=1+1", "b": "@x"}
    assert json.loads(form_for("x.jsonl", csv_safe=True).encode([row])) == row
    target = write(tmp_path / "out.parquet", [row], form=form_for("x.parquet", csv_safe=True))
    assert pq.read_table(target).select(OWN).to_pylist() == [row]
