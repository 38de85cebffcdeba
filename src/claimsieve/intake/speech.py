"""Reported speech in a sentence: who says it, and which words are what they say. English only.

No parser: verbs of reporting (words/verbs.txt), the noun phrase before or after them, and what follows "that".
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from claimsieve.intake.articles import Span
from claimsieve.intake.contents import STOP, after_verb, content_after
from claimsieve.intake.frames import RELATIVE_REMARK, Frame, Sentence, Way, clause_start
from claimsieve.intake.hearsay import according, handed_over, impersonal, nominal
from claimsieve.intake.speakers import Subject, cleaned, is_speaker, subject_before
from claimsieve.intake.tags import ends_quoted, inverted_tag, tag
from claimsieve.intake.verbs import AUXILIARY, FINITE, Verb, group, has_verb, verb_forms, verb_pattern
from claimsieve.intake.wording import either, little_words

_NOT_SAID = re.compile(
    r"(?:\bto|\bnot|n['’]t|\bnever|\b(?:declined|refused|unable|failed|hesitated)\s+to|\bwould|\bcould|\bmight"
    r"|\bmay|\bcannot"
    r"|\bshould|\bwill|\bwithout|\bif|\bwhether|\blet|\bmust|\bwon['’]t|\bnor)\s+(?:\w+ly\s+|even\s+|be\s+|have\s+)?$",
    re.IGNORECASE,
)
_BY_NOBODY = re.compile(r"\b(?:nothing|nobody|no\s+one|none|neither)\b[^,;:.]*$", re.IGNORECASE)
_PASSIVE = re.compile(r"\b(?:is|are|was|were|been|being|be|gets?|got)\s+(?:\w+ly\s+|not\s+|also\s+)?$", re.IGNORECASE)
_FOLLOWED_BY_VERB = re.compile(
    rf"\s+(?:{AUXILIARY}|(?:{either(verb_forms())})(?!\s+(?:by|in|on|from))|from|of|about|by|published|released"
    rf"|issued)\b",
    re.IGNORECASE,
)
# "a leaked audit claims", "posts shared thousands of times claim"
_OF_A_NOUN = re.compile(
    r"\b(?:an?|the|this|his|her|its|their)\s+(?:\w+ly\s+)?\w+ed\b"
    r"|(?<=\w\s)(?:published|released|issued|conducted|commissioned|written|seen|obtained|filed|carried\s+out)\s+(?:in|on|by|for|at)\b"
    r"|(?<=s\s)(?:shared|viewed|watched|posted|published|circulated|released|issued|forwarded|liked|retweeted)\b"
)
_CITES = re.compile(r",?\s+(?:citing|quoting)\s+(?P<who>[^,;.]{3,80}?)(?=[,.;]|$)")
_BLAMES = re.compile(r"[^.;]{3,}?\s(?:of|for)\s")
# "rejects all of it", "denied the claims": nothing is said that could be looked up.
_VAGUE_OBJECT = re.compile(
    r"\s+(?:(?:all|any|any\s+of|all\s+of|both|these|those|the|such|his|her|its|their|that|this|it|them|every"
    r"|each)\s*){0,3}"
    r"(?:claims?|reports?|allegations?|accusations?|charges?|suggestions?|rumou?rs|it|this|that|them|criticism"
    r"|findings?)?\s*(?:[.,;]|$)"
)
_GAUGED = re.compile(
    r"\s[^.;]*(?:\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|dozens?|hundreds?|thousands?|millions?"
    r"|billions?)\b|\bas\s+an?\s)"
)
_FOUND = re.compile(r"\s[^.;]{2,150}?\b(?:guilty|liable|in\s+contempt)\b")  # "a jury found her guilty"
_ADMITTED = re.compile(
    r"\s+(?:\d[\d,]*|two|three|four|five|six|seven|eight|nine|ten|dozens|hundreds|(?:the\s+)?patients)\b"
)
_MEDIA = re.compile(
    r"\s(?:[\w’'-]+\s){0,4}?(?:pictures?|photos?|photographs?|images?|videos?|footage|clips?|screenshots?|maps?"
    r"|recordings?|film)\b"
)
_OTHER_THAN_NAMES = ("his", "her", "its", "their")
_MOST_VERBS = 20  # what has more is no sentence that somebody wrote
_CLOSE = 4  # words between what two speakers say, below which the one tells what the other said


def frames(sentence: Sentence) -> list[Frame]:
    """All that is reported in a sentence, in its order; one frame's content ends where the next one begins."""
    verbs = list(verb_pattern().finditer(sentence.shown))
    if len(verbs) > _MOST_VERBS:
        return []
    found = [frame for match in verbs if (frame := _of_verb(sentence, match))]
    found += according(sentence)
    found += impersonal(sentence)
    found += nominal(sentence, found)
    found = found or list(handed_over(sentence))
    found.sort(key=lambda frame: frame.region)
    return _apart(sentence, _unnested(sentence, found))


