"""Makes the pictures of docs/report: real reports, opened in Chromium. No figure is invented.

Each report is shown at 1280 and 390 pixels and as it prints, light and dark. Needs playwright, pillow
and Chromium. Run after `tox run -e gates`: python docs/screenshots.py report [FOLDER …] [--to DIR]
"""

from __future__ import annotations

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
#: name, width, height, medium
VIEWS = (
    ("1280", 1280, 1100, "screen"),
    ("390", 390, 1100, "screen"),
    ("print", 794, 1123, "print"),
)


def main() -> None:
    """Open each report in each view and keep what is seen first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--to", type=Path, default=HERE / "report", metavar="DIR")
    args = parser.parse_args()
    args.to.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox"],
        )
        for folder in args.reports:
            page = chromium.new_page()
            page.goto((folder.resolve() / "report.html").as_uri())
            page.locator(".filter").wait_for()
            for name, width, height, medium in VIEWS:
                page.set_viewport_size({"width": width, "height": height})
                for scheme in ("light", "dark"):
                    if medium == "print" and scheme == "dark":
                        continue  # paper is white
                    page.emulate_media(media=medium, color_scheme=scheme)
                    keep(page, args.to / f"{folder.resolve().name}-{name}-{scheme}.png")
            page.close()
        chromium.close()


def keep(page: Page, file: Path) -> None:
    """Write a screenshot with few colours: a third of the size."""
    image = Image.open(io.BytesIO(page.screenshot()))
    image.convert("RGB").quantize(32).save(file, optimize=True)


if __name__ == "__main__":
    main()
