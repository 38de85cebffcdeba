"""What is wrong with plain data that a schema refused: one line per problem, by the path the user typed."""

import json
from collections.abc import Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError


def explain(error: ValidationError, data: Any, schema: type[BaseModel]) -> list[str]:
    """Every problem that `error` holds on `data` under `schema`, with the nearest known key for an unknown one."""
    # A list whose only item is wrong also counts as empty for pydantic: one problem, not two.
    items = [item for item in error.errors(include_url=False) if item["type"] != "too_short" or not item["input"]]
    # Where a value may be of several types, pydantic has a problem with each of them: the last stands for all.
    return list(dict(_line(dict(item), data, schema) for item in items).values())


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A sentence naming the nearest known word, or nothing."""
    matches = get_close_matches(word, known, n=1, cutoff=0.6)
    return f" Did you mean '{matches[0]}'?" if matches else ""


def _line(error: dict[str, Any], data: Any, schema: type[BaseModel]) -> tuple[str, str]:
    """The path and what is wrong there."""
    path, section = _typed_path(error["loc"], data, schema)
    kind, found = error["type"], error["input"]
    if kind == "extra_forbidden":
        known = sorted(section.model_fields)
        meant = did_you_mean(path.rsplit(".", 1)[-1], known)
        return path, f"{path}: unknown key.{meant} Known here: {', '.join(known)}."
    if kind == "missing":
        return path, f"{path}: missing; a value is required."
    if kind.startswith("union_tag"):
        kinds = error["ctx"].get("expected_tags", "").replace("'", "") or "a known kind"
        kind_found = _short(found.get("kind") if isinstance(found, dict) else found)
        return path, f"{path}.kind: expected one of {kinds}, found {kind_found}."
    if kind == "value_error":
        return path, f"{path}: {error['msg'].removeprefix('Value error, ')}."
    if kind == "too_short":
        return path, f"{path}: expected at least {error['ctx']['min_length']} entry, found none."
    wanted = error["msg"].removeprefix("Input should be ").replace("String should", "a text that should")
    return path, f"{path}: expected {wanted}, found {_short(found)}."


def _typed_path(location: tuple[int | str, ...], data: Any, schema: type[BaseModel]) -> tuple[str, type[BaseModel]]:
    """The path as typed (a union's tag stands in pydantic's path only), and the section of its last key."""
    parts: list[str] = []
    annotation: Any = schema
    here, section = data, schema
    for key in location:
        if parts and isinstance(key, str) and not isinstance(here, dict):
            break  # one of the types that a value may have
        if get_origin(annotation) is dict and not isinstance(key, int):
            parts.append(key)
            here, annotation = here.get(key) if isinstance(here, dict) else None, get_args(annotation)[1]
            section = next(iter(_sections(annotation)), section)
            continue
        sections = _sections(annotation)
        if isinstance(here, dict) and here.get("kind") == key and key not in here:
            annotation = next((s for s in sections if key in get_args(s.model_fields["kind"].annotation)), annotation)
            continue
        parts.append(str(key))
        section = sections[0] if sections else section
        if isinstance(key, int):
            here = here[key] if isinstance(here, list) and key < len(here) else None
            continue  # the element's type is found inside the same annotation
        here = here.get(key) if isinstance(here, dict) else None
        field = section.model_fields.get(key)
        annotation = field.annotation if field else None
    return ".".join(parts) or "the top level", section


def _sections(annotation: Any) -> list[type[BaseModel]]:
    """The sections that an annotation may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, UnionType, tuple, Annotated):
        return [section for argument in get_args(annotation) for section in _sections(argument)]
    return []


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
