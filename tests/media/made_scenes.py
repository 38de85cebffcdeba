"""Pictures to test with: scenes drawn by seed, photographs that other libraries carry, and what happens to them."""

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

_FOLDERS = {
    "sklearn": ("datasets/images", ("china.jpg", "flower.jpg")),
    "matplotlib": ("mpl-data/sample_data", ("grace_hopper.jpg", "Minduka_Present_Blue_Pack.png")),
    "skimage": (
        "data",
        (
            "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "clock_motion.png", "coffee.png",
            "coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png",
            "motorcycle_left.png", "page.png", "retina.jpg", "rocket.jpg",
        ),
    ),
}  # fmt: skip


def photographs() -> dict[str, Path]:
    """Name → file of real photographs that installed libraries carry."""
    found = {}
    for package, (folder, names) in _FOLDERS.items():
        spec = find_spec(package)  # finds the files; scikit-image itself is not read
        if spec is not None and spec.submodule_search_locations:
            root = Path(spec.submodule_search_locations[0]) / folder
            found |= {name: root / name for name in names if (root / name).is_file()}
    return found


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """A made-up scene: a sky or wall in two colours, texture of several scales, and things in front of it."""
    draw = np.random.default_rng(seed)
    width, height = size
    ramp = np.linspace(0, 1, height)[:, None, None] if draw.random() < 0.7 else np.linspace(0, 1, width)[None, :, None]
    first, second = draw.integers(0, 256, (2, 3))
    ground = np.broadcast_to(first + (second - first) * ramp, (height, width, 3)).copy()
    for cells in (4, 9, 20):
        grain = Image.fromarray(draw.integers(0, 256, (cells, cells), dtype=np.uint8)).resize(size, Image.BICUBIC)
        ground += (np.asarray(grain, dtype=float)[:, :, None] - 128) * draw.uniform(0.1, 0.5) * draw.uniform(0.5, 1, 3)
    picture = Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for _ in range(int(draw.integers(4, 14))):
        x, y = draw.uniform(0, width), draw.uniform(0, height)
        w, h = draw.uniform(0.05, 0.5, 2) * (width, height)
        colour = tuple(int(value) for value in draw.integers(0, 256, 3))
        kind = draw.integers(4)
        if kind == 0:
            pen.ellipse((x - w / 2, y - h / 2, x + w / 2, y + h / 2), fill=colour)
        elif kind == 1:
            pen.rectangle((x - w / 2, y - h / 2, x + w / 2, y + h / 2), fill=colour)
        elif kind == 2:
            corners = [(x + w * draw.uniform(-1, 1), y + h * draw.uniform(-1, 1)) for _ in range(5)]
            pen.polygon(corners, fill=colour)
        else:
            pen.line((x, y, x + w, y + h), fill=colour, width=int(draw.integers(2, 12)))
    return picture.filter(ImageFilter.GaussianBlur(draw.uniform(0, 1.2)))


def jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def resized(picture: Image.Image, share: float) -> Image.Image:
    return picture.resize([max(16, round(side * share)) for side in picture.size], Image.LANCZOS)


def cropped(picture: Image.Image, share: float) -> Image.Image:
    """Without a share of the width and of the height, all of it from the left and the top."""
    return picture.crop((round(picture.width * share), round(picture.height * share), *picture.size))


def brighter(picture: Image.Image, factor: float) -> Image.Image:
    return ImageEnhance.Brightness(picture.convert("RGB")).enhance(factor)


def watermarked(picture: Image.Image) -> Image.Image:
    """With a line of text across it, half see-through, and a sign in a corner."""
    over = Image.new("RGBA", picture.size)
    pen = ImageDraw.Draw(over)
    size = max(10, picture.height // 8)
    pen.text((picture.width // 8, picture.height // 2), "BREAKING  NEWS", fill=(255, 255, 255, 140), font_size=size)
    corner = (picture.width * 0.82, picture.height * 0.04, picture.width * 0.97, picture.height * 0.14)
    pen.rectangle(corner, fill=(200, 0, 0, 255))
    return Image.alpha_composite(picture.convert("RGBA"), over).convert("RGB")


def framed(picture: Image.Image, share: float = 0.15, colour: str = "black") -> Image.Image:
    """With bars of one colour, a share of the sides each."""
    bars = (round(picture.width * share / 3), round(picture.height * share))
    return ImageOps.expand(picture.convert("RGB"), border=bars, fill=colour)


def screenshot(picture: Image.Image) -> Image.Image:
    """On a phone: a bar with the time above, a line of text under the picture, white around it."""
    width, height = round(picture.width * 1.06), round(picture.height * 1.5)
    screen = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(screen)
    pen.rectangle((0, 0, width, height // 20), fill=(30, 30, 30))
    pen.text((width // 20, height // 80), "12:45", fill="white", font_size=max(10, height // 40))
    pen.text((width // 20, height * 0.85), "Look at this!! Share now", fill="black", font_size=max(10, height // 25))
    screen.paste(picture.convert("RGB"), ((width - picture.width) // 2, height // 8))
    return screen


def mirrored(picture: Image.Image) -> Image.Image:
    return ImageOps.mirror(picture)


def grey(picture: Image.Image) -> Image.Image:
    return ImageOps.grayscale(picture)
