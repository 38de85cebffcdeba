"""What is reported without a verb of its own: "according to", "it is claimed that", "the ministry's claim that"."""

import re
from collections.abc import Iterator, Sequence

from claimsieve.intake.articles import Span
from claimsieve.intake.frames import Frame, Sentence, clause_start, is_filler
from claimsieve.intake.speakers import ONLY_A_NAME, cleaned, is_speaker
from claimsieve.intake.verbs import FINITE

_ACCORDING = re.compile(
    r"(?P<lead>,\s+)?\b(?:according\s+to|in\s+the\s+(?:words|view|opinion|account|estimation|reckoning)\s+of|as\s+reported\s+by|as\s+(?:claimed|stated"
    r"|announced|confirmed|alleged)\s+by)\s+",
    re.IGNORECASE,
)


def according(sentence: Sentence) -> Iterator[Frame]:
    """ "According to NAME, CONTENT", "CONTENT, according to NAME"."""
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
            place = begin.end() if begin else stop
            name = _NAME_NEXT.match(shown, place)
            if name and speaker[:1].islower():
                speaker, place = name["name"], name.end()  # "According to their group, Clean Rivers Now, …"
            content: tuple[Span, ...] = ((_over_appositive(shown, place), len(shown)),)
        else:
            goes_on = re.compile(r",\s+(?!(?:a|an|the|who|which|its|his|her|citing|adding|and|but|as|while)\b)").match(
                shown, stop
            )
            content = ((0, match.start()), *(((goes_on.end(), len(shown)),) if goes_on else ()))
        yield Frame("clause" if content[0][0] else "tag", speaker, (match.start(), stop), content)
    for match in _BY_COUNT.finditer(shown):
        speaker = _OWNERS[match["whose"].lower()] if match["whose"] else cleaned(sentence.words(match.span("who")))
        if match.start():
            yield Frame("tag", speaker, match.span(), ((0, match.start()),))
        else:
            yield Frame("clause", speaker, match.span(), ((match.end(), len(shown)),))


# "by Ann Lee's count", "by her reckoning"
_BY_COUNT = re.compile(
    r"(?:,\s+|^)(?:by|on)\s+(?:(?P<who>[^,;.]{2,50}?)['’]s?|(?P<whose>his|her|their|its))\s+(?:own\s+)?"
    r"(?:count|reckoning|estimates?|account|calculations?|telling|figures)\b,?\s*",
    re.IGNORECASE,
)
_OWNERS = {"his": "he", "her": "she", "their": "they", "its": "it"}
_NAME_NEXT = re.compile(rf"(?P<name>{ONLY_A_NAME.pattern}),\s+(?=\S)")


def _over_appositive(shown: str, place: int) -> int:
    """ "According to Ann Lee, a nurse, …": where the content begins."""
    match = re.compile(r"(?:an?|the|who|which|one of|its|his|her)\s[^,;]{2,70},\s+").match(shown, place)
    return (
        match.end()
        if match and not FINITE.search(match.group().removeprefix("who ")) and match.end() < len(shown)
        else place
    )


_IT = re.compile(
    r"\b(?:it\s+(?:is|was|has\s+been|had\s+been)\s+(?:also\s+|widely\s+|initially\s+|first\s+|falsely\s+|later\s+)?"
    r"(?:claimed|reported|alleged|said|believed|rumou?red|understood|announced|thought|stated|confirmed"
    r"|suggested|feared)\s+that"
    r"|there\s+(?:is|are|was|were|have\s+been|had\s+been|has\s+been)\s+(?:\w+\s+){0,2}?(?:reports?|claims?"
    r"|rumou?rs?|allegations?|suggestions?|speculation|word)\s+that"
    r"|(?<!no )(?:unconfirmed|early|initial|false|multiple|several|some|local|media)?\s*\b(?:reports"
    r"|rumou?rs)\s+(?:are\s+|have\s+been\s+)?(?:circulat\w+\s+|emerg\w+\s+|spread\w*\s+)?that)\s+",
    re.IGNORECASE,
)
_SAID_TO = re.compile(
    r"\b(?:is|are|was|were|has\s+been|have\s+been)\s+(?:also\s+|widely\s+)?(?:said|reported|believed|thought"
    r"|alleged|understood|claimed|rumou?red|feared)\s+(?:to\s+(?:have|be|\w+)\b|dead\b|killed\b)"
    r"|(?<!\w)(?:reportedly|allegedly|purportedly|supposedly)\b",
    re.IGNORECASE,
)


