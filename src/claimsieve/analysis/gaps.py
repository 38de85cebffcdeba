"""What would have to be known of a claim and is not, in words. Derived from the row alone; nothing is looked up."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from claimsieve.analysis.values import host_of
from claimsieve.records import Claim, Evidence

# The kind of each gap, and how the summary counts it.
KINDS: dict[str, str] = {
    "no_evidence": "no evidence came with it",
    "conflict": "the evidence conflicts",
    "unnamed": "no passage has a named source",
    "one_side": "all evidence is from one source",
    "own_word": "the evidence is the word of the one who says it",
    "repeated": "passages repeat one another",
    "later": "evidence is dated after the claim",
    "evidence_undated": "evidence has no date",
    "undated": "the claim has no date",
    "nobody": "nobody is named as saying it",
    "pictures": "its pictures were not looked up",
}

_UNNAMED = re.compile(r"\b(unnamed|unknown|undisclosed|unidentified|anonym\w+)\b", re.IGNORECASE)
_ANYBODY = re.compile(
    r"((a|an|the|some|several|various|local|senior|informed|military|security|official|social|media|eye)[ -]?)*"
    r"(sources?|witness(es)?|insiders?|officials?|reports?|rumou?rs?|media|users?|posts?|outlets?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing. kind: a key of KINDS. words: a sentence."""

    kind: str
    words: str


def gaps(
    claim: Claim, *, reasons: Sequence[str] = (), stance: str | None = None, looked_up: Sequence[str] | None = None
) -> list[Gap]:
    """What is missing, the weightiest first.

    reasons, stance: of the prediction. looked_up: the pictures with a hit; None when nobody looked any up.
    """
    found: list[Gap] = []
    if not claim.evidence:
        found.append(Gap("no_evidence", "No evidence came with the claim."))
    elif "evidence_conflicts" in reasons or stance == "conflicting":
        found.append(Gap("conflict", "The passages contradict one another; which source is closer to what happened?"))
    found += _sources(claim)
    found += _dates(claim)
    if claim.source is None:
        found.append(Gap("nobody", "Nobody is named as saying it."))
    if claim.media and looked_up is None:
        count = len(claim.media)
        what = "Its picture was" if count == 1 else f"Its {count} pictures were"
        found.append(Gap("pictures", f"{what} not compared with older ones (claimsieve media)."))
    return found


def _sources(claim: Claim) -> list[Gap]:
    passages = claim.evidence
    if not passages:
        return []
    names = [_publisher(passage) for passage in passages]
    if not any(names):
        words = "The only passage names no source" if len(passages) == 1 else "None of the passages names a source"
        return [Gap("unnamed", f"{words} that could be asked.")]
    found = []
    own = None if claim.source is None else _plain(claim.source)
    if own is not None and set(names) == {own}:
        found.append(Gap("own_word", "All evidence is from the one who says it; nobody else confirms it."))
    elif len(passages) > 1 and len(set(names)) == 1:
        found.append(Gap("one_side", f"All {len(passages)} passages are from one source; another side is not heard."))
    repeated = len(passages) - len({" ".join(passage.text.split()).casefold() for passage in passages})
    if repeated:
        what = "One passage repeats" if repeated == 1 else f"{repeated} passages repeat"
        found.append(Gap("repeated", f"{what} another word for word, and adds nothing to it."))
    return found


def _dates(claim: Claim) -> list[Gap]:
    found = []
    dates = [passage.date for passage in claim.evidence]
    if claim.date is None:
        found.append(Gap("undated", "The claim has no date, so nobody can say what was known then."))
    else:
        later = sum(date is not None and _first_day(date) > _last_day(claim.date) for date in dates)
        if later:
            verb = "is" if later == 1 else "are"
            of = "The only passage" if len(dates) == 1 else f"{later} of {len(dates)} passages"
            found.append(Gap("later", f"{of} {verb} dated after the claim: on that day it could not be known."))
    undated = dates.count(None)
    if undated:
        which = "The only passage has" if len(dates) == 1 else f"{undated} of {len(dates)} passages have"
        found.append(Gap("evidence_undated", f"{which} no date."))
    return found


def counted(all_gaps: Sequence[Sequence[Gap]]) -> list[tuple[str, int]]:
    """Kind in words → number of claims that have it, the most frequent first; of claims that lack nothing, none."""
    counts: Mapping[str, int] = {
        kind: sum(any(gap.kind == kind for gap in of_claim) for of_claim in all_gaps) for kind in KINDS
    }
    return sorted(((KINDS[kind], count) for kind, count in counts.items() if count), key=lambda item: -item[1])


def _publisher(passage: Evidence) -> str | None:
    """Who can be asked about a passage: its source unless that is nobody in particular, else the host of its page."""
    if passage.source is not None and passage.source.strip() and not is_unnamed(passage.source):
        return _plain(passage.source)
    return host_of(passage.url)


def is_unnamed(source: str) -> bool:
    """Whether a source is nobody in particular: 'an unnamed diplomat', 'sources'; but not 'officials of Oslo'."""
    return bool(_UNNAMED.search(source) or _ANYBODY.fullmatch(source.strip()))


def _plain(source: str) -> str:
    return " ".join(re.findall(r"\w+", source.casefold())).removeprefix("the ")


def _first_day(date: str) -> str:
    return date + "-01-01"[len(date) - 4 :]


def _last_day(date: str) -> str:
    return date + "-12-31"[len(date) - 4 :]  # 2020-02-31 is no day, and still later than all days of its month
