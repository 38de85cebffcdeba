"""From picture files to an index: which files, their fingerprints, and what is known of each."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from claimsieve.errors import ConfigError, DataError
from claimsieve.file_names import written_name
from claimsieve.media.decoding import OTHER_SUFFIXES, SUFFIXES, PictureError
from claimsieve.media.facts import About, FactsError, known_facts
from claimsieve.media.fingerprints import HASH_BYTES, Fingerprint, fingerprint_files
from claimsieve.media.index import (
    KIND,
    MANIFEST,
    THRESHOLD,
    Known,
    PictureIndex,
    check_threshold,
    is_part,
    load_index,
    table_of,
    write_index,
)
from claimsieve.media.lookup import Hashes


@dataclass(frozen=True, slots=True)
class Unread:
    """A picture that is not in the index, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Built:
    """What became of the files. added, repeated: appearances that are new, and those that were in the index already.

    low_quality: files that are listed and never match, as their hashes rest on next to nothing. undated: added ones
    without a date, which cannot show that a picture is older. unread: files that could not be used. unused: pictures
    of the list, by whole path, that were not among the files. pictures, negatives: in the index now.
    """

    added: int
    repeated: int
    low_quality: tuple[str, ...]
    undated: tuple[str, ...]
    unread: tuple[Unread, ...]
    unused: tuple[str, ...]
    pictures: int
    negatives: int