def _of_verb(sentence: Sentence, match: re.Match[str]) -> Frame | None:
    shown, verb = sentence.shown, verb_forms()[match.group()]
    if not _is_verb(shown, match, verb):
        return None
    if verb.participle and not _is_progressive(shown[: match.start()]):
        return _of_participle(sentence, match, verb)
    if verb.base == "admit" and _ADMITTED.match(shown, match.end()):
        return None
    noun = match.group() in group("nouns")
    subject = subject_before(shown, match.start())
    if subject is not None and not is_speaker(cleaned(sentence.words(subject.span))):
        subject = None
    if noun and subject is not None and FINITE.search(_OF_A_NOUN.sub("", shown[slice(*subject.span)])):
        return None
    content = content_after(sentence, match.end(), verb, noun=noun)
    if subject is None:
        return _of_same_subject(sentence, match, verb, content) or inverted_tag(sentence, match, verb)
    speaker, remark = cleaned(sentence.words(subject.span)), shown[subject.span[1] : match.start()]
    cites = _CITES.search(shown, subject.span[1])
    if cites is not None and (cites.start() < match.start() or not shown[match.end() : cites.start()].strip()):
        speaker = f"{cleaned(cites['who'])}, cited by {speaker}"
    if content is not None:
        way: Way = "denial" if verb.kind == "deny" else "clause"
        return Frame(way, speaker, (subject.left, content), ((content, len(shown)),), remark)
    after = after_verb(shown, match.end(), verb)
    tagged = STOP.match(shown, after) or ends_quoted(shown[: subject.left]) or not has_verb(shown[after:])
    if tagged and verb.kind == "say" and (found := tag(sentence, subject, after, verb)):
        return replace(found, speaker=speaker, remark=remark)
    if (not noun or verb.base in ("find", "promise", "pledge")) and _takes_object(shown, match.end(), verb):
        return _object(sentence, subject, match.end(), speaker, remark)
    return None


def _is_verb(shown: str, match: re.Match[str], verb: Verb) -> bool:
    """Whether a form is a verb here, and says that something is said: no noun, no "did not say", no "was reported"."""
    before = shown[: match.start()]
    if (
        _NOT_SAID.search(before[-40:])
        or _BY_NOBODY.search(before)
        or (_PASSIVE.search(before[-30:]) and not verb.participle)
    ):
        return False
    words = before.split()
    last = words[-1].lower() if words else ""
    if last == "and" and not verb.participle and match.group() not in group("nouns"):
        return True
    if last in little_words("determiners") and not (
        last in ("and", "that", "of", "by", "in", "this") and verb.participle
    ):
        return False
    if match.group() not in group("nouns"):
        return True
    if _FOLLOWED_BY_VERB.match(shown, match.end()):
        return False
    return verb.participle or (bool(last) and not last.endswith(("'s", "’s", "s'", "s’")))


