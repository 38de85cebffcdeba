"""What a user of the MLflow UI sees of our runs, in a real Chromium, behind both ways to start the server."""

import pytest
from driving import (
    WAIT_SECONDS,
    column_names,
    compare,
    compared_metrics,
    open_artifact,
    open_table,
    row_of,
    rows,
    run_names,
    search,
)

from claimsieve.runner import run_experiment
from claimsieve.tracking.store import client as new_client
from claimsieve.tracking.views import NEWEST_FIRST, view_url

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves

COLUMNS = ["test/macro_f1", "test/macro_f1_low", "test/macro_f1_high", "probe/margin_over_best", "test/ece"]
NATURAL_WIDTH = "image => image.decode().then(() => image.naturalWidth)"
TRAINING = ("train/", "valid/")  # a loop of many steps has a speed, and one of a single step has none


@pytest.fixture
def expect():
    """Playwright's assertions, which wait until they hold."""
    from playwright.sync_api import expect

    expect.set_options(timeout=WAIT_SECONDS * 1000)
    return expect


def named(store, start: str) -> str:
    """The whole name of the run of a config."""
    (name,) = [name for name in store.runs if name.startswith(f"{start} ·")]
    return name


def three(store) -> list[str]:
    return [named(store, start) for start in ("words", "vectors", "blind")]


def open_run(page, expect, server, store, name: str) -> None:
    open_table(page, view_url(server.url, store.experiment_id))
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def test_the_default_view_shows_every_run_and_the_columns_one_decides_by(page, expect, server, store):
    page.set_viewport_size({"width": 2600, "height": 800})  # MLflow draws only columns in sight
    open_table(page, view_url(server.url, store.experiment_id))
    expect(rows(page)).to_have_count(len(store.runs))
    page.get_by_role("columnheader", name="test/macro_f1", exact=True).first.wait_for()
    shown = column_names(page)
    assert [name for name in shown if name in COLUMNS] == COLUMNS
    assert {"kind", "inputs", "seed", "coverage/smallest", "coverage/abstained", "test/rows"} <= set(shown)
    names = run_names(page)
    assert set(names) == set(store.runs)
    scores = [store.macro_f1(name) for name in names]
    assert scores == sorted(scores, reverse=True)
    assert {"words · tfidf · claim+evidence · seed 0", "blind · tfidf · claim · seed 0"} <= set(names)
    expect(page.get_by_text("A label says what a claim resembles in these corpora").first).to_be_visible()


def test_both_views_are_offered_by_the_button_of_the_table(page, expect, server, store):
    page.goto(f"{server.url}/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning")
    page.get_by_role("button", name="Views").click()
    page.get_by_text("claimsieve: best first").click()
    expect(page.get_by_role("columnheader", name="test/macro_f1", exact=True).first).to_be_visible()


def test_seeds_unfold_below_their_parent(page, expect, server, store):
    open_table(page, view_url(server.url, store.experiment_id, view=NEWEST_FIRST))
    expect(rows(page)).to_have_count(len(store.runs) - len(store.parts))
    assert not store.parts & set(run_names(page))
    row_of(page, store.parent).locator("[col-id='attributes.`Run Name`'] button").first.click()
    expect(rows(page)).to_have_count(len(store.runs))
    names = run_names(page)
    below = names[names.index(store.parent) + 1 :][: len(store.parts)]
    assert set(below) == store.parts


def test_a_search_by_a_metric_finds_exactly_the_runs_that_satisfy_it(page, expect, server, store):
    found = {name for name in store.runs if store.macro_f1(name) > 0.5}
    assert 0 < len(found) < len(store.runs)
    open_table(page, view_url(server.url, store.experiment_id))
    search(page, 'metrics."test/macro_f1" > 0.5')
    expect(page.get_by_text(f"{len(found)} matching runs")).to_be_visible()
    expect(rows(page)).to_have_count(len(found))
    assert set(run_names(page)) == found


def test_three_runs_stand_side_by_side_with_the_same_metrics(page, expect, server, store):
    open_table(page, view_url(server.url, store.experiment_id))
    compare(page, three(store))
    for name in three(store):
        expect(page.get_by_role("row", name="Run Name:").get_by_text(name)).to_be_visible()
    runs = {store.runs[name].info.run_id: store.runs[name].data.metrics for name in three(store)}
    metrics = compared_metrics(page)
    assert metrics == {
        name: {run_id for run_id, found in runs.items() if name in found} for name in set().union(*runs.values())
    }
    assert {"test/macro_f1", "test/ece", "probe/margin_over_best", "calibration/ece"} <= set(metrics)
    assert {name.split("/")[0] for name in metrics} >= {"test", "calibration", "coverage", "probe", "slice"}
    uneven = {name for name, having in metrics.items() if having != set(runs) and not name.startswith(TRAINING)}
    # A model that reads no evidence cannot be given another claim's, nor variations of it.
    assert uneven == {
        "probe/model_evidence_shuffled_macro_f1",
        *(f"behaviour/{name}" for name in ("right", "right_low", "right_high", "pairs_one_label")),
    }


