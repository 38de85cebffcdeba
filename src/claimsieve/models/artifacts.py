"""The model directory: weights as safetensors and JSON, and a manifest that vouches for every byte."""

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import Any, get_args

from claimsieve import __version__
from claimsieve.errors import ModelError
from claimsieve.models import Model, load_kind
from claimsieve.models.checkpoints import MANIFEST as MANIFEST
from claimsieve.models.checkpoints import WEIGHTS as WEIGHTS
from claimsieve.models.checkpoints import sha256_of
from claimsieve.records import LABELS, InputField

FORMAT_VERSION = 1
CONFIG = "config.yaml"
_SAFE_SUFFIXES = (".html", ".json", ".jsonl", ".safetensors", ".txt", ".yaml", ".png", ".md", ".jinja", ".model")
_LIBRARIES = ("claimsieve", "torch", "transformers", "tokenizers", "scikit-learn", "numpy", "safetensors")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a model directory says of itself. fingerprint: SHA-256 over the manifest's file list, 64 hex digits."""

    kind: str
    settings: Mapping[str, Any]
    inputs: tuple[str, ...]
    data_fingerprint: str
    seed: int
    fingerprint: str
    files: Mapping[str, Mapping[str, Any]]


def write_model(
    model: Model,
    directory: Path,
    *,
    kind: str,
    config_yaml: str,
    data_fingerprint: str,
    seed: int,
    extra: Mapping[str, bytes] | None = None,
) -> Manifest:
    """Write a model directory, whole or not at all. `extra`: further files by relative name (evaluation, plots).

    Raises ModelError when the directory exists and is not empty: a trained model is never overwritten.
    """
    require_target(directory)
    temporary = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}-"))
    try:
        (temporary / WEIGHTS).mkdir()
        model.save(temporary / WEIGHTS)
        (temporary / CONFIG).write_text(config_yaml, encoding="utf-8")
        for name, content in (extra or {}).items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_bytes(content)
        manifest = {
            "format_version": FORMAT_VERSION,
            "kind": kind,
            "settings": dict(model.settings()),
            "labels": list(LABELS),
            "inputs": list(model.inputs),
            "seed": seed,
            "data_fingerprint": data_fingerprint,
            "versions": {"python": platform.python_version(), **library_versions()},
            "files": _file_list(temporary),
        }
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        for path in temporary.rglob("*"):
            if path.is_file():
                _flush(path)
        temporary.chmod(0o755)
        if directory.is_dir():
            directory.rmdir()
        temporary.rename(directory)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            raise ModelError(f"{directory}: cannot be written: {error.strerror or error}.") from None
        raise
    return read_manifest(directory)


def require_target(directory: Path) -> None:
    """Raises ModelError when a model directory cannot be written there: in use, inside another one, or not writable."""
    try:
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise ModelError(
                f"{directory}: expected a new or empty directory, found one in use. Choose another with -o."
            )
        if _model_around(directory) is not None:
            raise ModelError(
                f"{directory}: lies inside a model directory, which would be spoilt. Choose another with -o."
            )
        directory.absolute().parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryDirectory(dir=directory.absolute().parent).cleanup()
    except OSError as error:
        raise ModelError(
            f"{directory}: cannot be written: {error.strerror or error}. Choose another with -o."
        ) from None


def check_outside(output: Path) -> None:
    """Raises ModelError for a file in a model directory: with one more it is no longer what was saved."""
    if (folder := _model_around(output)) is not None:
        raise ModelError(
            f"{output}: lies inside the model directory {folder.name}, which would be spoilt. Name another place."
        )


def _model_around(place: Path) -> Path | None:
    """The model directory that a place lies in."""
    folders = (folder for folder in place.resolve().parents if (folder / MANIFEST).is_file())
    return next((folder for folder in folders if (folder / WEIGHTS).is_dir()), None)


