"""claimsieve card"""

import typer

from claimsieve.cli import app
from claimsieve.cli.console import say


@app.command(epilog="Example: claimsieve card runs/mine -o README.md")
def card(
    model: str = typer.Argument(help="A model directory, models:/NAME@ALIAS, or runs:/ID/model."),
    output: str = typer.Option("-", "-o", "--output", help="Where to write; '-' is stdout."),
    as_html: bool = typer.Option(False, "--html", help="One self-contained HTML page in place of Markdown."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """The model card, in the Hugging Face format: labels, data and licences, results with intervals, limits, misuse."""
    from claimsieve.card import card_page, missing, model_card
    from claimsieve.cli.options import opened_model
    from claimsieve.pages import write_page
    from claimsieve.report import read_directory

    with opened_model(model) as directory:
        documents, origin = read_directory(directory)
        markdown = model_card(documents, origin=origin)
        write_page(card_page(markdown) if as_html else markdown, output, beside=directory)
    if output != "-":
        say(f"wrote {output}", quiet=quiet)
    if absent := missing(origin.config.card):
        say(f"not stated: {', '.join(absent)}. Give them in the config's section 'card'.", quiet=quiet)
