"""The demo: three kinds on the starter corpus, what each says of the strikes of 8 January 2020, and a page of them."""

from dataclasses import dataclass
from pathlib import Path

import claimsieve.data
from claimsieve import config as configs
from claimsieve.articles import label_intake, write_article_page
from claimsieve.data.corpora import load_labelled
from claimsieve.inference.predict import Job, predict_claims, predict_file
from claimsieve.intake.desk import take_in, write_intake
from claimsieve.intake.evidence import Limits
from claimsieve.intake.evidence_files import read_evidence
from claimsieve.models.artifacts import load_model
from claimsieve.records import Claim, Label
from claimsieve.runner import Result, run_experiment
from claimsieve.training import Watch

CONFIGS = ("starter-tfidf", "starter-static", "starter-encoder")
SOURCE = "recipe:demo"
AS_OF = "2020-01-08"  # what came out later is no evidence for that day's page
_STARTER = Path(claimsieve.data.__file__).parent / "starter"


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


def show_article(model: Path, directory: Path) -> Path:
    """The page of the demo article, as that day's evidence has it and the model labels it. Returns its path."""
    given = read_evidence([str(_STARTER / "article-evidence.jsonl")])
    intake = take_in([str(_STARTER / "article.md")], evidence=given.passages, limits=Limits(as_of=AS_OF))
    write_intake(intake, directory)
    rows = label_intake(model, directory)
    return write_article_page(intake, rows, directory, model=str(model))
