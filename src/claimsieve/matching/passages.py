"""What an earlier check found, as evidence of the claim; never one that was made after the claim."""

from claimsieve.matching.checked import Checked
from claimsieve.matching.judge import Kind
from claimsieve.media.dates import days_of
from claimsieve.records import Evidence

_MAX_QUOTED_CHARACTERS = 500


def is_known_by(dated: str | None, day: str | None) -> bool:
    """Whether something of this date (YYYY, YYYY-MM or YYYY-MM-DD) was surely there on that day or before it.

    A date that may be later counts as later, and so does none. day: None asks nothing.
    """
    if day is None:
        return True
    return dated is not None and days_of(dated)[1] <= days_of(day)[0]


def passage_of(checked: Checked, kind: Kind) -> Evidence | None:
    """The earlier check in our words. None without a verdict, for a model's own label, and for a mere suggestion."""
    if kind == "suggested" or checked.label is None or checked.is_made:
        return None
    claim = " ".join(checked.claim.split())
    if len(claim) > _MAX_QUOTED_CHARACTERS:
        claim = claim[: _MAX_QUOTED_CHARACTERS - 1] + "…"
    when = f"of {checked.date}" if checked.date else "without a date"
    what = "found" if kind == "duplicate" else "of a claim in other words, found"
    text = f"An earlier check, {when}, {what} “{claim}”: {checked.label}."
    return Evidence(text, checked.source, checked.date, checked.url)
