"""Model directories inside MLflow: logged models and registered versions, opened as data that may be hostile."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from claimsieve import yaml12
from claimsieve.errors import ConfigError, ModelError
from claimsieve.problems import did_you_mean
from claimsieve.tracking import lookup
from claimsieve.tracking.logged_model import LOADER, NAME
from claimsieve.tracking.store import store_errors

SCHEMES = ("models:/", "runs:/")
_MAX_VERSIONS = 10_000
_OLDER_LOADER = "claimsieve.tracking"
_LOGGED = re.compile(r"models:/(m-[0-9a-f]{32})")
_ALIAS = re.compile(r"models:/([^/:@]+)@([^/:@]+)")
_VERSION = re.compile(r"models:/([^/:@]+)/(\d+)")
_RUN = re.compile(r"runs:/([^/]+)/(.+)")

_Found = TypeVar("_Found")


def model_directory(reference: str, *, uri: str, folder: Path) -> Path:
    """The model directory of `models:/NAME@alias`, `models:/NAME/3`, `models:/m-<id>` or `runs:/ID/model`.

    Any other text is a path and comes back as it is. folder: where a model is fetched to that does not lie on this
    machine; it has to outlast the use of the directory. Files are not verified here: load_model does.
    Raises ModelError for what is not there or is not a model of ours, ConfigError for another form, TrackingError for a
    store that cannot be read.
    """
    if not reference.startswith(SCHEMES):
        return Path(reference)
    client = lookup.opened(uri)
    with store_errors(uri):
        return opened_at(_location(client, reference, uri=uri), reference, uri=uri, folder=folder)


def logged_model(client: Any, run: Any, name: str = NAME) -> Any | None:
    """The model that a run logged last under a name; None when it has none, or it is deleted or incomplete."""
    outputs = run.outputs.model_outputs if run.outputs else []
    models = [_there(lambda model_id=one.model_id: client.get_logged_model(model_id)) for one in outputs]  # type: ignore[misc]
    whole = [one for one in models if one is not None and one.name == name and str(one.status) == "READY"]
    return max(whole, key=lambda one: one.creation_timestamp, default=None)


def registered_version(client: Any, name: str, *, alias: str | None = None, version: str = "") -> Any:
    """The version of a registered model that has an alias, or a number. Raises ModelError when there is none."""
    model = _there(lambda: client.get_registered_model(name))
    if model is None:
        names = [one.name for one in client.search_registered_models()]
        raise ModelError(f"{name}: expected a registered model, found none of this name.{did_you_mean(name, names)}")
    if alias is not None and alias not in model.aliases:
        known = ", ".join(sorted(model.aliases)) or "none"
        raise ModelError(
            f"models:/{name}@{alias}: expected an alias of {name}, found none of this name. Its aliases: {known}. "
            f"Give it one: claimsieve promote RUN --as {alias} --name {name}"
        )
    number = version if alias is None else str(model.aliases[alias])
    found = _there(lambda: client.get_model_version(name, number))
    if found is None:
        known = ", ".join(str(one.version) for one in versions_of(client, name)) or "none"
        raise ModelError(f"models:/{name}/{number}: expected a version of {name}, found none. It has: {known}.")
    if str(found.status) != "READY":
        raise ModelError(f"models:/{name}/{number}: expected a version that is READY, found one {found.status}.")
    return found


def versions_of(client: Any, name: str) -> list[Any]:
    """The versions of a registered model, the newest first; none where there is no such model."""
    value = lookup.quoted(name)
    found = [] if value is None else list(client.search_model_versions(f"name = {value}", max_results=_MAX_VERSIONS))
    return sorted(found, key=lambda one: -int(one.version))


def run_id_of(client: Any, reference: str, *, uri: str) -> str:
    """The run that logged the model of `models:/…` or `runs:/…`. Raises as `model_directory` does."""
    if found := _RUN.fullmatch(reference):
        return str(lookup.find_run(client, found[1], uri=uri).info.run_id)
    if found := _LOGGED.fullmatch(reference):
        run_id = _logged(client, found[1]).source_run_id
    else:
        run_id = _version(client, reference).run_id
    if not run_id:
        raise ModelError(f"{reference}: expected a model that a run logged, found one of no run.")
    return str(run_id)


def opened_at(location: str, reference: str, *, uri: str, folder: Path) -> Path:
    """The model directory inside an MLflow model at an artifact location. Raises ModelError when it is not ours."""
    root = lookup.local_path(location)
    if root is None:
        import mlflow

        place = tempfile.mkdtemp(dir=folder)
        root = Path(mlflow.artifacts.download_artifacts(artifact_uri=location, dst_path=place, tracking_uri=uri))
    if not (root / "MLmodel").is_file():
        raise ModelError(f"{reference}: expected the files of a model at {location}, found none: were they deleted?")
    try:
        described = yaml12.read(root / "MLmodel")
        loader = described["flavors"]["python_function"]["loader_module"]
        inside = described["flavors"]["python_function"]["data"]
    except (ConfigError, LookupError, TypeError):
        loader = inside = None
    if not isinstance(inside, str) or loader not in (LOADER, _OLDER_LOADER):
        raise ModelError(f"{reference}: expected a model of claimsieve, found another kind of MLflow model.")
    pure, path = PurePosixPath(inside), root / inside
    if pure.is_absolute() or ".." in pure.parts or "\0" in inside or not path.resolve().is_relative_to(root.resolve()):
        raise ModelError(f"{reference}: its MLmodel names '{inside}', which lies outside the model.")
    return path


def _location(client: Any, reference: str, *, uri: str) -> str:
    if found := _LOGGED.fullmatch(reference):
        return str(_logged(client, found[1]).artifact_location)
    if found := _RUN.fullmatch(reference):
        run = lookup.find_run(client, found[1], uri=uri)
        model = logged_model(client, run, found[2])
        if model is None:
            raise ModelError(
                f"{reference}: expected a model '{found[2]}' of run {lookup.described(run)}, found none that is whole. "
                f"A training logs one as runs:/ID/{NAME}."
            )
        return str(model.artifact_location)
    version = _version(client, reference)
    return str(client.get_model_version_download_uri(version.name, str(version.version)))


def _version(client: Any, reference: str) -> Any:
    if found := _ALIAS.fullmatch(reference):
        return registered_version(client, found[1], alias=found[2])
    if found := _VERSION.fullmatch(reference):
        return registered_version(client, found[1], version=found[2])
    raise ConfigError(
        f"{reference}: expected models:/NAME@ALIAS, models:/NAME/VERSION, models:/m-ID or runs:/ID/{NAME}."
    )


def _logged(client: Any, model_id: str) -> Any:
    model = _there(lambda: client.get_logged_model(model_id))
    if model is None:
        raise ModelError(f"models:/{model_id}: expected a logged model, found none: was it deleted?")
    return model


def _there(ask: Callable[[], _Found]) -> _Found | None:
    """None where the store says that it does not exist."""
    from mlflow.exceptions import MlflowException

    try:
        return ask()
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
