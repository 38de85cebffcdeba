"""A training that starts from a model directory of ours, and what that model has met."""

from pathlib import Path

from claimsieve.data.lineage import LINEAGE, Lineage, read
from claimsieve.errors import ModelError
from claimsieve.models.artifacts import read_manifest, verify
from claimsieve.models.checkpoints import DEFAULT, model_directory
from claimsieve.settings import AnyModel

_KINDS = ("encoder", "two_axis")


def met_before(model: AnyModel) -> Lineage:
    """The claims of the model that this one starts from, by split; none where it starts from another checkpoint.

    Raises ModelError when the model directory is not as it was saved, holds another kind, or does not say what it met.
    """
    checkpoint = getattr(model, "checkpoint", DEFAULT)
    directory = None if checkpoint == DEFAULT else model_directory(Path(checkpoint))
    return {} if directory is None else read_lineage(directory)


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
