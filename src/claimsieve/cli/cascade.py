"""claimsieve cascade"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from claimsieve.cli import app
from claimsieve.cli.console import print_table, say

if TYPE_CHECKING:
    from claimsieve.cascading import Built


@app.command(epilog="Example: claimsieve cascade runs/static runs/encoder -o runs/cascade --max-disagreement 0.02")
def cascade(
    cheap: str = typer.Argument(help="A tfidf or static model: a directory, models:/NAME@champion or runs:/ID/model."),
    encoder: str = typer.Argument(help="An encoder of the same claims and split; given likewise."),
    output: Path = typer.Option(..., "-o", "--output", help="The model directory of the cascade."),
    max_disagreement: float = typer.Option(
        0.01, "--max-disagreement", metavar="SHARE", help="Of all rows, how many may get another label."
    ),
    confidence: float = typer.Option(
        0.95, "--confidence", metavar="LEVEL", help="How sure it has to be that the share is not larger."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print what was chosen and measured as JSON."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Make a quicker model of two: the cheap one answers the rows on which it is sure, the encoder the rest.

    How sure is chosen on the calibration split, so that labels differ from the encoder's own on no more than the given
    share of all rows, with the given confidence. The result is a model directory like any other.
    """
    from claimsieve.cli.options import opened_model
    from claimsieve.errors import ConfigError, TrackingError

    for option, value in (("--max-disagreement", max_disagreement), ("--confidence", confidence)):
        if not 1e-6 <= value < 1:
            raise ConfigError(f"{option}: expected a number from 0.000001 to less than 1, found {value:g}.")
    output = output if output.name else output.resolve()  # `-o .` has to have a name

    from claimsieve.cascading import build_cascade

    with opened_model(cheap) as first, opened_model(encoder) as second:
        built = build_cascade(
            first,
            second,
            output,
            max_disagreement=max_disagreement,
            confidence=confidence,
            say=lambda text: say(text, quiet=quiet),
        )
    if as_json:
        row = {"model": str(output), **asdict(built.handover), "speed": asdict(built.speed)}
        typer.echo(json.dumps(row | {"metrics": built.assessment.metrics()}, indent=1))
    else:
        _print(built)
    say(f"next: claimsieve predict {output} claims.csv -o labelled.csv", quiet=quiet)
    if built.tracking_failure is not None:
        raise TrackingError(
            f"the cascade is built and saved, but not all of it is logged: {built.tracking_failure}. The record is "
            f"kept; send it later: claimsieve track sync {output}"
        )


def _print(built: "Built") -> None:
    from claimsieve.evaluation.handover import sentences, table

    typer.echo(f"\n{built.directory}:\n")
    print_table(table(built.handover))
    typer.echo("\n" + "\n".join(sentences(built.handover)))
    speed = built.speed
    typer.echo(
        f"Speed on this machine: {speed.measured:.2f} times the encoder's (expected from the tiers: "
        f"{speed.expected:.2f}), on {speed.rows:,} test claims of which {speed.answered:.3f} were answered cheaply."
    )
    if speed.measured <= 1:
        typer.echo("It is no quicker than the encoder alone; a better cheap model, or a larger bound, would help.")
