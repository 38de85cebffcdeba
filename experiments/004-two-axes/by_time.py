"""Manipulation in later cases: trained on EUvsDisinfo before July 2019, asked about the cases since.

    CLAIMSIEVE_CORPORA=~/corpora python experiments/004-two-axes/by_time.py 0 1 2    # seeds; writes by_time.json

Beside the cases: propaganda in news (ptc) and memes, ordinary sentences (ukraine_news, babe), the starter corpus and
FEVER for the stance, without which there is no two_axis model; these are split by group, so that the articles of
ukraine_news in test were never seen. The threshold is the one that leaves 5 % of the calibration articles' sentences in
alarm: with some 200 of them the 10 % that are allowed on test would else be missed by chance every other time. n-grams
with logistic regression are trained on the same rows of manipulation and held to the same rule.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from claimsieve.data.corpora import load
from claimsieve.data.duplicates import cluster
from claimsieve.data.splits import split
from claimsieve.evaluation.axes import alarm_threshold
from claimsieve.evaluation.conformal import exact_share
from claimsieve.evaluation.metrics import Floats
from claimsieve.models.loop import LoopSettings
from claimsieve.models.two_axis import TwoAxisModel
from claimsieve.records import Claim
from claimsieve.settings import Corpus
from claimsieve.whole_files import write_file

SINCE = "2019-07"
CASES, ORDINARY = "euvsdisinfo", "ukraine_news"
SHARES = {"train": 0.6, "valid": 0.05, "calibration": 0.2, "test": 0.15}
MOST_ALARMS = 0.05
CURVE = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.42)
RESULTS = Path(__file__).with_name("by_time.json")
SETTINGS = LoopSettings(
    epochs=3, epoch_rows=16_000, corpus_temperature=2.0, batch_tokens=2048, accumulate_steps=2, learning_rate=2e-4
)


def splits(seed: int) -> dict[str, list[Claim]]:
    """Every later case is test; no near-duplicate of a test row is in another split."""
    names = (CASES, "ptc", "semeval2021_memes", ORDINARY, "babe", "starter")
    corpora = [*(Corpus(recipe=name) for name in names), Corpus(recipe="fever_pairs", max_claims=4_000)]
    claims, _ = load(corpora)
    clusters = cluster(claims, threshold=0.8)
    own = split(claims, clusters, by="group", fractions=SHARES, seed=seed).tolist()
    later = [claim.corpus == CASES and (claim.date or "") >= SINCE for claim in claims]
    tied = {number for number, is_later in zip(clusters.tolist(), later, strict=True) if is_later}
    found: dict[str, list[Claim]] = {name: [] for name in SHARES}
    for claim, name, number, is_later in zip(claims, own, clusters.tolist(), later, strict=True):
        if is_later:
            found["test"].append(claim)
        elif number not in tied and (claim.date or claim.corpus != CASES):
            # All cases of test are later ones.
            found["train" if claim.corpus == CASES and name == "test" else name].append(claim)
    return found


def trained(parts: dict[str, list[Claim]], seed: int) -> TwoAxisModel:
    model = TwoAxisModel(inputs=("claim", "evidence"), max_tokens=128, seed=seed, loop=SETTINGS)
    for step in model.fit(parts["train"], valid=parts["valid"]):
        if step.valid:
            print(seed, step.number, step.total, dict(step.valid), file=sys.stderr, flush=True)
    return model


def asked(parts: dict[str, list[Claim]], seed: int) -> Iterator[tuple[str, Floats, Floats]]:
    """The probability of manipulation of calibration and of test rows, for each kind of model."""
    told = [claim for claim in parts["train"] if claim.manipulation is not None]
    words = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LogisticRegression(C=4.0, max_iter=1_000, class_weight="balanced"),
    )
    words.fit([claim.claim for claim in told], [bool(claim.manipulation) for claim in told])
    by_words = [words.predict_proba([claim.claim for claim in parts[name]])[:, 1] for name in ("calibration", "test")]
    yield "n-grams", by_words[0], by_words[1]
    model = trained(parts, seed)
    by_model = [model.answers(model.encode(parts[name]))[:, -1] for name in ("calibration", "test")]
    yield "two axes", by_model[0], by_model[1]


def of(claims: Sequence[Claim], corpus: str) -> np.ndarray:
    return np.array([claim.corpus == corpus for claim in claims])


def measured(parts: dict[str, list[Claim]], calibration: Floats, test: Floats) -> dict[str, object]:
    ordinary = of(parts["calibration"], ORDINARY)
    claims = [claim for claim, is_ordinary in zip(parts["calibration"], ordinary, strict=True) if is_ordinary]
    threshold = alarm_threshold(calibration[ordinary], claims, most=MOST_ALARMS)
    manipulates = np.array([bool(claim.manipulation) for claim in parts["test"]])
    looked = np.array([claim.manipulation is not None for claim in parts["test"]])
    result: dict[str, object] = {"threshold": threshold, "calibration_sentences": len(claims)}
    for corpus in (CASES, ORDINARY, "babe", "ptc"):
        own = of(parts["test"], corpus) & looked
        for name, rows in (("recall", own & manipulates), ("alarms", own & ~manipulates)):
            if rows.any():
                share = exact_share(int((test[rows] >= threshold).sum()), int(rows.sum()))
                result[f"{corpus} {name}"] = [share.value, share.low, share.high, int(rows.sum())]
    clean = test[of(parts["test"], ORDINARY)]
    cases = test[of(parts["test"], CASES)]
    result["curve"] = [[share, float((cases > np.quantile(clean, 1 - share)).mean())] for share in CURVE]
    return result


def main(seeds: list[int]) -> None:
    if not seeds:
        raise SystemExit(__doc__)
    results = []
    for seed in seeds:
        parts = splits(seed)
        print({name: len(rows) for name, rows in parts.items()}, file=sys.stderr, flush=True)
        for kind, calibration, test in asked(parts, seed):
            results.append({"kind": kind, "seed": seed, **measured(parts, calibration, test)})
            print(json.dumps(results[-1]), flush=True)
            write_file(RESULTS, (json.dumps(results, indent=1) + "\n").encode())


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]])
