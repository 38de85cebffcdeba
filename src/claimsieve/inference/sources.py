"""What a job reads and writes, seen from outside: paths, columns, and what a source was when it was read."""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from claimsieve.data import recipes
from claimsieve.data.corpora import require_columns
from claimsieve.data.fields import field_mapper
from claimsieve.data.files import Row, columns, format_of
from claimsieve.data.sources import columns_of, files_of
from claimsieve.errors import ConfigError, DataError
from claimsieve.inference.formats import Format, kind_and_packing, parquet_schema
from claimsieve.inference.labelling import kept_name
from claimsieve.inference.windows import windows
from claimsieve.models.artifacts import check_outside
from claimsieve.models.checkpoints import sha256_of


def described(source: str, *, quickly: bool = False) -> list[dict[str, Any]]:
    """Name, size and content of every file, so that a change is noticed. quickly: without the content."""
    found = []
    for name in _files(source):
        path = Path(name)
        if path.exists() and not path.is_file():  # what is read to describe it is gone
            raise DataError(f"{name}: expected a file, found a device or pipe; '-' reads standard input.")
        try:
            content = {} if quickly else {"sha256": sha256_of(path)}
            found.append({"file": name, "bytes": path.stat().st_size, **content})
        except OSError as error:
            raise DataError(f"{name}: cannot be read: {error.strerror or error}.") from None
    return found


def moments(source: str) -> list[tuple[int, int, int]]:
    """Of every file what a change leaves behind while it is read: when it was written, which file it is, its size.

    Not for keeping: a copy of the input is the same input. Standard input has none.
    """
    found = []
    for name in _files(source) if source != "-" else ():
        try:
            state = Path(name).stat()
        except OSError as error:
            raise DataError(f"{name}: cannot be read: {error.strerror or error}.") from None
        found.append((state.st_mtime_ns, state.st_ino, state.st_size))
    return found


def recipe_of(source: str) -> dict[str, Any] | None:
    """As JSON what a recipe says, which may be a file of the user's own; None for other sources."""
    if not source.startswith("recipe:"):
        return None
    return recipes.load(source.removeprefix("recipe:")).model_dump(mode="json")


def form_of(
    source: str,
    target: str,
    of_prediction: Sequence[str],
    *,
    csv_safe: bool,
    heads: Sequence[str] = (),
    pictures: bool = False,
    known: Sequence[str] | None = None,
) -> Format:
    """How the target is written.

    of_prediction: columns beside the source's own. heads: of the model. pictures: whether they are looked up. known:
    the columns of the output, if they were found before.

    Raises DataError where a table is asked for whose columns nobody knows before the end.
    """
    kind, packing = kind_and_packing(target)
    ascii_only = target == "-" and (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") != "utf8"
    if kind == "jsonl":
        return Format(kind, packing, csv_safe=csv_safe, ascii_only=ascii_only)
    own = _own_columns(source) if known is None else []
    kept = partial(kept_name, heads=heads, pictures=pictures)
    names = known if known is not None else [*map(kept, own), *of_prediction]
    schema = b""
    if kind == "parquet":
        files = _files(source)
        typed = not source.startswith("recipe:") and all(format_of(name) == "parquet" for name in files)
        schema = parquet_schema(names, files if typed else [], kept, heads=heads, pictures=pictures)
    return Format(kind, packing, columns=tuple(names), schema=schema, csv_safe=csv_safe)


def check_columns(source: str, mapping: Mapping[str, str], *, option: str = "--map") -> None:
    """Raises DataError when a corpus is not there or a table has no column for the claim; ConfigError for a bad map.

    option: that the map was given by.
    """
    if source.startswith("recipe:"):
        if mapping:
            raise ConfigError(f"{option}: {source} has its own field map; {option} goes with a file.")
        _files(source)
        return
    field_mapper(mapping, place=option)
    for name in files_of(source):
        if format_of(name) != "jsonl":
            require_columns(name, columns(name), mapping, option=option)


def check_paths(source: str, target: str) -> None:
    """Fail before the model is used: `check_places`, and the target is one of a form that predictions have."""
    kind_and_packing(target)
    check_places(source, target)


def check_places(source: str, target: str) -> None:
    """Raises DataError unless the source is there, the target can be written, and they are not the same."""
    try:
        if target != "-" and not Path(target).absolute().parent.is_dir():
            raise DataError(f"{target}: expected an existing folder for the output, found none.")
        for name in () if target == "-" else (target, rejects_file(target)):
            if Path(name).exists() and not Path(name).is_file():
                found = "a folder" if Path(name).is_dir() else "a device or pipe; '-' writes to standard output"
                raise DataError(f"{name}: expected a file for the output, found {found}.")
    except OSError as error:  # a name that is too long, a folder that one may not enter
        raise DataError(f"{target}: cannot be written: {error.strerror or error}.") from None
    if target != "-":
        check_outside(Path(target))
    if source.startswith("recipe:") or "-" in (source, target):
        return
    inputs = {Path(name).resolve() for name in files_of(source)}
    if Path(target).resolve() in inputs:
        raise DataError(f"{target}: expected another file for the output than the input.")
    if Path(rejects_file(target)).resolve() in inputs:
        raise DataError(f"{target}: expected another output, found that its rejects file is the input.")
    if Path(source).is_dir() and Path(target).resolve().is_relative_to(Path(source).resolve()):
        raise DataError(f"{target}: expected an output outside {source}, where the next run would take it for input.")


def rejects_file(target: str) -> str:
    return f"{target}.rejects.jsonl"


def _files(source: str) -> list[str]:
    """The files behind any source; none for standard input."""
    if source.startswith("recipe:"):
        return [str(path) for path in recipes.files_of(recipes.load(source.removeprefix("recipe:")))]
    return [name for name in files_of(source) if name != "-"]


def _own_columns(source: str) -> list[str]:
    if source == "-":
        raise DataError("expected JSON Lines as output for standard input, found a table. Use -o FILE.jsonl.")
    if not source.startswith("recipe:"):
        return columns_of(files_of(source))
    rows = (row for window in windows(source) for row in window.rows)
    return list(dict.fromkeys(name for row in rows if isinstance(row, Row) for name in row.fields))
