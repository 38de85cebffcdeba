"""Of a claim's own passages, how many are among the five chosen from a pool of many claims' passages?

    CLAIMSIEVE_CORPORA=~/corpora python experiments/005-articles/evidence.py climate_fever averitec

By words, by meaning, and by both, fused as the package does it. Intervals: 95 % percentile bootstrap over claims.
"""

import random
import sys
from dataclasses import replace
from typing import Any

import numpy as np

from claimsieve.data.corpora import load_labelled
from claimsieve.intake.evidence import Limits, Pool
from claimsieve.intake.passages import Passage, terms
from claimsieve.intake.similarity import Embedder
from claimsieve.records import Claim

CLAIMS = 250
PASSAGES = 5
LONGEST = 500  # characters of a passage
RESAMPLES = 1_000

Floats = np.ndarray[Any, np.dtype[np.float64]]


def drawn(recipe: str) -> list[Claim]:
    """Different claims with evidence, in an order by chance."""
    claims, _ = load_labelled(f"recipe:{recipe}")
    different = {claim.claim: claim for claim in claims if claim.evidence}
    listed = list(different.values())
    random.Random(0).shuffle(listed)
    return listed[:CLAIMS]


def found(claims: list[Claim], embedder: Embedder) -> tuple[int, dict[str, Floats]]:
    """Size of the pool, and per way the share of each claim's own passages that are chosen. Shape: (claims,)."""
    texts: dict[str, int] = {}
    own = [{texts.setdefault(one.text[:LONGEST], len(texts)) for one in claim.evidence[:PASSAGES]} for claim in claims]
    passages = [Passage(replace(claims[0].evidence[0], text=text)) for text in texts]
    words = Pool(passages, limits=Limits())
    both = Pool(passages, limits=Limits(), embedder=embedder)
    vectors = embedder.embed(list(texts))
    asked = embedder.embed([claim.claim for claim in claims])
    scores = {
        "words": [words.scores(claim.claim) if terms(claim.claim) else np.zeros(len(texts)) for claim in claims],
        "meaning": list(asked @ vectors.T),
        "both": [both.scores(claim.claim) for claim in claims],
    }
    return len(texts), {
        way: np.array(
            [
                len(set(np.argsort(-one, kind="stable")[:PASSAGES].tolist()) & mine) / min(PASSAGES, len(mine))
                for one, mine in zip(listed, own, strict=True)
            ]
        )
        for way, listed in scores.items()
    }


def estimate(values: Floats, *, sign: str = "") -> str:
    dice = np.random.default_rng(0)
    means = [values[dice.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{values.mean():{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def main() -> None:
    embedder = Embedder()
    for recipe in sys.argv[1:]:
        pool, shares = found(drawn(recipe), embedder)
        print(f"{recipe}: {len(shares['both'])} claims, {pool} passages")
        for way, values in shares.items():
            print(f"  {way:8} {estimate(values)}")
        for way in ("words", "meaning"):
            print(f"  both - {way:8} {estimate(shares['both'] - shares[way], sign='+')}")


if __name__ == "__main__":
    main()
