from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from claimsieve.errors import TrainingError
from claimsieve.models.loop import (
    Examples,
    LoopSettings,
    label_places,
    label_weights,
    learning_rate_at,
    plan,
    training_steps,
)
from claimsieve.models.optimizer import MasterAdamW
from claimsieve.records import LABELS


class Tiny(torch.nn.Module):
    def __init__(self, *, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.linear = torch.nn.Linear(4, len(LABELS))

    def forward(self, features):
        return self.linear(features)


def tiny_examples(rows=24, *, length=3):
    generator = np.random.default_rng(0)
    labels = np.arange(rows) % len(LABELS)
    features = torch.tensor(generator.normal(size=(rows, 4)) + labels[:, None], dtype=torch.float32)
    return Examples([length] * rows, labels, lambda chosen: {"features": features[chosen]})


def start(network, examples, settings, **options):
    optimizer = MasterAdamW(network.parameters(), weight_decay=settings.weight_decay)
    return training_steps(network, optimizer, examples, plan(examples, settings, seed=0), settings=settings, **options)


def copies(network):
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def same(network, weights):
    return all(torch.equal(tensor, weights[name]) for name, tensor in network.state_dict().items())


def test_the_learning_rate_warms_up_then_falls_to_nothing():
    settings = LoopSettings(learning_rate=0.5, warmup_fraction=0.1)
    rates = [learning_rate_at(number, 100, settings) for number in range(1, 101)]
    np.testing.assert_allclose(rates[:10], 0.05 * np.arange(1, 11))
    np.testing.assert_allclose(np.diff(rates[9:]), -0.5 / 91)
    assert rates[-1] > 0
    assert learning_rate_at(101, 100, settings) == 0


@given(st.integers(1, 500), st.floats(0, 0.99))
def test_the_learning_rate_is_never_zero_nor_above_its_peak_and_has_one_peak(total, warmup_fraction):
    settings = LoopSettings(learning_rate=1.0, warmup_fraction=warmup_fraction)
    rates = [learning_rate_at(number, total, settings) for number in range(1, total + 1)]
    assert all(0 < rate <= 1 for rate in rates)
    assert max(rates) == 1
    peak = rates.index(1)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)


@given(st.lists(st.sampled_from(range(3)), min_size=1, max_size=200))
def test_balanced_weights_give_every_label_the_same_say_and_have_mean_one(codes):
    labels = np.array(codes)
    examples = Examples([1] * len(labels), labels, collate=lambda rows: {})
    weights = label_weights(examples, "balanced").numpy()
    assert weights[labels].mean() == pytest.approx(1, rel=1e-5)
    shares = [weights[code] * (labels == code).sum() for code in sorted(set(codes))]
    np.testing.assert_allclose(shares, shares[0], rtol=1e-5)
    assert all(weights[code] == 0 for code in range(3) if code not in codes)
    assert label_weights(examples, "none").tolist() == [1, 1, 1]


def test_labels_become_places_by_name():
    assert label_places(["propaganda", "verified", "unverified"]).tolist() == [2, 0, 1]
    with pytest.raises(TrainingError, match=r"expected a label on every claim.*found none on 1 of 2"):
        label_places(["verified", None])


def test_the_plan_ends_at_max_steps_and_counts_epochs():
    examples = tiny_examples(24)
    settings = LoopSettings(epochs=3, batch_tokens=12)  # 4 rows of 3 tokens: 6 steps an epoch
    steps = plan(examples, settings, seed=0)
    assert len(steps) == 18
    np.testing.assert_allclose([epoch for epoch, _ in steps], np.arange(1, 19) / 6)
    short = plan(examples, LoopSettings(epochs=3, batch_tokens=12, max_steps=8), seed=0)
    assert rows_of(short) == rows_of(steps[:8])


def rows_of(steps):
    return [[rows.tolist() for rows in batches] for _, batches in steps]


@pytest.mark.parametrize(("accumulated", "sizes"), [(2, [2, 2, 2]), (4, [4, 2]), (6, [6]), (99, [6])])
def test_a_step_takes_so_many_batches_and_none_of_the_next_epoch(accumulated, sizes):
    examples = tiny_examples(24)
    single = plan(examples, LoopSettings(epochs=2, batch_tokens=12), seed=0)
    steps = plan(examples, LoopSettings(epochs=2, batch_tokens=12, accumulate_steps=accumulated), seed=0)
    assert [len(batches) for _, batches in steps] == sizes * 2
    assert list(chain(*rows_of(steps))) == list(chain(*rows_of(single)))
    np.testing.assert_allclose([epoch for epoch, _ in steps], np.cumsum(sizes * 2) / 6)


