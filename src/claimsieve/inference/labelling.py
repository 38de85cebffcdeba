"""One window of rows labelled: what every engine does, on one machine or on many."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from claimsieve.data.files import Reject
from claimsieve.evaluation.base_rates import corrected
from claimsieve.evaluation.calibration import Calibration
from claimsieve.evaluation.decisions import Decisions, labels_of
from claimsieve.evaluation.metrics import Floats
from claimsieve.inference.decide import decisions_of, judge, to_a_person
from claimsieve.inference.formats import Format
from claimsieve.inference.memory import Memory, Places, key_of
from claimsieve.inference.pictures import PICTURE_COLUMNS, Pictures, picture_values, shown_evidence
from claimsieve.inference.windows import Item, ItemReader, Window
from claimsieve.media.evidence import Pictured
from claimsieve.models import Encoded, Model
from claimsieve.models.axes import AXES
from claimsieve.models.explanation import explain
from claimsieve.records import LABELS, Claim, Label

PREDICTION_COLUMNS = ("label", *(f"p_{label}" for label in LABELS))
DECISION_COLUMNS = ("prediction_set", "abstained", "reasons")  # of a model with a calibration
# Of a model with a head for each of the codebook's questions.
HEAD_COLUMNS = ("stance", "stance_basis", "manipulation", *(f"p_{name}" for name in AXES))
EXPLANATION_COLUMN = "explanation"
DATE_UNREADABLE = "date_unreadable"  # among a row's reasons
PREVALENCE_COLUMNS = tuple(f"p_{label}_at_prevalence" for label in LABELS)
_BITS = 1 << np.arange(len(LABELS))  # a set of labels as a number
_SETS = [labels_of(row) for row in (np.arange(1 << len(LABELS))[:, None] & _BITS) > 0]
_MAX_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class Prepared:
    """A window with its claims read, and those that the model has not met yet as numbers.

    pictured: what the pictures of each claim tell; None where nobody asked.
    """

    window: Window
    rejects: Sequence[Reject]
    items: Sequence[Item]
    memory: Memory
    places: Places
    encoded: Any
    pictured: Sequence[Pictured] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes of one window. tally: see predict.Tally. memory: entries to keep."""

    number: int
    output: bytes
    rejects: bytes
    memory: bytes
    tally: Mapping[str, int]


