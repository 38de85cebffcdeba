"""Word lists as they stand in intake/words: an entry a line, in sections, small letters unless a list says so."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

from claimsieve.data.editing.texts import is_unspaced


@cache
def sections(file: str) -> Mapping[str, frozenset[str]]:
    """Entries of words/<file> by section; before the first section it is ''. '#' begins a line of remarks."""
    found: dict[str, set[str]] = {"": set()}
    section = ""
    text = resources.files("claimsieve.intake").joinpath("words", file).read_text(encoding="utf-8")
    for line in text.splitlines():
        entry = line.strip()
        if entry.startswith("[") and entry.endswith("]"):
            section = entry[1:-1]
            found.setdefault(section, set())
        elif entry and not entry.startswith("#"):
            found[section].add(entry)
    return {name: frozenset(entries) for name, entries in found.items()}


def entries(file: str, *names: str) -> frozenset[str]:
    """All entries of some sections of a list."""
    of_file = sections(file)
    return frozenset().union(*(of_file[name] for name in names or ("",)))


def is_long_enough(text: str, *, words: int) -> bool:
    """Whether a sentence has so many words; of a script without spaces between them, twice as many signs."""
    return len(text.split()) >= words or sum(map(is_unspaced, text)) >= 2 * words


def little_words(section: str) -> frozenset[str]:
    """The words of a section of words/grammar.txt, which has several on a line."""
    return frozenset(word for line in sections("grammar.txt")[section] for word in line.split())


def either(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest first; a space stands for any white space."""
    ordered = sorted(words, key=lambda word: (-len(word), word))
    return "|".join(re.escape(word).replace(r"\ ", r"\s+").replace("'", "['’]") for word in ordered)
