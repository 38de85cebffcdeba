"""A story becomes rows: each claim with handfuls of its passages, and the stance that these have."""

import json
from collections import Counter

import pytest

from claimsieve.data.recipe_reader import read
from claimsieve.data.recipes import load
from claimsieve.data.story_rows import StoryPassage, rows_of_story, stance_of
from claimsieve.errors import DataError
from claimsieve.records import RecordError, claim_from_row

CLAIMS = [
    {"id": "a", "text": "Nine boats were out when the fog came."},
    {"id": "b", "text": "Eleven boats were out when the fog came."},
    {"id": "c", "text": "The photograph shows the harbour that morning.", "picture": True},
]


def passage(text, *, supports=(), refutes=(), **more):
    made = {"text": text, "source": "Harbour log", "date": "2012-04-01", **more}
    return {**made, "supports": list(supports), "refutes": list(refutes)}


PASSAGES = [
    passage("Nine had signed out by six.", supports="a", refutes="b"),
    passage("All nine came home.", supports="a", refutes="b"),
    passage("The board had eleven names on it.", supports="b", refutes="a"),
    passage("The print is stamped 1987.", refutes="c"),
    passage("She took it at seven, from the mole.", supports="c"),
    passage("Fog is common in April."),
    passage("The pilot was ill that week."),
    passage("Nets are mended on Mondays."),
]
STORY = {"story": "fog", "topic": "weather", "claims": CLAIMS, "passages": PASSAGES}


def stances_of(claim, story=STORY):
    return Counter(row["stance"] for row in rows_of_story(story) if row["claim"] == claim["text"])


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim["id"])
def test_a_claim_comes_with_every_stance(claim):
    stances = stances_of(claim)
    assert set(stances) == {"supported", "refuted", "insufficient", "conflicting"}
    assert max(stances["supported"], stances["refuted"]) <= 2 * min(stances["supported"], stances["refuted"])


def test_the_stance_is_that_of_the_passages():
    decided = {p["text"]: p for p in PASSAGES}
    ids = {claim["text"]: claim["id"] for claim in CLAIMS}
    for row in rows_of_story(STORY):
        chosen = [decided[item["text"]] for item in row["evidence"]]
        sides = tuple(any(ids[row["claim"]] in p[side] for p in chosen) for side in ("supports", "refutes"))
        expected = {(True, False): "supported", (False, True): "refuted", (True, True): "conflicting"}
        assert row["stance"] == expected.get(sides, "insufficient")


def test_no_claim_has_the_same_passages_twice():
    rows = list(rows_of_story(STORY))
    found = {(row["claim"], frozenset(item["text"] for item in row["evidence"])) for row in rows}
    assert len(found) == len(rows) == len({row["id"] for row in rows})


def test_rows_are_the_same_every_time():
    assert list(rows_of_story(STORY)) == list(rows_of_story(json.loads(json.dumps(STORY))))


def test_a_row_is_a_claim_of_its_story():
    claims = [claim_from_row(row) for row in rows_of_story(STORY)]
    assert {claim.event for claim in claims} == {"fog"}
    assert all(1 <= len(claim.evidence) <= 3 and claim.evidence[0].source for claim in claims)


def test_nobody_looked_whether_a_picture_manipulates():
    assert {(row["claim"] == CLAIMS[2]["text"], row["manipulation"] is None) for row in rows_of_story(STORY)} == {
        (True, True),
        (False, False),
    }


@pytest.mark.parametrize(
    ("settling", "expected"),
    [((), "conflicting"), ((0,), "supported"), ((1,), "refuted"), ((0, 1), "conflicting")],
)
def test_what_settles_outweighs_what_does_not(settling, expected):
    sides = [passage("Nine.", supports="a"), passage("Ten.", refutes="a"), passage("Fog.", settles=True)]
    for place in settling:
        sides[place]["settles"] = True
    made = [StoryPassage.model_validate_json(json.dumps(side)) for side in sides]
    assert stance_of("a", made) == expected


def test_a_row_fits_into_a_usual_window():
    long = [passage(f"{number} " + "boats and boats " * 20, supports="a") for number in range(6)]
    rows = list(rows_of_story({**STORY, "passages": [*PASSAGES, *long]}))
    assert max(len(row["claim"]) + sum(len(item["text"]) for item in row["evidence"]) for row in rows) <= 1_000


@pytest.mark.parametrize(
    ("story", "message"),
    [
        ({**STORY, "passages": [passage("Nine.", supports="z")]}, "claim 'z', which the story does not have"),
        ({**STORY, "passages": [passage("Nine.", supports="a", refutes="a")]}, "supports claim 'a' and refutes it"),
        ({**STORY, "passages": [{**passage("Nine."), "supprts": []}]}, "supprts"),
        ({**STORY, "claims": []}, "claims"),
        ({"claim": "A row of another kind."}, "not a story"),
        ({**STORY, "claims": [{"id": "a", "text": 7}]}, "text"),
        ({**STORY, "claims": [CLAIMS[0], CLAIMS[0]]}, "claim 'a' stands twice"),
        ({**STORY, "passages": [PASSAGES[0], {**PASSAGES[0], "supports": []}]}, "a passage stands twice"),
        ({**STORY, "passages": [passage(" ", supports="a")]}, "passages"),
        ({**STORY, "passages": [passage("boats " * 200, supports="a")]}, "claim 'a' and any passage have more than"),
        ({**STORY, "story": ""}, "story"),
        ({**STORY, "story": "fog/a"}, "story"),
    ],
)
def test_what_is_no_story_is_told(story, message):
    with pytest.raises(RecordError, match=message):
        list(rows_of_story(story))


def test_a_bad_story_costs_itself_alone(tmp_path, monkeypatch):
    good = [{**STORY, "story": f"fog-{number}"} for number in range(20)]
    lines = [good[0], {"claim": "no story"}, *good[1:]]
    (tmp_path / "some.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    monkeypatch.setenv("CLAIMSIEVE_CORPORA", str(tmp_path))
    found = list(read(load("stories").model_copy(update={"root": "corpora", "files": ("some.jsonl",)})))
    rejects = [item for item in found if hasattr(item, "reason")]
    assert [(item.place, item.reason.split(":")[0]) for item in rejects] == [(2, "not a story")]
    assert {item.event for item in found if not hasattr(item, "reason")} == {story["story"] for story in good}


def test_too_many_bad_stories_are_no_corpus(tmp_path, monkeypatch):
    """A good story is many rows, so by rows one bad story of three would pass."""
    lines = (STORY, {"claim": "no story"}, {**STORY, "story": "mist"})
    (tmp_path / "some.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    monkeypatch.setenv("CLAIMSIEVE_CORPORA", str(tmp_path))
    with pytest.raises(DataError, match=r"at most 5% unreadable stories, found 1 of 3\. First: line 2: not a story"):
        list(read(load("stories").model_copy(update={"root": "corpora", "files": ("some.jsonl",)})))
