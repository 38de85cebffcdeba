"""The model registry: which run a promotion is about, which version holds an alias, and the two writes."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimsieve.errors import ConfigError, DataError, ModelError, TrackingError
from claimsieve.models.artifacts import MANIFEST
from claimsieve.tracking import directories, lookup, stored_models
from claimsieve.tracking.store import store_errors

_READY_SECONDS = 300
_URI_VARIABLE = "MLFLOW_TRACKING_URI"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run and the model that it logged. directory: the model directory as it lies in MLflow; to be read only."""

    run_id: str
    run_name: str
    experiment: str
    model_id: str
    directory: Path


def check_names(name: str, alias: str) -> None:
    """Raises ConfigError for a model name or an alias that MLflow refuses or that would hide another form."""
    if not name.strip() or re.search(r"[/:@'\"]", name):
        raise ConfigError(f"--name: expected a name without / : @ and quotes, found '{name}'.")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,200}", alias) or re.fullmatch(r"latest|v\d+|previous-.*", alias.lower()):
        raise ConfigError(
            f"--as: expected letters, digits, - and _, and neither latest, v1 nor previous-…, found '{alias}'."
        )


def candidate(reference: str, *, uri: str, folder: Path) -> Candidate:
    """The one run that a text stands for, with the model that it logged.

    reference: a run's id or name, `runs:/…`, `models:/…`, or the model directory that a run logged.
    Raises DataError for none, several, an unfinished one, or one of several seeds or folds; ModelError for a run
    without a model; TrackingError for a store that cannot be read.
    """
    if _is_model_directory(reference):
        directories.require_sent(Path(reference))
    client = lookup.opened(uri)
    with store_errors(uri):
        run = client.get_run(_run_id(client, reference, uri=uri, folder=folder))
        place = f"run {lookup.described(run)}"
        if children := lookup.children_of(client, run):
            listed = "\n".join(f"  {lookup.described(child)}{_score(child)}" for child in children)
            raise DataError(
                f"{place}: expected one model, found a training of {len(children)}. Promote one of them by its id:\n"
                f"{listed}"
            )
        if run.info.status != "FINISHED" or run.info.lifecycle_stage != "active":
            state = "a deleted one" if run.info.lifecycle_stage != "active" else f"one that is {run.info.status}"
            raise DataError(f"{place}: expected a finished run, found {state}.")
        model = stored_models.logged_model(client, run)
        if model is None:
            raise ModelError(f"{place}: expected a logged model, found none that is whole. Train again.")
        experiment = client.get_experiment(run.info.experiment_id).name
        directory = stored_models.opened_at(model.artifact_location, place, uri=uri, folder=folder)
        return Candidate(run.info.run_id, run.info.run_name or "", experiment, model.model_id, directory)


def holder(name: str, alias: str, *, uri: str) -> str | None:
    """The number of the version that has an alias; None while none has."""
    client = lookup.opened(uri)
    with store_errors(uri):
        if not stored_models.versions_of(client, name):
            return None
        version = client.get_registered_model(name).aliases.get(alias)
        return None if version is None else str(version)


def version_of(name: str, found: Candidate, *, uri: str) -> str | None:
    """The newest version under this name of a candidate's model; None while there is none."""
    client = lookup.opened(uri)
    with store_errors(uri):
        of_run = [one for one in stored_models.versions_of(client, name) if one.run_id == found.run_id]
        same = [one for one in of_run if one.source == _source(found) and str(one.status) == "READY"]
        return str(same[0].version) if same else None


def register(name: str, found: Candidate, *, uri: str) -> str:
    """Make a version of a candidate's model and wait until it is READY; returns its number."""
    from mlflow.exceptions import MlflowException

    client = lookup.opened(uri)
    with store_errors(uri):
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"):
                raise
        with _everywhere(uri):
            version = client.create_model_version(
                name, _source(found), run_id=found.run_id, model_id=found.model_id, await_creation_for=_READY_SECONDS
            )
        return str(version.version)


def describe(name: str, version: str, *, tags: Mapping[str, str], description: str, uri: str) -> None:
    """Write what is known of a version to it. description: Markdown."""
    client = lookup.opened(uri)
    with store_errors(uri):
        client.update_model_version(name, version, description=description)
        for key, value in tags.items():
            client.set_model_version_tag(name, version, key, value)


def move_alias(name: str, alias: str, version: str, *, before: str | None, uri: str) -> None:
    """Give a READY version an alias; the one that had it becomes `previous-<alias>`.

    before: the version that has the alias as far as the caller knows. Raises TrackingError when it is another by now:
    the caller has decided on something that holds no longer.
    """
    client = lookup.opened(uri)
    with store_errors(uri):
        stored_models.registered_version(client, name, version=version)
        now = holder(name, alias, uri=uri)
        if now != before:
            raise TrackingError(
                f"models:/{name}@{alias}: expected version {before or 'none'}, found {now or 'none'}: it was moved in "
                "the meantime. Run this again."
            )
        if before is not None:
            client.set_registered_model_alias(name, previous(alias), before)
        client.set_registered_model_alias(name, alias, version)


def previous(alias: str) -> str:
    """The alias of the version that had `alias` before."""
    return f"previous-{alias}"


@contextmanager
def _everywhere(uri: str) -> Iterator[None]:
    """The store is MLflow's own too within the block: its registry in a database asks that one for a logged model,
    whichever its client was made for."""
    import mlflow

    variable = os.environ.pop(_URI_VARIABLE, None)  # else one could not tell it from what the process has set
    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None  # type: ignore[no-untyped-call]
    try:
        mlflow.set_tracking_uri(uri)
        yield
    finally:
        mlflow.set_tracking_uri(before)  # type: ignore[arg-type]
        os.environ.pop(_URI_VARIABLE, None)
        if variable is not None:
            os.environ[_URI_VARIABLE] = variable


def _run_id(client: Any, reference: str, *, uri: str, folder: Path) -> str:
    if reference.startswith(stored_models.SCHEMES):
        return stored_models.run_id_of(client, reference, uri=uri)
    if _is_model_directory(reference):
        run = directories.run_that_logged(client, Path(reference), folder)
        if run is None:
            raise DataError(
                f"{reference}: expected the model directory of a logged run, found none that logged it. Was it trained "
                "with tracking.enabled: false, or logged to another store (MLFLOW_TRACKING_URI)?"
            )
        return str(run.info.run_id)
    run, experiment = lookup.find_run_or_experiment(client, reference, uri=uri, offered="a model directory, or ")
    if experiment is not None:
        raise DataError(f"{reference}: expected one run, found an experiment. Name a run of it: see `claimsieve ui`.")
    return str(run.info.run_id)


def _is_model_directory(reference: str) -> bool:
    return (Path(reference) / MANIFEST).is_file()


def _score(run: Any) -> str:
    value = run.data.metrics.get("test/macro_f1")
    return "" if value is None else f", macro-F1 {value:.3f}"


def _source(found: Candidate) -> str:
    return f"models:/{found.model_id}"
