"""The summary of a publication: tiers, movements, alerts, actions and data quality."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from customer_tiering.errors import SourceError
from customer_tiering.messages import without_values
from customer_tiering.publishing import file_of, open_publication
from customer_tiering.queries import query

REASONS_SHOWN = 5  # of rejected records
ACTIONS_SHOWN = 8
BAR_WIDTH = 20  # characters for 100 %
TIER_COLOURS = ("#b5763a", "#9aa5b1", "#d4a017", "#5fb3b3", "#4f9dde")
MOVEMENTS = ("enter", "upgrade", "downgrade", "leave")


@dataclass(frozen=True)
class Summary:
    """What a publication says at a glance.

    `currency` is None when an earlier release published it, `as_of` when there are no orders at all.
    """

    publication: Path
    currency: str | None
    as_of: date | None
    closed_on: date | None
    tiers: list[tuple[Any, ...]]
    movements: list[tuple[Any, ...]]
    alerts: list[tuple[Any, ...]]
    actions: list[tuple[Any, ...]]
    reconciliation: list[tuple[Any, ...]]
    rejected: list[tuple[Any, ...]]
    warnings: list[tuple[Any, ...]]


def read_summary(warehouse: Path) -> Summary:
    """Read the summary of the publication in a warehouse folder. Raises SourceError."""
    with reading_publication(warehouse) as connection:
        return _read(connection, file_of(warehouse))


@contextmanager
def reading_publication(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the publication in a warehouse folder.

    Raises SourceError when there is none, or when it lacks what is read.
    """
    publication = file_of(warehouse)
    if not publication.is_file():
        allowed = "a warehouse that `tiering refresh` has published"
        raise SourceError(str(publication), "no such file", allowed)
    try:
        with open_publication(publication) as connection:
            yield connection
    except duckdb.Error as error:
        found = (
            f"a file that cannot be reported on ({' '.join(without_values(str(error)).split())})"
        )
        raise SourceError(str(publication), found, "a publication of `tiering refresh`") from error


def _read(connection: duckdb.DuckDBPyConnection, publication: Path) -> Summary:
    def rows(sql: str, **values: object) -> list[tuple[Any, ...]]:
        return connection.execute(sql, values or None).fetchall()

    as_of, closed_on = rows(
        "select max(period_end), max(period_end) filter (not is_open_period) "
        "from marts.review_periods"
    )[0]
    return Summary(
        publication=publication,
        currency=rows("select reporting_currency from quality.settings")[0][0]
        if rows("select 1 from duckdb_tables() where table_name = 'settings'")
        else None,
        as_of=as_of,
        closed_on=closed_on,
        tiers=rows(query("report_tiers"), as_of=as_of),
        movements=rows(query("report_movements"), closed_on=closed_on, movements=list(MOVEMENTS)),
        alerts=rows(query("report_alerts")),
        actions=rows(query("report_actions")),
        reconciliation=rows(
            "select source_table, rows_in, rows_staged, rows_duplicate, rows_rejected "
            "from quality.reconciliation where rows_in > 0 order by 1"
        ),
        rejected=rows(query("report_rejected")),
        warnings=rows(query("report_warnings")),
    )


def print_summary(summary: Summary, console: Console) -> None:
    """Print the summary, English with Chinese beside."""
    console.print(_rendered(summary))


def _rendered(summary: Summary) -> Group:
    currency = summary.currency
    english, chinese = (f", in {currency}", f"，单位 {currency}") if currency else ("", "")
    if summary.as_of is None:
        title = heading(f"No orders yet{english}", f"暂无订单{chinese}")
        parts: list[RenderableType] = [title, _quality(summary), _next(summary)]
    else:
        parts = [
            heading(
                f"Customer tiers as of {summary.as_of}{english}",
                f"客户等级（截至 {summary.as_of}{chinese}）",
            ),
            _tiers(summary),
            *_movements(summary),
            *_alerts(summary),
            *_actions(summary),
            _quality(summary),
            _next(summary),
        ]
    return Group(*parts)


def heading(english: str, chinese: str) -> Padding:
    """A line above a table, in both languages."""
    return Padding(Text.assemble((english, "bold"), "  ", (chinese, "dim")), (1, 0, 0, 0))


