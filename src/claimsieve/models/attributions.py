"""What each stretch of the text that a model read adds to its answer: one form for every kind of model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
# Of one pass: rows, their logits, and each token's text, start, end and weight (Transformer.attributed).
Tokens = tuple[Places, Floats, Places, Places, Places, Floats]


@dataclass(frozen=True, slots=True)
class Attributions:
    """Of one batch of b claims: what the model answers, and m stretches of their rendered texts with a weight each.

    rows: which of the claims these are. Shape: (b,). answers: as Model.answers gives them. Shape: (b, 3 + heads)
    texts: 2 * (place in `rows`) + side, with the sides of data.parts. starts, ends: in characters of that text.
    weights: what the stretch adds to the log-odds of the label chosen. Stretches may overlap and come in any order;
    what several add to one character is summed. Shape of these four: (m,)
    """

    rows: Places
    answers: Floats
    texts: Places
    starts: Places
    ends: Places
    weights: Floats


def gathered(passes: Iterable[Tokens], rows: Places, answers: Floats) -> Attributions:
    """The tokens of all passes as one batch."""
    found = list(passes)
    texts, starts, ends = (
        np.concatenate([np.zeros(0, dtype=np.int64), *(part[place] for part in found)]) for place in (2, 3, 4)
    )
    weights = np.concatenate([np.zeros(0), *(part[5] for part in found)])
    return Attributions(rows, answers, texts, starts, ends, weights)


def softmax(logits: Floats) -> Floats:
    """Shape: (n, labels) -> (n, labels)"""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def towards_chosen(logits: Floats, chosen: Places | None = None) -> Floats:
    """The gradient of the chosen label's log-odds, log p / (1 - p), in the logits. Shape: (n, labels) -> (n, labels)

    chosen: places of the labels; -1, as for all where it is None: the most probable. Shape: (n,)
    It is 1 for the label chosen and minus the share that each other one has of the remaining probability; so the sum
    of gradient times logits is the chosen label's logit less the others' mean. Unlike the gradient of the probability,
    or of its logarithm, it does not fade where a model is sure.
    """
    places = logits.argmax(axis=1) if chosen is None else np.where(chosen < 0, logits.argmax(axis=1), chosen)
    one = np.eye(logits.shape[1], dtype=bool)[places]
    others = softmax(np.where(one, -np.inf, logits))
    direction: Floats = np.where(one, 1.0, -others)
    return direction


def flat_offsets(offsets: Sequence[Sequence[tuple[int, int]]]) -> Places:
    """Start and end of all tokens of all rows, one after another. Shape: (tokens, 2)"""
    numbers = chain.from_iterable(chain.from_iterable(offsets))
    return np.fromiter(numbers, dtype=np.int64, count=2 * sum(map(len, offsets))).reshape(-1, 2)
