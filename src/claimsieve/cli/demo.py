"""claimsieve demo"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from claimsieve.cli import app
from claimsieve.cli.console import print_table, say, step_bar

if TYPE_CHECKING:
    from claimsieve.demo import Contestant
    from claimsieve.records import Claim


@app.command(epilog="Example: claimsieve demo -o runs/demo")
def demo(
    output: Path | None = typer.Option(None, "-o", "--output", help="Where to put it; default runs/demo/<UTC time>."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Train three models on the starter corpus, label the demo claims and an article, and print the comparison."""
    from claimsieve.demo import run_demo, show_article
    from claimsieve.errors import TrackingError
    from claimsieve.training import Watch

    directory = output or Path("runs/demo") / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    with step_bar(quiet=quiet) as show:
        watch = Watch(say=lambda text: say(text, quiet=quiet), step=show)
        claims, contestants, labelled = run_demo(directory, watch=watch)
        watch.say("\n== an article, claim by claim")
        page = show_article(contestants[-1].result.directory, directory / "article")
    typer.echo("\nThe strikes of 8 January 2020, as labelled by annotators and by each model:\n")
    _print_labels(claims, contestants)
    typer.echo("\nOn the test split of the starter corpus (events that no model was trained on):\n")
    print_table(_comparison(claims, contestants))
    typer.echo(
        "\nOne seed and few test claims: the intervals overlap, and these numbers do not say which model is better.\n"
        "A label says what a claim, with its evidence, resembles in this corpus; it is no probability of truth.\n"
    )
    typer.echo(
        f"models    {directory}/\nlabelled  {labelled}\npage      {page}   (an article with its claims: open it)"
    )
    typer.echo("next      claimsieve ui                                   compare the runs in MLflow")
    typer.echo("          claimsieve predict MODEL FILE -o labelled.csv   label claims of your own")
    typer.echo("          claimsieve article FILE -o DIR --model MODEL    the claims of an article")
    typer.echo("          claimsieve configs copy starter-encoder DIR     train on data of your own")
    typer.echo("          (claimsieve lies in .venv/bin: `. .venv/bin/activate` puts it on your path)")
    failures = [entry.result.tracking_failure for entry in contestants if entry.result.tracking_failure]
    if failures:
        raise TrackingError(f"the models are trained and saved, but not all of it is logged: {failures[0]}")


def _print_labels(claims: list["Claim"], contestants: list["Contestant"]) -> None:
    rows = [["annotated", *(entry.kind for entry in contestants), "claim"]]
    for number, claim in enumerate(claims):
        text = claim.claim if len(claim.claim) <= 80 else f"{claim.claim[:79]}…"
        rows.append([str(claim.label), *(entry.labels[number] for entry in contestants), text])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        typer.echo("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]))


def _comparison(claims: list["Claim"], contestants: list["Contestant"]) -> list[list[str]]:
    rows = [["model", "test n", "macro-F1 [95 %]", "ECE", f"demo claims right (of {len(claims)})"]]
    for entry in contestants:
        overall = entry.result.evaluation.overall
        f1, ece = overall.metrics["macro_f1"], overall.metrics["ece"]
        right = sum(label == claim.label for label, claim in zip(entry.labels, claims, strict=True))
        interval = f"{f1.value:.3f} [{f1.low:.3f}, {f1.high:.3f}]" if f1 else "-"
        rows.append([entry.kind, str(overall.n), interval, f"{ece.value:.3f}" if ece else "-", str(right)])
    return rows
