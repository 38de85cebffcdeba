"""claimsieve bench: every model that is named is measured and told of by its name."""

import json
import sys

import pytest

from claimsieve.benchmarks import inference
from claimsieve.cli import main
from claimsieve.data.corpora import load_labelled
from claimsieve.models.artifacts import write_model
from claimsieve.models.tfidf import TfidfModel


@pytest.fixture(scope="module")
def models(planted_claims, tmp_path_factory):
    """Two model directories of one kind and one folder name."""
    claims, _ = load_labelled(str(planted_claims))
    model = TfidfModel(inputs=("claim", "evidence"), max_features=100)
    list(model.fit(claims, valid=claims))
    directories = [tmp_path_factory.mktemp(name) / "model" for name in ("one", "two")]
    for directory in directories:
        write_model(model, directory, kind="tfidf", config_yaml="{}\n", data_fingerprint="0" * 64, seed=0)
    return [str(directory) for directory in directories]


def bench(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["claimsieve", "bench", *words])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code or 0


def test_two_models_of_one_kind_are_both_told_of(models, planted_claims, tmp_path, monkeypatch, capsys):
    # What takes a process of its own takes seconds; here it is about who is told of.
    monkeypatch.setattr(inference, "cold_start", lambda *paths: 1.0)
    monkeypatch.setattr(
        inference, "job_alone", lambda *paths: {"rows": 5, "seconds": 1.0, "load_seconds": 1.0, "peak_gigabytes": 0.1}
    )
    words = ["--claims", str(planted_claims), "--rows", "130", "--repeats", "1", "--scaling", "5", "-q"]
    assert bench(monkeypatch, *models, *words, "-o", str(tmp_path / "bench.md")) == 0
    table = (tmp_path / "bench.md").read_text()
    found = json.loads((tmp_path / "bench.json").read_text())
    assert capsys.readouterr().out == table
    assert [row["model"] for row in found["kinds"]] == models
    assert [row["claims"] for row in found["kinds"]] == [130, 130]  # 120, and ten with a number behind them
    assert list(found["scaling"]) == [f"{model} (tfidf)" for model in models]
    for model in models:
        assert table.count(model) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "bench.json"], "--output bench.json: expected a file for the table"),
        (["-o", "."], "--output .: expected a file for the table"),
        (["--scaling", "10,-5"], "--scaling 10,-5: expected numbers of rows"),
        (["--scaling", "0"], "--scaling 0: expected numbers of rows"),
    ],
)
def test_a_wrong_option_is_found_before_anything_is_measured(models, monkeypatch, capsys, words, message):
    assert bench(monkeypatch, models[0], *words) == 2
    assert message in capsys.readouterr().err
