"""What the tests share: compiled projects, the sample warehouse, the public data."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from compiled_project import PROJECT, CompiledProject, compile_project

# What takes minutes begins first, so that no worker is left with it at the end.
SLOWEST_FILES = (
    "test_refresh_faults.py",
    "test_landing.py",
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
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., CompiledProject]:
    """The project compiled for some vars, once for each set of them."""
    projects: dict[tuple, CompiledProject] = {}

    def compile_for(**project_vars: object) -> CompiledProject:
        key = tuple(sorted(project_vars.items()))
        if key not in projects:
            projects[key] = compile_project(tmp_path_factory.mktemp("compiled"), **project_vars)
        return projects[key]

    return compile_for


@pytest.fixture(scope="session")
def sample_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse refreshed from the sample company by the command line, tests and all."""
    warehouse = tmp_path_factory.mktemp("sample_warehouse")
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "customer_tiering", "refresh"),
            *("--raw", str(PROJECT / "sample"), "--warehouse", str(warehouse)),
            *("--vars", "{run_date: 2026-01-31}"),
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return warehouse


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of public data sets; TIERING_DATA says where it is."""
    folder = Path(os.environ.get("TIERING_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no public data sets in {folder}; set TIERING_DATA to their folder")
    return folder.resolve()
