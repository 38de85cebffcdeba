"""Claims files, read row by row: JSON Lines, CSV, TSV, Parquet. A row that cannot be read becomes a Reject.

Every row of a file comes out once and in order, as a Row or a Reject. A line of JSON that is blank is no row, nor is a
line of a table that is empty; everything else is.
"""

from collections.abc import Iterator
from pathlib import Path

from claimsieve.data.json_lines import read_json_lines
from claimsieve.data.packed import PACKINGS, opened, packing_of, unpacked_name
from claimsieve.data.parquet import parquet_columns, read_parquet
from claimsieve.data.rows import Reject, Row, record_cells
from claimsieve.data.tables import read_header, read_tabbed, read_table
from claimsieve.errors import DataError

__all__ = [
    "SUFFIXES",
    "Reject",
    "Row",
    "columns",
    "format_of",
    "is_claims_file",
    "read_rows",
    "read_tabbed",
    "record_cells",
]

SUFFIXES = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")

_OTHER_PACKINGS = (".bz2", ".xz", ".lz4", ".br", ".sz", ".z", ".zip", ".7z", ".tar")


def format_of(name: str) -> str:
    """'jsonl', 'csv', 'tsv' or 'parquet' by suffix; '-' is JSON Lines; text may be packed (.jsonl.gz, .csv.zst).

    Raises DataError for another suffix.
    """
    if name == "-":
        return "jsonl"
    last = Path(name).suffix.lower()
    suffix = Path(unpacked_name(name)).suffix.lower()
    if suffix == ".parquet" and packing_of(name):
        raise DataError(
            f"{name}: expected Parquet that is packed inside, found {last} around it. Unpack it, or write it with "
            "compression='zstd' and the name ending in .parquet."
        )
    if last in _OTHER_PACKINGS and is_claims_file(name):
        raise DataError(f"{name}: expected a file packed as {', '.join(PACKINGS)}, found '{last}'. Pack it anew.")
    if suffix not in SUFFIXES:
        raise DataError(
            f"{name}: expected a file that ends in {', '.join(SUFFIXES)} (the text ones also with .gz or .zst), found "
            f"'{last or 'no suffix'}'."
        )
    return {"ndjson": "jsonl"}.get(suffix[1:], suffix[1:])


def is_claims_file(name: str) -> bool:
    """Whether a file in a directory is meant: by its suffix, be it packed in a way that `format_of` refuses."""
    path = Path(unpacked_name(name))
    if path.name.endswith(".rejects.jsonl"):
        return False
    if path.suffix.lower() in _OTHER_PACKINGS:
        path = path.with_suffix("")
    return path.suffix.lower() in SUFFIXES


def read_rows(name: str, *, file: str = "") -> Iterator[Row | Reject]:
    """Rows of a claims file in order, with flat memory; '-' reads JSON Lines from standard input.

    file: what each Row and Reject gives as its file. Raises DataError when the file as a whole cannot be read, or not
    to its end; the rows before come first.
    """
    kind = format_of(name)
    if kind == "parquet":
        yield from read_parquet(Path(name), file)
        return
    with opened(name) as stream:
        yield from read_json_lines(stream, name, file) if kind == "jsonl" else read_table(stream, name, kind, file)


def columns(name: str) -> list[str]:
    """Names of the columns in the order they first occur; reads a JSON Lines file through."""
    kind = format_of(name)
    if kind == "parquet":
        return parquet_columns(Path(name))
    if kind != "jsonl":
        with opened(name) as stream:
            return read_header(stream, name, kind)
    found: dict[str, None] = {}
    for row in read_rows(name):
        if isinstance(row, Row):
            found.update(dict.fromkeys(row.fields))
    return list(found)
