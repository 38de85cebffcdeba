"""claimsieve report"""

import typer

from claimsieve.cli import app
from claimsieve.cli.console import say


@app.command(epilog="Example: claimsieve report runs/mine -o report.html")
def report(
    model: str = typer.Argument(help="A model directory, models:/NAME@ALIAS, or runs:/ID/model."),
    output: str = typer.Option(..., "-o", "--output", help="The HTML file to write; '-' is stdout."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """One self-contained HTML page of a model's evaluation, to open, print or send; nothing is measured anew."""
    from claimsieve.cli.options import opened_model
    from claimsieve.pages import write_page
    from claimsieve.report import evaluation_page, read_directory

    with opened_model(model) as directory:
        documents, origin = read_directory(directory)
        write_page(evaluation_page(documents, origin=origin), output, beside=directory)
    if output != "-":
        say(f"wrote {output}", quiet=quiet)
        say(f"next: open it in a browser   ·   claimsieve card {model}", quiet=quiet)
