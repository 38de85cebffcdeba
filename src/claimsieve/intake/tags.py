"""Tags: "…, NAME said", "…," said NAME, and what is said before and after them."""

import re

from claimsieve.intake.articles import Span
from claimsieve.intake.frames import TIME_SPAN, Frame, Sentence, clause_start
from claimsieve.intake.quotes import FILLER
from claimsieve.intake.speakers import ONLY_A_NAME, Subject, cleaned, is_speaker, subject_after
from claimsieve.intake.verbs import FINITE, Verb, group, has_verb

_OPENING = ('"', "“", "'", "‘", "«")
_WHEN = re.compile(
    r"(?:(?P<placed>On|In|At|During|By)|After|Before|When|While|As|If|Although|Though|Since|Following)\b[^,]*$"
)
_NO_MORE_OF_IT = re.compile(
    r"(?:who|which|adding|citing|quoting|speaking|referring|according|in|on|at|after|as|when|while|but|without"
    r"|during|describing"
    rf"|calling|though|although|whereas|{TIME_SPAN}(?:after|before|since))\b"
)
_REMARK = re.compile(r"(?:a|an|the|his|her|its|and)\b")


def tag(sentence: Sentence, subject: Subject, after: int, verb: Verb) -> Frame | None:
    """ "CONTENT, NAME said" and "CONTENT, NAME said, MORE OF IT". The speaker is left to be filled in."""
    shown = sentence.shown
    head = shown[: subject.left].rstrip()
    quoted = ends_quoted(head)
    if not quoted and not (head.endswith((",", "—", "–")) and verb.base in group("tags")):
        return None
    content = head.rstrip(" ,—–")
    goes_on = shown[after:] if shown[after:].lstrip()[:1] in (",", "—", "–") else ""
    if not quoted and (len(f"{content} {goes_on}".split()) < 3 or not _is_clause(content + goes_on)):
        return None
    spans = _around(sentence, len(head.removesuffix(",") if quoted else content), after, quoted=quoted, inverted=False)
    return Frame("tag", None, (len(head), after), spans)


def inverted_tag(sentence: Sentence, match: re.Match[str], verb: Verb) -> Frame | None:
    """ "CONTENT," said NAME, a remark on NAME."""
    shown = sentence.shown
    head = shown[: match.start()].rstrip()
    quoted = ends_quoted(head)
    if not head or verb.participle or not (quoted or (head.endswith(",") and verb.base in group("tags"))):
        return None
    subject = subject_after(shown, match.end())
    if subject is None:
        return None
    speaker = cleaned(sentence.words(subject.span))
    content = head.removesuffix(",") if quoted else head.rstrip(" ,")
    if not is_speaker(speaker) or (not quoted and not _is_clause(content)):
        return None
    tail = re.compile(rf",\s[^,.;\"“'‘{FILLER}]{{2,120}}?(?=[,.;]|$)").match(shown, subject.span[1])
    remark, after = (tail.group(), tail.end()) if tail else ("", subject.span[1])
    name = remark.strip(" ,")
    if ONLY_A_NAME.fullmatch(name) and speaker[:4].lower() in ("the ", "its ", "his ", "her "):
        speaker, remark = name, f", {speaker}"  # said the miller, Jan Holt
    spans = _around(sentence, len(content), after, quoted=quoted, inverted=True)
    return Frame("tag", speaker, (len(head), after), spans, remark)


def ends_quoted(head: str) -> bool:
    """Whether some words end with a closing quotation mark, and perhaps a comma, which some papers set behind it."""
    return head.rstrip().removesuffix(",")[-1:] in ('"', "”", "'", "’", "»")


def _is_clause(content: str) -> bool:
    """Whether some words could be what is said: they have a verb, or a number, and do not only say when."""
    if (when := _WHEN.match(content)) and not (when.group("placed") and FINITE.search(content)):
        return False
    return has_verb(content) or bool(re.search(r"\d", content))


def _around(sentence: Sentence, end: int, after: int, *, quoted: bool, inverted: bool) -> tuple[Span, ...]:
    """What stands before a tag, and what goes on after it."""
    shown = sentence.shown
    start = 0 if quoted else clause_start(shown, end)
    spans: list[Span] = [(start, end)]
    match = re.compile(r"\s*[,—–:;]?\s*").match(shown, after)
    rest = match.end() if match else after
    if quoted:
        goes_on = shown[rest : rest + 1] in _OPENING
    else:
        goes_on = shown[after:].lstrip()[:1] in (",", "—", "–") and not _NO_MORE_OF_IT.match(shown, rest)
        goes_on = goes_on and not (inverted and _REMARK.match(shown, rest))
    if goes_on and rest < len(shown) - 3:
        spans.append((rest, len(shown)))
    return tuple(spans)
