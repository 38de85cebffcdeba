"""The records of reported speech: a sentence with its quotations masked, and a frame of who says what in it."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from claimsieve.intake.articles import Span
from claimsieve.intake.quotes import FILLER, Quotation, masked
from claimsieve.intake.verbs import has_verb

# clause, tag: what is said stands after or before who says it. denial: it is said not to be so. object: a clause tells
# it, "the army confirmed two deaths". whole: nobody is named, "is said to have fled".
Way = Literal["clause", "tag", "denial", "object", "whole"]

# The article on a thing that somebody showed: "pictures that turned out to be old".
RELATIVE_REMARK = re.compile(
    r",?\s+(?:that|which)\s+(?:(?:have|has|had)\s+(?:since\s+)?)?(?:turned\s+out|turn\s+out|proved|(?:were|was"
    r"|are|is)\s+(?:in\s+fact|actually|"
    r"later\s+found|found|old|older|fake|false|taken|filmed|shot|from)|in\s+fact|actually|date[sd]?\s+(?:from"
    r"|back)|could\s+not\s+be|"
    r"did\s+not\s+show|do\s+not\s+show)\b"
)
TIME_SPAN = r"\w+\s+(?:minutes?|hours?|days?|weeks?|months?|years?)\s+"  # "a day ", "two hours ", before "after"
_CLAUSE_ENDS = re.compile(r";\s+|,\s+(?:and|but|while|whereas|although|though)\s+")


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
    who says it. content: what is said; of a denial, what is denied; of an object or a whole, the clause that tells it;
    () where nothing is left of it. remark: what is said of the speaker between commas.
    """

    way: Way
    speaker: str | None
    region: Span
    content: tuple[Span, ...]
    remark: str = ""


def sentence_of(text: str, span: Span, quoted: Sequence[Quotation]) -> Sentence:
    """The sentence at a span of an article. quoted: the quotations of its paragraph, in order."""
    first = bisect_right(quoted, span[0], key=lambda one: one.end)
    last = bisect_left(quoted, span[1], key=lambda one: one.start)
    inside = tuple(quoted[first:last])
    return Sentence(text, span, inside, masked(text, span, inside))


def clause_start(shown: str, place: int) -> int:
    """Where the main clause begins in which a place is: after "…, and" with a verb before it, else at the start."""
    start = 0
    for match in _CLAUSE_ENDS.finditer(shown, 0, place):
        if has_verb(shown[start : match.start()]):
            start = match.end()
    return start


def is_filler(shown: str) -> bool:
    """Whether a masked stretch is a quotation and nothing else."""
    return FILLER in shown and not re.search(r"\w", shown.replace(FILLER, ""))
