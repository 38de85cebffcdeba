"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from claimsieve.errors import DataError


def write_file(path: Path, content: bytes) -> None:
    """A whole file or none: the old one stands until the new one is on disk. Raises DataError when the disk refuses."""
    with growing_file(path) as stream:
        stream.write(content)


def check_folder(folder: Path) -> None:
    """Raises DataError when no file could be written into a folder, there or not yet. Leaves nothing behind."""
    try:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise DataError(f"{folder}: cannot be written into: {error.strerror or error}.") from None


@contextmanager
def growing_file(path: Path) -> Iterator[BinaryIO]:
    """A stream into a file that takes its place when the block has ended without an error.

    Raises DataError when the disk refuses, and when another process has begun to write the same file; what the block
    reads must raise errors of its own.
    """
    temporary = path.with_name(f".{path.name}.writing")
    own: int | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)  # what a stop left, or a link that leads to something else
        with temporary.open("xb") as stream:
            own = os.fstat(stream.fileno()).st_ino
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if temporary.lstat().st_ino != own:
            raise DataError(f"{path}: cannot be written: another process writes it at the same time.")
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}.") from None
    finally:
        with suppress(OSError):
            if temporary.lstat().st_ino == own:
                temporary.unlink()
