"""The pictures of the claims of a file, looked up in an index of known ones while the file is labelled."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from claimsieve.data.files import record_cells
from claimsieve.data.sources import only_file
from claimsieve.errors import ConfigError
from claimsieve.inference.windows import Item
from claimsieve.media.archive import known_files
from claimsieve.media.evidence import MAX_PICTURES, RECYCLED, PictureChecker, Pictured, pictured
from claimsieve.media.index import PictureIndex
from claimsieve.media.places import Located

# What stands in a row beside the rest, where pictures are looked up. A model may give the first three as well.
PICTURE_COLUMNS = ("manipulation", "abstained", "reasons", "techniques", "pictures", "pictures_unmatched")


class Pictures:
    """Looks the pictures of claims up, each file once.

    source: of the claims, beside whose files the pictures lie. root: a folder that they may lie in as well, and may not
    lead out of. leeway_days: how much older than its claim a known picture may be and not be called recycled. as_of,
    dated_only: leave out what became known later, and what has no date. places: where names lead that were followed
    already; others are taken from the folder.
    Raises ConfigError for a recipe without a root.
    """

    def __init__(
        self,
        index: PictureIndex,
        source: str,
        *,
        root: Path | None = None,
        leeway_days: int = 0,
        as_of: str | None = None,
        dated_only: bool = False,
        places: Mapping[str, Located] | None = None,
    ) -> None:
        if source.startswith("recipe:") and root is None:
            raise ConfigError(f"--media-index: expected --media-root with {source}, which has no folder of pictures.")
        self._index, self._source, self._root, self._leeway_days = index, source, root, leeway_days
        self._pictured = partial(pictured, leeway_days=leeway_days, as_of=as_of, dated_only=dated_only)
        self._limits = {"as_of": as_of, "dated_only": dated_only}
        self._checker = PictureChecker(index, root=root, places=places)
        self._bases: dict[str, Path] = {}

    def identity(self) -> dict[str, Any]:
        """What the answers hang on, as JSON; the picture files themselves are not part of it."""
        return {
            "index": self._index.fingerprint,
            "threshold": self._index.threshold,
            "root": None if self._root is None else str(self._root.resolve()),
            "leeway_days": self._leeway_days,
            **self._limits,
        }

    def of(self, items: Sequence[Item]) -> list[Pictured]:
        """What the pictures of each claim tell, in order."""
        by_file: dict[str, list[str]] = {}
        for item in items:
            by_file.setdefault(item.file, []).extend(dict.fromkeys(item.claim.media[:MAX_PICTURES]))
        answers = {file: self._checker.check(names, base=self._base(file)) for file, names in by_file.items() if names}
        return [self._pictured(item.claim, answers.get(item.file, {})) for item in items]

    def known_files(self, names: Iterable[str], *, folders: Sequence[Path]) -> dict[str, Path]:
        """Name → file of known pictures that still lie where they did. folders: that names are taken from."""
        return known_files(self._index, names, folders=folders)

    def _base(self, file: str) -> Path:
        """The folder of a claims file."""
        if file not in self._bases:
            if self._source.startswith("recipe:") and self._root is not None:
                self._bases[file] = self._root
            elif self._source == "-":
                self._bases[file] = Path()
            else:
                self._bases[file] = Path(file or only_file(self._source)).parent
        return self._bases[file]


def picture_values(columns: Mapping[str, Sequence[Any]], found: Sequence[Pictured]) -> dict[str, list[Any]]:
    """What pictures add to the columns of a prediction, name → a value for each row.

    manipulation: true where a picture is recycled, else what the model says; None where it does not say. abstained:
    true where a picture is recycled, however sure the model is; else what the model says. reasons: the model's, and why
    a picture has no answer. The label and its probabilities stay the model's own, which has read what the pictures tell
    among the evidence.
    """
    nobody: list[Any] = [None] * len(found)
    none: list[list[str]] = [[] for _ in found]
    decided = [False] * len(found)
    return {
        "manipulation": [
            True if one.recycled else said for one, said in zip(found, columns.get("manipulation", nobody), strict=True)
        ],
        "abstained": [one.recycled or left for one, left in zip(found, columns.get("abstained", decided), strict=True)],
        "reasons": [[*why, *_reasons(one)] for one, why in zip(found, columns.get("reasons", none), strict=True)],
        "techniques": [[RECYCLED] if one.recycled else [] for one in found],
        "pictures": [list(one.hits) for one in found],
        "pictures_unmatched": [[asdict(why) for why in one.unmatched] for one in found],
    }


def shown_evidence(fields: Mapping[str, Any], found: Pictured) -> Any:
    """A row's evidence with what its pictures told behind it, so that passages count as the model counted them."""
    own = record_cells({"evidence": fields.get("evidence")}).get("evidence")
    # What stands in a column of another name (--map) is told again.
    passages = found.claim.evidence if own is None else found.passages
    added = [{key: value for key, value in asdict(passage).items() if value is not None} for passage in passages]
    there = [] if own is None else own if isinstance(own, list) else [own]
    return [*there, *(passage for passage in added if passage not in there)]


def _reasons(found: Pictured) -> list[str]:
    recycled = ["picture_recycled"] if found.recycled else []
    undated = ["picture_undated_claim"] if found.undated else []
    return [*recycled, *undated, *dict.fromkeys(why.reason for why in found.unmatched)]


def opened_pictures(
    folder: Path,
    source: str,
    *,
    root: Path | None,
    leeway_days: int,
    as_of: str | None = None,
    dated_only: bool = False,
    places: Mapping[str, Located] | None = None,
) -> Pictures:
    """An index, ready for the pictures of a file; the rest as in Pictures. Raises as `load_index` and Pictures do."""
    from claimsieve.media.decoding import require_packages
    from claimsieve.media.index import load_index

    require_packages()
    index = load_index(folder)
    return Pictures(
        index, source, root=root, leeway_days=leeway_days, as_of=as_of, dated_only=dated_only, places=places
    )
