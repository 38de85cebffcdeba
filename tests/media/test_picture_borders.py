"""What a frame encloses is found to the pixel or two, and where there is no frame nothing is cut away."""

import numpy as np
import pytest
from made_scenes import framed, jpeg, scene, screenshot
from PIL import Image

from claimsieve.media.borders import inside_of
from claimsieve.media.decoding import decoded


def grey_of(picture: Image.Image) -> np.ndarray:
    return decoded(jpeg(picture, 80)).grey


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("colour", ["black", "white", "grey"])
def test_a_frame_is_cut_off_and_no_more(seed, colour):
    picture = scene(seed)
    grey = grey_of(framed(picture, 0.12, colour))
    inside = inside_of(grey)
    share = grey.shape[1] / framed(picture, 0.12, colour).width  # of the size it is looked at
    assert inside.shape == pytest.approx((240 * share, 320 * share), abs=4)


def test_a_frame_in_a_frame_is_cut_off_too():
    grey = grey_of(framed(framed(scene(3), 0.05, "white"), 0.1, "black"))
    once = grey_of(framed(scene(3), 0.15, "black"))
    assert inside_of(grey).shape == pytest.approx(inside_of(once).shape, abs=16)


def test_a_picture_is_found_in_a_screenshot_with_lines_of_text():
    screen = screenshot(scene(5))
    grey = grey_of(screen)
    share = grey.shape[0] / screen.height
    assert inside_of(grey).shape == pytest.approx((240 * share, 320 * share), abs=5)


@pytest.mark.parametrize("seed", [0, 1, 2, 4])
def test_where_there_is_no_frame_nothing_is_cut_away(seed):
    assert inside_of(grey_of(scene(seed))) is None


def test_a_thing_on_a_ground_is_no_picture_in_a_frame():
    ground = Image.new("RGB", (400, 400), "white")
    ground.paste(scene(1, (90, 90)), (150, 150))
    assert inside_of(grey_of(ground)) is None  # less than a quarter of each side
    larger = Image.new("RGB", (400, 400), "white")
    larger.paste(scene(1, (200, 200)), (100, 100))
    assert inside_of(grey_of(larger)).shape == pytest.approx((200, 200), abs=4)


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (300, 1), (0, 0)])
@pytest.mark.parametrize("value", [0, 255])
def test_a_blank_picture_holds_nothing(shape, value):
    assert inside_of(np.full(shape, value, dtype=np.uint8)) is None


def test_a_line_of_one_colour_within_a_picture_does_not_part_it():
    picture = np.asarray(scene(2).convert("L")).copy()
    picture[120:122] = 0
    assert inside_of(picture) is None
    picture[110:130] = 0
    assert inside_of(picture).shape == (110, 320)
