"""Options that several commands share."""

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from claimsieve.errors import ConfigError

if TYPE_CHECKING:
    from claimsieve.evaluation.evaluate import Estimate
    from claimsieve.records import Label

# Of commands that look pictures of claims up; check_media checks them.
MEDIA_INDEX: Any = typer.Option(
    None, "--media-index", metavar="INDEX", help="Look pictures of claims up in an index of `claimsieve media index`."
)
MEDIA_ROOT: Any = typer.Option(
    None,
    "--media-root",
    metavar="DIR",
    help="The folder that pictures may lie in; else that of the file that names them.",
)
MEDIA_LEEWAY: Any = typer.Option(
    0, "--media-leeway", metavar="DAYS", min=0, help="How much older than its claim a picture may be."
)


def check_media(index: Path | None, root: Path | None, leeway_days: int) -> None:
    """Raises ConfigError for options of pictures without an index, and for a root that is no folder."""
    if index is None and (root is not None or leeway_days):
        raise ConfigError("--media-root, --media-leeway: expected --media-index with them, found none.")
    if root is not None and not root.is_dir():
        raise ConfigError(f"--media-root {root}: expected a folder, found none.")


def field_map(pairs: list[str], *, option: str = "--map") -> dict[str, str]:
    """`--map claim=text` as {'claim': 'text'}. Raises ConfigError for another form."""
    result = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not (field and equals and column):
            raise ConfigError(f"{option} {pair}: expected FIELD=COLUMN, such as claim=text.")
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


def reject_limit(text: str | None) -> Callable[[int, int], bool]:
    """`100` or `5%` as a function of (rows read, rows rejected) that says when it is too much. Raises ConfigError."""
    if text is None:
        return lambda read, rejected: False
    number = text.removesuffix("%")
    try:
        limit = Decimal(number) if text.endswith("%") else Decimal(int(number))
    except (ValueError, InvalidOperation):
        limit = Decimal(-1)
    if limit.is_nan() or not 0 <= limit <= (100 if text.endswith("%") else math.inf):
        raise ConfigError(f"--max-rejects {text}: expected a number of rows or a share, such as 100 or 5%.")
    if text.endswith("%"):
        return lambda read, rejected: 100 * rejected > read * limit
    return lambda read, rejected: rejected > limit


def prevalence(text: str | None) -> "dict[Label, float] | None":
    """`verified=.9,unverified=.08,propaganda=.02` as shares by label. Raises ConfigError for another form."""
    if text is None:
        return None
    from claimsieve.records import LABELS

    problem = f"--prevalence {text}: expected a share of each label that sum to 1, such as "
    problem += "verified=.9,unverified=.08,propaganda=.02."
    parts = [part.partition("=")[::2] for part in text.replace(" ", "").split(",")]
    shares = dict(parts)
    if len(shares) < len(parts):  # a label that stands twice
        raise ConfigError(problem)
    try:
        found: dict[Label, float] = {label: float(shares.pop(label)) for label in LABELS}
    except (KeyError, ValueError):
        raise ConfigError(problem) from None
    if shares or not all(0 <= share <= 1 for share in found.values()) or abs(sum(found.values()) - 1) > 1e-6:
        raise ConfigError(problem)
    return found


@contextmanager
def opened_model(text: str) -> Iterator[Path]:
    """A model directory, as a path or by its place in MLflow: `models:/NAME@champion`, `runs:/ID/model`.

    What had to be fetched is gone afterwards. Raises as `model_directory` does; MLflow is not read for a path.
    """
    if not text.startswith(("models:/", "runs:/")):
        yield Path(text)
        return
    from claimsieve.tracking.store import tracking_uri
    from claimsieve.tracking.stored_models import model_directory

    with tempfile.TemporaryDirectory() as folder:
        yield model_directory(text, uri=tracking_uri(), folder=Path(folder))


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
