"""Reported speech in a sentence: who says it, and which words are what they say. English only.

No parser: verbs of reporting (words/verbs.txt), the noun phrase before or after them, and what follows "that".
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from claimsieve.intake.articles import Span
from claimsieve.intake.quotes import FILLER, Quotation, masked
from claimsieve.intake.speakers import ADJUNCT, Subject, cleaned, is_speaker, subject_after, subject_before
from claimsieve.intake.verbs import FINITE, Verb, group, verb_forms, verb_pattern

Way = Literal["clause", "tag", "denial", "object", "whole"]

UNNAMED = "unnamed sources"

_DETERMINERS = frozenset(
    "a an the this that these those his her its their our my your some any no several many few two three four five other "
    "such of in on for by with from under about into and or recent new latest first initial earlier false alleged".split()
)
_NOT_SAID = re.compile(
    r"(?:\bto|\bnot|n['’]t|\bnever|\b(?:declined|refused|unable|failed|hesitated)\s+to|\bwould|\bcould|\bmight|\bmay|\bcannot"
    r"|\bshould|\bwill|\bwithout|\bif|\bwhether|\blet|\bmust|\bwon['’]t|\bnor)\s+(?:\w+ly\s+|even\s+|be\s+|have\s+)?$",
    re.IGNORECASE,
)
_PASSIVE = re.compile(r"\b(?:is|are|was|were|been|being|be|gets?|got)\s+(?:\w+ly\s+|not\s+|also\s+)?$", re.IGNORECASE)
_THAT = re.compile(r"\s*,?\s*that\s+")
# Between a verb and its "that" may stand when and where it was said; a thing would make "that" a relative.
_LATER_THAT = re.compile(
    r"(?P<between>\s+(?:(?:in|on|at|to|during|via|through|after|before|late|early|earlier|later|from|by|over|for|under|following|last"
    r"|this|today|yesterday|again|publicly|repeatedly|separately|\w+ly|\w+day)\b)[^,;:.!?]{0,110}?|\s*,[^,;:.!?]{1,80},)\s+that\s+"
)
_DENIED = re.compile(
    r"\s+(?:(?:the|all|any|these|those|such|media|recent|as\s+\w+)\s+){0,3}(?:claims?|reports?|allegations?|accusations?|suggestions?|idea|notion|rumou?rs)"
    r"(?:\s+(?:by|from|of|in|on)\s+[^,;.]{2,60}?)?\s+that\s+"
)
_HANDS_OVER = re.compile(r"\s*[:,]?\s*(?=[\"“'‘«])|\s*:\s*")
_OBJECT = re.compile(
    r"\s+(?:him|her|them|us|me|it|you|reporters|journalists|lawmakers|senators|parliament|MPs|viewers|supporters|followers|"
    r"(?:the|a|an|his|her|their|its|state|local)\s+(?:[\w.'’-]+\s+){0,3}?[\w'’-]+?|[A-Z][\w.'’-]*(?:\s+[A-Z][\w.'’-]*){0,3}"
    r"|[a-z]+s)(?=\s|[,:.]|$)"
)
_STOP = re.compile(r"\s*(?:$|[.,;!?—–)\]])|\s+(?:and|but|as|while|when|after|before|because|without|amid|following)\b")
_TAG_VERBS = frozenset(
    "say add claim report confirm state note warn insist explain write tweet allege estimate announce acknowledge admit argue "
    "tell testify believe show indicate find conclude suggest maintain concede reveal assert declare predict".split()
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with what of it stands within quotation marks. shown: its text with that masked, of equal length."""

    text: str  # of the article
    span: Span
    quoted: tuple[Quotation, ...]
    shown: str

    def words(self, span: Span) -> str:
        """What stands at a span of `shown`."""
        return self.text[self.span[0] + span[0] : self.span[0] + span[1]]


@dataclass(frozen=True, slots=True)
class Frame:
    """Somebody says something. Spans are of the sentence.

    speaker: as it stands there; '' is whoever the sentence is about, None is nobody named. region: the words that say
    who says it. content: what is said; of a denial, what is denied; of an object or a whole, the clause that tells it.
    """

    way: Way
    speaker: str | None
    region: Span
    content: tuple[Span, ...]
    remark: str = ""


