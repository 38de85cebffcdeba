"""Several processes that train one model: who is who, and what they tell one another.

`torchrun` starts them and says to each who it is, in its environment. Each computes its share of the rows of every
batch, and sums over all of them make the step that one process alone would have taken. Only the first writes anything.
"""

import atexit
import hashlib
import os
import re
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from claimsieve.errors import ConfigError, TrainingError

if TYPE_CHECKING:
    import numpy as np
    import torch

Rows = TypeVar("Rows", bound="Sequence[object] | np.ndarray")

# A process that ends closes its connections, which the others see at once; this is for a machine that vanishes. Long,
# as between two seeds the others wait while the first measures the model on test.
_TIMEOUT = timedelta(hours=12)


def count() -> int:
    """How many processes train together; 1 for a process that was started alone."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def place() -> int:
    """This process among them, from 0."""
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Whether this process writes files, logs and messages."""
    return place() == 0


def check_launch(command: str | None) -> None:
    """Raises ConfigError for a command that several processes would all run, and for one that ought to be several."""
    if count() > 1 and command != "train":
        raise ConfigError(f"claimsieve {command}: expected one process, found {count()}. Only train runs in several.")
    by_accelerate = os.environ.get("ACCELERATE_USE_CPU") == "True" and "MASTER_ADDR" in os.environ
    if by_accelerate and "WORLD_SIZE" not in os.environ:
        raise ConfigError(
            "expected several processes, found one: accelerate launch --cpu starts no more without MPI. "
            "Use torchrun: torchrun --standalone --nproc-per-node 2 -m claimsieve train ..."
        )


def share(rows: Rows) -> Rows:
    """Every count()-th of the rows, beginning at our place; rows in order of length make shares of like length."""
    return rows[place() :: count()]  # type: ignore[return-value]


def join(device: "torch.device") -> "torch.device":
    """Meet the other processes, unless we are alone or have met. Returns the device that is this process's own."""
    if count() == 1:
        return device
    import torch
    from torch import distributed

    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if not distributed.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        try:
            distributed.init_process_group(backend, timeout=_TIMEOUT)
        except (RuntimeError, ValueError) as error:
            raise _lost(error) from None
        atexit.register(distributed.destroy_process_group)
    return device


def leave() -> None:
    """End this process here and now, when it is one of several, not the first, and has done its part.

    On the usual way out the threads that torch leaves behind aborted it now and then (`terminate called without an
    active exception`), and with it the first, which was still measuring the model.
    """
    if count() == 1 or is_first():
        return
    from torch import distributed

    if distributed.is_initialized():
        distributed.destroy_process_group()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, AttributeError):
            stream.flush()
    os._exit(0)


def add_up(*tensors: "torch.Tensor") -> None:
    """Make each tensor the sum of all processes' own, in place. Raises TrainingError when a process is gone."""
    if count() == 1:
        return
    from torch import distributed

    try:
        for work in [distributed.all_reduce(tensor, async_op=True) for tensor in tensors]:
            work.wait()
    except RuntimeError as error:
        raise _lost(error) from None


def add_up_gradients(weights: "Sequence[torch.Tensor]") -> None:
    """Make the gradient of each weight the sum of all processes' own; a weight that none of them used keeps none."""
    if count() == 1:
        return
    import torch

    used = torch.tensor([float(weight.grad is not None) for weight in weights])
    add_up(used)
    common = [weight for weight, users in zip(weights, used.tolist(), strict=True) if users]
    for weight in common:
        if weight.grad is None:  # too few rows for us to have one
            weight.grad = torch.zeros_like(weight)
    add_up(*(weight.grad for weight in common if weight.grad is not None))


def anyone(flag: bool) -> bool:
    """Whether it is so for any of the processes."""
    if count() == 1:
        return flag
    import torch

    flags = torch.tensor([float(flag)])
    add_up(flags)
    return bool(flags.item())


def gathered(own: "np.ndarray", *, rows: int) -> "np.ndarray":
    """What all processes computed of their shares, in the order of the rows. Shape: (rows, ...)"""
    if count() == 1:
        return own
    import torch

    whole = torch.zeros((rows, *own.shape[1:]), dtype=torch.float64)
    whole[place() :: count()] = torch.from_numpy(own)
    add_up(whole)
    return whole.numpy()


def require_same(parts: Iterable[bytes]) -> None:
    """Raises TrainingError when the processes are not about to train on the same rows from the same checkpoint."""
    if count() == 1:
        return
    import torch

    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    mine = torch.frombuffer(bytearray(digest.digest()), dtype=torch.uint8).double()
    everyones = mine.clone()
    add_up(everyones)
    if anyone(not torch.equal(everyones, mine * count())):
        raise TrainingError(
            f"expected {count()} processes with the same data, settings and checkpoint, found different ones. "
            "They need the same files: corpora, config, and with --resume the same disk."
        )


def _lost(error: Exception) -> TrainingError:
    with suppress(ValueError):  # outside the main thread
        # The launcher is about to end us too, with SIGTERM and SIGKILL half a minute later: time to say why.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # '[/.../pair.cc:537] Connection reset by peer. This is typically ...'
    reason = re.sub(r"^\[[^\]]*\] ", "", str(error)).partition(". ")[0].partition("\n")[0] or type(error).__name__
    return TrainingError(
        f"expected {count()} processes until the end, lost one ({reason}). The same launch with --resume goes on from "
        "the last checkpoint."
    )