class Labeller:
    """Labels windows in their order. `prepare` may run ahead in another thread."""

    def __init__(
        self,
        model: Model,
        reader: ItemReader,
        form: Format,
        *,
        calibration: Calibration | None = None,
        prevalence: Mapping[Label, float] | None = None,
        memory: Memory | None = None,
        explain: bool = False,
        pictures: Pictures | None = None,
    ) -> None:
        self._model = model
        self._reader = reader
        self._form = form
        self._calibration = calibration
        self._prevalence = prevalence
        self._memory = memory or Memory()
        self._explain = explain
        self._pictures = pictures
        self._names: dict[str, str] = {}

    def prepare(self, window: Window) -> Prepared:
        """Read the claims, find those that are new, and encode them."""
        found = [self._reader(row) for row in window.rows]
        items = [item for item in found if isinstance(item, Item)]
        pictured = None
        if self._pictures is not None:
            pictured = self._pictures.of(items)
            items = [replace(item, claim=one.claim) for item, one in zip(items, pictured, strict=True)]
        keys = [key_of(item.claim, self._model.inputs) for item in items]
        # Explanations are too large to remember: with them, inputs are computed once within a window only.
        memory = Memory(max(1, len(keys))) if self._explain else self._memory
        places = memory.places(keys)
        encoded = self._model.encode([items[row].claim for row in places.rows])
        rejects = [item for item in found if isinstance(item, Reject)]
        return Prepared(window, rejects, items, memory, places, encoded, pictured)

    def label(self, prepared: Prepared) -> Part:
        """Compute what is new, and write the window's rows."""
        items, places = prepared.items, prepared.places
        claims = [item.claim for item in items]
        new = [claims[row] for row in places.rows]
        computed, explanations = self._computed(new, prepared.encoded)
        judged, entries = prepared.memory.answers(places, judge(self._model, new, computed, self._calibration))
        decisions = decisions_of(judged, self._model, claims, self._calibration)
        columns = prediction_values(decisions, claims, calibration=self._calibration, prevalence=self._prevalence)
        pictured = prepared.pictured
        if pictured is not None:
            columns |= picture_values(columns, pictured)
        if "reasons" in columns:
            columns["reasons"] = [
                [*why, DATE_UNREADABLE] if item.is_date_unreadable else why
                for item, why in zip(items, columns["reasons"], strict=True)
            ]
        if self._explain:
            columns[EXPLANATION_COLUMN] = [explanations[place] for place in places.news.tolist()]
        rows = [
            self._kept(fields) | dict(zip(columns, values, strict=True))
            for fields, values in zip(self._fields(items, pictured), zip(*columns.values(), strict=True), strict=True)
        ]
        reads_evidence = "evidence" in self._model.inputs
        return Part(
            prepared.window.number,
            self._form.encode(rows, first=prepared.window.number == 0),
            "".join(reject_line(reject) for reject in prepared.rejects).encode(),
            b"" if self._explain else entries,
            {
                "read": len(prepared.window.rows),
                "labelled": len(items),
                "rejected": len(prepared.rejects),
                "repeated": len(items) - len(new),
                "without_evidence": sum(not claim.evidence for claim in claims) if reads_evidence else 0,
                "abstained": sum(columns.get("abstained", ())),
                "split": len(prepared.encoded.in_pieces),
                "cut": len(prepared.encoded.cut),
                "recycled": sum(one.recycled for one in pictured or ()),
                "unmatched": sum(bool(one.unmatched) for one in pictured or ()),
                "date_unreadable": sum(item.is_date_unreadable for item in items),
            },
        )

    def _fields(self, items: Sequence[Item], pictured: Sequence[Pictured] | None) -> Iterator[Mapping[str, Any]]:
        """The input's own columns, with the passages that pictures gave among the evidence."""
        if pictured is None:
            yield from (item.fields for item in items)
            return
        for item, one in zip(items, pictured, strict=True):
            yield item.fields if not one.passages else {**item.fields, "evidence": shown_evidence(item.fields, one)}

    def _kept(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The input's own columns, by the names that they have in the output."""
        names = self._names
        for name in fields.keys() - names.keys():
            names[name] = kept_name(name, heads=self._model.heads, pictures=self._pictures is not None)
            if len(names) > _MAX_NAMES:  # rows whose keys are data
                self._names = {}
                heads, pictures = self._model.heads, self._pictures is not None
                return {kept_name(name, heads=heads, pictures=pictures): value for name, value in fields.items()}
        return {names[name]: value for name, value in fields.items()}

    def _computed(self, claims: Sequence[Claim], encoded: Encoded) -> tuple[Floats, list[dict[str, Any]]]:
        """What the model answers, and if asked what each answer goes by, from the same pass."""
        if not self._explain:
            return self._model.answers(encoded), []
        answers, found = explain(self._model, claims, encoded=encoded)
        return answers, [one.record() for one in found]


def reject_line(reject: Reject) -> str:
    """Place (line or row number), reason, how the row begins, and the file where there are several."""
    told = {name: value for name, value in asdict(reject).items() if name != "file" or value}
    return json.dumps(told, ensure_ascii=True) + "\n"


def prediction_columns(
    calibration: Calibration | None,
    prevalence: Mapping[Label, float] | None,
    *,
    heads: Sequence[str] = (),
    explain: bool = False,
    pictures: bool = False,
) -> tuple[str, ...]:
    """What stands beside a row's own columns. heads: of the model. pictures: whether they are looked up."""
    decision = () if calibration is None else DECISION_COLUMNS
    turned = () if prevalence is None else PREVALENCE_COLUMNS
    of_heads = HEAD_COLUMNS if heads else ()
    named = (*PREDICTION_COLUMNS, *of_heads, *decision, *turned, *(PICTURE_COLUMNS if pictures else ()))
    return (*dict.fromkeys(named), *([EXPLANATION_COLUMN] if explain else ()))


def prediction_values(
    decisions: Decisions,
    claims: Sequence[Claim],
    *,
    calibration: Calibration | None,
    prevalence: Mapping[Label, float] | None,
) -> dict[str, list[Any]]:
    """What stands beside the rows' own columns, but for explanations: name → a value for each row."""
    probabilities = decisions.probabilities
    columns: dict[str, list[Any]] = {"label": [LABELS[place] for place in probabilities.argmax(axis=1).tolist()]}
    columns |= {f"p_{label}": values for label, values in _rounded(LABELS, probabilities).items()}
    if (axes := decisions.axes) is not None:
        columns["stance"] = list(axes.stances)
        columns["stance_basis"] = list(axes.bases)
        columns["manipulation"] = axes.manipulated.tolist()
        columns |= {f"p_{name}": values for name, values in _rounded(AXES, axes.probabilities).items()}
    if decisions.sets is not None:
        columns["prediction_set"] = [list(_SETS[bits]) for bits in (decisions.sets @ _BITS).tolist()]
        columns["abstained"] = to_a_person(decisions, claims).tolist()
        columns["reasons"] = [list(why) for why in decisions.reasons]
    if prevalence is not None and calibration is not None:
        turned = corrected(probabilities, trained_for=calibration.trained_for, prevalence=prevalence)
        columns |= {f"p_{label}_at_prevalence": values for label, values in _rounded(LABELS, turned).items()}
    return columns


def _rounded(names: Sequence[str], probabilities: Floats) -> dict[str, list[float]]:
    return dict(zip(names, probabilities.round(6).T.tolist(), strict=True))


def kept_name(name: str, *, heads: Sequence[str] = (), pictures: bool = False) -> str:
    """What a column of the input is called in the output: input_<name> where the prediction has one of this name."""
    # Also for input_label, which is there when the input is itself an output: two columns must not become one.
    stem = name
    while stem.startswith("input_"):
        stem = stem.removeprefix("input_")
    ours = (*PREDICTION_COLUMNS, *DECISION_COLUMNS, *PREVALENCE_COLUMNS, EXPLANATION_COLUMN)
    taken = stem in ours or (heads and stem in HEAD_COLUMNS) or (pictures and stem in PICTURE_COLUMNS)
    return f"input_{name}" if taken else name
