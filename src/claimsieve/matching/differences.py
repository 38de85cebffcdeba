"""In what two claims differ though they sound alike: numbers, negation, names, dates, opposites, a word exchanged.

An embedding hardly notices any of these: "22 soldiers died" and "80 soldiers did not die" lie close together. The
checks are of words, for English, and err on the side of a difference: what they name, a person looks at.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from unicodedata import category

from claimsieve.data.editing.opposites import COUNTERPARTS
from claimsieve.data.editing.texts import negations, stem, vocabulary
from claimsieve.matching.moments import Moments, conflicts, moments
from claimsieve.matching.names import Names, conflict, names, swapped
from claimsieve.matching.quantities import Quantity, quantities
from claimsieve.matching.wording import MOSTLY_THE_SAME, as_said, overlap, plain_words, substitutions

# Without regard to case they pass for s, i and k, and have other small letters.
_LETTERS = str.maketrans("\u017f\u0130\u0131\u212a", "sIik")
_DENIALS = vocabulary(
    """false falsely fake faked hoax untrue myth debunked debunks denies deny denying denial rejects rejected refutes
    refuted disproved disproven dispelled unproven unfounded baseless lacks lack lacking unable stopped fails fail
    stop stops refuse refuses fabricated staged doctored photoshopped impossible"""
)
_MORE_COUNTERPARTS = vocabulary(
    """killed/wounded killed/injured dead/wounded dead/injured died/survived dies/survives kill/save
    killed/saved more/fewer more/less increase/reduce increases/reduces increased/reduced rise/fall rises/falls
    rising/fall raise/cut raises/cuts raised/cut causes/prevents cause/prevent causes/cures cause/cure safe/dangerous
    safe/unsafe legal/illegal arrested/released detained/released confirmed/denied confirms/denies real/fake
    genuine/fake ban/allow bans/allows banned/allowed entered/left enters/leaves arrive/leave joins/leaves joined/left
    import/export imports/exports friend/enemy ally/enemy lowest/highest all/some all/most always/never before/after
    during/after withdraw/send withdraws/sends agreed/refused agrees/refuses offered/demanded rich/poor
    majority/minority
    protects/harms protect/harm helps/harms help/harm won/lost wins/loses win/lose support/oppose male/female
    resigned/stayed hot/cold north/south east/west left/right may/will could/will might/will first/last
    higher/lower most/least maximum/minimum public/private temporary/permanent voluntary/mandatory
    optional/mandatory required/banned required/forbidden for/against"""
)
_SCOPE = vocabulary("only exclusively solely entirely")
_EXCLUDES: dict[str, list[str]] = {}
for _pair in (*sorted(_MORE_COUNTERPARTS), *(f"{one}/{other}" for one, other in COUNTERPARTS.items())):
    _first, _second = _pair.split("/")
    _EXCLUDES.setdefault(_first, []).append(_second)
    _EXCLUDES.setdefault(_second, []).append(_first)
_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non", "non-", "anti", "anti-")


@dataclass(frozen=True, slots=True)
class Said:
    """What a claim says, as far as it is compared."""

    text: str
    words: tuple[str, ...]
    numbers: tuple[Quantity, ...]
    moments: Moments
    negations: tuple[str, ...]
    names: Names


def said(text: str) -> Said:
    """What a claim says, without what only posts have."""
    text = as_said("".join(sign for sign in text if not _is_unseen(sign))).translate(_LETTERS)
    when, rest = moments(text)
    plain = plain_words(text)
    found = negations(text)
    denials = [word for word in plain if word in _DENIALS and word not in found]
    return Said(text, tuple(plain), tuple(quantities(rest)), when, (*found, *denials), names(text))


def _is_unseen(sign: str) -> bool:
    """Soft hyphens, joiners and their like: within "n\u00adot" they hide a negation from whoever reads by words."""
    return not sign.isascii() and (sign == "\u034f" or category(sign) == "Cf")


def differences(ours: Said, theirs: Said) -> tuple[str, ...]:
    """In words for people, such as "number: 22 here, 80 there"; () where none was found. "here" is `ours`."""
    found = list(_of_meaning(ours, theirs))
    return tuple(dict.fromkeys(found or _of_wording(ours, theirs)))


def _of_meaning(ours: Said, theirs: Said) -> Iterator[str]:
    yield from _of_numbers(ours.numbers, theirs.numbers)
    if len(ours.negations) != len(theirs.negations):  # that nobody came "without" is not undone by a "not"
        yield _told("negation", ours.negations, theirs.negations)
    for one, other in conflicts(ours.moments, theirs.moments):
        yield _told("date", one - other or one, other - one or other)
    if found := conflict(ours.names, theirs.names):
        yield _told("name", found[:1], found[1:])
    yield from (_told("opposite", [one], [other]) for one, other in _opposites(ours.words, theirs.words))
    here, there = _SCOPE.intersection(ours.words), _SCOPE.intersection(theirs.words)
    if bool(here) != bool(there):
        yield _told("scope", here, there)
    is_alike = overlap(ours.words, theirs.words) >= MOSTLY_THE_SAME
    if is_alike and (order := swapped(ours.names, theirs.names, ours.words, theirs.words)):
        yield _told("order", [" … ".join(order)], [" … ".join(reversed(order))])


def _of_wording(ours: Said, theirs: Said) -> Iterator[str]:
    """Words exchanged in texts that are mostly the same words; told where nothing more telling was found."""
    for exchanged in substitutions(ours.words, theirs.words):
        yield _told("word", [exchanged.ours], [exchanged.theirs])


def _of_numbers(ours: Iterable[Quantity], theirs: Iterable[Quantity]) -> Iterator[str]:
    """A number that one text alone has is a difference; an ordinal or a code only where each has one of its own."""
    for kind in ("number", "ordinal", "code"):
        one = {found.key: found.form for found in ours if found.kind == kind}
        other = {found.key: found.form for found in theirs if found.kind == kind}
        here = [form for key, form in one.items() if key not in other]
        there = [form for key, form in other.items() if key not in one]
        if (here and there) if kind != "number" else (here or there):
            yield _told("number" if kind != "code" else "name", here, there)


def _opposites(ours: tuple[str, ...], theirs: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Words of each that the other lacks and that exclude each other."""
    left, right = {stem(word) for word in ours}, {stem(word) for word in theirs}
    here = [word for word in dict.fromkeys(ours) if stem(word) not in right]
    there = dict.fromkeys(word for word in theirs if stem(word) not in left)
    for one in here:
        yield from ((one, other) for other in _excluded(one) if other in there)
    # "Illegal" here and "legal" there.
    prefixed = {prefix + one: one for one in there if len(one) > 3 for prefix in _PREFIXES}
    yield from ((one, prefixed[one]) for one in here if one in prefixed)


def _excluded(word: str) -> Iterator[str]:
    yield from _EXCLUDES.get(word, ())
    if len(word) > 3:
        yield from (prefix + word for prefix in _PREFIXES)


def _told(what: str, here: Iterable[str], there: Iterable[str]) -> str:
    one, other = (", ".join(sorted(set(side))) or "none" for side in (here, there))
    return f"{what}: {one} here, {other} there"
