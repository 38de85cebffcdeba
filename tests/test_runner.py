"""The whole way from a config to a model directory, on small planted data."""

import json
import os
import signal
from pathlib import Path

import pytest
import torch

from claimsieve import config as configs
from claimsieve import runner
from claimsieve.data.corpora import load_labelled
from claimsieve.errors import ConfigError, DataError, LeakError, ModelError, TrainingError
from claimsieve.evaluation.assessment import read_calibration
from claimsieve.evaluation.behaviour import variations
from claimsieve.evaluation.evaluate import pooled_macro_f1
from claimsieve.inference.predict import predict_claims
from claimsieve.models.artifacts import load_model, read_manifest
from claimsieve.models.step import Step
from claimsieve.models.tfidf import TfidfModel
from claimsieve.records import LABELS
from claimsieve.runner import Watch, run_experiment, training_directory
from claimsieve.settings import RunConfig


@pytest.fixture
def run_config(planted_claims: Path, tiny_checkpoint: Path):
    """A config on the planted claims; keyword arguments replace sections."""

    def make(kind: str = "tfidf", **sections) -> RunConfig:
        model = {"kind": kind} if kind == "tfidf" else {"kind": kind, "checkpoint": str(tiny_checkpoint)}
        data = {
            "name": "test",
            "data": {
                "corpora": [{"file": str(planted_claims)}],
                "split": {"by": "group", "train": 0.6, "valid": 0.1, "calibration": 0.1, "test": 0.2},
            },
            "model": model,
            "training": {"epochs": 2, "batch_tokens": 256, "learning_rate": 1e-3, "precision": "float32"},
            "evaluation": {"resamples": 100},
            "tracking": {"enabled": False},
        }
        return configs.validate({**data, **sections}, place="test")

    return make


def test_a_run_leaves_a_whole_model_directory(run_config, tmp_path):
    (result,) = run_experiment(run_config(), tmp_path / "model")
    names = {path.relative_to(result.directory).as_posix() for path in result.directory.rglob("*") if path.is_file()}
    assert {"manifest.json", "config.yaml", "evaluation.json", "test_predictions.jsonl", "splits.jsonl"} <= names
    assert {"confusion_matrix.png", "reliability.png", "audit.json", "shortcuts.json", "behaviour.json"} <= names
    assert configs.load(str(result.directory / "config.yaml")) == run_config()
    rows = [json.loads(line) for line in (result.directory / "test_predictions.jsonl").read_text().splitlines()]
    placed = [json.loads(line) for line in (result.directory / "splits.jsonl").read_text().splitlines()]
    assert {row["id"] for row in rows} == {row["id"] for row in placed if row["split"] == "test"}
    assert result.evaluation.overall.n == len(rows)


def test_a_planted_signal_is_learnt_and_shuffled_labels_are_not(run_config, tmp_path, planted_claims):
    (learnt,) = run_experiment(run_config(), tmp_path / "learnt")
    rows = [json.loads(line) for line in planted_claims.read_text().splitlines()]
    labels = [row["label"] for row in rows]
    shuffled = tmp_path / "shuffled.jsonl"
    # Labels move on by a step that is coprime to the pattern, so that they no longer go with the evidence.
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(1)).tolist()
    shuffled.write_text(
        "".join(json.dumps({**row, "label": labels[order[n]]}) + "\n" for n, row in enumerate(rows)), encoding="utf-8"
    )
    data = {**run_config().model_dump(mode="json")["data"], "corpora": [{"file": str(shuffled)}]}
    (chance,) = run_experiment(run_config(data=data), tmp_path / "chance")
    assert learnt.evaluation.overall.metrics["accuracy"].value > 0.9
    assert chance.evaluation.overall.metrics["accuracy"].value < 0.6


