"""Output files: whole or not at all, and whatever is written can be read back."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.files import Reject
from claimsieve.errors import DataError
from claimsieve.inference.writers import RejectsWriter, open_writer

SUFFIXES = ("jsonl", "csv", "tsv", "parquet")
COLUMNS = ["a", "b", "label", "p_verified", "p_unverified", "p_propaganda"]
PREDICTED = {"label": "verified", "p_verified": 0.5, "p_unverified": 0.25, "p_propaganda": 0.25}


def write(target: Path, rows: list[dict], *, columns: list[str] = COLUMNS, template: str = "in.jsonl") -> None:
    with open_writer(str(target), lambda: columns, template=template) as writer:
        for row in rows:
            writer.write({**row, **PREDICTED})


def break_off(opened: Any, row: Any) -> None:
    """Write one row, then fail."""
    with opened as writer:
        writer.write(row)
        raise RuntimeError("half way")


def cells(target: Path) -> list[list[str]]:
    """Rows of a table as Python's own reader sees them."""
    with target.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, delimiter="\t" if target.suffix == ".tsv" else ",", strict=True))


def refuse(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.fixed_dictionaries({"a": json_values, "b": json_values}), max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_json_row_comes_back_from_json_lines(tmp_path_factory, rows):
    target = tmp_path_factory.mktemp("any") / "out.jsonl"
    write(target, rows)
    lines = target.read_bytes().decode("utf-8").split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == [{**row, **PREDICTED} for row in rows]


texts = st.text(st.characters(codec="utf-8") | st.sampled_from("\r\n\t,;\"' "), max_size=12)


@given(st.lists(st.fixed_dictionaries({"a": texts, "b": texts}), max_size=5), st.sampled_from(["csv", "tsv"]))
@settings(max_examples=60, deadline=None)
def test_any_text_comes_back_from_a_table(tmp_path_factory, rows, suffix):
    target = tmp_path_factory.mktemp("any") / f"out.{suffix}"
    write(target, rows)
    predicted = [str(value) for value in PREDICTED.values()]
    assert cells(target) == [COLUMNS, *([row["a"], row["b"], *predicted] for row in rows)]
    assert target.read_bytes().endswith(b"\n")


def test_nested_values_stand_in_a_table_as_json(tmp_path):
    row = {"a": [{"text": "ü", "n": None}], "b": True}
    for suffix in ("csv", "tsv"):
        write(tmp_path / f"out.{suffix}", [row, {"a": None}])
        _, first, second = cells(tmp_path / f"out.{suffix}")
        assert [json.loads(cell) for cell in first[:2]] == [row["a"], row["b"]]
        assert '"ü"' in first[0]
        assert second[:2] == ["", ""]
    write(tmp_path / "out.parquet", [row, {"a": None}])
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["a"].to_pylist() == [first[0], None]
    assert table["b"].to_pylist() == ["true", None]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_half_a_character_in_a_column_nobody_reads_costs_no_row(tmp_path, suffix):
    target = tmp_path / f"out.{suffix}"
    write(target, [{"a": "half \ud83d", "b": ["\udc00"]}, {"a": "whole 😀"}], columns=[*COLUMNS, "key \ud800"])
    if suffix == "jsonl":
        first, second = (json.loads(line) for line in target.read_text(encoding="utf-8").splitlines())
        assert (first["a"], second["a"]) == ("half \ud83d", "whole 😀")
    elif suffix == "parquet":
        assert pq.read_table(target)["a"].to_pylist() == ["half \\ud83d", "whole 😀"]
    else:
        assert [row[0] for row in cells(target)] == ["a", "half \\ud83d", "whole 😀"]


def test_numbers_that_json_does_not_have_become_null(tmp_path):
    rows = [{"a": float("nan"), "b": {"deep": [float("inf"), 1.5, "NaN"]}}]
    write(tmp_path / "out.jsonl", rows)
    read = json.loads((tmp_path / "out.jsonl").read_text(), parse_constant=refuse)
    assert (read["a"], read["b"]) == (None, {"deep": [None, 1.5, "NaN"]})


def test_a_long_parquet_is_written_in_groups_and_in_order(tmp_path):
    count = 20_000
    write(tmp_path / "out.parquet", [{"a": str(n), "b": None} for n in range(count)])
    assert pq.ParquetFile(tmp_path / "out.parquet").num_row_groups > 1
    assert pq.read_table(tmp_path / "out.parquet")["a"].to_pylist() == [str(n) for n in range(count)]


def test_a_parquet_takes_the_types_of_its_template_by_position(tmp_path):
    pq.write_table(pa.table({"a": pa.array([], pa.int16()), "b": pa.array([], pa.date32())}), tmp_path / "in.parquet")
    write(tmp_path / "out.parquet", [{"a": 5, "b": None}], template=str(tmp_path / "in.parquet"))
    types = pq.read_schema(tmp_path / "out.parquet").types
    assert types == [pa.int16(), pa.date32(), pa.string(), pa.float64(), pa.float64(), pa.float64()]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_error_on_the_way_leaves_the_old_file_and_nothing_else(tmp_path, suffix):
    target = tmp_path / f"out.{suffix}"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="half way"):
        break_off(open_writer(str(target), lambda: COLUMNS, template="in.jsonl"), {"a": "1", "b": "2", **PREDICTED})
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_disk_that_refuses_is_one_message(tmp_path, suffix):
    with pytest.raises(DataError, match=r"out\.\w+: cannot be written: .*[Nn]o such file"):
        write(tmp_path / "gone" / f"out.{suffix}", [])


def test_standard_output_gets_utf_8_or_plain_ascii_json(monkeypatch):
    for encoding in ("utf-8", "ascii", "latin-1"):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
        write(Path("-"), [{"a": "é → 😀", "b": None}])
        assert json.loads(raw.getvalue().decode("utf-8"))["a"] == "é → 😀"
        assert raw.getvalue().endswith(b"\n")


def test_rejects_appear_with_the_first_and_only_when_all_went_well(tmp_path):
    name = tmp_path / "out.jsonl.rejects.jsonl"
    with RejectsWriter(str(name)):
        pass
    assert not name.exists()
    with RejectsWriter(str(name)) as rejects:
        rejects.write(Reject(3, "no claim", "{“"))
        assert not name.exists()
    assert rejects.count == 1
    assert json.loads(name.read_bytes()) == {"place": 3, "reason": "no claim", "excerpt": "{“"}
    with pytest.raises(RuntimeError, match="half way"):
        break_off(RejectsWriter(str(name)), Reject(4, "other"))
    assert json.loads(name.read_bytes())["place"] == 3
    assert list(tmp_path.iterdir()) == [name]


def test_rejects_without_a_name_go_to_standard_error(capsys):
    with RejectsWriter(None) as rejects:
        rejects.write(Reject(1, "no claim"))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err) == {"place": 1, "reason": "no claim", "excerpt": ""}
