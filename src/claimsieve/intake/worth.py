"""Whether a sentence states something that could be checked: not a question, wish, threat, insult or mere view."""

import re
from functools import cache

from claimsieve.intake.articles import Context
from claimsieve.intake.verbs import AUXILIARY, FINITE
from claimsieve.intake.wording import either, entries

_WORD = re.compile(r"[^\W_][\w.'’-]*")
_FIRST_PERSON = re.compile(r"\b(?:I|we|We|us|our|Our|my|My|me|ours|mine|I['’]\w+|[Ww]e['’]\w+)\b(?!\.)")
_SECOND_PERSON = re.compile(r"\b(?:you|your|You|Your|yours)\b")
_FUTURE = re.compile(r"\b(?:will|shall|won['’]t|['’]ll|going to)\b|['’]ll\b")
_FEELING = re.compile(
    r"\b(?:I|we|We)(?:['’]re|['’]m|\s+(?:are|am|were|was|have been))?\s+(?:\w+ly\s+|also\s+|do\s+not\s+|don['’]t\s+|still\s+)?"
    r"(?:think|believe|feel|felt|hope|wish|want|need|trust|expect|fear|love|hate|appreciate|thank|stand|support|condemn|urge|call|demand|proud|"
    r"grateful|shocked|devastated|saddened|horrified|concerned|worried|deeply|disappointed|confident|determined|committed|ready|afraid|scared)\b"
)
_IMPERATIVE = re.compile(
    r"(?:Do|Don['’]t|Let|Let['’]s|Stop|Go|Come|Look|See|Read|Watch|Remember|Imagine|Think|Wait|Listen|Follow|Share|Join|Click|Please|Never|Always|Stay|Help|Give|Take care|Be)\s+(?!(?:of|in|the fighting)\b)[a-z]"
)
_NUMBER = re.compile(r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?|millions?|billions?|half|twice|zero)\b", re.IGNORECASE)
_NAME_INSIDE = re.compile(r"(?<=[a-z0-9,;:”\"'’)] )[A-Z][\w.'’-]+|\b[A-Z]{2,}\b")
_EVENT = re.compile(r"\b(?!(?:need|indeed|hundred)\b)[a-z]{3,}ed\b")
_FEW_WORDS = 3
_FEW_WORDS_OF_CAPTIONS = 5


def is_checkable(sentence: str, *, context: Context, own: bool = False) -> bool:
    """Whether a sentence is worth checking. context: where it stands; own: it is the article's, nobody else's.

    Rules, not a trained scorer: what corpora there are for that may not be shipped.
    """
    words = _WORD.findall(sentence)
    bare = sentence.rstrip(" \"”'’»)")
    if len(words) < (_FEW_WORDS_OF_CAPTIONS if context == "caption" else _FEW_WORDS) or bare.endswith("?"):
        return False
    if not _has_verb(sentence) and context != "caption":
        return False
    if _IMPERATIVE.match(sentence) or re.match(r"(?:How|What|Why|Who|Where|When)\b[^,]*$", sentence) and bare.endswith(("!", "?")):
        return False
    lower = " ".join(sentence.replace("’", "'").lower().split())
    if is_remark(lower):
        return False
    spoken = context in ("quote", "post")
    if _matches("wish", lower) and (spoken or not _is_specific(sentence)):
        return False
    if own and _matches("vague", lower):
        return False
    if spoken and _is_plan_or_feeling(sentence, lower):
        return False
    if context == "report" and _is_intent(sentence, lower):
        return False
    judgements = len(_pattern("judgement").findall(lower))
    if judgements and not _NUMBER.search(sentence) and (spoken or not _is_specific(sentence)):
        return False
    return judgements < 2 or bool(re.search(r"\d", sentence))


def _is_plan_or_feeling(sentence: str, lower: str) -> bool:
    if _FEELING.search(sentence) or _matches("plan", lower):
        return True
    if _FUTURE.search(sentence) and not re.search(r"\b\d", sentence):
        return True
    return bool(_SECOND_PERSON.search(sentence)) and not _NUMBER.search(sentence)


def _is_intent(sentence: str, lower: str) -> bool:
    return bool(_FEELING.search(sentence)) or _matches("plan", lower) and not _is_specific(sentence)


def is_remark(sentence: str) -> bool:
    """Whether it says only that something is not shown or not answered: the article's word on a claim, not a claim."""
    return _matches("remarks", sentence.lower().replace("’", "'"))


def has_verb(words: str) -> bool:
    return _has_verb(words)


def _has_verb(sentence: str) -> bool:
    return bool(FINITE.search(sentence)) or bool(re.search(rf"\b(?:{AUXILIARY})\b|\w['’](?:s|re|ve|d|ll|m)\b", sentence)) or bool(
        re.search(r"\b[a-z]+(?:s|es)\b\s+(?:the|a|an|his|her|their|its|no|to|that|from|in|at|on|over|about|more|as|\d)", sentence)
    )


def _is_specific(sentence: str) -> bool:
    """Whether it names, counts or dates something."""
    return bool(_NUMBER.search(sentence) or _NAME_INSIDE.search(sentence))


def _matches(section: str, lower: str) -> bool:
    return bool(_pattern(section).search(lower))


@cache
def _pattern(section: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{either(entries('opinion.txt', section))})(?![\w-])")
