"""Whether a sentence states something that could be checked: not a question, wish, threat, insult or mere view.

Rules, and no trained scorer: what corpora there are for that may not be shipped. English only.
"""

import re
from functools import cache

from claimsieve.intake.articles import Context
from claimsieve.intake.verbs import FINITE, has_verb
from claimsieve.intake.wording import either, entries

_WORD = re.compile(r"[^\W_][\w.'’-]*")
_I_OR_WE = r"\b(?:I|[Ww]e)"
_FEELING = re.compile(
    _I_OR_WE + r"(?:['’](?:re|m|ve|d)|\s+(?:are|am|were|was|have|had|do|did|would))*\s+"
    r"(?:\w+ly\s+|also\s+|still\s+|never\s+|not\s+|been\s+|so\s+)*"
    r"(?:think|believe|feel|felt|hope|wish|want|need|trust|expect|fear|love|hate|appreciate|thank|stand|support"
    r"|condemn|urge|call|"
    r"demand|proud|grateful|shocked|devastated|saddened|horrified|concerned|worried|disappointed|confident"
    r"|determined|committed|"
    r"ready|ashamed|afraid|scared|frightened|terrified|angry|sorry|happy|glad|sad|tired)\b"
)
_SECOND_PERSON = re.compile(r"\b(?:you|your|You|Your|yours)\b")
_FUTURE = re.compile(
    r"\b(?:will|shall|won['’]t|going to|likely to|may|might|could(?!\s+(?:not\s+)?(?:hear|see|feel|smell)\b))\b"
    r"|['’]ll\b"
)
_MODAL = re.compile(r"\b(?:will|would|shall|should|may|might|can|could|must|ought)\b|n['’]t\b|['’](?:ll|d)\b")
_WOULD = re.compile(r"\b(?:would|should|ought|might|could)\b|['’]d\s+(?:be|have|like|rather)\b")
_IMPERATIVE = re.compile(
    r"(?:Do|Don['’]t|Let|Let['’]s|Stop|Go|Come|Look|See|Read|Watch|Remember|Imagine|Think|Wait|Listen|Follow"
    r"|Share|Join|Click"
    r"|Please|Always|Stay|Help|Give|Be|Call|Write|Send|Visit|Sign|Subscribe)\s+(?!(?:of|in|the fighting|between"
    r"|for)\b)[a-z]"
)
# "Everybody knows", "those who drive", "it is a strange thing to": of nobody and nothing in particular.
_GENERAL = re.compile(
    r"(?:(?:But|And|Yet|So|Still|Perhaps)\s+)?(?:(?:Everybody|Everyone|Nobody|No one|Anybody|Anyone|Whoever"
    r"|Those who|People who|Whether|What|How"
    r"|Why)\b|(?:It|This|That)\s+(?:is|was|would\s+be|seems|feels)\s+(?:\w+ly\s+|so\s+|too\s+|very\s+|still\s+"
    r"|just\s+)?(?:an?\s+)?"
    r"(?:strange|hard|easy|difficult|odd|sad|tragic|convenient|tempting|clear|unclear|fair|true|wrong|time"
    r"|no\s+surprise|possible"
    r"|impossible|important|essential|what|why|how|worth|not\s+\w+)\b)"
)
_SUPPOSED = re.compile(r"If\s[^.]*\bwould\b")
_OF_WHAT_MAY_BE = re.compile(r"\b(?:would|will|could|may|might|can)\s+(?:only\s+|be\b)")
_SUMMING_UP = re.compile(
    r"(?:It|This|That)(?:['’]s|\s+(?:is|was))\s+(?:\w+ly\s+)?(?:an?|the|our|their)\s"
)  # "It is an admission of guilt"
_LIKENESS = re.compile(
    r"\b(?:felt|feels|feel|sound|sounds|sounded|look|looks|looked|seem|seems|seemed)\s+(?:\w+\s+)?(?:like"
    r"|as\s+if|as\s+though)\b"
)
_OURSELVES = re.compile(
    r"(?:We|I|Our|My)\b|.*\b(?:this\s+(?:newspaper|newsroom|website)|our\s+(?:readers|reporters?|newsroom)|sent\s+us)\b"
)
_NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|dozens?"
    r"|hundreds?|thousands?"
    r"|millions?|billions?|half|twice|zero|first|second|third)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<=[a-z0-9,;:”\"'’)] )[A-Z][\w.'’-]+|\b[A-Z]{2,}\b|^(?:The\s+)?[A-Z][\w'’-]*\s+[A-Z][\w'’-]+")
