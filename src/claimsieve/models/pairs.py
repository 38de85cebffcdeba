"""Claims and evidence as sequences of token ids for a transformer, and padded batches of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from claimsieve.data.inputs import render_claim, render_passages
from claimsieve.errors import ModelError
from claimsieve.models.passages import evidence_pieces, in_pieces
from claimsieve.models.words import TokenIds
from claimsieve.records import Claim, InputField


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pieces of all claims as token ids, and which claim each belongs to.

    ids, segments: one list a piece; segments is None where the tokenizer makes none. owners: the claim of each piece,
    from 0; every claim has at least one. count: of claims. cut: those that are themselves too long for the window, or
    for half of it beside long evidence, and read without their end.
    """

    ids: list[list[int]]
    segments: list[list[int]] | None
    owners: np.ndarray
    count: int
    cut: list[int]

    @property
    def in_pieces(self) -> list[int]:
        """The claims whose evidence is read in several pieces."""
        return in_pieces(self.owners, self.count)


@dataclass(frozen=True, slots=True)
class _Template:
    """The special tokens around the first and the second text, and the segment of each of these five parts."""

    before: list[int]
    between: list[int]
    after: list[int]
    segments: tuple[list[int], int, list[int], int, list[int]]

    def filled(self, first: list[int], second: list[int]) -> list[int]:
        return [*self.before, *first, *self.between, *second, *self.after]

    def filled_segments(self, first: int, second: int) -> list[int]:
        """For so many tokens of each text."""
        before, of_first, between, of_second, after = self.segments
        return [*before, *[of_first] * first, *between, *[of_second] * second, *after]


class PairEncoder:
    """Makes `Pairs` of claims, put together as the tokenizer itself does it.

    tokenizer: of transformers, backed by the `tokenizers` library. max_tokens: of a piece, special tokens included.
    Evidence that does not fit beside its claim is read in pieces (models/passages.py), the claim with each of them. A
    claim is cut only where it takes more than half of the window and does not fit whole.
    """

    def __init__(self, tokenizer: Any, *, inputs: Sequence[InputField], max_tokens: int) -> None:
        self._inputs = tuple(inputs)
        self._paired = "evidence" in self._inputs
        self._token_ids = TokenIds(tokenizer.backend_tokenizer)
        self._template = _template(tokenizer.backend_tokenizer, paired=self._paired)
        self._segmented = "token_type_ids" in tokenizer.model_input_names
        template = self._template
        self._room = max_tokens - len(template.before) - len(template.between) - len(template.after)

    def __call__(self, claims: Sequence[Claim]) -> Pairs:
        passages = [render_passages(claim, self._inputs) for claim in claims]
        firsts = self._token_ids([render_claim(claim, self._inputs) for claim in claims])
        seconds = self._token_ids([" ".join(texts) for texts in passages]) if self._paired else [[]] * len(claims)
        ids: list[list[int]] = []
        segments: list[list[int]] = []
        owners: list[int] = []
        cut: list[int] = []
        for row, (first, second) in enumerate(zip(firsts, seconds, strict=True)):
            room = max(self._room // 2, self._room - len(second))
            if len(first) > room:
                cut.append(row)
                first = first[:room]
            pieces = [second]
            if len(first) + len(second) > self._room:
                pieces = evidence_pieces(passages[row], room=self._room - len(first), units=self._ids_of, whole=second)
            for piece in pieces:
                ids.append(self._template.filled(first, piece))
                if self._segmented:
                    segments.append(self._template.filled_segments(len(first), len(piece)))
                owners.append(row)
        owned = np.array(owners, dtype=np.int64)
        return Pairs(ids, segments if self._segmented else None, owned, len(claims), cut)

    def _ids_of(self, text: str) -> list[int]:
        return self._token_ids([text])[0]


def _template(tokenizer: Any, *, paired: bool) -> _Template:
    """Read off what the tokenizer makes of a text, or of a pair of texts, of one letter."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    probe = tokenizer.encode("a", "a" if paired else None)
    places = {side: [i for i, of in enumerate(probe.sequence_ids) if of == side] for side in (0, 1)}
    if not places[0] or (paired and not places[1]):
        raise ModelError("expected a tokenizer that reads the letter a, found that it leaves nothing of it.")
    first, end = places[0][0], places[0][-1] + 1
    second, last = (places[1][0], places[1][-1] + 1) if paired else (len(probe.ids), len(probe.ids))
    ids, types = probe.ids, probe.type_ids
    parts = (types[:first], types[first], types[end:second], types[second] if paired else 0, types[last:])
    return _Template(ids[:first], ids[end:second], ids[last:], parts)
