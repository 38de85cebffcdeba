"""claimsieve predict"""

import json
from dataclasses import asdict

import typer

from claimsieve.cli import app
from claimsieve.cli.console import row_counter, say
from claimsieve.errors import ConfigError


@app.command(epilog="Example: claimsieve predict runs/mine claims.csv --map claim=text -o labelled.csv")
def predict(
    model: str = typer.Argument(help="A model directory, models:/NAME@champion or runs:/ID/model."),
    claims: str = typer.Argument(
        help="Claims: .jsonl, .csv, .tsv, .parquet, '-' for JSON Lines on stdin, or recipe:NAME."
    ),
    output: str = typer.Option("-", "-o", "--output", help="Where to write, by suffix; '-' is JSON Lines on stdout."),
    mapping: list[str] = typer.Option(
        [], "--map", metavar="FIELD=COLUMN", help="Which column is the claim, the evidence …"
    ),
    prevalence_: str | None = typer.Option(
        None, "--prevalence", metavar="MIX", help="Your own mix, such as verified=.9,unverified=.08,propaganda=.02."
    ),
    precision: str = typer.Option("auto", help="auto, float32 or bfloat16 (encoder only)."),
    device: str = typer.Option("auto", help="auto, cpu or cuda."),
    as_json: bool = typer.Option(False, "--json", help="Print the tally as JSON (on stderr when the output is '-')."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Label claims: each row with label, p_verified, p_unverified and p_propaganda beside its own columns.

    prediction_set holds the labels that cannot be ruled out; where it is not one label, abstained is true, reasons says
    why, and a person should look. With --prevalence, p_<label>_at_prevalence turns the probabilities to that mix.
    A row that cannot be read goes to <output>.rejects.jsonl with its place and the reason; the rest is labelled, and
    the exit code is 3.
    """
    from claimsieve.cli.options import choice, field_map, opened_model, prevalence
    from claimsieve.inference.predict import check_columns, check_paths, predict_file

    choice("--precision", precision, ("auto", "float32", "bfloat16"))
    choice("--device", device, ("auto", "cpu", "cuda"))
    fields, mix = field_map(mapping), prevalence(prevalence_)
    check_paths(claims, output)
    check_columns(claims, fields)

    from claimsieve.evaluation.assessment import read_calibration
    from claimsieve.models.artifacts import load_model

    with opened_model(model) as directory, row_counter(quiet=quiet) as advance:
        loaded, _ = load_model(directory, precision=precision, device=device)
        calibration = read_calibration(directory)
        if mix is not None and calibration is None:
            raise ConfigError(f"--prevalence: expected a model with a calibration split, found none in {model}.")
        tally = predict_file(
            loaded, claims, output, mapping=fields, calibration=calibration, prevalence=mix, advance=advance
        )
    where = "stdout" if output == "-" else output
    if as_json:
        typer.echo(json.dumps(asdict(tally)), err=output == "-")
    say(f"{tally.labelled:,} of {tally.read:,} rows labelled → {where}", quiet=quiet or as_json)
    if tally.abstained:
        say(f"{tally.abstained:,} of them left to a person (abstained); reasons says why", quiet=quiet or as_json)
    if tally.without_evidence:
        note = "the model was trained to read evidence, and without it a label means nothing"
        say(f"{tally.without_evidence:,} rows had no evidence: {note}", quiet=quiet or as_json)
    if tally.rejected:
        say(f"{tally.rejected:,} rows rejected → {tally.rejects_file or 'stderr'}", quiet=quiet or as_json)
        if not tally.labelled:
            say("no row could be read: is the claim in another field? --map claim=FIELD", quiet=quiet)
        raise typer.Exit(3)
