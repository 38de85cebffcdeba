"""Edits of an auxiliary: the one sentence that says what the claim says comes to deny it, or a denial is taken back."""

import random
import re
from collections.abc import Sequence

from claimsieve.data.editing.texts import (
    content,
    is_hedged,
    is_negated,
    is_plain,
    lowered,
    negations,
    sentences,
    states,
    stem,
    stems,
    vocabulary,
    words,
)

# With less than .7 of the claim's words a sentence often says a part of it or something near it; another sentence with
# more than .4 may go on supporting the claim when the first denies it.
LEAST_COVER = 0.7
MOST_ELSEWHERE = 0.4
_LEAST_SHARED = 0.5  # of what follows in the clause: "not tall and thin" does not deny "tall"

_GROUPS = (vocabulary("is are was were am"), vocabulary("has have had"), vocabulary("do does did"))
_AUXILIARIES = vocabulary("can could will would should").union(*_GROUPS)
_PARTICIPLES = vocabulary("been had become begun taken given won lost made said shown")
_PRONOUNS = vocabulary("he she it they this these there we")
# That two of them were not there, or some, leaves room for others who were.
_SOME = vocabulary(
    """some many several few most all both each every any half part lots plenty dozens hundreds thousands millions one
    two three four five six seven eight nine ten eleven twelve other others another"""
)
_NO_NOT = vocabulary("only just never also still already even too ever always often sometimes usually almost")
_CLAUSE_END = re.compile(
    r"[,;:()]|[.!?](?:\s|$)|\s--?\s|\b(?:who|which|where|while|because|although|but|when)\b", re.IGNORECASE
)
_NOT = re.compile(r"(?<=\bcan)not\b|(?<=\w)n['’]t\b|\s+not\b(?!\s+only\b)")
_IRREGULAR = re.compile(r"\b(?:wo|ca|sha|ai)$", re.IGNORECASE)  # "won't" without its ending is no word


def refuting(claim: str, passages: Sequence[str], dice: random.Random) -> list[str] | None:
    """The one sentence that covers the claim is negated, or no longer is."""
    place = _only_sentence(claim, passages)
    if place is None or not states(passages[place[0]], place[1]):
        return None
    row, start, end = place
    sentence = passages[row][start:end]
    edited = None
    if is_plain(claim):
        edited = None if is_negated(sentence) else _negated(claim, sentence)
    elif not is_hedged(claim):
        edited = _affirmed(claim, sentence)
    return None if edited is None else _with_sentence(passages, place, edited)


def harmless(claim: str, passages: Sequence[str], dice: random.Random) -> list[str] | None:
    """Beside the sentence that covers the claim, one is negated that shares no word with it."""
    if not is_plain(claim) or _only_sentence(claim, passages) is None:
        return None
    places = [(row, *part) for row, text in enumerate(passages) for part in sentences(text)]
    for row, start, end in dice.sample(places, len(places)):
        sentence = passages[row][start:end]
        found = [match for match in words(sentence) if match.group() in _AUXILIARIES]
        if (
            len(found) == 1
            and found[0].start() > 0
            and states(passages[row], start)
            and not is_negated(sentence)
            and not content(sentence) & content(claim)
            and (edited := _with_not(sentence, found[0])) is not None
        ):
            return _with_sentence(passages, (row, start, end), edited)
    return None


def _only_sentence(claim: str, passages: Sequence[str]) -> tuple[int, int, int] | None:
    """Passage, start and end of the sentence that covers the claim, if no other comes near."""
    ours = content(claim)
    covers = sorted(
        (len(ours & content(text[start:end])) / max(1, len(ours)), row, start, end)
        for row, text in enumerate(passages)
        for start, end in sentences(text)
    )
    if not covers or covers[-1][0] < LEAST_COVER or (len(covers) > 1 and covers[-2][0] > MOST_ELSEWHERE):
        return None
    return covers[-1][1:]


def _with_sentence(passages: Sequence[str], place: tuple[int, int, int], sentence: str) -> list[str]:
    row, start, end = place
    return [text if at != row else text[:start] + sentence + text[end:] for at, text in enumerate(passages)]


def _negated(claim: str, sentence: str) -> str | None:
    """The sentence with "not" after its first auxiliary, if the claim has the same one in the same place."""
    theirs = next((match for match in words(sentence) if match.group() in _AUXILIARIES), None)
    if theirs is None or theirs.start() == 0:
        return None
    for ours in words(claim):
        if _same_group(ours.group(), theirs.group()) and _same_place(claim, ours, sentence, theirs):
            return _with_not(sentence, theirs)
    return None


def _affirmed(claim: str, sentence: str) -> str | None:
    """The sentence without its only "not", if the claim's only "not" has one of the same words after it."""
    ours, theirs = _NOT.search(claim), _NOT.search(sentence)
    if ours is not None and _counts(claim[: ours.start()]):
        return None
    if ours is None or theirs is None or len(negations(claim)) != 1 or len(negations(sentence)) != 1:
        return None
    after = [
        stems(m.group() for m in words(text[match.end() :])[:4]) for text, match in ((claim, ours), (sentence, theirs))
    ]
    if claim.rstrip().endswith("?") or _IRREGULAR.search(sentence[: theirs.start()]) or not after[0] & after[1]:
        return None
    return sentence[: theirs.start()] + sentence[theirs.end() :]


def _counts(subject: str) -> bool:
    """Whether it is some of many."""
    return bool(re.search(r"\d", subject) or lowered(subject) & _SOME)


def _same_group(ours: str, theirs: str) -> bool:
    return ours == theirs or any(ours in group and theirs in group for group in _GROUPS)


def _same_place(claim: str, ours: re.Match[str], sentence: str, theirs: re.Match[str]) -> bool:
    """Whether the claim's subject, or a pronoun, comes before, and what follows are mostly the claim's words."""
    subject, predicate = content(claim[: ours.start()]), content(claim[ours.end() :])
    before = [match.group() for match in words(sentence[: theirs.start()])]
    if _counts(claim[: ours.start()]):
        return False
    if not before or not (stem(before[-1]) in subject or before[-1].lower() in _PRONOUNS):
        return False
    clause = _CLAUSE_END.split(sentence[theirs.end() :], maxsplit=1)[0]
    said = content(clause)
    return (
        bool(said)
        and predicate <= said | content(sentence[: theirs.start()])
        and len(said & predicate) / len(said) >= _LEAST_SHARED
        and bool(stems(match.group() for match in words(clause)[:4]) & predicate)
    )


def _with_not(sentence: str, auxiliary: re.Match[str]) -> str | None:
    following = [match.group().lower() for match in words(sentence[auxiliary.end() :])[:1]]
    if not following or following[0] in _NO_NOT:
        return None
    is_main_verb = auxiliary.group() in _GROUPS[1] | _GROUPS[2]
    if is_main_verb and not (following[0] in _PARTICIPLES or following[0].endswith("ed")):
        return None
    denied = "cannot" if auxiliary.group() == "can" else f"{auxiliary.group()} not"
    return sentence[: auxiliary.start()] + denied + sentence[auxiliary.end() :]
