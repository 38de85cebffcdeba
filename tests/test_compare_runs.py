"""claimsieve compare from what a user types to the verdict in MLflow, and its page."""

import json
import os
from pathlib import Path
from statistics import mean, stdev

import pytest

from claimsieve import config as configs
from claimsieve.compare_runs import compare_runs, comparison_page
from claimsieve.comparison.records import from_json
from claimsieve.errors import DataError
from claimsieve.runner import run_experiment
from html_pages import Page, assert_inert

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves


@pytest.fixture(scope="module")
def store(planted_claims, tmp_path_factory):
    """Two configs with three seeds each, and one of a single seed: a model that reads evidence, and one that cannot."""
    folder = tmp_path_factory.mktemp("compared")
    before = Path.cwd()
    os.chdir(folder)
    try:
        uri = f"sqlite:///{folder}/mlflow.db"
        for name, inputs, seeds in (
            ("reads", ["claim", "evidence"], [0, 1, 2]),
            ("blind", ["claim"], [0, 1, 2]),
            ("one", ["claim"], [0]),
        ):
            config = configs.validate(
                {
                    "name": name,
                    "data": {
                        "corpora": [{"file": str(planted_claims)}],
                        "inputs": inputs,
                        "split": {"train": 0.5, "valid": 0.1, "calibration": 0.1, "test": 0.3},
                    },
                    "model": {"kind": "tfidf"},
                    "evaluation": {"resamples": 100, "shortcuts": False},
                    "tracking": {"uri": uri, "experiment": "planted"},
                    "seeds": seeds,
                },
                place="test",
            )
            run_experiment(config, folder / name)
        yield folder, uri
    finally:
        os.chdir(before)


def top_level(client, experiment):
    runs = client.search_runs([experiment.experiment_id])
    return [run for run in runs if "mlflow.parentRunId" not in run.data.tags]


def test_a_reader_wins_and_the_verdict_is_written_where_the_ui_sorts_by_it(store):
    import mlflow

    _, uri = store
    client = mlflow.MlflowClient(uri)
    (experiment,) = client.search_experiments(filter_string="name = 'planted'")
    runs = {run.info.run_name.split()[0]: run for run in top_level(client, experiment)}
    found = compare_runs([runs["reads"].info.run_id, runs["blind"].info.run_id], uri=uri, resamples=200)
    verdict = found.comparison.verdict
    assert verdict.winner is not None
    assert verdict.winner.startswith("reads")
    assert found.failure is None
    assert set(found.written) == {runs[name].info.run_id for name in ("reads", "blind")}
    ranked = client.search_runs(
        [experiment.experiment_id], 'metrics."compare/rank" > 0', order_by=['metrics."compare/rank"']
    )
    assert [run.info.run_name.split()[0] for run in ranked] == ["reads", "blind"]
    assert [run.data.tags["compare.verdict"] for run in ranked] == ["winner", "behind"]
    assert ranked[1].data.metrics["compare/behind_best"] > 0.3
    assert (ranked[0].data.metrics["compare/wins"], ranked[1].data.metrics["compare/losses"]) == (1, 1)


def test_a_parent_holds_mean_and_scatter_of_its_seeds(store):
    import mlflow

    _, uri = store
    client = mlflow.MlflowClient(uri)
    (experiment,) = client.search_experiments(filter_string="name = 'planted'")
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [run for run in top_level(client, experiment) if run.info.run_name.startswith("blind")]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    values = [run.data.metrics["test/macro_f1"] for run in children]
    assert len(values) == 3
    assert parent.data.metrics["test/macro_f1"] == pytest.approx(mean(values), abs=1e-6)
    assert parent.data.metrics["test/macro_f1_std"] == pytest.approx(stdev(values), abs=1e-6)
    low, high = (parent.data.metrics[f"test/macro_f1_{end}"] for end in ("low", "high"))
    assert low <= min(values) <= max(values) <= high
    assert parent.info.status == "FINISHED"


def test_directories_are_compared_without_a_store(store, tmp_path):
    folder, _ = store
    missing = f"sqlite:///{tmp_path}/none.db"
    found = compare_runs([str(folder / "reads"), str(folder / "blind")], uri=missing, resamples=200)
    assert found.comparison.verdict.winner == str(folder / "reads")
    assert found.written == ()
    assert not (tmp_path / "none.db").exists()
    single = compare_runs([str(folder / "reads" / "seed-0"), str(folder / "one")], uri=missing, resamples=200)
    assert single.comparison.pairs[0].seeds is None
    with pytest.raises(DataError, match="seeds"):
        compare_runs([str(folder / "reads"), str(folder / "one")], uri=missing)


