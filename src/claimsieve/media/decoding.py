"""Picture files as small grey pictures: what they may cost is checked before a decoder allocates anything."""

import io
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from claimsieve.errors import MissingPackageError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff")
OTHER_SUFFIXES = (".svg", ".svgz", ".heic", ".heif", ".avif", ".jxl", ".jp2", ".ico", ".psd", ".eps", ".pdf")
MAX_FILE_BYTES = 64_000_000
MAX_PIXELS = 64_000_000
MAX_SIDE_PIXELS = 32_768
MIN_SIDE_PIXELS = 16  # a fingerprint is of 16 x 16 frequencies
MAX_SCANS = 100  # of a JPEG; each one is a pass over all of it, and a usual progressive one has ten

GREY_SIDE_PIXELS = 512
# A JPEG is decoded at a half, a quarter or an eighth of its size as long as its shorter side keeps this.
_DRAFT_SIDE_PIXELS = 256
_LARGE_PIXELS = 16_000_000
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
_KNOWN = "a picture (JPEG, PNG, GIF, WebP, BMP or TIFF)"
_BEGINNINGS = {
    b"PK\x03\x04": "a zip archive; unpack it",
    b"\x1f\x8b": "a gzip archive; unpack it",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"Rar!": "a RAR archive; unpack it",
    b"%PDF": "a PDF; save its pictures as files",
    b"\x00\x00\x00": "a film, or a picture of another kind such as HEIC or AVIF; save it as JPEG or PNG",
    b"\x1aE\xdf\xa3": "a film; save a frame of it as JPEG or PNG",
}
_one_large_at_a_time = Lock()  # however many threads: the largest ones take some 600 MB each


class PictureError(ValueError):
    """A file is no picture that can be read; the message is the reason, without the file's name."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture as it is to be looked at. grey: luma, turned upright, its longer side 512 pixels at most. Shape: (h, w)

    exif: the tags of its file, of its part on exposure and of its part on position, each by number.
    """

    grey: NDArray[np.uint8]
    exif: Mapping[str, Mapping[int, Any]]


def content_of(path: Path) -> bytes:
    """The bytes of a file. Raises PictureError for what is no plain file, is too large, or cannot be read."""
    try:
        found = path.stat()
        # Asked before it is opened: a pipe would wait for ever.
        if not stat.S_ISREG(found.st_mode):
            raise PictureError(f"expected {_KNOWN}, found {'a folder' if path.is_dir() else 'a device or pipe'}")
        if found.st_size > MAX_FILE_BYTES:
            raise PictureError(f"expected at most {MAX_FILE_BYTES:,} bytes, found {found.st_size:,}")
        with path.open("rb") as stream:
            return stream.read(MAX_FILE_BYTES + 1)[:MAX_FILE_BYTES]
    except FileNotFoundError:
        raise PictureError("expected a file, found none") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        if isinstance(error, PictureError):
            raise
        raise PictureError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None


def decoded(content: bytes) -> Decoded:
    """The first frame of a picture file.

    Raises PictureError for what is no picture of a kind that is read, is damaged, or would cost too much; and
    MissingPackageError without pillow.
    """
    image = _opened(content)
    _check_cost(image, content)
    if image.width * image.height <= _LARGE_PIXELS:
        return _decoded(image)
    with _one_large_at_a_time:
        return _decoded(image)


def require_packages() -> None:
    """Raises MissingPackageError when pictures cannot be read on this machine; then quiets the reader of pictures."""
    import warnings

    try:
        import pdqhash  # noqa: F401
        import PIL  # noqa: F401
    except ImportError:
        raise MissingPackageError(
            "pictures need pillow and pdqhash, which are not installed: pip install 'claimsieve[media]'"
        ) from None
    # What pillow has against a stranger's file (odd tags, a size near its own limit) is no news to the user.
    warnings.filterwarnings("ignore", module=r"PIL\.")


def _opened(content: bytes) -> "Image":
    """The picture with its header read and nothing decoded."""
    require_packages()
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(io.BytesIO(content), formats=_FORMATS)
    except UnidentifiedImageError:
        raise PictureError(f"expected {_KNOWN}, found {_described(content)}") from None
    except Image.DecompressionBombError:
        raise PictureError(f"expected at most {MAX_PIXELS:,} pixels, found far more") from None
    except Exception as error:  # a stranger's bytes: pillow lets through whatever its parsers trip over
        raise PictureError(f"expected {_KNOWN}, found a damaged one: {_reason(error)}") from None


