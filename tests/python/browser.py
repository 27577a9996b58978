"""Pages as people open them: in Chromium, from the disk, in both languages, on a phone and on a desk.

Debian's Chromium is used: apt-get install chromium fonts-noto-cjk. TIERING_CHROMIUM says where it is, and that it must be there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = (390, 768, 1440)
LANGUAGES = {"en": "en-GB", "zh": "zh-CN"}  # of a page, and of the browser that opens it
# Whether a page is as people see it: charts draw themselves.
DRAWN = (
    "() => !document.querySelector('.chart') || document.documentElement.hasAttribute('data-ready')"
)
SERIOUS = ("serious", "critical")
# The text of a cell, or the sign of one whose figure is hidden, which is read out in words.
SEEN = "cell => (cell.querySelector('.hidden') ?? cell).innerText"


def chromium() -> str | None:
    """The program; None when there is none, and nothing says that there must be."""
    named = os.environ.get("TIERING_CHROMIUM")
    if named and not Path(named).exists():
        raise RuntimeError(f"no Chromium in {named} (TIERING_CHROMIUM)")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def running(program: str) -> Iterator[Browser]:
    """A browser without a window. Root needs it without a sandbox; it opens nothing but our own files."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Opened:
    """A page, and what it said and asked for."""

    page: Page
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def table(self, name: str) -> dict[str, list[str]]:
        """The texts of a table's cells by the codes of its rows, or of the cells where these have them."""
        rows: list[list[Any]] = self.page.eval_on_selector_all(
            f"#{name} tr[data-codes]",
            f"rows => rows.map(row => [row.dataset.codes, [...row.querySelectorAll('td')].map({SEEN})])",
        )
        cells: list[list[Any]] = self.page.eval_on_selector_all(
            f"#{name} td[data-codes]",
            f"cells => cells.map(cell => [cell.dataset.codes, [({SEEN})(cell)]])",
        )
        return {codes: [text.strip() for text in texts] for codes, texts in rows or cells}

    def too_wide(self) -> list[str]:
        """What makes the page wider than the window: at least the page itself, if nothing else can be named."""
        found: list[str] = self.page.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth ? [] :
            [`the page: ${document.documentElement.scrollWidth} px`,
            ...[...document.querySelectorAll('body *')]
                .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll'))
                .map(e => e.tagName + '#' + e.id + '.' + e.className)]"""
        )
        return found


@contextmanager
def opened(browser: Browser, file: Path, width: int, language: str) -> Iterator[Opened]:
    """A page that has drawn itself, in the language of the browser."""
    page = browser.new_page(viewport={"width": width, "height": 900}, locale=LANGUAGES[language])
    made = Opened(page)
    page.on("console", lambda message: made.messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: made.messages.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (made.messages.append("dialog"), dialog.dismiss()))
    page.on("request", lambda request: made.requests.append(request.url))
    try:
        page.goto(file.resolve().as_uri())
        page.wait_for_function(DRAWN)
        made.requests = [url for url in made.requests if not url.startswith(("data:", "file:"))]
        yield made
    finally:
        page.close()
