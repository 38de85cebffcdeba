"""From weights on stretches of rendered text to weights on the words of a claim, its evidence, their sources and dates.

A word is a run of characters without white space, with the punctuation that clings to it; in Chinese and Japanese,
which set no spaces, each character is one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from claimsieve.data.parts import Part, rendered_parts
from claimsieve.models.attributions import Attributions, Floats, Places
from claimsieve.records import Claim, InputField

DUST = 1e-9  # sums run over whole batches: a weight below this is rounding

_REST_OF_WORD = re.compile(r"\S{0,100}")
_LAST_SPACE = 0x3000
_IS_SPACE = np.array([chr(code).isspace() for code in range(_LAST_SPACE + 1)] + [False])
_UNSPACED = ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))  # kana, Han

Codes = npt.NDArray[np.uint32]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Words:
    """Every word that a model read, in the order of rows and of the rendered text. Shape of the arrays: (words,)

    parts: the fields that they stand in, and part_rows the row of each. of_part: which part a word stands in. starts,
    ends: in characters of the part's own text. rows: places in the batch.
    """

    parts: list[Part]
    part_rows: Places
    of_part: Places
    starts: Places
    ends: Places
    weights: Floats

    @property
    def rows(self) -> Places:
        return self.part_rows[self.of_part]


def words_of(claims: Sequence[Claim], inputs: Sequence[InputField], found: Attributions) -> Words:
    """The words of a batch's claims, with the sum of what is attributed to their characters.

    claims: those of found.rows, in that order. A stretch's weight is spread evenly over its characters, without white
    space and without what joins the fields; what has no such character, as [CLS], belongs to no word.
    """
    read = np.zeros(2 * len(claims), dtype=np.int64)
    np.maximum.at(read, found.texts, found.ends)
    shown, texts, read = _parts_read(claims, inputs, read)
    bases = np.concatenate([[0], np.cumsum(read)])
    part_starts = bases[texts] + np.array([part.start for part in shown], dtype=np.int64)
    codes = _codes(shown, part_starts, bases[texts + 1], size=int(bases[-1]))
    inside = ~_IS_SPACE[np.minimum(codes, _LAST_SPACE + 1)]
    first, last = _edges(codes, inside, part_starts)
    sums = np.concatenate([[0.0], np.cumsum(_on_characters(found, bases, inside))])
    of_part = np.searchsorted(part_starts, first, side="right") - 1
    return Words(
        parts=shown,
        part_rows=texts // 2,
        of_part=of_part,
        starts=first - part_starts[of_part],
        ends=last + 1 - part_starts[of_part],
        weights=sums[last + 1] - sums[first],
    )


def _parts_read(
    claims: Sequence[Claim], inputs: Sequence[InputField], read: Places
) -> tuple[list[Part], Places, Places]:
    """The parts of which anything was read, their texts, and how far each text was read, to the end of its last word.

    read: how far a model read each text, in characters. Shape: (2 * claims,)
    """
    shown, texts = [], []
    limits = read.tolist()
    for row, claim in enumerate(claims):
        for part in rendered_parts(claim, inputs):
            text = 2 * row + part.side
            if part.start < limits[text] and part.text:
                rest = _REST_OF_WORD.match(part.text, limits[text] - part.start)
                limits[text] = max(limits[text], part.start + rest.end() if rest else 0)
                shown.append(part)
                texts.append(text)
    return shown, np.array(texts, dtype=np.int64), np.array(limits, dtype=np.int64)


def _codes(shown: list[Part], part_starts: Places, limits: Places, *, size: int) -> Codes:
    """All texts as far as they were read, one after another, as code points; spaces where fields are joined."""
    pieces, end = [], 0
    for part, start, limit in zip(shown, part_starts.tolist(), limits.tolist(), strict=True):
        pieces.append(" " * (start - end))
        pieces.append(part.text[: limit - start])
        end = start + len(pieces[-1])
    pieces.append(" " * (size - end))
    return np.frombuffer("".join(pieces).encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _edges(codes: Codes, inside: Booleans, part_starts: Places) -> tuple[Places, Places]:
    """Where words begin, and the last character of each."""
    alone = np.zeros_like(inside)
    for low, high in _UNSPACED:
        alone |= (codes >= low) & (codes <= high)
    begins = ~inside | alone
    begins[1:] |= begins[:-1]  # after white space or a character that is a word
    begins[:1] = True
    begins[part_starts] = True
    begins &= inside
    ends = np.ones_like(inside)
    ends[:-1] = ~inside[1:] | begins[1:]
    return np.flatnonzero(begins), np.flatnonzero(ends & inside)


def _on_characters(found: Attributions, bases: Places, inside: Booleans) -> Floats:
    """The weight of each character of all texts one after another."""
    counted = np.concatenate([[0], np.cumsum(inside)])
    starts, ends = bases[found.texts] + found.starts, bases[found.texts] + found.ends
    characters = counted[ends] - counted[starts]
    each = np.where(characters > 0, found.weights / np.maximum(characters, 1), 0.0)
    steps = np.bincount(starts, each, len(counted)) - np.bincount(ends, each, len(counted))
    weights: Floats = np.cumsum(steps)[:-1] * inside
    return weights
