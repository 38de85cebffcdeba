"""The command line: every command teaches itself, does what it says, and ends with the exit code that it promises."""

import importlib
import importlib.metadata
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from claimsieve import config as configs
from claimsieve import runner
from claimsieve.cli import app, main
from claimsieve.data import recipe_reader, recipes
from claimsieve.records import LABELS

RUN = (sys.executable, "-c", "from claimsieve.cli import main; main()")


@pytest.fixture(scope="module")
def run_config(planted_claims: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small tfidf run that is not tracked."""
    path = tmp_path_factory.mktemp("configs") / "planted.yaml"
    path.write_text(
        f"name: planted\ndata: {{corpora: [{{file: {planted_claims}}}]}}\nmodel: {{kind: tfidf, max_features: 2000}}\n"
        "evaluation: {resamples: 100}\ntracking: {enabled: false}\n"
    )
    return path


@pytest.fixture(scope="module")
def model(run_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory, trained by the command."""
    directory = tmp_path_factory.mktemp("runs") / "model"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["claimsieve", "train", str(run_config), "-o", str(directory), "-q"])
        with pytest.raises(SystemExit) as end:
            main()
    assert not end.value.code
    return directory


def leaves(command, path=()):
    """Every command that does something, with the words that lead to it."""
    for name, inner in command.commands.items():
        if hasattr(inner, "commands"):
            yield from leaves(inner, (*path, name))
        else:
            yield (*path, name), inner


def all_commands():
    names = "bench card cascade compare configs data demo evaluate predict promote recipe report sweep track train ui"
    for name in names.split():
        importlib.import_module(f"claimsieve.cli.{name}")  # they add themselves
    return dict(leaves(typer.main.get_command(app)))


COMMANDS = all_commands()
MIX = "verified=.9,unverified=.08,propaganda=.02"


# --- help


def test_all_commands_are_known_here():
    assert {" ".join(words) for words in COMMANDS} == {
        *("train", "predict", "evaluate", "demo", "ui", "recipe list", "recipe show"),
        *("configs list", "configs show", "configs check", "configs copy", "recipe compare-maps"),
        *("data audit", "data shortcuts", "data optimism"),
        *("card", "report", "compare", "promote", "sweep", "track sync", "track status", "bench", "cascade"),
    }


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example_that_parses(claimsieve, words):
    code, out, err = claimsieve(*words, "--help")
    assert (code, err) == (0, "")
    assert f"Usage: claimsieve {' '.join(words)}" in out
    assert "Example: " in out
    example = COMMANDS[words].epilog.removeprefix("Example: ").partition(", then")[0]
    typed = [word for word in shlex.split(example) if "=~" not in word]
    assert typed[: len(words) + 1] == ["claimsieve", *words]
    # Parsed, not run: an option that was renamed or dropped fails here.
    COMMANDS[words].make_context(words[-1], typed[len(words) + 1 :])


@pytest.mark.parametrize("words", [(), ("configs",), ("recipe",)], ids=str)
def test_groups_list_what_they_hold_and_the_exit_codes(claimsieve, words):
    code, out, _ = claimsieve(*words, "--help")
    assert code == 0
    for command in COMMANDS:
        if command[: len(words)] == words:
            assert f"\n  {command[len(words)]} " in out
    if not words:
        assert "claimsieve demo" in out
        assert "Exit codes: 0 done" in out


def test_the_version_is_the_packages(claimsieve):
    assert claimsieve("--version") == (0, f"claimsieve {importlib.metadata.version('claimsieve')}\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "'trian'"),
        (["configs", "delete"], "'delete'"),
        (["train"], "Missing"),
        (["predict", "model", "claims.jsonl", "--outptu", "x"], "--outptu"),
        (["predict", "model", "claims.jsonl", "--map", "claim"], "--map claim: expected FIELD=COLUMN"),
        (["predict", "model", "claims.jsonl", "--device", "tpu"], "--device: expected one of auto, cpu, cuda"),
        (["predict", "model", "claims.jsonl", "--precision", "int8"], "--precision: expected one of auto, float32"),
        (["ui", "--port", "0"], "'--port'"),
    ],
)
def test_a_wrong_command_or_option_is_exit_code_2(claimsieve, arguments, message):
    code, out, err = claimsieve(*arguments)
    assert (code, out) == (2, "")
    assert message in err


# --- configs


