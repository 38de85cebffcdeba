"""Values tried one after another, by how a model with them does on valid. Test is left alone, for the config that wins.

All trials share one split, that of the config's first seed, so that its test claims are seen by no trial. The config's
seeds are seeds of the model, and a trial's score is the mean over them.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from claimsieve.data.lineage import Lineage
from claimsieve.data.prepare import Cut, Prepared, augmented, cuts, data_fingerprint, parts, prepare
from claimsieve.errors import ConfigError, DataError, TrainingError
from claimsieve.evaluation.evaluate import truth_of
from claimsieve.evaluation.plots import figure_bytes
from claimsieve.interrupts import deferred_interrupt
from claimsieve.models.lineage import met_before, weights_digest
from claimsieve.models.step import Step
from claimsieve.records import Claim
from claimsieve.settings import RunConfig, Sweep
from claimsieve.sweeps import trials as files
from claimsieve.sweeps.log import SweepLog, Tried
from claimsieve.sweeps.measure import RESAMPLES, Eyes, Rows, gain, measure
from claimsieve.sweeps.outcome import BEST, HISTORY, best_yaml, line
from claimsieve.sweeps.picture import history_figure
from claimsieve.sweeps.search import importances, lags_behind, propose
from claimsieve.sweeps.space import Value, check_sweep, own_values
from claimsieve.sweeps.trials import OWN, SWEEP, Record, Trial
from claimsieve.training import Watch
from claimsieve.whole_files import write_file

_NOT_DECISIVE = {"name", "tracking", "calibration", "evaluation", "gate", "card"}


@dataclass(frozen=True, slots=True)
class SweepResult:
    """A sweep that is done: what it found, and what went wrong with logging, if anything. ran: trials of this call."""

    directory: Path
    record: Record
    best: Trial
    ran: int
    tracking_failure: str | None = None


def run_sweep(config: RunConfig, directory: Path, *, resume: bool = False, watch: Watch | None = None) -> SweepResult:
    """Try the config's own values and then others of its sweep's space; leave sweep.json, best.yaml and history.png.

    directory: new or empty; with `resume`, that of the same sweep, whose finished trials are kept. Raises
    ClaimsieveError before anything expensive when config, data or directory will not do, and TrainingError when every
    trial failed.
    """
    watch = watch or Watch()
    sweep = check_sweep(config)
    config = _on_one_split(config)
    prepared = prepare(config.data, _met_before(config, sweep))
    watch.say(prepared.described())
    seen = _Seen(config, sweep, prepared, cuts(prepared, config.data, config.seeds))
    fresh = _fresh(seen)
    watch.say(f"train {fresh.n_train:,}, valid {fresh.n_valid:,}; test is left alone")
    record = files.opened(directory, fresh, paths=sweep.space, resume=resume)
    before, failure = len(record.trials), None
    if _upcoming(seen, record) is None and (directory / BEST).is_file():
        watch.say(f"{directory} is finished already; kept as it is")
    else:
        tried = Tried(config, seen.splits(), seen.cuts[0], record.data)
        log = SweepLog(tried, directory, trials=sweep.trials, resume=resume)
        record = _run(seen, record, directory, log=log, watch=watch)
        failure = log.failure
    best = record.best_trial()
    if best is None:
        raise TrainingError(
            f"expected a trial that can be trained, found {len(record.trials)} that failed; the first: "
            f"{record.trials[0].reason}. {directory / SWEEP} has the others."
        )
    return SweepResult(directory, record, best, len(record.trials) - before, failure)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a sweep sees: its config, with the seed of the split spelt out, and the claims, cut once for each seed."""

    config: RunConfig
    sweep: Sweep
    prepared: Prepared
    cuts: Sequence[Cut]

    def splits(self) -> dict[str, list[Claim]]:
        """Train and valid, by name. Nothing else of the cut is ever handed on."""
        found = parts(self.prepared, self.cuts[0])
        return {name: found[name] for name in ("train", "valid")}

    def rows_of(self) -> Callable[[RunConfig], Sequence[Rows]]:
        """Train and valid by a trial's config: the same for all, but where the sweep changes augmentation."""
        valid = self.splits()["valid"]

        def made(changed: RunConfig) -> list[Rows]:
            return [Rows(cut.seed, augmented(self.prepared, cut, changed.data), valid) for cut in self.cuts]

        if any(path.startswith("data.augmentation.") for path in self.sweep.space):
            return made
        shared = made(self.config)
        return lambda changed: shared


