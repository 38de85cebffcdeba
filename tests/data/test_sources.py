import os
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from claimsieve.data.files import Reject, Row
from claimsieve.data.sources import columns_of, files_of, read_files
from claimsieve.errors import DataError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make files with nothing in them, in the working directory."""
    monkeypatch.chdir(tmp_path)

    def make(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return make


def test_a_file_is_itself(folder):
    folder("a.jsonl", "_b.csv.gz", "c.rejects.jsonl", "claims[1].tsv", "claims1.tsv", "*.parquet")
    for name in ("a.jsonl", "_b.csv.gz", "c.rejects.jsonl", "claims[1].tsv", "*.parquet", "./a.jsonl", "-"):
        assert files_of(name) == [name]


def test_a_directory_is_the_claims_files_in_and_below_it_by_name(folder):
    folder(
        *("d/b.jsonl", "d/B.csv", "d/a/z.tsv.zst", "d/é.parquet", "d/a.ndjson.gz", "d/10.jsonl", "d/9.jsonl"),
        *("d/README.md", "d/.hidden.jsonl", "d/_SUCCESS", "d/_part.jsonl", "d/.b.jsonl.writing", "d/b.jsonl.writing"),
        *("d/b.csv.rejects.jsonl", "d/b.rejects.jsonl.gz", "d/.git/c.jsonl", "d/_tmp/c.jsonl", "d/b.jsonl.md5"),
        "other/a.jsonl",
    )
    assert files_of("d") == files_of("d/") == files_of("d/**") == [
        "d/10.jsonl", "d/9.jsonl", "d/B.csv", "d/a/z.tsv.zst", "d/a.ndjson.gz", "d/b.jsonl", "d/é.parquet",
    ]  # fmt: skip


def test_a_pattern_is_what_it_matches(folder):
    root = folder("d/a.jsonl", "d/b.jsonl.gz", "d/c.csv", "d/e/a.jsonl", "d/e/f/a.jsonl", "d/_x/a.jsonl", "d/note.txt")
    assert files_of("d/*.jsonl") == ["d/a.jsonl"]
    assert files_of("d/*") == ["d/a.jsonl", "d/b.jsonl.gz", "d/c.csv"]
    assert files_of("d/[bc].*") == ["d/b.jsonl.gz", "d/c.csv"]
    assert files_of("*/*/?.jsonl") == ["d/e/a.jsonl"]
    assert files_of("**/a.jsonl") == ["d/a.jsonl", "d/e/a.jsonl", "d/e/f/a.jsonl"]
    assert files_of("d/**/f/*") == ["d/e/f/a.jsonl"]
    assert files_of("d/**/**/a.jsonl") == ["d/a.jsonl", "d/e/a.jsonl", "d/e/f/a.jsonl"]
    assert files_of("d/_*/*") == ["d/_x/a.jsonl"]
    assert files_of(f"{root}/d/e/*.jsonl") == [f"{root}/d/e/a.jsonl"]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("none.jsonl", r"none\.jsonl: expected a claims file, found none"),
        ("none", "none: expected a file that ends in"),
        ("notes/a.txt", r"expected a file that ends in .*found '\.txt'"),
        ("notes", r"notes: expected claims files \(\.jsonl, .*\), found none"),
        ("notes/*.txt", r"notes/\*\.txt: expected claims files"),
        ("notes/*.jsonl", "expected claims files"),
        ("none/*.jsonl", r"none/\*\.jsonl: cannot be read: No such file"),
        ("notes/a.txt/*.jsonl", "cannot be read: Not a directory"),
        ("mixed", r"mixed/b\.parquet\.gz: expected Parquet that is packed inside"),
        ("mixed/*.gz", r"mixed/b\.parquet\.gz: expected Parquet that is packed inside"),
        ("packed", r"packed/a\.csv\.xz: expected a file packed as \.gz"),
        ("a\0b.jsonl", "cannot be read: .*null|expected a claims file, found none"),
        ("", "expected"),
    ],
)
def test_a_source_of_no_claims_files_is_refused(folder, source, problem):
    folder("notes/a.txt", "mixed/a.jsonl", "mixed/b.parquet.gz", "packed/a.csv.xz")
    with pytest.raises(DataError, match=problem):
        files_of(source)


def test_links_make_no_loop_and_no_row_twice(folder):
    root = folder("d/b.jsonl", "d/e/c.jsonl", "far/f.jsonl")
    (root / "d/a-link.jsonl").symlink_to("b.jsonl")
    (root / "d/e/up").symlink_to("..")
    (root / "d/self").symlink_to("self")
    (root / "d/far").symlink_to("../far")
    (root / "d/far.jsonl").symlink_to("../far/f.jsonl")
    (root / "link").symlink_to("d")
    assert files_of("d") == ["d/a-link.jsonl", "d/e/c.jsonl", "d/far.jsonl"]
    assert files_of("link/**/*.jsonl") == ["link/a-link.jsonl", "link/e/c.jsonl", "link/far.jsonl"]
    assert files_of("d/*/f.jsonl") == ["d/far/f.jsonl"]


def test_a_link_to_nothing_is_no_file_that_may_be_missing(folder):
    root = folder("d/a.jsonl")
    (root / "d/b.jsonl").symlink_to("gone")
    (root / "d/c.jsonl").symlink_to("c.jsonl")
    assert files_of("d") == ["d/a.jsonl", "d/b.jsonl", "d/c.jsonl"]
    with pytest.raises(DataError, match=r"d/b\.jsonl: cannot be read: No such file"):
        list(read_files(files_of("d")))
    with pytest.raises(DataError, match=r"d/b\.jsonl: expected a claims file, found none"):
        files_of("d/b.jsonl")


def test_a_pipe_in_a_directory_is_left_out_and_a_pipe_by_name_is_read(folder):
    os.mkfifo(folder("d/a.jsonl") / "d/b.jsonl")
    assert files_of("d") == ["d/a.jsonl"]
    assert files_of("d/b.jsonl") == ["d/b.jsonl"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_directory_that_may_not_be_listed_is_an_error(folder):
    root = folder("d/e/a.jsonl", "d/b.jsonl")
    (root / "d/e").chmod(0)
    try:
        with pytest.raises(DataError, match="d: cannot be read: Permission denied"):
            files_of("d")
    finally:
        (root / "d/e").chmod(0o700)


def test_rows_of_several_files_say_which(folder):
    root = folder()
    (root / "a.jsonl").write_text('{"claim": "a", "x": 1}\n[]\n')
    (root / "b.csv").write_text("y,claim\n1,b\n2\n")
    pq.write_table(pa.table({"claim": ["c"], "z": [1]}), root / "c.parquet")
    files = files_of("*")
    assert list(read_files(files)) == [
        Row(1, {"claim": "a", "x": 1}, "a.jsonl"),
        Reject(2, "expected a JSON object", "[]", "a.jsonl"),
        Row(2, {"y": "1", "claim": "b"}, "b.csv"),
        Reject(3, "expected 2 cells, found 1", "2", "b.csv"),
        Row(1, {"claim": "c", "z": 1}, "c.parquet"),
    ]
    assert columns_of(files) == ["claim", "x", "y", "z"]
    assert [row.file for row in read_files(files[:1])] == ["", ""]


def test_a_file_that_vanishes_is_named(folder):
    root = folder("a.jsonl", "b.jsonl")
    files = files_of("*.jsonl")
    (root / "b.jsonl").unlink()
    with pytest.raises(DataError, match=r"b\.jsonl: cannot be read: No such file"):
        list(read_files(files))


def test_directories_without_end_are_an_error(folder):
    root = folder().relative_to(folder())
    for _ in range(300):
        root /= "d"
    root.mkdir(parents=True)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(300)
    try:
        with pytest.raises(DataError, match="d: expected fewer directories in one another"):
            files_of("d")
    finally:
        sys.setrecursionlimit(limit)