def sentence_of(text: str, span: Span, quoted: Sequence[Quotation]) -> Sentence:
    inside = tuple(one for one in quoted if one.start < span[1] and one.end > span[0])
    return Sentence(text, span, inside, masked(text, span, inside))


def frames(sentence: Sentence) -> list[Frame]:
    """All that is reported in a sentence, in its order; one frame's content ends where the next one begins."""
    found = [frame for match in verb_pattern().finditer(sentence.shown) if (frame := _of_verb(sentence, match))]
    found += _according(sentence)
    found += _impersonal(sentence)
    found += _nominal(sentence, found)
    found.sort(key=lambda frame: frame.region)
    return _apart(sentence, found)


def _of_verb(sentence: Sentence, match: re.Match[str]) -> Frame | None:
    shown, verb = sentence.shown, verb_forms()[match.group()]
    before = shown[: match.start()]
    if _NOT_SAID.search(before[-40:]) or (_PASSIVE.search(before[-30:]) and not verb.participle):
        return None
    words = before.split()
    last = words[-1].lower() if words else ""
    noun = match.group() in group("nouns")
    if last in _DETERMINERS and not (last in ("and", "that", "of", "by", "in", "this") and verb.participle):
        return None
    if noun and not verb.participle and (last.endswith(("'s", "’s", "s'", "s’")) or not last):
        return None
    if verb.participle and not _progressive(before):
        return _of_participle(sentence, match, verb)
    after = _after_verb(shown, match.end(), verb)
    subject = subject_before(shown, match.start())
    if subject is not None and not is_speaker(cleaned(sentence.words(subject.span))):
        subject = None
    if noun and subject is not None and FINITE.search(shown, subject.span[0], subject.span[1]):
        return None
    content = _content_after(sentence, after, verb, noun=noun)
    if subject is None:
        return _inverted(sentence, match, verb)
    speaker, remark = cleaned(sentence.words(subject.span)), shown[subject.span[1] : match.start()]
    if verb.kind == "blame":
        told = re.match(r"[^.;]{3,}?\s(?:of|for)\s", shown[match.end() :])
        return Frame("object", speaker, (subject.left, match.end()), ((subject.left, len(shown)),), remark) if told else None
    if content is not None:
        way: Way = "denial" if verb.kind == "deny" else "clause"
        return Frame(way, speaker, (subject.left, content), ((content, len(shown)),), remark)
    if (_STOP.match(shown, after) or _ends_quoted(shown[: subject.left])) and (tag := _tag(sentence, subject, match.start(), after, verb)):
        return replace(tag, speaker=speaker, remark=remark)
    takes_object = verb.kind == "deny" or verb.base in group("object")
    if takes_object and not noun and not _STOP.match(shown, match.end()):
        return Frame("object", speaker, (subject.left, match.end()), ((subject.left, len(shown)),), remark)
    return None


def _progressive(before: str) -> bool:
    return bool(re.search(r"\b(?:is|are|was|were|been)\s+(?:\w+ly\s+|also\s+|now\s+)?$", before))


def _after_verb(shown: str, place: int, verb: Verb) -> int:
    """Where the verb's listener and its adjuncts end: "told reporters on Monday"."""
    if verb.base in group("told") and not _THAT.match(shown, place) and (match := _OBJECT.match(shown, place)):
        place = match.end()
    if match := re.compile(r"\s+to\s+(?:reporters|journalists|the\s+[\w.'’-]+|[A-Z][\w.'’-]*)\b").match(shown, place):
        place = match.end()
    for _ in range(4):
        match = ADJUNCT.match(shown, place)
        if match is None:
            break
        place = match.end()
    return place


