"""What a comparison holds beside its verdict: flipped rows, slices, JSON, tables, numbers for a tracker."""

import json

import numpy as np
import pytest
from made_runs import models, run, said, seeds_of
from statsmodels.stats.multitest import multipletests

from claimsieve.comparison.compare import compare
from claimsieve.comparison.contestants import Contestant
from claimsieve.comparison.records import from_json, to_json
from claimsieve.comparison.tables import slice_table, summary_metrics, tables, verdict_tags
from claimsieve.errors import DataError
from claimsieve.records import LABELS

# --- rows and slices


def test_flipped_rows_are_counted_in_full_and_the_furthest_kept():
    first, second = models([1.0, 1.4], n=3_000)
    pair = compare([first, second]).between("a", "b")
    chosen = [one.runs[0].probabilities.argmax(axis=1) for one in (first, second)]
    truth = np.array([LABELS.index(label) for label in first.runs[0].labels])
    lost = np.flatnonzero((chosen[0] == truth) & (chosen[1] != truth))
    assert pair.right_to_wrong == len(lost) > 200
    assert pair.mcnemar.only_first == len(lost)
    assert len(pair.right_to_wrong_rows) == len(pair.wrong_to_right_rows) == 200
    of_truth = [one.runs[0].probabilities[np.arange(3_000), truth] for one in (first, second)]
    moved = [row.first_probability - row.second_probability for row in pair.right_to_wrong_rows]
    assert moved == sorted(np.abs(of_truth[0] - of_truth[1])[lost], reverse=True)[:200]
    for row in pair.right_to_wrong_rows:
        number = int(row.id)
        assert (row.claim, row.label) == (f"claim {number}", LABELS[truth[number]])
        assert row.first_label == row.label != row.second_label == LABELS[chosen[1][number]]


def sliced(**options):
    """Two models as good overall, the one better on corpus x and on event 0 of it, the other on corpus y."""
    generator = np.random.default_rng(1)
    n = 1_200
    truth = generator.integers(3, size=n)
    corpora = ["x"] * 500 + ["y"] * 500 + ["z"] * 190 + ["w"] * 10
    events = [f"{name} {row % 10}" for row, name in enumerate(corpora)]
    skills = {"x": (2.5, 0.5), "y": (0.5, 2.5), "z": (1.0, 1.0), "w": (3.0, 0.0)}
    contestants = []
    for side, name in enumerate("ab"):
        skill = np.array([skills[corpus][side] for corpus in corpora])
        contestants.append(
            Contestant(name, (run(truth, said(generator, truth, skill=skill), corpora=corpora, events=events),))
        )
    return compare(contestants, **options)


def test_stories_of_one_name_in_two_corpora_are_two_slices():
    generator = np.random.default_rng(1)
    truth, corpora = generator.integers(3, size=400), ["x"] * 200 + ["y"] * 200
    first, second = (
        Contestant(name, (run(truth, said(generator, truth, skill=np.ones(400)), corpora=corpora, events=["1"] * 400),))
        for name in "ab"
    )
    pair = compare([first, second]).between("a", "b")
    assert {part.name for part in pair.slices if part.kind == "event"} == {"x/1", "y/1"}


def test_slices_say_where_a_model_is_surely_better_and_where_worse():
    pair = (found := sliced()).between("a", "b")
    outcomes = {(part.kind, part.name): part.outcome for part in pair.slices}
    assert [outcomes["corpus", name] for name in "xyz"] == ["ahead", "behind", "noise"]
    assert ("corpus", "w") not in outcomes  # ten rows
    assert outcomes["event", "x 0"] == "ahead"
    assert all(part.units == part.n for part in pair.slices)
    assert pair.slices_left_out == 11 + 10  # w and its events, and the ten of z, of 19 rows each
    p_values = [part.p for part in pair.slices]
    assert [part.p_adjusted for part in pair.slices] == pytest.approx(
        multipletests(p_values, method="holm")[1].tolist()
    )
    turned = {(part.kind, part.name): part.outcome for part in found.between("b", "a").slices}
    assert [turned["corpus", name] for name in "xyz"] == ["behind", "ahead", "noise"]
    assert "within noise" in slice_table(pair)[-1]


def test_within_an_event_claims_are_drawn_also_where_the_unit_is_the_event():
    by_event = {(part.kind, part.name): part for part in sliced(unit="event").between("a", "b").slices}
    assert by_event["corpus", "x"].units == 10
    assert by_event["event", "x 0"].units == 50
    assert by_event["event", "x 0"].outcome == "ahead"


# --- what is refused, kept and shown


def test_too_few_events_are_refused_before_a_number_is_made_of_them():
    events = [f"event {row % 5}" for row in range(100)]
    with pytest.raises(DataError, match=r"at least 6 events among the test rows, found 5.*Compare by claim"):
        compare(models([1, 2], n=100, events=events), unit="event")
    with pytest.raises(DataError, match="at least 6 claims among the test rows, found 4"):
        compare(models([1, 2], n=4))


def test_a_comparison_travels_as_json():
    found = compare(seeds_of([0.1, 0.2], n=40))
    document = json.loads(json.dumps(to_json(found), allow_nan=False))
    assert from_json(document) == found
    assert from_json(json.loads(json.dumps(to_json(sliced()), allow_nan=False))) == sliced()
    del document["verdict"]["best"]
    with pytest.raises(DataError, match=r"verdict\.best: Field required.*Compare the models again"):
        from_json(document)


def test_between_is_the_pair_turned_as_it_is_asked_for():
    found = compare(models([1.0, 1.5, 1.2]))
    pair = found.between("a", "b")
    assert (pair.first, pair.second) == ("a", "b")
    assert pair.difference.value < 0
    assert found.between("b", "a").turned() == pair
    with pytest.raises(DataError, match=r"expected one of the compared models, .*found x"):
        found.between("a", "x")
    with pytest.raises(DataError, match="found a twice"):
        found.between("a", "a")


def test_tables_metrics_and_tags_tell_the_same_story():
    found = compare(models([0.6, 2.0, 1.95]))
    ranking, pairs = tables(found)
    best = found.verdict.best
    assert [row[1] for row in ranking[1:]] == [one.name for one in found.standings]
    assert [row[0] for row in pairs] == [f"behind {best}", *(one.name for one in found.standings[1:])]
    assert all(len(row) == len(rows[0]) for rows in (ranking, pairs) for row in rows)
    metrics = {name: summary_metrics(found, name) for name in "abc"}
    assert metrics[best] == {
        "rank": 1, "behind_best": 0, "behind_best_low": 0, "behind_best_high": 0, "wins": 1, "losses": 0
    }  # fmt: skip
    assert (metrics["a"]["rank"], metrics["a"]["wins"], metrics["a"]["losses"]) == (3, 0, 2)
    assert metrics["a"]["behind_best"] == pytest.approx(
        found.standings[0].macro_f1.value - found.standings[2].macro_f1.value
    )
    assert metrics["a"]["behind_best_low"] > 0
    words = {name: verdict_tags(found, name)["verdict"] for name in "abc"}
    assert words == {"a": "behind", "b": "among the leaders", "c": "among the leaders"}
    assert verdict_tags(found, "a")["compared_with"] == ", ".join(one.name for one in found.standings[:2])
    assert verdict_tags(found, "a")["verdict_sentence"] == found.verdict.sentence


@pytest.mark.parametrize("options", [{"resamples": 99}, {"alpha": 0.0}, {"alpha": 1.0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="expected at least 100 resamples"):
        compare(models([1, 2]), **options)