# "the inquiry was told that …", "Reuters was told by officials that …"
_WAS_TOLD = re.compile(
    r"^(?:(?!\b(?:if|not|never)\b)[^,;:]){3,80}?\s(?:was|were|has\s+been|have\s+been|had\s+been)\s+(?:also\s+"
    r"|later\s+)?(?:told|informed)"
    r"(?:\s+by\s+(?P<who>[^,;:]{3,60}?))?\s+that\s+"
)


def impersonal(sentence: Sentence) -> Iterator[Frame]:
    """ "It is claimed that …", "… is said to have …", "reportedly": nobody is named."""
    shown = sentence.shown
    for match in _IT.finditer(shown):
        yield Frame("clause", None, match.span(), ((match.end(), len(shown)),))
        return
    if told := _WAS_TOLD.search(shown):
        yield Frame("clause", cleaned(told["who"]) if told["who"] else None, told.span(), ((told.end(), len(shown)),))
        return
    said = _SAID_TO.search(shown)
    if said and not re.match(r"\s*,", shown[said.end() :]):
        start = clause_start(shown, said.start())
        by = re.compile(r"\s+by\s+(?P<who>[^,;.]{3,60}?)\s+to\b").search(shown, said.start())
        yield Frame("whole", cleaned(by["who"]) if by else None, said.span(), ((start, len(shown)),))


_HANDS_OVER = re.compile(r"(?P<head>[^:;.]{3,120}):\s+(?=[\"“'‘«])")


def handed_over(sentence: Sentence) -> Iterator[Frame]:
    """'NAME was blunt: "…"': a sentence that only a colon and quotation marks make one of reporting."""
    match = _HANDS_OVER.match(sentence.shown)
    if match and is_filler(sentence.shown[match.end() :]):
        yield Frame("clause", "", match.span("head"), ((match.end(), len(sentence.shown)),))


_NOMINAL = re.compile(
    r"(?:(?P<owner>(?:[A-Z][\w.-]*\s+){1,4}|\b(?:the|a|an)\s+(?:[\w.-]+\s+){0,3}"
    r"|)(?P<owned>[\w.-]+)['’]s?\s+(?:\w+\s+)?"
    r"(?:claims?|allegations?|statements?|reports?|assertions?|announcements?|accusations?|insistence|contention"
    r"|suggestions?|warnings?|denials?)"
    r"|\b(?:claims?|allegations?|statements?|reports?|assertions?|accusations?|rumou?rs|suggestions?)\s+(?:by"
    r"|from|of|in|on)\s+(?P<by>[^,;.]{3,70}?))\s+that\s+"
)


def nominal(sentence: Sentence, known: Sequence[Frame]) -> Iterator[Frame]:
    """ "the ministry's claim that …", "reports from the city that …"."""
    shown = sentence.shown
    for match in _NOMINAL.finditer(shown):
        if any(frame.region[0] < match.end() and frame.region[1] > match.start() for frame in known):
            continue
        who = match["by"] or f"{match['owner'] or ''}{match['owned']}"
        speaker = cleaned(who)
        if is_speaker(speaker):
            ends = re.compile(r",\s|;\s").search(shown, match.end())
            yield Frame("clause", speaker, match.span(), ((match.end(), ends.start() if ends else len(shown)),))
