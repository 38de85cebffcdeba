"""Rows of the output as bytes that can be put one behind another: JSON Lines, CSV, TSV, Parquet, packed or not."""

import csv
import gzip
import io
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimsieve.data.packed import PACKINGS
from claimsieve.errors import DataError
from claimsieve.records import LABELS

KINDS = ("jsonl", "csv", "tsv", "parquet")
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # what a spreadsheet may take for a formula (OWASP, CSV injection)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_PARQUET_ROWS = 65_536  # of a row group


@dataclass(frozen=True, slots=True)
class Format:
    """How an output is written.

    kind: one of KINDS. packing: None, 'gzip' or 'zstd'. columns: of a table, in order; () for JSON Lines. schema:
    of Arrow, as bytes, for Parquet. csv_safe: cells that a spreadsheet would run as formulas begin with an apostrophe.
    ascii_only: for a terminal that is not UTF-8.
    """

    kind: str
    packing: str | None = None
    columns: tuple[str, ...] = ()
    schema: bytes = b""
    csv_safe: bool = True
    ascii_only: bool = False

    def encode(self, rows: Iterable[Mapping[str, Any]], *, first: bool = False) -> bytes:
        """One part of the output; parts put one behind another are the whole. first: with the header of a table."""
        if self.kind == "parquet":
            return self._arrow(list(rows))
        if self.kind == "jsonl":
            content = "".join(_line(row, ascii_only=self.ascii_only) for row in rows).encode()
        else:
            content = self._table(rows, first=first)
        return packed(content, self.packing)

    def finish(self, parts: Path, target: Path) -> None:
        """Make a Parquet file of its parts, with flat memory; the other formats are whole as they are."""
        import pyarrow
        import pyarrow.parquet

        schema = pyarrow.ipc.read_schema(pyarrow.py_buffer(self.schema))
        compression = self.packing or "snappy"
        with (
            parts.open("rb") as source,
            target.open("wb") as whole,  # Arrow takes no path that is not UTF-8
            pyarrow.parquet.ParquetWriter(whole, schema, compression=compression) as sink,
        ):
            waiting: list[Any] = []
            while source.peek(1):
                with pyarrow.ipc.open_stream(source) as stream:
                    waiting.append(stream.read_all())
                if sum(len(table) for table in waiting) >= _PARQUET_ROWS:
                    sink.write_table(pyarrow.concat_tables(waiting))
                    waiting = []
            if waiting:
                sink.write_table(pyarrow.concat_tables(waiting))
        with target.open("rb") as written:
            os.fsync(written.fileno())

    def _table(self, rows: Iterable[Mapping[str, Any]], *, first: bool) -> bytes:
        text = io.StringIO()
        # csv quotes what stands in its own line end: with \r\n also a lone \r in a claim, which readers take for one.
        writer = csv.writer(text, delimiter="\t" if self.kind == "tsv" else ",", lineterminator="\r\n")
        lines = []
        for cells in (
            ([list(self.columns)] if first else []),
            ([row.get(name) for name in self.columns] for row in rows),
        ):
            for values in cells:
                writer.writerow([self._cell(value) for value in values])
                lines.append(text.getvalue().removesuffix("\r\n") + "\n")
                text.seek(0)
                text.truncate()
        return _encodable("".join(lines)).encode()

    def _cell(self, value: Any) -> Any:
        cell = _cell(value)
        if self.csv_safe and (text := str(cell)).startswith(_FORMULA) and not _NUMBER.fullmatch(text):
            return f"'{text}"
        return cell

    def _arrow(self, rows: list[Mapping[str, Any]]) -> bytes:
        import pyarrow

        schema = pyarrow.ipc.read_schema(pyarrow.py_buffer(self.schema))
        texts = {name for name, field in zip(self.columns, schema, strict=True) if field.type == pyarrow.string()}
        table = [
            {
                _encodable(name): _encodable(str(_cell(value))) if name in texts and value is not None else value
                for name, value in ((name, row.get(name)) for name in self.columns)
            }
            for row in rows
        ]
        sink = io.BytesIO()
        with pyarrow.ipc.new_stream(sink, schema) as stream:
            stream.write_table(pyarrow.Table.from_pylist(table, schema=schema))
        return sink.getvalue()


