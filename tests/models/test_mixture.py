"""How often rows are drawn: labels evenly within a source, sources by tempered size, as many as asked in all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimsieve.errors import TrainingError
from claimsieve.models.loop import Examples, LoopSettings, plan
from claimsieve.models.mixture import drawn, draws_per_epoch
from claimsieve.records import Claim

rows_of = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4)), min_size=1, max_size=200)


def draws(rows, temperature=2.0, total=None):
    return draws_per_epoch(
        [s for s, _ in rows], np.array([label for _, label in rows]), temperature=temperature, rows=total
    )


@given(rows_of, st.floats(1, 10), st.integers(1, 1000))
def test_every_label_of_a_source_is_drawn_as_often_as_its_others(rows, temperature, total):
    found = draws(rows, temperature, total)
    assert found.sum() == pytest.approx(total)
    for source in {source for source, _ in rows}:
        sums = [
            sum(f for f, row in zip(found, rows, strict=True) if row == (source, label))
            for label in {label for of, label in rows if of == source}
        ]
        np.testing.assert_allclose(sums, sums[0])


def test_parts_share_what_their_source_is_drawn():
    """As a corpus of many small stories beside one of few: both are of one size, and count alike."""
    rows = [("many", story // 2) for story in range(100)] + [("few", story // 50) for story in range(100)]
    sources, parts = zip(*rows, strict=True)
    found = draws_per_epoch(sources, np.zeros(200, dtype=np.int64), temperature=2.0, rows=None, parts=parts)
    np.testing.assert_allclose(found, 1.0)


@pytest.mark.parametrize(("temperature", "ratio"), [(1.0, 100.0), (2.0, 10.0), (1e9, 1.0)])
def test_a_hundred_times_the_rows_count_by_the_temperature(temperature, ratio):
    rows = [("small", 0)] * 10 + [("large", 0)] * 1000
    found = draws(rows, temperature)
    assert found[10:].sum() / found[:10].sum() == pytest.approx(ratio)


def test_without_a_temperature_there_is_no_mixture():
    assert LoopSettings().draws([("a", None)], np.array([0]), [None]) is None


def test_the_first_epochs_draw_from_the_first_corpora_alone():
    sources = [("easy", None)] * 30 + [("hard", None)] * 60
    labels = np.arange(90) % 3
    settings = LoopSettings(
        epochs=3, batch_tokens=64, corpus_temperature=1.0, epoch_rows=45, first_corpora=("easy",), first_epochs=1
    )
    examples = Examples([4] * 90, labels, lambda rows: {}, draws=settings.draws(sources, labels, [None] * 90))
    rows = {False: [], True: []}
    for epoch, batches in plan(examples, settings, seed=0):
        rows[epoch <= 1] += [row for batch in batches for row in batch.tolist()]
    assert max(rows[True]) < 30
    assert 0.2 < np.mean(np.array(rows[False]) < 30) < 0.5
    assert len(rows[True]) == pytest.approx(45, abs=30)


def test_a_first_corpus_that_is_held_out_leaves_the_others():
    settings = LoopSettings(epochs=2, corpus_temperature=1.0, first_corpora=("easy", "held out"), first_epochs=1)
    first, usual = settings.draws([("easy", None), ("hard", None)], np.array([0, 0]), [None, None])
    assert first.tolist() == [2, 0]
    assert usual.tolist() == [1, 1]


def test_first_corpora_without_a_row_are_told():
    settings = LoopSettings(corpus_temperature=1.0, first_corpora=("snli",), first_epochs=1)
    with pytest.raises(TrainingError, match=r"training\.first_corpora: expected rows of snli in train, found none"):
        settings.draws([("a", None)], np.array([0]), [None])


@given(st.lists(st.floats(0, 5), min_size=1, max_size=50), st.integers(0, 5))
def test_each_row_is_drawn_as_often_as_expected_or_once_more(expected, epoch):
    times = np.bincount(drawn(np.array(expected), seed=0, epoch=epoch), minlength=len(expected))
    assert (times >= np.floor(expected)).all()
    assert (times <= np.ceil(expected)).all()


def test_over_many_epochs_the_share_is_what_was_expected():
    expected = np.array([0.25, 1.5, 3.0])
    times = sum(np.bincount(drawn(expected, seed=1, epoch=epoch), minlength=3) for epoch in range(4_000))
    np.testing.assert_allclose(times / 4_000, expected, atol=0.03)


def test_an_epoch_of_the_plan_holds_the_rows_that_are_drawn():
    labels = np.array([0] * 90 + [1] * 10)
    settings = LoopSettings(epochs=2, batch_tokens=64, corpus_temperature=2.0, epoch_rows=60)
    examples = Examples(
        [4] * 100, labels, lambda rows: {}, draws=settings.draws([("a", None)] * 100, labels, [None] * 100)
    )
    steps = plan(examples, settings, seed=0)
    rows = np.concatenate([batch for _, batches in steps for batch in batches])
    assert abs(len(rows) - 120) <= 40
    assert abs((labels[rows] == 1).mean() - 0.5) < 0.1
    assert steps[-1][0] == 2


def test_labels_are_even_within_each_event_where_that_is_asked_for():
    """As in rumours of a few events: nine of ten of one event are false, nine of ten of the other true."""
    places = {"verified": 0, "propaganda": 2}
    claims = [
        Claim("A rumour.", event=event, corpus="rumours", label=label)
        for event, common, rare in (("fire", "propaganda", "verified"), ("flood", "verified", "propaganda"))
        for label in [common] * 90 + [rare] * 10
    ]
    labels = np.array([places[claim.label] for claim in claims])

    def share_of_common(even_within):
        settings = LoopSettings(epochs=1, corpus_temperature=1.0, even_within=even_within)
        (found,) = settings.draws([(claim.corpus, None) for claim in claims], labels, [*map(settings.part_of, claims)])
        assert found.sum() == pytest.approx(200)
        return found[:90].sum() / found[:100].sum()

    assert share_of_common("corpus") == pytest.approx(0.9)
    assert share_of_common("event") == pytest.approx(0.5)
