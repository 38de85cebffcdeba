"""claimsieve export claimreview"""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

import typer

from claimsieve.cli import app
from claimsieve.cli.console import say, spinner
from claimsieve.errors import ConfigError, DataError

group = typer.Typer(
    help="Write labelled claims in forms that other programs read.",
    epilog="Example: claimsieve export claimreview labelled.jsonl -o reviews.jsonld",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(group, name="export")


@group.callback()
def _group() -> None:
    """A group with one command stays a group."""


@group.command(epilog="Example: claimsieve export claimreview labelled.jsonl -o reviews.jsonld")
def claimreview(
    labelled: str = typer.Argument(
        help="What claimsieve predict wrote as .jsonl (also .gz, .zst), or the folder that claimsieve article wrote; "
        "'-' is stdin."
    ),
    output: str = typer.Option(
        "-", "-o", "--output", help=".jsonld or .json: one document; .jsonl: one a line; '-' is a document on stdout."
    ),
    mapping: list[str] = typer.Option(
        [], "--map", metavar="FIELD=COLUMN", help="Which column is the claim, the evidence …, as given to predict."
    ),
    base_url: str | None = typer.Option(
        None, metavar="URL", help="The page that the reviews will stand on; each gets an address there."
    ),
    day: str | None = typer.Option(
        None, "--date", metavar="DATE", help="Of the reviews, YYYY-MM-DD; today if not given."
    ),
    source_type: str = typer.Option("organization", help="What the claims' sources are: organization or person."),
    decided_only: bool = typer.Option(
        False, "--decided-only", help="Leave out claims that the model left to a person."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the tally as JSON (on stderr when the output is '-')."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Write a schema.org ClaimReview of each labelled claim, marked in each as made by a machine.

    A claim that the model left to a person is "undecided" and has no value. Every review is validated before it is
    written; a row that is no labelled claim goes to <output>.rejects.jsonl, and the exit code is 3. A ClaimReview is
    read as a fact-check: do not publish one that no person has looked at.
    """
    from claimsieve.cli.options import choice, field_map
    from claimsieve.exporting.claimreview import Form, is_address
    from claimsieve.exporting.export import check, export_reviews
    from claimsieve.records import is_day

    choice("--source-type", source_type, ("organization", "person"))
    if base_url is not None and not is_address(base_url):
        raise ConfigError(f"--base-url: expected a web address such as https://example.org/checks, found {base_url!r}.")
    if day is not None and not is_day(day):
        raise ConfigError(f"--date: expected a day as YYYY-MM-DD, found '{day}'.")
    labelled = _labelled_in(labelled)
    fields = field_map(mapping)
    check(labelled, output, fields)
    form = Form(day or date.today().isoformat(), base_url, source_type.capitalize())
    with spinner("writing", quiet=quiet or as_json):
        tally = export_reviews(labelled, output, form=form, mapping=fields, decided_only=decided_only)
    if as_json:
        typer.echo(json.dumps(asdict(tally)), err=output == "-")
    quiet = quiet or as_json
    where = "stdout" if output == "-" else output
    say(f"{tally.written:,} of {tally.read:,} claims as ClaimReview → {where}", quiet=quiet)
    lines = [
        (tally.undecided, "of them undecided: the model left them to a person"),
        (tally.left_out, "left out, as the model left them to a person"),
        (tally.rejected, f"rows rejected → {tally.rejects_file or 'stderr'}"),
    ]
    for count, words in lines:
        if count:
            say(f"{count:,} {words}", quiet=quiet)
    if base_url is None and tally.written:
        say("they have no address: readers of fact-checks ask for one (--base-url)", quiet=quiet)
    if tally.rejected:
        raise typer.Exit(3)


def _labelled_in(source: str) -> str:
    """Of a folder that `claimsieve article` wrote its labelled claims; else the source itself."""
    from claimsieve.analysis.reading import LABELLED, is_article_folder

    folder = Path(source)
    if not is_article_folder(folder):
        return source
    if not (folder / LABELLED).is_file():
        raise DataError(
            f"{source}: expected {LABELLED} in the folder of an article, found none. Label its claims: "
            f"claimsieve article FILE -o {source} --model MODEL"
        )
    return str(folder / LABELLED)
