"""Files of every kind become the same small grey picture, and what is no picture costs one clear error and no more."""

import io
import os
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from made_scenes import jpeg, png, scene
from PIL import Image, ImageOps

from claimsieve.media.decoding import MAX_FILE_BYTES, PictureError, content_of, decoded
from claimsieve.media.fingerprints import fingerprint_of


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def bits_between(one: bytes, other: bytes) -> int:
    """Differing bits of the hashes of two picture files."""
    first, second = fingerprint_of(one), fingerprint_of(other)
    return int(np.unpackbits(first.hashes[0] ^ second.hashes[0]).sum())


PICTURE = scene(1)
DEEP = Image.fromarray(np.asarray(PICTURE.convert("L"), dtype=np.uint16) * 257)


@pytest.mark.parametrize(
    "content",
    [
        saved(PICTURE, "PNG"),
        saved(PICTURE, "WEBP", lossless=True),
        saved(PICTURE, "BMP"),
        saved(PICTURE, "TIFF"),
        saved(PICTURE, "TIFF", compression="tiff_lzw"),
        saved(PICTURE.convert("RGBA"), "PNG"),
        saved(PICTURE.convert("L"), "PNG"),
        saved(PICTURE.convert("LA"), "PNG"),
        saved(DEEP, "PNG"),
        saved(DEEP, "TIFF"),
        saved(PICTURE.convert("CMYK"), "TIFF"),
        saved(Image.fromarray(np.asarray(PICTURE.convert("L"), dtype=np.float32) / 255), "TIFF"),
        saved(PICTURE.convert("CMYK"), "JPEG", quality=95),
        saved(PICTURE, "JPEG", quality=95),
        saved(PICTURE, "JPEG", quality=95, progressive=True),
        saved(PICTURE.convert("P", palette=Image.ADAPTIVE), "PNG"),
        saved(PICTURE, "GIF"),
        saved(PICTURE, "GIF", save_all=True, append_images=[scene(2), scene(3)]),
        saved(PICTURE, "PNG", save_all=True, append_images=[scene(2)]),
        saved(PICTURE, "WEBP", save_all=True, append_images=[scene(2)], lossless=True),
        saved(PICTURE, "MPO", save_all=True, append_images=[scene(2)], quality=95),
    ],
)
def test_the_same_picture_in_any_kind_of_file_has_the_same_hash(content):
    """Of animations the first frame; palettes and JPEG change a bit or two."""
    assert bits_between(content, saved(PICTURE, "PNG")) <= 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_picture_is_turned_as_its_camera_held_it(form, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(saved(PICTURE, "PNG", exif=exif))))
    options = {"lossless": True} if form == "WEBP" else {"quality": 97} if form == "JPEG" else {}
    assert bits_between(saved(PICTURE, form, exif=exif, **options), saved(upright, "PNG")) <= 6


def test_what_is_transparent_is_seen_on_white():
    clear = PICTURE.convert("RGBA")
    hole = Image.new("L", PICTURE.size, 255)
    hole.paste(0, (100, 60, 220, 180))
    clear.putalpha(hole)
    white = PICTURE.copy()
    white.paste((255, 255, 255), (100, 60, 220, 180))
    assert bits_between(saved(clear, "PNG"), saved(white, "PNG")) <= 6
    assert bits_between(saved(PICTURE, "PNG"), saved(white, "PNG")) > 12


def test_a_large_jpeg_is_read_smaller_and_has_the_same_hash_to_a_few_bits():
    large = PICTURE.resize((2400, 1800), Image.LANCZOS)
    assert max(decoded(jpeg(large)).grey.shape) <= 512
    assert bits_between(jpeg(large), png(large)) <= 10