@pytest.mark.parametrize("mode", ["balanced", "none"])
def test_batches_that_add_up_to_a_step_are_one_large_batch(mode):
    """The labels are of unequal number, so that a mean of the batches' means would be another gradient."""
    examples = tiny_examples(23)
    labels = np.array([0] * 15 + [1] * 5 + [2] * 3)
    examples = Examples(examples.lengths, labels, examples.collate)
    settings = LoopSettings(epochs=6, learning_rate=0.1, label_weights=mode, max_gradient_norm=0.1)
    rows = np.random.default_rng(0).permutation(23)
    parts = [rows[:1], rows[1:9], rows[9:14], rows[14:]]
    whole, added = Tiny(), Tiny()
    losses = []
    for network, batches in ((whole, [rows]), (added, parts)):
        optimizer = MasterAdamW(network.parameters(), weight_decay=0.01)
        steps = training_steps(network, optimizer, examples, [(1.0, batches)] * 8, settings=settings)
        losses.append([step.loss for step in steps])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    for one, other in zip(whole.parameters(), added.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_dropout_hangs_on_seed_and_step_alone():
    class Drawn(Tiny):
        def forward(self, features):
            self.drawn = torch.rand(()).item()
            return super().forward(features)

    def draws(seed, done=0):
        network, settings = Drawn(), LoopSettings(batch_tokens=12)
        return [network.drawn for _ in start(network, tiny_examples(), settings, seed=seed, done=done)]

    whole = draws(1)
    torch.manual_seed(99)
    assert draws(1, done=2) == whole[2:]
    assert not set(draws(2)) & set(whole)
    assert len(set(whole)) == len(whole)


def test_next_takes_one_step_and_no_more():
    network, examples = Tiny(), tiny_examples()
    settings = LoopSettings(epochs=2, batch_tokens=12, learning_rate=0.1)
    before = copies(network)
    steps = start(network, examples, settings)
    assert same(network, before)
    first = next(steps)
    after = copies(network)
    assert not same(network, before)
    assert (first.number, first.tokens) == (1, 12)
    assert first.learning_rate == learning_rate_at(1, 12, settings)
    assert same(network, after)
    assert next(steps).tokens == 24
    assert not same(network, after)


def test_the_loss_is_the_weighted_mean_cross_entropy_in_nats():
    network, examples = Tiny(), tiny_examples()
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    assert next(start(network, examples, LoopSettings(batch_tokens=12))).loss == pytest.approx(np.log(3))


def test_training_lowers_the_loss():
    network, examples = Tiny(), tiny_examples()
    losses = [step.loss for step in start(network, examples, LoopSettings(epochs=20, learning_rate=0.1))]
    assert losses[-1] < losses[0] / 2


def test_a_planted_nan_stops_the_training_before_any_weight_is_touched():
    network = Tiny()
    with torch.no_grad():
        network.linear.weight[1, 1] = float("nan")
    before = copies(network)
    with pytest.raises(TrainingError, match=r"finite loss, found nan at step 1.*learning_rate=1e-05"):
        next(start(network, tiny_examples(), LoopSettings()))
    assert all(torch.equal(t.nan_to_num(7), before[name].nan_to_num(7)) for name, t in network.state_dict().items())
    assert network.state_dict()["linear.weight"].isnan().sum() == 1


def test_a_nan_later_on_leaves_the_weights_of_the_step_before():
    network, examples = Tiny(), tiny_examples()
    served = iter([1.0, 1.0, float("nan")])
    broken = Examples(
        examples.lengths,
        examples.labels,
        lambda rows: {"features": examples.collate(rows)["features"] * next(served)},
    )
    steps = start(network, broken, LoopSettings(batch_tokens=12))
    next(steps)
    assert next(steps).number == 2
    before = copies(network)
    with pytest.raises(TrainingError, match=r"finite loss.*step 3"):
        next(steps)
    assert same(network, before)


class Root(torch.nn.Module):
    """At zero, the root has a finite value and an infinite gradient."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(len(LABELS)))
        self.other = torch.nn.Parameter(torch.ones(2, 2))

    def forward(self, features):
        return self.weight.sqrt().expand(len(features), -1) + self.other.sum()


def test_an_infinite_gradient_stops_the_training_before_any_weight_is_touched():
    network = Root()
    before = copies(network)
    with pytest.raises(TrainingError, match="finite gradient's norm, found inf at step 1"):
        next(start(network, tiny_examples(), LoopSettings()))
    assert same(network, before)


def test_steps_that_are_done_are_not_taken_again():
    examples, settings = tiny_examples(), LoopSettings(epochs=1, batch_tokens=12)
    rest = list(start(Tiny(), examples, settings, done=4, tokens=48))
    assert [(step.number, step.tokens) for step in rest] == [(5, 60), (6, 72)]
    assert list(start(Tiny(), examples, settings, done=6, tokens=72)) == []
