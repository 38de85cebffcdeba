"""Claims made `unverified`: with the evidence of another story, or with none. For train rows only."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

from claimsieve.data.leaks import event_of
from claimsieve.records import Claim, Evidence


def augment(train: Sequence[Claim], *, mispaired: float, withheld: float, seed: int) -> list[Claim]:
    """New rows beside those of train, which stay as they are.

    mispaired, withheld: how many new rows of either kind a corpus gets, as a share of its rows with evidence, in
        [0, 1]. The evidence of a mispaired row is another story's of the same corpus, so that style does not tell.
    Rows with a manipulation are not used: without evidence that bears on them they are propaganda by the codebook.
    A row keeps its claim, source and date; its id gets '#mispaired' or '#withheld'. The order of train never matters.
    """
    corpora: dict[str | None, list[Claim]] = defaultdict(list)
    for claim in train:
        if claim.evidence and not claim.manipulation:
            corpora[claim.corpus].append(claim)
    made = []
    for name in sorted(corpora, key=str):
        claims = corpora[name]
        others = dict(zip(map(_key, claims), other_evidence(claims, seed=seed), strict=True))
        for kind, rate in (("mispaired", mispaired), ("withheld", withheld)):
            for claim in _first(claims, round(rate * len(claims)), f"{kind}{seed}"):
                evidence = others[_key(claim)] if kind == "mispaired" else ()
                if evidence is not None:
                    made.append(_open(claim, evidence, kind))
    return made


def other_evidence(claims: Sequence[Claim], *, seed: int) -> list[tuple[Evidence, ...] | None]:
    """For each claim the evidence of a claim of another story of its corpus; None where there is no such claim.

    Each claim's evidence is handed out once, as far as stories allow, so passages are as long and as many as before.
    """
    rows_of: dict[str | None, list[int]] = defaultdict(list)
    for row, claim in enumerate(claims):
        if claim.evidence:
            rows_of[claim.corpus].append(row)
    taken: list[tuple[Evidence, ...] | None] = [None] * len(claims)
    for rows in rows_of.values():
        ring = sorted(rows, key=lambda row: _draw(claims[row], str(seed)))
        for place, row in enumerate(ring):
            for step in range(1, len(ring)):
                donor = claims[ring[(place + step) % len(ring)]]
                if _story(donor) != _story(claims[row]) and donor.evidence != claims[row].evidence:
                    taken[row] = donor.evidence
                    break
    return taken


def _first(claims: Sequence[Claim], number: int, seed: str) -> list[Claim]:
    return sorted(claims, key=lambda claim: _draw(claim, seed))[:number]


def _open(claim: Claim, evidence: tuple[Evidence, ...], kind: str) -> Claim:
    name = None if claim.id is None else f"{claim.id}#{kind}"
    return replace(claim, id=name, evidence=evidence, label="unverified", stance="insufficient", rating=None)


def _story(claim: Claim) -> object:
    return event_of(claim) or claim.claim


def _key(claim: Claim) -> tuple[str | None, str, tuple[Evidence, ...]]:
    return claim.id, claim.claim, claim.evidence


def _draw(claim: Claim, seed: str) -> bytes:
    return blake2b(f"{seed}\0{_key(claim)}".encode(), digest_size=16).digest()
