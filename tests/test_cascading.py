"""Two trained models made into a cascade, on small planted data: the whole way, and every pair that is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from claimsieve import cascading, runner
from claimsieve import config as configs
from claimsieve.cascading import build_cascade
from claimsieve.data.corpora import load_labelled
from claimsieve.data.prepare import cuts, data_fingerprint, prepare
from claimsieve.errors import ConfigError, DataError, ModelError
from claimsieve.evaluation.assessment import read_assessment, read_calibration
from claimsieve.evaluation.handover import from_json
from claimsieve.models.artifacts import Manifest, load_model, read_manifest
from claimsieve.report import cascade_sentences

ASKED = {"max_disagreement": 0.2, "confidence": 0.9}  # 11 rows at least
SPLIT = {"by": "group", "train": 0.4, "valid": 0.1, "calibration": 0.25, "test": 0.25}


@pytest.fixture(scope="module")
def corpus(planted_claims, tmp_path_factory):
    """A copy of the planted claims, to be changed."""
    return Path(shutil.copy(planted_claims, tmp_path_factory.mktemp("corpus") / "own.jsonl"))


@pytest.fixture(scope="module")
def train(corpus, tiny_checkpoint, tmp_path_factory):
    """train(kind) is the directory of a model; keyword arguments replace sections of the config."""
    folder = tmp_path_factory.mktemp("trained")

    def trained(kind, *, inputs=("claim", "evidence"), split=SPLIT, **sections):
        model = {"kind": kind} if kind == "tfidf" else {"kind": kind, "checkpoint": str(tiny_checkpoint)}
        config = {
            "name": "test",
            "data": {"corpora": [{"file": str(corpus)}], "split": split, "inputs": list(inputs)},
            "model": model,
            "training": {"epochs": 3, "batch_tokens": 256, "learning_rate": 3e-3, "precision": "float32"},
            "evaluation": {"resamples": 100, "shortcuts": False},
            "tracking": {"enabled": False},
        }
        directory = folder / f"{kind}-{len(list(folder.iterdir()))}"
        runner.run_experiment(configs.validate({**config, **sections}, place="test"), directory)
        return directory

    return trained


@pytest.fixture(scope="module")
def pair(train):
    return train("tfidf"), train("encoder")


@pytest.fixture(scope="module")
def built(pair, tmp_path_factory):
    said = []
    return build_cascade(*pair, tmp_path_factory.mktemp("built") / "cascade", **ASKED, say=said.append), said


def test_the_cascade_is_a_whole_model_directory(built, pair):
    directory = built[0].directory
    whole = {path.name for path in pair[1].iterdir()} | {"cascade.json", "cheap_config.yaml"}
    found = {path.name for path in directory.iterdir()}
    assert found - {"faithfulness.json"} == whole - {"faithfulness.json"}  # there only if a word speaks for its label
    model, manifest = load_model(directory)
    assert (manifest.kind, manifest.data_fingerprint) == ("cascade", read_manifest(pair[1]).data_fingerprint)
    config = configs.load(str(directory / "config.yaml"))
    assert (config.name, config.model.kind, config.model.cheap.kind) == ("test-cascade", "cascade", "tfidf")
    assert config.model.encoder == configs.load(str(pair[1] / "config.yaml")).model
    assert read_assessment(directory).evaluation == built[0].assessment.evaluation
    assert read_calibration(directory) is not None
    assert (directory / "cheap_config.yaml").read_bytes() == (pair[0] / "config.yaml").read_bytes()
    assert model.threshold == built[0].handover.threshold


def test_it_records_both_tiers_and_what_was_chosen(built, pair):
    saved = from_json(json.loads((built[0].directory / "cascade.json").read_text(encoding="utf-8")))
    assert saved == built[0].handover
    prints = [read_manifest(directory).fingerprint for directory in pair]
    assert saved.fingerprints == dict(zip(("cheap", "encoder"), prints, strict=True))
    assert (saved.max_disagreement, saved.confidence) == (0.2, 0.9)
    assert saved.limit <= 0.2


def test_its_numbers_are_those_of_the_saved_models_on_the_splits(built, pair, planted_claims):
    directory, handover = built[0].directory, built[0].handover
    claims, _ = load_labelled(str(planted_claims), mapping={}, ratings={})
    placed = [json.loads(line)["split"] for line in (directory / "splits.jsonl").read_text().splitlines()]
    cheap, encoder, cascade = (load_model(one)[0] for one in (*pair, directory))
    for name, part in (("calibration", handover.calibration), ("test", handover.test)):
        rows = [claim for claim, split in zip(claims, placed, strict=True) if split == name]
        own = cheap.predict_proba(rows)
        sure = own.max(axis=1) >= handover.threshold
        differs = cascade.predict_proba(rows).argmax(axis=1) != encoder.predict_proba(rows).argmax(axis=1)
        assert (part.n, part.answered.value, part.differs.value) == (len(rows), sure.mean(), differs.mean())
        assert sure.any()
        assert not differs[~sure].any()


def test_the_same_two_models_make_the_same_cascade(built, pair, tmp_path):
    again = build_cascade(*pair, tmp_path / "again", **ASKED)
    assert read_manifest(again.directory).fingerprint == read_manifest(built[0].directory).fingerprint


def test_card_and_report_say_that_there_are_two_tiers(built):
    for name in ("README.md", "report.html"):
        text = (built[0].directory / name).read_text(encoding="utf-8")
        assert "Cascade model that reads claim, evidence" in text
        assert "Two tiers" in text
        assert "The bound takes claims to be drawn each for itself" in text


def test_a_model_of_one_tier_has_no_such_section_and_another_document_is_refused():
    assert cascade_sentences({}) == []
    with pytest.raises(ModelError, match=r"cascade\.json: expected what a training writes there"):
        cascade_sentences({"cascade.json": b"[]"})


def test_speeds_are_ratios_of_times_that_were_taken(built):
    speed = built[0].speed
    assert speed.rows == built[0].handover.test.n
    assert speed.answered == built[0].handover.test.answered.value
    assert speed.expected > 0
    assert speed.measured > 0


def test_too_few_calibration_rows_are_refused_with_how_many_are_needed(pair, tmp_path):
    message = (
        r"expected at least 299 calibration claims to keep the disagreement at 0.01 with 0.95 confidence, found 30"
        r".*--max-disagreement 0.09\d\d at best"
    )
    with pytest.raises(DataError, match=message):
        build_cascade(*pair, tmp_path / "cascade", max_disagreement=0.01, confidence=0.95)
    assert not (tmp_path / "cascade").exists()


def test_a_cheap_model_that_differs_even_where_it_is_surest_is_refused(pair, tmp_path, monkeypatch):
    monkeypatch.setattr("claimsieve.cascading._differ", lambda cheap, encoder: np.ones(len(cheap), dtype=bool))
    with pytest.raises(DataError, match=r"found none on 30 calibration claims.*\(of all labels 1\.000\)"):
        build_cascade(*pair, tmp_path / "cascade", max_disagreement=0.1, confidence=0.95)  # 29 rows without any
    assert list(tmp_path.iterdir()) == []


def test_models_of_another_split_or_of_other_inputs_are_refused(train, pair, tmp_path):
    with pytest.raises(ModelError, match=r"expected a model of the same claims and split as .*same data and seed"):
        build_cascade(train("tfidf", split={**SPLIT, "seed": 5}), pair[1], tmp_path / "cascade", **ASKED)
    with pytest.raises(
        ModelError, match=r"expected a model that reads claim, evidence, .* found one that reads claim\."
    ):
        build_cascade(train("tfidf", inputs=("claim",)), pair[1], tmp_path / "cascade", **ASKED)


def test_models_of_other_claims_are_refused(train, pair, planted_claims, tmp_path):
    (tmp_path / "fewer.jsonl").write_text("\n".join(planted_claims.read_text().splitlines()[:90]), encoding="utf-8")
    data = {"corpora": [{"file": str(tmp_path / "fewer.jsonl")}], "split": SPLIT}
    with pytest.raises(ModelError, match="expected a model of the same claims and split"):
        build_cascade(train("tfidf", data=data), pair[1], tmp_path / "cascade", **ASKED)


def test_other_kinds_are_refused(built, pair, tmp_path):
    cheap, encoder = pair
    cascade = built[0].directory
    with pytest.raises(ModelError, match="expected tfidf or static as the cheap model of a cascade, found encoder"):
        build_cascade(encoder, encoder, tmp_path / "cascade", **ASKED)
    with pytest.raises(ModelError, match="expected an encoder as the second model of a cascade, found tfidf"):
        build_cascade(cheap, cheap, tmp_path / "cascade", **ASKED)
    with pytest.raises(ModelError, match="found cascade"):
        build_cascade(cascade, encoder, tmp_path / "cascade", **ASKED)
    with pytest.raises(ModelError, match="found cascade"):
        build_cascade(cheap, cascade, tmp_path / "cascade", **ASKED)


def test_corpora_that_have_changed_since_are_refused(pair, corpus, tmp_path):
    before = corpus.read_text(encoding="utf-8")
    corpus.write_text(before.replace("hit 7 times", "hit 8 times"), encoding="utf-8")
    try:
        with pytest.raises(DataError, match=r"expected the claims and split that it was trained on .* found others"):
            build_cascade(*pair, tmp_path / "cascade", **ASKED)
    finally:
        corpus.write_text(before, encoding="utf-8")


def test_a_directory_in_use_is_refused_before_anything_is_read(pair, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ModelError, match="expected a new or empty directory"):
        build_cascade(*pair, tmp_path, **ASKED)


def test_a_model_directory_with_a_changed_file_is_refused(pair, tmp_path):
    spoilt = shutil.copytree(pair[0], tmp_path / "spoilt")
    (spoilt / "audit.json").write_text("{}")
    with pytest.raises(ModelError, match=r"'audit.json' is not what was saved"):
        build_cascade(spoilt, pair[1], tmp_path / "cascade", **ASKED)


def test_no_config_trains_a_cascade(built, tmp_path):
    config = configs.load(str(built[0].directory / "config.yaml"))
    with pytest.raises(ConfigError, match=r"a cascade is not trained\. Train its two models"):
        runner.run_experiment(config, tmp_path / "model")


def test_of_many_folds_the_one_is_remade_that_the_model_was_trained_on(planted_claims, tmp_path):
    rows = [json.loads(row) for row in planted_claims.read_text(encoding="utf-8").splitlines()[:60]]
    named = [{**row, "event": f"event-{number // 20}"} for number, row in enumerate(rows)]
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in named), encoding="utf-8")
    data = {"corpora": [{"file": str(tmp_path / "own.jsonl")}], "split": {**SPLIT, "hold_out": "each"}}
    config = configs.validate({"name": "test", "data": data, "model": {"kind": "tfidf"}}, place="test")
    prepared = prepare(config.data)
    for cut in cuts(prepared, config.data, [3]):
        fingerprint = data_fingerprint(prepared.claims, cut.assignment)
        manifest = Manifest("encoder", {}, ("claim", "evidence"), fingerprint, 3, "f" * 64, {})
        _, found = cascading._remade(cascading._Trained(tmp_path, manifest, config))
        assert (found.fold, found.assignment.tolist()) == (cut.fold, cut.assignment.tolist())


def test_a_cascade_of_models_that_started_from_a_trained_one_is_on_its_splits(train, pair, tmp_path):
    start = {"checkpoint": str(pair[1])}
    static = train("static", model={"kind": "static", "dimensions": 8, "hidden": 8} | start, seeds=[3])
    encoder = train("encoder", model={"kind": "encoder"} | start, seeds=[3])
    config = configs.load(str(encoder / "config.yaml"))
    prepared = prepare(config.data)
    (fresh,) = cuts(prepared, config.data, [3])
    fingerprint = read_manifest(encoder).data_fingerprint
    assert data_fingerprint(prepared.claims, fresh.assignment) != fingerprint
    built = build_cascade(static, encoder, tmp_path / "cascade", **ASKED)
    assert read_manifest(built.directory).data_fingerprint == fingerprint


def test_a_cascade_finds_the_splits_of_a_continued_model_where_a_fresh_draw_is_refused(train, pair, tmp_path):
    continued = train("encoder", model={"kind": "encoder", "checkpoint": str(pair[1])}, split={**SPLIT, "by": "random"})
    built = build_cascade(pair[0], continued, tmp_path / "cascade", **ASKED)
    assert read_manifest(built.directory).data_fingerprint == read_manifest(continued).data_fingerprint
