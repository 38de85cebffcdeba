"""TF-IDF features of many texts from a fitted scikit-learn vectoriser, with what it makes of a word kept in memory."""

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

_MAX_WORDS = 100_000  # some 40 MB
_MAX_WORD_CHARACTERS = 40  # longer ones (links, runs of signs) rarely come twice


class Ngrams:
    """`transform` as the vectoriser's own, several times as quick for character n-grams, which never leave a word.

    vectoriser: fitted, with sublinear_tf and the l2 norm; of words, or of characters within words (char_wb).
    """

    def __init__(self, vectoriser: TfidfVectorizer) -> None:
        self._vectoriser = vectoriser
        self._analyse: Callable[[str], list[str]] = vectoriser.build_analyzer()
        self._place = vectoriser.vocabulary_.get
        self._by_word = vectoriser.analyzer == "char_wb"
        self._words: dict[str, list[int]] = {}

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """Shape: (texts, features), float64, rows of length 1 or 0."""
        rows = [self._of_words(text.split()) if self._by_word else self._places(text) for text in texts]
        ends = np.cumsum([0, *map(len, rows)])
        places = np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=int(ends[-1]))
        shape = (len(rows), len(self._vectoriser.vocabulary_))
        counts = csr_matrix((np.ones(len(places)), places, ends), shape=shape)
        counts.sum_duplicates()
        counts.data = (np.log(counts.data) + 1.0) * self._vectoriser.idf_[counts.indices]
        return csr_matrix(normalize(counts, norm="l2", copy=False)) if rows else counts

    def _of_words(self, words: Sequence[str]) -> list[int]:
        if len(self._words) > _MAX_WORDS:
            self._words = {}
        return list(chain.from_iterable(self._of_word(word) for word in words))

    def _of_word(self, word: str) -> list[int]:
        found = self._words.get(word)
        if found is None:
            found = self._places(word)
            if len(word) <= _MAX_WORD_CHARACTERS:
                self._words[word] = found
        return found

    def _places(self, text: str) -> list[int]:
        return [place for term in self._analyse(text) if (place := self._place(term)) is not None]
