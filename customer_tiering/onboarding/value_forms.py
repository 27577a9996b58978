"""In which form a column writes its dates or its amounts: found by reading all of its values in every form."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from customer_tiering.quoting import literal

PLAIN = ""  # read without a declaration
DATE_FORMS = (
    PLAIN,
    *(f"{first}{mark}{second}{mark}yyyy" for first, second in (("dd", "mm"), ("mm", "dd")) for mark in "./-"),
    "excel_serial",
    "epoch_seconds",
    "epoch_milliseconds",
)  # fmt: skip
AMOUNT_FORMS = (PLAIN, "1,234.56", "1.234,56", "1 234,56", "1'234.56")
# What decides whether a form reads a value: its day and hour, or the first digits of a number of seconds; digits of an amount do not.
_DAY = (
    "case when contains(x, ':') then left(x, 13) when regexp_full_match(x, '\\d{9,}') "
    "then left(x, 4) || length(x) else x end"
)
_SHAPE = "translate(x, '012345678', '999999999')"
# Numbers are taken for dates only of these years.
_YEARS = "between date '1900-01-01' and date '2199-12-31'"
_RECENT_YEARS = "between date '1990-01-01' and date '2099-12-31'"


@dataclass(frozen=True)
class Form:
    """The form of a column. `others` are forms that read as many values, but as other ones; then it is only the likelier one.

    `values` are those that are there, `readable` those that the form reads, `example` is one that the forms disagree on.
    """

    name: str
    values: int
    readable: int
    others: tuple[str, ...] = ()
    example: str = ""

    @property
    def fits(self) -> bool:
        """Whether the column is one of dates, or of amounts, at all."""
        return self.readable * 2 > self.values


def date_form(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> Form:
    """The form of a column of dates. `relation` and `column` are SQL. Where several fit, dates close together are likelier."""

    def reading(form: str) -> str:
        if form == PLAIN:
            return f"case when read_date(x) {_YEARS} then read_timestamp(x, 'UTC') end"
        read = f"read_timestamp(x, 'UTC', {literal(form)})"
        years = _YEARS if "yyyy" in form else _RECENT_YEARS
        return f"case when cast({read} as date) {years} then {read} end"

    spread = "coalesce(date_diff('day', min(read), max(read)), 0)"
    return _form(connection, relation, column, {f: reading(f) for f in DATE_FORMS}, _DAY, spread)


def amount_form(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> Form:
    """The form of a column of amounts. `relation` and `column` are SQL."""
    readings = {
        form: f"read_amount(x, {literal(form)})" if form else "read_amount(x)"
        for form in AMOUNT_FORMS
    }
    return _form(connection, relation, column, readings, _SHAPE, "0")


def _form(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    column: str,
    readings: dict[str, str],
    alike: str,
    spread: str,
) -> Form:
    connection.execute(
        "create or replace temp table written_values as select min(x) as x, count(*) as n "
        f"from (select read_text({column}) as x from {relation}) where x is not null group by {alike}"
    )
    readers = " union all ".join(
        f"select {number} as number, x, n, {reading} as read from written_values"
        for number, reading in enumerate(readings.values())
    )
    found = connection.execute(
        f"select number, sum(n), coalesce(sum(n) filter (read is not null), 0), "
        f"sum(hash(x, read)) filter (read is not null), {spread} "
        f"from ({readers}) group by 1 order by 1"
    ).fetchall()
    if not found:
        return Form(PLAIN, 0, 0)
    names = list(readings)
    total = int(found[0][1])
    best = max(readable for _, _, readable, _, _ in found)
    # of forms that read the same, the first
    different = {
        said: (far, number)
        for number, _, readable, said, far in reversed(found)
        if readable == best
    }
    ordered = [names[number] for _, number in sorted(different.values())]
    if best == 0:
        return Form(PLAIN, total, 0)
    example = ""
    if len(ordered) > 1:
        first, second = (readings[name] for name in ordered[:2])
        disagreeing = f"select min(x) from written_values where {first} is distinct from {second}"
        example = str(connection.execute(disagreeing).fetchall()[0][0])
    return Form(ordered[0], total, int(best), tuple(ordered[1:]), example)
