"""From hits to evidence: a sentence in our words, dates compared, and 'recycled' where a picture is older.

A hit says that two pictures look alike and since when the known one has been about. It does not say what either of them
shows, nor that anybody meant to deceive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from claimsieve.media.dates import days_of, relation
from claimsieve.media.decoding import PictureError
from claimsieve.media.fingerprints import Fingerprint, fingerprint_files
from claimsieve.media.index import PictureIndex
from claimsieve.media.places import Located, Place, PlaceError, PlaceReason, located
from claimsieve.media.search import Hit, Search, search
from claimsieve.media.wording import hit_row, quoted, words_of
from claimsieve.records import Claim, Evidence

SOURCE = "picture index"
RECYCLED = "recycled"
MAX_PICTURES = 20  # of one claim
_MOST_CHECKED = 100_000  # pictures whose answer is remembered

PictureReason = (
    PlaceReason | Literal["picture_unreadable", "picture_low_quality", "picture_common", "pictures_too_many"]
)


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A picture that was not matched, and why: one word for a row's reasons, and a sentence."""

    picture: str
    reason: PictureReason
    words: str


@dataclass(frozen=True, slots=True)
class Pictured:
    """A claim with what its pictures tell.

    claim: with a passage for each picture that has a hit, behind its own, and 'recycled' among its manipulation where a
    known one is older than the claim. hits: as rows show them (`hit_row`). unmatched: pictures without an answer.
    undated: whether a known picture has a date and the claim has none, so that nobody can say which is older.
    """

    claim: Claim
    hits: tuple[dict[str, Any], ...] = ()
    unmatched: tuple[Unmatched, ...] = ()
    passages: tuple[Evidence, ...] = ()
    recycled: bool = False
    undated: bool = False


Checked = Search | Unmatched


class PictureChecker:
    """Looks pictures up in an index, each file once for as long as it lasts.

    places: where names lead that were followed already.
    """

    def __init__(
        self, index: PictureIndex, *, root: Path | None = None, places: Mapping[str, Located] | None = None
    ) -> None:
        self._index, self._root, self._places = index, root, {} if places is None else places
        self._known: dict[Path, Checked] = {}

    def check(self, names: Sequence[str], *, base: Path) -> dict[str, Checked]:
        """What is known of each picture, by the name that a claim gives it. base: the folder that names are from."""
        found: dict[str, Checked] = {}
        paths: dict[str, Path] = {}
        for name in dict.fromkeys(names):
            try:
                paths[name] = self._located(name, base)
            except PlaceError as error:
                found[name] = Unmatched(name, error.reason, str(error))
        new = [path for path in dict.fromkeys(paths.values()) if path not in self._known]
        if len(self._known) + len(new) > _MOST_CHECKED:
            self._known = {path: self._known[path] for path in paths.values() if path in self._known}
        self._known.update(zip(new, checked(self._index, new), strict=True))
        for name, path in paths.items():
            answer = self._known[path]
            found[name] = replace(answer, picture=name) if isinstance(answer, Unmatched) else answer
        return found

    def _located(self, name: str, base: Path) -> Path:
        known = self._places.get(name)
        if isinstance(known, PlaceError):
            raise known
        return located(name, Place(base, self._root)) if known is None else known


def checked(index: PictureIndex, paths: Sequence[Path]) -> list[Checked]:
    """What is known of picture files, in order."""
    fingerprints = list(fingerprint_files(paths)) if paths else []
    readable = [one for one in fingerprints if isinstance(one, Fingerprint)]
    searches = iter(search(index, readable))
    return [
        Unmatched(path.name, "picture_unreadable", str(one)) if isinstance(one, PictureError) else next(searches)
        for path, one in zip(paths, fingerprints, strict=True)
    ]


def with_pictures(claim: Claim, index: PictureIndex, *, base: Path) -> tuple[Claim, list[dict[str, Any]]]:
    """A claim with what its pictures tell as evidence, and the hits. base: the folder that their names are taken from.

    A picture that is not there or cannot be read leaves the claim as it is; `pictured` says why.
    """
    found = pictured(claim, PictureChecker(index).check(claim.media[:MAX_PICTURES], base=base))
    return found.claim, list(found.hits)


