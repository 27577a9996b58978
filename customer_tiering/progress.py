"""How far a run is: its stage, for how long, and how much of it is done; never a blank minute.

On a terminal one line moves, and each stage leaves one with the time that it took. Elsewhere, such as in cron's log, a stage
writes a line with the time when it begins, and another every half a minute that it lasts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from customer_tiering.runs import now

SECONDS_BETWEEN_LINES = 30.0


class Progress:
    """The progress of one run on a console."""

    def __init__(self, console: Console, seconds: float = SECONDS_BETWEEN_LINES) -> None:
        self._console = console
        self._seconds = seconds
        self._current = ""
        self._done = self._total = 0
        self._bar: Bar | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A stage of the run, from its beginning to its end."""
        self._current, self._done, self._total = "", 0, 0
        started = monotonic()
        with self._moving(name) if self._console.is_terminal else self._told(name, started):
            yield
        if self._console.is_terminal:
            self._say(f"{name}: {monotonic() - started:.0f} s")

    def update(self, done: int, total: int, current: str) -> None:
        """How many parts of the stage are done, of how many, and which one is being worked on."""
        self._done, self._total, self._current = done, total, current
        if self._bar is not None:
            [task] = self._bar.tasks
            self._bar.update(task.id, total=total or None, completed=done, description=current)

    @contextmanager
    def _moving(self, name: str) -> Iterator[None]:
        """One line that moves, while it lasts."""
        columns = (BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn())
        current = TextColumn("{task.description}", style="dim")
        with Bar(TextColumn(name), *columns, current, console=self._console, transient=True) as bar:
            self._bar = bar
            bar.add_task("", total=None)
            try:
                yield
            finally:
                self._bar = None

    @contextmanager
    def _told(self, name: str, started: float) -> Iterator[None]:
        """A line when it begins, and another from time to time."""
        ended = Event()

        def tell() -> None:
            while not ended.wait(self._seconds):
                done = f", {self._done} of {self._total} done" if self._total else ""
                current = f", {self._current}" if self._current else ""
                self._say(f"{now()} {name}: {monotonic() - started:.0f} s{done}{current}")

        self._say(f"{now()} {name}")
        teller = Thread(target=tell, daemon=True)
        teller.start()
        try:
            yield
        finally:
            ended.set()
            teller.join()

    def _say(self, line: str) -> None:
        self._console.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)
