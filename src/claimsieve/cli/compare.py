"""claimsieve compare"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from claimsieve.cli import app
from claimsieve.cli.console import plain, print_table, say
from claimsieve.cli.options import choice

if TYPE_CHECKING:
    from claimsieve.comparison.records import Comparison


@app.command(epilog="Example: claimsieve compare runs/tfidf runs/encoder --by event --html comparison.html")
def compare(
    runs: list[str] = typer.Argument(
        help="Two or more: model directories, MLflow run ids or names, models:/NAME@ALIAS, runs:/ID/model; or an "
        "experiment, for all its runs."
    ),
    by: str = typer.Option(
        "claim", help="What is drawn as one: claim, or event, as rows of one story resemble one another."
    ),
    resamples: int = typer.Option(1000, min=100, max=100_000, help="Bootstrap resamples."),
    alpha: float = typer.Option(0.05, min=0.0001, max=0.5, help="Chance of naming any difference that is not there."),
    html: Path | None = typer.Option(None, "--html", help="Write the comparison as an HTML page."),
    seed: int = typer.Option(0, min=0, help="Of the resamples."),
    write_back: bool = typer.Option(True, help="Leave the verdict on the MLflow runs, so that the UI can sort by it."),
    as_json: bool = typer.Option(False, "--json", help="Print everything as JSON, with the rows that flipped."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Tell which run is better, and whether the difference is more than luck: paired on the same test rows."""
    choice("--by", by, ("claim", "event"))

    from claimsieve.compare_runs import compare_runs, comparison_page
    from claimsieve.comparison.records import to_json
    from claimsieve.errors import TrackingError
    from claimsieve.models.artifacts import check_outside
    from claimsieve.pages import check_page
    from claimsieve.tracking import tracking_uri
    from claimsieve.whole_files import write_file

    if html is not None:
        check_page(str(html))
        check_outside(html)
    found = compare_runs(
        runs,
        uri=tracking_uri(),
        unit="event" if by == "event" else "claim",
        resamples=resamples,
        seed=seed,
        alpha=alpha,
        write_back=write_back,
        say=lambda text: say(text, quiet=quiet),
    )
    if as_json:
        typer.echo(json.dumps(to_json(found.comparison), indent=1))
    else:
        _print(found.comparison)
    if html is not None:
        write_file(html, comparison_page(found.comparison).encode())
        say(f"wrote {html}", quiet=quiet)
    if number := len(found.written):
        told = f"{number} MLflow run{'' if number == 1 else 's'}"
        say(f"wrote the verdict to {told}: sort by compare/rank in the UI", quiet=quiet)
    for note in found.notes:
        say(note, quiet=quiet)
    if found.failure is not None:
        raise TrackingError(f"compared, but the verdict could not be written to MLflow: {found.failure}")


def _print(comparison: "Comparison") -> None:
    from claimsieve.comparison.tables import slice_table, tables

    for table in tables(comparison):
        print_table(table)
        typer.echo()
    for pair in comparison.pairs:
        if any(part.outcome != "noise" for part in pair.slices):
            typer.echo(plain(f"where {pair.first} and {pair.second} differ by more than noise:") + "\n")
            table = slice_table(pair)
            print_table([table[0], *(row for row in table[1:] if row[-1] != "within noise")])
            typer.echo()
    typer.echo(plain(comparison.verdict.sentence))
    for caveat in comparison.verdict.caveats:
        typer.echo(f"  {caveat}")
