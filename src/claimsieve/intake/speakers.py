"""Who speaks: the noun phrase before or after a verb of reporting. English only, and without a parser."""

import re
from dataclasses import dataclass

from claimsieve.intake.articles import Span
from claimsieve.intake.quotes import FILLER
from claimsieve.intake.verbs import AUXILIARY, FINITE, verb_forms
from claimsieve.intake.wording import entries, little_words

_TOKEN = re.compile(r"\w(?:[\w.'’&/-]|(?<=\d),(?=\d))*|[^\w\s]")
_CONJUNCTIONS = frozenset(("and", "or", "&"))
_MARKS = frozenset(",;:—–()[]\"“”‘’'«».!?…" + FILLER)
_AUXILIARY = re.compile(rf"(?:{AUXILIARY}|said|says|told|went|came|began|became)$", re.IGNORECASE)
_PREPOSITION = re.compile(
    r"(?:on|in|at|during|after|before|by|from|with|without|for|to|as|of|since|until|amid|despite|following|under"
    r"|over|near"
    r"|when|while|if|because|although|though|according|speaking|asked|citing|late|early|earlier|later|last|this|next"
    r"|meanwhile|however|moments|minutes|hours|days|weeks|months|years|then|separately|instead|also|today"
    r"|yesterday|tonight"
    r"|now|once|there|still|again|soon|elsewhere|afterwards|previously|initially|finally|in a|within|through|via)\b",
    re.IGNORECASE,
)
_DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_WHEN = (
    rf"(?:(?:late|early|earlier|later)\s+)?(?:on\s+)?(?:{_DAY}s?|yesterday|today|tonight|tomorrow)"
    rf"(?:\s+(?:morning|afternoon|evening|night))?"
    r"|(?:(?:late|early)\s+)?(?:earlier|later|last|this|that|the same|the previous|the next|the following)"
    r"\s+(?:\w+\s+)?(?:day|week"
    r"|month|year|hour|morning"
    r"|afternoon|evening|night|weekend|spring|summer|autumn|winter|" + _DAY + r")"
    r"|in\s+(?:late|early|mid-)?\s*(?:January|February|March|April|May|June|July|August|September|October"
    r"|November|December)(?:\s+\d{4})?"
    r"|on\s+(?:\d{1,2}\s+)?(?:January|February|March|April|May|June|July|August|September|October|November"
    r"|December|(?:Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec)\b\.?)(?:\s+\d{1,2})?(?:,?\s+\d{4})?"
    r"|in\s+\d{4}|earlier|later|afterwards|at the time|so far|repeatedly|separately|again|briefly"
)
_MEDIUM_WORDS = (
    "statement|statements|tweet|tweets|post|posts|speech|interview|interviews|conference|briefing|letter|report|video|message|address|television|tv|radio"
    "|twitter|x|facebook|telegram|instagram|media|email|e-mail|call|testimony|hearing|note|filing|release|memo|article"
    "|broadcast|session|meeting|rally|forum|website|channel|page|court|parliament|press|phone|telephone|podcast|blog|bulletin"
    "|newspaper|affidavit|remarks|comments|account|platform|ceremony|visit|documents|study|paper|notice"
)
_MEDIUM = (
    rf"(?:in|at|on|via|through|during|by|from|over)\s+(?:[\w.'’-]+\s+){{0,5}}?(?:{_MEDIUM_WORDS})\b"
    r"(?:\s+(?:with|to|on|in|published|posted|released|issued|carried by|by|at|broadcast)\s+(?:(?:the|a|an|state"
    r"|its|his|her|their|local)\s+)?"
    r"[\w.'’-]+(?:\s+[A-Z][\w.'’-]+)*)?"
)
ADJUNCT = re.compile(
    rf"\s+(?:{_WHEN}|{_MEDIUM}|on\s+condition\s+of\s+anonymity|on\s+(?:Twitter|X|Telegram|Facebook)|flatly)\b",
    re.IGNORECASE,
)
_LEADING = re.compile(
    rf"\s*(?:(?:and|but|or|yet|so|meanwhile|however|separately|also|then|later|earlier|now|still"
    rf"|moments\s+earlier|instead|{_WHEN})\b,?\s+"
    r"|(?:in|at|from)\s+(?:[A-Z][\w.'’-]*\s+){1,3}(?=[a-z]))",
    re.IGNORECASE,
)
_LEADING_PLACE = re.compile(r"\s*(?:In|At|From|Outside|Near)\s+(?:[A-Z][\w.'’-]*\s+){1,3}(?=[a-z])")
_RELATIVE = frozenset(("who", "which"))
ONLY_A_NAME = re.compile(r"[A-Z][\w.'’-]*(?:\s+(?:[A-Z][\w.'’-]*|al|bin|de|van|von|der|la|el|ibn))*")
_LONGEST_REMARK = 45  # words
_LONGEST_OF_A_LIST = 6
_LONGEST_SPEAKER = 25  # words


