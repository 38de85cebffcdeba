"""Options that several commands share."""

from typing import TYPE_CHECKING

from claimsieve.errors import ConfigError

if TYPE_CHECKING:
    from claimsieve.evaluation.evaluate import Estimate


def field_map(pairs: list[str]) -> dict[str, str]:
    """`--map claim=text` as {'claim': 'text'}. Raises ConfigError for another form."""
    result = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not (field and equals and column):
            raise ConfigError(f"--map {pair}: expected FIELD=COLUMN, such as claim=text.")
        result[field] = column
    return result


def rating_map(pairs: list[str]) -> dict[str, str | None]:
    """`--rating wrong=refuted` as {'wrong': 'refuted'}; `null` leaves such rows out. Raises ConfigError otherwise."""
    result: dict[str, str | None] = {}
    for pair in pairs:
        verdict, equals, target = pair.rpartition("=")
        if not (verdict and equals and target):
            raise ConfigError(f"--rating {pair}: expected VERDICT=LABEL, such as wrong=refuted.")
        result[verdict] = None if target == "null" else target
    return result


def choice(option: str, value: str, known: tuple[str, ...]) -> None:
    """Raises ConfigError when the value is not a known one."""
    if value not in known:
        raise ConfigError(f"{option}: expected one of {', '.join(known)}, found '{value}'.")


def estimate(value: "Estimate | None", *, sign: bool = False) -> str:
    """A number and its interval, such as '0.412 [0.380, 0.444]'; with `sign` as '+0.412 [...]'."""
    if value is None:
        return "–"
    form = "+.3f" if sign else ".3f"
    return f"{value.value:{form}} [{value.low:{form}}, {value.high:{form}}]"
