"""Verbs of reporting as patterns, made of words/verbs.txt."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from claimsieve.intake.wording import either, little_words, sections


@dataclass(frozen=True, slots=True)
class Verb:
    """A form of a verb of reporting. kind: say, deny, blame or other. participle: the form in -ing."""

    base: str
    kind: str
    participle: bool


@cache
def verb_forms() -> Mapping[str, Verb]:
    """Every form of the verbs → what it is."""
    found: dict[str, Verb] = {}
    for kind in ("say", "deny", "blame", "other"):
        for line in sections("verbs.txt")[kind]:
            base, *others = line.split("|") if "|" in line else line.split()
            for form in (base, *others):
                found[form] = Verb(base, kind, form == others[2])
    return found


@cache
def group(name: str) -> frozenset[str]:
    """Bases or forms of a section of verbs.txt: bare, told, object, nouns."""
    return sections("verbs.txt")[name]


@cache
def verb_pattern() -> re.Pattern[str]:
    """Any form as a whole word, in small letters."""
    return re.compile(rf"(?<![\w'’-])(?:{either(verb_forms())})(?![\w'’-])")


@cache
def tag_start() -> re.Pattern[str]:
    """What a sentence begins with when it says who said what stands before it: "President Smith tweeted"."""
    finite = either(form for form, verb in verb_forms().items() if not verb.participle and verb.base != form)
    return re.compile(rf"(?:(?:{finite})\b|(?:[\w.'’-]+\s+){{1,6}}?(?:{finite}|asked)\b)")


# A word that makes a clause of what it stands in. Present tenses in -s are left out: they look like plurals.
AUXILIARY = (
    r"is|are|was|were|am|has|have|had|do|does|did|will|would|can|could|may|might|must|shall|should|cannot"
    r"|isn['’]t|aren['’]t|wasn['’]t|weren['’]t|hasn['’]t|haven['’]t|hadn['’]t|don['’]t|doesn['’]t|didn['’]t|won['’]t"
    r"|wouldn['’]t|can['’]t|couldn['’]t|shouldn['’]t|mustn['’]t"
)
FINITE = re.compile(
    rf"\b(?:{AUXILIARY}|{either(little_words('past') | little_words('present'))}"
    rf"|(?!(?:{either(little_words('not past'))})\b)[a-z][a-z-]+ed)\b"
    r"|\w['’](?:s|re|ve|d|ll)\s+(?=(?:not|a|an|the|been|going|all|no|to|in|\w+(?:ed|ing))\b)"
)
_HELPED = re.compile(rf"\b(?:{AUXILIARY})\b|\w['’](?:s|re|ve|d|ll|m)\b")
_IN_S = re.compile(
    r"\b[a-z]+s\b\s+(?:the|a|an|any|all|his|her|their|its|no|to|that|from|in|at|on|over|about|more|most|it|them"
    r"|him|me|us|as|off"
    r"|up|out|down|against|for|with|into|under|through|between|around|towards|\d)\b"
    r"|\b[a-z]+s\s+\d"
)


# "Three million people lack clean water": a verb in the present, by the plural before it.
PLURAL_PRESENT = re.compile(
    r"(?:\b(?!(?:his|its|this|is|was|has|does|as|us|across|always|perhaps|less|unless|towards|besides|news)\b)\w+s|\b(?:people|men|women|children|police|they|we|who|thousands|millions|both|many|most|some|others))\s+"
    rf"(?:{either(little_words('plural present'))})\b"
)


def has_verb(words: str) -> bool:
    """Whether there is a finite verb among some words, as far as forms tell; a plural in -s may pass for one."""
    return bool(FINITE.search(words) or _HELPED.search(words) or _IN_S.search(words) or PLURAL_PRESENT.search(words))