def test_a_model_that_reads_planted_evidence_clears_every_shortcut_of_the_claim(run_config, tmp_path):
    (result,) = run_experiment(run_config(), tmp_path / "model")
    shortcuts = result.shortcuts
    assert shortcuts.model.value == result.evaluation.overall.metrics["macro_f1"].value
    assert shortcuts.model.value - shortcuts.scores["claim_only"].value > 0.3
    assert shortcuts.model.value - shortcuts.model_evidence_shuffled.value > 0.3
    assert shortcuts.margin.value == shortcuts.model.value - shortcuts.scores[shortcuts.best].value
    (off,) = run_experiment(run_config(evaluation={"resamples": 100, "shortcuts": False}), tmp_path / "off")
    assert off.shortcuts is None
    assert not (off.directory / "shortcuts.json").exists()


def test_shortcuts_and_behaviour_come_back_when_a_finished_run_is_kept(run_config, tmp_path):
    (first,) = run_experiment(run_config(), tmp_path / "model")
    (again,) = run_experiment(run_config(), tmp_path / "model", resume=True)
    assert again.shortcuts == first.shortcuts
    assert again.assessment.behaviour == first.assessment.behaviour


def test_behaviour_is_what_the_saved_model_says_of_the_variations(run_config, tmp_path):
    (result,) = run_experiment(run_config(kind="encoder"), tmp_path / "model")
    behaviour = result.assessment.behaviour
    model, _ = load_model(result.directory)
    chosen = model.predict_proba([variation.claim for variation in variations()]).argmax(axis=1)
    assert [answer.label for answer in behaviour.answers] == [LABELS[place] for place in chosen]
    metrics = result.assessment.metrics()
    assert metrics["behaviour/right"] == round(behaviour.right.value, 6)
    assert metrics["behaviour/right_low"] <= metrics["behaviour/right"] <= metrics["behaviour/right_high"]
    assert "behaviour: right in" in result.assessment.described()


def test_a_model_without_evidence_and_one_that_is_told_so_are_not_asked_for_their_behaviour(run_config, tmp_path):
    data = {**run_config().model_dump(mode="json")["data"], "inputs": ["claim"]}
    off = {"resamples": 100, "behaviour": False}
    for number, sections in enumerate(({"data": data}, {"evaluation": off})):
        (result,) = run_experiment(run_config(**sections), tmp_path / str(number))
        assert result.assessment.behaviour is None
        assert not (result.directory / "behaviour.json").exists()
        assert "## Behaviour" not in (result.directory / "README.md").read_text(encoding="utf-8")
        assert not [name for name in result.assessment.metrics() if name.startswith("behaviour/")]


def test_every_event_held_out_in_turn_makes_a_model_each_tested_on_that_event_alone(
    run_config, tmp_path, planted_claims
):
    rows = planted_claims.read_text(encoding="utf-8").splitlines()[:18]
    (tmp_path / "few.jsonl").write_text("\n".join(rows), encoding="utf-8")
    events = sorted({json.loads(row)["event"] for row in rows})
    data = run_config().model_dump(mode="json")["data"]
    data |= {"corpora": [{"file": str(tmp_path / "few.jsonl")}], "split": {**data["split"], "hold_out": "each"}}
    results = run_experiment(run_config(data=data), tmp_path / "folds")
    assert [result.fold for result in results] == events
    assert len({result.directory for result in results}) == len(events)
    for result in results:
        assert result.evaluation.overall.n == 3
        placed = [json.loads(line) for line in (result.directory / "splits.jsonl").read_text().splitlines()]
        event_of = {json.loads(row)["id"]: json.loads(row)["event"] for row in rows}
        tested = {row["id"].rpartition(":")[2] for row in placed if row["split"] == "test"}
        assert {event_of[identifier] for identifier in tested} == {result.fold}
    pooled = pooled_macro_f1([result.evaluation for result in results], resamples=100)
    assert pooled.low <= pooled.value <= pooled.high


