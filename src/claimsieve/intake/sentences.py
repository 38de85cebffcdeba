"""Sentences of a stretch of text as spans, also those within a quotation that goes over several."""

import re
from collections.abc import Iterator, Sequence

from claimsieve.intake.articles import Span
from claimsieve.intake.pieces import trimmed
from claimsieve.intake.verbs import tag_start

LONGEST_SENTENCE = 1_000  # characters; what is longer is no sentence that somebody wrote

# sentencex ends a sentence there, and it goes on: "5 p.m. Monday", "Gen. Smith", "St. Petersburg".
_GOES_ON = re.compile(
    r"\b[ap]\.m\.(?=\s+(?:\w+day|[A-Z]{2,4}|on|in|local)\b)"
    r"|\b(?:Gen|Lt|Col|Maj|Capt|Sgt|Brig|Adm|Cmdr|Rep|Sen|Gov|Rev|Hon|Pres|Dr|Mr|Mrs|Ms|Prof|St|No|Sr|Jr|Mt|Ft"
    r"|vs)\.(?=\s)"
    r"|\b(?:U\.S|U\.K|U\.N|E\.U|D\.C)\.(?=\s+[A-Z][a-z]+\s+[a-z])"
    r"|\b[A-Z]\.(?=\s+[A-Z][a-z])"
)
_LONGEST_STRETCH = 10_000
_WINDOW = 12
_REACH = 120
# "All is well!" President Smith tweeted: a mark within a quote, and after it who said it.
_QUOTE_END = re.compile(r"[!?…][\"”'’»]$")


def sentences(text: str, span: Span, *, lang: str | None = "en") -> list[Span]:
    """Spans of the sentences in text[start:end], without white space around them, in order."""
    import sentencex

    found: list[Span] = []
    for start, end in _stretches(text, span):
        for boundary in sentencex.get_sentence_boundaries(lang or "en", text[start:end]):
            one = trimmed(text, (start + boundary["start_index"], start + boundary["end_index"]))
            if one[0] >= one[1]:
                continue
            if found and _joins(text, found[-1], one):
                found[-1] = (found[-1][0], one[1])
            else:
                found.append(one)
    return found


def _stretches(text: str, span: Span) -> Iterator[Span]:
    """The span in parts that are not too long: sentencex is slow, by the square, at quotation marks without end."""
    start, end = span
    while end - start > _LONGEST_STRETCH:
        limit = start + _LONGEST_STRETCH
        ends = (text.rfind(mark, start + 1, limit) for mark in ("\n", ". ", " "))
        cut = next((place + 1 for place in ends if place >= 0), limit)
        yield start, cut
        start = cut
    yield start, end


def _joins(text: str, before: Span, after: Span) -> bool:
    """Whether two sentences of sentencex are one."""
    head, tail = (
        text[max(before[0], before[1] - _WINDOW) : before[1]],
        text[after[0] : min(after[1], after[0] + _REACH)],
    )
    if not any(character.isalnum() for character in tail):
        return True  # a closing mark by itself
    if "\n" in text[before[1] : after[0]] and head[-1] in '.!?"”':
        return False
    if _QUOTE_END.search(head) and tag_start().match(tail):
        return True
    return any(match.end() == len(head) for match in _GOES_ON.finditer(f"{head} {tail}"))


def inner_sentences(text: str, spans: Sequence[Span], *, lang: str | None = "en") -> list[Span]:
    """Sentences of several stretches."""
    return [found for span in spans for found in sentences(text, span, lang=lang)]
