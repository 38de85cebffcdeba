"""From a row as its owner shaped it to the keys of our record: one field map for recipes, files and hub datasets."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature

from claimsieve.errors import ConfigError, DataError
from claimsieve.problems import did_you_mean
from claimsieve.records import LABELS, STANCES, Claim, RecordError, label_of

Row = Mapping[str, Any]

RECORD_FIELDS = tuple(field.name for field in fields(Claim))


class _Functions(Functions):  # type: ignore[misc]  # the library's own way of adding a function; it has no types
    """JMESPath with one word more: before('12-3', '-') is '12'."""

    @signature({"types": ["string"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_before(self, text: str, mark: str) -> str:
        return text.partition(mark)[0]


_CHAINS = (
    "subexpression",
    "index_expression",
    "projection",
    "filter_projection",
    "flatten",
    "value_projection",
    "pipe",
)
_NO_EXPRESSION = (JMESPathError, RecursionError, ValueError)  # ValueError: more digits than Python reads
_OPTIONS = jmespath.Options(custom_functions=_Functions())


def field_mapper(mapping: Mapping[str, str], *, place: str) -> Callable[[Row], dict[str, Any]]:
    """A function that renames a row's fields to the record's.

    mapping: record field → the row's own column, or a JMESPath expression into a nested row. Record fields that the
    mapping does not name are taken under their own name, so `{}` leaves a row as it is.
    Raises ConfigError when a key is no record field. A source that is no JMESPath is taken as the name of a column.
    """
    picks: list[tuple[str, str, Any]] = []
    for field, source in mapping.items():
        if field not in RECORD_FIELDS:
            known = ", ".join(RECORD_FIELDS)
            raise ConfigError(
                f"{place}: expected a map from fields of the record, found '{field}'."
                f"{did_you_mean(field, RECORD_FIELDS)} Known: {known}."
            )
        try:
            expression = jmespath.compile(source)
        except _NO_EXPRESSION:
            expression = None  # a plain column name with spaces or signs is no JMESPath, and need not be
        picks.append((field, source, expression))

    def renamed(row: Row) -> dict[str, Any]:
        result = {key: value for key, value in row.items() if key not in mapping}
        for field, source, expression in picks:
            if source in row:
                result[field] = row[source]
            elif expression is not None:
                try:
                    result[field] = expression.search(row, options=_OPTIONS)
                except (JMESPathError, ArithmeticError, ValueError) as error:  # ceil of what is infinite or no number
                    raise RecordError(f"'{field}' cannot be read with {source}: {error}") from None
        return result

    return renamed


def columns_of(source: str) -> list[str]:
    """The columns of a row that a field's source reads: of `not_null(date, day)` both, of a literal none."""
    try:
        tree = jmespath.compile(source).parsed
    except _NO_EXPRESSION:
        return [source]  # a plain column name, with spaces or signs
    return list(dict.fromkeys(_heads(tree)))


def _heads(node: dict[str, Any]) -> Iterator[str]:
    if node["type"] == "field":
        yield node["value"]
    # What follows a dot, a bracket or a pipe is read from what stands before it, not from the row.
    chained = node["type"] in _CHAINS
    for child in node["children"][:1] if chained else node["children"]:
        if isinstance(child, dict):
            yield from _heads(child)


def apply_rating(
    row: dict[str, Any], ratings: Mapping[str, str | None], *, place: str, changes: Mapping[str, str | None] = {}
) -> dict[str, Any] | None:
    """Turn the corpus's own rating into stance or label by its table; None when the table leaves the rating out.

    changes: what a run maps otherwise. A change to a label keeps the stance that the table gives, beside it.
    Raises DataError when the table does not know the rating: a corpus that changed must not change labels in silence.
    """
    if not ratings:
        return row
    rating = row.get("rating")
    if rating is None:
        raise RecordError("no rating (which column holds it? map: {rating: COLUMN})")
    rating = rating_name(rating)
    if rating not in ratings:
        known = ", ".join(ratings)
        raise DataError(
            f"{place}: expected a rating that the map knows ({known}), found {rating!r:.60}. "
            "Add it to the ratings with a stance, a label, or null to leave such rows out."
        )
    usual = ratings[rating]
    target = changes.get(rating, usual)
    if target is None:
        return None
    row = {**row, "rating": rating}
    for value in (usual, target):
        if value in STANCES:
            row["stance"] = value
            row["label"] = label_of(value, bool(row.get("manipulation")))
        elif value is not None:
            row["label"] = value
    return row


def rating_name(value: Any) -> str:
    """A rating as the map spells it: a JSON true or false is 'true' or 'false'."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def apply_techniques(row: dict[str, Any], techniques: Mapping[str, str | None], *, place: str) -> dict[str, Any]:
    """Turn the corpus's own names of manipulation techniques into ours; one that is mapped to null is left out.

    Raises DataError when the table does not know a name.
    """
    found = row.get("manipulation")
    if not techniques or found is None:
        return row
    found = found if isinstance(found, list) else [found]
    if not all(isinstance(name, str) for name in found):
        raise RecordError(f"expected names of techniques, found {found!r:.60}")
    unknown = [name for name in found if name not in techniques]
    if unknown:
        raise DataError(
            f"{place}: expected a technique that the recipe knows ({', '.join(techniques)}), found {unknown[0]!r:.60}. "
            "Add it to the recipe's techniques, or map it to null to leave it out."
        )
    names = (techniques[name] for name in found)
    return {**row, "manipulation": list(dict.fromkeys(name for name in names if name is not None))}


def check_changes(
    changes: Mapping[str, Mapping[str, str | None]], ratings: Mapping[str, Mapping[str, str | None]]
) -> None:
    """Raises ConfigError when a run changes the map of a corpus that it does not have, or of a rating without one.

    changes, ratings: corpus → rating → stance, label or null.
    """
    for corpus, table in changes.items():
        place = f"data.maps.{corpus}"
        if corpus not in ratings:
            raise ConfigError(
                f"{place}: expected a corpus of this run, found none of that name."
                f"{did_you_mean(corpus, list(ratings))} Known: {', '.join(ratings)}."
            )
        for rating in table:
            if rating not in ratings[corpus]:
                known = ", ".join(ratings[corpus]) or "none"
                raise ConfigError(
                    f"{place}: expected a rating of the corpus, found '{rating}'."
                    f"{did_you_mean(rating, list(ratings[corpus]))} Known: {known}."
                )
        check_ratings(table, place=place)


def check_ratings(ratings: Mapping[str, str | None], *, place: str) -> None:
    """Raises ConfigError when a rating is mapped to something that is neither a stance nor a label."""
    targets = (*STANCES, *LABELS)
    for rating, target in ratings.items():
        if target is not None and target not in targets:
            raise ConfigError(
                f"{place}: rating '{rating}' is mapped to '{target}'; expected one of {', '.join(targets)}, or null."
                f"{did_you_mean(target, targets)}"
            )


def iso_date(value: Any, formats: tuple[str, ...]) -> str | None:
    """A corpus's own date as YYYY-MM-DD; None for an empty one. Raises RecordError when no format fits."""
    if value in (None, ""):
        return None
    for pattern in formats:
        try:
            return datetime.strptime(str(value), pattern).date().isoformat()
        except ValueError:
            continue
    raise RecordError(f"expected a date like {' or '.join(formats)}, found {value!r:.60}")
