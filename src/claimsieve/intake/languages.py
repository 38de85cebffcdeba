"""Whether a text is English, by the share of its commonest little words."""

import re

from claimsieve.intake.wording import little_words

_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH_SHARE = 0.15  # in English prose they are about a third of all words, elsewhere below .1
_FEW_WORDS = 8
_MOST_WORDS = 5_000
_ENOUGH_WORDS = 40  # to be surer than what a page says of itself: many say "en" by default


def language_of(text: str, *, declared: str | None = None) -> str | None:
    """'en', or for a text in another language what it says it is; None where it does not say, or says English.

    A text too short to tell counts as English.
    """
    words = [match.group().lower() for _, match in zip(range(_MOST_WORDS), _WORD.finditer(text), strict=False)]
    english = little_words("english")
    if len(words) < _FEW_WORDS and text.isascii():
        return "en"
    if words and sum(word in english for word in words) >= _ENGLISH_SHARE * len(words):
        return "en"
    is_wrong = (declared or "").lower().startswith("en") and len(words) >= _ENOUGH_WORDS
    return None if is_wrong else declared
