"""Gradients with attention and layer norms as given, on networks small enough to know the answer."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from claimsieve.models.attributions import towards_chosen
from claimsieve.models.explanation import explain
from claimsieve.models.gradients import answered, low_layer


class Normed(torch.nn.Module):
    """Embeddings, a layer norm without bias, their sum, three logits without bias."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embedding = torch.nn.Embedding(9, 8)
        self.norm = torch.nn.LayerNorm(8, bias=False)
        self.head = torch.nn.Linear(8, 3, bias=False)
        torch.nn.init.uniform_(self.norm.weight, 0.5, 1.5)

    def forward(self, ids):
        return self.head(self.norm(self.embedding(ids)).sum(dim=1))


class Attended(torch.nn.Module):
    """Embeddings that attend to one another, fused or by hand."""

    def __init__(self, *, fused):
        super().__init__()
        torch.manual_seed(0)
        self.fused = fused
        self.embedding = torch.nn.Embedding(9, 8)
        self.head = torch.nn.Linear(8, 3, bias=False)

    def forward(self, ids):
        x = self.embedding(ids)
        if self.fused:
            mixed = functional.scaled_dot_product_attention(x, 2 * x, x)
        else:
            mixed = functional.softmax(x @ (2 * x).mT / 8**0.5, dim=-1) @ x
        return self.head(mixed.sum(dim=1))


IDS = torch.tensor([[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize(
    "network", [Normed(), Attended(fused=True), Attended(fused=False)], ids=["norm", "sdpa", "eager"]
)
def test_gradient_times_input_adds_up_to_the_answer(network):
    """What is linear but for the norm's deviation and the attention's weights loses nothing when these are given."""
    logits, (inner,), (gradient,) = answered(network, network.embedding, {"ids": IDS})
    expected = np.einsum("ij,ij->i", towards_chosen(logits), logits)
    np.testing.assert_allclose((inner * gradient).sum(dim=(1, 2)).numpy(), expected, rtol=1e-4)


def test_the_plain_gradient_would_not_add_up():
    network = Normed()
    inner = network.embedding(IDS).detach().requires_grad_()
    logits = network.head(network.norm(inner).sum(dim=1))
    logits.max(dim=1).values.sum().backward()
    assert (inner.detach() * inner.grad).sum().item() == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("network", [Normed(), Attended(fused=True)], ids=["norm", "sdpa"])
def test_the_network_answers_as_ever_and_is_left_as_it_was(network):
    with torch.no_grad():
        expected = network(IDS).double().numpy()
    logits, _, _ = answered(network, network.embedding, {"ids": IDS})
    np.testing.assert_allclose(logits, expected, rtol=1e-6)
    assert all(weight.requires_grad and weight.grad is None for weight in network.parameters())
    assert not network.embedding._forward_hooks
    network(IDS).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_an_error_leaves_the_network_as_it_was():
    network = Normed()
    with pytest.raises(IndexError):
        answered(network, network.embedding, {"ids": torch.tensor([[99]])})
    assert all(weight.requires_grad for weight in network.parameters())
    assert not network.embedding._forward_hooks


@pytest.mark.parametrize("architecture", ["bert", "roberta", "distilbert", "deberta-v2", "modernbert"])
def test_every_architecture_is_explained_low_in_its_layers(architecture, checkpoint_of, model_of, train, held_out):
    model = model_of("encoder", checkpoint=checkpoint_of(architecture), loop={"max_steps": 2})
    list(model.fit(train, valid=[]))
    assert low_layer(model.transformer.network) is not model.transformer.network.get_input_embeddings()
    probabilities, found = explain(model, held_out[:20])
    np.testing.assert_allclose(probabilities, model.predict_proba(held_out[:20]), atol=1e-5)
    assert all(len(explanation.words) >= 3 for explanation in found)
