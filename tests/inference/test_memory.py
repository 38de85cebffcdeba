"""Identical inputs are computed once, within bounds, and a memory that was put away knows what it knew."""

from collections import OrderedDict, deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.inputs import render_claim, render_passages
from claimsieve.inference import memory
from claimsieve.inference.decide import MAX_PASSAGES, Judged
from claimsieve.inference.memory import ENTRY, Memory, key_of
from claimsieve.records import LABELS, Claim, Evidence

ALL_INPUTS = ("claim", "evidence", "source", "date")


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def said_of(numbers: list[int], computing: int) -> Judged:
    """What a model says of inputs, told apart by the input and by the window that computed it."""
    raw = np.array([[number, computing, number * 1_000 + computing] for number in numbers], dtype=float)
    return Judged(raw.reshape(-1, len(LABELS)), np.full((len(numbers), MAX_PASSAGES), computing % 256, dtype=np.uint8))


class Remembering:
    """The same in a few lines of plain Python: a dictionary that throws out what came in first."""

    def __init__(self, capacity: int) -> None:
        self.capacity, self.known = capacity, OrderedDict()

    def window(self, numbers: list[int], computing: int) -> tuple[list[int], list[int]]:
        """Which inputs are new, and which window computed each row's answer."""
        new = [number for number in dict.fromkeys(numbers) if number not in self.known]
        answers = [self.known.get(number, computing) for number in numbers]
        for number in new:
            if len(self.known) == self.capacity:
                self.known.popitem(last=False)
            self.known[number] = computing
        return new, answers


def asked(store: Memory, numbers: list[int]):
    """Places of a window, and the inputs that the model has to compute for it."""
    places = store.places([key(number) for number in numbers])
    assert places.keys == [key(numbers[row]) for row in places.rows]
    return places, [numbers[row] for row in places.rows]


def check(store: Memory, waiting, numbers, expected, computing) -> bytes:
    """A window's answers are those of the plain model; the entries that it leaves."""
    places, new = waiting
    assert new == expected[0]
    judged, entries = store.answers(places, said_of(new, computing))
    np.testing.assert_array_equal(judged.raw[:, 0], numbers)
    np.testing.assert_array_equal(judged.raw[:, 1], expected[1])
    np.testing.assert_array_equal(judged.alone, np.repeat(np.array(expected[1])[:, None] % 256, MAX_PASSAGES, axis=1))
    assert len(entries) == len(new) * ENTRY.itemsize
    return entries


@pytest.fixture(scope="module")
def put_away(tmp_path_factory):
    """A file for what a memory leaves behind."""
    return tmp_path_factory.mktemp("memory") / "memory"


windows_of_inputs = st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=9), max_size=12)
small = st.integers(1, 8)


