"""Small files that appear whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from claimsieve.errors import DataError


def write_file(path: Path, content: bytes) -> None:
    """A whole file or none: the old one stands until the new one is on disk. Raises DataError when the disk refuses."""
    temporary = path.with_name(f".{path.name}.writing")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}.") from None
    finally:
        with suppress(OSError):
            temporary.unlink()
