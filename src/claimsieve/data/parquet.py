"""Parquet, whichever codec packs it inside."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from claimsieve.data.rows import Reject, Row
from claimsieve.data.tables import check_names
from claimsieve.errors import DataError

# Small: a text of megabytes that many rows share stands once in the file, and once a row in memory.
_BATCH_ROWS = 128


def read_parquet(path: Path, file: str = "") -> Iterator[Row | Reject]:
    """Rows with the types of the file. Raises DataError when it is no Parquet, is damaged, or names a column twice."""
    import pyarrow

    number = 0
    with _opened(path) as stored:
        try:
            for batch in stored.iter_batches(batch_size=_BATCH_ROWS):
                for fields in _batch_rows(batch):
                    number += 1
                    yield Reject(number, fields, file=file) if isinstance(fields, str) else Row(number, fields, file)
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(f"{path}: damaged after row {number}: {str(error).splitlines()[0]}") from None
    if number != stored.metadata.num_rows:
        raise DataError(f"{path}: damaged: expected {stored.metadata.num_rows:,} rows, found {number:,}.")


def parquet_columns(path: Path) -> list[str]:
    """Names of the columns. Raises DataError as `read_parquet` does."""
    with _opened(path) as stored:
        return [str(name) for name in stored.schema_arrow.names]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import pyarrow
    import pyarrow.parquet

    with ExitStack() as stack:
        try:
            stream = stack.enter_context(path.open("rb"))  # Arrow takes no path that is not UTF-8
            stored = stack.enter_context(pyarrow.parquet.ParquetFile(stream))
            check_names(str(path), stored.schema_arrow.names)
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror or error}.") from None
        except (pyarrow.ArrowException, ValueError) as error:  # ValueError: a name with a null, or a column's
            reason = str(error).splitlines()[0]
            raise DataError(f"{path}: expected a Parquet file: {reason}") from None
        yield stored


def _batch_rows(batch: Any) -> Iterator[dict[str, Any] | str]:
    """The rows of a batch; a row with bytes that are not UTF-8, or dates out of range, as the reason."""
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError, LookupError):  # LookupError: of pytz, a time zone that nobody knows
        for position in range(batch.num_rows):
            try:
                yield from batch.slice(position, 1).to_pylist()
            except UnicodeDecodeError as error:
                yield f"not UTF-8: byte {error.object[error.start]:#04x} at {error.start + 1}"
            except (ValueError, OverflowError, LookupError) as error:
                yield f"a value that cannot be read: {error}"
