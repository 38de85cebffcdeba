"""Packed layers compute what the plain ones do, and stand aside where they cannot help."""

import pytest
import torch

from claimsieve.models.packed import PackedLinear, packed


class Feed(torch.nn.Module):
    """The feed-forward part of a BERT, by the names that BERT gives it."""

    def __init__(self, activation: torch.nn.Module) -> None:
        super().__init__()
        self.dense = torch.nn.Linear(64, 128)
        self.intermediate_act_fn = activation
        self.out = torch.nn.Linear(128, 3, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.intermediate_act_fn(self.dense(x)))


@pytest.mark.parametrize("activation", [torch.nn.GELU(), torch.nn.ReLU(), torch.nn.GELU(approximate="tanh")])
@pytest.mark.parametrize("rows", [1, 7, 300])
def test_a_packed_network_gives_the_same_answers(activation, rows):
    torch.manual_seed(0)
    network = Feed(activation).to(torch.bfloat16)
    twin = packed(network)
    x = torch.randn(rows, 64, dtype=torch.bfloat16)
    exact = Feed(activation).float()
    exact.load_state_dict({name: weight.float() for name, weight in network.state_dict().items()})
    with torch.inference_mode():
        truth = exact(x.float())
        # Both are roundings of the exact answer; the packed one is no worse than a few of its last bits.
        assert (twin(x).float() - truth).abs().max() <= 2 * (network(x).float() - truth).abs().max() + 0.01


def test_only_an_exact_gelu_is_fused():
    twin = packed(Feed(torch.nn.GELU()).to(torch.bfloat16))
    other = packed(Feed(torch.nn.ReLU()).to(torch.bfloat16))
    if isinstance(twin.dense, PackedLinear):
        assert isinstance(twin.intermediate_act_fn, torch.nn.Identity)
        assert isinstance(other.intermediate_act_fn, torch.nn.ReLU)


def test_the_network_itself_is_left_as_it_was():
    network = Feed(torch.nn.GELU()).to(torch.bfloat16)
    packed(network)
    assert type(network.dense) is torch.nn.Linear
    assert isinstance(network.intermediate_act_fn, torch.nn.GELU)


@pytest.mark.parametrize("rows", [1, 7, 300])
def test_in_float32_the_answers_are_the_same_to_its_last_digits(rows):
    torch.manual_seed(0)
    network = Feed(torch.nn.GELU())
    x = torch.randn(rows, 64)
    with torch.inference_mode():
        torch.testing.assert_close(packed(network)(x), network(x), rtol=0, atol=2e-6)


def test_other_number_formats_are_not_touched():
    network = Feed(torch.nn.GELU()).double()
    assert packed(network) is network


def test_a_torch_without_the_operators_is_slower_and_right(monkeypatch):
    def absent(*_, **__):
        raise RuntimeError("no such operator")

    monkeypatch.setattr(PackedLinear, "__init__", absent)
    network = Feed(torch.nn.GELU()).to(torch.bfloat16)
    assert packed(network) is network
