"""Whether a text is English, by the share of its commonest little words."""

import re

from claimsieve.intake.wording import little_words

_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH_SHARE = 0.15  # in English prose they are about a third of all words, elsewhere below .1
_FEW_WORDS = 8
_MOST_WORDS = 5_000


def language_of(text: str) -> str | None:
    """'en', or None for a text in another language; a text too short to tell counts as English."""
    words = [match.group().lower() for _, match in zip(range(_MOST_WORDS), _WORD.finditer(text), strict=False)]
    english = little_words("english")
    if len(words) < _FEW_WORDS and text.isascii():
        return "en"
    return "en" if words and sum(word in english for word in words) >= _ENGLISH_SHARE * len(words) else None
