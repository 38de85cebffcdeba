import gzip
import io
import os
import random
import sys
import threading
import tracemalloc
from itertools import pairwise

import pyarrow
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from claimsieve.data.files import Reject, Row, columns, format_of, read_rows
from claimsieve.data.packed import packing_of, unpacked_name
from claimsieve.errors import DataError


def zstd(content):
    return pyarrow.compress(content, codec="zstd", asbytes=True)


PACK = {"gz": gzip.compress, "zst": zstd, "zstd": zstd}
TEXT = {
    "jsonl": b'{"claim": "a"}\n{"claim": "b"}\n',
    "csv": b"claim\na\nb\n",
    "tsv": b"claim\na\nb\n",
}


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("kind", TEXT)
def test_text_is_read_packed_as_it_is_plain(tmp_path, kind, packing):
    packed = tmp_path / f"A.{kind.upper()}.{packing.upper()}"
    packed.write_bytes(PACK[packing](TEXT[kind]))
    assert format_of(str(packed)) == kind
    assert [row.fields["claim"] for row in read_rows(str(packed))] == ["a", "b"]
    assert columns(str(packed)) == ["claim"]


@pytest.mark.parametrize("packing", PACK)
def test_members_one_after_another_are_one_file(tmp_path, packing):
    pack, lines = PACK[packing], [b'{"claim": "%d"}\n' % row for row in range(1_000)]
    whole = b"".join(lines)
    cuts = [0, 0, 7, 8, 5_000, 5_000, len(whole), len(whole)]
    members = [pack(whole[a:b]) for a, b in pairwise(cuts)]
    path = tmp_path / f"a.jsonl.{packing}"
    path.write_bytes(b"".join(members))
    assert [row.fields["claim"] for row in read_rows(str(path))] == [str(row) for row in range(1_000)]


@pytest.mark.parametrize("packing", PACK)
def test_an_archive_of_nothing_has_no_rows(tmp_path, packing):
    for number, content in enumerate([b"", PACK[packing](b""), PACK[packing](b"\n\n")]):
        path = tmp_path / f"{number}.jsonl.{packing}"
        path.write_bytes(content)
        assert list(read_rows(str(path))) == []


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("kind", TEXT)
def test_what_is_called_packed_and_is_not_is_refused(tmp_path, kind, packing):
    path = tmp_path / f"a.{kind}.{packing}"
    path.write_bytes(TEXT[kind])
    with pytest.raises(
        DataError, match=rf"a\.{kind}\.{packing}: expected a whole (gzip|zstd) file: .* Fetch it again\."
    ):
        list(read_rows(str(path)))


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_every_whole_line_before_a_tear_is_read(tmp_path, packing):
    """The second member is torn: those of the first come, to the last, though the archive is read in pieces."""
    noise = random.Random(0)
    first, second = ("".join(f'{{"claim": "{noise.random()}"}}\n' for _ in range(3_000)).encode() for _ in range(2))
    path = tmp_path / f"a.jsonl.{packing}"
    for lost in (1, 3, 8, 9, 200, len(PACK[packing](second)) - 1):
        path.write_bytes((PACK[packing](first) + PACK[packing](second))[:-lost])
        found = []
        with pytest.raises(DataError, match="expected a whole"):
            found.extend(read_rows(str(path)))
        assert len(found) >= 3_000
        assert all(isinstance(row, Row) for row in found)


