"""MLflow: the only package that imports it. A tracking store that fails never costs a trained model.

A run is first written to disk (record.py), then sent (delivery.py), while it goes on and at its end; what could not be
sent waits beside the model for `claimsieve track sync` (sync.py).
"""

from claimsieve.tracking.run import TrackedRun
from claimsieve.tracking.served import _load_pyfunc
from claimsieve.tracking.start import (
    described_parts,
    example,
    flattened,
    parent_is_open,
    start_parent,
    start_run,
)
from claimsieve.tracking.store import DEFAULT_URI, is_server, shown_uri, tracking_uri
from claimsieve.tracking.ui import run_tables, serve_ui

__all__ = [
    "DEFAULT_URI",
    "TrackedRun",
    "_load_pyfunc",  # models that were logged by 0.1.0 name this module as their loader
    "described_parts",
    "example",
    "flattened",
    "is_server",
    "parent_is_open",
    "run_tables",
    "serve_ui",
    "shown_uri",
    "start_parent",
    "start_run",
    "tracking_uri",
]
