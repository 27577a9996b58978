"""What a refresh does when it is killed, raced, starved, or given damaged files or nonsense.

All of it with real processes and real files. The small project of landing_project.py builds, with the real
landing, staging and quality; the real one only where its own marts matter.
"""

from __future__ import annotations

import csv
import errno
import fcntl
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from unittest import mock

import cli_without_audit
import duckdb
import landing_project as landing
import pytest
import yaml
from compiled_project import ANY_DATE, PROJECT, CompiledProject
from dbt_in_process import parse_for_others
from landing_in_process import Landings, landings
from refreshed_sample import SECRET
from test_cli import make_toy_project
from typer.testing import CliRunner

from customer_tiering import cli, refreshing
from customer_tiering.building import source_findings
from customer_tiering.errors import (
    ExitCode,
    LandingError,
    LockedError,
    RawDataError,
    SourceError,
)
from customer_tiering.locking import LOCK, is_locked, locked
from customer_tiering.publishing import (
    PUBLICATION,
    RESTRICTED,
    WORK,
    current_publication,
    open_publication,
    publications,
    verify,
)
from customer_tiering.runs import Ledger
from customer_tiering.sources import check_contents

RUN_DATE = {"run_date": "2026-01-31"}
# What differs from run to run, or tells of the runs themselves.
OF_THE_RUNS = {"marts/published_tier_changes.parquet", "quality/refresh_log.parquet"}
PATIENCE = 600  # seconds after which something that must happen counts as not happening


# -- Processes -------------------------------------------------------------------------------------


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "customer_tiering", *map(str, arguments)]


def refresh_command(
    raw: Path, warehouse: Path, project: Path = PROJECT, **project_vars: object
) -> list[str]:
    words = command(
        *("refresh", "--raw", raw, "--warehouse", warehouse, "--project", project),
        *("--vars", json.dumps({**RUN_DATE, **project_vars})),
    )
    if project == PROJECT:
        return words
    return [sys.executable, cli_without_audit.__file__, *words[3:]]


def run(
    arguments: list[str], limit: Callable[[], None] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        cwd=PROJECT,
        env={**os.environ, "COLUMNS": "200", "DBT_LOG_LEVEL_FILE": "none", **environment},
        preexec_fn=limit,
        capture_output=True,
        text=True,
    )


def run_here(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """What a command line comes to in this process, where nothing is killed or limited."""
    result = CliRunner().invoke(cli.app, arguments[3:])
    return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)


def start(arguments: list[str], **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        arguments,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def refresh(*arguments: object, **project_vars: object) -> subprocess.CompletedProcess[str]:
    return run(refresh_command(*arguments, **project_vars))


def refreshed(*arguments: object, **project_vars: object) -> Path:
    """The warehouse of a refresh that must go well."""
    finished = refresh(*arguments, **project_vars)
    assert finished.returncode == ExitCode.OK, finished.stdout + finished.stderr
    return Path(arguments[1])


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def processes_of(warehouse: Path) -> list[int]:
    """The dbt processes that build a warehouse."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes()
        except OSError:  # it has ended
            continue
        if b"dbt.cli.main" in words and os.fsencode(warehouse) + b"/" in words:
            found.append(int(entry.parent.name))
    return found


# -- Warehouses ------------------------------------------------------------------------------------


def copy_of(warehouse: Path, target: Path) -> Path:
    shutil.copytree(warehouse, target, symlinks=True)
    return target


def copies(warehouse: Path) -> dict[str, str]:
    """The checksums of the Parquet copies of marts and quality that readers see, by name."""
    folder = warehouse / "current" / "parquet"
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for schema in ("marts", "quality")
        for path in sorted((folder / schema).glob("*.parquet"))
        if (name := f"{schema}/{path.name}") not in OF_THE_RUNS
    }


def differing(warehouse: Path, other: Path) -> list[str]:
    """The names of the Parquet copies that two publications do not have in common."""
    ours, theirs = copies(warehouse), copies(other)
    assert ours
    return sorted(
        name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)
    )


def query(warehouse: Path, sql: str) -> list[tuple]:
    with open_publication(warehouse / PUBLICATION) as connection:
        return connection.execute(sql).fetchall()


def assert_stands(warehouse: Path, publication: Path) -> None:
    """Readers see this publication, whole and as it was published."""
    assert current_publication(warehouse) == publication
    verify(publication)
    assert query(warehouse, "select count(*) from quality.reconciliation")


def assert_failed(finished: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """It ended with a code and one sentence with these words, and no traceback."""
    errors = [line for line in finished.stderr.splitlines() if not line.startswith("Note: ")]
    assert finished.returncode == code, finished.stdout + finished.stderr
    assert len(errors) == 1, finished.stderr
    assert errors[0].startswith("Error: ")
    assert errors[0].endswith(".")
    for word in words:
        assert word in errors[0]


@pytest.fixture(scope="module")
def landing_project() -> Path:
    return landing.landing_project()


COMPANY = {
    "customers.csv": """
        customer_id,full_name,signed_up_at,marketing_consent
        1,"Ann ""A"" Li",2024-01-05,true
        2,"Bo, of two
        lines",2024-02-05,false
        3,# no comment,2024-03-05,
    """,
    "orders.csv": """
        order_id,customer_id,ordered_at,status,order_amount,discount_amount,channel
        10,1,2025-01-05,completed,100.00,5.00,app
        11,1,2025-01-20,completed,50.50,,store
        12,2,2025-02-01,completed,20.00,1.00,store
        13,2,2025-02-02,returned,30.00,,web
        14,3,2025-02-10,completed,40.00,,web
        15,3,2025-03-01,completed,60.25,0.25,app
        16,3,2025-03-02,no such status,1.00,,app
        17,1,2025-03-03,completed,x,,app
        18,1,2025-03-10,completed,10.00,,app
        18,1,2025-03-10,completed,10.00,,app
    """,
    "refunds.csv": """
        refund_id,order_id,refunded_at,refund_amount
        R1,10,2025-03-01,25.00
        R2,12,2025-03-05,20.00
        R3,99,2025-03-05,1.00
    """,
}


def write_company(folder: Path, **changed: str | bytes | None) -> Path:
    """Write COMPANY's files as a raw folder; tables may be changed, or left out by None."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in COMPANY.items():
        content = changed.get(name.removesuffix(".csv"), text)
        if content is not None:
            (folder / name).write_bytes(
                content if isinstance(content, bytes) else plain(content).encode()
            )
    return folder


def plain(text: str) -> str:
    """An indented text without its indentation."""
    return "".join(f"{line.strip()}\n" for line in text.strip().splitlines())


def company_with(table: str, old: str, new: str) -> dict[str, str]:
    text = COMPANY[f"{table}.csv"]
    assert old in text
    return {table: text.replace(old, new, 1)}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, landing_project: Path) -> Path:
    """The small company's raw folder `raw` and its warehouse `it's a warehouse`. Not to be changed."""
    folder = tmp_path_factory.mktemp("small")
    began = time.monotonic()
    refreshed(write_company(folder / "raw"), folder / "it's a warehouse", landing_project)
    (folder / "seconds").write_text(str(time.monotonic() - began))
    return folder


