"""The whole sweep on small planted data: it finds what is planted, goes on after a stop, and leaves test alone."""

import dataclasses
import json
import os
import signal

import pytest

from claimsieve import config as configs
from claimsieve.data.prepare import cuts, parts, prepare
from claimsieve.errors import DataError, ModelError, TrainingError
from claimsieve.models.static import StaticModel
from claimsieve.models.tfidf import TfidfModel
from claimsieve.runner import Watch, run_experiment
from claimsieve.sweeps import sweep as sweeps
from claimsieve.sweeps.sweep import run_sweep
from claimsieve.sweeps.trials import read

NGRAMS = {"model.max_word_ngram": [1, 2, 3], "model.inverse_regularisation": {"low": 0.01, "high": 10.0, "log": True}}
RATES = {"training.learning_rate": [1e-8, 3e-2]}


def timeless(trials):
    """Trials without their seconds, which differ from one time to the next."""
    return [dataclasses.replace(trial, seconds=0.0) for trial in trials]


@pytest.fixture
def seen(monkeypatch):
    """The claims that models are trained on, measured on and asked about during a test."""
    claims = {"train": [], "valid": [], "asked": []}

    def watched(kind):
        fit, predict_proba = kind.fit, kind.predict_proba

        def watched_fit(self, train, *, valid, state=None):
            claims["train"].append(train)
            claims["valid"].append(valid)
            return fit(self, train, valid=valid, state=state)

        def watched_predict_proba(self, asked):
            claims["asked"].append(asked)
            return predict_proba(self, asked)

        monkeypatch.setattr(kind, "fit", watched_fit)
        monkeypatch.setattr(kind, "predict_proba", watched_predict_proba)

    watched(TfidfModel)
    watched(StaticModel)
    return claims


# --- what it finds


def test_a_planted_optimum_is_found(sweep_config, tmp_path):
    training = {"epochs": 4, "batch_tokens": 128, "learning_rate": 1e-8}
    config = sweep_config(RATES, "static", trials=5, training=training)
    result = run_sweep(config, tmp_path / "sweep")
    own, better = result.record.trials  # there are no other values
    assert own.values == {"training.learning_rate": 1e-8}
    assert (result.best, result.record.best) == (better, 2)
    assert better.values == {"training.learning_rate": 3e-2}
    assert better.macro_f1.value > 0.9
    assert better.gain.value == pytest.approx(better.macro_f1.value - own.macro_f1.value)
    assert 0 < better.gain.low <= better.gain.value <= better.gain.high
    assert own.gain is None


def test_a_trial_is_worth_what_the_model_that_training_keeps_is_worth(sweep_config, tmp_path):
    result = run_sweep(sweep_config(RATES, "static", trials=2), tmp_path / "sweep")
    for trial in result.record.trials:
        assert list(trial.curve) == [100, 200, 300]
        assert trial.macro_f1.value == pytest.approx(max(trial.curve.values()))
        assert trial.macro_f1.low <= trial.macro_f1.value <= trial.macro_f1.high


def test_the_config_s_own_values_come_first_also_from_outside_the_space(sweep_config, tmp_path):
    space = {"model.inverse_regularisation": {"low": 0.001, "high": 0.01}}
    result = run_sweep(sweep_config(space, trials=3), tmp_path / "sweep")
    values = [trial.values["model.inverse_regularisation"] for trial in result.record.trials]
    assert values[0] == 4.0
    assert all(0.001 <= value <= 0.01 for value in values[1:])


def test_the_score_is_the_mean_over_the_config_s_seeds_on_one_split(sweep_config, tmp_path, seen):
    config = sweep_config(RATES, "static", trials=1, seeds=[3, 5])
    (trial,) = run_sweep(config, tmp_path / "sweep").record.trials
    assert len(trial.by_seed) == 2
    assert trial.by_seed[0] == max(trial.curve.values())
    assert trial.macro_f1.value == pytest.approx(sum(trial.by_seed) / 2)
    assert seen["train"][0] == seen["train"][1]
    assert seen["valid"][0] == seen["valid"][1]


def test_augmentation_is_made_anew_for_each_trial_that_asks_for_another(sweep_config, tmp_path, seen):
    run_sweep(sweep_config({"data.augmentation.withheld": [0.0, 0.5, 1.0]}, trials=3), tmp_path / "sweep")
    none, *others = map(len, seen["train"])
    assert sorted(others) == [round(1.5 * none), 2 * none]


