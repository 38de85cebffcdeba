"""Claims files, read row by row: JSON Lines, CSV, TSV, Parquet. A row that cannot be read becomes a Reject."""

import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, cast

from claimsieve.errors import DataError

SUFFIXES = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")

_MAX_LINE_BYTES = 16_000_000
_NESTED_COLUMNS = ("evidence", "media", "manipulation")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file. place: line (text formats) or row number (Parquet), counted from 1."""

    place: int
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be used: where it stands, why, and how it begins."""

    place: int
    reason: str
    excerpt: str = ""


def format_of(name: str) -> str:
    """'jsonl', 'csv', 'tsv' or 'parquet' by suffix; '-' is JSON Lines; text formats may be gzipped (.jsonl.gz).

    Raises DataError for another suffix.
    """
    if name == "-":
        return "jsonl"
    path = Path(name)
    suffix = (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()
    if suffix not in SUFFIXES or (path.suffix.lower() == ".gz" and suffix == ".parquet"):
        raise DataError(
            f"{name}: expected a file that ends in {', '.join(SUFFIXES)} (the text ones also with .gz), found "
            f"'{path.suffix or 'no suffix'}'."
        )
    return {"ndjson": "jsonl"}.get(suffix[1:], suffix[1:])


def read_rows(name: str) -> Iterator[Row | Reject]:
    """Rows of a claims file in order, with flat memory; '-' reads JSON Lines from standard input.

    Raises DataError when the file as a whole cannot be read.
    """
    kind = format_of(name)
    if kind == "parquet":
        yield from _parquet(Path(name))
        return
    with _opened(name) as stream:
        if kind == "jsonl":
            yield from _json_lines(stream)
        else:
            yield from _separated(stream, kind, name)


def read_tabbed(path: Path, header: Sequence[str]) -> Iterator[Row | Reject]:
    """Rows of bare cells between tabs: no header of its own, and a quotation mark is only a character."""
    with _opened(str(path)) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="\n")
        for number, line in enumerate(_lines(text), start=1):
            if line.strip():
                yield _separated_row(number, list(header), line.rstrip("\r\n").split("\t"))


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Lines, a longer one cut off just above the limit: it is refused later, and must not fill the memory before."""
    while line := text.readline(_MAX_LINE_BYTES + 1):
        rest = line
        while len(rest) > _MAX_LINE_BYTES and not rest.endswith("\n"):
            rest = text.readline(_MAX_LINE_BYTES + 1)
        yield line


def columns(name: str) -> list[str]:
    """Names of the columns in the order they first occur; reads a JSON Lines file through."""
    kind = format_of(name)
    if kind == "parquet":
        return [str(column) for column in _parquet_file(Path(name)).schema_arrow.names]
    if kind != "jsonl":
        with _opened(name) as stream, _table(stream, kind) as reader:
            return _header(reader, name)
    found: dict[str, None] = {}
    for row in read_rows(name):
        if isinstance(row, Row):
            found.update(dict.fromkeys(row.fields))
    return list(found)


def json_object(text: str) -> dict[str, Any]:
    """One JSON object. Raises ValueError with the reason; NaN and Infinity are not JSON."""
    try:
        value = _STRICT_JSON.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}") from None
    if not isinstance(value, dict):
        raise ValueError("expected a JSON object")
    return value


def _not_json(name: str) -> Any:
    raise ValueError(f"not JSON: {name}")


_STRICT_JSON = json.JSONDecoder(parse_constant=_not_json)  # kept: making one takes as long as reading a short line


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115  # errors of the block below are not errors of opening
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise DataError(f"{name}: cannot be read: {getattr(error, 'strerror', error)}.") from None
    with stream:
        if not name.lower().endswith(".gz"):
            yield stream
            return
        try:
            # Read in pieces, so an archive that unpacks without end costs time, not memory.
            with gzip.open(stream) as unpacked:
                yield cast(BinaryIO, unpacked)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(f"{name}: expected a whole gzip file: {error}. Fetch it again.") from None


def _json_lines(stream: BinaryIO) -> Iterator[Row | Reject]:
    number = 0
    while raw := stream.readline(_MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > _MAX_LINE_BYTES:
            excerpt = _excerpt(raw)
            while not raw.endswith(b"\n") and (raw := stream.readline(_MAX_LINE_BYTES)):
                pass
            yield Reject(number, f"the line is longer than {_MAX_LINE_BYTES:,} bytes", excerpt)
            continue
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if not raw.strip():
            continue
        try:
            yield Row(number, json_object(raw.decode("utf-8")))
        except UnicodeDecodeError as error:
            yield Reject(
                number, f"not UTF-8: byte {error.object[error.start]:#04x} at {error.start + 1}", _excerpt(raw)
            )
        except ValueError as error:
            yield Reject(number, str(error), _excerpt(raw))


@contextmanager
def _table(stream: BinaryIO, kind: str) -> Iterator[Any]:
    """A csv.reader over the stream, which stays open."""
    csv.field_size_limit(_MAX_LINE_BYTES)
    # Bytes that are not UTF-8 pass as surrogates, so that one bad row can be told from its neighbours.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield csv.reader(_lines(text), delimiter="\t" if kind == "tsv" else ",", strict=True)
    finally:
        text.detach()


def _separated(stream: BinaryIO, kind: str, name: str) -> Iterator[Row | Reject]:
    with _table(stream, kind) as reader:
        header = _header(reader, name)
        while True:
            begin = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                # A quote that is not closed swallows the lines that follow; each of them is lost, so each is counted.
                for line in range(begin, reader.line_num + 1):
                    yield Reject(line, f"not a row of the table: {error}")
                continue
            if cells:
                yield _separated_row(reader.line_num, header, cells)


def _header(reader: Iterator[list[str]], name: str) -> list[str]:
    """The first row that is not blank; [] in an empty file. Raises DataError when it cannot name the columns."""
    try:
        cells = next((cells for cells in reader if cells), [])
    except csv.Error as error:
        raise DataError(f"{name}: expected names of columns in the first row, found {error}.") from None
    if not _is_utf8(cells):
        raise DataError(f"{name}: expected a header in UTF-8, found other bytes. Save the file as UTF-8.")
    doubled = sorted({cell for cell in cells if cells.count(cell) > 1})
    if doubled:
        listed = ", ".join(f"'{cell}'" for cell in doubled)
        raise DataError(f"{name}: expected each column once in the header, found twice: {listed}. Rename one of them.")
    return cells


def _is_utf8(cells: list[str]) -> bool:
    try:
        "".join(cells).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _separated_row(number: int, header: list[str], cells: list[str]) -> Row | Reject:
    excerpt = ",".join(cells)[:200].encode("utf-8", "replace").decode()
    if len(cells) != len(header):
        return Reject(number, f"expected {len(header)} cells, found {len(cells)}", excerpt)
    if not _is_utf8(cells):
        return Reject(number, "not UTF-8", excerpt)
    return Row(number, dict(zip(header, cells, strict=True)))


def record_cells(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Cells of a table as values of a record: an empty cell is nothing, JSON in a nested column is read."""
    result: dict[str, Any] = {}
    for key, value in fields.items():
        if isinstance(value, str) and value == "":
            continue
        if key in _NESTED_COLUMNS and isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
            with suppress(ValueError, RecursionError):  # a passage may begin with a bracket
                value = json.loads(value)
        result[key] = _plain_dates(value)
    return result