def _is_progressive(before: str) -> bool:
    return bool(re.search(r"\b(?:is|are|was|were|been)\s+(?:\w+ly\s+|also\s+|now\s+)?$", before))


def _takes_object(shown: str, place: int, verb: Verb) -> bool:
    """Whether a thing in place of a sentence tells what is said: "confirmed the deaths of five"."""
    if STOP.match(shown, place) or _VAGUE_OBJECT.match(shown, place):
        return False
    if verb.kind == "blame":
        return bool(_BLAMES.match(shown, place))
    if verb.base in group("gauge"):
        return bool(_GAUGED.match(shown, place))
    if verb.base in group("shown"):
        return bool(_MEDIA.match(shown, place)) and RELATIVE_REMARK.search(shown, place) is not None
    if verb.base == "find":
        return bool(_FOUND.match(shown, place))
    return verb.kind == "deny" or verb.base in group("object")


def _object(sentence: Sentence, subject: Subject, verb_end: int, speaker: str, remark: str) -> Frame:
    """The clause from its subject on; to the next one, where there are several."""
    shown = sentence.shown
    start = clause_start(shown, subject.left)
    ends = re.compile(r";\s").search(shown, verb_end)
    content = (min(start, subject.left), ends.start() if ends else len(shown))
    return Frame("object", speaker, (subject.left, verb_end), (content,), remark)


def _of_same_subject(sentence: Sentence, match: re.Match[str], verb: Verb, content: int | None) -> Frame | None:
    """ "NAME contradicted the president and said that …": by whoever the clause is about."""
    before = sentence.shown[: match.start()].rstrip()
    joined = re.search(r"(?:,\s+|\s)(?:and|but|then)(?:\s+(?:also|later|then|\w+ly|has|have|had))*$", before)
    if joined is None or content is None or not FINITE.search(before[: joined.start()]):
        return None
    way: Way = "denial" if verb.kind == "deny" else "clause"
    return Frame(way, "", (joined.start(), content), ((content, len(sentence.shown)),))


def _of_participle(sentence: Sentence, match: re.Match[str], verb: Verb) -> Frame | None:
    """ ", adding that …", "quoted as saying …": by whoever the sentence is about."""
    shown = sentence.shown
    before = shown[: match.start()].rstrip()
    quoted_by = re.search(
        r"\b(?:was|were|is|are|been)\s+(?:also\s+)?(?:quoted|cited)\s+(?:by\s+[^,;]{2,60}\s+)?as$", before
    )
    quotes = re.search(r"\b(?:quoted|quoting|quotes|cited|citing|cites)\s+(?P<who>[^,;\"“]{2,80}?)\s+as$", before)
    speaker, start = "", len(before.rstrip(","))
    if quoted_by:
        subject = subject_before(shown, quoted_by.start())
        if subject is None:
            return None
        speaker, start = cleaned(sentence.words(subject.span)), subject.left
    elif quotes:
        speaker, start = cleaned(sentence.words(quotes.span("who"))), quotes.start()
        subject = subject_before(shown, quotes.start())
        if subject is not None and is_speaker(channel := cleaned(sentence.words(subject.span))):
            speaker, start = f"{speaker}, cited by {channel}", subject.left
    elif not before.endswith((",", " and", '"', "”", "—")) or verb.kind == "blame":
        return None
    content = content_after(sentence, match.end(), verb, noun=False)
    if content is None:
        return None
    way: Way = "denial" if verb.kind == "deny" else "clause"
    return Frame(way, speaker, (start, content), ((content, len(shown)),))


