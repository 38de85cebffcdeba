"""Questions that take several trainings: shortcuts over seeds, optimism of a random split, choice of map."""

import json
import math
import random
import string

import numpy as np
import pytest

from claimsieve import config as configs
from claimsieve.data.prepare import cuts, parts, prepare
from claimsieve.errors import ConfigError
from claimsieve.evaluation.shortcuts import DESCRIPTIONS, measure_shortcuts
from claimsieve.records import LABELS
from claimsieve.studies import over_seeds, study_maps, study_optimism, study_shortcuts

SEEDS = range(3)


def word(draw):
    """A word that stands nowhere else."""
    return "".join(draw.choices(string.ascii_lowercase, k=9))


def run_config(corpus, **split):
    data = {"corpora": [corpus], "split": split}
    model = {"kind": "tfidf", "max_features": 2000}
    return configs.validate({"name": "small", "data": data, "model": model}, place="a test")


@pytest.fixture
def told_by_event(tmp_path):
    """45 events of six claims; a word that is the event's own tells its label, and nothing else does."""
    draw = random.Random(1)
    rows = []
    for event in range(45):
        own = word(draw)
        rows += [
            {"claim": f"{own} {word(draw)} {word(draw)}", "event": str(event), "label": LABELS[event % 3]}
            for _ in range(6)
        ]
    path = tmp_path / "stories.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"file": str(path)}


@pytest.fixture
def rated(own_recipe):
    """A corpus read by a recipe: 90 claims in 45 events, whose evidence tells the rating."""
    draw = random.Random(2)
    verdicts = {"yes": "it was seen by both sides", "no": "the picture is from elsewhere", "open": "no one could go"}
    rows = [
        {
            "text": f"{word(draw)} {word(draw)}",
            "proof": f"{proof} {word(draw)}",
            "story": str(story),
            "verdict": verdict,
        }
        for story in range(45)
        for verdict, proof in random.Random(story).sample(sorted(verdicts.items()), 2)
    ]
    rows += [row | {"verdict": "joke", "text": word(draw)} for row in rows[::2]]  # whose evidence tells nothing
    fields = {"claim": "text", "evidence": "proof", "event": "story", "rating": "verdict"}

    def read(**ratings):
        usual = {"yes": "supported", "no": "refuted", "open": "insufficient", "joke": None}
        return {"recipe": own_recipe(*rows, fields=fields, ratings=usual | ratings)}

    return read


# --- the interval over seeds


def test_the_interval_is_the_one_that_is_computed_by_hand():
    """Mean .6, spread .1 (divided by n - 1), t at two degrees of freedom 4.302653, sqrt(1/3 + 1/4) .763763."""
    found = over_seeds([0.5, 0.6, 0.7], test_to_train=0.25)
    assert found.value == pytest.approx(0.6)
    assert found.high - found.value == pytest.approx(4.302653 * 0.1 * 0.763763, abs=1e-6)
    assert found.value - found.low == pytest.approx(0.328621, abs=1e-6)


def test_the_interval_of_two_seeds_is_wide_and_that_of_equal_values_has_no_width():
    found = over_seeds([0.4, 0.6], test_to_train=0.5, low=-9.0, high=9.0)
    assert over_seeds([0.4, 0.6], test_to_train=0.5).high == 1.0  # a score ends there
    assert found.high - found.value == pytest.approx(12.706205 * math.sqrt(0.02) * 1.0, abs=1e-6)
    flat = over_seeds([0.5, 0.5, 0.5], test_to_train=0.1)
    assert (flat.low, flat.value, flat.high) == (0.5, 0.5, 0.5)


def test_splits_that_overlap_more_say_less():
    """Without the correction the interval of ten seeds would be the usual one."""
    values = np.random.default_rng(0).uniform(0, 1, 10)
    usual = 2.262157 * values.std(ddof=1) / math.sqrt(10)
    widths = [over_seeds(values.tolist(), test_to_train=share) for share in (0.0, 0.1, 0.5)]
    halves = [found.high - found.value for found in widths]
    assert halves[0] == pytest.approx(usual, rel=1e-5)
    assert halves[1] == pytest.approx(usual * math.sqrt(2), rel=1e-5)
    assert halves == sorted(halves)


