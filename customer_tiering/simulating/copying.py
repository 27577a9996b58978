"""The copy of a work database on which a simulation works, in a folder of its own that is removed in the end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from customer_tiering.configuration import COMMAND_LINE, Settings
from customer_tiering.errors import BuildError, ConfigurationError, LockedError, SourceError
from customer_tiering.locking import holding, is_held, is_locked
from customer_tiering.publishing import UNFINISHED, WORK, errors_as_build_error

PREFIX = "simulation-"
MEGABYTE = 1_000_000


@contextmanager
def simulation_folder(warehouse: Path) -> Iterator[tuple[Path, list[int]]]:
    """A new folder in a warehouse, and file descriptors that hold it; it is removed in the end.

    What killed simulations left is removed first: nobody holds it. Raises ConfigurationError where no folder can be made.
    """
    for leftover in warehouse.glob(f"{PREFIX}*{UNFINISHED}"):
        if not is_held(leftover):
            shutil.rmtree(leftover, ignore_errors=True)
    try:
        folder = Path(tempfile.mkdtemp(UNFINISHED, PREFIX, warehouse))
    except OSError as error:
        found = f"{warehouse} ({error.strerror})"
        allowed = "a folder in which files can be made: a simulation works on a copy in it"
        raise ConfigurationError(f"{COMMAND_LINE}, --warehouse", found, allowed) from None
    try:
        with holding(folder) as descriptors:
            yield folder, descriptors
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy_work(warehouse: Path, folder: Path, settings: Settings) -> Path:
    """Copy the work database of a warehouse, as it was while nobody wrote to it.

    No lock is taken, so that a refresh may begin meanwhile: then the copy is given up. Raises LockedError, BuildError
    where the disk is too small, and SourceError without a work database.
    """
    files = [warehouse / WORK, warehouse / f"{WORK}.wal"]
    if not files[0].is_file():
        raise SourceError(str(files[0]), "no such file", "what `tiering refresh` builds in")
    if is_locked(warehouse):
        raise LockedError(f"a refresh of {warehouse} is running; nothing was done.")
    before = _states(files)
    _check_space(warehouse, sum(size for _, size, _ in before.values()), settings)
    with errors_as_build_error(f"copying {files[0]}"):
        for file in before:
            shutil.copyfile(file, folder / file.name)
    if is_locked(warehouse) or _states(files) != before:
        raise LockedError(
            f"{files[0]} was written to while it was copied, by a refresh or by dbt; nothing was done."
        )
    return folder / WORK


def _states(files: list[Path]) -> dict[Path, tuple[int, int, int]]:
    """By file that is there: which it is, its size, and when it was written to."""
    states = ((file, file.stat()) for file in files if file.is_file())
    return {file: (state.st_ino, state.st_size, state.st_mtime_ns) for file, state in states}


def _check_space(warehouse: Path, size: int, settings: Settings) -> None:
    """Whether there is room for the copy, and for models beside those that they replace."""
    free = shutil.disk_usage(warehouse).free // MEGABYTE
    needed = size * 3 // 2 // MEGABYTE + settings.min_free_megabytes
    if free < needed:
        raise BuildError(
            f"{warehouse}: found {free} MB of free disk; allowed is at least {needed} MB: one and a half times {WORK}, "
            f"of which a copy is made, and {settings.min_free_megabytes} MB (var min_free_megabytes)."
        )


def check_out(out: Path | None) -> None:
    """Raise ConfigurationError when the file of the moves cannot be what is asked for."""
    if out is None:
        return
    where = f"{COMMAND_LINE}, --out"
    if out.suffix not in (".csv", ".parquet"):
        raise ConfigurationError(where, f"{out.name!r}", "a name that ends in .csv or .parquet")
    if os.path.lexists(out):
        raise ConfigurationError(where, f"{out}, which is there", "a new file")
    if not out.parent.is_dir():
        raise ConfigurationError(where, f"no such folder {out.parent}", "a file in a folder")
