"""Two trained models made into a cascade: paired, its threshold chosen on calibration rows, measured on test, saved."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from claimsieve import config as configs
from claimsieve.assess import assess, pages
from claimsieve.data.prepare import Cut, Prepared, cuts, data_fingerprint, parts, prepare, with_lineage
from claimsieve.errors import ClaimsieveError, DataError, ModelError
from claimsieve.evaluation import handover as handovers
from claimsieve.evaluation.assessment import Assessment
from claimsieve.evaluation.documents import AUDIT, LEFT_OUT, SPLIT_TABLE
from claimsieve.evaluation.evaluate import evaluate
from claimsieve.evaluation.handover import HANDOVER, Handover, agreement, choose_threshold, rows_needed, upper_limit
from claimsieve.evaluation.metrics import Booleans, Floats
from claimsieve.models.artifacts import (
    CONFIG,
    MANIFEST,
    WEIGHTS,
    Manifest,
    load_model,
    read_manifest,
    require_target,
    verify,
    write_model,
)
from claimsieve.models.cascade import CascadeModel, Tier, require_kinds
from claimsieve.models.checkpoints import LINEAGE
from claimsieve.models.lineage import read_lineage
from claimsieve.records import Claim
from claimsieve.report import audit_counts, parsed
from claimsieve.runner import ended
from claimsieve.settings import CascadeModel as CascadeSettings
from claimsieve.settings import RunConfig
from claimsieve.tracking import TrackedRun, example, start_run

CHEAP_CONFIG = "cheap_config.yaml"

_TIMED_ROWS = 256
_TIMED_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Speed:
    """How many times as quick as its encoder a cascade is, both timed in turn on the same test rows of this machine.

    expected: from the times of the tiers and the share that the cheap one answers. measured: from the cascade's time.
    """

    rows: int
    answered: float
    expected: float
    measured: float


@dataclass(frozen=True, slots=True)
class Built:
    """A cascade on disk. tracking_failure: what went wrong with logging, if anything."""

    directory: Path
    handover: Handover
    assessment: Assessment
    speed: Speed
    tracking_failure: str | None = None


@dataclass(frozen=True, slots=True)
class _Trained:
    """A trained model as it lies on disk."""

    directory: Path
    manifest: Manifest
    config: RunConfig

    def opened(self) -> Tier:
        model, _ = load_model(self.directory)
        return Tier(self.manifest.kind, model, self.directory / WEIGHTS)


def build_cascade(
    cheap: Path,
    encoder: Path,
    directory: Path,
    *,
    max_disagreement: float,
    confidence: float,
    say: Callable[[str], None] = lambda text: None,
) -> Built:
    """Build, measure, save and log the cascade of two model directories.

    max_disagreement: share of all rows that may have another label than the encoder alone would give, in (0, 1), to be
    kept with this confidence, in (0, 1). The calibration rows choose the threshold; test is only measured. Raises
    ConfigError, DataError or ModelError where the two do not belong together or no threshold keeps the bound.
    """
    require_target(directory)
    pair = _trained(cheap), _trained(encoder)
    _require_pair(*pair)
    asked = _asked(*pair, max_disagreement=max_disagreement, confidence=confidence)
    config, data = _config(pair[1], asked), pair[1].manifest.data_fingerprint
    prepared, cut = _remade(pair[1])
    splits = parts(prepared, cut)
    say(prepared.described() + "; " + ", ".join(f"{name} {len(part):,}" for name, part in splits.items()))
    _require_rows(len(splits["calibration"]), asked)
    tiers = pair[0].opened(), pair[1].opened()
    say(f"labelling calibration and test with {pair[0].manifest.kind} and encoder")
    probabilities = {
        name: (_probabilities(tiers[0], splits[name]), _probabilities(tiers[1], splits[name]))
        for name in ("calibration", "test")
    }
    threshold = _threshold(*probabilities["calibration"], asked)
    model = CascadeModel(cheap=tiers[0], encoder=tiers[1], threshold=threshold)
    say(f"threshold {threshold:.4f}; assessing the cascade")
    of_data = _documents_of_data(encoder)
    run = start_run(config, splits, cut=cut, data=data, leaky=_leaky(of_data), directory=directory)
    with ended(run):
        assessment, documents = assess(model, config, splits, seed=cut.seed, say=say)
        handover = _handover(model, asked, pair, splits, probabilities, assessment)
        extra = documents | of_data | {CHEAP_CONFIG: (cheap / CONFIG).read_bytes()}
        extra[HANDOVER] = (json.dumps(handovers.to_json(handover), indent=1, allow_nan=False) + "\n").encode()
        extra |= pages(extra, config, seed=cut.seed, fold=cut.fold, data_fingerprint=data)
        write_model(
            model,
            directory,
            kind=config.model.kind,
            config_yaml=config.as_yaml(),
            data_fingerprint=data,
            seed=cut.seed,
            extra=extra,
        )
        say(f"saved {directory}")
        if run is not None:
            _log(run, assessment, handover)
            run.log_files([*extra, MANIFEST])
            run.log_model(example(splits["test"]))
    speed = _speed(model, tiers, splits["test"])
    return Built(directory, handover, assessment, speed, run.failure if run is not None else None)


def _trained(directory: Path) -> _Trained:
    manifest = read_manifest(directory)
    verify(directory, manifest)
    return _Trained(directory, manifest, configs.load(str(directory / CONFIG)))


def _require_pair(cheap: _Trained, encoder: _Trained) -> None:
    """Raises ModelError when two models are of the wrong kinds, or read or were trained on something else."""
    try:
        require_kinds(cheap.manifest.kind, encoder.manifest.kind)
    except ModelError as error:
        raise ModelError(f"{error} Usage: claimsieve cascade CHEAP ENCODER -o DIR") from None
    for part in (cheap, encoder):
        if part.config.model.kind != part.manifest.kind:
            raise ModelError(
                f"{part.directory}: expected a config of kind {part.manifest.kind}, found {part.config.model.kind}. "
                "Copy the model directory again, whole."
            )
    if cheap.manifest.inputs != encoder.manifest.inputs:
        read = [", ".join(part.manifest.inputs) for part in (cheap, encoder)]
        raise ModelError(
            f"{cheap.directory}: expected a model that reads {read[1]}, as {encoder.directory} does, found one that "
            f"reads {read[0]}. Train both with the same data.inputs."
        )
    if cheap.manifest.data_fingerprint != encoder.manifest.data_fingerprint:
        raise ModelError(
            f"{cheap.directory}: expected a model of the same claims and split as {encoder.directory} "
            f"(data {encoder.manifest.data_fingerprint[:12]}), found {cheap.manifest.data_fingerprint[:12]}. A "
            "calibration claim of one may be a train claim of the other. Train both with the same data and seed."
        )


def _asked(cheap: _Trained, encoder: _Trained, *, max_disagreement: float, confidence: float) -> CascadeSettings:
    return CascadeSettings.model_validate(
        {
            "kind": "cascade",
            "cheap": cheap.config.model,
            "encoder": encoder.config.model,
            "max_disagreement": max_disagreement,
            "confidence": confidence,
        }
    )


def _config(encoder: _Trained, asked: CascadeSettings) -> RunConfig:
    """The encoder's, with the cascade as its model; the cheap tier's own lies beside it."""
    changes = {"name": f"{encoder.config.name}-cascade", "model": asked, "seeds": (encoder.manifest.seed,)}
    return encoder.config.model_copy(update=changes | {"sweep": None})


def _remade(encoder: _Trained) -> tuple[Prepared, Cut]:
    """The claims and the cut that the encoder was trained on. Raises DataError when the corpora are others by now."""
    plain = prepare(encoder.config.data)
    for prepared in (plain, *_continued(plain, encoder)):
        for cut in _cuts(prepared, encoder):
            if data_fingerprint(prepared.claims, cut.assignment) == encoder.manifest.data_fingerprint:
                return prepared, cut
    raise DataError(
        f"{encoder.directory}: expected the claims and split that it was trained on (data "
        f"{encoder.manifest.data_fingerprint[:12]}), found others in its corpora. Put the corpora back as they were, "
        "or train both models again."
    )


def _cuts(prepared: Prepared, encoder: _Trained) -> list[Cut]:
    """None where the claims cannot be cut so, as they could with the splits that they had."""
    try:
        return cuts(prepared, encoder.config.data, [encoder.manifest.seed])
    except ClaimsieveError:
        return []


def _continued(plain: Prepared, encoder: _Trained) -> Iterator[Prepared]:
    """The claims with the splits that they had, in case that the encoder started from a trained model."""
    if (encoder.directory / LINEAGE).is_file():
        yield with_lineage(plain, read_lineage(encoder.directory))


def _require_rows(n: int, asked: CascadeSettings) -> None:
    """Raises DataError when there are too few calibration rows for any threshold."""
    needed = rows_needed(max_disagreement=asked.max_disagreement, confidence=asked.confidence)
    if n >= needed:
        return
    possible = f" (--max-disagreement {upper_limit(0, n, confidence=asked.confidence) + 5e-5:.4f} at best)" if n else ""
    raise DataError(
        f"expected at least {needed:,} calibration claims to keep the disagreement at {asked.max_disagreement:g} with "
        f"{asked.confidence:g} confidence, found {n:,}. Train both models with a larger data.split.calibration, or ask "
        f"for less{possible}."
    )


def _threshold(cheap: Floats, encoder: Floats, asked: CascadeSettings) -> float:
    """Raises DataError when none keeps the bound: a cascade that never uses its cheap tier is a slower encoder."""
    differs = _differ(cheap, encoder)
    threshold = choose_threshold(
        cheap.max(axis=1), differs, max_disagreement=asked.max_disagreement, confidence=asked.confidence
    )
    if threshold is None:
        raise DataError(
            f"expected a threshold that keeps the disagreement at {asked.max_disagreement:g} with {asked.confidence:g} "
            f"confidence, found none on {len(differs):,} calibration claims: of the labels that the cheap model is "
            f"surest of, too many differ (of all labels {differs.mean():.3f}). Use the encoder alone, train a better "
            "cheap model, or ask for less with --max-disagreement."
        )
    return threshold


def _leaky(documents: Mapping[str, bytes]) -> bool:
    """Whether an event stands on both sides of the split, by the audit."""
    counts = parsed(documents, AUDIT, audit_counts) or {"findings": []}
    return any(finding["check"] == "event_overlap" for finding in counts["findings"])


def _handover(
    model: CascadeModel,
    asked: CascadeSettings,
    pair: tuple[_Trained, _Trained],
    splits: Mapping[str, Sequence[Claim]],
    probabilities: Mapping[str, tuple[Floats, Floats]],
    assessment: Assessment,
) -> Handover:
    sure = {name: model.sure(cheap) for name, (cheap, _) in probabilities.items()}
    differs = {name: _differ(*both) for name, both in probabilities.items()}
    resamples = int(assessment.evaluation.settings["resamples"])
    overall = [evaluate(of, splits["test"], resamples=resamples).overall for of in probabilities["test"]]
    overall.append(assessment.evaluation.overall)
    scores = [part.metrics["macro_f1"] for part in overall]
    return Handover(
        threshold=model.threshold,
        max_disagreement=asked.max_disagreement,
        confidence=asked.confidence,
        limit=upper_limit(
            int((sure["calibration"] & differs["calibration"]).sum()),
            len(splits["calibration"]),
            confidence=asked.confidence,
        ),
        kinds=dict(zip(handovers.TIERS, (one.manifest.kind for one in pair), strict=True)),
        fingerprints=dict(zip(handovers.TIERS, (one.manifest.fingerprint for one in pair), strict=True)),
        calibration=agreement(sure["calibration"], differs["calibration"], splits["calibration"]),
        test=agreement(sure["test"], differs["test"], splits["test"]),
        macro_f1=dict(zip(handovers.MODELS, scores, strict=True)),
    )


def _log(run: TrackedRun, assessment: Assessment, handover: Handover) -> None:
    told = "\n".join(f"- {sentence}" for sentence in handovers.sentences(handover))
    run.describe(f"{assessment.described()}\n{told}")
    run.set_tags(dict(handover.fingerprints))
    found = handovers.summary_metrics(handover)
    run.log_metrics(assessment.metrics() | {f"cascade/{name}": value for name, value in found.items()})


def _speed(model: CascadeModel, tiers: tuple[Tier, Tier], test: Sequence[Claim]) -> Speed:
    """Medians over rounds in which each is timed in turn, so that a busy neighbour slows all of them."""
    places = np.linspace(0, len(test) - 1, min(len(test), _TIMED_ROWS)).round().astype(int)  # of every corpus
    claims = [test[place] for place in places.tolist()]
    answered = float(model.sure(_probabilities(tiers[0], claims)).mean())
    timed = [[_seconds(one, claims) for one in (tiers[0].model, tiers[1].model, model)] for _ in range(_TIMED_ROUNDS)]
    return Speed(
        rows=len(claims),
        answered=answered,
        expected=median(encoder / (cheap + (1 - answered) * encoder) for cheap, encoder, _ in timed),
        measured=median(encoder / cascade for _, encoder, cascade in timed),
    )


def _seconds(model: Any, claims: Sequence[Claim]) -> float:
    start = time.perf_counter()
    model.predict_proba(claims)
    return time.perf_counter() - start


def _probabilities(tier: Tier, claims: Sequence[Claim]) -> Floats:
    return np.asarray(tier.model.predict_proba(claims), dtype=np.float64)


def _differ(cheap: Floats, encoder: Floats) -> Booleans:
    found: Booleans = cheap.argmax(axis=1) != encoder.argmax(axis=1)
    return found


def _documents_of_data(encoder: Path) -> dict[str, bytes]:
    """What a training writes of claims and split, which are the same here."""
    names = (AUDIT, SPLIT_TABLE, LINEAGE, LEFT_OUT)
    return {name: (encoder / name).read_bytes() for name in names if (encoder / name).is_file()}
