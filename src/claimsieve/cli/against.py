"""Checked claims on the command line: what `match` and `article` say of them in the same words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimsieve.cli.console import counted, say
from claimsieve.errors import ConfigError

if TYPE_CHECKING:
    from claimsieve.intake.desk import Intake
    from claimsieve.matching.earlier import Earlier
    from claimsieve.matching.tally import Tally

AGAINST = (
    "Claims that were checked (.jsonl, .csv, .tsv, .parquet, a directory, a quoted pattern or recipe:NAME), with a "
    "verdict in label, stance or rating, and where there are, date, source and url; may be given many times."
)
AGAINST_MAP = "Which column of the checked claims is the claim, the date …; knows rating and url too."
INDEX = "Keep the vectors of the checked claims there, and use them next time."
ENCODER = "A sentence encoder: default, a local folder or a Hub id."
SIMILAR = "Least cosine of a similar claim, if not that of the table."
SUGGEST = "Least cosine of a suggested claim, if not that of the table."

_REJECTS = "against"  # in the article's folder, with .rejects.jsonl behind it


@dataclass(frozen=True, slots=True)
class Against:
    """The --against options of `article`, as they were typed."""

    sources: Sequence[str]
    mapping: Sequence[str]
    index: Path | None
    encoder: str
    similar: float | None
    suggest: float | None


def earlier_checks(given: Against, *, as_of: str | None, written: Sequence[Path]) -> "Earlier | None":
    """The checked claims, read, and their encoder, opened; None where none are asked for.

    as_of: YYYY, YYYY-MM or YYYY-MM-DD. written: what the command will write, which must not be among the sources.
    Raises ConfigError, DataError and ModelError, before anything is written.
    """
    if not given.sources:
        others = (given.mapping, given.index, given.similar, given.suggest, given.encoder != "default")
        if any(one not in ([], None, False) for one in others):
            raise ConfigError("--against-map and its like: expected --against with them, found none.")
        return None
    from claimsieve.cli.options import field_map
    from claimsieve.data.sources import files_of
    from claimsieve.matching.checked import check_against
    from claimsieve.matching.index import check_place
    from claimsieve.media.dates import days_of

    mapping = field_map(list(given.mapping), option="--against-map")
    check_against(given.sources, mapping, "-")
    if given.index is not None:
        check_place(given.index)
    taken = {path.resolve() for path in written}
    for source in given.sources:
        for name in [] if source.startswith("recipe:") else files_of(source):
            if Path(name).resolve() in taken:
                raise ConfigError(
                    f"--against {name}: expected a file that is not written over, found one of the output's folder. "
                    "Choose another folder with -o."
                )

    from claimsieve.matching.earlier import open_earlier

    return open_earlier(
        given.sources,
        mapping=mapping,
        as_of=None if as_of is None else str(days_of(as_of)[1]),
        encoder=given.encoder,
        similar=given.similar,
        suggested=given.suggest,
        index=given.index,
    )


def looked_up(
    intake: "Intake", earlier: "Earlier | None", folder: Path, *, most_passages: int, quiet: bool
) -> tuple["Intake", "Tally | None"]:
    """The same with what was checked before in its rows. Rows of checked claims that are bad go into the folder."""
    if earlier is None:
        return intake, None
    from claimsieve.inference.outputs import write_rejects
    from claimsieve.matching.earlier import look_up

    rows, tally = look_up(intake.rows, earlier, most_passages=most_passages, told=lambda line: say(line, quiet=quiet))
    rejects_file = write_rejects(str(folder / _REJECTS), earlier.rejects)
    return replace(intake, rows=tuple(rows)), replace(tally, rejects_file=rejects_file)


def best_match(row: Mapping[str, Any]) -> str:
    """Of a row that was looked up: kind and verdict of its best match, or nothing."""
    matches = row.get("matches")
    return f"{matches[0]['kind']}: {matches[0]['label'] or 'no verdict'}" if matches else ""


def tally_lines(tally: "Tally") -> Iterator[str]:
    """What a person should know of a look-up, a line each; nothing of what did not happen."""
    were, have = ("was", "were"), ("has", "have")
    checked, rows = ("checked claim", "checked claims"), ("row", "rows")
    says = ("checked claim says", "checked claims say")
    bear = ("checked claim bears", "checked claims bear")
    where = tally.rejects_file or "stderr"
    lines: list[tuple[int, tuple[str, str], str]] = [
        (tally.duplicate, were, "checked before in the same words (duplicate)"),
        (tally.similar, were, "checked before in other words (similar)"),
        (tally.suggested, have, "suggestions only; why says what to look at"),
        (tally.disagreeing, have, "matches whose verdicts disagree"),
        (tally.evidence, were, "given earlier checks as evidence"),
        (tally.checked_open, says, "no verdict: which column holds it? --against-map rating=COLUMN"),
        (tally.checked_by_model, bear, "a label that a model gave, which is no person's verdict"),
        (tally.checked_later, checked, "left out: not surely there on the day of --as-of"),
        (tally.rejected + tally.checked_rejected, rows, f"rejected → {where}"),
    ]
    for count, nouns, words in lines:
        if count:
            yield f"{counted(count, *nouns)} {words}"
