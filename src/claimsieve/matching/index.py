"""Vectors of checked claims kept in a folder, so that a large collection is read by the encoder once.

    FOLDER/
    ├── index.json                    what it is: version, encoder, precision, number, and the SHA-256 of the other file
    └── vectors-<SHA-256>.safetensors keys (hashes of texts), vectors, and what of a text the encoder could not read

Vectors go by the text they are of. A collection that grew needs its new texts read only.
"""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimsieve.errors import DataError
from claimsieve.matching.encoder import Embedded, Encoder, embed
from claimsieve.whole_files import check_folder, write_file

VERSION = 1
INDEX = "index.json"
_MAX_INDEX_BYTES = 100_000
_MAX_VECTORS_BYTES = 8_000_000_000
_KEY_BYTES = 16
_PARTS = {"vectors": np.float16, "cut": np.bool_, "unread": np.float32}


@dataclass(frozen=True, slots=True)
class Kept:
    """keys: hashes of texts; shape (n, 16), bytes. embedded: of the same texts."""

    keys: NDArray[np.uint8]
    embedded: Embedded


def embedded_with(folder: Path | None, encoder: Encoder, texts: Sequence[str]) -> tuple[Embedded, int]:
    """What `embed` gives, from the folder as far as it is there, and how many texts had to be computed.

    texts: each once. What was new is added to the folder. Raises DataError when the folder is of another encoder or
    version, or damaged.
    """
    if folder is None:
        return embed(encoder, texts), len(texts)
    kept = _read(folder, encoder)
    keys = [blake2b(text.encode(), digest_size=_KEY_BYTES).digest() for text in texts]
    place_of = {key.tobytes(): place for place, key in enumerate(kept.keys)}
    new = [row for row, key in enumerate(keys) if key not in place_of]
    if not new:
        return _taken(kept.embedded, [place_of[key] for key in keys]), 0
    added = Kept(
        np.frombuffer(b"".join(keys[row] for row in new), dtype=np.uint8).reshape(len(new), _KEY_BYTES),
        embed(encoder, [texts[row] for row in new]),
    )
    place_of |= {keys[row]: len(kept.keys) + number for number, row in enumerate(new)}
    whole = Kept(np.concatenate([kept.keys, added.keys]), _joined(kept.embedded, added.embedded))
    _write(folder, encoder, whole)
    return _taken(whole.embedded, [place_of[key] for key in keys]), len(new)


def _taken(embedded: Embedded, places: Sequence[int]) -> Embedded:
    chosen = np.array(places, dtype=np.int64)
    return Embedded(**{name: getattr(embedded, name)[chosen] for name in _PARTS})


def _joined(first: Embedded, second: Embedded) -> Embedded:
    return Embedded(**{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in _PARTS})


def _identity(encoder: Encoder) -> dict[str, Any]:
    return {
        "version": VERSION,
        "encoder": encoder.fingerprint,
        "precision": encoder.precision,
        "dimensions": encoder.dimensions,
    }


def _write(folder: Path, encoder: Encoder, kept: Kept) -> None:
    """The vectors first, under the name of their content; then index.json, which makes them count."""
    from safetensors.numpy import save

    content = save({"keys": kept.keys, **{name: getattr(kept.embedded, name) for name in _PARTS}})
    digest = sha256(content).hexdigest()
    write_file(folder / _name(digest), content)
    told = _identity(encoder) | {"texts": len(kept.keys), "sha256": digest}
    write_file(folder / INDEX, (json.dumps(told, indent=1) + "\n").encode())
    for old in folder.glob("vectors-*.safetensors"):
        if old.name != _name(digest):
            with suppress(OSError):
                old.unlink()


# What a stop between the vectors and index.json leaves behind.
_LEFT_OVER = re.compile(r"vectors-[0-9a-f]{16}\.safetensors|\.(vectors-[0-9a-f]{16}\.safetensors|index\.json)\.writing")


def _name(digest: str) -> str:
    return f"vectors-{digest[:16]}.safetensors"


def check_place(folder: Path) -> None:
    """Raises DataError when there is neither an index nor a place for one."""
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder}: expected a folder for the index, found a file. Name another for it.")
    if (folder / INDEX).is_file():
        return  # one that needs nothing new may lie where nothing can be written
    if folder.is_dir() and not all(_LEFT_OVER.fullmatch(path.name) for path in folder.iterdir()):
        raise DataError(f"{folder}: expected an index or an empty folder, found other files. Name another folder.")
    check_folder(folder)


def _read(folder: Path, encoder: Encoder) -> Kept:
    """What the folder holds; nothing for one that is new or empty. Raises DataError."""
    path = folder / INDEX
    check_place(folder)
    if not path.is_file():
        empty = np.zeros((0, encoder.dimensions), dtype=np.float16)
        none = Embedded(empty, np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.float32))
        return Kept(np.zeros((0, _KEY_BYTES), dtype=np.uint8), none)
    told = _told(path)
    for name, ours in _identity(encoder).items():
        if told.get(name) != ours:
            raise DataError(
                f"{path}: expected an index with {name} {ours!s:.16}, found {told.get(name)!s:.16}. "
                "Remove the folder, or name another for the index."
            )
    return _vectors(folder, told, encoder)


def _told(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_INDEX_BYTES:
            raise ValueError("too large")
        told = json.loads(path.read_bytes())
        if not isinstance(told, dict):
            raise ValueError("no JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read: {error}. Remove the folder; it is made anew.") from None
    return told


def _vectors(folder: Path, told: dict[str, Any], encoder: Encoder) -> Kept:
    """Raises DataError when the file is not what index.json says, or not what it should be."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    digest, count = told.get("sha256"), told.get("texts")
    path = folder / _name(digest if isinstance(digest, str) and digest.isalnum() else "none")
    try:
        if path.stat().st_size > _MAX_VECTORS_BYTES:
            raise ValueError("too large")
        content = path.read_bytes()
        if sha256(content).hexdigest() != digest:
            raise ValueError("its SHA-256 is not that of index.json")
        found = load(content)
        shapes = {"keys": (count, _KEY_BYTES), "vectors": (count, encoder.dimensions), "cut": (count,)}
        shapes["unread"] = (count,)
        types = {"keys": np.uint8, **_PARTS}
        for name, shape in shapes.items():
            if name not in found or found[name].shape != shape or found[name].dtype != types[name]:
                raise ValueError(f"'{name}' is missing or of another shape")
        if not np.isfinite(found["vectors"]).all():
            raise ValueError("a vector is not finite")
    except (OSError, ValueError, SafetensorError) as error:
        raise DataError(f"{path}: cannot be used: {error}. Remove {folder}; it is made anew.") from None
    return Kept(found["keys"], Embedded(found["vectors"], found["cut"], found["unread"]))
