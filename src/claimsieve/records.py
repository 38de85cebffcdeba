"""The records that travel through claimsieve, and the codebook's table from stance and manipulation to a label."""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date as calendar_date
from functools import lru_cache
from typing import Any, Literal, TypeVar, get_args

Label = Literal["verified", "unverified", "propaganda"]
Stance = Literal["supported", "refuted", "insufficient", "conflicting"]
InputField = Literal["claim", "evidence", "source", "date"]  # what a model may be shown

LABELS: tuple[Label, ...] = get_args(Label)
STANCES: tuple[Stance, ...] = get_args(Stance)

MAX_CLAIM_CHARACTERS = 20_000
MAX_EVIDENCE_CHARACTERS = 1_000_000

_Choice = TypeVar("_Choice", bound=str)
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


class RecordError(ValueError):
    """A row does not make a record; the message is the reason, without its place (the reader adds file and line)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One passage: what it says, who published it, when (YYYY, YYYY-MM or YYYY-MM-DD), and where it stands."""

    text: str
    source: str | None = None
    date: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim with the evidence it came with. Only `claim` is required.

    manipulation: names of the techniques found; () when none was found, None when nobody looked.
    event: the story it belongs to; splits never cut through one. rating: the corpus's own verdict, kept as it was.
    """

    claim: str
    id: str | None = None
    source: str | None = None
    date: str | None = None
    evidence: tuple[Evidence, ...] = ()
    media: tuple[str, ...] = ()
    event: str | None = None
    lang: str | None = None
    label: Label | None = None
    stance: Stance | None = None
    manipulation: tuple[str, ...] | None = None
    rating: str | None = None
    corpus: str | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one claim. `probabilities` has one value in [0, 1] per label and sums to 1.

    probabilities_at_prevalence: the same, turned to a mix of labels that the user named. prediction_set: the labels
    that cannot be ruled out at the level of the calibration; None for a model that has none. abstained: a person
    has to decide, as the set is not one label or no evidence came; reasons says why.
    The probabilities say how strongly the claim, with its evidence, resembles claims of that label in the training
    corpora. They do not say how probable it is that the claim is true.
    """

    id: str | None
    label: Label
    probabilities: Mapping[Label, float]
    probabilities_at_prevalence: Mapping[Label, float] | None = None
    stance: Stance | None = None
    manipulation: bool | None = None
    prediction_set: tuple[Label, ...] | None = None
    abstained: bool = False
    reasons: tuple[str, ...] = ()
    model: str | None = None


def label_of(stance: Stance, manipulation: bool) -> Label:
    """The codebook's table (docs/codebook.md): manipulation matters where the evidence does not settle the claim."""
    if stance == "supported":
        return "verified"
    if stance == "refuted" or manipulation:
        return "propaganda"
    return "unverified"


def claim_from_row(row: Any) -> Claim:
    """Read a Claim from a plain mapping such as one line of JSON. Unknown keys are the caller's own and are ignored.

    evidence may be absent, null, one passage, or a list of passages; a passage is a text or {text, source, date, url}.
    Raises RecordError with the reason when the row does not make a claim.
    """
    if not isinstance(row, (dict, Mapping)):
        raise RecordError(f"expected an object with a key 'claim', found {_kind(row)}")
    if "claim" not in row or row["claim"] is None:
        raise RecordError("no claim")
    text = _text(row, "claim", limit=MAX_CLAIM_CHARACTERS)
    if text is None or _is_blank(text):
        raise RecordError("the claim is empty")
    stance = _choice(row, "stance", STANCES)
    label = _choice(row, "label", LABELS)
    techniques = _texts(row, "manipulation")
    if label is None and stance is not None:
        label = label_of(stance, bool(techniques))
    return Claim(
        claim=text,
        id=_identifier(row.get("id")),
        source=_text(row, "source"),
        date=_date(row.get("date"), "date"),
        evidence=_evidence(row.get("evidence")),
        media=_texts(row, "media") or (),
        event=_identifier(row.get("event"), key="event"),
        lang=_text(row, "lang"),
        label=label,
        stance=stance,
        manipulation=techniques,
        rating=_identifier(row.get("rating"), key="rating"),
        corpus=_text(row, "corpus"),
    )