def test_augmentation_reaches_train_only(run_config, tmp_path):
    data = run_config().model_dump(mode="json")["data"]
    data["augmentation"] = {"mispaired": 0.5, "withheld": 0.5}
    said = []
    (result,) = run_experiment(run_config(data=data), tmp_path / "model", watch=Watch(say=said.append))
    assert "augmentation: 144 train rows made of 72" in said
    (plain,) = run_experiment(run_config(), tmp_path / "plain")
    assert (result.directory / "splits.jsonl").read_bytes() == (plain.directory / "splits.jsonl").read_bytes()
    assert result.shortcuts.scores == plain.shortcuts.scores


def test_reports_are_written_for_train_claims_alone(run_config, tmp_path):
    data = run_config().model_dump(mode="json")["data"] | {"augmentation": {"reported": 0.25}}
    said = []
    (result,) = run_experiment(run_config(data=data), tmp_path / "model", watch=Watch(say=said.append))
    assert "augmentation: 126 train rows made of 72" in said  # 18 claims, three times each
    assert "#" not in (result.directory / "splits.jsonl").read_text()


def test_what_follows_the_training_is_said_before_it_is_begun(run_config, tmp_path):
    said = []
    run_experiment(run_config(), tmp_path / "model", watch=Watch(say=said.append))
    began = [line.split()[0] for line in said]
    assert began.index("labelling") < began.index("measuring") < began.index("saved")


def test_several_seeds_are_several_models_on_several_splits(run_config, tmp_path):
    results = run_experiment(run_config(seeds=[0, 1]), tmp_path / "model")
    assert [result.directory.name for result in results] == ["seed-0", "seed-1"]
    fingerprints = {read_manifest(result.directory).data_fingerprint for result in results}
    assert len(fingerprints) == 2


def test_a_finished_run_is_kept_on_resume_and_refused_without(run_config, tmp_path):
    run_experiment(run_config(), tmp_path / "model")
    before = (tmp_path / "model" / "manifest.json").stat().st_mtime_ns
    (again,) = run_experiment(run_config(), tmp_path / "model", resume=True)
    assert again.evaluation.overall.n > 0
    assert (tmp_path / "model" / "manifest.json").stat().st_mtime_ns == before
    with pytest.raises(ModelError, match="expected a new or empty directory"):
        run_experiment(run_config(), tmp_path / "model")


