"""The claims of an article: every checkable sentence, with who says it. The page that tells the order of things."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from claimsieve.intake.articles import Article, Block, Context, Document, Found, Span
from claimsieve.intake.quotes import FILLER, Quotation, quotations
from claimsieve.intake.sentences import LONGEST_SENTENCE, inner_sentences, sentences
from claimsieve.intake.speakers import PRONOUNS, Memory, cleaned, is_speaker
from claimsieve.intake.speech import UNNAMED, Frame, Sentence, frames, is_filler, sentence_of
from claimsieve.intake.verbs import FINITE
from claimsieve.intake.wording import entries
from claimsieve.intake.worth import has_verb, is_checkable, is_remark
from claimsieve.records import MAX_CLAIM_CHARACTERS

_ASIDE = re.compile(r",\s+(?P<word>but|though|although|even though|while|whereas|despite|without)\s+", re.IGNORECASE)
_KEEPS_BUT = ("but", "despite")
_LEAST_WORDS = 3


@dataclass(slots=True)
class _Reader:
    """Where the reading stands: who has been named, and who spoke last in this paragraph."""

    article: Article
    memory: Memory
    here: str | None = None  # the speaker of this paragraph, once there is one
    open_quote: bool = False  # the last paragraph ended within a quotation
    hands_over: bool = False  # the last paragraph ended in a colon


def claims_of(document: Document) -> list[Found]:
    """Every claim of an article in the order of its text.

    Of an article that is not in English every sentence that is checkable by its form is a statement of the article's.
    """
    reader = _Reader(document.article, Memory())
    found: list[Found] = []
    for block in document.blocks:
        found.extend(_of_block(reader, block))
    return [one for one in _once(found) if len(one.claim) <= MAX_CLAIM_CHARACTERS]


def _of_block(reader: _Reader, block: Block) -> Iterator[Found]:
    text = reader.article.text
    if block.kind in ("boilerplate", "heading"):
        reader.memory.note_names(text[block.start : block.end])
        return
    if reader.article.lang != "en":
        yield from _plain_statements(reader, block)
        return
    if block.kind == "post":
        yield from _signed(reader, block, "post")
        if block.speaker:
            reader.memory.spoke(block.speaker.partition(" (@")[0])
    elif block.kind == "caption":
        yield from _signed(reader, block, "caption")
    elif block.kind == "quote" and (block.speaker or not _has_own_frames(reader, block)):
        speaker = block.speaker or (reader.memory.speakers[-1] if reader.memory.speakers else UNNAMED)
        yield from _signed(reader, replace(block, speaker=speaker), "quote")
        if block.speaker:
            reader.memory.spoke(block.speaker)
    else:
        for span in block.spans:
            yield from _of_paragraph(reader, span)
    reader.hands_over = text[: block.end].rstrip().endswith(":") if block.end else False


def _plain_statements(reader: _Reader, block: Block) -> Iterator[Found]:
    text = reader.article.text
    for span in inner_sentences(text, block.spans, lang=reader.article.lang):
        shown = text[span[0] : span[1]]
        if len(shown.split()) > _LEAST_WORDS and len(shown) <= LONGEST_SENTENCE and not shown.endswith(("?", "？", "؟")):
            yield Found(as_sentence(shown), (span,), span, "statement", block.speaker, block.date)


def _signed(reader: _Reader, block: Block, context: Context) -> Iterator[Found]:
    """Sentences that are all by one speaker."""
    text = reader.article.text
    for span in inner_sentences(text, block.spans):
        claim = as_sentence(text[span[0] : span[1]])
        if span[1] - span[0] <= LONGEST_SENTENCE and is_checkable(claim, context=context):
            yield Found(claim, (span,), span, context, block.speaker, block.date)
    reader.memory.note_names(text[block.start : block.end])


def _has_own_frames(reader: _Reader, block: Block) -> bool:
    """Whether an unsigned block quote reports others itself, as a passage of another article does."""
    text = reader.article.text
    return any(
        frames(sentence_of(text, span, quotations(text, span))) for span in inner_sentences(text, block.spans)
    )


def _of_paragraph(reader: _Reader, span: Span) -> Iterator[Found]:
    text = reader.article.text
    quoted = quotations(text, span)
    carried = reader.here if reader.open_quote and text[span[0]] in "\"“‘'" else None
    reader.here = carried
    units = [sentence_of(text, one, quoted) for one in sentences(text, span)]
    framed = [frames(unit) if unit.span[1] - unit.span[0] <= LONGEST_SENTENCE else [] for unit in units]
    for number, (unit, found) in enumerate(zip(units, framed, strict=True)):
        reader.memory.note_names(unit.shown)
        if is_filler(unit.shown):
            following = next((frame for later in framed[number + 1 : number + 2] for frame in later), None)
            yield from _quoted_alone(reader, unit, following)
        elif unit.span[1] - unit.span[0] <= LONGEST_SENTENCE:
            yield from _of_sentence(reader, unit, found)
    reader.open_quote = bool(quoted) and not quoted[-1].closed


def _quoted_alone(reader: _Reader, unit: Sentence, following: Frame | None) -> Iterator[Found]:
    """A quotation that is a sentence of its own: by who spoke before it here, or speaks right after it, or last."""
    speaker = reader.here
    if speaker is None and following is not None and following.speaker:
        speaker = reader.memory.resolved(following.speaker)
    if speaker is None:
        speaker = (reader.memory.speakers or reader.memory.subjects or [UNNAMED])[-1]
    for quotation in unit.quoted:
        yield from _inner_quote(reader, unit, quotation.inner, speaker)


def _of_sentence(reader: _Reader, unit: Sentence, found: Sequence[Frame]) -> Iterator[Found]:
    covered: list[Span] = []
    asides: list[Span] = []
    results: list[Found] = []
    main = next((frame for frame in found if frame.speaker), None)
    for frame in found:
        speaker = _speaker(reader, unit, frame, main)
        content, aside = _without_aside(unit, frame)
        asides += aside
        covered += [frame.region, *content]
        results += _said(reader, unit, replace(frame, content=content), speaker)
        if speaker and speaker != UNNAMED:
            reader.memory.spoke(speaker)
            reader.here = speaker
            if frame.remark:
                reader.memory.note_role(speaker, frame.remark.strip(" ,"))
    for stretch in _left(unit, covered, asides):
        results += _stated(reader, unit, stretch, whole=not found)
    if not found and (name := _first_name(unit)):
        reader.memory.subjects.append(name)
    yield from sorted(results, key=lambda one: one.span)


def _speaker(reader: _Reader, unit: Sentence, frame: Frame, main: Frame | None) -> str | None:
    """Who a frame says it is; None where it is the article itself ("we could not …")."""
    words = frame.speaker
    if words is None:
        return UNNAMED
    if words == "":
        words = main.speaker if main is not None and main.speaker else _first_subject(unit)
    if not words:
        return reader.here or (reader.memory.speakers[-1] if reader.memory.speakers else UNNAMED)
    if words.lower() in ("we", "i"):
        return None
    speaker = reader.memory.resolved(words)
    return UNNAMED if speaker.lower() in PRONOUNS else speaker


def _first_subject(unit: Sentence) -> str:
    match = FINITE.search(unit.shown)
    words = cleaned(unit.words((0, match.start()))) if match else ""
    return words.rpartition(",")[2].strip() if is_speaker(words.rpartition(",")[2].strip()) else ""


def _first_name(unit: Sentence) -> str | None:
    match = re.match(r"(?:[A-Z][\w.'’-]+\s+){1,5}(?=[a-z])", unit.shown)
    return match.group().strip() if match and not match.group().startswith(("The ", "In ", "On ", "At ", "A ")) else None


def _without_aside(unit: Sentence, frame: Frame) -> tuple[tuple[Span, ...], list[Span]]:
    """Content without what the article adds to it after a comma, and that: ", but there is no evidence"."""
    if frame.way in ("object", "whole") or not frame.content:
        return frame.content, []
    *before, (start, end) = frame.content
    for match in _ASIDE.finditer(unit.shown, start, end):
        rest = unit.words((match.start("word"), end))
        if is_remark(rest) or (match["word"].lower() not in _KEEPS_BUT and FINITE.search(unit.shown, match.end(), end)):
            return (*before, (start, match.start())), [(match.end(), end)]
    return frame.content, []


def _left(unit: Sentence, covered: Sequence[Span], asides: Sequence[Span]) -> list[Span]:
    """Stretches of the sentence in which nobody is reported: the article's own words."""
    if not covered:
        return [(0, len(unit.shown))]
    left: list[Span] = []
    place = 0
    for start, end in sorted(covered):
        if start > place:
            left.append((place, start))
        place = max(place, end)
    left.append((place, len(unit.shown)))
    return [span for span in dict.fromkeys([*left, *asides]) if unit.shown[span[0] : span[1]].strip(" .,;")]


