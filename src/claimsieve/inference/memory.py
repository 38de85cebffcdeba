"""What a model said of inputs that it has met: identical ones are computed once, within bounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from claimsieve.data.inputs import render_claim, render_passages
from claimsieve.inference.decide import MAX_PASSAGES, Judged
from claimsieve.models.axes import AXES
from claimsieve.records import LABELS, Claim, InputField

CAPACITY = 131_072  # inputs kept; some 35 MB
_KEY_BYTES = 16
_MOST_ANSWERS = len(LABELS) + len(AXES)  # of a model with heads; the others leave the last ones empty
ENTRY = np.dtype([("key", f"V{_KEY_BYTES}"), ("answers", "<f8", _MOST_ANSWERS), ("alone", "u1", MAX_PASSAGES)])


def key_of(claim: Claim, inputs: Sequence[InputField]) -> bytes:
    """16 bytes that stand for what a model with these inputs sees of a claim, and for nothing else it is ever shown."""
    texts = [render_claim(claim, inputs), *render_passages(claim, inputs)]
    # The lengths come first, so that no text can be taken for two.
    written = ",".join(str(len(text)) for text in texts) + ":" + "".join(texts)
    return blake2b(written.encode(), digest_size=_KEY_BYTES).digest()


@dataclass(frozen=True, slots=True)
class Places:
    """Where the answers of a window's rows come from. slots: of the memory, or -1. news: place among the new, or -1."""

    slots: NDArray[np.int64]
    news: NDArray[np.int64]
    keys: list[bytes]  # of the new ones
    rows: list[int]  # where each new one is met first


class Memory:
    """The answers to the last `capacity` different inputs; the first in is the first out.

    `places` is asked window after window, `answers` in the same order; the first may run ahead in another thread.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._entries = np.zeros(capacity, dtype=ENTRY)
        self._slots: dict[bytes, int] = {}
        self._ring = [b""] * capacity  # the key of each slot
        self._asked = 0  # inputs that were given a slot, ever
        self._filled = 0

    def places(self, keys: Sequence[bytes]) -> Places:
        """Which rows are known, and which are new, each new input once."""
        slots = np.full(len(keys), -1, dtype=np.int64)
        news = np.full(len(keys), -1, dtype=np.int64)
        first: dict[bytes, int] = {}
        rows: list[int] = []
        for row, key in enumerate(keys):
            if (slot := self._slots.get(key)) is not None:
                slots[row] = slot
                continue
            if key not in first:
                first[key] = len(rows)
                rows.append(row)
            news[row] = first[key]
        self._reserve(list(first))
        return Places(slots, news, list(first), rows)

    def answers(self, places: Places, new: Judged) -> tuple[Judged, bytes]:
        """What is said of every row, given what is said of the new ones; and the entries to keep for `restore`."""
        known = places.slots >= 0
        width = new.answers.shape[1]
        answers = np.empty((len(places.slots), width))
        alone = np.empty((len(places.slots), MAX_PASSAGES), dtype=np.uint8)
        # Read before the new ones are filled in: they may take these places.
        answers[known] = self._entries["answers"][places.slots[known], :width]
        alone[known] = self._entries["alone"][places.slots[known]]
        answers[~known] = new.answers[places.news[~known]]
        alone[~known] = new.alone[places.news[~known]]
        entries = np.zeros(len(places.keys), dtype=ENTRY)
        entries["key"] = np.frombuffer(b"".join(places.keys), dtype=f"V{_KEY_BYTES}")
        entries["answers"][:, :width], entries["alone"] = new.answers, new.alone
        self._fill(entries)
        return Judged(answers, alone), entries.tobytes()

    @classmethod
    def restored(cls, entries: bytes) -> "Memory":
        """As it was before a stop. entries: what `answers` gave then, the last of it."""
        memory = cls()
        found = np.frombuffer(entries, dtype=ENTRY)
        memory._reserve([bytes(key) for key in found["key"]])
        memory._fill(found)
        return memory

    @staticmethod
    def kept(path: Path) -> bytes:
        """Of a file of entries, those that are still remembered."""
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - CAPACITY * ENTRY.itemsize))
            return stream.read()

    def _reserve(self, keys: Sequence[bytes]) -> None:
        capacity = len(self._entries)
        for key in keys:
            slot = self._asked % capacity
            if self._asked >= capacity:
                old = self._ring[slot]  # the dictionary's own first key would be sought among gaps
                if self._slots.get(old) == slot:  # workers with memories of their own keep one input twice
                    del self._slots[old]
            self._ring[slot] = key
            self._slots[key] = slot
            self._asked += 1

    def _fill(self, entries: NDArray[Any]) -> None:
        capacity = len(self._entries)
        kept = entries[-capacity:]
        places = (self._filled + len(entries) - len(kept) + np.arange(len(kept))) % capacity
        self._entries[places] = kept
        self._filled += len(entries)
