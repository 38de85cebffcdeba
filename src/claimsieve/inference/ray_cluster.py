"""The way to a Ray cluster, quietly."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from threading import current_thread
from typing import Any, TextIO, cast

from claimsieve.errors import ConfigError, MissingPackageError

_REACHED_WITHIN_SECONDS = 5


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Ray, connected to a cluster as long as the block lasts; one that was connected before stays so.

    address: HOST:PORT, ray://HOST:PORT, 'auto' for the cluster that this machine belongs to; None is as in
    predict_on_ray. Raises MissingPackageError without Ray, ConfigError where no cluster answers.
    """
    address = address or os.environ.get("RAY_ADDRESS")
    ray = _ray(address)
    if ray.is_initialized():
        yield ray
        return
    if address is not None and address != "auto":
        _check_listening(address)
    try:
        ray.init(address=address, logging_level="ERROR", log_to_driver=False, **_LOCAL if address is None else {})
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, ray.exceptions.RayError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise ConfigError(f"{_found_none(address)}: {reason:.200}. {_START}") from None
    try:
        with nullcontext() if sys.stdout is None else redirect_stdout(cast(TextIO, _WithoutRay(sys.stdout))):
            yield ray
    finally:
        ray.shutdown()


class _WithoutRay:
    """A stdout without what Ray's own threads print there: it may be the output."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return len(text) if current_thread().name.startswith("ray_") else self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_START = "Start one with: ray start --head; if it asks for a token, set RAY_AUTH_MODE=token (docs/scale.md)."
_LOCAL = {"include_dashboard": False}


def _found_none(address: str | None) -> str:
    return f"--address {address or 'auto'}: expected a Ray cluster, found none"


def _ray(address: str | None) -> Any:
    # All before the import, which reads them. Nothing is sent to anybody.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else a warning on each machine without a GPU
    if address is not None:
        # Where something else listens, one try of Ray's takes 40 seconds, and it would take twenty.
        os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")
    try:
        import ray
    except ImportError:
        raise MissingPackageError(
            "--engine ray needs Ray, which is not installed: pip install 'claimsieve[ray]'"
        ) from None
    return ray


def _check_listening(address: str) -> None:
    """Fail at once where nobody does, as Ray itself tries for long."""
    host, _, port = address.removeprefix("ray://").rstrip("/").rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError(f"--address {address}: expected HOST:PORT, ray://HOST:PORT or auto.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACHED_WITHIN_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{_found_none(address)}: {reason}. {_START}") from None
