"""One page that tells the story: prepare the data, audit, fit, assess (calibrate, measure on test), save, log."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from claimsieve import processes
from claimsieve.assess import assess, pages
from claimsieve.config import load as load_config
from claimsieve.data.lineage import lineage_of, written
from claimsieve.data.prepare import (
    Cut,
    Prepared,
    audited,
    augmented,
    cuts,
    data_fingerprint,
    order_fingerprint,
    parts,
    prepare,
)
from claimsieve.errors import ConfigError, ModelError, TrainingError
from claimsieve.evaluation.assessment import EVALUATION, Assessment, read_assessment
from claimsieve.evaluation.documents import AUDIT, LEFT_OUT, SPLIT_TABLE, lines
from claimsieve.evaluation.evaluate import Evaluation
from claimsieve.evaluation.repeats import combined
from claimsieve.evaluation.shortcuts import Shortcuts
from claimsieve.models.artifacts import CONFIG, MANIFEST, read_manifest, require_target, write_model
from claimsieve.models.build import build_model, require_trainable
from claimsieve.models.checkpoint import Checkpoint
from claimsieve.models.checkpoints import LINEAGE
from claimsieve.models.lineage import met_before, weights_digest
from claimsieve.records import Claim
from claimsieve.settings import RunConfig
from claimsieve.settings.data import EACH
from claimsieve.tracking import (
    TrackedRun,
    described_parts,
    example,
    parent_is_open,
    start_parent,
    start_run,
)
from claimsieve.tracking.sync import sync
from claimsieve.training import Watch, follow, training_directory

_NOT_DECISIVE = {"name", "tracking", "calibration", "evaluation", "gate", "card", "sweep", "seeds"}


@dataclass(frozen=True, slots=True)
class Result:
    """One trained model: where it lies, how it did on test, and what went wrong with logging, if anything.

    fold: the group that was held out. test_to_train: test claims / train claims.
    """

    directory: Path
    seed: int
    assessment: Assessment
    fold: str | None = None
    test_to_train: float = 0.0
    tracking_failure: str | None = None

    @property
    def evaluation(self) -> Evaluation:
        return self.assessment.evaluation

    @property
    def shortcuts(self) -> Shortcuts | None:
        return self.assessment.shortcuts


def run_experiment(
    config: RunConfig, directory: Path, *, resume: bool = False, watch: Watch | None = None
) -> list[Result]:
    """Train, evaluate, save and log one model per seed.

    directory: the model directory; with several seeds, each has `seed-<n>` below it. A finished one is kept as it is
    when `resume` is set, and an interrupted one goes on from its last checkpoint. Raises ClaimsieveError before
    anything expensive when config, data or directory will not do. Of several processes the first does all this; the
    others lend a hand in each training, and return nothing.
    """
    watch = watch or Watch()
    require_trainable(config)
    if processes.count() > 1 and config.model.kind == "tfidf":
        raise ConfigError(f"model.kind tfidf: trains in one process, found {processes.count()}. Start it alone.")
    prepared = prepare(config.data, met_before(config.model))
    watch.say(prepared.described())
    targets = {_target(directory, cut, config): cut for cut in cuts(prepared, config.data, config.seeds)}
    done = [target for target in targets if resume and (target / EVALUATION).is_file()]
    if not processes.is_first():
        for target in [target for target in targets if target not in done]:
            _lend_a_hand(config, prepared, targets[target], target, resume=resume)
        return []
    for target in targets:
        if target not in done:
            _require_target(target, config, resume=resume)
    kept = {target: _finished(target, config, prepared, cut=targets[target], watch=watch) for target in done}
    parent = None
    if len(targets) > 1 and (len(done) < len(targets) or parent_is_open(directory)):
        told = described_parts(list(targets.values()))
        parent = start_parent(config, directory, parts=told, count=len(targets), resume=resume)
    with ended(parent):
        results = [
            kept[target]
            if target in kept
            else _run_cut(config, prepared, cut, target, resume=resume, watch=watch, parent=parent)
            for target, cut in targets.items()
        ]
        if parent is not None:
            parent.log_metrics(combined_metrics(results))
    if parent is not None and parent.failure is not None:
        results[-1] = replace(results[-1], tracking_failure=parent.failure)
    return results


def combined_metrics(results: Sequence[Result]) -> dict[str, float]:
    """What several seeds or folds say together: mean, standard deviation and interval of each metric."""
    return combined(
        [result.assessment.metrics() for result in results],
        test_to_train=sum(result.test_to_train for result in results) / len(results),
    )


def _require_target(target: Path, config: RunConfig, *, resume: bool) -> None:
    if config.tracking.enabled and Path.cwd().resolve().is_relative_to(target.resolve()):
        # What MLflow writes there would fill it, and the whole model takes the place of an empty directory.
        raise ModelError(
            f"{target}: expected a directory of its own for the model, found the one that you stand in. Choose another "
            "with -o, or set tracking.enabled=false."
        )
    try:
        require_target(target)
    except ModelError as error:
        if resume or not (target / EVALUATION).is_file():
            raise
        raise ModelError(f"{error} To keep what is finished there and go on: --resume.") from None


def _target(directory: Path, cut: Cut, config: RunConfig) -> Path:
    """Below the directory asked for: a folder per fold and a folder per seed, where there are several."""
    if config.data.split.hold_out == EACH:
        directory = directory / str(cut.folder)
    return directory / f"seed-{cut.seed}" if len(config.seeds) > 1 else directory


def _run_cut(
    config: RunConfig,
    prepared: Prepared,
    cut: Cut,
    directory: Path,
    *,
    resume: bool,
    watch: Watch,
    parent: TrackedRun | None,
) -> Result:
    splits = parts(prepared, cut)
    train = augmented(prepared, cut, config.data)
    watch.say(_heading(cut) + ", ".join(f"{name} {len(part):,}" for name, part in splits.items()))
    if len(train) != len(splits["train"]):
        watch.say(f"augmentation: {len(train):,} train rows made of {len(splits['train']):,}")
    report = audited(prepared, cut, config.data)
    for finding in report.findings:
        watch.say(f"audit: {finding.count:,} {finding.unit} ({finding.check})")
    fingerprint = data_fingerprint(prepared.claims, cut.assignment)
    model = build_model(config, seed=cut.seed)
    checkpoint = _checkpoint(config, train, cut, directory, data=fingerprint, resume=resume)
    state = checkpoint.read()  # refuses another config before a run is begun
    leaky = any(finding.check == "event_overlap" for finding in report.findings)
    run = start_run(
        config,
        splits,
        cut=cut,
        data=fingerprint,
        leaky=leaky,
        directory=directory,
        uid=checkpoint.run_id,
        parent=parent,
    )
    with ended(run):
        checkpoint.run_id = run.uid if run is not None else None
        steps = model.fit(train, valid=splits["valid"], state=state)
        follow(steps, checkpoint, run, seconds=config.training.checkpoint_seconds, watch=watch)
        assessment, documents = assess(model, config, splits, seed=cut.seed, say=watch.say)
        extra = documents | {SPLIT_TABLE: lines(_placed(prepared, cut)), AUDIT: _json(report.to_json())}
        extra[LINEAGE] = written(lineage_of(prepared.claims, cut.assignment, prepared.met))
        if prepared.left_out:
            rejects = [{"corpus": part.corpus, **asdict(row)} for part in prepared.left_out for row in part.rejects]
            extra[LEFT_OUT] = lines(rejects)
        try:
            extra |= pages(extra, config, seed=cut.seed, fold=cut.fold, data_fingerprint=fingerprint)
        except Exception as error:  # a page that cannot be drawn is never worth a trained model
            watch.say(f"no report and no card: {type(error).__name__}: {error}. Later: claimsieve report {directory}")
        write_model(
            model,
            directory,
            kind=config.model.kind,
            config_yaml=config.as_yaml(),
            data_fingerprint=fingerprint,
            seed=cut.seed,
            extra=extra,
        )
        checkpoint.remove()
        watch.say(f"saved {directory}")
        if run is not None:
            run.describe(assessment.described())
            run.log_metrics(assessment.metrics())
            run.log_files([*extra, MANIFEST])
            run.log_model(example(splits["test"]))
    failure = run.failure if run is not None else None
    return Result(directory, cut.seed, assessment, cut.fold, _test_to_train(cut), failure)


def _lend_a_hand(config: RunConfig, prepared: Prepared, cut: Cut, directory: Path, *, resume: bool) -> None:
    """What every process but the first does: its share of each step. It writes nothing and says nothing."""
    fingerprint = data_fingerprint(prepared.claims, cut.assignment)
    train, valid = augmented(prepared, cut, config.data), parts(prepared, cut)["valid"]
    checkpoint = _checkpoint(config, train, cut, directory, data=fingerprint, resume=resume)
    steps = build_model(config, seed=cut.seed).fit(train, valid=valid, state=checkpoint.read())
    follow(steps, checkpoint, None, seconds=math.inf, watch=Watch())


def _checkpoint(
    config: RunConfig, train: Sequence[Claim], cut: Cut, directory: Path, *, data: str, resume: bool
) -> Checkpoint:
    rows = order_fingerprint(train)  # with those that the config has made, which another version may make otherwise
    identity = {"config": _decisive(config), "data": data, "train rows or their order": rows, "seed": cut.seed}
    identity["weights to start from"] = weights_digest(config.model)
    return Checkpoint(training_directory(directory), identity=identity, resume=resume)


@contextmanager
def ended(run: TrackedRun | None) -> Iterator[None]:
    """The run ends with the block: finished, killed or failed."""
    try:
        yield
    except BaseException as error:
        if run is not None:
            run.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    if run is not None:
        run.end()


def _test_to_train(cut: Cut) -> float:
    return float((cut.assignment == "test").sum() / (cut.assignment == "train").sum())


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()


def _placed(prepared: Prepared, cut: Cut) -> list[dict[str, Any]]:
    pairs = zip(prepared.claims, cut.assignment.tolist(), strict=True)
    return [{"id": claim.id, "split": name or None} for claim, name in pairs]


def _heading(cut: Cut) -> str:
    return f"seed {cut.seed}: " if cut.fold is None else f"seed {cut.seed}, {cut.fold} held out: "


def _decisive(config: RunConfig) -> dict[str, Any]:
    """The settings that decide the weights; a training may go on under another name or tracking store."""
    kept: dict[str, Any] = config.model_dump(exclude=_NOT_DECISIVE, mode="json")
    for name in ("checkpoint_seconds", "activation_checkpointing"):
        kept["training"].pop(name)
    kept["data"].pop("audit")
    return kept


def _finished(directory: Path, config: RunConfig, prepared: Prepared, *, cut: Cut, watch: Watch) -> Result:
    """The result of a run that is done already. Raises TrainingError when it was another run."""
    manifest, data = read_manifest(directory), data_fingerprint(prepared.claims, cut.assignment)
    saved = load_config(str(directory / CONFIG))
    same = (saved.calibration, saved.evaluation) == (config.calibration, config.evaluation)  # else means of two kinds
    if not same or (_decisive(saved), manifest.data_fingerprint, manifest.seed) != (_decisive(config), data, cut.seed):
        raise TrainingError(
            f"{directory}: expected to resume this run, found a finished one with another config or other data. "
            "Choose another directory with -o."
        )
    watch.say(f"{directory} is finished already; kept as it is")
    waiting = sync([directory]) if config.tracking.enabled else ()  # an earlier interruption may have left its record
    failure = next((one.error for one in waiting if one.error is not None), None)
    return Result(directory, cut.seed, read_assessment(directory), cut.fold, _test_to_train(cut), failure)