def test_configs_list_shows_every_shipped_config(claimsieve):
    code, out, err = claimsieve("configs", "list", "--json")
    rows = json.loads(out)
    assert (code, err) == (0, "")
    assert [row["name"] for row in rows] == configs.shipped()
    assert {row["kind"] for row in rows} == {"tfidf", "static", "encoder", "two_axis"}
    code, out, err = claimsieve("configs", "list")
    assert [line.split()[0] for line in out.splitlines()[2:]] == configs.shipped()
    assert "next: claimsieve configs show" in err


def test_configs_show_is_complete_and_can_be_read_back(claimsieve, tmp_path):
    code, out, err = claimsieve("configs", "show", "starter-tfidf", "--set", "training.epochs=7")
    assert (code, err) == (0, "")
    (tmp_path / "shown.yaml").write_text(out)
    shown = configs.load(str(tmp_path / "shown.yaml"))
    assert shown == configs.load("starter-tfidf", ["training.epochs=7"])
    assert shown.training.epochs == 7
    code, out, _ = claimsieve("configs", "show", "starter-tfidf", "--json")
    assert json.loads(out)["model"]["kind"] == "tfidf"


def test_configs_check_lists_every_problem_of_every_file(claimsieve, tmp_path):
    good, first, second = (tmp_path / f"{name}.yaml" for name in ("good", "first", "second"))
    good.write_text("name: good\ndata: {corpora: [{recipe: starter}]}\nmodel: {kind: tfidf}\n")
    first.write_text("name: first\ndata: {corpora: []}\nmodel: {kind: tfidf}\ntrainign: {epochs: 3}\n")
    second.write_text("name: second\ndata: {corpora: [{recipe: starter}]}\nmodel: {kind: tfidf, max_features: many}\n")
    code, out, err = claimsieve("configs", "check", first, good, second, tmp_path / "third.yaml")
    assert code == 2
    assert out == f"{good}: ok\n"
    for message in (
        f"{first}: 2 problems",
        "data.corpora: expected at least 1 entry, found none",
        "trainign: unknown key. Did you mean 'training'?",
        f"{second}: 1 problem",
        'model.max_features: expected a valid integer, found "many"',
        "third.yaml: expected a config file or the name of a shipped config",
    ):
        assert message in err
    assert "Traceback" not in err


def test_all_shipped_configs_check(claimsieve):
    code, out, err = claimsieve("configs", "check", *configs.shipped())
    assert (code, err) == (0, "")
    assert out.count(": ok\n") == len(configs.shipped())


def test_a_copied_config_is_the_shipped_one_and_nothing_is_overwritten(claimsieve, tmp_path):
    directory = tmp_path / "new" / "mine"
    code, out, err = claimsieve("configs", "copy", "starter-tfidf", directory)
    assert code == 0
    copied = directory / "starter-tfidf.yaml"
    assert out.splitlines() == [str(copied), str(directory / "base.yaml")]
    assert f"next: claimsieve train {copied}" in err
    assert configs.load(str(copied)) == configs.load("starter-tfidf")
    assert claimsieve("configs", "check", copied)[0] == 0
    copied.write_text(copied.read_text() + "seeds: [1]\n")
    changed = copied.read_text()
    code, _, err = claimsieve("configs", "copy", "starter-tfidf", directory)
    assert code == 2
    assert "it is not overwritten" in err
    assert copied.read_text() == changed
    # A second config of the same family finds its base in place.
    code, out, _ = claimsieve("configs", "copy", "starter-static", directory)
    assert (code, out) == (0, f"{directory / 'starter-static.yaml'}\n")


def test_a_config_is_not_copied_beside_another_base(claimsieve, tmp_path):
    (tmp_path / "base.yaml").write_text("name: another\n")
    code, out, err = claimsieve("configs", "copy", "starter-tfidf", tmp_path)
    assert (code, out) == (2, "")
    assert "expected the config that starter-tfidf.yaml extends, found another of that name" in err
    assert [path.name for path in tmp_path.iterdir()] == ["base.yaml"]


def test_a_base_in_another_folder_is_left_to_the_user(claimsieve, tmp_path):
    (tmp_path / "sub").mkdir()
    assert claimsieve("configs", "copy", "starter-tfidf", tmp_path / "sub")[0] == 0
    (tmp_path / "mine.yaml").write_text("extends: sub/base.yaml\nname: mine\n")
    code, _, err = claimsieve("configs", "copy", tmp_path / "mine.yaml", tmp_path / "out")
    assert code == 2
    assert "expected a config that extends one beside it" in err
    assert not (tmp_path / "out").exists()


