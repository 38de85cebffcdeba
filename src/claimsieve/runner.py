"""One page that tells the story: load, cluster, split, check, fit, evaluate, save, log."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from claimsieve.config import RunConfig
from claimsieve.config import load as load_config
from claimsieve.data import corpora
from claimsieve.data.duplicates import cluster
from claimsieve.data.splits import SPLITS, check_labels, check_splits, split
from claimsieve.errors import TrainingError
from claimsieve.evaluation.documents import EVALUATION, evaluation_documents, lines, read_evaluation
from claimsieve.evaluation.evaluate import Evaluation, evaluate, summary_metrics
from claimsieve.interrupts import deferred_interrupt
from claimsieve.models import Model, kind_class
from claimsieve.models.artifacts import CONFIG, read_manifest, require_target, write_model
from claimsieve.models.checkpoint import Checkpoint
from claimsieve.models.step import Step
from claimsieve.records import LABELS, Claim
from claimsieve.tracking import TrackedRun, tracking_uri

SPLIT_TABLE = "splits.jsonl"
LEFT_OUT = "left_out.jsonl"


@dataclass(frozen=True, slots=True)
class Result:
    """One trained model: where it lies, how it did on test, and what went wrong with logging, if anything."""

    directory: Path
    seed: int
    evaluation: Evaluation
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
    targets = {seed: directory / f"seed-{seed}" if len(config.seeds) > 1 else directory for seed in config.seeds}
    for target in targets.values():
        if not (resume and (target / EVALUATION).is_file()):
            require_target(target)
    claims, left_out = corpora.load(config.data.corpora)
    watch.say(_described(claims, left_out))
    clusters = cluster(claims, threshold=config.data.split.duplicate_threshold)
    splits = {seed: _split(config, claims, clusters, seed) for seed in config.seeds}
    return [
        _finished(target, config, data_fingerprint(claims, splits[seed]), seed=seed, watch=watch)
        if resume and (target / EVALUATION).is_file()
        else _run_seed(config, claims, left_out, splits[seed], target, seed=seed, resume=resume, watch=watch)
        for seed, target in targets.items()
    ]


def training_directory(directory: Path) -> Path:
    """Where the checkpoint of an unfinished training lies, beside the model directory to be."""
    return directory.with_name(f"{directory.name}.training")


def _run_seed(
    config: RunConfig,
    claims: Sequence[Claim],
    left_out: Sequence[corpora.LeftOut],
    assignment: np.ndarray,
    directory: Path,
    *,
    seed: int,
    resume: bool,
    watch: Watch,
) -> Result:
    parts = {str(name): [c for c, own in zip(claims, assignment, strict=True) if own == name] for name in SPLITS}
    watch.say(f"seed {seed}: " + ", ".join(f"{name} {len(part):,}" for name, part in parts.items()))
    fingerprint = data_fingerprint(claims, assignment)
    model = build_model(config, seed=seed)
    identity = {"config": _decisive(config), "data": fingerprint, "seed": seed}
    checkpoint = Checkpoint(training_directory(directory), identity=identity, resume=resume)
    run = _start_tracking(config, parts, seed=seed, data=fingerprint, run_id=checkpoint.run_id)
    try:
        _fit(model, parts, checkpoint, run, seconds=config.training.checkpoint_seconds, watch=watch)
        evaluation, documents = _evaluated(model, config, parts["test"])
        extra = {**documents, SPLIT_TABLE: lines(_placed(claims, assignment))}
        if left_out:
            extra[LEFT_OUT] = lines([{"corpus": p.corpus, **asdict(reject)} for p in left_out for reject in p.rejects])
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
        run.log_metrics({f"test/{name}": value for name, value in summary_metrics(evaluation).items()})
        run.log_files(directory, [name for name in extra if name != SPLIT_TABLE] + ["manifest.json"])
        run.log_model(directory, _example(parts["test"]))
        run.end()
    return Result(directory, seed, evaluation, run.failure if run is not None else None)


def _evaluated(model: Model, config: RunConfig, test: Sequence[Claim]) -> tuple[Evaluation, dict[str, bytes]]:
    """The numbers on the test split, and the files that hold them."""
    probabilities = model.predict_proba(test)
    settings = config.evaluation
    evaluation = evaluate(
        probabilities,
        test,
        resamples=settings.resamples,
        bins=settings.bins,
        min_slice_rows=settings.min_slice_rows,
    )
    return evaluation, evaluation_documents(evaluation, test, probabilities)


def _placed(claims: Sequence[Claim], assignment: np.ndarray) -> list[dict[str, Any]]:
    return [{"id": claim.id, "split": str(name)} for claim, name in zip(claims, assignment, strict=True)]


def build_model(config: RunConfig, *, seed: int) -> Model:
    """The model that a config names, untrained; config objects stop here."""
    settings = config.model.model_dump(exclude={"kind"})
    training = config.training
    if config.model.kind == "tfidf":
        settings["label_weights"] = training.label_weights
    else:
        from claimsieve.models.loop import LoopSettings

        names = LoopSettings.__dataclass_fields__
        settings["loop"] = LoopSettings(**{name: getattr(training, name) for name in names})
        settings["device"] = training.device
    if config.model.kind == "encoder":
        settings["precision"] = training.precision
    model: Model = kind_class(config.model.kind)(inputs=config.data.inputs, seed=seed, **settings)
    return model


def _decisive(config: RunConfig) -> dict[str, Any]:
    """The settings that decide the weights; a training may go on under another name or tracking store."""
    kept: dict[str, Any] = config.model_dump(exclude={"name", "tracking", "evaluation", "seeds"}, mode="json")
    kept["training"].pop("checkpoint_seconds")
    return kept


def data_fingerprint(claims: Sequence[Claim], assignment: np.ndarray) -> str:
    """SHA-256 over every claim and its split, whatever the order of the rows. 64 hex digits."""
    rows = sorted(
        json.dumps([asdict(claim), str(name)], sort_keys=True) for claim, name in zip(claims, assignment, strict=True)
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _split(config: RunConfig, claims: Sequence[Claim], clusters: np.ndarray, seed: int) -> np.ndarray:
    plan = config.data.split
    own = seed if plan.seed is None else plan.seed
    leak = plan.allow_group_leak
    assignment = split(claims, clusters, by=plan.by, fractions=plan.fractions, seed=own, allow_group_leak=leak)
    check_splits(claims, clusters, assignment, allow_group_leak=leak)
    check_labels(claims, assignment)
    return assignment


def _fit(
    model: Model,
    parts: Mapping[str, Sequence[Claim]],
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
        for step in model.fit(parts["train"], valid=parts["valid"], state=checkpoint.read()):
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
    config: RunConfig, parts: Mapping[str, Sequence[Claim]], *, seed: int, data: str, run_id: str | None
) -> TrackedRun | None:
    if not config.tracking.enabled:
        return None
    tags = {
        "kind": config.model.kind,
        "inputs": "+".join(config.data.inputs),
        "seed": str(seed),
        "split": config.data.split.by,
        "data": data[:12],
    }
    if config.data.split.allow_group_leak:
        tags["leaky"] = "true"
    run = TrackedRun(
        uri=tracking_uri(config.tracking.uri),
        experiment=config.tracking.experiment,
        name=f"{config.name} · {config.model.kind} · {'+'.join(config.data.inputs)} · seed {seed}",
        tags=tags,
        run_id=run_id,
    )
    run.log_config(config.model_dump(mode="json"), config.as_yaml())
    source = ", ".join(corpora.corpus_name(corpus) for corpus in config.data.corpora)
    for name, part in parts.items():
        run.log_dataset(name, part, source=source)
    return run


def _finished(directory: Path, config: RunConfig, data: str, *, seed: int, watch: Watch) -> Result:
    """The result of a run that is done already. Raises TrainingError when it was another run."""
    manifest = read_manifest(directory)
    saved = _decisive(load_config(str(directory / CONFIG)))
    if (saved, manifest.data_fingerprint, manifest.seed) != (_decisive(config), data, seed):
        raise TrainingError(
            f"{directory}: expected to resume this run, found a finished one with another config or other data. "
            "Choose another directory with -o."
        )
    watch.say(f"{directory} is finished already; kept as it is")
    return Result(directory, seed, read_evaluation(directory))


def _described(claims: Sequence[Claim], left_out: Sequence[corpora.LeftOut]) -> str:
    counts = Counter(claim.label for claim in claims)
    labels = ", ".join(f"{counts[label]:,} {label}" for label in LABELS)
    rejected = sum(len(part.rejects) for part in left_out)
    return f"{len(claims):,} claims ({labels})" + (f"; {rejected:,} unreadable rows left out" if rejected else "")


def _example(claims: Sequence[Claim]) -> dict[str, str]:
    claim = claims[0]
    return {
        "claim": claim.claim,
        "evidence": " ".join(passage.text for passage in claim.evidence),
        "source": claim.source or "",
        "date": claim.date or "",
    }
