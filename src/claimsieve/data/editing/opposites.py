"""Edits of words that exclude each other: a word of the tables below becomes its counterpart."""

import random
import re
from collections.abc import Sequence

from claimsieve.data.editing.texts import (
    around,
    content,
    is_plain,
    like,
    lowered,
    replaced,
    sentence_at,
    sentences,
    states,
    stem,
    stems,
    vocabulary,
    words,
)


def _both_ways(pairs: str) -> dict[str, str]:
    """Each word of the pairs and its counterpart; of two counterparts the first."""
    found: dict[str, str] = {}
    for pair in pairs.split():
        first, second = pair.split("/")
        found.setdefault(first, second)
        found.setdefault(second, first)
    return found


_DEEDS = _both_ways(
    """increase/decrease increases/decreases increased/decreased increasing/decreasing rose/fell rising/falling
    risen/fallen won/lost accepts/rejects accepted/rejected approves/rejects approved/rejected supports/opposes
    supported/opposed allows/forbids allowed/forbidden convicted/acquitted began/ended begins/ends started/ended
    starts/ends opened/closed opens/closes buys/sells buying/selling hired/fired gained/lost married/divorced
    sitting/standing sits/stands running/sitting runs/sits asleep/awake smiling/frowning laughing/crying
    praised/condemned strengthens/weakens strengthened/weakened improves/worsens improved/worsened attacked/defended
    encourages/discourages encouraged/discouraged includes/excludes included/excluded legalized/banned lowers/raises"""
)
_PLACES = _both_ways("before/after above/below inside/outside indoors/outdoors upstairs/downstairs")
_TRAITS = _both_ways(
    """higher/lower highest/lowest large/small larger/smaller largest/smallest big/small bigger/smaller biggest/smallest
    longer/shorter longest/shortest older/younger oldest/youngest stronger/weaker strongest/weakest better/worse
    best/worst faster/slower fastest/slowest warmer/cooler hotter/colder heavier/lighter first/second alive/dead
    guilty/innocent successful/unsuccessful effective/ineffective northern/southern eastern/western
    northernmost/southernmost positive/negative true/false wet/dry happy/sad male/female possible/impossible
    indoor/outdoor red/blue black/white green/yellow brown/pink orange/purple"""
)
_PEOPLE = _both_ways("man/woman men/women boy/girl boys/girls")
COUNTERPARTS = _DEEDS | _PLACES | _TRAITS | _PEOPLE

# Of the claim's words in the sentence; with fewer the word is often said of something else. What is said of people in
# captions, which are one sentence long, is put in many words.
_LEAST_COVER = 0.6
_LEAST_COVER_OF_PEOPLE = 0.4

_ACTIVE = ("lost", "supported")  # a contact "was lost" and a bridge "is supported": nothing was won or opposed
_COPULAS = vocabulary("is are was were be been being became become becomes remains has have had wearing wears")
_PARTICLES = vocabulary("up out off down over")
_COLOURS = ("red", "blue", "black", "white", "green", "yellow", "orange", "purple", "brown", "pink")
_COLOURED = vocabulary("color colour colored coloured colorful colourful dark bright race racial grey gray")
_SEXED = vocabulary(
    """he she his her him hers himself herself male female lady ladies gentleman gentlemen guy guys mother father
    mothers fathers mom dad son daughter brother sister brothers sisters husband wife husbands wives girlfriend
    boyfriend bride groom widow actor actress waiter waitress king queen prince princess nun monk gal dude beard bearded
    pregnant pregnancy pregnancies lesbian gay couple shirtless gender sex"""
)


def refuting(claim: str, passages: Sequence[str], dice: random.Random) -> list[str] | None:
    """A word that claim and evidence say of the same thing is its counterpart wherever the evidence has it."""
    if not is_plain(claim):
        return None
    known = lowered(" ".join((claim, *passages)))
    ours = [match for match in words(claim) if _plain(match) in COUNTERPARTS]
    for match in dice.sample(ours, len(ours)):
        word = _plain(match)
        if (
            COUNTERPARTS[word] not in known
            and _is_said(claim, match)
            and not (word in _PEOPLE and sum(len(sentences(text)) for text in passages) > 1)
            and any(_of_the_same(claim, match, text, place) for text in passages for place in _places(text, word))
            and (edited := _changed(passages, word))
        ):
            return edited
    return None