def picture_files(sources: Sequence[str]) -> list[Path]:
    """The pictures that files and folders name, each once; of a folder all below it, by name.

    In a folder hidden files, links and names without a suffix of a picture are left out. Raises DataError for what is
    not there, or when there is no picture at all.
    """
    found: dict[Path, None] = {}
    for source in sources:
        path = Path(source)
        try:
            if path.is_dir():
                found.update(dict.fromkeys(sorted(_below(path), key=lambda name: name.parts)))
            elif os.path.lexists(path):
                found[path] = None
            else:
                raise DataError(f"{source}: expected a picture or a folder of pictures, found nothing.")
        except (OSError, ValueError) as error:  # ValueError: a name with a null character
            raise DataError(f"{source}: cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if not found:
        raise DataError(f"{', '.join(sources)}: expected pictures ({', '.join(SUFFIXES)}), found none.")
    return list(found)


def passed_over(sources: Sequence[str]) -> list[str]:
    """Pictures of other kinds below the folders, which `picture_files` leaves out."""
    folders = [Path(source) for source in sources if Path(source).is_dir()]
    return sorted({written_name(path) for folder in folders for path in _below(folder, OTHER_SUFFIXES)})


def build_index(
    files: Sequence[Path],
    folder: Path,
    *,
    about: About | None = None,
    negatives: bool = False,
    extend: bool = False,
    threshold: int | None = None,
    advance: Callable[[int], None] = lambda files: None,
) -> Built:
    """Fingerprint picture files and write them to an index, a new one or, with `extend`, the one that is there.

    negatives: they are pictures that never count as a match (flags, logos, stock). threshold: of the index; None keeps
    its own, or 31. An appearance that the index has already (same bytes, date and page) is not added again, and takes
    the title and the place that are given now. Raises ConfigError when the place is not as asked, DataError when
    nothing could be read or the disk refuses.
    """
    if threshold is not None:
        check_threshold(threshold)
    check_target(folder, extend=extend)
    about = about or About()
    before = load_index(folder) if extend else None
    made = _fingerprinted(files, about, before, negatives=negatives, advance=advance)
    if not made.pictures and not made.repeated:
        first = made.unread[0]
        raise DataError(f"expected a picture that can be read, found none. The first: {first.file}: {first.reason}.")
    pictures, negative = _write(folder, before, made, threshold)
    return Built(
        added=len(made.pictures),
        repeated=made.repeated,
        low_quality=tuple(one.file for one, rows in zip(made.pictures, made.hashes, strict=True) if not len(rows)),
        undated=tuple(one.file for one in made.pictures if one.date is None and not one.negative),
        unread=tuple(made.unread),
        unused=tuple(
            map(written_name, sorted(about.facts.keys() - {path.parent.resolve() / path.name for path in files}))
        ),
        pictures=pictures - negative,
        negatives=negative,
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """What is new: pictures, and the hashes of each. Shapes: (k, 32)

    repeated: entries that were there already. renamed: by the row of the index, what is said of it now.
    """

    pictures: list[Known]
    hashes: list[Hashes]
    unread: list[Unread]
    repeated: int
    renamed: dict[int, Known]


def _fingerprinted(
    files: Sequence[Path],
    about: About,
    before: PictureIndex | None,
    *,
    negatives: bool,
    advance: Callable[[int], None],
) -> _Made:
    seen = _appearances(before)
    first = 0 if before is None else len(before)
    pictures: list[Known] = []
    hashes: list[Hashes] = []
    unread: list[Unread] = []
    renamed: dict[int, Known] = {}
    repeated = 0
    for path, found in zip(files, fingerprint_files(files, mirrored=False), strict=True):
        advance(1)
        if isinstance(found, PictureError):
            unread.append(Unread(written_name(path), written_name(str(found))))
            continue
        try:
            entries = _known(path, found, about, negative=negatives)
        except FactsError as error:
            unread.append(Unread(written_name(path), written_name(str(error))))
            continue
        for entry in entries:
            row = seen.setdefault(_appearance(entry), first + len(pictures))
            if row == first + len(pictures):
                pictures.append(entry)
                hashes.append(found.hashes)
                continue
            repeated += 1
            if row < first:
                renamed[row] = _renamed(renamed.get(row, entry), entry)
            else:
                pictures[row - first] = _renamed(pictures[row - first], entry)
    return _Made(pictures, hashes, unread, repeated, renamed)


def _known(path: Path, found: Fingerprint, about: About, *, negative: bool) -> list[Known]:
    """One entry for each place that a picture is known from. Raises FactsError."""
    return [
        Known(
            file=written_name(path),
            sha256=found.sha256,
            quality=max((found.quality, *found.qualities)),
            date=facts.date,
            dated_by=facts.dated_by,
            place=facts.place,
            page=facts.page,
            title=facts.title,
            negative=negative,
        )
        for facts in known_facts(path, about=about, taken=found.taken)
    ]


def _appearance(known: Known) -> tuple[Any, ...]:
    """What makes two entries the same: the file's bytes, and where they are known from."""
    return known.sha256, known.date, known.page, known.negative


def _appearances(index: PictureIndex | None) -> dict[tuple[Any, ...], int]:
    """The row of each."""
    if index is None:
        return {}
    names = ("sha256", "date", "page", "negative")
    rows = zip(*(index.pictures.column(name).to_pylist() for name in names), strict=True)
    return {appearance: row for row, appearance in enumerate(rows)}


def _renamed(known: Known, newer: Known) -> Known:
    return replace(known, title=newer.title or known.title, place=newer.place or known.place)


def _with_names(table: Any, renamed: Mapping[int, Known]) -> Any:
    """A table of pictures with the titles and places that are said of some rows now."""
    import pyarrow

    for name in ("title", "place") if renamed else ():
        values = table.column(name).to_pylist()
        for row, known in renamed.items():
            values[row] = getattr(known, name) or values[row]
        table = table.set_column(table.column_names.index(name), name, pyarrow.array(values, pyarrow.string()))
    return table


def _write(folder: Path, before: PictureIndex | None, made: _Made, threshold: int | None) -> tuple[int, int]:
    """Write the old and the new as one index; how many pictures it has, and how many of them are negatives."""
    import pyarrow

    first = 0 if before is None else len(before)
    table = table_of(made.pictures)
    hashes = [np.zeros((0, HASH_BYTES), dtype=np.uint8), *made.hashes]
    counts = np.array([len(rows) for rows in made.hashes], dtype=np.int64)
    owners = [np.repeat(np.arange(len(made.pictures)) + first, counts)]
    if before is not None:
        table = pyarrow.concat_tables([_with_names(before.pictures, made.renamed), table])
        hashes, owners = [before.hashes, *hashes], [before.owners, *owners]
    kept = THRESHOLD if before is None else before.threshold
    write_index(
        folder,
        table.combine_chunks(),
        np.concatenate(hashes),
        np.concatenate(owners),
        threshold=kept if threshold is None else threshold,
    )
    negative = int(np.count_nonzero(table.column("negative").to_numpy()))
    return table.num_rows, negative


def check_target(folder: Path, *, extend: bool) -> None:
    """Raises ConfigError when there is an index and none was expected, or the other way round, or something else.

    What a stop left of an index that was never whole is nothing.
    """
    there = (folder / MANIFEST).exists() and not _is_of_another(folder)
    if extend and not there:
        raise ConfigError(
            f"--extend: expected a picture index in {folder}, found none. Leave --extend out to make one."
        )
    if not extend and there:
        raise ConfigError(
            f"{folder}: expected a new place, found an index. Add to it with --extend, or choose another."
        )
    if not extend and folder.exists() and not (folder.is_dir() and all(map(is_part, folder.iterdir()))):
        raise ConfigError(f"{folder}: expected a new or empty folder, found one in use. Choose another with -o.")


def _below(folder: Path, suffixes: Sequence[str] = SUFFIXES) -> Iterator[Path]:
    for child in folder.iterdir():
        if child.name.startswith(".") or child.is_symlink():
            continue
        if child.is_dir():
            yield from _below(child, suffixes)
        elif child.suffix.lower() in suffixes:
            yield child


def _is_of_another(folder: Path) -> bool:
    """Whether the manifest is that of something else, such as a model."""
    try:
        data = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False  # perhaps an index that is damaged
    return not isinstance(data, dict) or data.get("kind") != KIND
