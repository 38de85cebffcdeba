"""claimsieve evaluate says what it measured on: columns that are nowhere, rows without evidence, doubled names."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from claimsieve.cli.options import prevalence
from claimsieve.data.corpora import load_labelled
from claimsieve.errors import ConfigError, DataError
from claimsieve.models.artifacts import write_model
from claimsieve.models.tfidf import TfidfModel

CONFIG = "name: planted\ndata: {corpora: [{file: x.jsonl}]}\nmodel: {kind: tfidf}\nevaluation: {resamples: 100}\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory, planted_claims):
    claims, _ = load_labelled(str(planted_claims))
    trained = TfidfModel(inputs=("claim", "evidence"), max_features=500)
    list(trained.fit(claims, valid=claims))
    directory = tmp_path_factory.mktemp("models") / "model"
    write_model(trained, directory, kind="tfidf", config_yaml=CONFIG, data_fingerprint="0" * 64, seed=0)
    return directory


@pytest.fixture
def changed(planted_claims, tmp_path):
    """Write the planted rows, each with what a function makes of it."""

    def write(change):
        path = tmp_path / "changed.jsonl"
        rows = map(json.loads, planted_claims.read_text().splitlines())
        path.write_text("".join(json.dumps(change(row)) + "\n" for row in rows))
        return path

    return write


def test_a_mapped_column_that_is_on_no_row_is_an_error(claimsieve, model, planted_claims):
    code, out, err = claimsieve("evaluate", model, planted_claims, "--map", "evidence=nosuch")
    assert (code, out) == (1, "")
    assert "expected a column 'nosuch', found 'id', 'claim', 'evidence'" in err
    assert "Map it: --map evidence=COLUMN" in err


@pytest.mark.parametrize(
    "source", ["proof", "proof.said", "not_null(none, proof)", "[proof][0]", "proof || none", "''"]
)
def test_a_mapped_column_may_be_on_some_rows_or_none_be_needed(changed, source):
    rows = changed(lambda row: row if int(row["id"]) else row | {"proof": None})
    assert len(load_labelled(str(rows), mapping={"source": source})[0]) == 120


def test_a_map_of_a_file_without_claims_says_so(changed):
    rows = changed(lambda row: {"text": row["claim"], "verdict": row["label"]})
    with pytest.raises(
        DataError, match=r"expected a column 'claim', found 'text', 'verdict'\. Map it: --map claim=text"
    ):
        load_labelled(str(rows), mapping={"label": "verdict"})


def test_rows_without_evidence_are_told_for_a_model_that_reads_it(claimsieve, model, planted_claims, changed):
    rows = changed(lambda row: row if int(row["id"]) > 1 else row | {"evidence": []})
    told = "2 rows had no evidence: the model was trained to read evidence, and without it a label means nothing\n"
    code, _, err = claimsieve("evaluate", model, rows)
    assert (code, err) == (0, told)
    assert claimsieve("evaluate", model, rows, "-q")[2] == ""
    assert claimsieve("evaluate", model, planted_claims)[2] == ""


def test_a_corpus_called_overall_is_told_from_all_rows(claimsieve, model, changed):
    rows = changed(lambda row: row | {"corpus": "overall" if int(row["id"]) < 60 else "other"})
    code, out, _ = claimsieve("evaluate", model, rows)
    names = [line.split("  ")[0] for line in out.split("\n\n")[0].splitlines()[2:]]
    assert (code, names) == (0, ["other", "overall (corpus)", "overall"])


@pytest.mark.parametrize("mix", ["verified=.1,verified=.9,unverified=.05,propaganda=.05", "verified=1,,"])
def test_a_label_that_stands_twice_in_a_mix_is_refused(mix):
    with pytest.raises(ConfigError, match="expected a share of each label that sum to 1"):
        prevalence(mix)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("form", [["--json"], []])
def test_a_standard_output_that_is_full_is_one_sentence(model, planted_claims, form):
    command = [sys.executable, "-m", "claimsieve", "evaluate", str(model), str(planted_claims), *form]
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    assert ran.returncode == 1
    assert ran.stderr == "claimsieve: standard output: cannot be written: No space left on device.\n"
