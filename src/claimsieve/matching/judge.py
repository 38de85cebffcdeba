"""Whether two claims are the same claim: duplicate, similar, or only suggested to a person, with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from claimsieve.data.duplicates import normalise
from claimsieve.matching.differences import Said, differences
from claimsieve.matching.near import NEAR
from claimsieve.matching.thresholds import Thresholds
from claimsieve.matching.wording import is_foreign, is_same_wording, is_short

Kind = Literal["duplicate", "similar", "suggested"]
KINDS: tuple[Kind, ...] = ("duplicate", "similar", "suggested")
MOST_UNREAD = 0.2  # of a text's tokens; beyond, its vector is that of the rest


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two claims. unread, is_cut: see encoder.Embedded."""

    said: Said
    lang: str | None = None
    unread: float = 0.0
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """similarity: of the 5-grams where the words are nearly the same, else the cosine. why: what a person should look
    at, of a suggested pair; () where the texts are merely less alike."""

    kind: Kind
    similarity: float
    why: tuple[str, ...] = ()


def judge(ours: Side, theirs: Side, *, cosine: float | None, grams: float | None, by: Thresholds) -> Verdict | None:
    """What the pair is, or None: nothing to tell.

    cosine: of the embeddings; None: not among the nearest. grams: Jaccard similarity of the 5-grams, from NEAR on;
    None: below. Short texts, and texts that differ in a number, a negation, a name, a date or an exchanged word, are
    never more than suggested.
    """
    is_near = grams is not None and grams >= NEAR
    if cosine is not None and max(ours.unread, theirs.unread) > MOST_UNREAD:
        cosine = None
    if not is_near and (cosine is None or cosine < by.suggested):
        return None
    similarity = round(float((grams if is_near else cosine) or 0.0), 4)
    is_same = _is_same_text(ours.said.text, theirs.said.text)
    why = _doubts(ours, theirs, is_same=is_same)
    if why:
        return Verdict("suggested", similarity, tuple(why))
    if is_same or (is_near and is_same_wording(ours.said.words, theirs.said.words)):
        return Verdict("duplicate", similarity)
    further = _further_doubts(ours, theirs)
    if cosine is not None and cosine >= by.similar and not further:
        return Verdict("similar", similarity)
    return Verdict("suggested", similarity, tuple(further))


def _doubts(ours: Side, theirs: Side, *, is_same: bool) -> list[str]:
    """Why even the same words would not be enough, or not the same claim."""
    short = ["short: too few words to know a claim by"] * (is_short(ours.said.text) or is_short(theirs.said.text))
    return short if is_same else [*short, *differences(ours.said, theirs.said)]


def _further_doubts(ours: Side, theirs: Side) -> list[str]:
    """Why a likeness of meaning is not enough."""
    found = []
    if is_foreign(ours.said.text, ours.lang) or is_foreign(theirs.said.text, theirs.lang):
        found.append("language: differences are looked for in English only")
    if ours.is_cut or theirs.is_cut:
        found.append("long: read without its end")
    return found


def _is_same_text(one: str, other: str) -> bool:
    """But for small and capital letters, spaces, and what a repost adds: figures and signs of the words stand."""
    return one == other or (_signs(one) == _signs(other) and normalise(one) == normalise(other))


def _signs(text: str) -> str:
    """Punctuation that changes what a number says."""
    return "".join(sign for sign in text if sign in "$€£¥%+-−.,/:" or sign.isdigit()).rstrip(".,:-")


def in_order(found: Sequence[tuple[Verdict, int]], most: int) -> list[tuple[Verdict, int]]:
    """The best first: by kind, similarity, and place."""
    return sorted(found, key=lambda one: (KINDS.index(one[0].kind), -one[0].similarity, one[1]))[:most]