def _content_after(sentence: Sentence, place: int, verb: Verb, *, noun: bool) -> int | None:
    """Where what is said begins, if it stands after the verb."""
    shown = sentence.shown
    if match := _THAT.match(shown, place):
        return match.end()
    match = _LATER_THAT.match(shown, place)
    if match and not FINITE.search(match["between"]) and not (noun and verb.kind != "say"):
        return match.end()
    if verb.kind != "say":
        match = _DENIED.match(shown, place)
        return match.end() if match and verb.kind == "deny" else None
    match = _HANDS_OVER.match(shown, place)
    if match and any(one.start - sentence.span[0] == match.end() for one in sentence.quoted):
        return match.end()
    if match and ":" in match.group() and match.end() < len(shown):
        return match.end()
    if _STOP.match(shown, place) or verb.base not in group("bare"):
        return None
    rest = shown[place:]
    if noun and not FINITE.search(rest):
        return None
    strong = verb.base in ("say", "insist") or (verb.base in group("told") and place)
    has_verb = bool(FINITE.search(rest))
    # "said to" and "said of" begin no clause; "confirmed the deaths" has no verb of its own.
    if re.match(r"\s+(?:to|of|about|for|as|nothing|so|little|much|goodbye|with|from|at|in|on|by|how|why|what|whether|if)\b(?!\s+\w+\s+\w+\s+(?:were|was|had|have)\b)", rest):
        if re.match(r"\s+(?:in|at|on|by|for|with|from|about|as)\b", rest) and has_verb and strong:
            return place + len(rest) - len(rest.lstrip())
        return None
    return place + len(rest) - len(rest.lstrip()) if has_verb else None


def _ends_quoted(head: str) -> bool:
    return head.rstrip()[-1:] in ("\"", "”", "'", "’", "»")


def _tag(sentence: Sentence, subject: Subject, verb_start: int, after: int, verb: Verb) -> Frame | None:
    """"CONTENT, NAME said" and "CONTENT, NAME said, MORE OF IT"."""
    shown = sentence.shown
    head = shown[: subject.left].rstrip()
    quoted = _ends_quoted(head)
    if not quoted and not (head.endswith((",", "—", "–")) and verb.base in _TAG_VERBS):
        return None
    content = head.rstrip(" ,—–")
    goes_on = shown[after:] if shown[after : after + 1] in (",", "—", "–") else ""
    if not quoted and (len(f"{content} {goes_on}".split()) < 3 or not _is_clause(content + goes_on)):
        return None
    return Frame("tag", None, (len(head), after), _around(sentence, len(content) if not quoted else len(head), after, quoted))


def _is_clause(content: str) -> bool:
    """Whether some words could be what is said: they have a verb, or a number, and do not only say when."""
    if re.match(r"(?:On|In|At|After|Before|During|When|While|As|If|Although|Though|Since|Following|By)\b[^,]*$", content):
        return False
    return bool(FINITE.search(content)) or bool(re.search(r"\d", content))


def _around(sentence: Sentence, end: int, after: int, quoted: bool) -> tuple[Span, ...]:
    """What stands before a tag, and what goes on after it."""
    shown = sentence.shown
    spans: list[Span] = [(0, end)]
    match = re.compile(r"\s*[,—–:;]?\s*").match(shown, after)
    rest = match.end() if match else after
    goes_on = shown[rest : rest + 1] in ("\"", "“", "'", "‘", "«") if quoted else shown[after : after + 1] in (",", "—", "–")
    told = re.match(r"(?:who|which|adding|citing|quoting|speaking|referring|according|in|on|at|after|as|when|while|but|and|a|an|the|his|her|without|during|describing|calling)\b", shown[rest:])
    if goes_on and rest < len(shown) - 3 and (quoted or not told):
        spans.append((rest, len(shown)))
    return tuple(spans)


def _inverted(sentence: Sentence, match: re.Match[str], verb: Verb) -> Frame | None:
    """"CONTENT," said NAME."""
    shown = sentence.shown
    head = shown[: match.start()].rstrip()
    quoted = _ends_quoted(head)
    if not head or verb.participle or not (quoted or (head.endswith(",") and verb.base in _TAG_VERBS)):
        return None
    subject = subject_after(shown, match.end())
    if subject is None:
        return None
    speaker = cleaned(sentence.words(subject.span))
    content = head if quoted else head.rstrip(" ,")
    if not is_speaker(speaker) or (not quoted and not _is_clause(content)):
        return None
    end = subject.span[1]
    tail = re.compile(rf",\s[^,.;\"“'‘{FILLER}]{{2,80}}?(?=[,.;]|$)").match(shown, end)
    remark = tail.group() if tail else ""
    after = tail.end() if tail else end
    return Frame("tag", speaker, (len(head), end), _around(sentence, len(content), after, quoted), remark)


