"""What has to hold before a model is put to use, each condition with what was expected and what was found."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from claimsieve import config as configs
from claimsieve import yaml12
from claimsieve.comparison.compare import compare
from claimsieve.comparison.contestants import Contestant
from claimsieve.comparison.tested import read_tested
from claimsieve.errors import ClaimsieveError, DataError, ModelError
from claimsieve.evaluation import conformal, shortcuts
from claimsieve.evaluation.assessment import DECISIONS, EVALUATION, SHORTCUTS
from claimsieve.evaluation.documents import AUDIT
from claimsieve.evaluation.evaluate import Estimate, Evaluation
from claimsieve.evaluation.evaluate import from_json as evaluation_from_json
from claimsieve.models.artifacts import CONFIG, read_manifest, verify
from claimsieve.settings import Card, Gate, RunConfig

_CANDIDATE, _CHAMPION = "candidate", "champion"
_SHOWN_SLICES = 3

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that the gate asks for; expected and found are words and numbers for a reader."""

    name: str
    holds: bool
    expected: str
    found: str


def conditions(directory: Path, gate: Gate, *, champion: Path | None) -> list[Condition]:
    """Every condition that the gate asks for, on the model directory of a candidate.

    champion: the model directory that holds the alias now; None while none does. What cannot be read does not hold.

    Macro-F1 and the margin have to clear their bound with the lower end of their interval: the candidate is often the
    best of many, chosen by these very numbers, and a value over the bound may be the luck of a small test split. The
    calibration error counts by its value, since resampling alone makes it larger, and coverage by its value, since its
    bound lies below the coverage that was asked for in training. A slice, the rows as a whole among them, is worse when
    the difference is beyond the bound and `claimsieve compare` calls it sure: more than luck, with p corrected for the
    number of slices, or among many small ones some would always look worse.
    """
    bounds: list[tuple[str, float | None, str, Callable[[Path, float], tuple[bool, str]]]] = [
        ("macro-F1", gate.min_macro_f1, "{:.3f} or more at the interval's lower end", _macro_f1),
        ("margin over shortcuts", gate.min_margin_over_shortcuts, "{:+.3f} or more at the lower end", _margin),
        ("calibration error", gate.max_ece, "{:.3f} or less (ECE)", _calibration_error),
        ("coverage", gate.min_coverage, "{:.3f} or more of each label's sets hold it", _coverage),
        (
            "no worse slice",
            gate.max_slice_regression,
            "no slice surely more than {:.3f} below the champion",
            lambda place, bound: _slices(place, champion, bound),
        ),
    ]
    found = [_condition("model directory", "every file as it was saved", lambda: _verified(directory))]
    for name, bound, expected, check in bounds:
        if bound is not None:
            found.append(_condition(name, expected.format(bound), lambda c=check, b=bound: c(directory, b)))  # type: ignore[misc]
    if gate.clean_audit:
        found.append(_condition("clean audit", "no finding that the run does not accept", lambda: _audited(directory)))
    if gate.complete_card:
        found.append(_condition("model card", ", ".join(Card.model_fields), lambda: _card(directory)))
    return found


def read_run_config(directory: Path) -> RunConfig:
    """The config that a model directory was made with. Raises ConfigError."""
    return configs.validate(yaml12.read(directory / CONFIG), place=str(directory / CONFIG))


def read_evaluation(directory: Path) -> Evaluation:
    """The evaluation of a model directory. Raises ModelError."""
    return _read(directory / EVALUATION, evaluation_from_json)


def _condition(name: str, expected: str, look: Callable[[], tuple[bool, str]]) -> Condition:
    try:
        holds, found = look()
    except ClaimsieveError as error:
        holds, found = False, str(error)
    return Condition(name, holds, expected, found)


def _verified(directory: Path) -> tuple[bool, str]:
    manifest = read_manifest(directory)
    verify(directory, manifest)
    return True, f"fingerprint {manifest.fingerprint[:12]}"


def _macro_f1(directory: Path, bound: float) -> tuple[bool, str]:
    overall = read_evaluation(directory).overall
    estimate = overall.metrics["macro_f1"]
    return estimate is not None and estimate.low >= bound, f"{_shown(estimate)}, n = {overall.n:,}"


