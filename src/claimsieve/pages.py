"""Self-contained HTML pages from templates: no script, nothing fetched, and every text from data is escaped."""

import base64
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimsieve.errors import ConfigError
from claimsieve.whole_files import write_file

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from claimsieve.evaluation.evaluate import Estimate

MISSING = "–"
_PAGES = (".html", ".htm", ".md", ".txt", "")

# Not the underscores inside a word, which Markdown leaves alone.
_MARKDOWN = re.compile(r"[`*\[\]|~$#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_ADDRESS = re.compile(r"https?://[^\s<>\"'`|\\\x00-\x1f]+")
INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # controls, and what turns text around


def rendered(template: str, facts: Mapping[str, Any]) -> str:
    """A page from `templates/<template>`. A name that the template asks for and `facts` lacks is an error."""
    return _html().get_template(template).render(facts)


def rendered_markdown(template: str, facts: Mapping[str, Any]) -> str:
    """Markdown from `templates/<template>`; what is not marked safe is escaped for Markdown."""
    environment = _environment(finalize=lambda value: value if hasattr(value, "__html__") else markdown_text(value))
    return environment.get_template(template).render(facts)


def write_page(text: str, output: str, *, beside: Path | None = None, sources: Sequence[Path] = ()) -> None:
    """Write a page whole or not at all; '-' is standard output. beside, sources, raises: as check_page."""
    if output == "-":
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()
        return
    check_page(output, beside=beside, sources=sources)
    write_file(Path(output), text.encode())


def check_page(output: str, *, beside: Path | None = None, sources: Sequence[Path] = ()) -> None:
    """Whether a page may be written there.

    beside: the model directory that it tells of, into which nothing may be written. sources: files that it is made of.
    A file that is there and is no page by its name stays. Raises ConfigError.
    """
    path = Path(output)
    if path.is_dir():
        raise ConfigError(f"{output}: expected a file to write, found a folder. Name one with -o.")
    if beside is not None and path.resolve().is_relative_to(beside.resolve()):
        raise ConfigError(f"{output}: lies inside the model directory, which would be spoilt. Choose another with -o.")
    if path.resolve() in [source.resolve() for source in sources]:
        raise ConfigError(
            f"{output}: expected another file than those the page is made of. Name one such as page.html."
        )
    if path.is_file() and path.suffix.lower() not in _PAGES:
        raise ConfigError(f"{output}: expected a new file or a page to replace, found another file. Name one with -o.")


@cache
def _html() -> "Environment":
    """Kept, with the templates that it has compiled: compiling takes longer than rendering."""
    return _environment(autoescape=True)


def _environment(**options: Any) -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("claimsieve"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **options,
    )
    filters = (number, share, count, mix, from_counts, estimate, link)
    environment.filters.update({one.__name__: one for one in filters})
    return environment


def markdown_text(value: Any) -> str:
    """One line of text that Markdown, its tables and its autolinks show as it is."""
    text = INVISIBLE.sub("", " ".join(str(value).split()))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _MARKDOWN.sub(r"\\\g<0>", text.replace("\\", "\\\\"))
    return text.replace("://", ":\\//").replace("www.", "www\\.")


def number(value: float | None, digits: int = 3, signed: bool = False) -> str:
    """0.4123 → .412, -0.05 → −.050, 1.5 → 1.500; None → –."""
    if value is None:
        return MISSING
    text = f"{abs(value):,.{digits}f}"
    if digits:
        text = text.removeprefix("0")
    if not text.strip("0."):
        return text if not signed else f"±{text}"
    return ("−" if value < 0 else "+" if signed else "") + text


def estimate(found: "Estimate | None", digits: int = 3, signed: bool = False) -> "Markup":
    """.412 [.380, .444], for Markdown; HTML has a macro of the same name."""
    from markupsafe import Markup

    if found is None:
        return Markup(MISSING)
    value, low, high = (number(of, digits, signed) for of in (found.value, found.low, found.high))
    return Markup(f"{value} [{low}, {high}]")


def link(address: str) -> "Markup":
    """A web address as a Markdown link, and anything else as text."""
    from markupsafe import Markup

    return Markup(f"<{address}>" if _ADDRESS.fullmatch(address) else markdown_text(address))


def mix(shares: Mapping[Any, float]) -> str:
    """90 % verified, 8 % unverified, 2 % propaganda."""
    return ", ".join(f"{share(part)} {label}" for label, part in shares.items())


def share(value: float | None) -> str:
    """0.4123 → 41.2 %, with a space that does not break."""
    return MISSING if value is None else f"{value * 100:.3g}\N{NO-BREAK SPACE}%"


def count(value: float | None, digits: int = 0) -> str:
    """1234 → 1,234."""
    return MISSING if value is None else f"{value:,.{digits}f}"


def from_counts(name: str, counts: Mapping[str, float]) -> str:
    """The count of a name; 0 for one that is not there."""
    return count(counts.get(name, 0))


def data_uri(png: bytes) -> str:
    """A picture that travels inside its page."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
