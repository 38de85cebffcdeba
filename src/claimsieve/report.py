"""What a model directory says of its test split, as one self-contained HTML page. A report never recomputes."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from claimsieve import yaml12
from claimsieve.config import validate
from claimsieve.errors import ClaimsieveError, ModelError
from claimsieve.evaluation import (
    axes,
    behaviour,
    calibration,
    decisions,
    evaluate,
    faithfulness,
    handover,
    shortcuts,
)
from claimsieve.evaluation.assessment import (
    AXES_REPORT,
    BEHAVIOUR,
    CALIBRATION,
    DECISIONS,
    EVALUATION,
    FAITHFULNESS,
    SHORTCUTS,
)
from claimsieve.evaluation.conformal import CoverageSlice
from claimsieve.evaluation.decisions import DecisionReport
from claimsieve.evaluation.documents import AUDIT, LEFT_OUT, SPLIT_TABLE, TEST_PREDICTIONS
from claimsieve.evaluation.evaluate import Slice
from claimsieve.evaluation.selective import Kept
from claimsieve.models.artifacts import CONFIG, MANIFEST, read_manifest, verify
from claimsieve.models.checkpoints import LINEAGE
from claimsieve.pages import data_uri, rendered
from claimsieve.records import LABELS
from claimsieve.settings import RunConfig

_OF_ALL_CLAIMS = (SPLIT_TABLE, LINEAGE)  # large, and nothing of them is shown
MAX_EVENTS = 40
MAX_MISTAKES = 10
MAX_EXCERPT_CHARACTERS = 600

# The section that a picture stands in and what it shows, by how its name begins; the first that fits.
_PICTURES = {
    "confusion": ("confusion", "Counts of true labels by the labels given; the table beside it has the same numbers"),
    "reliability": ("calibration", "Accuracy against mean confidence, and how many claims each bin holds"),
    "calibration": ("calibration", "Accuracy against mean confidence before and after calibration"),
    "risk": ("selective", "Share of wrong labels among the decided claims as more claims are decided"),
    "coverage": ("coverage", "Share of prediction sets that hold the true label"),
    "base_rate": ("base-rates", "Precision of propaganda by its share of the items"),
}

_METRICS = (
    ("macro_f1", "macro-F1", "mean of the labels’ F1, in [0, 1]; every label counts the same"),
    ("accuracy", "accuracy", "share of right labels, in [0, 1], at the test split’s mix"),
    ("mcc", "MCC", "correlation of true labels and labels given, in [-1, 1]; 0 is no better than chance"),
    ("log_loss", "log loss", "surprise at the true label, 0 or more; 1.099 is that of a third for each label"),
    ("brier", "Brier score", "squared error of the probabilities, in [0, 2]; .667 is that of a third for each label"),
    (
        "ece",
        "ECE",
        "gap of confidence and share of right labels, in [0, 1]; 0 is best. Its interval leans upwards",
    ),
)
_REASONS = ("decided", "evidence_insufficient", "evidence_conflicts", "model_unsure")
_CURVE_COVERAGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Origin:
    """How a model came about.

    versions: library → version. fold: the group that was held out. fingerprint: of the model directory, 64 hex digits;
    None inside the directory itself, which cannot hold a digest of its own contents. weight_bytes: size of the weights.
    """

    config: RunConfig
    seed: int
    data_fingerprint: str
    versions: Mapping[str, str]
    fold: str | None = None
    fingerprint: str | None = None
    weight_bytes: int | None = None


def evaluation_page(documents: Mapping[str, bytes], *, origin: Origin) -> str:
    """The HTML report of one model.

    documents: file name → content, as they lie in a model directory: evaluation.json, and whatever there is of
    shortcuts.json, axes.json, faithfulness.json, behaviour.json, calibration.json, decisions.json, cascade.json,
    audit.json, left_out.jsonl, test_predictions.jsonl and pictures; what is absent has no section. Raises ModelError
    when one of them is not what a training writes.
    """
    evaluation = parsed(documents, EVALUATION, evaluate.from_json)
    if evaluation is None:
        raise ModelError(f"expected {EVALUATION} to report on, found none. Train the model again with this version.")
    decided = parsed(documents, DECISIONS, decisions.from_json)
    mistakes = _mistakes(documents)
    facts = {
        "evaluation": evaluation,
        "shortcuts": parsed(documents, SHORTCUTS, shortcuts.from_json),
        "behaviour": parsed(documents, BEHAVIOUR, behaviour.from_json),
        "axes": parsed(documents, AXES_REPORT, axes.from_json),
        "faithfulness": parsed(documents, FAITHFULNESS, faithfulness.from_json),
        "calibration": parsed(documents, CALIBRATION, calibration.from_json),
        "decisions": decided,
        "audit": parsed(documents, AUDIT, audit_counts),
        "cascade": cascade_sentences(documents),
        "origin": origin,
        "labels": LABELS,
        "events": weakest(evaluation.events)[:MAX_EVENTS],
        "least_covered": _least_covered(decided)[:MAX_EVENTS],
        "curve_points": _curve_points(decided),
        "test_mix": {label: number / evaluation.overall.n for label, number in evaluation.overall.labels.items()},
        "descriptions": shortcuts.DESCRIPTIONS,
        "metrics": _METRICS,
        "reasons": _REASONS,
        "left_out": left_out(documents),
        "mistakes": mistakes[:MAX_MISTAKES],
        "mistakes_in_all": len(mistakes),
        "pictures": _pictures(documents),
        "config_yaml": yaml12.dump(json.loads(origin.config.model_dump_json(exclude_defaults=True))),
    }
    return rendered("evaluation.html", facts | {"sections": _sections(facts)})


def read_directory(directory: Path) -> tuple[dict[str, bytes], Origin]:
    """The documents of a finished model directory, every file checked. Raises ModelError or ConfigError."""
    manifest = read_manifest(directory)
    verify(directory, manifest)
    wanted = [name for name in manifest.files if "/" not in name and name not in _OF_ALL_CLAIMS]
    documents = {name: (directory / name).read_bytes() for name in wanted}
    place = str(directory / CONFIG)
    config = validate(yaml12.read(directory / CONFIG), place=place)
    versions = json.loads((directory / MANIFEST).read_bytes()).get("versions", {})
    return documents, Origin(
        config=config,
        seed=manifest.seed,
        data_fingerprint=manifest.data_fingerprint,
        versions=versions if isinstance(versions, dict) else {},
        fold=config.data.split.held_out,
        fingerprint=manifest.fingerprint,
        weight_bytes=sum(entry["bytes"] for name, entry in manifest.files.items() if name.startswith("weights/")),
    )


def parsed(documents: Mapping[str, bytes], name: str, parse: Callable[[Any], _Found]) -> _Found | None:
    """One of the documents, read; None when it is not there. Raises ModelError when it is something else."""
    if name not in documents:
        return None
    try:
        return parse(json.loads(documents[name]))
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
        ClaimsieveError,
    ) as error:
        raise ModelError(
            f"{name}: expected what a training writes there, found something else ({error}). "
            "Copy the model directory again, whole, or train again with this version."
        ) from None


def cascade_sentences(documents: Mapping[str, bytes]) -> list[str]:
    """What has to be known of a cascade; empty for a model of one tier."""
    found = parsed(documents, handover.HANDOVER, handover.from_json)
    return [] if found is None else handover.sentences(found)


def audit_counts(document: Any) -> dict[str, Any]:
    """An audit as the page needs it: counts by split and by corpus, languages, findings, and how many fail."""
    kinds = {"check": str, "count": int, "unit": str, "message": str, "examples": list, "more": int}
    accepted = list(document["accepted"])
    return {
        "claims": int(document["claims"]),
        **{part: _whole_numbers(document[part]) for part in ("splits", "corpora", "languages")},
        "findings": [
            {name: kind(row[name]) for name, kind in kinds.items()} | {"accepted": row["check"] in accepted}
            for row in document["findings"]
        ],
        "failures": int(document["failures"]),
    }


def _whole_numbers(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    return {name: {key: int(number) for key, number in counts.items()} for name, counts in tables.items()}


def left_out(documents: Mapping[str, bytes]) -> list[tuple[str, str, int]]:
    """Corpus, reason and number of the rows that could not be read, the most frequent first."""
    rows = _rows(documents, LEFT_OUT)
    counts = Counter((str(row.get("corpus")), str(row.get("reason"))) for row in rows)
    return [(corpus, reason, number) for (corpus, reason), number in counts.most_common(20)]


def weakest(slices: Mapping[str, Slice]) -> list[tuple[str, Slice]]:
    """Name and slice, the lowest macro-F1 first."""
    scored = [(name, part, part.metrics["macro_f1"]) for name, part in slices.items()]
    return [(name, part) for name, part, f1 in sorted(scored, key=lambda item: item[2].value if item[2] else 0)]


def _least_covered(decided: DecisionReport | None) -> list[tuple[str, CoverageSlice]]:
    if decided is None or decided.coverage is None:
        return []
    return sorted(decided.coverage.events.items(), key=lambda item: item[1].covered.value)


def _curve_points(decided: DecisionReport | None) -> list[Kept]:
    """The points of the curve nearest to every tenth."""
    if decided is None or not decided.selective.curve:
        return []
    curve = decided.selective.curve
    nearest = [min(curve, key=lambda point: abs(point.coverage - wanted)) for wanted in _CURVE_COVERAGES]
    return [point for place, point in enumerate(nearest) if point not in nearest[:place]]


def _mistakes(documents: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """The wrong labels, those that the model was surest of first."""
    found = []
    for row in _rows(documents, TEST_PREDICTIONS):
        try:
            given = max(LABELS, key=lambda label: row[f"p_{label}"])  # as everywhere, a tie goes to the first
            if given != row["label"]:
                found.append((float(row[f"p_{given}"]), str(row.get("id")), given, row))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{TEST_PREDICTIONS}: expected a label and probabilities, found none ({error}).") from None
    found.sort(key=lambda one: (-one[0], one[1]))
    return [
        {"given": given, "probability": probability, "row": row, "text": _excerpt(row.get("claim"))}
        for probability, _, given, row in found
    ]


def _excerpt(text: Any) -> str | None:
    if not isinstance(text, str):
        return None
    return text if len(text) <= MAX_EXCERPT_CHARACTERS else text[:MAX_EXCERPT_CHARACTERS].rstrip() + " …"


def _rows(documents: Mapping[str, bytes], name: str) -> list[dict[str, Any]]:
    """The rows of JSON Lines; none when the document is absent."""
    try:
        rows = [json.loads(line) for line in documents.get(name, b"").splitlines()]
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{name}: expected JSON Lines as a training writes them, found others ({error}).") from None
    return [row for row in rows if isinstance(row, dict)]


def _pictures(documents: Mapping[str, bytes]) -> dict[str, list[tuple[str, str]]]:
    """Section → data: URI and alternative text of each picture in it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(documents):
        if name.endswith(".png"):
            title = name.removesuffix(".png").replace("_", " ")
            places = [place for start, place in _PICTURES.items() if name.startswith(start)]
            section, shown = places[0] if places else ("pictures", "a picture that the training saved")
            found.setdefault(section, []).append((data_uri(documents[name]), f"{title}: {shown}"))
    return found


