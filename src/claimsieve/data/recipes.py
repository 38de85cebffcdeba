"""A corpus is read by a recipe: a YAML file saying which files, fields, ratings and dates make claims of its rows."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from claimsieve import yaml12
from claimsieve.config import Section, corpora_directory, shipped_directory
from claimsieve.data.fields import apply_rating, check_ratings, field_mapper, iso_date
from claimsieve.data.files import Reject, Row, read_rows
from claimsieve.errors import ConfigError, DataError
from claimsieve.problems import did_you_mean, explain
from claimsieve.records import Claim, RecordError, claim_from_row


class Recipe(Section):
    """What stands in configs/corpora/NAME.yaml."""

    name: str
    title: str
    licence: str
    citation: str
    url: str
    root: Literal["corpora", "package"] = "corpora"
    files: Annotated[tuple[str, ...], Field(min_length=1)]  # patterns below the root
    format: Literal["rows", "json"] = "rows"  # rows: by suffix, as any claims file; json: one list of objects
    explode: str | None = None  # a list field: one claim per item, which the map sees as `item`
    fields: dict[str, str]
    date_formats: tuple[str, ...] = ()
    ratings: dict[str, str | None] = {}
    lang: str | None = "en"
    never_inputs: dict[str, str] = {}  # column → why no model may see it
    shortcuts: str = ""  # what a model can score on this corpus without reading the evidence


def names() -> list[str]:
    """Names of the shipped recipes, in order."""
    return sorted(path.stem for path in (shipped_directory() / "corpora").glob("*.yaml"))


def load(name: str) -> Recipe:
    """A shipped recipe by name, or one of the user's own by path. Raises ConfigError that lists every problem."""
    path = Path(name)
    if not (path.suffix in (".yaml", ".yml") and path.is_file()):
        if name not in names():
            raise ConfigError(
                f"{name}: expected the name of a recipe or a recipe file, found neither."
                f"{did_you_mean(name, names())} Known: {', '.join(names())}."
            )
        path = shipped_directory() / "corpora" / f"{name}.yaml"
    data = yaml12.read(path)
    try:
        recipe = Recipe.model_validate_json(json.dumps(data))
    except ValidationError as error:
        lines = "\n".join(f"  {line}" for line in explain(error, data, Recipe))
        raise ConfigError(f"{path}: not a recipe\n{lines}") from None
    check_ratings(recipe.ratings, place=str(path))
    field_mapper(recipe.fields, place=str(path))
    unsafe = [
        file for file in recipe.files if not Path(file).parts or Path(file).is_absolute() or ".." in Path(file).parts
    ]
    if unsafe:
        raise ConfigError(f"{path}: expected files below the corpora folder, found '{unsafe[0]}'.")
    return recipe


def read(recipe: Recipe) -> Iterator[Claim | Reject]:
    """The claims of a corpus, in the order of its files, each with an id that is unique over all corpora.

    Raises DataError when the corpus is not there, has no rows, or has a rating that the recipe does not know.
    """
    mapper = field_mapper(recipe.fields, place=recipe.name)
    count = 0
    for path in files_of(recipe):
        for row in _rows(path, recipe):
            if isinstance(row, Reject):
                yield row
                continue
            for fields in _exploded(row.fields, recipe):
                count += 1
                try:
                    claim = _claim(mapper(fields), recipe, place=f"{path.name}, row {row.place}", number=count)
                except RecordError as error:
                    yield Reject(row.place, str(error), json.dumps(row.fields, ensure_ascii=False, default=str)[:200])
                    continue
                if claim is not None:
                    yield claim
    if count == 0:
        raise DataError(f"{recipe.name}: expected rows in {', '.join(recipe.files)}, found none.")


def files_of(recipe: Recipe) -> list[Path]:
    """The files of a corpus on this machine. Raises DataError that says where they should be and whence they come."""
    root = Path(__file__).parent if recipe.root == "package" else corpora_directory()
    if root is None:
        raise DataError(
            f"{recipe.name}: expected the environment variable CLAIMSIEVE_CORPORA to name the folder of the public "
            f"corpora, found it unset. Fetch the corpus from {recipe.url} and set it."
        )
    by_pattern = {pattern: sorted(root.glob(pattern)) for pattern in recipe.files}
    missing = [pattern for pattern, paths in by_pattern.items() if not paths]
    if missing:
        raise DataError(
            f"{recipe.name}: expected {', '.join(missing)} in {root}, found nothing there. Fetch it from {recipe.url}."
        )
    return list(dict.fromkeys(path for paths in by_pattern.values() for path in paths))  # each once


def _rows(path: Path, recipe: Recipe) -> Iterator[Row | Reject]:
    if recipe.format == "rows":
        yield from read_rows(str(path))
        return
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: expected a JSON list of objects: {error}.") from None
    if not isinstance(data, list):
        raise DataError(f"{path}: expected a JSON list of objects, found {type(data).__name__}.")
    for number, item in enumerate(data, start=1):
        yield Row(number, item) if isinstance(item, dict) else Reject(number, "expected a JSON object", str(item)[:200])


def _exploded(fields: dict[str, Any], recipe: Recipe) -> Iterator[dict[str, Any]]:
    if recipe.explode is None:
        yield fields
        return
    items = fields.get(recipe.explode)
    if not isinstance(items, list):
        raise DataError(f"{recipe.name}: expected a list in '{recipe.explode}', found {type(items).__name__}.")
    for number, item in enumerate(items):
        yield {**fields, "item": item, "item_number": number}


def _claim(fields: dict[str, Any], recipe: Recipe, *, place: str, number: int) -> Claim | None:
    unread = [field for field in recipe.fields if field in ("claim", "rating") and fields.get(field) is None]
    if unread:
        raise DataError(
            f"{recipe.name}: {place}: expected '{recipe.fields[unread[0]]}' for {unread[0]}, found nothing. "
            "The corpus is not the version that the recipe reads."
        )
    rated = apply_rating(fields, recipe.ratings, place=f"{recipe.name}: {place}")
    if rated is None:
        return None
    if recipe.date_formats:
        rated["date"] = iso_date(rated.get("date"), recipe.date_formats)
    rated.setdefault("lang", recipe.lang)
    claim = claim_from_row(rated)
    return replace(claim, id=f"{recipe.name}:{claim.id or number}", corpus=recipe.name)
