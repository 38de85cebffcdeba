"""A real browser, and servers over a store of tiny real runs."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest
from driving import BROWSER_OPTIONS, CLOSE_ASSISTANT, WAIT_SECONDS, Server, served

from claimsieve import config as configs
from claimsieve.runner import run_experiment
from claimsieve.settings import RunConfig
from claimsieve.tracking.store import client as new_client

EXPERIMENT = "planted"
BOTH = ("claim", "evidence")
TFIDF = {"kind": "tfidf"}


@dataclass(frozen=True)
class Store:
    """A tracking store with one experiment.

    experiment_id: MLflow's. runs: by name, as MLflow tells of them. parent: the name of the run that has parts.
    """

    uri: str
    folder: Path
    experiment_id: str
    runs: dict[str, object]
    parent: str
    parts: frozenset[str]

    def macro_f1(self, name: str) -> float:
        return self.runs[name].data.metrics["test/macro_f1"]


@pytest.fixture(scope="module")
def chromium() -> str:
    """The path of a Chromium. Without one the tests are skipped, but fail where CLAIMSIEVE_REQUIRE_BROWSER=1."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        _without("there is no chromium on PATH. Debian has it: apt-get install chromium")
    return found


@pytest.fixture(scope="module")
def browser(chromium: str):
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _without("Playwright is missing. Install it: pip install 'claimsieve[test]'")
    # For this module alone: while it is open, its event loop is in the way of asyncio.run elsewhere.
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=BROWSER_OPTIONS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core, which looks for what keeps people from using a page."""
    if find_spec("axe_playwright_python") is None:
        _without("axe is missing. Install it: pip install 'claimsieve[test]'")
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def planted_config(planted_claims: Path):
    """A config on the planted claims."""

    def make(name: str, *, uri: str, experiment: str = EXPERIMENT, inputs=BOTH, model=TFIDF, seeds=(0,)) -> RunConfig:
        split = {"by": "group", "train": 0.6, "valid": 0.1, "calibration": 0.1, "test": 0.2}
        document = {
            "name": name,
            "data": {"corpora": [{"file": str(planted_claims)}], "split": split, "inputs": list(inputs)},
            "model": dict(model),
            "training": {"epochs": 8, "batch_tokens": 256, "learning_rate": 1e-2, "precision": "float32"},
            "evaluation": {"resamples": 100},
            "tracking": {"uri": uri, "experiment": experiment},
            "seeds": list(seeds),
        }
        return configs.validate(document, place=name)

    return make


@pytest.fixture(scope="module")
def store(chromium, planted_config, tiny_checkpoint, tmp_path_factory) -> Store:
    """Two kinds of model that read the planted evidence, one that does not, and one with two seeds."""
    folder = tmp_path_factory.mktemp("store")
    uri = f"sqlite:///{folder}/mlflow.db"
    static = {"kind": "static", "checkpoint": str(tiny_checkpoint), "dimensions": 16}
    plans = (
        planted_config("words", uri=uri),
        planted_config("vectors", uri=uri, model=static),
        planted_config("blind", uri=uri, inputs=["claim"]),
        planted_config("seeds", uri=uri, seeds=[0, 1]),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # MLflow puts artifacts where it is started
        for config in plans:
            failures = [result.tracking_failure for result in run_experiment(config, folder / "models" / config.name)]
            assert not any(failures), failures
    client = new_client(uri)
    experiment_id = client.get_experiment_by_name(EXPERIMENT).experiment_id
    runs = {run.info.run_name: run for run in client.search_runs([experiment_id])}
    parts = {name: run.data.tags.get("mlflow.parentRunId") for name, run in runs.items()}
    (parent_id,) = set(parts.values()) - {None}
    (parent,) = [name for name, run in runs.items() if run.info.run_id == parent_id]
    return Store(uri, folder, experiment_id, runs, parent, frozenset(name for name, of in parts.items() if of))


@pytest.fixture(scope="module", params=["claimsieve ui", "mlflow server"])
def server(request, store: Store) -> Iterator[Server]:
    environment = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_TRACKING_URI": store.uri}
    command = ["claimsieve", "ui"]
    if request.param == "mlflow server":
        command = ["mlflow", "server", "--backend-store-uri", store.uri, "--workers", "1"]
        environment = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with served(command, folder=store.folder, environment=environment) as running:
        yield running


@pytest.fixture(scope="module")
def context(browser):
    """A browser that never saw this MLflow; what it keeps of it makes the later pages load sooner."""
    opened = browser.new_context(viewport={"width": 1280, "height": 800})
    opened.add_init_script(CLOSE_ASSISTANT)
    opened.set_default_timeout(WAIT_SECONDS * 1000)
    yield opened
    opened.close()


@pytest.fixture
def page(context, tmp_path: Path):  # tmp_path takes a picture of it, should the test fail
    """A page. While it is open, nothing may be asked of another machine."""
    opened = context.new_page()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    yield opened
    opened.close()
    elsewhere = [url for url in asked if not url.startswith(("http://127.0.0.1:", "blob:", "data:", "about:"))]
    assert not elsewhere, f"the page asked another machine: {elsewhere}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A failed test leaves a picture of its page."""
    report = yield
    if report.when == "call" and report.failed and "page" in item.funcargs:
        shown, picture = item.funcargs["page"], item.funcargs["tmp_path"] / "page.png"
        with suppress(Exception):  # the browser itself may be what failed
            shown.screenshot(path=picture)
            report.sections.append(("the page", f"{shown.url}\n{picture}"))
    return report


def _without(reason: str) -> NoReturn:
    if os.environ.get("CLAIMSIEVE_REQUIRE_BROWSER") == "1":
        pytest.fail(f"CLAIMSIEVE_REQUIRE_BROWSER is 1, and {reason}")
    pytest.skip(reason)
