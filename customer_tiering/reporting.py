"""The summary of a publication: tiers, movements, alerts, actions and data quality."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
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
from customer_tiering.language import Language
from customer_tiering.messages import without_values
from customer_tiering.publishing import AUDIT, OVERVIEW, file_of, open_publication
from customer_tiering.queries import query

REASONS_SHOWN = 5  # of rejected records
ACTIONS_SHOWN = 8
BAR_WIDTH = 20  # characters for 100 %
SHORTEST_BAR = 4
WITHOUT_BARS = 54  # characters that the table of tiers takes without its two bars
TIER_COLOURS = ("#b5763a", "#9aa5b1", "#d4a017", "#5fb3b3", "#4f9dde")
MOVEMENTS = ("enter", "upgrade", "downgrade", "leave")


Row = dict[str, Any]


@dataclass(frozen=True)
class Summary:
    """What a publication says at a glance.

    `currency` is None when an earlier release published it, `as_of` when there are no orders at all.
    """

    publication: Path
    currency: str | None
    as_of: date | None
    closed_on: date | None
    tiers: list[Row]
    movements: list[Row]
    alerts: list[Row]
    actions: list[Row]
    reconciliation: list[Row]
    rejected: list[Row]
    warnings: list[Row]


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
    def rows(sql: str, **values: object) -> list[Row]:
        cursor = connection.execute(sql, values or None)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    [periods] = rows(
        "select max(period_end) as as_of, max(period_end) filter (not is_open_period) as closed_on "
        "from marts.review_periods"
    )
    as_of, closed_on = periods["as_of"], periods["closed_on"]
    return Summary(
        publication=publication,
        currency=rows("select reporting_currency from quality.settings")[0]["reporting_currency"]
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


def print_summary(summary: Summary, console: Console, language: Language) -> None:
    """Print the summary in a language."""
    console.print(_rendered(summary, language, console.width))


def summary_as_json(summary: Summary) -> str:
    """The summary for programs, with labels in both languages; decimals as text."""
    return json.dumps(asdict(summary), default=str, ensure_ascii=False, indent=2)


def _rendered(summary: Summary, say: Language, width: int) -> Group:
    currency = summary.currency
    in_currency = say(f", in {currency}", f"，单位 {currency}") if currency else ""
    if summary.as_of is None:
        title = heading(say("No orders yet", "暂无订单") + in_currency)
        parts: list[RenderableType] = [title, _quality(summary, say), _next(summary, say)]
    else:
        title = heading(
            say(
                f"Customer tiers as of {summary.as_of}{in_currency}",
                f"客户等级（截至 {summary.as_of}{in_currency}）",
            )
        )
        parts = [
            title,
            _tiers(summary, say, min(BAR_WIDTH, (width - WITHOUT_BARS) // 2)),
            *_movements(summary, say),
            *_alerts(summary, say),
            *_actions(summary, say),
            _quality(summary, say),
            _next(summary, say),
        ]
    return Group(*parts)


def heading(text: str) -> Padding:
    """A line above a table."""
    return Padding(Text(text, "bold"), (1, 0, 0, 0), expand=False)


def plain_table(*columns: str) -> Table:
    """A plain table; a column whose name begins with > holds numbers. What is too long is folded, never cut, and no number is."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        is_number = column[:1] == ">"
        justify: JustifyMethod = "right" if is_number else "left"
        table.add_column(column.lstrip(">"), justify=justify, overflow="fold", no_wrap=is_number)
    return table


def _tiers(summary: Summary, say: Language, bar_width: int) -> Table:
    bar = ("",) if bar_width >= SHORTEST_BAR else ()
    share = (">" + say("Share", "占比"), *bar)
    names = (say("Tier", "等级"), ">" + say("Customers", "客户数"), *share)
    table = plain_table(*names, ">" + say("Revenue", "收入"), *share)
    for row in summary.tiers:
        rank = row["tier_rank"]
        colour = TIER_COLOURS[(rank - 1) % len(TIER_COLOURS)] if rank else "grey50"
        figures: list[RenderableType] = []
        for count, part in (
            (f"{row['customers']:,}", row["customer_share"]),
            (money(row["window_revenue"]), row["window_revenue_share"]),
        ):
            figures += [count, percent(part), *([_bar(part, colour, bar_width)] if bar else [])]
        table.add_row(Text(say(row["label_en"], row["label_zh"]), style=colour), *figures)
    return table


def percent(share: float | Decimal | None) -> str:
    """A share as per cent with one decimal; nothing for None."""
    return "" if share is None else f"{100 * share:.1f} %"


def money(amount: Decimal | None) -> str:
    """An amount in whole units; nothing for None."""
    return "" if amount is None else f"{amount:,.0f}"


