"""A training that starts from a trained model: its weights are taken over, and what it learnt is never asked."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from claimsieve import config as configs
from claimsieve.cascading import build_cascade
from claimsieve.data.lineage import digest_of, read
from claimsieve.data.prepare import cuts, prepare
from claimsieve.errors import ClaimsieveError, ConfigError, DataError, ModelError, TrainingError
from claimsieve.models.checkpoints import LINEAGE, checkpoint_directory, model_directory
from claimsieve.models.lineage import met_before
from claimsieve.runner import Watch, run_experiment
from claimsieve.settings import RunConfig
from claimsieve.studies import study_optimism, study_shortcuts
from claimsieve.sweeps.sweep import run_sweep
from claimsieve.whole_files import write_file

SPLIT = {"by": "group", "train": 0.6, "valid": 0.1, "calibration": 0.1, "test": 0.2}


@pytest.fixture(scope="module")
def config_of(planted_claims: Path, tiny_checkpoint: Path):
    """A config on the planted claims; keyword arguments replace sections."""

    def make(checkpoint: Path = tiny_checkpoint, *, kind: str = "encoder", file: Path = planted_claims, **more):
        sections = {
            "name": "continuing",
            "data": {"corpora": [{"file": str(file)}], "split": SPLIT},
            "model": {"kind": kind} | ({} if kind == "tfidf" else {"checkpoint": str(checkpoint)}),
            "training": {"epochs": 1, "batch_tokens": 256, "learning_rate": 1e-3, "precision": "float32"},
            "evaluation": {"resamples": 100, "shortcuts": False, "behaviour": False, "explained_rows": 0},
            "tracking": {"enabled": False},
        }
        return configs.validate(sections | more, place="test")

    return make


@pytest.fixture(scope="module")
def first(config_of, tmp_path_factory) -> Path:
    """A trained encoder, of seed 0."""
    (result,) = run_experiment(config_of(), tmp_path_factory.mktemp("first") / "model")
    return result.directory


def placed(directory: Path) -> dict[str, str]:
    rows = [json.loads(line) for line in (directory / "splits.jsonl").read_text().splitlines()]
    return {row["id"]: row["split"] for row in rows}


def trained(config: RunConfig, directory: Path, said: list[str] | None = None) -> Path:
    (result,) = run_experiment(config, directory, watch=Watch(say=([] if said is None else said).append))
    return result.directory


def test_the_splits_are_those_of_the_model_it_starts_from_whatever_the_seed(config_of, first, tmp_path):
    said: list[str] = []
    second = trained(config_of(first, seeds=[5]), tmp_path / "second", said)
    assert placed(second) == placed(first)
    assert placed(trained(config_of(seeds=[5]), tmp_path / "plain")) != placed(first)
    assert "120 known to the model that this starts from" in said[0]


def test_weights_and_head_are_taken_over(config_of, first, tmp_path):
    still = {"epochs": 1, "max_steps": 1, "learning_rate": 1e-12, "precision": "float32"}
    second = trained(config_of(first, training=still), tmp_path / "second")
    before, after = (load_file(folder / "weights" / "model.safetensors") for folder in (first, second))
    assert before.keys() == after.keys()
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)


def test_a_two_axis_model_takes_the_body_and_a_new_head(config_of, first, planted_claims, tmp_path):
    rows = [json.loads(line) for line in planted_claims.read_text().splitlines()]
    file = tmp_path / "rows.jsonl"
    marked = [row | {"manipulation": ["recycled"] if row["label"] == "propaganda" else []} for row in rows]
    file.write_text("".join(json.dumps(row) + "\n" for row in marked))
    second = trained(config_of(first, kind="two_axis", file=file), tmp_path / "second")
    assert load_file(second / "weights" / "model.safetensors")["classifier.weight"].shape[0] == 5


def test_its_own_lineage_has_the_claims_of_both(config_of, first, planted_claims, tmp_path):
    rows = [json.loads(line) for line in planted_claims.read_text().splitlines()]
    others = [
        row | {"claim": f"quite another word on {row['claim']}", "event": f"other {row['event']}"} for row in rows
    ]
    (tmp_path / "others.jsonl").write_text("".join(json.dumps(row) + "\n" for row in others))
    second = trained(config_of(first, file=tmp_path / "others.jsonl"), tmp_path / "second")
    own, earlier = (read((folder / LINEAGE).read_bytes()) for folder in (second, first))
    assert earlier.items() < own.items()
    assert len(own) == 240
    third = config_of(second, seeds=[9])
    prepared = prepare(third.data, met_before(third.model))
    (cut,) = cuts(prepared, third.data, third.seeds)
    assert [str(name) for name in cut.assignment] == [earlier[digest_of(claim)] for claim in prepared.claims]


def test_it_is_the_model_by_whatever_way_one_comes_to_its_weights(config_of, first, tmp_path, monkeypatch):
    place = first.resolve()
    assert model_directory(first / "weights") == model_directory(first) == place
    assert checkpoint_directory(str(first)) == place / "weights"
    assert model_directory(first.parent) is None
    (tmp_path / "link").symlink_to(first / "weights")
    (tmp_path / "weights").symlink_to(first / "weights")
    monkeypatch.chdir(first / "weights")
    for way in (tmp_path / "link", tmp_path / "weights", Path(), Path("../weights")):
        assert len(met_before(config_of(way).model)) == 120
        assert checkpoint_directory(str(way)) == place / "weights"


def test_a_model_without_its_manifest_is_no_plain_checkpoint(config_of, first, tmp_path):
    copy = shutil.copytree(first, tmp_path / "copy")
    (copy / "manifest.json").unlink()
    for way in (copy, copy / "weights"):
        with pytest.raises(ModelError, match=r"expected a model directory with manifest.json"):
            met_before(config_of(way).model)


def test_a_tier_of_a_cascade_is_no_plain_checkpoint(config_of, first, tmp_path):
    cheap = trained(config_of(kind="tfidf"), tmp_path / "cheap")
    built = build_cascade(cheap, first, tmp_path / "cascade", max_disagreement=0.9, confidence=0.5)
    for way in (built.directory, built.directory / "weights" / "encoder"):
        with pytest.raises(ModelError, match="expected a model of kind encoder or two_axis, found cascade"):
            met_before(config_of(way).model)


def test_what_can_be_no_checkpoint_is_said_before_anything_is_read(config_of, first):
    for given, reason in {
        "runs:/0123/model": "found the address of a stored model",
        "models:/claims@champion": "found the address of a stored model",
        "": "expected a folder or a Hub id as checkpoint, found neither",
        str(first / "README.md"): "expected a folder or a Hub id as checkpoint, found neither",
        "x" * 300: "cannot be opened: File name too long",
    }.items():
        model = config_of().model.model_copy(update={"checkpoint": given})
        with pytest.raises(ModelError, match=reason):
            met_before(model)


def test_a_training_is_not_gone_on_with_from_other_weights(config_of, first, tmp_path):
    base = shutil.copytree(first, tmp_path / "base")
    config = config_of(base, training={"epochs": 30, "batch_tokens": 256, "checkpoint_seconds": 0})

    def stop(step) -> None:
        if step.number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(config, tmp_path / "second", watch=Watch(say=lambda text: None, step=stop))
    shutil.rmtree(base)
    with pytest.raises(ClaimsieveError, match="another weights to start from"):
        run_experiment(config, tmp_path / "second", resume=True)
    shutil.copytree(trained(config_of(first), tmp_path / "other"), base)
    with pytest.raises(TrainingError, match="the interrupted training had another weights to start from"):
        run_experiment(config, tmp_path / "second", resume=True)


def test_no_output_lies_anywhere_in_a_model(config_of, first, tmp_path):
    copy = shutil.copytree(first, tmp_path / "copy")
    for place in ("own", "own/model", "weights/model"):
        with pytest.raises(ModelError, match="lies inside a model directory"):
            run_experiment(config_of(), copy / place)


def test_shortcuts_of_seeds_with_the_same_test_rows_have_an_interval_over_the_rows(config_of, first):
    study = study_shortcuts(config_of(first), [0, 1])
    unsure = [score for score in study.scores.values() if 0.05 < score.value < 0.95]
    assert len(set(study.by_seed["claim_only"])) == 1
    assert unsure
    assert all(score.low < score.value < score.high for score in unsure)


def test_a_plain_checkpoint_has_met_nothing(config_of, tiny_checkpoint):
    assert met_before(config_of(tiny_checkpoint).model) == {}
    assert met_before(config_of(kind="tfidf").model) == {}


def test_a_model_that_does_not_say_what_it_met_is_refused_before_anything_is_trained(config_of, first, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(first, old)
    (old / LINEAGE).unlink()
    manifest = json.loads((old / "manifest.json").read_text())
    del manifest["files"][LINEAGE]
    (old / "manifest.json").write_text(json.dumps(manifest))
    for checkpoint in (old, old / "weights"):
        with pytest.raises(ModelError, match=r"expected lineage.json, .* found none: it is of an earlier version"):
            run_experiment(config_of(checkpoint), tmp_path / "second")
    assert not (tmp_path / "second").exists()


def test_a_changed_lineage_and_another_kind_are_refused(config_of, first, tmp_path):
    changed = tmp_path / "changed"
    shutil.copytree(first, changed)
    write_file(changed / LINEAGE, b'{"train": [], "valid": [], "calibration": [], "test": []}')
    with pytest.raises(ModelError, match=r"'lineage.json' is not what was saved"):
        met_before(config_of(changed).model)
    words = trained(config_of(kind="tfidf"), tmp_path / "words")
    with pytest.raises(ModelError, match="expected a model of kind encoder or two_axis, found tfidf"):
        met_before(config_of(words).model)


def test_the_model_that_it_starts_from_may_go_while_it_trains(config_of, first, tmp_path):
    base = tmp_path / "base"
    shutil.copytree(first, base)

    def gone(*_: object) -> None:
        shutil.rmtree(base, ignore_errors=True)

    (result,) = run_experiment(config_of(base), tmp_path / "second", watch=Watch(say=lambda text: None, step=gone))
    assert not base.exists()
    assert placed(result.directory) == placed(first)


def test_a_sweep_from_a_trained_model_is_on_its_splits_and_so_is_what_it_leaves(config_of, first, tmp_path):
    sweep = {"trials": 1, "space": {"training.learning_rate": [1e-3, 2e-3]}}
    quiet = Watch(say=lambda text: None)
    run_sweep(config_of(first, seeds=[7], sweep=sweep), tmp_path / "sweep", watch=quiet)
    best = configs.load(str(tmp_path / "sweep" / "best.yaml"))
    assert placed(trained(best, tmp_path / "best")) == placed(first)


def test_a_sweep_among_checkpoints_takes_no_trained_model(config_of, first, tiny_checkpoint, tmp_path):
    space = {"model.checkpoint": [str(tiny_checkpoint), str(first)]}
    for own in (first, tiny_checkpoint):
        with pytest.raises(ConfigError, match="expected checkpoints that are no trained models of claimsieve"):
            run_sweep(config_of(own, sweep={"trials": 1, "space": space}), tmp_path / "sweep")


def test_a_sweep_is_not_gone_on_with_from_another_model(config_of, first, tmp_path):
    base = shutil.copytree(first, tmp_path / "base")
    sweep = {"trials": 1, "space": {"training.learning_rate": [1e-3, 2e-3]}}
    quiet = Watch(say=lambda text: None)
    run_sweep(config_of(base, sweep=sweep), tmp_path / "sweep", watch=quiet)
    second = trained(config_of(first), tmp_path / "second")
    shutil.rmtree(base)
    shutil.copytree(second, base)
    with pytest.raises(ClaimsieveError, match="config"):
        run_sweep(config_of(base, sweep=sweep), tmp_path / "sweep", resume=True, watch=quiet)


def test_optimism_is_not_measured_from_a_trained_model(config_of, first):
    with pytest.raises(ConfigError, match="expected one that has met none of the claims, found a trained model"):
        study_optimism(config_of(first), [0, 1])


def test_a_claim_that_was_learnt_is_not_in_test_of_a_held_out_event(config_of, first, tmp_path):
    config = config_of(first)
    learnt = sorted(identifier for identifier, name in placed(first).items() if name == "train")
    prepared = prepare(config.data, met_before(config.model))
    event = next(claim.event for claim in prepared.claims if claim.id == learnt[0])
    plan = config.data.split.model_copy(update={"hold_out": event})
    data = config.data.model_copy(update={"split": plan})
    with pytest.raises(DataError, match=r"claims in test, found .* has learnt claims that test would have"):
        cuts(prepared, data, [0])
    assert None not in prepared.before