def test_a_strip_keeps_a_breadth_that_can_be_looked_at():
    strip = PICTURE.resize((4000, 40))
    assert decoded(png(strip)).grey.shape == (40, 512)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def bomb(width: int, height: int, body: bytes = b"") -> bytes:
    """A PNG that says it has these sides; its rows are left out, or nothing but zeros."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def wide_webp(side: int) -> bytes:
    """An animated WebP of which the canvas is vast and the frame small."""
    frame = saved(Image.new("RGB", (16, 16)), "WEBP", lossless=True)[12:]
    canvas = struct.pack("<I", side - 1)[:3] * 2
    extended = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + canvas
    loop = b"ANIM" + struct.pack("<I", 6) + bytes(6)
    one = bytes(6) + struct.pack("<I", 15)[:3] * 2 + bytes(4) + frame
    body = b"WEBP" + extended + loop + b"ANMF" + struct.pack("<I", len(one)) + one
    return b"RIFF" + struct.pack("<I", len(body)) + body


def huge_gif() -> bytes:
    """A small GIF whose first frame says that it is as large as can be."""
    content = bytearray(saved(Image.new("P", (32, 32)), "GIF"))
    place = content.rindex(b"\x2c" + bytes(4) + struct.pack("<HH", 32, 32))
    content[place + 5 : place + 9] = struct.pack("<HH", 65_535, 65_535)
    return bytes(content)


def scans(count: int) -> bytes:
    """A progressive JPEG with the same scan many times over."""
    whole = saved(PICTURE, "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * count + whole[-2:]


HOSTILE = {
    "empty": (b"", "found an empty file"),
    "text": (b"hello, I am no picture", "found something else"),
    "svg": (b"<?xml version='1.0'?><svg><script>alert(1)</script></svg>", "SVG or HTML, which is never opened"),
    "html": (b"\xef\xbb\xbf <html><img src=x onerror=alert(1)>", "SVG or HTML"),
    "zip": (b"PK\x03\x04" + bytes(100), "found a zip archive; unpack it"),
    "gzip": (b"\x1f\x8b\x08" + bytes(100), "found a gzip archive"),
    "film": (b"\0\0\0\x20ftypisom" + bytes(100), "found a film"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "found something else"),
    "50,000 pixels": (bomb(50_000, 50_000), "expected at most 64,000,000 pixels, found"),
    "a long side": (bomb(50_000, 20), "sides of at most 32,768 pixels, found 50,000 x 20"),
    "just too many": (bomb(9_000, 9_000), "expected at most 64,000,000 pixels, found 9,000 x 9,000"),
    "tiny": (png(Image.new("RGB", (15, 300))), "sides of at least 16 pixels, found 15 x 300"),
    "truncated png": (png(PICTURE)[:20_000], "found a damaged one"),
    "truncated jpeg": (jpeg(PICTURE)[:5_000], "found a damaged one"),
    "truncated webp": (saved(PICTURE, "WEBP")[:3_000], "found a damaged one|found something else"),
    "damaged png": (png(PICTURE)[:5_000] + bytes(500) + png(PICTURE)[5_500:], "found a damaged one"),
    "nothing behind the header": (bomb(5_000, 5_000), "found a damaged one"),
    "text bomb": (
        bomb(64, 64, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000), 9))),
        "found a damaged one",
    ),
    "profile bomb": (
        bomb(64, 64, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(200_000_000), 9))),
        "found a damaged one",
    ),
    "vast canvas": (wide_webp(16_000), "at most 64,000,000 pixels|damaged"),
    "gif frame": (huge_gif(), "at most 64,000,000 pixels"),
    "scans": (scans(500), "a JPEG of at most 100 scans, found 5"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_picture_is_one_clear_error(name):
    content, message = HOSTILE[name]
    with pytest.raises(PictureError, match=message) as found:
        fingerprint_of(content)
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 250


def test_any_cut_and_any_changed_byte_is_an_error_or_a_picture():
    """Nothing but PictureError comes out of a damaged file, wherever the damage is."""
    draw = np.random.default_rng(0)
    small = PICTURE.resize((64, 48))
    whole = [
        png(small),
        jpeg(small),
        saved(small, "GIF"),
        saved(small, "WEBP"),
        saved(small, "TIFF"),
        saved(small, "BMP"),
    ]
    outcomes = {"picture": 0, "error": 0}
    for content in whole:
        for _ in range(60):
            damaged = bytearray(content[: draw.integers(1, len(content))] if draw.random() < 0.4 else content)
            for place in draw.integers(0, min(len(damaged), 400), 3):
                damaged[place] = draw.integers(256)
            try:
                fingerprint_of(bytes(damaged))
                outcomes["picture"] += 1
            except PictureError:
                outcomes["error"] += 1
    assert min(outcomes.values()) > 20


def test_files_that_are_none_are_told_apart(tmp_path):
    with pytest.raises(PictureError, match="expected a file, found none"):
        content_of(tmp_path / "none.png")
    with pytest.raises(PictureError, match="found a folder"):
        content_of(tmp_path)
    with pytest.raises(PictureError, match=r"cannot be read: .*null"):
        content_of(Path("a\0b.png"))
    with (tmp_path / "large.png").open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(PictureError, match="at most 64,000,000 bytes, found 64,000,001"):
        content_of(tmp_path / "large.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(PictureError, match="found a device or pipe"):
        content_of(tmp_path / "pipe.png")


_WITHIN = """
import resource, sys
from pathlib import Path
from claimsieve.media.decoding import PictureError
from claimsieve.media.fingerprints import fingerprint_of
fingerprint_of(Path(sys.argv[1]).read_bytes())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
for name in sys.argv[2:]:
    try:
        fingerprint_of(Path(name).read_bytes())
        print(Path(name).name, "read")
    except PictureError as error:
        print(Path(name).name, "refused")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, file=sys.stderr)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has another unit elsewhere")