def test_a_sweep_leaves_its_trials_a_config_and_a_picture(sweep_config, tmp_path, capfd):
    result = run_sweep(sweep_config(NGRAMS), tmp_path / "sweep")
    assert {path.name for path in result.directory.iterdir()} == {
        *("sweep.json", "best.yaml", "history.png", "own_draws.json")
    }
    document = json.loads((result.directory / "sweep.json").read_text())
    assert (document["metric"], document["name"], document["best"]) == ("valid/macro_f1", "tried", result.best.number)
    assert (document["n_valid"], document["seeds"], len(document["trials"])) == (24, [0], 4)
    assert read(result.directory) == result.record
    assert (result.directory / "history.png").read_bytes().startswith(b"\x89PNG")
    assert capfd.readouterr() == ("", "")  # Optuna would say what it does


# --- test is left alone


def test_no_model_ever_sees_test_or_calibration(sweep_config, tmp_path, seen):
    config = sweep_config(NGRAMS, seeds=[0, 1])
    result = run_sweep(config, tmp_path / "sweep")
    prepared = prepare(config.data)
    first, second = (parts(prepared, cut) for cut in cuts(prepared, config.data, [0, 1]))
    assert first["test"] != second["test"]  # as `train` would split, were the seed of the split left open
    trained = [claim for claims in seen["train"] for claim in claims]
    measured = [claim for kind in ("valid", "asked") for claims in seen[kind] for claim in claims]
    assert set(trained) == set(first["train"])
    assert set(measured) == set(first["train"]) | set(first["valid"])  # tfidf asks itself for its loss on train
    saved = configs.load(str(result.directory / "best.yaml"))
    (again,) = {tuple(parts(prepare(saved.data), cut)["test"]) for cut in cuts(prepared, saved.data, saved.seeds)}
    assert list(again) == first["test"]


def test_labels_of_test_do_not_matter(sweep_config, planted_claims, tmp_path):
    rows = [json.loads(line) for line in planted_claims.read_text().splitlines()]
    poisoned = [row | {"label": "propaganda"} if row["event"] == "event-7" else row for row in rows]
    assert poisoned != rows
    outcomes = []
    for name, content in (("clean", rows), ("poisoned", poisoned)):
        path = tmp_path / name / "claims.jsonl"
        path.parent.mkdir()
        path.write_text("".join(json.dumps(row) + "\n" for row in content))
        split = {"train": 0.5, "valid": 0.2, "calibration": 0.1, "test": 0.2, "hold_out": "event-7"}
        config = sweep_config(NGRAMS, data={"corpora": [{"file": str(path)}], "split": split})
        prepared = prepare(config.data)
        (cut,) = cuts(prepared, config.data, [0])
        assert {claim.event for claim in parts(prepared, cut)["test"]} == {"event-7"}
        outcomes.append(timeless(run_sweep(config, tmp_path / name / "sweep").record.trials))
    assert outcomes[0] == outcomes[1]


def test_the_best_config_is_a_run_of_its_own(sweep_config, tmp_path):
    result = run_sweep(sweep_config(NGRAMS, trials=6), tmp_path / "sweep")
    saved = configs.load(str(result.directory / "best.yaml"))
    assert saved.name == "tried-best"
    assert saved.sweep is None
    assert saved.data.split.seed == 0
    assert saved.model.max_word_ngram == result.best.values["model.max_word_ngram"]
    assert saved.model.inverse_regularisation == result.best.values["model.inverse_regularisation"]
    (trained,) = run_experiment(saved, tmp_path / "model")
    assert trained.evaluation.overall.metrics["macro_f1"].value > 0.9


# --- pruning

