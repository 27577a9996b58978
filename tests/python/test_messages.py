"""What DuckDB quotes of rows is in no message: its own errors, of values that are canaries."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from customer_tiering.messages import without_values

TABLE = "create table t (a integer primary key, b varchar not null)"
# SQL that fails, and the whole message that is told of it.
ERRORS = {
    "select cast('canary o''brien' as int)": "Conversion Error: Could not convert string … to INT32 …",
    "select cast(b as date) from (values ('canary''to')) as v(b)": "Conversion Error: invalid date field "
    "format … when casting from source column b …",
    "select cast('1931-07-99' as date)": "Conversion Error: date field value out of range …",
    "select cast('canary' as timestamp)": "Conversion Error: invalid timestamp field format …",
    "select cast(193107190000 as int)": "Conversion Error: value is out of range … for the destination type INT32 …",
    "select cast(193107.19 as decimal(4, 2))": "Conversion Error: Casting value … to type DECIMAL(4,2) failed … "
    "value is out of range …",
    "select cast('canary' as decimal(4, 2))": "Conversion Error: Could not convert string … to DECIMAL(4,2) …",
    "select strptime('canary', '%Y')": "Invalid Input Error: Could not parse string …",
    "insert into t values (19310719, 'canary'), (19310719, 'canary')": "Constraint Error: duplicate key …",
    "insert into t values (19310719, null)": "Constraint Error: NOT NULL constraint failed …",
    "select cast('{canary' as json)": "Conversion Error: Malformed JSON …",
    "select error('Canary Name')": "Invalid Input Error: …",
    "select cast(1931071900000000000 as hugeint) * cast(1931071900000000000000 as hugeint) * 19310719": "Out of Range "
    "Error: Overflow in multiplication of INT128 …",
    "from read_csv('{raw}/typed.csv', columns = {'a': 'int', 'b': 'date'}, header = true)": "Conversion Error: "
    "CSV Error on Line: 3 … Could not convert string … to 'DATE' … file = {raw}/typed.csv …",
    "from read_csv('{raw}/long.csv', columns = {'a': 'int', 'b': 'varchar'}, auto_detect = false)": "Invalid Input "
    "Error: CSV Error on Line: 2 … Expected Number of Columns: 2 Found: 3 … file = {raw}/long.csv …",
    "from read_csv('{raw}/quote.csv', columns = {'a': 'int', 'b': 'varchar', 'c': 'varchar'}, auto_detect = false)": "Invalid Input "
    "Error: CSV Error on Line: 2 … Value with unterminated quote found … file = {raw}/quote.csv …",
    "from read_csv('{raw}/quote.csv', all_varchar = true, header = true, delim = ',', quote = '\"', comment = '')": "Invalid "
    'Input Error: Error when sniffing file "{raw}/quote.csv" …',
    # of SQL alone, which stays, but for names of columns, which may be cells of a file without a header
    "select b from read_csv('{raw}/cells.csv', header = true)": 'Binder Error: Referenced column "b" not found in FROM '
    "clause!\nCandidate bindings: …",
    "selec 1": 'Parser Error: syntax error at or near "selec"',
}


@pytest.mark.parametrize("sql", ERRORS)
def test_kind_file_line_and_type_stay_and_the_value_goes(sql: str, tmp_path: Path) -> None:
    (tmp_path / "typed.csv").write_text("a,b\n1,1931-07-19\n2,canary day\n")
    (tmp_path / "long.csv").write_text("1,one\n2,canary,canary\n")
    (tmp_path / "quote.csv").write_text('1,one,a\n2,"canary,b\n3,more,c\n')
    (tmp_path / "cells.csv").write_text("1,canary\n2,more\n")
    here, expected = (text.replace("{raw}", str(tmp_path)) for text in (sql, ERRORS[sql]))
    with duckdb.connect() as connection:
        connection.execute(TABLE)
        with pytest.raises(duckdb.Error) as error:
            connection.execute(here).fetchall()
    said = without_values(f"Runtime Error in model x (models/x.sql)\n  {error.value}")
    begin, _, rest = said.partition("\n  ")
    assert begin == "Runtime Error in model x (models/x.sql)"
    assert rest.partition("\n\nLINE ")[0] == expected


def test_a_full_disk_is_told_when_a_transaction_ends() -> None:
    """DuckDB's own words, of a file system of three megabytes."""
    full = 'Failed to commit: Could not write file "/w/work.duckdb.wal": No space left on device'
    assert without_values(f"TransactionContext Error: {full}") == (
        'TransactionContext Error: Failed to commit … Could not write file "/w/work.duckdb.wal" … '
        "No space left on device …"
    )


def test_words_that_are_not_duckdbs_stay() -> None:
    for words in ("Got 2 results", "Compilation Error in operation x\n  no such table: a", ""):
        assert without_values(words) == words
