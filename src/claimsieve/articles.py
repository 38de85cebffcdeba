"""What was found in articles, labelled by a model and shown on one page."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from claimsieve.analysis.page import analysis_page
from claimsieve.analysis.pictures import Thumbnails
from claimsieve.evaluation.assessment import read_calibration
from claimsieve.inference.pictures import Pictures
from claimsieve.inference.predict import Job, predict_file
from claimsieve.intake.desk import CLAIMS, LABELLED, PAGE, Intake, labelled_rows
from claimsieve.models.artifacts import load_model
from claimsieve.pages import write_page

Rows = list[dict[str, Any]]


def label_intake(
    model: Path,
    directory: Path,
    *,
    pictures: Pictures | None = None,
    advance: Callable[[int], None] = lambda rows: None,
) -> Rows:
    """Label claims.jsonl of `directory` by a model directory into labelled.jsonl, with explanations.

    pictures: look those of claims up. advance: is told how many rows are done.
    """
    job = Job(str(directory / CLAIMS), str(directory / LABELLED), explain=True, restart=True, pictures=pictures)
    loaded, manifest = load_model(model)
    predict_file(loaded, job, calibration=read_calibration(model), fingerprint=manifest.fingerprint, advance=advance)
    return labelled_rows(directory)


def write_article_page(
    intake: Intake, rows: Rows, directory: Path, *, model: str, thumbnails: Thumbnails | None = None
) -> Path:
    """page.html of the articles and their labelled claims, whole or not at all.

    thumbnails: makes small pictures; None takes them from the directory alone.
    """
    titles = [str(one["title"] or one["name"]) for one in intake.articles]
    title = titles[0] if len(titles) == 1 else f"{titles[0]} and {len(titles) - 1} more"
    articles: list[Mapping[str, Any]] = list(intake.articles)
    thumbnails = thumbnails or Thumbnails([directory])
    page = analysis_page(rows, articles=articles, model=model, title=title, thumbnails=thumbnails)
    write_page(page, str(directory / PAGE))
    return directory / PAGE
