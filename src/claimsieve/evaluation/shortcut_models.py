"""The cheap models themselves: n-grams, lengths and majorities that cannot have read the evidence.

Apart from what is said of them, because scikit-learn takes two seconds to import and a prediction needs none of it.
"""

import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from claimsieve.data.leaks import event_of
from claimsieve.evaluation.metrics import Floats
from claimsieve.evaluation.shortcuts import DESCRIPTIONS, shuffled
from claimsieve.records import LABELS, Claim

_MAX_EVIDENCE_CHARACTERS = 2_000
_MAX_TERMS = 50_000
_WORD = r"\b\w+\b"

Features = tuple[Any, Any]  # of train and of test, sparse. Shapes: (rows, features)


def shortcut_probabilities(train: Sequence[Claim], test: Sequence[Claim], *, seed: int) -> dict[str, Floats]:
    """Name → probabilities on test, columns in the order of LABELS. Shape: (n, 3)."""
    labels = [str(claim.label) for claim in train]
    both = (train, test)
    claim = _words([[c.claim for c in part] for part in both])
    evidence = _words([[_evidence(c) for c in part] for part in both])
    swapped = [shuffled(train, train=(), seed=seed), shuffled(test, train=train, seed=seed)]
    other = None if None in swapped else _words([[_evidence(c) for c in part or ()] for part in swapped])
    source = _words([[c.source or "" for c in part] for part in both], whole=True)
    features = {
        "claim_only": claim,
        "evidence_only": evidence,
        "source_only": source,
        "length_only": _lengths(train, test),
        "evidence_shuffled": claim and other and (hstack([claim[0], other[0]]), hstack([claim[1], other[1]])),
    }
    found = {name: _fitted(pair, labels, seed=seed) for name, pair in features.items() if pair is not None}
    found["corpus_only"] = _majority(train, test, lambda c: c.corpus or "")
    found["event_majority"] = _majority(train, test, event_of)
    return {name: found[name] for name in DESCRIPTIONS if name in found}


def _evidence(claim: Claim) -> str:
    return " ".join(passage.text for passage in claim.evidence)[:_MAX_EVIDENCE_CHARACTERS]


def _words(texts: Sequence[Sequence[str]], *, whole: bool = False) -> Features | None:
    """Words and pairs of words, and with `whole` the text itself too; None where train has no words."""
    settings: dict[str, Any] = {
        "sublinear_tf": True,
        "max_features": _MAX_TERMS,
        "min_df": 1 if len(texts[0]) < 5_000 else 2,
        "dtype": np.float32,
    }
    if whole:
        vectoriser = TfidfVectorizer(analyzer=_words_and_whole, **settings)
    else:
        vectoriser = TfidfVectorizer(ngram_range=(1, 2), token_pattern=_WORD, **settings)
    try:
        return vectoriser.fit_transform(texts[0]), vectoriser.transform(texts[1])
    except ValueError:
        return None


def _words_and_whole(text: str) -> list[str]:
    folded = text.casefold()
    return [*re.findall(_WORD, folded), f"={folded}"] if text else []


def _lengths(train: Sequence[Claim], test: Sequence[Claim]) -> Features:
    def lengths(claims: Sequence[Claim]) -> NDArray[np.float64]:
        texts = [(claim.claim, " ".join(p.text for p in claim.evidence), len(claim.evidence)) for claim in claims]
        rows = [[len(a), a.count(" "), len(b), b.count(" "), number] for a, b, number in texts]
        return np.log1p(np.array(rows, dtype=np.float64))

    scaler, curves = StandardScaler(), PolynomialFeatures(2, include_bias=False)
    return (
        csr_array(curves.fit_transform(scaler.fit_transform(lengths(train)))),
        csr_array(curves.transform(scaler.transform(lengths(test)))),
    )


def _fitted(features: Features, labels: Sequence[str], *, seed: int) -> Floats:
    classifier = LogisticRegression(C=4.0, class_weight="balanced", max_iter=100, tol=1e-5, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # on 91,000 rows 300 steps scored no better than 100
        classifier.fit(features[0], labels)
    probabilities = np.zeros((features[1].shape[0], len(LABELS)))
    probabilities[:, [LABELS.index(label) for label in classifier.classes_]] = classifier.predict_proba(features[1])
    return probabilities


def _majority(train: Sequence[Claim], test: Sequence[Claim], key: Callable[[Claim], Any]) -> Floats:
    """How labels lie among train rows of the same key; where there are none, of the same corpus, then of all."""
    counts: dict[Any, Counter[str]] = {}
    for claim in train:
        for place in {(0, key(claim)), (1, claim.corpus), (2, None)}:
            counts.setdefault(place, Counter())[str(claim.label)] += 1
    rows = []
    for claim in test:
        places: list[Any] = [] if key(claim) is None else [(0, key(claim))]
        met: Mapping[str, int] = next(counts[p] for p in [*places, (1, claim.corpus), (2, None)] if p in counts)
        total = sum(met.values())
        rows.append([met.get(label, 0) / total for label in LABELS])
    return np.array(rows)
