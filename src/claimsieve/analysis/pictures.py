"""Pictures from disk as small ones inside the page: only real raster images, decoded and encoded anew."""

import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from claimsieve.media.decoding import of_deep

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_FILE_BYTES = 30_000_000
MAX_PIXELS = 50_000_000
MAX_PICTURES = 200  # of a page
MAX_SIDE_PIXELS = 440
_QUALITY = 78


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture inside the page (uri, with its size in pixels), or in words why there is none."""

    name: str
    uri: str | None = None
    width: int = 0
    height: int = 0
    missing: str | None = None


class Thumbnails:
    """Makes thumbnails of the pictures that a page names, each once, and not more than MAX_PICTURES.

    folders: where pictures may lie. A path is tried in each of them in turn, and one that leads out of all of them,
    also by '..' or by a link, is not opened: a row may come from anywhere, and the page may go anywhere.
    own, known: name → file of pictures that came with claims, and of older ones, that were found and may be shown.
    elsewhere: names asked for that lead to no file in the folders.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        own: Mapping[str, Path] | None = None,
        known: Mapping[str, Path] | None = None,
    ) -> None:
        self._folders = [folder.resolve() for folder in folders]
        self._own, self._known = own or {}, known or {}
        self._made: dict[Path, Thumbnail] = {}
        self.elsewhere: set[str] = set()

    def __call__(self, path: str, *, known: bool = False) -> Thumbnail:
        """Never raises: what cannot be shown says why. known: it is an older one."""
        try:
            place = (self._known if known else self._own).get(path) or self._place(path)
        except (OSError, ValueError, RuntimeError):  # a null character, a name too long, links in a circle
            return Thumbnail(path, missing="its name is no path")
        if place is None:
            return Thumbnail(path, missing=self._absent(path))
        if place not in self._made:
            if len(self._made) >= MAX_PICTURES:
                return Thumbnail(path, missing=f"the page holds {MAX_PICTURES} pictures at most")
            self._made[place] = _thumbnail(path, place)
        return self._made[place]

    def _place(self, path: str) -> Path | None:
        for folder in self._folders:
            place = (folder / path).resolve()
            if any(place.is_relative_to(allowed) for allowed in self._folders) and place.is_file():
                return place
        return None

    def _absent(self, path: str) -> str:
        if not self._folders:
            return "pictures are not read for this page"
        if path.startswith(("http://", "https://")):
            return "it is an address, and nothing is fetched"
        self.elsewhere.add(path)
        places = [(folder / path).resolve() for folder in self._folders]
        if not any(place.is_relative_to(folder) for place in places for folder in self._folders):
            return "it lies outside the folder of the labelled file; --pictures FOLDER allows another"
        return "no such file beside the labelled file; --pictures FOLDER names another place"


def _thumbnail(name: str, place: Path) -> Thumbnail:
    import warnings

    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        return Thumbnail(name, missing="showing pictures takes a package: pip install 'claimsieve[media]'")
    too_many = f"it has more than {MAX_PIXELS // 1_000_000} million pixels"
    try:
        if place.stat().st_size > MAX_FILE_BYTES:
            return Thumbnail(name, missing=f"the file is larger than {MAX_FILE_BYTES // 1_000_000} MB")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(place, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    return Thumbnail(name, missing=too_many)
                small = _small(image)
    except UnidentifiedImageError:
        return Thumbnail(name, missing=f"it is no picture in one of {', '.join(FORMATS)}")
    except Image.DecompressionBombError:
        return Thumbnail(name, missing=too_many)
    except Exception:  # decoders raise whatever their input makes them
        return Thumbnail(name, missing="it cannot be decoded; the file may be damaged")
    return Thumbnail(name, _encoded(small), small.width, small.height)


def _small(image: "Image") -> "Image":
    """At most MAX_SIDE_PIXELS either way, upright, on white where it is transparent, without its metadata."""
    from PIL import Image, ImageOps

    side = (MAX_SIDE_PIXELS, MAX_SIDE_PIXELS)
    image.draft("RGB", side)  # a JPEG is decoded small at once
    image = of_deep(image)
    image.thumbnail(side)
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    white = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(white, upright).convert("RGB")


def _encoded(image: "Image") -> str:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=_QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{b64encode(content.getvalue()).decode('ascii')}"
