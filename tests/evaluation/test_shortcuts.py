"""Shortcuts: a planted one is found, labels by chance give none, and the margin pairs the model with the best one."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from claimsieve.errors import DataError
from claimsieve.evaluation import shortcuts
from claimsieve.evaluation.evaluate import evaluate
from claimsieve.evaluation.metrics import Floats
from claimsieve.evaluation.shortcut_models import shortcut_probabilities
from claimsieve.evaluation.shortcuts import (
    DESCRIPTIONS,
    Shortcuts,
    from_json,
    headline,
    measure_shortcuts,
    shuffled,
    summary_metrics,
    table,
)
from claimsieve.records import LABELS, Claim, Evidence

TRAIN = 400
CHANCE = 0.45  # three labels by chance score a third of macro-F1, on 200 claims with a standard deviation of 0.033
WORDS = [first + second for first in ("ba", "ko", "mi", "tu", "re", "sa") for second in ("lan", "dor", "ven", "pik")]

Plant = Callable[[Claim, int], dict[str, Any]]


def passages(text: str) -> tuple[Evidence, ...]:
    return (Evidence(text),)


def drawn_claims(*, rows: int = TRAIN + 200, seed: int = 0) -> list[Claim]:
    """Words, sources, events, corpora and labels by chance, each apart from all others."""
    draw = np.random.default_rng(seed)
    return [
        Claim(
            claim=" ".join(draw.choice(WORDS, 6)),
            id=str(row),
            evidence=passages(" ".join(draw.choice(WORDS, 8))),
            source=f"outlet {draw.integers(10)}",
            event=str(draw.integers(50)),
            corpus=str(draw.choice(["pheme", "liar"])),
            label=LABELS[draw.integers(3)],
        )
        for row in range(rows)
    ]


def planted_claims(plant: Plant) -> list[Claim]:
    """plant: what a claim and the place of its label among LABELS make of the claim."""
    claims = drawn_claims()
    return [replace(claim, **plant(claim, LABELS.index(claim.label))) for claim in claims if claim.label]


def measured(claims: list[Claim], **options: Any) -> Shortcuts:
    return measure_shortcuts(claims[:TRAIN], claims[TRAIN:], resamples=200, **options)


def certain(claims: list[Claim]) -> Floats:
    return np.array([[float(claim.label == label) for label in LABELS] for claim in claims])


def values(found: Shortcuts) -> dict[str, float]:
    return {name: estimate.value for name, estimate in found.scores.items()}


@pytest.fixture(scope="module")
def by_chance() -> Shortcuts:
    claims = drawn_claims()
    return measured(claims, model=certain(claims[TRAIN:]), model_evidence_shuffled=np.full((200, 3), 1 / 3))


def test_labels_by_chance_give_chance_for_all(by_chance: Shortcuts) -> None:
    assert list(by_chance.scores) == list(DESCRIPTIONS)
    assert max(values(by_chance).values()) < CHANCE
    for estimate in by_chance.scores.values():
        assert estimate.low <= estimate.value <= estimate.high


PLANTED: list[tuple[Plant, set[str]]] = [
    (lambda c, k: {"claim": f"{c.claim} {('noon', 'dusk', 'dawn')[k]}"}, {"claim_only", "evidence_shuffled"}),
    (lambda c, k: {"source": f"Press {'ABC'[k]}"}, {"source_only"}),
    (lambda c, k: {"evidence": passages(f"{c.evidence[0].text} {('so', 'no', 'oh')[k]}")}, {"evidence_only"}),
    (lambda c, k: {"evidence": tuple(map(Evidence, c.evidence[0].text.split(" ", k)))}, {"length_only"}),
    (lambda c, k: {"evidence": passages(c.evidence[0].text + "!" * 40 * k)}, {"length_only"}),
    (lambda c, k: {"claim": c.claim + "!" * 40 * k}, {"length_only"}),
    (lambda c, k: {"corpus": ("pheme", "liar", "averitec")[k]}, {"corpus_only", "event_majority"}),
    (lambda c, k: {"corpus": "pheme", "label": LABELS[int(c.event or 0) % 3]}, {"event_majority"}),
]


@pytest.mark.parametrize(("plant", "names"), PLANTED)
def test_a_planted_shortcut_is_found_and_the_others_stay_at_chance(plant: Plant, names: set[str]) -> None:
    found = measured(planted_claims(plant))
    scored = values(found)
    assert found.best in names
    assert min(scored[name] for name in names) > 0.97
    assert max(scored[name] for name in scored.keys() - names) < CHANCE
    if names & {"corpus_only", "event_majority"}:
        assert all(scored[name] == 1 for name in names)


def test_an_event_that_train_does_not_hold_tells_no_more_than_its_corpus() -> None:
    claims = planted_claims(lambda c, k: {"label": LABELS[int(c.event or 0) % 3]})
    train = [claim for claim in claims if int(claim.event or 0) < 25]
    test = [claim for claim in claims if int(claim.event or 0) >= 25]
    found = shortcut_probabilities(train, test, seed=0)
    assert np.array_equal(found["event_majority"], found["corpus_only"])
    without = [replace(claim, event=None) for claim in claims]
    found = shortcut_probabilities(without[:TRAIN], without[TRAIN:], seed=0)
    assert np.array_equal(found["event_majority"], found["corpus_only"])


def test_probabilities_are_by_label_and_sum_to_one_where_train_lacks_a_label() -> None:
    claims = drawn_claims()
    train = [claim for claim in claims[:TRAIN] if claim.label != "unverified"]
    for probabilities in shortcut_probabilities(train, claims[TRAIN:], seed=0).values():
        assert probabilities.shape == (200, len(LABELS))
        assert probabilities.sum(axis=1) == pytest.approx(1)
        assert not probabilities[:, LABELS.index("unverified")].any()


def test_a_perfect_model_has_a_margin_over_chance_and_one_that_guesses_has_none(by_chance: Shortcuts) -> None:
    assert by_chance.model is not None
    assert by_chance.margin is not None
    best = by_chance.scores[by_chance.best]
    assert best.value == max(values(by_chance).values())
    assert by_chance.model.value == 1
    assert by_chance.margin.value == 1 - best.value
    assert 0 < by_chance.margin.low < by_chance.margin.value < by_chance.margin.high
    # Of a model that is always right every draw is 1, so the margin's draws are the shortcut's, turned round.
    assert (by_chance.margin.low, by_chance.margin.high) == pytest.approx((1 - best.high, 1 - best.low))
    claims = drawn_claims()
    guesses = np.random.default_rng(5).dirichlet([1, 1, 1], size=200)
    margin = measured(claims, model=guesses).margin
    assert margin is not None
    assert margin.low < 0


def test_a_model_that_answers_as_the_best_shortcut_has_no_margin_at_all() -> None:
    claims = drawn_claims()
    probabilities = shortcut_probabilities(claims[:TRAIN], claims[TRAIN:], seed=0)
    found = measured(claims, model=probabilities[measured(claims).best])
    assert found.margin is not None
    assert (found.margin.value, found.margin.low, found.margin.high) == (0, 0, 0)


def test_a_paired_margin_is_narrower_than_the_scores_that_it_lies_between() -> None:
    claims = drawn_claims()
    best = measured(claims).best
    model = shortcut_probabilities(claims[:TRAIN], claims[TRAIN:], seed=0)[best].copy()
    model[:10] = certain(claims[TRAIN:])[:10]
    found = measured(claims, model=model)
    assert found.model is not None
    assert found.margin is not None
    assert found.margin.low >= 0
    assert found.margin.high - found.margin.low < (found.model.high - found.model.low) / 2


def test_what_the_claims_lack_is_no_shortcut() -> None:
    bare = measured(planted_claims(lambda c, k: {"evidence": ()}))
    assert bare.scores.keys() == DESCRIPTIONS.keys() - {"evidence_only", "evidence_shuffled"}
    anonymous = measured(planted_claims(lambda c, k: {"source": None}))
    assert anonymous.scores.keys() == DESCRIPTIONS.keys() - {"source_only"}


def test_shuffled_claims_keep_all_but_the_evidence_and_take_it_from_train_where_they_are_of_one_story() -> None:
    claims = drawn_claims(rows=50)
    owner = {claim.evidence: claim for claim in claims}
    for claim, original in zip(shuffled(claims, train=(), seed=0), claims, strict=True):
        assert replace(claim, evidence=original.evidence) == original
        assert owner[claim.evidence].corpus == claim.corpus
        assert owner[claim.evidence].event != claim.event
    alone = [replace(claim, corpus="pheme", event="one") for claim in claims]
    assert shuffled(alone, train=(), seed=0) is None
    others = [replace(claim, corpus="pheme", event=f"other {claim.event}") for claim in drawn_claims(rows=80)]
    swapped = shuffled(alone, train=others, seed=0)
    assert swapped is not None
    assert {claim.evidence for claim in swapped} <= {claim.evidence for claim in others}


def test_a_seed_gives_the_same_numbers_again(by_chance: Shortcuts) -> None:
    claims = drawn_claims()
    again = measured(claims, model=certain(claims[TRAIN:]), model_evidence_shuffled=np.full((200, 3), 1 / 3))
    assert again == by_chance


def test_more_train_claims_than_needed_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = planted_claims(lambda c, k: {"source": f"Press {'ABC'[k]}"})
    assert measured(claims).train_claims == TRAIN
    monkeypatch.setattr(shortcuts, "MAX_TRAIN_CLAIMS", 90)
    sampled = measured(claims)
    assert (sampled.train_claims, sampled.n) == (90, 200)
    assert values(sampled)["source_only"] > 0.97
    assert sampled == measured(claims)
    assert sampled != measured(claims, seed=1)


def test_json_round_trip(by_chance: Shortcuts) -> None:
    for found in (by_chance, measured(drawn_claims())):
        assert from_json(json.loads(json.dumps(asdict(found), allow_nan=False))) == found


@pytest.mark.parametrize("document", [{}, {"scores": {}}, [], {"scores": [], "model": 1, "margin": 1}])
def test_another_document_is_refused(document: Any) -> None:
    with pytest.raises(DataError, match="expected shortcuts"):
        from_json(document)


@pytest.mark.parametrize(
    "change", [{"best": "none_of_them"}, {"best": ["claim_only"]}, {"n": 0}, {"margin": {"value": "1"}}, {"scores": {}}]
)
def test_a_document_with_one_thing_wrong_is_refused(change: dict[str, Any], by_chance: Shortcuts) -> None:
    with pytest.raises(DataError, match="expected shortcuts"):
        from_json(asdict(by_chance) | change)


def test_the_models_own_interval_is_that_of_its_evaluation_whatever_the_seed(by_chance: Shortcuts) -> None:
    claims = drawn_claims()
    train, test = claims[:TRAIN], claims[TRAIN:]
    given = np.random.default_rng(0).dirichlet([1.0] * 3, size=len(test))
    found = measure_shortcuts(train, test, model=given, resamples=100, seed=5)
    assert found.model == evaluate(given, test, resamples=100).overall.metrics["macro_f1"]


def test_names_that_carry_the_label_cost_their_whole_worth_when_they_are_masked() -> None:
    claims = drawn_claims()
    train, test = claims[:TRAIN], claims[TRAIN:]
    blind = np.full((len(test), 3), [0.4, 0.3, 0.3])
    found = measure_shortcuts(train, test, model=certain(test), model_names_masked=blind, resamples=100)
    assert found.model_names_masked.value < 0.3
    assert found.names_change.value == pytest.approx(found.model_names_masked.value - found.model.value)
    same = measure_shortcuts(train, test, model=blind, model_names_masked=blind, resamples=100)
    assert (same.names_change.low, same.names_change.high) == (0, 0)
    assert from_json(json.loads(json.dumps(asdict(found)))) == found


def test_the_table_holds_every_score_the_best_first_and_the_model_last(by_chance: Shortcuts) -> None:
    header, *rows = table(by_chance)
    assert {len(row) for row in [header, *rows]} == {3}
    assert rows[0][0] == by_chance.best
    assert [row[0] for row in rows[-2:]] == ["(this model, evidence swapped)", "(this model)"]
    shown = {row[0]: row for row in rows[:-2]}
    assert shown.keys() == by_chance.scores.keys()
    for name, estimate in by_chance.scores.items():
        assert shown[name][1].startswith(f"{estimate.value:.3f} [")
        assert shown[name][2] == DESCRIPTIONS[name]


def test_the_headline_says_by_how_much_the_best_shortcut_is_cleared(by_chance: Shortcuts) -> None:
    assert by_chance.margin is not None
    line = headline(by_chance)
    best = by_chance.scores[by_chance.best]
    for part in (f"{by_chance.margin.value:+.3f}", f"{by_chance.best}: {best.value:.3f}", "n = 200"):
        assert part in line
    assert headline(measured(drawn_claims())).startswith(f"best shortcut: {by_chance.best} {best.value:.3f} [")


def test_a_tracker_gets_every_score_and_the_margin(by_chance: Shortcuts) -> None:
    metrics = summary_metrics(by_chance)
    assert by_chance.margin is not None
    assert {name: metrics[f"{name}_macro_f1"] for name in DESCRIPTIONS} == values(by_chance)
    assert metrics["margin_over_best_low"] == by_chance.margin.low
    assert metrics.keys() - summary_metrics(measured(drawn_claims())).keys() == {
        "margin_over_best",
        "margin_over_best_low",
        "margin_over_best_high",
        "model_evidence_shuffled_macro_f1",
    }
