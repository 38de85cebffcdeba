"""A model gets an alias when every condition of its gate holds, and the registry is untouched when one does not."""

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from claimsieve import config as configs
from claimsieve import yaml12
from claimsieve.errors import ConfigError, DataError, ModelError, TrackingError
from claimsieve.models.artifacts import read_manifest
from claimsieve.promotion import promote, roll_back
from claimsieve.promotion.gate import conditions
from claimsieve.runner import run_experiment
from claimsieve.settings import Gate
from claimsieve.tracking import registry

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves

CARD = {
    "owner": "the desk", "contact": "desk@example.org", "licence": "Apache-2.0", "languages": ["en"],
    "intended_use": "to sort claims for people who check them",
}  # fmt: skip
LENIENT = Gate(min_macro_f1=None, min_margin_over_shortcuts=None, max_ece=None, min_coverage=None, clean_audit=False)
NOTHING = LENIENT.model_copy(update={"max_slice_regression": None, "complete_card": False})


@pytest.fixture(scope="module")
def store(planted_claims, tmp_path_factory):
    """Runs in a SQLite store: `good` and `twin` learn the planted signal, `weak` sees no evidence; `seeds` is a run of
    two, of which the first tests the same rows as the others."""
    folder = tmp_path_factory.mktemp("gated")
    uri = f"sqlite:///{folder}/mlflow.db"

    def train(name, *, inputs=("claim", "evidence"), seeds=(0,), features=2000):
        config = {
            "name": name,
            "data": {
                "corpora": [{"file": str(planted_claims)}],
                "inputs": list(inputs),
                "audit": {"accept": ["evidence_overlap"]},
                "split": {"train": 0.6, "valid": 0.1, "calibration": 0.1, "test": 0.2},
            },
            "model": {"kind": "tfidf", "max_features": features},
            "evaluation": {"resamples": 100, "min_slice_rows": 3},
            "tracking": {"uri": uri, "experiment": "gated"},
            "gate": {"max_ece": 0.5},
            "card": CARD,
            "seeds": list(seeds),
        }
        return run_experiment(configs.validate(config, place="test"), folder / name)

    before = Path.cwd()
    os.chdir(folder)  # artifacts of a SQLite store lie in ./mlruns
    try:
        train("good")
        train("twin", features=1500)
        train("weak", inputs=["claim"])
        train("seeds", seeds=(0, 1))
        yield SimpleNamespace(folder=folder, uri=uri)
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def client(store):
    import mlflow

    return mlflow.MlflowClient(store.uri)


@pytest.fixture
def run(store, tmp_path):
    """Promote to `champion`; a name of the registered model has to be given, so that tests do not meet."""

    def start(reference, name, **options):
        text = str(store.folder / reference) if (store.folder / reference).is_dir() else reference
        return promote(text, **{"alias": "champion", "name": name, "uri": store.uri, "folder": tmp_path, **options})

    return start


@pytest.fixture
def copy(store, tmp_path):
    """A copy of a model directory, to be changed."""

    def make(name="good"):
        shutil.copytree(store.folder / name, tmp_path / f"copy-of-{name}")
        return tmp_path / f"copy-of-{name}"

    return make


def registered(client):
    """Everything that the registry shows."""
    return {
        model.name: (
            dict(model.aliases),
            [
                (one.version, one.source, one.tags, one.description, one.last_updated_timestamp)
                for one in client.search_model_versions(f"name = '{model.name}'")
            ],
        )
        for model in client.search_registered_models()
    }