@pytest.fixture
def warehouse(small: Path, tmp_path: Path) -> Path:
    """A copy of the small company's warehouse."""
    return copy_of(small / "it's a warehouse", tmp_path / "it's a copy")


# -- Kills -----------------------------------------------------------------------------------------

# `tiering refresh` whose build lays down a finished work database, and a rollback: each says when it
# starts.
SHORT_REFRESH = """
import json, os, sys
from pathlib import Path
from customer_tiering import cli, publishing, refreshing
from customer_tiering.auditing import AuditSummary
from customer_tiering.building import Build
finished, keys, warehouse, *arguments = sys.argv[1:]
def build(*_):
    os.replace(finished, Path(warehouse) / "work.duckdb")
    (Path(warehouse) / "work.duckdb.wal").unlink(missing_ok=True)
    return Build(nodes=1, tests=0, **json.loads(Path(keys).read_text()))
def audit(work, previous, page, *_):
    page.write_text("audited")
    return AuditSummary(suites=0, expectations=0, notes=[])
refreshing.build, refreshing.audit = build, audit
def end(_signal=9): os.kill(os.getpid(), _signal)
pass  # what a test changes
print("ready", flush=True)
cli.app(arguments)
"""
ROLLBACK = """
import sys
from pathlib import Path
from customer_tiering.errors import SourceError
from customer_tiering.publishing import publications
from customer_tiering.refreshing import rollback
warehouse = Path(sys.argv[1])
target = publications(warehouse)[int(sys.argv[2])].name
print("ready", flush=True)
rollback(warehouse, target)
"""
# Opens the publication over and over, and holds its first one open; gives what it saw.
READER = """
import json, sys, time
from pathlib import Path
from customer_tiering.publishing import open_publication
publication, stop = map(Path, sys.argv[1:])
SQL = '''
    select
        (select sum(window_revenue) from marts.tier_summary),
        (select sum(management_score) from marts.customer_scores),
        (select count(*) from marts.customer_periods),
        (select sum(rows_in) from quality.reconciliation)
'''
def sums(connection):
    connection.execute("set enable_progress_bar = false")
    return [str(value) for value in connection.execute(SQL).fetchone()]
opened = open_publication(publication)
first, reads, seen = sums(opened), 0, []
print("ready", flush=True)
while not stop.exists():
    with open_publication(publication) as connection:
        found = sums(connection)
    if found not in seen:
        seen.append(found)
    assert sums(opened) == first
    reads += 1
    time.sleep(0.3)
print(json.dumps({"first": first, "reads": reads, "seen": seen}))
"""
# Of which stage, how many. A whole build is long, so most are of the short ones.
KILLS = {"build": 1, "refresh": 7, "rollback": 3}


@pytest.fixture(scope="module")
def other_finished(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished work database that adds up as the small company's does, to another sum."""
    work = tmp_path_factory.mktemp("finished") / WORK
    shutil.copy(small / "it's a warehouse" / WORK, work)
    with duckdb.connect(str(work)) as connection:
        connection.execute("update marts.tier_summary set window_revenue = 2 * window_revenue")
        connection.execute("update marts.customer_scores set management_score = 61.0")
        connection.execute("update builds.last_build set is_complete = false")  # no build made it
    return work


def keys_of(warehouse: Path, target: Path) -> Path:
    """A file with the keys by which a build of the warehouse has its Parquet copies ordered, and their parts."""
    code = (
        "import json, sys; from pathlib import Path; "
        "from customer_tiering.building import _keys, published_by; "
        'nodes = json.loads(Path(sys.argv[1]).read_text())["nodes"]; '
        'print(json.dumps({"keys": _keys(nodes), "published_by": published_by(nodes)}))'
    )
    manifest = str(warehouse / "target" / "manifest.json")
    target.write_text(run([sys.executable, "-c", code, manifest]).stdout)
    return target


def short_refresh(
    raw: Path, warehouse: Path, finished: Path, keys: Path, changed: str = ""
) -> list[str]:
    """SHORT_REFRESH's command line; `changed` is Python that is run before it starts."""
    code = SHORT_REFRESH.replace("pass  # what a test changes", changed)
    words = refresh_command(raw, warehouse, min_free_megabytes=0)[3:]  # of the real project
    # a copy that it may move, as the next refresh goes on from it
    built = shutil.copy(finished, warehouse.parent / "built.duckdb")
    return [sys.executable, "-c", code, *map(str, (built, keys, warehouse)), *words]


def kill_after(seconds: float, arguments: list[str], says_ready: bool) -> float | None:
    """Start a process and kill it that long after it began; gives how long it took if it was faster."""
    process = start(arguments)
    took = None
    try:
        if says_ready:
            assert process.stdout.readline() == "ready\n", process.stderr.read()
        began = time.monotonic()
        process.wait(timeout=seconds)
        took = time.monotonic() - began
    except subprocess.TimeoutExpired:
        process.kill()
    finally:
        _, errors = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), errors
    return took


def duration(arguments: list[str]) -> float:
    process = start(arguments)
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    began = time.monotonic()
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    return time.monotonic() - began


