"""A model inside MLflow is opened as the model directory that it is, and nothing else is."""

import os
import re
import shutil
from pathlib import Path

import pytest

from claimsieve import config as configs
from claimsieve.cli.options import opened_model
from claimsieve.errors import ConfigError, DataError, ModelError, TrackingError
from claimsieve.models.artifacts import load_model, read_manifest
from claimsieve.runner import run_experiment
from claimsieve.tracking import lookup
from claimsieve.tracking.stored_models import model_directory

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves


@pytest.fixture(scope="module")
def store(planted_claims, tmp_path_factory):
    """A SQLite store with one run; (folder, URI)."""
    folder = tmp_path_factory.mktemp("store")
    before = Path.cwd()
    os.chdir(folder)  # artifacts of a SQLite store lie in ./mlruns
    try:
        uri = f"sqlite:///{folder}/mlflow.db"
        config = {
            "name": "one",
            "data": {"corpora": [{"file": str(planted_claims)}]},
            "model": {"kind": "tfidf", "max_features": 2000},
            "evaluation": {"resamples": 100},
            "tracking": {"uri": uri, "experiment": "alone"},
        }
        run_experiment(configs.validate(config, place="test"), folder / "one")
        yield folder, uri
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def client(store):
    """With the run's model as version 1 of `claims`, its champion."""
    import mlflow

    client = mlflow.MlflowClient(store[1])
    run = client.search_runs([client.get_experiment_by_name("alone").experiment_id])[0]
    model = run.outputs.model_outputs[0].model_id
    client.create_registered_model("claims")
    client.create_model_version("claims", f"models:/{model}", run_id=run.info.run_id, model_id=model)
    client.set_registered_model_alias("claims", "champion", "1")
    return client


@pytest.fixture(scope="module")
def ids(client):
    """The run and its logged model."""
    run = client.search_runs([client.get_experiment_by_name("alone").experiment_id])[0]
    return run.info.run_id, run.outputs.model_outputs[0].model_id


@pytest.fixture
def opened(store, client, tmp_path):
    return lambda reference: model_directory(reference, uri=store[1], folder=tmp_path)


@pytest.fixture
def hostile(client, ids, tmp_path):
    """Register a copy of the logged model after a change to it; gives its name."""

    def register(name, change):
        copy = tmp_path / name
        shutil.copytree(lookup.local_path(client.get_logged_model(ids[1]).artifact_location), copy)
        change(copy)
        client.create_registered_model(name)
        client.create_model_version(name, str(copy), run_id=ids[0])
        return f"models:/{name}/1"

    return register


def test_every_way_to_name_a_model_opens_the_same_directory(store, opened, ids):
    run_id, model_id = ids
    wanted = read_manifest(store[0] / "one").fingerprint
    names = ["models:/claims@champion", "models:/claims/1", f"models:/{model_id}", f"runs:/{run_id}/model"]
    for reference in [*names, f"runs:/{run_id[:12]}/model"]:
        _, manifest = load_model(opened(reference))
        assert manifest.fingerprint == wanted


def test_a_model_on_this_machine_is_not_copied_and_one_elsewhere_is(opened, tmp_path, monkeypatch):
    opened("models:/claims@champion")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(lookup, "local_path", lambda location: None)
    directory = opened("models:/claims@champion")
    assert directory.is_relative_to(tmp_path)
    load_model(directory)


def test_a_path_comes_back_as_it_is_without_a_store(tmp_path):
    assert model_directory("runs/mine", uri=f"sqlite:///{tmp_path}/none.db", folder=tmp_path) == Path("runs/mine")
    with opened_model("runs/mine") as directory:
        assert directory == Path("runs/mine")


def test_what_was_fetched_is_gone_when_the_model_is_closed(store, client, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store[1])
    monkeypatch.setattr(lookup, "local_path", lambda location: None)
    with opened_model("models:/claims@champion") as directory:
        load_model(directory)
    assert not directory.exists()


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            "models:/clams@champion",
            r"clams: expected a registered model, found none of this name. Did you mean 'claims'",
        ),
        (
            "models:/claims@champ",
            r"found none of this name. Its aliases: champion. Give it one: claimsieve promote RUN",
        ),
        ("models:/claims/7", r"models:/claims/7: expected a version of claims, found none. It has: 1"),
        (f"models:/m-{'0' * 32}", "expected a logged model, found none: was it deleted"),
    ],
)
def test_what_the_registry_does_not_have_is_told_with_what_it_has(opened, reference, message):
    with pytest.raises(ModelError, match=message):
        opened(reference)


