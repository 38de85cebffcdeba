"""Which passages speak to a claim: by words (BM25) and by meaning, fused by rank; never the claim said again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from claimsieve.intake.articles import Found, Span
from claimsieve.intake.passages import Passage, content_words, last_day, terms
from claimsieve.intake.similarity import Embedder
from claimsieve.intake.worth import is_remark
from claimsieve.records import Evidence

PASSAGES = 5
LEAST_COSINE = 0.35  # below it two sentences of one story have little more in common than the story

# Embedding takes some milliseconds a passage; of a larger pool only what words find is looked at by meaning.
EMBEDDED_PASSAGES = 3_000
CANDIDATES = 200

_FUSION = 60.0  # the constant of reciprocal rank fusion, as its authors chose it
_SAME_WORDS = 0.8
_PRONOUNS = ("he ", "she ", "it ", "they ", "this ", "these ", "that ", "those ", "his ", "her ", "its ", "their ")

_BACK = re.compile(
    r"\b(?:this|that|these|those|it|them|they|neither|both|so|(?:the|such)\s+(?:\w+\s+)?(?:claim|report|rumou?r|allegation"
    r"|figure|number|video|picture|photo|photograph|image|clip|footage|story|statement|post)s?)\b",
    re.IGNORECASE,
)
_VERDICT = re.compile(
    r"\b(?:baseless|false|falsely|fake|untrue|unfounded|unproven|unconfirmed|misleading|fabricated|invented|doctored|hoax|lie|lies"
    r"|wrong|incorrect|inaccurate|nonsense|old|older|true|correct|accurate|genuine|authentic|evidence|proof"
    r"|den(?:y|ies|ied)|reject(?:s|ed)?|dismiss(?:es|ed)?|disput(?:es|ed)|refut(?:es|ed)|debunk(?:s|ed)?|contradict(?:s|ed)?"
    r"|confirm(?:s|ed)?|verif(?:y|ies|ied)|corroborat(?:e|es|ed)|acknowledg(?:es|ed))\b",
    re.IGNORECASE,
)

Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be evidence. as_of: nothing dated later, YYYY-MM-DD. dated_only: nothing without a date.

    passages: at most so many.
    """

    passages: int = PASSAGES
    as_of: str | None = None
    dated_only: bool = False