def kind_and_packing(name: str) -> tuple[str, str | None]:
    """('jsonl' | 'csv' | 'tsv' | 'parquet', None | 'gzip' | 'zstd') of an output's name; '-' is JSON Lines.

    Parquet is packed inside, and says how before its suffix: claims.zst.parquet. Raises DataError for another name.
    """
    if name == "-":
        return "jsonl", None
    suffixes = [suffix.lower() for suffix in Path(name).suffixes[-2:]]
    last = suffixes[-1] if suffixes else ""
    if last == ".parquet":
        return "parquet", PACKINGS.get(suffixes[0])
    kind, packing = (suffixes[0], PACKINGS[last]) if len(suffixes) == 2 and last in PACKINGS else (last, None)
    kind = {"ndjson": "jsonl"}.get(kind[1:], kind[1:])
    if kind not in KINDS or (packing and kind == "parquet"):
        raise DataError(
            f"{name}: expected an output that ends in .jsonl, .csv, .tsv (each also with .gz or .zst) or .parquet "
            f"(also .gz.parquet, .zst.parquet), found '{last or 'no suffix'}'."
        )
    return kind, packing


def packed(content: bytes, packing: str | None) -> bytes:
    """A member (gzip) or frame (zstd) of an archive, the same for the same content."""
    if packing == "gzip":
        return gzip.compress(content, compresslevel=6, mtime=0)
    if packing == "zstd":
        import pyarrow

        return bytes(pyarrow.compress(content, codec="zstd", asbytes=True))
    return content


def parquet_schema(
    columns: Sequence[str],
    templates: Sequence[str],
    renamed: Callable[[str], str],
    *,
    heads: Sequence[str] = (),
    pictures: bool = False,
) -> bytes:
    """The Arrow schema of an output, as bytes: text, but for the prediction's own and the types of the input's files.

    templates: the input's files, if all of them are Parquet; where two disagree on a column, it is text. renamed: what
    a column of theirs is called in the output. heads: of the model. pictures: whether they are looked up.
    """
    import pyarrow
    import pyarrow.parquet

    types: dict[str, Any] = {}
    for path in templates:
        with Path(path).open("rb") as stream:
            schema = pyarrow.parquet.read_schema(stream)
        for field in schema:
            found = pyarrow.bool_() if field.type == pyarrow.bool8() else field.type  # rows have plain true and false
            same = types.setdefault(renamed(field.name), found) == found
            types[renamed(field.name)] = found if same else pyarrow.string()
    types |= {f"p_{label}{form}": pyarrow.float64() for label in LABELS for form in ("", "_at_prevalence")}
    types |= {"label": pyarrow.string(), "abstained": pyarrow.bool_()}
    if heads:
        types |= {f"p_{head}": pyarrow.float64() for head in heads} | {"manipulation": pyarrow.bool_()}
        types |= dict.fromkeys(("stance", "stance_basis"), pyarrow.string())
    if pictures:
        texts = dict.fromkeys(("pictures", "pictures_unmatched"), pyarrow.string())
        types |= texts | {"manipulation": pyarrow.bool_(), "techniques": pyarrow.list_(pyarrow.string())}
        types.pop("evidence", None)  # it may get a passage more, which a typed column could not hold
    types |= dict.fromkeys(("prediction_set", "reasons"), pyarrow.list_(pyarrow.string()))
    schema = pyarrow.schema([(_encodable(name), types.get(name, pyarrow.string())) for name in columns])
    return bytes(schema.serialize())


def _line(row: Mapping[str, Any], *, ascii_only: bool) -> str:
    # Half characters (lone surrogates) can stand in a column that no model reads; as \uXXXX they stay JSON.
    text = _json(row, ensure_ascii=ascii_only)
    return (text if text.isascii() or _encodes(text) else _json(row, ensure_ascii=True)) + "\n"


def _cell(value: Any) -> Any:
    """A value as one cell of a table: nested ones as JSON."""
    if value is None:
        return ""
    return _json(value, ensure_ascii=False) if isinstance(value, list | tuple | dict | bool) else value


def _json(value: Any, *, ensure_ascii: bool) -> str:
    """JSON text; numbers that JSON does not have (NaN of a Parquet file, 1e999) become null."""
    encoder = _ASCII if ensure_ascii else _UNICODE
    try:
        return encoder.encode(value)
    except ValueError:
        return encoder.encode(_finite(value))


_ASCII = json.JSONEncoder(ensure_ascii=True, default=str, allow_nan=False)  # kept: making one costs more than a row
_UNICODE = json.JSONEncoder(ensure_ascii=False, default=str, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _encodable(text: str) -> str:
    """The text with half characters, which UTF-8 does not have, written out as \\uXXXX."""
    return text if _encodes(text) else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
