"""The pictures of articles in rows: named from the folder that the rows are written to, looked up among known ones."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

from claimsieve.inference.windows import Item
from claimsieve.intake.articles import Article, Picture
from claimsieve.media.places import Located, Place, PlaceError, located
from claimsieve.records import claim_from_row, row_of_claim

if TYPE_CHECKING:
    from claimsieve.inference.pictures import Pictures

_ADDRESS = re.compile(r"(?:https?|file):", re.IGNORECASE)
_MOST_NAMED = 20  # claims on a line
_FETCHED = "expected a file, found a picture of a page that was fetched; nothing more is fetched"


@dataclass(frozen=True, slots=True)
class Album:
    """Names pictures as the rows in `output` do, and keeps where each lies.

    root: a folder that they may lie in, other than their article's. places: name → its file, or why there is none.
    """

    output: Path
    root: Path | None = None
    places: dict[str, Located] = field(default_factory=dict)

    def names(self, pictures: Sequence[Picture], article: Article) -> tuple[str, ...]:
        """What a row calls pictures of an article: paths from `output`, or addresses, of which none is fetched.

        Of several names of one picture it is the first that leads to a file which may be read.
        """
        return tuple(dict.fromkeys(self._name(picture, article) for picture in pictures))

    def _name(self, picture: Picture, article: Article) -> str:
        if article.folder is None:
            return self._kept(_absolute(picture[0], article.url or ""), PlaceError("picture_address", _FETCHED))
        place = Place(article.folder, self.root)
        for name in picture:
            where = located_in(name, place)
            if isinstance(where, Path):
                return self._kept(self._from_output(where) or name, where)
        said = next((name for name in picture if not _ADDRESS.match(name) and not name.startswith("/")), picture[0])
        path = None if _ADDRESS.match(said) else self._from_output(article.folder.resolve() / said)
        return self._kept(path or said, located_in(said, place))

    def _kept(self, name: str, where: Located) -> str:
        # Of two articles one may be allowed what the other is not; it is the same file.
        if isinstance(where, Path) or name not in self.places:
            self.places[name] = where
        return name

    def _from_output(self, path: Path) -> str | None:
        """The path as seen from the output; None where it cannot be written."""
        try:
            name = os.path.relpath(path, self.output.resolve())
            name.encode()
        except ValueError:  # another drive, or a folder whose name is no text
            return None
        return f"./{name}" if ":" in name.partition("/")[0] else name


@dataclass(frozen=True, slots=True)
class LookedUp:
    """Rows with what their pictures tell among the evidence.

    claims: how many have pictures; seen: with one that is known. recycled: ids of those with one that was known before
    their date; undated: of those with a known one and no date. unmatched: reason why pictures have no answer → how many
    claims, and the sentence of the first.
    """

    rows: tuple[dict[str, Any], ...]
    claims: int
    seen: int
    recycled: tuple[str, ...]
    undated: tuple[str, ...]
    unmatched: Mapping[str, tuple[int, str]]

    def counts(self) -> dict[str, Any]:
        """All but the rows, as JSON."""
        reasons = {reason: count for reason, (count, _) in self.unmatched.items()}
        return {"claims": self.claims, "seen": self.seen, "recycled": len(self.recycled), "unmatched": reasons}

    def lines(self) -> Iterator[str]:
        """The same in words."""
        if self.claims:
            have = "claim has" if self.claims == 1 else "claims have"
            yield (
                f"{self.claims:,} {have} pictures; {self.seen:,} with one that was seen before, "
                f"{len(self.recycled):,} with one from before the claim's date (recycled){_named(self.recycled)}"
            )
        if self.undated:
            have = "claim has" if len(self.undated) == 1 else "claims have"
            yield (
                f"{len(self.undated):,} {have} a known picture and no date, so recycled was not judged"
                f"{_named(self.undated)}"
            )
        for reason, (count, words) in self.unmatched.items():
            many = "claim has" if count == 1 else "claims have"
            yield f"{count:,} {many} a picture that was not matched ({reason}): {words}"


def looked_up(rows: Sequence[Mapping[str, Any]], pictures: "Pictures") -> LookedUp:
    """The rows of an intake with their pictures looked up; what a hit says comes behind the other evidence."""
    found = pictures.of([Item(claim_from_row(row), row) for row in rows])
    told = tuple(
        {**row, "evidence": row_of_claim(one.claim)["evidence"]} if one.passages else dict(row)
        for row, one in zip(rows, found, strict=True)
    )
    unmatched: dict[str, tuple[int, str]] = {}
    for one in found:
        for reason, words in {why.reason: why.words for why in reversed(one.unmatched)}.items():
            count, first = unmatched.get(reason, (0, words))
            unmatched[reason] = (count + 1, first)
    return LookedUp(
        told,
        claims=sum(bool(one.claim.media) for one in found),
        seen=sum(bool(one.hits) for one in found),
        recycled=tuple(str(one.claim.id) for one in found if one.recycled),
        undated=tuple(str(one.claim.id) for one in found if one.undated),
        unmatched=unmatched,
    )


def _named(ids: Sequence[str]) -> str:
    """The first claims by id, behind a colon."""
    more = f" and {len(ids) - _MOST_NAMED:,} more" if len(ids) > _MOST_NAMED else ""
    return f": {', '.join(ids[:_MOST_NAMED])}{more}" if ids else ""


def located_in(name: str, place: Place) -> Located:
    """The file that a name leads to, or why there is none."""
    try:
        return located(name, place)
    except PlaceError as error:
        return error


def _absolute(name: str, url: str) -> str:
    """A picture of a page as an address."""
    if _ADDRESS.match(name):
        return name
    try:
        return urljoin(url, quote(name))
    except ValueError:
        return name
