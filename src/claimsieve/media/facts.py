"""What is known of a picture: the date, the place and the page that it is known from, and under which title."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from claimsieve.data.files import Reject, read_rows
from claimsieve.data.rows import json_object, record_cells
from claimsieve.errors import DataError
from claimsieve.media.dates import days_of
from claimsieve.media.exif import Taken

DatedBy = Literal["publication", "camera"]

FACTS = ("date", "place", "page", "title")
MAX_CHARACTERS = {"place": 200, "page": 2_000, "title": 500}
_MAX_SIDECAR_BYTES = 1_000_000
_MOST_TOLD = 20


class FactsError(ValueError):
    """What is said of a picture cannot be used; the message is the reason, without its place."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Where a picture is known from. date: YYYY, YYYY-MM or YYYY-MM-DD. dated_by: who says so; None without a date."""

    date: str | None = None
    place: str | None = None
    page: str | None = None
    title: str | None = None
    dated_by: DatedBy | None = None


@dataclass(frozen=True, slots=True)
class About:
    """A list of facts. facts: by the whole path of a picture; one that is known from several pages has several."""

    name: str = ""
    facts: Mapping[Path, tuple[Facts, ...]] = field(default_factory=dict)


def facts_of(row: Mapping[str, Any]) -> Facts:
    """The facts in a row; other keys are the owner's own. Raises FactsError."""
    found = {key: _text(row, key) for key in FACTS}
    if found["date"] is not None:
        try:
            days_of(found["date"])
        except ValueError as error:
            raise FactsError(str(error)) from None
    if found["page"] is not None and not is_web_address(found["page"]):
        raise FactsError(
            f"expected 'page' as an address that begins with http:// or https://, found {found['page']!r:.60}"
        )
    return Facts(**found, dated_by=None if found["date"] is None else "publication")


def is_web_address(text: str) -> bool:
    """Whether it is one that a page may link to."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    plain = all(character.isprintable() and character not in " \"'<>`\\" for character in text)
    return plain and parts.scheme in ("http", "https") and bool(parts.netloc)


def read_about(name: str) -> About:
    """A list of pictures: CSV, TSV, JSON Lines or Parquet with `file` and any of date, place, page and title.

    Files are named from the list's own folder. Raises DataError that names all rows that cannot be used: an index made
    without them would hold their pictures as of no known date, and keep those beside the mended ones.
    """
    folder = Path(name).resolve().parent
    facts: dict[Path, tuple[Facts, ...]] = {}
    bad: list[str] = []
    for row in read_rows(name):
        if isinstance(row, Reject):
            bad.append(f"row {row.place}: {row.reason}")
            continue
        try:
            fields = record_cells(row.fields)
            file = _text(fields, "file", most=4_000)
            if file is None:
                raise FactsError(f"expected a column 'file', found {', '.join(map(str, fields)) or 'none':.200}")
            path = _whole(folder / file)
            facts[path] = (*facts.get(path, ()), facts_of(fields))
        except FactsError as error:
            bad.append(f"row {row.place}: {error}")
    if bad:
        more = f"; and {len(bad) - _MOST_TOLD:,} more" if len(bad) > _MOST_TOLD else ""
        raise DataError(f"{name}: {'; '.join(bad[:_MOST_TOLD])}{more}. Mend {'it' if len(bad) == 1 else 'them'}.")
    if not facts:
        raise DataError(f"{name}: expected a list of pictures (file, date, place, page, title), found no row.")
    return About(name, facts)


def known_facts(path: Path, *, about: About, taken: Taken) -> tuple[Facts, ...]:
    """What is known of a picture: by the list, else by the file beside it, and what both lack by its camera.

    Raises FactsError when the file beside it cannot be used.
    """
    found = about.facts.get(_whole(path)) or (_beside(path),)
    return tuple(_completed(one, taken) for one in found)


def _completed(facts: Facts, taken: Taken) -> Facts:
    place = facts.place or taken.place
    if facts.date is None and taken.date is not None:
        return replace(facts, place=place, date=taken.date, dated_by="camera")
    return replace(facts, place=place)


def _beside(path: Path) -> Facts:
    """Of `photo.jpg.json` or `photo.json` next to photo.jpg."""
    for beside in (path.with_name(f"{path.name}.json"), path.with_suffix(".json")):
        try:
            if not beside.is_file():
                continue
            with beside.open("rb") as stream:
                content = stream.read(_MAX_SIDECAR_BYTES + 1)
            if len(content) > _MAX_SIDECAR_BYTES:
                raise FactsError(f"expected at most {_MAX_SIDECAR_BYTES:,} bytes, found more")
            return facts_of(json_object(content.decode("utf-8-sig")))
        except OSError as error:
            raise FactsError(f"{beside.name} cannot be read: {error.strerror or error}") from None
        except ValueError as error:
            raise FactsError(f"{beside.name}: {error}") from None
    return Facts()


def _text(row: Mapping[str, Any], key: str, *, most: int | None = None) -> str | None:
    value = row.get(key)
    if value is None or value == "":
        return None
    if key == "date" and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # a bare year
    if not isinstance(value, str):
        raise FactsError(f"expected text in '{key}', found {value!r:.60}")
    limit = most or MAX_CHARACTERS.get(key, 100)
    if len(value) > limit:
        raise FactsError(f"expected at most {limit:,} characters in '{key}', found {len(value):,}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise FactsError(f"'{key}' holds half a character (a lone surrogate)") from None
    return value.strip() or None


def _whole(path: Path) -> Path:
    """Without links in its folders or '..', so that one file has one name; a link of its own stays."""
    try:
        if "\0" in str(path):
            raise ValueError("a null character")
        return path.parent.resolve() / path.name
    except (OSError, ValueError, RuntimeError) as error:
        raise FactsError(f"expected the name of a file, found {str(path)!r:.60} ({error})") from None
