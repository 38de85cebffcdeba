"""What a user types for a run finds that run and no other, or says what to type."""

import json
import os
import re
import shutil
import uuid
from pathlib import Path

import numpy as np
import pytest

from claimsieve import config as configs
from claimsieve import yaml12
from claimsieve.data.prepare import Cut, fold_folder
from claimsieve.errors import DataError, ModelError, TrackingError
from claimsieve.runner import run_experiment
from claimsieve.tracking import lookup
from claimsieve.tracking.references import fetched, log_verdicts, resolve

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves

NAME = "one · tfidf · claim+evidence · seed 3"


def run_config(claims: Path, uri: str, **sections):
    data = {
        "name": "one",
        "data": {
            "corpora": [{"file": str(claims)}],
            "split": {"train": 0.6, "valid": 0.1, "calibration": 0.1, "test": 0.2},
        },
        "model": {"kind": "tfidf", "max_features": 2000},
        "evaluation": {"resamples": 100},
        "tracking": {"uri": uri, "experiment": "alone"},
        "seeds": [3],
    }
    return configs.validate({**data, **sections}, place="test")


@pytest.fixture(scope="module")
def store(planted_claims, tmp_path_factory):
    """A SQLite store with one run in the experiment `alone` and a run of two seeds in `many`; (folder, URI)."""
    folder = tmp_path_factory.mktemp("store")
    before = Path.cwd()
    os.chdir(folder)  # artifacts of a SQLite store lie in ./mlruns
    try:
        uri = f"sqlite:///{folder}/mlflow.db"
        run_experiment(run_config(planted_claims, uri), folder / "one")
        many = run_config(
            planted_claims, uri, name="two", seeds=[1, 0], tracking={"uri": uri, "experiment": "many"}
        )  # fmt: skip
        run_experiment(many, folder / "two")
        yield folder, uri
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def client(store):
    import mlflow

    return mlflow.MlflowClient(store[1])


@pytest.fixture
def found(store, tmp_path):
    """Resolve texts in the store."""
    return lambda *texts: resolve(texts, uri=store[1], folder=tmp_path / "fetched")


@pytest.fixture
def made(client, tmp_path):
    """Write a run into the store, with predictions unless `files` says otherwise; gives its id."""

    def make(
        name, *, experiment="made", status="FINISHED", files=("test_predictions.jsonl", "evaluation.json"), **tags
    ):
        there = client.get_experiment_by_name(experiment)
        place = there.experiment_id if there else client.create_experiment(experiment)
        run_id = client.create_run(place, run_name=name, tags={"seed": "0", **tags}).info.run_id
        for file in files:
            client.log_text(run_id, "{}\n", file)
        if status != "RUNNING":
            client.set_terminated(run_id, status)
        return run_id

    return make


def run_named(client, name):
    (run,) = lookup.all_runs(client, f"attributes.run_name = '{name}'")
    return run.info.run_id


# --- what is found


def test_a_model_directory_is_one_part_and_needs_no_store(store, tmp_path):
    (reference,) = resolve([f"{store[0]}/one"], uri=f"sqlite:///{tmp_path}/no.db", folder=tmp_path)
    assert reference.name == f"{store[0]}/one"
    assert [(part.run_id, part.directory, part.seed, part.fold) for part in reference.parts] == [
        (None, store[0] / "one", 3, None)
    ]
    assert not (tmp_path / "no.db").exists()


def test_a_folder_of_seeds_is_one_reference_in_the_order_of_the_seeds(store, found):
    (reference,) = found(f"{store[0]}/two")
    assert [(part.seed, part.directory.name) for part in reference.parts] == [(0, "seed-0"), (1, "seed-1")]


def test_folds_lie_above_their_seeds(store, found, tmp_path):
    for fold in ("fold-b-00aa11", "fold-a-ffee22"):
        shutil.copytree(store[0] / "two", tmp_path / "folds" / fold)
    (reference,) = found(f"{tmp_path}/folds")
    assert [(part.fold, part.seed) for part in reference.parts] == [
        ("fold-a-ffee22", 0), ("fold-a-ffee22", 1), ("fold-b-00aa11", 0), ("fold-b-00aa11", 1),
    ]  # fmt: skip