def test_charts_begin_with_what_one_decides_by_and_show_all_runs(page, expect, server, store):
    page.goto(view_url(server.url, store.experiment_id, charts=True))
    sections = page.get_by_test_id("experiment-view-compare-runs-section-header")
    expect(sections.first).to_contain_text("at a glance")
    titles = sections.all_inner_texts()
    order = [next(n for n, title in enumerate(titles) if title.startswith(name)) for name in ("test", "probe")]
    assert order == sorted(order)
    first = page.get_by_test_id("experiment-view-compare-runs-card").first
    expect(first).to_contain_text("test/macro_f1")
    expect(first.locator(".bars path")).to_have_count(len(store.runs))


def test_the_reliability_diagram_opens_as_a_picture(page, expect, server, store):
    open_run(page, expect, server, store, named(store, "vectors"))
    open_artifact(page, "reliability.png")
    picture = page.get_by_role("img", name="reliability.png")
    expect(picture).to_be_visible()
    assert picture.evaluate(NATURAL_WIDTH) > 300


def test_the_report_opens_with_its_pictures(page, expect, server, store):
    open_run(page, expect, server, store, named(store, "vectors"))
    open_artifact(page, "report.html")
    frame = page.frame_locator("iframe.mlflow-html-iframe")
    expect(frame.get_by_role("heading").first).to_be_visible()
    expect(frame.locator("img").first).to_be_visible()
    widths = [picture.evaluate(NATURAL_WIDTH) for picture in frame.locator("img").all()]
    assert min(widths) > 100
    page_width, frame_width = frame.locator("html").evaluate("html => [html.scrollWidth, html.clientWidth]")
    assert page_width <= frame_width, "the report is wider than its frame"


def test_the_model_card_opens_as_a_page_and_as_text(page, expect, server, store):
    open_run(page, expect, server, store, named(store, "vectors"))
    open_artifact(page, "model_card.html")
    frame = page.frame_locator("iframe.mlflow-html-iframe")
    expect(frame.get_by_role("heading", level=1)).to_have_text("vectors")
    expect(frame.get_by_text("It is not the probability that the claim is true").first).to_be_visible()
    open_artifact(page, "README.md")
    expect(page.get_by_role("heading", level=1, name="vectors", exact=True)).to_be_visible()


@pytest.mark.parametrize("server", ["mlflow server"], indirect=True)
def test_a_run_that_was_sent_to_a_server_shows_its_pictures(page, expect, server, store, planted_config):
    config = planted_config("sent", uri=server.url, experiment="sent")
    (result,) = run_experiment(config, store.folder / "models" / "sent")
    assert result.tracking_failure is None
    experiment = new_client(server.url).get_experiment_by_name("sent")
    assert experiment.artifact_location.startswith("mlflow-artifacts:")
    open_table(page, view_url(server.url, experiment.experiment_id))
    page.get_by_role("link", name="sent · tfidf · claim+evidence · seed 0", exact=True).click()
    open_artifact(page, "confusion_matrix.png")
    picture = page.get_by_role("img", name="confusion_matrix.png")
    expect(picture).to_be_visible()
    assert picture.evaluate(NATURAL_WIDTH) > 300


def test_datasets_of_a_run_are_shown_with_their_digests(page, expect, server, store):
    name = named(store, "words")
    open_run(page, expect, server, store, name)
    page.get_by_text("+3", exact=True).click()  # train is told, the others stand behind it
    datasets = [one.dataset for one in store.runs[name].inputs.dataset_inputs]
    assert {dataset.name for dataset in datasets} == {"train", "valid", "calibration", "test"}
    for dataset in datasets:
        expect(page.get_by_text(f"{dataset.name} ({dataset.digest})")).to_be_visible()


@pytest.mark.parametrize("server", ["claimsieve ui"], indirect=True)
def test_claimsieve_ui_prints_the_link_of_the_experiment(server, store):
    assert view_url(server.url, store.experiment_id) in server.printed()
