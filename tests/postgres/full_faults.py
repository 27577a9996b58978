"""The project's refresh on PostgreSQL, killed all along its way, while somebody reads.

It takes minutes: `make test-engines-full`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from made_once import PROJECT
from postgres_server import PostgresServer
from refresh_in_process import refresh_in_process
from test_refresh_on_postgres import write_small

from customer_tiering.comparing import compare
from customer_tiering.errors import ExitCode
from customer_tiering.publishing import current_publication, file_of, verify
from customer_tiering.runs import Ledger

DATABASE = "faults"
RUN_DATE = {"run_date": "2026-01-31"}
KILLS = 10
# The refresh of the command line but for data tests and audit, which write nothing of what it publishes.
REFRESH = """
import sys
from cli_without_audit import pass_audit
from customer_tiering import cli, postgres_refresh, refreshing
postgres_refresh.BUILD += ("test",)
refreshing.audit = pass_audit
cli.app(["refresh", "--target", "postgres", *sys.argv[1:]])
"""
PATIENCE = 60  # seconds in which the sessions of a killed run end


class Shop:
    """Raw files that change, what DuckDB makes of each state of them, and a warehouse on PostgreSQL."""

    def __init__(self, server: PostgresServer, folder: Path) -> None:
        self.server = server
        self.raw, self.warehouse, self.on_duckdb = (
            folder / name for name in ("raw", "on_postgres", "on_duckdb")
        )
        write_small(self.raw)
        self.orders = 0
        self.seconds = 0.0  # that a refresh takes

    def change(self) -> None:
        """Another order becomes known; DuckDB publishes what comes of it."""
        file = self.raw / "orders.csv"
        header = file.read_text(encoding="utf-8").partition("\n")[0].split(",")
        self.orders += 1
        order = {
            "order_id": f"late-{self.orders}", "customer_id": "C0007", "ordered_at": "2025-03-05 10:00:00",
            "status": "completed", "order_amount": f"{1000 * self.orders}.00",
        }  # fmt: skip
        with file.open("a", encoding="utf-8") as opened:
            opened.write(",".join(order.get(column, "") for column in header) + "\n")
        refresh_in_process(self.raw, self.on_duckdb, RUN_DATE)

    def refresh(self) -> subprocess.Popen[str]:
        """Start a refresh in a process group of its own."""
        return subprocess.Popen(
            [
                *(sys.executable, "-c", REFRESH, "--raw", str(self.raw)),
                *("--warehouse", str(self.warehouse), "--vars", json.dumps(RUN_DATE)),
            ],
            cwd=PROJECT,
            env={
                **os.environ,
                **self.server.environment(DATABASE),
                "PYTHONPATH": str(PROJECT / "tests" / "python"),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def refreshed(self) -> float:
        """Refresh to the end, once the sessions of a killed run have ended; gives the seconds."""
        began = time.monotonic()
        while True:
            run = self.refresh()
            begun = time.monotonic()
            _, errors = run.communicate()
            if run.returncode != ExitCode.LOCKED or time.monotonic() - began > PATIENCE:
                break
        assert run.returncode == ExitCode.OK, errors
        return time.monotonic() - begun

    def killed_after(self, seconds: float) -> float | None:
        """Kill a refresh and dbt that long after it began; gives how long it took if it was faster."""
        run, began = self.refresh(), time.monotonic()
        try:
            run.wait(seconds)
            return time.monotonic() - began
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            return None
        finally:
            _, errors = run.communicate()
            assert run.returncode in (ExitCode.OK, -signal.SIGKILL), errors

    def shows(self, publication: Path) -> bool:
        """Whether readers of the database see what DuckDB published, in every table; the folder must be whole."""
        verify(current_publication(self.warehouse))
        with pytest.MonkeyPatch.context() as patched:
            for name, value in self.server.environment(DATABASE).items():
                patched.setenv(name, value)
            found = compare(f"postgres:{DATABASE}", str(publication))
        assert sum(table.left_rows for table in found) > 1000
        return all(table.is_equal for table in found)

    def sql(self, statement: str) -> list[tuple]:
        with closing(self.server.connect(DATABASE)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    @contextmanager
    def read(self) -> Iterator[set[str]]:
        """Read again and again meanwhile; gives the digests of all that was seen, or what went wrong."""
        seen: set[str] = set()
        stop = Event()

        def look() -> None:
            while not stop.wait(0.02):
                try:
                    seen.add(self.digest())
                except Exception as error:  # whatever a reader would have to see
                    seen.add(repr(error))

        reader = Thread(target=look)
        reader.start()
        try:
            yield seen
        finally:
            stop.set()
            reader.join()

    def digest(self) -> str:
        """What one statement reads of all customers, who changes with each order."""
        [(digest,)] = self.sql(
            "select md5(string_agg(cast(customers as text), ';' order by customer_id)) from marts.customers"
        )
        return digest


@pytest.fixture(scope="module")
def shop(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop whose first state is published on both engines."""
    server.create_database(DATABASE)
    made = Shop(server, tmp_path_factory.mktemp("faults"))
    made.change()
    made.seconds = made.refreshed()
    assert made.shows(made.on_duckdb)
    return made


def test_a_run_killed_at_any_moment_leaves_the_publication_and_is_repaired_by_the_next(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    before, old = file_of(current_publication(shop.on_duckdb)), shop.digest()
    shop.change()
    with shop.read() as seen:
        for number in range(KILLS):
            while took := shop.killed_after(shop.seconds * (number + 0.5) / KILLS):
                shop.seconds = took  # it ended: the machine has become faster
            is_shown = shop.shows(shop.on_duckdb)
            assert is_shown or shop.shows(before)
            with capsys.disabled():
                stage = Ledger(shop.warehouse).runs()[-1].stage
                print(f"\nkilled in stage {stage}: the {'new' if is_shown else 'old'} is shown")
        shop.refreshed()
        assert shop.shows(shop.on_duckdb)
    assert seen == {old, shop.digest()}
