"""Pictures of articles on the command line: looked up in an index, told, and shown."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimsieve.cli.console import say
from claimsieve.cli.options import check_media

if TYPE_CHECKING:
    from claimsieve.analysis.pictures import Thumbnails
    from claimsieve.inference.pictures import Pictures
    from claimsieve.intake.desk import Intake
    from claimsieve.intake.evidence import Limits
    from claimsieve.intake.media import Album


@dataclass(frozen=True, slots=True)
class Illustrations:
    """What names the pictures of a job and, with an index, looks them up. index: its folder."""

    album: "Album"
    pictures: "Pictures | None" = None
    index: Path | None = None
    leeway_days: int = 0


def illustrations(
    output: Path, limits: "Limits", *, index: Path | None, root: Path | None, leeway_days: int
) -> Illustrations:
    """The pictures of a job that writes into `output`. Fails before an article is read: raises as `opened_pictures`."""
    from claimsieve.intake.media import Album

    check_media(index, root, leeway_days)
    album = Album(output, root=root)
    if index is None:
        return Illustrations(album)
    from claimsieve.inference.pictures import opened_pictures
    from claimsieve.intake.desk import CLAIMS

    pictures = opened_pictures(
        index,
        str(output / CLAIMS),
        root=root,
        leeway_days=leeway_days,
        as_of=limits.as_of,
        dated_only=limits.dated_only,
        places=album.places,
    )
    return Illustrations(album, pictures, index, leeway_days)


def pictured(intake: "Intake", given: Illustrations, *, quiet: bool) -> "tuple[Intake, dict[str, Any]]":
    """The intake with what its pictures tell among the evidence, and how many they are for --json; stderr is told."""
    from claimsieve.intake.media import looked_up

    if given.pictures is None:
        return intake, {}
    found = looked_up(intake.rows, given.pictures)
    for line in found.lines():
        say(line, quiet=quiet)
    return replace(intake, rows=found.rows), {"pictures": found.counts()}


def media_options(given: Illustrations) -> list[str]:
    """The options with which `predict` looks the same pictures up as the article did."""
    if given.index is None:
        return []
    folders = {str(where.parent) for where in given.album.places.values() if isinstance(where, Path)}
    root = given.album.root or (os.path.commonpath(folders) if folders else None)
    leeway = ["--media-leeway", str(given.leeway_days)] if given.leeway_days else []
    return ["--media-index", str(given.index), *([] if root is None else ["--media-root", str(root)]), *leeway]


def thumbnails(rows: Sequence[Mapping[str, Any]], output: Path, given: Illustrations) -> "Thumbnails":
    """What shows pictures on the page of labelled rows.

    Those of articles wherever they were found, and known ones from where the command is given or beside their index.
    """
    from claimsieve.analysis.pictures import Thumbnails

    own = {name: where for name, where in given.album.places.items() if isinstance(where, Path)}
    known: dict[str, Path] = {}
    if given.pictures is not None and given.index is not None:
        named = [str(hit["known"]) for row in rows for hit in row.get("pictures") or ()]
        known = given.pictures.known_files(named, folders=[Path(), given.index.parent])
    return Thumbnails([output], own=own, known=known)
