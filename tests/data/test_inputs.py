from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from claimsieve.data.inputs import render
from claimsieve.records import Claim, Evidence

FIELDS = ("claim", "evidence", "source", "date")
SUBSETS = [subset for size in range(len(FIELDS) + 1) for subset in combinations(FIELDS, size)]

CLAIM = Claim(
    claim="80 soldiers were killed",
    source="state television",
    date="2020-01-08",
    evidence=(Evidence("There were no casualties.", "Pentagon", "2020-01"), Evidence("No report of a death.")),
    id="the-id",
    media=("picture.jpg",),
    event="the-event",
    label="propaganda",
    stance="refuted",
    manipulation=("exaggeration",),
    rating="pants-fire",
    corpus="the-corpus",
)


@pytest.mark.parametrize(
    ("inputs", "first", "second"),
    [
        (["claim"], "80 soldiers were killed", ""),
        (["claim", "evidence"], "80 soldiers were killed", "There were no casualties. No report of a death."),
        (["evidence"], "", "There were no casualties. No report of a death."),
        (["source"], "state television", ""),
        (["date"], "2020-01-08", ""),
        (["claim", "source"], "state television: 80 soldiers were killed", ""),
        (["claim", "date"], "2020-01-08: 80 soldiers were killed", ""),
        (["claim", "source", "date"], "2020-01-08 state television: 80 soldiers were killed", ""),
        (["evidence", "source"], "state television", "There were no casualties. (Pentagon) No report of a death."),
        (
            list(FIELDS),
            "2020-01-08 state television: 80 soldiers were killed",
            "There were no casualties. (Pentagon, 2020-01) No report of a death.",
        ),
        ([], "", ""),
    ],
)
def test_a_claim_is_rendered_as_its_inputs_say(inputs, first, second):
    assert render(CLAIM, inputs) == (first, second)
    assert render(CLAIM, inputs[::-1]) == (first, second)


def test_what_is_not_there_leaves_no_marks():
    assert render(Claim("a"), FIELDS) == ("a", "")
    assert render(Claim("a", date="2020", evidence=(Evidence("b", date="2021"),)), FIELDS) == ("2020: a", "b (2021)")


@pytest.mark.parametrize("inputs", SUBSETS, ids="+".join)
def test_verdicts_and_groups_are_never_shown(inputs):
    bare = Claim(CLAIM.claim, source=CLAIM.source, date=CLAIM.date, evidence=CLAIM.evidence)
    assert render(CLAIM, inputs) == render(bare, inputs)


text = st.text(min_size=1, max_size=10)
optional = st.none() | text
passages = st.lists(st.builds(Evidence, text=text, source=optional, date=optional, url=optional), max_size=3).map(tuple)
claims = st.builds(Claim, claim=text, source=optional, date=optional, evidence=passages)


@given(claims, claims, st.sampled_from(SUBSETS))
@settings(deadline=None)
def test_a_field_that_is_no_input_leaves_no_trace(claim, other, inputs):
    changed = claim
    for field in FIELDS:
        if field not in inputs:
            changed = replace(changed, **{field: getattr(other, field)})
    for field in ("source", "date"):
        if field not in inputs:
            changed = replace(changed, evidence=tuple(replace(p, **{field: "elsewhere"}) for p in changed.evidence))
    assert render(changed, inputs) == render(claim, inputs)


@given(claims, st.sampled_from(["claim", "source", "date"]), text, text)
@settings(deadline=None)
def test_a_field_that_is_an_input_makes_a_difference(claim, field, one, other):
    assume(one != other)
    assert render(replace(claim, **{field: one}), FIELDS) != render(replace(claim, **{field: other}), FIELDS)
