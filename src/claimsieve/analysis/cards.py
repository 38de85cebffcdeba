"""One labelled row as the page shows it: a card."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from claimsieve.analysis.explaining import (
    MAX_PASSAGES,
    Passage,
    Run,
    Word,
    explanation_of,
    marked,
    passages_of,
)
from claimsieve.analysis.gaps import Gap, gaps
from claimsieve.analysis.odds import Verdict, verdict_of
from claimsieve.analysis.pictures import Thumbnails
from claimsieve.analysis.seen import Hit, Match, Unseen, hits_of, matches_of, own_pictures
from claimsieve.analysis.values import mappings, text, texts
from claimsieve.analysis.visible import one_line
from claimsieve.analysis.wording import CONTEXTS, LANGUAGE
from claimsieve.records import Claim, RecordError, claim_from_row

MAX_HEADING_CHARACTERS = 480  # of a claim; a longer one is whole further down

_SHOWN = ("id", "source", "date", "evidence", "media", "lang")


@dataclass(frozen=True, slots=True)
class Card:
    """A claim as the page shows it. number: from 1, in the order of the rows.

    heading, whole: the claim in runs; whole is empty where the heading has all of it. article: the name of the one it
    is from; span: its place there, as the row gives it. given_label: the label that the claim came with.
    further_passages: how many are left out. notes: what of the row could not be shown.
    """

    number: int
    claim: Claim
    heading: list[Run]
    whole: list[Run]
    verdict: Verdict
    source: str | None
    lang: str | None
    context: str | None
    article: str | None
    span: Any
    given_label: str | None
    gaps: list[Gap]
    passages: list[Passage]
    further_passages: int
    words_for: list[Word]
    words_against: list[Word]
    beginning_only: bool
    hits: list[Hit]
    pictures: list[Unseen]
    matches: list[Match]
    notes: list[str]

    @property
    def anchor(self) -> str:
        return f"claim-{self.number}"

    @property
    def is_judged_before(self) -> bool:
        """Whether a person gave a verdict on the same claim, and not only perhaps on the same."""
        return any(match.is_sure and match.verdict and not match.machine_made for match in self.matches)

    @property
    def article_name(self) -> str:
        """The article's name as it may be shown."""
        return one_line(self.article or "", limit=200)

    @property
    def shown_characters(self) -> int:
        """About how much of a page it takes, pictures aside."""
        runs = [run for passage in self.passages for run in passage.runs]
        return 3_000 + sum(len(run.text) for run in (*self.heading, *self.whole, *runs))


def card_of(row: Mapping[str, Any], number: int, thumbnails: Thumbnails) -> Card:
    """Raises RecordError when the row has no claim. What else cannot be read is left out, and a note says so."""
    claim, notes = _claim(row)
    explanation = explanation_of(row)
    in_claim = [word for word in explanation.words if word.passage is None]
    verdict = verdict_of(row, has_evidence=bool(claim.evidence))
    looked_up = None
    if isinstance(row.get("pictures"), list | tuple):
        looked_up = [str(hit.get("picture")) for hit in mappings(row["pictures"])]
    is_long = len(claim.claim) > MAX_HEADING_CHARACTERS
    heading = marked(claim.claim, in_claim, limit=MAX_HEADING_CHARACTERS)
    stance, article, given = text(row.get("stance")), text(row.get("article")), text(row.get("input_label"))
    return Card(
        number=number,
        claim=claim,
        heading=[*heading, Run(" …")] if is_long else heading,
        whole=marked(claim.claim, in_claim) if is_long else [],
        verdict=verdict,
        source=None if claim.source is None else one_line(claim.source, limit=200),
        lang=claim.lang if claim.lang and LANGUAGE.fullmatch(claim.lang) else None,
        context=CONTEXTS.get(text(row.get("context")) or ""),
        article=article,
        span=row.get("span"),
        given_label=one_line(given, limit=60) if given else None,
        gaps=gaps(claim, reasons=texts(row.get("reasons")), stance=stance, looked_up=looked_up),
        passages=passages_of(claim, explanation),
        further_passages=max(0, len(claim.evidence) - MAX_PASSAGES),
        words_for=explanation.told("for"),
        words_against=explanation.told("against"),
        beginning_only=explanation.beginning_only,
        hits=hits_of(row, thumbnails),
        pictures=own_pictures(row, claim, thumbnails),
        matches=matches_of(row),
        notes=notes,
    )


def _claim(row: Mapping[str, Any]) -> tuple[Claim, list[str]]:
    """The row's record. A field that a model did not read may be anything; it is left out, and told."""
    shown = {name: row[name] for name in _SHOWN if row.get(name) is not None}
    words = {"claim": row.get("claim")}
    try:
        return claim_from_row(words | shown), []
    except RecordError:
        claim_from_row(words)
    notes = []
    for name in _SHOWN:
        try:
            claim_from_row({"claim": "x", name: shown.get(name)})
        except RecordError as error:
            notes.append(f"Left out: {one_line(str(error), limit=200)}.")
            del shown[name]
    return claim_from_row(words | shown), notes
