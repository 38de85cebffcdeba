"""Who says it, and of whom, made unreadable: names of states, parties and outlets become placeholders."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import count

from claimsieve.data.editing.texts import replaced
from claimsieve.records import Claim, Evidence

_FILES = {"Country": "states.txt", "Party": "parties.txt", "Outlet": "outlets.txt"}
# "RT @somebody" is a tweet sent on, and in "Green Party A" there is a placeholder already.
_NOT_BEFORE = {"RT": r"(?!\s*@)", "Party": r"(?! [A-Z]\b)"}
_FORMS = ("{}", "{}'s", "people of {}")  # for names, adjectives and people: "Country A's" for "Danish"


@dataclass(frozen=True, slots=True)
class _Name:
    """What a name is of. number: its line in the file, so that all its names have one placeholder."""

    kind: str
    number: int
    form: str


def masked_names(claim: Claim) -> Claim:
    """The claim with placeholders for names of states, parties and news outlets in its claim, source and evidence.

    "Country A", "Party A" or "Outlet A" stands for a name, "Country A's" for an adjective, "people of Country A" for
    its people. All names of one thing have one placeholder throughout the record; letters go by first appearance.
    Names are whole words, as written in data/names or all in capitals, and the longest counts: "China Daily" is an
    outlet. All other text stays, but for "a" or "an" before a name. Masking twice changes nothing more.
    It is for measuring how far a score hangs on who speaks or is spoken of. Persons, cities, addresses and names in
    small letters stay; what is also the name of something else ("Jordan", "Georgia") goes.
    """
    passages = [text for passage in claim.evidence for text in (passage.text, passage.source)]
    texts = [text for text in (claim.claim, claim.source, *passages) if text]
    placeholders = _placeholders(texts)

    def masked(text: str) -> str:
        places = []
        for match in _pattern().finditer(text):
            name = _names()[_plain(match.group())]
            form = "{}" if text[match.end() :].startswith(("'s", "’s")) else name.form
            places.append((*match.span(), form.format(placeholders[name.kind, name.number])))
        return replaced(text, places)

    return replace(
        claim,
        claim=masked(claim.claim),
        source=claim.source and masked(claim.source),
        evidence=tuple(
            Evidence(masked(passage.text), passage.source and masked(passage.source), passage.date, passage.url)
            for passage in claim.evidence
        ),
    )


def named(text: str) -> list[tuple[int, int, str]]:
    """Start and end of each name of a state, party or outlet, and what it is of: one word for all its names."""
    found = []
    for match in _pattern().finditer(text):
        name = _names()[_plain(match.group())]
        found.append((*match.span(), f"{name.kind} {name.number}"))
    return found


def _placeholders(texts: list[str]) -> Mapping[tuple[str, int], str]:
    """Of each thing that the texts name; letters that the texts use already are left out."""
    free = {kind: _free(kind, "\n".join(texts)) for kind in _FILES}
    found: dict[tuple[str, int], str] = {}
    for text in texts:
        for match in _pattern().finditer(text):
            name = _names()[_plain(match.group())]
            if (name.kind, name.number) not in found:
                found[name.kind, name.number] = next(free[name.kind])
    return found


def _free(kind: str, text: str) -> Iterator[str]:
    for number in count():
        letters = chr(ord("A") + number % 26) * (1 + number // 26)
        if not re.search(rf"\b{kind} {letters}\b", text):
            yield f"{kind} {letters}"


@cache
def _names() -> Mapping[str, _Name]:
    """Every name in the files → what it is of. Raises ValueError when one is of two things."""
    found: dict[str, _Name] = {}
    for kind, file in _FILES.items():
        text = resources.files("claimsieve.data").joinpath("names", file).read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines()):
            for form, field in zip(_FORMS, line.split(";"), strict=False) if not line.startswith("#") else ():
                for written in filter(None, map(str.strip, field.split(","))):
                    small = f"the {written[4:]}" if written.startswith("The ") else written
                    for name in {_plain(written), _plain(written.upper()), _plain(small)}:
                        if found.setdefault(name, _Name(kind, number, form)) != _Name(kind, number, form):
                            raise ValueError(f"{file}: expected each name once, found {written!r} again")
    return found


@cache
def _pattern() -> re.Pattern[str]:
    """Any of the names as whole words, the longest first; those with the same first letter in one branch, for speed."""
    branches: dict[str, list[str]] = {}
    for name in sorted(_names(), key=lambda name: (-len(name), name)):
        rest = re.escape(name[1:]).replace(r"\ ", r"\s+").replace("'", "['’]")
        branches.setdefault(name[0], []).append(rest + _NOT_BEFORE.get(name.split()[-1], ""))
    any_name = "|".join(f"{re.escape(first)}(?:{'|'.join(rests)})" for first, rests in sorted(branches.items()))
    return re.compile(rf"(?<!\w)(?:{any_name})(?!\w)")


def _plain(written: str) -> str:
    """A name as the files have it, however it is spaced and whichever apostrophe it has."""
    return " ".join(written.replace("’", "'").split())