@pytest.mark.parametrize("seeds", [[], [0], [3, 3, 3]])
def test_one_seed_makes_no_interval(told_by_event, seeds):
    config = run_config(told_by_event)
    problem = rf"--seeds: expected 2 or more for an interval, found {len(set(seeds))}"
    for study in (study_shortcuts, study_optimism):
        with pytest.raises(ConfigError, match=problem):
            study(config, seeds)
    with pytest.raises(ConfigError, match=problem):
        study_maps(config, {}, seeds, corpus="stories")


# --- optimism


def test_a_random_split_flatters_a_model_that_knows_events_by_a_word(told_by_event):
    said = []
    found = study_optimism(run_config(told_by_event), SEEDS, say=said.append)
    assert found.random.value > 0.9
    assert found.honest.value < 0.5
    assert found.gap.low > 0
    assert (found.seeds, found.split) == ((0, 1, 2), "group")
    assert found.random.value == pytest.approx(np.mean(found.random_by_seed))
    assert found.honest.value == pytest.approx(np.mean(found.honest_by_seed))
    assert found.gap.value == pytest.approx(found.random.value - found.honest.value)
    assert all(20 <= rows <= 36 for rows in found.n_honest + found.n_random)  # a tenth of 270, as asked
    assert said[0].startswith("270 claims")
    assert [line.partition(":")[0] for line in said[1:]] == ["seed 0", "seed 1", "seed 2"]


