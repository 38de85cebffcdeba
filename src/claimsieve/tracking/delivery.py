"""Bring a tracking store up to what a record holds: each step looks first, so that sending again repeats nothing."""

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from claimsieve.errors import TrackingError
from claimsieve.models.artifacts import MANIFEST
from claimsieve.models.checkpoints import sha256_of
from claimsieve.tracking.experiment import experiment_id
from claimsieve.tracking.logged_model import log_model_once
from claimsieve.tracking.record import Moment, Record
from claimsieve.tracking.store import client as new_client
from claimsieve.tracking.store import shown_uri, store_errors

UID, PARENT_UID, PARTS = "claimsieve.run", "claimsieve.parent", "claimsieve.parts"
_PARENT = "mlflow.parentRunId"


def send(record: Record) -> None:
    """Bring the record's store up to what the record holds; of a run that has not ended, what there is so far.

    Nothing is sent that the store has, whoever sent it and whether or not its answer arrived. Raises TrackingError
    when the store, or a file to be sent, cannot be reached; the next call goes on.
    """
    facts = record.facts
    with store_errors(facts.uri, advice=False):
        client = new_client(facts.uri)
        run = _found(client, record) or _created(client, record)
        if run.info.lifecycle_stage != "active":
            raise TrackingError(
                f"{shown_uri(facts.uri)}: run {run.info.run_id} was deleted there. Restore it "
                f"(mlflow runs restore --run-id {run.info.run_id}), or remove {record.folder}."
            )
        if run.info.run_id != facts.run_id:
            record.update(run_id=run.info.run_id, sent=0)
        _send_facts(client, run, record)
        _send_moments(client, record, record.moments(record.facts.sent), run=run)
        if facts.status is None:
            if run.info.status != "RUNNING":  # a training that goes on
                client.update_run(run.info.run_id, status="RUNNING")
            return
        if facts.status == "FINISHED":
            _send_files(client, record)
        client.set_terminated(run.info.run_id, facts.status, facts.end_ms)


def send_moments(record: Record, moments: Sequence[Moment]) -> None:
    """Send metrics of a run that the store knows, the next after those it has confirmed. Raises TrackingError."""
    with store_errors(record.facts.uri, advice=False):
        _send_moments(new_client(record.facts.uri), record, moments)


def fingerprint(directory: Path) -> str | None:
    """SHA-256 of a model directory's manifest; None for another directory."""
    try:
        return sha256_of(directory / MANIFEST)
    except OSError:
        return None


