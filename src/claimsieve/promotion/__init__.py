"""Put a model to use under an alias of the registry, through the gate, and take it back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from claimsieve.errors import DataError, ModelError
from claimsieve.models.artifacts import read_manifest, verify
from claimsieve.promotion.gate import Condition, conditions, read_evaluation, read_run_config
from claimsieve.settings import Gate
from claimsieve.tracking import registry
from claimsieve.tracking.stored_models import model_directory


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was decided about a run, and what was done.

    version: of the run's model in the registry; None while it has none. before: the version that held the alias.
    moved: whether the alias was moved; not when a condition does not hold, in a dry run, or when it stood there.
    """

    name: str
    alias: str
    run_id: str
    version: str | None
    before: str | None
    conditions: tuple[Condition, ...]
    moved: bool

    @property
    def failing(self) -> tuple[Condition, ...]:
        return tuple(condition for condition in self.conditions if not condition.holds)


@dataclass(frozen=True, slots=True)
class Rollback:
    """The version that has the alias again, and the one that had it."""

    name: str
    alias: str
    version: str
    before: str | None


def promote(
    reference: str,
    *,
    alias: str,
    name: str | None = None,
    gate: Gate | None = None,
    dry_run: bool = False,
    uri: str,
    folder: Path,
) -> Promotion:
    """Register a run's model and give it the alias when every condition of the gate holds; else change nothing.

    reference: a run's id or name, `runs:/ID/model`, `models:/…`, or the model directory that a run logged. name: of the
    registered model; None: the run's experiment. gate: None: the one in the candidate's own config. folder: where files
    are fetched to. The version that had the alias keeps `previous-<alias>`.
    Raises DataError, ModelError or ConfigError when there is no such model, TrackingError when the registry fails or
    the alias was moved in the meantime.
    """
    found = registry.candidate(reference, uri=uri, folder=folder)
    name = name or found.experiment
    registry.check_names(name, alias)
    before = registry.holder(name, alias, uri=uri)
    gate = gate or read_run_config(found.directory).gate
    version = registry.version_of(name, found, uri=uri)
    champion = found.directory if before is not None and before == version else None
    if champion is None and before is not None and gate.max_slice_regression is not None:
        try:
            champion = model_directory(f"models:/{name}/{before}", uri=uri, folder=folder)
        except ModelError as error:
            way_out = "to promote without a comparison, set gate.max_slice_regression: null"
            raise ModelError(f"{error} It is {alias} now; {way_out}.") from None
    checked = tuple(conditions(found.directory, gate, champion=champion))
    move = all(one.holds for one in checked) and not dry_run and (before is None or version != before)
    if move:
        version = version or registry.register(name, found, uri=uri)
        text = _description(found.run_name, alias, checked)
        registry.describe(name, version, tags=_tags(found.directory), description=text, uri=uri)
        registry.move_alias(name, alias, version, before=before, uri=uri)
    return Promotion(name, alias, found.run_id, version, before, checked, move)


def roll_back(*, alias: str, name: str, uri: str, folder: Path) -> Rollback:
    """Give the alias back to the version that had it before, and that one's place to the present; twice is undone.

    Its conditions held when it was promoted and are not asked for again; its files are verified.
    """
    registry.check_names(name, alias)
    before = registry.holder(name, alias, uri=uri)
    version = registry.holder(name, registry.previous(alias), uri=uri)
    if version is None or version == before:
        raise DataError(f"models:/{name}@{alias}: expected an earlier version to go back to, found none.")
    directory = model_directory(f"models:/{name}/{version}", uri=uri, folder=folder)
    verify(directory, read_manifest(directory))
    registry.move_alias(name, alias, version, before=before, uri=uri)
    return Rollback(name, alias, version, before)


def _tags(directory: Path) -> dict[str, str]:
    manifest, config = read_manifest(directory), read_run_config(directory)
    tags = {
        "fingerprint": manifest.fingerprint,
        "data": manifest.data_fingerprint[:12],
        "kind": manifest.kind,
        "inputs": "+".join(manifest.inputs),
        "seed": str(manifest.seed),
        "config": config.name,
    }
    score = read_evaluation(directory).overall.metrics["macro_f1"]
    if score is not None:
        tags |= {"macro_f1": f"{score.value:.4f}", "macro_f1_low": f"{score.low:.4f}"}
    return tags


def _description(run_name: str, alias: str, checked: Sequence[Condition]) -> str:
    """Markdown."""
    rows = [f"| {_plain(one.name)} | {_plain(one.expected)} | {_plain(one.found)} |" for one in checked]
    return "\n".join(
        [
            f"{_plain(run_name)}, promoted to {_plain(alias)}. What held at that time:",
            "",
            "| condition | expected | found |",
            "|---|---|---|",
            *rows,
            "",
            "A label says what a claim resembles in the training corpora, not how probable it is that it is true.",
        ]
    )


def _plain(text: str) -> str:
    """Text as Markdown that shows it as it is."""
    return re.sub(r"([\\`*_\[\]<>|#~&])", r"\\\1", " ".join(text.split()))
