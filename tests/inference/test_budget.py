"""The budget of tokens: the best rate wins, it is measured once, and an interrupted job keeps its own."""

import json

import pytest

from claimsieve.inference import budget
from claimsieve.inference.budget import best_batch_tokens, measured_batch_tokens, settle_batch_tokens
from claimsieve.inference.journal import open_journal
from claimsieve.inference.predict import Job


class Timed:
    """As an encoder: a batch costs a fixed time and some for each token, and beyond `cache` tokens twice as much."""

    def __init__(self, *, cache=4_096, precision="float32"):
        self.batch_tokens, self._cache, self._precision, self.timed = 8_192, cache, precision, 0

    def computed_as(self):
        return {"precision": self._precision, "device": "cpu", "batch_tokens": self.batch_tokens}

    def time_batch(self, tokens):
        self.timed += 1
        return 0.5 + tokens / 1_000 * (2 if tokens > self._cache else 1)


@pytest.mark.parametrize(("cache", "best"), [(1_024, 1_024), (4_096, 4_096), (100_000, 8_192)])
def test_the_best_rate_wins(cache, best):
    assert best_batch_tokens(Timed(cache=cache).time_batch, budget.CANDIDATES) == best


def test_of_equal_rates_the_smaller_budget_wins():
    assert best_batch_tokens(lambda tokens: tokens / 1_000, budget.CANDIDATES) == budget.CANDIDATES[0]


def test_it_is_measured_once_for_a_model_and_a_number_format(tmp_path):
    cache, model = tmp_path / "deep" / "budget.json", Timed()
    assert measured_batch_tokens(model, fingerprint="a", cache=cache) == 4_096
    before = model.timed
    assert measured_batch_tokens(model, fingerprint="a", cache=cache) == 4_096
    assert model.timed == before
    measured_batch_tokens(model, fingerprint="b", cache=cache)
    measured_batch_tokens(Timed(precision="bfloat16"), fingerprint="a", cache=cache)
    assert model.timed == 2 * before
    assert len(json.loads(cache.read_text())) == 3


@pytest.mark.parametrize("content", ["", "[]", '{"x": "many"}', '{"x": -4}', "\x00"])
def test_a_spoilt_cache_costs_only_the_measuring(tmp_path, content):
    (tmp_path / "budget.json").write_text(content)
    assert measured_batch_tokens(Timed(), fingerprint="a", cache=tmp_path / "budget.json") == 4_096


def test_what_is_asked_for_counts_then_the_interrupted_job_then_the_size(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"claim": "hit"}\n')
    job = Job(str(source), str(target))

    def settled(job=job, **asked):
        model = Timed()
        settle_batch_tokens(model, job, fingerprint="a", **asked)
        return model.batch_tokens

    assert settled() == 8_192  # a small input is not worth measuring
    with open_journal(target, {"model": {"computed": {"batch_tokens": 777}}}, restart=False) as journal:
        journal.commit({"output": b"a row\n"}, {})  # an interrupted job counts from its first commit on
    assert settled() == 777
    assert settled(requested=99) == 99
    assert settled(Job(str(source), str(target), restart=True)) == 8_192
    monkeypatch.setattr(budget, "WORTH_MEASURING_BYTES", 5)
    assert settled(Job(str(source), "-")) == 4_096


def test_kinds_without_a_budget_are_left_alone(tmp_path):
    class Plain:
        def computed_as(self):
            return {}

    settle_batch_tokens(Plain(), Job(str(tmp_path / "none.jsonl"), "-"), fingerprint="a")
