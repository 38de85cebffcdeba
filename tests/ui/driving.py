"""Start an MLflow server as a user would, and use its pages as a user would."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote
from urllib.request import urlopen

START_SECONDS = 240
WAIT_SECONDS = 120  # the first page of MLflow is large, and two cores may be busy with something else
BROWSER_OPTIONS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
# The assistant opens over the page the first time a browser sees MLflow; a user closes it once.
CLOSE_ASSISTANT = """
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
"""
_ROWS = ".ag-pinned-left-cols-container [role=row]"
_READ_NAMES = """rows => rows
    .sort((one, other) => one.getAttribute("row-index") - other.getAttribute("row-index"))
    .map(row => row.querySelector("[col-id='attributes.`Run Name`'] a").textContent)"""
_READ_HEADERS = """cells => cells
    .sort((one, other) => one.getBoundingClientRect().x - other.getBoundingClientRect().x)
    .map(cell => cell.innerText.trim())"""
_METRIC_LINKS = "a[title='Plot chart']"
_READ_METRICS = """grid => {
    const frame = grid.getBoundingClientRect();
    const inSight = ({top, bottom}) => top >= frame.top && bottom <= frame.bottom;
    const links = [...grid.querySelectorAll("a[title='Plot chart']")];
    return links.filter(link => inSight(link.getBoundingClientRect())).map(link => [link.textContent, link.href]);
}"""
# MLflow draws only rows near by, and its column of names is one scroll behind that of the values: so one pixel back.
_SCROLL = """async grid => {
    const body = [...grid.parentElement.parentElement.querySelectorAll(".ReactVirtualized__Grid")].at(-1);
    const end = body.scrollTop + body.clientHeight >= body.scrollHeight - 1;
    for (const pixels of [body.clientHeight / 2, -1]) {
        body.scrollTop += pixels;
        for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
    }
    return end;
}"""


@dataclass(frozen=True)
class Server:
    """Where it answers, and the file that takes what it prints."""

    url: str
    log: Path

    def printed(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def served(command: Sequence[str], *, folder: Path, environment: dict[str, str]) -> Iterator[Server]:
    """Run `python -m COMMAND --port N` in a folder until the block ends, then end it as Ctrl-C does."""
    port = _free_port()
    server = Server(f"http://127.0.0.1:{port}", folder / f"server-{port}.log")
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, "--port", str(port)],
            cwd=folder,
            env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_healthy(server, process)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):  # what is left of it, when Ctrl-C did not end everything
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def open_table(page, url: str) -> None:
    """Open a link to a run table and wait for its rows. The page may hold the one of another experiment."""
    page.goto("about:blank")  # else a change behind the # loads nothing anew
    page.goto(url)
    rows(page).first.wait_for()


def rows(page):
    """The rows of the table in sight."""
    return page.locator(_ROWS)


def run_names(page) -> list[str]:
    """The runs of the table from top to bottom."""
    return rows(page).evaluate_all(_READ_NAMES)


def column_names(page) -> list[str]:
    """The headers in sight from left to right."""
    return page.locator(".ag-header-cell[col-id]").evaluate_all(_READ_HEADERS)


def row_of(page, name: str):
    """The row of a run: its checkbox, its name and what unfolds it."""
    return rows(page).filter(has=page.get_by_role("link", name=name, exact=True))


def search(page, query: str) -> None:
    """Type a search and press Enter."""
    box = page.get_by_test_id("search-box")
    box.fill(query)
    box.press("Enter")


def compare(page, names: Sequence[str]) -> None:
    """Tick the runs and press Compare."""
    for name in names:
        row_of(page, name).locator("input.ag-checkbox-input").check()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_text(f"Comparing {len(names)} Runs").wait_for()


def compared_metrics(page) -> dict[str, set[str]]:
    """Of the compare page: metric → ids of the runs that have it."""
    found: dict[str, set[str]] = {}
    for links in _metric_links(page):
        found |= {name: _runs_in(link) for name, link in links}
    return found


def scroll_to_metric(page, name: str) -> None:
    """Until the compare page shows a metric."""
    for links in _metric_links(page):
        if name in dict(links):
            return


def _metric_links(page) -> Iterator[list[tuple[str, str]]]:
    """Text and address of the metrics in sight, then of those further down, to the end."""
    page.locator(_METRIC_LINKS).first.wait_for()
    grid = page.locator(".ReactVirtualized__Grid").filter(has=page.locator(_METRIC_LINKS)).first
    end = False
    while not end:
        yield grid.evaluate(_READ_METRICS)
        end = grid.evaluate(_SCROLL)


def open_artifact(page, name: str) -> None:
    """From a run's page: the tab Artifacts, then a file of the tree."""
    page.get_by_role("tab", name="Artifacts").click()
    page.locator(f"[artifact-name='{name}']").click()
    page.get_by_text(f"/artifacts/{name}").wait_for()


def _runs_in(link: str) -> set[str]:
    listed = unquote(link).split("runs=")[1]
    return set(json.loads(listed[: listed.index("]") + 1]))


def _wait_until_healthy(server: Server, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), urlopen(f"{server.url}/health", timeout=5):
            return
        time.sleep(0.1)
    raise AssertionError(f"{server.url} did not start (exit code {process.poll()}):\n{server.printed()[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
