"""An unfinished training on disk: one safetensors file, replaced whole, so that any stop leaves a good one."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from claimsieve import processes
from claimsieve.errors import TrainingError
from claimsieve.models.step import State


class Checkpoint:
    """The State of one training in a folder of its own, and the id of the tracked run that it belongs to.

    identity: what must be the same for the training to go on (settings, data, seed). resume: keep what is there;
    else it is removed. Of several processes the first writes and removes; all read.
    """

    def __init__(self, folder: Path, *, identity: Mapping[str, Any], resume: bool) -> None:
        self._folder = folder
        self._state, self._run = folder / "state.safetensors", folder / "run.json"
        self._identity = json.loads(json.dumps(dict(identity)))
        self._resume = resume
        self.run_id: str | None = None
        if not resume:
            self.remove()
        elif self._run.is_file():
            try:
                self.run_id = json.loads(self._run.read_text(encoding="utf-8"))["run_id"]
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise TrainingError(f"{self._run}: cannot be read ({error}). Train without --resume.") from None

    def write(self, state: State) -> bool:
        """Replace the saved State. False for a kind that trains in one step: no tensors, nothing to go on from."""
        if not state.tensors or not processes.is_first():
            return False
        from safetensors.torch import save_file

        self._folder.mkdir(parents=True, exist_ok=True)
        # The id first: a State without it would go on as another tracked run.
        run = self._run.with_suffix(".writing")
        run.write_text(json.dumps({"run_id": self.run_id}), encoding="utf-8")
        run.replace(self._run)
        temporary = self._state.with_suffix(".writing")
        metadata = {"values": json.dumps(dict(state.values)), "identity": json.dumps(self._identity)}
        save_file(dict(state.tensors), temporary, metadata=metadata)
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(self._state)
        return True

    def read(self) -> State | None:
        """The saved State, or None. Raises TrainingError naming what differs from the interrupted training."""
        if not self._resume or not self._state.is_file():
            return None
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._state, framework="pt") as stream:
                metadata = stream.metadata() or {}
                tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118  # no mapping
            values, saved = json.loads(metadata["values"]), json.loads(metadata["identity"])
            unknown = sorted(self._identity.keys() - saved.keys())
            changed = [key for key, value in self._identity.items() if saved.get(key) != value]
        except (SafetensorError, OSError, KeyError, ValueError, AttributeError) as error:
            raise TrainingError(f"{self._state}: cannot be read ({error}). Train without --resume.") from None
        if unknown:
            raise TrainingError(
                f"{self._state}: expected a checkpoint that tells its {' and '.join(unknown)}, found one of another "
                "version of claimsieve. Go on with that version, or train without --resume, into another directory."
            )
        if changed:
            raise TrainingError(
                f"{self._state}: the interrupted training had another {' and another '.join(changed)}. "
                "Train without --resume, or into another directory with -o."
            )
        return State(tensors, values)

    def remove(self) -> None:
        """The training is finished, or starts afresh."""
        if not processes.is_first():
            return
        with suppress(OSError):  # of a folder with files of somebody else, those stay, and so does it
            for path in (self._state, self._run):
                path.unlink(missing_ok=True)
                path.with_suffix(".writing").unlink(missing_ok=True)
            self._folder.rmdir()