def test_a_run_is_found_by_id_by_the_start_of_it_by_name_and_by_its_experiment(client, found):
    run_id = run_named(client, NAME)
    for text in (run_id, run_id[:8], NAME, "experiment:alone", "alone"):
        (reference,) = found(text)
        assert (reference.name, reference.run_id) == (NAME, run_id)
        (part,) = reference.parts
        assert (part.run_id, part.seed, part.fold) == (run_id, 3, None)
        rows = [json.loads(line) for line in (part.directory / "test_predictions.jsonl").read_text().splitlines()]
        assert len(rows) == json.loads((part.directory / "evaluation.json").read_text())["overall"]["n"]


def test_a_parent_is_one_reference_with_its_finished_children(client, found, made):
    (several,) = found("experiment:many")
    assert [part.seed for part in several.parts] == [0, 1]
    assert several.run_id == client.get_run(several.parts[0].run_id).data.tags["mlflow.parentRunId"]
    parent = made("parent", experiment="with a failure", files=())
    good = made("child 0", experiment="with a failure", **{"mlflow.parentRunId": parent, "held_out": "an event"})
    made("child 1", experiment="with a failure", status="FAILED", **{"mlflow.parentRunId": parent})
    (reference,) = found(parent)
    assert [(part.run_id, part.fold) for part in reference.parts] == [(good, fold_folder("an event"))]


@pytest.mark.parametrize("hold_out", ["each", "Bay of Pigs, 1961", ["Bay of Pigs, 1961"]])
def test_a_fold_has_one_name_by_its_run_and_by_its_directory(store, found, made, tmp_path, hold_out):
    run_id = made(f"without one: {hold_out}", held_out="Bay of Pigs, 1961")
    directory = tmp_path / (Cut(3, np.array([]), "Bay of Pigs, 1961").folder if hold_out == "each" else "named")
    shutil.copytree(store[0] / "one", directory)
    document = yaml12.read(directory / "config.yaml")
    document["data"]["split"]["hold_out"] = hold_out
    (directory / "config.yaml").write_text(json.dumps(document))
    by_run, by_directory = found(run_id, str(directory))
    assert by_run.parts[0].fold == by_directory.parts[0].fold == fold_folder("Bay of Pigs, 1961")


def test_a_model_in_mlflow_is_its_run(client, store, found):
    run_id = run_named(client, NAME)
    model_id = client.get_run(run_id).outputs.model_outputs[0].model_id
    for text in (f"runs:/{run_id}/model", f"models:/{model_id}"):
        (reference,) = found(text, run_id)  # and no second one
        assert (reference.name, reference.run_id) == (text, run_id)
        (part,) = reference.parts
        assert (part.run_id, part.seed, part.fold) == (run_id, 3, None)
        assert (part.directory / "test_predictions.jsonl").is_file()


def test_an_experiment_is_all_its_finished_runs_that_have_predictions_the_oldest_first(found, made):
    first, second = made("z", experiment="mixed"), made("a", experiment="mixed")
    made("running", experiment="mixed", status="RUNNING")
    made("failed", experiment="mixed", status="FAILED")
    made("a sweep", experiment="mixed", files=())
    assert [one.run_id for one in found("mixed")] == [first, second]


def test_each_run_is_there_once_and_runs_of_one_name_are_told_apart(found, made):
    first, second = made("same", experiment="twins"), made("same", experiment="twins")
    references = found(first, "experiment:twins", second)
    assert [one.run_id for one in references] == [first, second]
    assert [one.name for one in references] == [f"same ({first[:8]})", f"same ({second[:8]})"]


def test_a_finished_run_of_its_own_goes_before_failed_deleted_and_nested_ones_of_its_name(found, client, made):
    wanted = made("again")
    made("again", status="FAILED")
    client.delete_run(made("again"))
    made("again", **{"mlflow.parentRunId": made("its parent", files=())})
    assert [one.run_id for one in found("again")] == [wanted]


@pytest.mark.parametrize("name", ["it's", 'a "quoted" name', "100 %", "a; DROP TABLE runs; --", "Ирак · 導彈"])
def test_any_name_is_found_as_it_was_typed(found, made, name):
    run_id = made(name)
    assert [one.run_id for one in found(name)] == [run_id]


