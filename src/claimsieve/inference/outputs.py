"""An output that is written in one go: whole or not at all, with the rows that could not be read beside it."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from claimsieve.data.files import Reject
from claimsieve.errors import DataError
from claimsieve.inference.labelling import reject_line
from claimsieve.inference.sources import rejects_file
from claimsieve.whole_files import growing_file, write_file


@contextmanager
def output(target: str) -> Iterator[BinaryIO]:
    """A stream into the target, which appears when the block has ended without an error; '-' is standard output."""
    if target != "-":
        with growing_file(Path(target)) as stream:
            yield stream
        return
    if sys.stdout is None:
        raise DataError("expected standard output to be open, found it closed.")
    sys.stdout.flush()
    try:
        yield sys.stdout.buffer
        sys.stdout.flush()
    except BrokenPipeError:
        raise  # `| head`, which is no error
    except OSError as error:
        raise DataError(f"standard output: cannot be written: {error.strerror or error}.") from None


def write_rejects(target: str, rejects: Sequence[Reject]) -> str | None:
    """Write them to `<target>.rejects.jsonl` and give its name; without any, an old list is removed.

    For '-' they go to standard error.
    """
    lines = "".join(map(reject_line, rejects))
    if target == "-":
        sys.stderr.write(lines)
        return None
    path = Path(rejects_file(target))
    if rejects:
        write_file(path, lines.encode())
        return str(path)
    with suppress(OSError):
        path.unlink(missing_ok=True)  # it spoke of an earlier output
    return None
