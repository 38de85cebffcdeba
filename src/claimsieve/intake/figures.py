"""Which pictures of an HTML tree a caption is of, and which stand by themselves."""

from itertools import islice
from typing import Any

from claimsieve.intake.articles import Picture
from claimsieve.intake.images import once, picture_of
from claimsieve.intake.pieces import MAX_PICTURES

# What a caption may be of in place of a picture.
OTHER_MEDIA = ("video", "audio", "iframe", "object", "embed")

_MAX_SOURCES = 8  # of one `picture`
_MAX_LEVELS = 3  # between a picture and what is shown in its place without scripts


class Figures:
    """The pictures of a tree.

    of_caption: `figcaption` → the pictures of its figure; () where it cannot be told which it is of. loose: `img` → the
    picture, of those in no figure with a caption.
    """

    def __init__(self, tree: Any) -> None:
        self.of_caption: dict[Any, tuple[Picture, ...]] = {}
        self.loose = _named(tree)
        named = dict(self.loose)
        captions: dict[Any, list[Any]] = {}
        for caption in tree.iter("figcaption"):
            if (figure := next(caption.iterancestors("figure"), None)) is not None:
                captions.setdefault(figure, []).append(caption)
        for figure, own in captions.items():
            inside = [named[image] for image in figure.iter("img") if image in named]
            pictures = once(inside)[:MAX_PICTURES]
            # With several captions, or a film beside the picture, nobody can tell which is whose.
            known = (len(own) == 1 or len(pictures) == 1) and next(figure.iter(*OTHER_MEDIA), None) is None
            self.of_caption.update(dict.fromkeys(own, pictures if known else ()))
        for figure in captions:
            for image in figure.iter("img"):
                self.loose.pop(image, None)


def _named(tree: Any) -> dict[Any, Picture]:
    """Every `img` with its names; one that waits for a script has those of the `noscript` beside it."""
    named: dict[Any, Picture] = {}
    last = None
    for image in tree.iter("img"):
        found = picture_of(image.attrib, offered=_offered(image))
        instead = next(image.iterancestors("noscript"), None)
        if instead is None:
            named[image] = found
            last = image
        elif last is not None and not named[last] and instead.getparent() in islice(last.iterancestors(), _MAX_LEVELS):
            named[last] = found
    return named


def _offered(image: Any) -> str:
    """The srcsets of the `source` elements beside an image, which the parser nests."""
    picture = next(image.iterancestors("picture"), None)
    if picture is None:
        return ""
    sources = islice(picture.iter("source"), _MAX_SOURCES)
    return ", ".join(source.get("data-srcset") or source.get("srcset") or "" for source in sources)
