"""Figures of a raw table, column by column, in one scan; what is wrong with a value is looked up for those at fault alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from customer_tiering.onboarding.rendering import Models
from customer_tiering.onboarding.value_forms import amount_form, date_form
from customer_tiering.quoting import identifier, literal

FEW_WORDS = 50  # a column with more different ones has no words
SHOWN = 5  # words or forms of a column
CHECKED = 10_000  # values that are compared with the declared forms


@dataclass(frozen=True)
class Column:
    """What a column of a raw table holds.

    `filled` and `readable` count rows. `commonest` are the commonest words of a column that has few, `unreadable` the
    commonest forms of values that cannot be read, each with its rows. Nothing of an id or of personal data is in them.
    """

    name: str
    data_type: str
    filled: int
    readable: int
    distinct: int
    first: date | Decimal | None = None
    last: date | Decimal | None = None
    commonest: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)


def profile(
    models: Models, tables: Sequence[tuple[Mapping[str, Any], Sequence[str]]]
) -> dict[str, tuple[int, list[Column]]]:
    """How many rows each raw table has, and what those of its columns hold that are there."""
    found = {}
    models.connection.execute(
        "create or replace temp table words "
        "(source_table varchar, column_name varchar, raw_value varchar, row_count bigint)"
    )
    for table, present in tables:
        found[table["name"]] = _profile(models, table, present)
    words = _words(models)
    return {
        name: (rows, [replace(one, commonest=words.get((name, one.name), {})) for one in columns])
        for name, (rows, columns) in found.items()
    }


def _profile(
    models: Models, table: Mapping[str, Any], present: Sequence[str]
) -> tuple[int, list[Column]]:
    declared = [table["columns"][name] for name in present]
    measures = [measure for column in declared for measure in _measures(models, column)]
    rows, *values = models.connection.execute(
        f"select {', '.join(['count(*)', *measures])} from raw.{table['name']}"
    ).fetchall()[0]
    columns = []
    for place, column in enumerate(declared):
        filled, readable, distinct, first, last = values[5 * place : 5 * place + 5]
        distinct = min(distinct, readable)  # it is counted approximately
        unreadable = _unreadable(models, table["name"], column) if readable < filled else {}
        columns.append(
            Column(
                *(column["name"], column["data_type"], filled, readable, distinct, first, last),
                unreadable=unreadable,
            )
        )
        if distinct <= FEW_WORDS and _has_words(column):
            models.connection.execute(
                f"insert into words select {literal(table['name'])}, {literal(column['name'])}, "
                f"cast({read(models, column)} as varchar), count(*) from raw.{table['name']} "
                "group by all"
            )
    return rows, columns


def read(models: Models, column: Mapping[str, Any]) -> str:
    """SQL that reads a raw column as staging does."""
    value: str = models.macros.read_value(identifier(column["name"]), column)
    return value


def _measures(models: Models, column: Mapping[str, Any]) -> Iterator[str]:
    name, value = identifier(column["name"]), read(models, column)
    yield f"count(read_text({name}))"
    yield f"count({value})"
    yield f"approx_count_distinct({value})"
    if column["data_type"] == "timestamp":
        value = f"business_date({value}, {models.macros.business_time_zone()})"
    is_shown = column["data_type"] not in ("string", "boolean")
    for end in ("min", "max"):
        yield f"{end}({value})" if is_shown and not column["config"]["meta"].get("pii") else "null"


def _has_words(column: Mapping[str, Any]) -> bool:
    is_word = column["data_type"] in ("string", "boolean") and not column["name"].endswith("_id")
    return is_word and not column["config"]["meta"].get("pii")


def _words(models: Models) -> dict[tuple[str, str], dict[str, int]]:
    """The commonest words by table and column, as messages may show them: a customer's name by its form alone."""
    shown = models.macros.shown_value(
        "words.source_table",
        "words.column_name",
        "words.raw_value",
        "personal_values.raw_value is not null",
    )
    found: dict[tuple[str, str], dict[str, int]] = {}
    for table, column, word, rows in models.connection.execute(
        f"""
        with personal_values as ({models.macros.personal_values("words")}),

        shown_words as (
            select words.source_table, words.column_name, {shown} as word, sum(words.row_count) as row_count
            from words
            left join personal_values on words.raw_value = personal_values.raw_value
            where words.raw_value is not null
            group by 1, 2, 3
        )

        select * from shown_words
        qualify row_number() over (partition by source_table, column_name order by row_count desc, word) <= {SHOWN}
        order by row_count desc, word
        """
    ).fetchall():
        found.setdefault((table, column), {})[word] = int(rows)
    return found


def _unreadable(models: Models, table: str, column: Mapping[str, Any]) -> dict[str, int]:
    return dict(
        models.connection.execute(
            f"select shape_of(read_text({identifier(column['name'])})), count(*) from raw.{table} "
            f"where {at_fault(models, column)} group by 1 order by 2 desc, 1 limit {SHOWN}"
        ).fetchall()
    )


def at_fault(models: Models, column: Mapping[str, Any]) -> str:
    """SQL of whether a raw column has a value that cannot be read."""
    return f"{read(models, column)} is null and read_text({identifier(column['name'])}) is not null"


def forms_that_read(models: Models, table: str, column: Mapping[str, Any]) -> list[str]:
    """The declared forms that read more than half of a column's unreadable values, the likeliest first."""
    if column["data_type"] in ("date", "timestamp"):
        find = date_form
    elif column["data_type"].startswith("decimal"):
        find = amount_form
    else:
        return []
    name = identifier(column["name"])
    values = f"(select {name} from raw.{table} where {at_fault(models, column)} limit {CHECKED})"
    form = find(models.connection, values, name)
    return [form.name, *form.others] if form.fits and form.name else []
