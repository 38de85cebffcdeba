"""claimsieve article"""

import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from claimsieve.cli import app
from claimsieve.cli.against import (
    AGAINST,
    AGAINST_MAP,
    ENCODER,
    INDEX,
    SIMILAR,
    SUGGEST,
    Against,
    best_match,
    earlier_checks,
    looked_up,
    tally_lines,
)
from claimsieve.cli.console import counted, print_table, row_counter, say, spinner
from claimsieve.cli.options import MEDIA_INDEX, MEDIA_LEEWAY, MEDIA_ROOT
from claimsieve.cli.pictures import Illustrations, illustrations, media_options, pictured, thumbnails
from claimsieve.errors import ConfigError, DataError
from claimsieve.file_names import written_name

if TYPE_CHECKING:
    from claimsieve.data.rows import Reject
    from claimsieve.intake.desk import Intake
    from claimsieve.matching.tally import Tally

_MOST_LISTED = 20


@app.command(epilog="Example: claimsieve article story.html -o story --model runs/mine --evidence reports.jsonl")
def article(
    context: typer.Context,
    articles: list[str] = typer.Argument(
        metavar="FILE...", help="Articles: .txt, .md, .html, '-' for standard input, or http(s) addresses."
    ),
    output: Path = typer.Option(..., "-o", "--output", metavar="DIR", help="The folder to write into."),
    model: str | None = typer.Option(
        None,
        "--model",
        metavar="MODEL",
        help="Label the claims with it: a directory, models:/NAME@champion or runs:/ID/model.",
    ),
    evidence: list[str] = typer.Option(
        [], "--evidence", metavar="FILE", help="More evidence: an article, or .jsonl of text, source, date, url."
    ),
    as_of: str | None = typer.Option(
        None, "--as-of", metavar="DATE", help="Use no evidence and no check dated later: YYYY, YYYY-MM or YYYY-MM-DD."
    ),
    dated_only: bool = typer.Option(False, "--dated-only", help="Use no evidence without a date."),
    evidence_passages: int = typer.Option(5, "--evidence-passages", min=0, max=50, help="At most so many for a claim."),
    similarity: bool = typer.Option(True, help="Search evidence by meaning too, and not by words alone."),
    against: list[str] = typer.Option([], "--against", metavar="FILE", help=AGAINST),
    against_mapping: list[str] = typer.Option([], "--against-map", metavar="FIELD=COLUMN", help=AGAINST_MAP),
    against_index: Path | None = typer.Option(None, "--against-index", metavar="FOLDER", help=INDEX),
    against_encoder: str = typer.Option("default", "--against-encoder", metavar="MODEL", help=ENCODER),
    against_similar: float | None = typer.Option(None, "--against-similar", metavar="COSINE", help=SIMILAR),
    against_suggest: float | None = typer.Option(None, "--against-suggest", metavar="COSINE", help=SUGGEST),
    media_index: Path | None = MEDIA_INDEX,
    media_root: Path | None = MEDIA_ROOT,
    media_leeway_days: int = MEDIA_LEEWAY,
    allow_private: bool = typer.Option(False, "--allow-private", help="Fetch addresses in private networks too."),
    as_json: bool = typer.Option(False, "--json", help="Print a summary as JSON."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr, and print no table."),
) -> None:
    """Find the claims of news articles, who says each, and what speaks to it; with --model, label them.

    Writes article.json, claims.jsonl and, with --model, labelled.jsonl and page.html. English only: of an article in
    another language every sentence is a statement of its own. An article that cannot be read is told and left out, and
    the exit code is 3.

    With --against, each claim is looked up among checked ones; what dated checks of the same claim found is evidence.
    With --media-index, the pictures of captions and posts are looked up; since when one has been known is evidence.
    Pictures at addresses are not fetched.
    """
    from claimsieve.intake.desk import (
        LABELLED,
        OUTPUTS,
        PAGE,
        check_directory,
        remove_earlier,
        take_in,
        write_intake,
    )
    from claimsieve.intake.evidence import Limits
    from claimsieve.intake.evidence_files import read_evidence

    articles = _each_once(articles, evidence)
    check_directory(output, inputs=[*articles, *evidence])
    directory = None if model is None else _opened(model, context)
    limits = Limits(passages=evidence_passages, as_of=_date(as_of), dated_only=dated_only)
    typed = Against(against, against_mapping, against_index, against_encoder, against_similar, against_suggest)
    own = [output / name for name in OUTPUTS]
    given = illustrations(output, limits, index=media_index, root=media_root, leeway_days=media_leeway_days)
    with spinner("reading", quiet=quiet) as advance:
        passages = read_evidence(evidence, allow_private=allow_private, advance=advance)
    earlier = earlier_checks(typed, as_of=limits.as_of, written=own)
    with spinner("reading", quiet=quiet) as advance:
        intake = take_in(
            articles,
            evidence=passages.passages,
            limits=limits,
            similarity=similarity,
            allow_private=allow_private,
            album=given.album,
            advance=advance,
        )
    if not intake.articles and len(intake.rejects) == 1:
        raise DataError(intake.rejects[0][1])
    for name, reason in intake.rejects:
        say(reason if reason.startswith(name) else f"{name}: {reason}", quiet=quiet and not as_json)
    if not intake.articles:
        raise DataError("none of the articles could be read.")
    for warning in intake.warnings:
        say(warning, quiet=quiet)
    intake, tally = looked_up(intake, earlier, output, most_passages=evidence_passages, quiet=quiet)
    # Behind the checks, which count among the passages of a claim; what pictures tell comes beside them.
    intake, seen = pictured(intake, given, quiet=quiet or as_json)
    if stale := remove_earlier(output):
        say(f"{output}: removed {' and '.join(stale)} of an earlier run", quiet=quiet or model is not None)
    written = write_intake(intake, output)
    _tell_rejects(passages.rejects, output, quiet=quiet)
    rows: Sequence[Mapping[str, Any]] = intake.rows
    if model is not None and directory is not None:
        rows = _labelled(intake, directory, output, given, model=model, quiet=quiet)
        written += [output / LABELLED, output / PAGE]
    more = {**seen, "evidence_rejected": len(passages.rejects)}
    _tell(intake, rows, written, model, given=given, tally=tally, more=more, as_json=as_json, quiet=quiet)
    if intake.rejects or passages.rejects or (tally is not None and tally.checked_rejected):
        raise typer.Exit(3)


def _each_once(articles: Sequence[str], evidence: Sequence[str]) -> list[str]:
    """The articles without those that are named again. Raises ConfigError for two of them on standard input."""
    if [*articles, *evidence].count("-") > 1:
        raise ConfigError("-: expected one article on standard input, found it named twice.")
    known: dict[str, str] = {}
    for name in articles:
        known.setdefault(name if "://" in name or name == "-" else os.path.realpath(name), name)
    return list(known.values())


def _date(text: str | None) -> str | None:
    from claimsieve.records import RecordError, claim_from_row

    try:
        return claim_from_row({"claim": "-", "date": text}).date
    except RecordError:
        if re.fullmatch(r"\d{4}(-\d{2}){0,2}", text or ""):
            raise ConfigError(f"--as-of {text}: expected a date of the calendar, but there is no such day.") from None
        raise ConfigError(f"--as-of {text}: expected a date as YYYY, YYYY-MM or YYYY-MM-DD.") from None


def _opened(model: str, context: typer.Context) -> Path:
    """Its directory, there until the command ends.

    Raises ClaimsieveError for one that cannot be used, before what an earlier one has labelled is taken away.
    """
    from claimsieve.cli.options import opened_model
    from claimsieve.models.artifacts import read_manifest, verify

    directory = context.with_resource(opened_model(model))
    verify(directory, read_manifest(directory))
    return directory


def _labelled(
    intake: "Intake", directory: Path, output: Path, given: Illustrations, *, model: str, quiet: bool
) -> list[dict[str, Any]]:
    from claimsieve.articles import label_intake, write_article_page

    with row_counter(quiet=quiet) as advance:
        rows = label_intake(directory, output, pictures=given.pictures, advance=advance)
    write_article_page(intake, rows, output, model=model, thumbnails=thumbnails(rows, output, given))
    return rows


def _tell(
    intake: "Intake",
    rows: Sequence[Mapping[str, Any]],
    written: Sequence[Path],
    model: str | None,
    *,
    given: Illustrations,
    tally: "Tally | None",
    more: Mapping[str, Any],
    as_json: bool,
    quiet: bool,
) -> None:
    from claimsieve.intake.desk import CLAIMS, PAGE, summary

    if as_json:
        before = {} if tally is None else {"checked_before": asdict(tally)}
        typer.echo(
            json.dumps(summary(intake) | before | dict(more) | {"written": [written_name(path) for path in written]})
        )
    elif rows and not quiet:
        print_table(_table(rows))
    found = f"{counted(len(rows), 'claim')} in {counted(len(intake.articles), 'article')}"
    say(f"\n{found} → {written[0].parent}", quiet=quiet or as_json)
    for line in [] if tally is None else tally_lines(tally):
        say(line, quiet=quiet or as_json)
    if model is None and rows:
        say(f"next: {_predicting(written[0].parent / CLAIMS, given)}", quiet=quiet or as_json)
    elif written[-1].name == PAGE:
        say(f"next: open {shlex.quote(str(written[-1]))} in a browser", quiet=quiet or as_json)


def _predicting(claims: Path, given: Illustrations) -> str:
    """The command that labels the claims, with their pictures where they were looked up."""
    return shlex.join(["claimsieve", "predict", "MODEL", str(claims), "-o", "labelled.jsonl", *media_options(given)])


def _tell_rejects(rejects: "Sequence[Reject]", output: Path, *, quiet: bool) -> None:
    """Rows of evidence that could not be read go beside the claims; an old list of them goes."""
    from claimsieve.inference.outputs import write_rejects

    where = write_rejects(str(output / "evidence"), rejects)
    for one in rejects[:_MOST_LISTED]:
        say(f"{one.file}, line {one.place}: {one.reason}", quiet=quiet)
    if rejects:
        say(f"{counted(len(rejects), 'row')} of evidence rejected → {where}", quiet=quiet)


def _table(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    labelled = any("label" in row for row in rows)
    with_matches = any("matches" in row for row in rows)
    before = ["checked before"] if with_matches else []
    table = [[*(["label"] if labelled else []), "context", "evidence", *before, "who says it", "claim"]]
    for row in rows:
        label = [("? " if row.get("abstained") else "") + str(row["label"])] if labelled else []
        who = _short(str(row.get("source") or "the article"), 32)
        evidence = str(len(row.get("evidence") or ()))
        before = [_short(best_match(row), 32)] if with_matches else []
        table.append([*label, str(row["context"]), evidence, *before, who, _short(str(row["claim"]), 90)])
    return table


def _short(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1]}…"
