"""Text from data made harmless to look at: what cannot be seen, or turns text around, is written out."""

import re

# Controls (but for tab and line feed), zero-width characters, what turns text around, annotations, and tag characters.
# Joiners (U+200C, U+200D) and marks (U+200E, U+200F) stay: Persian, Arabic, Hebrew and emoji are spelt with them.
_HIDDEN = re.compile(
    r"([\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u180e\u200b\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
    r"|[\U000e0000-\U000e007f])\1*"
)
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029]")
_HALVES = re.compile(r"[\ud800-\udfff]")  # UTF-8 has no way to write them


def visible(text: str) -> str:
    """The text with hidden characters by name: U+202E becomes ⟨U+202E⟩, a run of them ⟨U+202E ×9⟩."""
    if text.isascii() and text.isprintable():
        return text
    text = _HALVES.sub("\N{REPLACEMENT CHARACTER}", _LINE_ENDS.sub("\n", text))
    return _HIDDEN.sub(_named, text)


def one_line(text: str, *, limit: int | None = None) -> str:
    """The same on one line, at most `limit` characters of it and then an ellipsis."""
    text = " ".join(text.split())
    if limit is not None and len(text) > limit:
        text = text[:limit].rstrip() + " …"
    return visible(text)


def _named(found: re.Match[str]) -> str:
    length = len(found[0])
    return f"⟨U+{ord(found[1]):04X}{f' ×{length}' if length > 1 else ''}⟩"
