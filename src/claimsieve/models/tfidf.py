"""Word and character n-grams of claim and evidence with logistic regression: the bar for everything dearer."""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss

from claimsieve.data.inputs import render, render_claim, render_passages
from claimsieve.errors import ModelError, TrainingError
from claimsieve.models.attributions import Attributions, Places
from claimsieve.models.batches import cut
from claimsieve.models.ngram_attributions import Cuts, attribute
from claimsieve.models.ngrams import Ngrams
from claimsieve.models.passages import combined, evidence_pieces, in_pieces
from claimsieve.models.step import State, Step
from claimsieve.records import LABELS, Claim, InputField

_VOCABULARY = "vocabulary.json"
_WEIGHTS = "model.safetensors"
_ATTRIBUTED_CHARACTERS = 262_144  # at once: each has three n-grams, and each of these a place and a weight
_MAX_EVIDENCE_CHARACTERS = 4_000  # n-grams beyond this add time, not accuracy


@dataclass(frozen=True, slots=True)
class Features:
    """Claims as features, evidence in pieces; owners: the claim of each piece. See pairs.Pairs. No claim is cut."""

    matrix: csr_matrix
    owners: np.ndarray
    count: int

    @property
    def in_pieces(self) -> list[int]:
        """The claims whose evidence is read in several pieces."""
        return in_pieces(self.owners, self.count)

    @property
    def cut(self) -> list[int]:
        """No claim is."""
        return []