def _bar(share: float | Decimal | None, colour: str, width: int) -> Text:
    """A bar of eighths of characters; refunds can make a share negative, which shows as none."""
    eighths = round(float(min(max(share or 0, 0), 1)) * width * 8)
    full, rest = divmod(eighths, 8)
    return Text("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else ""), style=colour)


def _movements(summary: Summary, say: Language) -> list[Padding | Table | Text]:
    closed_on = summary.closed_on
    if closed_on is None:
        return [heading(say("Movements: no period has closed yet", "变动：尚无完结的周期"))]
    title = heading(
        say(
            f"Movements of the last closed period, to {closed_on}",
            f"上一完结周期的变动（截至 {closed_on}）",
        )
    )
    if not summary.movements:
        return [title, Text(say("none", "无"))]
    names = (say("Change", "变动"), ">" + say("Customers", "客户数"), say("Reason", "原因"))
    table = plain_table(*names)
    shown = None
    for row in summary.movements:
        change = say(row["change_en"], row["change_zh"])
        table.add_row(
            "" if change == shown else change,
            f"{row['customers']:,}",
            say(row["reason_en"], row["reason_zh"]),
        )
        shown = change
    return [title, table]


def _alerts(summary: Summary, say: Language) -> list[Padding | Table]:
    if not summary.alerts:
        return []
    severities = (say("High", "高"), say("Medium", "中"), say("Low", "低"))
    table = plain_table(say("Alert", "预警"), *(f">{severity}" for severity in severities))
    for row in summary.alerts:
        counts = (row[severity] for severity in ("high", "medium", "low"))
        table.add_row(
            say(row["alert_en"], row["alert_zh"]),
            *(f"{count:,}" if count else "" for count in counts),
        )
    return [heading(say("Open alerts", "当前预警")), table]


def _actions(summary: Summary, say: Language) -> list[Padding | Table]:
    if not summary.actions:
        return []
    names = (say("Action", "动作"), say("Who", "负责部门"), ">" + say("Customers", "客户数"))
    table = plain_table(*names)
    for row in summary.actions[:ACTIONS_SHOWN]:
        table.add_row(
            say(row["action_en"], row["action_zh"]),
            say(row["department_en"], row["department_zh"]),
            f"{row['customers']:,}",
        )
    more = summary.actions[ACTIONS_SHOWN:]
    if more:
        others = sum(row["customers"] for row in more)
        table.add_row(
            say(f"{len(more)} other actions", f"其他 {len(more)} 种动作"), "", f"{others:,}"
        )
    title = say("What to do next, the most urgent first", "下一步动作（最紧急的在前）")
    return [heading(title), table]


def _quality(summary: Summary, say: Language) -> Group:
    counts = (
        say("Rows", "行数"), say("Staged", "采用"), say("Duplicates", "重复"), say("Rejected", "拒绝"),
    )  # fmt: skip
    table = plain_table(say("Raw table", "原始表"), *(f">{name}" for name in counts))
    for row in summary.reconciliation:
        name, *figures = row.values()
        table.add_row(name, *(f"{figure:,}" for figure in figures))
    parts: list[Padding | Table] = [heading(say("Data quality", "数据质量")), table]
    if summary.rejected:
        parts.append(Padding(_rejected(summary, say), (1, 0, 0, 0)))
    if summary.warnings:
        warnings = plain_table(say("Worth a look", "值得留意"), say("Where", "涉及"))
        for row in summary.warnings:
            warnings.add_row(
                say(row["warning_en"], row["warning_zh"]),
                say(row["subjects_en"], row["subjects_zh"]),
                style="yellow",
            )
        parts.append(Padding(warnings, (1, 0, 0, 0)))
    return Group(*parts)


def _rejected(summary: Summary, say: Language) -> Table:
    table = plain_table(
        *(say("Raw column", "原始列"), say("Action", "处理"), say("Reason", "原因")),
        *(say("Commonest", "最常见的值"), ">" + say("Records", "记录数")),
    )
    table.columns[0].no_wrap = True
    for row in summary.rejected[:REASONS_SHOWN]:
        table.add_row(
            row["column_name"],
            say(row["action_en"], row["action_zh"]),
            say(row["reason_en"], row["reason_zh"]),
            row["commonest"],
            f"{row['records']:,}",
        )
    more = summary.rejected[REASONS_SHOWN:]
    if more:
        others = sum(row["records"] for row in more)
        table.add_row(
            "", "", say(f"{len(more)} other kinds", f"其他 {len(more)} 种"), "", f"{others:,}"
        )
    return table


def _next(summary: Summary, say: Language) -> Group:
    table = plain_table("", "")
    table.show_header = False
    folder = summary.publication.parent
    for what, where in (
        (say("Who is in which tier", "谁在哪个等级"), "marts.customer_tiers"),
        (
            say("Why: the points of each input", "为什么：各项输入的得分"),
            "marts.customer_score_details",
        ),
        (say("Where tiers are heading", "等级的走向"), "marts.tier_transitions"),
        (say("Every customer, every period", "每位客户、每个周期"), "marts.customer_periods"),
        (say("What just changed, with figures", "刚刚发生的变化和数字"), "marts.customer_alerts"),
        (say("Who should do what, and why", "谁该做什么、为什么"), "marts.customer_actions"),
        (say("What was rejected", "哪些被拒绝"), "quality.rejected_records"),
    ):
        table.add_row(what, Text(where, style="cyan", overflow="fold"))
    files = plain_table("", "")
    files.show_header = False
    for what, path in (
        (say("In a browser", "用浏览器打开"), folder / OVERVIEW),
        (say("In any DuckDB client", "用 DuckDB 客户端打开"), summary.publication),
        (say("What was audited", "审核了什么"), folder / AUDIT),
    ):
        if path.is_file():
            files.add_row(what, Text(str(path), style="cyan", overflow="fold"))
    return Group(
        heading(say("Tables to look at", "可以查看的表")),
        table,
        heading(say("What to open", "可以打开的文件")),
        files,
    )
