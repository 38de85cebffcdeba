"""Trials, and the file that holds them: sweep.json is what a sweep leaves behind, and what it goes on from."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError

from claimsieve.errors import TrainingError
from claimsieve.evaluation.evaluate import Estimate
from claimsieve.evaluation.metrics import Floats
from claimsieve.models.artifacts import require_target
from claimsieve.sweeps.space import Value
from claimsieve.whole_files import write_file

SWEEP = "sweep.json"
OWN = 1  # the number of the trial with the config's own values
_OWN_DRAWS = "own_draws.json"
_FORMAT_VERSION = 1
_MAX_BYTES = 100_000_000
_AFRESH = "Sweep into another directory with -o."

State = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One set of values and how a model with them did on valid. Trials are counted from 1.

    macro_f1: mean over the seeds, with a bootstrap interval over the valid rows; None unless complete. by_seed: the
    same seed by seed. gain: macro-F1 less that of the config's own values, on the same resampled rows; None where one
    of the two has none.
    curve: hundredths of an epoch → macro-F1 on valid of the first seed. reason: why it failed.
    """

    number: int
    values: dict[str, Value]
    state: State
    seconds: float
    macro_f1: Estimate | None = None
    by_seed: tuple[float, ...] = ()
    gain: Estimate | None = None
    curve: dict[int, float] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A sweep as far as it has come.

    config, data: SHA-256 of the settings that decide a trial, and of the claims with their splits. split_seed: of the
    split that all trials share. n_train, n_valid: claims. best: the number of the best trial.
    """

    name: str
    config: str
    data: str
    split_seed: int
    seeds: tuple[int, ...]
    n_train: int
    n_valid: int
    trials: tuple[Trial, ...] = ()
    best: int | None = None
    importances: dict[str, float] | None = None
    metric: str = "valid/macro_f1"
    format_version: int = _FORMAT_VERSION

    def with_trial(self, trial: Trial) -> "Record":
        """One trial further."""
        longer = replace(self, trials=(*self.trials, trial))
        best = longer.best_trial()
        return replace(longer, best=None if best is None else best.number)

    def best_trial(self) -> Trial | None:
        """The complete trial with the highest macro-F1 on valid, the earliest of equals."""
        complete = [trial for trial in self.trials if trial.macro_f1 is not None]
        return max(complete, key=lambda trial: trial.macro_f1.value, default=None)  # type: ignore[union-attr]


def opened(directory: Path, fresh: Record, *, paths: Collection[str], resume: bool) -> Record:
    """The record to go on from: with `resume` the one in the directory, else `fresh`, which is then put there.

    paths: of the sweep's space. Raises TrainingError when another sweep, or nothing readable, lies there, and
    ModelError when a fresh sweep would overwrite something.
    """
    path = directory / SWEEP
    if not path.is_file():
        require_target(directory)
        write(directory, fresh)
        return fresh
    if not resume:
        raise TrainingError(
            f"{directory}: expected a new or empty directory, found a sweep. Go on with --resume, or choose another "
            "with -o."
        )
    found = read(directory)
    changed = [what for what in ("config", "data") if getattr(found, what) != getattr(fresh, what)]
    if changed:
        raise TrainingError(
            f"{path}: expected to resume this sweep, found one with another {' and other '.join(changed)}. "
            "Choose another directory with -o."
        )
    if any(trial.values.keys() != set(paths) for trial in found.trials):
        raise TrainingError(f"{path}: expected values of {', '.join(paths)} in every trial, found others. {_AFRESH}")
    return found


def read(directory: Path) -> Record:
    """The record of a sweep. Raises TrainingError when there is none that can be read."""
    path = directory / SWEEP
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f"more than {_MAX_BYTES:,} bytes")
        record = TypeAdapter(Record).validate_json(path.read_bytes(), strict=True)
    except (OSError, ValueError, RecursionError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise TrainingError(
            f"{path}: expected a sweep, found a file that cannot be read ({reason}). {_AFRESH}"
        ) from None
    if record.format_version != _FORMAT_VERSION:
        raise TrainingError(
            f"{path}: expected format {_FORMAT_VERSION}, found {record.format_version}. Use the claimsieve that "
            "wrote it."
        )
    if not all(_sound(trial, number) for number, trial in enumerate(record.trials, start=1)):
        raise TrainingError(f"{path}: expected trials numbered from 1 with scores in [0, 1], found others. {_AFRESH}")
    return record


def write(directory: Path, record: Record) -> None:
    """Replace sweep.json. Raises DataError when the disk refuses."""
    document = asdict(record)
    first = {key: document[key] for key in ("format_version", "metric", "name", "best")}
    write_file(directory / SWEEP, (json.dumps(first | document, indent=1, allow_nan=False) + "\n").encode())


def write_own_draws(directory: Path, draws: Floats) -> None:
    """Keep the bootstrap draws of the first trial, which later ones are compared with. Shape: (resamples,)"""
    write_file(directory / _OWN_DRAWS, (json.dumps(draws.tolist()) + "\n").encode())


def read_own_draws(directory: Path, *, resamples: int) -> Floats | None:
    """What `write_own_draws` kept; None when it is not there as it was. Shape: (resamples,)"""
    try:
        draws = np.asarray(json.loads((directory / _OWN_DRAWS).read_bytes()), dtype=np.float64)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return draws if draws.shape == (resamples,) and np.isfinite(draws).all() else None


def _sound(trial: Trial, number: int) -> bool:
    """Whether a trial that was read is one that could have been written."""
    scores = [*trial.by_seed, *trial.curve.values(), *([] if trial.macro_f1 is None else [trial.macro_f1.value])]
    return (
        trial.number == number
        and (trial.state == "complete") == (trial.macro_f1 is not None)
        and all(isfinite(score) and 0 <= score <= 1 for score in scores)
    )