@pytest.mark.parametrize("packing", ["gz", "zst"])
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_what_unpacks_to_far_more_costs_no_memory(tmp_path, kind, packing):
    path = tmp_path / f"a.{kind}.{packing}"
    path.write_bytes(PACK[packing](b"claim\n" + b"x" * 100_000_000 + b'\nhit"\n'))
    tracemalloc.start()
    try:
        found = list(read_rows(str(path)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    *_, bad, _ = found
    assert isinstance(bad, Reject)
    assert "longer than 16,000,000" in bad.reason
    assert peak < 90_000_000


@pytest.mark.parametrize(
    ("beginning", "found"),
    [
        ("\ufeffclaim\n".encode("utf-16-le"), "found text in UTF-16. Save it as UTF-8."),
        ("\ufeffclaim\n".encode("utf-16-be"), "found text in UTF-16"),
        ("\ufeffclaim\n".encode("utf-32-le"), "found text in UTF-16"),
        (gzip.compress(b"claim\n", mtime=0), r"found a gzip file. Let its name end in \.gz"),
        (zstd(b"claim\n"), r"found a zstd file. Let its name end in \.zst"),
        (b"PAR1\x15\x04", r"found a Parquet file. Let its name end in \.parquet"),
        (b"PK\x03\x04\x14", "found a zip file or a spreadsheet. Unpack it, or save it as CSV"),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv", "jsonl.gz"])
def test_another_kind_of_file_is_one_error_and_not_a_thousand_rejects(tmp_path, kind, beginning, found):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(gzip.compress(beginning + b'"' * 5) if kind.endswith("gz") else beginning + b'"' * 5)
    with pytest.raises(DataError, match=f"a.{kind}: expected text in UTF-8, {found}"):
        list(read_rows(str(path)))


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
@pytest.mark.parametrize("name", ["a.parquet", "a.gz.parquet", "a.zst.parquet"])
def test_parquet_is_packed_inside(tmp_path, name, codec):
    pq.write_table(pa.table({"claim": ["a"]}), tmp_path / name, compression=codec)
    assert list(read_rows(str(tmp_path / name))) == [Row(1, {"claim": "a"})]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a.parquet.gz", r"expected Parquet that is packed inside, found \.gz around it\. Unpack it, or write it with"),
        ("a.parquet.ZST", r"found \.zst around it"),
        ("a.jsonl.bz2", r"expected a file packed as \.gz, \.zst, \.zstd, found '\.bz2'\. Pack it anew"),
        ("a.gz", r"expected a file that ends in \.jsonl, .*also with \.gz or \.zst\), found '\.gz'"),
        ("a.txt.gz", "expected a file that ends in"),
        ("a.jsonl.gz.gz", "expected a file that ends in"),
    ],
)
def test_what_is_packed_in_another_way_is_told_the_way(name, problem):
    with pytest.raises(DataError, match=problem):
        format_of(name)


def test_the_name_tells_the_packing():
    assert [packing_of(name) for name in ("a.jsonl", "a.csv.gz", "a.ZST", "a.zstd", "-")] == [
        None, "gzip", "zstd", "zstd", None,
    ]  # fmt: skip
    assert [unpacked_name(name) for name in ("b/a.jsonl", "b.gz/a.csv.GZ", "a.zst")] == ["b/a.jsonl", "b.gz/a.csv", "a"]


def test_a_pipe_is_read_once_to_its_end(tmp_path):
    os.mkfifo(tmp_path / "a.jsonl.gz")
    writer = threading.Thread(target=(tmp_path / "a.jsonl.gz").write_bytes, args=(gzip.compress(TEXT["jsonl"]),))
    writer.start()
    assert [row.fields["claim"] for row in read_rows(str(tmp_path / "a.jsonl.gz"))] == ["a", "b"]
    writer.join()


class Failing(io.BytesIO):
    """A disk that fails after the first piece."""

    def readline(self, *_):
        if self.tell():
            raise OSError(5, "Input/output error")
        return super().readline()


def test_a_disk_that_fails_while_reading_is_one_error_after_the_rows(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Failing(TEXT["jsonl"])))
    rows = read_rows("-")
    assert next(rows) == Row(1, {"claim": "a"})
    with pytest.raises(DataError, match=r"-: cannot be read: Input/output error\."):
        next(rows)


def test_a_closed_standard_input_is_an_error(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(DataError, match="expected claims on standard input, found it closed"):
        list(read_rows("-"))