def _of_participle(sentence: Sentence, match: re.Match[str], verb: Verb) -> Frame | None:
    """", adding that …", "quoted as saying …": by whoever the sentence is about."""
    shown = sentence.shown
    before = shown[: match.start()].rstrip()
    quoted_by = re.search(r"\b(?:was|were|is|are|been)\s+(?:also\s+)?(?:quoted|cited)\s+(?:by\s+[^,;]{2,60}\s+)?as$", before)
    quotes = re.search(r"\b(?:quoted|quoting|quotes|cited|citing)\s+(?P<who>[^,;\"“]{2,80}?)\s+as$", before)
    speaker, start = "", len(before.rstrip(","))
    if quoted_by:
        subject = subject_before(shown, quoted_by.start())
        if subject is None:
            return None
        speaker, start = cleaned(sentence.words(subject.span)), subject.left
    elif quotes:
        speaker, start = cleaned(sentence.words(quotes.span("who"))), quotes.start()
        subject = subject_before(shown, quotes.start())
        start = subject.left if subject else start
    elif not before.endswith((",", " and", "\"", "”", "—")) or verb.kind == "blame":
        return None
    content = _content_after(sentence, _after_verb(shown, match.end(), verb), verb, noun=False)
    if content is None:
        return None
    way: Way = "denial" if verb.kind == "deny" else "clause"
    return Frame(way, speaker, (start, content), ((content, len(shown)),))


_ACCORDING = re.compile(r"(?P<lead>,\s+)?\b(?:according\s+to|in\s+the\s+words\s+of|as\s+reported\s+by|as\s+(?:claimed|stated|announced|confirmed|alleged)\s+by)\s+", re.IGNORECASE)


def _according(sentence: Sentence) -> Iterator[Frame]:
    """"According to NAME, CONTENT", "CONTENT, according to NAME"."""
    shown = sentence.shown
    for match in _ACCORDING.finditer(shown):
        rest = shown[match.end() :]
        ends = re.search(r"[,;]\s|[.!?]?$|\s—|\s–|\s(?:who|which|that)\b", rest)
        stop = match.end() + (ends.start() if ends else len(rest))
        speaker = cleaned(sentence.words((match.end(), stop)))
        if not is_speaker(speaker):
            continue
        if not shown[: match.start()].strip(" \"“'"):
            begin = re.compile(r"[,\s]*").match(shown, stop)
            content: tuple[Span, ...] = ((_over_appositive(shown, begin.end() if begin else stop), len(shown)),)
        else:
            goes_on = re.compile(r",\s+(?!(?:a|an|the|who|which|its|his|her|citing|adding|and|but|as|while)\b)").match(shown, stop)
            content = ((0, match.start()), *(((goes_on.end(), len(shown)),) if goes_on else ()))
        yield Frame("clause" if content[0][0] else "tag", speaker, (match.start(), stop), content)


def _over_appositive(shown: str, place: int) -> int:
    """"According to Ann Lee, a nurse, …": where the content begins."""
    match = re.compile(r"(?:an?|the|who|which|one of|its|his|her)\s[^,;]{2,70},\s+").match(shown, place)
    return match.end() if match and not FINITE.search(match.group().removeprefix("who ")) and match.end() < len(shown) else place


_IT = re.compile(
    r"\b(?:it\s+(?:is|was|has\s+been|had\s+been)\s+(?:also\s+|widely\s+|initially\s+|first\s+|falsely\s+|later\s+)?"
    r"(?:claimed|reported|alleged|said|believed|rumou?red|understood|announced|thought|stated|confirmed|suggested|feared)\s+that"
    r"|there\s+(?:is|are|was|were|have\s+been|had\s+been|has\s+been)\s+(?:\w+\s+){0,2}?(?:reports?|claims?|rumou?rs?|allegations?|suggestions?|speculation|word)\s+that"
    r"|(?<!no )(?:unconfirmed|early|initial|false|multiple|several|some|local|media)?\s*\b(?:reports|rumou?rs)\s+(?:are\s+|have\s+been\s+)?(?:circulat\w+\s+|emerg\w+\s+|spread\w*\s+)?that)\s+",
    re.IGNORECASE,
)
_SAID_TO = re.compile(
    r"\b(?:is|are|was|were|has\s+been|have\s+been)\s+(?:also\s+|widely\s+)?(?:said|reported|believed|thought|alleged|understood|claimed|rumou?red|feared)\s+(?:to\s+(?:have|be|\w+)\b|dead\b|killed\b)"
    r"|(?<!\w)(?:reportedly|allegedly|purportedly|supposedly)\b",
    re.IGNORECASE,
)


