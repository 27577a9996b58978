"""Draws the README's pictures: the first screen of a page in both languages. Called by `make pictures`."""

from __future__ import annotations

import sys
from pathlib import Path

from browser import LANGUAGES, chromium, opened, running

WIDTH, HEIGHT = 1200, 1080


def main(page: Path, folder: Path) -> None:
    """Write overview-en.png and overview-zh.png into a folder."""
    program = chromium()
    assert program, "no Chromium: apt-get install chromium fonts-noto-cjk"
    with running(program) as browser:
        for language in LANGUAGES:
            with opened(browser, page, WIDTH, language) as shown:
                clip = {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT}
                shown.page.screenshot(
                    path=folder / f"{page.stem}-{language}.png", clip=clip, full_page=True
                )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
