"""Every row of a file comes out once, whatever the file: as it stood, or as a reject."""

import gzip
import re
from random import Random

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.files import Row, read_rows
from claimsieve.errors import DataError
from rubbish import KINDS, PACKINGS, rubbish

PIECES = (
    *(
        b'{"claim":"a"}',
        b"claim",
        b"{",
        b"}",
        b'"',
        b'""',
        b",",
        b"\n",
        b"\r\n",
        b"\r",
        b"\t",
        b" ",
        b"a",
        b"\\",
        b"\0",
    ),
    *(b"\xe9", b"\xc3\xa9", b"\xef\xbb\xbf", b"\xff\xfe", b"\x0b", b"\x0c", b"\x1c", b"\xc2\x85", b"\xe2\x80\xa8"),
)
FORMS = [(kind, packing) for kind in KINDS for packing in PACKINGS if kind != "parquet" or not packing]


def packed(content, packing):
    return gzip.compress(content) if packing == ".gz" else pyarrow.compress(content, codec="zstd", asbytes=True)


def read(path):
    """(place, fields or None) of each item, and the error that ended the file, if one did."""
    found = []
    try:
        for item in read_rows(str(path)):
            found.append((item.place, item.fields if isinstance(item, Row) else None))
            str(item).encode()  # whatever is told of a row can be printed
            if not isinstance(item, Row):
                item.reason.encode()
                item.excerpt.encode()
    except DataError as error:
        return found, str(error)
    return found, None


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("kind", "packing"), FORMS)
def test_rows_and_rejects_are_what_was_written(tmp_path, kind, packing, seed):
    content, written = rubbish(Random(f"{kind}{packing}{seed}"), kind, packing, rows=150)
    assert len(written) >= 150  # times 10 forms and 20 seeds: 30,000 rows
    assert 20 < sum(row.fields is None for row in written) < 120
    (tmp_path / f"in.{kind}{packing}").write_bytes(content)
    found, error = read(tmp_path / f"in.{kind}{packing}")
    assert error is None
    assert found == [(row.place, row.fields) for row in written]


@pytest.mark.parametrize(("kind", "packing"), FORMS)
@given(seed=st.integers(0, 2**32), share=st.floats(0, 1))
@settings(deadline=None, max_examples=25)
def test_a_torn_file_gives_the_rows_before_the_tear(tmp_path_factory, kind, packing, seed, share):
    content, written = rubbish(Random(seed), kind, packing, rows=20)
    path = tmp_path_factory.getbasetemp() / f"torn.{kind}{packing}"
    path.write_bytes(content[: int(len(content) * share)])
    found, error = read(path)
    if kind == "parquet" and share < 1:  # its end says where its rows are
        assert (found, error is None) == ([], False)
        return
    whole = max(
        (n for n, (_, fields) in enumerate(found) if fields is not None), default=0
    )  # the last may be a torn one
    assert found[:whole] == [(row.place, row.fields) for row in written][:whole]
    if not packing:
        lines = len(re.findall(rb"\n" if kind == "jsonl" else rb"\r\n|\r|\n", path.read_bytes()))
        assert len(found) >= sum(row.place <= lines for row in written)


@pytest.mark.parametrize("packing", [".gz", ".zst"])
@pytest.mark.parametrize("lost", [1, 5, 12, 30])
def test_a_torn_archive_is_one_error_after_the_rows_of_its_whole_members(tmp_path, packing, lost):
    parts = [b"".join(b'{"claim": "%d"}\n' % row for row in range(first, first + 500)) for first in (0, 500)]
    archives = [packed(part, packing) for part in parts]
    (tmp_path / f"in.jsonl{packing}").write_bytes(b"".join(archives)[:-lost])
    found, error = read(tmp_path / f"in.jsonl{packing}")
    assert len(found) >= 500
    assert found == [(row + 1, {"claim": str(row)}) for row in range(len(found))]
    assert "expected a whole" in error
    assert error.endswith("Fetch it again.")


@given(st.binary(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
@settings(deadline=None, max_examples=500)
def test_every_line_of_any_bytes_is_counted(tmp_path_factory, content):
    content = b"\n" + content  # what stands first may make it another kind of file
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(content)
    found, error = read(path)
    assert error is None
    lines = enumerate(content.split(b"\n"), start=1)
    assert [place for place, _ in found] == [
        number for number, line in lines if line.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\x0b\x0c")
    ]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join), st.sampled_from(["csv", "tsv"]))
@settings(deadline=None, max_examples=500)
def test_every_line_of_a_table_without_quotation_marks_is_counted(tmp_path_factory, content, kind):
    content = content.replace(b'"', b"")
    path = tmp_path_factory.getbasetemp() / f"any.{kind}"
    path.write_bytes(b"claim\n" + content)
    found, error = read(path)
    assert error is None
    lines = enumerate(re.split(rb"\r\n|\r|\n", content), start=2)
    assert [place for place, _ in found] == [number for number, line in lines if line]


@pytest.mark.parametrize(("kind", "packing"), FORMS)
@given(seed=st.integers(0, 2**32), changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8))
@settings(deadline=None, max_examples=40)
def test_changed_bytes_are_rejects_or_one_error(tmp_path_factory, kind, packing, seed, changes):
    content = bytearray(rubbish(Random(seed), kind, packing, rows=10)[0])
    for share, byte in changes:
        content[int(share * (len(content) - 1))] = byte
    path = tmp_path_factory.getbasetemp() / f"changed.{kind}{packing}"
    path.write_bytes(content)
    found, _ = read(path)  # raises what is no DataError
    places = [place for place, _ in found]
    assert places == sorted(set(places))