def _said(reader: _Reader, unit: Sentence, frame: Frame, speaker: str | None) -> list[Found]:
    """The claims of a frame's content: each sentence of a quotation, or the reported words as one."""
    shown = " ".join(unit.shown[start:end] for start, end in frame.content)
    if frame.way in ("clause", "tag") and is_filler(shown):
        inside = [one.inner for one in unit.quoted if any(_within(unit, one, span) for span in frame.content)]
        if len(inside) > 1 and not _ends_sentence(unit.text[inside[0][0] : inside[0][1]]):
            return _joined_quote(unit, inside, speaker)  # "One half," he said, "and the other."
        return [one for span in inside for one in _inner_quote(reader, unit, span, speaker)]
    spans = tuple((unit.span[0] + start, unit.span[0] + end) for start, end in frame.content)
    claim = as_sentence(" ".join(unit.text[start:end] for start, end in spans))
    if frame.way == "denial":
        claim = as_sentence(f"It is not true that {uncapitalised(claim)}")
    if not is_checkable(claim, context="report", own=speaker is None):
        return []
    return [Found(claim, spans, unit.span, "report" if speaker else "statement", speaker)]


def _within(unit: Sentence, quotation: Quotation, span: Span) -> bool:
    return quotation.start >= unit.span[0] + span[0] - 1 and quotation.start < unit.span[0] + span[1]


