"""Copies as they travel are found again, different pictures are not taken for one: photographs and made-up scenes.

experiments/006-pictures has the measured shares; here stand floors well below them.
"""

import numpy as np
import pytest
from made_scenes import (
    brighter,
    cropped,
    framed,
    grey,
    jpeg,
    mirrored,
    photographs,
    png,
    resized,
    scene,
    watermarked,
)
from PIL import Image

from claimsieve.media.fingerprints import fingerprint_of
from claimsieve.media.index import Known, make_index, table_of
from claimsieve.media.lookup import build_table, within
from claimsieve.media.search import search

CHANGES = {
    "smaller": (lambda picture: jpeg(resized(picture, 0.5)), 1.0),
    "much smaller": (lambda picture: jpeg(resized(picture, 0.3)), 0.95),
    "JPEG 95": (lambda picture: jpeg(picture, 95), 1.0),
    "JPEG 30": (lambda picture: jpeg(picture, 30), 0.98),
    "cropped by 1 %": (lambda picture: jpeg(cropped(picture, 0.01)), 0.9),
    "darker": (lambda picture: jpeg(brighter(picture, 0.75)), 0.95),
    "grey": (lambda picture: jpeg(grey(picture)), 0.99),
    "mirrored": (lambda picture: jpeg(mirrored(picture)), 0.99),
    "framed": (lambda picture: jpeg(framed(picture)), 0.85),
    "watermarked": (lambda picture: jpeg(watermarked(picture)), 0.5),
}


def index_of(pictures: list[Image.Image]):
    prints = [fingerprint_of(png(picture)) for picture in pictures]
    known = [Known(f"{number}.png", one.sha256, one.quality) for number, one in enumerate(prints)]
    owners = np.repeat(np.arange(len(prints)), [len(one.hashes) for one in prints])
    return make_index(table_of(known), np.concatenate([one.hashes for one in prints]), owners, threshold=31)


@pytest.fixture(scope="module")
def known():
    """Photographs that other libraries carry, and sixty scenes; and an index of them."""
    found = [Image.open(path).convert("RGB") for path in photographs().values()]
    assert len(found) >= 3
    pictures = [picture if max(picture.size) <= 640 else resized(picture, 640 / max(picture.size)) for picture in found]
    pictures += [scene(seed) for seed in range(60)]
    return pictures, index_of(pictures)


@pytest.mark.parametrize("change", CHANGES)
def test_copies_are_found_again(known, change):
    pictures, index = known
    make, least = CHANGES[change]
    searches = search(index, [fingerprint_of(make(picture)) for picture in pictures])
    found = [
        str(number) in [hit.known.file.removesuffix(".png") for hit in one.hits] for number, one in enumerate(searches)
    ]
    assert np.mean(found) >= least


def test_different_scenes_are_not_taken_for_one():
    """300 scenes, mirrored and without their frames too: 44,850 pairs."""
    prints = [fingerprint_of(png(scene(seed, (200, 150)))) for seed in range(300)]
    owners = np.repeat(np.arange(300), [len(one.hashes) for one in prints])
    hashes = np.concatenate([one.hashes for one in prints])
    queries = np.concatenate([hashes, np.concatenate([one.mirrored for one in prints])])
    found = within(build_table(hashes), queries, distance=31)
    different = np.concatenate([owners, owners])[found.queries] != owners[found.rows]
    assert int(different.sum()) == 0
    assert len(found.rows) >= 300  # each finds itself


def test_motorcycle_from_two_eyes_is_a_match_although_it_is_two_pictures(known):
    """What PDQ cannot tell apart: two pictures of the same scene, a step apart."""
    paths = photographs()
    if "motorcycle_left.png" not in paths:
        pytest.skip("needs the pictures of scikit-image")
    right = paths["motorcycle_left.png"].with_name("motorcycle_right.png")
    left = fingerprint_of(paths["motorcycle_left.png"].read_bytes())
    other = fingerprint_of(right.read_bytes())
    assert int(np.unpackbits(left.hashes[0] ^ other.hashes[0]).sum()) > 0
