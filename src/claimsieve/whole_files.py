"""Files that appear whole or not at all."""

import os
import secrets
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

    Raises DataError when the disk refuses; what the block reads must raise errors of its own.
    """
    # A name that nobody can know, and a file that was not there: what lies there may be a link to something else.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.writing")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}.") from None
    finally:
        with suppress(OSError):
            temporary.unlink()