@pytest.mark.parametrize("kind", ["static", "encoder"])
@pytest.mark.parametrize("stop_at", [1, 7])
def test_an_interrupted_run_resumes_to_the_same_weights(run_config, tmp_path, kind, stop_at):
    (whole,) = run_experiment(run_config(kind), tmp_path / "whole")

    def interrupt(step: Step) -> None:
        if step.number == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(run_config(kind), tmp_path / "stopped", watch=Watch(step=interrupt))
    assert not (tmp_path / "stopped").exists()
    seen: list[int] = []
    watch = Watch(step=lambda step: seen.append(step.number))
    run_experiment(run_config(kind), tmp_path / "stopped", resume=True, watch=watch)
    assert seen[0] == stop_at + 1
    weights = [path / "weights" / "model.safetensors" for path in (whole.directory, tmp_path / "stopped")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert not training_directory(tmp_path / "stopped").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_end_of_the_step_and_leaves_a_checkpoint(run_config, tmp_path, number):
    def interrupt(step: Step) -> None:
        if step.number == 3:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        run_experiment(run_config("static"), tmp_path / "model", watch=Watch(step=interrupt))
    assert (training_directory(tmp_path / "model") / "state.safetensors").is_file()
    assert signal.getsignal(number) == before


def test_resuming_with_other_settings_is_refused_by_name(run_config, tmp_path):
    def interrupt(step: Step) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(run_config("static"), tmp_path / "model", watch=Watch(step=interrupt))
    other = run_config("static", training={"epochs": 3, "learning_rate": 1e-3})
    with pytest.raises(TrainingError, match="another config"):
        run_experiment(other, tmp_path / "model", resume=True)


def test_resuming_with_rows_in_another_order_is_refused(run_config, planted_claims, tmp_path):
    """Steps go by the numbers of rows: some would be read twice and others never."""

    def interrupt(step: Step) -> None:
        raise KeyboardInterrupt

    source = tmp_path / "claims.jsonl"
    lines = planted_claims.read_text().splitlines(keepends=True)
    source.write_text("".join(lines))
    config = run_config("static", data={"corpora": [{"file": str(source)}]})
    with pytest.raises(KeyboardInterrupt):
        run_experiment(config, tmp_path / "model", watch=Watch(step=interrupt))
    source.write_text("".join(reversed(lines)))
    with pytest.raises(TrainingError, match="another train rows or their order"):
        run_experiment(config, tmp_path / "model", resume=True)


def test_the_directory_one_stands_in_is_no_place_for_a_model(run_config, tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    for target in (Path(), tmp_path):
        with pytest.raises(ModelError, match="a directory of its own for the model, found the one that you stand in"):
            run_experiment(run_config(tracking={"enabled": True, "uri": f"sqlite:///{tmp_path}.db"}), target)


def test_an_event_with_random_labels_is_refused_under_a_random_split(run_config, tmp_path):
    data = run_config().model_dump(mode="json")["data"]
    data["split"]["by"] = "random"
    with pytest.raises(LeakError, match=r"allow_group_leak"):
        run_experiment(run_config(data=data), tmp_path / "model")
    data["split"]["allow_group_leak"] = True
    assert run_experiment(run_config(data=data), tmp_path / "model")


def test_one_label_only_is_refused_before_training(run_config, tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_text(
        "".join(
            json.dumps({"claim": f"claim number {n} of many", "label": "verified", "event": str(n)}) + "\n"
            for n in range(40)
        )
    )
    data = {"corpora": [{"file": str(path)}]}
    with pytest.raises(DataError, match="at least two labels"):
        run_experiment(run_config(data=data), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_the_saved_model_says_of_test_claims_what_the_evaluation_was_made_of(run_config, tmp_path, planted_claims):
    (result,) = run_experiment(run_config("encoder"), tmp_path / "model")
    model, _ = load_model(result.directory, precision="float32")
    calibration = read_calibration(result.directory)
    assert calibration == result.assessment.calibration
    claims, _ = load_labelled(str(planted_claims))
    by_id = {f"{planted_claims.stem}:{claim.id}": claim for claim in claims}
    rows = [json.loads(line) for line in (result.directory / "test_predictions.jsonl").read_text().splitlines()]
    tested = [by_id[row["id"]] for row in rows]
    for row, raw, found in zip(
        rows, model.predict_proba(tested), predict_claims(model, tested, calibration=calibration), strict=True
    ):
        assert raw == pytest.approx([row[f"raw_p_{label}"] for label in LABELS], abs=1e-5)
        assert list(found.probabilities.values()) == pytest.approx([row[f"p_{label}"] for label in LABELS], abs=1e-4)
        assert (row["claim"], row["abstained"], row["reasons"]) == (
            by_id[row["id"]].claim,
            found.abstained,
            list(found.reasons),
        )
        assert tuple(row["prediction_set"]) == found.prediction_set


def test_what_was_measured_is_read_back_when_a_finished_run_is_kept(run_config, tmp_path):
    mix = {"verified": 0.9, "unverified": 0.08, "propaganda": 0.02}
    config = run_config(evaluation={"resamples": 100, "prevalence": mix})
    (first,) = run_experiment(config, tmp_path / "model")
    (again,) = run_experiment(config, tmp_path / "model", resume=True)
    assert again.assessment == first.assessment
    assert first.assessment.decisions.base_rates is not None
    assert first.assessment.decisions.weighted


def test_without_a_calibration_split_nothing_is_calibrated_and_no_sets_are_given(run_config, tmp_path, planted_claims):
    data = run_config().model_dump(mode="json")["data"]
    data["split"] |= {"valid": 0.2, "calibration": 0.0}
    (result,) = run_experiment(run_config(data=data), tmp_path / "model")
    assert read_calibration(result.directory) is None
    assert (result.assessment.decisions.calibration, result.assessment.decisions.coverage) == (None, None)
    row = json.loads((result.directory / "test_predictions.jsonl").read_text().splitlines()[0])
    assert (row["prediction_set"], row["abstained"]) == (None, False)
    assert row["p_verified"] == row["raw_p_verified"]


def test_a_place_that_cannot_be_written_is_refused_before_training(run_config, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    steps: list[Step] = []
    with pytest.raises(ModelError, match="cannot be written"):
        run_experiment(run_config(), tmp_path / "file" / "model", watch=Watch(step=steps.append))
    assert steps == []


def test_nothing_is_written_inside_a_finished_model(run_config, tmp_path):
    run_experiment(run_config(), tmp_path / "model")
    with pytest.raises(ModelError, match="lies inside a model directory"):
        run_experiment(run_config(seeds=[0, 1]), tmp_path / "model")
    load_model(tmp_path / "model")


def test_a_finished_run_of_another_config_is_not_passed_off_as_this_one(run_config, tmp_path):
    run_experiment(run_config(), tmp_path / "model")
    other = run_config(model={"kind": "tfidf", "max_word_ngram": 1})
    with pytest.raises(TrainingError, match="finished one with another config"):
        run_experiment(other, tmp_path / "model", resume=True)


def test_a_model_that_cannot_be_saved_fails_with_one_error_and_leaves_nothing(run_config, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("claimsieve.models.tfidf.TfidfModel.save", full)
    with pytest.raises(ModelError, match="No space left"):
        run_experiment(run_config(), tmp_path / "place" / "model")
    assert list((tmp_path / "place").iterdir()) == []


def test_seeds_measured_in_another_way_are_not_mixed_with_finished_ones(run_config, tmp_path):
    run_experiment(run_config(), tmp_path / "model")
    mix = {"verified": 0.9, "unverified": 0.08, "propaganda": 0.02}
    for other in ({"evaluation": {"resamples": 100, "prevalence": mix}}, {"calibration": {"coverage": 0.8}}):
        with pytest.raises(TrainingError, match="another config"):
            run_experiment(run_config(**other), tmp_path / "model", resume=True)
    renamed = run_config(gate={"max_ece": 0.05}, name="renamed")
    assert run_experiment(renamed, tmp_path / "model", resume=True)


def test_a_finished_model_in_the_way_is_told_of_resume(run_config, tmp_path):
    run_experiment(run_config(), tmp_path / "model")
    with pytest.raises(ModelError, match=r"go on: --resume"):
        run_experiment(run_config(), tmp_path / "model")


def test_an_interrupt_in_the_last_evaluation_ends_the_run(run_config, tmp_path, monkeypatch):
    def fit(self, train, *, valid, state=None):
        yield from original(self, train, valid=valid, state=state)
        os.kill(os.getpid(), signal.SIGINT)

    original = TfidfModel.fit
    monkeypatch.setattr(TfidfModel, "fit", fit)
    with pytest.raises(KeyboardInterrupt):
        run_experiment(run_config(), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_page_that_cannot_be_drawn_costs_no_model(run_config, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no ink")

    monkeypatch.setattr(runner, "pages", broken)
    said = []
    (result,) = run_experiment(run_config(), tmp_path / "model", watch=Watch(say=said.append))
    assert [line for line in said if "no ink" in line and "claimsieve report" in line]
    assert load_model(result.directory)
    assert not (result.directory / "report.html").exists()


def test_a_first_corpus_that_the_data_has_not_is_told_before_anything_is_read(run_config, tmp_path):
    training = {"corpus_temperature": 2.0, "first_corpora": ["plantd"], "first_epochs": 1}
    config = run_config(model={"kind": "encoder"}, training=training)
    with pytest.raises(ConfigError, match=r"training\.first_corpora: .*found 'plantd'\. Did you mean 'planted'"):
        run_experiment(config, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
