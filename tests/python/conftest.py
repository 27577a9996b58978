"""What the tests share: compiled projects, the sample warehouse, the public data."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from compiled_project import PROJECT, CompiledProject, compile_project
from refreshed_sample import refreshed_sample

# What people are told is in English, wherever the tests run.
for name in ("LC_ALL", "LC_MESSAGES", "LANGUAGE"):
    os.environ.pop(name, None)
os.environ["LANG"] = "C.UTF-8"

# What takes minutes begins first, so that no worker is left with it at the end.
SLOWEST_FILES = (
    "test_refresh_faults.py",
    "test_landing.py",
    "test_landing_sequences.py",
    "test_privacy.py",
    "test_refresh_sequences.py",
    "test_incremental.py",
    "test_models_equal_oracle.py",
    "test_auditing.py",
    "test_exporting.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of SLOWEST_FILES in their order, then all others."""

    def place(item: pytest.Item) -> int:
        name = item.path.name
        return SLOWEST_FILES.index(name) if name in SLOWEST_FILES else len(SLOWEST_FILES)

    items.sort(key=place)


@pytest.fixture(scope="session")
def compiled() -> Callable[..., CompiledProject]:
    """The project compiled for some vars."""
    return cache(compile_project)


@pytest.fixture(scope="session")
def sample_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sample company's warehouse, refreshed by the command line, tests and all."""
    target = tmp_path_factory.mktemp("sample") / "warehouse"
    return shutil.copytree(refreshed_sample(), target, symlinks=True)


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of public data sets; TIERING_DATA says where it is."""
    folder = Path(os.environ.get("TIERING_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no public data sets in {folder}; set TIERING_DATA to their folder")
    return folder.resolve()
