"""`claimsieve sweep`: a line per trial, the best of them, the next step, and the exit codes that it promises."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from claimsieve import config as configs
from claimsieve.models.tfidf import TfidfModel


@pytest.fixture
def config(planted_claims, tmp_path, monkeypatch):
    """A small sweep that is not tracked, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "planted.yaml"
    path.write_text(
        f"name: planted\ndata: {{corpora: [{{file: {planted_claims}}}]}}\nmodel: {{kind: tfidf, max_features: 500}}\n"
        "evaluation: {resamples: 100, shortcuts: false}\ntracking: {enabled: false}\n"
        "sweep:\n  trials: 3\n  space: {model.max_word_ngram: [1, 2, 3], training.label_weights: [balanced, none]}\n"
    )
    return path


def test_a_sweep_tells_its_trials_and_what_to_do_next(claimsieve, config):
    code, out, err = claimsieve("sweep", config, "-o", "tried")
    assert code == 0
    lines = err.splitlines()
    assert [line.split(":")[0] for line in lines if line.startswith("trial ")] == [
        "trial 1/3",
        "trial 2/3",
        "trial 3/3",
    ]
    assert "max_word_ngram=2, label_weights=balanced (the config's own)" in err
    assert "test is left alone" in err
    assert lines[-1].startswith("next: claimsieve train tried/best.yaml")
    assert out.lstrip().startswith("trial  valid macro-F1 [95 %]  gain on the config's own  seconds  max_word_ngram")
    assert "lucky as well as good" in out
    code, _, _ = claimsieve("train", "tried/best.yaml", "-o", "best", "-q")
    assert code == 0
    assert configs.load("best/config.yaml").name == "planted-best"


def test_json_holds_every_trial_and_quiet_says_nothing(claimsieve, config):
    code, out, err = claimsieve("sweep", config, "-o", "tried", "--json", "-q")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["directory"] == "tried"
    assert len(document["trials"]) == 3
    assert document["trials"][document["best"] - 1]["state"] == "complete"
    saved = json.loads(Path("tried/sweep.json").read_text())
    assert {key: document[key] for key in saved} == saved


def test_trials_and_values_can_be_set_and_a_sweep_gone_on_with(claimsieve, config):
    assert claimsieve("sweep", config, "--trials", 1, "--set", "model.max_word_ngram=1", "-q")[0] == 0
    (directory,) = Path("runs/planted").iterdir()
    assert directory.name.startswith("sweep-")
    again = ("sweep", config, "--set", "model.max_word_ngram=1", "--resume")
    code, out, err = claimsieve(*again, "--trials", 2, "--json")
    assert (code, len(json.loads(out)["trials"])) == (0, 2)
    assert "trial 1/2" not in err
    assert "trial 2/2" in err
    code, out, err = claimsieve(*again, "--trials", 2, "--json")
    assert (code, len(json.loads(out)["trials"])) == (0, 2)
    assert f"{directory} is finished already" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "sweep=null"), "expected a section 'sweep'"),
        (("--set", "sweep.space={model.max_word_ngram: [1, 9]}"), "model.max_word_ngram: expected"),
        (("--set", "sweep.space={}"), "sweep.space: expected"),
        (("--set", "sweep.space={model.max_word_ngram: {low: 3, high: 1}}"), "expected low < high"),
        (("--trials", "0"), "'--trials'"),
        (("--resume",), "expected a sweep below runs/planted, found none"),
    ],
    ids=["no sweep", "choice", "empty", "range", "trials", "resume"],
)
def test_what_cannot_be_swept_is_exit_code_2(claimsieve, config, arguments, message):
    code, out, err = claimsieve("sweep", config, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert not Path("runs").exists()


def test_what_is_wrong_with_a_space_is_said_before_anything_heavy_is_read(config):
    code = f"""
import sys
sys.argv = ["claimsieve", "sweep", {str(config)!r}, "--set", "sweep.space={{name: [a, b]}}"]
from claimsieve.cli import main
try:
    main()
except SystemExit as end:
    assert end.code == 2, end.code
print([name for name in ("torch", "transformers", "mlflow", "sklearn", "optuna") if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=True)
    assert ran.stdout == "[]\n"


def test_when_nothing_can_be_trained_it_is_an_error(claimsieve, config):
    code, out, err = claimsieve("sweep", config, "-o", "tried", "--set", "data.inputs=[source]")
    assert (code, out) == (1, "")
    assert "expected a trial that can be trained, found 3 that failed; the first: TrainingError: expected words" in err


@pytest.mark.filterwarnings("ignore")  # MLflow warns about itself
def test_a_store_that_cannot_be_reached_is_exit_code_4_and_all_is_saved(claimsieve, config, monkeypatch):
    monkeypatch.setattr("claimsieve.tracking.run._PAUSE_SECONDS", 0.0)
    tracking = ("--set", "tracking.enabled=true", "--set", "tracking.uri=http://127.0.0.1:9")
    code, out, err = claimsieve("sweep", config, "-o", "tried", "--json", *tracking)
    assert code == 4
    assert len(json.loads(out)["trials"]) == 3
    assert "the sweep is done and saved, but not all of it is logged" in err
    assert Path("tried/best.yaml").is_file()


def test_an_interrupted_sweep_says_how_to_go_on(claimsieve, config, monkeypatch):
    fit, calls = TfidfModel.fit, []

    def interrupted(self, train, *, valid, state=None):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return fit(self, train, valid=valid, state=state)

    monkeypatch.setattr(TfidfModel, "fit", interrupted)
    code, _, err = claimsieve("sweep", config, "-o", "tried")
    assert code == 130
    assert "interrupted after 2 trials; the same command with --resume goes on from here" in err
    code, out, _ = claimsieve("sweep", config, "-o", "tried", "--resume", "--json")
    assert (code, len(json.loads(out)["trials"]), len(calls)) == (0, 3, 4)