SLOW = {"training.learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}, "model.dropout": {"low": 0.0, "high": 0.5}}


def test_trials_that_lag_behind_are_ended_early(sweep_config, tmp_path):
    config = sweep_config(SLOW, "static", trials=12)
    record = run_sweep(config, tmp_path / "pruned").record
    ended = [trial for trial in record.trials if trial.state == "pruned"]
    complete = [trial for trial in record.trials if trial.state == "complete"]
    assert ended
    assert len(complete) >= 5
    for trial in ended:
        assert trial.macro_f1 is None
        assert len(trial.curve) < 3
        assert max(trial.curve.values()) < max(one.curve[max(trial.curve)] for one in complete)
    assert record.best_trial() in complete


def test_without_pruning_every_trial_is_trained_to_its_end(sweep_config, tmp_path):
    record = run_sweep(sweep_config(SLOW, "static", trials=12, pruning=False), tmp_path / "whole").record
    assert {trial.state for trial in record.trials} == {"complete"}


# --- going on


def test_the_same_seed_tries_the_same_and_another_seed_tries_other_values(sweep_config, tmp_path):
    first, again, other = (
        run_sweep(sweep_config(NGRAMS, seed=seed), tmp_path / name).record.trials
        for name, seed in (("first", 0), ("again", 0), ("other", 1))
    )
    assert timeless(first) == timeless(again)
    assert [trial.values for trial in first][1:] != [trial.values for trial in other][1:]


def test_an_interrupted_sweep_goes_on_as_if_nothing_had_been(sweep_config, tmp_path, seen):
    config = sweep_config(SLOW, "static", trials=8)
    whole = run_sweep(config, tmp_path / "whole").record
    assert len(seen["train"]) == 8
    seen["train"].clear()

    def interrupt(step):
        if len(seen["train"]) == 7 and step.number == 2:
            os.kill(os.getpid(), signal.SIGINT)

    said = []
    with pytest.raises(KeyboardInterrupt):
        run_sweep(config, tmp_path / "stopped", watch=Watch(say=said.append, step=interrupt))
    assert "interrupted after 6 trials" in said[-1]
    assert timeless(read(tmp_path / "stopped").trials) == timeless(whole.trials[:6])
    seen["train"].clear()
    result = run_sweep(config, tmp_path / "stopped", resume=True)
    assert (result.ran, len(seen["train"])) == (2, 2)
    assert timeless(result.record.trials) == timeless(whole.trials)
    assert result.record.importances == whole.importances
    assert (tmp_path / "stopped" / "best.yaml").read_bytes() == (tmp_path / "whole" / "best.yaml").read_bytes()


def test_a_finished_sweep_is_left_as_it_is(sweep_config, tmp_path, monkeypatch):
    config = sweep_config(NGRAMS)
    first = run_sweep(config, tmp_path / "sweep")
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in first.directory.iterdir()}
    monkeypatch.setattr(sweeps, "measure", None)
    said = []
    again = run_sweep(config, tmp_path / "sweep", resume=True, watch=Watch(say=said.append))
    assert dataclasses.replace(again, ran=4) == first
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in first.directory.iterdir()} == before
    assert "finished already" in said[-1]


def test_a_finished_sweep_can_go_on_for_longer(sweep_config, tmp_path):
    run_sweep(sweep_config(NGRAMS, trials=2), tmp_path / "sweep")
    longer = run_sweep(sweep_config(NGRAMS, trials=5), tmp_path / "sweep", resume=True)
    assert longer.ran == 3
    whole = run_sweep(sweep_config(NGRAMS, trials=5), tmp_path / "whole")
    assert timeless(longer.record.trials) == timeless(whole.record.trials)


def test_the_best_of_fewer_trials_does_not_outlive_an_interruption(sweep_config, tmp_path):
    run_sweep(sweep_config(NGRAMS, trials=1), tmp_path / "sweep")

    def interrupt(text):
        if "trial 3" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(sweep_config(NGRAMS, trials=5), tmp_path / "sweep", resume=True, watch=Watch(say=interrupt))
    assert not (tmp_path / "sweep" / "best.yaml").exists()
    run_sweep(sweep_config(NGRAMS, trials=2), tmp_path / "sweep", resume=True)
    assert "the best of 3" in (tmp_path / "sweep" / "best.yaml").read_text()


def test_what_a_crash_left_out_is_made_up_for(sweep_config, tmp_path):
    config = sweep_config(NGRAMS)
    first = run_sweep(config, tmp_path / "sweep")
    (first.directory / "best.yaml").unlink()
    (first.directory / "own_draws.json").write_text("[0.5, tru")
    again = run_sweep(config, tmp_path / "sweep", resume=True)
    assert (again.ran, again.record) == (0, first.record)
    assert configs.load(str(again.directory / "best.yaml")).name == "tried-best"


def test_another_sweep_is_not_gone_on_with(sweep_config, tmp_path, planted_claims):
    run_sweep(sweep_config(NGRAMS, trials=1), tmp_path / "sweep")
    with pytest.raises(TrainingError, match="found one with another config"):
        run_sweep(sweep_config(NGRAMS, seed=1), tmp_path / "sweep", resume=True)
    with pytest.raises(TrainingError, match=r"found a sweep\. Go on with --resume"):
        run_sweep(sweep_config(NGRAMS), tmp_path / "sweep")
    shorter = tmp_path / "shorter.jsonl"
    shorter.write_text("".join(planted_claims.read_text().splitlines(keepends=True)[:-1]))
    run_sweep(sweep_config(NGRAMS, trials=1, file=shorter), tmp_path / "other")
    shorter.write_text(planted_claims.read_text())
    with pytest.raises(TrainingError, match="found one with another data"):
        run_sweep(sweep_config(NGRAMS, file=shorter), tmp_path / "other", resume=True)


