"""Pseudonyms on PostgreSQL are those of DuckDB and of customer_tiering/pseudonyms.py, and there are none without a key.

Neither the key nor the password is written anywhere.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from cli_without_audit import pass_audit
from compiled_project import rendered_macro
from made_once import PROJECT
from postgres_server import USER, PostgresServer, programs
from refresh_in_process import refresh_in_process
from test_cli import run
from test_parity import differences
from test_refresh_on_postgres import Company, load, write_small

from customer_tiering import postgres, postgres_refresh, pseudonyms, refreshing
from customer_tiering.building import BUILD
from customer_tiering.errors import ExitCode
from customer_tiering.pseudonyms import pseudonym

KEY = "canary-key-0123456789"
IDS = ["c1", "canaryid77", "顾客 7", "C'1", "00"]


@pytest.fixture(scope="module", autouse=True)
def database(server: PostgresServer) -> None:
    server.create_database("pseudonyms")


def test_pseudonyms_are_equal_on_both_engines(server: PostgresServer) -> None:
    make = rendered_macro(
        "macros/engines/postgres/pseudonyms.sql", "postgres__function_of_pseudonyms('public')"
    )
    with closing(
        psycopg2.connect(
            host=str(server.socket_folder),
            port=server.port,
            user=USER,
            dbname="pseudonyms",
            options=f"-c tiering.pseudonym_key={KEY}",
        )
    ) as connection:
        database = connection.cursor()
        database.execute(f"create extension pgcrypto; {make}")
        database.execute(
            "select customer_pseudonym(id) from unnest(%s) as ids (id)", [[*IDS, None]]
        )
        assert [row[0] for row in database] == [*(pseudonym(one, KEY) for one in IDS), None]


@pytest.mark.parametrize(
    ("options", "found"),
    [("", "no key"), ("-c tiering.pseudonym_key=too-short", "a key of 9 characters")],
)
def test_without_a_long_key_one_sentence_stops_the_run(
    server: PostgresServer, tmp_path: Path, options: str, found: str
) -> None:
    asked = {"pseudonymise_ids": True, "raw_schema": "source"}
    run = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "dbt"), "run-operation", "land_raw_tables"),
            *("--target", "postgres", "--vars", json.dumps(asked)),
            *("--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path)),
        ],
        cwd=PROJECT,
        env={**os.environ, **server.environment("pseudonyms"), "PGOPTIONS": options},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode != 0
    assert (
        f"environment variable PGOPTIONS: found {found}; allowed is -c tiering.pseudonym_key=, "
        "with a secret of at least 16 characters, as pseudonymise_ids is true" in run.stdout
    )
    assert "too-short" not in run.stdout + (tmp_path / "dbt.log").read_text(encoding="utf-8")


def test_a_refresh_gives_the_pseudonyms_of_duckdb_and_writes_no_secret(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a role with a password and the rights that docs/engines.md names; without data tests and audit."""
    company = Company(server, "keyed", tmp_path / "on_postgres")
    secrets = {postgres.PASSWORD: "canary of a password", pseudonyms.KEY: KEY}
    server.create_guarded_role("keyed", secrets[postgres.PASSWORD])
    server.create_database("keyed", options="owner keyed")
    company.execute(
        "create schema shop; grant usage on schema shop to keyed;"
        "alter default privileges in schema shop grant select on tables to keyed"
    )
    raw = tmp_path / "raw"
    write_small(raw)
    load(company, raw)
    given = {**server.environment("keyed"), postgres.USER: "keyed", **secrets}
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(refreshing, "audit", pass_audit)
    monkeypatch.setattr(postgres_refresh, "BUILD", (*BUILD, "test"))

    asked = {"run_date": "2026-01-31", "pseudonymise_ids": True}
    code, output, errors = run(
        *("refresh", "--target", "postgres", "--warehouse", company.warehouse),
        *("--vars", json.dumps({**asked, "raw_schema": "shop"})),
    )
    assert code == ExitCode.OK, errors
    refresh_in_process(raw, tmp_path / "on_duckdb", asked)
    assert differences("postgres:keyed", tmp_path / "on_duckdb") == []

    dumped = dump(server, "keyed")
    assert pseudonym("C0008", KEY).encode() in dumped
    assert b"C0008" not in dumped
    written = [path.read_bytes() for path in company.warehouse.rglob("*") if path.is_file()]
    written += [(server.socket_folder / "log").read_bytes(), (output + errors).encode(), dumped]
    assert len(written) > 30
    for secret in secrets.values():
        assert not [content for content in written if secret.encode() in content]


def dump(server: PostgresServer, database: str) -> bytes:
    """All that a database holds beside the raw tables."""
    return subprocess.run(
        [
            *(programs() / "pg_dump", "--host", server.socket_folder, "--port", str(server.port)),
            *("--username", USER, "--create", "--exclude-schema", "shop", database),
        ],
        capture_output=True,
        check=True,
        timeout=120,
    ).stdout