def pictured(
    claim: Claim,
    answers: Mapping[str, Checked],
    *,
    leeway_days: int = 0,
    as_of: str | None = None,
    dated_only: bool = False,
) -> Pictured:
    """A claim with the answers on its pictures.

    answers: of at least its first MAX_PICTURES ones. leeway_days: how much older than the claim a known picture may be
    and not be called recycled. as_of, dated_only: leave out what became known later, and what has no date.
    """
    names = list(dict.fromkeys(claim.media))
    hits: list[dict[str, Any]] = []
    unmatched: list[Unmatched] = []
    passages: list[Evidence] = []
    recycled = undated = False
    for name in names[:MAX_PICTURES]:
        answer = answers[name]
        if (why := why_unmatched(name, answer)) is not None:
            unmatched.append(why)
        told = () if isinstance(answer, Unmatched) else _told(answer.hits, as_of=as_of, dated_only=dated_only)
        if not told:
            continue
        hits += [hit_row(name, hit, claim.date, leeway_days=leeway_days) for hit in told]
        telling = telling_hit(told)
        recycled = recycled or relation(telling.known.date, claim.date, leeway_days=leeway_days) == "before"
        undated = undated or (telling.known.date is not None and claim.date is None)
        passages.append(passage_of(telling, claim.date))
    if len(names) > MAX_PICTURES:
        words = (
            f"expected at most {MAX_PICTURES} pictures of a claim, found {len(names):,}; the others were not looked at"
        )
        unmatched.append(Unmatched(names[MAX_PICTURES], "pictures_too_many", words))
    # One picture under two names says it once, and not again where the claim came with it.
    passages = [passage for passage in dict.fromkeys(passages) if passage not in claim.evidence]
    changed = replace(claim, evidence=(*claim.evidence, *passages))
    if recycled and RECYCLED not in (claim.manipulation or ()):
        changed = replace(changed, manipulation=(*(claim.manipulation or ()), RECYCLED))
    return Pictured(changed, tuple(hits), tuple(unmatched), tuple(passages), recycled, undated)


def _told(hits: Sequence[Hit], *, as_of: str | None, dated_only: bool) -> tuple[Hit, ...]:
    """The hits that may be told. "2020-01" may be the last of the month, so it is after the 8th."""
    last = None if as_of is None else days_of(as_of)[1]
    return tuple(
        hit
        for hit in hits
        if (not dated_only if hit.known.date is None else last is None or days_of(hit.known.date)[1] <= last)
    )


def why_unmatched(name: str, answer: Checked) -> Unmatched | None:
    """Why a picture has no answer that could be relied on; None where it has: a hit, or none."""
    if isinstance(answer, Unmatched):
        return answer
    if not answer.matchable:
        words = f"its fingerprint rests on next to nothing (quality {answer.quality} of 100), so it was not looked up"
        return Unmatched(name, "picture_low_quality", words)
    if answer.negative is not None:
        known = Path(answer.negative.known.file).name
        words = f"it looks like {quoted(known)} (distance {answer.negative.distance}), which is marked to match nothing"
        return Unmatched(name, "picture_common", words)
    if answer.silenced and not answer.hits:
        words = "the known pictures that it looks like are near one that is marked to match nothing"
        return Unmatched(name, "picture_common", words)
    return None


def telling_hit(hits: Sequence[Hit]) -> Hit:
    """The hit that says most of a picture's age: the oldest one, and among equally old ones the nearest."""
    dated = [hit for hit in hits if hit.known.date is not None]
    return min(dated, key=lambda hit: days_of(hit.known.date or "")[1]) if dated else hits[0]


def passage_of(hit: Hit, claimed: str | None) -> Evidence:
    """A hit as evidence. claimed: the date to compare with."""
    return Evidence(words_of(hit, claimed), SOURCE, hit.known.date, hit.known.page)
