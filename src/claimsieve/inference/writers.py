"""Output files that appear whole or not at all: JSON Lines, CSV, TSV, Parquet, and the rejects beside them."""

import csv
import json
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
        yield _JsonLines(sys.stdout)
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
    """`<output>.rejects.jsonl`, made with the first reject; without a name, lines on standard error."""

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.count = 0
        self._stream: Any = None

    def __enter__(self) -> "RejectsWriter":
        if self.name is not None:
            with suppress(FileNotFoundError):
                Path(self.name).unlink()  # it spoke of an earlier output
        return self

    def write(self, reject: Reject) -> None:
        """One line: place (line or row number), reason, and how the row begins."""
        self.count += 1
        if self._stream is None:
            self._stream = sys.stderr if self.name is None else Path(self.name).open("w", encoding="utf-8")  # noqa: SIM115
        self._stream.write(json.dumps(asdict(reject), ensure_ascii=True) + "\n")

    def __exit__(self, *exception: object) -> None:
        if self._stream is not None and self.name is not None:
            self._stream.close()


class _JsonLines:
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, row: Mapping[str, Any]) -> None:
        # Half characters (lone surrogates) can stand in a column that no model reads; as \uXXXX they stay JSON.
        text = json.dumps(row, ensure_ascii=False, default=str)
        self._stream.write((text if text.isprintable() or _encodes(text) else json.dumps(row, default=str)) + "\n")


class _Table:
    def __init__(self, stream: Any, names: list[str], kind: str) -> None:
        self._writer = csv.DictWriter(
            stream, names, delimiter="\t" if kind == "tsv" else ",", lineterminator="\n", extrasaction="ignore"
        )
        self._writer.writeheader()

    def write(self, row: Mapping[str, Any]) -> None:
        self._writer.writerow({name: _cell(value) for name, value in row.items()})


class _Parquet:
    def __init__(self, path: Path, names: list[str], template: str) -> None:
        import pyarrow
        import pyarrow.parquet

        types: dict[str, Any] = {f"p_{label}": pyarrow.float64() for label in LABELS}
        if not template.startswith("recipe:") and template != "-" and format_of(template) == "parquet":
            own = pyarrow.parquet.read_schema(template)
            types |= {f"input_{n}" if f"input_{n}" in names else n: own.field(n).type for n in own.names}
            types["label"] = pyarrow.string()
        self._schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in names])
        self._texts = [name for name in names if name not in types]
        self._writer = pyarrow.parquet.ParquetWriter(path, self._schema)
        self._rows: list[dict[str, Any]] = []

    def write(self, row: Mapping[str, Any]) -> None:
        texts = {name: None if row.get(name) is None else str(_cell(row[name])) for name in self._texts}
        self._rows.append({**row, **texts})
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
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict | bool) else value


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
