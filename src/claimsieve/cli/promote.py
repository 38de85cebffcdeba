"""claimsieve promote"""

import json
import shlex
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from claimsieve.cli import app
from claimsieve.cli.console import print_table, say
from claimsieve.errors import ConfigError, PromotionError

if TYPE_CHECKING:
    from claimsieve.promotion import Promotion


@app.command(epilog="Example: claimsieve promote 3f2a9c1b --as champion --name claims --dry-run")
def promote(
    run: str | None = typer.Argument(
        None, help="A run's id or name, runs:/ID/model, models:/NAME/VERSION, or the model directory of a logged run."
    ),
    alias: str = typer.Option("champion", "--as", metavar="ALIAS", help="The alias that is to point to its model."),
    name: str | None = typer.Option(None, "--name", help="The registered model; default: the run's experiment."),
    config: str | None = typer.Option(
        None, "--config", metavar="FILE", help="Take the gate from this config, not from the run's own."
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Look at the conditions and change nothing."),
    rollback: bool = typer.Option(False, "--rollback", help="Give the alias back to the version that had it before."),
    as_json: bool = typer.Option(False, "--json", help="Print what was decided and done as JSON."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Register a run's model and give it an alias, when every condition of the config's gate holds.

    Else nothing is changed, and the exit code is 5. The version that had the alias gets previous-ALIAS, and one command
    goes back to it, without another look at the gate: claimsieve promote --rollback --as ALIAS --name NAME
    """
    if rollback:
        if run is not None or config is not None or dry_run or name is None:
            raise ConfigError("--rollback: expected --as and --name with it, and no RUN, --config or --dry-run.")
        _roll_back(alias, name, as_json=as_json, quiet=quiet)
        return
    if run is None:
        raise ConfigError("RUN: expected a run's id or name, found none. See `claimsieve promote --help`.")
    from claimsieve import config as configs

    gate = None if config is None else configs.load(config).gate

    from claimsieve.promotion import promote as put_to_use
    from claimsieve.tracking.store import tracking_uri

    with tempfile.TemporaryDirectory() as folder:
        done = put_to_use(
            run, alias=alias, name=name, gate=gate, dry_run=dry_run, uri=tracking_uri(), folder=Path(folder)
        )
    place = f"models:/{done.name}@{done.alias}"
    if as_json:
        typer.echo(json.dumps(asdict(done) | {"passed": not done.failing}, indent=1))
    else:
        print_table([["condition", "holds", "expected", "found"], *_rows(done)])
    if done.failing:
        names = ", ".join(condition.name for condition in done.failing)
        raise PromotionError(
            f"{place}: {len(done.failing)} of {len(done.conditions)} conditions do not hold: {names}. "
            f"Nothing was changed: it is {_version(done.before)}."
        )
    say(f"\n{_outcome(done, place)}", quiet=quiet)
    if done.moved:
        back = f"   ·   back: claimsieve promote --rollback --as {done.alias} --name {shlex.quote(done.name)}"
        say(f"next: claimsieve predict {place} recipe:demo -o labelled.jsonl{back if done.before else ''}", quiet=quiet)


def _roll_back(alias: str, name: str, *, as_json: bool, quiet: bool) -> None:
    from claimsieve.promotion import roll_back
    from claimsieve.tracking.store import tracking_uri

    with tempfile.TemporaryDirectory() as folder:
        done = roll_back(alias=alias, name=name, uri=tracking_uri(), folder=Path(folder))
    if as_json:
        typer.echo(json.dumps(asdict(done), indent=1))
    say(f"models:/{name}@{alias} is version {done.version} again (it was {_version(done.before)})", quiet=quiet)


def _rows(done: "Promotion") -> list[list[str]]:
    return [[one.name, "yes" if one.holds else "NO", one.expected, one.found] for one in done.conditions]


def _outcome(done: "Promotion", place: str) -> str:
    if done.moved:
        return f"{place} is version {done.version} now (it was {_version(done.before)})"
    if done.version is not None and done.version == done.before:
        return f"{place} is this model already, as {_version(done.before)}; nothing was changed"
    return f"every condition holds; nothing was changed (--dry-run), and {place} is {_version(done.before)}"


def _version(number: str | None) -> str:
    return "not set" if number is None else f"version {number}"
