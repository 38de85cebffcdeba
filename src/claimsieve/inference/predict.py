"""Label a file of claims: read a window, score it, write it, in the order of the input and with flat memory."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from claimsieve.data import recipe_reader, recipes
from claimsieve.data.corpora import require_columns
from claimsieve.data.fields import field_mapper
from claimsieve.data.files import Reject, columns, format_of, read_rows, record_cells
from claimsieve.errors import ConfigError, DataError
from claimsieve.evaluation.calibration import Calibration
from claimsieve.inference.decide import decide, predictions_of
from claimsieve.inference.writers import RejectsWriter, open_writer
from claimsieve.models import Model
from claimsieve.records import LABELS, Claim, Label, Prediction, RecordError, claim_from_row, row_of_claim

PREDICTION_COLUMNS = ("label", *(f"p_{label}" for label in LABELS))
DECISION_COLUMNS = ("prediction_set", "abstained", "reasons")  # of a model with a calibration
PREVALENCE_COLUMNS = tuple(f"p_{label}_at_prevalence" for label in LABELS)
WINDOW_ROWS = 4_096


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows were read, labelled and rejected; read = labelled + rejected.

    without_evidence: labelled rows that had none, when the model was trained to read it. abstained: labelled rows that
    are left to a person.
    """

    read: int
    labelled: int
    rejected: int
    rejects_file: str | None
    without_evidence: int = 0
    abstained: int = 0


@dataclass(frozen=True, slots=True)
class _Item:
    """A claim with the row it came from, as it stood there."""

    claim: Claim
    fields: Mapping[str, Any]


def predict_claims(
    model: Model,
    claims: Sequence[Claim],
    *,
    calibration: Calibration | None = None,
    prevalence: Mapping[Label, float] | None = None,
    fingerprint: str | None = None,
) -> list[Prediction]:
    """One Prediction per claim, in order. calibration: of the same model; without one there are no prediction sets."""
    decisions = decide(model, claims, calibration)
    return predictions_of(decisions, claims, fingerprint=fingerprint, calibration=calibration, prevalence=prevalence)


def predict_file(
    model: Model,
    source: str,
    target: str,
    *,
    mapping: Mapping[str, str],
    calibration: Calibration | None = None,
    prevalence: Mapping[Label, float] | None = None,
    advance: Callable[[int], None] = lambda rows: None,
) -> Tally:
    """Label every claim of `source` ('-': JSON Lines on stdin; 'recipe:NAME': a corpus) into `target` ('-': stdout).

    Each row of the output is the input's row with `label, p_verified, p_unverified, p_propaganda` beside it, with a
    calibration also `prediction_set, abstained, reasons`, and with a prevalence `p_<label>_at_prevalence`; a column of
    the input that has one of these names is kept as `input_<name>`. Rows that cannot be read go to
    `<target>.rejects.jsonl` with place and reason (to stderr when the target is '-'). The output appears whole, when
    everything is done. Raises DataError when source or target as a whole cannot be used.
    """
    check_paths(source, target)
    items = _items(source, mapping, model.inputs)
    read = labelled = without_evidence = abstained = 0
    columns_of_prediction = prediction_columns(calibration, prevalence)
    with (
        RejectsWriter(None if target == "-" else _rejects_file(target)) as rejects,
        open_writer(target, lambda: output_columns(source, columns_of_prediction), template=source) as writer,
    ):
        while window := list(islice(items, WINDOW_ROWS)):
            read += len(window)
            good = [item for item in window if isinstance(item, _Item)]
            for item in window:
                if isinstance(item, Reject):
                    rejects.write(item)
            found = [item.claim for item in good]
            predictions = predict_claims(model, found, calibration=calibration, prevalence=prevalence)
            for item, prediction in zip(good, predictions, strict=True):
                writer.write(output_row(item.fields, prediction))
            labelled += len(good)
            abstained += sum(prediction.abstained for prediction in predictions)
            if "evidence" in model.inputs:
                without_evidence += sum(not item.claim.evidence for item in good)
            advance(len(window))
    rejects_file = rejects.name if rejects.count else None
    return Tally(read, labelled, read - labelled, rejects_file, without_evidence, abstained)


def prediction_columns(calibration: Calibration | None, prevalence: Mapping[Label, float] | None) -> tuple[str, ...]:
    """What stands beside a row's own columns."""
    decision = () if calibration is None else DECISION_COLUMNS
    return (*PREDICTION_COLUMNS, *decision, *(() if prevalence is None else PREVALENCE_COLUMNS))


