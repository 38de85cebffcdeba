"""Whatever is wrong with what a user gives us: one clear message, the right exit code, and nothing lost."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from claimsieve.errors import ModelError
from claimsieve.models.artifacts import load_model, read_manifest

RUN = (sys.executable, "-c", "from claimsieve.cli import main; main()")
LABELS = ("verified", "unverified", "propaganda")


@pytest.fixture
def refused(claimsieve):
    """Run a command that must fail, and return its message, which is all that it says."""

    def run(code: int, *arguments: object) -> str:
        found, out, err = claimsieve(*arguments)
        assert (found, out) == (code, ""), err
        assert err.startswith("claimsieve: ")
        assert err.count("claimsieve: ") == 1
        assert "Traceback" not in err
        return err

    return run


@pytest.fixture
def training(tmp_path: Path):
    """The arguments of a training on the given rows; keyword arguments are keys of the corpus."""

    def arguments(rows: list[dict] | bytes | None, *options: str, suffix: str = "jsonl", **corpus) -> list[object]:
        source = tmp_path / f"corpus.{suffix}"
        if isinstance(rows, bytes):
            source.write_bytes(rows)
        elif rows is not None:
            source.write_text("".join(json.dumps(row) + "\n" for row in rows))
        config = {
            "name": "bad",
            "data": {"corpora": [{"file": str(source), **corpus}]},
            "model": {"kind": "tfidf", "max_features": 500},
            "evaluation": {"resamples": 100},
            "tracking": {"enabled": False},
        }
        (tmp_path / "config.yaml").write_text(json.dumps(config))  # JSON is YAML
        return ["train", tmp_path / "config.yaml", "-o", tmp_path / "model", "-q", *options]

    return arguments


def rows_of(count: int, **changes) -> list[dict]:
    """Labelled claims on as many events as there are claims."""
    places = ("bridge", "harbour", "convoy", "airfield", "village", "depot")
    rows = []
    for n in range(count):
        claim = f"the {places[n % 6]} was hit {n} times by {n * 17 % 89} shells on day {n * 29 % 97}"
        rows.append({"id": str(n), "claim": claim, "event": f"event {n}", "label": LABELS[n // 2 % 3], **changes})
    return rows


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, planted_claims: Path) -> Path:
    """A small good model directory."""
    from claimsieve.data.corpora import load_labelled
    from claimsieve.models.artifacts import write_model
    from claimsieve.models.tfidf import TfidfModel

    claims, _ = load_labelled(str(planted_claims))
    trained = TfidfModel(inputs=("claim", "evidence"), max_features=500)
    list(trained.fit(claims, valid=claims))
    directory = tmp_path_factory.mktemp("good") / "model"
    write_model(trained, directory, kind="tfidf", config_yaml="{}\n", data_fingerprint="0" * 64, seed=0)
    return directory


# --- configs and options


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("training.epochz=5", "training.epochz: unknown key. Did you mean 'epochs'?"),
        ("training.epochs=many", 'training.epochs: expected a valid integer, found "many"'),
        ("training.epochs=0", "training.epochs: expected greater than or equal to 1, found 0"),
        ("training.epochs", "--set training.epochs: expected KEY=VALUE"),
        ("model.kind=tfdif", 'model.kind: expected one of tfidf, static, encoder, two_axis, cascade, found "tfdif"'),
        ("data.split.train=0.9", "data.split: expected train + valid + calibration + test = 1, found 1.2"),
        ("seeds=[]", "seeds: expected at least 1 entry, found none"),
    ],
)
def test_a_wrong_setting_is_named_by_its_path(refused, training, tmp_path, option, message):
    assert message in refused(2, *training(rows_of(30), "--set", option))
    assert not (tmp_path / "model").exists()


def test_every_problem_of_a_config_is_listed_at_once(refused, tmp_path):
    (tmp_path / "bad.yaml").write_text(
        "name: a b\ndata: {corpora: [{recipe: starter, file: x.csv}], inputs: [claim, label]}\nmodel: {kind: tfidf}\n"
    )
    message = refused(2, "train", tmp_path / "bad.yaml")
    assert "3 problems" in message
    for path in ("  name: ", "  data.corpora.0: expected exactly one of recipe, file, hub", "  data.inputs.1: "):
        assert path in message


def test_a_config_that_is_not_there_is_refused_with_the_nearest_name(refused, tmp_path):
    assert "Did you mean 'starter-tfidf'?" in refused(2, "train", "starter-tfid")
    assert "claimsieve configs list" in refused(2, "train", tmp_path / "none.yaml")


# --- corpora


def test_a_corpus_that_is_not_there_is_named(refused, training, tmp_path):
    for suffix in ("jsonl", "csv", "parquet"):
        message = refused(1, *training(None, suffix=suffix))
        assert f"{tmp_path / f'corpus.{suffix}'}: cannot be read" in message
        assert "o such file" in message
    assert not (tmp_path / "model").exists()


def test_an_empty_corpus_is_refused(refused, training):
    assert "expected labelled claims, found no rows" in refused(1, *training([]))
    assert "expected labelled claims, found no rows" in refused(1, *training(b"", suffix="csv"))
    assert "expected labelled claims, found no rows" in refused(1, *training(b"id,claim,label\n", suffix="csv"))
    assert "expected a Parquet file" in refused(1, *training(b"PAR1", suffix="parquet"))


def test_a_verdict_that_no_map_knows_is_refused(refused, training):
    ratings = {"true": "supported", "false": "refuted", "mixture": None}
    rows = [{"claim": f"claim {n}", "rating": "false" if n < 30 else "mostly-false"} for n in range(31)]
    message = refused(1, *training(rows, ratings=ratings))
    assert "row 31: expected a rating that the map knows (true, false, mixture), found 'mostly-false'" in message
    message = refused(2, *training(rows, ratings={"false": "lie"}))
    assert "rating 'false' is mapped to 'lie'; expected one of supported" in message
    message = refused(1, *training(rows_of(30, label="FALSE")))
    assert "expected 'label' to be one of verified, unverified, propaganda, found 'FALSE' (30 rows)" in message
    message = refused(1, *training(rows_of(30, label=None)))
    assert "expected a label on every claim, found none on 30 of 30 (first: corpus:0)" in message
    assert "--map rating=COLUMN --rating VERDICT=LABEL" in message


def test_one_label_alone_is_nothing_to_learn(refused, training, tmp_path):
    message = refused(1, *training(rows_of(40, label="verified")))
    assert "expected at least two labels" in message
    assert "28 verified" in message
    assert not (tmp_path / "model").exists()


def test_too_few_events_cannot_be_split(refused, training, tmp_path):
    message = refused(1, *training(rows_of(30, event="the same story")))
    assert "expected" in message
    assert "found" in message
    assert not (tmp_path / "model").exists()


def test_missing_evidence_is_no_mistake(claimsieve, training, model, tmp_path):
    code, _, err = claimsieve(*training(rows_of(60, evidence=None)))
    assert (code, err) == (0, "")
    (tmp_path / "in.jsonl").write_text('{"claim": "hit", "evidence": null}\n{"claim": "hit", "evidence": []}\n')
    code, _, err = claimsieve("predict", model, tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl", "-q")
    assert (code, err) == (0, "")


def test_ids_that_occur_twice_are_refused_in_training(refused, training):
    rows = [*rows_of(30), {"id": "7", "claim": "another", "label": "verified"}]
    message = refused(1, *training(rows))
    assert "expected every id once, found 1 ids on several rows: corpus:7" in message


def test_ids_that_occur_twice_are_kept_in_prediction(claimsieve, model, tmp_path):
    rows = [{"id": "7", "claim": f"the bridge was hit {n} times"} for n in range(5)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert claimsieve("predict", model, tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl")[0] == 0
    labelled = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [{name: row[name] for name in ("id", "claim")} for row in labelled] == rows


def test_a_few_unreadable_rows_are_left_out_and_kept_on_file(claimsieve, training, tmp_path):
    good = "".join(json.dumps(row) + "\n" for row in rows_of(60)).encode()
    code, _, err = claimsieve(*training(good + b'{"claim": "caf\xe9", "label": "verified"}\n'))
    assert (code, err) == (0, "")
    (left_out,) = (json.loads(line) for line in (tmp_path / "model" / "left_out.jsonl").read_text().splitlines())
    assert (left_out["corpus"], left_out["place"]) == ("corpus", 61)
    assert "not UTF-8: byte 0xe9" in left_out["reason"]


def test_many_unreadable_rows_are_refused_with_their_reasons(refused, training, tmp_path):
    good = "".join(json.dumps(row) + "\n" for row in rows_of(30)).encode()
    message = refused(1, *training(b'{"claim": "caf\xe9"}\nnot json\n{"claim": 5}\n' + good))
    assert "expected at most 5% unreadable rows, found 3 of 33" in message
    assert "First: row 1." in message
    assert not (tmp_path / "model").exists()


def test_public_corpora_that_are_not_here_are_asked_for(refused, model, tmp_path, monkeypatch):
    monkeypatch.delenv("CLAIMSIEVE_CORPORA", raising=False)
    (tmp_path / "config.yaml").write_text(
        "name: x\ndata: {corpora: [{recipe: averitec}]}\nmodel: {kind: tfidf}\ntracking: {enabled: false}\n"
    )
    commands = (
        ["train", tmp_path / "config.yaml", "-q"],
        ["predict", model, "recipe:averitec", "-o", tmp_path / "out.csv"],
        ["evaluate", model, "recipe:averitec"],
        ["recipe", "show", "averitec"],
    )
    for command in commands:
        message = refused(1, *command)
        assert "averitec: expected the environment variable CLAIMSIEVE_CORPORA" in message
        assert "Fetch the corpus from http" in message
    monkeypatch.setenv("CLAIMSIEVE_CORPORA", str(tmp_path))
    message = refused(1, "recipe", "show", "averitec")
    assert f"in {tmp_path}, found nothing there" in message
    assert "It reads " in message
    assert "claim from claim" in message


# --- prediction


def test_an_enormous_claim_is_one_reject(claimsieve, model, tmp_path):
    huge = "bridge " * 750_000
    lines = [{"id": 1, "claim": "hit"}, {"id": 2, "claim": huge}, {"id": 3, "claim": "hit", "evidence": huge}]
    lines += [{"id": 4, "claim": "hit"}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines))
    code, _, err = claimsieve("predict", model, tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl", "--json")
    assert (code, err) == (3, "")
    assert [json.loads(line)["id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()] == [1, 4]
    rejects = [json.loads(line) for line in (tmp_path / "out.jsonl.rejects.jsonl").read_text().splitlines()]
    assert [(row["place"], row["reason"]) for row in rejects] == [
        (2, "'claim' has 5,250,000 characters; the limit is 20,000"),
        (3, "the evidence is longer than 1,000,000 characters"),
    ]
    assert all(len(row["excerpt"]) <= 200 for row in rejects)


def test_mixed_encodings_cost_the_rows_that_are_not_utf_8(claimsieve, model, tmp_path):
    (tmp_path / "in.jsonl").write_bytes(
        b'\xef\xbb\xbf{"claim": "with a mark"}\n'
        + '{"claim": "Köln"}\n'.encode("latin-1")
        + '{"claim": "Köln"}\n'.encode()
    )
    (tmp_path / "in.csv").write_bytes(b"\xef\xbb\xbfclaim\r\n" + "Köln\r\n".encode("cp1252") + "Köln\r\n".encode())
    for suffix, expected in (("jsonl", ["with a mark", "Köln"]), ("csv", ["Köln"])):
        target = tmp_path / f"{suffix}-out.jsonl"
        assert claimsieve("predict", model, tmp_path / f"in.{suffix}", "-o", target)[0] == 3
        assert [json.loads(line)["claim"] for line in target.read_text(encoding="utf-8").splitlines()] == expected
        (reject,) = (tmp_path / f"{suffix}-out.jsonl.rejects.jsonl").read_text().splitlines()
        assert (json.loads(reject)["place"], json.loads(reject)["reason"][:9]) == (2, "not UTF-8")


def test_a_file_of_another_encoding_is_one_message(refused, model, tmp_path):
    for suffix, content in (("jsonl", '{"claim": "hit"}\n'), ("csv", "claim\nhit\n")):
        (tmp_path / f"in.{suffix}").write_bytes(content.encode("utf-16"))
        message = refused(1, "predict", model, tmp_path / f"in.{suffix}", "-o", tmp_path / "out.jsonl")
        assert "expected text in UTF-8, found text in UTF-16. Save it as UTF-8." in message


def test_a_wrong_output_is_refused_and_an_old_one_kept(refused, model, tmp_path):
    source, old = tmp_path / "in.jsonl", tmp_path / "old.csv"
    source.write_text('{"claim": "hit"}\n')
    old.write_text("an earlier output\n")
    (tmp_path / "in.csv").write_text("text\nhit\n")
    cases = [
        (source, source, "expected another file for the output than the input"),
        (source, tmp_path / "none" / "out.csv", "expected an existing folder for the output, found none"),
        (source, tmp_path / "out.txt", "expected an output that ends in .jsonl"),
        (tmp_path / "none.csv", old, "none.csv: expected a claims file, found none"),
        (tmp_path / "in.csv", old, "expected a column 'claim', found 'text'. Map it: --map claim=text"),
        ("recipe:nonesuch", old, "nonesuch: expected the name of a recipe or a recipe file"),
    ]
    for given, target, message in cases:
        assert message in refused(2 if str(given).startswith("recipe:") else 1, "predict", model, given, "-o", target)
        # What is wrong with the files is said before the model is looked for.
        refused(2 if str(given).startswith("recipe:") else 1, "predict", tmp_path / "none", given, "-o", target)
    assert old.read_text() == "an earlier output\n"
    assert source.read_text() == '{"claim": "hit"}\n'


# --- model directories


def test_a_model_directory_that_is_not_there_or_not_one(refused, tmp_path):
    for directory in (tmp_path / "none", tmp_path):
        message = refused(1, "predict", directory, "recipe:demo")
        assert f"{directory}: expected a model directory with manifest.json, found none" in message
        refused(1, "evaluate", directory, "recipe:demo")


def test_one_changed_byte_anywhere_is_found(refused, model, tmp_path):
    for number, name in enumerate(read_manifest(model).files):
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(model, copy)
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
        with pytest.raises(ModelError, match=rf"'{name}' is not what was saved \(SHA-256 differs\)"):
            load_model(copy)
    old = tmp_path / "out.jsonl"
    old.write_text("an earlier output\n")
    message = refused(1, "predict", copy, "recipe:demo", "-o", old)
    assert "Copy it again, or retrain." in message
    assert old.read_text() == "an earlier output\n"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff", b'{"format_version": "1"}', b"[" * 100_000])
def test_a_manifest_that_is_none_is_one_message(refused, model, tmp_path, content):
    copy = tmp_path / "copy"
    shutil.copytree(model, copy)
    (copy / "manifest.json").write_bytes(content)
    assert "manifest.json" in refused(1, "predict", copy, "recipe:demo")


def test_a_trained_model_is_never_overwritten(refused, training, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("dear")
    message = refused(1, *training(rows_of(60)))
    assert "model: expected a new or empty directory, found one in use. Choose another with -o." in message
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["weights"]
    assert (tmp_path / "model" / "weights").read_text() == "dear"


def test_nothing_to_resume_is_said(refused, training, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, config, *_ = training(rows_of(30))
    message = refused(2, "train", config, "--resume")
    assert "--resume: expected an interrupted training below runs/bad, found none. Name it with -o." in message


# --- tracking


def test_a_tracking_store_out_of_reach_costs_no_model(training, tmp_path):
    arguments = training(rows_of(60), "--set", "tracking={enabled: true, uri: 'http://127.0.0.1:9'}")
    ran = subprocess.run(
        [*RUN, *map(str, arguments)], capture_output=True, text=True, cwd=tmp_path, timeout=600, check=False,
        env={**os.environ, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"},
    )  # fmt: skip
    assert ran.returncode == 4, ran.stderr
    assert "the model is trained and saved, but not all of it is logged: http://127.0.0.1:9" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "on its test split" in ran.stdout
    assert load_model(tmp_path / "model")[1].kind == "tfidf"
