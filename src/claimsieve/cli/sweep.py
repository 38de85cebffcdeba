"""claimsieve sweep"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from claimsieve.cli import app
from claimsieve.cli.console import print_table, say

if TYPE_CHECKING:
    from claimsieve.models.step import Step


@app.command(epilog="Example: claimsieve sweep starter-tfidf-sweep --trials 8 -o runs/tried")
def sweep(
    config: str = typer.Argument(help="A config with a section `sweep`, by file or by the name of a shipped one."),
    set_: list[str] = typer.Option([], "--set", metavar="KEY=VALUE", help="Change one value; may be given many times."),
    output: Path | None = typer.Option(
        None, "-o", "--output", help="The directory of the sweep; default runs/<name>/sweep-<UTC time>."
    ),
    trials: int | None = typer.Option(None, "--trials", min=1, help="How many to run, in place of sweep.trials."),
    resume: bool = typer.Option(
        False, "--resume", help="Go on after the last finished trial of an interrupted sweep, or with more --trials."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print every trial as JSON."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Try values of a config by macro-F1 on valid, and write the config that did best. Test is left alone."""
    from claimsieve import config as configs
    from claimsieve.sweeps.space import check_sweep

    settings = configs.load(config, set_)
    plan = check_sweep(settings)
    if trials is not None:
        settings = settings.model_copy(update={"sweep": plan.model_copy(update={"trials": trials})})
    runs = Path("runs") / settings.name
    directory = output or (_newest(runs) if resume else runs / f"sweep-{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}")
    directory = directory if directory.name else directory.resolve()  # `-o .` has to have a name

    from claimsieve.errors import TrackingError
    from claimsieve.sweeps.outcome import BEST, headline, table
    from claimsieve.sweeps.sweep import run_sweep
    from claimsieve.training import Watch

    with _bar(quiet=quiet) as show:
        watch = Watch(say=lambda text: say(text, quiet=quiet), step=show)
        result = run_sweep(settings, directory, resume=resume, watch=watch)
    if as_json:
        typer.echo(json.dumps({"directory": str(directory), **asdict(result.record)}, indent=1))
    else:
        typer.echo("")
        print_table(table(result.record))
        for paragraph in headline(result.record):
            typer.echo(f"\n{paragraph}")
    say(f"\nnext: claimsieve train {directory / BEST}   ·   claimsieve ui", quiet=quiet)
    if result.tracking_failure:
        raise TrackingError(f"the sweep is done and saved, but not all of it is logged: {result.tracking_failure}")


def _newest(runs: Path) -> Path:
    """The newest sweep below `runs`."""
    found = sorted(runs.glob("sweep-*/sweep.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        from claimsieve.errors import ConfigError

        raise ConfigError(f"--resume: expected a sweep below {runs}, found none. Name it with -o.")
    return found[-1].parent


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Callable[["Step"], None]]:
    """One bar for the training that runs; the lines of the trials pass above it. Without a terminal they are enough."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("step {task.completed:.0f}/{task.total:.0f}"), BarColumn(), TextColumn("{task.description}"))
    bar = Progress(*columns, TimeRemainingColumn(), console=console, transient=True)
    bar.disable = quiet or not console.is_terminal
    with bar:
        task = bar.add_task("", total=1)

        def show(step: "Step") -> None:
            if step.number == 1:
                bar.reset(task, total=step.total)
            bar.update(task, completed=step.number, total=step.total, description=f"loss {step.loss:.3f}")

        yield show
