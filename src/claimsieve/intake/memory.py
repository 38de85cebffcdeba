"""Whom a pronoun, a role or a surname means, by who has been named before in the article."""

import re
from dataclasses import dataclass, field
from functools import cache

from claimsieve.intake.wording import either, entries, little_words

PRONOUNS = frozenset(("he", "she", "they", "it", "i", "we"))

_NAME = re.compile(
    r"\b[A-Z][\w.'’-]*[\w](?:\s+(?:(?:al|bin|ibn|de|van|von|der|la|el|bint|abu)[\s-])?[A-Z][\w'’-]*\w)+\b"
)
_TITLES = re.compile(
    r"^(?:(?:The|President|Prime|Minister|Foreign|Defence|Defense|Supreme|Leader|Ayatollah|General|Gen\.?"
    r"|Colonel|Col\.?|Major|Captain"
    r"|Lieutenant|Lt\.?|Sergeant|Admiral|Commander|Brigadier|Secretary|State|Senator|Sen\.?|Rep\.?"
    r"|Representative|Governor|Gov\.?"
    r"|Mayor|King|Queen|Prince|Princess|Pope|Dr\.?|Mr\.?|Mrs\.?|Ms\.?|Professor|Prof\.?|Judge|Sir|Chancellor"
    r"|Chief|Sheikh|Inspector"
    r"|Detective|Ambassador|Councillor|Father|Reverend|Rev\.?|Vice|Deputy|Former)\s+)+"
)
_DESCRIBES = r"of|from|for|in|at|with|on|to|by|close|familiar|near|who|which|that|briefed|speaking"
_LOOKS_BACK = 8  # names
_FAR_BACK = 100  # speakers
# "Richard Roe, the law professor who …", "President Jan Holt": whoever is introduced so is a person.
_INTRODUCED = (
    r"(?P<name>[A-Z][\w.'’-]+(?:\s+[A-Z][\w.'’-]+){1,3}),"
    r"\s+(?:(?:an?|the)\s+(?:[\w-]+\s+){0,4}?(?:PEOPLE)\b|who\b|\d\d\b|aged\b)"
)


@dataclass(slots=True)
class Memory:
    """Who has been named so far.

    named: speakers, and names that sentences began with, the latest last. speakers: who spoke. full_names: surname →
    the name at full length that came first. roles: "spokesman" → the one last called so.
    """

    named: list[str] = field(default_factory=list)
    speakers: list[str] = field(default_factory=list)
    full_names: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)

    def note_names(self, text: str) -> None:
        """Remember names of several words, so that a surname alone can be understood."""
        for match in _NAME.finditer(text):
            words = match.group().split()
            while words and words[0].lower() in little_words("not names"):
                words = words[1:]
            name = _TITLES.sub("", " ".join(words)).strip()
            if " " in name:
                self.full_names.setdefault(name.split()[-1], name)

    def note_persons(self, text: str) -> None:
        """Remember who is introduced in a sentence, so that "he" in the next one is understood."""
        self.named.extend(
            match["name"] for match in _introduced().finditer(text) if match["name"] not in self.named[-_LOOKS_BACK:]
        )

    def note_role(self, name: str, remark: str) -> None:
        """Remember what is said of somebody between commas: "a spokesman for the ministry"."""
        head = _head(remark.strip().lower())
        if head and head[0] in ("a", "an", "the", "one", "its", "his", "her") and name[:1].isupper():
            self.roles[head[-1].strip(",.")] = name

    def spoke(self, speaker: str) -> None:
        if speaker:
            self.speakers.append(speaker)
            self.named.append(speaker)

    def noticed(self, name: str) -> None:
        """A sentence began with this name."""
        self.named.append(name)

    def last(self) -> str | None:
        """Who spoke last."""
        return self.speakers[-1] if self.speakers else None

    def resolved(self, words: str) -> str:
        """The speaker that some words mean: a pronoun the last fitting one, a surname the name that it ends."""
        lower = words.lower()
        if lower in entries("speakers.txt", "stand-ins"):
            return self.last() or words
        if lower in PRONOUNS:
            return self._pronoun(lower) or words
        bare = _TITLES.sub("", words).strip()
        if bare in self.full_names and " " not in bare:
            return self.full_names[bare]
        return self._of_role(lower) or words

    def _pronoun(self, pronoun: str) -> str | None:
        for name in reversed(self.named[-_LOOKS_BACK:]):
            full = self.full_names.get(name, name)
            spoke = name in self.speakers[-_FAR_BACK:]
            if pronoun in ("he", "she") and not _may_be_person(full, spoke):
                continue
            if _is_of_the_other(pronoun, name):
                continue
            if pronoun == "they" and not (is_plural(name) or (is_body(name) and spoke)):
                continue
            if pronoun == "it" and not is_body(name) and (not spoke or _may_be_person(full, True)):
                continue
            return full
        return None

    def _of_role(self, lower: str) -> str | None:
        """Of "the minister" the last speaker who was called a minister, by name or in a remark after it."""
        words = lower.split()
        if len(words) not in (2, 3) or words[0] != "the":
            return None
        if words[-1] in self.roles:
            return self.roles[words[-1]]
        for name in reversed(self.speakers[-_FAR_BACK:]):
            if words[-1] in _head(name.lower()) and len(name.split()) > len(words) and not is_plural(name):
                return name
        return None


@cache
def _introduced() -> re.Pattern[str]:
    return re.compile(_INTRODUCED.replace("PEOPLE", either(entries("speakers.txt", "people"))))


def _is_of_the_other(pronoun: str, name: str) -> bool:
    """Whether a title or role in a name says that it cannot be him, or her."""
    words = {word.strip(".,").lower() for word in name.split()}
    return (
        bool(words & little_words("men"))
        if pronoun == "she"
        else bool(words & little_words("women"))
        if pronoun == "he"
        else False
    )


def _head(name: str) -> list[str]:
    """The words of a noun phrase before what only describes it: of "the founder of a company" the first two."""
    return re.split(rf"\s(?:{_DESCRIBES})\b", name)[0].split()


def is_body(name: str) -> bool:
    """Whether a name is of an institution, an outlet or a paper, and of no person."""
    head = [word.strip(".,") for word in _head(name)]
    words = {word.lower() for word in head}
    # "Defence minister Juma Adel": the word for a body is part of what he is called.
    if words & entries("speakers.txt", "people"):
        return False
    return bool(words & entries("speakers.txt", "bodies")) or any(
        word.isupper() and 1 < len(word) <= 6 for word in head[-1:]
    )


def is_plural(name: str) -> bool:
    """Whether a name is of several."""
    if re.search(r"\s(?:and|&)\s", name):
        return True
    head = _head(name)
    if not head:
        return False
    last = head[-1].lower()
    return last in entries("speakers.txt", "plurals") or (
        last.endswith("s") and not last.endswith("ss") and head[-1][0].islower()
    )


def _may_be_person(name: str, spoke: bool) -> bool:
    """A name of two words, or a role such as "the governor"; others only if they have spoken."""
    if is_body(name) or is_plural(name):
        return False
    if spoke or (name[:1].isupper() and len(name.split()) > 1 and not name.startswith(("The ", "A "))):
        return True
    return bool({word.lower() for word in _head(name)} & entries("speakers.txt", "people"))
