"""A source of claims cut into windows of rows, always at the same places, and the rows of a window as claims."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from claimsieve.data import recipe_reader, recipes
from claimsieve.data.fields import field_mapper
from claimsieve.data.files import Reject, Row, format_of, record_cells
from claimsieve.data.sources import files_of, only_file, read_files
from claimsieve.media.dates import is_date
from claimsieve.records import Claim, InputField, RecordError, claim_from_row, row_of_claim

WINDOW_ROWS = 8_192
WINDOW_CHARACTERS = 16_000_000  # of all columns; keeps the memory flat where rows are books


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive rows of the source. number: from 0."""

    number: int
    rows: tuple[Row | Reject, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A claim with the row it came from, as it stood there. file: as in Row.

    is_date_unreadable: the row has a date that is none, and nobody needed it.
    """

    claim: Claim
    fields: Mapping[str, Any]
    file: str = ""
    is_date_unreadable: bool = False


def windows(source: str, *, skip_parts: int = 0, skip_rows: int = 0) -> Iterator[Window]:
    """The rows of a source, after those that are done already: of files (data/sources.py), or of 'recipe:NAME'.

    Where a window ends hangs on the rows alone, so that one that goes on cuts as one that never stopped.
    """
    rows: list[Row | Reject] = []
    characters, number = 0, skip_parts
    for row in islice(_rows(source), skip_rows, None):
        rows.append(row)
        characters += _characters(row)
        if len(rows) >= WINDOW_ROWS or characters >= WINDOW_CHARACTERS:
            yield Window(number, tuple(rows))
            rows, characters, number = [], 0, number + 1
    if rows:
        yield Window(number, tuple(rows))


def _rows(source: str) -> Iterator[Row | Reject]:
    if not source.startswith("recipe:"):
        yield from read_files(files_of(source))
        return
    for number, claim in enumerate(recipe_reader.read(recipes.load(source.removeprefix("recipe:"))), start=1):
        yield claim if isinstance(claim, Reject) else Row(number, row_of_claim(claim))


def _characters(row: Row | Reject) -> int:
    if isinstance(row, Reject):
        return 0
    return sum(len(value) if isinstance(value, str) else len(repr(value)) for value in row.fields.values())


class ItemReader:
    """Makes claims of rows: the user's map, then what the model sees of the result.

    pictures: read `media` as well, and the date to compare them with where it is one.
    """

    def __init__(
        self, source: str, mapping: Mapping[str, str], inputs: Sequence[InputField], *, pictures: bool = False
    ) -> None:
        self._mapper = field_mapper(mapping, place="--map")
        self._source = source
        self._tables: dict[str, bool] = {}  # file → whether its cells are to be read as values
        self._seen = ("id", "claim", *(field for field in inputs if field != "claim"))
        self._pictures = pictures

    def __call__(self, row: Row | Reject) -> Item | Reject:
        if isinstance(row, Reject):
            return row
        try:
            fields = self._mapper(row.fields)
            if self._tabular(row.file):
                fields = record_cells(fields)
            # What the model does not see is carried along unread, in whatever form: a date in words is no bad row.
            seen = {name: fields.get(name) for name in self._seen}
            if isinstance(number := seen["id"], float) and number.is_integer():  # pandas makes them of ids with gaps
                seen["id"] = int(number)
            if isinstance(fields.get("corpus"), str):
                seen["corpus"] = fields["corpus"]  # some have a temperature of their own
            day = _year_as_text(fields.get("date"))
            is_readable = isinstance(day, str) and is_date(day)
            if self._pictures:
                seen["media"] = fields.get("media")
            if "date" in seen or (self._pictures and is_readable):
                seen["date"] = day
            return Item(self._claim(seen), row.fields, row.file, is_date_unreadable=bool(day) and not is_readable)
        except RecordError as error:
            return Reject(row.place, str(error), json.dumps(row.fields, ensure_ascii=True, default=str)[:200], row.file)

    def _claim(self, seen: dict[str, Any]) -> Claim:
        """If need be without what the model does not see of its passages."""
        try:
            return claim_from_row(seen)
        except RecordError:
            bare = self._bare(seen.get("evidence"))
            if bare == seen.get("evidence"):
                raise
            return claim_from_row(seen | {"evidence": bare})

    def _bare(self, evidence: Any) -> Any:
        if isinstance(evidence, list):
            return [self._bare(passage) for passage in evidence]
        if isinstance(evidence, dict):
            return {name: value for name, value in evidence.items() if name == "text" or name in self._seen}
        return evidence

    def _tabular(self, file: str) -> bool:
        if file not in self._tables:
            of_recipe = self._source.startswith("recipe:")  # with rows as in JSON Lines
            name = "-" if of_recipe else file or only_file(self._source)
            self._tables[file] = format_of(name) != "jsonl"
        return self._tables[file]


def _year_as_text(value: Any) -> Any:
    """A year that JSON, or a table with gaps, gives as a number, as text; anything else as it is."""
    whole = isinstance(value, float) and value.is_integer()
    if (whole or (isinstance(value, int) and not isinstance(value, bool))) and 1000 <= value <= 9999:
        return str(int(value))
    return value
