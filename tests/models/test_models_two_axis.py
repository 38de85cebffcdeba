"""Two heads: what each of them learns, from which rows, and how their answers become a label."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimsieve.errors import TrainingError
from claimsieve.models.attributions import softmax
from claimsieve.models.axes import (
    AXES,
    OUTPUTS,
    fitted_shift,
    label_probabilities,
    manipulation_probability,
    manipulation_target,
    stance_probabilities,
    stance_target,
    towards_label,
)
from claimsieve.models.explanation import explain
from claimsieve.models.lora import LoraSettings
from claimsieve.models.two_axis import TwoAxisModel
from claimsieve.records import LABELS, STANCES, Claim, Evidence, label_of

STANCE_CUES = {"supported": "confirmed", "insufficient": "unclear", "refuted": "denied"}
MANIPULATION_CUE = "fabricated"
NOUNS = ("bridge", "harbour", "minister", "convoy", "drone", "hospital", "river", "border", "factory", "village")


def build_world(count, *, seed):
    """The evidence alone tells the stance, the claim alone the manipulation; each row knows one of them, or both."""
    source = random.Random(seed)
    claims = []
    for number in range(count):
        stance = tuple(STANCE_CUES)[number % 3]
        manipulated = source.random() < 0.5
        words = source.choices(NOUNS, k=3) + [MANIPULATION_CUE] * manipulated
        evidence = [*source.choices(NOUNS, k=4), STANCE_CUES[stance]]
        source.shuffle(words)
        source.shuffle(evidence)
        knows = ("both", "stance", "manipulation")[source.randrange(3)]
        techniques = ("loaded_language",) if manipulated else ()
        claims.append(
            Claim(
                " ".join(words),
                id=str(number),
                corpus=knows,
                evidence=() if knows == "manipulation" else (Evidence(" ".join(evidence)),),
                stance="insufficient" if knows == "manipulation" else stance,
                manipulation=None if knows == "stance" else techniques,
                label=label_of(
                    "insufficient" if knows == "manipulation" else stance, manipulated and knows != "stance"
                ),
            )
        )
    return claims


@pytest.fixture(scope="module")
def world():
    return build_world(1200, seed=1), build_world(90, seed=2), build_world(180, seed=3)


@pytest.fixture(scope="module")
def model(model_of, world):
    model = model_of("two_axis", loop={"epochs": 14})
    list(model.fit(world[0], valid=world[1]))
    return model


def logits(values):
    return np.array(values, dtype=np.float64).reshape(-1, len(OUTPUTS))


five = st.lists(st.floats(-30, 30), min_size=5, max_size=5)


def axes_of(values):
    found = logits(values)
    return np.column_stack([stance_probabilities(found), manipulation_probability(found)])


@given(five)
def test_the_labels_are_a_distribution(values):
    labels = label_probabilities(axes_of(values))
    assert (labels >= 0).all()
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-9)


@pytest.mark.parametrize("stance", STANCES)
@pytest.mark.parametrize("manipulated", [False, True])
def test_certain_answers_give_the_label_of_the_codebooks_table(stance, manipulated):
    place = {"supported": 0, "refuted": 2}.get(stance, 1)
    axes = np.array([[*(float(at == place) for at in range(3)), float(manipulated)]])
    assert LABELS[int(label_probabilities(axes).argmax())] == label_of(stance, manipulated)


@given(five)
def test_the_gradient_is_that_of_the_labels_log_odds(values):
    values = np.array(values) / 10  # far out, differences of floating point say nothing
    chosen = int(label_probabilities(axes_of(values)).argmax())

    def log_odds(at):
        p = label_probabilities(axes_of(at))[0, chosen]
        return np.log(p / (1 - p))

    by_stance, by_manipulation = towards_label(axes_of(values))
    step = 1e-5
    numeric = [(log_odds(values + step * e) - log_odds(values - step * e)) / (2 * step) for e in np.eye(5)]
    np.testing.assert_allclose([*by_stance[0], *by_manipulation[0]], numeric, atol=1e-5)


def test_what_a_record_teaches():
    assert stance_target(Claim("c", stance="conflicting", label="unverified")) == "open"
    assert stance_target(Claim("c", label="propaganda")) == "refuted"
    assert stance_target(Claim("c", label="propaganda", manipulation=("doubt",))) is None
    assert manipulation_target(Claim("c")) is None
    assert manipulation_target(Claim("c", manipulation=())) == "not_manipulated"
    assert manipulation_target(Claim("c", manipulation=("doubt",))) == "manipulated"


def test_each_head_learns_its_own_question(model, world):
    held_out = [claim for claim in world[2] if claim.corpus == "both"]
    axes = model.answers(model.encode(held_out))[:, len(LABELS) :]
    stances = [("supported", "insufficient", "refuted")[place] for place in axes[:, :3].argmax(axis=1)]
    assert np.mean([found == claim.stance for found, claim in zip(stances, held_out, strict=True)]) > 0.9
    assert np.mean([(p > 0.5) == bool(claim.manipulation) for p, claim in zip(axes[:, 3], held_out, strict=True)]) > 0.9


def test_the_labels_follow_the_heads(model, world):
    answers = model.answers(model.encode(world[2]))
    np.testing.assert_allclose(answers[:, :3], label_probabilities(answers[:, 3:]))
    np.testing.assert_array_equal(answers[:, :3], model.predict_proba(world[2]))
    assert model.heads == AXES


def test_without_evidence_the_stance_is_open_and_nothing_is_verified(model):
    plain, pushed = Claim("bridge river drone"), Claim(f"bridge river drone {MANIPULATION_CUE}")
    answers = model.answers(model.encode([plain, pushed]))
    assert answers[:, 3:6].tolist() == [[0, 1, 0], [0, 1, 0]]
    assert [LABELS[place] for place in answers[:, :3].argmax(axis=1)] == ["unverified", "propaganda"]


def test_a_claim_with_other_evidence_is_the_same_lesson_of_its_words(model_of, world):
    claim = next(claim for claim in world[0] if claim.corpus == "both")
    again = [replace(claim, id=str(number), evidence=(Evidence(f"passage {number}"),)) for number in range(5)]
    model = model_of("two_axis", loop={"epochs": 1})

    def lessons(rows):
        return next(iter(model.fit(rows, valid=[]))).notes["lessons"]

    told = lessons(world[0]).split()
    assert lessons([*world[0], *again]).split() == [str(int(told[0]) + 5), *told[1:]]


def test_the_claims_words_alone_say_whether_it_manipulates(model, world):
    claims = [claim for claim in world[2] if claim.evidence][:20]
    bare = [Claim(claim.claim) for claim in claims]
    found, without = (model.answers(model.encode(rows))[:, -1] for rows in (claims, bare))
    np.testing.assert_allclose(found, without, atol=1e-6)


def test_learned_a_claim_without_evidence_is_told_by_what_it_resembles(model_of):
    source = random.Random(0)
    cues = {"verified": "documented", "unverified": "unnamed", "propaganda": "denied"}
    rumours = [
        Claim(" ".join([*source.choices(NOUNS, k=3), cues[label]]), label=label, corpus="rumours")
        for label in [*LABELS] * 100
    ]
    model = model_of("two_axis", no_evidence="learned")
    list(model.fit([*rumours, *build_world(90, seed=4)], valid=rumours[:30]))
    found = model.predict_proba(rumours[-60:]).argmax(axis=1)
    assert np.mean([LABELS[place] == claim.label for place, claim in zip(found, rumours[-60:], strict=True)]) > 0.9


def test_quick_and_plain_ways_agree(model, world, tmp_path):
    model.save(tmp_path)
    again = type(model).load(tmp_path, precision="float32", device="cpu", **model.settings())
    long = Claim("bridge", evidence=(Evidence("confirmed river " * 90), Evidence("denied " * 70)))
    claims = [*world[2][:20], Claim("bridge"), long]
    assert again.encode(claims).in_pieces == [21]
    np.testing.assert_allclose(again.reference(claims), again.predict_proba(claims), atol=1e-5)


def test_the_words_that_decide_are_named(model, world):
    refuted = [claim for claim in world[2] if claim.stance == "refuted" and claim.corpus == "stance"][:10]
    pushed = [claim for claim in world[2] if claim.corpus == "manipulation" and claim.manipulation][:10]
    answers, explanations = explain(model, [*refuted, *pushed])
    np.testing.assert_allclose(answers, model.answers(model.encode([*refuted, *pushed])), atol=1e-5)
    first = [(found.words[0].text, found.words[0].field) for found in explanations]
    assert first[: len(refuted)].count(("denied", "evidence")) >= 8
    speaks = [any(word.text == MANIPULATION_CUE and word.weight > 0 for word in found.words) for found in explanations]
    assert sum(speaks[len(refuted) :]) >= 8


@pytest.mark.parametrize(
    ("axis", "message"),
    [("stance", "expected train rows with evidence"), ("manipulation", "that say whether the claim manipulates")],
)
def test_rows_that_teach_one_axis_only_are_refused_with_what_to_do(axis, message, model_of, world):
    rows = [claim for claim in world[0] if claim.corpus == ("manipulation" if axis == "stance" else "stance")]
    with pytest.raises(TrainingError, match=message):
        next(model_of("two_axis").fit(rows, valid=[]))


@pytest.mark.parametrize("moved", [-1.2, 0.0, 1.7])
def test_the_shift_is_the_one_that_the_labels_were_drawn_with(moved):
    draw = np.random.default_rng(0)
    logits = np.column_stack([draw.normal(size=(20_000, 3)), np.zeros(20_000), draw.normal(size=20_000, scale=2)])
    axes, true = (
        np.column_stack([stance_probabilities(logits), manipulation_probability(logits, shift)])
        for shift in (0.0, moved)
    )
    chances = np.cumsum(label_probabilities(true), axis=1)
    labels = (draw.random(20_000)[:, None] > chances).sum(axis=1)
    assert fitted_shift(axes, labels) == pytest.approx(moved, abs=0.1)


def test_a_training_leaves_the_shift_that_suits_valid_best_and_the_model_keeps_it(model, world, tmp_path):
    valid, places = world[1], np.array([LABELS.index(claim.label) for claim in world[1]])
    fitted, rows = model.manipulation_shift, np.arange(len(world[1]))

    def loss(shift):
        model.manipulation_shift = shift
        return -np.log(model.predict_proba(valid)[rows, places]).mean()

    try:
        assert loss(fitted) <= min(loss(fitted - 0.3), loss(fitted + 0.3))
    finally:
        model.manipulation_shift = fitted
    model.save(tmp_path)
    again = TwoAxisModel.load(tmp_path, **model.settings(), precision="float32")
    assert again.manipulation_shift == fitted
    assert again.predict_proba(valid) == pytest.approx(model.predict_proba(valid), abs=1e-4)


@pytest.mark.parametrize("shift", [float("nan"), 5.0, -1e300])
def test_a_shift_that_no_training_leaves_is_refused(model_of, shift):
    with pytest.raises(ValueError, match="manipulation_shift: expected -4 to 4"):
        model_of("two_axis", manipulation_shift=shift)


def test_softmax_of_the_stance_leaves_the_other_head_alone():
    values = logits([[1.0, 2.0, 3.0, 50.0, -50.0]])
    np.testing.assert_allclose(stance_probabilities(values), softmax(values[:, :3]))
    assert manipulation_probability(values)[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("lora", [None, LoraSettings(rank=4, alpha=8)], ids=["whole", "adapters"])
@pytest.mark.parametrize("architecture", ["bert", "roberta", "mpnet", "deberta-v2", "modernbert"])
def test_every_architecture_is_trained_saved_and_explained(
    architecture, lora, checkpoint_of, model_of, world, tmp_path
):
    model = model_of("two_axis", checkpoint=checkpoint_of(architecture), lora=lora, loop={"max_steps": 3})
    steps = list(model.fit(world[0][:60], valid=world[1][:12]))
    assert all(np.isfinite(step.loss) for step in steps)
    model.save(tmp_path)
    again = type(model).load(tmp_path, precision="float32", device="cpu", **model.settings())
    claims = world[2][:6]
    np.testing.assert_allclose(again.predict_proba(claims), model.predict_proba(claims), atol=1e-5)
    np.testing.assert_allclose(again.reference(claims), again.predict_proba(claims), atol=1e-5)
    answers, explanations = explain(again, claims)
    np.testing.assert_allclose(answers[:, :3], again.predict_proba(claims), atol=1e-5)
    assert all(found.words for found in explanations)
