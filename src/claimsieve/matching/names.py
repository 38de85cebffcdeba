"""Names that a text holds, and which of them stand against one another in two texts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from claimsieve.data.editing.texts import stem, stems, vocabulary, words
from claimsieve.data.masking import named
from claimsieve.matching.wording import is_typo, plain_words

_NO_NAMES = vocabulary(
    """january february march april may june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday mr mrs ms dr sir president senator governor minister king queen prince pope rep sen
    gov gen breaking update video photo watch exclusive report reports official officials i im ive us"""
)
_MOST_SMALL = 0.1  # of the longer words of a headline
_BY = re.compile(r"\bby\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Names:
    """things: states, parties and outlets, each by one word for all its names, in order. others: words with capitals.

    forms: how a thing is written here. vocabulary: all words, and initials of neighbouring ones. is_passive: has "by".
    """

    things: tuple[str, ...]
    others: tuple[str, ...]
    forms: dict[str, str]
    vocabulary: frozenset[str]
    is_passive: bool


def names(text: str) -> Names:
    """In a headline or a text in capitals only the listed names of states, parties and outlets are known as such."""
    things: list[str] = []
    forms: dict[str, str] = {}
    rest = text
    for start, end, thing in named(text):
        things.append(thing)
        forms.setdefault(thing, text[start:end])
        rest = rest[:start] + " " * (end - start) + rest[end:]
    plain = plain_words(text)
    return Names(
        things=tuple(things),
        others=() if _is_headline(text) else _capitals(rest),
        forms=forms,
        vocabulary=frozenset(plain) | {stem(word) for word in plain} | _initials(plain),
        is_passive=bool(_BY.search(text)),
    )


def conflict(ours: Names, theirs: Names) -> tuple[str, str] | None:
    """A name of each that the other text lacks; a name that only one of them adds is no conflict."""
    one, other = _alone(ours, theirs), _alone(theirs, ours)
    return (one[0], other[0]) if one and other else None


def swapped(ours: Names, theirs: Names, left: Sequence[str], right: Sequence[str]) -> tuple[str, str] | None:
    """Two names that both texts have, in the other order: who does it to whom. left, right: their plain words.

    Where one of them says "by" and the other not, the order says nothing, and there is no answer.
    """
    if ours.is_passive != theirs.is_passive:
        return None
    known = {*theirs.things, *theirs.others}
    shared = [name for name in dict.fromkeys((*ours.things, *ours.others)) if name in known]
    rank = {name: place for place, name in enumerate(_by_place(shared, ours, left))}
    for first, second in pairwise(_by_place(shared, theirs, right)):
        if rank[first] > rank[second]:
            return ours.forms.get(second, second), ours.forms.get(first, first)
    return None


def _by_place(found: Sequence[str], of: Names, plain: Sequence[str]) -> list[str]:
    """The names in the order of their first places in the text."""

    def place(name: str) -> int:
        word = plain_words(of.forms.get(name, name))[:1]
        return plain.index(word[0]) if word and word[0] in plain else len(plain)

    return sorted(found, key=place)


def _alone(ours: Names, theirs: Names) -> list[str]:
    things = [ours.forms[name] for name in dict.fromkeys(ours.things) if name not in theirs.things]
    others = [name for name in ours.others if not _is_in(name, theirs)]
    return [*things, *others]


def _is_in(name: str, theirs: Names) -> bool:
    """Whether a word with a capital is a word of theirs, its initials or a typo of one, or part of a thing's name."""
    return (
        name in theirs.vocabulary
        or stem(name) in theirs.vocabulary
        or any(is_typo(name, word) for word in theirs.vocabulary)
        or (len(name) > 2 and any(name in form.lower() for form in theirs.forms.values()))
    )


def _capitals(text: str) -> tuple[str, ...]:
    """Words with a capital that does not begin a sentence, in small letters."""
    found: dict[str, None] = {}
    previous = 0
    for match in words(text):
        begins = previous == 0 or bool(re.search(r"[.!?:\n\"“”‘]\s*$", text[previous : match.start()]))
        previous = match.end()
        word = match.group()
        plain = (plain_words(word) or [""])[0]
        is_name = word[0].isupper() and (not begins or word[1:].isupper()) and not word[0].isdigit()
        if is_name and len(plain) > 1 and plain not in _NO_NAMES and stems([plain]):
            found[plain] = None
    return tuple(found)


def _is_headline(text: str) -> bool:
    """Whether hardly any longer word is in small letters, so that capitals say nothing."""
    long = [match.group() for match in words(text) if len(match.group()) > 3 and match.group()[0].isalpha()]
    small = [word for word in long if word[0].islower() and stems([word])]
    return len(long) > 2 and len(small) <= _MOST_SMALL * len(long)


def _initials(plain: Sequence[str]) -> frozenset[str]:
    """Initials of two to five neighbouring words that are not grammar: "who" of "world health organization"."""
    content = [word for word in plain if stems([word])]
    letters = "".join(word[0] for word in content)
    return frozenset(letters[start : start + length] for length in (2, 3, 4, 5) for start in range(len(letters)))
