"""After a training: calibrate, measure on test, and write down what was found, for programs and for people."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from claimsieve.card import card_page, model_card
from claimsieve.data.masking import masked_names
from claimsieve.errors import ModelError
from claimsieve.evaluation.assessment import Assessment
from claimsieve.evaluation.axes import alarm_threshold, axis_report
from claimsieve.evaluation.behaviour import Behaviour, behave, variations
from claimsieve.evaluation.calibration import Calibration, apply, calibrate
from claimsieve.evaluation.decisions import Decisions, report_on
from claimsieve.evaluation.documents import EXPLANATIONS, TEST_PREDICTIONS, lines, pictures, prediction_lines
from claimsieve.evaluation.evaluate import evaluate
from claimsieve.evaluation.faithfulness import Faithfulness, faithfulness
from claimsieve.evaluation.metrics import Floats
from claimsieve.evaluation.shortcuts import Shortcuts, measure_shortcuts, shuffled
from claimsieve.inference.decide import decide
from claimsieve.models import Model
from claimsieve.models.artifacts import library_versions
from claimsieve.models.explanation import attributed, explain
from claimsieve.records import LABELS, Claim, Label
from claimsieve.report import Origin, evaluation_page
from claimsieve.settings import RunConfig


def assess(
    model: Model,
    config: RunConfig,
    splits: Mapping[str, Sequence[Claim]],
    *,
    seed: int,
    say: Callable[[str], None] = lambda text: None,
) -> tuple[Assessment, dict[str, bytes]]:
    """The numbers of a trained model, and the files that hold them: file name → content.

    The calibration split decides temperatures and prediction sets; test is only measured. say: takes what is begun.
    """
    settings, test = config.evaluation, splits["test"]
    held = splits["calibration"]
    say(f"labelling {len(held):,} calibration and {len(test):,} test claims")
    answers = np.asarray(model.answers(model.encode(held)), dtype=np.float64)
    calibration = _calibrated(answers[:, : len(LABELS)], config, splits)
    decisions = decide(model, test, calibration)
    if settings.explained_rows:
        say("explaining labels, and taking away what they go by")
    faithful, explained = _explained(model, test, rows=settings.explained_rows, seed=seed)
    shortcuts = None
    if settings.shortcuts:
        say("measuring what shortcuts score, and the model without names and with other claims' evidence")
        shortcuts = _shortcuts(model, config, splits, decisions, seed=seed)
    assessment = Assessment(
        evaluate(
            decisions.probabilities,
            test,
            resamples=settings.resamples,
            bins=settings.bins,
            min_slice_rows=settings.min_slice_rows,
        ),
        shortcuts,
        calibration,
        report_on(
            decisions,
            test,
            calibration,
            **settings.review.model_dump(),
            prevalence=settings.prevalence,
            bins=settings.bins,
            resamples=settings.resamples,
            min_slice_rows=settings.min_slice_rows,
        ),
        _behaviour(model, config, calibration) if settings.behaviour else None,
        None
        if decisions.axes is None
        else axis_report(
            decisions.axes.probabilities,
            test,
            threshold=alarm_threshold(answers[:, -1], held),
            resamples=settings.resamples,
        ),
        faithful,
    )
    found = assessment.documents() | pictures(assessment) | explained
    return assessment, found | {TEST_PREDICTIONS: prediction_lines(test, decisions)}


def _explained(
    model: Model, test: Sequence[Claim], *, rows: int, seed: int
) -> tuple[Faithfulness | None, dict[str, bytes]]:
    """What the labels of some test claims go by, and whether taking that away moves them."""
    places = np.unique(np.linspace(0, len(test) - 1, min(rows, len(test))).astype(int)).tolist()
    claims = [test[place] for place in places]
    if not claims:
        return None, {}
    try:
        attributions = list(attributed(model, claims))
    except ModelError:  # of a tokenizer that does not say where its tokens stand
        return None, {}
    answers, explanations = explain(model, claims, attributions=attributions)
    chosen = answers[:, : len(LABELS)].argmax(axis=1).tolist()
    written = lines(
        {"id": claim.id, "claim": claim.claim, "predicted": LABELS[place], **explanation.record()}
        for claim, place, explanation in zip(claims, chosen, explanations, strict=True)
    )
    try:
        return faithfulness(model, claims, attributions=attributions, seed=seed), {EXPLANATIONS: written}
    except ValueError:  # no word speaks for its label
        return None, {EXPLANATIONS: written}


def pages(
    documents: Mapping[str, bytes], config: RunConfig, *, seed: int, fold: str | None, data_fingerprint: str
) -> dict[str, bytes]:
    """What people read of a model: its card and the report of its evaluation. File name → content."""
    origin = Origin(config, seed, data_fingerprint, library_versions(), fold)
    card = model_card(documents, origin=origin)
    found = {"README.md": card, "model_card.html": card_page(card)}
    found["report.html"] = evaluation_page(documents, origin=origin)
    return {name: text.encode() for name, text in found.items()}


def _calibrated(raw: Floats, config: RunConfig, splits: Mapping[str, Sequence[Claim]]) -> Calibration | None:
    """raw: the model's probabilities of the calibration rows. None for a split without any."""
    claims, settings = splits["calibration"], config.calibration
    if not claims:
        return None
    return calibrate(
        raw,
        claims,
        method=settings.method,
        min_corpus_rows=settings.min_corpus_rows,
        coverage=settings.coverage,
        trained_for=_trained_for(splits["train"], balanced=config.training.label_weights == "balanced"),
    )


def _trained_for(train: Sequence[Claim], *, balanced: bool) -> dict[Label, float]:
    """The mix that a model is taken to be of where calibration rows are too few to tell: if balanced, equal shares."""
    counts = Counter(claim.label for claim in train)
    if balanced:
        counts = Counter(dict.fromkeys(counts, 1))
    total = sum(counts.values())
    return {label: counts[label] / total for label in LABELS}


def _shortcuts(
    model: Model, config: RunConfig, splits: Mapping[str, Sequence[Claim]], decisions: Decisions, *, seed: int
) -> Shortcuts:
    test = splits["test"]
    swapped = shuffled(test, train=splits["train"], seed=seed) if "evidence" in config.data.inputs else None
    return measure_shortcuts(
        splits["train"],
        test,
        model=decisions.probabilities,
        model_evidence_shuffled=None if swapped is None else model.predict_proba(swapped),
        model_names_masked=_with_names_masked(model, test, decisions.raw),
        resamples=config.evaluation.resamples,
        seed=seed,
    )


def _with_names_masked(model: Model, claims: Sequence[Claim], raw: Floats) -> Floats:
    """Probabilities with names masked; of claims without a name they are `raw`. Shape: (n, 3)"""
    masked = [masked_names(claim) for claim in claims]
    rows = [row for row, (claim, other) in enumerate(zip(claims, masked, strict=True)) if claim != other]
    found = np.array(raw)
    found[rows] = model.predict_proba([masked[row] for row in rows])
    return found


def _behaviour(model: Model, config: RunConfig, calibration: Calibration | None) -> Behaviour | None:
    """None for a model that does not see what the variations vary."""
    if not {"claim", "evidence"} <= set(config.data.inputs):
        return None
    shown = variations()
    probabilities = model.predict_proba([variation.claim for variation in shown])
    if calibration is not None:
        probabilities = apply(calibration, probabilities, [None] * len(shown))
    return behave(probabilities, shown, resamples=config.evaluation.resamples)
