"""What the tests on PostgreSQL share: one server of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import PostgresServer, postgres_server, programs


def pytest_sessionstart() -> None:
    """Without PostgreSQL nothing here can run: one sentence instead of an error a test."""
    try:
        programs()
    except RuntimeError as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """A server that runs as long as the tests do."""
    # not below pytest's own folder: the path of a socket may have 107 characters, and root's is closed to others
    folder = Path(tempfile.mkdtemp(prefix="tiering-postgres-"))
    try:
        with postgres_server(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)
