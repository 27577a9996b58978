"""What takes long to make, and no test changes: made once for the files that it is made from.

It is kept in target/tests, where every test process and the next run find it. When one of those files has
changed it is made anew, and what was made from the old ones goes.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

from filelock import FileLock

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "target" / "tests"
# What dbt makes of the project depends on these; the versions of libraries are in the last one.
DBT_FILES = (
    *("dbt_project.yml", "profiles", "models", "macros", "seeds", "analyses"),
    *("tests/generic", "tests/singular", "tests/python/dbt_in_process.py", "requirements.txt"),
)
# What a refresh of the sample company depends on.
REFRESH_FILES = (
    *DBT_FILES,
    *("customer_tiering", "tests/expectations", "sample", "tests/python/refreshed_sample.py"),
)


def made_once(kind: str, name: str, sources: tuple[str, ...], make: Callable[[Path], None]) -> Path:
    """The folder that ``make`` filled; it is made if it is not there.

    ``sources`` are files and folders of the project, the same for all of a kind. Another process that
    makes the same is waited for.
    """
    current = FOLDER / kind / fingerprint(sources)
    folder = current / name
    current.mkdir(parents=True, exist_ok=True)
    with FileLock(FOLDER / kind / f"{name}.lock"):
        if not (current / f"{name}.made").exists():
            for old in (FOLDER / kind).iterdir():
                if old.is_dir() and old != current:
                    shutil.rmtree(old, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (current / f"{name}.made").touch()
    return folder


@cache
def fingerprint(sources: tuple[str, ...]) -> str:
    """What the names and contents of files of the project come to."""
    digest = hashlib.sha256()
    for source in sources:
        path = PROJECT / source
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(PROJECT)).encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]
