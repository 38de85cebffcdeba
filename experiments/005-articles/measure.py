"""How many of an article's claims are found, how many of those found are claims, and how often the speaker is right.

    python experiments/005-articles/measure.py DIR [--errors]

DIR holds articles (.txt, .md, .html) and beside each a NAME.gold.json. A claim found is a gold one when their spans in
the text overlap with an intersection over union of at least .5, each used once. The speaker is right when the gold
speaker or one of its aliases is what we say or stands in it; where the gold names nobody, we must not either.
Intervals: 95 % percentile bootstrap over articles, whose claims resemble one another.
"""

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


def measured(folder: Path) -> list[Counts]:
    """Counts of every article of a folder, by name."""
    return [_of_article(path) for path in sorted(folder.glob("*.gold.json"))]


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


def _of_article(path: Path) -> Counts:
    name = path.name.removesuffix(".gold.json")
    gold = json.loads(path.read_text(encoding="utf-8"))
    article = next(file for suffix in SUFFIXES if (file := path.with_name(name + suffix)).exists())
    document = read_document(str(article))
    text, places = _one_spaced(document.article.text)
    found = claims_of(document)
    wanted = [_span(text, places, claim) for claim in gold["claims"]]
    overlaps = sorted(
        (
            (_iou(one.span, span), number, place)
            for number, one in enumerate(found)
            for place, span in enumerate(wanted)
            if span
        ),
        reverse=True,
    )
    pairs: dict[int, int] = {}
    for overlap, number, place in overlaps:
        if overlap >= LEAST_OVERLAP and number not in pairs and place not in pairs.values():
            pairs[number] = place
    wrong = [
        f"speaker  {found[number].speaker!r} for {gold['claims'][place].get('speaker')!r}: {found[number].claim}"
        for number, place in pairs.items()
        if not speaker_is_right(found[number].speaker, gold["claims"][place])
    ]
    errors = [f"missed   {claim['quote']}" for place, claim in enumerate(gold["claims"]) if place not in pairs.values()]
    errors += [
        f"no claim {one.context} {one.speaker!r}: {one.claim}"
        for number, one in enumerate(found)
        if number not in pairs
    ]
    return Counts(name, len(wanted), len(found), len(pairs), len(pairs) - len(wrong), (*errors, *wrong))


def speaker_is_right(speaker: str | None, claim: dict[str, Any]) -> bool:
    """Whether what we call the speaker is, or contains, one of the names that the annotation gives."""
    names = [_plain(name) for name in (claim.get("speaker") or "", *claim.get("speaker_aliases", ())) if _plain(name)]
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
    folders = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    if len(folders) != 1 or not (counts := measured(Path(folders[0]))):
        sys.exit("expected one folder with NAME.gold.json files beside their articles")
    bounds = intervals(counts)
    for key, (value, n) in rates(counts).items():
        low, high = bounds[key]
        print(f"{key:12} {value:.3f} [{low:.3f}, {high:.3f}]  n = {n}")
    for one in counts:
        shown = f"gold {one.gold:3}  found {one.found:3}  matched {one.matched:3}  speaker right {one.right:3}"
        print(f"{one.name:28} {shown}")
        for error in one.errors if "--errors" in sys.argv else ():
            print(f"    {error}")


if __name__ == "__main__":
    main()