def harmless(claim: str, passages: Sequence[str], dice: random.Random) -> list[str] | None:
    """A colour or somebody's sex, of which the claim says nothing, is another wherever the evidence has it."""
    if not is_plain(claim):
        return None
    ours, theirs = lowered(claim), lowered(" ".join(passages))
    choices: list[str] = []
    if not ours & _COLOURED.union(_COLOURS):
        choices += _COLOURS
    if not (ours | theirs) & _SEXED and not ours & _PEOPLE.keys():
        choices += _PEOPLE
    for word in dice.sample(choices, len(choices)):
        if word in theirs and COUNTERPARTS[word] not in theirs and (edited := _changed(passages, word)):
            return edited
    return None


def _plain(match: re.Match[str]) -> str:
    """The word in small letters at the beginning of the text; within it, capitals make a name, which is left alone."""
    return match.group() if match.start() else match.group().lower()


def _is_said(claim: str, match: re.Match[str]) -> bool:
    """Whether the claim says the word of its subject, and does not name its subject by it."""
    word, before = _plain(match), [other.group().lower() for other in words(claim[: match.start()])]
    if word in _PEOPLE:  # the sex of somebody with a name is no news
        return not any(other.group()[0].isupper() for other in words(claim)[1:])
    if word == "first":
        return before[-1:] == ["the"] and before[-2:-1] != [] and before[-2] in _COPULAS
    if word in _TRAITS:
        return not _COPULAS.isdisjoint(before)
    return before[-1:] not in (["ever"], ["the"], ["a"], ["an"])


def _of_the_same(claim: str, match: re.Match[str], passage: str, place: re.Match[str]) -> bool:
    """Whether the sentence says the claim, and the word stands beside the same words."""
    word, (start, end) = _plain(match), sentence_at(passage, place.start())
    sentence = passage[start:end]
    least = _LEAST_COVER_OF_PEOPLE if word in _PEOPLE else _LEAST_COVER
    if not states(passage, place.start()) or len(content(claim) & content(sentence)) < least * len(content(claim)):
        return False
    ours_before, ours = around(claim, *match.span(), before=3, after=3)
    theirs_before, theirs = around(sentence, place.start() - start, place.end() - start, before=4, after=4)
    if ours[:1] == ["known"]:  # "best known"
        return False
    if word in _TRAITS and stems(ours[:1]):
        return bool(theirs) and stem(ours[0]) == stem(theirs[0])
    if word in _PLACES:
        return bool(stems(ours) & stems(theirs))
    if word in _DEEDS:
        if _PARTICLES & {other.lower() for other in (*ours[:1], *theirs[:1])}:  # "ended up" is no end
            return False
        if word in _ACTIVE and _COPULAS & {other.lower() for other in theirs_before[-1:]}:
            return False
    return bool(stems(ours_before) & stems(theirs_before) or stems(ours) & stems(theirs))


def _places(text: str, word: str) -> list[re.Match[str]]:
    return [match for match in words(text) if match.group().lower() == word]


def _changed(passages: Sequence[str], word: str) -> list[str] | None:
    """The passages with the counterpart, unless the word is a name's in one of them or stays in a longer word."""
    if any(match.start() and match.group()[0].isupper() for text in passages for match in _places(text, word)):
        return None
    edited = [
        replaced(text, [(*match.span(), like(match.group(), COUNTERPARTS[word])) for match in _places(text, word)])
        for text in passages
    ]
    stays = re.compile(rf"\b{word}\b", re.IGNORECASE)
    return None if edited == list(passages) or any(stays.search(text) for text in edited) else edited
