"""N-grams: what scikit-learn's solver needs to be told."""

import random

from claimsieve.models.tfidf import TfidfModel
from claimsieve.records import LABELS, Claim


def test_balanced_labels_are_learnt_though_their_gradient_is_small_from_the_start():
    """Each label has many words of its own, so no single one pulls: a loose tolerance is met before the first step."""
    draw = random.Random(0)
    own = [["".join(draw.choices("abcdefghij", k=8)) for _ in range(600)] for _ in range(2)]
    common = ["".join(draw.choices("abcdefghij", k=8)) for _ in range(400)]
    claims = [
        Claim(claim=" ".join([*draw.sample(common, 12), draw.choice(own[row % 2])]), label=LABELS[row % 2 * 2])
        for row in range(4_000)
    ]
    model = TfidfModel(inputs=("claim",), max_word_ngram=1, max_char_ngram=2)
    for _ in model.fit(claims[:3_000], valid=claims[3_000:]):
        pass
    called = [LABELS[place] for place in model.predict_proba(claims[3_000:]).argmax(axis=1)]
    assert sum(label == claim.label for label, claim in zip(called, claims[3_000:], strict=True)) > 780
