"""A corpus is read by a recipe: a YAML file saying which files, fields, ratings and dates make claims of its rows."""

import json
import re
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, ValidationError

from claimsieve import yaml12
from claimsieve.config import corpora_directory, shipped_directory
from claimsieve.data.fields import check_ratings, field_mapper
from claimsieve.errors import ConfigError, DataError
from claimsieve.problems import did_you_mean, explain
from claimsieve.records import InputField
from claimsieve.settings import Section


class Variant(Section):
    """One of several corpora that a recipe reads in the same way; what it says stands in place of the recipe's own."""

    title: str
    licence: str
    citation: str
    url: str
    shortcuts: str = ""


class Recipe(Section):
    """What stands in configs/corpora/NAME.yaml."""

    name: str
    title: str
    licence: str
    citation: str
    url: str
    root: Literal["corpora", "package"] = "corpora"
    files: Annotated[tuple[str, ...], Field(min_length=1)]  # patterns below the root; {name} is the variant's
    # rows: by suffix, as any claims file; json: one list of objects; tabs: cells between tabs, no header, no quotes;
    # stories: one invented story a line, with claims and passages, which becomes many rows (story_rows.py)
    format: Literal["rows", "json", "tabs", "stories"] = "rows"
    columns: tuple[str, ...] = ()  # names for the cells of `tabs`
    variants: dict[str, Variant] = {}  # read as `recipe: NAME:VARIANT`
    explode: str | None = None  # a list field: one claim per item, which the map sees as `item`
    fields: dict[str, str]
    date_formats: tuple[str, ...] = ()
    ratings: dict[str, str | None] = {}
    other_maps: dict[str, dict[str, str | None]] = {}  # what else one might do with some ratings, for compare-maps
    techniques: dict[str, str | None] = {}  # the corpus's own names of manipulation techniques → ours
    lang: str | None = "en"
    never_inputs: dict[str, str] = {}  # column → why no model may see it
    shortcuts: str = ""  # what a model can score on this corpus without reading the evidence


def names() -> list[str]:
    """Names of the shipped recipes, in order; one with variants stands under each of them, as NAME:VARIANT."""
    found = sorted(path.stem for path in (shipped_directory() / "corpora").glob("*.yaml"))
    variants = {name: list(_parsed(_shipped(name)).variants) for name in found}
    return [full for name in found for full in ([f"{name}:{v}" for v in variants[name]] or [name])]


def load(name: str) -> Recipe:
    """A shipped recipe by name, or one of the user's own by path; NAME:VARIANT where it reads several corpora.

    Raises ConfigError that lists every problem.
    """
    # A path may have a colon of its own.
    base, _, variant = (name, "", "") if _is_recipe_file(name) else name.partition(":")
    path = Path(base)
    if not _is_recipe_file(base):
        path = _shipped(base)
        if not re.fullmatch(r"\w{1,100}", base) or not path.is_file():
            raise ConfigError(
                f"{name}: expected the name of a recipe or a recipe file, found neither."
                f"{did_you_mean(name, names())} Known: {', '.join(names())}."
            )
    recipe = _parsed(path)
    if variant or recipe.variants:
        recipe = _varied(recipe, variant, base)
    check_ratings(recipe.ratings, place=str(path))
    for other, table in recipe.other_maps.items():
        check_ratings(table, place=str(path))
        unknown = [rating for rating in table if rating not in recipe.ratings]
        if unknown:
            raise ConfigError(
                f"{path}: other_maps.{other}: expected ratings that the recipe maps, found '{unknown[0]}'."
                f"{did_you_mean(unknown[0], list(recipe.ratings))}"
            )
    field_mapper(recipe.fields, place=str(path))
    _check_inputs(recipe, place=str(path))
    unsafe = [
        file for file in recipe.files if not Path(file).parts or Path(file).is_absolute() or ".." in Path(file).parts
    ]
    if unsafe:
        raise ConfigError(f"{path}: expected files below the corpora folder, found '{unsafe[0]}'.")
    broken = [file for file in recipe.files if any("**" in part and part != "**" for part in Path(file).parts)]
    if broken:
        raise ConfigError(f"{path}: expected ** in place of whole folders only, found '{broken[0]}'.")
    return recipe


def _is_recipe_file(name: str) -> bool:
    with suppress(OSError):  # a name that is too long for a file
        return Path(name).suffix in (".yaml", ".yml") and Path(name).is_file()
    return False


def _shipped(name: str) -> Path:
    return shipped_directory() / "corpora" / f"{name}.yaml"


def _parsed(path: Path) -> Recipe:
    return _recipe_of(yaml12.text_of(path), path)


@lru_cache(maxsize=64)  # a mixture asks for one recipe of many corpora again and again
def _recipe_of(text: str, path: Path) -> Recipe:
    data = yaml12.mapping(text, place=str(path))
    try:
        return Recipe.model_validate_json(json.dumps(data))
    except ValidationError as error:
        lines = "\n".join(f"  {line}" for line in explain(error, data, Recipe))
        raise ConfigError(f"{path}: not a recipe\n{lines}") from None


def _varied(recipe: Recipe, variant: str, base: str) -> Recipe:
    """The recipe of one variant. Raises ConfigError when there is none of that name."""
    if variant not in recipe.variants or not re.fullmatch(r"\w+", variant):
        known = ", ".join(f"{base}:{name}" for name in recipe.variants) or f"{base} (it has no variants)"
        raise ConfigError(
            f"{base}: expected the name of one of its corpora after ':', found '{variant}'."
            f"{did_you_mean(variant, list(recipe.variants))} Known: {known}."
        )
    own = recipe.variants[variant].model_dump()
    own["shortcuts"] = " ".join(text.strip() for text in (own["shortcuts"], recipe.shortcuts) if text)
    files = tuple(file.replace("{name}", variant) for file in recipe.files)
    return recipe.model_copy(update={**own, "name": variant, "files": files, "variants": {}})


def _check_inputs(recipe: Recipe, *, place: str) -> None:
    """Raises ConfigError when a field that models can see is read from a column that they may not."""
    for field in get_args(InputField):
        for column in recipe.never_inputs:
            name = column.rpartition(".")[2]
            if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", recipe.fields.get(field, "")):
                raise ConfigError(
                    f"{place}: expected no field of models to be read from '{column}' ({recipe.never_inputs[column]}), "
                    f"found it in '{field}': {recipe.fields[field]}"
                )


def files_of(recipe: Recipe) -> list[Path]:
    """The files of a corpus on this machine. Raises DataError that says where they should be and whence they come."""
    root = Path(__file__).parent if recipe.root == "package" else corpora_directory()
    if root is None:
        raise DataError(
            f"{recipe.name}: expected the environment variable CLAIMSIEVE_CORPORA to name the folder of the public "
            f"corpora, with {', '.join(recipe.files)} in it, found it unset. Fetch the corpus from {recipe.url} "
            "and set it."
        )
    by_pattern = {pattern: sorted(root.glob(pattern)) for pattern in recipe.files}
    missing = [pattern for pattern, paths in by_pattern.items() if not paths]
    if missing:
        raise DataError(
            f"{recipe.name}: expected {', '.join(missing)} in {root}, found nothing there. Fetch it from {recipe.url}."
        )
    return list(dict.fromkeys(path for paths in by_pattern.values() for path in paths))  # each once
