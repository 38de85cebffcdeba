"""Which number format to compute in: bfloat16 where the processor is measured to be quicker with it."""

import os
import time
from functools import cache

import torch

from claimsieve.errors import ConfigError

_WORTH_IT = 1.3  # below this, the rounding of bfloat16 buys nothing
_LEAST_SECONDS = 0.2


def choose_device(requested: str) -> torch.device:
    """'auto' is CUDA where there is one. Raises ConfigError when CUDA is asked for and absent."""
    # oneDNN, and torch above it, keep what they prepared for each shape of batch, by default for 1,024 shapes:
    # gigabytes, and slower.
    for kept in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(kept, "64")
    if requested == "cuda" and not torch.cuda.is_available():
        raise ConfigError("training.device: expected a CUDA device, found none. Use cpu or auto.")
    if requested == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(requested)


def choose_precision(requested: str, device: torch.device) -> tuple[torch.dtype, str]:
    """The format, and why, in words for the log."""
    if requested != "auto":
        return getattr(torch, requested), "as asked"
    if device.type == "cuda":
        supported = torch.cuda.is_bf16_supported()
        return (torch.bfloat16 if supported else torch.float32), f"CUDA, bfloat16 supported: {supported}"
    ratio = _bfloat16_ratio()
    chosen = torch.bfloat16 if ratio >= _WORTH_IT else torch.float32
    return chosen, f"bfloat16 measured {ratio:.1f} x as quick as float32 in matrix products"


@cache
def _bfloat16_ratio() -> float:
    """Best of products of 512 x 384 by 384 x 1536 in each format, in turns, on the threads in use.

    At least five of each, after one that is not counted, and for at least a fifth of a second: a processor that is busy
    elsewhere for a moment would else get float32, and bfloat16 when the same file is gone on with.
    """
    pairs = {
        dtype: (torch.ones(512, 384, dtype=dtype), torch.ones(384, 1536, dtype=dtype))
        for dtype in (torch.float32, torch.bfloat16)
    }
    times: dict[torch.dtype, list[float]] = {dtype: [] for dtype in pairs}
    begun = time.perf_counter()
    while len(times[torch.bfloat16]) < 6 or time.perf_counter() - begun < _LEAST_SECONDS:
        for dtype, (left, right) in pairs.items():
            start = time.perf_counter()
            torch.mm(left, right)
            times[dtype].append(time.perf_counter() - start)
    return min(times[torch.float32][1:]) / min(times[torch.bfloat16][1:])
