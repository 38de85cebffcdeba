"""What runs on each worker of a Ray cluster: one copy of the model, made of the bytes that the driver sent."""

import os
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimsieve.errors import ConfigError, ModelError
from claimsieve.evaluation.calibration import Calibration
from claimsieve.inference.formats import Format
from claimsieve.inference.labelling import Labeller, Part
from claimsieve.inference.memory import Memory
from claimsieve.inference.windows import ItemReader, Window
from claimsieve.models.artifacts import MANIFEST, Manifest, library_versions, load_model
from claimsieve.records import Label


@dataclass(frozen=True, slots=True)
class SentModel:
    """A model directory on its way to the workers. versions: of the libraries that its numbers hang on."""

    files: Mapping[str, NDArray[np.uint8]]
    fingerprint: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker must know of a job to label its windows. memory: entries that an earlier run kept."""

    source: str
    mapping: Mapping[str, str]
    prevalence: Mapping[Label, float] | None
    calibration: Calibration | None
    form: Format
    memory: bytes
    explain: bool
    batch_tokens: int | None


class Worker:
    """A Ray actor that labels windows. Two calls of `label` may run at once; one reads while the other computes."""

    def __init__(self) -> None:
        self._reading, self._computing = Lock(), Lock()

    def open(self, sent: SentModel, precision: str, device: str, work: Work | None = None) -> dict[str, Any]:
        """Load the model, and begin with the work if it is known; what the numbers hang on beside the weights.

        Raises ConfigError when this node has other versions, ModelError when the model cannot be used here.
        """
        # As in cli/__init__.py. Ray sets OMP_NUM_THREADS to the CPUs of this worker; the tokenizer's threads follow it.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        os.environ.setdefault("RAYON_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))
        _check_versions(sent.versions)
        # In the node's own temporary folder, so that no storage needs to be shared; gone once the model is in memory.
        with tempfile.TemporaryDirectory(prefix="claimsieve-", ignore_cleanup_errors=True) as folder:
            for name, content in sent.files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                content.tofile(path)
            self._model, manifest = load_model(Path(folder), precision=precision, device=device)
        if manifest.fingerprint != sent.fingerprint:
            raise ModelError(f"{socket.gethostname()}: expected the model that was sent, found another. Run it again.")
        return self.begin(work) if work is not None else dict(self._model.computed_as())

    def begin(self, work: Work) -> dict[str, Any]:
        """Be ready for windows of this job."""
        model: Any = self._model
        if work.batch_tokens is not None:
            model.batch_tokens = work.batch_tokens
        self._labeller = Labeller(
            model,
            ItemReader(work.source, work.mapping, model.inputs),
            work.form,
            calibration=work.calibration,
            prevalence=work.prevalence,
            memory=Memory.restored(work.memory),
            explain=work.explain,
        )
        return dict(model.computed_as())

    def label(self, window: Window) -> Part:
        """The window's rows, labelled."""
        with self._reading:
            prepared = self._labeller.prepare(window)
            # Taken before the next window may be read: they are computed in the order in which they were read.
            self._computing.acquire()
        try:
            return self._labeller.label(prepared)
        finally:
            self._computing.release()


def sent_model(directory: Path, manifest: Manifest) -> SentModel:
    """A verified model directory as one object."""
    names = [MANIFEST, *manifest.files]
    files = {name: np.fromfile(directory / name, dtype=np.uint8) for name in names}
    return SentModel(files, manifest.fingerprint, library_versions())


def _check_versions(expected: Mapping[str, str]) -> None:
    found = library_versions()
    different = [
        f"{name} {found.get(name, 'not installed')} in place of {expected.get(name, 'none')}"
        for name in dict.fromkeys([*expected, *found])
        if found.get(name) != expected.get(name)
    ]
    if different:
        raise ConfigError(
            f"--engine ray: expected the versions of this machine on every node, found on {socket.gethostname()} "
            f"{', '.join(different)}. Install the same there: pip install -c constraints.txt 'claimsieve[ray]'."
        )
