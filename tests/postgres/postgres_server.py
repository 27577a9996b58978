"""A PostgreSQL server of the tests' own: on a free port of this machine, with its own data folder, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import extensions

USER = "tiering"
# Root may not run the server; Debian's package makes this user.
UNPRIVILEGED = "postgres"
# What is lost when the machine fails is made again; jit costs more than it saves on many small queries.
SETTINGS = {"jit": "off", "fsync": "off", "full_page_writes": "off", "shared_buffers": "512MB"}


@dataclass(frozen=True)
class PostgresServer:
    """Where a server listens: a folder with its socket, and its port."""

    socket_folder: Path
    port: int

    def connect(self, database: str = "postgres") -> extensions.connection:
        """A connection that commits each statement."""
        opened = psycopg2.connect(
            host=str(self.socket_folder), port=self.port, user=USER, dbname=database
        )
        opened.autocommit = True
        return opened

    def execute(self, statement: str) -> None:
        """Run a statement that makes or removes a database."""
        with closing(self.connect()) as maintenance:
            maintenance.cursor().execute(statement)

    def create_database(self, name: str, template: str = "template0", options: str = "") -> None:
        """Make an empty database, with options such as a locale."""
        self.execute(f'create database "{name}" template {template} {options}')

    def create_guarded_role(self, role: str, password: str) -> None:
        """Make a role that must say a password, as USER need not."""
        self.execute(f"create role {role} login password '{password}'")
        rules = self.socket_folder / "data" / "pg_hba.conf"
        rules.write_text(f"local all {role} scram-sha-256\n{rules.read_text()}")
        self.execute("select pg_reload_conf()")
        with suppress(psycopg2.OperationalError):  # once the server has read them
            while True:
                psycopg2.connect(
                    host=str(self.socket_folder), port=self.port, user=role, dbname="postgres"
                ).close()

    def cpu_seconds(self) -> float:
        """CPU time of the server, its ended sessions included, from Linux's accounts."""
        server = (self.socket_folder / "data" / "postmaster.pid").read_text().split()[0]
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        ticks = 0
        for process in (server, *children):
            with suppress(FileNotFoundError):  # a session may end meanwhile
                after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(int(field) for field in after_name[11:15])
        return ticks / os.sysconf("SC_CLK_TCK")

    def environment(self, database: str) -> dict[str, str]:
        """The environment in which dbt and the command line find a database."""
        return {
            "TIERING_POSTGRES_HOST": str(self.socket_folder),
            "TIERING_POSTGRES_PORT": str(self.port),
            "TIERING_POSTGRES_USER": USER,
            "TIERING_POSTGRES_DATABASE": database,
            "DBT_ENV_SECRET_POSTGRES_PASSWORD": "",
        }


def programs() -> Path:
    """The folder of PostgreSQL's programs. Raises RuntimeError, saying how to install them."""
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("pg_ctl")
    for folder in [*candidates, *([Path(found).resolve().parent] if found else [])]:
        if (folder / "initdb").exists():
            return folder
    raise RuntimeError(
        "PostgreSQL's programs (initdb, pg_ctl) are not on this machine: "
        "install them, on Debian by `apt-get install postgresql`."
    )


@contextmanager
def postgres_server(folder: Path) -> Iterator[PostgresServer]:
    """Run a server with its data and its socket in a folder that is there and empty."""
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(programs() / program), *arguments],
            user=user, cwd=folder, check=True, capture_output=True, timeout=120,
        )  # fmt: skip

    data = folder / "data"
    run(
        "initdb", "--pgdata", str(data), "--username", USER, "--auth", "trust", "--encoding", "UTF8",
        "--locale", "C.UTF-8", "--no-sync",
    )  # fmt: skip
    port = _free_port()
    options = [f"-c port={port}", f"-c unix_socket_directories={folder}", "-c listen_addresses=''"]
    options += [f"-c {name}={value}" for name, value in SETTINGS.items()]
    run(
        "pg_ctl", "--pgdata", str(data), "--log", str(folder / "log"), "--wait",
        "--options", " ".join(options), "start",
    )  # fmt: skip
    try:
        yield PostgresServer(folder, port)
    finally:
        run("pg_ctl", "--pgdata", str(data), "--mode", "immediate", "stop")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
