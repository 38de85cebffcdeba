"""N-grams: what scikit-learn's solver needs to be told."""

import random

from claimsieve.models.tfidf import TfidfModel
from claimsieve.records import LABELS, Claim


def test_balanced_labels_are_learnt_though_their_gradient_is_small_from_the_start():
    draw = random.Random(0)
    words = [f"word{number}" for number in range(400)]
    claims = [
        Claim(claim=" ".join([*draw.sample(words, 12), ("rose", "fell")[row % 2]]), label=LABELS[row % 2 * 2])
        for row in range(2_000)
    ]
    model = TfidfModel(inputs=("claim",), max_char_ngram=2)
    for _ in model.fit(claims[:1_500], valid=claims[1_500:]):
        pass
    called = [LABELS[place] for place in model.predict_proba(claims[1_500:]).argmax(axis=1)]
    assert sum(label == claim.label for label, claim in zip(called, claims[1_500:], strict=True)) > 490