def test_a_random_split_flatters_a_model_that_has_met_the_text_before(tmp_path):
    draw = random.Random(3)
    texts = [f"{word(draw)} {word(draw)} {word(draw)}" for _ in range(60)]
    rows = [{"claim": text, "label": LABELS[number % 3]} for number, text in enumerate(texts) for _ in range(5)]
    (tmp_path / "copies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = study_optimism(run_config({"file": str(tmp_path / "copies.jsonl")}), SEEDS)
    assert found.random.value > 0.9
    assert found.honest.value < 0.5


def test_where_the_evidence_tells_the_label_a_random_split_flatters_nobody(rated):
    found = study_optimism(run_config(rated()), SEEDS)
    assert found.honest.value > 0.9
    assert abs(found.gap.value) < 0.1


def test_a_study_is_the_same_twice(told_by_event):
    config = run_config(told_by_event)
    assert study_optimism(config, SEEDS) == study_optimism(config, SEEDS)


def test_a_random_split_has_nothing_to_be_compared_with(told_by_event):
    config = run_config(told_by_event, by="random", allow_group_leak=True)
    with pytest.raises(ConfigError, match=r"data\.split\.by: expected group, source or time to compare .*found random"):
        study_optimism(config, SEEDS)


# --- shortcuts


def test_each_shortcut_is_given_over_the_seeds(rated):
    config = run_config(rated())
    found = study_shortcuts(config, SEEDS)
    prepared = prepare(config.data)
    by_seed = []
    for cut in cuts(prepared, config.data, SEEDS):
        splits = parts(prepared, cut)
        by_seed.append(measure_shortcuts(splits["train"], splits["test"], resamples=100, seed=cut.seed))
    assert found.seeds == (0, 1, 2)
    assert found.n == tuple(one.n for one in by_seed)
    assert found.scores.keys() == DESCRIPTIONS.keys() - {"source_only"}  # the corpus names no source
    for name, score in found.scores.items():
        assert score.value == pytest.approx(np.mean([one.scores[name].value for one in by_seed]))
        assert score.low <= score.value <= score.high
    assert found.scores["evidence_only"].value > 0.9
    assert max(found.scores[name].value for name in ("claim_only", "corpus_only", "evidence_shuffled")) < 0.6


def test_shortcuts_of_a_split_that_cuts_events_show_what_events_give_away(told_by_event):
    leaky = run_config(told_by_event, by="random", allow_group_leak=True)
    assert study_shortcuts(leaky, SEEDS).scores["event_majority"].value > 0.9
    assert study_shortcuts(run_config(told_by_event), SEEDS).scores["event_majority"].value < 0.5


# --- maps

MAPS = {
    "no_is_open": {"no": "unverified"},
    "all_open": {"yes": "unverified", "no": "unverified"},
    "without_no": {"no": None},
}


def test_maps_are_compared_with_the_recipes_own_which_comes_first(rated):
    config = run_config(rated())
    own, no_is_open, all_open, without_no = study_maps(config, MAPS, SEEDS, corpus="own")
    counts = {label: own.labels[label] for label in LABELS}
    verified, unverified, propaganda = counts.values()
    assert sum(counts.values()) == 90
    assert (own.name, own.changes, own.changed) == ("as the recipe says", {}, 0.0)
    assert own.difference is None
    assert own.macro_f1.value == study_optimism(config, SEEDS).honest.value
    assert own.macro_f1.value > 0.9 > 0.5 > own.majority.value

    assert [result.name for result in (no_is_open, all_open, without_no)] == list(MAPS)
    assert [result.changes for result in (no_is_open, all_open, without_no)] == list(MAPS.values())
    merged = {"verified": verified, "unverified": unverified + propaganda, "propaganda": 0}
    assert (no_is_open.labels, no_is_open.changed) == (merged, propaganda / 90)
    dropped = {"verified": verified, "unverified": unverified, "propaganda": 0}
    assert (without_no.labels, without_no.changed) == (dropped, propaganda / 90)
    for result in (no_is_open, without_no):
        assert result.difference.value == pytest.approx(result.macro_f1.value - own.macro_f1.value)

    # One label cannot be trained on; what the map does to the labels is told all the same.
    assert all_open.labels == {"verified": 0, "unverified": 90, "propaganda": 0}
    assert all_open.changed == (verified + propaganda) / 90
    assert all_open.macro_f1 is all_open.majority is all_open.difference is None


def test_a_map_that_lets_noise_in_costs_what_it_says(rated):
    said = []
    own, noisy = study_maps(run_config(rated()), {"jokes": {"joke": "refuted"}}, SEEDS, corpus="own", say=said.append)
    assert noisy.labels == own.labels | {"propaganda": own.labels["propaganda"] + 45}
    assert noisy.changed == pytest.approx(45 / 135)  # rows that come in have another label than none
    assert noisy.difference.value == pytest.approx(noisy.macro_f1.value - own.macro_f1.value)
    assert noisy.difference.low <= noisy.difference.value < -0.1
    assert [line.partition(": ")[0] for line in said] == ["as the recipe says", "jokes"]


def test_a_recipe_whose_own_map_leaves_one_label_is_nothing_to_differ_from(rated):
    said = []
    config = run_config(rated(yes="unverified", no="unverified"))
    own, other = study_maps(config, {"plain": {"no": "propaganda"}}, SEEDS, corpus="own", say=said.append)
    assert own.macro_f1 is own.difference is None
    assert other.macro_f1.value > 0.5
    assert other.difference is None
    assert said[0].startswith("as the recipe says: expected at least two labels in train")


TYPO = {"typo": {"opne": "verified"}}


def test_a_map_of_what_is_not_there_is_refused(rated):
    with pytest.raises(
        ConfigError, match=r"data\.maps\.own: expected a rating .* found 'opne'\. Did you mean 'open'\?"
    ):
        study_maps(run_config(rated()), TYPO, SEEDS, corpus="own")


def test_a_map_of_what_is_not_there_is_refused_before_anything_is_trained(rated):
    said = []
    with pytest.raises(ConfigError):
        study_maps(run_config(rated()), TYPO, SEEDS, corpus="own", say=said.append)
    assert said == []


@pytest.fixture
def dated(tmp_path):
    """60 claims in 30 events, a day each; labels without any pattern."""
    draw = random.Random(5)
    rows = [
        {
            "claim": f"{word(draw)} {word(draw)} {word(draw)}",
            "event": str(row // 2),
            "date": f"2020-{1 + row // 28:02d}-{1 + row % 28:02d}",
            "label": draw.choice(LABELS),
        }
        for row in range(60)
    ]
    path = tmp_path / "dated.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"file": str(path)}


def test_a_split_by_time_has_the_interval_of_its_rows_for_every_seed_is_the_same_split(dated):
    found = study_optimism(run_config(dated, by="time"), SEEDS)
    assert len(set(found.honest_by_seed)) == 1
    assert found.honest.low < found.honest.value < found.honest.high
    assert found.gap.value == pytest.approx(found.random.value - found.honest.value)


def test_held_out_groups_count_together_as_one_score_of_a_seed(dated):
    found = study_optimism(run_config(dated, hold_out="each"), SEEDS)
    assert len(found.honest_by_seed) == len(SEEDS)
    assert found.n_honest == (60,) * len(SEEDS)
    assert study_shortcuts(run_config(dated, hold_out="each"), SEEDS).n == (60,) * len(SEEDS)


def test_a_fixed_seed_of_the_split_leaves_nothing_to_make_an_interval_of(dated):
    for study in (study_optimism, study_shortcuts):
        with pytest.raises(ConfigError, match=r"data\.split\.seed: expected none"):
            study(run_config(dated, seed=3), SEEDS)
