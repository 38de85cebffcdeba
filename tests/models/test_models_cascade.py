"""Two tiers as one model: who answers which row, and what comes back from a folder."""

import json

import numpy as np
import pytest

from claimsieve.errors import ModelError, TrainingError
from claimsieve.models.artifacts import load_model, write_model
from claimsieve.models.cascade import CascadeModel, Tier
from claimsieve.models.explanation import explain
from claimsieve.records import Claim, Evidence


@pytest.fixture(scope="module")
def tiers(trained, tmp_path_factory):
    """tiers(cheap kind) are that kind and the encoder, trained on the planted signal and read from disk."""
    folder = tmp_path_factory.mktemp("tiers")

    def opened(kind):
        directory = folder / kind
        if not directory.exists():
            common = {"config_yaml": "name: small\n", "data_fingerprint": "d" * 64, "seed": 0}
            write_model(trained(kind), directory, kind=kind, **common)
        model, _ = load_model(directory, precision="float32", device="cpu")
        return Tier(kind, model, directory / "weights")

    return lambda cheap: (opened(cheap), opened("encoder"))


@pytest.fixture(params=["static", "tfidf"])
def cascade(request, tiers, held_out):
    """A cascade whose cheap tier is sure of half of the held-out rows."""
    cheap, encoder = tiers(request.param)
    threshold = np.median(cheap.model.predict_proba(held_out).max(axis=1))
    return CascadeModel(cheap=cheap, encoder=encoder, threshold=threshold), cheap, encoder


def written(model, directory):
    common = {"config_yaml": "name: small\n", "data_fingerprint": "d" * 64, "seed": 0}
    return write_model(model, directory, kind="cascade", **common)


def test_each_row_is_that_of_the_tier_that_answers_it(cascade, held_out):
    model, cheap, encoder = cascade
    found, own = model.predict_proba(held_out), cheap.model.predict_proba(held_out)
    sure = own.max(axis=1) >= model.threshold
    assert 20 < sure.sum() < 70
    unsure = [claim for claim, is_sure in zip(held_out, sure, strict=True) if not is_sure]
    np.testing.assert_array_equal(found[sure], own[sure])
    np.testing.assert_array_equal(found[~sure], encoder.model.predict_proba(unsure))
    np.testing.assert_allclose(found[~sure], encoder.model.predict_proba(held_out)[~sure], rtol=0, atol=1e-6)


def test_it_counts_the_rows_of_each_tier_over_all_calls(cascade, held_out):
    model, cheap, encoder = cascade
    sure = int(model.sure(cheap.model.predict_proba(held_out)).sum())
    assert model.answered == {cheap.kind: 0, encoder.kind: 0}
    model.predict_proba(held_out)
    assert model.answered == {cheap.kind: sure, encoder.kind: 90 - sure}
    model.predict_proba(held_out)
    assert model.answered == {cheap.kind: 2 * sure, encoder.kind: 180 - 2 * sure}


def test_no_claims_all_unsure_and_all_sure(tiers, held_out):
    cheap, encoder = tiers("static")
    never = CascadeModel(cheap=cheap, encoder=encoder, threshold=1.0)
    assert never.predict_proba([]).shape == (0, 3)
    always = CascadeModel(cheap=cheap, encoder=encoder, threshold=0.0)
    np.testing.assert_array_equal(always.predict_proba(held_out), cheap.model.predict_proba(held_out))
    assert always.answered == {"static": 90, "encoder": 0}
    unsure = [claim for claim in held_out if not never.sure(cheap.model.predict_proba([claim]))[0]]
    assert len(unsure) > 80
    np.testing.assert_array_equal(never.predict_proba(unsure), encoder.model.predict_proba(unsure))


def test_a_label_that_neither_tier_knows_keeps_its_probability(model_of, claims_of, tmp_path):
    two = claims_of(120, seed=5, labels=("verified", "propaganda"))
    opened = []
    for kind in ("tfidf", "encoder"):
        model = model_of(kind)
        list(model.fit(two, valid=two[:30]))
        common = {"config_yaml": "name: small\n", "data_fingerprint": "d" * 64, "seed": 0}
        write_model(model, tmp_path / kind, kind=kind, **common)
        opened.append(Tier(kind, model, tmp_path / kind / "weights"))
    found = CascadeModel(cheap=opened[0], encoder=opened[1], threshold=0.9).predict_proba(two)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-9)
    assert set(found.argmax(axis=1).tolist()) == {0, 2}


