"""A model directory as MLflow's logged model of a run: once, however often it is tried."""

import importlib.metadata
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from claimsieve.records import LABELS

NAME = "model"
LOADER = "claimsieve.tracking.served"  # MLflow loads the model by this module's name, so nothing is pickled


def log_model_once(
    client: Any, run_id: str, directory: Path, *, example: Mapping[str, str], metrics: Sequence[Any]
) -> None:
    """Log the model directory as the run's model; one that was begun and broke off is finished.

    example: a row as the model takes it. metrics: the run's final ones, which MLflow shows beside the model too.
    """
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric

    run = client.get_run(run_id)
    if not _models(client, run):
        client.create_logged_model(run.info.experiment_id, NAME, run_id, params=dict(run.data.params))
    model, *doubles = _models(client, run)
    for double in doubles:
        if double.status != LoggedModelStatus.READY:
            client.delete_logged_model(double.model_id)
    outputs = run.outputs.model_outputs if run.outputs else []
    if model.model_id not in {output.model_id for output in outputs}:
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    if model.status == LoggedModelStatus.READY:
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / NAME
        _save_pyfunc(folder, directory, example, model=model, run_id=run_id)
        client.log_model_artifacts(model.model_id, str(folder))
    linked = [Metric(one.key, one.value, one.timestamp, one.step, model_id=model.model_id) for one in metrics]
    client.log_batch(run_id, metrics=linked)
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)


def _models(client: Any, run: Any) -> list[Any]:
    """The run's model, a finished one first; more than one only where a request was repeated without an answer."""
    from mlflow.entities import LoggedModelStatus

    found = client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run.info.run_id}'")
    return sorted(
        (model for model in found if model.name == NAME),
        key=lambda model: (model.status != LoggedModelStatus.READY, model.model_id),
    )


def _save_pyfunc(folder: Path, directory: Path, example: Mapping[str, str], *, model: Any, run_id: str) -> None:
    import mlflow
    import pandas
    from mlflow.types import ColSpec, Schema

    optional = (ColSpec("string", name, required=False) for name in ("evidence", "source", "date"))
    signature = mlflow.models.ModelSignature(
        inputs=Schema([ColSpec("string", "claim"), *optional]),
        outputs=Schema([ColSpec("string", "label"), *(ColSpec("double", f"p_{label}") for label in LABELS)]),
    )
    described = mlflow.models.Model(
        artifact_path=model.artifact_location, model_uuid=model.model_id, run_id=run_id, model_id=model.model_id
    )
    mlflow.pyfunc.save_model(
        path=str(folder),
        mlflow_model=described,
        loader_module=LOADER,
        data_path=str(directory),
        signature=signature,
        input_example=pandas.DataFrame([example]),
        pip_requirements=[f"claimsieve=={importlib.metadata.version('claimsieve')}"],
    )
