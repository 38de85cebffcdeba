"""Sides that take turns, medians, the machine, and what a process of its own costs."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_VERSIONS = ("claimsieve", "torch", "transformers", "tokenizers", "sentence-transformers", "onnxruntime")
_MATRIX = 4_096

# One job in a process of its own: seconds to load, seconds to label, peak memory, and the rows.
_JOB = """
import json, resource, sys, time
start = time.perf_counter()
from pathlib import Path
from claimsieve.evaluation.assessment import read_calibration
from claimsieve.inference.predict import Job, predict_file
from claimsieve.models.artifacts import load_model
directory, source, target = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
model, manifest = load_model(directory)
loaded = time.perf_counter()
tally = predict_file(model, Job(source, target, restart=True), calibration=read_calibration(directory))
done = time.perf_counter()
status = Path("/proc/self/status")
# Of this process alone: what getrusage tells on Linux begins with its parent's.
lines = status.read_text().splitlines() if status.exists() else []
high = [line.split()[1] for line in lines if line.startswith("VmHWM")]
peak = int(high[0] if high else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * 1024 / 1e9
told = {"load_seconds": loaded - start, "seconds": done - loaded, "peak_gigabytes": peak, "rows": tally.read}
print(json.dumps(told))
"""


def take_turns(
    sides: Mapping[str, Callable[[], Any]], *, repeats: int, say: Callable[[str], None]
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Seconds of each side, measured one after another in every round, and what each gave last.

    A slow moment of the machine then hits all sides. The first round only warms up and is not kept.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    given: dict[str, Any] = {}
    for repeat in range(repeats + 1):
        for name, run in sides.items():
            start = time.perf_counter()
            given[name] = run()
            if repeat:
                seconds[name].append(time.perf_counter() - start)
                say(f"{repeat} of {repeats}: {name}: {seconds[name][-1]:.2f} s")
    return seconds, given


def spread(values: list[float]) -> dict[str, float]:
    """Median, and the least and greatest value."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def matrix_rate(precision: str) -> float:
    """Operations per second of a large matrix product in this number format, best of five."""
    import torch

    dtype = getattr(torch, precision)
    one, other = torch.ones(_MATRIX, _MATRIX, dtype=dtype), torch.ones(_MATRIX, _MATRIX, dtype=dtype)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        torch.mm(one, other)
        times.append(time.perf_counter() - start)
    return 2.0 * _MATRIX**3 / min(times[1:])


def job_alone(directory: Path, source: Path, target: Path) -> dict[str, float]:
    """A job in a process of its own: load_seconds, seconds, peak_gigabytes, rows."""
    ran = subprocess.run(
        [sys.executable, "-c", _JOB, str(directory), str(source), str(target)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return dict(json.loads(ran.stdout.splitlines()[-1]))


def cold_start(directory: Path, source: Path, target: Path) -> float:
    """Seconds of `claimsieve predict` from the command line, files in the page cache."""
    command = [sys.executable, "-m", "claimsieve", "predict", str(directory), str(source), "-o", str(target), "-q"]
    start = time.perf_counter()
    subprocess.run([*command, "--restart"], check=True, capture_output=True)
    return time.perf_counter() - start


def machine() -> dict[str, Any]:
    """Processor, cores, number formats in hardware, versions."""
    import torch

    file = Path("/proc/cpuinfo")
    flags = file.read_text(encoding="utf-8") if file.exists() else ""
    names = (line.split(":")[1].strip() for line in flags.splitlines() if "model name" in line)
    return {
        "processor": next(names, platform.processor()),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "amx_bfloat16": "amx_bf16" in flags,
        "avx512_bfloat16": "avx512_bf16" in flags,
        "avx512_vnni": "avx512_vnni" in flags,
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in _VERSIONS},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
