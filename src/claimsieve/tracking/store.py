"""Which tracking store, and a client for it that does not wait for minutes when the store is gone."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from claimsieve.errors import ClaimsieveError, TrackingError

DEFAULT_URI = "sqlite:///mlflow.db"
_MAX_NAME_CHARACTERS = 250
_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/)(?!:memory:)([^?]+)(.*)")
_REQUEST = re.compile(r"API request to \w+://[^/\s]+(/\S*)")
_NO_ANSWER = "Is the server running? MLFLOW_TRACKING_URI says where it is."
_PASSWORD = re.compile(r"//[^/@\s]+@")


def tracking_uri(configured: str | None = None) -> str:
    """The config's own, else MLFLOW_TRACKING_URI, else a SQLite file in the working directory."""
    return configured or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def lasting_uri(uri: str) -> str:
    """The same store, named so that it is found from any working directory."""
    found = _SQLITE.fullmatch(uri)
    return f"{found[1]}{Path(found[2]).absolute()}{found[3]}" if found else uri


def is_server(uri: str) -> bool:
    """Whether the store is an MLflow server, which has a UI of its own."""
    return uri.startswith(("http://", "https://"))


def shown_uri(text: str) -> str:
    """A URI, or a message that holds one, without user and password."""
    return _PASSWORD.sub("//", text)


def safe_name(name: str) -> str:
    """A name for a metric or a parameter that MLflow does not refuse: an event of a corpus may be called anything."""
    parts = re.sub(r"[^\w.\- :/]", "_", name)[:_MAX_NAME_CHARACTERS].split("/")
    return "/".join(re.sub(r"^\.\.+|^\.$", "_", part) for part in parts if part) or "_"


def client(uri: str) -> Any:
    """An MlflowClient for the store. Nothing is sent yet, except that a SQLite file is made when there is none."""
    # MLflow's own patience with a dead server is several minutes, and its retries repeat requests that a slow server
    # may have carried out; what we send again, we look for first (delivery.py).
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # which --json has for itself
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    return mlflow.MlflowClient(uri)


@contextmanager
def store_errors(uri: str, *, advice: bool = True) -> Iterator[None]:
    """Whatever MLflow, its database or the network raises within the block is one TrackingError of one line.

    advice: tell what to look at when a server does not answer; not for one that a record names.
    """
    try:
        yield
    except ClaimsieveError:
        raise
    except Exception as error:  # MLflow documents no list of what it raises
        next_step = f". {_NO_ANSWER}" if advice and is_server(uri) and _unanswered(error) else ""
        raise TrackingError(f"{shown_uri(uri)}: {shown_uri(_reason(error))}{next_step}") from error


def _unanswered(error: BaseException | None) -> bool:
    """Whether the network, and not the server, is what failed."""
    from requests import ConnectionError as NoConnection
    from requests import Timeout

    while error is not None:
        if isinstance(error, ConnectionError | TimeoutError | NoConnection | Timeout):
            return True
        error = error.__cause__ or error.__context__
    return False


def _reason(error: BaseException) -> str:
    """What the innermost error says, which outer ones wrap in pages of text, and what the request was for."""
    request = _REQUEST.search(str(error))
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    text = str(error).strip().splitlines()
    what = f"{type(error).__name__}: {text[0][:300] if text else 'no reason given'}"
    return f"{what} ({request[1]})" if request else what
