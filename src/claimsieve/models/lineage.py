"""A training that starts from a model directory of ours, and what that model has met."""

from hashlib import sha256
from pathlib import Path

from claimsieve.data.lineage import Lineage, read
from claimsieve.errors import ModelError
from claimsieve.models.artifacts import read_manifest, verify
from claimsieve.models.checkpoints import DEFAULT, LINEAGE, local_directory, model_directory, sha256_of
from claimsieve.settings import AnyModel

_KINDS = ("encoder", "two_axis")


def met_before(model: AnyModel) -> Lineage:
    """The claims of the model that this one starts from, by split; none where it starts from another checkpoint.

    Raises ModelError when the model directory is not as it was saved, holds another kind, or does not say what it met,
    and for a checkpoint that can be none.
    """
    folder = _folder(model)
    directory = None if folder is None else model_directory(folder)
    return {} if directory is None else read_lineage(directory)


def weights_digest(model: AnyModel) -> str | None:
    """SHA-256 of the weights in the folder that a training starts from; None for the default and for Hub ids."""
    folder = _folder(model)
    if folder is None:
        return None
    digests = [f"{path.name} {sha256_of(path)}" for path in sorted(folder.glob("*.safetensors"))]
    return sha256("\n".join(digests).encode()).hexdigest()


def _folder(model: AnyModel) -> Path | None:
    checkpoint = getattr(model, "checkpoint", DEFAULT)
    return None if checkpoint == DEFAULT else local_directory(checkpoint)


def read_lineage(directory: Path) -> Lineage:
    """What a trained model has met. Raises ModelError where it does not say so."""
    manifest = read_manifest(directory)
    if manifest.kind not in _KINDS:
        raise ModelError(f"{directory}: expected a model of kind {' or '.join(_KINDS)}, found {manifest.kind}.")
    verify(directory, manifest)
    path = directory / LINEAGE
    try:
        return read(path.read_bytes())
    except FileNotFoundError:
        raise ModelError(
            f"{directory}: expected {LINEAGE}, by which claims that the model has learnt are kept out of test, found "
            "none: it is of an earlier version. Train it again."
        ) from None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"{path}: cannot be read: {error}. Copy the model directory again, whole.") from None