def output_row(fields: Mapping[str, Any], prediction: Prediction) -> dict[str, Any]:
    """The input's own columns, then the prediction's."""
    row = {_kept_name(name): value for name, value in fields.items()}
    row["label"] = prediction.label
    row |= {f"p_{label}": round(value, 6) for label, value in prediction.probabilities.items()}
    if prediction.prediction_set is not None:
        decision = (list(prediction.prediction_set), prediction.abstained, list(prediction.reasons))
        row |= dict(zip(DECISION_COLUMNS, decision, strict=True))
    if (turned := prediction.probabilities_at_prevalence) is not None:
        row |= {f"p_{label}_at_prevalence": round(value, 6) for label, value in turned.items()}
    return row


def output_columns(source: str, of_prediction: Sequence[str]) -> list[str]:
    """All columns of the output of a table; reads a JSON Lines file through to find them."""
    if source.startswith("recipe:"):
        found = list(
            dict.fromkeys(name for item in _items(source, {}) if isinstance(item, _Item) for name in item.fields)
        )
    elif source == "-":
        raise DataError("expected JSON Lines as output for standard input, found a table. Use -o FILE.jsonl.")
    else:
        found = columns(source)
    return [*(_kept_name(name) for name in found), *of_prediction]


def _kept_name(name: str) -> str:
    # Also for input_label, which is there when the input is itself an output: two columns must not become one.
    stem = name
    while stem.startswith("input_"):
        stem = stem.removeprefix("input_")
    ours = stem in (*PREDICTION_COLUMNS, *DECISION_COLUMNS, *PREVALENCE_COLUMNS)
    return f"input_{name}" if ours else name


def _rejects_file(target: str) -> str:
    return f"{target}.rejects.jsonl"


def _items(source: str, mapping: Mapping[str, str], inputs: Sequence[str] = ()) -> Iterator[_Item | Reject]:
    if source.startswith("recipe:"):
        for claim in recipe_reader.read(recipes.load(source.removeprefix("recipe:"))):
            yield claim if isinstance(claim, Reject) else _Item(claim, row_of_claim(claim))
        return
    mapper = field_mapper(mapping, place="--map")
    tabular = format_of(source) != "jsonl"
    for row in read_rows(source):
        if isinstance(row, Reject):
            yield row
            continue
        try:
            fields = record_cells(mapper(row.fields)) if tabular else mapper(row.fields)
            # What the model does not see is carried along unread, in whatever form: a date in words is no bad row.
            seen = {name: fields.get(name) for name in ("id", "claim", *inputs)}
            if isinstance(fields.get("corpus"), str):
                seen["corpus"] = fields["corpus"]  # some have a temperature of their own
            yield _Item(claim_from_row(seen), row.fields)
        except RecordError as error:
            yield Reject(row.place, str(error), json.dumps(row.fields, ensure_ascii=True, default=str)[:200])


def check_columns(source: str, mapping: Mapping[str, str]) -> None:
    """Raises DataError when a corpus is not there or a table has no column for the claim; ConfigError for a bad map."""
    if source.startswith("recipe:"):
        if mapping:
            raise ConfigError(f"--map: {source} has its own field map; --map goes with a file.")
        recipes.files_of(recipes.load(source.removeprefix("recipe:")))
        return
    field_mapper(mapping, place="--map")
    if format_of(source) != "jsonl":
        require_columns(source, columns(source), mapping)


def check_paths(source: str, target: str) -> None:
    """Fail before the model is used: the source is there, the target can be written, and they are not the same."""
    if format_of(target) and target.lower().endswith(".gz"):
        raise DataError(f"{target}: expected an output that is not packed. Leave out .gz, and pack the finished file.")
    if target != "-" and not Path(target).absolute().parent.is_dir():
        raise DataError(f"{target}: expected an existing folder for the output, found none.")
    if target != "-" and Path(target).is_dir():
        raise DataError(f"{target}: expected a file for the output, found a folder.")
    if source != "-" and not source.startswith("recipe:"):
        if not Path(source).is_file():
            raise DataError(f"{source}: expected a claims file, found none.")
        if target != "-" and Path(source).resolve() == Path(target).resolve():
            raise DataError(f"{target}: expected another file for the output than the input.")
        if target != "-" and Path(source).resolve() == Path(_rejects_file(target)).resolve():
            raise DataError(f"{target}: expected another output, found that its rejects file is the input.")
