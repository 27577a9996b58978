"""What the files of an export hold, where they are not tables of the raw contract: how each is written, what its columns look like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from customer_tiering.onboarding.profiling import FEW_WORDS, SHOWN
from customer_tiering.onboarding.recognising import shipped_source
from customer_tiering.onboarding.sniffing import ROWS, Sniffed, query_of_files, sniff_folder
from customer_tiering.onboarding.value_forms import AMOUNT_FORMS, DATE_FORMS
from customer_tiering.quoting import literal
from customer_tiering.reading import connect
from customer_tiering.sources import other_files

FEW_VALUES = 10  # that may all differ by chance
MOST = 0.9  # of the values, that make a column look like something
EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
PHONE = r"\+\d[\d ()/.-]{6,18}|1[3-9]\d{9}|0\d[\d ()/.-]{7,14}"
NUMBER = r"regexp_matches(x, '\d[., '']\d|\p{Sc}')"  # K7 is none, though a currency may stand there
# By the names of columns: in which of them words say nothing of a person, and which may be numbers that are dates.
WORDS = "status|state|type|kind|channel|currency|method|category|stage|währung|状态|渠道|类型|币种"
DATES = "date|time|created|updated|_at$|datum|zeit|日期|时间"


@dataclass(frozen=True)
class ExportColumn:
    """A column by the first rows of its file: shares of rows, and what its values look like."""

    name: str
    filled: float
    distinct: int
    looks_like: str
    is_personal: bool


@dataclass(frozen=True)
class ExportFile:
    """A file, how it is written, and its columns. `rows` is None where a row of it cannot be read, which `fault` says."""

    file: str
    written: Sniffed
    rows: int | None
    fault: str
    columns: list[ExportColumn]


@dataclass(frozen=True)
class Export:
    """The files of a folder, and the shipped source that they look like."""

    files: list[ExportFile]
    not_read: list[str]  # neither CSV nor Parquet
    source: str | None


def explore(folder: Path, project: Path) -> Export:
    """Explore all CSV and Parquet files of a folder. Raises SourceError where there are none."""
    files = sniff_folder(folder)
    with connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        explored = [_explored(connection, folder, file, written) for file, written in files.items()]
    fitting = shipped_source(project, {file: written.columns for file, written in files.items()})
    return Export(explored, other_files(folder), fitting.mapping.folder.name if fitting else None)


def _explored(
    connection: duckdb.DuckDBPyConnection, folder: Path, file: Path, written: Sniffed
) -> ExportFile:
    query, rows, fault = query_of_files({file: written}), None, ""
    try:
        rows = connection.execute(f"select count(*) from {query}").fetchall()[0][0]
    except (duckdb.Error, OSError, ValueError):
        fault = "a row cannot be read"
    cells: Sequence[Sequence[object]] = written.rows
    if written.is_parquet and rows is not None:
        cells = connection.execute(
            f"select cast(columns(*) as varchar) from {query} limit {ROWS}"
        ).fetchall()
    return ExportFile(
        str(file.relative_to(folder)), written, rows, fault, _columns(connection, written, cells)
    )


def _columns(
    connection: duckdb.DuckDBPyConnection, written: Sniffed, rows: Sequence[Sequence[object]]
) -> list[ExportColumn]:
    cells = [
        (place, row[place])
        for row in rows
        for place in range(len(written.columns))
        if place < len(row)
    ]
    connection.execute("create or replace temp table cells (place integer, x varchar)")
    connection.execute(
        "insert into cells select unnest($places), unnest($values)",
        {"places": [place for place, _ in cells], "values": [value for _, value in cells]},
    )
    measures = {
        "values": "count(x)",
        "distinct": "count(distinct x)",
        "e-mail": f"count(*) filter (regexp_full_match(x, '{EMAIL}'))",
        "phone": f"count(*) filter (regexp_full_match(x, '{PHONE}'))",
        "date": "count(read_date(x))",
        **{
            f"date {form}": f"count(*) filter (year(read_date(x, {literal(form)})) between 1990 and 2099)"
            for form in DATE_FORMS[1:]
        },
        "yes or no": "count(read_boolean(x))",
        "number": "count(read_rate(x))",
        "whole number": r"count(*) filter (regexp_full_match(x, '[+-]?\d+'))",
        **{
            f"number {form}": f"count(*) filter ({NUMBER} and read_rate(x, {literal(form)}) is not null)"
            for form in AMOUNT_FORMS[1:]
        },
        "without blanks": "count(*) filter (not contains(x, ' '))",
    }
    figures = {
        place: dict(zip(measures, values, strict=True))
        for place, *values in connection.execute(
            f"select place, {', '.join(measures.values())} "
            "from (select place, read_text(x) as x from cells) group by 1"
        ).fetchall()
    }
    return [
        _column(connection, place, name, len(rows), figures.get(place, {}))
        for place, name in enumerate(written.columns)
    ]


def _column(
    connection: duckdb.DuckDBPyConnection, place: int, name: str, rows: int, counts: dict[str, int]
) -> ExportColumn:
    values = counts.get("values", 0)
    share = {kind: count / values for kind, count in counts.items()} if values else {}
    looks = _looks(connection, place, name, share, counts)
    is_personal = looks in ("e-mail", "phone")
    if is_personal and share[looks] < 1:
        looks += f" ({share[looks]:.0%})"
    return ExportColumn(
        name, values / rows if rows else 0, counts.get("distinct", 0), looks, is_personal
    )


def _looks(
    connection: duckdb.DuckDBPyConnection,
    place: int,
    name: str,
    share: dict[str, float],
    counts: dict[str, int],
) -> str:
    """What a column looks like: the first of these kinds that most of its values are."""
    if not share:
        return "empty"
    may_be_date = re.search(DATES, name.lower())
    for kind in ("e-mail", "date", "phone"):
        if share[kind] >= MOST:
            return kind
    forms = [
        form
        for form in DATE_FORMS[1:]
        if share[f"date {form}"] >= MOST and ("yyyy" in form or may_be_date)
    ]
    if forms:
        return f"date, {' or '.join(forms)}"
    if share["yes or no"] >= MOST and counts["distinct"] <= 2:
        return "yes or no"
    if share["whole number"] >= MOST:
        is_key = share["distinct"] == 1 and counts["values"] > FEW_VALUES
        return f"whole number{', all different' if is_key else ''}"
    if share["number"] >= MOST:
        return "number"
    forms = [form for form in AMOUNT_FORMS[1:] if share[f"number {form}"] >= MOST]
    if forms:
        return f"number, {forms[0]}"
    if share["distinct"] == share["without blanks"] == 1 and counts["values"] > FEW_VALUES:
        return "id, all different"
    if counts["distinct"] <= FEW_WORDS and re.search(WORDS, name.lower()):
        return f"words: {_words(connection, place)}"
    return "words" if share["distinct"] <= 0.3 else "text"


def _words(connection: duckdb.DuckDBPyConnection, place: int) -> str:
    words = connection.execute(
        f"select word_of(read_text(x)), count(*) from cells where place = {place} and read_text(x) is not null "
        f"group by 1 order by 2 desc, 1 limit {SHOWN}"
    ).fetchall()
    return ", ".join(f"{word} ({count:,})" for word, count in words)
