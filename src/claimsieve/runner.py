"""One page that tells the story: prepare the data, audit, fit, evaluate, compare with shortcuts, save, log."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from claimsieve.config import load as load_config
from claimsieve.data import corpora
from claimsieve.data.prepare import EACH, Cut, Prepared, audited, augmented, cuts, data_fingerprint, parts, prepare
from claimsieve.errors import TrainingError
from claimsieve.evaluation.documents import (
    AUDIT,
    EVALUATION,
    SHORTCUTS,
    evaluation_documents,
    lines,
    read_evaluation,
    read_shortcuts,
)
from claimsieve.evaluation.evaluate import Evaluation, evaluate, summary_metrics
from claimsieve.evaluation.shortcuts import Shortcuts, measure_shortcuts, shuffled
from claimsieve.evaluation.shortcuts import summary_metrics as shortcut_metrics
from claimsieve.interrupts import deferred_interrupt
from claimsieve.models import Model
from claimsieve.models.artifacts import CONFIG, read_manifest, require_target, write_model
from claimsieve.models.build import build_model
from claimsieve.models.checkpoint import Checkpoint
from claimsieve.models.step import Step
from claimsieve.records import Claim
from claimsieve.settings import RunConfig
from claimsieve.tracking import TrackedRun, tracking_uri

SPLIT_TABLE = "splits.jsonl"
LEFT_OUT = "left_out.jsonl"


@dataclass(frozen=True, slots=True)
class Result:
    """One trained model: where it lies, how it did on test, and what went wrong with logging, if anything.

    shortcuts: what models scored that read no evidence; None when the config turns them off. fold: the group that was
    held out.
    """

    directory: Path
    seed: int
    evaluation: Evaluation
    shortcuts: Shortcuts | None = None
    fold: str | None = None
    tracking_failure: str | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """How the runner speaks to its caller: `say` takes a line of text, `step` takes every training step."""

    say: Callable[[str], None] = lambda text: None
    step: Callable[[Step], None] = lambda step: None


def run_experiment(
    config: RunConfig, directory: Path, *, resume: bool = False, watch: Watch | None = None
) -> list[Result]:
    """Train, evaluate, save and log one model per seed.

    directory: the model directory; with several seeds, each has `seed-<n>` below it. A finished one is kept as it is
    when `resume` is set, and an interrupted one goes on from its last checkpoint. Raises ClaimsieveError before
    anything expensive when config, data or directory will not do.
    """
    watch = watch or Watch()
    prepared = prepare(config.data)
    watch.say(prepared.described())
    targets = {_target(directory, cut, config): cut for cut in cuts(prepared, config.data, config.seeds)}
    for target in targets:
        if not (resume and (target / EVALUATION).is_file()):
            require_target(target)
    return [
        _finished(target, config, data_fingerprint(prepared.claims, cut.assignment), cut=cut, watch=watch)
        if resume and (target / EVALUATION).is_file()
        else _run_cut(config, prepared, cut, target, resume=resume, watch=watch)
        for target, cut in targets.items()
    ]


def _target(directory: Path, cut: Cut, config: RunConfig) -> Path:
    """Below the directory asked for: a folder per fold and a folder per seed, where there are several."""
    if config.data.split.hold_out == EACH:
        directory = directory / str(cut.folder)
    return directory / f"seed-{cut.seed}" if len(config.seeds) > 1 else directory


def training_directory(directory: Path) -> Path:
    """Where the checkpoint of an unfinished training lies, beside the model directory to be."""
    return directory.with_name(f"{directory.name}.training")


def _run_cut(config: RunConfig, prepared: Prepared, cut: Cut, directory: Path, *, resume: bool, watch: Watch) -> Result:
    seed = cut.seed
    splits = parts(prepared, cut)
    train = augmented(prepared, cut, config.data)
    watch.say(_heading(cut) + ", ".join(f"{name} {len(part):,}" for name, part in splits.items()))
    if len(train) > len(splits["train"]):
        watch.say(f"augmentation: {len(train) - len(splits['train']):,} rows made unverified, in train only")
    report = audited(prepared, cut, config.data)
    for finding in report.findings:
        watch.say(f"audit: {finding.count:,} {finding.unit} ({finding.check})")
    fingerprint = data_fingerprint(prepared.claims, cut.assignment)
    model = build_model(config, seed=seed)
    identity = {"config": _decisive(config), "data": fingerprint, "seed": seed}
    checkpoint = Checkpoint(training_directory(directory), identity=identity, resume=resume)
    leaky = any(finding.check == "event_overlap" for finding in report.findings)
    run = _start_tracking(config, splits, cut=cut, data=fingerprint, leaky=leaky, run_id=checkpoint.run_id)
    try:
        _fit(model, train, splits["valid"], checkpoint, run, seconds=config.training.checkpoint_seconds, watch=watch)
        evaluation, shortcuts, documents = _evaluated(model, config, splits, seed=seed)
        extra = {**documents, SPLIT_TABLE: lines(_placed(prepared, cut)), AUDIT: _json(report.to_json())}
        if prepared.left_out:
            rejects = [{"corpus": part.corpus, **asdict(row)} for part in prepared.left_out for row in part.rejects]
            extra[LEFT_OUT] = lines(rejects)
        write_model(
            model,
            directory,
            kind=config.model.kind,
            config_yaml=config.as_yaml(),
            data_fingerprint=fingerprint,
            seed=seed,
            extra=extra,
        )
    except BaseException as error:
        if run is not None:
            run.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    checkpoint.remove()
    watch.say(f"saved {directory}")
    if run is not None:
        found = summary_metrics(evaluation) | (shortcut_metrics(shortcuts) if shortcuts is not None else {})
        run.log_metrics({f"test/{name}": value for name, value in found.items()})
        run.log_files(directory, [name for name in extra if name != SPLIT_TABLE] + ["manifest.json"])
        run.log_model(directory, _example(splits["test"]))
        run.end()
    failure = run.failure if run is not None else None
    return Result(directory, seed, evaluation, shortcuts, cut.fold, failure)


def _evaluated(
    model: Model, config: RunConfig, splits: Mapping[str, Sequence[Claim]], *, seed: int
) -> tuple[Evaluation, Shortcuts | None, dict[str, bytes]]:
    """The numbers on the test split, those of the shortcuts beside them, and the files that hold them."""
    test = splits["test"]
    probabilities = model.predict_proba(test)
    settings = config.evaluation
    evaluation = evaluate(
        probabilities,
        test,
        resamples=settings.resamples,
        bins=settings.bins,
        min_slice_rows=settings.min_slice_rows,
    )
    documents = evaluation_documents(evaluation, test, probabilities)
    if not settings.shortcuts:
        return evaluation, None, documents
    swapped = shuffled(test, train=splits["train"], seed=seed) if "evidence" in config.data.inputs else None
    shortcuts = measure_shortcuts(
        splits["train"],
        test,
        model=probabilities,
        model_evidence_shuffled=None if swapped is None else model.predict_proba(swapped),
        resamples=settings.resamples,
        seed=seed,
    )
    return evaluation, shortcuts, documents | {SHORTCUTS: _json(asdict(shortcuts))}


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()


def _placed(prepared: Prepared, cut: Cut) -> list[dict[str, Any]]:
    pairs = zip(prepared.claims, cut.assignment.tolist(), strict=True)
    return [{"id": claim.id, "split": name or None} for claim, name in pairs]


def _heading(cut: Cut) -> str:
    return f"seed {cut.seed}: " if cut.fold is None else f"seed {cut.seed}, {cut.fold} held out: "


def _decisive(config: RunConfig) -> dict[str, Any]:
    """The settings that decide the weights; a training may go on under another name or tracking store."""
    kept: dict[str, Any] = config.model_dump(exclude={"name", "tracking", "evaluation", "seeds"}, mode="json")
    kept["training"].pop("checkpoint_seconds")
    kept["data"].pop("audit")
    return kept


def _fit(
    model: Model,
    train: Sequence[Claim],
    valid: Sequence[Claim],
    checkpoint: Checkpoint,
    run: TrackedRun | None,
    *,
    seconds: float,
    watch: Watch,
) -> None:
    """Train to the end, with checkpoints, the loss curve, and a last checkpoint when the user interrupts."""
    checkpoint.run_id = run.run_id if run is not None else None
    saved = time.monotonic()
    origin: tuple[int, float] | None = None  # tokens and time after the first step seen
    with deferred_interrupt() as interrupted:
        for step in model.fit(train, valid=valid, state=checkpoint.read()):
            try:
                for name, note in (step.notes or {}).items():
                    watch.say(f"{name}: {note}")
                watch.step(step)
                origin = origin or (step.tokens, time.monotonic())
                if run is not None:
                    run.log_step(step.number, _curve(step, *origin))
                if time.monotonic() - saved >= seconds:
                    checkpoint.write(step.state())
                    saved = time.monotonic()
                if interrupted():
                    raise KeyboardInterrupt
            except KeyboardInterrupt:
                if checkpoint.write(step.state()):
                    watch.say(f"interrupted after step {step.number}; the same command with --resume goes on from here")
                raise


def _curve(step: Step, first_tokens: int, first_time: float) -> dict[str, float]:
    values = {"train/loss": step.loss, "train/learning_rate": step.learning_rate, "train/epoch": step.epoch}
    seconds = time.monotonic() - first_time
    if step.tokens > first_tokens and seconds > 0:
        values["train/tokens_per_second"] = (step.tokens - first_tokens) / seconds
    return values | {f"valid/{name}": value for name, value in (step.valid or {}).items()}


def _start_tracking(
    config: RunConfig, splits: Mapping[str, Sequence[Claim]], *, cut: Cut, data: str, leaky: bool, run_id: str | None
) -> TrackedRun | None:
    if not config.tracking.enabled:
        return None
    tags = {
        "kind": config.model.kind,
        "inputs": "+".join(config.data.inputs),
        "seed": str(cut.seed),
        "split": config.data.split.by,
        "data": data[:12],
    }
    if leaky and config.data.split.by != "source":  # by source, events are cut on purpose
        tags["leaky"] = "true"
    fold = ""
    if cut.fold is not None:
        tags["held_out"] = cut.fold
        fold = f" · without {cut.fold}"
    run = TrackedRun(
        uri=tracking_uri(config.tracking.uri),
        experiment=config.tracking.experiment,
        name=f"{config.name} · {config.model.kind} · {'+'.join(config.data.inputs)} · seed {cut.seed}{fold}",
        tags=tags,
        run_id=run_id,
    )
    run.log_config(config.model_dump(mode="json"), config.as_yaml())
    source = ", ".join(corpora.corpus_name(corpus) for corpus in config.data.corpora)
    for name, part in splits.items():
        run.log_dataset(name, part, source=source)
    return run


def _finished(directory: Path, config: RunConfig, data: str, *, cut: Cut, watch: Watch) -> Result:
    """The result of a run that is done already. Raises TrainingError when it was another run."""
    manifest = read_manifest(directory)
    saved = _decisive(load_config(str(directory / CONFIG)))
    if (saved, manifest.data_fingerprint, manifest.seed) != (_decisive(config), data, cut.seed):
        raise TrainingError(
            f"{directory}: expected to resume this run, found a finished one with another config or other data. "
            "Choose another directory with -o."
        )
    watch.say(f"{directory} is finished already; kept as it is")
    return Result(directory, cut.seed, read_evaluation(directory), read_shortcuts(directory), cut.fold)


def _example(claims: Sequence[Claim]) -> dict[str, str]:
    claim = claims[0]
    return {
        "claim": claim.claim,
        "evidence": " ".join(passage.text for passage in claim.evidence),
        "source": claim.source or "",
        "date": claim.date or "",
    }
