"""CSV and TSV. A row is what RFC 4180 says: a quoted cell may hold line ends; a blank line is no row.

Where a quotation mark is not closed, nobody knows which of the lines that it swallowed were rows: each is a Reject.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from claimsieve.data.packed import check_text, lines, opened
from claimsieve.data.rows import MAX_ROW_BYTES, Reject, Row
from claimsieve.errors import DataError


def read_table(stream: BinaryIO, name: str, kind: str, file: str = "") -> Iterator[Row | Reject]:
    """Rows below the header; place is the last line of each. kind: 'csv' or 'tsv'.

    Raises DataError when the header cannot name the columns.
    """
    with _table(stream, name, kind) as (text, reader):
        header = _header(reader, name)
        while True:
            begin = text.begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                where = f" (the row begins in line {begin})" if text.number > begin else ""
                for line in range(begin, text.number + 1):
                    yield Reject(line, f"not a row of the table: {error}{where}", file=file)
                continue
            if cells:
                yield _row(text.number, header, cells, file)


def read_header(stream: BinaryIO, name: str, kind: str) -> list[str]:
    """Names of the columns; [] in an empty file. Raises DataError as `read_table` does."""
    with _table(stream, name, kind) as (_, reader):
        return _header(reader, name)


def read_tabbed(path: Path, header: Sequence[str]) -> Iterator[Row | Reject]:
    """Rows of bare cells between tabs: no header of its own, and a quotation mark is only a character."""
    names = list(header)
    with opened(str(path)) as stream:
        for number, line in enumerate(lines(stream), start=1):
            if len(line) > MAX_ROW_BYTES:
                yield Reject(number, f"the line is longer than {MAX_ROW_BYTES:,} bytes")
            elif line.strip():
                text = line.decode("utf-8-sig" if number == 1 else "utf-8", "surrogateescape")
                yield _row(number, names, text.rstrip("\r\n").split("\t"))


def check_names(name: str, names: Sequence[str]) -> None:
    """Raises DataError when two columns have one name: a row could hold only one of them."""
    doubled = sorted(column for column, count in Counter(names).items() if count > 1)
    if doubled:
        listed = ", ".join(f"'{column}'" for column in doubled[:5])
        raise DataError(f"{name}: expected each column once in the header, found twice: {listed}. Rename one of them.")


class _Lines:
    """Lines for a csv.reader, which raise csv.Error when a row grows too long. number: lines handed out so far."""

    def __init__(self, text: io.TextIOWrapper, name: str) -> None:
        self._text = text
        self._name = name
        self._room = MAX_ROW_BYTES
        self.number = 0

    def begin_row(self) -> int:
        """The number of the next line, which begins a row."""
        self._room = MAX_ROW_BYTES
        return self.number + 1

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._room + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if self.number == 1:
            check_text(self._name, line.encode("utf-8", "surrogateescape"))
        if len(line) > self._room:
            while line and not line.endswith(("\n", "\r")):
                line = self._text.readline(MAX_ROW_BYTES)
            raise csv.Error(f"longer than {MAX_ROW_BYTES:,} characters")
        self._room -= len(line)
        return line


@contextmanager
def _table(stream: BinaryIO, name: str, kind: str) -> Iterator[tuple[_Lines, Any]]:
    """The lines of a stream, which stays open, and a csv.reader over them."""
    csv.field_size_limit(MAX_ROW_BYTES)
    # Bytes that are not UTF-8 pass as surrogates, so that one bad row can be told from its neighbours.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        numbered = _Lines(text, name)
        yield numbered, csv.reader(numbered, delimiter="\t" if kind == "tsv" else ",", strict=True)
    finally:
        text.detach()


def _header(reader: Iterator[list[str]], name: str) -> list[str]:
    """The first row that is not blank; [] in an empty file."""
    try:
        cells = next((cells for cells in reader if cells), [])
    except csv.Error as error:
        raise DataError(f"{name}: expected names of columns in the first row, found {error}.") from None
    if not _is_utf8("".join(cells)):
        raise DataError(f"{name}: expected a header in UTF-8, found other bytes. Save the file as UTF-8.")
    check_names(name, cells)
    return cells


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _row(number: int, header: list[str], cells: list[str], file: str = "") -> Row | Reject:
    if len(cells) != len(header):
        return Reject(number, f"expected {len(header)} cells, found {len(cells)}", _excerpt(cells), file)
    whole = "".join(cells)
    if not whole.isascii() and not _is_utf8(whole):
        return Reject(number, "not UTF-8", _excerpt(cells), file)
    return Row(number, dict(zip(header, cells, strict=True)), file)


def _excerpt(cells: list[str]) -> str:
    return ",".join(cells)[:200].encode("utf-8", "replace").decode()