def test_files_are_fetched_from_a_store_elsewhere_and_more_of_them_on_demand(client, store, tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "local_path", lambda location: None)
    ((part,),) = [one.parts for one in resolve(["alone"], uri=store[1], folder=tmp_path)]
    assert part.directory == tmp_path / part.run_id
    assert {path.name for path in part.directory.iterdir()} == {"test_predictions.jsonl", "evaluation.json"}
    shortcuts = fetched(part, "shortcuts.json", uri=store[1])
    assert shortcuts.read_bytes() == (store[0] / "one" / "shortcuts.json").read_bytes()
    assert fetched(part, "nothing.json", uri=store[1]) is None


def test_the_first_word_of_a_name_finds_the_top_level_run_that_is_alone_with_it(found, made):
    parent = made("desk · tfidf · claim · seeds 0–1", files=())
    child = made("desk · tfidf · claim · seed 0", **{"mlflow.parentRunId": parent})
    made("desktop · tfidf · claim · seed 0")
    assert [(one.run_id, one.parts[0].run_id) for one in found("desk")] == [(parent, child)]
    second = made("desk · static · claim · seed 0")
    with pytest.raises(DataError, match="desk: expected one run, found 2") as caught:
        found("desk")
    assert all(run_id in str(caught.value) for run_id in (parent, second))
    assert child not in str(caught.value)


# --- what is not


def test_the_start_of_an_id_that_is_too_short_is_told(client, found):
    with pytest.raises(DataError, match="Of an id it takes 6 digits or more"):
        found(run_named(client, NAME)[:5])
    with pytest.raises(DataError, match="found none of them") as caught:
        found("nobody")
    assert "digits" not in str(caught.value)


def test_an_unknown_text_is_refused_with_the_nearest_name(found):
    with pytest.raises(DataError, match=re.escape(f"found none of them. Did you mean '{NAME}'?")):
        found(NAME.replace("tfidf", "tfdif"))
    with pytest.raises(DataError, match=r"Did you mean 'alone'\?"):
        found("alonne")
    with pytest.raises(DataError, match=r"experiment:alonne: expected an experiment .*Did you mean 'alone'\?"):
        found("experiment:alonne")


@pytest.mark.parametrize("text", ["", "experiment:", "0" * 32, "abcdef", "abc", "a'b\"c", "x" * 5000, "a\0b", ".."])
def test_odd_texts_are_refused_as_unknown(found, text):
    with pytest.raises(DataError, match=r"expected (a model directory|an experiment)"):
        found(text)


def test_a_name_that_two_runs_have_lists_their_ids_and_starts(found, made):
    ids = {made("double"), made("double")}
    with pytest.raises(DataError, match=r"double: expected one run, found 2") as caught:
        found("double")
    listed = re.findall(
        r"^  ([0-9a-f]{32}) 'double', started \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$", str(caught.value), re.M
    )
    assert set(listed) == ids


def test_the_start_of_two_ids_lists_both(found, made, monkeypatch):
    ids = [uuid.UUID(f"beefed00-0000-4000-8000-00000000000{number}") for number in range(2)]
    for one in ids:
        with monkeypatch.context() as patch:
            patch.setattr("uuid.uuid4", lambda one=one: one)  # the store draws a run's id with it
            made(f"number {one.hex[-1]}")
    with pytest.raises(DataError, match="beefed: expected one run, found 2") as caught:
        found("beefed")
    assert all(f"\n  {one.hex} 'number " in str(caught.value) for one in ids)
    assert [one.run_id for one in found(ids[1].hex)] == [ids[1].hex]


def test_a_name_of_a_run_and_of_an_experiment_asks_for_more(found, made):
    run_id = made("ambiguous", experiment="ambiguous")
    with pytest.raises(DataError, match=rf"found a run and an experiment.*experiment:ambiguous.*{run_id}"):
        found("ambiguous")
    assert [one.run_id for one in found("experiment:ambiguous")] == [run_id]


@pytest.mark.parametrize(
    ("status", "message"),
    [("RUNNING", "still running. Wait"), ("FAILED", "failed. Train again"), ("KILLED", "stopped. Go on with")],
)
def test_a_run_that_did_not_finish_says_so(found, made, status, message):
    run_id = made(f"not done: {status}", status=status)
    with pytest.raises(DataError, match=rf"run {run_id} .*expected a finished run with predictions.*{message}"):
        found(run_id)


