"""The bytes of an article as text: a file, standard input or a web address, with limits, in a known encoding."""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from claimsieve.errors import DataError
from claimsieve.file_names import written_name
from claimsieve.intake.fetching import MAX_BYTES, fetch, is_address

Form = Literal["text", "markdown", "html"]

SUFFIXES: dict[str, Form] = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
}
_MEDIA: dict[str, Form] = {"text/html": "html", "application/xhtml+xml": "html", "text/markdown": "markdown"}
_BEGINNINGS = {
    b"\x1f\x8b": "a gzip file",
    b"PK\x03\x04": "a zip file or a word processor's document",
    b"%PDF": "a PDF file",
    b"\xd0\xcf\x11\xe0": "a word processor's document",
    b"{\\rtf": "an RTF file",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89PNG": "a PNG picture",
    b"GIF8": "a GIF picture",
    b"RIFF": "a WebP picture, sound or film",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
_LOOKS_LIKE_HTML = re.compile(r"\s*(?:<!doctype html|<html|<head|<body|<article|<div|<p[ >])", re.IGNORECASE)
_DECLARED_WITHIN_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Source:
    """A text as it came, with line feeds only. name: of the file, or the address. url: where it was fetched.

    folder: that a file lies in; of standard input the one that the command is given in.
    """

    name: str
    text: str
    form: Form
    url: str | None = None
    folder: Path | None = None


def read_source(name: str, *, allow_private: bool = False) -> Source:
    """The text of a file, of '-' (standard input) or of a web address.

    The form goes by the suffix or the media type; standard input is HTML where it begins like it, else plain text.
    allow_private: see fetch. Raises DataError for what cannot be read, is larger than MAX_BYTES, or is no text.
    """
    if is_address(name):
        page = fetch(name, allow_private=allow_private)
        form = _MEDIA.get(page.media_type, "text")
        return Source(name, decoded(name, page.content, html=form == "html", charset=page.charset), form, page.url)
    if name == "-":
        if sys.stdin is None:
            raise DataError("expected an article on standard input, found it closed.")
        text = decoded("standard input", _limited("standard input", sys.stdin.buffer), html=True)
        return Source("standard input", text, "html" if _LOOKS_LIKE_HTML.match(text) else "text", folder=Path())
    if os.path.isdir(name):  # noqa: PTH112  # Path.is_dir raises for a name that is too long
        raise DataError(f"{name}: expected an article, found a folder. Name its files, such as {name}/*.html.")
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise DataError(f"{name}: expected an article as {known}, '-' or a web address, found '{suffix or name}'.")
    try:
        with Path(name).open("rb") as stream:
            content = _limited(name, stream)
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise DataError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    text = decoded(name, content, html=SUFFIXES[suffix] == "html")
    return Source(written_name(Path(name).name), text, SUFFIXES[suffix], folder=Path(name).parent)


def decoded(name: str, content: bytes, *, html: bool = False, charset: str | None = None) -> str:
    """The text of some bytes: in UTF-8 or, of HTML, in the encoding that it names. Raises DataError for no text."""
    for mark, found in _BEGINNINGS.items():
        if content.startswith(mark):
            raise DataError(f"{name}: expected text, found {found}. Save the article as text, Markdown or HTML.")
    if content.startswith(_UTF16):
        raise DataError(f"{name}: expected text in UTF-8, found text in UTF-16. Save it as UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = _otherwise(name, content, charset or (_declared(content) if html else None), error)
    if "\0" in text:
        raise DataError(
            f"{name}: expected text, found a null character at {text.index(chr(0)) + 1:,}. Is it a program?"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _otherwise(name: str, content: bytes, charset: str | None, error: UnicodeDecodeError) -> str:
    if charset is not None and charset.lower().replace("_", "-") not in ("utf-8", "utf8"):
        try:
            text = content.decode(charset)
            if isinstance(text, str):
                text.encode()  # some encodings (unicode_escape) give half characters
                return text
        except (LookupError, ValueError):
            raise DataError(
                f"{name}: expected text in '{charset}', as it says, found other bytes. Save it as UTF-8."
            ) from None
    place = f"byte {content[error.start]:#04x} at {error.start + 1:,}"
    raise DataError(f"{name}: expected text in UTF-8, found {place}. Save it as UTF-8.") from None


def _declared(content: bytes) -> str | None:
    match = _DECLARED.search(content[:_DECLARED_WITHIN_BYTES])
    return match.group(1).decode("ascii") if match else None


def _limited(name: str, stream: BinaryIO) -> bytes:
    content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DataError(f"{name}: expected at most {MAX_BYTES:,} bytes, found more. Give the article alone.")
    return content