@dataclass(frozen=True, slots=True)
class Subject:
    """Who does something, as a stretch of the masked sentence. left: where the words that belong to it begin."""

    span: Span
    left: int


def subject_before(masked: str, verb_start: int) -> Subject | None:
    """The subject of a verb, looked for to the left of it; None where nothing there can be one.

    An appositive between commas is passed over: of "Ann Lee, a nurse, said" it is Ann Lee. But of "the minister, Ann
    Lee, said" it is the name.
    """
    tokens = list(_TOKEN.finditer(masked, 0, verb_start))
    place = _over_helpers(tokens, len(tokens) - 1)
    if place < 0:
        return None
    if tokens[place].group() == ",":
        return _before_appositive(masked, tokens, place)
    if tokens[place].group().lower() in _RELATIVE and not _is_acronym(tokens[place].group()):
        place -= 1
        if place >= 0 and tokens[place].group() == ",":
            place -= 1
    return _noun_phrase(masked, tokens, place)


def _over_helpers(tokens: list[re.Match[str]], place: int) -> int:
    while place >= 0:
        word = tokens[place].group()
        lower = word.lower()
        if lower in little_words("helpers") or (
            lower.endswith("ly") and word[0].islower() and lower not in little_words("not adverbs")
        ):
            place -= 1
        elif word == ")":  # "(D-Ohio)"
            opening = next((n for n in range(place - 1, -1, -1) if tokens[n].group() == "("), -1)
            place = opening - 1
        else:
            break
    return place


def _before_appositive(masked: str, tokens: list[re.Match[str]], comma: int) -> Subject | None:
    """ "NAME, a remark of some words, said": the noun phrase before the remark."""
    for opening in range(comma - 1, max(-1, comma - _LONGEST_REMARK), -1):
        if tokens[opening].group() in ".!?;:" + FILLER:
            return None
        if tokens[opening].group() != ",":
            continue
        between = masked[tokens[opening].end() : tokens[comma].start()]
        first = (re.sub(r"^\s*(?:and\s|but\s|(?:aged\s+)?\d{1,3},)\s*", "", between).split() or [""])[0].lower()
        loose = first in little_words("remarks")
        if not loose and FINITE.search(between):
            return None
        if first == "by":  # "the tweet, by Rob Lane, said"
            name = tokens[opening].end() + between.index(" ", 1) + 1
            return Subject((name, tokens[comma].start()), name)
        found = _noun_phrase(masked, tokens, opening - 1)
        if found is None:
            return None
        words = masked[found.span[0] : found.span[1]]
        if _AGE.fullmatch(words):
            continue
        if _PREPOSITION.match(words) and words[:1].isupper() and not loose:
            return None
        if outer := _outer_name(masked, tokens, found):
            return outer
        if ONLY_A_NAME.fullmatch(between.strip()) and words.split()[-1][:1].islower():
            start = tokens[opening].end() + len(between) - len(between.lstrip())
            return Subject((start, start + len(between.strip())), found.left)
        if words[:1].isupper() or loose or re.match(r"(?:an?|the|one|two|three|some|his|her|its|their)\s", words):
            return found
    return None


def _outer_name(masked: str, tokens: list[re.Match[str]], found: Subject) -> Subject | None:
    """ "Ann Lee, the mayor of Springfield, Ohio, said": what was found may be the beginning of the remark itself."""
    before = next((number for number, token in enumerate(tokens) if token.start() >= found.left), 0) - 1
    if before < 1 or tokens[before].group() != "," or not re.match(r"(?:an?|the)\s[a-z]", masked[found.span[0] :]):
        return None
    outer = _noun_phrase(masked, tokens, before - 1)
    if outer is None or not masked[outer.span[0]].isupper() or _PREPOSITION.match(masked[outer.span[0] :]):
        return None
    return outer


def _noun_phrase(masked: str, tokens: list[re.Match[str]], last: int) -> Subject | None:
    """The longest run of words that ends at a token and has nothing in it that ends a noun phrase."""
    if last < 0 or tokens[last].group() in _MARKS:
        return None
    first = last + 1
    for place in range(last, max(-1, last - _LONGEST_SPEAKER), -1):
        word = tokens[place].group()
        lower = word.lower()
        if lower in _RELATIVE and place > 0 and not _is_acronym(word) and tokens[place - 1].group() not in _MARKS:
            return _noun_phrase(masked, tokens, place - 1)  # "officials who asked not to be named said"
        if word in _MARKS or (lower in little_words("boundaries") and not _is_acronym(word)) or _AUXILIARY.match(word):
            break
        if lower in _CONJUNCTIONS and _is_between_clauses(masked, tokens, place):
            break
        first = place
    if first > last:
        return None
    first = _list_start(masked, tokens, first, last)
    start, end = tokens[first].start(), tokens[last].end()
    left = start
    while (match := _LEADING.match(masked, start, end)) or (match := _LEADING_PLACE.match(masked, start, end)):
        if match.end() <= start or match.end() >= end:
            break
        start = match.end()
    return Subject((start, end), left) if masked[start:end].strip() else None


