"""claimsieve predict"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from claimsieve.cli import app
from claimsieve.cli.console import counted, row_counter, say
from claimsieve.cli.options import MEDIA_INDEX, MEDIA_LEEWAY, MEDIA_ROOT, check_media
from claimsieve.errors import ConfigError

if TYPE_CHECKING:
    from claimsieve.inference.predict import Tally


@app.command(epilog="Example: claimsieve predict runs/mine claims.csv --map claim=text -o labelled.csv")
def predict(
    model: str = typer.Argument(help="A model directory, models:/NAME@champion or runs:/ID/model."),
    claims: str = typer.Argument(
        help="Claims: .jsonl, .csv, .tsv (each also .gz, .zst), .parquet; a directory or a quoted pattern of such "
        "files; '-' for JSON Lines on stdin; or recipe:NAME."
    ),
    output: str = typer.Option("-", "-o", "--output", help="Where to write, by suffix; '-' is JSON Lines on stdout."),
    mapping: list[str] = typer.Option(
        [], "--map", metavar="FIELD=COLUMN", help="Which column is the claim, the evidence …"
    ),
    prevalence_: str | None = typer.Option(
        None, "--prevalence", metavar="MIX", help="Your own mix, such as verified=.9,unverified=.08,propaganda=.02."
    ),
    explain: bool = typer.Option(False, "--explain", help="Add which words and passages each label goes by."),
    report: str | None = typer.Option(
        None, "--report", metavar="PAGE.html", help="Also write a page to read, of the first 2,000 labelled claims."
    ),
    media_index: Path | None = MEDIA_INDEX,
    media_root: Path | None = MEDIA_ROOT,
    media_leeway_days: int = MEDIA_LEEWAY,
    max_rejects_: str | None = typer.Option(
        None, "--max-rejects", metavar="N|P%", help="Stop when more rows than this cannot be read."
    ),
    csv_safe: bool = typer.Option(
        True, help="In CSV and TSV, begin cells that a spreadsheet would run as formulas with an apostrophe."
    ),
    restart: bool = typer.Option(False, "--restart", help="Begin anew, where an earlier run was interrupted."),
    selfcheck: bool = typer.Option(
        False, "--selfcheck", help="First compare some of these rows with the plain library, and stop if they differ."
    ),
    precision: str = typer.Option("auto", help="auto, float32 or bfloat16 (not for tfidf and static)."),
    batch_tokens: int | None = typer.Option(
        None, min=1, help="Tokens of a batch (not for tfidf and static); measured once on a machine if not given."
    ),
    device: str = typer.Option("auto", help="auto, cpu or cuda."),
    engine: str = typer.Option("local", help="local, or ray for more than one machine (docs/scale.md)."),
    address: str | None = typer.Option(
        None, metavar="ADDR", help="Of the Ray cluster: HOST:PORT, ray://HOST:PORT or auto."
    ),
    workers: int | None = typer.Option(
        None, min=1, help="Copies of the model in the Ray cluster; else as many as use all of it."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the tally as JSON (on stderr when the output is '-')."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
) -> None:
    """Label claims: each row with label, p_verified, p_unverified and p_propaganda beside its own columns.

    prediction_set holds the labels that cannot be ruled out; where it is not one label, abstained is true, reasons says
    why, and a person should look. With --prevalence, p_<label>_at_prevalence turns the probabilities to that mix.
    A row that cannot be read goes to <output>.rejects.jsonl with its place and the reason; the rest is labelled, and
    the exit code is 3. With --report, a page shows what was labelled; --explain gives it the words that mattered.
    Interrupted, also by a power cut? The same command goes on and gives the same file.
    """
    from claimsieve.cli.options import choice, field_map, opened_model, prevalence, reject_limit
    from claimsieve.inference.predict import Job
    from claimsieve.inference.sources import check_columns, check_paths

    choice("--precision", precision, ("auto", "float32", "bfloat16"))
    choice("--device", device, ("auto", "cpu", "cuda"))
    choice("--engine", engine, ("local", "ray"))
    if selfcheck and (claims == "-" or engine == "ray"):
        raise ConfigError("--selfcheck: expected a file of claims and the local engine, found standard input or ray.")
    if media_index is not None and engine == "ray":
        raise ConfigError("--media-index: expected the local engine, found ray: the pictures lie on this machine.")
    check_media(media_index, media_root, media_leeway_days)
    if engine == "local" and (address is not None or workers is not None):
        raise ConfigError("--address, --workers: expected --engine ray with them, found the local engine.")
    job = Job(
        claims,
        output,
        mapping=field_map(mapping),
        prevalence=prevalence(prevalence_),
        explain=explain,
        csv_safe=csv_safe,
        max_rejects=reject_limit(max_rejects_),
        restart=restart,
    )
    check_paths(claims, output)
    check_columns(claims, job.mapping)
    if report is not None:
        _check_report(report, claims, output)
    if media_index is not None:
        from claimsieve.inference.pictures import opened_pictures

        opened = opened_pictures(media_index, claims, root=media_root, leeway_days=media_leeway_days)
        job = replace(job, pictures=opened)

    from claimsieve.evaluation.assessment import read_calibration

    with opened_model(model) as directory, row_counter(quiet=quiet) as advance:
        label: Callable[..., Tally]
        checked = None
        if engine == "ray":
            from claimsieve.inference.ray_engine import predict_on_ray

            label = partial(
                predict_on_ray,
                directory,
                address=address,
                workers=workers,
                precision=precision,
                device=device,
                batch_tokens=batch_tokens,
            )
        else:
            from claimsieve.inference.budget import settle_batch_tokens
            from claimsieve.inference.predict import predict_file
            from claimsieve.inference.selfcheck import selfchecked
            from claimsieve.models.artifacts import load_model

            loaded, manifest = load_model(directory, precision=precision, device=device)
            settle_batch_tokens(loaded, job, fingerprint=manifest.fingerprint, requested=batch_tokens)
            if selfcheck:
                checked = selfchecked(loaded, job)
                say(checked.described(), quiet=quiet)
            label = partial(predict_file, loaded, fingerprint=manifest.fingerprint)
        calibration = read_calibration(directory)
        if job.prevalence is not None and calibration is None:
            raise ConfigError(f"--prevalence: expected a model with a calibration split, found none in {model}.")
        try:
            tally = label(job=job, calibration=calibration, advance=advance)
        except KeyboardInterrupt:
            kept = claims != "-" and Path(f"{output}.partial").is_dir()
            what = f"; what is done lies in {output}.partial, and the same command goes on" if kept else ""
            say(f"interrupted{what}", quiet=quiet)
            raise
    if as_json:
        extra = {} if checked is None else {"selfcheck": asdict(checked)}
        typer.echo(json.dumps(asdict(tally) | extra), err=output == "-")
    _tell(tally, "stdout" if output == "-" else output, quiet=quiet or as_json)
    if report is not None and tally.labelled:
        _write_report(report, claims, output, job.mapping, model)
        say(f"wrote {report}; next: open it in a browser", quiet=quiet or as_json)
    if tally.rejected:
        if not tally.labelled:
            say("no row could be read: is the claim in another field? --map claim=FIELD", quiet=quiet)
        raise typer.Exit(3)


def _check_report(report: str, claims: str, output: str) -> None:
    """Fail before the model is used. Raises ConfigError."""
    from claimsieve.models.artifacts import check_outside
    from claimsieve.pages import check_page

    if output == "-":
        raise ConfigError(
            "--report: expected a file of labelled claims to make the page of, found -o '-'. Use -o FILE."
        )
    if report == "-":
        raise ConfigError("--report: expected a file for the page, found '-'. Name one such as page.html.")
    if Path(report).is_dir():
        raise ConfigError(
            f"--report {report}: expected a file for the page, found a folder. Name one such as page.html."
        )
    check_outside(Path(report))
    check_page(report, sources=[*_given_files(claims), Path(output), Path(f"{output}.rejects.jsonl")])


def _write_report(report: str, claims: str, output: str, mapping: Mapping[str, str], model: str) -> None:
    from claimsieve.analysis.reading import read_labelled
    from claimsieve.analysis.writing import MAX_ROWS, write_analysis

    # Paths of pictures were written for the claims file, and may be meant from there.
    beside = list(dict.fromkeys(path.parent for path in _given_files(claims)))
    found = read_labelled(output, mapping=mapping, limit=MAX_ROWS)
    write_analysis(found, report, model=model, pictures=beside)


def _given_files(claims: str) -> list[Path]:
    from claimsieve.data.sources import files_of

    return [] if claims == "-" or claims.startswith("recipe:") else [Path(name) for name in files_of(claims)]


def _tell(tally: "Tally", where: str, *, quiet: bool) -> None:
    say(f"{tally.labelled:,} of {tally.read:,} rows labelled → {where}", quiet=quiet)
    without = "no evidence: the model was trained to read evidence, and without it a label means nothing"
    inputs = ("different input had", "different inputs had")
    rows = ("row has", "rows have")
    lines: list[tuple[int, tuple[str, str], str]] = [
        (tally.abstained, ("of them", "of them"), "left to a person (abstained); reasons says why"),
        (tally.without_evidence, ("row had", "rows had"), without),
        (tally.split, inputs, "evidence longer than the model's window; it was read in pieces"),
        (tally.cut, inputs, "a claim longer than the model's window; it was read without its end"),
        (tally.recycled, rows, "a picture that was known before the claim's date (recycled); pictures says which"),
        (tally.unmatched, rows, "a picture that could not be looked up; pictures_unmatched says why"),
        (
            tally.date_unreadable,
            rows,
            "a date that is no YYYY, YYYY-MM or YYYY-MM-DD (date_unreadable); it was not used",
        ),
        (tally.rejected, ("row", "rows"), f"rejected → {tally.rejects_file or 'stderr'}"),
    ]
    for count, nouns, words in lines:
        if count:
            say(f"{counted(count, *nouns)} {words}", quiet=quiet)
