"""The claims of one sentence: what each frame says, and what the article says beside it, each with its place."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from claimsieve.intake.articles import Found, Span
from claimsieve.intake.frames import RELATIVE_REMARK, TIME_SPAN, Frame, Sentence, is_filler
from claimsieve.intake.phrasing import as_sentence
from claimsieve.intake.quotes import FILLER, Quotation
from claimsieve.intake.sentences import sentences
from claimsieve.intake.verbs import FINITE, has_verb
from claimsieve.intake.worth import is_checkable, is_dated_or_counted, is_remark

# A comma and one of these: what follows may be the article's word again, and no more what somebody says.
_ASIDE = re.compile(r",\s+(?P<word>but|though|although|even though|while|whereas|despite|without)\s+", re.IGNORECASE)
_KEEPS = ("but", "despite", "without")
_LEAST_WORDS = 4
_LEADING = re.compile(r"[\s,;:—–]*(?:(?:and|but|or|though|although|even though|while|whereas)\s+)?", re.IGNORECASE)
_TRAILING = re.compile(r"(?:[\s,;:—–.]|(?<=\s)(?:and|but|while|though|although|as|when|after|that))+$")
_ADVERBIAL = re.compile(
    r"(?:on|in|at|after|before|during|when|while|as|if|since|following|by|despite|amid|with|without|until"
    r"|because|speaking|asked"
    r"|citing|quoting|which|who|whose|where|according|referring|describing|calling|a|an)\b",
    re.IGNORECASE,
)
# 'called the strike "a slap"', "called the line unfit": a view in somebody's words.
_LABELS = re.compile(
    rf"\b(?:called|calls|calling|described|describes|describing|branded|labelled|labeled|dubbed|hailed|denounced"
    rf"|slammed|praised)\b[^.;]*?{FILLER}"
    r"|\b(?:called|calls)\s+(?:it|him|her|them|this|that|the|his|her|its|their)\s+(?!(?:police|ambulance|fire"
    r"|emergency|army|vote|election)\b)"
)


# "…, the company said, a day after the United States grounded it": that is the article's word.
_AND_THAT = re.compile(r"(\S)\s+and\s+that\s+(?=(?:the|a|an|his|her|its|their|he|she|it|they|there|[A-Z]\w+|\d\S*)\s)")
_LATER = re.compile(rf"(?:{TIME_SPAN})?(?:after|since)\s+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be a claim. core: the stretch of the sentence that is about it; kept: whether it is worth checking."""

    found: Found
    core: Span
    kept: bool


def sayings(unit: Sentence, spoken: Sequence[tuple[Frame, str | None]]) -> list[Found]:
    """The claims of a sentence in their order. spoken: its frames, each with the speaker that it was resolved to."""
    candidates: list[Candidate] = []
    covered: list[Span] = []
    asides: list[Span] = []
    for frame, speaker in spoken:
        content, aside = _without_aside(unit, frame)
        remarks = [
            span for span in aside if is_remark(unit.words(span)) or RELATIVE_REMARK.match(f" {unit.words(span)}")
        ]
        asides += [span for span in aside if span not in remarks]
        covered += [frame.region, *content, *remarks]
        placed = tuple((unit.span[0] + start, unit.span[0] + end) for start, end in remarks)
        said = _said(unit, replace(frame, content=content), speaker) if content else []
        candidates += [replace(one, found=replace(one.found, remarks=placed)) for one in said]
    for stretch in _left(unit, covered, asides):
        candidates += _stated(unit, stretch, whole=not spoken)
    return [replace(one.found, span=span) for one, span in _placed(unit, candidates) if one.kept]


def quoted_alone(unit: Sentence, speaker: str | None) -> list[Found]:
    """The claims of a sentence that is a quotation and nothing else."""
    candidates = [one for quotation in unit.quoted for one in _inner_quote(unit, _clipped(unit, quotation), speaker)]
    return [replace(one.found, span=span) for one, span in _placed(unit, candidates) if one.kept]


def _placed(unit: Sentence, candidates: Sequence[Candidate]) -> list[tuple[Candidate, Span]]:
    """Candidates in order, each with its place in the article: its core, and what up to the next belongs to none."""
    ordered = sorted(candidates, key=lambda one: one.core)
    starts = [0, *(one.core[0] for one in ordered[1:]), len(unit.shown)]
    result = []
    for number, one in enumerate(ordered):
        end = max(starts[number + 1], one.core[1])
        while end > one.core[1] and unit.shown[end - 1] in " \n\t":
            end -= 1
        result.append((one, (unit.span[0] + starts[number], unit.span[0] + end)))
    return result


def _without_aside(unit: Sentence, frame: Frame) -> tuple[tuple[Span, ...], list[Span]]:
    """Content without what the article adds to it: ", but there is no evidence", "that turned out to be old"."""
    if frame.way == "whole" or not frame.content:
        return frame.content, []
    *before, (start, end) = frame.content
    for match in _ASIDE.finditer(unit.shown, start, end):
        word, rest = match["word"].lower(), unit.words((match.start("word"), end))
        if is_remark(rest) or (word not in _KEEPS and FINITE.search(unit.shown, match.end(), end)):
            aside = match.start("word") if word == "without" else match.end()
            return (*before, (start, match.start())), [(aside, end)]
    relative = RELATIVE_REMARK.search(unit.shown, start, end) if frame.way == "object" else None
    if relative is not None:
        begins = relative.end() - len(relative.group().lstrip(" ,"))
        return (*before, (start, relative.start())), [(begins, end)]
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
    left = [span for span in left if not any(aside[0] < span[1] and span[0] < aside[1] for aside in asides)]
    return [span for span in (*left, *asides) if unit.shown[span[0] : span[1]].strip(" .,;")]