def _impersonal(sentence: Sentence) -> Iterator[Frame]:
    """"It is claimed that …", "… is said to have …", "reportedly": nobody is named."""
    shown = sentence.shown
    for match in _IT.finditer(shown):
        yield Frame("clause", None, match.span(), ((match.end(), len(shown)),))
        return
    if (match := _SAID_TO.search(shown)) and not re.match(r"\s*,", shown[match.end() :]):
        by = re.compile(r"\s+by\s+(?P<who>[^,;.]{3,60}?)\s+to\b").search(shown, match.start())
        yield Frame("whole", cleaned(by["who"]) if by else None, match.span(), ((0, len(shown)),))


_NOMINAL = re.compile(
    r"(?:(?P<owner>(?:[A-Z][\w.-]*\s+){1,4}|\b(?:the|a|an)\s+(?:[\w.-]+\s+){0,3}|)(?P<owned>[\w.-]+)['’]s?\s+(?:\w+\s+)?"
    r"(?:claims?|allegations?|statements?|reports?|assertions?|announcements?|accusations?|insistence|contention|suggestions?|warnings?|denials?)"
    r"|\b(?:claims?|allegations?|statements?|reports?|assertions?|accusations?|rumou?rs|suggestions?)\s+(?:by|from|of|in|on)\s+(?P<by>[^,;.]{3,70}?))\s+that\s+"
)


def _nominal(sentence: Sentence, known: Sequence[Frame]) -> Iterator[Frame]:
    """"the ministry's claim that …", "reports from the city that …"."""
    shown = sentence.shown
    for match in _NOMINAL.finditer(shown):
        if any(frame.region[0] < match.end() and frame.region[1] > match.start() for frame in known):
            continue
        who = match["by"] or f"{match['owner'] or ''}{match['owned']}"
        speaker = cleaned(who)
        if is_speaker(speaker):
            ends = re.compile(r",\s|;\s").search(shown, match.end())
            yield Frame("clause", speaker, match.span(), ((match.end(), ends.start() if ends else len(shown)),))


def _apart(sentence: Sentence, found: Sequence[Frame]) -> list[Frame]:
    """Content does not go into the words of another frame; what is left with nothing to say is dropped."""
    kept: list[Frame] = []
    regions = sorted({frame.region for frame in found})
    for frame in found:
        spans: list[Span] = []
        for start, end in frame.content:
            if frame.way in ("object", "whole"):
                spans.append((start, end))
                continue
            for other in regions:
                if other != frame.region and start <= other[0] < end:
                    end = min(end, other[0])
                elif other != frame.region and other[0] < start < other[1]:
                    start = other[1]
            spans.append(_stripped(sentence.shown, (start, end)))
        spans = [span for span in spans if span[0] < span[1]]
        if sum(len(sentence.words(span).split()) for span in spans) >= 2:
            kept.append(replace(frame, content=tuple(spans)))
    return [frame for frame in kept if frame.way not in ("object", "whole") or _alone(frame, kept)]


def _alone(frame: Frame, kept: Sequence[Frame]) -> bool:
    """A whole clause is reported only where no other frame says more exactly who says what in it."""
    start, end = frame.content[0]
    return not any(other is not frame and other.way not in ("object", "whole") and start <= other.content[0][0] < end for other in kept)


def _stripped(shown: str, span: Span) -> Span:
    """Without white space, and without a comma or conjunction left at an end."""
    start, end = span
    if start >= end:
        return span
    match = re.compile(r"[\s,;:—–]*(?:(?:and|but|or)\s+(?:that\s+)?)?").match(shown, start, end)
    start = match.end() if match else start
    inner = shown[start:end].rstrip()
    inner = re.sub(r"(?:[\s,;:—–]|(?<=\s)(?:and|but|while|though|although|as|when|after))+$", "", inner)
    return start, start + len(inner)


def is_filler(shown: str) -> bool:
    """Whether a masked stretch is a quotation and nothing else."""
    return not re.search(r"\w", shown.replace(FILLER, "")) and FILLER in shown
