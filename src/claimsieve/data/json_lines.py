"""JSON Lines: one object a line. Only a line feed ends a line, and a blank line is no row."""

from collections.abc import Iterator
from typing import BinaryIO

from claimsieve.data.packed import check_text, lines
from claimsieve.data.rows import MAX_ROW_BYTES, Reject, Row, json_object

_MARK = b"\xef\xbb\xbf"


def read_json_lines(stream: BinaryIO, name: str, file: str = "") -> Iterator[Row | Reject]:
    """Every line that is not blank, as a Row or a Reject. Raises DataError when the file is no text in UTF-8."""
    for number, line in enumerate(lines(stream), start=1):
        if number == 1:
            check_text(name, line)
        line = line.removeprefix(_MARK)  # also within, where files with a mark were put one after another
        if len(line) > MAX_ROW_BYTES:
            yield Reject(number, f"the line is longer than {MAX_ROW_BYTES:,} bytes", _excerpt(line), file)
            continue
        if line.isspace() or not line:
            continue
        try:
            yield Row(number, json_object(line.decode("utf-8")), file)
        except UnicodeDecodeError as error:
            reason = f"not UTF-8: byte {error.object[error.start]:#04x} at {error.start + 1}"
            yield Reject(number, reason, _excerpt(line), file)
        except ValueError as error:
            yield Reject(number, str(error), _excerpt(line), file)


def _excerpt(line: bytes) -> str:
    return line[:200].decode("utf-8", "replace").rstrip()