def _margin(directory: Path, bound: float) -> tuple[bool, str]:
    if not (directory / SHORTCUTS).is_file():
        return False, "not measured. Train with evaluation.shortcuts: true"
    measured = _read(directory / SHORTCUTS, shortcuts.from_json)
    if measured.margin is None:
        return False, "not measured"
    where = f"over {measured.best}, n = {measured.n:,}"
    return measured.margin.low >= bound, f"{_shown(measured.margin, sign='+')} {where}"


def _calibration_error(directory: Path, bound: float) -> tuple[bool, str]:
    overall = read_evaluation(directory).overall
    estimate = overall.metrics["ece"]
    return estimate is not None and estimate.value <= bound, f"{_shown(estimate)}, n = {overall.n:,}"


def _coverage(directory: Path, bound: float) -> tuple[bool, str]:
    measured = _read(directory / DECISIONS, _coverage_of)
    if measured is None or not measured.labels:
        return False, "not measured. Train with a calibration split: data.split.calibration over 0"
    label, part = min(measured.labels.items(), key=lambda item: item[1].covered.value)
    return part.covered.value >= bound, f"{label} {_shown(part.covered)}, n = {part.n:,}"


def _coverage_of(document: Mapping[str, Any]) -> conformal.Coverage | None:
    found = document["coverage"]
    return None if found is None else conformal.from_json(found)


def _slices(directory: Path, champion: Path | None, bound: float) -> tuple[bool, str]:
    if champion is None:
        return True, "no champion yet"
    if read_manifest(directory).fingerprint == read_manifest(champion).fingerprint:
        return True, "it is the champion"
    settings = read_evaluation(directory).settings
    places = {_CANDIDATE: directory, _CHAMPION: champion}
    try:
        compared = compare(
            [Contestant(name, (read_tested(at, seed=read_manifest(at).seed),)) for name, at in places.items()],
            resamples=int(settings["resamples"]),
            min_slice_rows=int(settings["min_slice_rows"]),
        )
    except DataError as error:  # other rows: one of the two may have been trained on them
        raise DataError(f"{error} To promote without this, set gate.max_slice_regression: null.") from None
    pair = compared.between(_CANDIDATE, _CHAMPION)
    differences = [("all rows", pair.difference, pair.sure, compared.n)]
    differences += [
        (f"{one.kind} {one.name!r:.80}", one.difference, one.outcome != "noise", one.n) for one in pair.slices
    ]
    differences.sort(key=lambda one: one[1].value)
    worse = [one for one in differences if one[1].value < -bound and one[2]]
    told = "; ".join(
        f"{name} {_shown(difference, sign='+')}, n = {n:,}"
        for name, difference, _, n in (worse[:_SHOWN_SLICES] or differences[:1])
    )
    if not worse:
        return True, f"none of {len(differences)}; lowest: {told}"
    more = f"; and {len(worse) - _SHOWN_SLICES} more" if len(worse) > _SHOWN_SLICES else ""
    return False, f"{len(worse)} of {len(differences)}: {told}{more}"


def _audited(directory: Path) -> tuple[bool, str]:
    if not (directory / AUDIT).is_file():
        return False, f"no {AUDIT}. Train again with this version"
    failures = _read(directory / AUDIT, _unaccepted)
    return not failures, f"{failures}. Mend the data, or accept it by name: data.audit.accept" if failures else "clean"


def _unaccepted(document: Mapping[str, Any]) -> str:
    findings, accepted = document["findings"], document["accepted"]
    return ", ".join(f"{one['check']} ({int(one['count']):,})" for one in findings if one["check"] not in accepted)


def _card(directory: Path) -> tuple[bool, str]:
    card = read_run_config(directory).card
    missing = [name for name in Card.model_fields if not _said(getattr(card, name))]
    return not missing, f"{', '.join(missing)} missing. Say it under card: and train again" if missing else "complete"


def _said(value: str | Sequence[str] | None) -> bool:
    texts = [value] if isinstance(value, str) else value or []
    return any(text.strip() for text in texts)


def _shown(estimate: Estimate | None, *, sign: str = "") -> str:
    if estimate is None:
        return "undefined"
    return f"{estimate.value:{sign}.3f} [{estimate.low:{sign}.3f}, {estimate.high:{sign}.3f}]"


def _read(path: Path, parse: Callable[[Any], _Read]) -> _Read:
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ModelError(f"no {path.name}. Train again with this version.") from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ModelError(f"{path.name} cannot be read ({error}). Copy the directory again, or retrain.") from None
