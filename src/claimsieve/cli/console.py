"""Progress and tables for people: on stderr when it is a terminal, silent with -q, never in the way of the output."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from claimsieve.file_names import written_name
from claimsieve.pages import INVISIBLE

if TYPE_CHECKING:
    from claimsieve.models.step import Step


def plain(text: str) -> str:
    """One line without what steers a terminal, turns text around or cannot be written.

    Corpora, events, runs and files may be called anything.
    """
    return written_name(INVISIBLE.sub("", " ".join(text.splitlines())))


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 row, 2,000 rows. many: where it is not `one` with an s."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def say(text: str, *, quiet: bool = False) -> None:
    """A line on stderr, or several."""
    if not quiet and sys.stderr is not None:  # without it print would write to standard output
        print("\n".join(plain(line) for line in text.split("\n")), file=sys.stderr, flush=True)


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Rows under a header, columns aligned: text to the left, numbers to the right."""
    rows = [[plain(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    numbers = [
        all(not row[column] or row[column][0] in "0123456789-–" for row in rows[1:]) for column in range(len(widths))
    ]
    for number, row in enumerate(rows):
        cells = [
            cell.rjust(width) if column and right else cell.ljust(width)
            for column, (cell, width, right) in enumerate(zip(row, widths, numbers, strict=True))
        ]
        typer.echo("  ".join(cells).rstrip())
        if number == 0:
            typer.echo("  ".join("-" * width for width in widths))


@contextmanager
def spinner(doing: str, *, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A line that says what is being done, and of what, to a person at a terminal."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda name: None
        return
    with console.status(doing) as status:
        yield lambda name: status.update(escape(f"{doing} {plain(name)!r}"))


@contextmanager
def row_counter(*, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A progress line that counts rows. The rate is that since the first count, which has an earlier run's rows."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} rows"), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=quiet or not console.is_terminal) as bar:
        task, start = bar.add_task("", total=None, rate=""), (0.0, 0.0)

        def advance(rows: int) -> None:
            nonlocal start
            bar.advance(task, rows)
            done, seconds = bar.tasks[0].completed, bar.get_time()
            if start[1] == 0:
                start = (done, seconds)
            elif done > start[0] and seconds > start[1]:
                bar.update(task, rate=f"{(done - start[0]) / (seconds - start[1]):,.0f} rows/s")

        yield advance


@contextmanager
def step_bar(*, quiet: bool) -> Iterator[Callable[["Step"], None]]:
    """A progress bar over training steps, with loss, tokens/s and time left; one bar per training."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("step {task.completed:.0f}/{task.total:.0f}"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        task, origin, valid = None, (0, 0.0), ""

        def show(step: "Step") -> None:
            nonlocal task, origin, valid
            if task is None or step.number == 1:
                task = bar.add_task("", total=step.total, completed=step.number - 1)
                origin, valid = (step.tokens, bar.get_time()), ""
            if step.valid:
                valid = f" · valid macro-F1 {step.valid['macro_f1']:.3f}"
            seconds = bar.get_time() - origin[1]
            rate = f" · {(step.tokens - origin[0]) / seconds:,.0f} tokens/s" if seconds > 0 and step.number > 1 else ""
            bar.update(task, completed=step.number, description=f"loss {step.loss:.3f}{rate}{valid}")
            if not bar.disable or quiet or not step.valid:
                return
            # Without a terminal a line per evaluation is enough for a log.
            print(f"step {step.number}/{step.total} · loss {step.loss:.3f}{rate}{valid}", file=sys.stderr, flush=True)

        yield show
