"""The files of known pictures, where they still lie as they did when the index was made."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from claimsieve.media.index import PictureIndex

MAX_FILES = 200
MAX_FILE_BYTES = 64_000_000


def known_files(index: PictureIndex, names: Iterable[str], *, folders: Sequence[Path]) -> dict[str, Path]:
    """Name → file of known pictures, of the first MAX_FILES names.

    names: as the index has them. folders: that they are taken from, in turn. A file counts only with the bytes that
    were fingerprinted: whoever made the index had them, so that an index that names private files leads to none.
    """
    import pyarrow
    import pyarrow.compute

    wanted = list(dict.fromkeys(names))[:MAX_FILES]
    chosen = index.pictures.filter(
        pyarrow.compute.is_in(index.pictures.column("file"), pyarrow.array(wanted, "string"))
    )
    hashes: dict[str, set[str]] = {}
    for name, sha256 in zip(chosen.column("file").to_pylist(), chosen.column("sha256").to_pylist(), strict=True):
        hashes.setdefault(name, set()).add(sha256)
    found: dict[str, Path] = {}
    for name in hashes:
        for folder in folders:
            path = _whole(folder, name)
            if path is not None and _sha256(path) in hashes[name]:
                found[name] = path
                break
    return found


def _whole(folder: Path, name: str) -> Path | None:
    try:
        path = (folder / name).resolve()
        return path if path.is_file() and path.stat().st_size <= MAX_FILE_BYTES else None
    except (OSError, ValueError, RuntimeError):  # a name that no disk can have, links in a circle
        return None


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
