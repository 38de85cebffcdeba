"""Train rows whose label the claim alone gives away, thinned out: what is left has to be read.

After adversarial filtering (Le Bras et al. 2020, arXiv:2002.04108), with one cheap model in place of many rounds.
"""

import warnings
from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from claimsieve.data.draws import shuffled
from claimsieve.data.leaks import event_of
from claimsieve.records import Claim

MIN_ROWS = 100  # of a corpus; fewer teach a probe nothing
FOLDS = 5
SURE = 0.6  # probability of the label; of two labels chance gives half, of three a third


def thinned(
    train: Sequence[Claim], *, share: float, seed: int, clusters: Sequence[Hashable] | None = None
) -> list[Claim]:
    """The train rows without `share`, in [0, 1], of those that a model of the claim's words solves.

    A row is solved when a model that was fitted on other stories of its corpus gives its label more than SURE. Rows
    without evidence stay, as there is nothing else to read; so do corpora of one label or of fewer than MIN_ROWS rows.
    clusters: near-duplicate cluster of each claim; claims of one cluster are one story. Shape: (n,)
    """
    if not share:
        return list(train)
    corpora: dict[str | None, list[int]] = defaultdict(list)
    for row, claim in enumerate(train):
        if claim.evidence and claim.label is not None:
            corpora[claim.corpus].append(row)
    gone: set[int] = set()
    for name in sorted(corpora, key=str):
        rows = shuffled(train, corpora[name], f"probed{seed}")  # so that the order of rows decides nothing
        stories = [event_of(train[row]) or (clusters[row] if clusters is not None else row) for row in rows]
        solved = [rows[place] for place in np.flatnonzero(_solved([train[row] for row in rows], stories)).tolist()]
        gone.update(shuffled(train, solved, f"thinned{seed}")[: round(share * len(solved))])
    return [claim for row, claim in enumerate(train) if row not in gone]


def _solved(claims: Sequence[Claim], stories: Sequence[Hashable]) -> NDArray[np.bool_]:
    """Shape: (n,)"""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import make_pipeline

    labels = np.array([claim.label for claim in claims])
    numbers = {story: number for number, story in enumerate(dict.fromkeys(stories))}
    groups = np.array([numbers[story] for story in stories])
    solved = np.zeros(len(claims), dtype=bool)
    if len(claims) < MIN_ROWS or len(numbers) < FOLDS:
        return solved
    probe = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=50_000, token_pattern=r"\b\w+\b"),
        LogisticRegression(C=4.0, class_weight="balanced", max_iter=200),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for others, own in GroupKFold(FOLDS).split(labels, groups=groups):
            known = np.unique(labels[others])
            if len(known) < 2:  # a label may stand in one story alone
                continue
            probe.fit([claims[row].claim for row in others], labels[others])
            found = probe.predict_proba([claims[row].claim for row in own])
            true = np.where(known == labels[own][:, None], found, 0.0).max(axis=1)
            solved[own] = true > SURE
    return solved
