"""Words, stems, sentences and clauses of English texts, as edits need them: cheap, and wrong now and then."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache


def vocabulary(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)*(?:['’-][^\W_]+)*")
_SENTENCE_END = re.compile(
    r"(?<!\b[A-Z]\.)(?<!\b(?:Mr|Dr|Jr|Sr|St|No|vs)\.)(?<!\b(?:Mrs|Inc|Gov|Sen|Rep|Gen|Jan|Feb|Aug|Oct|Nov|Dec)\.)"
    r"(?<=[.!?])['\"”)]*\s+(?=[\"'“‘`(]*[A-Z\d])|(?<=\?)\s+|\n+"
)
_CLAUSE_END = re.compile(r"[,;:()\[\]]|\s--?\s|\s[–—]\s|[.!?](?=\s|$)")
_ARTICLE = re.compile(r"\b([Aa])n?(\s)$")
_SUFFIXES = ("'s", "’s", "ing", "ed", "es", "s", "e")

_HEDGES = vocabulary("if or either may might could would should whether unless probably possibly perhaps")
_NEGATIONS = vocabulary("not no never none nobody nothing neither nor cannot without hardly refused failed denied")
_ASKING = vocabulary("how what who why which did does do is are was were has have had can will would should")
_STOP_WORDS = vocabulary(
    """a an the this that these those there here it its he she they them his her their him who whom whose which what
    when where why how i me my we us our you your one ones of in on at by to from for with as into onto over under about
    through during between among than then so and or but if while is are was were be been being am has have had having
    do does did done can could will would shall should may might must also only just very too some any all both each
    such other another own same s t"""
)
_EMPTY = _STOP_WORDS | _NEGATIONS


_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def words(text: str) -> list[re.Match[str]]:
    """The words with their places; numbers keep their separators, and words their hyphens and apostrophes."""
    return list(_WORD.finditer(text))


@lru_cache(maxsize=4096)
def lowered(text: str) -> frozenset[str]:
    """The words in small letters, without a possessive's ending."""
    return frozenset(match.group().lower().removesuffix("'s").removesuffix("’s") for match in words(text))


@lru_cache(maxsize=65_536)  # texts share their words
def stem(word: str) -> str:
    """A word without its ending: alike for most forms of a word, and good for comparing only."""
    found = word.lower()
    for suffix in _SUFFIXES:
        if found.endswith(suffix) and len(found) - len(suffix) >= 3:
            found = found[: -len(suffix)]
            break
    if len(found) > 3 and found[-1] == found[-2]:
        found = found[:-1]
    return found[:-1] + "i" if found.endswith("y") else found


def stems(found: Iterable[str]) -> frozenset[str]:
    """Stems of those words that are neither grammar nor negation."""
    return frozenset(stem(word) for word in found if word.lower() not in _EMPTY)


@lru_cache(maxsize=4096)  # a claim and its sentences are asked for by each kind of edit
def content(text: str) -> frozenset[str]:
    return stems(match.group() for match in words(text))


def negations(text: str) -> list[str]:
    found = [match.group().lower() for match in words(text)]
    return [word for word in found if word in _NEGATIONS or word.endswith(("n't", "n’t"))]


@lru_cache(maxsize=4096)
def is_negated(text: str) -> bool:
    return bool(negations(text))


@lru_cache(maxsize=4096)
def is_hedged(text: str) -> bool:
    """Whether it is said under a condition, as a choice or as a guess. "May" within the text is a month."""
    return any((match.group() if match.start() else match.group().lower()) in _HEDGES for match in words(text))


def is_plain(claim: str) -> bool:
    """Whether the claim states one thing outright: no question, no condition, no choice, no negation."""
    return not (claim.rstrip().endswith("?") or is_hedged(claim) or is_negated(claim))


def states(text: str, place: int) -> bool:
    """Whether the sentence at the place states something: no question, no condition."""
    start, end = sentence_at(text, place)
    sentence = text[start:end]
    first = next((match.group().lower() for match in words(sentence)), "")
    asks = first in _ASKING or sentence.rstrip("\"'”) ").endswith("?")
    return not (asks or lowered(sentence) & {"if", "whether", "unless"})


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Start and end of each sentence."""
    return _parts(text, _SENTENCE_END)


def sentence_at(text: str, place: int) -> tuple[int, int]:
    """Start and end of the sentence that the place is in."""
    return next((part for part in sentences(text) if part[0] <= place < part[1]), (0, len(text)))


def clause_at(text: str, place: int) -> str:
    """The stretch between punctuation that the place is in."""
    start, end = next((part for part in _parts(text, _CLAUSE_END) if part[0] <= place < part[1]), (0, len(text)))
    return text[start:end]


def around(text: str, start: int, end: int, *, before: int, after: int) -> tuple[list[str], list[str]]:
    """Up to so many words before and after a stretch of the text, in their order."""
    left = [match.group() for match in words(text[:start])]
    return left[max(0, len(left) - before) :], [match.group() for match in words(text[end:])[:after]]


def replaced(text: str, places: Sequence[tuple[int, int, str]]) -> str:
    """The text with each stretch from start to end replaced, and "a" or "an" before it; stretches do not overlap."""
    for start, end, new in sorted(places, reverse=True):
        before = _ARTICLE.sub(rf"\1{'n' * _takes_an(new)}\2", text[:start])
        text = before + new + text[end:]
    return text


def like(word: str, new: str) -> str:
    """The new word with a capital where the old one has it."""
    return new[:1].upper() + new[1:] if word[:1].isupper() else new


def _takes_an(word: str) -> bool:
    return bool(re.match(r"[aeio]|u(?!n[ai])|8|1[18](?!\d)", word, re.IGNORECASE))


@lru_cache(maxsize=1024)  # asked for again at each place of a text
def _parts(text: str, end: re.Pattern[str]) -> tuple[tuple[int, int], ...]:
    found, start = [], 0
    for match in end.finditer(text):
        found.append((start, match.start()))
        start = match.end()
    return tuple((first, last) for first, last in [*found, (start, len(text))] if text[first:last].strip())


def is_unspaced(char: str) -> bool:
    """Of a script that puts no spaces between words: Chinese, Japanese, Thai, Lao, Burmese, Khmer."""
    return bool(_UNSPACED.match(char))
