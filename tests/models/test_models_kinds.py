"""What every kind of model promises, whatever is inside."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.errors import TrainingError
from claimsieve.models import kind_class
from claimsieve.records import LABELS, MAX_CLAIM_CHARACTERS, Claim, Evidence

PLAIN_KINDS = ("tfidf", "static", "encoder")  # with one head for the labels
KINDS = (*PLAIN_KINDS, "two_axis")  # those that are trained
QUICK = {"max_steps": 3}

ODD = [
    Claim("..."),
    Claim("\U0001f680\U0001f525\U0001f9d1‍\U0001f692"),
    Claim(" "),
    Claim("the bridge", evidence=(Evidence("   \n\t "),)),
    Claim("the bridge", evidence=(Evidence("..."), Evidence("\U0001f525"))),
    Claim("​‮﻿\x00"),
    Claim("Ｂｒｉｄｇｅ ﬁre é é İ ß"),
    Claim("大橋が攻撃された " * 20),
    Claim("Мост الجسر הגשר पुल"),
    Claim("é" * MAX_CLAIM_CHARACTERS),
    Claim(("bridge " * MAX_CLAIM_CHARACTERS)[:MAX_CLAIM_CHARACTERS], evidence=(Evidence("confirmed " * 5000),)),
]


@pytest.fixture(params=KINDS, scope="module")
def kind(request):
    return request.param


@pytest.fixture(params=PLAIN_KINDS, scope="module")
def plain_kind(request):
    """A kind that may be trained without evidence."""
    return request.param


def untrained(model_of, kind, **settings):
    """For a few steps, where what is learnt does not matter."""
    return model_of(kind, **settings) if kind == "tfidf" else model_of(kind, loop=QUICK, **settings)


def fitted(model, train, valid):
    list(model.fit(train, valid=valid))
    return model


def loaded(model, kind, folder):
    folder.mkdir()
    model.save(folder)
    options = {} if kind == "tfidf" else {"precision": "float32", "device": "cpu"}
    # Through JSON, as the manifest carries the settings.
    return kind_class(kind).load(folder, **json.loads(json.dumps(model.settings())), **options)


def labels_of(probabilities):
    return [LABELS[place] for place in probabilities.argmax(axis=1)]


def accuracy(model, claims):
    found = labels_of(model.predict_proba(claims))
    return np.mean([label == claim.label for label, claim in zip(found, claims, strict=True)])


def assert_probabilities(probabilities, rows):
    assert probabilities.shape == (rows, len(LABELS))
    assert probabilities.dtype == np.float64
    assert np.isfinite(probabilities).all()
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-9)


def test_a_signal_planted_in_the_evidence_is_learnt(kind, trained, held_out):
    assert accuracy(trained(kind), held_out) > 0.9


def test_the_signal_is_gone_when_the_evidence_is_not_an_input(plain_kind, model_of, train, valid, held_out):
    assert accuracy(fitted(model_of(plain_kind, inputs=("claim",)), train, valid), held_out) < 0.5


def test_shuffled_labels_are_not_learnt(kind, model_of, train, valid, held_out):
    order = np.random.default_rng(0).permutation(len(train))
    shuffled = [replace(claim, label=train[place].label) for claim, place in zip(train, order, strict=True)]
    assert accuracy(fitted(model_of(kind), shuffled, valid), held_out) < 0.55


def test_two_trainings_with_one_seed_are_equal(kind, model_of, train, valid, held_out):
    one, other = (fitted(untrained(model_of, kind, seed=7), train, valid) for _ in range(2))
    np.testing.assert_array_equal(one.predict_proba(held_out), other.predict_proba(held_out))


def test_the_last_step_says_that_it_is_and_was_measured_on_valid(kind, model_of, train, valid):
    steps = list(untrained(model_of, kind).fit(train, valid=valid))
    assert [step.number for step in steps] == list(range(1, steps[-1].total + 1))
    assert all(np.isfinite(step.loss) and step.loss > 0 for step in steps)
    assert 0 <= steps[-1].valid["macro_f1"] <= 1
    assert steps[-1].tokens > 0


def test_probabilities_are_probabilities(kind, trained, held_out):
    assert_probabilities(trained(kind).predict_proba(held_out), len(held_out))
    assert_probabilities(trained(kind).predict_proba(held_out[:1]), 1)


def test_no_claims_are_no_rows(kind, trained):
    assert trained(kind).predict_proba([]).shape == (0, 3)


def test_saved_and_loaded_it_predicts_the_same(kind, trained, held_out, tmp_path):
    model = trained(kind)
    again = loaded(model, kind, tmp_path / "weights")
    before, after = model.predict_proba(held_out + ODD), again.predict_proba(held_out + ODD)
    assert again.inputs == model.inputs
    assert labels_of(before) == labels_of(after)
    # A transformer trains with eager attention and predicts with a fused one: not bit for bit.
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-6 if kind in ("encoder", "two_axis") else 0)


def test_saved_twice_the_files_are_the_same(kind, trained, tmp_path):
    again = loaded(trained(kind), kind, tmp_path / "one")
    (tmp_path / "two").mkdir()
    again.save(tmp_path / "two")
    files = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert files[0].keys() == files[1].keys()
    # transformers adds to this one how the tokenizer was last called; every call here says it anew.
    assert all(files[0][name] == files[1][name] for name in files[0] if name != "tokenizer_config.json")


def test_no_file_is_a_pickle(kind, trained, tmp_path):
    trained(kind).save(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".txt"}
    for path in files:
        assert not path.read_bytes().startswith((b"\x80", b"PK")), path.name


def test_settings_are_plain_values(kind, trained):
    found = trained(kind).settings()
    assert json.loads(json.dumps(dict(found))) == dict(found)
    assert found["inputs"] == ["claim", "evidence"]


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_order_and_company_do_not_change_a_prediction(kind, trained, held_out, data):
    claims = [*held_out[:20], *ODD[:9]]
    expected = trained(kind).predict_proba(claims)
    rows = data.draw(st.lists(st.sampled_from(range(len(claims))), min_size=1, max_size=40))
    found = trained(kind).predict_proba([claims[row] for row in rows])
    np.testing.assert_allclose(found, expected[rows], rtol=0, atol=1e-5)
    assert labels_of(found) == labels_of(expected[rows])


def test_one_at_a_time_is_all_at_once(kind, trained, held_out):
    claims = [*held_out[:15], *ODD]
    together = trained(kind).predict_proba(claims)
    alone = np.vstack([trained(kind).predict_proba([claim]) for claim in claims])
    np.testing.assert_allclose(alone, together, rtol=0, atol=1e-5)


def test_predicting_changes_nothing(kind, trained, held_out):
    first = trained(kind).predict_proba(held_out)
    trained(kind).predict_proba(ODD)
    np.testing.assert_array_equal(trained(kind).predict_proba(held_out), first)


def test_odd_texts_are_predicted(kind, trained):
    assert_probabilities(trained(kind).predict_proba(ODD), len(ODD))


def test_odd_texts_can_be_trained_on(kind, model_of, train, valid):
    odd = [replace(claim, label=LABELS[place % 3]) for place, claim in enumerate(ODD)]
    model = fitted(untrained(model_of, kind), [*train[:30], *odd], [*valid[:9], *odd])
    assert_probabilities(model.predict_proba(ODD), len(ODD))


def test_claims_without_evidence_can_be_trained_on_and_predicted(plain_kind, model_of, train, valid, held_out):
    bare = [[replace(claim, evidence=()) for claim in claims] for claims in (train, valid)]
    model = fitted(untrained(model_of, plain_kind), *bare)
    assert_probabilities(model.predict_proba([*held_out, replace(held_out[0], evidence=())]), len(held_out) + 1)


def test_no_valid_claims_are_no_hindrance(kind, model_of, train, held_out):
    steps = list((model := untrained(model_of, kind)).fit(train, valid=[]))
    assert all(step.valid is None for step in steps)
    assert_probabilities(model.predict_proba(held_out), len(held_out))


@pytest.mark.parametrize(("label", "found"), [("propaganda", "propaganda"), (None, "none")])
def test_one_label_is_not_enough(plain_kind, label, found, model_of, train, valid):
    rows = [claim for claim in train if claim.label == label]
    with pytest.raises(TrainingError, match=f"expected at least two labels in train, found {found}"):
        next(model_of(plain_kind).fit(rows, valid=valid))


@pytest.mark.parametrize("spoilt", ["train", "valid"])
def test_a_claim_without_label_is_not_passed_over_in_silence(kind, spoilt, model_of, train, valid):
    splits = {"train": train, "valid": valid}
    splits[spoilt] = [splits[spoilt][0], replace(splits[spoilt][1], label=None), *splits[spoilt][2:]]
    with pytest.raises(TrainingError, match="expected a label on every claim of train and valid, found none on 1"):
        next(model_of(kind).fit(splits["train"], valid=splits["valid"]))


@pytest.mark.parametrize("absent", LABELS)
def test_two_labels_are_enough(kind, absent, model_of, train, valid, held_out, tmp_path):
    two = [[claim for claim in claims if claim.label != absent] for claims in (train, valid, held_out)]
    model = fitted(model_of(kind), two[0], two[1])
    assert accuracy(model, two[2]) > 0.9
    assert absent not in labels_of(model.predict_proba(held_out))
    again = loaded(model, kind, tmp_path / "weights")
    assert labels_of(again.predict_proba(held_out)) == labels_of(model.predict_proba(held_out))


def test_balanced_label_weights_shift_the_say_to_the_rare_label(plain_kind, model_of, claims_of):
    """Nothing in the claim tells the label: what is left is how often each was seen."""
    claims = claims_of(200, seed=5, labels=("verified",) * 9 + ("propaganda",))
    shares = {}
    for mode in ("balanced", "none"):
        options = {"label_weights": mode} if plain_kind == "tfidf" else {"loop": {"epochs": 4, "label_weights": mode}}
        # Weights of the last step: chosen on valid, the common label would win either way.
        model = fitted(model_of(plain_kind, inputs=("claim",), **options), claims, [])
        shares[mode] = model.predict_proba(claims_of(100, seed=6))[:, LABELS.index("propaganda")].mean()
    assert shares["none"] < 0.15
    assert shares["balanced"] > 2 * shares["none"]


def test_the_kinds_take_what_the_inputs_name_and_nothing_else(kind, trained, held_out):
    plain = trained(kind).predict_proba(held_out)
    dressed = [
        replace(c, source="propaganda", date="1999-01-01", event="e", label=None, rating="denied", id="fabricated")
        for c in held_out
    ]
    np.testing.assert_array_equal(trained(kind).predict_proba(dressed), plain)
