"""claimsieve report"""

import json
from glob import has_magic
from pathlib import Path
from typing import Any

import typer

from claimsieve.cli import app
from claimsieve.cli.console import counted, say, spinner
from claimsieve.errors import ConfigError, DataError


@app.command(
    epilog="Example: claimsieve report runs/mine -o report.html, then of claims: claimsieve report labelled.jsonl "
    "-o page.html"
)
def report(
    source: str = typer.Argument(
        help="A model directory, models:/NAME@ALIAS or runs:/ID/model, for its evaluation; or for the analyst's page a "
        "file that `claimsieve predict` wrote (.jsonl, .csv, .tsv, each also .gz, .zst; .parquet), or the folder that "
        "`claimsieve article` wrote."
    ),
    output: str = typer.Option(..., "-o", "--output", help="The HTML file to write; '-' is stdout."),
    mapping: list[str] = typer.Option(
        [], "--map", metavar="FIELD=COLUMN", help="Of a labelled file: which column is the claim, as told to predict."
    ),
    pictures: list[Path] = typer.Option(
        [], "--pictures", metavar="FOLDER", help="Where else than beside the labelled file pictures may be read from."
    ),
    rows: int | None = typer.Option(None, "--rows", min=1, help="Claims shown at most; 2,000 if not given."),
    title: str | None = typer.Option(None, "--title", help="Of the analyst's page."),
    as_json: bool = typer.Option(
        False, "--json", help="Print what the page shows as JSON (on stderr when the output is '-')."
    ),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """One self-contained HTML page to open, print or send: a model's evaluation, or labelled claims for an analyst.

    The analyst's page shows an article with its claims marked, and each claim with its label, its evidence by weight,
    what is missing, and what was seen before. Nothing is measured or looked up anew.
    """
    if _is_model(source):
        if mapping or pictures or rows or title:
            raise ConfigError("--map, --pictures, --rows, --title: expected a labelled file with them, found a model.")
        with spinner("writing", quiet=quiet or as_json):
            _evaluation(source, output)
        told: dict[str, Any] = {"page": "evaluation"}
        following = f"open it in a browser   ·   claimsieve card {source}"
    else:
        with spinner("writing", quiet=quiet or as_json):
            told = {"page": "analysis", **_analysis(source, output, mapping, pictures, rows, title)}
        if hidden := told["pictures_elsewhere"]:
            say(
                f"{counted(hidden, 'picture is', 'pictures are')} not shown, being elsewhere than beside the rows: "
                "--pictures FOLDER names where they may be read from",
                quiet=quiet or as_json,
            )
        following = "open it in a browser"
    if as_json:
        typer.echo(json.dumps({"written": output, **told}), err=output == "-")
    elif output != "-":
        say(f"wrote {output}", quiet=quiet)
        say(f"next: {following}", quiet=quiet)


def _is_model(source: str) -> bool:
    from claimsieve.analysis.reading import is_article_folder
    from claimsieve.data.files import is_claims_file

    path = Path(source)
    if source.startswith(("models:/", "runs:/")):
        return True
    if not path.exists() and not is_claims_file(source) and not has_magic(source):
        raise DataError(
            f"{source}: expected a model directory, a labelled file or the folder of an article, found nothing."
        )
    return not is_article_folder(path) if path.is_dir() else not (path.is_file() or is_claims_file(source))


def _evaluation(model: str, output: str) -> None:
    from claimsieve.cli.options import opened_model
    from claimsieve.pages import write_page
    from claimsieve.report import evaluation_page, read_directory

    with opened_model(model) as directory:
        documents, origin = read_directory(directory)
        write_page(evaluation_page(documents, origin=origin), output, beside=directory)


def _analysis(
    source: str,
    output: str,
    mapping: list[str],
    pictures: list[Path],
    rows: int | None,
    title: str | None,
) -> dict[str, Any]:
    """Write the page of labelled claims. Returns what it shows, for --json."""
    from claimsieve.analysis.reading import is_article_folder, read_article_folder, read_labelled
    from claimsieve.analysis.writing import MAX_ROWS, write_analysis
    from claimsieve.cli.options import field_map

    missing = [str(folder) for folder in pictures if not folder.is_dir()]
    if missing:
        raise ConfigError(f"--pictures {missing[0]}: expected a folder, found none.")
    limit = rows or MAX_ROWS
    folder = Path(source)
    if is_article_folder(folder):
        if mapping:
            raise ConfigError("--map: expected a labelled file with it, found a folder that claimsieve article wrote.")
        found = read_article_folder(folder, limit=limit)
    else:
        found = read_labelled(source, mapping=field_map(mapping), limit=limit)
    elsewhere = write_analysis(found, output, pictures=pictures, limit=limit, title=title)
    return {
        "shown": len(found.rows),
        "labels": dict(found.labels),
        "unreadable": found.unreadable,
        "pictures_elsewhere": elsewhere,
    }