def _unnested(sentence: Sentence, found: Sequence[Frame]) -> list[Frame]:
    """Of "NAME said he believed that …" and "NAME said his generals had told him …" NAME says it all."""
    kept: list[Frame] = []
    for frame in found:
        outer = kept[-1] if kept else None
        if outer is not None and outer.way == "clause" and outer.speaker and frame.way == "tag" and _is_pronoun(frame):
            frame = replace(frame, speaker=outer.speaker)  # "Holt disagreed: the dam, he said, had been inspected."
        if (
            outer is not None
            and outer.way == "clause"
            and frame.way == "clause"
            and outer.speaker
            and frame.speaker is not None
        ):
            between = (
                sentence.shown[outer.content[0][0] : frame.region[0]].split()
                if frame.region[0] >= outer.content[0][0]
                else None
            )
            first = frame.speaker.lower().split()[:1]
            if between is not None and len(between) < _CLOSE and (first and first[0] in _OTHER_THAN_NAMES):
                continue
            if between is not None and len(between) < _CLOSE and _is_pronoun(frame):
                kept[-1] = replace(outer, content=frame.content, region=(outer.region[0], frame.region[1]))
                continue
        kept.append(frame)
    return kept


def _is_pronoun(frame: Frame) -> bool:
    return (frame.speaker or "").lower() in ("he", "she", "they", "it")


def _apart(sentence: Sentence, found: Sequence[Frame]) -> list[Frame]:
    """Content does not go into the words of another frame; what is left with nothing to say has none."""
    kept: list[Frame] = []
    cutting = [frame for frame in found if frame.way not in ("object", "whole")]
    for frame in found:
        spans: list[Span] = []
        for start, end in frame.content:
            if frame.way in ("object", "whole"):
                spans.append((start, end))
                continue
            for other in found:
                # "Critics say …; the government puts the figure at …"
                if other.way == "object" and start < (begins := other.content[0][0]) < end:
                    end = begins
            for other in cutting:
                if other.region == frame.region:
                    continue
                if start <= other.region[0] < end:
                    end = other.region[0]
                elif other.region[0] < start < other.region[1]:
                    start = other.region[1]
            spans.append(_stripped(sentence.shown, (start, end)))
        spans = [span for span in spans if span[0] < span[1]]
        enough = sum(len(sentence.words(span).split()) for span in spans) >= 2
        kept.append(replace(frame, content=tuple(spans) if enough else ()))
    return _joined(
        [frame for frame in kept if frame.way not in ("object", "whole") or _stands_alone(frame, kept)], kept
    )


def _joined(frames_: Sequence[Frame], all_: Sequence[Frame]) -> list[Frame]:
    """ "NAME contradicted the president and said that …": of the first verb stays who it was."""
    result = []
    for frame in frames_:
        if frame.speaker == "":
            first = next(
                (one for one in all_ if one.way == "object" and one.speaker and one.region < frame.region), None
            )
            if first is not None and first not in frames_:
                frame = replace(frame, speaker=first.speaker, region=(first.region[0], frame.region[1]))
        result.append(frame)
    return result


def _stands_alone(frame: Frame, kept: Sequence[Frame]) -> bool:
    """A clause is reported whole only where no other frame says more exactly who says what in it."""
    if not frame.content:
        return False
    start, end = frame.content[0]
    others = [other for other in kept if other is not frame and other.content]
    if any(other.way not in ("object", "whole") and start <= other.content[0][0] < end for other in others):
        return False
    return not any(
        other.way in ("object", "whole") and other.content[0] == frame.content[0] and other.region < frame.region
        for other in others
    )


def _stripped(shown: str, span: Span) -> Span:
    """Without white space, and without a comma or conjunction left at an end."""
    start, end = span
    if start >= end:
        return span
    match = re.compile(r"[\s,;:—–]*(?:(?:and|but|or)\s+(?:that\s+)?)?").match(shown, start, end)
    start = match.end() if match else start
    inner = shown[start:end].rstrip()
    inner = re.sub(r"(?:[\s,;:—–]|(?<=\s)(?:and|but|while|though|although|as|when|after))+$", "", inner)
    return start, start + len(inner)