def test_written_and_loaded_it_predicts_the_same_from_the_tiers_own_bytes(cascade, held_out, tmp_path):
    model, cheap, encoder = cascade
    manifest = written(model, tmp_path / "cascade")
    loaded, again = load_model(tmp_path / "cascade", precision="float32", device="cpu")
    np.testing.assert_array_equal(loaded.predict_proba(held_out), model.predict_proba(held_out))
    assert (again.fingerprint, again.kind, loaded.inputs) == (manifest.fingerprint, "cascade", model.inputs)
    assert json.loads(json.dumps(loaded.settings())) == json.loads(json.dumps(model.settings()))
    for name, tier in (("cheap", cheap), ("encoder", encoder)):
        for path in tier.weights.rglob("*"):
            own = tmp_path / "cascade" / "weights" / name / path.relative_to(tier.weights)
            assert own.read_bytes() == path.read_bytes()
            assert f"weights/{name}/{path.name}" in manifest.files


def test_a_changed_byte_of_either_tier_is_found(cascade, tmp_path):
    written(cascade[0], tmp_path / "cascade")
    for name in ("cheap", "encoder"):
        path = tmp_path / "cascade" / "weights" / name / "model.safetensors"
        before = path.read_bytes()
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        with pytest.raises(ModelError, match=f"'weights/{name}/model.safetensors' is not what was saved"):
            load_model(tmp_path / "cascade")
        path.write_bytes(before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"cheap": {"kind": "cascade", "settings": {}}},
            "expected tfidf or static as the cheap model .* found cascade",
        ),
        ({"cheap": {"kind": "os:system", "settings": {}}}, "expected tfidf or static"),
        ({"encoder": {"kind": "tfidf", "settings": {}}}, "expected an encoder as the second model .* found tfidf"),
        ({"encoder": {"kind": "encoder", "settings": {"inputs": ["claim"]}}}, "expected two models that read the same"),
        ({"cheap": None}, "cannot be rebuilt"),
        ({"cheap": {"kind": "tfidf", "settings": {"precision": 1}}}, "cannot be rebuilt"),
        ({"threshold": 7}, r"cannot be rebuilt: expected a threshold in \[0, 1\], found 7"),
        ({"threshold": "high"}, "cannot be rebuilt"),
        ({"threshold": float("nan")}, "cannot be rebuilt: expected a threshold"),
    ],
    ids=lambda value: json.dumps(value)[:40] if isinstance(value, dict) else None,
)
def test_a_manifest_that_describes_no_cascade_is_refused(tiers, tmp_path, change, message):
    cheap, encoder = tiers("tfidf")
    written(CascadeModel(cheap=cheap, encoder=encoder, threshold=0.5), tmp_path / "cascade")
    path = tmp_path / "cascade" / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "settings": {**manifest["settings"], **change}}))
    with pytest.raises(ModelError, match=message):
        load_model(tmp_path / "cascade", precision="float32", device="cpu")


def test_it_is_not_trained(tiers, train):
    cheap, encoder = tiers("tfidf")
    with pytest.raises(TrainingError, match="a cascade is not trained"):
        CascadeModel(cheap=cheap, encoder=encoder, threshold=0.5).fit(train, valid=[])


def test_pieces_and_cuts_are_those_of_the_tier_that_answers(tiers):
    """The encoder's window is short, the cheap tier's is not."""
    long = Claim("the bridge", evidence=(Evidence("a passage about the harbour. " * 40),))
    cheap, encoder = tiers("tfidf")
    for threshold, expected in ((0.0, []), (1.0, [1])):
        model = CascadeModel(cheap=cheap, encoder=encoder, threshold=threshold)
        read = model.encode([Claim("the bridge"), long])
        assert read.in_pieces == expected
        _, explanations = explain(model, [Claim("the bridge"), long])
        assert [one.beginning_only for one in explanations] == [False, bool(expected)]
