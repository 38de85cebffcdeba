"""claimsieve bench"""

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from claimsieve.cli import app
from claimsieve.cli.console import say
from claimsieve.errors import ConfigError, DataError

if TYPE_CHECKING:
    from claimsieve.records import Claim

_TRAINED = ("starter-tfidf", "starter-static", "starter-encoder")


@app.command(epilog="Example: claimsieve bench runs/mine --claims claims.jsonl -o bench.md")
def bench(
    models: list[str] = typer.Argument(None, help="Model directories; without one, three are trained first."),
    claims: str = typer.Option("recipe:starter", help="A claims file or recipe:NAME whose rows are labelled."),
    rows: int = typer.Option(2_000, min=1, help="How many of its rows; fewer are repeated with a number behind them."),
    repeats: int = typer.Option(5, min=1, help="How often each side is measured, in turns."),
    scaling: str = typer.Option("", metavar="N,N,…", help="Also files of so many rows, time and memory of each."),
    output: Path | None = typer.Option(None, "-o", "--output", help="Write the table here, and JSON beside it."),
    skip_rivals: bool = typer.Option(False, help="Only claimsieve's own numbers."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON in place of the table."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Measure inference: rows per second, against other ways with the same weights, memory, cold start.

    An encoder is compared with transformers.pipeline at several batch sizes, and where they are installed
    (pip install claimsieve[bench]) with sentence-transformers' CrossEncoder and ONNX Runtime in int8. Ratios hold
    within one run, on a machine that does nothing else.
    """
    sizes = [int(part) if part.isdecimal() else 0 for part in scaling.split(",") if part]
    if not all(sizes):
        raise ConfigError(f"--scaling {scaling}: expected numbers of rows, such as 1000,10000.")
    if output is not None and (output.suffix == ".json" or output.is_dir()):
        raise ConfigError(
            f"--output {output}: expected a file for the table, such as bench.md; JSON is written beside it."
        )

    from claimsieve.benchmarks.inference import against_rivals, of_kind
    from claimsieve.benchmarks.inference import scaling as growing
    from claimsieve.benchmarks.measures import machine
    from claimsieve.benchmarks.table import markdown
    from claimsieve.models.artifacts import check_outside, read_manifest
    from claimsieve.whole_files import write_file

    if output is not None:
        check_outside(output)

    def tell(text: str) -> None:
        say(text, quiet=quiet)

    found = _claims(claims, rows)
    results: dict[str, object] = {"machine": machine(), "repeats": repeats, "claims": claims}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        directories = {model: Path(model) for model in models or ()} or _trained(folder, tell)
        encoders, kinds, grown = {}, [], {}
        for name, directory in directories.items():
            kind = read_manifest(directory).kind
            tell(f"{name}: {kind}")
            measured = of_kind(directory, found, repeats=repeats, folder=folder, say=tell)
            kinds.append(measured | {"model": name, "data": claims})
            if kind == "encoder" and not skip_rivals:
                compared = against_rivals(directory, found, repeats=repeats, folder=folder, say=tell)
                encoders[f"{name}, {claims}"] = compared
            if sizes:
                grown[f"{name} ({kind})"] = growing(directory, found, sizes, folder=folder, say=tell)
        results |= {"kinds": kinds, "encoder": encoders, "scaling": grown}
    table = markdown(results)
    if output is not None:
        write_file(output, table.encode())
        write_file(output.with_suffix(".json"), (json.dumps(results, indent=1) + "\n").encode())
        tell(f"wrote {output} and {output.with_suffix('.json')}")
    print(json.dumps(results) if as_json else table, end="\n" if as_json else "")


def _claims(source: str, rows: int) -> "Sequence[Claim]":
    """So many different claims of a source: its own, then its own with a number behind them."""
    from dataclasses import replace
    from itertools import islice

    from claimsieve.inference.windows import Item, ItemReader, windows

    reader = ItemReader(source, {}, ("claim", "evidence"))
    items = (reader(row) for window in windows(source) for row in window.rows)
    found = [item.claim for item in islice((item for item in items if isinstance(item, Item)), rows)]
    if not found:
        raise DataError(f"{source}: expected claims to label, found none.")
    again = (found[number % len(found)] for number in range(len(found), rows))
    return [*found, *(replace(claim, claim=f"{claim.claim} {number}") for number, claim in enumerate(again))]


def _trained(folder: Path, tell: Callable[[str], None]) -> dict[str, Path]:
    from claimsieve import config
    from claimsieve.runner import run_experiment

    for name in _TRAINED:
        tell(f"training {name}")
        run_experiment(config.load(name, ["tracking.enabled=false"]), folder / name)
    return {name: folder / name for name in _TRAINED}
