"""Raw values are read on PostgreSQL as readable_forms.csv says, and columns of its types as on DuckDB."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2
import pytest
from compiled_project import reading_functions
from postgres_server import PostgresServer
from psycopg2.extensions import cursor
from readable_forms import FUNCTIONS, forms, functions_of


@pytest.fixture(scope="module")
def database(server: PostgresServer) -> Iterator[cursor]:
    server.create_database("reading")
    with server.connect("reading").cursor() as opened:
        opened.execute("set timezone = 'UTC'")
        opened.execute(reading_functions("postgres"))
        yield opened


def value_of(database: cursor, query: str, *values: str) -> str | None:
    database.execute(query, values or None)
    row = database.fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("reads", FUNCTIONS)
def test_each_form_is_read_as_listed(database: cursor, reads: str) -> None:
    wrong = []
    for form in (form for form in forms() if form.reads == reads):
        for function, text in functions_of(form):
            raw = f"select {text} as text from (select cast(%s as text) as text) as raw"
            query = f"select cast({function} as text) from ({raw}) as form"
            found = value_of(database, query, form.text)
            if (found or "") != form.value:
                wrong.append((form.text, text, form.value, found))
    assert wrong == []


@pytest.mark.parametrize("kind", ["number", "date"])
def test_a_form_that_is_none_is_refused_by_name(database: cursor, kind: str) -> None:
    function = {"number": "read_amount('1', 'comma')", "date": "read_date('1', 'yyyy')"}[kind]
    form = {"number": "comma", "date": "yyyy"}[kind]
    with pytest.raises(psycopg2.Error, match=f"declared form of a {kind} is {form}; allowed are "):
        database.execute(f"select {function}")


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("12002::bigint", "12002"),
        ("12002::integer", "12002"),
        ("12002::smallint", "12002"),
        ("12002.0::double precision", "12002"),
        ("'-0.0'::double precision", "0"),
        ("9007199254740991::double precision", "9007199254740991"),
        ("9007199254740993::double precision", None),  # the nearest double is that of ...992 too
        ("1e300::double precision", None),
        ("1.5::double precision", None),
        ("'nan'::double precision", None),
        ("'infinity'::double precision", None),
        ("16777215::real", "16777215"),
        ("16777217::real", None),
        ("12002.00::numeric(18, 2)", "12002"),
        ("1.5::numeric(3, 1)", None),
        ("123456789012345678901234567890::numeric", "123456789012345678901234567890"),
        ("'00000000-0000-0000-0000-00000000000a'::uuid", "00000000-0000-0000-0000-00000000000a"),
        ("' c-7 '::varchar", "c-7"),
        ("'c-7'::char(5)", "c-7"),
        ("null::double precision", None),
    ],
)  # fmt: skip
def test_ids_of_columns_of_numbers_are_whole(database: cursor, raw: str, read: str | None) -> None:
    is_missing = raw in ("null::double precision", "'nan'::double precision")
    database.execute(f"select read_id(id), is_unreadable_id(id) from (select {raw} as id) as raw")
    assert database.fetchone() == (read, read is None and not is_missing)


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("timestamp '2025-12-06 10:00:00'", "2025-12-06 02:00:00"),
        ("timestamptz '2025-12-06 10:00:00-05'", "2025-12-06 15:00:00"),
        ("timestamp '2025-12-06 10:00:00.123456'", "2025-12-06 02:00:00.123456"),
        ("date '2025-12-06'", "2025-12-05 16:00:00"),
        ("20251206", "2025-12-05 16:00:00"),
        ("1765017453", None),
        ("45997.5::double precision", None),
        ("true", None),
        ("null::date", None),
    ],
)
def test_times_of_columns_of_any_type(database: cursor, raw: str, read: str | None) -> None:
    query = (
        f"select cast(read_timestamp(x, 'Asia/Shanghai') as text) from (select {raw} as x) as raw"
    )
    assert value_of(database, query) == read


@pytest.mark.parametrize(
    ("function", "raw", "read"),
    [
        ("read_amount", "1.005::numeric(10, 3)", "1.01"),
        ("read_amount", "-1.005::numeric(10, 3)", "-1.01"),
        ("read_amount", "1.005::double precision", "1.00"),  # 1.00499999999999989...
        ("read_amount", "12::smallint", "12.00"),
        ("read_amount", "'nan'::double precision", None),
        ("read_amount", "'nan'::numeric", None),
        ("read_amount", "'-infinity'::double precision", None),
        ("read_amount", "1e300::double precision", None),
        ("read_amount", "date '2025-01-01'", None),
        ("read_whole_number", "2.0::double precision", "2"),
        ("read_whole_number", "2.5::double precision", None),
        ("read_whole_number", "1e300::double precision", None),
        ("read_boolean", "1", "true"),
        ("read_boolean", "0.0::double precision", "false"),
        ("read_boolean", "true", "true"),
        ("read_boolean", "2", None),
        ("read_text", "12345.0::double precision", "12345"),
        ("read_text", "1.5::double precision", "1.5"),
        ("read_text", "1.1::real", "1.1"),
        ("read_text", "'nan'::double precision", None),
        ("read_text", "date '2025-01-01'", "2025-01-01"),
        ("read_date", "timestamp '2025-12-06 23:00:00'", "2025-12-06"),
        ("read_date", "20251206", "2025-12-06"),
    ],
)
def test_other_columns_of_any_type(
    database: cursor, function: str, raw: str, read: str | None
) -> None:
    query = f"select cast({function}(x) as text) from (select {raw} as x) as raw"
    assert value_of(database, query) == read


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
    database: cursor, zone: str, text: str, day: str
) -> None:
    query = "select cast(business_date(read_timestamp(cast(%s as text), %s), %s) as text)"
    assert value_of(database, query, text, zone, zone) == day
