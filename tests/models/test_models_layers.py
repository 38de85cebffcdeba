"""The lowest layers left as they are: what changes in a training is what lies above."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from claimsieve.errors import ConfigError

ARCHITECTURES = ("bert", "roberta", "deberta-v2", "modernbert", "mpnet", "distilbert")


@pytest.mark.parametrize("kind", ["encoder", "two_axis"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_only_what_is_above_is_trained(kind, architecture, model_of, checkpoint_of, train, valid, tmp_path):
    checkpoint = checkpoint_of(architecture)
    model = model_of(kind, checkpoint=checkpoint, frozen_layers=1, loop={"max_steps": 3})
    list(model.fit(train[:60], valid=valid))
    model.save(tmp_path)
    before, after = load_file(Path(checkpoint) / "model.safetensors"), load_file(tmp_path / "model.safetensors")
    prefix = f"{model.transformer.network.base_model_prefix}."
    same = {
        name: torch.equal(weight, after[prefix + name]) for name, weight in before.items() if prefix + name in after
    }
    assert all(kept for name, kept in same.items() if "embeddings" in name or ".0." in name)
    weights = {name: kept for name, kept in same.items() if ".1." in name and before[name].ndim > 1}
    assert weights
    assert not any(weights.values())


def test_no_gradient_is_walked_back_below(model_of, checkpoint_of, train, valid):
    """MPNet's layers share what they know of positions; were it trained, all layers would be walked."""
    model = model_of("encoder", checkpoint=checkpoint_of("mpnet"), frozen_layers=1, loop={"max_steps": 1})
    seen = []
    steps = model.fit(train[:60], valid=valid)
    opened = model.transformer.prepare

    def prepare():
        told = opened()
        lowest, next_one = model.transformer.network.base_model.encoder.layer
        for layer in (lowest, next_one):
            layer.register_forward_hook(lambda module, given, output: seen.append(output[0].requires_grad))
        return told

    model.transformer.prepare = prepare
    next(steps)
    assert seen[:2] == [False, True]


@pytest.mark.parametrize("count", [2, 5])
def test_more_layers_than_there_are_is_told(count, model_of, train, valid):
    model = model_of("encoder", frozen_layers=count)
    with pytest.raises(ConfigError, match=r"model\.frozen_layers: expected fewer than the 2 layers of Bert.*, found"):
        next(model.fit(train, valid=valid))


def test_an_interrupted_training_goes_on_to_the_same_bits(model_of, train, valid, tmp_path):
    whole, resumed = (model_of("encoder", frozen_layers=1, loop={"max_steps": 6}) for _ in range(2))
    states = [step.state() for step in whole.fit(train[:60], valid=valid)]
    assert len(list(resumed.fit(train[:60], valid=valid, state=states[2]))) == 3
    for name, model in (("whole", whole), ("resumed", resumed)):
        (tmp_path / name).mkdir()
        model.save(tmp_path / name)
    first, second = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "resumed"))
    assert all(torch.equal(weight, second[name]) for name, weight in first.items())


def test_in_bfloat16_what_is_saved_is_what_was_trained_with(model_of, tiny_bert, train, valid, tmp_path):
    model = model_of("encoder", frozen_layers=1, precision="bfloat16", loop={"max_steps": 2})
    list(model.fit(train[:60], valid=valid))
    model.save(tmp_path)
    name = "embeddings.word_embeddings.weight"
    before, after = load_file(Path(tiny_bert) / "model.safetensors"), load_file(tmp_path / "model.safetensors")
    assert torch.equal(after[f"bert.{name}"], before[name].to(torch.bfloat16).float())
