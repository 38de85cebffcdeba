"""claimsieve evaluate"""

import json
from pathlib import Path

import typer

from claimsieve.cli import app
from claimsieve.cli.console import print_table, say


@app.command(epilog="Example: claimsieve evaluate runs/mine checks.csv --map rating=verdict --rating correct=supported")
def evaluate(
    model: Path = typer.Argument(help="A model directory."),
    claims: str = typer.Argument(help="Labelled claims: .jsonl, .csv, .tsv, .parquet, '-', or recipe:NAME."),
    mapping: list[str] = typer.Option(
        [], "--map", metavar="FIELD=COLUMN", help="Which column is the claim, the label …"
    ),
    rating: list[str] = typer.Option(
        [], "--rating", metavar="VERDICT=LABEL", help="What a verdict of your own means: a label or a stance."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print every number as JSON."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Measure a model on labelled claims, with bootstrap intervals, per corpus and per event."""
    from claimsieve.cli.options import field_map, rating_map
    from claimsieve.data.corpora import load_labelled

    found, rejects = load_labelled(claims, mapping=field_map(mapping), ratings=rating_map(rating))

    from claimsieve.evaluation.evaluate import evaluate as measure
    from claimsieve.evaluation.evaluate import table, to_json
    from claimsieve.models.artifacts import load_model

    loaded, manifest = load_model(model)
    evaluation = measure(loaded.predict_proba(found), found, model=manifest.fingerprint)
    if rejects:
        say(f"{len(rejects):,} rows left out; first: row {rejects[0].place}: {rejects[0].reason}", quiet=quiet)
    if as_json:
        typer.echo(json.dumps(to_json(evaluation), indent=1))
    else:
        print_table(table(evaluation))
    if rejects:
        raise typer.Exit(3)
