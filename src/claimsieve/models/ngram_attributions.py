"""Exact attributions for n-grams with a linear layer: every feature's share of the logits, back where it was read."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix, hstack

from claimsieve.models.attributions import Attributions, Floats, Places, softmax, towards_chosen


class _Found(NamedTuple):
    """Where n-grams stand in normalised texts, and the part of a feature's weight that belongs to each stretch.

    An n-gram of k words is k stretches of 1 / k each. Shape: (occurrences,)
    """

    texts: Places
    features: Places
    starts: Places
    ends: Places
    parts: Places


def attribute(
    sides: Mapping[str, Sequence[str]],
    blocks: Mapping[str, Any],
    coefficients: Floats,
    intercepts: Floats,
    *,
    rows: Places,
) -> Attributions:
    """What n-grams add to the logit of the chosen label less the others', by the places where they stand.

    sides: the texts of 'claim' and of 'evidence'. blocks: a fitted TfidfVectorizer for each '<side>_<unit>', in the
    order of the columns of `coefficients` (labels, features). A feature's value times its coefficients is shared out
    evenly over its occurrences; that of several words evenly over them; that of characters is spread over them. So
    the weights of a row, with the direction times `intercepts`, sum to the direction times the logits.
    """
    matrices = {name: block.transform(sides[name.partition("_")[0]]) for name, block in blocks.items()}
    logits = csr_matrix(hstack(list(matrices.values()), format="csr")) @ coefficients.T + intercepts
    direction = towards_chosen(logits)
    found = [_whole(texts, side=side) for side, texts in enumerate(sides.values())]
    first_column = 0
    for name, block in blocks.items():
        side, _, unit = name.partition("_")
        columns = slice(first_column, first_column + matrices[name].shape[1])
        first_column = columns.stop
        places, origins, bases = _normalised(sides[side], block)
        occurrences = (_words if unit == "word" else _characters)(places, block)
        weights = _shares(matrices[name], occurrences, direction, coefficients[:, columns])
        starts = origins[bases[occurrences.texts] + occurrences.starts]
        ends = origins[bases[occurrences.texts] + occurrences.ends - 1] + 1
        found.append((2 * occurrences.texts + (side == "evidence"), starts, ends, weights))
    texts, starts, ends, weights = (np.concatenate(column) for column in zip(*found, strict=True))
    return Attributions(rows, softmax(logits), texts, starts, ends, weights)


def _whole(texts: Sequence[str], *, side: int) -> tuple[Places, Places, Places, Floats]:
    """All of a text weighs nothing more, but was read, also where no n-gram is known."""
    ends = np.array([len(text) for text in texts], dtype=np.int64)
    return 2 * np.arange(len(texts)) + side, np.zeros_like(ends), ends, np.zeros(len(texts))


def _shares(matrix: Any, found: _Found, direction: Floats, coefficients: Floats) -> Floats:
    """What each occurrence adds: its feature's value times coefficients, over how often the feature stands there."""
    matrix.sort_indices()
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    added = matrix.data * np.einsum("ij,ij->i", direction[rows], coefficients.T[matrix.indices])
    width = matrix.shape[1]
    places = np.searchsorted(rows * width + matrix.indices, found.texts * width + found.features)
    per_part = added / np.maximum(np.bincount(places, 1 / found.parts, minlength=len(added)), 1)
    shares: Floats = per_part[places] / found.parts
    return shares


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


def _characters(texts: Sequence[str], block: Any) -> _Found:
    """Each word that occurs is cut into n-grams once; then all its occurrences are looked up together."""
    tokens = re.compile(r"\S+")
    known: dict[str, int] = {}
    numbers, words, begins = [], [], []
    for number, text in enumerate(texts):
        for match in tokens.finditer(text):
            numbers.append(number)
            words.append(known.setdefault(match.group(), len(known)))
            begins.append(match.start())
    cut = [_cut(word, block) for word in known]
    sizes = np.array([len(grams) for grams in cut], dtype=np.int64)
    table = np.array([gram for grams in cut for gram in grams], dtype=np.int64).reshape(-1, 3)
    of_word = np.array(words, dtype=np.int64)
    counts = sizes[of_word]
    # Of each occurrence of a word the rows of the table that are its own.
    firsts = np.repeat((np.cumsum(sizes) - sizes)[of_word] - (np.cumsum(counts) - counts), counts)
    features, starts, ends = table[firsts + np.arange(len(firsts))].T
    begin = np.repeat(np.array(begins, dtype=np.int64), counts)
    ones = np.ones_like(features)
    return _Found(np.repeat(np.array(numbers, dtype=np.int64), counts), features, begin + starts, begin + ends, ones)


def _cut(word: str, block: Any) -> list[tuple[int, int, int]]:
    """Feature, start and end in the word of its n-grams, which char_wb takes with a space at each end."""
    vocabulary, (shortest, longest) = block.vocabulary_, block.ngram_range
    padded = f" {word} "
    found = []
    for size in range(shortest, longest + 1):
        for place in range(max(1, len(padded) - size + 1)):
            feature = vocabulary.get(padded[place : place + size])
            if feature is not None:
                found.append((feature, max(place - 1, 0), min(place + size - 1, len(word))))
        if len(padded) <= size:  # a word that is no longer is one n-gram, and is not counted again
            break
    return found
