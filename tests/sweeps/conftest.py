"""Small configs with a sweep, on the planted claims."""

import pytest

from claimsieve import config as configs


@pytest.fixture
def sweep_config(planted_claims, tiny_checkpoint):
    """sweep_config({path: values}, kind='tfidf', trials=3, …) is a config; further keywords replace sections."""

    def make(space, kind="tfidf", *, trials=4, seed=0, pruning=True, file=planted_claims, **sections):
        model = {"kind": "tfidf", "max_features": 500}
        if kind != "tfidf":
            model = {"kind": kind, "checkpoint": str(tiny_checkpoint)}
        if kind == "static":
            model |= {"dimensions": 16, "hidden": 16}
        data = {
            "name": "tried",
            "data": {
                "corpora": [{"file": str(file)}],
                "split": {"train": 0.5, "valid": 0.2, "calibration": 0.1, "test": 0.2},
            },
            "model": model,
            "training": {"epochs": 3, "batch_tokens": 128, "learning_rate": 3e-2, "precision": "float32"},
            "evaluation": {"resamples": 100, "shortcuts": False},
            "tracking": {"enabled": False},
            "sweep": {"trials": trials, "seed": seed, "pruning": pruning, "space": space},
        }
        return configs.validate({**data, **sections}, place="test")

    return make
