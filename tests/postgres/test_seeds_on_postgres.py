"""Texts of seeds are ordered on PostgreSQL as on DuckDB, whatever the database's locale."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from made_once import PROJECT
from postgres_server import PostgresServer


def test_texts_are_ordered_by_their_bytes(server: PostgresServer, tmp_path: Path) -> None:
    server.create_database("seeds", options="locale_provider icu icu_locale 'en-US'")
    subprocess.run(
        [
            *(str(Path(sys.executable).parent / "dbt"), "seed", "--select", "nobody_words"),
            *("--target", "postgres", "--target-path", str(tmp_path), "--log-path", str(tmp_path)),
        ],
        cwd=PROJECT,
        env={**os.environ, **server.environment("seeds")},
        capture_output=True,
        check=True,
        timeout=120,
    )
    with (PROJECT / "seeds/nobody_words.csv").open(encoding="utf-8") as file:
        words = sorted(row["word"] for row in csv.DictReader(file))
    with closing(server.connect("seeds")) as connection:
        database = connection.cursor()
        # dbt takes the word null for none
        database.execute("select word from rules.nobody_words where word is not null order by word")
        assert [row[0] for row in database] == [word for word in words if word != "null"]
