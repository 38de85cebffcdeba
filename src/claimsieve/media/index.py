"""A picture index on disk and in memory: fingerprints of known pictures, with what is known of them.

A folder with

    manifest.json                version, threshold, counts, and size and SHA-256 of the two files that hold the rest
    pictures-<sha256>.parquet    one row a picture, with the columns of Known
    hashes-<sha256>.safetensors  hashes, shape (m, 32), and whose they are, shape (m,)

The manifest is replaced last, so that an index is the old one or the new one whenever the writing stops.
"""

import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimsieve import __version__
from claimsieve.errors import ConfigError, DataError
from claimsieve.media.dates import days_of, is_date
from claimsieve.media.facts import DatedBy, is_web_address
from claimsieve.media.fingerprints import DECODING, HASH_BYTES, MIN_QUALITY
from claimsieve.media.lookup import MAX_DISTANCE, HashTable, build_table
from claimsieve.whole_files import write_file

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
KIND = "picture index"
THRESHOLD = 31
UNDATED = 1 << 40
MAX_PICTURES = 20_000_000
_MAX_MANIFEST_BYTES = 100_000
_NAME = re.compile(r"(pictures-[0-9a-f]{16}\.parquet|hashes-[0-9a-f]{16}\.safetensors)")
# What whole_files calls a file that is not yet whole.
_UNFINISHED = re.compile(rf"\.({_NAME.pattern}|{re.escape(MANIFEST)})\.writing")


@dataclass(frozen=True, slots=True)
class Known:
    """One known picture: where its file lay, and where it is known from. negative: it never counts as a match."""

    file: str
    sha256: str
    quality: int
    date: str | None = None
    dated_by: DatedBy | None = None
    place: str | None = None
    page: str | None = None
    title: str | None = None
    negative: bool = False


@dataclass(frozen=True, slots=True)
class PictureIndex:
    """Known pictures that can be looked up.

    pictures: an Arrow table with the columns of Known. hashes: of known pictures and negatives. Shape: (m, 32).
    owners: the row of the picture of each hash. Shape: (m,). table: of the hashes of pictures, and `rows` says which of
    the hashes each of its rows is; negative_table: of the negatives. last_days: the last day that each picture's date
    may mean, as days since 1 January of year 1; UNDATED without a date. Shape: (n,). fingerprint: SHA-256 of the
    manifest, '' before it is written.
    """

    pictures: Any
    hashes: NDArray[np.uint8]
    owners: NDArray[np.int64]
    threshold: int
    table: HashTable
    rows: NDArray[np.int64]
    negative_table: HashTable
    negative_rows: NDArray[np.int64]
    last_days: NDArray[np.int64]
    fingerprint: str = ""

    def __len__(self) -> int:
        return int(self.pictures.num_rows)

    def known(self, row: int) -> Known:
        """The picture in a row of `pictures`."""
        return Known(**self.pictures.slice(row, 1).to_pylist()[0])


def check_threshold(threshold: int, *, option: str = "--threshold") -> None:
    """Raises ConfigError for a distance that says nothing."""
    if not 0 <= threshold <= MAX_DISTANCE:
        raise ConfigError(
            f"{option} {threshold}: expected a distance from 0 to {MAX_DISTANCE} of 256 bits; unrelated pictures are "
            "some 128 apart."
        )


def make_index(
    pictures: Any, hashes: NDArray[np.uint8], owners: NDArray[np.int64], *, threshold: int, fingerprint: str = ""
) -> PictureIndex:
    """An index with its look-up tables."""
    negative = np.asarray(pictures.column("negative").to_numpy(zero_copy_only=False), dtype=bool)
    of_negatives = negative[owners] if len(owners) else np.zeros(0, dtype=bool)
    rows, negative_rows = np.flatnonzero(~of_negatives), np.flatnonzero(of_negatives)
    return PictureIndex(
        pictures,
        hashes,
        owners,
        threshold,
        build_table(hashes[rows]),
        rows,
        build_table(hashes[negative_rows]),
        negative_rows,
        _last_days(pictures.column("date")),
        fingerprint,
    )


