"""Activations that are computed again: the same training, with less kept."""

import pytest
import torch
from safetensors.torch import load_file

from claimsieve.errors import ModelError
from claimsieve.models.lora import LoraSettings

ARCHITECTURES = ("bert", "roberta", "deberta-v2", "modernbert")


def trained(model, rows, valid, folder):
    losses = [step.loss for step in model.fit(rows, valid=valid)]
    folder.mkdir()
    model.save(folder)
    return losses, load_file(folder / "model.safetensors")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    "way", [{}, {"dropout": 0.3}, {"lora": LoraSettings(rank=2)}], ids=["plain", "dropout", "lora"]
)
def test_the_same_steps_are_taken(architecture, way, model_of, checkpoint_of, train, valid, tmp_path):
    checkpoint = checkpoint_of(architecture)
    found = [
        trained(
            model_of("encoder", checkpoint=checkpoint, activation_checkpointing=on, loop={"max_steps": 4}, **way),
            train[:60],
            valid,
            tmp_path / str(on),
        )
        for on in (False, True)
    ]
    assert found[0][0] == found[1][0]
    assert all(torch.equal(weight, found[1][1][name]) for name, weight in found[0][1].items())
    configs = [(tmp_path / str(on) / "config.json").read_text() for on in (False, True)]
    assert configs[0] == configs[1]
    assert '"use_cache": false' in configs[0]  # else transformers would warn of it


def test_fewer_numbers_are_kept_for_the_backward_pass(model_of, train, valid):
    def kept(on):
        """Elements that autograd holds on to in the first step, activations inside checkpointed layers left out."""
        count = 0

        def pack(tensor):
            nonlocal count
            count += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            next(model_of("encoder", activation_checkpointing=on).fit(train, valid=valid))
        return count

    assert kept(True) < kept(False) / 2


def test_an_architecture_that_cannot_is_refused_with_words(model_of, train, valid, monkeypatch):
    from transformers import BertForSequenceClassification

    monkeypatch.setattr(BertForSequenceClassification, "supports_gradient_checkpointing", False)
    model = model_of("encoder", activation_checkpointing=True)
    with pytest.raises(ModelError, match=r"computed again, found BertForSequenceClassification\. Set"):
        next(model.fit(train, valid=valid))