def test_hostile_files_take_little_memory_and_the_largest_picture_what_was_reckoned_with(tmp_path):
    (tmp_path / "small.png").write_bytes(png(PICTURE))
    for name, (content, _) in HOSTILE.items():
        (tmp_path / f"{name.replace(' ', '-')}.bad").write_bytes(content)
    Image.new("RGBA", (8_000, 8_000), (9, 99, 200, 120)).save(tmp_path / "largest.png", compress_level=1)
    files = [*sorted(tmp_path.glob("*.bad")), tmp_path / "largest.png"]
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", _WITHIN, tmp_path / "small.png", *files],
        capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    said = ran.stdout.splitlines()
    assert said == [f"{path.name} {'read' if path.name == 'largest.png' else 'refused'}" for path in files]
    peaks = [int(line) / 1024 for line in ran.stderr.splitlines()]  # KiB on Linux
    assert peaks[-2] < 120  # of all hostile ones, one after another
    assert peaks[-1] < 900  # 64 million pixels with transparency


def test_the_limit_of_addresses_is_an_error_and_no_crash(tmp_path):
    """Where the system gives less memory than a picture needs, that is told of the picture."""
    Image.new("RGBA", (8_000, 8_000), (9, 99, 200, 120)).save(tmp_path / "largest.png", compress_level=1)
    limited = _WITHIN.replace("before =", "resource.setrlimit(resource.RLIMIT_DATA, (500 << 20,) * 2); before =")
    (tmp_path / "small.png").write_bytes(png(PICTURE))
    ran = subprocess.run(
        [sys.executable, "-c", limited, tmp_path / "small.png", tmp_path / "largest.png"],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (0, "largest.png refused\n")
    assert resource.RLIMIT_DATA  # Linux only; elsewhere the limit is not kept


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_of_floats_what_is_no_finite_number_counts_as_0(value):
    values = np.asarray(PICTURE.convert("L"), dtype=np.float32)
    spoilt = values.copy()
    spoilt[:2, :2] = value
    assert bits_between(saved(Image.fromarray(values), "TIFF"), saved(Image.fromarray(spoilt), "TIFF")) <= 2


def test_floats_may_be_as_large_as_they_can_be():
    grey = np.asarray(PICTURE.convert("L"), dtype=np.float32)
    large = (grey / 255 * 2 - 1) * np.float32(3e38)
    assert bits_between(saved(Image.fromarray(grey), "TIFF"), saved(Image.fromarray(large), "TIFF")) <= 2
