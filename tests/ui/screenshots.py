"""The pictures of docs/compare.md, of real runs: python tests/ui/screenshots.py docs/images

Trains the three kinds on the starter corpus, and one with three seeds, compares them, and photographs the MLflow UI.
It takes minutes, and needs a Chromium.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from driving import (
    BROWSER_OPTIONS,
    CLOSE_ASSISTANT,
    compare,
    open_artifact,
    open_table,
    row_of,
    rows,
    scroll_to_metric,
    search,
    served,
)
from PIL import Image

from claimsieve.tracking.store import client as new_client
from claimsieve.tracking.views import NEWEST_FIRST, view_url

MAX_BYTES = 200_000
WIDTH, HEIGHT = 1280, 800
SINGLE = ("starter-tfidf", "starter-static", "starter-encoder")
EXPERIMENT = "starter"
TRAINING = (
    """localStorage.setItem("mlflow.workflowType_v1", '"machine_learning"');"""  # what the switch at the top keeps
)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="claimsieve-") as work:
        environment = {"MLFLOW_TRACKING_URI": f"sqlite:///{work}/mlflow.db", "MLFLOW_DISABLE_TELEMETRY": "true"}
        for config in SINGLE:
            _train(config, f"runs/{config}", work=work, environment=environment)
        seeds = ("--set", "seeds=[0, 1, 2]", "--set", "name=three-seeds")
        _train("starter-static", "runs/three-seeds", *seeds, work=work, environment=environment)
        names, experiment_id = _runs(environment["MLFLOW_TRACKING_URI"])
        _claimsieve("compare", *names[: len(SINGLE)], work=work, environment=environment)
        with served(["claimsieve", "ui"], folder=Path(work), environment=environment) as server:
            _photograph(server.url, experiment_id, names, folder)


def _photograph(server: str, experiment_id: str, names: Sequence[str], folder: Path) -> None:
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER_OPTIONS)
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
        context.add_init_script(CLOSE_ASSISTANT + TRAINING)
        page = context.new_page()
        best_first = view_url(server, experiment_id)

        def shoot(name: str, ready: Callable[[], None] = lambda: None) -> None:
            ready()
            page.mouse.move(WIDTH - 1, HEIGHT - 1)  # no row under the pointer
            page.wait_for_timeout(1500)  # until charts and folds have come to rest
            _save(page.screenshot(), folder / f"{name}.png")

        open_table(page, best_first)
        shoot("table")
        search(page, 'metrics."test/macro_f1" > 0.4 and tags.kind != "tfidf"')
        shoot("search", lambda: page.get_by_text(re.compile("matching run")).wait_for())
        open_table(page, view_url(server, experiment_id, view=NEWEST_FIRST))
        row_of(page, names[len(SINGLE)]).locator("button").first.click()
        shoot("seeds", lambda: expect(rows(page)).to_have_count(len(SINGLE) + 4))
        page.goto(view_url(server, experiment_id, charts=True))
        shoot("charts", lambda: page.locator(".bars path").first.wait_for())
        open_table(page, best_first)
        compare(page, names[: len(SINGLE)])
        page.get_by_role("button", name="Visualizations").click()  # folds it
        page.get_by_role("button", name="Parameters").click()
        shoot("compare", lambda: scroll_to_metric(page, "test/macro_f1"))
        for artifact, picture in (("reliability.png", "reliability"), ("report.html", "report")):
            open_table(page, best_first)
            page.get_by_role("link", name=names[len(SINGLE) - 1], exact=True).click()
            open_artifact(page, artifact)
            shoot(picture)
        browser.close()


def _train(config: str, directory: str, *more: str, work: str, environment: dict[str, str]) -> None:
    where = ("--set", f"tracking.experiment={EXPERIMENT}", "-o", directory)
    _claimsieve("train", config, *where, *more, work=work, environment=environment)


def _claimsieve(*words: str, work: str, environment: dict[str, str]) -> None:
    print("claimsieve", *words, flush=True)
    subprocess.run(
        [sys.executable, "-m", "claimsieve", *words], cwd=work, env={**os.environ, **environment}, check=True
    )


def _runs(uri: str) -> tuple[list[str], str]:
    """Names of the single runs and then of the parent, and the experiment's id."""
    client = new_client(uri)
    experiment_id = client.get_experiment_by_name(EXPERIMENT).experiment_id
    found = client.search_runs([experiment_id], order_by=["start_time ASC"])
    tops = [run.info.run_name for run in found if "mlflow.parentRunId" not in run.data.tags]
    return tops, experiment_id


def _save(png: bytes, path: Path) -> None:
    """With 256 colours, which a page of text and bars hardly exceeds."""
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise SystemExit(f"{path}: expected at most {MAX_BYTES:,} bytes, found {size:,}")
    print(path, f"{size:,} bytes", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
