"""A real `mlflow server` on loopback that a test can kill and start again."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """SQLite and artifacts in a folder of its own. It keeps its port and its data over a restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.artifacts = folder / "artifacts"
        self.log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        store = ["--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db", "--workers", "1"]
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *store, "--artifacts-destination", str(self.artifacts)],
                cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.log.read_text()
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError(self.log.read_text())

    def kill(self) -> None:
        """SIGKILL for the server and all its workers at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self, frozen: bool) -> None:
        """The server stops answering without closing its port, or answers again."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def fill_disk(self, full: bool) -> None:
        """No file of the server grows any more, its database included; or they may again."""
        import psutil

        assert self._process is not None
        main = psutil.Process(self._process.pid)
        for process in (main, *main.children(recursive=True)):
            _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0 if full else hard, hard))

    def block_artifacts(self, blocked: bool) -> None:
        """A file stands where the artifacts should go, so that none can be written; or the folder is back."""
        aside = self.folder / "artifacts.aside"
        if blocked:
            self.artifacts.mkdir(exist_ok=True)
            self.artifacts.rename(aside)
            self.artifacts.write_text("no folder")
        else:
            self.artifacts.unlink()
            shutil.move(aside, self.artifacts)
