"""Claims made `unverified`, with the evidence of another story or none, and claims with more than bears on them.

For train rows only.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import replace
from math import ceil

import numpy as np

from claimsieve.data.draws import dice_of, shuffled
from claimsieve.data.leaks import event_of
from claimsieve.records import Claim, Evidence

_KINDS = ("mispaired", "withheld")
_MAX_STEPS = 50
_MAX_STRANGERS = 3  # passages of another story among a claim's own
_MAX_CHARACTERS = 1_000  # of claim and evidence with them: the usual window, beyond which the own passages were cut off


def augment(
    train: Sequence[Claim],
    *,
    mispaired: float,
    withheld: float,
    open_share: float = 0.0,
    distracted: float = 0.0,
    seed: int,
    clusters: Sequence[Hashable] | None = None,
) -> list[Claim]:
    """New rows beside those of train, which stay as they are.

    mispaired, withheld: how many new rows of either kind a corpus gets, as a share of its rows with evidence and
        without manipulation, in [0, 1]; fewer mispaired ones where there is no other story. The evidence of a mispaired
        row is another story's of the same corpus, so that style does not tell.
    open_share: so many more mispaired rows that at least this share of a corpus's rows with evidence is open, in
        [0, 1): a corpus that knows no open row would otherwise tell a model that nothing in it is open.
    distracted: the same of rows whose own passages come in another order with one to three of another story among them,
        in [0, 1]; where that is too long for a usual window there is no such row. The label stays, whatever it was.
    clusters: near-duplicate cluster of each claim; claims of one cluster are one story. Shape: (n,)
    Rows with a manipulation are not used: without evidence that bears on them they are propaganda by the codebook.
    A row keeps its claim, source and date; its id gets '#' and what was done. The order of train never matters.
    """
    usable = [row for row, claim in enumerate(train) if claim.evidence and not claim.manipulation]
    claims = [train[row] for row in usable]
    others = other_evidence(claims, seed=seed, clusters=None if clusters is None else [clusters[row] for row in usable])
    corpora: dict[str | None, list[int]] = defaultdict(list)
    for row, claim in enumerate(claims):
        corpora[claim.corpus].append(row)
    made = []
    for kind, rate in zip(_KINDS, (mispaired, withheld), strict=True):
        for name in sorted(corpora, key=str):
            wanted = round(rate * len(corpora[name]))
            if kind == "mispaired":
                wanted = max(wanted, _missing([claims[row] for row in corpora[name]], open_share))
            for row in shuffled(claims, corpora[name], f"{kind}{seed}")[:wanted]:
                evidence = others[row] if kind == "mispaired" else ()
                if evidence is not None:
                    made.append(_open(claims[row], evidence, kind))
    for name in sorted(corpora, key=str):
        for row in shuffled(claims, corpora[name], f"distracted{seed}")[: round(distracted * len(corpora[name]))]:
            strange = others[row]
            if strange is not None and (distracted_row := _distracted(claims[row], strange, seed=seed)) is not None:
                made.append(distracted_row)
    return made


def other_evidence(
    claims: Sequence[Claim], *, seed: int, clusters: Sequence[Hashable] | None = None
) -> list[tuple[Evidence, ...] | None]:
    """For each claim the evidence of a claim of another story of its corpus; None where there is no such claim.

    clusters: as in `augment`. Where no story has more than half of a corpus's rows each claim's evidence is handed out
    once, but for passages that two stories share; so passages are as long and as many as before.
    """
    same: Sequence[Hashable] = [claim.claim for claim in claims] if clusters is None else clusters
    rings: dict[str | None, dict[Hashable, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in shuffled(claims, range(len(claims)), str(seed)):
        if claims[row].evidence:
            rings[claims[row].corpus][event_of(claims[row]) or same[row]].append(row)
    taken: list[tuple[Evidence, ...] | None] = [None] * len(claims)
    for stories in rings.values():
        ring = [row for rows in stories.values() for row in rows]
        longest = max(map(len, stories.values()))
        ends = np.repeat(np.cumsum([len(rows) for rows in stories.values()]), [len(rows) for rows in stories.values()])
        for place, (row, end) in enumerate(zip(ring, ends.tolist(), strict=True)):
            # A step of the longest story leaves any other; more steps for passages that stories have in common, and
            # from the end of the own story where it is most of the ring.
            for step in (*range(longest, longest + _MAX_STEPS), *range(end - place, end - place + _MAX_STEPS)):
                donor = ring[(place + step) % len(ring)]
                if _other_story(claims[row], claims[donor]) and same[row] != same[donor]:
                    taken[row] = claims[donor].evidence
                    break
    return taken


def _missing(claims: Sequence[Claim], share: float) -> int:
    """How many open rows have to come to these for a share of the sum to be open."""
    undecided = sum(claim.label == "unverified" for claim in claims)
    return max(0, ceil((share * len(claims) - undecided) / (1 - share)))


def _other_story(claim: Claim, donor: Claim) -> bool:
    event = event_of(claim)
    return donor.evidence != claim.evidence and (event is None or event != event_of(donor))


def _open(claim: Claim, evidence: tuple[Evidence, ...], kind: str) -> Claim:
    name = None if claim.id is None else f"{claim.id}#{kind}"
    return replace(claim, id=name, evidence=evidence, label="unverified", stance="insufficient", rating=None)


def _distracted(claim: Claim, strange: tuple[Evidence, ...], *, seed: int) -> Claim | None:
    """None where that would not fit."""
    dice = dice_of(claim, f"distracted{seed}")
    strangers = dice.sample(strange, min(len(strange), dice.randint(1, _MAX_STRANGERS)))
    evidence = dice.sample([*claim.evidence, *strangers], len(claim.evidence) + len(strangers))
    if len(claim.claim) + sum(len(passage.text) for passage in evidence) > _MAX_CHARACTERS:
        return None
    return replace(claim, id=None if claim.id is None else f"{claim.id}#distracted", evidence=tuple(evidence))
