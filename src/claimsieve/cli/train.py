"""claimsieve train"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from claimsieve.cli import app
from claimsieve.cli.console import print_table, say, step_bar
from claimsieve.cli.options import estimate

if TYPE_CHECKING:
    from claimsieve.runner import Result

_MEANS = {
    "test/macro_f1": "macro-F1",
    "probe/margin_over_best": "margin over the best shortcut",
    "calibration/ece": "ECE",
    "coverage/overall": "prediction sets that hold the true label",
    "coverage/abstained": "left to people",
    "base_rate/propaganda_precision": "precision of propaganda at your mix",
    "base_rate/propaganda_precision_in_equal_shares": "precision of propaganda in equal shares",
}


@app.command(epilog="Example: claimsieve train starter-encoder --set training.epochs=3 -o runs/mine")
def train(
    config: str = typer.Argument(help="A config file, or the name of a shipped one (claimsieve configs list)."),
    set_: list[str] = typer.Option([], "--set", metavar="KEY=VALUE", help="Change one value; may be given many times."),
    output: Path | None = typer.Option(
        None, "-o", "--output", help="The model directory; default runs/<name>/<UTC time>."
    ),
    resume: bool = typer.Option(False, "--resume", help="Go on from the last checkpoint of an interrupted training."),
    as_json: bool = typer.Option(False, "--json", help="Print the result as JSON."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Train a model from a config: data checked, split, fitted, evaluated on held-out rows, saved, logged to MLflow."""
    from claimsieve import config as configs

    settings = configs.load(config, set_)
    runs = Path("runs") / settings.name
    directory = output or (_interrupted(runs) if resume else runs / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))
    directory = directory if directory.name else directory.resolve()  # `-o .` has to have a name

    from claimsieve import processes
    from claimsieve.errors import TrackingError
    from claimsieve.runner import run_experiment
    from claimsieve.training import Watch

    quiet = quiet or not processes.is_first()
    with step_bar(quiet=quiet) as show:
        watch = Watch(say=lambda text: say(text, quiet=quiet), step=show)
        try:
            results = run_experiment(settings, directory, resume=resume, watch=watch)
        except KeyboardInterrupt:
            say(f"interrupted; to go on: the same command with --resume -o {directory}", quiet=quiet)
            raise
    if not processes.is_first():
        return
    if as_json:
        typer.echo(json.dumps([_row(result) for result in results], indent=1))
    else:
        for result in results:
            _print(result, whole=len(results) == 1)
        for line in _together(results):
            typer.echo(f"\n{line}")
    first = results[0].directory
    say(f"\nnext: claimsieve predict {first} recipe:demo -o labelled.jsonl   ·   claimsieve ui", quiet=quiet)
    failures = sorted({result.tracking_failure for result in results if result.tracking_failure})
    if failures:
        raise TrackingError(
            f"the model is trained and saved, but not all of it is logged: {'; '.join(failures)}. The record is kept; "
            f"send it later: claimsieve track sync {directory}"
        )


def _print(result: "Result", *, whole: bool) -> None:
    """whole: with everything one decides on; of several models a few lines each, and the rest in report.html."""
    from claimsieve.evaluation import axes, behaviour, shortcuts
    from claimsieve.evaluation.decisions import tables
    from claimsieve.evaluation.evaluate import table

    typer.echo(f"\n{result.directory} on its test split:\n")
    print_table(table(result.evaluation))
    if not whole:
        typer.echo(f"\n{result.assessment.described()}")
        return
    for title, rows in tables(result.assessment.decisions).items():
        typer.echo(f"\n{title}\n")
        print_table(rows)
    if result.assessment.axes is not None:
        for title, rows in axes.tables(result.assessment.axes).items():
            typer.echo(f"\n{title}\n")
            print_table(rows)
    if result.assessment.behaviour is not None:
        typer.echo(f"\n{behaviour.headline(result.assessment.behaviour)}\n")
        print_table(behaviour.table(result.assessment.behaviour))
    if result.shortcuts is not None:
        typer.echo(f"\n{shortcuts.headline(result.shortcuts)}\n")
        print_table(shortcuts.table(result.shortcuts))


def _together(results: list["Result"]) -> list[str]:
    """Where there are several seeds or folds: what they say together."""
    from claimsieve.evaluation.evaluate import pooled_macro_f1
    from claimsieve.runner import combined_metrics

    lines = []
    for seed in sorted({result.seed for result in results}):
        folds = [result.evaluation for result in results if result.seed == seed and result.fold is not None]
        if len(folds) > 1:
            n = sum(one.overall.n for one in folds)
            score = estimate(pooled_macro_f1(folds))
            lines.append(f"seed {seed}, all {len(folds)} held-out groups together: macro-F1 {score}, n = {n:,}")
    if len(results) > 1:
        found = combined_metrics(results)
        tests = sorted({result.evaluation.overall.n for result in results})
        rows = f"{tests[0]:,}" if len(tests) == 1 else f"{tests[0]:,} to {tests[-1]:,}"
        lines.append(f"mean of {len(results)} models, each tested on n = {rows}, with interval and standard deviation:")
        lines += [f"  {told} {_combined(found, name)}" for name, told in _MEANS.items() if name in found]
    return lines


def _combined(found: Mapping[str, float], name: str) -> str:
    bounds = f" [{found[f'{name}_low']:.3f}, {found[f'{name}_high']:.3f}]" if f"{name}_low" in found else ""
    return f"{found[name]:.3f}{bounds} ± {found[f'{name}_std']:.3f}"


def _row(result: "Result") -> dict[str, Any]:
    row = {"model": str(result.directory), "seed": result.seed, "metrics": result.assessment.metrics()}
    return row if result.fold is None else row | {"held_out": result.fold}


def _interrupted(runs: Path) -> Path:
    """The newest training below `runs` that was begun and not finished, several seeds or folds included."""
    from claimsieve.errors import ConfigError
    from claimsieve.tracking import parent_is_open

    begun = {_outer(path.with_suffix("")): path.stat().st_mtime for path in runs.glob("**/*.training")}
    begun |= {path.parent: path.stat().st_mtime for path in runs.glob("*/tracking.json") if parent_is_open(path.parent)}
    if not begun:
        raise ConfigError(f"--resume: expected an interrupted training below {runs}, found none. Name it with -o.")
    return max(begun, key=begun.__getitem__)


def _outer(directory: Path) -> Path:
    """The directory that was asked for, above the folders of folds and seeds."""
    while re.fullmatch(r"seed-\d+|fold-.*-[0-9a-f]{6}", directory.name):
        directory = directory.parent
    return directory
