"""From a row as its owner shaped it to the keys of our record: one field map for recipes, files and hub datasets."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from claimsieve.errors import ConfigError, DataError
from claimsieve.problems import did_you_mean
from claimsieve.records import LABELS, STANCES, Claim, RecordError, label_of

Row = Mapping[str, Any]

RECORD_FIELDS = tuple(field.name for field in fields(Claim))


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
        except JMESPathError:
            expression = None  # a plain column name with spaces or signs is no JMESPath, and need not be
        picks.append((field, source, expression))

    def renamed(row: Row) -> dict[str, Any]:
        result = {key: value for key, value in row.items() if key not in mapping}
        for field, source, expression in picks:
            if source in row:
                result[field] = row[source]
            elif expression is not None:
                try:
                    result[field] = expression.search(row)
                except JMESPathError as error:
                    raise RecordError(f"'{field}' cannot be read with {source}: {error}") from None
        return result

    return renamed


def apply_rating(row: dict[str, Any], ratings: Mapping[str, str | None], *, place: str) -> dict[str, Any] | None:
    """Turn the corpus's own rating into stance or label by its table; None when the table leaves the rating out.

    Raises DataError when the table does not know the rating: a corpus that changed must not change labels in silence.
    """
    if not ratings:
        return row
    rating = row.get("rating")
    if rating is None:
        raise RecordError("no rating (which column holds it? map: {rating: COLUMN})")
    rating = str(rating).lower() if isinstance(rating, bool) else str(rating)
    if rating not in ratings:
        known = ", ".join(ratings)
        raise DataError(
            f"{place}: expected a rating that the map knows ({known}), found {rating!r:.60}. "
            "Add it to the ratings with a stance, a label, or null to leave such rows out."
        )
    target = ratings[rating]
    if target is None:
        return None
    row = {**row, "rating": rating}
    if target in STANCES:
        row["stance"] = target
        row["label"] = label_of(target, bool(row.get("manipulation")))
    else:
        row["label"] = target
    return row


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
