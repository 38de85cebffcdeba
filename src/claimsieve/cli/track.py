"""claimsieve track status | sync"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from claimsieve.cli import app
from claimsieve.cli.console import print_table, say

if TYPE_CHECKING:
    from claimsieve.tracking.sync import Waiting

group = typer.Typer(
    help="Runs whose tracking store could not be reached.",
    epilog="Example: claimsieve track sync",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(group, name="track")

RUNS = Path("runs")
PLACES = typer.Argument(
    None, metavar="[PATH]...", help="Model directories, folders of them, or records. Default: runs, if it is there."
)
JSON = typer.Option(False, "--json", help="Print as JSON.")
QUIET = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr.")


@group.command(epilog="Example: claimsieve track status runs/mine")
def status(places: list[Path] = PLACES, as_json: bool = JSON, quiet: bool = QUIET) -> None:
    """The runs that wait to be sent; nothing is sent."""
    from claimsieve.tracking.sync import waiting

    found = waiting(_given(places))
    _print(found, as_json=as_json)
    if any(one.state == "waiting" for one in found):
        say("\nnext: claimsieve track sync", quiet=quiet)


@group.command(epilog="Example: claimsieve track sync runs/mine")
def sync(
    places: list[Path] = PLACES,
    dry_run: bool = typer.Option(False, "--dry-run", help="Only tell what would be sent, as `track status` does."),
    uri: str | None = typer.Option(
        None, "--uri", help="Send to this store, not to the one that the run was meant for."
    ),
    as_json: bool = JSON,
    quiet: bool = QUIET,
) -> None:
    """Send runs to the tracking store that could not be reached, each exactly once. What is sent is removed here."""
    from claimsieve.errors import TrackingError
    from claimsieve.tracking import sync as syncing
    from claimsieve.tracking.store import lasting_uri

    if dry_run:
        _print(syncing.waiting(_given(places)), as_json=as_json)
        return
    found = []
    for one in syncing.sync(_given(places), uri=lasting_uri(uri) if uri else None):
        say(f"{one.record}: {one.state}", quiet=quiet)
        found.append(one)
    _print(found, as_json=as_json)
    failed = [one for one in found if one.state == "failed"]
    if failed:
        errors = "\n".join(f"  {one.error}" for one in failed)
        raise TrackingError(f"{len(failed)} of {len(found)} runs could not be sent; their records are kept:\n{errors}")


def _given(places: list[Path] | None) -> list[Path]:
    return places or ([RUNS] if RUNS.is_dir() else [])


def _print(found: list["Waiting"], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_row(one) for one in found], indent=1))
    elif found:
        rows = [[str(one.record), one.state, one.name or "", _started(one), one.store or ""] for one in found]
        print_table([["record", "state", "run", "started", "store"], *rows])
    else:
        typer.echo("no run waits to be sent")


def _row(one: "Waiting") -> dict[str, Any]:
    return asdict(one) | {"record": str(one.record)}


def _started(one: "Waiting") -> str:
    return "" if one.start_ms is None else f"{datetime.fromtimestamp(one.start_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
