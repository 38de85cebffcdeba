"""claimsieve match"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from claimsieve.cli import app
from claimsieve.cli.against import AGAINST, AGAINST_MAP, ENCODER, INDEX, SIMILAR, SUGGEST, tally_lines
from claimsieve.cli.console import row_counter, say
from claimsieve.errors import ConfigError

if TYPE_CHECKING:
    from claimsieve.matching.match import Job
    from claimsieve.matching.tally import Tally


@app.command(epilog="Example: claimsieve match claims.jsonl --against checks.csv -o matched.jsonl")
def match(
    claims: str = typer.Argument(
        help="Claims: .jsonl, .csv, .tsv (each also .gz, .zst), .parquet; a directory or a quoted pattern of such "
        "files; '-' for JSON Lines on stdin; or recipe:NAME."
    ),
    against: list[str] = typer.Option(help=AGAINST),
    output: str = typer.Option(
        "-", "-o", "--output", help="Where to write, as .jsonl (also .gz, .zst); '-' is stdout."
    ),
    mapping: list[str] = typer.Option(
        [], "--map", metavar="FIELD=COLUMN", help="Which column is the claim, the date …"
    ),
    against_mapping: list[str] = typer.Option([], "--against-map", metavar="FIELD=COLUMN", help=AGAINST_MAP),
    top: int = typer.Option(3, min=1, max=16, help="Matches of a claim, at most."),
    evidence: bool = typer.Option(
        False, "--evidence", help="Add what earlier checks found to the evidence, never one dated after the claim."
    ),
    as_of: str | None = typer.Option(
        None, "--as-of", metavar="DATE", help="Leave out checks that were not surely there on this day: YYYY-MM-DD."
    ),
    index: str | None = typer.Option(None, metavar="FOLDER", help=INDEX),
    model: str = typer.Option("default", help=ENCODER),
    similar: float | None = typer.Option(None, help=SIMILAR),
    suggest: float | None = typer.Option(None, help=SUGGEST),
    precision: str = typer.Option("auto", help="auto, float32 or bfloat16."),
    device: str = typer.Option("auto", help="auto, cpu or cuda."),
    as_json: bool = typer.Option(False, "--json", help="Print the tally as JSON (on stderr when the output is '-')."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Find claims that were checked before: each row with matches beside its own columns, the best first.

    A match is a duplicate (the same words), similar (the same claim in other words) or only suggested: less alike, too
    short to tell, or different in a number, a negation, a name, a date or a word, which why names. Only a person can
    say that two claims are one; look at suggested ones before using their verdict.
    """
    from claimsieve.cli.options import choice, field_map
    from claimsieve.matching.match import Job

    choice("--precision", precision, ("auto", "float32", "bfloat16"))
    choice("--device", device, ("auto", "cpu", "cuda"))
    job = Job(
        claims,
        against,
        output,
        mapping=field_map(mapping),
        against_mapping=field_map(against_mapping, option="--against-map"),
        top=top,
        evidence=evidence,
        as_of=as_of,
    )
    place = None if index is None else Path(index)
    _check(job, place)

    from claimsieve.matching.encoder import open_encoder
    from claimsieve.matching.match import match_file
    from claimsieve.matching.thresholds import thresholds_of

    encoder = open_encoder(model, precision=precision, device=device)
    by = thresholds_of(encoder.fingerprint, similar=similar, suggested=suggest)
    with row_counter(quiet=quiet) as advance:
        tally = match_file(
            job,
            encoder,
            by=by,
            index=place,
            told=lambda line: say(line, quiet=quiet),
            advance=advance,
        )
    if as_json:
        typer.echo(json.dumps(asdict(tally)), err=output == "-")
    _tell(tally, "stdout" if output == "-" else output, quiet=quiet or as_json)
    if tally.rejected or tally.checked_rejected:
        raise typer.Exit(3)


def _check(job: "Job", index: Path | None) -> None:
    """Fail before the encoder is opened. Raises ConfigError or DataError."""
    from claimsieve.inference.formats import kind_and_packing
    from claimsieve.inference.sources import check_columns, check_paths
    from claimsieve.matching.checked import check_against
    from claimsieve.matching.index import check_place
    from claimsieve.records import is_day
    from claimsieve.whole_files import check_folder

    if job.as_of is not None and not is_day(job.as_of):
        raise ConfigError(f"--as-of: expected a day as YYYY-MM-DD, found '{job.as_of}'.")
    if kind_and_packing(job.target)[0] != "jsonl":
        raise ConfigError(
            f"{job.target}: expected an output that ends in .jsonl, as matches are lists. Use -o FILE.jsonl."
        )
    check_paths(job.source, job.target)
    check_columns(job.source, job.mapping)
    check_against(job.against, job.against_mapping, job.target)
    if job.target != "-":
        check_folder(Path(job.target).parent)
    if index is not None:
        check_place(index)


def _tell(tally: "Tally", where: str, *, quiet: bool) -> None:
    say(f"{tally.written:,} of {tally.read:,} claims looked up among {tally.checked:,} → {where}", quiet=quiet)
    for line in tally_lines(tally):
        say(line, quiet=quiet)