def test_a_run_killed_at_any_moment_leaves_the_publication_and_is_repaired_by_the_next(
    small: Path, landing_project: Path, other_finished: Path, warehouse: Path, tmp_path: Path
) -> None:
    chance = random.Random(20260131)
    undisturbed, raw = small / "it's a warehouse", small / "raw"
    keys = keys_of(undisturbed, tmp_path / "keys.json")
    code = {
        "refresh": lambda: short_refresh(
            raw, warehouse, chance.choice([undisturbed / WORK, other_finished]), keys
        ),
        # to the one before the newest or to the newest
        "rollback": lambda: [sys.executable, "-c", ROLLBACK, warehouse, chance.choice("12")],
        "build": lambda: refresh_command(raw, warehouse, landing_project),
    }
    arguments = {
        kind: lambda make=make: [str(word) for word in make()] for kind, make in code.items()
    }
    lengths = {"refresh": duration(arguments["refresh"]()), "build": 0.0}
    lengths["build"] = float((small / "seconds").read_text())
    duration(arguments["refresh"]())  # so that there are three to go back and forth between
    lengths["rollback"] = duration(arguments["rollback"]())

    stop = tmp_path / "stop"
    reader = start([sys.executable, "-c", READER, str(warehouse / PUBLICATION), str(stop)])
    assert reader.stdout.readline() == "ready\n", reader.stderr.read()
    moments = [kind for kind, number in KILLS.items() for _ in range(number)]
    chance.shuffle(moments)
    try:
        for kind in moments:
            while took := kill_after(
                chance.uniform(0, lengths[kind]), arguments[kind](), kind != "build"
            ):  # it ended before it could be killed: the machine has become faster
                lengths[kind] = min(lengths[kind], took)
            verify(current_publication(warehouse))
            wait_until(lambda: not is_locked(warehouse))
            assert processes_of(warehouse) == []
        # To end with a build that is surely killed, and surely with dbt at work.
        process = start(arguments["build"]())
        wait_until(lambda: processes_of(warehouse))
        process.kill()
        process.communicate()
        wait_until(lambda: not is_locked(warehouse))
        assert processes_of(warehouse) == []
        refreshed(raw, warehouse, landing_project)
    finally:
        stop.touch()
        output, errors = reader.communicate()
    assert reader.returncode == 0, errors

    assert differing(warehouse, undisturbed) == []
    saw = json.loads(output)
    known = [sums(undisturbed / "current" / PUBLICATION), sums(other_finished)]
    assert saw["reads"] > 0
    assert saw["first"] in known
    assert [found for found in saw["seen"] if found not in known] == []

    runs = Ledger(warehouse).runs()
    assert "running" not in {run.status for run in runs}
    interrupted = [run for run in runs if run.status == "interrupted"]
    assert interrupted[-1] == runs[-2]  # the build that was killed at last
    # Everything that is kept was seen, and the log of the last publication knows it all.
    published = {run.run_id for run in runs if run.status == "published"}
    assert {path.name for path in publications(warehouse)} <= published
    assert query(
        warehouse, "select count(*) from quality.refresh_log where status = 'interrupted'"
    ) == [(len(interrupted),)]


def sums(database: Path) -> list[str]:
    """What READER computes, from a database file."""
    sql = READER.split("'''")[1]
    with open_publication(database) as connection:
        return [str(value) for value in connection.execute(sql).fetchone()]


