"""What one trained model said of its test rows, read back from its directory."""

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from claimsieve.data.files import Reject, read_rows
from claimsieve.errors import DataError, ModelError
from claimsieve.evaluation.documents import SPLIT_TABLE, TEST_PREDICTIONS
from claimsieve.evaluation.metrics import Floats
from claimsieve.records import LABELS, Label

_COLUMNS = tuple(f"p_{label}" for label in LABELS)
_NUMBERS = {int, float}
_TRAIN_ROW = b'"split": "train"'  # cannot stand inside a JSON text, where quotes are escaped
_AGAIN = "Train the model again with this version of claimsieve, which keeps what a comparison needs."

# id, claim, label, corpus, event, probabilities
_TestRow = tuple[str, str, Label, str | None, str | None, list[float]]


@dataclass(frozen=True, slots=True)
class Tested:
    """One model's test rows and what it said of them, in any order.

    ids, claims, labels (true), corpora, events: one per row. probabilities: calibrated, in the order of LABELS.
    Shape: (n, 3). train_rows: how many rows it was trained on, where that is known. rows_digest: SHA-256 over id,
    claim, label and corpus of all rows, whatever their order, 64 hex digits.
    """

    ids: tuple[str, ...]
    claims: tuple[str, ...]
    labels: tuple[Label, ...]
    corpora: tuple[str | None, ...]
    events: tuple[str | None, ...]
    probabilities: Floats
    seed: int
    fold: str | None = None
    train_rows: int | None = None
    rows_digest: str = field(init=False)

    def __post_init__(self) -> None:
        rows = sorted(zip(self.ids, self.claims, self.labels, (name or "" for name in self.corpora), strict=True))
        object.__setattr__(self, "rows_digest", hashlib.sha256(json.dumps(rows).encode()).hexdigest())


def read_tested(directory: Path, *, seed: int, fold: str | None = None, train_rows: int | None = None) -> Tested:
    """Read the test predictions of a model directory, row by row.

    train_rows: taken from the table of splits beside them when it is not given and there is one. Raises ModelError when
    the predictions are absent, of an older version, or not probabilities.
    """
    path = directory / TEST_PREDICTIONS
    if not path.is_file():
        raise ModelError(
            f"{directory}: expected {TEST_PREDICTIONS}, found none. Give the directory of a trained model."
        )
    rows: list[_TestRow] = []
    try:
        for row in read_rows(str(path)):
            if isinstance(row, Reject):
                raise ModelError(f"{path}, line {row.place}: {row.reason}. {_AGAIN}")
            try:
                rows.append(_test_row(row.fields))
            except ValueError as error:
                raise ModelError(f"{path}, line {row.place}: {error}. {_AGAIN}") from None
    except (DataError, OSError) as error:
        raise ModelError(f"{path}: cannot be read: {error}") from None
    if not rows:
        raise ModelError(f"{path}: expected a row per test claim, found none. {_AGAIN}")
    ids, claims, labels, corpora, events, probabilities = zip(*rows, strict=True)
    return Tested(
        ids=ids,
        claims=claims,
        labels=labels,
        corpora=corpora,
        events=events,
        probabilities=np.array(probabilities, dtype=np.float64),
        seed=seed,
        fold=fold,
        train_rows=_train_rows(directory / SPLIT_TABLE) if train_rows is None else train_rows,
    )


def _test_row(fields: Mapping[str, Any]) -> _TestRow:
    """Raises ValueError with the reason when the row is not one of a test claim and its probabilities."""
    if "claim" not in fields and all(name in fields for name in ("id", "label", *_COLUMNS)):
        raise ValueError("expected the text of the claim, found none: an older version wrote this")
    label: Any = fields.get("label")
    if label not in LABELS:
        raise ValueError(f"expected 'label' to be one of {', '.join(LABELS)}, found {label!r:.40}")
    probabilities: list[Any] = [fields.get(name) for name in _COLUMNS]
    if not _NUMBERS.issuperset(map(type, probabilities)) or min(probabilities) < 0:
        raise ValueError(f"expected {', '.join(_COLUMNS)} from 0 to 1, found {probabilities!r:.80}")
    if not 0.999 <= (total := sum(probabilities)) <= 1.001:  # not-a-number and infinity fail here
        raise ValueError(f"expected probabilities that sum to 1, found a sum of {total:.4g}")
    corpus, event = fields.get("corpus"), fields.get("event")
    return (
        _text(fields.get("id"), "id"),
        _text(fields.get("claim"), "claim"),
        label,
        None if corpus is None else _text(corpus, "corpus"),
        None if event is None else _text(event, "event"),
        probabilities,
    )


def _text(text: Any, name: str) -> str:
    if type(text) is not str or not text:
        raise ValueError(f"expected text in '{name}', found {text!r:.40}")
    if not text.isascii():
        text.encode()  # half a character cannot be written to a report; UnicodeEncodeError is a ValueError
    return sys.intern(text)  # twenty models say the same of one claim: its text is kept once


def _train_rows(path: Path) -> int | None:
    try:
        with path.open("rb") as stream:
            return sum(_TRAIN_ROW in line for line in stream) or None
    except OSError:
        return None