class Pool:
    """All passages of a job, indexed once."""

    def __init__(self, passages: Sequence[Passage], *, limits: Limits, embedder: Embedder | None = None) -> None:
        self._limits = limits
        self._passages = _allowed(passages, limits)
        # "The agency called this baseless" speaks of what the sentence before it says, and is found by its words.
        self._texts = [
            f"{before.evidence.text} {one.evidence.text}" if before and points_back(one, before) else one.evidence.text
            for before, one in zip(_one_later(self._passages), self._passages, strict=True)
        ]
        self._index = _index([terms(text) for text in self._texts])
        self._embedder = embedder
        self._embedded: dict[int, Floats] = {}

    def __len__(self) -> int:
        return len(self._passages)

    def evidence_for(self, one: Found, *, article: str, first: Sequence[Evidence] = ()) -> tuple[Evidence, ...]:
        """The passages that are most relevant to a claim, the best first, after those in `first`.

        article: where the claim stands; its own sentence is never evidence for it, nor a sentence that only says it
        again by the same speaker. Fused by reciprocal rank (Cormack et al. 2009, doi:10.1145/1571941.1572114).
        """
        if self._limits.passages == 0 or not self._passages:
            return tuple(first)[: self._limits.passages]
        scores = self.scores(one.claim)
        chosen: list[int] = []
        texts = {item.text for item in first}
        # Of a text that says one thing ten thousand times the best are all the claim itself: enough is enough.
        for place in np.argsort(-scores, kind="stable")[:CANDIDATES]:
            passage = self._passages[int(place)]
            if scores[place] <= 0 or len(chosen) + len(first) >= self._limits.passages:
                break
            if passage.evidence.text in texts or self._is_claim_itself(passage, one, article):
                continue
            texts.add(passage.evidence.text)
            chosen.append(int(place))
        return (*first, *self._with_neighbours(chosen, one, article))[: self._limits.passages]

    def scores(self, claim: str) -> Floats:
        """Fused score of every passage; 0 for one that has neither words nor meaning in common with the claim."""
        by_words = _word_scores(self._index, terms(claim), len(self._passages))
        fused = np.where(by_words > 0, 1 / (_FUSION + _ranks(by_words)), 0)
        if self._embedder is not None:
            cosines = self._cosines(claim, by_words, self._embedder)
            fused = fused + np.where(cosines >= LEAST_COSINE, 1 / (_FUSION + _ranks(cosines)), 0)
        return fused.astype(np.float32)

    def _cosines(self, claim: str, by_words: Floats, embedder: Embedder) -> Floats:
        """Of every passage of a small pool; of a large one, of those that have most words in common with the claim."""
        places = np.arange(len(self._passages))
        if len(places) > EMBEDDED_PASSAGES:
            places = np.argsort(-by_words, kind="stable")[:CANDIDATES]
        missing = [int(place) for place in places if int(place) not in self._embedded]
        vectors = embedder.embed([self._texts[place] for place in missing] + [claim])
        self._embedded.update(zip(missing, vectors[:-1], strict=True))
        cosines = np.full(len(self._passages), -1, dtype=np.float32)
        cosines[places] = np.stack([self._embedded[int(place)] for place in places]) @ vectors[-1]
        return cosines

    def _is_claim_itself(self, passage: Passage, one: Found, article: str) -> bool:
        if passage.article == article and _overlap(passage.span, one.sentence):
            return True
        words = content_words(one.claim)
        return any(
            _same_speaker(speaker, one.speaker, passage.article == article) and _share(words, said) >= _SAME_WORDS
            for speaker, said in passage.claims
        )

    def _with_neighbours(self, chosen: Sequence[int], one: Found, article: str) -> list[Evidence]:
        """Chosen sentences; one that begins with a pronoun, or is a word on the sentence before it, brings that one."""
        taken: set[int] = set()
        result = []
        for place in chosen:
            if place in taken:
                continue
            taken.add(place)
            passage = self._passages[place]
            before = self._passages[place - 1] if place else None
            if (
                before is not None
                and place - 1 not in taken
                and (passage.evidence.text.lower().startswith(_PRONOUNS) or points_back(passage, before))
                and _stand_together(before, passage)
                and not self._is_claim_itself(before, one, article)
            ):
                taken.add(place - 1)
                result.append(replace(passage.evidence, text=f"{before.evidence.text} {passage.evidence.text}"))
            else:
                result.append(passage.evidence)
        return result


def points_back(passage: Passage, before: Passage) -> bool:
    """Whether a sentence is a word on the one before it: "the agency called this baseless"."""
    if not _stand_together(before, passage):
        return False
    text = passage.evidence.text
    return bool(_BACK.search(text)) and (is_remark(text) or bool(_VERDICT.search(text)))


def _stand_together(before: Passage, passage: Passage) -> bool:
    """Whether two passages are of one paragraph."""
    return passage.article is not None and (before.article, before.block) == (passage.article, passage.block)


def _one_later(passages: Sequence[Passage]) -> list[Passage | None]:
    return [None, *passages[:-1]] if passages else []


def _allowed(passages: Sequence[Passage], limits: Limits) -> list[Passage]:
    """Passages by date. "2020-01" may be the last of the month, so it is after the 8th."""
    kept = []
    for passage in passages:
        date = passage.evidence.date
        if date is None and limits.dated_only:
            continue
        if date is not None and limits.as_of is not None and last_day(date) > last_day(limits.as_of):
            continue
        kept.append(passage)
    return kept


def _index(documents: list[list[str]]) -> Any:
    import bm25s

    if not any(documents):
        return None
    retriever = bm25s.BM25(method="lucene")
    retriever.index(documents, show_progress=False)
    return retriever


def _word_scores(index: Any, query: list[str], passages: int) -> Floats:
    known = [] if index is None else [word for word in query if word in index.vocab_dict]
    if not known:
        return np.zeros(passages, dtype=np.float32)
    return np.asarray(index.get_scores(known), dtype=np.float32)


def _ranks(scores: Floats) -> Floats:
    """1 for the highest score; the order of the pool decides between equal ones."""
    ranks = np.empty(len(scores), dtype=np.float32)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _same_speaker(one: str | None, other: str | None, same_article: bool) -> bool:
    """An article's own words are one speaker's only within that article."""
    if one is None or other is None:
        return one is None and other is None and same_article
    left, right = one.lower().removeprefix("the "), other.lower().removeprefix("the ")
    return left in right or right in left


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    """Of the words of the shorter claim, how many are in the other."""
    return len(one & other) / max(1, min(len(one), len(other)))
