"""Exact attributions for n-grams with a linear layer: every feature's share of the logits, back where it was read.

The places of n-grams are found once, and their counts are the features: this takes hardly longer than features alone.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from claimsieve.models.attributions import Attributions, Floats, Places, softmax, towards_chosen

_MAX_WORDS_KEPT = 50_000  # in n-grams, about a kilobyte each

Cuts = dict[str, dict[str, Places]]  # block -> word -> its n-grams: feature, start and end in the word. Shape: (k, 3)


class _Found(NamedTuple):
    """Where n-grams stand in normalised texts. Shape of each: (occurrences,)

    An n-gram of k words is k stretches of one word each, with `parts` k.
    """

    texts: Places
    features: Places
    starts: Places
    ends: Places
    parts: Places


class _Features(NamedTuple):
    """Which text has which feature, how often, and its value. Shape: (features,). of_stretch: the feature of each."""

    rows: Places
    columns: Places
    counts: Floats
    values: Floats
    of_stretch: Places


def attribute(
    sides: Mapping[str, Sequence[str]],
    blocks: Mapping[str, Any],
    coefficients: Floats,
    intercepts: Floats,
    *,
    rows: Places,
    cuts: Cuts,
    chosen: Places | None = None,
) -> Attributions:
    """What n-grams add to the logit of the chosen label less the others', by the places where they stand.

    sides: the texts of 'claim' and of 'evidence'. blocks: a fitted TfidfVectorizer for each '<side>_<unit>', in the
    order of the columns of `coefficients` (labels, features). cuts: what is kept from one batch to the next, empty at
    first. chosen: as for towards_chosen.
    A feature's value times its coefficients is shared out evenly over its occurrences; that of several words evenly
    over them; that of characters is spread over them. So the weights of a row, with the direction times
    `intercepts`, sum to the direction times the logits.
    """
    logits = np.tile(intercepts, (len(rows), 1))
    read = []
    first_column = 0
    for name, block in blocks.items():
        side, _, unit = name.partition("_")
        weights = coefficients[:, first_column : first_column + len(block.vocabulary_)].T
        first_column += len(weights)
        texts, origins, bases = _normalised(sides[side], block)
        found = _words(texts, block) if unit == "word" else _characters(texts, block, cuts.setdefault(name, {}))
        features = _features(found, block, n=len(rows))
        logits += csr_matrix((features.values, (features.rows, features.columns)), (len(rows), len(weights))) @ weights
        starts, ends = origins[bases[found.texts] + found.starts], origins[bases[found.texts] + found.ends - 1] + 1
        read.append((2 * found.texts + (side == "evidence"), starts, ends, features, weights, found.parts))
    direction = towards_chosen(logits, chosen)
    columns = [_whole(texts, side=side) for side, texts in enumerate(sides.values())]
    for at, starts, ends, features, weights, parts in read:
        added = features.values * np.einsum("ij,ij->i", direction[features.rows], weights[features.columns])
        columns.append((at, starts, ends, (added / features.counts)[features.of_stretch] / parts))
    at, starts, ends, shares = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Attributions(rows, softmax(logits), at, starts, ends, shares)


def _features(found: _Found, block: Any, *, n: int) -> _Features:
    """As TfidfVectorizer makes them with sublinear_tf and the l2 norm, from the same counts."""
    keys, of_stretch = np.unique(found.texts * len(block.vocabulary_) + found.features, return_inverse=True)
    rows, columns = np.divmod(keys, len(block.vocabulary_))
    counts = np.rint(np.bincount(of_stretch, 1 / found.parts))
    values = (1 + np.log(counts)) * block.idf_[columns]
    values /= np.sqrt(np.bincount(rows, values**2, minlength=n))[rows]
    return _Features(rows, columns, counts, values, of_stretch)


def _whole(texts: Sequence[str], *, side: int) -> tuple[Places, Places, Places, Floats]:
    """All of a text weighs nothing more, but was read, also where no n-gram is known."""
    ends = np.array([len(text) for text in texts], dtype=np.int64)
    return 2 * np.arange(len(texts)) + side, np.zeros_like(ends), ends, np.zeros(len(texts))


def _normalised(texts: Sequence[str], block: Any) -> tuple[list[str], Places, Places]:
    """Texts as the vectoriser reads them; of each of their characters the place in the text; where each text begins."""
    normalise = block.build_preprocessor()
    read = [normalise(text) for text in texts]
    origins = [
        np.arange(len(text))
        if text.isascii()
        else np.repeat(np.arange(len(text)), np.fromiter(map(_WIDTHS.__getitem__, text), np.int64, len(text)))
        for text in texts
    ]
    bases = np.concatenate([[0], np.cumsum([len(text) for text in read])])
    return read, np.concatenate(origins), bases


class _Widths(dict[str, int]):
    """How many characters are left of one that is lowered and loses its accents: 'ﬁ' 2, 'É' 1, a lone accent 0."""

    def __missing__(self, character: str) -> int:
        decomposed = unicodedata.normalize("NFKD", character.lower())
        self[character] = width = sum(not unicodedata.combining(each) for each in decomposed)
        return width


_WIDTHS = _Widths()


def _words(texts: Sequence[str], block: Any) -> _Found:
    vocabulary, (shortest, longest) = block.vocabulary_, block.ngram_range
    tokens = re.compile(block.token_pattern)
    found: list[tuple[int, int, int, int, int]] = []
    for number, text in enumerate(texts):
        spans = [match.span() for match in tokens.finditer(text)]
        words = [text[start:end] for start, end in spans]
        for size in range(shortest, longest + 1):
            for place in range(len(words) - size + 1):
                feature = vocabulary.get(" ".join(words[place : place + size]))
                if feature is not None:
                    found += [(number, feature, start, end, size) for start, end in spans[place : place + size]]
    return _Found(*np.array(found, dtype=np.int64).reshape(-1, 5).T)


def _characters(texts: Sequence[str], block: Any, known: dict[str, Places]) -> _Found:
    """Each word is cut into n-grams once, which are looked up at all its places together."""
    tokens = re.compile(r"\S+")
    numbers: dict[str, int] = {}
    of_text, of_word, begins = [], [], []
    for number, text in enumerate(texts):
        for match in tokens.finditer(text):
            of_text.append(number)
            of_word.append(numbers.setdefault(match.group(), len(numbers)))
            begins.append(match.start())
    if len(known) > _MAX_WORDS_KEPT:
        known.clear()
    for word in numbers:
        if word not in known:
            known[word] = _cut(word, block)
    sizes = np.array([len(known[word]) for word in numbers], dtype=np.int64)
    table = np.concatenate([np.zeros((0, 3), dtype=np.int64), *(known[word] for word in numbers)])
    words = np.array(of_word, dtype=np.int64)
    counts = sizes[words]
    # Of each occurrence of a word the rows of the table that are its own.
    firsts = np.repeat((np.cumsum(sizes) - sizes)[words] - (np.cumsum(counts) - counts), counts)
    features, starts, ends = table[firsts + np.arange(len(firsts))].T
    begin = np.repeat(np.array(begins, dtype=np.int64), counts)
    ones = np.ones_like(features)
    return _Found(np.repeat(np.array(of_text, dtype=np.int64), counts), features, begin + starts, begin + ends, ones)


def _cut(word: str, block: Any) -> Places:
    """Feature, start and end in the word of its n-grams, which char_wb takes with a space at each end. Shape: (k, 3)"""
    vocabulary, (shortest, longest) = block.vocabulary_, block.ngram_range
    padded = f" {word} "
    found = []
    for size in range(shortest, longest + 1):
        for place in range(max(1, len(padded) - size + 1)):
            feature = vocabulary.get(padded[place : place + size])
            if feature is not None:
                found.append((feature, place - 1, place - 1 + size))
        if len(padded) <= size:  # a word that is no longer is one n-gram, and is not counted again
            break
    cut = np.array(found, dtype=np.int64).reshape(-1, 3)
    np.clip(cut[:, 1:], 0, len(word), out=cut[:, 1:])
    return cut
