"""Made-up test rows and models of a given skill, shared by the tests of comparisons."""

import numpy as np

from claimsieve.comparison import tested as runs  # pytest would take an imported `Tested` for a class of tests
from claimsieve.comparison.contestants import Contestant
from claimsieve.records import LABELS


def said(generator, truth, *, skill):
    """Probabilities of a noisy model; the higher the skill, the more often it is right. Shape: (n, 3)"""
    logits = generator.normal(size=(len(truth), 3))
    logits[np.arange(len(truth)), truth] += skill
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def run(truth, probabilities, *, rows=None, corpora=None, events=None, seed=0, fold=None, train_rows=None):
    n = len(truth)
    ids = tuple(str(row) for row in (range(n) if rows is None else rows))
    return runs.Tested(
        ids=ids,
        claims=tuple(f"claim {row}" for row in ids),
        labels=tuple(LABELS[code] for code in truth),
        corpora=tuple(corpora or [None] * n),
        events=tuple(events or [None] * n),
        probabilities=probabilities,
        seed=seed,
        fold=fold,
        train_rows=train_rows,
    )


def models(skills, *, n=300, seed=0, **columns):
    """One run each on the same rows, named a, b, c, ... by the order of their skills."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(3, size=n)
    return [
        Contestant(name, (run(truth, said(generator, truth, skill=skill), **columns),))
        for name, skill in zip("abcdefgh", skills, strict=False)
    ]


def seeds_of(shifts, *, n=2_000, share=0.5, same=False):
    """A model `a` whose skill is off from that of `b` by so much at each seed; seeds test half of the claims each."""
    generator = np.random.default_rng(5)
    truth = generator.integers(3, size=2 * n)
    first, second = [], []
    rows = np.arange(n)
    for seed, shift in enumerate(shifts):
        rows = rows if same else generator.permutation(2 * n)[:n]
        for found, skill in ((first, 1.0 + shift), (second, 1.0)):
            answers = said(generator, truth[rows], skill=skill)
            found.append(run(truth[rows], answers, rows=rows, seed=seed, train_rows=round(n / share)))
    return [Contestant("a", tuple(first)), Contestant("b", tuple(second))]