def row_of_claim(claim: Claim) -> dict[str, Any]:
    """The plain mapping that `claim_from_row` reads back: empty fields are left out, an empty `manipulation` is not."""
    row = asdict(claim)
    row["evidence"] = [{k: v for k, v in asdict(passage).items() if v is not None} for passage in claim.evidence]
    return {k: v for k, v in row.items() if (v is not None and v not in ((), [])) or (k == "manipulation" and v == ())}


def is_day(text: str) -> bool:
    """Whether it is a day as YYYY-MM-DD."""
    return len(text) == len("YYYY-MM-DD") and _is_date(text)


def _evidence(value: Any) -> tuple[Evidence, ...]:
    if value is None or value == "":
        return ()
    passages = value if isinstance(value, list | tuple) else [value]
    result = tuple(passage for item in passages if (passage := _passage(item)) is not None)
    if sum(len(passage.text) for passage in result) > MAX_EVIDENCE_CHARACTERS:
        raise RecordError(f"the evidence is longer than {MAX_EVIDENCE_CHARACTERS:,} characters")
    return result


def _passage(item: Any) -> Evidence | None:
    if isinstance(item, str):
        item = {"text": item}
    if not isinstance(item, (dict, Mapping)):  # dict first: asking an abstract class takes long
        raise RecordError(f"expected an evidence passage as text or object, found {_kind(item)}")
    text = _text(item, "text")
    if text is None:
        raise RecordError("an evidence passage has no text")
    if _is_blank(text):
        return None
    return Evidence(text, _text(item, "source"), _date(item.get("date"), "evidence date"), _text(item, "url"))


def _is_blank(text: str) -> bool:
    """Whether nothing in it can be seen: white space, controls, and what joins or turns letters (Unicode Cf, Cc)."""
    bare = text.strip()
    return not bare or (
        not bare[0].isalnum() and all(c.isspace() or unicodedata.category(c) in ("Cf", "Cc") for c in bare)
    )


def _text(row: Mapping[str, Any], key: str, *, limit: int | None = None) -> str | None:
    value = row.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise RecordError(f"expected text in '{key}', found {_kind(value)}")
    if limit is not None and len(value) > limit:
        raise RecordError(f"'{key}' has {len(value):,} characters; the limit is {limit:,}")
    return value if value.isascii() else _whole(value, key)


def _whole(text: str, key: str) -> str:
    """The text, if it can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RecordError(f"'{key}' holds half a character (a lone surrogate)") from None
    return text


def _texts(row: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    value = row.get(key)
    if value is None:
        return None
    items = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(item, str) for item in items):
        raise RecordError(f"expected a list of texts in '{key}', found {_kind(value)}")
    return tuple(_whole(item, key) for item in items)


def _identifier(value: Any, *, key: str = "id") -> str | None:
    """Ids come as text or whole numbers; both are kept as text."""
    if value is None or isinstance(value, str):
        return _whole(value, key) if value else None
    if isinstance(value, bool) or not isinstance(value, int):
        raise RecordError(f"expected text or a whole number in '{key}', found {_kind(value)}")
    return str(value)


def _choice(row: Mapping[str, Any], key: str, choices: tuple[_Choice, ...]) -> _Choice | None:
    value = row.get(key)
    if value is None or value == "":
        return None
    for choice in choices:
        if value == choice:
            return choice
    raise RecordError(f"expected '{key}' to be one of {', '.join(choices)}, found {value!r:.80}")


def _date(value: Any, key: str) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and len(value) <= 10 and _is_date(value):
        return value
    raise RecordError(f"expected '{key}' as YYYY, YYYY-MM or YYYY-MM-DD, found {value!r:.80}")


@lru_cache(maxsize=4096)  # rows share their dates
def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        calendar_date.fromisoformat(text + "-01-01"[len(text) - 4 :])  # a year or a month is tried as its first day
    except ValueError:
        return False
    return True


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, float) and not math.isfinite(value):
        return "not a finite number"
    if isinstance(value, int | float):
        return "a number"
    names: dict[type[Any], str] = {str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)
