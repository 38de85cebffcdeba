"""MLflow: the only module that imports it. A tracking store that fails never costs a trained model."""

import importlib.metadata
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from claimsieve.errors import TrackingError
from claimsieve.records import LABELS, Claim, RecordError

DEFAULT_URI = "sqlite:///mlflow.db"
_MAX_PARAM_CHARACTERS = 500
_FLUSH_SECONDS = 5.0
_EXPERIMENT_NOTE = (
    "Runs of claimsieve. `test/…` are measured on rows that took no part in training, with 95 % intervals as `_low` "
    "and `_high`. A label says what a claim resembles in these corpora, not how probable it is that the claim is true."
)


def tracking_uri(configured: str | None) -> str:
    """The config's own, else MLFLOW_TRACKING_URI, else a SQLite file in the working directory."""
    return configured or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


class TrackedRun:
    """One MLflow run. After the first failure everything else is skipped, and `failure` says what happened."""

    def __init__(self, *, uri: str, experiment: str, name: str, tags: Mapping[str, str], run_id: str | None) -> None:
        self.failure: str | None = None
        self.run_id = run_id or ""  # MLflow's own; empty until there is one
        self._uri = uri
        self._client: Any = None
        self._pending: list[Any] = []
        self._flushed = time.monotonic()
        self._attempt(lambda: self._start(experiment, name, tags))

    def log_config(self, settings: Mapping[str, Any], resolved_yaml: str) -> None:
        """Every setting as a parameter by its dotted path; the whole as config.yaml, which no limit cuts."""
        flat = {key: text[:_MAX_PARAM_CHARACTERS] for key, text in flattened(settings).items()}

        def send() -> None:
            import mlflow

            # A resumed run holds them already, and MLflow refuses a parameter that changes.
            known = self._client.get_run(self.run_id).data.params
            mlflow.log_params({key: value for key, value in flat.items() if key not in known}, run_id=self.run_id)
            self._client.log_text(self.run_id, resolved_yaml, "config.yaml")
            self._client.log_text(self.run_id, _environment(), "environment.txt")

        self._attempt(send)

    def log_dataset(self, split: str, claims: Sequence[Claim], *, source: str) -> None:
        """A split as an MLflow dataset, by digest; the claims stay where they are."""

        def send() -> None:
            import mlflow
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
            origin = CodeDatasetSource(tags={"corpora": source})
            dataset = from_pandas(table, source=origin, targets="label", name=split)
            inputs = mlflow.entities.DatasetInput(
                dataset._to_mlflow_entity(), [mlflow.entities.InputTag("mlflow.data.context", split)]
            )
            self._client.log_inputs(self.run_id, datasets=[inputs])

        self._attempt(send)

    def log_step(self, number: int, metrics: Mapping[str, float]) -> None:
        """Values of one training step; sent a few seconds' worth at a time."""
        if self.failure is not None:
            return
        import mlflow

        now = int(time.time() * 1000)
        self._pending += [mlflow.entities.Metric(key, float(value), now, number) for key, value in metrics.items()]
        if time.monotonic() - self._flushed > _FLUSH_SECONDS or len(self._pending) > 900:
            self.flush()

    def flush(self) -> None:
        """Send the step values that wait."""
        pending, self._pending = self._pending, []
        self._flushed = time.monotonic()
        for start in range(0, len(pending), 900):  # MLflow takes at most 1,000 in one call
            self._attempt(partial(self._log_batch, pending[start : start + 900]))

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Final values."""
        self.log_step(0, metrics)
        self.flush()

    def log_files(self, directory: Path, names: Sequence[str]) -> None:
        """Files of the model directory as artifacts under their own names."""
        for name in names:
            folder = str(Path(name).parent) if Path(name).parent != Path() else None
            self._attempt(partial(self._log_artifact, str(directory / name), folder))

    def log_model(self, directory: Path, example: Mapping[str, str]) -> None:
        """The model directory as a pyfunc: MLflow loads it by module name, so nothing is pickled."""

        def send() -> None:
            import mlflow
            import pandas
            from mlflow.types import ColSpec, Schema

            schema = mlflow.models.ModelSignature(
                inputs=Schema(
                    [
                        ColSpec("string", "claim"),
                        *(ColSpec("string", name, required=False) for name in ("evidence", "source", "date")),
                    ]
                ),
                outputs=Schema([ColSpec("string", "label"), *(ColSpec("double", f"p_{label}") for label in LABELS)]),
            )
            with mlflow.start_run(run_id=self.run_id, log_system_metrics=False):
                mlflow.pyfunc.log_model(
                    name="model",
                    loader_module="claimsieve.tracking",
                    data_path=str(directory),
                    signature=schema,
                    input_example=pandas.DataFrame([example]),
                    pip_requirements=[f"claimsieve=={importlib.metadata.version('claimsieve')}"],
                )

        self._attempt(send)

    def end(self, status: str = "FINISHED") -> None:
        """FINISHED, FAILED or KILLED."""
        self.flush()
        self._attempt(lambda: self._client.set_terminated(self.run_id, status))

    def _start(self, experiment: str, name: str, tags: Mapping[str, str]) -> None:
        # Before the import: MLflow's own patience with a dead server is several minutes.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        import mlflow

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        mlflow.set_tracking_uri(self._uri)
        self._client = mlflow.MlflowClient(self._uri)
        found = self._client.get_experiment_by_name(experiment)
        experiment_id = found.experiment_id if found else self._client.create_experiment(experiment)
        if found is None:
            self._client.set_experiment_tag(experiment_id, "mlflow.note.content", _EXPERIMENT_NOTE)
            # Opens in the UI's model-training view, not in the one for agents and prompts.
            self._client.set_experiment_tag(experiment_id, "mlflow.experimentKind", "custom_model_development")
        if self.run_id:
            self._client.update_run(self.run_id, status="RUNNING")
            return
        self.run_id = self._client.create_run(experiment_id, run_name=name, tags=dict(tags)).info.run_id

    def _log_batch(self, metrics: Sequence[Any]) -> None:
        self._client.log_batch(self.run_id, metrics=metrics)

    def _log_artifact(self, path: str, folder: str | None) -> None:
        self._client.log_artifact(self.run_id, path, folder)

    def _attempt(self, action: Callable[[], Any]) -> None:
        if self.failure is not None:
            return
        try:
            action()
        except Exception as error:  # whatever MLflow, its database or the network raises, the model comes first
            text = str(error).strip().splitlines()
            self.failure = f"{self._uri}: {type(error).__name__}: {text[0][:300] if text else 'no reason given'}"


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


def serve_ui(*, uri: str, port: int) -> int:
    """Run the MLflow UI on this machine's loopback address until Ctrl-C or SIGTERM; returns its exit code.

    Raises TrackingError when the port is taken. The server's workers end with it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise TrackingError(f"port {port}: cannot be used: {error.strerror}. Choose another: --port N") from None
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, "--host", "127.0.0.1"]
    server = subprocess.Popen([*command, "--port", str(port)], start_new_session=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the group below has to end first
    try:
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)


