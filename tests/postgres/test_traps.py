"""What engines compute in their own ways gives one value, written by hand, on DuckDB and on PostgreSQL.

Each row of EXPRESSIONS is SQL as models have it, with the macros of macros/engines in it; its value is compared as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import duckdb
import pytest
from compiled_project import reading_functions
from engine_macros import EngineMacros
from jinja2 import Environment
from postgres_server import PostgresServer

ICU = "locale_provider icu icu_locale 'en-US' locale 'C.UTF-8'"

EXPRESSIONS = {
    # 7 / 2 is 3 on PostgreSQL, 3.5 on DuckDB: whole numbers are divided by a macro alone
    "whole numbers are divided and rounded half up": ("{{ m.rounded_ratio('7', '2') }}", "4"),
    "a third is rounded down": ("{{ m.rounded_ratio('10', '3') }}", "3"),
    "a ratio of large numbers is exact": (
        "{{ m.rounded_ratio('10 * cast(9007199254740993 as ' ~ m.wide_integer_type() ~ ')', '10') }}",
        "9007199254740993",
    ),
    # 1 / 0 is infinite on DuckDB, an error on PostgreSQL
    "a ratio to nothing is unknown": ("{{ m.rounded_ratio('1', 'nullif(0, 0)') }}", None),
    # casting 2.5 gives 2 from a double on both, 3 from a decimal
    "a decimal is rounded half away from zero": (
        "{{ m.rounded('cast(2.5 as decimal(18, 4))', 0) }}",
        "3",
    ),
    "so is one below zero": ("{{ m.rounded('cast(-2.5 as decimal(18, 4))', 0) }}", "-3"),
    "a quantile is rounded to three decimals": (
        "cast({{ m.rounded('cast(2.0005 as double precision)', 3) }} as decimal(18, 4))",
        "2.0010",
    ),
    "cents are whole": ("{{ m.cents('12.34') }}", "1234"),
    "cents of large amounts are exact": ("{{ m.cents('9999999999999999.99') }}", "999999999999999999"),
    # the average of decimals is a double on DuckDB
    "a mean is a ratio of sums": (
        "(select {{ m.rounded_ratio('sum(cents)', 'count(*)') }} from (values (1), (2)) as v (cents))",
        "2",
    ),
    "quantiles are interpolated": (
        "(select cast({{ m.element('q', 1) }} as decimal(18, 4)) || ' ' || cast({{ m.element('q', 2) }} as decimal(18, 4)) "
        "from (select {{ m.quantiles('x', [0.2, 0.8]) }} as q from (values (1.00), (2.00), (4.50)) as v (x)) as w)",
        "1.4000 3.5000",
    ),
    "the median of the first three": (
        "(select cast({{ m.median_of_first('l', 3) }} as decimal(18, 2)) from "
        "(select {{ m.ordered_list('x', 'x desc') }} as l from (values (1), (5), (9), (4)) as v (x)) as w)",
        "5.00",
    ),
    # NULLs come last on both; on Spark they come first
    "the first in order is the least that is known": (
        "(select {{ m.first_in_order('x', 'x') }} from (values (cast(null as integer)), (2), (1)) as v (x))",
        "1",
    ),
    "thousands are marked": ("{{ m.in_thousands('1234567') }}", "1,234,567"),
    "small numbers are not": ("{{ m.in_thousands('-12') }}", "-12"),
    "six digits": ("{{ m.six_digits('42') }}", "000042"),
    "more than six digits": ("{{ m.six_digits('12345678') }}", "12345678"),
    "concat leaves out what is unknown": ("concat('a', null, 'b')", "ab"),
    "a digest is of bytes": (
        "{{ m.sha256(\"'茶'\") }}",
        "7e005ba311f86fa76eb028796ba28ad3e81f594c7c75fd6a7fbbdc89deb511d4",
    ),
    "days of a series": (
        "(select count(*) || ' ' || max(day) from ({{ m.date_series(\"date '2024-01-01'\", \"date '2024-06-30'\", '1 month') }}) as s)",
        "6 2024-06-01",
    ),
    "a range has no end": (
        "(select count(*) from (select {{ m.unnest_range('1', '4') }} as n) as r)",
        "3",
    ),
    "a day plus an interval is a day again": (
        "cast(date '2024-01-31' + interval '1 month' as date)",
        "2024-02-29",
    ),
    "month and day of a leap day": ("{{ m.month_day(\"date '2024-02-29'\") }}", "229"),
    # local times that a clock repeats or leaves out
    "a repeated hour is the later one": (
        "read_timestamp('2024-11-03 01:30', 'America/New_York')",
        "2024-11-03 06:30:00",
    ),
    "a skipped hour has the offset before": (
        "read_timestamp('2024-03-10 02:30', 'America/New_York')",
        "2024-03-10 07:30:00",
    ),
    "midnight that never was": (
        "business_date(read_timestamp('2018-11-04', 'America/Sao_Paulo'), 'America/Sao_Paulo')",
        "2018-11-04",
    ),
    # a recursion needs the same casts on both sides
    "a recursion ends": (
        "(with recursive steps as (select cast(1 as integer) as n union all "
        "select cast(n + 1 as integer) from steps where n < 5) select max(n) from steps)",
        "5",
    ),
    # İ has two small letters in Unicode's own rules, and Σ another one at the end of a word
    "small letters are those of every script": ("lower_case('ÄÉ ПРИВЕТ ΣΑΣ İI')", "äé привет σασ ii"),
    "a record keeps texts as they are": (
        "(select {{ m.json_of_columns(['a', 'b', 'c'], 'r.') }} from (select '茶 \"x\"\\' as a, "
        "cast(null as {{ m.string_type() }}) as b, 1.50 as c) as r)",
        '{"a":"茶 \\"x\\"\\\\","b":null,"c":"1.50"}',
    ),
    "a record gives a value back": (
        "{{ m.json_value(\"'{\\\"a\\\":\\\"1\\\"}'\", \"'$.a'\") }}",
        "1",
    ),
    "letters are letters alone": (
        "case when {{ m.is_letters(\"'CNY'\", 3) }} and not {{ m.is_letters(\"'CN1'\", 3) }} "
        "and not {{ m.is_letters(\"'CNYX'\", 3) }} then 'yes' end",
        "yes",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def engines(server: PostgresServer) -> Iterator[dict[str, Callable[[str], str | None]]]:
    """By engine, what gives the value of an expression as text."""
    server.create_database("traps", options=ICU)
    with closing(server.connect("traps")) as connection, duckdb.connect() as duck:
        cursor = connection.cursor()
        cursor.execute("set timezone = 'UTC'")
        cursor.execute(reading_functions("postgres"))
        duck.execute(reading_functions("duckdb"))
        duck.execute("set TimeZone = 'UTC'")

        def on_postgres(expression: str) -> str | None:
            cursor.execute(f"select cast({expression} as text)")
            return cursor.fetchone()[0]

        def on_duckdb(expression: str) -> str | None:
            return duck.execute(f"select cast({expression} as varchar)").fetchone()[0]

        yield {"duckdb": on_duckdb, "postgres": on_postgres}


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_has_its_value(engines, engine, name):
    expression, expected = EXPRESSIONS[name]
    rendered = Environment().from_string(expression).render(m=EngineMacros(engine))
    assert engines[engine](rendered) == expected
