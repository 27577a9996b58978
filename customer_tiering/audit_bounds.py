"""What may change from the last publication to the next: bounds from the one for the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from customer_tiering.configuration import Settings, is_period_end
from customer_tiering.errors import AuditError
from customer_tiering.language import Words
from customer_tiering.publishing import open_publication
from customer_tiering.queries import query
from customer_tiering.quoting import literal
from customer_tiering.seeds import COMPONENT_INPUTS

TABLES = ("customers", "orders", "customer_periods")
FEWEST_TO_KNOW = 10  # customers with orders, from which on it is asked whether they are the same
TIER_CODE = r"[a-z][a-z0-9_]{0,39}"
NO_UNIT, PERCENT, POINTS = Words("", ""), Words(" %", " %"), Words(" points", " 分")
# Gives what a code of a kind is called.
Labels = Callable[[str, str], Words]
TIER_HOLDERS = "count(case when tier_rank > 0 then 1 end)"


@dataclass(frozen=True)
class Bound:
    """From where to where a measure of the marts may be, as the last publication had it `before`.

    Rows are counted, shares are in per cent, the score in points; the two are rounded to six places.
    `high` None is without a bound. `before` is None of what is no measure of one publication. `var` is the var that sets
    the limit, `subject` says what is measured, `hint` what a value outside looks like.
    """

    measure: str
    subject: Words
    before: Decimal | int | None
    low: Decimal | int
    high: Decimal | int | None
    var: str
    unit: Words = NO_UNIT
    hint: Words | None = None

    @property
    def allowed(self) -> Words:
        """What is allowed, and why."""
        low, high = self._figure(max(self.low, 0)), self._figure(self.high or 0)
        one, two = self.unit
        if self.high is None:
            english, chinese = f"at least {low}{one}", f"至少 {low}{two}"
        else:
            english, chinese = f"{low} to {high}{one}", f"{low} 至 {high}{two}"
        if self.before is not None:
            before = self._figure(self.before)
            english += f", as it was {before}{one} in the last publication"
            chinese += f"，上次发布为 {before}{two}"
        return Words(f"{english} (var {self.var})", f"{chinese}（变量 {self.var}）")

    def written(self, value: float | None) -> Words:
        """What was found, with as many places as tell it from its bounds."""
        if value is None:
            return Words("no value", "没有值")
        found = Decimal(str(value))
        edges = {round(Decimal(edge), 2) for edge in (self.low, self.high or 0)}
        places = 6 if round(found, 2) in edges and found != round(found, 2) else 2
        text = self._figure(found, places)
        return Words(f"{text}{self.unit.en}", f"{text}{self.unit.zh}")

    def _figure(self, value: Decimal | int, places: int = 2) -> str:
        return f"{value:,}" if self.unit == NO_UNIT else f"{value:,.{places}f}"


@dataclass(frozen=True)
class AuditBounds:
    """Bounds, and the query whose one row has a column for each; notes on what is not compared."""

    bounds: list[Bound] = field(default_factory=list)
    query: str = ""
    notes: list[Words] = field(default_factory=list)


@dataclass(frozen=True)
class _Calendar:
    """As of when marts are, and their newest closed review period, as far as there are any."""

    as_of: date | None
    closed_start: date | None
    closed_end: date | None


def read_bounds(work: Path, previous: Path | None, settings: Settings) -> AuditBounds:
    """Measure the last publication, and say what the marts of `work` may be beside it.

    `previous` is the file of the last publication, None when there is none. Nothing is
    compared with a publication as of a later date, for it knows more; with one of another
    review_period only customers and orders are, as all else hangs on the reviews. Raises AuditError
    when one of them cannot be read.
    """
    if previous is None:
        return AuditBounds()
    now, tiers_now = _calendar_and_tiers(work)
    before, tiers_before = _calendar_and_tiers(previous)
    known, query_of_known = _known(work, previous, settings)
    if now.as_of and before.as_of and before.as_of > now.as_of:
        note = Words(
            f"not compared with the last publication, as it is as of {before.as_of}, which is later",
            f"未与上次发布比较：上次发布的截止日期 {before.as_of} 更晚",
        )
        return AuditBounds(known, query_of_known, [note])
    measures = measures_query(sorted(tiers_now | tiers_before))
    measured = _measured(previous, measures)
    measures = f"select * from ({measures}) as measured cross join ({query_of_known}) as known"
    if not _has_periods_of(before, settings.review_period):
        note = Words(
            "only customers and orders compared, as the last publication has other review periods",
            "只比较了客户和订单：上次发布的评审周期不同",
        )
        bounds = [*known, *_row_bounds(measured, TABLES[:2], settings)]
        return AuditBounds(bounds, measures, [note])
    moving = _moving_bounds(measured, settings, _labels(work))
    notes = []
    if min(measured["tier_holders"], measured["scored_customers"]) < settings.audit_min_customers:
        notes = [
            Words(
                "few customers before (var audit_min_customers): not all of tiers and scores compared",
                "此前客户较少（变量 audit_min_customers）：等级和评分未全部比较",
            )
        ]
    bounds = [*known, *_row_bounds(measured, TABLES, settings), *moving]
    return AuditBounds(bounds, measures, notes)


def measures_query(tiers: list[str]) -> str:
    """A query for one row: rows of tables, shares of tiers, the mean score, shares unknown.

    Raises AuditError for a tier that is not written as a code, for it becomes part of the query.
    """
    for tier in tiers:
        if not re.fullmatch(TIER_CODE, tier):
            raise AuditError(
                "marts.customers, column tier_code", repr(tier), "a code of a-z, 0-9, _"
            )
    shares = {
        f"share_of_{tier}": _percent(f"tier_code = '{tier}'", TIER_HOLDERS, 0) for tier in tiers
    }
    unknown = {
        f"unknown_{name}": _percent(f"{name}_score is null", "count(*)", 100)
        for name in COMPONENT_INPUTS
    }
    customers = {
        "rows_of_customers": "count(*)",
        "tier_holders": TIER_HOLDERS,
        **shares,
    }
    scores = {
        "scored_customers": "count(management_score)",
        "mean_management_score": "cast(round(avg(management_score), 6) as decimal(18, 6))",
        **unknown,
    }
    parts = [
        ("customers", customers),
        ("orders", {"rows_of_orders": "count(*)"}),
        ("customer_periods", {"rows_of_customer_periods": "count(*)"}),
        ("customer_scores", scores),
    ]
    selects = [
        f"(select {', '.join(f'{expression} as {name}' for name, expression in columns.items())} "
        f"from marts.{table}) as {table}_measured"
        for table, columns in parts
    ]
    return f"select * from {' cross join '.join(selects)}"


def _percent(condition: str, whole: str, of_nobody: int) -> str:
    """Per cent of `whole` rows that meet a condition, in SQL; `of_nobody` when there are none."""
    share = f"100.0 * count(case when {condition} then 1 end) / nullif({whole}, 0)"
    return f"cast(round(coalesce({share}, {of_nobody}), 6) as decimal(18, 6))"


def _known(work: Path, previous: Path, settings: Settings) -> tuple[list[Bound], str]:
    """The bound of the customers in common, and a query for their share: of the fewer ones of the two databases.

    A customer is the same when the first order was on the same day, as ids alone may be numbers that every shop
    has. A database as of an earlier date has no others than a later one of the same company.
    """
    with duckdb.connect() as connection, _named(previous):
        for name, database in (("before", previous), ("now", work)):
            connection.execute(f"attach {literal(database)} as {name}_database (read_only)")
        [(fewest, shared)] = connection.execute(query("audit_known_customers")).fetchall()
    share = Decimal(100 * shared) / fewest if fewest else Decimal(100)
    bound = Bound(
        "known_customers",
        Words("customers with orders in common with it", "与其相同的有订单客户"),
        None,
        Decimal(settings.audit_min_known_percent),
        None,
        "audit_min_known_percent",
        PERCENT,
        Words(
            "These look like another company's data, for which another --warehouse is due, or like customers with other ids.",
            "这些像是另一家公司的数据（请使用另一个 --warehouse），或客户编号已更换。",
        ),
    )
    bounds = [bound] if fewest >= FEWEST_TO_KNOW else []
    return bounds, f"select cast({share:.6f} as decimal(18, 6)) as known_customers"


def _row_bounds(
    measured: dict[str, Decimal | int], tables: tuple[str, ...], settings: Settings
) -> list[Bound]:
    var = "audit_max_shrink_percent"
    kept = 100 - getattr(settings, var)
    return [
        # Rounded up: a table may lose the limit and not a row more.
        Bound(f"rows_of_{table}", _rows_of(table), rows, -(-rows * kept // 100), None, var)
        for table in tables
        for rows in [measured[f"rows_of_{table}"]]
    ]


def _rows_of(table: str) -> Words:
    return Words(f"rows of marts.{table}", f"marts.{table} 的行数")


def _moving_bounds(
    measured: dict[str, Decimal | int], settings: Settings, labels: Labels
) -> list[Bound]:
    """Bounds of what may move up and down, where enough customers had it to tell."""
    moving: list[tuple[str, Words, str, Words]] = []
    if measured["tier_holders"] >= settings.audit_min_customers:
        moving += [
            (name, _share_of(labels("tier", code)), "audit_max_tier_shift_points", PERCENT)
            for name in measured
            if (code := name.removeprefix("share_of_")) != name
        ]
    if measured["scored_customers"] >= settings.audit_min_customers:
        mean = Words("mean customer management score", "客户管理分的平均值")
        moving.append(("mean_management_score", mean, "audit_max_score_shift", POINTS))
        moving += [
            (name, _unknown(labels("component", code)), "audit_max_unknown_shift_points", PERCENT)
            for name in measured
            if (code := name.removeprefix("unknown_")) != name
        ]
    return [
        Bound(name, subject, before, before - limit, before + limit, var, unit)
        for name, subject, var, unit in moving
        for before, limit in [(measured[name], getattr(settings, var))]
    ]


def _share_of(tier: Words) -> Words:
    return Words(
        f"share of {tier.en} among the customers with a tier", f"{tier.zh}在有等级客户中的占比"
    )


def _unknown(component: Words) -> Words:
    return Words(
        f"share of the customers with orders without a score for {component.en.lower()}",
        f"有订单的客户中没有{component.zh}得分的占比",
    )


def _labels(database: Path) -> Labels:
    """What codes are called in a database; a code itself where it has no label."""
    with _reading(database) as connection:
        known = connection.execute(
            "select 1 from duckdb_tables() where database_name = 'warehouse' "
            "and schema_name = 'marts' and table_name = 'labels'"
        ).fetchone()
        rows = connection.execute("from marts.labels").fetchall() if known else []
    labels = {(kind, code): Words(english, chinese) for kind, code, english, chinese in rows}
    return lambda kind, code: labels.get((kind, code), Words(code, code))


def _has_periods_of(before: _Calendar, review_period: str) -> bool:
    """Whether the newest closed period is one of a review_period; true when none is closed yet."""
    start, end = before.closed_start, before.closed_end
    if start is None or end is None:
        return True
    days = (end - start).days
    ends = [
        offset
        for offset in range(-1, days + 1)
        if is_period_end(start + timedelta(offset), review_period)
    ]
    return ends == [-1, days]


def _calendar_and_tiers(database: Path) -> tuple[_Calendar, set[str]]:
    with _reading(database) as connection:
        [(as_of,)] = connection.execute(
            "select max(period_end) from marts.review_periods"
        ).fetchall()
        closed = connection.execute(
            "select period_start, period_end from marts.review_periods "
            "where not is_open_period order by period_end desc limit 1"
        ).fetchone()
        tiers = connection.execute(
            "select distinct tier_code from marts.customers where tier_rank > 0"
        ).fetchall()
    return _Calendar(as_of, *(closed or (None, None))), {code for (code,) in tiers}


def _measured(database: Path, query: str) -> dict[str, Decimal | int]:
    with _reading(database) as connection:
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description]
        [measures] = cursor.fetchall()
    return dict(zip(names, measures, strict=True))


@contextmanager
def _reading(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with _named(database), open_publication(database) as connection:
        yield connection


@contextmanager
def _named(database: Path) -> Iterator[None]:
    """Turn an error of DuckDB into one about a database."""
    try:
        yield
    except duckdb.Error as error:
        found = f"a database that cannot be compared ({type(error).__name__})"
        raise AuditError(str(database), found, "a built warehouse with its marts") from error
