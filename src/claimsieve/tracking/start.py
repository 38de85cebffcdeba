"""What is known of a run when it starts: its name, tags, parameters and datasets."""

import importlib.metadata
import json
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from claimsieve.data import corpora
from claimsieve.data.prepare import Cut
from claimsieve.records import Claim
from claimsieve.settings import RunConfig
from claimsieve.tracking.delivery import PARTS
from claimsieve.tracking.record import Facts, new_record
from claimsieve.tracking.run import TrackedRun, now_ms
from claimsieve.tracking.store import lasting_uri, safe_name, tracking_uri

_PARENT_FILE = "tracking.json"  # in the directory of a parent run: its uid, and whether it has finished
_MAX_PARAM_CHARACTERS = 500


def start_run(
    config: RunConfig,
    splits: Mapping[str, Sequence[Claim]],
    *,
    cut: Cut,
    data: str,
    leaky: bool,
    directory: Path,
    uid: str | None = None,
    parent: TrackedRun | None = None,
) -> TrackedRun | None:
    """Begin the run of one training; None when the config turns tracking off.

    data: the fingerprint of claims and splits. leaky: an event stands on both sides of the split. directory: the model
    directory to be; the record lies beside it. uid: of the interrupted run that goes on; None for a new one.
    """
    if not config.tracking.enabled:
        return None
    tags = _tags(config) | {"seed": str(cut.seed), "data": data[:12]}
    if leaky and config.data.split.by != "source":  # by source, events are cut on purpose
        tags["leaky"] = "true"
    fold = ""
    if cut.fold is not None:
        tags["held_out"] = cut.fold
        fold = f" · without {cut.fold}"
    source = ", ".join(corpora.corpus_name(corpus) for corpus in config.data.corpora)
    facts = _facts(
        config,
        name=f"{_title(config)} · seed {cut.seed}{fold}",
        tags=tags,
        directory=directory,
        uid=uid,
        parent=parent.uid if parent is not None else None,
        datasets=tuple(_dataset(name, part, source=source) for name, part in splits.items()),
    )
    return TrackedRun(new_record(directory, facts), failure=parent.failure if parent is not None else None)


def start_parent(config: RunConfig, directory: Path, *, parts: str, count: int, resume: bool) -> TrackedRun | None:
    """Begin or go on with the run that the parts of one training stand in; None when the config turns tracking off.

    directory: holds the directories of the parts. parts: what they are, such as 'seeds 0–4'. resume: go on with the
    parent that is noted in the directory.
    """
    if not config.tracking.enabled:
        return None
    facts = _facts(
        config,
        name=f"{_title(config)} · {parts}",
        tags=_tags(config) | {PARTS: str(count)},
        directory=directory,
        uid=_noted(directory).get("run") if resume else None,
    )

    def note(finished: bool) -> None:
        with suppress(OSError):
            directory.mkdir(parents=True, exist_ok=True)
            content = json.dumps({"run": facts.uid, "finished": finished}) + "\n"
            (directory / _PARENT_FILE).write_text(content, encoding="utf-8")

    note(False)
    return TrackedRun(
        new_record(directory, facts), sampled=False, when_over=lambda status: note(finished=status == "FINISHED")
    )


def parent_is_open(directory: Path) -> bool:
    """Whether the parent run of the parts below the directory was begun and has not finished."""
    return _noted(directory).get("finished") is False


def described_parts(cuts: Sequence[Cut]) -> str:
    """Seeds and held-out groups for the name of a parent run: 'seeds 0–4', '5 held out · seeds 0, 7'."""
    seeds = sorted({cut.seed for cut in cuts})
    folds = {cut.fold for cut in cuts if cut.fold is not None}
    told = [f"{len(folds)} held out in turn"] if len(folds) > 1 else []
    if len(seeds) == 1:
        told.append(f"seed {seeds[0]}")
    elif seeds == list(range(seeds[0], seeds[-1] + 1)):
        told.append(f"seeds {seeds[0]}–{seeds[-1]}")
    else:
        told.append(f"seeds {', '.join(map(str, seeds))}")
    return " · ".join(told)


def example(claims: Sequence[Claim]) -> dict[str, str]:
    """The first claim as a row that a logged model takes."""
    claim = claims[0]
    return {
        "claim": claim.claim,
        "evidence": " ".join(passage.text for passage in claim.evidence),
        "source": claim.source or "",
        "date": claim.date or "",
    }


def flattened(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested settings by dotted path, as text: {'training': {'epochs': 3}} → {'training.epochs': '3'}."""
    result: dict[str, str] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            result |= flattened(value, f"{prefix}{key}.")
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            result |= flattened({str(place): item for place, item in enumerate(value)}, f"{prefix}{key}.")
        else:
            result[f"{prefix}{key}"] = str(value)
    return result


def parameters(settings: Mapping[str, Any]) -> dict[str, str]:
    """Every setting by its dotted path, as MLflow takes it."""
    return {safe_name(name): text[:_MAX_PARAM_CHARACTERS] for name, text in flattened(settings).items()}


def _facts(
    config: RunConfig,
    *,
    name: str,
    tags: dict[str, str],
    directory: Path,
    uid: str | None,
    parent: str | None = None,
    datasets: tuple[dict[str, str], ...] = (),
) -> Facts:
    return Facts(
        uid=uid or uuid.uuid4().hex,
        uri=lasting_uri(tracking_uri(config.tracking.uri)),
        experiment=config.tracking.experiment,
        name=name,
        directory=directory.name,
        start_ms=now_ms(),
        parent=parent,
        tags=tags,
        params=parameters(config.model_dump(mode="json")),
        texts={"config.yaml": config.as_yaml(), "environment.txt": _environment()},
        datasets=datasets,
    )


def _noted(directory: Path) -> dict[str, Any]:
    try:
        noted = json.loads((directory / _PARENT_FILE).read_text(encoding="utf-8"))
        return {"run": str(noted["run"]), "finished": bool(noted["finished"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _title(config: RunConfig) -> str:
    return f"{config.name} · {config.model.kind} · {'+'.join(config.data.inputs)}"


def _tags(config: RunConfig) -> dict[str, str]:
    return {"kind": config.model.kind, "inputs": "+".join(config.data.inputs), "split": config.data.split.by}


def _dataset(split: str, claims: Sequence[Claim], *, source: str) -> dict[str, str]:
    """A split as MLflow's dataset, by digest; the claims stay where they are."""
    import pandas
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.pandas_dataset import from_pandas

    table = pandas.DataFrame(
        {
            "id": [claim.id or "" for claim in claims],
            "claim": [claim.claim for claim in claims],
            "corpus": [claim.corpus or "" for claim in claims],
            "label": [claim.label or "" for claim in claims],
        }
    )
    dataset = from_pandas(table, source=CodeDatasetSource(tags={"corpora": source}), targets="label", name=split)
    entity = dict(dataset._to_mlflow_entity())
    return {key: value for key, value in entity.items() if value is not None}


def _environment() -> str:
    """name==version of every installed package, sorted."""
    found = {f"{d.metadata['Name']}=={d.version}" for d in importlib.metadata.distributions() if d.metadata["Name"]}
    return f"# Python {sys.version.split()[0]}\n" + "\n".join(sorted(found, key=str.lower)) + "\n"