def plain_table(*columns: str) -> Table:
    """A plain table; a column whose name begins with > holds numbers. What is too long is folded, never cut."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        justify: JustifyMethod = "right" if column[:1] == ">" else "left"
        table.add_column(column.lstrip(">"), justify=justify, overflow="fold")
    return table


def _tiers(summary: Summary) -> Table:
    table = plain_table("Tier", "等级", ">Customers", ">Share", "", ">Revenue", ">Share", "")
    for _, rank, label_en, label_zh, customers, share, revenue, revenue_share in summary.tiers:
        colour = TIER_COLOURS[(rank - 1) % len(TIER_COLOURS)] if rank else "grey50"
        table.add_row(
            Text(label_en, style=colour),
            Text(label_zh, style=colour),
            f"{customers:,}",
            percent(share),
            _bar(share, colour),
            money(revenue),
            percent(revenue_share),
            _bar(revenue_share, colour),
        )
    return table


def percent(share: float | Decimal | None) -> str:
    """A share as per cent with one decimal; nothing for None."""
    return "" if share is None else f"{100 * share:.1f} %"


def money(amount: Decimal | None) -> str:
    """An amount in whole units; nothing for None."""
    return "" if amount is None else f"{amount:,.0f}"


def _bar(share: float | Decimal | None, colour: str) -> Text:
    """A bar of eighths of characters; refunds can make a share negative, which shows as none."""
    eighths = round(float(min(max(share or 0, 0), 1)) * BAR_WIDTH * 8)
    full, rest = divmod(eighths, 8)
    return Text("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else ""), style=colour)


def _movements(summary: Summary) -> list[Padding | Table | Text]:
    if summary.closed_on is None:
        return [heading("Movements: no period has closed yet", "变动：尚无完结的周期")]
    title = heading(
        f"Movements of the last closed period, to {summary.closed_on}",
        "上一完结周期的变动",
    )
    if not summary.movements:
        return [title, Text("none")]
    table = plain_table("Change", "变动", ">Customers", "Reason", "原因")
    shown = None
    for change, change_en, change_zh, reason_en, reason_zh, customers in summary.movements:
        again = change == shown
        table.add_row(
            "" if again else change_en,
            "" if again else change_zh,
            f"{customers:,}",
            reason_en,
            reason_zh,
        )
        shown = change
    return [title, table]


def _alerts(summary: Summary) -> list[Padding | Table]:
    if not summary.alerts:
        return []
    table = plain_table("Alert", "预警", ">High", ">Medium", ">Low")
    for alert_en, alert_zh, *counts in summary.alerts:
        table.add_row(alert_en, alert_zh, *(f"{count:,}" if count else "" for count in counts))
    return [heading("Open alerts", "当前预警"), table]


def _actions(summary: Summary) -> list[Padding | Table]:
    if not summary.actions:
        return []
    table = plain_table("Action", "动作", "Who", ">Customers")
    for action_en, action_zh, department, customers in summary.actions[:ACTIONS_SHOWN]:
        table.add_row(action_en, action_zh, department, f"{customers:,}")
    more = summary.actions[ACTIONS_SHOWN:]
    if more:
        others = sum(customers for *_, customers in more)
        table.add_row(f"{len(more)} other actions", "", "", f"{others:,}")
    return [heading("What to do next, the most urgent first", "下一步动作"), table]


def _quality(summary: Summary) -> Group:
    table = plain_table("Raw table", ">Rows", ">Staged", ">Duplicates", ">Rejected")
    for name, *counts in summary.reconciliation:
        table.add_row(name, *(f"{count:,}" for count in counts))
    parts: list[Padding | Table] = [heading("Data quality", "数据质量"), table]
    if summary.rejected:
        reasons = plain_table(*("Raw column", "Action", "Reason", "原因", "Commonest", ">Records"))
        reasons.columns[0].no_wrap = True
        for *words, count in summary.rejected[:REASONS_SHOWN]:
            reasons.add_row(*words, f"{count:,}")
        more = summary.rejected[REASONS_SHOWN:]
        if more:
            others = sum(count for *_, count in more)
            reasons.add_row("", "", f"{len(more)} other kinds", "", "", f"{others:,}")
        parts.append(Padding(reasons, (1, 0, 0, 0)))
    if summary.warnings:
        warnings = plain_table("Warning", "警告", "Where")
        for warning in summary.warnings:
            warnings.add_row(*warning, style="yellow")
        parts.append(Padding(warnings, (1, 0, 0, 0)))
    return Group(*parts)


def _next(summary: Summary) -> Group:
    table = plain_table("", "")
    table.show_header = False
    for what, where in (
        ("Who is in which tier", "marts.customer_tiers"),
        ("Why: the points of each input", "marts.customer_score_details"),
        ("Where tiers are heading", "marts.tier_transitions"),
        ("Every customer, every period", "marts.customer_periods"),
        ("What just changed, with figures", "marts.customer_alerts"),
        ("Who should do what, and why", "marts.customer_actions"),
        ("What was rejected", "quality.rejected_records"),
        ("Open in any DuckDB client", str(summary.publication)),
        ("", "from marts.customers;"),
    ):
        table.add_row(what, Text(where, style="cyan", overflow="fold"))
    return Group(heading("Where to look next", "接下来看什么"), table)
