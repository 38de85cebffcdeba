"""The encoder's budget of tokens: the best of what was measured, and the one that a job was begun with."""

import json
from pathlib import Path

import pytest

from claimsieve.inference import budget
from claimsieve.inference.budget import best_batch_tokens, measured_batch_tokens, settle_batch_tokens
from claimsieve.inference.predict import Job


class Timed:
    """What a budget is settled for: its batches take a second per so many tokens, and say how often they were asked."""

    def __init__(self, rates: dict[int, float], precision: str = "float32") -> None:
        self.batch_tokens, self.asked = 2_048, 0
        self._rates, self._precision = rates, precision

    def computed_as(self) -> dict[str, object]:
        return {"device": "cpu", "precision": self._precision, "batch_tokens": self.batch_tokens}

    def time_batch(self, tokens: int) -> float:
        self.asked += 1
        return tokens / self._rates[tokens]


RATES = {1_024: 100.0, 2_048: 150.0, 4_096: 151.0, 8_192: 90.0}


def test_the_smallest_of_the_best_is_chosen():
    assert best_batch_tokens(lambda tokens: tokens / RATES[tokens], tuple(RATES)) == 2_048  # 4,096 is within noise
    assert best_batch_tokens(lambda tokens: tokens / tokens, tuple(RATES)) == 8_192
    assert best_batch_tokens(lambda tokens: tokens / 7, tuple(RATES)) == 1_024


@pytest.mark.parametrize("rubbish", [None, "", "[]", '{"a": "b"}', '{"a": [1]}', "\0"])
def test_it_is_measured_once_for_a_model_and_a_way_to_compute(tmp_path, rubbish):
    cache = tmp_path / "deep" / "cache.json"
    if rubbish is not None:
        cache.parent.mkdir()
        cache.write_text(rubbish)
    first, again, other = Timed(RATES), Timed(RATES), Timed(RATES, precision="bfloat16")
    assert measured_batch_tokens(first, fingerprint="f", cache=cache) == 2_048
    again.batch_tokens = 1_024  # what it has now does not matter
    assert measured_batch_tokens(again, fingerprint="f", cache=cache) == 2_048
    assert first.asked > 0 == again.asked
    measured_batch_tokens(other, fingerprint="f", cache=cache)
    measured_batch_tokens(first, fingerprint="g", cache=cache)
    assert other.asked > 0
    assert len(json.loads(cache.read_text())) == 3


def test_a_cache_that_cannot_be_written_costs_only_the_measuring():
    assert measured_batch_tokens(Timed(RATES), fingerprint="f", cache=Path("/dev/null/cache.json")) == 2_048


def begun(target: Path, identity: object) -> None:
    folder = target.with_name(f"{target.name}.partial")
    folder.mkdir(exist_ok=True)
    (folder / "identity.json").write_text(json.dumps(identity))
    (folder / "journal").write_text("a part\n")


def test_a_job_goes_on_with_the_budget_that_it_was_begun_with(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"claim": "a"}\n')
    target = tmp_path / "out.jsonl"
    job = Job(str(tmp_path / "in.jsonl"), str(target))
    begun(target, {"model": {"computed": {"batch_tokens": 777}}})

    def settled(job: Job, requested: int | None = None) -> int:
        model = Timed(RATES)
        settle_batch_tokens(model, job, fingerprint="f", requested=requested)
        return model.batch_tokens

    assert settled(job) == 777
    assert settled(job, requested=5) == 5
    assert settled(Job(job.source, job.target, restart=True)) == 2_048
    for rubbish in ({}, [], {"model": []}, {"model": {"computed": 5}}, {"model": {"computed": {"batch_tokens": -1}}}):
        begun(target, rubbish)
        assert settled(job) == 2_048


def test_only_a_large_input_is_worth_measuring(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(budget, "WORTH_MEASURING_BYTES", 1_000)
    for size, measured in ((999, False), (1_000, True)):
        (tmp_path / "in.jsonl").write_text("x" * size)
        model = Timed(RATES)
        settle_batch_tokens(model, Job(str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl")), fingerprint=str(size))
        assert (model.asked > 0) == measured
