"""A sweep in the tracking store: a parent run, and below it a run for each trial."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from claimsieve.data.prepare import Cut
from claimsieve.errors import ConfigError
from claimsieve.models.step import Step
from claimsieve.records import Claim
from claimsieve.settings import RunConfig
from claimsieve.sweeps.outcome import headline
from claimsieve.sweeps.space import Values, with_values
from claimsieve.sweeps.trials import Record, Trial
from claimsieve.tracking import TrackedRun, start_parent, start_run
from claimsieve.tracking.record import Status
from claimsieve.tracking.sync import sync


@dataclass(frozen=True, slots=True)
class Tried:
    """What the runs of all trials share. splits: train and valid. data: the fingerprint of claims and splits."""

    config: RunConfig
    splits: Mapping[str, Sequence[Claim]]
    cut: Cut
    data: str


class SweepLog:
    """The runs of one sweep; none where the config turns tracking off.

    A store that fails stops no sweep: `failure` says what happened, and what it lacks waits for `track sync`.
    """

    def __init__(self, tried: Tried, directory: Path, *, trials: int, resume: bool) -> None:
        self._tried = tried
        self._directory = directory
        self._trial: TrackedRun | None = None
        self._step = 0
        self._failures: list[str] = []
        self._parent = start_parent(
            tried.config, directory, parts=f"sweep of {trials} trials", count=trials, resume=resume
        )

    @property
    def failure(self) -> str | None:
        """Why not all of it is logged; None when all of it is."""
        return self._failures[0] if self._failures else None

    def begin(self, number: int, values: Values) -> None:
        """A trial starts. One that was interrupted and is tried again goes on as the same run."""
        if self._parent is None:
            return
        tried, config = self._tried, self._tried.config
        with suppress(ConfigError):  # values that do not fit together: the trial fails, and says so itself
            config = with_values(config, values)
        self._step = 0
        self._trial = start_run(
            config.model_copy(update={"name": f"{config.name}-trial-{number}"}),
            tried.splits,
            cut=tried.cut,
            data=tried.data,
            leaky=False,
            directory=self._directory / f"trial-{number}",
            uid=hashlib.sha256(f"{self._parent.uid} {number}".encode()).hexdigest()[:32],
            parent=self._parent,
        )

    def step(self, step: Step) -> None:
        """A training step of the trial."""
        if self._trial is not None:
            self._step = step.number
            valid = {f"valid/{name}": value for name, value in (step.valid or {}).items()}
            self._trial.log_step(step.number, {"train/loss": step.loss} | valid)

    def end(self, trial: Trial) -> None:
        """A trial ends."""
        if self._trial is None:
            return
        self._trial.set_tags({"trial": trial.state} | ({"reason": trial.reason} if trial.reason else {}))
        # After the curve, whose last point is not always the best: the UI shows the latest value.
        self._trial.log_step(self._step + 1, metrics(trial))
        self._finish(self._trial, "FAILED" if trial.state == "failed" else "FINISHED")
        self._trial = None

    def stop(self, *, interrupted: bool) -> None:
        """The sweep stops before its end, and with it the trial that runs."""
        for run in (self._trial, self._parent):
            if run is not None:
                self._finish(run, "KILLED" if interrupted else "FAILED")

    def finish(self, record: Record, names: Sequence[str]) -> None:
        """The sweep is over. names: of its files."""
        if self._parent is None:
            return
        best = record.best_trial()
        self._parent.describe("\n\n".join(headline(record)))
        self._parent.log_metrics({} if best is None else metrics(best))
        self._parent.log_files(names)
        self._finish(self._parent, "FAILED" if best is None else "FINISHED")
        if self._parent.failure is None and self._failures:  # the store is back: the trials that it lacks
            self._failures = [one.error or one.state for one in sync([self._directory]) if one.state != "sent"]

    def _finish(self, run: TrackedRun, status: Status) -> None:
        run.end(status)
        if run.failure is None:
            return
        self._failures.append(run.failure)
        if self._parent is not None and self._parent.failure is None:
            self._parent.failure = run.failure  # later trials do not wait for the store before their end


def metrics(trial: Trial) -> dict[str, float]:
    """The score of a trial by name, with its interval; nothing unless it is complete."""
    found: dict[str, float] = {}
    for name, estimate in (("valid/macro_f1", trial.macro_f1), ("valid/gain", trial.gain)):
        if estimate is not None:
            found |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return found
