"""Who may read the files of a warehouse: its owner alone, but for what is published to readers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from customer_tiering.errors import ConfigurationError

PRIVATE_UMASK = 0o077
FOLDER = 0o755  # of what readers may enter, less the umask
READERS_FILE = 0o444  # of what readers may open, less the umask

_outer_umask: int | None = None


@contextmanager
def private_files() -> Iterator[int]:
    """Let files and folders be made for their owner alone, from their first byte on.

    Gives the umask that held before the outermost of these blocks: that by which readers' files go.
    It holds for the whole process, and for those that it starts.
    """
    global _outer_umask
    before, outer = os.umask(PRIVATE_UMASK), _outer_umask
    _outer_umask = before if outer is None else outer
    try:
        yield _outer_umask
    finally:
        _outer_umask = outer
        os.umask(before)


def make_private(path: Path) -> None:
    """Take all rights of others off a file, or off a folder and all that is in it; follows a link.

    Raises ConfigurationError at one that others may read and this process may not change.
    """
    if not path.exists():
        return
    _take_rights(path)
    for folder, folders, files in os.walk(path):
        for inner in (Path(folder, name) for name in (*folders, *files)):
            if not inner.is_symlink():
                _take_rights(inner)


def _take_rights(path: Path) -> None:
    try:
        mode = path.stat().st_mode & 0o7777
        if mode & PRIVATE_UMASK:
            path.chmod(mode & ~PRIVATE_UMASK)
    except FileNotFoundError:  # a dated warehouse may be refreshed meanwhile
        return
    except OSError as error:
        found = f"rights of others that cannot be taken off ({error.strerror})"
        allowed = "a file or folder of the user who refreshes"
        raise ConfigurationError(str(path), found, allowed) from None
