"""What may speak to a claim: sentences of its own article and of others."""

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from claimsieve.intake.articles import Block, Document, Found, Span
from claimsieve.intake.claims import claims_of
from claimsieve.intake.phrasing import as_sentence
from claimsieve.intake.sentences import LONGEST_SENTENCE, inner_sentences
from claimsieve.intake.wording import is_long_enough, little_words
from claimsieve.records import Evidence

_WORD = re.compile(r"\w+(?:['’.-]\w+)*")


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence that may be evidence.

    article, span: where it stands, if it is of an article read here. block: the number of its block, for what stands
    beside it. claims: speaker and words of each claim found in it.
    """

    evidence: Evidence
    article: str | None = None
    span: Span = (0, 0)
    block: int = 0
    claims: tuple[tuple[str | None, frozenset[str]], ...] = ()


def passages_of(document: Document, found: Sequence[Found] | None = None) -> list[Passage]:
    """Every sentence of an article's own blocks, headings left out; the article's facts say who published it and when.

    found: its claims, where they are known already.
    """
    article = document.article
    claims = claims_of(document) if found is None else found
    by_sentence: dict[int, list[Found]] = {}
    for one in claims:
        by_sentence.setdefault(one.sentence[0], []).append(one)
    result: list[Passage] = []
    for number, block in enumerate(document.blocks):
        if block.kind in ("boilerplate", "heading"):
            continue
        for span in inner_sentences(article.text, block.spans, lang=article.lang):
            text = article.text[span[0] : span[1]]
            if not is_long_enough(text, words=3) or len(text) > LONGEST_SENTENCE:
                continue
            evidence = Evidence(
                " ".join(text.split()), _source(document, block), block.date or article.date, article.url
            )
            said = tuple((one.speaker, content_words(one.claim)) for one in by_sentence.get(span[0], ()))
            result.append(Passage(evidence, article.name, span, number, said))
    return result


def remarks_of(document: Document, one: Found) -> list[Evidence]:
    """What the article itself says of a claim within the claim's sentence: "there is no evidence to support this"."""
    article = document.article
    texts = [article.text[start:end] for start, end in one.remarks]
    return [Evidence(as_sentence(text), article.outlet, article.date, article.url) for text in texts if text.strip()]


def _source(document: Document, block: Block) -> str | None:
    if block.kind in ("post", "quote") and block.speaker:
        return block.speaker
    return document.article.outlet


def last_day(date: str) -> str:
    """The last day that a date of the form YYYY, YYYY-MM or YYYY-MM-DD may mean, as YYYY-MM-DD."""
    if len(date) == 4:
        return f"{date}-12-31"
    if len(date) == 7:
        return f"{date}-{monthrange(int(date[:4]), int(date[5:]))[1]:02d}"
    return date


@cache
def _cut(word: str) -> str:
    """A word without the commonest endings, so that "killed" meets "kill"."""
    for ending in ("ings", "ing", "edly", "ed", "ies", "es", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def terms(text: str) -> list[str]:
    """The words of a text that search goes by: small letters, little words left out, endings cut."""
    words = (match.group().lower().removesuffix("'s").removesuffix("’s") for match in _WORD.finditer(text))
    little = little_words("little")
    return [_cut(word) for word in words if word not in little]


def content_words(text: str) -> frozenset[str]:
    return frozenset(terms(text))
