"""The claims of an article: every checkable sentence, with who says it. The page that tells the order of things."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from claimsieve.intake.articles import Article, Block, Context, Document, Found, Span
from claimsieve.intake.frames import Frame, Sentence, is_filler, sentence_of
from claimsieve.intake.memory import PRONOUNS, Memory
from claimsieve.intake.phrasing import as_sentence
from claimsieve.intake.pictures import with_pictures_of
from claimsieve.intake.quotes import quotations
from claimsieve.intake.sayings import quoted_alone, sayings
from claimsieve.intake.sentences import LONGEST_SENTENCE, inner_sentences, sentences
from claimsieve.intake.speakers import cleaned, is_speaker
from claimsieve.intake.speech import frames
from claimsieve.intake.verbs import FINITE
from claimsieve.intake.wording import entries, is_long_enough
from claimsieve.intake.worth import is_checkable, is_dated_or_counted
from claimsieve.records import MAX_CLAIM_CHARACTERS

_NAME_FIRST = re.compile(
    r"(?:The\s+|An?\s+)?(?!(?:The|An?|In|On|At|It|He|She|They|His|Her|Its|Their|This|That|But"
    r"|And)\s)(?:[A-Z][\w.'’-]*\s+){1,6}(?=[a-z,])"
)
_LEAST_WORDS = 4


@dataclass(slots=True)
class _Reader:
    """Where the reading stands: who has been named, and who spoke last in this paragraph."""

    article: Article
    memory: Memory
    here: str | None = None  # the speaker of this paragraph, once there is one
    open_quote: bool = False  # the last paragraph ended within a quotation
    views: bool = False  # under a heading such as "Opinion"


def claims_of(document: Document) -> list[Found]:
    """Every claim of an article in the order of its text.

    Of an article that is not in English every sentence that is checkable by its form is a statement of the article's.
    """
    reader = _Reader(document.article, Memory())
    text = document.article.text
    found = [with_pictures_of(one, block, text) for block in document.blocks for one in _of_block(reader, block)]
    return [one for one in _once(found) if len(one.claim) <= MAX_CLAIM_CHARACTERS]


def _of_block(reader: _Reader, block: Block) -> Iterator[Found]:
    text = reader.article.text
    if block.kind == "heading":
        heading = " ".join(text[block.start : block.end].lower().replace("’", "'").split()).strip(" .:?!")
        reader.views = heading in entries("boilerplate.txt", "views")
    elif block.kind == "boilerplate":
        pass
    elif reader.article.lang != "en":
        yield from _plain_statements(reader, block)
    elif block.kind == "post":
        yield from _signed(reader, block, "post")
        reader.memory.spoke((block.speaker or "").partition(" (@")[0])
    elif block.kind == "caption":
        yield from _signed(reader, block, "caption")
    elif block.kind == "quote" and (block.speaker or not _has_own_frames(reader, block)):
        yield from _signed(reader, replace(block, speaker=block.speaker or reader.memory.last()), "quote")
        reader.memory.spoke(block.speaker or "")
    else:
        for span in block.spans:
            yield from _of_paragraph(reader, span)


def _plain_statements(reader: _Reader, block: Block) -> Iterator[Found]:
    text = reader.article.text
    for span in inner_sentences(text, block.spans, lang=reader.article.lang):
        shown = text[span[0] : span[1]]
        if (
            is_long_enough(shown, words=_LEAST_WORDS)
            and len(shown) <= LONGEST_SENTENCE
            and not shown.endswith(("?", "？", "؟"))
        ):
            context: Context = block.kind if block.kind in ("post", "caption") else "statement"
            yield Found(
                as_sentence(shown),
                (span,),
                span,
                span,
                context,
                block.speaker if context == "post" else None,
                block.date,
            )


def _signed(reader: _Reader, block: Block, context: Context) -> Iterator[Found]:
    """Sentences that are all by one speaker; a photograph's credit is no speaker, but its origin."""
    text = reader.article.text
    speaker, origin = (None, block.speaker) if context == "caption" else (block.speaker, None)
    spans = _unquoted(text, inner_sentences(text, block.spans))
    for number, span in enumerate(spans):
        # A caption at the top of a text may have lost its first letters.
        claim = as_sentence(text[span[0] : span[1]], whole=context != "caption" or number > 0)
        if span[1] - span[0] <= LONGEST_SENTENCE and is_checkable(claim, context=context):
            yield Found(claim, (span,), span, span, context, speaker, block.date, origin=origin)
    reader.memory.note_names(text[block.start : block.end])


