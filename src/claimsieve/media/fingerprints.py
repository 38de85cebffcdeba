"""Fingerprints of pictures: PDQ hashes, near for pictures that look alike, with a quality that says what they rest on.

PDQ: Facebook's "Open-Sourcing Photo- and Video-Matching Technology", 2019; 256 bits, one for each of 16 x 16 low
frequencies above their median.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from claimsieve.media.borders import inside_of
from claimsieve.media.decoding import PictureError, content_of, decoded, require_packages
from claimsieve.media.exif import Taken, taken_of

HASH_BYTES = 32
HASH_BITS = 256
MIN_QUALITY = 50  # below it a hash rests on next to nothing, and unlike pictures come near
DECODING = 1  # goes up when the same file would get another hash than before

_SIDE_PIXELS = 64  # what PDQ itself brings a picture to
_AT_ONCE = 256  # files waiting for a thread


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hashes of one picture.

    quality: PDQ's, of the whole picture, 0 to 100. hashes: of the whole and of what a frame encloses (borders.py), as
    far as they have the quality to be matched. Shape: (k, 32) with k from 0 to 2. mirrored: the same of the mirrored
    picture; (0, 32) where nobody asked. parts: 'whole' or 'inside', for each. qualities: likewise. sha256: of the file.
    taken: what its camera says.
    """

    quality: int
    hashes: NDArray[np.uint8]
    mirrored: NDArray[np.uint8]
    parts: tuple[str, ...]
    qualities: tuple[int, ...]
    sha256: str
    taken: Taken


def fingerprint_of(content: bytes, *, mirrored: bool = True) -> Fingerprint:
    """Of the bytes of a picture file. mirrored: its mirrored picture too, to look it up; a known one needs none.

    Raises PictureError for what cannot be read as a picture.
    """
    picture = decoded(content)
    parts = {"whole": picture.grey, "inside": inside_of(picture.grey)}
    found = {name: (grey, *pdq_hash(grey)) for name, grey in parts.items() if grey is not None}
    kept = {name: one for name, one in found.items() if one[2] >= MIN_QUALITY}
    return Fingerprint(
        quality=found["whole"][2],
        hashes=_stacked([hash_ for _, hash_, _ in kept.values()]),
        mirrored=_stacked([pdq_hash(grey[:, ::-1])[0] for grey, _, _ in kept.values()] if mirrored else []),
        parts=tuple(kept),
        qualities=tuple(quality for _, _, quality in kept.values()),
        sha256=hashlib.sha256(content).hexdigest(),
        taken=taken_of(picture.exif),
    )


def fingerprint_files(paths: Sequence[Path], *, mirrored: bool = True) -> Iterator[Fingerprint | PictureError]:
    """Of each file, in order, or why it has none; on as many threads as there are processors.

    Decoders let go of Python's lock, so threads are enough.
    """
    require_packages()

    def fingerprint_file(path: Path) -> Fingerprint | PictureError:
        try:
            return fingerprint_of(content_of(path), mirrored=mirrored)
        except PictureError as error:
            return error

    with ThreadPoolExecutor(max_workers=min(processors(), max(1, len(paths)))) as pool:
        for first in range(0, len(paths), _AT_ONCE):
            yield from pool.map(fingerprint_file, paths[first : first + _AT_ONCE])


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pdq_hash(grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """The hash of a grey picture, 32 bytes, and its quality."""
    import pdqhash
    from PIL import Image

    # PDQ samples a picture at places that hang on its size, so that halving one moved 18 bits of 256 and mirroring one
    # 17; brought to PDQ's own size by area first, it is 1 and 1.
    square = Image.fromarray(grey).resize((_SIDE_PIXELS, _SIDE_PIXELS), Image.Resampling.BILINEAR)
    vector, quality = pdqhash.compute(np.repeat(np.asarray(square)[:, :, None], 3, axis=2))
    return np.packbits(vector.astype(bool)), int(quality)


def _stacked(hashes: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.stack(hashes) if hashes else np.zeros((0, HASH_BYTES), dtype=np.uint8)
