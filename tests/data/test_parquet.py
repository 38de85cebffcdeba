from datetime import date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from read_back import short

from claimsieve.data.files import Reject, Row, columns, read_rows
from claimsieve.errors import DataError


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


def test_parquet_without_rows_has_columns(tmp_path):
    assert parquet_rows(tmp_path, pa.table({"claim": pa.array([], pa.string())})) == []
    assert columns(str(tmp_path / "a.parquet")) == ["claim"]
    assert parquet_rows(tmp_path, pa.table({})) == []
    assert columns(str(tmp_path / "a.parquet")) == []


def test_parquet_that_names_a_column_twice_is_refused(tmp_path):
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["claim", "claim"])
    with pytest.raises(DataError, match=r"a\.parquet: expected each column once in the header, found twice: 'claim'"):
        parquet_rows(tmp_path, table)
    with pytest.raises(DataError, match="found twice: 'claim'"):
        columns(str(tmp_path / "a.parquet"))


def test_a_name_of_a_column_that_is_not_utf8_is_refused(tmp_path, rows_in):
    pq.write_table(pa.table({"claim": ["a"], "zzzz": ["b"]}), tmp_path / "a.parquet", store_schema=False)
    content = (tmp_path / "a.parquet").read_bytes().replace(b"zzzz", b"\xe9zzz")
    with pytest.raises(DataError, match=r"a\.parquet: "):
        rows_in("a.parquet", content)


def test_types_that_no_claim_has_are_carried(tmp_path):
    fields = {
        "price": Decimal("1.50"),
        "raw": b"\xff\0",
        "word": "a",
        "pairs": [("k", 1)],
        "time": time(1, 2),
        "half": 1.5,
        "nested": {"a": [{"b": None}]},
        "none": None,
    }
    arrays = {
        "word": pa.array(["a"]).dictionary_encode(),
        "pairs": pa.array([fields["pairs"]], pa.map_(pa.string(), pa.int64())),
        "half": pa.array([1.5], pa.float16()),
    }
    table = pa.table({name: arrays[name] if name in arrays else pa.array([value]) for name, value in fields.items()})
    assert parquet_rows(tmp_path, table) == [Row(1, fields)]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([2**50, None], pa.timestamp("ms", tz="UTC")),
        pa.array([2**62, None], pa.duration("s")),
        pa.array([2**30, None], pa.date32()),
        pa.array([2**60, None], pa.time64("us")),
        pa.array([0, None], pa.timestamp("ms", tz="Mars/Phobos")),
    ],
    ids=lambda values: str(values.type),
)
def test_a_value_that_python_does_not_have_costs_its_row_only(tmp_path, values):
    bad, good = parquet_rows(tmp_path, pa.table({"claim": ["a", "b"], "value": values}))
    assert (bad.place, bad.reason.partition(":")[0]) == (1, "a value that cannot be read")
    assert good == Row(2, {"claim": "b", "value": None})


def test_a_parquet_file_cut_anywhere_is_refused(tmp_path, rows_in):
    pq.write_table(pa.table({"claim": [str(row) for row in range(100)]}), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    for length in range(0, len(content), 7):
        with pytest.raises(DataError, match=r"a\.parquet: "):
            rows_in("a.parquet", content[:length])


def test_parquet_that_promises_other_rows_than_it_has_is_damaged(tmp_path, monkeypatch):
    """Each row counts: a file whose parts do not add up is not taken for a shorter one."""
    pq.write_table(pa.table({"claim": ["a", "b", "c"]}), tmp_path / "a.parquet")
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", lambda file, **_: file.read_row_group(0).slice(1).to_batches())
    with pytest.raises(DataError, match=r"a\.parquet: damaged: expected 3 rows, found 2"):
        list(read_rows(str(tmp_path / "a.parquet")))
