"""claimsieve media index | check"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from claimsieve.cli import app
from claimsieve.cli.console import counted, plain, row_counter, say
from claimsieve.errors import ConfigError, DataError
from claimsieve.file_names import written_name

if TYPE_CHECKING:
    from claimsieve.media.building import Built

group = typer.Typer(
    help="Known pictures, and whether a picture has been seen before.",
    epilog="Example: claimsieve media check photo.jpg --index archive --claimed-date 2020-01-08",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(group, name="media")

JSON = typer.Option(False, "--json", help="Print as JSON.")
QUIET = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr.")
_MOST_LISTED = 20
_MOST_NAMED = 5


@group.command(epilog="Example: claimsieve media index photos/ -o archive --about photos.csv")
def index(
    pictures: list[str] = typer.Argument(help="Pictures, and folders of pictures."),
    output: Path = typer.Option(..., "-o", "--output", metavar="INDEX", help="The folder of the index."),
    about: str | None = typer.Option(
        None,
        metavar="FILE",
        help="What is known of them: .csv, .tsv, .jsonl or .parquet with file, and any of date, place, page, title. "
        "Else NAME.json beside each picture, else the camera's date and position.",
    ),
    extend: bool = typer.Option(False, "--extend", help="Add to the index that is there."),
    negatives: bool = typer.Option(
        False, "--negatives", help="These pictures (flags, logos, stock) never count as a match."
    ),
    threshold: int | None = typer.Option(
        None, "--threshold", help="Differing bits of 256 up to which pictures match. A new index has 31."
    ),
    as_json: bool = JSON,
    quiet: bool = QUIET,
) -> None:
    """Fingerprint known pictures, with the date, place and page that each is known from.

    Later, `media check` and `predict --media-index` find them again, also resized, compressed or mirrored. A picture
    that cannot be read is told and left out; the exit code is 3 then.
    """
    from claimsieve.media.building import build_index, check_target, picture_files
    from claimsieve.media.facts import read_about

    check_target(output, extend=extend)
    files = picture_files(pictures)
    _tell_passed_over(pictures, quiet=quiet)
    known = None if about is None else read_about(about)
    with row_counter(quiet=quiet) as advance:
        built = build_index(
            files, output, about=known, negatives=negatives, extend=extend, threshold=threshold, advance=advance
        )
    if as_json:
        typer.echo(json.dumps(_built_row(built, output), ensure_ascii=False))
    _tell_built(built, output, about, quiet=quiet)
    if built.unread:
        raise typer.Exit(3)


@group.command(epilog="Example: claimsieve media check photo.jpg --index archive --claimed-date 2020-01-08 --json")
def check(
    pictures: list[str] = typer.Argument(help="Pictures, and folders of pictures; '-' is one picture on stdin."),
    index_: Path = typer.Option(..., "--index", metavar="INDEX", help="An index of `claimsieve media index`."),
    claimed_date: str | None = typer.Option(
        None, "--claimed-date", metavar="DATE", help="When the pictures are said to be from: YYYY, YYYY-MM, YYYY-MM-DD."
    ),
    leeway_days: int = typer.Option(
        0,
        "--leeway",
        metavar="DAYS",
        min=0,
        help="How many days before that date a picture may be known and be no older.",
    ),
    threshold: int | None = typer.Option(
        None, "--threshold", help="Differing bits of 256 up to which pictures match, in place of the index's own."
    ),
    output: str = typer.Option("-", "-o", "--output", help="Where to write JSON Lines; '-' is standard output."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON Lines, one object a picture."),
    quiet: bool = QUIET,
) -> None:
    """Look for earlier appearances of pictures.

    A known picture dated before --claimed-date makes it 'recycled'; one of the same date or later does not. No hit
    means that the index does not have it, and not that it is new. A match says that two pictures look alike, and
    nothing of what they show. Exit code 3: some pictures could not be read.
    """
    from claimsieve.inference.outputs import output as open_output
    from claimsieve.media.building import picture_files
    from claimsieve.media.checking import check_pictures
    from claimsieve.media.dates import is_date
    from claimsieve.media.index import load_index

    if claimed_date is not None and not is_date(claimed_date):
        raise ConfigError(f"--claimed-date {claimed_date}: expected YYYY, YYYY-MM or YYYY-MM-DD.")
    if output != "-" and not output.endswith((".jsonl", ".ndjson")):
        raise ConfigError(f"-o {output}: expected a file that ends in .jsonl.")
    standard_input = pictures == ["-"]
    files = [] if standard_input else picture_files(pictures)
    _check_output(output, files)
    _tell_passed_over(pictures, quiet=quiet or as_json)
    loaded = load_index(index_, threshold=threshold)
    with _standard_input(standard_input) as piped, row_counter(quiet=quiet) as advance:
        found = check_pictures(loaded, piped or files, claimed=claimed_date, leeway_days=leeway_days, advance=advance)
        rows = [_renamed(row, "-") for row in found] if standard_input else found
    with open_output(output) as stream:
        for row in rows:
            if output == "-" and not as_json:
                _tell_row(row)
            else:
                stream.write(f"{json.dumps(row, ensure_ascii=False)}\n".encode())
    if output != "-":
        say(f"wrote {counted(len(rows), 'row')} → {output}", quiet=quiet)
    _tell_checked(rows, claimed_date, quiet=quiet or as_json)
    if any(map(_is_unreadable, rows)):
        raise typer.Exit(3)


def _check_output(target: str, pictures: Sequence[Path]) -> None:
    """Raises DataError unless the target can be written and is none of the pictures."""
    from claimsieve.inference.sources import check_places

    check_places("-", target)
    if target != "-" and Path(target).resolve() in {path.resolve() for path in pictures}:
        raise DataError(f"{target}: expected another file for the output than the input.")


@contextmanager
def _standard_input(wanted: bool) -> Iterator[list[Path]]:
    """Standard input as a file, if it is wanted."""
    import tempfile

    from claimsieve.media.decoding import MAX_FILE_BYTES

    if not wanted:
        yield []
        return
    if sys.stdin is None:
        raise DataError("expected a picture on standard input, found it closed.")
    with tempfile.NamedTemporaryFile() as file:
        file.write(sys.stdin.buffer.read(MAX_FILE_BYTES + 1))
        file.flush()
        yield [Path(file.name)]


def _renamed(row: dict[str, Any], name: str) -> dict[str, Any]:
    return row | {"picture": name, "hits": [hit | {"picture": name} for hit in row["hits"]]}


def _built_row(built: "Built", folder: Path) -> dict[str, Any]:
    return {
        "index": written_name(folder),
        "pictures": built.pictures,
        "negatives": built.negatives,
        "added": built.added,
        "repeated": built.repeated,
        "undated": len(built.undated),
        "undated_files": list(built.undated),
        "low_quality": list(built.low_quality),
        "unread": [{"file": one.file, "reason": one.reason} for one in built.unread],
        "unused": len(built.unused),
        "unused_files": list(built.unused),
    }


def _tell_built(built: "Built", folder: Path, about: str | None, *, quiet: bool) -> None:
    for one in built.unread[:_MOST_LISTED]:
        say(f"{one.file}: {one.reason}", quiet=quiet)
    lines = [
        (len(built.unread) - _MOST_LISTED, "more that could not be read (--json lists them)"),
        (len(built.unread), "that could not be read, and not in the index"),
        (built.repeated, "there already, known from the same place"),
        (len(built.low_quality), "of low quality: too plain to be told from others, they never match"),
        (
            len(built.undated),
            f"without a date ({_first(built.undated)}): a match with them cannot show that a picture is older",
        ),
        (len(built.unused), f"in {about} that were not given: {_first(built.unused)}"),
    ]
    for count, words in lines:
        if count > 0:
            say(f"{count:,} {words}", quiet=quiet)
    negatives = f" and {counted(built.negatives, 'negative')}" if built.negatives else ""
    say(f"{built.added:,} added: {folder} knows {counted(built.pictures, 'picture')}{negatives}", quiet=quiet)
    say(f"next: claimsieve media check PICTURE --index {folder} --claimed-date DATE", quiet=quiet)


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"


def _tell_passed_over(sources: Sequence[str], *, quiet: bool) -> None:
    from claimsieve.media.building import passed_over

    if found := passed_over(sources):
        say(f"{counted(len(found), 'file')} of other kinds than can be read passed over: {_first(found)}", quiet=quiet)


def _tell_row(row: Mapping[str, Any]) -> None:
    unmatched, hits = row["unmatched"], row["hits"]
    if unmatched is not None:
        words = f"{unmatched['reason']}: {unmatched['words']}"
    elif not hits:
        words = f"not in the index (quality {row['quality']})"
    else:
        words = row["evidence"]["text"]
        where = f" {row['evidence']['url']}" if row["evidence"].get("url") else ""
        words = f"{'recycled. ' if row['manipulation'] else ''}{words}{where}"
    more = f" ({row['matches']:,} known pictures match)" if row["matches"] > 1 else ""
    typer.echo(plain(f"{row['picture']}: {words}{more}"))


def _is_unreadable(row: Mapping[str, Any]) -> bool:
    return row["unmatched"] is not None and row["unmatched"]["reason"] == "picture_unreadable"


def _tell_checked(rows: Sequence[Mapping[str, Any]], claimed: str | None, *, quiet: bool) -> None:
    unreadable = sum(map(_is_unreadable, rows))
    counts = {
        "looked up": len(rows) - unreadable,
        "with a match": sum(bool(row["hits"]) for row in rows),
        "recycled": sum(bool(row["manipulation"]) for row in rows),
        "without an answer": sum(row["unmatched"] is not None for row in rows) - unreadable,
        **({"that could not be read": unreadable} if unreadable else {}),
    }
    told = {words: f"{count:,} {words}" for words, count in counts.items()}
    if claimed is None:
        told["recycled"] = "recycled was not judged: no --claimed-date"
    say(", ".join(told.values()), quiet=quiet)
