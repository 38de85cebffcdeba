"""The demo: three kinds on the starter corpus, and what each says of the strikes of 8 January 2020."""

from dataclasses import dataclass
from pathlib import Path

from claimsieve import config as configs
from claimsieve.data.corpora import load_labelled
from claimsieve.inference.predict import Job, predict_claims, predict_file
from claimsieve.models.artifacts import load_model
from claimsieve.records import Claim, Label
from claimsieve.runner import Result, run_experiment
from claimsieve.training import Watch

CONFIGS = ("starter-tfidf", "starter-static", "starter-encoder")
SOURCE = "recipe:demo"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One trained kind, and the label it gives to each demo claim, in their order."""

    kind: str
    result: Result
    labels: tuple[Label, ...]


def run_demo(directory: Path, *, watch: Watch) -> tuple[list[Claim], list[Contestant], Path]:
    """Train the kinds into `directory`; returns the demo claims, the contestants, and the file labelled by the last."""
    claims, _ = load_labelled(SOURCE)
    contestants = []
    for name in CONFIGS:
        config = configs.load(name)
        watch.say(f"\n== {name}")
        (result,) = run_experiment(config, directory / name, watch=watch)
        model, _ = load_model(result.directory)
        calibration = result.assessment.calibration
        labels = tuple(prediction.label for prediction in predict_claims(model, claims, calibration=calibration))
        contestants.append(Contestant(config.model.kind, result, labels))
    labelled = directory / "demo-labelled.jsonl"
    predict_file(model, Job(SOURCE, str(labelled)), calibration=calibration)
    return claims, contestants, labelled
