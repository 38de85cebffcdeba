import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from claimsieve.models.batches import by_length, plan_epoch

row_lengths = st.lists(st.integers(0, 600), min_size=1, max_size=300)
budgets = st.integers(1, 4096)
seeds = st.integers(0, 2**31)


def padded_tokens(batch, lengths):
    return len(batch) * max(lengths[row] for row in batch)


def as_lists(batches):
    return [batch.tolist() for batch in batches]


@given(row_lengths, budgets, seeds, st.integers(0, 50))
def test_an_epoch_holds_every_row_exactly_once(lengths, budget, seed, epoch):
    batches = plan_epoch(lengths, batch_tokens=budget, seed=seed, epoch=epoch)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    assert all(len(batch) for batch in batches)


@given(row_lengths, budgets, seeds)
def test_no_batch_is_over_budget_unless_one_row_alone_is(lengths, budget, seed):
    batches = plan_epoch(lengths, batch_tokens=budget, seed=seed, epoch=0) + by_length(lengths, batch_tokens=budget)
    assert all(padded_tokens(batch, lengths) <= budget or len(batch) == 1 for batch in batches)
    assert all(len(batch) <= budget for batch in batches)


@given(row_lengths, budgets, seeds)
def test_the_seed_alone_decides_the_plan(lengths, budget, seed):
    first, again = (plan_epoch(lengths, batch_tokens=budget, seed=seed, epoch=3) for _ in range(2))
    assert as_lists(first) == as_lists(again)


def test_epochs_and_seeds_differ():
    lengths = np.random.default_rng(0).integers(5, 60, size=400).tolist()
    plans = [
        as_lists(plan_epoch(lengths, batch_tokens=256, seed=seed, epoch=epoch))
        for seed, epoch in [(0, 0), (0, 1), (1, 0), (1, 1)]
    ]
    assert all(one != other for place, one in enumerate(plans) for other in plans[:place])
    # Not only the order of the batches: rows meet other rows.
    together = [{frozenset(batch) for batch in plan} for plan in plans]
    assert len(together[0] & together[1]) < len(together[0]) / 4


def test_padding_stays_small_on_uneven_lengths():
    lengths = np.random.default_rng(0).lognormal(4, 0.7, size=6000).astype(int).clip(3, 512)
    batches = plan_epoch(lengths, batch_tokens=4096, seed=0, epoch=0)
    padded = sum(padded_tokens(batch, lengths) for batch in batches)
    assert lengths.sum() / padded > 0.93
    unsorted = np.random.default_rng(0).permutation(len(lengths)).reshape(-1, 60)
    assert lengths.sum() / sum(padded_tokens(batch, lengths) for batch in unsorted) < 0.5


def test_long_and_short_batches_are_mixed_within_an_epoch():
    """Sorted batches would train on short texts first; the correlation of place and length shows it."""
    lengths = np.random.default_rng(0).integers(3, 300, size=3000)
    longest = [max(lengths[batch]) for batch in plan_epoch(lengths, batch_tokens=1024, seed=0, epoch=0)]
    assert abs(np.corrcoef(np.arange(len(longest)), longest)[0, 1]) < 0.2


@given(row_lengths, budgets)
def test_inference_takes_every_row_once_and_the_longest_first(lengths, budget):
    order = np.concatenate(by_length(lengths, batch_tokens=budget))
    assert sorted(order.tolist()) == list(range(len(lengths)))
    assert [lengths[row] for row in order] == sorted(lengths, reverse=True)


def test_few_rows_of_many_lengths_are_read_with_little_padding():
    lengths = np.random.default_rng(0).lognormal(4, 0.4, size=400).astype(int).clip(10, 128)
    batches = by_length(lengths, batch_tokens=8192)
    assert lengths.sum() / sum(padded_tokens(batch, lengths) for batch in batches) > 0.93
    assert all(padded_tokens(batch, lengths) >= 1024 for batch in batches[:-1])  # none is too small to be worth it


def test_no_rows_are_no_batches():
    assert by_length([], batch_tokens=64) == []
