"""How busy the machine is during a long run, under the names that MLflow's UI shows as system metrics."""

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

AFTER_SECONDS = 30.0  # a run that is over by then gets none
EVERY_SECONDS = 10.0


class SystemSampler:
    """Hands processor, memory, disk, network and GPU figures to `take` every few seconds, from a thread of its own.

    take: called with the number of the sample, from 1, and its values. MLflow's own monitor would talk to the server
    from its thread and wait for a dead one; this one only measures, and a machine that cannot be measured is left be.
    """

    def __init__(
        self,
        take: Callable[[int, Mapping[str, float]], None],
        *,
        after_seconds: float = AFTER_SECONDS,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._take = take
        self._after, self._every = after_seconds, every_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="system-metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when nothing more is handed over."""
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        if self._over.wait(self._after):
            return
        try:
            monitors = _monitors()
            number = 0
            while not self._over.wait(self._every):
                number += 1
                self._take(number, _measured(monitors))
        except Exception:  # psutil and the drivers raise what they like; a training does not end over it
            logging.getLogger(__name__).debug("system metrics end here", exc_info=True)


def _monitors() -> list[Any]:
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
    from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
    from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

    kinds: list[Any] = [CPUMonitor, DiskMonitor, NetworkMonitor, GPUMonitor]
    monitors = []
    for kind in kinds:
        with suppress(ImportError, RuntimeError):  # no GPU, or nvidia-ml-py is not installed
            monitors.append(kind())
    _measured(monitors)  # the processor's share is measured since the call before
    return monitors


def _measured(monitors: list[Any]) -> dict[str, float]:
    values: dict[str, float] = {}
    for monitor in monitors:
        monitor.collect_metrics()
        values |= {f"system/{name}": float(value) for name, value in monitor.aggregate_metrics().items()}
        monitor.clear_metrics()
    return values
