"""The figures of the page, read from the marts: sums over groups of customers, pooled before anything is shown."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np

from customer_tiering.overview.campaigns import Campaign, read_campaigns
from customer_tiering.overview.pooling import Counts, Members, Remedy, Table, pool
from customer_tiering.queries import query
from customer_tiering.reporting import MOVEMENTS

PERIODS_SHOWN = 24  # of revenue over time
SEVERITIES = ("high", "medium", "low")
STAGES = ("prospect", "new", "developing", "active", "at_risk", "dormant", "lost", "won_back")
TOP_PERCENTS = (1, 5, 10, 20, 50, 100)
OTHER = "other"  # the code of what is pooled
UNKNOWN = "unknown"  # the code of what nobody has said
MARKETS = ("region", "industry", "category", "channel")
# On which customers the figures of a tier's economics rest.
BASES = ("customers", "with_revenue", "with_revenue_at_risk", "with_growth", "with_contacts")


@dataclass(frozen=True)
class Cell:
    """A figure: its codes, its customers, their revenue where it is shown. None is hidden, as the group is small."""

    codes: tuple[str, ...]
    customers: int | None
    revenue: Decimal | None = None


@dataclass(frozen=True)
class Shown:
    """What is shown of a table. `is_withheld`: nothing, as too few customers are in it.

    `hides_more`: also cells that are not small themselves are hidden, as small ones could be worked out from them.
    """

    cells: list[Cell] = field(default_factory=list)
    is_withheld: bool = False
    hides_more: bool = False

    def customers(self) -> int:
        """All customers in the cells that are shown."""
        return sum(cell.customers or 0 for cell in self.cells)

    def revenue(self) -> Decimal:
        """All revenue in the cells that are shown."""
        return sum((cell.revenue or Decimal(0) for cell in self.cells), Decimal(0))

    def by_codes(self) -> dict[tuple[str, ...], Cell]:
        """The cells by their codes."""
        return {cell.codes: cell for cell in self.cells}


@dataclass(frozen=True)
class TierFigures:
    """The economics of a tier, or of those that are pooled. `budget` is None where no budget is recommended."""

    code: str
    customers: int
    revenue: Decimal
    growth: Decimal
    contacts: int
    budget: Decimal | None


@dataclass(frozen=True)
class Tier:
    """A tier by code, and what it is called; rank 0 is none."""

    code: str
    rank: int
    label_en: str
    label_zh: str


@dataclass(frozen=True)
class Overview:
    """All that the page shows. Tables are by name, `revenue_by_period` by the end of the period.

    `as_of` is None without any order that counts, `closed_on` before the first closed review, `currency` and
    `rules_valid_from` when nothing says them.
    """

    as_of: date | None
    closed_on: date | None
    rules_valid_from: date | None
    currency: str | None
    tiers: list[Tier]  # the highest first
    tables: Mapping[str, Shown]
    markets: Mapping[str, Shown]  # by MARKETS, at the newest closed review
    markets_year_before: Mapping[str, Shown]
    revenue_by_period: Mapping[date, Shown]
    economics: Sequence[TierFigures] | None  # None: withheld, as too few customers are in it
    campaigns: Sequence[Campaign]  # the newest first
    segment_of: Mapping[tuple[str, str], str]  # by recency and frequency score
    labels: Mapping[tuple[str, str], tuple[str, str]]
    rows_in: int
    rows_rejected: int
    warnings: list[tuple[str, str]]  # code, subjects


@dataclass(frozen=True)
class _Groups:
    """Groups of customers whom no table tells apart."""

    rows: list[dict[str, Any]]

    @property
    def customers(self) -> Counts:
        return np.array([row["customers"] for row in self.rows], dtype=np.int64)

    @property
    def have_revenue(self) -> Members:
        return np.array([row["has_revenue"] for row in self.rows], dtype=bool)

    def revenue(self, members: Members) -> Decimal:
        return sum((self.rows[i]["revenue"] for i in np.flatnonzero(members)), Decimal(0))

    def cells(
        self, codes_of: Callable[[dict[str, Any]], Iterable[tuple[Any, ...]]]
    ) -> dict[Hashable, Members]:
        """Cells by their codes; a group is in each of those that `codes_of` gives for it."""
        places: dict[Hashable, list[int]] = {}
        for place, row in enumerate(self.rows):
            for codes in codes_of(row):
                places.setdefault(tuple(str(code) for code in codes), []).append(place)
        return {codes: self._members(places[codes]) for codes in sorted(places, key=str)}

    def _members(self, places: list[int]) -> Members:
        members = np.zeros(len(self.rows), dtype=bool)
        members[places] = True
        return members


def read_overview(
    connection: duckdb.DuckDBPyConnection, smallest: int, window_days: int
) -> Overview:
    """Read the page's figures from a connection in which the schemas go by their own names, such as marts.customers.

    No figure rests on 1 to `smallest` - 1 customers. Raises duckdb.Error when the marts are not as they should be.
    """

    def rows(sql: str, **values: object) -> list[tuple[Any, ...]]:
        return connection.execute(sql, values or None).fetchall()

    [(as_of, closed_on, rules_valid_from)] = rows(
        "select max(period_end), max(period_end) filter (not is_open_period), "
        "max_by(rules_valid_from, period_end) from marts.review_periods"
    )
    tiers = [Tier(*row[:4]) for row in rows(query("report_tiers"), as_of=as_of)]
    groups = _read_groups(connection, as_of, closed_on)
    tables = _tables(groups, smallest)
    families = [[tables[name] for name in names] for names in _families(as_of == closed_on)]
    pool(families, groups.customers, groups.have_revenue, smallest)
    markets = _read_markets(connection, closed_on, smallest, window_days)
    [(rows_in, rows_rejected)] = rows(
        "select coalesce(sum(rows_in), 0), coalesce(sum(rows_rejected), 0) from quality.reconciliation"
    )
    return Overview(
        as_of=as_of,
        closed_on=closed_on,
        rules_valid_from=rules_valid_from,
        currency=next(iter(rows("select reporting_currency from quality.settings")), (None,))[0],
        tiers=tiers,
        tables={table.name: _shown(table, groups, smallest) for table in tables.values()},
        markets=markets[False],
        markets_year_before=markets[True],
        revenue_by_period=_revenue_by_period(
            rows(query("overview_revenue"), periods=PERIODS_SHOWN), smallest
        ),
        economics=_read_economics(connection, as_of, tables["tiers"], smallest),
        campaigns=read_campaigns(connection, smallest),
        segment_of=_segments_of_the_map(groups),
        labels={
            (kind, code): (english, chinese)
            for kind, code, english, chinese in rows(
                "select kind, code, label_en, label_zh from marts.labels"
            )
        },
        rows_in=int(rows_in),
        rows_rejected=int(rows_rejected),
        warnings=rows(query("overview_warnings")),
    )


def _read_markets(
    connection: duckdb.DuckDBPyConnection, closed_on: date | None, smallest: int, window_days: int
) -> dict[bool, dict[str, Shown]]:
    """The markets at the newest closed review (False) and a year before it (True): each is a family of its own.

    A region or a favourite channel follows from no tier or segment, and the revenue of one window from none of another.
    """
    found = connection.execute(
        query("overview_markets"), {"closed_on": closed_on, "window_days": window_days}
    )
    names = [column[0] for column in found.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    markets = {}
    for is_year_before in (False, True):
        groups = _Groups([row for row in rows if row["is_year_before"] == is_year_before])
        tables = [Table(name, groups.cells(_codes_by(name)), has_amounts=True) for name in MARKETS]
        for table in tables:  # what a source calls `other` is one row with what is pooled
            table.other |= {(OTHER,)} & table.cells.keys()
        pool([tables], groups.customers, groups.have_revenue, smallest)
        markets[is_year_before] = {table.name: _shown(table, groups, smallest) for table in tables}
    return markets


def _read_economics(
    connection: duckdb.DuckDBPyConnection, as_of: date | None, tiers: Table, smallest: int
) -> list[TierFigures] | None:
    """The economics by tier; what the table of tiers pools is pooled here too, and perhaps more.

    Its other figures rest on fewer customers than revenue does, and follow from no other table.
    """
    found = connection.execute(query("overview_economics"), {"as_of": as_of})
    names = [column[0] for column in found.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    members_of = np.eye(len(rows), dtype=bool)
    cells: dict[Hashable, Members] = {
        (row["tier_code"],): members_of[place] for place, row in enumerate(rows)
    }
    table = Table("economics", cells, is_withheld=tiers.is_withheld)
    table.other |= tiers.other & cells.keys()
    for basis in BASES:
        counts = np.array([row[basis] for row in rows], dtype=np.int64)
        pool([[table]], counts, counts > 0, smallest)
    if table.is_withheld:
        return None

    def figures(code: str, members: Members) -> TierFigures:
        of = [rows[place] for place in np.flatnonzero(members)]
        budgets = [row["budget"] for row in of if row["budget"] is not None]
        return TierFigures(
            code,
            customers=sum(row["customers"] for row in of),
            revenue=sum((row["revenue"] for row in of), Decimal(0)),
            growth=sum((row["growth"] for row in of), Decimal(0)),
            contacts=sum(row["contacts"] for row in of),
            budget=sum(budgets, Decimal(0)) if budgets else None,
        )

    return [
        figures(OTHER if key is None else str(key[0]), members)
        for key, members in table.figures()
        if isinstance(key, tuple | None)
    ]


def _codes_by(name: str) -> Callable[[dict[str, Any]], list[tuple[Any, ...]]]:
    return lambda row: [(row[name],)]


def _read_groups(
    connection: duckdb.DuckDBPyConnection, as_of: date | None, closed_on: date | None
) -> _Groups:
    found = connection.execute(query("overview_groups"), {"as_of": as_of, "closed_on": closed_on})
    names = [column[0] for column in found.description or ()]
    return _Groups([dict(zip(names, row, strict=True)) for row in found.fetchall()])


def _tables(groups: _Groups, smallest: int) -> dict[str, Table]:
    """The tables of the page by name."""

    def kept(*names: str) -> dict[Hashable, Members]:
        """Cells by the values of columns, without customers for whom one is NULL."""

        def codes_of(row: dict[str, Any]) -> list[tuple[Any, ...]]:
            codes = tuple(row[name] for name in names)
            return [] if None in codes else [codes]

        return groups.cells(codes_of)

    def totals(row: dict[str, Any]) -> list[tuple[str]]:
        ordered = [] if row["tier_code"] is None else [("ordered",)]
        return ordered + ([("active",)] if row["is_active"] else [])

    def reasons(row: dict[str, Any]) -> list[tuple[str, str]]:
        change = row["change_type"]
        return [(change, row["reason_code"] or "")] if change in MOVEMENTS else []

    def scores(row: dict[str, Any]) -> list[tuple[int, int]]:
        return [(row["r_score"], row["f_score"])] if row["is_active"] else []

    def listed(name: str, *fields: str) -> Callable[[dict[str, Any]], list[tuple[str, ...]]]:
        return lambda row: [tuple(item[f] for f in fields) for item in row[name] or ()]

    tables = [
        Table("totals", groups.cells(totals), Remedy.HIDE),
        Table("tiers", kept("tier_code"), has_amounts=True),
        Table("lifecycle", kept("lifecycle_stage")),
        Table("segments", kept("segment_code")),
        Table("concentration", _steps(groups, smallest), Remedy.WITHHOLD, has_amounts=True),
        Table("movements", kept("tier_code_before", "tier_code_after"), Remedy.HIDE),
        Table("reasons", groups.cells(reasons)),
        Table("map", groups.cells(scores), Remedy.HIDE),
        Table("alerts", groups.cells(listed("alerts", "code", "severity")), Remedy.HIDE),
        Table("actions", groups.cells(listed("actions", "department", "code"))),
    ]
    return {table.name: table for table in tables}


def _families(is_review_of_today: bool) -> list[list[str]]:
    """Which tables say something of each other; where two cannot both be shown, the later one gives way.

    Rules lead from where customers stand to alerts and actions. What the last review changed says where they stood
    then: of today it says how many have ordered since, and all when no period is open.
    """
    standing = [
        "totals",
        "tiers",
        "lifecycle",
        "segments",
        "concentration",
        "map",
        "alerts",
        "actions",
    ]
    of_today = ["totals", "tiers"] if is_review_of_today else ["totals"]
    return [standing, [*of_today, "reasons", "movements"]]


def _steps(groups: _Groups, smallest: int) -> dict[Hashable, Members]:
    """Customers by the per cent up to which they are at the top; a step with too few joins the next one."""
    tops = np.array([row["top_percent"] or 0 for row in groups.rows])
    buyers = np.where(groups.have_revenue, groups.customers, 0)
    cells: list[tuple[int, Members]] = []
    waiting = np.zeros(len(tops), dtype=bool)
    for percent in TOP_PERCENTS:
        waiting = waiting | (tops == percent)
        if buyers[waiting].sum() >= smallest:
            cells.append((percent, waiting))
            waiting = np.zeros(len(tops), dtype=bool)
    if cells and waiting.any():
        cells[-1] = (TOP_PERCENTS[-1], cells[-1][1] | waiting)
    return {(str(percent),): members for percent, members in cells}


def _shown(table: Table, groups: _Groups, smallest: int) -> Shown:
    if table.is_withheld:
        return Shown(is_withheld=True)
    customers = groups.customers

    def cell(codes: tuple[str, ...], members: Members) -> Cell:
        revenue = groups.revenue(members) if table.has_amounts else None
        return Cell(codes, int(customers[members].sum()), revenue)

    cells = [
        Cell(_codes(key), None) if key in table.other else cell(_codes(key), members)
        for key, members in table.cells.items()
        if key not in table.other or table.remedy is Remedy.HIDE
    ]
    if (pooled := table.pooled()) is not None:
        cells.append(cell((OTHER,), pooled))
    hidden = [int(customers[table.cells[key]].sum()) for key in table.other]
    return Shown(cells, hides_more=any(size >= smallest for size in hidden))


def _codes(key: Hashable) -> tuple[str, ...]:
    return tuple(key) if isinstance(key, tuple) else (str(key),)


def _revenue_by_period(
    rows: Sequence[tuple[date, str, int, Decimal]], smallest: int
) -> dict[date, Shown]:
    """Revenue of each period by the tier after its review.

    The periods of the window add up to its revenue, where nothing is refunded later: one that is withheld takes the one
    with the fewest customers along.
    """
    periods: dict[date, list[tuple[str, int, Decimal]]] = {}
    for period_end, tier, count, revenue in rows:
        periods.setdefault(period_end, []).append((tier, count, revenue))
    shown = {}
    for period_end, cells in periods.items():
        customers = np.array([count for _, count, _ in cells], dtype=np.int64)
        tiers = [(tier,) for tier, _, _ in cells]
        members = np.eye(len(cells), dtype=bool)
        table = Table("revenue", dict(zip(tiers, members, strict=True)), has_amounts=True)
        pool([[table]], customers, customers > 0, smallest)
        groups = _Groups(
            [
                {"customers": count, "has_revenue": count > 0, "revenue": revenue}
                for _, count, revenue in cells
            ]
        )
        shown[period_end] = _shown(table, groups, smallest)
    buyers = {end: sum(count for _, count, _ in cells) for end, cells in periods.items()}
    others = [end for end in buyers if buyers[end] >= smallest and not shown[end].is_withheld]
    if others and any(one.is_withheld for one in shown.values()):
        shown[min(others, key=lambda end: (buyers[end], end))] = Shown(
            is_withheld=True, hides_more=True
        )
    return shown


def _segments_of_the_map(groups: _Groups) -> dict[tuple[str, str], str]:
    """The segment of most customers with a recency and a frequency score."""
    customers: dict[tuple[str, str], dict[str, int]] = {}
    for row in groups.rows:
        if row["is_active"]:
            of_cell = customers.setdefault((str(row["r_score"]), str(row["f_score"])), {})
            segment = row["segment_code"]
            of_cell[segment] = of_cell.get(segment, 0) + row["customers"]
    return {
        scores: min(counts, key=lambda segment: (-counts[segment], segment))
        for scores, counts in customers.items()
    }