class TfidfModel:
    """Four blocks of features, each with a vocabulary of its own: {claim, evidence} x {words, characters}.

    inverse_regularisation: C of scikit-learn's LogisticRegression. label_weights: 'balanced' or 'none'.
    """

    heads: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        inputs: Sequence[InputField],
        max_word_ngram: int = 2,
        max_char_ngram: int = 4,
        max_features: int = 50_000,
        inverse_regularisation: float = 4.0,
        label_weights: str = "balanced",
        seed: int = 0,
    ) -> None:
        self.inputs = tuple(inputs)
        self.max_word_ngram = max_word_ngram
        self.max_char_ngram = max_char_ngram
        self.max_features = max_features
        self.inverse_regularisation = inverse_regularisation
        self.label_weights = label_weights
        self.seed = seed
        self._blocks: dict[str, TfidfVectorizer] = {}
        self._transforms: dict[str, Ngrams] = {}
        self._coefficients = np.zeros((len(LABELS), 0))
        self._intercepts = np.zeros(len(LABELS))

    def fit(self, train: Sequence[Claim], *, valid: Sequence[Claim], state: State | None = None) -> Iterator[Step]:
        """One step: vocabularies and weights are found on `train` alone; `valid` is only measured."""
        labels = [claim.label for claim in train]
        unlabelled = sum(claim.label is None for claim in (*train, *valid))
        if unlabelled:
            raise TrainingError(f"expected a label on every claim of train and valid, found none on {unlabelled:,}.")
        classes = sorted(set(labels), key=str)
        if len(classes) < 2:
            raise TrainingError(
                f"expected at least two labels in train, found {', '.join(map(str, classes)) or 'none'}."
            )
        sides = _sides(train, self.inputs)
        self._blocks, self._transforms = {}, {}
        matrices = []
        for side, texts in sides.items():
            for unit in ("word", "char"):
                vectoriser = self._vectoriser(unit)
                try:
                    matrices.append(vectoriser.fit_transform(texts))
                except ValueError:  # no evidence anywhere: a block without a vocabulary
                    continue
                self._blocks[f"{side}_{unit}"] = vectoriser
        if not matrices:
            raise TrainingError(f"expected words in the inputs {', '.join(self.inputs)} of train, found none.")
        classifier = LogisticRegression(
            C=self.inverse_regularisation,
            class_weight="balanced" if self.label_weights == "balanced" else None,
            max_iter=500,
            tol=1e-5,  # the gradient is small from the start where labels are balanced: 1e-3 may train nothing
            random_state=self.seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the last iterations change no label
            classifier.fit(hstack(matrices, format="csr"), labels)
        self._take(classifier)
        probabilities = self.predict_proba(train)
        places = [LABELS.index(label) for label in labels if label is not None]
        loss = float(log_loss(places, probabilities, labels=range(len(LABELS))))
        yield Step(
            number=1,
            total=1,
            epoch=1.0,
            loss=loss,
            learning_rate=0.0,
            tokens=sum(len(first.split()) + len(second.split()) for first, second in zip(*sides.values(), strict=True)),
            state=lambda: State({}, {}),
            valid={"macro_f1": self._macro_f1(valid)} if valid else None,
        )

    def predict_proba(self, claims: Sequence[Claim]) -> np.ndarray:
        """Shape: (n, 3), in the order of LABELS. A label that train did not hold has probability 0."""
        return self.answers(self.encode(claims))

    def encode(self, claims: Sequence[Claim]) -> Features:
        """Claims as n-gram features; evidence longer than the window in pieces. May run beside `answers`."""
        firsts, seconds, owners = [], [], []
        for row, claim in enumerate(claims):
            first, passages = render_claim(claim, self.inputs), render_passages(claim, self.inputs)
            for piece in evidence_pieces(passages, room=_MAX_EVIDENCE_CHARACTERS, units=str):
                firsts.append(first)
                seconds.append(piece)
                owners.append(row)
        sides = {"claim": firsts, "evidence": seconds}
        matrices = [block.transform(sides[name.partition("_")[0]]) for name, block in self._ngrams().items()]
        owned = np.array(owners, dtype=np.int64)
        return Features(csr_matrix(hstack(matrices, format="csr")), owned, len(claims))

    def answers(self, encoded: Features) -> np.ndarray:
        """What the weights say of them. Shape: (n, 3), in the order of LABELS."""
        scores = encoded.matrix @ self._coefficients.T + self._intercepts
        exponentials = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
        pieces = np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
        return combined(pieces, encoded.owners, encoded.count)

    def _ngrams(self) -> dict[str, Ngrams]:
        if self._transforms.keys() != self._blocks.keys():
            self._transforms = {name: Ngrams(block) for name, block in self._blocks.items()}
        return self._transforms

    def reference(self, claims: Sequence[Claim]) -> np.ndarray:
        """As predict_proba, by scikit-learn's own transformation, one claim at a time."""
        return np.concatenate([np.zeros((0, len(LABELS))), *(self._reference(claim) for claim in claims)])

    def _reference(self, claim: Claim) -> np.ndarray:
        first, passages = render_claim(claim, self.inputs), render_passages(claim, self.inputs)
        pieces = evidence_pieces(passages, room=_MAX_EVIDENCE_CHARACTERS, units=str)
        sides = {"claim": [first] * len(pieces), "evidence": pieces}
        matrices = [block.transform(sides[name.partition("_")[0]]) for name, block in self._blocks.items()]
        features = Features(csr_matrix(hstack(matrices, format="csr")), np.zeros(len(pieces), dtype=np.int64), 1)
        return self.answers(features)

    def computed_as(self) -> Mapping[str, Any]:
        return {}

    def settings(self) -> Mapping[str, Any]:
        return {
            "inputs": list(self.inputs),
            "max_word_ngram": self.max_word_ngram,
            "max_char_ngram": self.max_char_ngram,
            "max_features": self.max_features,
            "inverse_regularisation": self.inverse_regularisation,
            "label_weights": self.label_weights,
            "seed": self.seed,
        }

    def save(self, directory: Path) -> None:
        from safetensors.numpy import save_file

        terms = {name: [str(term) for term in block.get_feature_names_out()] for name, block in self._blocks.items()}
        (directory / _VOCABULARY).write_text(json.dumps(terms, ensure_ascii=False), encoding="utf-8")
        idf = {f"idf.{name}": np.asarray(block.idf_, dtype=np.float64) for name, block in self._blocks.items()}
        weights = {"coefficients": self._coefficients, "intercepts": self._intercepts}
        save_file({**idf, **weights}, directory / _WEIGHTS)

    @classmethod
    def load(cls, directory: Path, **settings: Any) -> "TfidfModel":
        from safetensors.numpy import load_file

        model = cls(**settings)
        terms = json.loads((directory / _VOCABULARY).read_text(encoding="utf-8"))
        weights = load_file(directory / _WEIGHTS)
        columns = sum(len(vocabulary) for vocabulary in terms.values())
        if weights["coefficients"].shape != (len(LABELS), columns) or weights["intercepts"].shape != (len(LABELS),):
            raise ModelError(f"{directory}: {_VOCABULARY} and {_WEIGHTS} do not belong together.")
        if not all(np.isfinite(tensor).all() for tensor in weights.values()):
            raise ModelError(f"{directory}: {_WEIGHTS} has weights that are no numbers.")
        if not all(type(size) is int and size >= 1 for size in (model.max_word_ngram, model.max_char_ngram)):
            raise ModelError(f"{directory}: expected lengths of n-grams as whole numbers from 1.")
        for name, vocabulary in terms.items():
            block = model._vectoriser(
                name.rpartition("_")[2], vocabulary={term: i for i, term in enumerate(vocabulary)}
            )
            block.idf_ = weights[f"idf.{name}"]
            model._blocks[name] = block
        model._coefficients = weights["coefficients"]
        model._intercepts = weights["intercepts"]
        return model

    def _vectoriser(self, unit: str, vocabulary: Mapping[str, int] | None = None) -> TfidfVectorizer:
        return TfidfVectorizer(
            analyzer="word" if unit == "word" else "char_wb",
            ngram_range=(1, self.max_word_ngram) if unit == "word" else (2, self.max_char_ngram),
            max_features=None if vocabulary else self.max_features,
            token_pattern=r"\b\w+\b" if unit == "word" else None,
            sublinear_tf=True,
            strip_accents="unicode",
            vocabulary=vocabulary,
        )

    def _take(self, classifier: LogisticRegression) -> None:
        """Rows of weights in the order of LABELS, whatever order and number of classes scikit-learn has."""
        coefficients, intercepts = classifier.coef_, classifier.intercept_
        if len(classifier.classes_) == 2:  # scikit-learn keeps one row, for the second class
            coefficients = np.vstack([np.zeros_like(coefficients), coefficients])
            intercepts = np.array([0.0, intercepts[0]])
        self._coefficients = np.zeros((len(LABELS), coefficients.shape[1]))
        self._intercepts = np.full(len(LABELS), -1e9)
        for position, label in enumerate(classifier.classes_):
            self._coefficients[LABELS.index(label)] = coefficients[position]
            self._intercepts[LABELS.index(label)] = intercepts[position]

    def _macro_f1(self, claims: Sequence[Claim]) -> float:
        predicted = [LABELS[place] for place in self.predict_proba(claims).argmax(axis=1)]
        truth = [claim.label for claim in claims]
        return float(f1_score(truth, predicted, labels=sorted(set(truth), key=str), average="macro", zero_division=0))

    def attribute(self, claims: Sequence[Claim], *, chosen: Places | None = None) -> Iterator[Attributions]:
        """What each n-gram adds to the log-odds of the label chosen, exactly, in batches of flat memory."""
        sides = _sides(claims, self.inputs)
        lengths = np.array([len(first) + len(second) for first, second in zip(*sides.values(), strict=True)])
        cuts: Cuts = {}
        for rows in cut(np.arange(len(claims)), lengths, batch_tokens=_ATTRIBUTED_CHARACTERS):
            texts = {side: [texts[row] for row in rows] for side, texts in sides.items()}
            own = None if chosen is None else chosen[rows]
            yield attribute(texts, self._blocks, self._coefficients, self._intercepts, rows=rows, cuts=cuts, chosen=own)


def _sides(claims: Sequence[Claim], inputs: Sequence[InputField]) -> dict[str, list[str]]:
    rendered = [render(claim, inputs) for claim in claims]
    return {
        "claim": [first for first, _ in rendered],
        "evidence": [second[:_MAX_EVIDENCE_CHARACTERS] for _, second in rendered],
    }