def test_a_run_without_predictions_says_why(found, made):
    with pytest.raises(DataError, match=r"expected evaluation.json .*by an older version\? Train again"):
        found(made("older", files=("test_predictions.jsonl",)))
    with pytest.raises(DataError, match=r"expected test_predictions.jsonl .*All its artifacts are gone"):
        found(made("bare", files=()))
    with pytest.raises(DataError, match="expected a training of claimsieve with a tag 'seed'"):
        found(made("another program", seed="many"))
    parent = made("all failed", files=())
    made("child", status="FAILED", **{"mlflow.parentRunId": parent})
    with pytest.raises(DataError, match="expected finished runs below it, found none among 1"):
        found(parent)


def test_what_was_deleted_says_how_to_restore_it(found, client, made):
    run_id = made("gone")
    client.delete_run(run_id)
    for text in (run_id, "gone", run_id[:10]):
        with pytest.raises(DataError, match=f"the run is deleted. Restore it: mlflow runs restore --run-id {run_id}"):
            found(text)
    made("inside", experiment="gone too")
    number = client.get_experiment_by_name("gone too").experiment_id
    client.delete_experiment(number)
    with pytest.raises(
        DataError, match=f"the experiment is deleted. Restore it: mlflow experiments restore -x {number}"
    ):
        found("experiment:gone too")


def test_an_experiment_without_runs_or_without_predictions_is_refused(found, client, made):
    client.create_experiment("empty")
    with pytest.raises(DataError, match=r"experiment:empty: expected runs, found none. Train one"):
        found("empty")
    made("only", experiment="unfinished", status="FAILED")
    with pytest.raises(DataError, match=r"found none among 1. The first: .*that failed"):
        found("unfinished")


def test_a_directory_that_lacks_its_predictions_or_a_manifest_that_is_none_is_refused(store, found, tmp_path):
    (tmp_path / "bare").mkdir()
    manifest = (store[0] / "one" / "manifest.json").read_text()
    (tmp_path / "bare" / "manifest.json").write_text(manifest)
    with pytest.raises(DataError, match=r"bare: expected test_predictions.jsonl, found none"):
        found(str(tmp_path / "bare"))
    (tmp_path / "bare" / "manifest.json").write_text("{}")
    with pytest.raises(ModelError, match="not a manifest"):
        found(str(tmp_path / "bare"))


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    for uri in (f"sqlite:///{tmp_path}/none.db", f"file://{tmp_path}/none"):
        with pytest.raises(TrackingError, match=r"expected a tracking store, found no such .*MLFLOW_TRACKING_URI="):
            resolve(["alone"], uri=uri, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_read_is_one_line_without_its_password(tmp_path):
    (tmp_path / "text.db").write_text("not a database, whatever its name says " * 20)
    with pytest.raises(TrackingError, match="file is not a database"):
        resolve(["alone"], uri=f"sqlite:///{tmp_path}/text.db", folder=tmp_path)
    with pytest.raises(TrackingError) as caught:
        resolve(["alone"], uri="http://me:secret@127.0.0.1:1", folder=tmp_path)
    assert "127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


# --- verdicts


def test_verdicts_are_written_to_every_run_that_can_be_written_to(store, client, made):
    first, second = made("first"), made("second")
    metrics = {first: {"compare/rank": 1.0}, "0" * 32: {"compare/rank": 2.0}, second: {"compare/rank": 3.0}}
    with pytest.raises(TrackingError, match=r"1 run could not be written to:\n  0{32}: "):
        log_verdicts(metrics, {second: {"verdict": "behind"}}, uri=store[1])
    assert client.get_run(first).data.metrics == {"compare/rank": 1.0}
    assert client.get_run(second).data.metrics == {"compare/rank": 3.0}
    assert client.get_run(second).data.tags["verdict"] == "behind"
    log_verdicts({first: {"compare/rank": 2.0}}, {}, uri=store[1])
    assert client.get_run(first).data.metrics == {"compare/rank": 2.0}


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/a/b c#1/artifacts", "/a/b c#1/artifacts"),
        ("file:///a/b%20c", "/a/b c"),
        ("./mlruns/0", "mlruns/0"),
        ("s3://bucket/key", None),
        ("mlflow-artifacts:/1/models", None),
        ("file://elsewhere/a", None),
        ("http://127.0.0.1:5000/a", None),
    ],
)
def test_only_a_place_on_this_machine_is_a_path(location, path):
    assert lookup.local_path(location) == (None if path is None else Path(path))
