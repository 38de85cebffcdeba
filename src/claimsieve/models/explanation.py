"""Why a model gave a claim its label: the words and passages that spoke most for it, or against it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from claimsieve.models import Encoded, Model
from claimsieve.models.attributions import Attributions, Floats, Places
from claimsieve.models.explained_words import DUST, Words, words_of
from claimsieve.records import LABELS, Claim, InputField

TOP = 8
_CLINGING = ".,;:!?…\"'`“”„‘’‚«»‹›()[]{}<>、。，；：！？「」『』（）،؛؟।"


@dataclass(frozen=True, slots=True)
class WordWeight:
    """One word, without the punctuation that clings to it, and its weight.

    field: claim, evidence, source or date. passage: number of the passage from 0, when the word stands in the evidence
    or in a passage's source or date. start, end: in characters of that field's own text, so text == field[start:end].
    """

    text: str
    field: InputField
    passage: int | None
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class PassageWeight:
    """The sum of the weights of a passage's words, with those of its source and date where the model reads them."""

    passage: int
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """What spoke for the chosen label (weight above 0) and against it (below), the largest weights first.

    A weight is in units of the label's log-odds, log p / (1 - p) of the uncalibrated probability p: to first order,
    what is lost when the word is taken away. For tfidf all words together with the intercept are the label's logit
    less the mean of the others', exactly; for networks a word's weight is the gradient times what stands in for it, and
    the sum means nothing. Words that the model did not read, or that weigh nothing, are not named.
    It says what the model went by, not whether that is a good reason. beginning_only: what was read in pieces is
    explained by what one window holds, though all of it was read for the answer.
    """

    words: tuple[WordWeight, ...]
    passages: tuple[PassageWeight, ...]
    beginning_only: bool = False

    def record(self) -> dict[str, Any]:
        """As plain values for JSON: {"words": [{text, in, passage, start, end, weight}], "passages": [...]}."""
        return {
            "words": [
                {
                    "text": word.text,
                    "in": word.field,
                    **({} if word.passage is None else {"passage": word.passage}),
                    "start": word.start,
                    "end": word.end,
                    "weight": round(word.weight, 4),
                }
                for word in self.words
            ],
            "passages": [{"passage": each.passage, "weight": round(each.weight, 4)} for each in self.passages],
            **({"beginning_only": True} if self.beginning_only else {}),
        }


def explain(
    model: Model,
    claims: Sequence[Claim],
    *,
    top: int = TOP,
    encoded: Encoded | None = None,
    attributions: Iterable[Attributions] | None = None,
) -> tuple[npt.NDArray[np.float64], list[Explanation]]:
    """What Model.answers gives, shape (n, 3 + heads), and one Explanation per claim, from one pass over the claims.

    top: how many words, and how many passages, are named at most. encoded: what the model made of the claims, if it is
    known. attributions: what `attributed` gave of them, likewise. Memory is that of a batch.
    """
    answers = np.zeros((len(claims), len(LABELS) + len(model.heads)))
    found: list[Explanation | None] = [None] * len(claims)
    encoded = model.encode(claims) if encoded is None else encoded
    for batch in attributed(model, claims, encoded=encoded) if attributions is None else attributions:
        answers[batch.rows] = batch.answers
        rows = batch.rows.tolist()
        words = words_of([claims[row] for row in rows], model.inputs, batch)
        for row, explanation in zip(rows, explanations(words, n=len(rows), top=top), strict=True):
            found[row] = explanation
    named = [explanation for explanation in found if explanation is not None]
    for row in {*encoded.in_pieces, *encoded.cut}:
        named[row] = replace(named[row], beginning_only=True)
    return answers, named


def attributed(model: Model, claims: Sequence[Claim], *, encoded: Encoded | None = None) -> Iterator[Attributions]:
    """Model.attribute of the labels that the claims have when all of their evidence is read, with those answers.

    What one window holds may speak for another label than all of it. encoded: what the model made of the claims.
    """
    encoded = model.encode(claims) if encoded is None else encoded
    beyond = sorted({*encoded.in_pieces, *encoded.cut})
    whole = (
        model.answers(model.encode([claims[row] for row in beyond]))
        if beyond
        else np.zeros((0, len(LABELS) + len(model.heads)))
    )
    chosen, place_of = np.full(len(claims), -1), np.full(len(claims), -1)
    chosen[beyond], place_of[beyond] = whole[:, : len(LABELS)].argmax(axis=1), np.arange(len(beyond))
    for batch in model.attribute(claims, chosen=chosen):
        places = place_of[batch.rows]
        answers = batch.answers.copy()
        answers[places >= 0] = whole[places[places >= 0]]
        yield replace(batch, answers=answers)


def explanations(words: Words, *, n: int, top: int) -> list[Explanation]:
    """One Explanation for each of the n rows of a batch."""
    named: list[list[WordWeight]] = [[] for _ in range(n)]
    kept = largest(words.weights, words.rows, top=top)
    columns = (words.rows, words.of_part, words.starts, words.ends, words.weights)
    for row, of_part, start, end, weight in zip(*(column[kept].tolist() for column in columns), strict=True):
        part = words.parts[of_part]
        bare_start, bare_end = _bare(part.text, start, end)
        text = part.text[bare_start:bare_end]
        named[row].append(WordWeight(text, part.field, part.passage, bare_start, bare_end, weight))
    passages = _passages(words, n=n, top=top)
    return [Explanation(tuple(one), tuple(other)) for one, other in zip(named, passages, strict=True)]


def largest(weights: Floats, rows: Places, *, top: int) -> Places:
    """Of each row the places of the `top` weights that are farthest from 0, the farthest first; none that is 0."""
    some = np.flatnonzero(np.abs(weights) > DUST)
    size = np.round(np.abs(weights[some]), 9)  # words of one weight come in the order of the text
    order = some[np.lexsort((-size, rows[some]))]
    of_row = rows[order]
    rank = np.arange(len(order)) - np.searchsorted(of_row, of_row)
    return order[rank < top]


def _passages(words: Words, *, n: int, top: int) -> list[list[PassageWeight]]:
    numbers = np.array([-1 if part.passage is None else part.passage for part in words.parts], dtype=np.int64)
    # Parts of one passage stand side by side, so each run of equal numbers within a row is a passage.
    new = np.ones(len(numbers), dtype=bool)
    new[1:] = (np.diff(numbers) != 0) | (np.diff(words.part_rows) != 0)
    run_of_part = np.cumsum(new) - 1
    runs = np.flatnonzero(new)
    sums = np.bincount(run_of_part[words.of_part], words.weights, minlength=len(runs)).astype(np.float64)
    sums[numbers[runs] < 0] = 0.0  # the claim's own fields
    named: list[list[PassageWeight]] = [[] for _ in range(n)]
    for run in largest(sums, words.part_rows[runs], top=top).tolist():
        part = runs[run]
        named[int(words.part_rows[part])].append(PassageWeight(int(numbers[part]), float(sums[run])))
    return named


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """Without punctuation at either end, unless nothing else would be left."""
    word = text[start:end]
    bare = word.lstrip(_CLINGING)
    if not bare:
        return start, end
    start = end - len(bare)
    return start, start + len(bare.rstrip(_CLINGING))
