"""How many tokens a batch of the encoder takes at once: measured once for a model on a machine, and kept."""

import hashlib
import json
import os
import platform
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from claimsieve.errors import ClaimsieveError
from claimsieve.inference.journal import identity_of
from claimsieve.inference.predict import Job
from claimsieve.inference.sources import described
from claimsieve.whole_files import write_file

CANDIDATES = (1_024, 2_048, 4_096, 8_192)
CANDIDATES_CUDA = (8_192, 16_384, 32_768, 65_536, 131_072)
WORTH_MEASURING_BYTES = 2_000_000  # of input; below it, measuring takes longer than it saves
_BETTER = 1.02  # by less it is noise
_ROUNDS = 3


def best_batch_tokens(seconds: Callable[[int], float], candidates: tuple[int, ...]) -> int:
    """The candidate with the highest rate, the smallest of those that are as good. Candidates rise.

    seconds: how long a batch of so many tokens takes.
    """
    rates = dict.fromkeys(candidates, 0.0)
    for _ in range(_ROUNDS):  # in turns, so that a slow moment of the machine hits all
        for candidate in candidates:
            rates[candidate] = max(rates[candidate], candidate / seconds(candidate))
    best = candidates[0]
    for candidate in candidates[1:]:
        if rates[candidate] > rates[best] * _BETTER:
            best = candidate
    return best


def settle_batch_tokens(model: Any, job: Job, *, fingerprint: str, requested: int | None = None) -> None:
    """Give an encoder its budget: what is asked for, what an interrupted job had, or for a large input the best here.

    Other kinds have none and are left alone.
    """
    if "batch_tokens" not in model.computed_as():
        return
    if (known := known_batch_tokens(job, requested)) is not None:
        model.batch_tokens = known
    elif sum(file["bytes"] for file in described(job.source, quickly=True)) >= WORTH_MEASURING_BYTES:
        from claimsieve.models.distillation import cache_directory

        model.batch_tokens = measured_batch_tokens(
            model, fingerprint=fingerprint, cache=cache_directory() / "batch-tokens.json"
        )


def known_batch_tokens(job: Job, requested: int | None) -> int | None:
    """The budget that is asked for, or else that an interrupted job had."""
    if requested is not None or job.restart:
        return requested
    try:
        found: Any = (identity_of(Path(job.target)) or {})["model"]["computed"]["batch_tokens"]
    except (KeyError, TypeError):  # also where someone has been at the file
        return None
    return found if isinstance(found, int) and found > 0 else None


def measured_batch_tokens(model: Any, *, fingerprint: str, cache: Path) -> int:
    """The best budget of an encoder here; from the cache where it was measured before.

    model: has `time_batch(tokens) -> seconds` and `computed_as`. cache: a JSON file, made where there is none; one that
    cannot be read or written costs only the measuring.
    """
    computed = {name: value for name, value in model.computed_as().items() if name != "batch_tokens"}
    key = _key({"model": fingerprint, "machine": _machine(), **computed})
    known = _known(cache)
    if key not in known:
        candidates = CANDIDATES_CUDA if computed.get("device") == "cuda" else CANDIDATES
        known[key] = best_batch_tokens(model.time_batch, candidates)
        with suppress(ClaimsieveError):
            write_file(cache, json.dumps(known, indent=1).encode())
    return known[key]


def _machine() -> dict[str, Any]:
    import torch

    name = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor()
    flags = torch.backends.cpu.get_cpu_capability()
    return {"name": name, "node": platform.node(), "cpu": flags, "cores": os.cpu_count(), "torch": torch.__version__,
            "threads": torch.get_num_threads()}  # fmt: skip


def _key(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _known(cache: Path) -> dict[str, int]:
    try:
        found = json.loads(cache.read_text(encoding="utf-8"))
        return {str(key): int(value) for key, value in found.items() if 0 < int(value) <= CANDIDATES_CUDA[-1]}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