def _plain_dates(value: Any) -> Any:
    """Dates as Parquet types them become YYYY-MM-DD, also inside a passage."""
    if isinstance(value, date):
        return value.isoformat()[:10]
    if isinstance(value, list):
        return [_plain_dates(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain_dates(item) for key, item in value.items()}
    return value


def _parquet_file(path: Path) -> Any:
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}.") from None
    except pyarrow.ArrowException as error:
        raise DataError(f"{path}: expected a Parquet file: {str(error).splitlines()[0]}") from None


def _parquet(path: Path) -> Iterator[Row | Reject]:
    import pyarrow

    number = 0
    try:
        for batch in _parquet_file(path).iter_batches(batch_size=1024):
            for fields in _batch_rows(batch):
                number += 1
                if isinstance(fields, str):
                    yield Reject(number, fields)
                else:
                    yield Row(number, {str(key): value for key, value in fields.items()})
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: damaged after row {number}: {str(error).splitlines()[0]}") from None


def _batch_rows(batch: Any) -> Iterator[dict[str, Any] | str]:
    """The rows of a batch; a row whose bytes are not UTF-8 or whose dates are out of range as the reason."""
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):
        for position in range(batch.num_rows):
            try:
                yield from batch.slice(position, 1).to_pylist()
            except UnicodeDecodeError as error:
                yield f"not UTF-8: byte {error.object[error.start]:#04x} at {error.start + 1}"
            except (ValueError, OverflowError) as error:
                yield f"a value that cannot be read: {error}"


def _excerpt(raw: bytes) -> str:
    return raw[:200].decode("utf-8", "replace").rstrip()