def _list_start(masked: str, tokens: list[re.Match[str]], first: int, last: int) -> int:
    """ "A, B and C": where the list begins whose end has been found."""
    while first > 1 and tokens[first - 1].group() == ",":
        if not any(tokens[place].group() == "and" for place in range(first, last)):
            return first
        found = _noun_phrase(masked, tokens, first - 2)
        words = masked[found.left : found.span[1]] if found else ""
        if (
            found is None
            or FINITE.search(words)
            or _PREPOSITION.match(words)
            or len(words.split()) > _LONGEST_OF_A_LIST
        ):
            return first
        if not (words[:1].isupper() or words.startswith(("the ", "a "))):
            return first
        first = next(number for number, token in enumerate(tokens) if token.start() >= found.left)
    return first


def _is_between_clauses(masked: str, tokens: list[re.Match[str]], place: int) -> bool:
    """Whether "and" joins two clauses: before it is a comma, nothing, or a finite verb within the same stretch."""
    if place == 0 or tokens[place - 1].group() in _MARKS:
        return True
    for before in range(place - 1, -1, -1):
        word = tokens[before].group()
        if word in _MARKS:
            return bool(FINITE.search(masked, tokens[before].end(), tokens[place].start()))
        if word.lower() in little_words("boundaries"):
            return True
    return bool(FINITE.search(masked, 0, tokens[place].start()))


def subject_after(masked: str, verb_end: int) -> Subject | None:
    """The subject of an inverted tag: of '," said Ann Lee, a nurse' it is Ann Lee."""
    last = verb_end
    begun = False
    for match in _TOKEN.finditer(masked, verb_end):
        word = match.group()
        if word in _MARKS or (
            begun
            and word.lower() in little_words("boundaries") | {"adding", "who", "in", "on", "at"}
            and _ends(masked, match)
        ):
            break
        if _AUXILIARY.match(word):
            return None
        last, begun = match.end(), True
    inner = masked[verb_end:last]
    start = verb_end + len(inner) - len(inner.lstrip())
    words = masked[start:last]
    if not begun or _PREPOSITION.match(words) or len(words.split()) > _LONGEST_SPEAKER:
        return None
    return Subject((start, last), start)


def _ends(masked: str, match: re.Match[str]) -> bool:
    """Whether a little word ends the phrase: "in" does in "in a statement", not in "officials in Rome"."""
    word = match.group().lower()
    return word not in ("in", "on", "at") or bool(ADJUNCT.match(masked, match.start() - 1))


def cleaned(words: str) -> str:
    """A speaker's words without what surrounds them: conjunctions, times, a capital that only begins a sentence."""
    text = " ".join(words.replace(FILLER, "").split()).strip(" ,;:—–-\"“”‘'")
    while match := ADJUNCT.search(" " + text):
        if match.end() < len(text) + 1 or match.start() == 0:
            break
        text = text[: max(0, match.start() - 1)].rstrip(" ,")
    if text.endswith(".") and not _ABBREVIATED.fullmatch(text.split()[-1]):
        text = text[:-1]
    first, _, rest = text.partition(" ")
    if rest and first in (
        "The",
        "A",
        "An",
        "One",
        "Two",
        "Three",
        "Some",
        "Several",
        "Many",
        "Most",
        "Both",
        "Other",
        "His",
        "Her",
        "Their",
        "Its",
    ):
        text = f"{first.lower()} {rest}"
    return text


_AGE = re.compile(r"(?:aged\s+)?\d{1,3}")
_ABBREVIATED = re.compile(r"(?:Jr|Sr|Inc|Co|Corp|Ltd|Bros|St|Sen|Rep|Gov|Gen|[A-Za-z]|(?:[A-Za-z]\.)+[A-Za-z])\.$")
_NOBODY = re.compile(r"(?:nothing|nobody|no\s+one|none|neither|no)\b")


def is_speaker(words: str) -> bool:
    """Whether some words can name somebody who speaks."""
    if not words or len(words.split()) > _LONGEST_SPEAKER or not any(character.isalpha() for character in words):
        return False
    lower = words.lower()
    return (
        lower not in entries("speakers.txt", "never")
        and not _NOBODY.match(lower)
        and not _PREPOSITION.match(words)
        and lower not in verb_forms()
    )


def _is_acronym(word: str) -> bool:
    return len(word) > 1 and word.isupper()
