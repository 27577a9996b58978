"""Draws the README's pictures: the upper part of overview.html in both languages. Called by `make pictures`."""

from __future__ import annotations

import sys
from pathlib import Path

from browser import LANGUAGES, chromium, opened, running

WIDTH = 1200
LAST = "section:has(#h-over_time)"  # what is shown last


def main(page: Path, folder: Path) -> None:
    """Write overview-en.png and overview-zh.png into a folder."""
    program = chromium()
    assert program, "no Chromium: apt-get install chromium fonts-noto-cjk"
    with running(program) as browser:
        for language in LANGUAGES:
            with opened(browser, page, WIDTH, language) as shown:
                box = shown.page.locator(LAST).bounding_box()
                assert box, f"no {LAST} in {page}"
                clip = {"x": 0, "y": 0, "width": WIDTH, "height": box["y"] + box["height"] + 20}
                shown.page.screenshot(
                    path=folder / f"{page.stem}-{language}.png", clip=clip, full_page=True
                )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
