"""The rows of a corpus as claims, in the way its recipe says, and what the recipe leaves behind."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from claimsieve.data.fields import (
    apply_rating,
    apply_techniques,
    columns_of,
    field_mapper,
    iso_date,
    rating_name,
)
from claimsieve.data.files import Reject, Row, format_of, read_rows, read_tabbed
from claimsieve.data.recipes import Recipe, files_of
from claimsieve.data.rows import MAX_REJECTED_SHARE, record_cells
from claimsieve.data.story_rows import rows_of_story
from claimsieve.errors import DataError
from claimsieve.records import Claim, InputField, RecordError, claim_from_row


@dataclass(slots=True)
class Survey:
    """What was met on the way: items read, rows left out by the map, and the columns that the rows have."""

    items: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    columns: dict[str, None] = field(default_factory=dict)


def read(
    recipe: Recipe, *, changes: Mapping[str, str | None] = {}, survey: Survey | None = None
) -> Iterator[Claim | Reject]:
    """The claims of a corpus, in the order of its files, each with an id that is unique over all corpora.

    changes: rating → what it becomes in place of what the recipe says. survey: filled while reading.
    Raises DataError when the corpus is not there, has no rows, lacks a column that the recipe reads, or has a rating
    that the recipe does not know.
    """
    survey = survey if survey is not None else Survey()
    mapper = field_mapper(recipe.fields, place=recipe.name)
    # What the map does not name is taken under its own name; a field of models must not come in that way.
    hidden = (recipe.never_inputs.keys() & set(get_args(InputField))) - recipe.fields.keys()
    for path in files_of(recipe):
        tabular = recipe.format == "tabs" or (recipe.format == "rows" and format_of(path.name) != "jsonl")
        for row in _rows(path, recipe):
            if isinstance(row, Reject):
                yield row
                continue
            survey.columns.update(dict.fromkeys(row.fields))
            for fields in _exploded(row.fields, recipe):
                survey.items += 1
                place = f"{path.name}, row {row.place}"
                try:
                    mapped = {key: value for key, value in mapper(fields).items() if key not in hidden}
                    if tabular:  # an empty claim or rating stays one: a bad row, and not a column that is missing
                        mapped = {key: "" for key in ("claim", "rating") if mapped.get(key) == ""} | record_cells(
                            mapped
                        )
                    claim = _claim(mapped, recipe, changes, place=place, number=survey.items)
                except RecordError as error:
                    yield Reject(row.place, str(error), json.dumps(row.fields, ensure_ascii=False, default=str)[:200])
                    continue
                if claim is None:
                    survey.dropped[rating_name(mapped["rating"])] += 1
                else:
                    yield claim
    if survey.items == 0:
        raise DataError(
            f"{recipe.name}: expected rows in {', '.join(recipe.files)}, found none. Fetch it again from {recipe.url}."
        )
    _check_columns(recipe, survey)


def _check_columns(recipe: Recipe, survey: Survey) -> None:
    found = ", ".join(survey.columns)
    for name, columns in _columns(recipe).items():
        # Of several, as in not_null(date, day), a version of the corpus may have one.
        if columns and not any(column in survey.columns for column in columns):
            raise DataError(
                f"{recipe.name}: expected a column '{columns[0]}' for {name}, found {found}. The corpus is not the "
                f"version that the recipe reads: fetch it from {recipe.url}, or mend the recipe."
            )


def _columns(recipe: Recipe) -> dict[str, list[str]]:
    """What each field is read from."""
    read = {field: columns_of(source) for field, source in recipe.fields.items()}
    if recipe.explode is not None:
        read = {
            field: [column for column in columns if column not in ("item", "item_number")]
            for field, columns in read.items()
        } | {"explode": [recipe.explode]}
    return read


def columns_read(recipe: Recipe) -> list[str]:
    """The columns that fields are read from, in order, each once."""
    return list(dict.fromkeys(column for columns in _columns(recipe).values() for column in columns))


def _rows(path: Path, recipe: Recipe) -> Iterator[Row | Reject]:
    if recipe.format == "stories":
        yield from _rows_of_stories(path)
        return
    if recipe.format != "json":
        yield from read_rows(str(path)) if recipe.format == "rows" else read_tabbed(path, recipe.columns)
        return
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: expected a JSON list of objects: {error}.") from None
    if not isinstance(data, list):
        raise DataError(f"{path}: expected a JSON list of objects, found {type(data).__name__}.")
    for number, item in enumerate(data, start=1):
        yield Row(number, item) if isinstance(item, dict) else Reject(number, "expected a JSON object", str(item)[:200])


def _rows_of_stories(path: Path) -> Iterator[Row | Reject]:
    """Raises DataError when too many are none: a good one is a hundred rows, and would hide as many bad ones."""
    stories, rejects = 0, []
    for row in read_rows(str(path)):
        stories += 1
        if isinstance(row, Row):
            try:
                yield from [Row(row.place, fields) for fields in rows_of_story(row.fields)]
                continue
            except RecordError as error:
                row = Reject(row.place, str(error), json.dumps(row.fields, ensure_ascii=False)[:200])
        rejects.append(row)
        yield row
    if len(rejects) > MAX_REJECTED_SHARE * stories:
        raise DataError(
            f"{path}: expected at most {MAX_REJECTED_SHARE:.0%} unreadable stories, found {len(rejects):,} of "
            f"{stories:,}. First: line {rejects[0].place}: {rejects[0].reason}."
        )


def _exploded(fields: dict[str, Any], recipe: Recipe) -> Iterator[dict[str, Any]]:
    if recipe.explode is None:
        yield fields
        return
    items = fields.get(recipe.explode)
    if not isinstance(items, list):
        raise DataError(f"{recipe.name}: expected a list in '{recipe.explode}', found {type(items).__name__}.")
    for number, item in enumerate(items):
        yield {**fields, "item": item, "item_number": number}


def _claim(
    fields: dict[str, Any], recipe: Recipe, changes: Mapping[str, str | None], *, place: str, number: int
) -> Claim | None:
    unread = [field for field in recipe.fields if field in ("claim", "rating") and fields.get(field) is None]
    if unread:
        raise DataError(
            f"{recipe.name}: {place}: expected '{recipe.fields[unread[0]]}' for {unread[0]}, found nothing. "
            "The corpus is not the version that the recipe reads."
        )
    where = f"{recipe.name}: {place}"
    fields = apply_techniques(fields, recipe.techniques, place=where)
    rated = apply_rating(fields, recipe.ratings, place=where, changes=changes)
    if rated is None:
        return None
    if recipe.date_formats:
        rated["date"] = iso_date(rated.get("date"), recipe.date_formats)
    rated["lang"] = rated.get("lang") or recipe.lang
    claim = claim_from_row(rated)
    own = str(claim.id or number).removeprefix(f"{recipe.name}:")
    return replace(claim, id=f"{recipe.name}:{own}", corpus=recipe.name)
