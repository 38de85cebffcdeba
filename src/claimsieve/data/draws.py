"""Draws that hang on what a row says and the seed, never on its place."""

import random
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from claimsieve.records import Claim


def shuffled(claims: Sequence[Claim], rows: Iterable[int], seed: str) -> list[int]:
    """The rows in an order that hangs on what they say and the seed; ids, which may be row numbers, only part twins."""

    def draw(row: int) -> tuple[bytes, str]:
        return blake2b(_said(claims[row], seed).encode(), digest_size=16).digest(), str(claims[row].id)

    return sorted(rows, key=draw)


def dice_of(claim: Claim, seed: str) -> random.Random:
    """Dice of the claim's own: twins throw alike."""
    return random.Random(_said(claim, seed))


def _said(claim: Claim, seed: str) -> str:
    return f"{seed}\0{claim.corpus}\0{claim.event}\0{claim.claim}\0{claim.evidence}"
