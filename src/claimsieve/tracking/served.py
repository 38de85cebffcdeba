"""A logged model as MLflow opens it, by this module's name: predict, serve, `pyfunc.load_model`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claimsieve.records import LABELS, Claim, RecordError


def _load_pyfunc(data_path: str) -> Any:
    """Called by MLflow with the folder of a model directory."""
    return _Served(Path(data_path))


class _Served:
    """A model directory behind MLflow's table-in, table-out interface."""

    def __init__(self, directory: Path) -> None:
        from claimsieve.evaluation.assessment import read_calibration
        from claimsieve.models.artifacts import load_model

        self._model, _ = load_model(directory)
        self._calibration = read_calibration(directory)

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
        good = [claim for claim in claims if claim is not None]
        predictions = iter(predict_claims(self._model, good, calibration=self._calibration))
        empty = {"label": None, **{f"p_{name}": None for name in LABELS}}
        answers = []
        for claim in claims:
            found = next(predictions) if claim is not None else None
            values = {f"p_{name}": found.probabilities[name] for name in LABELS} if found else {}
            answers.append({"label": found.label, **values} if found else empty)
        return pandas.DataFrame(answers)