def _ends_sentence(words: str) -> bool:
    return words.rstrip().endswith((".", "!", "?", "…"))


def _joined_quote(unit: Sentence, inside: Sequence[Span], speaker: str | None) -> list[Found]:
    claim = as_sentence(" ".join(unit.text[start:end] for start, end in inside))
    return [Found(claim, tuple(inside), unit.span, "quote", speaker)] if is_checkable(claim, context="quote") else []


def _inner_quote(reader: _Reader, unit: Sentence, inner: Span, speaker: str | None) -> Iterator[Found]:
    text = reader.article.text
    for span in sentences(text, inner):
        claim = as_sentence(text[span[0] : span[1]])
        if is_checkable(claim, context="quote"):
            yield Found(claim, (span,), unit.span, "quote", speaker)


def _stated(reader: _Reader, unit: Sentence, stretch: Span, *, whole: bool) -> list[Found]:
    """A claim of the article's own."""
    start, end = stretch
    inner = unit.shown[start:end]
    if not whole:
        match = re.compile(r"[\s,;:—–]*(?:(?:and|but|or|though|although|while)\s+)?").match(inner)
        start += match.end() if match else 0
        end = start + len(re.sub(r"(?:[\s,;:—–.]|(?<=\s)(?:and|but|while|though|although|as|when|after))+$", "", unit.shown[start:end]))
        shown = unit.shown[start:end]
        if len(shown.split()) < _LEAST_WORDS or not FINITE.search(shown) or not has_verb(shown) or _is_adverbial(shown):
            return []
    words = unit.words((start, end))
    if FILLER in unit.shown and _LABELS.search(unit.shown[start:end]):
        return []
    claim = as_sentence(words)
    if not is_checkable(claim, context="statement", own=True):
        return []
    return [Found(claim, ((unit.span[0] + start, unit.span[0] + end),), unit.span, "statement")]


# 'called the strike "a slap"': a view in somebody's words, and nothing to check.
_LABELS = re.compile(rf"\b(?:called|calls|calling|described|describes|describing|branded|labelled|labeled|dubbed|hailed|denounced|slammed)\b[^.;]*{FILLER}")
_ADVERBIAL = re.compile(
    r"(?:on|in|at|after|before|during|when|while|as|if|since|following|by|despite|amid|with|without|until|because|speaking|asked|citing|quoting|which|who|according)\b",
    re.IGNORECASE,
)


def _is_adverbial(shown: str) -> bool:
    return bool(_ADVERBIAL.match(shown.strip()))


def as_sentence(words: str) -> str:
    """Some words of an article as a sentence: one line, a capital, a full stop, and no quotation mark without its twin."""
    text = " ".join(words.split()).strip(" ,;:—–")
    for opening, closing in (("“", "”"), ("‘", "’"), ("«", "»")):
        if text.startswith(opening) and closing not in text[1:]:
            text = text[1:]
        if text.endswith(closing) and opening not in text and closing != "’":
            text = text[:-1]
        if text.startswith(opening) and text.endswith(closing) and text.count(opening) == 1:
            text = text[1:-1]
    if text.count('"') == 1 or (text.startswith('"') and text.endswith('"') and text.count('"') == 2):
        text = text.replace('"', "")
    text = _COMMA_IN_QUOTE.sub(r"\1", text.strip()).rstrip(",;:—– ")
    if not text:
        return text
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?…" or text[-2:] in ('."', ".”", '!"', "!”", ".’", ".'", "!'", "!’") else f"{text}."


_COMMA_IN_QUOTE = re.compile(r",([\"”’'])$")


def uncapitalised(sentence: str) -> str:
    """A sentence as a clause: its first letter small, unless its first word is a name."""
    first = sentence.split(" ", 1)[0]
    return sentence if first[1:] != first[1:].lower() or first.lower() not in entries("starters.txt") else first.lower() + sentence[len(first) :]


def _once(found: Sequence[Found]) -> Iterator[Found]:
    """Each stretch of text as one claim."""
    seen: set[tuple[Span, ...]] = set()
    for one in found:
        if one.claim and one.spans not in seen:
            seen.add(one.spans)
            yield one