def _unquoted(text: str, spans: Sequence[Span]) -> list[Span]:
    """Of a sentence that is a quotation and nothing else, the sentences within."""
    result: list[Span] = []
    for span in spans:
        unit = sentence_of(text, span, quotations(text, span))
        result += inner_sentences(text, [one.inner for one in unit.quoted]) if is_filler(unit.shown) else [span]
    return result


def _has_own_frames(reader: _Reader, block: Block) -> bool:
    """Whether an unsigned block quote reports others itself, as a passage of another article does."""
    text = reader.article.text
    spans = [span for span in inner_sentences(text, block.spans) if span[1] - span[0] <= LONGEST_SENTENCE]
    return any(frames(sentence_of(text, span, quotations(text, span))) for span in spans)


def _of_paragraph(reader: _Reader, span: Span) -> Iterator[Found]:
    text = reader.article.text
    quoted = quotations(text, span)
    goes_on = reader.open_quote and text[span[0]] in "\"“‘'"
    reader.here = reader.here if goes_on else None
    units = [unit for one in sentences(text, span) if (unit := sentence_of(text, one, quoted))]
    units = [unit for unit in units if unit.span[1] - unit.span[0] <= LONGEST_SENTENCE]
    framed = [frames(unit) for unit in units]
    for number, (unit, found) in enumerate(zip(units, framed, strict=True)):
        reader.memory.note_names(unit.shown)
        if is_filler(unit.shown):
            following = framed[number + 1][0] if framed[number + 1 : number + 2] and framed[number + 1] else None
            yield from quoted_alone(unit, _alone_by(reader, following))
        else:
            yield from _of_sentence(reader, unit, found)
    reader.open_quote = bool(quoted) and not quoted[-1].closed


def _alone_by(reader: _Reader, following: Frame | None) -> str | None:
    """A quotation that is a sentence of its own is by who spoke before it here, or speaks right after it, or last."""
    if reader.here is None and following is not None and following.speaker:
        return reader.memory.resolved(following.speaker)
    return reader.here or reader.memory.last()


def _of_sentence(reader: _Reader, unit: Sentence, found: Sequence[Frame]) -> Iterator[Found]:
    main = next((frame for frame in found if frame.speaker), None)
    spoken: list[tuple[Frame, str | None]] = []
    for frame in found:
        speaker = _speaker(reader, unit, frame, main)
        spoken.append((frame, speaker))
        if speaker:
            reader.memory.spoke(speaker)
            reader.here = speaker
            if frame.remark:
                reader.memory.note_role(speaker, frame.remark.strip(" ,"))
    reader.memory.note_persons(unit.shown)
    if not found and (name := _first_name(unit)):
        reader.memory.noticed(name)
    for one in sayings(unit, spoken):
        if not reader.views or one.context != "statement" or is_dated_or_counted(one.claim):
            yield one


def _speaker(reader: _Reader, unit: Sentence, frame: Frame, main: Frame | None) -> str | None:
    """Who a frame says it is; None where nobody is named, or it is the article itself ("we could not …")."""
    words = frame.speaker
    if words is None:
        return None
    if words == "":
        words = main.speaker if main is not None and main.speaker else _first_subject(unit)
    if not words:
        return reader.here or reader.memory.last()
    if words.lower() in ("we", "i"):
        return None
    speaker = reader.memory.resolved(words)
    return None if speaker.lower() in PRONOUNS else speaker


def _first_subject(unit: Sentence) -> str:
    match = FINITE.search(unit.shown)
    words = cleaned(re.sub(r"\s+(?:who|which)\s*$", "", unit.words((0, match.start())).rstrip())) if match else ""
    words = words.rpartition(", ")[2].strip() if not words[:1].isupper() else words.partition(", ")[0].strip()
    return words if is_speaker(words) else ""


def _first_name(unit: Sentence) -> str | None:
    """The name that a sentence begins with: whom "it" or "she" in the next one may mean."""
    match = _NAME_FIRST.match(unit.shown)
    words = cleaned(match.group()) if match else _first_subject(unit)
    return words if words and is_speaker(words) else None


def _once(found: Sequence[Found]) -> Iterator[Found]:
    """Each stretch of text as one claim."""
    seen: set[tuple[Span, ...]] = set()
    for one in found:
        if one.claim and one.spans not in seen:
            seen.add(one.spans)
            yield one
