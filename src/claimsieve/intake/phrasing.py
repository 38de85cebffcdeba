"""Some words of an article as a sentence of its own."""

import re

_COMMA_IN_QUOTE = re.compile(r",([\"”’'])$")
# "The facts: …", "UPDATE: …"
_LABEL = re.compile(
    r"(?:The\s+|Our\s+)?(?:facts?|claims?|verdict|context|background|update|exclusive|breaking|analysis"
    r"|explained|checked|fact[ -]check"
    r"|what\s+we\s+know|key\s+points?|note)\s*:\s+",
    re.IGNORECASE,
)
_CURLY = (("“", "”"), ("‘", "’"), ("«", "»"))
_ENDS = ".!?…。！？؟।"
_ENDED = tuple(f"{mark}{close}" for mark in _ENDS for close in "\"”'’»」』")


def as_sentence(words: str, *, whole: bool = True) -> str:
    """One line, a capital, a full stop, and no quotation mark without its twin.

    whole: the words begin where a sentence begins; a word that has lost its first letter keeps its small one.
    """
    text = _without_lone_marks(_LABEL.sub("", " ".join(words.split()).strip(" ,;:—–")))
    text = _COMMA_IN_QUOTE.sub(r"\1", text.strip()).rstrip(",;:—– ")
    if not text:
        return text
    if whole:
        text = text[0].upper() + text[1:]
    return text if text[-1] in _ENDS or text.endswith(_ENDED) else f"{text}."


def _without_lone_marks(text: str) -> str:
    for opening, closing in _CURLY:
        if text.startswith(opening) and closing not in text[1:]:
            text = text[1:]
        if text.endswith(closing) and opening not in text and closing != "’":
            text = text[:-1]
        if text.startswith(opening) and text.endswith(closing) and text.count(opening) == 1:
            text = text[1:-1]
    if text.count('"') == 1 or (text.startswith('"') and text.endswith('"') and text.count('"') == 2):
        text = text.replace('"', "")
    if text.startswith("'") and text.endswith("'") and len(text) > 2:
        text = text[1:-1]
    return text
