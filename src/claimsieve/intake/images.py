"""The names of pictures in markup: `img` with its lazy-loading attributes and srcset, and addresses made file names."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from claimsieve.intake.articles import Picture

MAX_NAME_CHARACTERS = 2_000

_LAZY = ("data-src", "data-original", "data-lazy-src", "data-lazy", "data-full-src", "data-hi-res-src")
_SETS = ("data-srcset", "data-lazy-srcset", "srcset")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # two letters at least: C:\ is a drive
_KEPT_SCHEMES = frozenset(("http", "https", "file"))
_OFFERED = re.compile(r"([^\s,]\S*+)(?:\s++(\d{1,6}(?:\.\d{1,4})?)[wx]\s*+(?:,|$))?+")
_MAX_SET_CHARACTERS = 10_000
_NAMES_OF_A_SET = 3
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
# What is no picture of the story: smaller than this as the page shows it, or called so.
_LEAST_SIDE = 64
_DECORATION = re.compile(
    r"(?:^|[\s_/-])(?:avatars?|emojis?|icons?|logos?|badges?|spinners?|tracking|profile[_-](?:images?|pics?))(?:$|[\s_/-])",
    re.IGNORECASE,
)


def picture_of(attributes: Mapping[str, str], *, offered: str = "") -> Picture:
    """The names of the picture that an `img` is, the best first; () for what is no picture of the story.

    What is loaded late comes before `src`, which is then a placeholder, and the largest of a srcset first. offered:
    srcsets of the `source` elements beside it.
    """
    if _is_decoration(attributes):
        return ()
    given = [attributes.get(name) or "" for name in _LAZY]
    for sets in (*(attributes.get(name) or "" for name in _SETS), offered):
        given += _largest(sets)
    names = (name_of(one) for one in (*given, attributes.get("src") or ""))
    return tuple(dict.fromkeys(name for name in names if name))


def name_of(reference: str) -> str | None:
    """A reference to a picture as a name: an address as it is, else a path, decoded. None for data and other schemes.

    A path may still lead anywhere; who opens it has to look.
    """
    reference = reference.strip()
    if not reference or len(reference) > MAX_NAME_CHARACTERS:
        return None
    if reference.startswith("//"):
        reference = f"https:{reference}"
    scheme = _SCHEME.match(reference)
    if scheme:
        name = reference if scheme[1].lower() in _KEPT_SCHEMES else ""
    else:
        name = unquote(reference.partition("#")[0].partition("?")[0])
        if _SCHEME.match(name):
            name = f"./{name}"  # a file with a colon in its name is no address
    return name if name and not _CONTROLS.search(name) and _can_be_written(name) else None


def _is_decoration(attributes: Mapping[str, str]) -> bool:
    for side in ("width", "height"):
        value = (attributes.get(side) or "").strip().removesuffix("px")
        if value.isascii() and value.isdigit() and int(value[:6]) < _LEAST_SIDE:
            return True
    said = f"{attributes.get('class') or ''} {(attributes.get('src') or '')[:MAX_NAME_CHARACTERS].rpartition('/')[0]}"
    return bool(_DECORATION.search(said))


def _largest(sets: str) -> list[str]:
    """The names of a srcset, the largest first; without sizes in their order."""
    found = [
        (-float(match[2] or 1), number, match[1].rstrip(","))
        for number, match in enumerate(_OFFERED.finditer(sets[:_MAX_SET_CHARACTERS]))
    ]
    return [name for _, _, name in sorted(found)[:_NAMES_OF_A_SET]]


def _can_be_written(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # half a character
        return False
    return True


def once(pictures: Iterable[Picture]) -> tuple[Picture, ...]:
    """Each picture once, and none that has no name."""
    return tuple(dict.fromkeys(picture for picture in pictures if picture))
