"""Every shipped config is found, checked, and takes two real steps."""

import os

import pytest

from claimsieve import config as configs
from claimsieve.config import corpora_directory
from claimsieve.runner import run_experiment


@pytest.mark.parametrize("name", configs.shipped())
def test_every_shipped_config_takes_two_steps(name, tiny_checkpoint, tmp_path):
    overrides = ["training.max_steps=2", "tracking.enabled=false", "evaluation.resamples=100", "seeds=[0]"]
    settings = configs.load(name, overrides)
    if any(corpus.recipe not in ("starter", "demo") for corpus in settings.data.corpora):
        if corpora_directory() is None:
            pytest.skip("needs the public corpora: CLAIMSIEVE_CORPORA is not set")
        places = range(len(settings.data.corpora))
        overrides += [f"data.corpora.{place}.max_claims=100" for place in places]
    if settings.model.kind != "tfidf":
        overrides.append(f"model.checkpoint={tiny_checkpoint}")
    if getattr(settings.model, "frozen_layers", 0):
        overrides.append("model.frozen_layers=1")  # of two
    if settings.model.kind == "tfidf":
        overrides.append("model.max_features=2000")
    (result,) = run_experiment(configs.load(name, overrides), tmp_path / "model")
    assert result.evaluation.overall.n > 10


def test_the_environment_decides_where_corpora_are(monkeypatch, tmp_path):
    monkeypatch.setenv("CLAIMSIEVE_CORPORA", str(tmp_path))
    assert corpora_directory() == tmp_path
    monkeypatch.delenv("CLAIMSIEVE_CORPORA")
    assert "CLAIMSIEVE_CORPORA" not in os.environ
    assert corpora_directory() is None
