"""What a PostgreSQL database may be: any locale, in which texts of seeds are ordered as on DuckDB, but one encoding."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from made_once import PROJECT
from postgres_server import PostgresServer


def dbt(
    server: PostgresServer, database: str, folder: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(str(Path(sys.executable).parent / "dbt"), *words, "--select", "nobody_words"),
            *("--target", "postgres", "--target-path", str(folder), "--log-path", str(folder)),
        ],
        cwd=PROJECT,
        env={**os.environ, **server.environment(database)},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def test_texts_are_ordered_by_their_bytes(server: PostgresServer, tmp_path: Path) -> None:
    server.create_database("seeds", options="locale_provider icu icu_locale 'en-US'")
    assert dbt(server, "seeds", tmp_path, "seed").returncode == 0
    with (PROJECT / "seeds/nobody_words.csv").open(encoding="utf-8") as file:
        words = sorted(row["word"] for row in csv.DictReader(file))
    with closing(server.connect("seeds")) as connection:
        database = connection.cursor()
        # dbt takes the word null for none
        database.execute("select word from rules.nobody_words where word is not null order by word")
        assert [row[0] for row in database] == [word for word in words if word != "null"]


def test_a_database_of_another_encoding_is_refused(server: PostgresServer, tmp_path: Path) -> None:
    server.create_database("latin", options="encoding 'LATIN1' locale 'C'")
    refused = dbt(server, "latin", tmp_path, "build")
    assert refused.returncode != 0
    assert (
        "PostgreSQL database latin: found the encoding LATIN1; allowed is UTF8." in refused.stdout
    )