def test_a_run_without_the_model_asked_for_is_refused(opened, ids, client):
    with pytest.raises(ModelError, match=rf"expected a model 'other' of run {ids[0]}"):
        opened(f"runs:/{ids[0]}/other")
    with pytest.raises(DataError, match="found none of them"):
        opened(f"runs:/{'0' * 32}/model")
    bare = client.create_run(client.get_experiment_by_name("alone").experiment_id).info.run_id
    with pytest.raises(ModelError, match=r"found none that is whole. A training logs one as runs:/ID/model"):
        opened(f"runs:/{bare}/model")


@pytest.mark.parametrize(
    "reference", ["models:/claims", "models:/claims/", "models:/a/b/c", "models:/@x", "runs:/", "models:/c/v1"]
)
def test_another_form_is_a_wrong_option(opened, reference):
    with pytest.raises(ConfigError, match=r"expected models:/NAME@ALIAS, models:/NAME/VERSION, models:/m-ID or runs:/"):
        opened(reference)


def test_a_version_that_is_not_ready_is_refused(opened, client, monkeypatch):
    import mlflow

    real = mlflow.MlflowClient.get_model_version

    def pending(self, name, version):
        found = real(self, name, version)
        found._status = "PENDING_REGISTRATION"
        return found

    monkeypatch.setattr(mlflow.MlflowClient, "get_model_version", pending)
    with pytest.raises(ModelError, match="expected a version that is READY, found one PENDING_REGISTRATION"):
        opened("models:/claims/1")


def test_files_that_are_gone_are_told(opened, hostile):
    reference = hostile("gone", shutil.rmtree)
    with pytest.raises(ModelError, match=rf"{reference}: expected the files of a model at .*were they deleted"):
        opened(reference)


def _rewritten(**changes):
    """A change to MLmodel: keys of its python_function flavour."""

    def change(copy):
        path = copy / "MLmodel"
        text = path.read_text()
        for key, value in changes.items():
            text, count = re.subn(rf"(?m)^(    {key}:).*$", rf"\1 {value}", text)
            assert count == 1
        path.write_text(text)

    return change


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("sklearn", _rewritten(loader_module="mlflow.sklearn")),
        ("lookalike", _rewritten(loader_module="claimsieve.tracking_of_mine")),
        ("number", _rewritten(data="7")),
        ("no-flavour", lambda copy: (copy / "MLmodel").write_text("flavors: {}\n")),
        ("tagged", lambda copy: (copy / "MLmodel").write_text("!!python/object/apply:os.system [true]\n")),
        ("list", lambda copy: (copy / "MLmodel").write_text("- 1\n")),
    ],
)
def test_a_model_of_another_kind_is_refused(opened, hostile, name, change):
    with pytest.raises(ModelError, match="expected a model of claimsieve, found another kind of MLflow model"):
        opened(hostile(name, change))


@pytest.mark.parametrize(("name", "place"), [("up", "data/../../elsewhere"), ("root", "/etc"), ("nul", r'"a\\0b"')])
def test_a_model_that_points_outside_itself_is_refused(opened, hostile, name, place):
    with pytest.raises(ModelError, match="which lies outside the model"):
        opened(hostile(name, _rewritten(data=place)))


def test_a_link_that_leads_outside_is_refused(opened, hostile, tmp_path):
    def linked(copy):
        (tmp_path / "outside").mkdir()
        (copy / "data" / "link").symlink_to(tmp_path / "outside")
        _rewritten(data="data/link")(copy)

    with pytest.raises(ModelError, match="which lies outside the model"):
        opened(hostile("link", linked))


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(TrackingError, match="expected a tracking store, found no such file"):
        model_directory("models:/claims@champion", uri=f"sqlite:///{tmp_path}/none.db", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