def _last_days(dates: Any) -> NDArray[np.int64]:
    """Of a column of dates; many pictures share a day."""
    encoded = dates.combine_chunks().dictionary_encode()
    days = [days_of(text)[1].toordinal() for text in encoded.dictionary.to_pylist()]
    places = encoded.indices.fill_null(len(days)).to_numpy(zero_copy_only=False)
    found: NDArray[np.int64] = np.array([*days, UNDATED], dtype=np.int64)[places]
    return found


def table_of(pictures: Sequence[Known]) -> Any:
    """Known pictures as an Arrow table."""
    import pyarrow

    return pyarrow.Table.from_pylist([asdict(one) for one in pictures], schema=_schema())


def write_index(
    folder: Path, pictures: Any, hashes: NDArray[np.uint8], owners: NDArray[np.int64], *, threshold: int
) -> None:
    """Write an index, or replace the one that is there, whole or not at all. Raises DataError when the disk refuses."""
    import pyarrow.parquet
    from safetensors.numpy import save

    sink = io.BytesIO()
    pyarrow.parquet.write_table(pictures, sink, compression="zstd")
    contents = {"pictures": (sink.getvalue(), "parquet")}
    contents["hashes"] = (save({"hashes": hashes, "owners": owners.astype(np.int64)}), "safetensors")
    listed: dict[str, dict[str, Any]] = {}
    for stem, (content, suffix) in contents.items():
        sha256 = hashlib.sha256(content).hexdigest()
        name = f"{stem}-{sha256[:16]}.{suffix}"
        listed[name] = {"sha256": sha256, "bytes": len(content)}
        write_file(folder / name, content)
    negative = int(np.count_nonzero(pictures.column("negative").to_numpy(zero_copy_only=False)))
    manifest = {
        "format_version": FORMAT_VERSION,
        "kind": KIND,
        "hash": {"name": "PDQ", "bits": 8 * HASH_BYTES, "decoding": DECODING, "min_quality": MIN_QUALITY},
        "threshold": threshold,
        "pictures": pictures.num_rows - negative,
        "negatives": negative,
        "hashes": len(hashes),
        "versions": {"claimsieve": __version__},
        "files": listed,
    }
    write_file(folder / MANIFEST, (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode())
    for path in folder.iterdir():
        if is_part(path) and path.name not in listed:
            with suppress(OSError):
                path.unlink()  # of the index that was here before, or of a stop


def is_part(path: Path) -> bool:
    """Whether it is a file that only `write_index` makes: whole beside the manifest, or left unfinished by a stop."""
    return bool(_NAME.fullmatch(path.name) or _UNFINISHED.fullmatch(path.name)) and path.is_file()


def load_index(folder: Path, *, threshold: int | None = None) -> PictureIndex:
    """Check every byte of an index, then load it. threshold: in place of its own.

    Raises DataError naming the first thing that is wrong, ConfigError for a threshold that says nothing.
    """
    if threshold is not None:
        check_threshold(threshold)
    raw = _manifest_bytes(folder)
    manifest = _manifest(folder, raw)
    contents = {name.split("-")[0]: _checked(folder, name, entry) for name, entry in manifest["files"].items()}
    pictures = _pictures(folder, contents["pictures"])
    hashes, owners = _hashes(folder, contents["hashes"], pictures=pictures.num_rows)
    chosen = manifest["threshold"] if threshold is None else threshold
    return make_index(pictures, hashes, owners, threshold=chosen, fingerprint=hashlib.sha256(raw).hexdigest())


def _manifest_bytes(folder: Path) -> bytes:
    path = folder / MANIFEST
    try:
        with path.open("rb") as stream:
            return stream.read(_MAX_MANIFEST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(
            f"{folder}: expected a picture index with {MANIFEST}, found none. Make one: claimsieve media index DIR -o "
            f"{folder}"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def _manifest(folder: Path, raw: bytes) -> dict[str, Any]:
    """The manifest with what is used of it checked."""
    try:
        data = json.loads(raw)
        if data["kind"] != KIND:
            raise ValueError(f"of a {data['kind']!r:.40}")
        if data["format_version"] > FORMAT_VERSION or data["hash"]["decoding"] > DECODING:
            raise DataError(f"{folder}: was written by a newer claimsieve than {__version__}. Upgrade claimsieve.")
        if data["hash"]["decoding"] < DECODING:
            raise DataError(f"{folder}: pictures got other hashes then. Make it anew from the pictures.")
        files = {str(name): (str(e["sha256"]), int(e["bytes"])) for name, e in data["files"].items()}
        stems = sorted(name.split("-")[0] for name in files)
        if stems != ["hashes", "pictures"] or not all(_NAME.fullmatch(name) for name in files):
            raise ValueError("other files than an index has")
        threshold = data["threshold"]
        if type(threshold) is not int or not 0 <= threshold <= MAX_DISTANCE:
            raise ValueError(f"a threshold of {threshold!r:.40}")
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise DataError(f"{folder / MANIFEST}: not the manifest of a picture index: {error}.") from None
    return {"files": files, "threshold": threshold}


def _checked(folder: Path, name: str, entry: tuple[str, int]) -> bytes:
    """The bytes of a file of the index, read once and compared with the manifest."""
    path, (sha256, size) = folder / name, entry
    try:
        # Read no more than is listed: another file may have taken its place.
        with path.open("rb") as stream:
            content = stream.read(max(0, size) + 1) if path.is_file() else b""
    except FileNotFoundError:
        raise DataError(f"{folder}: expected '{name}', found nothing. Copy the index again, whole.") from None
    except (OSError, MemoryError, OverflowError) as error:
        raise DataError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"{folder}: '{name}' is not what was saved (SHA-256 differs). Copy it again, or make it anew.")
    return content


def _pictures(folder: Path, content: bytes) -> Any:
    """The table of pictures, of the columns and kinds that it must have, with dates and addresses that can be used."""
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content))
        if file.metadata.num_rows > MAX_PICTURES:
            raise ValueError(f"{file.metadata.num_rows:,} pictures; at most {MAX_PICTURES:,} can be read")
        if not file.schema_arrow.equals(_schema()):
            raise ValueError("other columns than an index has")
        table = file.read().combine_chunks()
        dates = table.column("date").unique().to_pylist()
        if not all(value is None or is_date(value) for value in dates):
            raise ValueError("a date that is none")
        pages = table.column("page").unique().to_pylist()
        if not all(value is None or is_web_address(value) for value in pages):
            raise ValueError("a page that is no web address")
    except (pyarrow.ArrowException, ValueError, OSError) as error:
        raise DataError(f"{folder}: its pictures cannot be read: {str(error).splitlines()[0]:.200}.") from None
    return table


def _hashes(folder: Path, content: bytes, *, pictures: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        found: Mapping[str, NDArray[Any]] = load(content)
        hashes, owners = found["hashes"], found["owners"]
        if hashes.dtype != np.uint8 or hashes.ndim != 2 or hashes.shape[1] != HASH_BYTES:
            raise ValueError(f"hashes of shape {hashes.shape}")
        if owners.dtype != np.int64 or owners.shape != (len(hashes),):
            raise ValueError(f"owners of shape {owners.shape}")
        if len(owners) and not 0 <= int(owners.min()) <= int(owners.max()) < pictures:
            raise ValueError("a hash of a picture that is not there")
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise DataError(f"{folder}: its hashes cannot be read: {error}.") from None
    return hashes, owners


def _schema() -> Any:
    import pyarrow

    types = {"quality": pyarrow.int64(), "negative": pyarrow.bool_()}
    return pyarrow.schema([(item.name, types.get(item.name, pyarrow.string())) for item in fields(Known)])
