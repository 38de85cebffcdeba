"""One thing that an audit found."""

from collections.abc import Sequence
from dataclasses import dataclass

from claimsieve.settings import AuditCheck

MAX_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """check: what was looked for. count: how often it was met, in `unit`s. message: what it means and what to do.

    more: examples that are not shown.
    """

    check: AuditCheck
    count: int
    unit: str
    message: str
    examples: tuple[str, ...] = ()
    more: int = 0


def finding(
    check: AuditCheck, unit: str, message: str, examples: Sequence[str], *, count: int | None = None
) -> Finding | None:
    """None when there is nothing to tell."""
    number = len(examples) if count is None else count
    more = max(len(examples) - MAX_EXAMPLES, 0)
    return Finding(check, number, unit, message, tuple(examples[:MAX_EXAMPLES]), more) if number else None
