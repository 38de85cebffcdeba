"""Adapters of low rank: what is trained, what stays, and what is saved."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from claimsieve.errors import ConfigError, MissingPackageError
from claimsieve.models.encoder import EncoderModel
from claimsieve.models.lora import LoraSettings
from claimsieve.records import LABELS

ARCHITECTURES = ("bert", "roberta", "deberta-v2", "modernbert")
SMALL = {"num_hidden_layers": 1}
DEBERTA_V3 = {  # what sets it apart from v2
    "relative_attention": True,
    "position_buckets": 16,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "type_vocab_size": 0,
}
SETTINGS = {"deberta-v2": DEBERTA_V3, "modernbert": {"cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2}}
LOOP = {"epochs": 16, "batch_tokens": 256, "learning_rate": 1e-2}


@pytest.fixture(scope="module")
def adapted(model_of, checkpoint_of, train, valid):
    """adapted(architecture) is trained with adapters; with its checkpoint. Not to be changed."""
    made = {}

    def fit(architecture):
        if architecture not in made:
            checkpoint = checkpoint_of(architecture, **SETTINGS.get(architecture, {}))
            model = model_of("encoder", checkpoint=checkpoint, lora=LoraSettings(rank=4, alpha=8), loop=LOOP)
            steps = list(model.fit(train, valid=valid))
            made[architecture] = (model, Path(checkpoint), steps)
        return made[architecture]

    return fit


def weights_of(model, folder):
    model.save(folder)
    return load_file(folder / "model.safetensors")


def accuracy(model, claims):
    found = model.predict_proba(claims).argmax(axis=1)
    return np.mean([LABELS[place] == claim.label for place, claim in zip(found, claims, strict=True)])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_adapters_learn_a_planted_signal_and_are_saved_as_plain_weights(architecture, adapted, held_out, tmp_path):
    model, _, _ = adapted(architecture)
    assert accuracy(model, held_out) > 0.9
    assert not [name for name in weights_of(model, tmp_path) if "lora" in name]
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    again = EncoderModel.load(tmp_path, precision="float32", device="cpu", **model.settings())
    np.testing.assert_allclose(again.predict_proba(held_out), model.predict_proba(held_out), rtol=0, atol=1e-6)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_has_no_adapter_stays_and_what_has_one_changes_by_its_rank(architecture, adapted, tmp_path):
    model, checkpoint, steps = adapted(architecture)
    before, after = load_file(checkpoint / "model.safetensors"), weights_of(model, tmp_path)
    prefix = f"{model.transformer.network.base_model_prefix}."
    body = {name: after[prefix + name] for name in before if "pooler" not in name}
    changed = [name for name, weight in body.items() if not torch.equal(weight, before[name])]
    assert changed
    assert not [name for name in changed if "embed" in name.lower() or "norm" in name.lower() or "bias" in name]
    for name in changed:
        assert int(torch.linalg.matrix_rank(body[name] - before[name], atol=1e-4)) <= 4, name
    trained = [name for name in steps[-1].state().tensors if name.startswith("master.")]
    head = [name for name in after if not name.startswith(prefix) or "pooler" in name]
    assert len(trained) == 2 * len(changed) + len(head)


def test_only_the_layers_asked_for_get_adapters(model_of, train, valid, tiny_bert, tmp_path):
    lora = LoraSettings(rank=2, alpha=4, target_modules=["query", "attention.output.dense"])
    model = model_of("encoder", lora=lora, loop={"max_steps": 3})
    list(model.fit(train, valid=valid))
    before, after = load_file(Path(tiny_bert) / "model.safetensors"), weights_of(model, tmp_path)
    changed = {name for name, weight in before.items() if not torch.equal(weight, after[f"bert.{name}"])}
    layers = {name for name in changed if "pooler" not in name}
    assert layers == {
        f"encoder.layer.{number}.attention.{name}.weight"
        for number in (0, 1)
        for name in ("self.query", "output.dense")
    }


@pytest.mark.parametrize(
    ("asked", "found"), [(["q_proj"], "found q_proj"), (["query", "uery"], "found uery"), (["pooler.dense"], "pooler")]
)
def test_a_layer_that_is_not_there_is_refused_and_the_known_ones_are_named(asked, found, model_of, train, valid):
    model = model_of("encoder", lora=LoraSettings(target_modules=asked))
    with pytest.raises(ConfigError, match=rf"linear layers of BertModel \(dense, key, query, value\), .*{found}"):
        next(model.fit(train, valid=valid))


def test_in_bfloat16_the_frozen_weights_are_saved_as_they_were(model_of, train, valid, tiny_bert, tmp_path):
    model = model_of("encoder", precision="bfloat16", lora=LoraSettings(rank=2, target_modules=["query"]), loop=LOOP)
    list(model.fit(train[:60], valid=valid))
    before, after = load_file(Path(tiny_bert) / "model.safetensors"), weights_of(model, tmp_path)
    kept = [name for name in before if "query.weight" not in name and "pooler" not in name]
    assert all(torch.equal(before[name], after[f"bert.{name}"]) for name in kept)
    assert {weight.dtype for weight in after.values()} == {torch.float32}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_training_of_adapters_goes_on_to_the_same_bits_from_a_small_state(
    precision, model_of, train, valid, tmp_path
):
    def new():
        torch.manual_seed(4321)  # whatever was drawn before must not matter
        lora = LoraSettings(rank=2, dropout=0.2)
        return model_of("encoder", lora=lora, precision=precision, loop={"epochs": 2, "batch_tokens": 256})

    whole, states = new(), []
    for step in whole.fit(train[:60], valid=valid):
        states.append(step.state())
    resumed = new()
    list(resumed.fit(train[:60], valid=valid, state=states[len(states) // 2]))
    folders = [tmp_path / name for name in ("whole", "resumed")]
    for folder in folders:
        folder.mkdir()
    ours, theirs = (weights_of(model, folder) for model, folder in zip((whole, resumed), folders, strict=True))
    assert all(torch.equal(weight, theirs[name]) for name, weight in ours.items())
    kept = sum(tensor.numel() for name, tensor in states[0].tensors.items() if name.startswith("master."))
    assert kept < sum(weight.numel() for weight in ours.values()) / 3


def test_without_peft_it_is_said_what_to_type_before_anything_is_opened(model_of, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    monkeypatch.setattr("claimsieve.models.lora.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"pip install 'claimsieve\[lora\]'"):
        model_of("encoder", checkpoint="nowhere", lora=LoraSettings())


def test_the_saved_config_names_no_adapter(adapted, tmp_path):
    model, _, _ = adapted("bert")
    model.save(tmp_path)
    assert "peft" not in json.dumps(json.loads((tmp_path / "config.json").read_text()))
