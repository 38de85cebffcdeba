"""claimsieve evaluate"""

import json
from collections.abc import Sequence
from dataclasses import asdict

import typer

from claimsieve.cli import app
from claimsieve.cli.console import counted, print_table, say


@app.command(epilog="Example: claimsieve evaluate runs/mine checks.csv --map rating=verdict --rating correct=supported")
def evaluate(
    model: str = typer.Argument(help="A model directory, models:/NAME@champion or runs:/ID/model."),
    claims: str = typer.Argument(help="Labelled claims: .jsonl, .csv, .tsv, .parquet, '-', or recipe:NAME."),
    mapping: list[str] = typer.Option(
        [], "--map", metavar="FIELD=COLUMN", help="Which column is the claim, the label …"
    ),
    rating: list[str] = typer.Option(
        [], "--rating", metavar="VERDICT=LABEL", help="What a verdict of your own means: a label or a stance."
    ),
    prevalence_: str | None = typer.Option(
        None, "--prevalence", metavar="MIX", help="Your own mix, such as verified=.9,unverified=.08,propaganda=.02."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print every number as JSON."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Measure a model on labelled claims, with bootstrap intervals, per corpus and per event.

    Also how often prediction sets hold the true label, what is left to people, and what the labels are worth at your
    own mix: that of --prevalence, or else of the model's config, which also has the resamples and reviewer hours. Of a
    model of two axes, both of them too.
    """
    from claimsieve.cli.options import field_map, opened_model, prevalence, rating_map
    from claimsieve.data.corpora import load_labelled

    mix = prevalence(prevalence_)
    found, rejects = load_labelled(claims, mapping=field_map(mapping), ratings=rating_map(rating))

    from claimsieve import config as configs
    from claimsieve.evaluation import axes
    from claimsieve.evaluation.assessment import read_axes, read_calibration
    from claimsieve.evaluation.decisions import report_on, tables
    from claimsieve.evaluation.evaluate import evaluate as measure
    from claimsieve.evaluation.evaluate import table, to_json
    from claimsieve.inference.decide import decide
    from claimsieve.inference.outputs import output
    from claimsieve.models.artifacts import CONFIG, load_model

    with opened_model(model) as directory:
        loaded, manifest = load_model(directory)
        calibration, trained = read_calibration(directory), read_axes(directory)
        settings = configs.load(str(directory / CONFIG)).evaluation
    decisions = decide(loaded, found, calibration)
    common = {name: getattr(settings, name) for name in ("bins", "resamples", "min_slice_rows")}
    evaluation = measure(decisions.probabilities, found, model=manifest.fingerprint, **common)
    mix = mix or settings.prevalence
    report = report_on(decisions, found, calibration, prevalence=mix, **settings.review.model_dump(), **common)
    heads = None
    if decisions.axes is not None and trained is not None:
        heads = axes.axis_report(
            decisions.axes.probabilities, found, threshold=trained.threshold, resamples=settings.resamples
        )
    if rejects:
        say(f"{len(rejects):,} rows left out; first: row {rejects[0].place}: {rejects[0].reason}", quiet=quiet)
    without = sum(not claim.evidence for claim in found) if "evidence" in loaded.inputs else 0
    if without:
        words = "no evidence: the model was trained to read evidence, and without it a label means nothing"
        say(f"{counted(without, 'row had', 'rows had')} {words}", quiet=quiet)
    with output("-"):
        if as_json:
            both = {} if heads is None else {"axes": axes.to_json(heads)}
            typer.echo(json.dumps({**to_json(evaluation), "decisions": asdict(report), **both}, indent=1))
        else:
            print_table(_told_apart(table(evaluation)))
            for title, rows in [*tables(report).items(), *([] if heads is None else axes.tables(heads).items())]:
                typer.echo(f"\n{title}\n")
                print_table(_told_apart(rows))
    if rejects:
        raise typer.Exit(3)


def _told_apart(rows: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """A table whose last row may be the overall one; a corpus of that name is marked as one."""
    return [*([f"{row[0]} (corpus)", *row[1:]] if row[0] == "overall" else row for row in rows[:-1]), rows[-1]]
