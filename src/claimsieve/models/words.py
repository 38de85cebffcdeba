"""Token ids of many texts: word by word from memory where the tokenizer allows it, which is ten times as quick."""

import json
import threading
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

_MAX_WORDS = 250_000  # some 60 MB; what a language has in use is a fraction of it
_MAX_WORD_CHARACTERS = 40  # longer ones (links, runs of signs) rarely come twice


class TokenIds:
    """Ids of texts without special tokens, the same as the tokenizer's own; may be asked from several threads.

    tokenizer: of the `tokenizers` library. A BERT tokenizer never looks across a space, so what it makes of a word is
    kept; the others read every text anew.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._by_word = splits_at_spaces(json.loads(tokenizer.to_str()))
        self._words: dict[str, list[int]] = {}
        self._lock = threading.Lock()  # the library refuses a tokenizer that another thread is setting up

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """A list of ids for each text."""
        with self._lock:
            if not self._by_word:
                return self._read(texts)
            if len(self._words) > _MAX_WORDS:
                self._words = {}
            rows = [text.split(" ") for text in texts]
            unknown = list(set(chain.from_iterable(rows)).difference(self._words))
            read = dict(zip(unknown, self._read(unknown), strict=True))
            short = {word: ids for word, ids in read.items() if len(word) <= _MAX_WORD_CHARACTERS}
            self._words |= short
            ids_of = (self._words if len(short) == len(read) else self._words | read).__getitem__
            return [list(chain.from_iterable(map(ids_of, row))) for row in rows]

    def _read(self, texts: Sequence[str]) -> list[list[int]]:
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        return [found.ids for found in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


def splits_at_spaces(description: Mapping[str, Any]) -> bool:
    """Whether the ids of two words with a space between them are those of the first, then those of the second.

    description: of a tokenizer, as its tokenizer.json has it.
    """
    kinds = {name: (description.get(name) or {}).get("type") for name in ("normalizer", "pre_tokenizer", "model")}
    return kinds == {"normalizer": "BertNormalizer", "pre_tokenizer": "BertPreTokenizer", "model": "WordPiece"} and all(
        " " not in token["content"] and not (token["lstrip"] or token["rstrip"] or token["single_word"])
        for token in description.get("added_tokens", ())
    )
