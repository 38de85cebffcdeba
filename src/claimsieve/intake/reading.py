"""An article from wherever it is given: read, cut into blocks, and its facts put together."""

from claimsieve.errors import DataError
from claimsieve.intake.articles import MAX_BLOCKS, MAX_TEXT_CHARACTERS, Article, Document
from claimsieve.intake.blocks import blocks_of
from claimsieve.intake.bylines import byline
from claimsieve.intake.html import read_html
from claimsieve.intake.languages import language_of
from claimsieve.intake.markdown import read_markdown
from claimsieve.intake.pieces import Reading
from claimsieve.intake.plain import read_plain
from claimsieve.intake.sources import Source, read_source


def read_document(name: str, *, allow_private: bool = False) -> Document:
    """The article of a file, of '-' or of a web address, in blocks. Raises DataError when there is none to be read."""
    return document_of(read_source(name, allow_private=allow_private))


def document_of(source: Source) -> Document:
    """The article that a text is, in blocks. Raises DataError for one that is empty or too long."""
    if source.form != "html":
        _check_length(source.name, source.text)
    reading = _read(source)
    _check_length(source.name, reading.text)
    if not any(character.isalpha() for character in reading.text):
        raise DataError(f"{source.name}: expected an article, found no words.")
    if len(reading.pieces) > MAX_BLOCKS:
        raise DataError(f"{source.name}: expected at most {MAX_BLOCKS:,} paragraphs, found {len(reading.pieces):,}.")
    blocks = blocks_of(reading.text, reading.pieces)
    facts, below = reading.facts, byline(reading.text, blocks)
    article = Article(
        name=source.name,
        text=reading.text,
        title=facts.title,
        date=facts.date or below.date,
        author=facts.author or below.author,
        outlet=facts.outlet or below.outlet,
        url=facts.url or source.url,
        lang=language_of(reading.text, declared=facts.lang),
        folder=source.folder,
    )
    return Document(article, tuple(blocks))


def _read(source: Source) -> Reading:
    if source.form == "html":
        return read_html(source.name, source.text, url=source.url)
    return read_markdown(source.text) if source.form == "markdown" else read_plain(source.text)


def _check_length(name: str, text: str) -> None:
    if len(text) > MAX_TEXT_CHARACTERS:
        raise DataError(
            f"{name}: expected an article of at most {MAX_TEXT_CHARACTERS:,} characters, found {len(text):,}."
        )