def _sections(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Id and heading of what the page will hold, in order."""
    evaluation, decisions, audit = facts["evaluation"], facts["decisions"], facts["audit"]
    headings = {
        "numbers": ("The numbers to decide on", True),
        "shortcuts": ("Shortcuts", facts["shortcuts"] is not None),
        "axes": ("Two axes", facts["axes"] is not None),
        "explanations": ("Explanations", facts["faithfulness"] is not None),
        "behaviour": ("Behaviour", facts["behaviour"] is not None),
        "labels": ("By label", True),
        "confusion": ("Who was taken for whom", True),
        "corpora": ("By corpus", bool(evaluation.corpora)),
        "events": ("By event", bool(evaluation.events) or evaluation.smaller_events > 0),
        "calibration": ("Calibration", True),
        "coverage": ("Prediction sets and abstention", decisions is not None and decisions.coverage is not None),
        "selective": ("What is left to people", decisions is not None),
        "base-rates": ("At your own mix", True),
        "audit": ("Audit of the data", audit is not None),
        "data": ("Data", audit is not None or bool(facts["left_out"])),
        "mistakes": ("The surest mistakes", bool(facts["mistakes"])),
        "pictures": ("Further pictures", "pictures" in facts["pictures"]),
        "making": ("How it was made", True),
        "meaning": ("What a score does not mean", True),
    }
    return [(id_, heading) for id_, (heading, present) in headings.items() if present]