@given(windows_of_inputs, small, st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_it_is_a_dictionary_that_throws_out_what_came_in_first(windows, capacity, ahead):
    """However far `places` runs ahead of `answers`."""
    store, plain = Memory(capacity), Remembering(capacity)
    waiting = deque()
    for computing, numbers in enumerate(windows):
        waiting.append((asked(store, numbers), numbers, plain.window(numbers, computing), computing))
        if len(waiting) > ahead:
            check(store, *waiting.popleft())
    while waiting:
        check(store, *waiting.popleft())


@given(windows_of_inputs, small, st.integers(0, 12))
@settings(max_examples=150, deadline=None)
def test_one_that_was_put_away_knows_what_one_that_never_stopped_knows(put_away, windows, capacity, stop):
    class Small(Memory):
        def __init__(self) -> None:
            super().__init__(capacity)

    store, plain = Small(), Remembering(capacity)
    kept = b""
    for computing, numbers in enumerate(windows):
        if computing == stop:
            put_away.write_bytes(kept)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(memory, "CAPACITY", capacity)
                store = Small.restored(Memory.kept(put_away))
        kept += check(store, asked(store, numbers), numbers, plain.window(numbers, computing), computing)


def test_an_input_is_computed_once_within_a_window_and_across_windows():
    store = Memory()
    places, new = asked(store, [1, 2, 1, 1])
    assert new == [1, 2]
    store.answers(places, said_of(new, 0))
    places, new = asked(store, [2, 3, 1, 3])
    assert new == [3]
    judged, _ = store.answers(places, said_of(new, 1))
    assert judged.raw[:, :2].tolist() == [[2, 0], [3, 1], [1, 0], [3, 1]]


def test_only_the_end_of_a_long_file_is_kept(tmp_path):
    path = tmp_path / "memory"
    entries = np.arange((memory.CAPACITY + 5) * ENTRY.itemsize // 8, dtype=np.int64).tobytes()
    path.write_bytes(entries)
    assert Memory.kept(path) == entries[-memory.CAPACITY * ENTRY.itemsize :]
    path.write_bytes(b"")
    assert Memory.kept(path) == b""


# --- keys

texts = st.text(st.characters(codec="utf-8") | st.sampled_from(",:0123456789 ()"), max_size=6)
origins = st.none() | texts
claims = st.builds(
    Claim,
    texts,
    id=origins,
    source=origins,
    date=st.sampled_from([None, "2020", "2020-01", "2020-01-08"]),
    evidence=st.lists(st.builds(Evidence, texts, source=origins, date=st.sampled_from([None, "2020"])), max_size=3).map(
        tuple
    ),
)
inputs = st.lists(st.sampled_from(ALL_INPUTS), unique=True).map(tuple)


@given(claims, claims, inputs)
@settings(max_examples=250, deadline=None)
def test_keys_are_equal_where_the_model_sees_the_same_and_nowhere_else(one, other, inputs):
    def seen(claim: Claim) -> list:
        return [render_claim(claim, inputs), render_passages(claim, inputs)]

    assert len(key_of(one, inputs)) == 16
    assert (key_of(one, inputs) == key_of(other, inputs)) == (seen(one) == seen(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", []), ("a", ["b"])),
        (("a", ["bc", "d"]), ("a", ["b", "cd"])),
        (("a", ["b c"]), ("a", ["b", "c"])),
        (("a", ["b"]), ("a", ["b", ""])),
        (("a", []), ("a", [""])),
        (("1,1:ab", []), ("a", ["b"])),
        (("", ["1:a"]), ("1:a", [""])),
        (("a", ["b", "c"]), ("a", ["c", "b"])),
        (("a\0", ["b"]), ("a", ["\0b"])),
        (("é", []), ("e\u0301", [])),
    ],
)
def test_no_text_is_taken_for_two_nor_two_for_one(one, other):
    keys = {key_of(Claim(text, evidence=tuple(map(Evidence, passages))), ALL_INPUTS) for text, passages in (one, other)}
    assert len(keys) == 2


@pytest.mark.parametrize("separator", [*',:;|\t\n\r\0\x1e\x1f "', ", ", '", "', "1:", ",1:", ""])
def test_a_separator_inside_a_text_separates_nothing(separator):
    ways = [
        ("a", ["b", f"c{separator}d"]),
        ("a", [f"b{separator}c", "d"]),
        (f"a{separator}b", ["c", "d"]),
        ("a", ["b", "c", "d"]),
        ("a", [separator.join("bcd")]),
        (separator.join("abcd"), []),
    ]
    keys = {key_of(Claim(text, evidence=tuple(map(Evidence, passages))), ALL_INPUTS) for text, passages in ways}
    assert len(keys) == len(ways)


def test_what_two_workers_kept_twice_is_forgotten_once():
    """Workers on other machines have memories of their own; their journal is one."""
    store = Memory(4)
    store._reserve([key(number) for number in (1, 2, 1, 3)])
    store._fill(np.zeros(4, dtype=ENTRY))
    for number in range(10, 22):
        store.places([key(number)])
    assert asked(store, [21, 1])[1] == [1]


def test_what_the_model_does_not_see_is_not_in_the_key():
    bare = Claim("a", evidence=(Evidence("b"),))
    full = Claim("a", id="1", source="s", date="2020", corpus="c", evidence=(Evidence("b", source="t", url="u"),))
    assert key_of(bare, ("claim", "evidence")) == key_of(full, ("claim", "evidence"))
    assert key_of(bare, ("claim",)) != key_of(full, ("claim", "source"))
    assert key_of(bare, ("claim", "evidence", "source")) != key_of(full, ("claim", "evidence", "source"))
    assert key_of(bare, ("claim", "date")) != key_of(full, ("claim", "date"))
