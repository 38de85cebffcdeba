"""How many of an article's claims are found, how many of those found are claims, and how often the speaker is right.

    python experiments/005-articles/measure.py DIR [--errors] [--second DIR]

With --second the annotations of a second person are measured in place of the extractor: how far two people agree.
DIR holds articles (.txt, .md, .html) and beside each a NAME.gold.json. A claim found is a gold one when their spans in
the text overlap with an intersection over union of at least .5, each used once. The speaker is right when the gold
speaker or one of its aliases is what we say or stands in it; where the gold names nobody, we must not either.
Intervals: 95 % percentile bootstrap over articles, whose claims resemble one another.
"""

import argparse
import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimsieve.intake.claims import claims_of
from claimsieve.intake.reading import read_document

LEAST_OVERLAP = 0.5
RESAMPLES = 2_000
SUFFIXES = (".txt", ".md", ".html")


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one article. gold, found: claims annotated and found; matched: both; right: matched with the right speaker."""

    name: str
    gold: int
    found: int
    matched: int
    right: int
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A claim that the extractor, or a second person, sees. speakers: names of whoever says it; none: the outlet."""

    span: tuple[int, int] | None
    speakers: tuple[str, ...]
    words: str


def measured(folder: Path, *, second: Path | None = None) -> list[Counts]:
    """Counts of every article of a folder, by name. second: where a second person's annotations of some of them lie."""
    paths = sorted(folder.glob("*.gold.json"))
    return [_of_article(path, second) for path in paths if second is None or (second / path.name).exists()]


def rates(counts: list[Counts]) -> dict[str, tuple[float, int]]:
    """Recall, precision and attribution, each with what it is a share of."""
    gold, found, matched, right = (
        sum(getattr(one, key) for one in counts) for key in ("gold", "found", "matched", "right")
    )
    return {
        "recall": (matched / max(1, gold), gold),
        "precision": (matched / max(1, found), found),
        "attribution": (right / max(1, matched), matched),
    }


def intervals(counts: list[Counts], *, seed: int = 0) -> dict[str, tuple[float, float]]:
    """95 % intervals of the rates by resampling articles."""
    dice = random.Random(seed)
    draws = [rates([dice.choice(counts) for _ in counts]) for _ in range(RESAMPLES)]
    result = {}
    for key in draws[0]:
        values = sorted(draw[key][0] for draw in draws)
        result[key] = (values[int(0.025 * RESAMPLES)], values[int(0.975 * RESAMPLES) - 1])
    return result


def _of_article(path: Path, second: Path | None) -> Counts:
    name = path.name.removesuffix(".gold.json")
    gold = _gold(path)
    article = next(file for suffix in SUFFIXES if (file := path.with_name(name + suffix)).exists())
    document = read_document(str(article))
    text, places = _one_spaced(document.article.text)
    if second is None:
        found = [
            Told(one.span, (one.speaker,) if one.speaker else (), f"{one.context} {one.speaker!r}: {one.claim}")
            for one in claims_of(document)
        ]
    else:
        found = [
            Told(_span(text, places, claim), tuple(_names(claim)), f"{claim['speaker']!r}: {claim['claim']}")
            for claim in _gold(second / path.name)
        ]
    wanted = [_span(text, places, claim) for claim in gold]
    overlaps = sorted(
        (
            (_iou(one.span, span), number, place)
            for number, one in enumerate(found)
            for place, span in enumerate(wanted)
            if one.span and span
        ),
        reverse=True,
    )
    pairs: dict[int, int] = {}
    for overlap, number, place in overlaps:
        if overlap >= LEAST_OVERLAP and number not in pairs and place not in pairs.values():
            pairs[number] = place
    wrong = [
        f"speaker  {found[number].words} for {gold[place].get('speaker')!r}"
        for number, place in pairs.items()
        if not any(speaker_is_right(one, gold[place]) for one in found[number].speakers or (None,))
    ]
    errors = [f"missed   {claim['quote']}" for place, claim in enumerate(gold) if place not in pairs.values()]
    errors += [f"no claim {one.words}" for number, one in enumerate(found) if number not in pairs]
    return Counts(name, len(wanted), len(found), len(pairs), len(pairs) - len(wrong), (*errors, *wrong))


def _gold(path: Path) -> list[dict[str, Any]]:
    claims: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["claims"]
    return claims


def _names(claim: dict[str, Any]) -> list[str]:
    return [name for name in (claim.get("speaker") or "", *claim.get("speaker_aliases", ())) if _plain(name)]


def speaker_is_right(speaker: str | None, claim: dict[str, Any]) -> bool:
    """Whether what we call the speaker is, or contains, one of the names that the annotation gives."""
    names = [_plain(name) for name in _names(claim)]
    ours = _plain(speaker or "")
    return not ours if not names else any(f" {name} " in f" {ours} " for name in names)


def _plain(name: str) -> str:
    words = "".join(
        character if character.isalnum() else " " for character in name.lower().replace("’", "").replace("'", "")
    )
    first, *rest = words.split() or [""]
    return " ".join(rest if first in ("the", "a", "an") else [first, *rest])


def _one_spaced(text: str) -> tuple[str, list[int]]:
    """The text with every run of white space as one space, and where each of its characters stood."""
    shown: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if not character.isspace():
            shown.append(character)
            places.append(place)
        elif shown and shown[-1] != " ":
            shown.append(" ")
            places.append(place)
    return "".join(shown), places


def _span(text: str, places: list[int], claim: dict[str, Any]) -> tuple[int, int] | None:
    """Where an annotation's quote stands in the article's own text; None where our reader lost it."""
    quote = " ".join(claim["quote"].split())
    start = -1
    for _ in range(int(claim.get("occurrence", 1))):
        later = text.find(quote, start + 1)
        if later < 0:
            break
        start = later
    return None if start < 0 else (places[start], places[start + len(quote) - 1] + 1)


def _iou(one: tuple[int, int], other: tuple[int, int]) -> float:
    shared = max(0, min(one[1], other[1]) - max(one[0], other[0]))
    return shared / (one[1] - one[0] + other[1] - other[0] - shared)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--errors", action="store_true", help="list every miss")
    parser.add_argument("--second", type=Path, metavar="DIR", help="annotations of a second person")
    arguments = parser.parse_args()
    if not (counts := measured(arguments.folder, second=arguments.second)):
        sys.exit("expected a folder with NAME.gold.json files beside their articles")
    bounds = intervals(counts)
    for key, (value, n) in rates(counts).items():
        low, high = bounds[key]
        print(f"{key:12} {value:.3f} [{low:.3f}, {high:.3f}]  n = {n}")
    for one in counts:
        shown = f"gold {one.gold:3}  found {one.found:3}  matched {one.matched:3}  speaker right {one.right:3}"
        print(f"{one.name:28} {shown}")
        for error in one.errors if arguments.errors else ():
            print(f"    {error}")


if __name__ == "__main__":
    main()
