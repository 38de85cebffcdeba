"""Edits of names: who did it or where it is, of which there can be one only, becomes another of the corpus's names."""

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from claimsieve.data.editing.texts import around, clause_at, content, is_plain, replaced, states, vocabulary, words
from claimsieve.data.masking import named

Pool = Mapping[tuple[str, int], Sequence[str]]

# After these words there is one name, so that another one there refutes the claim. Of "starred in" or "worked with"
# there may be many.
_RELATIONS = {
    "by": vocabulary(
        """directed written founded created designed developed published released composed invented owned led painted
        hosted performed produced played portrayed assassinated killed succeeded preceded acquired recorded sung built
        discovered distributed novel book album song single"""
    ),
    "in": vocabulary(
        """born died located based headquartered situated held set buried filmed city town village county district
        borough university college school suburb municipality"""
    ),
    "of": vocabulary("capital president author director daughter son wife husband king queen founder mayor governor"),
    "to": vocabulary("married belongs"),
}
_RELATION = "|".join(f"(?:{'|'.join(sorted(heads))}) {word}" for word, heads in _RELATIONS.items())
_RELATED = re.compile(
    rf"\b(?P<relation>{_RELATION}) (?P<name>[A-Z][\w’'-]*[a-z](?: (?:[A-Z]\.? )?[A-Z][\w’'-]*[a-z])*)(?![\w-])"
)
_NOT_NAMES = vocabulary(
    """January February March April May June July August September October November December Monday Tuesday Wednesday
    Thursday Friday Saturday Sunday The A An"""
)
# What holds the other names of places, and what names no place or person: these neither come nor go.
_TOO_WIDE = vocabulary(
    """America American Americans Europe European Asia Africa British English French German Earth World United States
    England Scotland Wales Ireland Britain Kingdom Alabama Alaska Arizona Arkansas California Carolina Colorado
    Connecticut Dakota Delaware Florida Georgia Hawaii Idaho Illinois Indiana Iowa Kansas Kentucky Louisiana Maine
    Maryland Massachusetts Michigan Minnesota Mississippi Missouri Montana Nebraska Nevada Hampshire Jersey Mexico Ohio
    Oklahoma Oregon Pennsylvania Rhode Tennessee Texas Utah Vermont Virginia Washington Wisconsin Wyoming Ontario Quebec
    Bavaria Catalonia Siberia Scandinavia North South East West Northern Southern Eastern Western Central"""
)


def pool(claims: Iterable[str]) -> Pool:
    """Names of the claims by the words that they follow and their number of words, in order of the alphabet."""
    found: dict[tuple[str, int], set[str]] = {}
    for claim in claims:
        for match in _RELATED.finditer(claim):
            if not _is_wide(match["name"]):
                found.setdefault(_shape(match), set()).add(match["name"])
    return {shape: sorted(names) for shape, names in found.items()}


def refuting(claim: str, passages: Sequence[str], dice: random.Random, *, names: Pool) -> list[str] | None:
    """A name that there can be one of is another wherever the evidence has it; all else of the claim stays covered."""
    if not is_plain(claim):
        return None
    for match in _RELATED.finditer(claim):
        name = match["name"]
        if (
            claim.count(name) == 1
            and not _is_wide(name)
            and not re.match(r"\s*(?:and|or|&|,)", claim[match.end() :])
            and content(claim) <= content(" ".join((name, *passages)))
            and any(_says(passage, match) for passage in passages)
            and (edited := _changed(claim, passages, name, names.get(_shape(match), ()), dice))
        ):
            return edited
    return None


def harmless(claim: str, passages: Sequence[str], dice: random.Random, *, names: Pool) -> list[str] | None:
    """A name that shares neither its words nor its clause with the claim is another wherever the evidence has it."""
    if not is_plain(claim):
        return None
    found = sorted({(_shape(match), match["name"]) for text in passages for match in _RELATED.finditer(text)})
    for shape, name in dice.sample(found, len(found)):
        beside = [clause_at(text, match.start()) for text in passages for match in _places(text, name)]
        if (
            not _is_wide(name)
            and not any(content(claim) & content(part) for part in (name, *beside))
            and (edited := _changed(claim, passages, name, names.get(shape, ()), dice))
        ):
            return edited
    return None


@lru_cache(maxsize=4_096)
def _is_wide(name: str) -> bool:
    """Whether a place may lie in it: who was born in Lyon was born in France."""
    return bool((_NOT_NAMES | _TOO_WIDE) & set(name.split())) or any(
        kind.startswith("Country ") for *_, kind in named(name)
    )


def _shape(match: re.Match[str]) -> tuple[str, int]:
    return match["relation"], len(match["name"].split())


def _places(text: str, name: str) -> list[re.Match[str]]:
    return list(re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text))


def _says(passage: str, match: re.Match[str]) -> bool:
    """Whether the passage states the name not far after the same word."""
    head = match["relation"].split()[0]
    return any(
        head in around(passage, *place.span(), before=6, after=0)[0]
        and states(passage, place.start())
        and not passage[: place.start()].endswith(", ")  # after "Burnaby, " it only says where Burnaby is
        for place in _places(passage, match["name"])
    )


def _changed(
    claim: str, passages: Sequence[str], name: str, others: Sequence[str], dice: random.Random
) -> list[str] | None:
    """The passages with another name, unless a word of the old one stays."""
    known = content(" ".join((claim, *passages)))
    others = [other for other in others if not content(other) & known]
    if not others:
        return None
    new = dice.choice(others)
    edited = [replaced(text, [(*match.span(), new) for match in _places(text, name)]) for text in passages]
    beginnings = tuple(word[:4] for word in name.split() if len(word) > 3) or (name,)
    stays = any(match.group().startswith(beginnings) for text in edited for match in words(text))
    return None if stays else edited  # "French" would stay when "France" is gone