_WHEN = re.compile(
    r"\b(?:yesterday|today|tonight|overnight|ago|last|this\s+(?:week|month|year|morning|evening)|since|already"
    r"|daily|weekly|(?:next|coming)\s+(?:days|weeks?|months?|years?|spring|summer|autumn|fall|winter))\b"
)
_NOT_EVENTS = "need|indeed|hundred|speed|seed|feed|united|interested|supposed|red|bed|shed|wicked|sacred|naked"
_EVENT = re.compile(
    rf"\b(?!(?:{_NOT_EVENTS})\b)[a-z]{{3,}}ed\b|\b(?:were|been|was)\b|\b(?:came|went|took|fell|broke|fled|met"
    rf"|lost|won|left|sent|shot|hit|cut|kept|began|ran|sank|burnt|died|found|held|made|gave|grew|rose|struck|led"
    rf"|built|sold|bought|put|shut|did|withdrew|flew|froze|knelt|sang)\b"
)
_RELATIVE = re.compile(r"\b(?:who|which|that)\s+(?:\w+ly\s+)?$")
# What somebody in particular did not do, and no word on a claim: "both declined to comment".
_LEFT_UNDONE = re.compile(
    r"(?!we\b|it\b|this\b|that\b|there\b)[^,;:]{2,60}?\s(?:(?:has|have|had)\s+)?(?:declined\s+to|refused\s+to\s+(?:comment|say)"
    r"|(?:did|would)\s+not\s+(?:immediately\s+)?(?:comment|respond|reply|elaborate)|(?:offered|gave|provided)\s+no\s"
    r"|not\s+(?:commented|confirmed|responded|replied))"
)
_LISTED = re.compile(r"(?:[A-Z]{0,3}[$€£])?\d[^:.]{0,40}:\s")  # "$16 billion to zero: the founder's fortune"
_BRIEF = re.compile(
    r"(?:No|Nobody|None|Both|All|One|Two|Three|Four|Five|Six|Seven|Eight|Nine|Ten|\d[\d,]*)\s"
)  # "No soldiers died."
_TOLD_WORDS = 6
_FEW_WORDS = {"caption": 5, "quote": 4, "post": 4, "statement": 4, "report": 3}


def is_checkable(sentence: str, *, context: Context, own: bool = False) -> bool:
    """Whether a sentence is worth checking. context: how it stands there; own: it is the article's, nobody else's."""
    words = _WORD.findall(sentence)
    bare = sentence.rstrip(" \"”'’»)")
    few = 3 if context == "quote" and _BRIEF.match(sentence) else _FEW_WORDS[context]
    if len(words) < few or bare.endswith("?") or _IMPERATIVE.match(sentence):
        return False
    told = context == "report" and len(words) >= _TOLD_WORDS  # "that first inquiries point to strong wind"
    if not (context == "caption" or told or has_verb(sentence) or _LISTED.match(sentence)):
        return False
    lower = " ".join(sentence.replace("’", "'").lower().split())
    if own and _LEFT_UNDONE.match(lower):
        return True
    if is_remark(lower) or _is_view(sentence, lower, context):
        return False
    if own:
        return _is_of_something(sentence, lower)
    if context == "report":
        return not (_FEELING.search(sentence) or _is_forecast(sentence, lower))
    return context == "caption" or not _is_feeling_or_plan(sentence, lower)


