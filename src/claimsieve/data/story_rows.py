"""Invented stories as rows: every claim of a story with some of its passages, and the stance that follows from them.

A story is one object: `claims` ({id, text, picture}) and `passages` ({text, source, date, supports, refutes, settles}).
Each passage was read against each claim by itself: `supports` and `refutes` name the claims that it decides, all others
it leaves open. So any handful of passages has a stance for any claim, by the codebook, and no label is written down.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from claimsieve.problems import explain
from claimsieve.records import RecordError, Stance
from claimsieve.settings.section import Section

_MAX_CHARACTERS = 1_000  # of a claim and its passages: about the usual window
# How many passages that support, refute and leave open a row has. A pair that stands twice is drawn twice.
_HANDFULS = (
    *((1, 0, 0), (1, 0, 0), (2, 0, 0), (1, 0, 1), (1, 0, 2), (2, 0, 1)),
    *((0, 1, 0), (0, 1, 0), (0, 2, 0), (0, 1, 1), (0, 1, 2), (0, 2, 1)),
    *((0, 0, 1), (0, 0, 1), (0, 0, 2), (0, 0, 3), (1, 1, 0), (1, 1, 1)),
)


Name = Annotated[str, StringConstraints(pattern=r"^[\w.-]+$")]  # parts of a row's id, with / between them
Text = Annotated[str, StringConstraints(pattern=r"\S")]


class StoryClaim(Section):
    id: Name
    text: Text
    picture: bool = False  # about a picture, a recording or a document: nobody looked whether that manipulates


class StoryPassage(Section):
    text: Text
    source: str
    date: str
    supports: tuple[str, ...]
    refutes: tuple[str, ...]
    settles: bool = False  # it corrects or overtakes what stands against it


class Story(Section):
    story: Name
    topic: str
    claims: Annotated[tuple[StoryClaim, ...], Field(min_length=1)]
    passages: Annotated[tuple[StoryPassage, ...], Field(min_length=1)]


def rows_of_story(fields: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of one story, the same ones every time; each set of passages once a claim.

    Raises RecordError when the object is no story, when a passage stands twice, decides a claim that is not there or
    decides one both ways, and when the passages are too long for a claim to have a row.
    """
    try:
        story = Story.model_validate_json(json.dumps(fields))
    except ValidationError as error:
        raise RecordError(f"not a story: {'; '.join(explain(error, fields, Story))}") from None
    known = Counter(claim.id for claim in story.claims)
    if twice := [claim for claim, times in known.items() if times > 1]:
        raise RecordError(f"claim '{twice[0]}' stands twice")
    if len({passage.text for passage in story.passages}) < len(story.passages):
        raise RecordError("a passage stands twice")
    for number, passage in enumerate(story.passages, start=1):
        if strange := sorted({*passage.supports, *passage.refutes} - known.keys()):
            raise RecordError(f"passage {number} decides claim '{strange[0]}', which the story does not have")
        if both := sorted({*passage.supports} & {*passage.refutes}):
            raise RecordError(f"passage {number} supports claim '{both[0]}' and refutes it")
    for claim in story.claims:
        handfuls = list(_handfuls(claim, story))
        if not handfuls:
            raise RecordError(
                f"claim '{claim.id}' and any passage have more than {_MAX_CHARACTERS:,} characters: make them shorter"
            )
        for number, chosen in enumerate(handfuls, start=1):
            yield {
                "id": f"{story.story}/{claim.id}/{number:02}",
                "claim": claim.text,
                "evidence": [{"text": p.text, "source": p.source, "date": p.date} for p in chosen],
                "event": story.story,
                "stance": stance_of(claim.id, chosen),
                "manipulation": None if claim.picture else [],
            }


def stance_of(claim: str, passages: Sequence[StoryPassage]) -> Stance:
    """What passages say of a claim of their story, by its id. One that settles outweighs those that do not."""
    for_it = [passage for passage in passages if claim in passage.supports]
    against = [passage for passage in passages if claim in passage.refutes]
    if for_it and against:
        settled_for, settled_against = (any(passage.settles for passage in side) for side in (for_it, against))
        if settled_for == settled_against:
            return "conflicting"
        return "supported" if settled_for else "refuted"
    return "supported" if for_it else "refuted" if against else "insufficient"


def _handfuls(claim: StoryClaim, story: Story) -> Iterator[tuple[StoryPassage, ...]]:
    dice = random.Random(f"{story.story}\0{claim.id}")
    supporting = [passage for passage in story.passages if claim.id in passage.supports]
    refuting = [passage for passage in story.passages if claim.id in passage.refutes]
    others = [passage for passage in story.passages if claim.id not in {*passage.supports, *passage.refutes}]
    seen = set()
    for counts in _HANDFULS:
        kinds = list(zip((supporting, refuting, others), counts, strict=True))
        if any(len(kind) < count for kind, count in kinds):
            continue
        chosen = [passage for kind, count in kinds for passage in dice.sample(kind, count)]
        dice.shuffle(chosen)
        texts = frozenset(passage.text for passage in chosen)
        if texts not in seen and len(claim.text) + sum(map(len, texts)) <= _MAX_CHARACTERS:
            seen.add(texts)
            yield tuple(chosen)
