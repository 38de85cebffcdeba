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
    screenshot,
    watermarked,
)
from PIL import Image

from claimsieve.media.fingerprints import fingerprint_of
from claimsieve.media.index import Known, make_index, table_of
from claimsieve.media.lookup import build_table, within
from claimsieve.media.search import search

PLAIN = ("clock_motion.png",)  # quality 32
CHANGES = {
    "smaller": (lambda picture: jpeg(resized(picture, 0.5)), 1.0),
    "much smaller": (lambda picture: jpeg(resized(picture, 0.3)), 1.0),
    "JPEG 95": (lambda picture: jpeg(picture, 95), 1.0),
    "JPEG 30": (lambda picture: jpeg(picture, 30), 1.0),
    "cropped by 1 %": (lambda picture: jpeg(cropped(picture, 0.01)), 0.9),
    "darker": (lambda picture: jpeg(brighter(picture, 0.75)), 0.95),
    "grey": (lambda picture: jpeg(grey(picture)), 1.0),
    "mirrored": (lambda picture: jpeg(mirrored(picture)), 1.0),
    "framed": (lambda picture: jpeg(framed(picture)), 0.9),
    "on a phone": (lambda picture: jpeg(screenshot(picture)), 0.9),
    "watermarked": (lambda picture: jpeg(watermarked(picture)), 0.5),
}


def index_of(pictures: list[Image.Image]):
    prints = [fingerprint_of(png(picture)) for picture in pictures]
    known = [Known(f"{number}.png", one.sha256, one.quality) for number, one in enumerate(prints)]
    owners = np.repeat(np.arange(len(prints)), [len(one.hashes) for one in prints])
    return make_index(table_of(known), np.concatenate([one.hashes for one in prints]), owners, threshold=31)


@pytest.fixture(scope="module")
def known():
    """Photographs that other libraries carry, and forty scenes; and an index of them. One is too plain to be told."""
    found = {name: Image.open(path).convert("RGB") for name, path in photographs().items() if name not in PLAIN}
    assert len(found) >= 3
    pictures = [resized(picture, min(1, 640 / max(picture.size))) for picture in found.values()]
    pictures += [scene(seed) for seed in range(40)]
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
    """240 scenes, mirrored and without their frames too: 28,680 pairs."""
    prints = [fingerprint_of(png(scene(seed, (160, 120)))) for seed in range(240)]
    owners = np.repeat(np.arange(240), [len(one.hashes) for one in prints])
    hashes = np.concatenate([one.hashes for one in prints])
    queries = np.concatenate([hashes, np.concatenate([one.mirrored for one in prints])])
    found = within(build_table(hashes), queries, distance=31)
    different = np.concatenate([owners, owners])[found.queries] != owners[found.rows]
    assert int(different.sum()) == 0
    assert len(found.rows) >= 240  # each finds itself
