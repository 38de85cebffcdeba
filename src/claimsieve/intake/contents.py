"""What follows a verb of reporting: its listener and adjuncts, and where what is said begins."""

import re

from claimsieve.intake.frames import Sentence
from claimsieve.intake.speakers import ADJUNCT
from claimsieve.intake.verbs import FINITE, PLURAL_PRESENT, Verb, group

STOP = re.compile(r"\s*(?:$|[.,;!?—–)\]])|\s+(?:and|but|as|while|when|after|before|because|without|amid|following)\b")

_THAT = re.compile(r"\s*,?\s*that\s+")
# Between a verb and its "that" may stand when and where it was said; a thing there would make "that" a relative.
_LATER_THAT = re.compile(
    r"(?P<between>\s+(?:(?:in|on|at|to|during|via|through|after|before|late|early|earlier|later|from|by|over|for|under"
    r"|following|last|this|today|yesterday|again|publicly|repeatedly|separately|\w+ly|\w+day)\b)[^,;:.!?]{0,110}?"
    r"|\s*,[^,;:.!?]{1,80},)\s+that\s+"
)
_TOLD_THAT = re.compile(r"(?P<between>\s[^,;:.!?]{1,140}?)\s+that\s+")
_HELPER = re.compile(r"\b(?:is|are|was|were|has|have|had|will|would|can|could|said|says)\b")
_DENIED = re.compile(
    r"\s+(?:(?:the|all|any|these|those|such|media|recent|as\s+\w+)\s+){0,3}"
    r"(?:claims?|reports?|allegations?|accusations?|suggestions?|idea|notion|rumou?rs)"
    r"(?:\s+(?:by|from|of|in|on)\s+[^,;.]{2,60}?)?\s+that\s+"
)
_DENIED_BARE = re.compile(r"\s+(?=(?:they|he|she|it|there)\s)")  # "deny they knew"
_HANDS_OVER = re.compile(r"\s*[:,]?\s*(?=[\"“'‘«])|\s*:\s*")
_OBJECT = re.compile(
    r"\s+(?:him|her|them|us|me|it|you|reporters|journalists|lawmakers|senators|parliament|MPs|viewers|supporters"
    r"|followers"
    r"|(?:the|a|an|his|her|their|its|state|local)\s+(?:[A-Z][\w.'’-]*(?:\s+[A-Z][\w.'’-]*){0,3}"
    r"|(?:[\w.'’-]+\s+){0,3}?[\w'’-]+?)"
    r"|[A-Z][\w.'’-]*(?:\s+[A-Z][\w.'’-]*){0,3}|[a-z]+s)(?=\s|[,:.]|$)"
)
_TO_SOMEBODY = re.compile(
    r"\s+to\s+(?:reporters|journalists|the\s+[\w.'’-]+"
    r"|[A-Z][\w.'’-]*(?:\s+[A-Z][\w.'’-]*){0,3})\b"
)
_PLACE = re.compile(r"\s+(?:in|at|from|near|outside)\s+(?:the\s+)?[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+)*\b")
_NO_CLAUSE = re.compile(
    r"\s+(?:to|of|about|for|as|nothing|so|little|much|goodbye|with|from|at|in|on|by|how|why|what|whether|if"
    r"|responsibility"
    r"|victory|yes|no(?=[,.]))\b"
)
_PLACED = re.compile(r"\s+(?:in|at|on)\b")
_MOST_ADJUNCTS = 4


def after_verb(shown: str, place: int, verb: Verb) -> int:
    """Where the verb's listener and its adjuncts end: "told reporters on Monday"."""
    if verb.base in group("told") and not _THAT.match(shown, place) and (match := _OBJECT.match(shown, place)):
        place = match.end()
    if match := _TO_SOMEBODY.match(shown, place):
        place = match.end()
    for _ in range(_MOST_ADJUNCTS):
        match = ADJUNCT.match(shown, place) or _PLACE.match(shown, place)
        if match is None:
            break
        place = match.end()
    return place


def content_after(sentence: Sentence, verb_end: int, verb: Verb, *, noun: bool) -> int | None:
    """Where what is said begins, if it stands after the verb. noun: the form may be a noun as well."""
    shown = sentence.shown
    if (
        verb.base in group("told")
        and (match := _TOLD_THAT.match(shown, verb_end))
        and not _HELPER.search(match["between"])
    ):
        return match.end()
    place = after_verb(shown, verb_end, verb)
    if match := _THAT.match(shown, place):
        return match.end()
    match = _LATER_THAT.match(shown, place)
    if match and not FINITE.search(match["between"]) and not (noun and verb.kind != "say"):
        return match.end()
    if verb.kind != "say":
        match = _DENIED.match(shown, place) or _DENIED_BARE.match(shown, place)
        return match.end() if match and verb.kind == "deny" else None
    match = _HANDS_OVER.match(shown, place)
    if match and any(one.start - sentence.span[0] == match.end() for one in sentence.quoted):
        return match.end()
    if match and ":" in match.group() and match.end() < len(shown):
        return match.end()
    if STOP.match(shown, place) or verb.base not in group("bare"):
        return None
    return _bare_clause(shown, place, verb)


def _bare_clause(shown: str, place: int, verb: Verb) -> int | None:
    """Where a clause without "that" begins: "said the dam had burst", not "confirmed the deaths of five"."""
    rest = shown[place:].partition(";")[0]
    found = FINITE.search(rest) or PLURAL_PRESENT.search(rest)
    if found is None or not rest[: found.start()].strip():
        return None  # "videos posted online showed": who posted them is not told
    # "declared an emergency and gave …": the verb belongs to whoever declared.
    if re.search(r"\b(?:and|or|but|that|who|which|to|also|whose|then)\s+(?:\w+ly\s+)?$", rest[: found.start()]):
        return None
    if _NO_CLAUSE.match(rest) and not (
        _PLACED.match(rest) and (verb.base in ("say", "insist") or verb.base in group("told"))
    ):
        return None
    return place + len(rest) - len(rest.lstrip())
