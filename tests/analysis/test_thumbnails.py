"""Pictures become small ones made anew; whatever else a row names is not shown, and never raises."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from claimsieve.analysis import pictures
from claimsieve.analysis.pictures import MAX_SIDE_PIXELS, Thumbnails


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    return inside


@pytest.fixture
def photograph(folder):
    """A wide JPEG with a place, a camera and a turn in its metadata."""
    image = Image.effect_noise((1600, 900), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    exif[0x010F] = "secret camera"
    image.save(folder / "photo.jpg", exif=exif)
    return folder / "photo.jpg"


def decoded(uri):
    start = "data:image/jpeg;base64,"
    assert uri.startswith(start)
    content = base64.b64decode(uri.removeprefix(start))
    return content, Image.open(io.BytesIO(content))


def test_a_picture_is_made_small_upright_and_without_metadata(folder, photograph):
    made = Thumbnails([folder])("photo.jpg")
    content, image = decoded(made.uri)
    assert image.size == (made.width, made.height)
    assert max(image.size) <= MAX_SIDE_PIXELS
    assert made.height > made.width  # turned
    assert not image.getexif()
    assert b"secret" not in content
    assert len(content) < photograph.stat().st_size / 4


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_pixel_can_be_shown(folder, mode):
    suffix = "jpg" if mode == "CMYK" else "png"
    Image.new(mode, (30, 20)).save(folder / f"x.{suffix}")
    assert Thumbnails([folder])(f"x.{suffix}").uri


def test_sixteen_bits_a_pixel_look_as_eight_do(folder):
    grey = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    Image.fromarray(grey).save(folder / "8.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(folder / "16.png")
    small = Thumbnails([folder])
    assert small("8.png").uri == small("16.png").uri


def test_a_picture_named_twice_is_made_once(folder, photograph, monkeypatch):
    thumbnails = Thumbnails([folder])
    first = thumbnails("photo.jpg")
    photograph.unlink()
    photograph.write_bytes(b"now something else")
    assert thumbnails("./photo.jpg").uri == first.uri


def test_what_is_no_raster_picture_is_not_shown(folder):
    (folder / "drawing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')
    (folder / "page.jpg").write_text("<script>alert(1)</script>")
    (folder / "empty.png").write_bytes(b"")
    Image.new("RGB", (8, 8)).save(folder / "other.tiff")
    for name in ("drawing.svg", "page.jpg", "empty.png", "other.tiff"):
        made = Thumbnails([folder])(name)
        assert made.uri is None
        assert "no picture" in made.missing


def test_a_damaged_picture_says_so(folder, photograph):
    photograph.write_bytes(photograph.read_bytes()[:2000])
    assert "cannot be decoded" in Thumbnails([folder])("photo.jpg").missing


@pytest.mark.parametrize("side", [8_000, 60_000])
def test_a_picture_that_would_unpack_into_gigabytes_is_not_decoded(folder, side):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))
    (folder / "bomb.png").write_bytes(content + chunk(b"IEND", b""))
    assert "million pixels" in Thumbnails([folder])("bomb.png").missing


def test_a_file_that_is_too_large_is_not_opened(folder, photograph, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_FILE_BYTES", 1_000)
    assert "larger than" in Thumbnails([folder])("photo.jpg").missing


def test_a_page_holds_only_so_many_pictures(folder, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_PICTURES", 2)
    for number in range(3):
        Image.new("RGB", (4, 4)).save(folder / f"{number}.png")
    thumbnails = Thumbnails([folder])
    assert [thumbnails(f"{number}.png").uri is None for number in range(3)] == [False, False, True]
    assert thumbnails("0.png").uri


def test_nothing_outside_the_folders_is_opened(folder, tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "private.png")
    (folder / "link.png").symlink_to(tmp_path / "private.png")
    (folder / "circle").symlink_to(folder / "circle")
    for name in (tmp_path / "private.png", "../private.png", "link.png", "/etc/hostname", "../../../etc/hostname"):
        made = Thumbnails([folder])(str(name))
        assert made.uri is None, name
        assert "--pictures" in made.missing
    assert Thumbnails([folder, tmp_path])("../private.png").uri
    assert Thumbnails([])("link.png").missing == "pictures are not read for this page"
    for name in ("circle/x.png", "a\0b.png", "x" * 5_000, "", ".", "no/such.png", "http://evil.example/x.png"):
        assert Thumbnails([folder])(name).uri is None, name
