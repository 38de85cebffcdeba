"""Files opened for reading, plain or packed (.gz, .zst): in pieces, so one that unpacks without end costs time only."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from claimsieve.data.rows import MAX_ROW_BYTES
from claimsieve.errors import DataError

PACKINGS = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}  # suffix → how it is packed

_PIECE_BYTES = 1 << 16
_BEGINNINGS = {
    b"\x1f\x8b": ("a gzip file", "Let its name end in .gz"),
    b"\x28\xb5\x2f\xfd": ("a zstd file", "Let its name end in .zst"),
    b"PAR1": ("a Parquet file", "Let its name end in .parquet"),
    b"PK\x03\x04": ("a zip file or a spreadsheet", "Unpack it, or save it as CSV"),
}


def packing_of(name: str) -> str | None:
    """'gzip' or 'zstd' by the last suffix; None for a file that is not packed."""
    return PACKINGS.get(Path(name).suffix.lower())


def unpacked_name(name: str) -> str:
    """The name without the suffix of its packing."""
    return name[: -len(Path(name).suffix)] if packing_of(name) else name


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """The unpacked bytes of a file; '-' is standard input.

    Archives may have several members one after another. For use in a generator or around plain reading: an OSError of
    the block is taken for one of the file. Raises DataError when the file cannot be read, or not to its end.
    """
    packing = packing_of(name)
    try:
        with _stream(name) as stream:
            if packing == "gzip":
                with gzip.open(stream) as unpacked:
                    yield cast(BinaryIO, unpacked)
            elif packing == "zstd":
                with io.BufferedReader(_Zstd(stream), _PIECE_BYTES) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield stream
    except (OSError, EOFError, zlib.error) as error:
        if packing is None or getattr(error, "errno", None) is not None:
            raise DataError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}.") from None
        raise DataError(f"{name}: expected a whole {packing} file: {error}. Fetch it again.") from None


@contextmanager
def _stream(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        if sys.stdin is None:
            raise DataError("expected claims on standard input, found it closed.")
        try:
            handle = sys.stdin.fileno()
        except OSError:  # a stand-in for it
            yield sys.stdin.buffer
            return
        # A buffer of its own: Python dies of the other one's lock when it ends while a thread waits for input.
        with open(handle, "rb", closefd=False) as stream:
            yield stream
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115  # a ValueError of the block below is not one of opening
    except ValueError as error:  # a name with a null character
        raise DataError(f"{name}: cannot be read: {error}.") from None
    with stream:
        yield stream


class _Zstd(io.RawIOBase):
    """The bytes that a zstd archive unpacks to; what stands before a tear comes before the error."""

    def __init__(self, stream: BinaryIO) -> None:
        import pyarrow

        self._unpacked = pyarrow.CompressedInputStream(pyarrow.PythonFile(stream, mode="r"), "zstd")
        self._error: OSError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._error is not None:
            raise self._error
        # Arrow fills the buffer up to a tear and does not say how far. UTF-8 has no byte 0xff, so the rest shows.
        buffer[:] = b"\xff" * len(buffer)
        try:
            return int(self._unpacked.readinto(buffer))
        except OSError as error:
            self._error = error
            if whole := len(bytes(buffer).rstrip(b"\xff")):
                return whole
            raise


def lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines of a file; of one that is too long the first MAX_ROW_BYTES + 1 bytes, and the rest is passed over."""
    while line := stream.readline(MAX_ROW_BYTES + 1):
        rest = line
        while len(rest) > MAX_ROW_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_ROW_BYTES + 1)
        yield line


def check_text(name: str, line: bytes) -> None:
    """Raises DataError for a file whose first line says that it is no text in UTF-8 at all."""
    if line.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\0" in line:
        raise DataError(f"{name}: expected text in UTF-8, found text in UTF-16. Save it as UTF-8.")
    for mark, (found, step) in _BEGINNINGS.items():
        if line.startswith(mark):
            raise DataError(f"{name}: expected text in UTF-8, found {found}. {step}.")