@pytest.fixture(scope="module")
def small_keys(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return keys_of(small / "it's a warehouse", tmp_path_factory.mktemp("keys") / "keys.json")


def test_a_publication_that_was_finished_but_never_seen_cannot_be_gone_back_to(
    small: Path, warehouse: Path, small_keys: Path
) -> None:
    seen = current_publication(warehouse)
    arguments = (small / "raw", warehouse, small / "it's a warehouse" / WORK, small_keys)
    killed = run(short_refresh(*arguments, changed="publishing.point_to = lambda *_: end()"))
    assert killed.returncode == -signal.SIGKILL
    assert len(publications(warehouse)) == 2
    assert_stands(warehouse, seen)

    assert run(short_refresh(*arguments)).returncode == 0
    newest = current_publication(warehouse)
    assert publications(warehouse) == [seen, newest]
    assert [run_.status for run_ in Ledger(warehouse).runs()] == [
        *("published", "interrupted", "published")
    ]
    finished = run(command("rollback", "--warehouse", warehouse))
    assert finished.returncode == 0, finished.stderr
    assert_stands(warehouse, seen)


def test_a_run_killed_right_after_its_publication_is_a_published_one(
    small: Path, warehouse: Path, small_keys: Path
) -> None:
    arguments = (small / "raw", warehouse, small / "it's a warehouse" / WORK, small_keys)
    killed = run(
        short_refresh(
            *arguments,
            changed="point = publishing.point_to; publishing.point_to = lambda *a: (point(*a), end())",
        )
    )
    assert killed.returncode == -signal.SIGKILL
    seen = current_publication(warehouse)
    assert run(short_refresh(*arguments)).returncode == 0
    run_ = Ledger(warehouse).runs()[1]
    assert (run_.run_id, run_.status, run_.publication) == (seen.name, "published", seen.name)
    assert seen in publications(warehouse)


def test_the_first_publication_is_seen_whole_or_not_at_all(
    small: Path, tmp_path: Path, small_keys: Path
) -> None:
    """However few of its links are made: the one that makes it the current one is the last."""
    arguments = (small / "raw", tmp_path / "w", small / "it's a warehouse" / WORK, small_keys)
    for done in (0, 1, 2):
        changed = (
            f"link, left = publishing._link, [None] * {done}; "
            "publishing._link = lambda *a: link(*a) if left and not left.pop() else end()"
        )
        assert run(short_refresh(*arguments, changed=changed)).returncode == -signal.SIGKILL
        assert current_publication(tmp_path / "w") is None
        finished = run_here(command("report", "--warehouse", tmp_path / "w"))
        assert_failed(finished, ExitCode.SOURCE, "customer_tiering.duckdb")
    assert run(short_refresh(*arguments)).returncode == 0
    assert_stands(tmp_path / "w", current_publication(tmp_path / "w"))


def test_a_run_that_is_told_to_stop_ends_its_build_and_says_so(
    small: Path, warehouse: Path, landing_project: Path
) -> None:
    publication = current_publication(warehouse)
    process = start(refresh_command(small / "raw", warehouse, landing_project))
    wait_until(lambda: processes_of(warehouse))
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert errors == "Error: the run was stopped by SIGTERM.\n"
    assert processes_of(warehouse) == []
    assert not is_locked(warehouse)
    run_ = Ledger(warehouse).runs()[-1]
    assert (run_.status, run_.stage, run_.exit_code) == ("interrupted", "build", 143)
    assert (run_.message, run_.publication) == ("the run was stopped by SIGTERM.", publication.name)
    assert_stands(warehouse, publication)


# -- Two at once -----------------------------------------------------------------------------------

# Holds a warehouse's lock with a child that outlives it.
HOLDER = """
import subprocess, sys
from pathlib import Path
from customer_tiering.locking import locked
quiet = subprocess.DEVNULL
with locked(Path(sys.argv[1])) as lock:
    child = subprocess.Popen(["sleep", "600"], pass_fds=lock, stdout=quiet, stderr=quiet)
    print(child.pid, flush=True)
    child.wait()
"""


def test_a_second_refresh_says_that_one_is_running_and_does_nothing(
    small: Path, warehouse: Path, small_keys: Path
) -> None:
    arguments = (small / "raw", warehouse, small / "it's a warehouse" / WORK, small_keys)
    # it builds until it is told, however slow the second is
    changed = "made = refreshing.build; refreshing.build = lambda *a: input() or made(*a)"
    first = start(short_refresh(*arguments, changed=changed), stdin=subprocess.PIPE)
    try:
        wait_until(lambda: Ledger(warehouse).runs()[-1].stage == "build")
        runs = Ledger(warehouse).runs()
        assert_failed(
            refresh(small / "raw", warehouse),
            ExitCode.LOCKED,
            f"Error: another refresh of {warehouse} is running (process {first.pid}); "
            "nothing was done.",
        )
        assert Ledger(warehouse).runs() == runs
    finally:
        _, errors = first.communicate("\n")
    assert first.returncode == 0, errors
    assert differing(warehouse, small / "it's a warehouse") == []


def test_an_orphaned_child_holds_the_lock(small: Path, warehouse: Path) -> None:
    holder = start([sys.executable, "-c", HOLDER, str(warehouse)])
    child = int(holder.stdout.readline())
    holder.kill()
    holder.communicate()
    try:
        finished = refresh(small / "raw", warehouse)
        assert_failed(finished, ExitCode.LOCKED, f"(process {holder.pid})", "nothing was done.")
    finally:
        os.kill(child, signal.SIGKILL)
    wait_until(lambda: not is_locked(warehouse))
    finished = run(command("rollback", "--warehouse", warehouse))
    assert_failed(finished, ExitCode.SOURCE, "found none before the publication of run")


def test_who_looks_whether_a_refresh_is_running_stops_none(tmp_path: Path) -> None:
    looks = True

    def look() -> None:
        while looks:
            is_locked(tmp_path)
            time.sleep(0.0005)

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        try:
            for _ in range(500):
                with locked(tmp_path):
                    pass
        finally:
            looks = False
        looking.result()


def test_the_lock_holds_when_its_file_is_removed(tmp_path: Path) -> None:
    with locked(tmp_path):
        (tmp_path / LOCK).unlink()
        assert is_locked(tmp_path)
        with (
            pytest.raises(LockedError, match=r"another refresh of .* is running"),
            locked(tmp_path),
        ):
            pass
    with locked(tmp_path):
        pass
    assert not is_locked(tmp_path)


def flock_of(
    refuse: Callable[[bool], int | None], meanwhile: Callable[[], object] = lambda: None
) -> Callable[[int, int], None]:
    """flock where something happens before it locks a file, and that refuses by whether it is of a folder."""
    flock = fcntl.flock

    def changed(descriptor: int, operation: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        if not is_folder:
            meanwhile()
        if number := refuse(is_folder):
            raise OSError(number, os.strerror(number))
        flock(descriptor, operation)

    return changed


def test_a_lock_whose_file_is_removed_before_it_is_taken_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where folders cannot be locked, so that it is the file that counts."""
    removals = [1, 2]

    def remove() -> None:
        if removals and removals.pop():
            (tmp_path / LOCK).unlink()

    no_folders = flock_of(lambda is_folder: errno.EBADF if is_folder else None, remove)
    monkeypatch.setattr("customer_tiering.locking.fcntl.flock", no_folders)
    with locked(tmp_path) as descriptors:
        assert not removals
        assert os.path.samestat(os.fstat(descriptors[0]), (tmp_path / LOCK).stat())
        assert (tmp_path / LOCK).read_text() == str(os.getpid())
        with pytest.raises(LockedError, match=rf"\(process {os.getpid()}\)"), locked(tmp_path):
            pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_share_without_locks_is_refused(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("customer_tiering.locking.fcntl.flock", flock_of(lambda _: number))
    assert_refused(tmp_path, os.strerror(number))


def test_a_folder_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "publications").mkdir()
    open_file = os.open

    def read_only(path: object, flags: int, *mode: int, **options: object) -> int:
        if flags & os.O_CREAT and tmp_path in Path(str(path)).parents:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return open_file(path, flags, *mode, **options)

    monkeypatch.setattr(os, "open", read_only)
    assert_refused(tmp_path, "Read-only file system")


def assert_refused(warehouse: Path, reason: str) -> None:
    """That a refresh of a warehouse says in one sentence that it cannot be locked, and does nothing."""
    arguments = ["refresh", "--raw", str(PROJECT / "sample"), "--warehouse", str(warehouse)]
    finished = CliRunner().invoke(cli.app, arguments)
    assert finished.exit_code == ExitCode.CONFIGURATION
    assert finished.stderr == (
        f"Error: command line, --warehouse: found {warehouse} ({reason}); allowed is a folder in which "
        "files can be made and locked.\n"
    )
    assert not (warehouse / "runs.sqlite").exists()


# -- A build that fails ----------------------------------------------------------------------------


def test_a_failing_test_publishes_nothing_and_no_secret_is_written_down(
    small: Path, warehouse: Path, tmp_path: Path
) -> None:
    """The profile names a database by a secret, which is there, and then gone."""
    (tmp_path / "toy").mkdir()
    project = make_toy_project(tmp_path / "toy")
    parse_for_others(project)
    secret = tmp_path / SECRET
    profile = project / "profiles" / "profiles.yml"
    settings = yaml.safe_load(profile.read_text(encoding="utf-8"))
    settings["customer_tiering"]["outputs"]["duckdb"]["attach"] = [
        {"path": "{{ env_var('DBT_ENV_SECRET_CANARY') }}", "alias": "shop", "read_only": True}
    ]
    profile.write_text(yaml.safe_dump(settings), encoding="utf-8")
    duckdb.connect(str(secret)).close()
    publication = current_publication(warehouse)

    def attempt(**project_vars: object) -> subprocess.CompletedProcess[str]:
        arguments = refresh_command(small / "raw", warehouse, project, **project_vars)
        logged = {"DBT_LOG_LEVEL_FILE": "debug"}
        finished = run(arguments, DBT_ENV_SECRET_CANARY=str(secret), **logged)
        assert SECRET not in finished.stdout + finished.stderr
        assert files_with(SECRET, warehouse) == []
        return finished

    assert_failed(
        attempt(score_profile="b2b"),
        ExitCode.BUILD,
        "Error: test profile_is_not_b2b failed: Got 1 result, configured to fail if != 0 "
        f"(the whole log: {warehouse / 'logs' / 'dbt.log'}).",
    )
    assert_stands(warehouse, publication)
    secret.unlink()
    assert_failed(attempt(), ExitCode.BUILD, "Error: dbt stopped: ")
    assert_stands(warehouse, publication)
    assert [run_.exit_code for run_ in Ledger(warehouse).runs()] == [0, 4, 4]


def files_with(text: str, folder: Path) -> list[str]:
    return [
        str(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and text.encode() in path.read_bytes()
    ]


def test_the_sample_builds_without_writing_down_its_environment(sample_warehouse: Path) -> None:
    assert files_with(SECRET, sample_warehouse) == []


# -- Bad configuration -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("project_vars", "word"),
    [
        ({"score_profile": "no such profile"}, "var score_profile"),
        ({"rfm_window_days": "365; drop table x"}, "var rfm_window_days"),
        ({"as_of_date": "2025-01-01' or true --"}, "var as_of_date"),
        ({"raw_schema": "main; drop schema marts"}, "var raw_schema"),
        ({"source_time_zone": "UTC'; drop schema marts; --"}, "var source_time_zone"),
        ({"source_max_shrink_percent": 101}, "var source_max_shrink_percent"),
        ({"no_such_var": 1}, "no_such_var"),
    ],
)
def test_a_bad_var_is_refused_and_the_publication_stands(
    small: Path, project_vars: dict[str, object], word: str
) -> None:
    warehouse = small / "it's a warehouse"
    runs = Ledger(warehouse).runs()
    publication = current_publication(warehouse)
    arguments = command(
        *("refresh", "--warehouse", warehouse, "--vars", json.dumps(project_vars)),
        *(() if "raw_schema" in project_vars else ("--raw", small / "raw")),
    )
    assert_failed(run_here(arguments), ExitCode.CONFIGURATION, word)
    assert Ledger(warehouse).runs() == runs
    assert_stands(warehouse, publication)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("refresh", "--raw", "x'); drop schema marts; --"), ExitCode.CONFIGURATION, "raw_path"),
        (("refresh", "--as-of", "2025-01-01' --"), ExitCode.CONFIGURATION, "as_of_date"),
        (("rollback", "--to", "x' or '1'='1"), ExitCode.SOURCE, "no publication of run"),
        (("rollback", "--to", "../publications"), ExitCode.SOURCE, "no publication of run"),
    ],
)
def test_sql_in_an_option_is_refused(
    small: Path, arguments: tuple[str, ...], code: int, word: str
) -> None:
    warehouse = small / "it's a warehouse"
    publication = current_publication(warehouse)
    assert_failed(run_here(command(*arguments, "--warehouse", warehouse)), code, word)
    assert_stands(warehouse, publication)


# -- Files -----------------------------------------------------------------------------------------


def change(folder: Path, table: str, old: str, new: str) -> None:
    path = folder / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def as_parquet(folder: Path, table: str, columns: str = "*") -> Path:
    """Turn a table's CSV file into a Parquet file with columns by SQL; gives its path."""
    path = folder / f"{table}.parquet"
    with duckdb.connect() as connection:
        connection.read_csv(str(folder / f"{table}.csv"), all_varchar=True).create("landed")
        connection.execute(f"copy (select {columns} from landed) to '{path}' (format parquet)")
    (folder / f"{table}.csv").unlink()
    return path


def flip(path: Path, position: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def list_checksums(folder: Path) -> None:
    (folder / "MANIFEST.sha256").write_text(
        "".join(
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
            for path in sorted(folder.glob("*.*"))
        )
    )


def damage_page(folder: Path) -> None:
    """Overwrite the middle of the compressed values of a Parquet file; its footer stays whole."""
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select i as order_id, '2025-01-05' as ordered_at, 'completed' as status, "
            "md5(i::varchar) as customer_id, 1 as order_amount from range(20000) as r(i)) "
            f"to '{folder / 'orders.parquet'}' (format parquet)"
        )
    (folder / "orders.csv").unlink()
    content = bytearray((folder / "orders.parquet").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = b"\xff" * 4000
    (folder / "orders.parquet").write_bytes(content)


def checked_then(damage: Callable[[Path], object]) -> Callable[[Path], object]:
    """Damage that comes after the checksums were taken."""
    return lambda folder: (list_checksums(folder), damage(folder))


# What is done to the small company's files, and what the sentence about it says.
DAMAGES: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "required column renamed": (
        lambda f: change(f, "orders", "status", "state"),
        ("orders.csv has no column status", "status is required"),
    ),
    "column twice": (
        lambda f: change(f, "orders", "channel", "Status"),
        ("orders.csv has one column twice: Status and status",),
    ),
    "too few cells": (
        lambda f: change(f, "orders", "50.50,,store", "50.50,"),
        ("orders.csv, line 3: found 6 cells, where the header has 7",),
    ),
    "too many cells": (
        lambda f: change(f, "customers", "2024-01-05,true", "2024-01-05,true,more"),
        ("customers.csv, line 2: found 5 cells, where the header has 4",),
    ),
    "quote not closed": (
        lambda f: change(f, "customers", '""A"" Li"', '""A"" Li'),
        ("customers.csv", "allowed is CSV in UTF-8"),
    ),
    "not UTF-8": (
        lambda f: (f / "customers.csv").write_bytes(b"customer_id,full_name\n1,Ren\xe9\n"),
        ("customers.csv: found bytes that are not UTF-8",),
    ),
    "no content": (lambda f: cut(f / "refunds.csv", 0), ("refunds.csv: found no content",)),
    "no file": (lambda f: (f / "orders.csv").unlink(), ("found no table orders",)),
    "cut Parquet": (
        lambda f: cut(as_parquet(f, "orders"), 500),
        ("orders.parquet: found content that cannot be read as Parquet",),
    ),
    "damaged Parquet": (
        damage_page,
        ("orders.parquet: found content that cannot be read as Parquet",),
    ),
    "cut CSV, listed": (
        checked_then(lambda f: cut(f / "orders.csv", 200)),
        ("orders.csv: found a file with the checksum", "lists on line 2"),
    ),
    "flipped bit, listed": (
        checked_then(lambda f: flip(f / "customers.csv", 60)),
        ("customers.csv: found a file with the checksum",),
    ),
    "flipped bit in Parquet, listed": (
        lambda f: (as_parquet(f, "refunds"), list_checksums(f), flip(f / "refunds.parquet", 40)),
        ("refunds.parquet: found a file with the checksum",),
    ),
    "missing, listed": (
        checked_then(lambda f: (f / "refunds.csv").unlink()),
        ("refunds.csv: found no such file",),
    ),
}


@pytest.fixture(scope="module")
def damaged(
    small: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Path, subprocess.CompletedProcess[str]]]:
    """The warehouse and the refresh of each damage; what is landed is landed by one dbt command."""
    from dbt_common.exceptions import CompilationError  # dbt takes seconds to import

    folder = tmp_path_factory.mktemp("damaged")
    ended = {}

    def steps(session: Landings) -> None:
        def build(_project: Path, _warehouse: Path, overrides: dict[str, object], *_: object):
            """Fail as a build does whose raw tables cannot be landed."""
            try:
                session.land(**overrides)
            except CompilationError as error:
                raise RawDataError(str(error).splitlines()[1].strip()) from None
            except Exception as error:
                raise LandingError(str(error)) from None
            raise AssertionError("it was landed")

        with mock.patch.object(refreshing, "build", build):
            for name, (damage, _) in DAMAGES.items():
                raw = write_company(folder / name / "raw")
                damage(raw)
                warehouse = copy_of(small / "it's a warehouse", folder / name / "warehouse")
                ended[name] = warehouse, run_here(refresh_command(raw, warehouse))

    (folder / "landed").mkdir()
    landings(folder / "landed", steps)
    return ended


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_named_and_the_publication_stands(
    name: str, damaged: Mapping[str, tuple[Path, subprocess.CompletedProcess[str]]], small: Path
) -> None:
    warehouse, finished = damaged[name]
    assert_failed(finished, ExitCode.SOURCE, *DAMAGES[name][1])
    # What is in a row may be personal data, and the ledger is published.
    last = Ledger(warehouse).runs()[-1]
    assert (last.status, last.exit_code) == ("failed", 3)
    assert f"Error: {last.message}\n" in finished.stderr
    for value in ("Li", "50.50", "2024-01-05", "Ren"):
        assert value not in last.message
    before = current_publication(small / "it's a warehouse")
    assert_stands(warehouse, warehouse / "publications" / before.name)


def test_rows_in_are_staged_duplicate_or_rejected(small: Path) -> None:
    """By hand, over COMPANY: two orders cannot be taken, one is there twice, R3 has no order."""
    warehouse = small / "it's a warehouse"
    rows = dict.fromkeys(["customers", "orders", "refunds"])
    for table, *counts in query(
        warehouse,
        "select source_table, rows_in, rows_staged, rows_duplicate, rows_rejected "
        "from quality.reconciliation where rows_in > 0",
    ):
        rows[table] = tuple(counts)
    assert rows == {"customers": (3, 3, 0, 0), "orders": (10, 7, 1, 2), "refunds": (3, 2, 0, 1)}
    rejected = query(
        warehouse,
        "select source_table, source_key, column_name from quality.rejected_records "
        "where action = 'rejected' order by 1, 2",
    )
    assert rejected == [
        ("orders", "16", "status"),
        ("orders", "17", "order_amount"),
        ("refunds", "R3", "order_id"),
    ]
    with duckdb.connect(str(warehouse / WORK), read_only=True) as connection:
        names = connection.execute("select full_name from raw.customers order by 1").fetchall()
    assert names == [("# no comment",), ('Ann "A" Li',), ("Bo, of two\nlines",)]


def test_no_row_is_lost_to_flipped_bits(
    tmp_path: Path, compiled: Callable[..., CompiledProject]
) -> None:
    """Files with a flipped bit that are still CSV: every row is staged, a duplicate or rejected."""
    chance = random.Random(7)
    raw = write_company(tmp_path / "raw")
    lines = (raw / "orders.csv").read_bytes().splitlines(keepends=True)
    (raw / "orders.csv").unlink()
    (raw / "orders").mkdir()
    expected = 0
    for number in range(40):
        content = bytearray(b"".join(lines))
        content[chance.randrange(len(lines[0]), len(content))] ^= 1 << chance.randrange(8)
        path = raw / "orders" / f"{number}.csv"
        path.write_bytes(content)
        try:
            check_contents(raw, {"orders": True})
        except SourceError:
            path.unlink()
            continue
        with path.open(encoding="utf-8", newline="") as file:
            expected += len([row for row in csv.reader(file) if row]) - 1
    assert len(list((raw / "orders").iterdir())) > 20
    models = compiled(**RUN_DATE).only("reconciliation", "rejected_records")
    with models.build_landed(landed(raw, tmp_path / "w")) as connection:
        ((rows, staged, duplicate, rejected),) = connection.execute(
            "select rows_in, rows_staged, rows_duplicate, rows_rejected "
            "from quality.reconciliation where source_table = 'orders'"
        ).fetchall()
        assert rows == expected == staged + duplicate + rejected
        assert rejected > 0
        assert connection.execute(
            "select count(*) from quality.rejected_records "
            "where source_table = 'orders' and action = 'rejected'"
        ).fetchone() == (rejected,)


def landed(raw: Path, folder: Path) -> Path:
    """The database into which a raw folder is landed."""
    folder.mkdir()
    landings(folder, lambda session: session.land(raw_path=str(raw)))
    return folder / WORK


def test_reordered_extra_renamed_and_retyped_columns(
    small: Path, tmp_path: Path, compiled: Callable[..., CompiledProject]
) -> None:
    raw = write_company(tmp_path / "raw")
    with (raw / "orders.csv").open(encoding="utf-8", newline="") as file:
        orders = list(csv.DictReader(file))
    with (raw / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        names = ["channel", "rebate", "status", "order_amount", "unknown", "order_id"]
        writer = csv.writer(file)
        writer.writerow([*names, "Ordered_At", "customer_id"])
        for row in orders:
            row |= {"rebate": row["discount_amount"], "unknown": "1"}
            writer.writerow([row[name] for name in [*names, "ordered_at", "customer_id"]])
    as_parquet(
        raw,
        "customers",
        "marketing_consent::boolean as marketing_consent, customer_id::bigint as customer_id, "
        "signed_up_at::date as signed_up_at, full_name",
    )
    as_parquet(
        raw,
        "refunds",
        "refund_id, order_id::integer as order_id, refunded_at::timestamp as refunded_at, "
        "refund_amount::double as refund_amount",
    )
    tables = ("stg_crm__customers", "stg_shop__refunds", "stg_shop__orders")
    models = compiled(**RUN_DATE).only(*tables, "reconciliation", "source_coverage")
    plain_work = str(small / "it's a warehouse" / WORK)
    coverage = (
        "select column_name, row_count, rows_filled, is_landed from quality.source_coverage "
        "where source_table = 'orders' and column_name in ('discount_amount', 'channel') order by 1"
    )
    counts = (
        "select source_table, rows_in, rows_staged, rows_rejected from quality.reconciliation "
        "order by 1"
    )
    with (
        models.build_landed(landed(raw, tmp_path / "w")) as changed,
        duckdb.connect(plain_work, read_only=True) as before,
    ):

        def staged(connection: duckdb.DuckDBPyConnection, table: str, columns: str) -> list[tuple]:
            return connection.execute(
                f"select {columns} from staging.{table} order by all"
            ).fetchall()

        for table in tables[:2]:
            assert staged(changed, table, "*") == staged(before, table, "*")
        columns = "* replace (cast(null as decimal(18, 2)) as discount_amount)"
        assert staged(before, "stg_shop__orders", "discount_amount")[0] == (Decimal("0.25"),)
        assert staged(changed, "stg_shop__orders", "*") == staged(
            before, "stg_shop__orders", columns
        )
        assert changed.execute(counts).fetchall() == before.execute(counts).fetchall()
        assert changed.execute(coverage).fetchall() == [
            ("channel", 10, 10, True),
            ("discount_amount", 10, 0, False),
        ]
        assert before.execute(coverage).fetchall()[1] == ("discount_amount", 10, 3, True)


# -- What arrives late, twice, or changed ----------------------------------------------------------

HEADER = "order_id,customer_id,ordered_at,status,order_amount,updated_at"
JANUARY = f"""
    {HEADER}
    1,a,2025-01-10,completed,100.00,2025-01-10
    2,a,2025-01-11,completed,50.00,2025-01-11
    4,b,2025-01-12,completed,30.00,2025-01-12
"""
MARCH = f"""
    {HEADER}
    2,a,2025-01-11,completed,70.00,2025-01-13
    5,a,2025-03-15,completed,10.00,2025-03-15
    6,b,2025-02-03,completed,8.00,2025-03-15
"""
LAW_OF_MONEY = (
    "select customer_id, monetary from marts.customer_periods where period_end = $1 order by 1"
)


def load(folder: Path, refunds: str = "", **files: str) -> Path:
    (folder / "orders").mkdir(parents=True)
    (folder / "customers.csv").write_text("customer_id\na\nb\n")
    for name, text in files.items():
        (folder / "orders" / f"{name}.csv").write_text(plain(text))
    if refunds:
        (folder / "refunds.csv").write_text(plain(refunds))
    return folder


def marts_of(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple]]:
    names = connection.execute(
        "select table_schema || '.' || table_name from information_schema.tables "
        "where table_schema = 'marts' order by 1"
    ).fetchall()
    return {
        name: sorted(connection.execute(f"from {name}").fetchall(), key=repr) for (name,) in names
    }


@pytest.fixture(scope="module")
def project(compiled):
    return compiled(as_of_date=ANY_DATE)


def test_conflicting_late_and_replayed_orders(project, tmp_path: Path) -> None:
    """Order 2 is corrected from 50 to 70, order 6 arrives 40 days late, a file comes twice."""
    once = load(tmp_path / "once", january=JANUARY, march=MARCH)
    again = load(tmp_path / "again", march=MARCH, zz_january=JANUARY, march_again=MARCH)
    with project.build(once, as_of_date="2025-03-31") as connection:
        expected = marts_of(connection)
        money = connection.execute(LAW_OF_MONEY, [date(2025, 2, 28)]).fetchall()
        newest = connection.execute(LAW_OF_MONEY, [date(2025, 3, 31)]).fetchall()
        ((rows, staged, duplicate),) = connection.execute(
            "select rows_in, rows_staged, rows_duplicate from quality.reconciliation "
            "where source_table = 'orders'"
        ).fetchall()
    assert money == [("a", Decimal("170.00")), ("b", Decimal("38.00"))]
    assert newest == [("a", Decimal("180.00")), ("b", Decimal("38.00"))]
    assert (rows, staged, duplicate) == (6, 5, 1)
    with project.build(again, as_of_date="2025-03-31") as connection:
        assert marts_of(connection) == expected
        assert connection.execute(
            "select rows_in, rows_staged, rows_duplicate from quality.reconciliation "
            "where source_table = 'orders'"
        ).fetchall() == [(9, 5, 4)]


def test_a_refund_after_its_period_closed_changes_later_periods_only(
    project, tmp_path: Path
) -> None:
    refunds = """
        refund_id,order_id,refunded_at,refund_amount
        R1,1,2025-03-02,25.00
    """
    kept = load(tmp_path / "kept", january=JANUARY, march=MARCH)
    refunded = load(tmp_path / "refunded", refunds, january=JANUARY, march=MARCH)
    with project.build(kept, as_of_date="2025-02-28") as connection:
        before = marts_of(connection)["marts.customer_periods"]
    with project.build(refunded, as_of_date="2025-02-28") as connection:
        assert marts_of(connection)["marts.customer_periods"] == before
    with project.build(refunded, as_of_date="2025-03-31") as connection:
        for day, amount in ((date(2025, 2, 28), "170.00"), (date(2025, 3, 31), "155.00")):
            assert connection.execute(LAW_OF_MONEY, [day]).fetchall() == [
                ("a", Decimal(amount)),
                ("b", Decimal("38.00")),
            ]


# -- Starved of disk or memory ---------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path | None]:
    """A file system of its own of some megabytes; None where none can be mounted, as by root alone."""
    folder.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(options, capture_output=True).returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_build_that_lacks_memory_or_disk_is_told_and_repaired(
    small: Path, landing_project: Path, tmp_path: Path
) -> None:
    """What repairs it runs in another time zone than the one that is compared with."""
    with small_disk(tmp_path / "disk", 100) as disk:
        warehouse = copy_of(small / "it's a warehouse", (disk or tmp_path) / "warehouse")
        publication = current_publication(warehouse)
        # More than there is room for lands at once: random texts, which cannot be packed.
        many, chance = write_company(tmp_path / "many"), random.Random(1)
        with (many / "orders.csv").open("a") as file:
            file.writelines(
                f"{chance.randbytes(150).hex()},1,2025-03-11,completed,1.00,,app\n"
                for _ in range(50_000)
            )
        arguments = (many, warehouse, landing_project)
        finished = run(
            refresh_command(*arguments, min_free_megabytes=0), TIERING_MEMORY_LIMIT="12MB"
        )
        assert_failed(finished, ExitCode.BUILD, "Out of Memory")
        assert_stands(warehouse, publication)
        if disk:
            assert_failed(
                refresh(*arguments, min_free_megabytes=200),
                ExitCode.BUILD,
                f"{warehouse}: found ",
                "MB of free disk; allowed is at least 200 MB (var min_free_megabytes)",
            )
            free = shutil.disk_usage(disk).free
            (disk / "filler").write_bytes(b"x" * (free - 4_000_000))
            finished = refresh(*arguments, min_free_megabytes=0)
            assert_failed(finished, ExitCode.BUILD)
            assert re.search("[Nn]o space left|[Cc]ould not write|full", finished.stderr)
            assert_stands(warehouse, publication)
            (disk / "filler").unlink()
        repairing = refresh_command(small / "raw", warehouse, landing_project, min_free_megabytes=0)
        finished = run(repairing, TZ="Asia/Shanghai")
        assert finished.returncode == 0, finished.stderr
        assert differing(warehouse, small / "it's a warehouse") == []
        assert not list(warehouse.rglob("*.partial"))
        if disk:
            assert {path.name for path in disk.iterdir()} == {"warehouse"}


def small_files() -> None:
    """Let no file grow beyond two megabytes, as a full disk would not."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))


def test_a_publication_that_cannot_be_written_leaves_the_last_one(
    sample_warehouse: Path, small: Path, small_keys: Path, warehouse: Path
) -> None:
    publication = current_publication(warehouse)
    arguments = (small / "raw", warehouse, sample_warehouse / WORK, small_keys)
    finished = run(short_refresh(*arguments), limit=small_files)
    assert_failed(
        finished, ExitCode.BUILD, f"the publication of {warehouse}/customer_tiering.duckdb failed"
    )
    assert_stands(warehouse, publication)
    assert run(short_refresh(*arguments)).returncode == 0
    assert not list(warehouse.rglob("*.partial"))


# -- Stale, shrunken and unusable sources ----------------------------------------------------------


def test_a_status_renamed_since_the_last_publication_stops_a_run_in_words(
    landing_project: Path, warehouse: Path, tmp_path: Path
) -> None:
    """All of the twenty orders that came are rejected; of all thirty 22 are, which was said to be right."""
    publication = current_publication(warehouse)
    raw = write_company(tmp_path / "raw")
    with (raw / "orders.csv").open("a") as file:
        file.writelines(f"n{n},1,2025-03-11,Posted,1.00,,app\n" for n in range(20))
    finished = refresh(raw, warehouse, landing_project, source_limits={"orders": {"rejected": 80}})
    assert finished.returncode == ExitCode.SOURCE, finished.stderr
    since = "- orders: 20 of 20 rows since the last publication rejected; in all, "
    message = "\n".join(
        [
            "the raw tables are beyond their limits, and nothing was built from them:",
            f"{since}21: status is none of the known words: Posted (20), no such status (1). Add them to "
            "seeds/order_statuses.csv.",
            f"{since}1: order_amount cannot be read: a (1). Write it like 1234.50, or declare its form "
            "(docs/reading.md).",
            "Where that is right, raise the limit of the table (var source_limits); some of its rows must be taken.",
        ]
    )
    assert finished.stderr == f"Error: {message}\n"
    assert Ledger(warehouse).runs()[-1].message == message
    assert_stands(warehouse, publication)
    assert source_findings(warehouse) == [
        line.removeprefix("- ") for line in message.splitlines()[1:-1]
    ]


def test_a_stale_source_stops_a_run_before_it_builds(
    landing_project: Path, warehouse: Path, tmp_path: Path
) -> None:
    publication = current_publication(warehouse)
    raw = write_company(tmp_path / "raw", refunds=None)
    lines = (raw / "orders.csv").read_text().splitlines(keepends=True)
    (raw / "orders.csv").write_text("".join([lines[0], *lines[3:]]))
    dates = {"run_date": "2025-03-20", "source_max_age_days": {"orders": 9}}
    assert_failed(
        refresh(raw, warehouse, landing_project, **dates),
        ExitCode.SOURCE,
        "raw table orders: found a newest ordered_at of 2025-03-10, 10 days before the run's date; "
        "allowed is at most 9 days (var source_max_age_days).",
    )
    assert_stands(warehouse, publication)
    with duckdb.connect(str(warehouse / WORK), read_only=True) as connection:
        landed, built = (
            connection.execute(query).fetchone()[0]
            for query in (
                "select count(*) from raw.orders",
                "select rows_in from quality.reconciliation where source_table = 'orders'",
            )
        )
    assert (landed, built) == (8, 10)


# -- The same bytes --------------------------------------------------------------------------------


def test_same_bytes_in_any_time_zone_from_rows_in_any_order(
    sample_warehouse: Path, tmp_path: Path
) -> None:
    """The sample was published in New York; here in Shanghai, the rows of each table in another order."""
    work, warehouse = shutil.copy(sample_warehouse / WORK, tmp_path), tmp_path / "warehouse"
    with duckdb.connect(str(work)) as connection:
        for (table,) in connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where schema_name in ('marts', 'quality')"
        ).fetchall():
            connection.execute(
                f"create or replace table {table} as from {table} order by hash(rowid)"
            )
    keys = keys_of(sample_warehouse, tmp_path / "keys.json")
    finished = run(short_refresh(PROJECT / "sample", warehouse, work, keys), TZ="Asia/Shanghai")
    assert finished.returncode == 0, finished.stderr
    assert differing(warehouse, sample_warehouse) == []
    # Models see no zone but that of the session.
    profile = yaml.safe_load((PROJECT / "profiles" / "profiles.yml").read_text(encoding="utf-8"))
    assert profile["customer_tiering"]["outputs"]["duckdb"]["settings"]["TimeZone"] == "UTC"


# -- Older clients ---------------------------------------------------------------------------------

READ_ALL = """
import json, sys
import duckdb
rows = {}
for path in sys.argv[1:]:
    connection = duckdb.connect(path, read_only=True)
    connection.execute("set enable_progress_bar = false")  # it would be drawn among the words
    for schema, table in connection.execute(
        "select schema_name, table_name from duckdb_tables()"
    ).fetchall():
        found = connection.execute(f'select * from "{schema}"."{table}"').fetchall()
        rows[f"{schema}.{table}"] = len(found)
print(json.dumps({"version": duckdb.__version__, "rows": rows}))
"""


def test_a_duckdb_1_4_client_reads_every_table(sample_warehouse: Path, tmp_path: Path) -> None:
    installed = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet"),
            *("--python", sys.executable, "--target", str(tmp_path / "packages")),
            "duckdb==1.4.*",
        ],
        cwd=tmp_path,  # where no project's settings override which version is meant
        capture_output=True,
        text=True,
    )
    if installed.returncode != 0:
        pytest.skip(f"duckdb 1.4 cannot be installed here: {installed.stderr.strip()[-300:]}")
    paths = [str(sample_warehouse / name) for name in (PUBLICATION, RESTRICTED)]
    client = [sys.executable, "-c", READ_ALL, *paths]
    finished = run(client, PYTHONPATH=str(tmp_path / "packages"))
    assert finished.returncode == 0, finished.stderr
    read = json.loads(finished.stdout)
    assert read["version"].startswith("1.4.")
    assert read["rows"] == json.loads(run(client).stdout)["rows"]
    assert read["rows"]["marts.customers"] > 1000
    assert read["rows"]["restricted.customer_contacts"] > 1000
