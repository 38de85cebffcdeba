"""What a tracking store holds, to compare before and after."""

from pathlib import Path


def snapshot(client, run_id: str) -> dict[str, object]:
    """Everything of a run that a user may see, and nothing that differs between two runs alike."""
    run = client.get_run(run_id)
    history = {key: client.get_metric_history(run_id, key) for key in run.data.metrics}
    models = client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run_id}'")
    return {
        "name": run.info.run_name,
        "status": (run.info.status, run.info.lifecycle_stage),
        "times": (run.info.start_time, run.info.end_time),
        "params": run.data.params,
        "tags": {key: text for key, text in run.data.tags.items() if not key.startswith("claimsieve.")},
        "metrics": {
            key: sorted((one.step, one.timestamp, one.value) for one in points) for key, points in history.items()
        },
        "datasets": sorted(
            (one.dataset.name, one.dataset.digest, one.tags[0].value) for one in run.inputs.dataset_inputs
        ),
        "artifacts": artifacts(client, run_id),
        "models": [
            (model.name, str(model.status), sorted({metric.key for metric in model.metrics or []})) for model in models
        ],
        "model files": [
            sorted(item.path for item in client.list_logged_model_artifacts(model.model_id)) for model in models
        ],
        "outputs": [len(run.outputs.model_outputs), {one.model_id for one in run.outputs.model_outputs}]
        == [len(models), {model.model_id for model in models}],
    }


def artifacts(client, run_id: str, folder: str | None = None) -> dict[str, str]:
    """The artifacts of a run by path, with their content."""
    found = {}
    for item in client.list_artifacts(run_id, folder):
        if item.path == "model":  # the logged model, told of by itself
            continue
        if item.is_dir:
            found |= artifacts(client, run_id, item.path)
        else:
            found[item.path] = Path(client.download_artifacts(run_id, item.path)).read_bytes().decode(errors="replace")
    return found