def load_model(directory: Path, *, precision: str = "auto", device: str = "auto") -> tuple[Model, Manifest]:
    """Verify every file of a model directory, then load it. Raises ModelError naming the first thing that is wrong."""
    from safetensors import SafetensorError

    manifest = read_manifest(directory)
    verify(directory, manifest)
    try:
        model = load_kind(manifest.kind, directory / WEIGHTS, manifest.settings, precision=precision, device=device)
    except (TypeError, LookupError, ValueError, AttributeError, OSError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{directory}: the {manifest.kind} model cannot be rebuilt: {error}") from None
    if tuple(model.inputs) != manifest.inputs or not {*manifest.inputs} <= {*get_args(InputField)}:
        raise ModelError(
            f"{directory}: expected one list of fields that the model reads, found {', '.join(manifest.inputs)} and "
            f"{', '.join(model.inputs)}."
        )
    return model, manifest


def read_manifest(directory: Path) -> Manifest:
    """Read and check the manifest. Raises ModelError when it is absent, malformed, or of a newer format."""
    path = directory / MANIFEST
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        where = "in this folder" if directory.is_dir() else "as there is no such folder"
        raise ModelError(f"{directory}: expected a model directory with {MANIFEST}, found none {where}.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: cannot be read: {error}.") from None
    try:
        if data["format_version"] > FORMAT_VERSION:
            raise ModelError(
                f"{directory}: format {data['format_version']} is newer than {FORMAT_VERSION}, the newest that "
                f"claimsieve {__version__} reads. Upgrade claimsieve."
            )
        if tuple(data["labels"]) != LABELS:
            raise ModelError(f"{directory}: expected the labels {', '.join(LABELS)}, found {data['labels']}.")
        files = {str(name): {"sha256": str(e["sha256"]), "bytes": int(e["bytes"])} for name, e in data["files"].items()}
        return Manifest(
            kind=str(data["kind"]),
            settings=dict(data["settings"]),
            inputs=tuple(data["inputs"]),
            data_fingerprint=str(data["data_fingerprint"]),
            seed=int(data["seed"]),
            fingerprint=sha256_of(path),
            files=files,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelError(f"{path}: not a manifest: {type(error).__name__} {error}.") from None


def verify(directory: Path, manifest: Manifest) -> None:
    """Every listed file is there, unchanged and of a safe kind, and nothing else is. Raises ModelError."""
    for name, entry in manifest.files.items():
        try:
            _verify_file(directory, name, entry)
        except (OSError, RuntimeError, ValueError) as error:  # links in a ring, a name that no file can have
            raise ModelError(f"{directory}: the manifest names {name!r:.80}, which cannot be read: {error}") from None
    for path in directory.rglob("*"):
        name = path.relative_to(directory).as_posix()
        if path.is_symlink():
            raise ModelError(f"{directory}: '{name}' is a link; a model directory holds plain files only.")
        if path.is_file() and name != MANIFEST:
            if path.suffix not in _SAFE_SUFFIXES:
                raise ModelError(f"{directory}: '{name}' is of a kind that is never read (pickle hides in such files).")
            if name not in manifest.files:
                raise ModelError(f"{directory}: '{name}' is not in the manifest. Remove it.")


def _verify_file(directory: Path, name: str, entry: Mapping[str, Any]) -> None:
    pure, path = PurePosixPath(name), directory / name
    outside = pure.is_absolute() or ".." in pure.parts or "\0" in name
    if outside or not path.resolve().is_relative_to(directory.resolve()):
        raise ModelError(f"{directory}: the manifest names '{name}', which lies outside the model directory.")
    if not path.is_file():
        raise ModelError(f"{directory}: expected '{name}', found nothing. Copy the model directory again, whole.")
    if path.stat().st_size != entry["bytes"] or sha256_of(path) != entry["sha256"]:
        raise ModelError(f"{directory}: '{name}' is not what was saved (SHA-256 differs). Copy it again, or retrain.")


def _file_list(directory: Path) -> dict[str, dict[str, Any]]:
    return {
        path.relative_to(directory).as_posix(): {"sha256": sha256_of(path), "bytes": path.stat().st_size}
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def library_versions() -> dict[str, str]:
    """Name → version of the libraries that a model's numbers hang on."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _flush(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
