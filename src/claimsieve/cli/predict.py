"""claimsieve predict"""

import json
from dataclasses import asdict
from pathlib import Path

import typer

from claimsieve.cli import app
from claimsieve.cli.console import row_counter, say


@app.command(epilog="Example: claimsieve predict runs/mine claims.csv --map claim=text -o labelled.csv")
def predict(
    model: Path = typer.Argument(help="A model directory."),
    claims: str = typer.Argument(
        help="Claims: .jsonl, .csv, .tsv, .parquet, '-' for JSON Lines on stdin, or recipe:NAME."
    ),
    output: str = typer.Option("-", "-o", "--output", help="Where to write, by suffix; '-' is JSON Lines on stdout."),
    mapping: list[str] = typer.Option(
        [], "--map", metavar="FIELD=COLUMN", help="Which column is the claim, the evidence …"
    ),
    precision: str = typer.Option("auto", help="auto, float32 or bfloat16 (encoder only)."),
    device: str = typer.Option("auto", help="auto, cpu or cuda."),
    as_json: bool = typer.Option(False, "--json", help="Print the tally as JSON (on stderr when the output is '-')."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Label claims: each row with label, p_verified, p_unverified and p_propaganda beside its own columns.

    A row that cannot be read goes to <output>.rejects.jsonl with its place and the reason; the rest is labelled, and
    the exit code is 3.
    """
    from claimsieve.cli.options import choice, field_map
    from claimsieve.inference.predict import check_columns, check_paths, predict_file

    choice("--precision", precision, ("auto", "float32", "bfloat16"))
    choice("--device", device, ("auto", "cpu", "cuda"))
    fields = field_map(mapping)
    check_paths(claims, output)
    check_columns(claims, fields)

    from claimsieve.models.artifacts import load_model

    loaded, _ = load_model(model, precision=precision, device=device)
    with row_counter(quiet=quiet) as advance:
        tally = predict_file(loaded, claims, output, mapping=fields, advance=advance)
    where = "stdout" if output == "-" else output
    if as_json:
        typer.echo(json.dumps(asdict(tally)), err=output == "-")
    say(f"{tally.labelled:,} of {tally.read:,} rows labelled → {where}", quiet=quiet or as_json)
    if tally.without_evidence:
        note = "the model was trained to read evidence, and without it a label means nothing"
        say(f"{tally.without_evidence:,} rows had no evidence: {note}", quiet=quiet or as_json)
    if tally.rejected:
        say(f"{tally.rejected:,} rows rejected → {tally.rejects_file or 'stderr'}", quiet=quiet or as_json)
        if not tally.labelled:
            say("no row could be read: is the claim in another field? --map claim=FIELD", quiet=quiet)
        raise typer.Exit(3)
