"""However spans overlap, every character stands in one stretch, and the span to be seen there is the lowest of rank."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from claimsieve.analysis.stretches import Span, span_in, stretches

LENGTH = 40


@st.composite
def some_spans(draw):
    pairs = draw(st.lists(st.tuples(st.integers(0, LENGTH - 1), st.integers(1, LENGTH)), max_size=12))
    return [
        Span(start, max(start + 1, min(LENGTH, start + length)), draw(st.integers(0, 5))) for start, length in pairs
    ]


@given(some_spans(), st.lists(st.integers(-3, LENGTH + 3), max_size=4))
def test_stretches_are_the_text_once_and_in_order(spans, cuts):
    found = stretches(LENGTH, spans, cuts=cuts)
    assert found[0].start == 0
    assert found[-1].end == LENGTH
    assert all(one.end == after.start for one, after in pairwise(found))
    ended = [(place, part.end) for part in found for place in part.ends]
    assert sorted(ended) == [(place, span.end) for place, span in enumerate(spans)]
    for part in found:
        over = [span for span in spans if span.start <= part.start and part.end <= span.end]
        touching = [span for span in spans if span.start < part.end and part.start < span.end]
        assert over == touching  # no border lies within a stretch
        if part.owner is None:
            assert not over
        else:
            assert spans[part.owner] in over
            assert spans[part.owner].rank == min(span.rank for span in over)
    borders = {part.start for part in found}
    assert {cut for cut in cuts if 0 < cut < LENGTH} <= borders


def test_a_span_must_be_two_whole_numbers_within_the_text():
    assert span_in([0, 5], 5) == (0, 5)
    for wrong in (
        [0, 6],
        [-1, 3],
        [3, 3],
        [4, 2],
        [0],
        [0, 1, 2],
        ["0", "3"],
        [0.0, 3.0],
        [False, True],
        "03",
        None,
        {"start": 0},
        [10**30, 10**31],
    ):
        assert span_in(wrong, 5) is None, wrong
