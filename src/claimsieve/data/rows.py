"""What a claims file yields: a Row, or a Reject for what could not be read; and how JSON and cells become values."""

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

MAX_REJECTED_SHARE = 0.05  # of a corpus
MAX_ROW_BYTES = 16_000_000  # of a line of JSON; characters of a row of a table
MAX_NESTING = 100  # well below Python's own limit, so that whatever was read can also be walked and written

_NESTED_COLUMNS = ("evidence", "media", "manipulation")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file. place: line (text formats) or row number (Parquet), counted from 1.

    file: its name, where a source has several files.
    """

    place: int
    fields: dict[str, Any]
    file: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be used: where it stands, why, and how it begins. file: as in Row."""

    place: int
    reason: str
    excerpt: str = ""
    file: str = ""


def json_object(text: str) -> dict[str, Any]:
    """One JSON object. Raises ValueError with the reason.

    NaN and Infinity are not JSON; a key that stands twice would lose a value.
    """
    try:
        value = _STRICT_JSON.decode(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}") from None
    except _NotJsonError:
        raise
    except ValueError:  # Python's limit on the digits of an integer, in words about Python
        raise ValueError("a whole number has too many digits") from None
    if not isinstance(value, dict):
        raise ValueError("expected a JSON object")
    if text.count("[") + text.count("{") > MAX_NESTING and _deeper(value, MAX_NESTING - 1):  # counting is quick
        raise ValueError(_TOO_DEEP)
    return value


class _NotJsonError(ValueError):
    pass


def _constant(name: str) -> Any:
    raise _NotJsonError(f"not JSON: {name}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        ((doubled, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise _NotJsonError(f"a key stands twice in one object: {doubled!r:.80}")
    return value


_TOO_DEEP = f"nested too deeply: more than {MAX_NESTING} levels"
# Kept: making one takes as long as reading a short line.
_STRICT_JSON = json.JSONDecoder(parse_constant=_constant, object_pairs_hook=_object)


def _deeper(value: dict[str, Any] | list[Any], levels: int) -> bool:
    """Whether there are more levels within an object or a list."""
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, (dict, list)) and (levels == 0 or _deeper(item, levels - 1)):
            return True
    return False


def record_cells(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Cells of a table as values of a record: an empty cell is nothing, JSON in a nested column is read."""
    result: dict[str, Any] = {}
    for key, value in fields.items():
        if not isinstance(value, str):
            result[key] = _plain_dates(value)
        elif value:
            nested = key in _NESTED_COLUMNS and value.lstrip()[:1] in ("[", "{")
            result[key] = _nested(value) if nested else value
    return result


def _nested(cell: str) -> Any:
    """The JSON of a cell, or the cell: a passage may begin with a bracket."""
    with suppress(ValueError, RecursionError):
        value = json.loads(cell)
        return cell if _deeper(value, MAX_NESTING - 1) else value
    return cell


def _plain_dates(value: Any) -> Any:
    """Dates as Parquet types them become YYYY-MM-DD, also inside a passage."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()[:10]
    if isinstance(value, list):
        return [_plain_dates(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain_dates(item) for key, item in value.items()}
    return value
