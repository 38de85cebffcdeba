"""Claims made `unverified`: with the evidence of another story, or with none. For train rows only."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import replace
from hashlib import blake2b

from claimsieve.data.leaks import event_of
from claimsieve.records import Claim, Evidence

_KINDS = ("mispaired", "withheld")


def augment(
    train: Sequence[Claim], *, mispaired: float, withheld: float, seed: int, clusters: Sequence[Hashable] | None = None
) -> list[Claim]:
    """New rows beside those of train, which stay as they are.

    mispaired, withheld: how many new rows of either kind a corpus gets, as a share of its rows with evidence, in
        [0, 1]. The evidence of a mispaired row is another story's of the same corpus, so that style does not tell.
    clusters: near-duplicate cluster of each claim; claims of one cluster are one story. Shape: (n,)
    Rows with a manipulation are not used: without evidence that bears on them they are propaganda by the codebook.
    A row keeps its claim, source and date; its id gets '#mispaired' or '#withheld'. The order of train never matters.
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
            for row in _shuffled(claims, corpora[name], f"{kind}{seed}")[: round(rate * len(corpora[name]))]:
                evidence = others[row] if kind == "mispaired" else ()
                if evidence is not None:
                    made.append(_open(claims[row], evidence, kind))
    return made


def is_made(claim: Claim) -> bool:
    """Whether `augment` made this row."""
    return claim.id is not None and claim.id.endswith(tuple(f"#{kind}" for kind in _KINDS))


def other_evidence(
    claims: Sequence[Claim], *, seed: int, clusters: Sequence[Hashable] | None = None
) -> list[tuple[Evidence, ...] | None]:
    """For each claim the evidence of a claim of another story of its corpus; None where there is no such claim.

    Each claim's evidence is handed out once, as far as stories allow, so passages are as long and as many as before.
    """
    rows_of: dict[str | None, list[int]] = defaultdict(list)
    for row, claim in enumerate(claims):
        if claim.evidence:
            rows_of[claim.corpus].append(row)
    same = [claim.claim for claim in claims] if clusters is None else clusters
    taken: list[tuple[Evidence, ...] | None] = [None] * len(claims)
    for rows in rows_of.values():
        ring = _shuffled(claims, rows, str(seed))
        for place, row in enumerate(ring):
            for step in range(1, len(ring)):
                donor = ring[(place + step) % len(ring)]
                if _other_story(claims[row], claims[donor]) and same[row] != same[donor]:
                    taken[row] = claims[donor].evidence
                    break
    return taken


def _other_story(claim: Claim, donor: Claim) -> bool:
    event = event_of(claim)
    return donor.evidence != claim.evidence and (event is None or event != event_of(donor))


def _open(claim: Claim, evidence: tuple[Evidence, ...], kind: str) -> Claim:
    name = None if claim.id is None else f"{claim.id}#{kind}"
    return replace(claim, id=name, evidence=evidence, label="unverified", stance="insufficient", rating=None)


def _shuffled(claims: Sequence[Claim], rows: Sequence[int], seed: str) -> list[int]:
    """The rows in an order that hangs on what they say and the seed, not on where they stand."""
    return sorted(rows, key=lambda row: blake2b(f"{seed}\0{claims[row]}".encode(), digest_size=16).digest())
