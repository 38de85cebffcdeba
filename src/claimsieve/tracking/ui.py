"""The MLflow UI as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress

from claimsieve.errors import TrackingError
from claimsieve.tracking.store import client, store_errors
from claimsieve.tracking.views import experiment_links

_PATIENCE_SECONDS = 5.0


def run_tables(uri: str, *, server: str) -> dict[str, str]:
    """Experiment → the link to its runs in our view of them. Raises TrackingError when the store cannot be read.

    server: as the browser reaches it, such as http://127.0.0.1:5000.
    """
    with store_errors(uri):
        return experiment_links(client(uri), server)


def serve_ui(*, uri: str, port: int) -> int:
    """Run the MLflow UI on this machine's loopback address until Ctrl-C or SIGTERM; returns its exit code.

    Raises TrackingError when the port is taken. The server's workers end with it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise TrackingError(f"port {port}: cannot be used: {error.strerror}. Choose another: --port N") from None
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "ui",
        "--backend-store-uri",
        uri,
        "--host",
        "127.0.0.1",
        "--workers",
        "1",
    ]
    # Its job workers judge the answers of chat agents: seven processes more that nothing here uses.
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment = {**quiet, **os.environ}
    server = subprocess.Popen([*command, "--port", str(port)], start_new_session=True, env=environment)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the group below has to end first
    try:
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                server.wait(_PATIENCE_SECONDS)
            os.killpg(server.pid, signal.SIGKILL)  # a worker that waits for an open page
