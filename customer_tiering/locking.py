"""One refresh of a warehouse at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep

from customer_tiering.configuration import COMMAND_LINE
from customer_tiering.errors import ConfigurationError, LockedError

LOCK = "refresh.lock"
TRIES = (
    10  # to take a lock at which somebody only looks (see `is_locked`), or whose file is removed
)


@contextmanager
def locked(warehouse: Path) -> Iterator[list[int]]:
    """Hold the warehouse's lock; gives its file descriptors, for processes that go on building.

    It is on a file of the warehouse and, where folders can be locked, on the folder, too: that one
    holds when the file is removed. The operating system frees it when the last process that holds it
    is gone, however it ended: there is nothing to clean up after a kill. Raises LockedError when
    somebody else holds it, and ConfigurationError where no file can be made or locked.
    """
    descriptors: list[int] = []
    try:
        try:
            is_taken = _take_file(warehouse / LOCK, descriptors) and _take_folder(
                warehouse, descriptors
            )
        except OSError as error:
            found = f"{warehouse} ({error.strerror})"
            allowed = "a folder in which files can be made and locked"
            raise ConfigurationError(f"{COMMAND_LINE}, --warehouse", found, allowed) from None
        if not is_taken:
            raise LockedError(
                f"another refresh of {warehouse} is running (process {_holder(warehouse / LOCK)}); "
                "nothing was done."
            )
        os.ftruncate(descriptors[0], 0)
        os.pwrite(descriptors[0], str(os.getpid()).encode(), 0)
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def is_locked(warehouse: Path) -> bool:
    """Whether a refresh of the warehouse is running."""
    return any(is_held(path) for path in (warehouse / LOCK, warehouse))


@contextmanager
def holding(folder: Path) -> Iterator[list[int]]:
    """Hold a folder that this process has made, so that nobody tidies it away; gives its file descriptors.

    Where folders cannot be locked, nothing is held.
    """
    descriptors: list[int] = []
    try:
        _take_folder(folder, descriptors)
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock of a file or folder."""
    with suppress(OSError):  # what is not there, or cannot be locked, nobody holds
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return not _lock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)
    return False


def _take_file(path: Path, descriptors: list[int]) -> bool:
    """Lock the file of that path, not one that was removed meanwhile; adds its descriptor to `descriptors`."""
    for _ in range(TRIES):
        descriptors.append(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        is_taken = _lock(descriptors[-1], fcntl.LOCK_EX)
        if is_taken and _is_at(descriptors[-1], path):
            return True
        os.close(descriptors.pop())
        if not is_taken:
            sleep(0.05)
    return False


def _take_folder(folder: Path, descriptors: list[int]) -> bool:
    """Lock a folder, where the file system can; adds its descriptor to `descriptors`."""
    descriptors.append(os.open(folder, os.O_RDONLY))
    for _ in range(TRIES):
        try:
            if _lock(descriptors[-1], fcntl.LOCK_EX):
                return True
        except OSError:  # such as NFS, on which only what can be written is locked
            return True
        sleep(0.05)
    return False


def _lock(descriptor: int, kind: int) -> bool:
    """Whether the lock could be taken at once. Raises OSError where there are no locks."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file still is the one of that path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _holder(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8", errors="replace").strip() or "unknown"
    return "unknown"
