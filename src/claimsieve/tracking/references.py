"""What was trained, by what a user types: a model directory, a run's id or name, a model in MLflow, an experiment."""

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from claimsieve import yaml12
from claimsieve.data.prepare import fold_folder
from claimsieve.errors import ConfigError, DataError, TrackingError
from claimsieve.evaluation.assessment import EVALUATION
from claimsieve.evaluation.documents import TEST_PREDICTIONS
from claimsieve.models.artifacts import CONFIG, MANIFEST, read_manifest
from claimsieve.settings.data import Split
from claimsieve.tracking import lookup, stored_models
from claimsieve.tracking.store import store_errors

_NEEDED = (TEST_PREDICTIONS, EVALUATION)
_FOLD = re.compile(r"fold-.*-[0-9a-f]{6}")  # as the runner names a fold's folder
_UNFINISHED = {
    "RUNNING": "is still running. Wait for its end; if its process is gone, `claimsieve track sync`, or train again",
    "SCHEDULED": "has not started. Wait for its end",
    "FAILED": "failed. Train again",
    "KILLED": "was stopped. Go on with `claimsieve train … --resume`, or train again",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One trained model's results.

    run_id: MLflow's; None for a model directory. directory: holds test_predictions.jsonl and evaluation.json; to be
    read only, and asked for further files by `fetched`. fold: the group held out, as the runner names its folder.
    """

    run_id: str | None
    directory: Path
    seed: int
    fold: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """What a text stands for: one model, or the seeds and folds of one training.

    name: unlike that of any other reference resolved with it. run_id: MLflow's, of the parent where there is one.
    """

    name: str
    parts: tuple[Part, ...]
    run_id: str | None = None


def resolve(references: Sequence[str], *, uri: str, folder: Path) -> list[Reference]:
    """What each text stands for, in order and each once; an experiment is all its finished runs, the oldest first.

    A text is a model directory, a folder of seeds or folds, an MLflow run's id (or six or more of its first digits) or
    name, a model as `models:/NAME@ALIAS` or `runs:/ID/model`, `experiment:NAME`, or an experiment's name. folder: where
    files are fetched to from a store that is not on this machine; it has to outlast the references. Directories alone
    need no store.
    Raises DataError for a text that stands for nothing, for two things, or for a run that has no predictions;
    TrackingError for a store that cannot be read.
    """
    once: dict[tuple[str | Path, ...], Reference] = {}
    for text in references:
        local = _on_disk(text)
        for found in _in_store(text, uri=uri, folder=folder) if local is None else [local]:
            once.setdefault(tuple(part.run_id or part.directory.resolve() for part in found.parts), found)
    counts = Counter(one.name for one in once.values())
    return [
        replace(one, name=f"{one.name} ({one.run_id[:8]})") if counts[one.name] > 1 and one.run_id else one
        for one in once.values()
    ]


def fetched(part: Part, name: str, *, uri: str) -> Path | None:
    """A further file of a part, such as decisions.json; None when it has none of this name."""
    path = part.directory / name
    if part.run_id is not None and not path.is_file():
        client = lookup.opened(uri)
        with store_errors(uri):
            fetch_artifacts(client, client.get_run(part.run_id), [name], part.directory)
    return path if path.is_file() else None


def log_verdicts(
    metrics: Mapping[str, Mapping[str, float]], tags: Mapping[str, Mapping[str, str]], *, uri: str
) -> None:
    """Write what was found about runs to them, so that the UI can sort and filter by it. metrics, tags: by run id.

    Every run is tried; raises TrackingError that names those that failed.
    """
    from mlflow.entities import Metric, RunTag

    client, now, failures = lookup.opened(uri), int(time.time() * 1000), []
    for run_id in dict.fromkeys([*metrics, *tags]):
        values = [Metric(name, value, now, 0) for name, value in metrics.get(run_id, {}).items()]
        marks = [RunTag(name, value) for name, value in tags.get(run_id, {}).items()]
        try:
            with store_errors(uri):
                client.log_batch(run_id, metrics=values, tags=marks)
        except TrackingError as error:
            failures.append(f"{run_id}: {error}")
    if failures:
        raise TrackingError(
            f"{len(failures)} run{'' if len(failures) == 1 else 's'} could not be written to:\n"
            + "\n".join(f"  {one}" for one in failures)
        )


def _on_disk(text: str) -> Reference | None:
    directory = Path(text)
    try:
        if not text or not directory.is_dir():
            return None
    except (OSError, ValueError):  # a text that cannot be a path
        return None
    if (directory / MANIFEST).is_file():
        return Reference(text, (_local_part(directory),))
    # As the runner lays them: a folder per fold and below it one per seed, where there are several.
    patterns = ("seed-*", "fold-*", "fold-*/seed-*")
    below = [path.parent for pattern in patterns for path in directory.glob(f"{pattern}/{MANIFEST}")]
    return Reference(text, _ordered(_local_part(path) for path in below)) if below else None


def _local_part(directory: Path) -> Part:
    seed = read_manifest(directory).seed
    for name in _NEEDED:
        if not (directory / name).is_file():
            raise DataError(f"{directory}: expected {name}, found none. Copy the directory again, whole, or retrain.")
    folders = (directory.absolute().name, directory.absolute().parent.name)
    return Part(None, directory, seed, next(filter(_FOLD.fullmatch, folders), None) or _held_out(directory))


def _held_out(directory: Path) -> str | None:
    """What the config holds out by its name, which has no folder of its own."""
    try:
        # Of the section this alone: a model of another version may have keys that this one does not know.
        name = Split.model_construct(hold_out=yaml12.read(directory / CONFIG)["data"]["split"]["hold_out"]).held_out
    except (ConfigError, LookupError, TypeError):
        return None
    return None if name is None else fold_folder(name)


def _in_store(text: str, *, uri: str, folder: Path) -> list[Reference]:
    client = lookup.opened(uri)
    with store_errors(uri):
        if text.startswith(stored_models.SCHEMES):
            directory = stored_models.model_directory(text, uri=uri, folder=folder)
            run = client.get_run(stored_models.run_id_of(client, text, uri=uri))
            part = replace(_local_part(directory), run_id=run.info.run_id, fold=_fold(run))
            return [Reference(text, (part,), run.info.run_id)]
        run, experiment = lookup.find_run_or_experiment(client, text, uri=uri)
        if run is not None:
            return [_reference(client, run, lookup.children_of(client, run), folder)]
        return _of_experiment(client, experiment, folder)


def _of_experiment(client: Any, experiment: Any, folder: Path) -> list[Reference]:
    """Finished runs that have predictions; others, such as those of a sweep, are passed over."""
    place = f"{lookup.EXPERIMENT}{experiment.name}"
    runs = lookup.runs_of(client, experiment.experiment_id)
    if not runs:
        raise DataError(f"{place}: expected runs, found none. Train one: claimsieve train CONFIG")
    found, reasons = [], []
    for run in runs:
        if lookup.PARENT in run.data.tags:
            continue
        children = [one for one in runs if one.data.tags.get(lookup.PARENT) == run.info.run_id]
        try:
            found.append(_reference(client, run, children, folder))
        except DataError as error:
            reasons.append(str(error))
    if not found:
        first = f" The first: {reasons[0]}" if reasons else ""
        raise DataError(f"{place}: expected finished runs with predictions, found none among {len(runs):,}.{first}")
    return found


def _reference(client: Any, run: Any, children: Sequence[Any], folder: Path) -> Reference:
    finished = [child for child in children if child.info.status == "FINISHED"]
    if children and not finished:
        place = f"run {lookup.described(run)}"
        raise DataError(f"{place}: expected finished runs below it, found none among {len(children)}. Train again.")
    parts = _ordered(_part(client, one, folder) for one in finished or [run])
    return Reference(run.info.run_name or run.info.run_id, parts, run.info.run_id)


def _part(client: Any, run: Any, folder: Path) -> Part:
    place, status = f"run {lookup.described(run)}", run.info.status
    if status != "FINISHED":
        reason = _UNFINISHED.get(status, f"has the state {status}")
        raise DataError(f"{place}: expected a finished run with predictions, found one that {reason}.")
    directory = lookup.local_path(run.info.artifact_uri) or folder / run.info.run_id
    fetch_artifacts(client, run, _NEEDED, directory)
    for name in _NEEDED:
        if not (directory / name).is_file():
            reason = "Was it logged by another program, or by an older version? Train again."
            if not client.list_artifacts(run.info.run_id):
                reason = "All its artifacts are gone, or none was logged. Name the model directory instead, or retrain."
            raise DataError(f"{place}: expected {name} among its artifacts, found none. {reason}")
    try:
        seed = int(run.data.tags["seed"])
    except (KeyError, ValueError):
        raise DataError(f"{place}: expected a training of claimsieve with a tag 'seed', found none.") from None
    return Part(run.info.run_id, directory, seed, _fold(run))


def _fold(run: Any) -> str | None:
    held_out = run.data.tags.get("held_out")
    return None if held_out is None else fold_folder(held_out)


def fetch_artifacts(client: Any, run: Any, names: Sequence[str], directory: Path) -> None:
    """Bring what the run has and the directory has not; a store on this machine is read where it lies."""
    missing = [name for name in names if not (directory / name).is_file()]
    if not missing or lookup.local_path(run.info.artifact_uri) is not None:
        return
    directory.mkdir(parents=True, exist_ok=True)
    for item in client.list_artifacts(run.info.run_id):
        if item.path in missing:
            client.download_artifacts(run.info.run_id, item.path, str(directory))


def _ordered(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: (part.fold or "", part.seed)))