def test_directories_of_logged_runs_have_the_verdict_on_those_runs(store):
    import mlflow

    folder, uri = store
    client = mlflow.MlflowClient(uri)
    (experiment,) = client.search_experiments(filter_string="name = 'planted'")
    parents = {run.info.run_name.split()[0]: run.info.run_id for run in top_level(client, experiment)}
    found = compare_runs([str(folder / "reads"), str(folder / "blind")], uri=uri, resamples=200)
    assert (set(found.written), found.failure, found.notes) == ({parents["reads"], parents["blind"]}, None, ())
    single = compare_runs([str(folder / "reads" / "seed-0"), str(folder / "one")], uri=uri, resamples=200)
    runs = [client.get_run(run_id) for run_id in single.written]
    assert [run.info.run_name.split()[0] for run in runs] == ["reads", "one"]
    assert ["mlflow.parentRunId" in run.data.tags for run in runs] == [True, False]
    assert [run.data.tags["compare.verdict"] for run in runs] == ["winner", "behind"]


def test_a_store_that_cannot_be_asked_costs_directories_one_line(store, tmp_path):
    folder, _ = store
    names = [str(folder / "reads"), str(folder / "blind")]
    for place, told in (
        (f"sqlite:///{tmp_path}/none.db", "expected a tracking store, found no such file"),
        ("http://127.0.0.1:1", "Is the server running?"),
    ):
        found = compare_runs(names, uri=place, resamples=200)
        (note,) = found.notes
        assert (found.written, found.failure) == ((), None)
        assert note.startswith(f"{names[0]}, {names[1]}: not written to MLflow: named by directory, and ")
        assert told in note
    assert list(tmp_path.iterdir()) == []


def test_a_model_in_mlflow_is_compared_with_a_directory(store):
    import mlflow

    folder, uri = store
    client = mlflow.MlflowClient(uri)
    (experiment,) = client.search_experiments(filter_string="name = 'planted'")
    (run,) = [one for one in top_level(client, experiment) if one.info.run_name.startswith("one")]
    reference = f"runs:/{run.info.run_id}/model"
    found = compare_runs([str(folder / "reads" / "seed-0"), reference], uri=uri, resamples=200)
    assert found.comparison.verdict.winner == str(folder / "reads" / "seed-0")
    assert run.info.run_id in found.written
    assert client.get_run(run.info.run_id).data.tags["compare.verdict"] == "behind"


def test_its_page_is_inert_and_names_every_model(store):
    folder, uri = store
    compared = compare_runs([str(folder / "reads"), str(folder / "blind")], uri=uri, resamples=200, write_back=False)
    page = comparison_page(compared.comparison)
    assert_inert(Page(page))
    assert str(folder / "blind") in page
    assert "surely worse" in page


def test_the_command_prints_writes_and_speaks_json(store, claimsieve, tmp_path, monkeypatch):
    folder, uri = store
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    code, out, err = claimsieve(
        "compare", folder / "reads", folder / "blind", "--resamples", 200, "--html", tmp_path / "page.html"
    )
    assert code == 0
    assert "is better than" in out.replace("\n", " ")
    assert f"wrote {tmp_path / 'page.html'}" in err
    assert "<!doctype html>" in (tmp_path / "page.html").read_text().lower()
    code, out, err = claimsieve("compare", folder / "reads", folder / "blind", "--resamples", 200, "--json", "-q")
    assert (code, err) == (0, "")
    assert from_json(json.loads(out)).verdict.winner == str(folder / "reads")


def test_bad_input_gets_one_clear_error(store, claimsieve, tmp_path, monkeypatch):
    folder, uri = store
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    own = tmp_path / "labelled.jsonl"
    own.write_text("mine")
    for arguments, code, told in (
        ([folder / "reads"], 1, "expected two models or more"),
        ([folder / "reads", f"{folder}/blind/../reads"], 1, "expected two models or more"),
        ([folder / "reads", folder / "blind", "--html", own], 2, "expected a new file or a page to replace"),
        ([folder / "reads", "no such run"], 1, "no such run"),
        ([folder / "reads", folder / "blind", "--by", "story"], 2, "--by: expected one of claim, event"),
        ([folder / "reads", folder / "blind", "--html", tmp_path], 2, "expected a file to write, found a folder"),
        ([folder / "reads", folder / "blind", "--html", folder / "one" / "report.html"], 1, "which would be spoilt"),
    ):
        ended, out, err = claimsieve("compare", *arguments)
        assert (ended, out) == (code, "")
        assert told in err
        assert len([line for line in err.splitlines() if line.startswith("claimsieve:")]) == 1