def test_copying_what_cannot_be_copied_is_one_message(claimsieve, tmp_path):
    (tmp_path / "alone.yaml").write_text("extends: gone.yaml\nname: alone\n")
    code, _, err = claimsieve("configs", "copy", tmp_path / "alone.yaml", tmp_path / "out")
    assert (code, err.count("\n")) == (2, 1)
    assert "gone.yaml: cannot be read: No such file" in err
    assert not (tmp_path / "out").exists()
    code, _, err = claimsieve("configs", "copy", "starter-tfidf", tmp_path / "alone.yaml")
    assert (code, err.count("\n")) == (2, 1)
    assert "expected a folder or a new name, found neither: File exists" in err
    code, _, err = claimsieve("configs", "copy", "starter-tfdif", tmp_path / "out")
    assert code == 2
    assert "Did you mean 'starter-tfidf'?" in err


# --- recipes


def test_recipe_list_says_what_is_here(claimsieve, monkeypatch):
    monkeypatch.delenv("CLAIMSIEVE_CORPORA", raising=False)
    code, out, err = claimsieve("recipe", "list", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert (code, err) == (0, "")
    assert list(rows) == recipes.names()
    assert [name for name, row in rows.items() if row["here"]] == ["demo", "starter", "stories"]
    assert all(row["licence"] and row["title"] for row in rows.values())
    code, out, err = claimsieve("recipe", "list")
    assert [line.split()[0] for line in out.splitlines()] == recipes.names()
    assert "set CLAIMSIEVE_CORPORA" in err


@pytest.mark.parametrize("name", ["starter", "demo"])
def test_recipe_show_counts_what_the_recipe_reads(claimsieve, name):
    code, out, _ = claimsieve("recipe", "show", name, "--json")
    facts = json.loads(out)
    claims = list(recipe_reader.read(recipes.load(name)))
    assert code == 0
    assert (facts["name"], facts["rows"], facts["rejects"]) == (name, len(claims), 0)
    assert list(facts["labels"]) == list(LABELS)
    assert sum(facts["labels"].values()) == facts["rows"]
    assert all(facts["labels"].values())
    assert facts["with_evidence"] <= facts["rows"]
    assert facts["first_date"] <= facts["last_date"]
    assert facts["licence"]
    code, out, _ = claimsieve("recipe", "show", name)
    assert code == 0
    assert f"{facts['rows']:,} claims, {facts['with_evidence']:,} with evidence, in {facts['events']:,} groups" in out
    for label, count in facts["labels"].items():
        assert [label, f"{count:,}"] in [line.split() for line in out.splitlines()]


# --- train, evaluate, predict


def test_train_prints_its_numbers_and_what_to_do_next(claimsieve, run_config, tmp_path):
    code, out, err = claimsieve("train", run_config, "-o", tmp_path / "model")
    assert code == 0
    assert f"{tmp_path / 'model'} on its test split" in out
    assert "macro-F1 [95 %]" in out
    assert [line for line in out.splitlines() if line.startswith("overall")]
    assert "behaviour: right in " in out
    assert "margin over the best shortcut: " in out
    assert out.splitlines()[-1].startswith("(this model)")
    assert "120 claims (40 verified, 40 unverified, 40 propaganda)" in err
    assert f"next: claimsieve predict {tmp_path / 'model'}" in err
    assert (tmp_path / "model" / "manifest.json").is_file()


def test_train_speaks_json_and_is_silent_with_q(claimsieve, run_config, tmp_path):
    options = ["-o", tmp_path / "models", "--set", "seeds=[0, 3]", "--json", "-q"]
    code, out, err = claimsieve("train", run_config, *options)
    rows = json.loads(out)
    assert (code, err) == (0, "")
    assert [(row["seed"], row["model"]) for row in rows] == [
        (seed, str(tmp_path / "models" / f"seed-{seed}")) for seed in (0, 3)
    ]
    for row in rows:
        low, value, high = (row["metrics"][f"test/macro_f1{end}"] for end in ("_low", "", "_high"))
        assert low <= value <= high
        assert {"calibration/temperature", "coverage/smallest", "probe/margin_over_best"} <= row["metrics"].keys()
    # Finished trainings are kept as they are when the command is repeated with --resume.
    before = (tmp_path / "models" / "seed-3" / "manifest.json").stat()
    code, again, err = claimsieve("train", run_config, *options, "--resume")
    assert (code, json.loads(again), err) == (0, rows, "")
    assert (tmp_path / "models" / "seed-3" / "manifest.json").stat().st_mtime_ns == before.st_mtime_ns


def test_train_names_its_directory_after_the_config_and_the_time(claimsieve, run_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert claimsieve("train", run_config, "-q")[0] == 0
    (directory,) = (tmp_path / "runs" / "planted").iterdir()
    assert len(directory.name) == len("20200108T013000Z")
    assert (directory / "manifest.json").is_file()


@pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves
def test_resume_without_a_directory_finds_a_training_of_several_seeds_that_was_stopped_between_two(
    claimsieve, run_config, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    options = ["--set", "seeds=[0, 1]", "--set", "tracking.enabled=true", "--set", "tracking.uri=sqlite:///store.db"]
    with monkeypatch.context() as patch:
        asked = runner.assess

        def assess(model, config, splits, *, seed, say):
            if seed == 1:
                raise KeyboardInterrupt
            return asked(model, config, splits, seed=seed, say=say)

        patch.setattr(runner, "assess", assess)
        code, _, err = claimsieve("train", run_config, *options)
    (directory,) = (tmp_path / "runs" / "planted").iterdir()
    assert code == 130
    assert f"with --resume -o {directory.relative_to(tmp_path)}" in err
    code, out, err = claimsieve("train", run_config, *options, "--resume", "--json", "-q")
    assert code == 0, err
    assert [Path(row["model"]).name for row in json.loads(out)] == ["seed-0", "seed-1"]
    assert sorted(path.name for path in directory.iterdir()) == ["seed-0", "seed-1", "tracking.json"]


@pytest.mark.parametrize("output", [".", ""])
def test_a_directory_without_a_name_is_the_one_we_stand_in(claimsieve, run_config, tmp_path, monkeypatch, output):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert claimsieve("train", run_config, "-q", "-o", output)[0] == 0
    assert (tmp_path / "empty" / "manifest.json").is_file()


def test_a_tracked_training_says_nothing_on_stderr_with_q(run_config, tmp_path):
    """MLflow builds its database here, and has much to say about it when it is let."""
    arguments = ["train", str(run_config), "-o", "model", "-q", "--json", "--set", "tracking.enabled=true"]
    store = f"tracking.uri=sqlite:///{tmp_path / 'store.db'}"
    ran = subprocess.run(
        [*RUN, *arguments, "--set", store], capture_output=True, text=True, cwd=tmp_path, timeout=600, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)[0]["model"] == "model"
    assert (tmp_path / "store.db").is_file()


def test_evaluate_prints_a_table_or_every_number(claimsieve, model, planted_claims):
    code, out, err = claimsieve("evaluate", model, planted_claims)
    assert (code, err) == (0, "")
    first, *others = out.split("\n\n")
    header, _, *lines = first.splitlines()
    assert header.split()[:2] == ["n", "macro-F1"]
    assert lines[-1].split()[:2] == ["overall", "120"]
    assert any(title.startswith("prediction sets: how often they hold the true label") for title in others)
    code, out, _ = claimsieve("evaluate", model, planted_claims, "--prevalence", MIX)
    assert code == 0
    assert "at your mix (verified 0.9, unverified 0.08, propaganda 0.02): of 10,000 items" in out
    code, out, _ = claimsieve("evaluate", model, planted_claims, "--json", "-q")
    document = json.loads(out)
    assert code == 0
    assert document["overall"]["n"] == 120
    assert document["decisions"]["coverage"]["overall"]["n"] == 120
    # The evidence tells the label in the planted claims.
    assert document["overall"]["metrics"]["macro_f1"]["value"] > 0.95
    assert sum(sum(row.values()) for row in document["confusion"].values()) == 120


def test_evaluate_leaves_out_what_it_cannot_read_and_says_so(claimsieve, model, planted_claims, tmp_path):
    source = tmp_path / "labelled.jsonl"
    source.write_text(planted_claims.read_text() + "not json\n")
    code, out, err = claimsieve("evaluate", model, source)
    assert code == 3
    assert ["overall", "120"] in [line.split()[:2] for line in out.splitlines()]
    assert "1 rows left out; first: row 121: not JSON" in err
    code, out, err = claimsieve("evaluate", model, source, "-q", "--json")
    assert (code, json.loads(out)["overall"]["n"], err) == (3, 120, "")


def test_evaluate_maps_columns(claimsieve, model, tmp_path):
    (tmp_path / "labelled.csv").write_text(
        "text,verdict\nthe bridge was hit,verified\nthe ship was hit,propaganda\nthe depot was hit,unverified\n"
    )
    arguments = [
        "evaluate",
        model,
        tmp_path / "labelled.csv",
        "--map",
        "claim=text",
        "--map",
        "label=verdict",
        "--json",
    ]
    code, out, _ = claimsieve(*arguments)
    assert (code, json.loads(out)["overall"]["n"]) == (0, 3)


def test_predict_says_what_it_wrote(claimsieve, model, planted_claims, tmp_path):
    target = tmp_path / "labelled.csv"
    code, out, err = claimsieve("predict", model, planted_claims, "-o", target)
    assert (code, out) == (0, "")
    assert err.splitlines()[0] == f"120 of 120 rows labelled → {target}"
    assert (
        target.read_text()
        .splitlines()[0]
        .endswith("label,p_verified,p_unverified,p_propaganda,prediction_set,abstained,reasons")
    )
    code, _, _ = claimsieve("predict", model, planted_claims, "-o", target, "-q", "--prevalence", MIX)
    assert target.read_text().splitlines()[0].endswith("p_propaganda_at_prevalence")
    code, out, err = claimsieve("predict", model, planted_claims, "-o", target, "--json")
    assert (code, err) == (0, "")
    tally = json.loads(out)
    assert 0 <= tally.pop("abstained") <= 120
    expected = {"read": 120, "labelled": 120, "rejected": 0, "rejects_file": None, "without_evidence": 0}
    assert tally == expected | {
        "repeated": 0,
        "split": 0,
        "cut": 0,
        "recycled": 0,
        "unmatched": 0,
        "date_unreadable": 0,
    }
    assert claimsieve("predict", model, planted_claims, "-o", target, "-q") == (0, "", "")


@pytest.mark.parametrize(
    "mix",
    ["verified=.9", "verified=1,unverified=1,propaganda=1", "verified=a,unverified=.5,propaganda=.5", f"{MIX},x=0"],
)
def test_a_mix_that_is_none_is_refused_with_an_example(claimsieve, model, planted_claims, mix):
    code, _, err = claimsieve("predict", model, planted_claims, "--prevalence", mix)
    assert code == 2
    assert "expected a share of each label that sum to 1, such as verified=.9" in err


def test_predict_reads_stdin_and_writes_stdout(claimsieve, model, monkeypatch):
    lines = b'{"id": "b", "claim": "the bridge was hit"}\nnot json\n{"id": "a", "claim": "the ship was h\xc3\xaft"}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    code, out, err = claimsieve("predict", model, "-", "-q")
    assert code == 3
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["id"], row["claim"]) for row in rows] == [("b", "the bridge was hit"), ("a", "the ship was hït")]
    assert json.loads(err.splitlines()[0])["place"] == 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    _, again, err = claimsieve("predict", model, "-", "--json")
    assert again == out
    tally = {"read": 3, "labelled": 2, "rejected": 1, "rejects_file": None, "without_evidence": 2}
    told = json.loads(err.splitlines()[-1])
    assert told.pop("abstained") in (0, 1, 2)
    assert told == tally | {"repeated": 0, "split": 0, "cut": 0, "recycled": 0, "unmatched": 0, "date_unreadable": 0}


def test_predict_with_rejects_is_exit_code_3_and_says_where_they_are(claimsieve, model, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"claim": "hit"}\n{"text": "hit"}\n')
    target = tmp_path / "out.jsonl"
    code, out, err = claimsieve("predict", model, tmp_path / "in.jsonl", "-o", target)
    assert (code, out) == (3, "")
    assert [line for line in err.splitlines() if "abstained" not in line] == [
        f"1 of 2 rows labelled → {target}",
        "1 row had no evidence: the model was trained to read evidence, and without it a label means nothing",
        f"1 row rejected → {target}.rejects.jsonl",
    ]
    (tmp_path / "in.jsonl").write_text('{"text": "hit"}\n')
    code, _, err = claimsieve("predict", model, tmp_path / "in.jsonl", "-o", target)
    assert code == 3
    assert "is the claim in another field? --map claim=FIELD" in err
    code, _, err = claimsieve("predict", model, tmp_path / "in.jsonl", "-o", target, "--map", "claim=text", "-q")
    assert (code, err) == (0, "")


# --- at the edge of the process


def test_a_reader_that_went_away_ends_the_command_in_silence():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        ran = subprocess.run(
            [*RUN, "recipe", "list", "--json"], stdout=gone, stderr=subprocess.PIPE, timeout=600, check=False
        )
    assert (ran.returncode, ran.stderr) == (1, b"")


def test_a_programming_mistake_keeps_its_traceback(monkeypatch):
    def broken() -> list[str]:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(configs, "shipped", broken)
    monkeypatch.setattr(sys, "argv", ["claimsieve", "configs", "list"])
    with pytest.raises(ZeroDivisionError, match="a mistake of ours"):
        main()


def test_an_interrupt_is_exit_code_130(claimsieve, monkeypatch):
    def interrupted() -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(configs, "shipped", interrupted)
    code, out, err = claimsieve("configs", "list")
    assert (code, out) == (130, "")
    assert "Traceback" not in err
