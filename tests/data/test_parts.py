from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.inputs import render
from claimsieve.data.parts import CLAIM_SIDE, EVIDENCE_SIDE, rendered_parts
from claimsieve.records import Claim, Evidence

FIELDS = ("claim", "evidence", "source", "date")
SUBSETS = [subset for size in range(len(FIELDS) + 1) for subset in combinations(FIELDS, size)]

text = st.text(max_size=8)
optional = st.none() | text
passages = st.lists(st.builds(Evidence, text=text, source=optional, date=optional), max_size=3).map(tuple)
claims = st.builds(Claim, claim=text, source=optional, date=optional, evidence=passages)


@given(claims, st.sampled_from(SUBSETS))
@settings(deadline=None)
def test_every_part_stands_where_it_says(claim, inputs):
    sides = render(claim, inputs)
    for part in rendered_parts(claim, inputs):
        assert sides[part.side][part.start : part.start + len(part.text)] == part.text


@given(claims, st.sampled_from(SUBSETS))
@settings(deadline=None)
def test_between_the_parts_are_joints_only_and_no_two_overlap(claim, inputs):
    for side, rendered in enumerate(render(claim, inputs)):
        end, rest = 0, ""
        for part in rendered_parts(claim, inputs):
            if part.side == side:
                assert part.start >= end
                rest += rendered[end : part.start]
                end = part.start + len(part.text)
        assert set(rest + rendered[end:]) <= set(" :(),")


@pytest.mark.parametrize("inputs", SUBSETS, ids="+".join)
def test_a_part_says_which_field_of_what_it_is(inputs):
    claim = Claim("c", source="s", date="2020", evidence=(Evidence("e0", "s0", "2021"), Evidence("e1", None, "2022")))
    found = {(part.side, part.field, part.passage): part.text for part in rendered_parts(claim, inputs)}
    expected = {
        (CLAIM_SIDE, "date", None): "2020",
        (CLAIM_SIDE, "source", None): "s",
        (CLAIM_SIDE, "claim", None): "c",
        (EVIDENCE_SIDE, "evidence", 0): "e0",
        (EVIDENCE_SIDE, "source", 0): "s0",
        (EVIDENCE_SIDE, "date", 0): "2021",
        (EVIDENCE_SIDE, "evidence", 1): "e1",
        (EVIDENCE_SIDE, "date", 1): "2022",
    }
    assert found == {
        place: value
        for place, value in expected.items()
        if place[1] in inputs and (place[0] == CLAIM_SIDE or "evidence" in inputs)
    }
