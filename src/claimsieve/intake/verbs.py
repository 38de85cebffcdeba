"""Verbs of reporting as patterns, made of words/verbs.txt."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from claimsieve.intake.wording import either, sections

ADJUNCT_VERBS = "speaking|citing|quoting|according|referring|talking"


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
_PAST = (
    "came went took gave made became began broke brought built bought caught chose cut dealt did drew drank drove ate fell "
    "fed felt fought found fled flew forgot got grew heard held hid hit kept knew laid led left lent let lost met paid put "
    "quit ran rang read rode rose said sank sat saw sent sold set shook shot shut slept sought spent split spoke spread "
    "stole stood struck stuck swept swore swung taught thought threw told took tore understood woke won wore wrote shown "
    "burned burnt dropped killed shot hurt cost beat bent bid bled blew bore bound burst cast clung crept dug"
)
_PRESENT = (
    "remains remain continues continue includes include shows show says say knows know makes make takes take comes come "
    "goes go gets get gives give keeps keep owns holds hold runs run lives live works work plans plan wants want needs "
    "need believes believe faces face poses uses use costs cost carries carry expects expect houses contains contain "
    "belongs belong appears appear seems seem stands stand lies lie means mean accounts exceeds exceed supports support "
    "controls control leads lead operates operate possesses possess provides provide produces produce depends depend"
)
_ED_NOT_VERB = r"united|red|bed|need|speed|seed|feed|breed|indeed|hundred|shed|wed|led|sacred|naked|wicked|armed|allied|unmanned|masked|said|unnamed|retired|alleged|so-called|wounded|injured"
FINITE = re.compile(
    rf"\b(?:{AUXILIARY}|{'|'.join(_PAST.split())}|{'|'.join(_PRESENT.split())}"
    rf"|(?!(?:{_ED_NOT_VERB})\b)[a-z][a-z-]+ed)\b|\w['’](?:s|re|ve|d|ll)\s+(?=(?:not|a|an|the|been|going|all|no|to|in|\w+(?:ed|ing))\b)"
)

_HELPED = re.compile(rf"\b(?:{AUXILIARY})\b|\w['’](?:s|re|ve|d|ll|m)\b")
_IN_S = re.compile(
    r"\b[a-z]+s\b\s+(?:the|a|an|any|all|his|her|their|its|no|to|that|from|in|at|on|over|about|more|most|as|off|up|out|down|\d)\b"
    r"|\b[a-z]+s\s+\d"
)


def has_verb(words: str) -> bool:
    """Whether there is a finite verb among some words, as far as forms tell; a plural in -s may pass for one."""
    return bool(FINITE.search(words) or _HELPED.search(words) or _IN_S.search(words))