def changed(path, change):
    """Rewrite a JSON file."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def asked(directory, gate, champion=None):
    """The conditions by name, but for that of the files, which a changed copy does not meet."""
    found = {one.name: one for one in conditions(directory, gate, champion=champion)}
    assert next(iter(found)) == "model directory"
    return {name: one for name, one in found.items() if name != "model directory"}


def test_the_store_need_not_be_mlflows_own_and_what_was_stays(run, tmp_path, monkeypatch):
    import mlflow

    monkeypatch.chdir(tmp_path)  # where MLflow's own would be an empty file
    for own in (None, f"sqlite:///{tmp_path}/own.db"):
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        if own is not None:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", own)
        assert run("good", f"from-elsewhere-{own is None}", gate=NOTHING).moved
        assert os.environ.get("MLFLOW_TRACKING_URI") == own
        assert mlflow.is_tracking_uri_set() is (own is not None)
    assert list(tmp_path.glob("*.db")) == []


# --- the conditions


def test_a_good_model_meets_every_condition_and_each_is_told_with_its_n(store):
    found = conditions(store.folder / "good", Gate(max_ece=0.5), champion=None)
    assert [one.name for one in found] == [
        "model directory", "macro-F1", "margin over shortcuts", "calibration error", "coverage", "no worse slice",
        "clean audit", "model card",
    ]  # fmt: skip
    assert all(one.holds for one in found)
    assert "n = 24" in found[1].found
    assert "no champion yet" in found[5].found


def test_what_is_null_is_not_asked_for(store):
    assert [one.name for one in conditions(store.folder / "good", NOTHING, champion=None)] == ["model directory"]


def test_a_changed_file_fails_by_its_name_and_leaves_the_other_conditions_standing(copy):
    directory = copy()
    changed(directory / "evaluation.json", lambda found: found)
    first, *others = conditions(directory, Gate(max_ece=0.5), champion=None)
    assert not first.holds
    assert "'evaluation.json' is not what was saved" in first.found
    assert all(one.holds for one in others)


@pytest.mark.parametrize(("low", "holds"), [(0.499, False), (0.5, True)])
def test_macro_f1_has_to_clear_its_bound_with_the_lower_end(copy, low, holds):
    directory = copy()
    changed(
        directory / "evaluation.json",
        lambda found: found["overall"]["metrics"].update(macro_f1={"value": 0.7, "low": low, "high": 0.9}),
    )
    condition = asked(directory, Gate(min_macro_f1=0.5))["macro-F1"]
    assert condition.holds is holds
    assert condition.found == f"0.700 [{low:.3f}, 0.900], n = 24"


@pytest.mark.parametrize(("low", "holds"), [(-0.001, False), (0.0, True)])
def test_the_margin_has_to_clear_its_bound_with_the_lower_end(copy, low, holds):
    directory = copy()
    changed(directory / "shortcuts.json", lambda found: found.update(margin={"value": 0.1, "low": low, "high": 0.2}))
    assert asked(directory, Gate())["margin over shortcuts"].holds is holds


def test_shortcuts_that_were_not_measured_fail(copy):
    directory = copy()
    (directory / "shortcuts.json").unlink()
    condition = asked(directory, Gate())["margin over shortcuts"]
    assert (condition.holds, condition.found) == (False, "not measured. Train with evaluation.shortcuts: true")


@pytest.mark.parametrize(("value", "holds"), [(0.1, True), (0.11, False)])
def test_the_calibration_error_counts_by_its_value(copy, value, holds):
    directory = copy()
    changed(
        directory / "evaluation.json",
        lambda found: found["overall"]["metrics"].update(ece={"value": value, "low": 0.05, "high": 0.3}),
    )
    assert asked(directory, Gate(max_ece=0.1))["calibration error"].holds is holds


@pytest.mark.parametrize(("value", "holds"), [(0.8, True), (0.79, False)])
def test_coverage_is_that_of_the_label_that_is_covered_least(copy, value, holds):
    directory = copy()
    changed(
        directory / "decisions.json",
        lambda found: found["coverage"]["labels"]["unverified"].update(
            n=40, covered={"value": value, "low": 0.6, "high": 0.9}
        ),
    )
    condition = asked(directory, Gate(min_coverage=0.8))["coverage"]
    assert condition.holds is holds
    assert condition.found == f"unverified {value:.3f} [0.600, 0.900], n = 40"


def test_coverage_that_was_not_measured_fails(copy):
    directory = copy()
    for coverage in ({"labels": {}}, None):
        whole = coverage and json.loads((directory / "decisions.json").read_text())["coverage"] | coverage
        changed(directory / "decisions.json", lambda found, whole=whole: found.update(coverage=whole))
        assert "Train with a calibration split" in asked(directory, Gate())["coverage"].found
    (directory / "decisions.json").unlink()
    condition = asked(directory, Gate())["coverage"]
    assert (condition.holds, condition.found) == (False, "no decisions.json. Train again with this version.")


def test_findings_that_the_run_does_not_accept_are_listed(copy):
    directory = copy()
    changed(directory / "audit.json", lambda found: found.update(accepted=[]))
    condition = asked(directory, Gate())["clean audit"]
    assert not condition.holds
    assert condition.found.startswith("evidence_overlap (")
    changed(directory / "audit.json", lambda found: found["findings"][0].update(count=float("inf")))
    assert "audit.json cannot be read" in asked(directory, Gate())["clean audit"].found
    (directory / "audit.json").write_text("[]")
    assert "audit.json cannot be read" in asked(directory, Gate())["clean audit"].found
    (directory / "audit.json").unlink()
    assert not asked(directory, Gate())["clean audit"].holds


@pytest.mark.parametrize(
    ("card", "missing"),
    [
        ({"owner": None}, "owner"),
        ({"contact": " "}, "contact"),
        ({"languages": [], "licence": None}, "licence, languages"),
    ],
)
def test_an_incomplete_card_names_its_gaps(copy, card, missing):
    directory = copy()
    config = yaml12.read(directory / "config.yaml")
    (directory / "config.yaml").write_text(yaml12.dump(config | {"card": CARD | card}))
    condition = asked(directory, Gate())["model card"]
    assert not condition.holds
    assert condition.found.startswith(f"{missing} missing.")


# --- compared with the champion


def test_a_candidate_that_is_surely_worse_than_the_champion_is_told_where(store):
    condition = asked(store.folder / "weak", LENIENT, store.folder / "good")["no worse slice"]
    assert not condition.holds
    assert "all rows -" in condition.found
    assert asked(store.folder / "good", LENIENT, store.folder / "weak")["no worse slice"].holds
    assert asked(store.folder / "twin", LENIENT, store.folder / "good")["no worse slice"].holds
    indifferent = LENIENT.model_copy(update={"max_slice_regression": 1.0})
    assert asked(store.folder / "weak", indifferent, store.folder / "good")["no worse slice"].holds


def test_one_corpus_that_got_worse_is_named_although_the_whole_did_not(copy, store):
    """Two corpora of 12 rows; the candidate is wrong on all of one, the champion on half of the other."""
    directories = [copy("good"), copy("twin")]
    for directory, wrong in zip(directories, (range(12), range(12, 18)), strict=True):
        path = directory / "test_predictions.jsonl"
        rows = sorted((json.loads(line) for line in path.read_text().splitlines()), key=lambda row: row["id"])
        for number, row in enumerate(rows):
            others = [name for name in ("verified", "unverified", "propaganda") if name != row["label"]]
            given = others[0] if number in wrong else row["label"]
            row |= {f"p_{name}": float(name == given) for name in (*others, row["label"])}
            row |= {"corpus": "first" if number < 12 else "second", "event": None}
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    condition = asked(directories[0], LENIENT, directories[1])["no worse slice"]
    assert not condition.holds
    assert "corpus 'first' -1.000 [-1.000, -1.000], n = 12" in condition.found
    assert "second" not in condition.found


def test_other_test_rows_do_not_hold_and_say_what_to_do(store):
    condition = asked(store.folder / "seeds" / "seed-1", LENIENT, store.folder / "good")["no worse slice"]
    assert not condition.holds
    assert "expected the same test rows" in condition.found
    assert "gate.max_slice_regression: null" in condition.found


def test_the_champion_is_no_worse_than_itself(store):
    condition = asked(store.folder / "good", LENIENT, store.folder / "good")["no worse slice"]
    assert (condition.holds, condition.found) == (True, "it is the champion")


# --- promotion


def test_a_condition_that_fails_leaves_the_registry_as_it_was(run, client):
    before = registered(client)
    done = run("weak", "untouched")
    assert {one.name for one in done.failing} >= {"macro-F1"}
    assert (done.moved, done.version, done.before) == (False, None, None)
    assert registered(client) == before


def test_when_all_hold_the_version_is_there_with_its_facts_and_the_alias_points_to_it(run, client, store):
    done = run("good", "claims")
    assert (done.moved, done.version, done.before, done.failing) == (True, "1", None, ())
    version = client.get_model_version_by_alias("claims", "champion")
    assert (str(version.version), version.status, version.run_id) == ("1", "READY", done.run_id)
    assert version.tags["fingerprint"] == read_manifest(store.folder / "good").fingerprint
    assert version.tags | {"kind": "tfidf", "seed": "0", "config": "good", "macro_f1": "1.0000"} == version.tags
    assert "| macro-F1 | 0.500 or more" in version.description
    assert "not how probable it is" in version.description


def test_a_second_promotion_changes_nothing(run, client):
    run("good", "twice")
    before = registered(client)
    done = run("good", "twice")
    assert (done.moved, done.version, done.before, done.failing) == (False, "1", "1", ())
    assert registered(client) == before


def test_a_version_that_is_registered_already_is_not_registered_again(run, client):
    run("good", "reused")
    assert run("good", "reused", alias="challenger").version == "1"
    run("twin", "reused")
    assert run("good", "reused").version == "1"
    assert len(client.search_model_versions("name = 'reused'")) == 2


def test_the_alias_moves_and_comes_back(run, client, store, tmp_path):
    def aliases():
        found = client.get_registered_model("moving").aliases
        return {alias: str(version) for alias, version in found.items()}

    run("good", "moving")
    assert aliases() == {"champion": "1"}
    done = run("twin", "moving")
    assert (done.moved, done.version, done.before) == (True, "2", "1")
    assert aliases() == {"champion": "2", "previous-champion": "1"}
    back = roll_back(alias="champion", name="moving", uri=store.uri, folder=tmp_path)
    assert (back.version, back.before) == ("1", "2")
    assert aliases() == {"champion": "1", "previous-champion": "2"}
    roll_back(alias="champion", name="moving", uri=store.uri, folder=tmp_path)
    assert aliases() == {"champion": "2", "previous-champion": "1"}


def test_a_worse_candidate_does_not_replace_the_champion(run, client):
    run("good", "defended")
    before = registered(client)
    done = run("weak", "defended", gate=LENIENT)
    assert [one.name for one in done.failing] == ["no worse slice"]
    assert (done.moved, done.before) == (False, "1")
    assert registered(client) == before


def test_a_dry_run_decides_and_changes_nothing(run, client):
    before = registered(client)
    done = run("good", "tried", dry_run=True)
    assert (done.failing, done.moved, done.version) == ((), False, None)
    assert registered(client) == before


def test_the_gate_is_the_runs_own_unless_another_is_given(run):
    assert run("good", "own", dry_run=True).failing == ()
    strict = Gate(min_margin_over_shortcuts=0.5, max_ece=0.5)
    assert [one.name for one in run("good", "own", gate=strict, dry_run=True).failing] == ["margin over shortcuts"]


def test_every_way_to_name_a_run_promotes_the_same_one(run, client, store):
    first = run("good", "named")
    model_id = client.get_run(first.run_id).outputs.model_outputs[0].model_id
    name = client.get_run(first.run_id).info.run_name
    for reference in (
        first.run_id, first.run_id[:10], name, f"runs:/{first.run_id}/model", "models:/named@champion",
        "models:/named/1", f"models:/{model_id}",
    ):  # fmt: skip
        again = run(reference, "named")
        assert (again.run_id, again.version, again.moved) == (first.run_id, "1", False)


def test_the_registered_model_is_named_as_the_experiment(run, client):
    assert run("good", None, gate=NOTHING).name == "gated"
    assert client.get_registered_model("gated").aliases["champion"] in (1, "1")


# --- what cannot be promoted


def test_a_run_of_several_seeds_lists_its_children(run, client):
    experiment = client.get_experiment_by_name("gated").experiment_id
    children = client.search_runs([experiment], "tags.`mlflow.parentRunId` LIKE '%'")
    parent = children[0].data.tags["mlflow.parentRunId"]
    with pytest.raises(DataError, match=r"expected one model, found a training of 2\. Promote one of them") as caught:
        run(parent, "several")
    assert len(children) == 2
    assert all(f"\n  {child.info.run_id} " in str(caught.value) for child in children)
    assert "macro-F1 1.000" in str(caught.value)
    assert run(children[0].info.run_id, "several", gate=NOTHING).moved


def test_an_experiment_is_not_one_run(run):
    for text in ("gated", "experiment:gated"):
        with pytest.raises(DataError, match="expected one run, found an experiment"):
            run(text, "no")


@pytest.mark.parametrize("change", [{"kind": "static"}, {"seed": 7}, {"data_fingerprint": "a'b\"c"}], ids=str)
def test_a_directory_that_no_run_logged_is_refused(run, copy, change):
    directory = copy()
    changed(directory / "manifest.json", lambda found: found.update(change))
    with pytest.raises(
        DataError, match=r"expected the model directory of a logged run, found none .* tracking.enabled"
    ):
        run(str(directory), "no")


def test_a_run_that_is_not_finished_or_has_no_model_is_refused(run, client):
    experiment = client.get_experiment_by_name("gated").experiment_id
    running = client.create_run(experiment, run_name="still running").info.run_id
    with pytest.raises(DataError, match="expected a finished run, found one that is RUNNING"):
        run(running, "no")
    client.set_terminated(running)
    with pytest.raises(ModelError, match="expected a logged model, found none that is whole"):
        run(running, "no")
    client.delete_run(running)
    with pytest.raises(DataError, match="the run is deleted"):
        run(running, "no")
    with pytest.raises(DataError, match="found none of them"):
        run("nobody", "no")


@pytest.mark.parametrize("alias", ["", "latest", "v3", "previous-champion", "a b", "a@b"])
def test_an_alias_that_cannot_be_is_refused(run, alias, client):
    before = registered(client)
    with pytest.raises(ConfigError, match="--as: expected letters"):
        run("good", "claims", alias=alias)
    assert registered(client) == before


@pytest.mark.parametrize("name", [" ", "a/b", "a:b", "a@b", "it's"])
def test_a_name_that_cannot_be_is_refused(run, name):
    with pytest.raises(ConfigError, match="--name: expected a name without"):
        run("good", name)


def test_an_alias_that_was_moved_in_the_meantime_is_left_alone(run, client, monkeypatch):
    run("good", "raced")
    real = registry.describe

    def slowly(name, version, **options):
        client.set_registered_model_alias(name, "champion", version)  # somebody else, just now
        real(name, version, **options)

    monkeypatch.setattr(registry, "describe", slowly)
    with pytest.raises(TrackingError, match=r"raced@champion: expected version 1, found 2: it was moved"):
        run("twin", "raced")
    assert "previous-champion" not in client.get_registered_model("raced").aliases


def test_the_alias_waits_until_the_version_is_ready(run, client, monkeypatch):
    import mlflow

    run("good", "pending")
    before = client.get_registered_model("pending").aliases
    real = mlflow.MlflowClient.get_model_version

    def never_ready(self, name, version):
        found = real(self, name, version)
        if str(version) == "2":
            found._status = "FAILED_REGISTRATION"
        return found

    monkeypatch.setattr(mlflow.MlflowClient, "get_model_version", never_ready)
    with pytest.raises(ModelError, match="expected a version that is READY, found one FAILED_REGISTRATION"):
        run("twin", "pending")
    assert client.get_registered_model("pending").aliases == before


def test_a_champion_whose_files_are_gone_says_how_to_go_on(run, client, store, tmp_path):
    shutil.copytree(store.folder / "good", tmp_path / "lost")
    client.create_registered_model("lost")
    client.create_model_version("lost", str(tmp_path / "nowhere"))
    client.set_registered_model_alias("lost", "champion", "1")
    with pytest.raises(ModelError, match=r"were they deleted\? It is champion now; .*max_slice_regression: null"):
        run("good", "lost")
    assert run("good", "lost", gate=NOTHING).moved


def test_there_is_nothing_to_roll_back_to_before_a_second_version(run, store, tmp_path):
    run("good", "first")
    for name in ("first", "unheard-of"):
        with pytest.raises(DataError, match="expected an earlier version to go back to, found none"):
            roll_back(alias="champion", name=name, uri=store.uri, folder=tmp_path)


def test_a_version_whose_files_changed_is_not_rolled_back_to(run, client, store, copy, tmp_path):
    run("good", "damaged")
    model = Path(client.get_model_version_download_uri("damaged", "1"))
    shutil.copytree(model, tmp_path / "damaged")
    (tmp_path / "damaged" / "data" / "good" / "splits.jsonl").write_text("")
    client.create_model_version("damaged", str(tmp_path / "damaged"))
    client.set_registered_model_alias("damaged", "previous-champion", "2")
    before = client.get_registered_model("damaged").aliases
    with pytest.raises(ModelError, match=r"'splits.jsonl' is not what was saved"):
        roll_back(alias="champion", name="damaged", uri=store.uri, folder=tmp_path)
    assert client.get_registered_model("damaged").aliases == before
