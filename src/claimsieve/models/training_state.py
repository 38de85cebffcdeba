"""A training's state on disk: one safetensors file, replaced whole, so that a stop at any moment leaves a good one."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claimsieve.errors import TrainingError
from claimsieve.models.step import State


def write_state(state: State, path: Path, *, identity: Mapping[str, Any]) -> None:
    """Write atomically. identity: what must be the same for the training to go on (config, data, seed)."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.writing")
    metadata = {"values": json.dumps(dict(state.values)), "identity": json.dumps(dict(identity), sort_keys=True)}
    save_file(dict(state.tensors), temporary, metadata=metadata)
    with temporary.open("rb") as stream:
        os.fsync(stream.fileno())
    temporary.replace(path)


def read_state(path: Path, *, identity: Mapping[str, Any]) -> State | None:
    """The state, or None when there is none. Raises TrainingError naming what differs from the interrupted training."""
    if not path.is_file():
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as stream:
            metadata = stream.metadata() or {}
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118  # no mapping
        values, saved = json.loads(metadata["values"]), json.loads(metadata["identity"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise TrainingError(f"{path}: cannot be read ({error}). Remove it to train from the start.") from None
    now = json.loads(json.dumps(dict(identity)))
    changed = [key for key in now if saved.get(key) != now[key]]
    if changed:
        raise TrainingError(
            f"{path}: the interrupted training had another {', '.join(changed)}. "
            "Train without --resume, or into another directory with -o."
        )
    return State(tensors, values)
