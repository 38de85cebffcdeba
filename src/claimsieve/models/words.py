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
        described = tokenizer.to_str()
        # One of its own: another thread may set the given one to cut, as explanations do while the next rows are read.
        self._tokenizer = type(tokenizer).from_str(described)
        self._by_word = splits_at_spaces(json.loads(described))
        self._words: dict[str, list[int]] = {}
        self._lock = threading.Lock()  # the library refuses a tokenizer that another thread is setting up

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """A list of ids for each text."""
        with self._lock:
            if not self._by_word:
                return self._read(texts)
            known = self._words
            rows = [text.split(" ") for text in texts]
            unknown = list(set(chain.from_iterable(rows)).difference(known))
            known |= zip(unknown, self._read(unknown), strict=True)
            result = [list(chain.from_iterable(map(known.__getitem__, row))) for row in rows]
            for word in unknown:
                if len(word) > _MAX_WORD_CHARACTERS:
                    del known[word]
            if len(known) > _MAX_WORDS:
                known.clear()
            return result

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
        # Any white space: the normaliser makes a space of it, in the token as in the text.
        token["content"].split() == [token["content"]]
        and not (token["lstrip"] or token["rstrip"] or token["single_word"])
        for token in description.get("added_tokens", ())
    )
