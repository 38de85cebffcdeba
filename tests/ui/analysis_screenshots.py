"""The pictures of docs/analysis-page.md: PYTHONPATH=tests python tests/ui/analysis_screenshots.py docs/images

Photographs the page of the made article, light, and dark on the claim with a recycled picture. Needs a Chromium.
"""

import io
import shutil
import sys
import tempfile
from pathlib import Path

from driving import BROWSER_OPTIONS
from PIL import Image
from playwright.sync_api import sync_playwright

from analyst_rows import ARTICLE, article_rows, draw_pictures
from claimsieve.analysis.page import analysis_page
from claimsieve.analysis.pictures import Thumbnails

MAX_BYTES = 300_000
VIEWS = {"analysis-light": ("light", ""), "analysis-dark": ("dark", "#claim-6")}


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="claimsieve-") as work, sync_playwright() as playwright:
        page = Path(work) / "page.html"
        draw_pictures(page.parent / "pictures")
        rows = article_rows()
        page.write_text(
            analysis_page(rows, articles=[ARTICLE], title=ARTICLE["title"], thumbnails=Thumbnails([page.parent]))
        )
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER_OPTIONS)
        for name, (scheme, anchor) in VIEWS.items():
            size = {"width": 1360, "height": 1000}
            shown = browser.new_page(viewport=size, color_scheme=scheme, reduced_motion="reduce")
            shown.goto(page.as_uri() + anchor)
            _write(shown.screenshot(), folder / f"{name}.png")
        browser.close()


def _write(screenshot: bytes, path: Path) -> None:
    """As PNG with a palette, which is a third of the size and looks the same."""
    image = Image.open(io.BytesIO(screenshot)).convert("RGB").quantize(255, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
    if path.stat().st_size > MAX_BYTES:
        raise SystemExit(f"{path}: expected at most {MAX_BYTES:,} bytes, found {path.stat().st_size:,}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
