"""Output files that appear whole or not at all: JSON Lines, CSV, TSV, Parquet, and the rejects beside them."""

import csv
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from claimsieve.data.files import Reject, format_of
from claimsieve.errors import DataError
from claimsieve.records import LABELS

_PARQUET_ROWS = 8_192


class Writer(Protocol):
    """Takes one row at a time."""

    def write(self, row: Mapping[str, Any]) -> None: ...


@contextmanager
def open_writer(target: str, output_columns: Callable[[], list[str]], *, template: str) -> Iterator[Writer]:
    """A writer for `target` by suffix; '-' is JSON Lines on standard output.

    output_columns: called for tables, which need their header first. template: the input; a Parquet input gives a
    Parquet output its column types. Raises DataError when the disk refuses; then the old file stands.
    """
    if target == "-":
        yield _JsonLines(sys.stdout, ascii_only=(sys.stdout.encoding or "").lower().replace("-", "") != "utf8")
        sys.stdout.flush()
        return
    path = Path(target)
    temporary = path.with_name(f".{path.name}.writing")
    kind = format_of(target)
    try:
        if kind == "parquet":
            parquet = _Parquet(temporary, output_columns(), template)
            try:
                yield parquet
            finally:
                parquet.close()
        else:
            with temporary.open("w", encoding="utf-8", newline="") as stream:
                yield _JsonLines(stream) if kind == "jsonl" else _Table(stream, output_columns(), kind)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"{target}: cannot be written: {error.strerror or error}.") from None
    finally:
        with suppress(OSError):
            temporary.unlink()


class RejectsWriter:
    """`<output>.rejects.jsonl`, there when there are rejects; without a name, lines on standard error.

    It appears whole at the end, and an earlier one stands until then, as its output does.
    """

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.count = 0
        self._temporary = Path(name).with_name(f".{Path(name).name}.writing") if name is not None else None
        self._stream: Any = None

    def __enter__(self) -> "RejectsWriter":
        return self

    def write(self, reject: Reject) -> None:
        """One line: place (line or row number), reason, and how the row begins."""
        self.count += 1
        if self._stream is None:
            self._stream = sys.stderr if self._temporary is None else self._temporary.open("w", encoding="utf-8")
        self._stream.write(json.dumps(asdict(reject), ensure_ascii=True) + "\n")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.name is None or self._temporary is None:
            return
        try:
            if self._stream is not None:
                self._stream.close()
            if kind is None and self.count:
                self._temporary.replace(self.name)
            elif kind is None:
                Path(self.name).unlink(missing_ok=True)  # it spoke of an earlier output
        except OSError as error:
            raise DataError(f"{self.name}: cannot be written: {error.strerror or error}.") from None
        finally:
            with suppress(OSError):
                self._temporary.unlink()


class _JsonLines:
    def __init__(self, stream: Any, *, ascii_only: bool = False) -> None:
        self._stream = stream
        self._ascii_only = ascii_only

    def write(self, row: Mapping[str, Any]) -> None:
        # Half characters (lone surrogates) can stand in a column that no model reads; as \uXXXX they stay JSON.
        text = _json(row, ensure_ascii=self._ascii_only)
        self._stream.write((text if text.isprintable() or _encodes(text) else _json(row, ensure_ascii=True)) + "\n")


class _Table:
    def __init__(self, stream: Any, names: list[str], kind: str) -> None:
        self._stream = stream
        self._names = names
        self._line = io.StringIO()
        # csv quotes what stands in its own line end: with \r\n also a lone \r in a claim, which readers take for one.
        self._writer = csv.writer(self._line, delimiter="\t" if kind == "tsv" else ",", lineterminator="\r\n")
        self._write(names)

    def write(self, row: Mapping[str, Any]) -> None:
        self._write([_cell(row.get(name)) for name in self._names])

    def _write(self, cells: list[Any]) -> None:
        self._writer.writerow(cells)
        line = self._line.getvalue().removesuffix("\r\n") + "\n"
        self._stream.write(line if _encodes(line) else _encodable(line))
        self._line.seek(0)
        self._line.truncate()


class _Parquet:
    def __init__(self, path: Path, names: list[str], template: str) -> None:
        import pyarrow
        import pyarrow.parquet

        types: dict[str, Any] = {}
        if not template.startswith("recipe:") and template != "-" and format_of(template) == "parquet":
            # The input's own columns come first, in their order, whatever they are called now.
            types = dict(zip(names, pyarrow.parquet.read_schema(template).types, strict=False))
        types |= {f"p_{label}{form}": pyarrow.float64() for label in LABELS for form in ("", "_at_prevalence")}
        types |= {"label": pyarrow.string(), "abstained": pyarrow.bool_()}
        types |= dict.fromkeys(("prediction_set", "reasons"), pyarrow.list_(pyarrow.string()))
        self._schema = pyarrow.schema([(_encodable(name), types.get(name, pyarrow.string())) for name in names])
        self._texts = [name for name in names if name not in types]
        self._writer = pyarrow.parquet.ParquetWriter(path, self._schema)
        self._rows: list[dict[str, Any]] = []

    def write(self, row: Mapping[str, Any]) -> None:
        texts = {name: None if row.get(name) is None else _encodable(str(_cell(row[name]))) for name in self._texts}
        self._rows.append({_encodable(name): value for name, value in {**row, **texts}.items()})
        if len(self._rows) >= _PARQUET_ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow

        if self._rows:
            self._writer.write_table(pyarrow.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


def _cell(value: Any) -> Any:
    """A value as one cell of a table: nested ones as JSON."""
    if value is None:
        return ""
    return _json(value, ensure_ascii=False) if isinstance(value, list | dict | bool) else value


def _json(value: Any, *, ensure_ascii: bool) -> str:
    """JSON text; numbers that JSON does not have (NaN of a Parquet file, 1e999) become null."""
    try:
        return json.dumps(value, ensure_ascii=ensure_ascii, default=str, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=ensure_ascii, default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _encodable(text: str) -> str:
    """The text with half characters, which UTF-8 does not have, written out as \\uXXXX."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
