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

_AT_ONCE = 256  # files waiting for a thread
_MIRRORED = 5  # which of PDQ's eight symmetries is the mirrored one


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hashes of one picture.

    quality: PDQ's, of the whole picture, 0 to 100. hashes: of the whole and of what a frame of one colour encloses,
    as far as they have the quality to be matched. Shape: (k, 32) with k from 0 to 2. mirrored: the same of the
    mirrored picture. parts: 'whole' or 'inside', for each. qualities: likewise. sha256: of the file.
    """

    quality: int
    hashes: NDArray[np.uint8]
    mirrored: NDArray[np.uint8]
    parts: tuple[str, ...]
    qualities: tuple[int, ...]
    sha256: str
    taken: Taken


def fingerprint_of(content: bytes) -> Fingerprint:
    """Of the bytes of a picture file. Raises PictureError for what cannot be read as one."""
    picture = decoded(content)
    inside = inside_of(picture.grey)
    found = [("whole", *_pdq(picture.grey)), *([] if inside is None else [("inside", *_pdq(inside))])]
    kept = [one for one in found if one[3] >= MIN_QUALITY]
    return Fingerprint(
        quality=found[0][3],
        hashes=_stacked([one[1] for one in kept]),
        mirrored=_stacked([one[2] for one in kept]),
        parts=tuple(one[0] for one in kept),
        qualities=tuple(one[3] for one in kept),
        sha256=hashlib.sha256(content).hexdigest(),
        taken=taken_of(picture.exif),
    )


def fingerprint_file(path: Path) -> Fingerprint | PictureError:
    """Of a file, or why it has none."""
    try:
        return fingerprint_of(content_of(path))
    except PictureError as error:
        return error


def fingerprint_files(paths: Sequence[Path]) -> Iterator[Fingerprint | PictureError]:
    """Of each file, in order, on as many threads as there are processors: decoders let go of Python's lock."""
    require_packages()
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if len(paths) <= 1:
        threads = 1
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for first in range(0, len(paths), _AT_ONCE):
            yield from pool.map(fingerprint_file, paths[first : first + _AT_ONCE])


def _pdq(grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], int]:
    """The hash, that of the mirrored picture, and their quality."""
    import pdqhash

    vectors, quality = pdqhash.compute_dihedral(np.repeat(grey[:, :, None], 3, axis=2))
    return np.packbits(vectors[0].astype(bool)), np.packbits(vectors[_MIRRORED].astype(bool)), int(quality)


def _stacked(hashes: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.stack(hashes) if hashes else np.zeros((0, HASH_BYTES), dtype=np.uint8)
