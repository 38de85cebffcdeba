"""A source of claims: one file, a directory, or a pattern such as claims/*.jsonl.gz."""

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path

from claimsieve.data.files import SUFFIXES, columns, format_of, is_claims_file, read_rows
from claimsieve.data.rows import Reject, Row
from claimsieve.errors import DataError


def files_of(source: str) -> list[str]:
    """The claims files of a source, sorted by name whatever the locale; '-' and what exists as a file are themselves.

    A directory is read with all below it; a pattern may hold *, ?, [abc], and ** for any directories. Of both, names
    that begin with '.' or '_', `*.rejects.jsonl` and names without a suffix of a claims file are left out, links to
    directories are not followed, and a file with two names counts once.
    Raises DataError when there are none, when a directory cannot be listed, and for what only looks like a claims file
    (x.parquet.gz).
    """
    path = Path(source)
    if source == "-":
        return [source]
    try:
        if path.is_dir():
            found = _matches(path, ("**", "*"))
        elif os.path.lexists(path) or not has_magic(source):
            format_of(source)
            if not path.exists():
                raise DataError(f"{source}: expected a claims file, found none.")
            return [source]
        else:
            fixed = next(number for number, part in enumerate(path.parts) if has_magic(part))
            found = _matches(Path(*path.parts[:fixed]), path.parts[fixed:])
        by_target: dict[str, str] = {}
        for name in sorted(set(found), key=lambda name: Path(name).parts):
            by_target.setdefault(os.path.realpath(name), name)
    except RecursionError:
        raise DataError(f"{source}: expected fewer directories in one another.") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise DataError(f"{source}: cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if not by_target:
        raise DataError(
            f"{source}: expected claims files ({', '.join(SUFFIXES)}; the text ones also with .gz or .zst), found none."
        )
    for name in by_target.values():
        format_of(name)
    return list(by_target.values())


def only_file(source: str) -> str:
    """The file of rows that do not say which is theirs: the source itself or, of a folder, the one in it."""
    return source if is_claims_file(source) and not Path(source).is_dir() else files_of(source)[0]


def read_files(files: Sequence[str]) -> Iterator[Row | Reject]:
    """Rows of the files, one file after another; where there are several, each row says which is its own."""
    for name in files:
        yield from read_rows(name, file=name if len(files) > 1 else "")


def columns_of(files: Sequence[str]) -> list[str]:
    """Names of the columns of all files in the order they first occur; reads JSON Lines through."""
    return list(dict.fromkeys(column for name in files for column in columns(name)))


def _matches(folder: Path, pattern: Sequence[str]) -> Iterator[str]:
    """Files below a folder by their parts; one may come twice. Hidden ones only where the pattern begins like them."""
    first, *rest = pattern
    if first == "**":
        yield from _matches(folder, rest or ["*"])
    for child in folder.iterdir():
        hidden = child.name[0] in "._"
        if first == "**":
            if child.is_dir() and not child.is_symlink() and not hidden:
                yield from _matches(child, pattern)
        elif fnmatchcase(child.name, first) and (not hidden or first[0] in "._"):
            if rest and child.is_dir():
                yield from _matches(child, rest)
            # A link to nothing counts: that its rows are missing is found when it is read.
            elif not rest and is_claims_file(child.name) and (child.is_file() or not child.exists()):
                yield str(child)
