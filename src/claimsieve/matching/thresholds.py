"""From which cosine on claims are called similar, or suggested: chosen on pairs, once for each encoder."""

from collections.abc import Mapping
from dataclasses import dataclass

from claimsieve.errors import ConfigError

# Of weights, pooling and window (encoder.fingerprint).
MINILM = "47a27440695345cee9465979de3037e680046e97b4345e70cce62e079cb14ec9"


# How each command calls an encoder and its thresholds.
MATCH_OPTIONS = ("--model", "--similar", "--suggest")
ARTICLE_OPTIONS = ("--against-encoder", "--against-similar", "--against-suggest")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """similar, suggested: the least cosine for each, in (0, 1]. how: what they were chosen by."""

    similar: float
    suggested: float
    how: str


KNOWN: Mapping[str, Thresholds] = {
    MINILM: Thresholds(
        similar=0.67,
        suggested=0.59,
        how="the choosing halves of experiments/007-matching: 2,022 Snopes titles among 8,931 claims and 82 pairs of "
        "our own; similar keeps a precision of .95 at the lower end, suggested finds nine in ten paraphrases",
    ),
}


def thresholds_of(
    fingerprint: str,
    *,
    similar: float | None = None,
    suggested: float | None = None,
    options: tuple[str, str, str] = MATCH_OPTIONS,
) -> Thresholds:
    """The encoder's thresholds; what the user gives goes first. options: what was typed, for messages.

    Raises ConfigError for an encoder that none were chosen for, unless both are given, and for values that make no
    sense.
    """
    known = KNOWN.get(fingerprint)
    if known is not None:
        how = known.how if similar is None and suggested is None else "given by the user"
        found = Thresholds(
            known.similar if similar is None else similar, known.suggested if suggested is None else suggested, how
        )
    elif similar is not None and suggested is not None:
        found = Thresholds(similar, suggested, "given by the user")
    else:
        raise ConfigError(
            f"{options[0]}: expected an encoder that thresholds were chosen for, found another. Give them with "
            f"{options[1]} and {options[2]}; experiments/007-matching/measure.py chooses them on pairs of claims."
        )
    if not 0 < found.suggested <= found.similar <= 1:
        raise ConfigError(
            f"{options[2]}, {options[1]}: expected 0 < suggest ≤ similar ≤ 1, found {found.suggested:g}, "
            f"{found.similar:g}."
        )
    return found
