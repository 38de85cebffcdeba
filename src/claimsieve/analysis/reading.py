"""What the page is made of: a labelled file, or the folder that `claimsieve article` wrote."""

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from claimsieve.analysis.wording import UNLABELLED
from claimsieve.data.fields import field_mapper
from claimsieve.data.files import Row, format_of, read_rows, record_cells
from claimsieve.errors import DataError
from claimsieve.records import LABELS, RecordError

ARTICLES = "article.json"
LABELLED = "labelled.jsonl"
CLAIMS = "claims.jsonl"
MAX_ARTICLES_BYTES = 100_000_000
MAX_KEPT_CHARACTERS = 200_000_000  # of rows in memory; each may be 16 MB

_NESTED = ("prediction_set", "reasons", "explanation", "pictures", "matches", "span")  # JSON in the cells of a table

_OF_CLAIM = ("id", "claim", "source", "date", "evidence", "media", "lang")


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows of a labelled file. rows: the first ones; labels: label → rows, of all of them; unreadable: beside them.

    files: what was read, so that nothing is written over it. folder: where the pictures' paths begin.
    """

    rows: list[dict[str, Any]]
    labels: Mapping[str, int]
    unreadable: int
    files: tuple[Path, ...]
    folder: Path
    articles: tuple[dict[str, Any], ...] = ()


def is_article_folder(path: Path) -> bool:
    """Whether `claimsieve article` wrote it."""
    return (path / ARTICLES).is_file()


def read_labelled(name: str, *, mapping: Mapping[str, str], limit: int) -> Labelled:
    """The first `limit` rows of a labelled file, and the labels of all. mapping: record field → column, as `--map`.

    Raises DataError when the file cannot be read or no row of it has a label, ConfigError for a bad mapping.
    """
    found = _read(name, mapping=mapping, limit=limit)
    if not found.labels.keys() - {UNLABELLED}:
        raise DataError(
            f"{name}: expected labelled claims, found {found.labels.get(UNLABELLED, 0):,} rows without a label. "
            f"Label them first: claimsieve predict MODEL {name} -o labelled.jsonl --explain"
        )
    return found


def read_article_folder(folder: Path, *, limit: int) -> Labelled:
    """The articles of a folder with their claims, labelled if they are. Raises DataError when it is not whole."""
    articles = _articles(folder / ARTICLES)
    named = [folder / name for name in (LABELLED, CLAIMS) if (folder / name).is_file()]
    if not named:
        raise DataError(
            f"{folder}: expected {LABELLED} or {CLAIMS} beside {ARTICLES}, found neither. "
            f"Run it again: claimsieve article FILE -o {folder}"
        )
    found = _read(str(named[0]), mapping={}, limit=limit)
    return replace(found, articles=articles, files=(*found.files, folder / ARTICLES))


def _read(name: str, *, mapping: Mapping[str, str], limit: int) -> Labelled:
    field_mapper(mapping, place="--map")  # all of it must be right, also what is not used
    # Labels and answers are those of the model now, whatever the claims file called its own.
    rename = field_mapper({field: name for field, name in mapping.items() if field in _OF_CLAIM}, place="--map")
    tabular = format_of(name) != "jsonl"
    labels: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    unreadable = kept = 0
    for row in read_rows(name):
        if not isinstance(row, Row):
            unreadable += 1
            continue
        label = row.fields.get("label")
        labels[label if isinstance(label, str) and label in LABELS else UNLABELLED] += 1
        if len(rows) < limit and kept < MAX_KEPT_CHARACTERS:
            kept += len(repr(row.fields))
            try:
                fields = rename(row.fields)
            except RecordError:
                fields = dict(row.fields)
            rows.append(_decoded(record_cells(fields)) if tabular else fields)
    return Labelled(rows, labels, unreadable, (Path(name),), Path(name).absolute().parent)


def _decoded(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the lists and objects that a table keeps as JSON; a cell that is none stays as it is."""
    for name in _NESTED:
        if isinstance(cell := row.get(name), str):
            with suppress(ValueError, RecursionError):
                row[name] = json.loads(cell)
    return row


def _articles(path: Path) -> tuple[dict[str, Any], ...]:
    try:
        if path.stat().st_size > MAX_ARTICLES_BYTES:
            raise DataError(f"{path}: expected at most {MAX_ARTICLES_BYTES:,} bytes of articles, found more.")
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise DataError(
            f"{path}: expected a JSON list of articles, found something else. Run claimsieve article again."
        )
    return tuple(found)
