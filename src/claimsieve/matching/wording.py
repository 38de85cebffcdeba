"""How two texts are worded: which of their words stand against one another, and whether a text says enough to compare.

Cheap, made for English, and wrong now and then: it decides only whether a person is to look.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from claimsieve.data.editing.texts import is_unspaced, stem, stems, vocabulary, words

LEAST_CONTENT_WORDS = 4
LEAST_CHARACTERS = 20
MOSTLY_THE_SAME = 0.6  # share of the content words of the shorter text
_NEARLY_VERBATIM = 0.8  # share of the content words of the longer text
MAX_WORDS = 300  # of a text whose words are laid beside another's: that takes quadratic time

# The commonest small words of languages that are written in Latin letters, but for those that English has too.
_FOREIGN = vocabulary(
    """el los las una que por para con del es está como más y el
    le les des une est que pour dans avec qui sur pas du et au aux ce cette ont
    der das und ist nicht ein eine den dem mit von auf für sich wird wurde im zu auch
    il gli che per con della sono una dei nel è di
    o os um uma não que com para dos das da do em mais
    het een van niet dat voor met zijn op en te
    och att som inte är av på för det ett
    ve bir bu için ile nie jest się na w z że do""",
) - vocabulary("do on in an as is so at to of or no me he a i per")
_ENGLISH = vocabulary(
    """the a an of to in and that is was for on with are as by from at be has have had not this were it its his her
    their they he she we you who which will would but or after before over says said did does do been more than"""
)


# Who reports it, and on what it is seen, is put in many ways.
_SAID_ANYHOW = vocabulary(
    """say says said saying state states stated tell tells told declare declared claim claims claimed claiming report
    reported reports tweet tweeted post posted photo photos photograph photographs picture pictures image images video
    videos footage clip show shows showed showing breaking update via watch rt just"""
)
_GRAMMAR = vocabulary(
    """a an the of in on at to is are was were be been being am has have had having do does did that which who it its he
    she they his her their there and by with as u s"""
)
_POSTED = re.compile(r"(?:https?://|\bwww\.)[!-~]+|(?<![\w@])@[A-Za-z0-9_]+|\A\s*RT\b:?", re.IGNORECASE)
_LEFT_OVER = re.compile(r"\A[\s:]+|\s+\Z|(?<=\s)\s+")


@dataclass(frozen=True, slots=True)
class Substitution:
    """Words of one text that stand where the other has others."""

    ours: str
    theirs: str


def as_said(text: str) -> str:
    """The text without links, handles and a leading "RT": a repost says the same. One of nothing else stays."""
    return _LEFT_OVER.sub("", _POSTED.sub(" ", text)) or text


def plain_words(text: str) -> list[str]:
    """The words in small letters, without accents and possessives; at most MAX_WORDS."""
    found = (match.group() for match in words(text)[:MAX_WORDS])
    return [_plain(word) for word in found]


def is_short(text: str) -> bool:
    """Whether a text says too little to be known again: "He lied", "Nothing happened"."""
    letters = [char for char in text if char.isalpha()]
    if sum(map(is_unspaced, letters)) > len(letters) / 2:
        return len(letters) < LEAST_CHARACTERS / 2  # a sign says about two letters' worth
    return len(text.strip()) < LEAST_CHARACTERS or len(stems(plain_words(text))) < LEAST_CONTENT_WORDS


def is_foreign(text: str, lang: str | None = None) -> bool:
    """Whether it is in a language other than English, of which nothing here knows names, numbers and negations."""
    if lang:
        return not lang.lower().startswith("en")
    letters = [char for char in text if char.isalpha()]
    if sum(not _is_latin(char) for char in letters) > len(letters) / 3:
        return True
    found = [match.group().lower() for match in words(text)[:MAX_WORDS]]
    return sum(word in _FOREIGN for word in found) > sum(word in _ENGLISH for word in found)


def overlap(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """Share of the content words of the shorter text that the other has too."""
    one, other = stems(ours), stems(theirs)
    return len(one & other) / max(1, min(len(one), len(other)))


def substitutions(ours: Sequence[str], theirs: Sequence[str]) -> list[Substitution]:
    """Where the texts, laid beside one another, have other content words; typos and endings do not count.

    Of texts that are not mostly the same words in the same order there are none: they are put in other words anyway. Of
    those that are nearly word for word the same, a word that only one of them has counts too, and so do small words.
    """
    left, right = [stem(word) for word in ours], [stem(word) for word in theirs]
    codes = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    aligned = sum(len(_content(ours[start:end])) for kind, start, end, *_ in codes if kind == "equal")
    shorter, longer = sorted((len(_content(ours)), len(_content(theirs))))
    if aligned < MOSTLY_THE_SAME * max(1, shorter):
        return []
    is_verbatim = aligned >= _NEARLY_VERBATIM * longer
    found = []
    for kind, start, end, other_start, other_end in codes:
        if kind == "equal" or (kind != "replace" and not is_verbatim):
            continue
        one, other = ours[start:end], theirs[other_start:other_end]
        if is_verbatim:
            one, other = _telling(one), _telling(other)
        else:
            one, other = _own(one, right), _own(other, left)
        if ((one and other) or (is_verbatim and (one or other))) and not _are_typos(one, other):
            found.append(Substitution(" ".join(one) or "none", " ".join(other) or "none"))
    return found


def is_same_wording(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether all words are the same in the same order, but for grammar, endings and typos."""
    for kind, start, end, other_start, other_end in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        one, other = _content(ours[start:end]), _content(theirs[other_start:other_end])
        if [stem(word) for word in one] != [stem(word) for word in other] and not _are_typos(one, other):
            return False
    return True


def _own(found: Sequence[str], other_text: Sequence[str]) -> list[str]:
    return [word for word in _content(found) if stem(word) not in other_text and word not in _SAID_ANYHOW]


def _telling(found: Sequence[str]) -> list[str]:
    return [word for word in found if word not in _SAID_ANYHOW and word not in _GRAMMAR]


def _content(found: Sequence[str]) -> list[str]:
    return [word for word in found if stems([word])]


def _are_typos(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    return len(ours) == len(theirs) and all(is_typo(one, other) for one, other in zip(ours, theirs, strict=True))


def is_typo(one: str, other: str) -> bool:
    """Whether two words differ by one letter, of six or more, and begin alike: "Suleimani", "Soleimani"."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    if len(short) < 6 or len(long) - len(short) > 1 or one[0] != other[0] or not (one + other).isalpha():
        return False
    prefix = next((place for place, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    skipped = 1 if len(long) == len(short) else 0
    return short[prefix + skipped :] == long[prefix + 1 :]


def _plain(word: str) -> str:
    lower = word.lower().replace("’", "'").removesuffix("'s")
    if lower.isascii():
        return lower
    return "".join(char for char in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(char))


def _is_latin(char: str) -> bool:
    return ord(char) < 0x250 or 0x1E00 <= ord(char) < 0x1F00
