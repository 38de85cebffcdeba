"""How to combine several passages: read together, or one by one and put together by a rule? On rows held out.

python experiments/004-two-axes/passages.py runs/004/flagship        # valid and calibration rows; test is not touched
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from transfer import splits_of

from claimsieve.data.augmentation import augment
from claimsieve.evaluation.evaluate import interval, macro_f1_draws
from claimsieve.evaluation.metrics import Floats
from claimsieve.models.artifacts import load_model
from claimsieve.records import LABELS, Claim

CORPORA = ("averitec", "climate_fever", "covidfact", "starter")
MOST_OPEN = (0.5, 0.6, 0.7, 0.8, 0.9)
PLACES = {"supported": 0, "insufficient": 1, "conflicting": 1, "refuted": 2}
STANCE = slice(len(LABELS), len(LABELS) + 3)


def main(directory: Path) -> None:
    model, _ = load_model(directory)
    splits, _ = splits_of(directory)
    held = [claim for name in ("valid", "calibration") for claim in splits[name] if claim.stance and claim.evidence]
    strange = augment(held, mispaired=0, withheld=0, distracted=1, seed=0)
    for corpus, rows, what in [
        (name, rows, what) for what, rows in (("", held), (" among strange ones", strange)) for name in CORPORA
    ]:
        claims = [claim for claim in rows if claim.corpus == corpus and len(claim.evidence) > 1]
        if not claims:
            continue
        together = model.answers(model.encode(claims))[:, STANCE]
        single = [replace(claim, evidence=(passage,)) for claim in claims for passage in claim.evidence]
        owners = np.repeat(np.arange(len(claims)), [len(claim.evidence) for claim in claims])
        alone = model.answers(model.encode(single))[:, STANCE]
        print(f"{corpus}, n = {len(claims):,}, {len(single) / len(claims):.1f} passages a claim{what}")
        print(f"  {'together':<12}{_scored(together, claims)}")
        for name, rule in RULES.items():
            combined = np.stack([rule(alone[owners == row]) for row in range(len(claims))])
            print(f"  {name:<12}{_scored(combined, claims)}")
        for least in (0.5, 0.6, 0.7, 0.8, 0.9):
            divided = np.array([disagree(alone[owners == row], least) for row in range(len(claims))])
            opened = np.where(divided[:, None], [0.0, 1.0, 0.0], together)
            told = f"together, but open where passages disagree with {least} each ({divided.sum()} claims)"
            print(f"  {told}: {_scored(opened, claims)}")
        for most in MOST_OPEN:
            kept = [telling(claim, alone[owners == row], most) for row, claim in enumerate(claims)]
            fewer = sum(len(one.evidence) < len(claim.evidence) for one, claim in zip(kept, claims, strict=True))
            told = f"together, without passages that alone leave it open with {most} ({fewer} claims)"
            print(f"  {told}: {_scored(model.answers(model.encode(kept))[:, STANCE], claims)}")


def geometric(passages: Floats) -> Floats:
    """What readers agree on who each saw one passage: in its label, also that of independent passages' product."""
    return _shares(np.exp(np.log(np.maximum(passages, 1e-12)).mean(axis=0)))


def strongest(passages: Floats) -> Floats:
    """The passage that settles the claim most."""
    return passages[passages[:, [0, 2]].max(axis=1).argmax()]


def disagree(passages: Floats, least: float) -> bool:
    """Whether one passage alone supports the claim and another alone refutes it, each with so much."""
    return bool(passages[:, 0].max() >= least and passages[:, 2].max() >= least)


def telling(claim: Claim, passages: Floats, most: float) -> Claim:
    """The claim with the passages that do not each leave it open with so much; with all where all do."""
    evidence = tuple(one for one, left in zip(claim.evidence, passages[:, 1].tolist(), strict=True) if left < most)
    return replace(claim, evidence=evidence or claim.evidence)


def any_of(passages: Floats) -> Floats:
    """Open if every passage leaves it open; else in proportion to what some passage says."""
    some = 1 - np.prod(1 - passages, axis=0)
    left = float(np.prod(passages[:, 1]))
    return np.array([(1 - left) * some[0], left * (some[0] + some[2]), (1 - left) * some[2]]) / (some[0] + some[2])


RULES: dict[str, Callable[[Floats], Floats]] = {
    "geometric": geometric,
    "strongest": strongest,
    "any of": any_of,
}


def _shares(values: Floats) -> Floats:
    shares: Floats = values / values.sum()
    return shares


def _scored(stances: Floats, claims: Sequence[Claim]) -> str:
    truth = np.eye(3, dtype=bool)[[PLACES[str(claim.stance)] for claim in claims]]
    found = interval(*macro_f1_draws(stances, truth))
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
