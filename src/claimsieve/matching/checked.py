"""Claims that somebody has checked already, as a file or a recipe has them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimsieve.data.corpora import require_columns
from claimsieve.data.fields import field_mapper
from claimsieve.data.files import Reject, columns, format_of, record_cells
from claimsieve.data.sources import files_of
from claimsieve.errors import ConfigError, DataError
from claimsieve.inference.sources import check_columns, check_paths
from claimsieve.inference.windows import ItemReader, windows
from claimsieve.records import LABELS, STANCES, label_of

MAX_CHECKED = 1_000_000
_MAX_VERDICT_CHARACTERS = 200
_MAX_URL_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Checked:
    """label: the verdict, as one of our labels where it can be, else in the file's own words; None: not given.

    date: of the check, as far as the file's `date` is that. is_made: a model gave the label (there are probabilities
    beside it), and nobody may have looked.
    """

    claim: str
    label: str | None = None
    date: str | None = None
    source: str | None = None
    url: str | None = None
    lang: str | None = None
    is_made: bool = False


def read_checked(sources: Sequence[str], *, mapping: Mapping[str, str]) -> Iterator[Checked | Reject]:
    """Claims of files, directories, patterns or recipes, with what each says of a verdict.

    mapping: as for predict, and `url`, which is no field of a claim. Raises DataError when there are too many.
    """
    count = 0
    for source in sources:
        own = {} if source.startswith("recipe:") else mapping
        of_record = {field: column for field, column in own.items() if field != "url"}
        # The verdict is read here, in whatever words it is.
        reader = ItemReader(source, of_record, ("claim", "source", "date"))
        mapper = field_mapper(of_record, place="--against-map")
        for window in windows(source):
            for row in window.rows:
                item = reader(row)
                count += 1
                if count > MAX_CHECKED:
                    raise DataError(f"{source}: expected at most {MAX_CHECKED:,} checked claims, found more.")
                if isinstance(item, Reject):
                    yield Reject(item.place, item.reason, item.excerpt, item.file or source)
                    continue
                fields = record_cells(mapper(item.fields))
                claim = item.claim
                yield Checked(
                    claim.claim,
                    _verdict(fields),
                    claim.date,
                    claim.source,
                    _web_address(fields.get(own.get("url", "url"))),
                    _text(fields.get("lang"), 20),
                    "p_verified" in fields,
                )


def check_against(sources: Sequence[str], mapping: Mapping[str, str], target: str) -> None:
    """Fail before the encoder is opened: the files are there, have a claim, and are not the output.

    Raises DataError, or ConfigError for a bad map.
    """
    of_record = {field: column for field, column in mapping.items() if field != "url"}
    field_mapper(of_record, place="--against-map")
    for source in sources:
        if source == "-":
            raise ConfigError("--against -: expected a file of checked claims, found standard input.")
        check_paths(source, target)
        check_columns(source, {} if source.startswith("recipe:") else of_record, option="--against-map")
        if "url" in mapping and not source.startswith("recipe:"):
            _check_url_column(source, mapping)


def _check_url_column(source: str, mapping: Mapping[str, str]) -> None:
    """Raises DataError when a table lacks the column that the map names for the address."""
    for name in files_of(source):
        if format_of(name) != "jsonl":
            require_columns(name, columns(name), mapping, option="--against-map")


def _verdict(fields: Mapping[str, Any]) -> str | None:
    label, stance = fields.get("label"), fields.get("stance")
    if label in LABELS:
        return str(label)
    if stance in STANCES and label in (None, ""):
        return label_of(stance, bool(fields.get("manipulation")))
    return _text(label, _MAX_VERDICT_CHARACTERS) or _text(fields.get("rating"), _MAX_VERDICT_CHARACTERS)


def _web_address(value: Any) -> str | None:
    text = _text(value, _MAX_URL_CHARACTERS)
    return text if text and text.lower().startswith(("https://", "http://")) else None


def _text(value: Any, limit: int) -> str | None:
    """A text of one line and no more than so many characters, else None. A verdict may be true or false."""
    if isinstance(value, bool | int):
        value = str(value).lower()
    if not isinstance(value, str) or len(value) > limit:
        return None
    # Half characters cannot be written, and are no part of a verdict or an address.
    return " ".join(value.encode("utf-8", "ignore").decode().split()) or None