def _environment() -> str:
    """name==version of every installed package, sorted."""
    found = {f"{d.metadata['Name']}=={d.version}" for d in importlib.metadata.distributions() if d.metadata["Name"]}
    return f"# Python {sys.version.split()[0]}\n" + "\n".join(sorted(found, key=str.lower)) + "\n"


def _load_pyfunc(data_path: str) -> Any:
    """Called by MLflow to open a logged model: `mlflow models predict`, `mlflow models serve`, `pyfunc.load_model`."""
    return _Served(Path(data_path))


class _Served:
    """A model directory behind MLflow's table-in, table-out interface."""

    def __init__(self, directory: Path) -> None:
        from claimsieve.models.artifacts import load_model

        self._model, _ = load_model(directory)

    def predict(self, table: Any, params: Mapping[str, Any] | None = None) -> Any:
        """A table with a column `claim`, and `evidence`, `source`, `date` where known → label and probabilities."""
        import pandas

        from claimsieve.data.files import record_cells
        from claimsieve.inference.predict import predict_claims
        from claimsieve.records import claim_from_row

        rows = [
            {key: value for key, value in row.items() if value is not None and value == value}
            for row in table.to_dict(orient="records")
        ]
        claims: list[Claim | None] = []
        for row in rows:
            try:
                claims.append(claim_from_row(record_cells(row)))
            except RecordError:
                claims.append(None)  # a bad row is answered with nothing, and costs no other row its answer
        predictions = iter(predict_claims(self._model, [claim for claim in claims if claim is not None]))
        empty = {"label": None, **{f"p_{name}": None for name in LABELS}}
        answers = []
        for claim in claims:
            found = next(predictions) if claim is not None else None
            values = {f"p_{name}": found.probabilities[name] for name in LABELS} if found else {}
            answers.append({"label": found.label, **values} if found else empty)
        return pandas.DataFrame(answers)