def _run(seen: _Seen, record: Record, directory: Path, *, log: SweepLog, watch: Watch) -> Record:
    """One trial after another, each on disk before the next begins; then what a sweep leaves."""
    (directory / BEST).unlink(missing_ok=True)  # it is of fewer trials
    sweep, rows_of = seen.sweep, seen.rows_of()
    own_draws = files.read_own_draws(directory, resamples=RESAMPLES)
    try:
        with deferred_interrupt() as interrupted:
            while (values := _upcoming(seen, record)) is not None:
                number = len(record.trials) + 1
                log.begin(number, values)
                eyes = Eyes(
                    step=partial(_shown, watch, log),
                    interrupted=interrupted,
                    lags=partial(lags_behind, trials=record.trials) if sweep.pruning else None,
                )
                trial, draws = measure(number, values, config=seen.config, rows_of=rows_of, eyes=eyes)
                if number == OWN and draws is not None:
                    own_draws = draws
                    files.write_own_draws(directory, draws)
                elif draws is not None and own_draws is not None:
                    trial = replace(trial, gain=gain(trial, draws, record.trials[0], own_draws))
                record = record.with_trial(trial)
                files.write(directory, record)
                log.end(trial)
                watch.say(line(trial, planned=sweep.trials, best=record.best_trial()))
                if interrupted():
                    raise KeyboardInterrupt
        if len(record.trials) < sweep.trials:
            watch.say("every combination of values has been tried")
        record, names = _left(seen, record, directory)
    except BaseException as error:
        interruption = isinstance(error, KeyboardInterrupt)
        if interruption:
            done = len(record.trials)
            watch.say(f"interrupted after {done} trials; the same command with --resume goes on from here")
        log.stop(interrupted=interruption)
        raise
    log.finish(record, names)
    return record


def _left(seen: _Seen, record: Record, directory: Path) -> tuple[Record, tuple[str, ...]]:
    """Write what a finished sweep leaves. Returns the names of its files too."""
    best = record.best_trial()
    if best is None:
        return record, (SWEEP,)
    record = replace(record, importances=importances(seen.sweep.space, record.trials))
    files.write(directory, record)
    write_file(directory / HISTORY, figure_bytes(history_figure(record)))
    words = best_yaml(seen.config, best, n_trials=len(record.trials), n_valid=record.n_valid)
    write_file(directory / BEST, words.encode())  # last: where it lies, nothing is missing
    return record, (SWEEP, HISTORY, BEST)


def _upcoming(seen: _Seen, record: Record) -> dict[str, Value] | None:
    """The values of the next trial; None when the sweep is done. The first are the config's own."""
    if len(record.trials) >= seen.sweep.trials:
        return None
    if not record.trials:
        return own_values(seen.config, seen.sweep.space)
    return propose(seen.sweep.space, record.trials, seed=seen.sweep.seed, number=len(record.trials) + 1)


def _shown(watch: Watch, log: SweepLog, step: Step, first: bool) -> None:
    watch.step(step)
    if first:
        log.step(step)


def _met_before(config: RunConfig, sweep: Sweep) -> Lineage:
    """The claims of the model that all trials start from.

    Raises ConfigError where trials start from several, one of which is a trained model: best.yaml starts from one, and
    would be split otherwise than the sweep was.
    """
    values = sweep.space.get("model.checkpoint", ())
    others = [str(value) for value in values] if isinstance(values, tuple) else []
    models = [config.model, *(config.model.model_copy(update={"checkpoint": checkpoint}) for checkpoint in others)]
    found = [met_before(model) for model in models]
    if others and any(found):
        raise ConfigError(
            "sweep.space.model.checkpoint: expected checkpoints that are no trained models of claimsieve, found one. "
            "Such a model keeps its own split: start from it, and sweep other settings."
        )
    return found[0]


def _on_one_split(config: RunConfig) -> RunConfig:
    """The config with the seed of its split spelt out.

    Were every seed to split anew, the test claims of one would be valid claims of another, and so be chosen by.
    """
    plan = config.data.split
    if plan.seed is not None:
        return config
    data = config.data.model_copy(update={"split": plan.model_copy(update={"seed": config.seeds[0]})})
    return config.model_copy(update={"data": data})


def _fresh(seen: _Seen) -> Record:
    """A sweep before its first trial. Raises DataError when there is nothing in valid to measure on."""
    config, splits = seen.config, seen.splits()
    if not splits["valid"]:
        raise DataError(
            "expected claims in valid to measure trials on, found none. Raise data.split.valid, or add claims."
        )
    truth_of(splits["valid"])
    settings = config.model_dump(exclude=_NOT_DECISIVE, mode="json")
    settings["training"].pop("checkpoint_seconds")
    settings["data"].pop("audit")
    settings["sweep"].pop("trials")  # a sweep may be gone on with for longer
    if (weights := weights_digest(config.model)) is not None:
        settings["weights to start from"] = weights
    return Record(
        name=config.name,
        config=hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest(),
        data=data_fingerprint(seen.prepared.claims, seen.cuts[0].assignment),
        split_seed=int(config.data.split.seed or 0),
        seeds=config.seeds,
        n_train=len(splits["train"]),
        n_valid=len(splits["valid"]),
    )
