"""Checked claims on the command line: what `match` and `article` say of them in the same words."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


def tally_lines(tally: "Tally") -> Iterator[str]:
    """What a person should know of a look-up, a line each; nothing of what did not happen."""
    lines = [
        (tally.duplicate, "were checked before in the same words (duplicate)"),
        (tally.similar, "were checked before in other words (similar)"),
        (tally.suggested, "have suggestions only; why says what to look at"),
        (tally.disagreeing, "have matches whose verdicts disagree"),
        (tally.evidence, "were given earlier checks as evidence"),
        (tally.checked_open, "checked claims say no verdict: which column holds it? --against-map rating=COLUMN"),
        (tally.checked_later, "checked claims were left out: not surely there on the day of --as-of"),
        (tally.rejected + tally.checked_rejected, f"rows rejected → {tally.rejects_file or 'stderr'}"),
    ]
    for count, words in lines:
        if count:
            yield f"{count:,} {words}"
