"""Pseudonyms on PostgreSQL are those of customer_tiering/pseudonyms.py, and there are none without a key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from compiled_project import rendered_macro
from made_once import PROJECT
from postgres_server import USER, PostgresServer

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