def _is_view(sentence: str, lower: str, context: Context) -> bool:
    """A wish, a likeness, or words of judgement with nothing beside them to look up."""
    spoken = context in ("quote", "post")
    if _matches("wish", lower) and (spoken or not _is_specific(sentence)):
        return True
    if _matches("calls", lower) and not re.search(r"\d", sentence):
        return True
    if _SUPPOSED.match(sentence):
        return True
    if spoken and _SUMMING_UP.match(sentence) and not _is_specific(sentence):
        return True
    if _LIKENESS.search(sentence) and not re.search(r"\d", sentence):
        return True
    strong, weak = (len(_pattern(section).findall(lower)) for section in ("judgement", "weak judgement"))
    many = strong + weak > 1 or (strong + weak > 0 and _OF_WHAT_MAY_BE.search(sentence))
    if many and not re.search(r"\d", sentence):
        return True
    return strong > 0 and (spoken or not _is_specific(sentence)) and not _NUMBER.search(sentence)


def _is_of_something(sentence: str, lower: str) -> bool:
    """Whether the article's own sentence is of something in particular that happened or is so."""
    digit = re.search(r"\d", sentence)
    if _OURSELVES.match(sentence) or _matches("vague", lower) or (_GENERAL.match(sentence) and not digit):
        return False
    supposed = _WOULD.search(sentence)
    if ((supposed and not _is_told_before(sentence, supposed)) or _SECOND_PERSON.search(sentence)) and not digit:
        return False
    if _matches("plan", lower) and not _NUMBER.search(sentence):
        return False
    return bool(_is_specific(sentence) or _WHEN.search(sentence) or _EVENT.search(sentence))


def _is_feeling_or_plan(sentence: str, lower: str) -> bool:
    """Of spoken words: what the speaker feels, means to do, or says to a reader's face."""
    if _FEELING.search(sentence) or _matches("plan", lower):
        return True
    return bool(_FUTURE.search(sentence) and not re.search(r"\d", sentence)) or (
        bool(_SECOND_PERSON.search(sentence)) and not _NUMBER.search(sentence)
    )


def _is_forecast(sentence: str, lower: str) -> bool:
    """Of reported words: what may come, without a number or a day to hold it against."""
    if _matches("plan", lower) and not _NUMBER.search(sentence):
        return True
    may_be = _FUTURE.search(sentence)
    return may_be is not None and not (
        _is_told_before(sentence, may_be)
        or _NUMBER.search(sentence)
        or _WHEN.search(sentence)
        or re.search(r"\b\w+day\b", sentence)
    )


def _is_told_before(sentence: str, modal: re.Match[str]) -> bool:
    """Whether a verb before "may", "could" tells what is so already: "was untouched, and could pay everybody"."""
    return any(
        not _MODAL.fullmatch(match.group())
        and sentence[match.end() : modal.start()].strip()  # no part of "was likely to"
        and not _RELATIVE.search(sentence, 0, match.start())
        for match in FINITE.finditer(sentence, 0, modal.start())
    )


def is_dated_or_counted(sentence: str) -> bool:
    """Whether it has a number, a day or a date: among an article's views, what may still be a fact."""
    return bool(_NUMBER.search(sentence) or _WHEN.search(sentence) or re.search(r"\b[A-Z]\w+day\b", sentence))


def is_remark(sentence: str) -> bool:
    """Whether it says only that something is not shown or not answered: the article's word on a claim, and no claim."""
    return _matches("remarks", " ".join(sentence.lower().replace("’", "'").split()))


def _is_specific(sentence: str) -> bool:
    """Whether it names or counts something."""
    return bool(_NUMBER.search(sentence) or _NAME.search(sentence))


def _matches(section: str, lower: str) -> bool:
    return bool(_pattern(section).search(lower))


@cache
def _pattern(section: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{either(entries('opinion.txt', section))})(?![\w-])")