def _said(unit: Sentence, frame: Frame, speaker: str | None) -> list[Candidate]:
    """Each sentence of a quotation, or the reported words as one."""
    shown = " ".join(unit.shown[start:end] for start, end in frame.content)
    first = frame.content[0][0]
    before = frame.region[0] if frame.region[0] < first else first
    if frame.way in ("clause", "tag") and is_filler(shown):
        inside = [
            _clipped(unit, one) for one in unit.quoted if any(_begins_in(unit, one, span) for span in frame.content)
        ]
        if len(inside) > 1 and not unit.text[inside[0][0] : inside[0][1]].rstrip().endswith((".", "!", "?", "…")):
            return [_joined_quote(unit, inside, speaker)]  # "One half," he said, "and the other."
        parts = [one for span in inside for one in _inner_quote(unit, span, speaker)]
        return [replace(parts[0], core=(min(before, parts[0].core[0]), parts[0].core[1])), *parts[1:]] if parts else []
    spans = tuple((unit.span[0] + start, unit.span[0] + end) for start, end in frame.content)
    claim = as_sentence(_AND_THAT.sub(r"\1 and ", _joined(unit, frame.content)))
    checkable = is_checkable(claim, context="report", own=speaker is None and frame.speaker is not None)
    if frame.way == "denial":
        said = unit.words(frame.content[0]).lstrip()
        claim = as_sentence(f"It is not true that {claim if said[:1].isupper() else claim[0].lower() + claim[1:]}")
    ours = speaker is None and frame.speaker is not None  # "we could see that …"
    found = Found(claim, spans, unit.span, unit.span, "statement" if ours else "report", speaker)
    return [Candidate(found, (before, max(frame.content[-1][1], frame.region[1])), checkable)]


def _joined(unit: Sentence, content: Sequence[Span]) -> str:
    """What stands on both sides of a tag; with a comma where the first is a sentence already."""
    first, *rest = (unit.words(span) for span in content)
    for more in rest:
        whole = has_verb(first) and not first.endswith(("which", "who", "that"))
        first += f"{', ' if whole else ' '}{more}"
    return first


def _begins_in(unit: Sentence, quotation: Quotation, span: Span) -> bool:
    start = quotation.start - unit.span[0]
    return span[0] - 1 <= start < span[1]


def _clipped(unit: Sentence, quotation: Quotation) -> Span:
    return max(quotation.inner[0], unit.span[0]), min(quotation.inner[1], unit.span[1])


def _joined_quote(unit: Sentence, inside: Sequence[Span], speaker: str | None) -> Candidate:
    *first, last = [unit.text[start:end].strip() for start, end in inside]
    claim = as_sentence(" ".join([*(part.rstrip(",") for part in first), last]))
    found = Found(claim, tuple(inside), unit.span, unit.span, "quote", speaker)
    core = (inside[0][0] - unit.span[0], inside[-1][1] - unit.span[0])
    return Candidate(found, core, is_checkable(claim, context="quote"))


def _inner_quote(unit: Sentence, inner: Span, speaker: str | None) -> Iterator[Candidate]:
    for span in sentences(unit.text, inner):
        claim = as_sentence(unit.text[span[0] : span[1]])
        found = Found(claim, (span,), unit.span, unit.span, "quote", speaker)
        core = (span[0] - unit.span[0], span[1] - unit.span[0])
        yield Candidate(found, core, is_checkable(claim, context="quote"))


def _stated(unit: Sentence, stretch: Span, *, whole: bool) -> list[Candidate]:
    """A claim of the article's own."""
    start, end = stretch
    kept = True
    if not whole:
        match = _LEADING.match(unit.shown, start, end)
        start = match.end() if match else start
        shown = unit.shown[start:end]
        end = start + len(_TRAILING.sub("", shown))
        shown = unit.shown[start:end]
        if len(shown.split()) < _LEAST_WORDS or not has_verb(shown):
            return []
        first_verb = FINITE.search(shown)
        if (later := _LATER.match(shown)) and FINITE.search(shown, later.end()):
            start, shown, first_verb = start + later.end(), shown[later.end() :], None
            if not is_dated_or_counted(shown):
                return []
        # "On Monday, after …" hangs on what is said; "In Rome, trams stopped" is a sentence.
        if _ADVERBIAL.match(shown) and not re.search(
            r",\s\S+(?:\s\S+){0,8}$", shown[: first_verb.start()] if first_verb else ""
        ):
            return []
    claim = as_sentence(unit.words((start, end)))
    if _LABELS.search(unit.shown[start:end]) or not is_checkable(claim, context="statement", own=True):
        kept = False
    span = (unit.span[0] + start, unit.span[0] + end)
    return [Candidate(Found(claim, (span,), unit.span, unit.span, "statement"), (start, end), kept)]