def _check_cost(image: "Image", content: bytes) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PictureError(f"expected at most {MAX_PIXELS:,} pixels, found {width:,} x {height:,}")
    if max(width, height) > MAX_SIDE_PIXELS:
        raise PictureError(f"expected sides of at most {MAX_SIDE_PIXELS:,} pixels, found {width:,} x {height:,}")
    if min(width, height) < MIN_SIDE_PIXELS:
        raise PictureError(f"expected sides of at least {MIN_SIDE_PIXELS} pixels, found {width:,} x {height:,}")
    # A start of scan cannot occur within coded data, so this counts them, and those of thumbnails.
    if image.format in ("JPEG", "MPO") and (scans := content.count(b"\xff\xda")) > MAX_SCANS:
        raise PictureError(f"expected a JPEG of at most {MAX_SCANS} scans, found {scans:,}")


def _decoded(image: "Image") -> Decoded:
    try:
        grey = _grey(image)
        exif = _exif(image)  # afterwards: of a TIFF pillow turns the picture, and takes the tag away
    except MemoryError:
        raise PictureError("expected a picture that fits in the memory that is left, found a larger one") from None
    except Exception as error:  # as in _opened
        raise PictureError(f"expected a whole picture, found a damaged one: {_reason(error)}") from None
    return Decoded(_upright(grey, exif["file"].get(0x0112)), exif)


def _exif(image: "Image") -> dict[str, dict[int, Any]]:
    """Its tags, as far as they can be read: a picture with damaged tags is still a picture."""
    found: dict[str, dict[int, Any]] = {"file": {}, "exposure": {}, "position": {}}
    try:
        exif = image.getexif()
        found["file"] = dict(exif)
        found["exposure"] = dict(exif.get_ifd(0x8769))
        found["position"] = dict(exif.get_ifd(0x8825))
    except Exception:  # as in _opened; what was read before stays
        return found
    return found


def _grey(image: "Image") -> NDArray[np.uint8]:
    """Luma (ITU-R 601), with what is transparent on white, no longer than 512 pixels."""
    if image.format in ("JPEG", "MPO"):
        shorter = min(image.size)
        scale = next((scale for scale in (8, 4, 2) if shorter // scale >= _DRAFT_SIDE_PIXELS), 1)
        image.draft("L", (image.width // scale, image.height // scale))
    image.load()
    image = of_deep(image)
    clear = image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info
    if clear and image.mode not in ("LA", "RGBA"):
        image = image.convert("RGBA")
    elif not clear and image.mode not in ("1", "L", "P", "RGB", "RGBX"):
        image = image.convert("RGB")  # CMYK has no way to grey of its own
    image = _shrunk(image.convert("LA" if clear else "L"))
    if not clear:
        return np.asarray(image, dtype=np.uint8)
    values, opaque = (np.asarray(band, dtype=np.uint16) for band in image.split())
    return ((values * opaque + 255 * (255 - opaque) + 127) // 255).astype(np.uint8)


def of_deep(image: "Image") -> "Image":
    """16 or 32 bits a pixel as 8: pillow's own way cuts off what is above 255. Others as they are."""
    from PIL import Image

    if not image.mode.startswith("I") and image.mode != "F":
        return image
    values = np.asarray(image)
    if image.mode == "F":
        # What is no finite number counts as 0. A difference of two float32 may be too large for a third.
        scaled = np.nan_to_num(values, posinf=0, neginf=0).astype(np.float64)
        low, high = float(scaled.min()), float(scaled.max())
        scaled -= low
        scaled *= 255 / (high - low) if high > low else 0
    else:
        scaled = values >> 8 if values.max() > 255 else values
    return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))


def _shrunk(image: "Image") -> "Image":
    from PIL.Image import Resampling

    scale = GREY_SIDE_PIXELS / max(image.size)
    if scale >= 1:
        return image
    # A strip keeps a breadth of its own: the fingerprint looks at 64 x 64 places, whatever the shape.
    width, height = (min(side, max(64, round(side * scale))) for side in image.size)
    return image.resize((width, height), Resampling.BILINEAR, reducing_gap=2.0)


def _upright(grey: NDArray[np.uint8], orientation: Any) -> NDArray[np.uint8]:
    """Turned and mirrored as the camera's tag says (EXIF 2.3, tag 0x0112)."""
    if orientation in (2, 3, 4, 5, 6, 7, 8):
        mirrored = grey[:, ::-1] if orientation in (2, 4, 5, 7) else grey
        turns = {2: 0, 3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}[orientation]  # a quarter each, against the clock
        grey = np.rot90(mirrored, turns)
    return np.ascontiguousarray(grey)


def _described(content: bytes) -> str:
    if not content:
        return "an empty file"
    for beginning, words in _BEGINNINGS.items():
        if content.startswith(beginning):
            return words
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return "a text such as SVG or HTML, which is never opened; save it as PNG"
    return "something else, or its beginning is damaged"


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__).split("\n")[0].rstrip(".")[:120]