def test_what_does_not_decide_a_trial_may_change_between_two_parts_of_a_sweep(sweep_config, tmp_path):
    run_sweep(sweep_config(NGRAMS, trials=1), tmp_path / "sweep")
    changed = sweep_config(NGRAMS, trials=2, name="renamed", evaluation={"resamples": 200}, gate={"max_ece": 0.5})
    assert run_sweep(changed, tmp_path / "sweep", resume=True).ran == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-20], "a file that cannot be read"),
        (lambda text: "[]", "a file that cannot be read"),
        (lambda text: "[" * 100_000, "a file that cannot be read"),
        (lambda text: text.replace('"format_version": 1', '"format_version": 2'), "expected format 1, found 2"),
        (lambda text: text.replace('"number": 2', '"number": 7'), "expected trials numbered from 1"),
        (lambda text: text.replace('"value": ', '"value": 1'), r"expected trials .* with scores in \[0, 1\]"),
        (
            lambda text: text.replace('"model.max_word_ngram"', '"model.kind"'),
            "expected values of model.max_word_ngram",
        ),
    ],
    ids=["cut", "list", "deep", "format", "numbers", "scores", "paths"],
)
def test_a_sweep_that_was_tampered_with_is_refused(sweep_config, tmp_path, change, message):
    config = sweep_config(NGRAMS, trials=3)
    run_sweep(config, tmp_path / "sweep")
    path = tmp_path / "sweep" / "sweep.json"
    changed = change(path.read_text())
    assert changed != path.read_text()
    path.write_text(changed)
    with pytest.raises(TrainingError, match=message):
        run_sweep(config, tmp_path / "sweep", resume=True)


def test_a_directory_in_use_is_left_alone(sweep_config, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ModelError, match="expected a new or empty directory"):
        run_sweep(sweep_config(NGRAMS), tmp_path, resume=True)


# --- what goes wrong


def test_a_trial_that_fails_is_recorded_and_the_sweep_goes_on(sweep_config, tmp_path, tiny_checkpoint):
    missing = str(tmp_path / "missing")
    space = {"model.checkpoint": [missing, str(tiny_checkpoint)], "training.epochs": [1, 2]}
    said = []
    result = run_sweep(sweep_config(space, "static", trials=9), tmp_path / "sweep", watch=Watch(say=said.append))
    failed = [trial for trial in result.record.trials if trial.state == "failed"]
    assert {trial.values["model.checkpoint"] for trial in failed} == {missing}
    assert len(failed) == 2
    assert all(f"ModelError: {missing}: expected" in trial.reason for trial in failed)
    assert sum("failed: ModelError" in line for line in said) == 2
    assert {trial.state for trial in result.record.trials} == {"complete", "failed"}
    assert result.best.values["model.checkpoint"] == str(tiny_checkpoint)


def test_when_every_trial_fails_the_first_reason_is_told(sweep_config, tmp_path):
    space = {"model.checkpoint": [str(tmp_path / "one"), str(tmp_path / "two")]}
    config = sweep_config(space, "static", model={"kind": "static", "checkpoint": str(tmp_path / "none")})
    for resume in (False, True):
        with pytest.raises(TrainingError, match=r"found 3 that failed; the first: ModelError: .*none: expected"):
            run_sweep(config, tmp_path / "sweep", resume=resume)
    assert not (tmp_path / "sweep" / "best.yaml").exists()


@pytest.mark.parametrize(
    "error", [RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), MemoryError()], ids=["cuda", "python"]
)
def test_a_trial_without_enough_memory_costs_the_sweep_nothing_else(sweep_config, tmp_path, monkeypatch, error):
    fit = TfidfModel.fit

    def greedy(self, train, *, valid, state=None):
        if self.max_word_ngram == 3:
            raise error
        return fit(self, train, valid=valid, state=state)

    monkeypatch.setattr(TfidfModel, "fit", greedy)
    record = run_sweep(sweep_config({"model.max_word_ngram": [1, 2, 3]}, trials=3), tmp_path / "sweep").record
    assert {t.values["model.max_word_ngram"] for t in record.trials if t.state == "failed"} == {3}
    assert {t.values["model.max_word_ngram"] for t in record.trials if t.state == "complete"} == {1, 2}


def test_a_mistake_of_ours_is_no_failed_trial(sweep_config, tmp_path, monkeypatch):
    def broken(self, train, *, valid, state=None):
        raise RuntimeError("shapes (3, 2) and (4,) do not fit")

    monkeypatch.setattr(TfidfModel, "fit", broken)
    with pytest.raises(RuntimeError, match="do not fit"):
        run_sweep(sweep_config(NGRAMS), tmp_path / "sweep")


def test_without_valid_claims_there_is_nothing_to_try(sweep_config, tmp_path, planted_claims):
    rows = [json.loads(line) | {"event": str(n % 3)} for n, line in enumerate(planted_claims.read_text().splitlines())]
    path = tmp_path / "three.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = {"corpora": [{"file": str(path)}], "split": {"train": 0.5, "valid": 0.001, "calibration": 0, "test": 0.499}}
    with pytest.raises(DataError, match="valid"):
        run_sweep(sweep_config(NGRAMS, data=data), tmp_path / "sweep")
    assert not (tmp_path / "sweep").exists()
