"""Raw values are read as readable_forms.csv says: by the database's functions, and by the oracle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest
from compiled_project import PROJECT, reading_functions
from oracle import reading
from oracle.reading import BadValueError, Setting
from oracle.rules import Rules
from readable_forms import FUNCTIONS, ZONE, forms, functions_of

ORACLE = {
    "timestamp": reading.read_stamp,
    "date": reading.read_date,
    "amount": reading.read_amount,
    "whole_number": reading.read_whole_number,
    "boolean": reading.read_boolean,
    "id": reading.read_text,
    "text": reading.read_text,
    "currency": reading.read_currency,
}


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(reading_functions())
        yield connection


def test_the_file_has_each_form_once() -> None:
    keys = [form[:3] for form in forms()]
    assert len(set(keys)) == len(keys) > 250


@pytest.mark.parametrize("reads", FUNCTIONS)
def test_the_database_reads_each_form_as_listed(
    database: duckdb.DuckDBPyConnection, reads: str
) -> None:
    wrong = []
    for form in (form for form in forms() if form.reads == reads):
        for function, text in functions_of(form):
            raw = f"select {text} as text from (select cast(? as varchar) as text) as raw"
            query = f"select cast({function} as varchar) from ({raw}) as form"
            (found,) = database.execute(query, [form.text]).fetchone()
            if (found or "") != form.value:
                wrong.append((form.text, text, form.value, found))
    assert wrong == []


@pytest.mark.parametrize("reads", ORACLE)
def test_the_oracle_reads_each_form_as_listed(reads: str) -> None:
    rules = Rules.from_seeds(PROJECT / "seeds", source_time_zone=ZONE, business_time_zone="UTC")
    setting = Setting(rules, date(2030, 1, 1))
    wrong = []
    for form in (form for form in forms() if form.reads == reads and not form.declared_form):
        text = reading.trim(form.text)
        try:
            found = written(ORACLE[reads](text, setting)) if text else ""
        except BadValueError:
            found = ""
        if found != form.value:
            wrong.append((form.text, form.value, found))
    assert wrong == []


def written(value: Any) -> str:
    """A value as the file writes it."""
    if isinstance(value, reading.Stamp):
        moment = datetime(1970, 1, 1) + timedelta(microseconds=value.instant)
        return re.sub(r"(\.[0-9]*[1-9])0+$", r"\1", str(moment))
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("kind", ["number", "date"])
def test_a_form_that_is_none_is_refused_by_name(
    database: duckdb.DuckDBPyConnection, kind: str
) -> None:
    function = {"number": "read_amount('1', 'comma')", "date": "read_date('1', 'yyyy')"}[kind]
    form = {"number": "comma", "date": "yyyy"}[kind]
    with pytest.raises(duckdb.Error, match=f"declared form of a {kind} is {form}; allowed are "):
        database.execute(f"select {function}")


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("12002::bigint", "12002"),
        ("12002.0::double", "12002"),
        ("-0.0::double", "0"),
        ("9007199254740991::double", "9007199254740991"),
        ("9007199254740993::double", None),  # the nearest double is that of ...992 too
        ("1e300::double", None),
        ("1.5::double", None),
        ("'nan'::double", None),
        ("'inf'::double", None),
        ("16777215::float", "16777215"),
        ("16777217::float", None),
        ("12002.00::decimal(18, 2)", "12002"),
        ("1.5::decimal(3, 1)", None),
        ("123456789012345678901234567890::decimal(38, 0)", "123456789012345678901234567890"),
        ("18446744073709551615::ubigint", "18446744073709551615"),
        ("170141183460469231731687303715884105727::hugeint", "170141183460469231731687303715884105727"),
        ("'00000000-0000-0000-0000-00000000000a'::uuid", "00000000-0000-0000-0000-00000000000a"),
        ("null::double", None),
    ],
)  # fmt: skip
def test_ids_of_columns_of_numbers_are_whole(
    database: duckdb.DuckDBPyConnection, raw: str, read: str | None
) -> None:
    query = f"select read_id(id), is_unreadable_id(id) from (select {raw} as id)"
    is_missing = raw in ("null::double", "'nan'::double")
    assert database.execute(query).fetchone() == (read, read is None and not is_missing)


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("timestamp '2025-12-06 10:00:00'", "2025-12-06 02:00:00"),
        ("timestamptz '2025-12-06 10:00:00-05'", "2025-12-06 15:00:00"),
        ("timestamp_s '2025-12-06 10:00:00'", "2025-12-06 02:00:00"),
        ("timestamp_ns '2025-12-06 10:00:00.123456'", "2025-12-06 02:00:00.123456"),
        ("date '2025-12-06'", "2025-12-05 16:00:00"),
        ("20251206", "2025-12-05 16:00:00"),
        ("1765017453", None),
        ("45997.5::double", None),
        ("true", None),
        ("[1]", None),
        ("null", None),
    ],
)
def test_times_of_columns_of_any_type(
    database: duckdb.DuckDBPyConnection, raw: str, read: str | None
) -> None:
    query = "select cast(read_timestamp(x, 'Asia/Shanghai') as varchar) from (select {} as x)"
    assert database.execute(query.format(raw)).fetchone() == (read,)


@pytest.mark.parametrize(
    ("function", "raw", "read"),
    [
        ("read_amount", "1.005::decimal(10, 3)", "1.01"),
        ("read_amount", "12::tinyint", "12.00"),
        ("read_amount", "'nan'::double", None),
        ("read_amount", "date '2025-01-01'", None),
        ("read_whole_number", "2.0::double", "2"),
        ("read_whole_number", "2.5::double", None),
        ("read_boolean", "1", "true"),
        ("read_boolean", "0.0::double", "false"),
        ("read_boolean", "true", "true"),
        ("read_boolean", "2", None),
        ("read_text", "12345.0::double", "12345"),
        ("read_text", "1.5::double", "1.5"),
        ("read_text", "1.1::float", "1.1"),
        ("read_text", "'nan'::double", None),
        ("read_text", "date '2025-01-01'", "2025-01-01"),
        ("read_date", "timestamp '2025-12-06 23:00:00'", "2025-12-06"),
        ("read_date", "20251206", "2025-12-06"),
    ],
)
def test_other_columns_of_any_type(
    database: duckdb.DuckDBPyConnection, function: str, raw: str, read: str | None
) -> None:
    query = f"select cast({function}(x) as varchar) from (select {raw} as x)"
    assert database.execute(query).fetchone() == (read,)


@pytest.mark.parametrize(
    ("zone", "text", "day"),
    [
        ("America/New_York", "2024-11-03 01:30", "2024-11-03"),  # twice that night
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04"),  # its midnight never was
        ("Asia/Dhaka", "2009-06-19 23:30", "2009-06-20"),  # nor was this: clocks went from 23 to 24
        ("UTC", "2024-12-31 23:59:59.999999", "2024-12-31"),
    ],
)
def test_business_dates_around_a_change_of_clocks(
    database: duckdb.DuckDBPyConnection, zone: str, text: str, day: str
) -> None:
    query = "select cast(business_date(read_timestamp(cast($1 as varchar), $2), $2) as varchar)"
    assert database.execute(query, [text, zone]).fetchone() == (day,)
