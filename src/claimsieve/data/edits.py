"""Claims made `refuted` by one edit of their evidence, and as many whose evidence is edited beside the claim."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from functools import partial

from claimsieve.data.draws import dice_of, shuffled
from claimsieve.data.editing import dates, names, negation, numbers, opposites
from claimsieve.records import Claim, label_of

_MAX_CHARACTERS = 10_000  # of evidence: what an edit looks at takes the square of it, and no window is as wide

_Edit = Callable[[str, Sequence[str], random.Random], list[str] | None]


def edited(claims: Sequence[Claim], *, share: float, seed: int) -> list[Claim]:
    """New rows beside the claims, which stay as they are: supported ones come again with their evidence edited.

    share: how many rows of a corpus come again refuted, as a share of its supported rows with evidence, in [0, 1];
        fewer where few can be edited so that the evidence surely says something else of the same thing.
    One number, date, opposite, negation or name is edited in the evidence, and the claim keeps its words, so that these
    tell nothing. With each kind of edit as many rows again, or as many as there can be, are edited where the claim does
    not look, and stay supported, so that odd evidence tells nothing either. Ids get '#edited' or '#untouched'. Rows in
    other languages than English are left alone, and claims that stand refuted in their corpus as well: these have what
    an edit would teach, and often a second passage that supports them still. The order of the claims never matters.
    """
    corpora: dict[str | None, list[int]] = defaultdict(list)
    for row, claim in enumerate(claims):
        if claim.stance == "supported" and claim.evidence:
            corpora[claim.corpus].append(row)
    refuted = {(claim.corpus, claim.claim) for claim in claims if claim.stance == "refuted"}
    made = []
    for corpus in sorted(corpora, key=str):
        most = round(share * len(corpora[corpus]))
        if not most:
            continue
        english = [row for row in corpora[corpus] if _is_editable(claims[row], refuted)]
        known = names.pool(claims[row].claim for row in english)
        kinds: Counter[str] = Counter()
        for row in shuffled(claims, english, f"edited{seed}"):
            if kinds.total() >= most:
                break
            if found := _edit(claims[row], _refuting(known), f"edited{seed}"):
                kinds[found[0]] += 1
                made.append(_refuted(_with_texts(claims[row], found[1], "edited")))
        for row in shuffled(claims, english, f"untouched{seed}"):
            wanted = {kind: edit for kind, edit in _harmless(known).items() if kinds[kind] > 0}
            if not wanted:
                break
            if found := _edit(claims[row], wanted, f"untouched{seed}"):
                kinds[found[0]] -= 1
                made.append(replace(_with_texts(claims[row], found[1], "untouched"), rating=None))
    return made


def _is_editable(claim: Claim, refuted: Container[tuple[str | None, str]]) -> bool:
    return (
        (claim.lang or "en").lower().startswith("en")
        and (claim.corpus, claim.claim) not in refuted
        and sum(len(passage.text) for passage in claim.evidence) <= _MAX_CHARACTERS
    )


def _refuting(known: names.Pool) -> dict[str, _Edit]:
    return {
        "number": numbers.refuting,
        "date": dates.refuting,
        "opposite": opposites.refuting,
        "negation": negation.refuting,
        "name": partial(names.refuting, names=known),
    }


def _harmless(known: names.Pool) -> dict[str, _Edit]:
    return {
        "number": numbers.harmless,
        "date": dates.harmless,
        "opposite": opposites.harmless,
        "negation": negation.harmless,
        "name": partial(names.harmless, names=known),
    }


def _edit(claim: Claim, edits: Mapping[str, _Edit], seed: str) -> tuple[str, list[str]] | None:
    """The first kind of edit that can be made, in an order of the row's own, and the passages after it."""
    dice, passages = dice_of(claim, seed), [passage.text for passage in claim.evidence]
    for kind in dice.sample(sorted(edits), len(edits)):
        if (texts := edits[kind](claim.claim, passages, dice)) is not None:
            return kind, texts
    return None


def _with_texts(claim: Claim, texts: Sequence[str], kind: str) -> Claim:
    evidence = tuple(replace(passage, text=text) for passage, text in zip(claim.evidence, texts, strict=True))
    return replace(claim, id=None if claim.id is None else f"{claim.id}#{kind}", evidence=evidence)


def _refuted(claim: Claim) -> Claim:
    return replace(claim, label=label_of("refuted", bool(claim.manipulation)), stance="refuted", rating=None)
