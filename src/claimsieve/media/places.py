"""Where the pictures of a claim lie. Their names come from a stranger's file, and may not lead out of one folder."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PlaceReason = Literal["picture_address", "picture_outside", "picture_missing"]

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: C:\ is a drive
_MOST_CHARACTERS = 4_096


class PlaceError(ValueError):
    """A name that is not followed. reason: the word for it among a row's reasons; the message is a sentence."""

    def __init__(self, reason: PlaceReason, message: str) -> None:
        super().__init__(message)
        self.reason: PlaceReason = reason


Located = Path | PlaceError  # the file that a name leads to, or why it leads to none


@dataclass(frozen=True, slots=True)
class Place:
    """Where names lead. base: the folder they are taken from, that of the claims file or article. root: the folder they
    may not leave, from which they are taken where the base has no such file; None is the base itself."""

    base: Path
    root: Path | None = None


def located(name: str, place: Place) -> Path:
    """The file that a name leads to, links followed.

    Raises PlaceError for a web address, for what lies outside (of which nothing is told, not even whether it is
    there), and for what is not there.
    """
    if _ADDRESS.match(name):
        raise PlaceError("picture_address", "expected a file, found an address; nothing is fetched")
    if not name or "\0" in name or len(name) > _MOST_CHARACTERS:
        raise PlaceError("picture_missing", "expected the name of a file, found none")
    root = (place.root or place.base).resolve()
    outside = False
    for base in dict.fromkeys((place.base, place.root or place.base)):
        try:
            target = (base / name).resolve()
            if not target.is_relative_to(root):
                outside = True
            elif target.is_file():
                return target
        except (OSError, ValueError, RuntimeError):  # a name that no disk can have, links in a circle
            continue
    if outside:
        step = "--media-root names a wider one" if place.root is None else "--media-root does not hold it"
        raise PlaceError(
            "picture_outside", f"expected a file below the folder that names it, found a way out of it; {step}"
        )
    raise PlaceError("picture_missing", "expected a file, found none")
