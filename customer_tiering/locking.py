"""One refresh of a warehouse at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

from customer_tiering.errors import LockedError

LOCK = "refresh.lock"


@contextmanager
def locked(warehouse: Path) -> Iterator[int]:
    """Hold the warehouse's lock; gives its file descriptor, for processes that go on building.

    The operating system frees the lock when the last process that holds it is gone, however it
    ended: there is nothing to clean up after a kill. Raises LockedError when somebody else holds it.
    """
    path = warehouse / LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _taken(descriptor):
            raise LockedError(
                f"another refresh of {warehouse} is running (process {_holder(path)}); nothing was done."
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def is_locked(warehouse: Path) -> bool:
    """Whether a refresh of the warehouse is running."""
    path = warehouse / LOCK
    if not path.exists():
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _taken(descriptor: int) -> bool:
    """Take the lock, if nobody holds it for longer than a look at it takes (see `is_locked`)."""
    for _ in range(10):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(0.05)
        else:
            return True
    return False


def _holder(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip() or "unknown"
