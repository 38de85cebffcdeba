"""Checked claims, laid out to be searched: by their words, and by what they mean."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from claimsieve.data.duplicates import normalise
from claimsieve.matching.checked import Checked
from claimsieve.matching.differences import Said, said
from claimsieve.matching.encoder import Embedded, Encoder, embed
from claimsieve.matching.index import embedded_with
from claimsieve.matching.judge import KINDS, Side, Verdict, in_order, judge
from claimsieve.matching.near import NearTexts
from claimsieve.matching.nearest import nearest
from claimsieve.matching.thresholds import Thresholds

CANDIDATES = 16  # the nearest texts of a claim, which are judged; some of them fall to "suggested"
_MOST_ALIKE = 64  # texts that are the same but for signs and capitals
_REMEMBERED = 50_000

Found = tuple[Verdict, Checked]


class Library:
    """Checked claims and how to find them. computed: texts that the encoder had to read, not being in the index."""

    def __init__(self, checked: Sequence[Checked], encoder: Encoder, *, index: Path | None = None) -> None:
        self._encoder = encoder
        self._rows: dict[str, list[Checked]] = {}
        # Of equals those that say a person's verdict go first: only so many are told of a claim.
        for one in sorted(checked, key=lambda one: (one.is_made, one.label is None)):
            self._rows.setdefault(_spaced(one.claim), []).append(one)
        self._texts = list(self._rows)
        self._embedded, self.computed = embedded_with(index, encoder, self._texts)
        plain = [normalise(text) for text in self._texts]
        self._same: dict[str, list[int]] = {}
        for place, text in enumerate(plain):
            self._same.setdefault(text, []).append(place)
        self._plain = list(self._same)
        self._near = NearTexts(self._plain)
        self._said = lru_cache(maxsize=_REMEMBERED)(said)

    def matches(
        self, claims: Sequence[str], langs: Sequence[str | None], *, by: Thresholds, most: int
    ) -> list[list[Found]]:
        """For each claim what was checked before, the best first. Claims that stand twice are looked up once."""
        texts = list(dict.fromkeys(_spaced(claim) for claim in claims))
        embedded = embed(self._encoder, texts)
        cosines: list[dict[int, float]] = [{} for _ in texts]
        found = nearest(embedded.vectors, self._embedded.vectors, least=by.suggested, most=CANDIDATES)
        for row, place, cosine in zip(*(part.tolist() for part in found), strict=True):
            cosines[row][place] = cosine
        grams = self._alike(texts)
        place_of = {text: place for place, text in enumerate(texts)}
        result = []
        for claim, lang in zip(claims, langs, strict=True):
            row = place_of[_spaced(claim)]
            side = self._side(texts[row], lang, embedded, row)
            result.append(self._judged(side, cosines[row], grams[row], by=by, most=most))
        return result

    def _judged(
        self, side: Side, cosines: dict[int, float], grams: dict[int, float], *, by: Thresholds, most: int
    ) -> list[Found]:
        found: list[tuple[Verdict, int]] = []
        for place in cosines.keys() | grams.keys():
            rows = self._rows[self._texts[place]]
            other = self._side(self._texts[place], rows[0].lang, self._embedded, place)
            verdict = judge(side, other, cosine=cosines.get(place), grams=grams.get(place), by=by)
            if verdict is not None:
                found.append((verdict, place))
        ordered = in_order(found, len(found))
        best = [(verdict, row) for verdict, place in ordered for row in self._rows[self._texts[place]][:most]]
        return sorted(best, key=_people_first)[:most]

    def _alike(self, texts: Sequence[str]) -> list[dict[int, float]]:
        """For each text those that are nearly the same words, with the similarity of their 5-grams."""
        plain = [normalise(text) for text in texts]
        result = []
        for text, near in zip(plain, self._near.of(plain), strict=True):
            similarity = {self._plain[place]: share for place, share in near.items()}
            if text in self._same:
                similarity[text] = 1.0
            result.append(
                {place: share for like, share in similarity.items() for place in self._same[like][:_MOST_ALIKE]}
            )
        return result

    def _side(self, text: str, lang: str | None, embedded: Embedded, row: int) -> Side:
        words: Said = self._said(text)
        return Side(words, lang, float(embedded.unread[row]), bool(embedded.cut[row]))


def _people_first(found: Found) -> tuple[int, bool, bool]:
    """By kind, and of claims checked in the same words those with a person's verdict; else the order stays."""
    verdict, row = found
    is_same = verdict.kind == "duplicate"
    return KINDS.index(verdict.kind), is_same and row.is_made, is_same and row.label is None


def _spaced(text: str) -> str:
    return " ".join(text.split())