def _found(client: Any, record: Record) -> Any | None:
    """The run in the store: the one that we know, else the one that bears our id."""
    from mlflow.exceptions import MlflowException

    facts = record.facts
    if facts.run_id:
        try:
            run = client.get_run(facts.run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
        else:
            if run.data.tags.get(UID) == facts.uid:
                return run
    return next(iter(_with_uid(client, experiment_id(client, facts.experiment), facts.uid)), None)


def _with_uid(client: Any, experiment: str, uid: str) -> list[Any]:
    """The runs that bear our id, the one with most in it first; more than one only as `_created` tells."""
    from mlflow.entities import ViewType

    runs = client.search_runs([experiment], f"tags.`{UID}` = '{uid}'", ViewType.ALL)
    return sorted(runs, key=lambda run: (-len(run.data.tags), run.info.run_id))


def _created(client: Any, record: Record) -> Any:
    facts = record.facts
    experiment = experiment_id(client, facts.experiment)
    tags = {UID: facts.uid} | ({PARENT_UID: facts.parent} if facts.parent else {})
    client.create_run(experiment, start_time=facts.start_ms, tags=tags, run_name=facts.name)
    run, *doubles = _with_uid(client, experiment, facts.uid)
    for double in doubles:
        # Made by a request that was carried out but not answered, and repeated by MLflow's own retries.
        if not double.data.params:
            client.set_tag(double.info.run_id, UID, f"{facts.uid} (double)")
            client.delete_run(double.info.run_id)
    return run


def _send_facts(client: Any, run: Any, record: Record) -> None:
    from mlflow.entities import Param, RunTag

    facts, run_id = record.facts, run.info.run_id
    if facts.tags.get(PARTS) != run.data.tags.get(PARTS):  # a parent that got more parts tells so in its name
        client.update_run(run_id, name=facts.name)
    tags = [RunTag(key, value) for key, value in facts.tags.items() if run.data.tags.get(key) != value]
    # A resumed run has its parameters, and MLflow refuses one that changes.
    params = [Param(key, value) for key, value in facts.params.items() if key not in run.data.params]
    if params or tags:
        client.log_batch(run_id, params=params, tags=tags)
    _link(client, run, record)
    _send_datasets(client, run, facts.datasets)
    there = _sizes(client, run_id, facts.texts)
    for name, text in facts.texts.items():
        if there.get(name) != len(text.encode()):
            client.log_text(run_id, text, name)


def _link(client: Any, run: Any, record: Record) -> None:
    """Tie a part to its parent; whichever of them comes to the store second does it."""
    facts, experiment = record.facts, run.info.experiment_id
    if facts.parent and _PARENT not in run.data.tags:
        for parent in _with_uid(client, experiment, facts.parent)[:1]:
            client.set_tag(run.info.run_id, _PARENT, parent.info.run_id)
    if PARTS in facts.tags:
        for part in client.search_runs([experiment], f"tags.`{PARENT_UID}` = '{facts.uid}'"):
            if _PARENT not in part.data.tags:
                client.set_tag(part.info.run_id, _PARENT, run.info.run_id)


def _send_datasets(client: Any, run: Any, datasets: Iterable[dict[str, str]]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    there = {(one.dataset.name, one.dataset.digest) for one in run.inputs.dataset_inputs} if run.inputs else set()
    missing = [
        DatasetInput(Dataset(**entity), [InputTag("mlflow.data.context", entity["name"])])
        for entity in datasets
        if (entity["name"], entity["digest"]) not in there
    ]
    if missing:
        client.log_inputs(run.info.run_id, datasets=missing)


def _send_moments(client: Any, record: Record, moments: Sequence[Moment], *, run: Any = None) -> None:
    """run: as the store has it, when some of the metrics may have arrived; those are passed over."""
    wanted = _metrics(moments) if run is None else _missing(client, run, _metrics(moments))
    if wanted:
        client.log_batch(record.facts.run_id, metrics=wanted)
    if moments:
        record.update(sent=record.facts.sent + len(moments))


def _metrics(moments: Iterable[Moment]) -> list[Any]:
    from mlflow.entities import Metric

    return [Metric(key, value, one.at_ms, one.step) for one in moments for key, value in one.values.items()]


def _missing(client: Any, run: Any, wanted: Sequence[Any]) -> list[Any]:
    """Those metrics that the run does not have, told apart by name, step and time."""
    by_key = defaultdict(list)
    for metric in wanted:
        by_key[metric.key].append(metric)
    missing = []
    for key, metrics in by_key.items():
        history = client.get_metric_history(run.info.run_id, key) if key in run.data.metrics else []
        there = {(metric.step, metric.timestamp) for metric in history}
        missing += [metric for metric in metrics if (metric.step, metric.timestamp) not in there]
    return missing


def _send_files(client: Any, record: Record) -> None:
    facts, directory = record.facts, record.directory
    _check_directory(record)
    there = _sizes(client, facts.run_id, facts.files)
    for name in facts.files:
        if there.get(name) != (directory / name).stat().st_size:
            client.log_artifact(facts.run_id, str(directory / name), posixpath.dirname(name) or None)
    if facts.example is not None:
        finals = _metrics(moment for moment in record.moments() if moment.step == 0)
        log_model_once(client, facts.run_id, directory, example=facts.example, metrics=finals)


def _check_directory(record: Record) -> None:
    """Raises TrackingError when what is to be sent is not there, not what the run left, or lies elsewhere."""
    facts, directory = record.facts, record.directory
    is_name = Path(facts.directory).name == facts.directory and facts.directory not in ("", "..")
    if not is_name or directory.is_symlink():
        raise TrackingError(f"{record.folder}: names '{facts.directory}', which lies elsewhere. Remove the record.")
    for name in facts.files:
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts:
            raise TrackingError(f"{record.folder}: names '{name}', which lies outside {directory}. Remove the record.")
        if not (directory / name).is_file():
            raise TrackingError(
                f"{record.folder}: expected {directory / name} beside it, found nothing. Put the directory back where "
                "it was, or remove the record; all but the files is sent."
            )
    linked = [path for path in directory.rglob("*") if path.is_symlink()] if facts.files or facts.example else []
    if linked:  # to whatever its maker wished to read
        raise TrackingError(f"{record.folder}: expected plain files in {directory}, found a link: {linked[0].name}.")
    if facts.manifest is not None and fingerprint(directory) != facts.manifest:
        raise TrackingError(
            f"{record.folder}: expected the model of its run in {directory}, found another or none. Put it back, or "
            "remove the record; all but the files is sent."
        )


def _sizes(client: Any, run_id: str, names: Iterable[str]) -> dict[str, int | None]:
    """The artifacts that the store has in the folders of these names, with their sizes in bytes."""
    folders = {posixpath.dirname(name) for name in names}
    found = [item for folder in sorted(folders) for item in client.list_artifacts(run_id, folder or None)]
    return {item.path: item.file_size for item in found if not item.is_dir}
