import pytest
import torch

from claimsieve.models.optimizer import MasterAdamW


def parameters(dtype=torch.float32, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = ((8, 5), (5,), (3, 8), ())
    return [torch.nn.Parameter(torch.randn(shape, generator=generator).to(dtype)) for shape in shapes]


def give_gradients(parameters, *, seed, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    for parameter in parameters:
        parameter.grad = (torch.randn(parameter.shape, generator=generator) * scale).to(parameter.dtype)


def equal(left, right):
    return all(torch.equal(one, other) for one, other in zip(left, right, strict=True))


def test_float32_equals_adamw_of_torch():
    ours, theirs = parameters(), parameters()
    optimizer = MasterAdamW(ours, weight_decay=0.1)
    reference = torch.optim.AdamW(
        [
            {"params": [p for p in theirs if p.ndim >= 2], "weight_decay": 0.1},
            {"params": [p for p in theirs if p.ndim < 2], "weight_decay": 0.0},
        ],
        foreach=False,
    )
    for number in range(20):
        rate = 0.01 / (number + 1)
        give_gradients(ours, seed=number)
        give_gradients(theirs, seed=number)
        expected_norm = float(torch.nn.utils.clip_grad_norm_(theirs, 1.0))
        for group in reference.param_groups:
            group["lr"] = rate
        reference.step()
        assert optimizer.step(learning_rate=rate, max_gradient_norm=1.0) == pytest.approx(expected_norm)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)


def test_biases_are_not_decayed_and_matrices_are():
    weights = parameters()
    before = [weight.detach().clone() for weight in weights]
    for weight in weights:
        weight.grad = torch.zeros_like(weight)
    MasterAdamW(weights, weight_decay=0.5).step(learning_rate=0.1, max_gradient_norm=1.0)
    for weight, old in zip(weights, before, strict=True):
        torch.testing.assert_close(weight.detach(), old * 0.95 if old.ndim >= 2 else old)


@pytest.mark.parametrize("ours", [True, False])
def test_tiny_updates_add_up_in_bfloat16_where_plain_bfloat16_loses_them(ours):
    weight = torch.nn.Parameter(torch.ones(4, 4, dtype=torch.bfloat16))
    master = MasterAdamW([weight], weight_decay=0.0)
    plain = torch.optim.AdamW([weight], lr=1e-4, weight_decay=0.0)
    for _ in range(100):
        weight.grad = torch.ones_like(weight)
        if ours:
            master.step(learning_rate=1e-4, max_gradient_norm=100.0)
        else:
            plain.step()
    if ours:
        torch.testing.assert_close(master.masters()[0], torch.full((4, 4), 0.99), rtol=0, atol=1e-5)
        torch.testing.assert_close(weight.detach().float(), torch.full((4, 4), 0.99), rtol=0, atol=2**-8)
    else:
        assert torch.equal(weight.detach(), torch.ones(4, 4, dtype=torch.bfloat16))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_going_on_from_saved_tensors_is_going_on(dtype):
    straight = parameters(dtype)
    optimizer = MasterAdamW(straight, weight_decay=0.1)
    saved = None
    for number in range(10):
        give_gradients(straight, seed=number)
        optimizer.step(learning_rate=0.01, max_gradient_norm=1.0)
        if number == 4:
            saved = optimizer.tensors()
    resumed = parameters(dtype, seed=99)
    other = MasterAdamW(resumed, weight_decay=0.1)
    other.load(saved)
    for number in range(5, 10):
        give_gradients(resumed, seed=number)
        other.step(learning_rate=0.01, max_gradient_norm=1.0)
    assert equal(straight, resumed)
    ours, theirs = optimizer.tensors(), other.tensors()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_small_gradients_that_are_collected_add_up_in_float32():
    """In bfloat16, 1 + 1/512 is 1."""
    weight = torch.nn.Parameter(torch.zeros(2, dtype=torch.bfloat16))
    optimizer = MasterAdamW([weight], weight_decay=0.0)
    for gradient in (1.0, *[1 / 512] * 512):
        weight.grad = torch.full((2,), gradient, dtype=torch.bfloat16)
        optimizer.collect()
        assert weight.grad is None
    assert optimizer.masters()[0].grad.tolist() == [2.0, 2.0]
    norm = optimizer.step(learning_rate=0.1, max_gradient_norm=100.0)
    assert norm == pytest.approx(8**0.5)
    assert optimizer.masters()[0].grad is None


def test_saved_tensors_are_copies():
    weights = parameters()
    optimizer = MasterAdamW(weights, weight_decay=0.1)
    give_gradients(weights, seed=0)
    optimizer.step(learning_rate=0.1, max_gradient_norm=1.0)
    saved = optimizer.tensors()
    copies = {name: tensor.clone() for name, tensor in saved.items()}
    give_gradients(weights, seed=1)
    optimizer.step(learning_rate=0.1, max_gradient_norm=1.0)
    assert all(torch.equal(saved[name], copies[name]) for name in saved)


def test_frozen_weights_and_weights_without_gradient_stay():
    frozen, unused, used = (torch.nn.Parameter(torch.ones(2, 2)) for _ in range(3))
    frozen.requires_grad_(False)
    optimizer = MasterAdamW([frozen, unused, used], weight_decay=0.1)
    used.grad = torch.ones(2, 2)
    optimizer.step(learning_rate=0.1, max_gradient_norm=1.0)
    assert torch.equal(frozen, torch.ones(2, 2))
    assert torch.equal(unused, torch.ones(2, 2))
    assert not torch.equal(used, torch.ones(2, 2))
    assert used.grad is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
def test_a_gradient_that_is_not_finite_does_not_reach_the_weights(dtype, bad):
    weights = parameters(dtype)
    optimizer = MasterAdamW(weights, weight_decay=0.1)
    give_gradients(weights, seed=0)
    optimizer.step(learning_rate=0.1, max_gradient_norm=1.0)
    before, saved = [weight.detach().clone() for weight in weights], optimizer.tensors()
    give_gradients(weights, seed=1)
    weights[2].grad[1, 1] = bad
    norm = torch.tensor(optimizer.step(learning_rate=0.1, max_gradient_norm=1.0))
    assert not norm.isfinite()
    assert equal(weights, before)
    after = optimizer.tensors()
    assert all(torch.equal(saved[name], after[name]) for name in saved)
