"""Which claims a model has met, and in which split: a training that starts from it asks about none it has learnt."""

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from numpy.typing import NDArray

from claimsieve.data.duplicates import normalise
from claimsieve.data.leaks import NOWHERE, SPLITS, Split
from claimsieve.records import Claim

_DIGITS = 16

Lineage = Mapping[str, Split]  # a claim's digest → its split


def digest_of(claim: Claim) -> str:
    """16 hexadecimal digits of what the claim says, as duplicates are compared; nobody reads the claim in them."""
    return blake2b(normalise(claim.claim).encode(), digest_size=_DIGITS // 2).hexdigest()


def places_before(claims: Sequence[Claim], lineage: Lineage) -> list[Split | None]:
    """The split that each claim had, None for those that were not there. Shape: (n,)"""
    return [lineage.get(digest_of(claim)) for claim in claims]


def earlier(first: Split | None, second: Split | None) -> Split | None:
    """Of two splits of one claim the one that binds more: what was learnt from may not be asked."""
    known = [name for name in (first, second) if name is not None]
    return min(known, key=SPLITS.index, default=None)


def merged(*lineages: Lineage) -> dict[str, Split]:
    """All claims of all of them, each in the earliest of its splits."""
    found: dict[str, Split] = {}
    for lineage in lineages:
        for digest, name in lineage.items():
            found[digest] = earlier(found.get(digest), name) or name
    return found


def lineage_of(claims: Sequence[Claim], assignment: NDArray[Any], before: Lineage) -> dict[str, Split]:
    """What a model trained on this cut has met, and what the model it started from had met `before`."""
    own: dict[str, Split] = {}
    names: dict[str, Split] = {str(name): name for name in SPLITS}
    for claim, name in zip(claims, assignment.tolist(), strict=True):
        if name != NOWHERE:
            digest = digest_of(claim)
            own[digest] = earlier(own.get(digest), names[name]) or names[name]
    return merged(before, own)


def written(lineage: Lineage) -> bytes:
    """As JSON: split → digests in their order."""
    found: dict[str, list[str]] = {name: [] for name in SPLITS}
    for digest, name in sorted(lineage.items()):
        found[name].append(digest)
    return (json.dumps(found) + "\n").encode()


def read(content: bytes) -> dict[str, Split]:
    """What `written` made. Raises ValueError for anything else."""
    document = json.loads(content)
    if not isinstance(document, dict) or set(document) != set(SPLITS):
        raise ValueError(f"expected {', '.join(SPLITS)}")
    found: dict[str, Split] = {}
    for name in SPLITS:
        for digest in document[name]:
            if not isinstance(digest, str) or len(digest) != _DIGITS or digest in found:
                raise ValueError(f"expected digests of {_DIGITS} digits, each once")
            found[digest] = name
    return found
