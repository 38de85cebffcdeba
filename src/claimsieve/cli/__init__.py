"""The command line: one file a command; parse, call, print."""

import errno
import os
import sys
from typing import NoReturn

import typer

from claimsieve import __version__, processes
from claimsieve.errors import ClaimsieveError
from claimsieve.file_names import written_name

_DISK_REFUSES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

app = typer.Typer(
    name="claimsieve",
    help="Sort claims into verified, unverified and propaganda, given the evidence they came with.",
    epilog="Try it: claimsieve demo   ·   Exit codes: 0 done, 1 error, 2 wrong config or option, 3 done with rejected "
    "rows, 4 trained and saved but not logged, or no tracking store, 5 not promoted, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"claimsieve {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    processes.check_launch(context.invoked_subcommand)


def main() -> None:
    """Entry point. A user's error is one message on stderr; a programming mistake keeps its traceback."""
    # Threads that wait must sleep: spinning ones cost up to 7 x when another program uses one of our cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from claimsieve.cli import (  # noqa: F401  # they add themselves
        article,
        bench,
        card,
        cascade,
        compare,
        configs,
        data,
        demo,
        evaluate,
        export,
        match,
        media,
        predict,
        promote,
        recipe,
        report,
        sweep,
        track,
        train,
        ui,
    )

    try:
        app(prog_name="claimsieve")
    except SystemExit as end:
        if not end.code:
            processes.leave()
        raise
    except ClaimsieveError as error:
        who = "claimsieve" if processes.is_first() else f"claimsieve (process {processes.place()})"
        typer.echo(written_name(f"{who}: {error}"), err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing to say, and nowhere to say it.
        _give_up_output()
    except OSError as error:
        if error.errno not in _DISK_REFUSES or error.filename is not None:
            raise
        typer.echo(f"claimsieve: the output cannot be written: {error.strerror}.", err=True)
        _give_up_output()


def _give_up_output() -> NoReturn:
    """What waits to be written goes nowhere, else Python would try again, and fail, when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)
