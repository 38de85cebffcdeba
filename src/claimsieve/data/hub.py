"""Rows of a Hugging Face dataset, with class numbers turned back into their names."""

from collections.abc import Iterator
from typing import Any

from claimsieve.data.files import Row
from claimsieve.errors import DataError


def read_hub(name: str, *, config: str | None, split: str, revision: str | None) -> Iterator[Row]:
    """Rows of a dataset id or a local dataset folder. Data files only: no loading script is ever run.

    Raises DataError when the dataset cannot be had.
    """
    import datasets

    try:
        rows = datasets.load_dataset(name, config, split=split, revision=revision, streaming=True)
        features = rows.features or {}
        for number, fields in enumerate(rows, start=1):
            yield Row(number, {key: _named(value, features.get(key)) for key, value in fields.items()})
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{name}: cannot be read as a Hugging Face dataset, split '{split}': {reason}") from None


def _named(value: Any, feature: Any) -> Any:
    """A class by its name: an integer means one thing in one dataset and another in the next."""
    names = getattr(feature, "names", None)
    return names[value] if names and isinstance(value, int) and 0 <= value < len(names) else value
