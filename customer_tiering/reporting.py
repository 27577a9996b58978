"""The summary of a publication: tiers, movements, alerts, actions and data quality."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
from rich.cells import cell_len
from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from customer_tiering.errors import SourceError
from customer_tiering.messages import without_values
from customer_tiering.publishing import file_of, open_publication

REASONS_SHOWN = 5  # of rejected records
ACTIONS_SHOWN = 8
BAR_WIDTH = 20  # characters for 100 %
SVG_WIDTH = 100  # characters
TIER_COLOURS = ("#b5763a", "#9aa5b1", "#d4a017", "#5fb3b3", "#4f9dde")
MOVEMENTS = ("enter", "upgrade", "downgrade", "leave")

_TIERS = """
with ladder as (
    select tiers.tier_code, tiers.label_en, tiers.label_zh
    from marts.tiers
    inner join (
        from marts.review_periods
        -- a publication of an earlier release has no such column
        union all by name select null::date as rules_valid_from where false
    ) as review_periods
        on tiers.version_valid_from = review_periods.rules_valid_from
    where review_periods.period_end = $as_of
)

select
    tier_summary.tier_code,
    tier_summary.tier_rank,
    coalesce(ladder.label_en, labels.label_en, tier_summary.tier_code) as label_en,
    coalesce(ladder.label_zh, labels.label_zh, '') as label_zh,
    tier_summary.customers,
    tier_summary.customers / nullif(sum(tier_summary.customers) over (), 0) as customer_share,
    tier_summary.window_revenue,
    tier_summary.window_revenue_share
from marts.tier_summary
left join ladder on tier_summary.tier_code = ladder.tier_code
left join marts.labels
    on labels.kind = 'tier' and tier_summary.tier_code = labels.code
where
    tier_summary.period_end = $as_of
    and (ladder.tier_code is not null or tier_summary.customers > 0)
order by tier_summary.tier_rank desc
"""

_MOVEMENTS = """
select
    movements.change_type,
    coalesce(changes.label_en, movements.change_type) as change_en,
    coalesce(changes.label_zh, '') as change_zh,
    coalesce(reasons.label_en, movements.reason_code, '') as reason_en,
    coalesce(reasons.label_zh, '') as reason_zh,
    movements.customers
from (
    select change_type, reason_code, count(*) as customers
    from marts.customer_periods
    where period_end = $closed_on and change_type in (select unnest($movements))
    group by 1, 2
) as movements
left join marts.labels as changes
    on changes.kind = 'change_type' and movements.change_type = changes.code
left join marts.labels as reasons
    on reasons.kind = 'reason_code' and movements.reason_code = reasons.code
order by list_position($movements, movements.change_type), movements.customers desc, reason_en
"""

_REJECTED = """
select
    rejected_records.source_table || '.' || rejected_records.column_name as column_name,
    rejected_records.action,
    coalesce(labels.label_en, rejected_records.reject_reason) as reason_en,
    coalesce(labels.label_zh, '') as reason_zh,
    coalesce(mode(rejected_records.shown_value order by rejected_records.shown_value), '') as commonest,
    count(*) as records
from (
    from quality.rejected_records
    -- a publication of an earlier release has no such column
    union all by name select null::varchar as shown_value where false
) as rejected_records
left join marts.labels
    on labels.kind = 'reject_reason' and rejected_records.reject_reason = labels.code
group by 1, 2, 3, 4
order by records desc, 1, 2, 3, 4
"""

_ALERTS = """
select
    coalesce(alerts.label_en, customer_alerts.alert_code) as alert_en,
    coalesce(alerts.label_zh, '') as alert_zh,
    count(*) filter (severity = 'high') as high,
    count(*) filter (severity = 'medium') as medium,
    count(*) filter (severity = 'low') as low
from marts.customer_alerts
left join marts.labels as alerts
    on alerts.kind = 'alert' and customer_alerts.alert_code = alerts.code
where is_open
group by 1, 2
order by high desc, medium desc, low desc, 1
"""

_ACTIONS = """
select
    coalesce(actions.label_en, customer_actions.action_code) as action_en,
    coalesce(actions.label_zh, '') as action_zh,
    coalesce(departments.label_en, customer_actions.owner_department, '') as department,
    count(*) as customers
from marts.customer_actions
left join marts.labels as actions
    on actions.kind = 'action' and customer_actions.action_code = actions.code
left join marts.labels as departments
    on departments.kind = 'department' and customer_actions.owner_department = departments.code
where customer_actions.action_code <> 'none'
group by 1, 2, 3
order by min(customer_actions.priority), 1
"""

# rows_rejected says again what reconciliation shows; other rows are shown nowhere else.
_WARNINGS = """
select
    coalesce(labels.label_en, warnings.warning_code) as warning_en,
    coalesce(labels.label_zh, '') as warning_zh,
    string_agg(
        warnings.subject || coalesce(': ' || rules.label_en || ' ' || rules.label_zh, '') || coalesce(' (' || counted.unit || ': ' || concat_ws(
            ', ',
            format('{:,}', warnings.observed),
            format('{:.1f} % of ', 100 * warnings.share) || warnings.subject,
            format('amount: {:,.2f}', warnings.amount),
            format('{:.1f} % of revenue', 100 * warnings.amount_share)
        ) || ')', ''),
        ', ' order by warnings.subject
    ) as subjects
from (
    from quality.warnings
    union all by name
    select null::decimal(9, 6) as share, null::decimal(9, 6) as amount_share, null::varchar as binding_rule where false
) as warnings
left join (values
    ('undecided_duplicates', 'rows'),
    ('many_duplicates', 'rows'),
    ('unused_rows', 'rows'),
    ('unknown_customers', 'customers'),
    ('similar_customer_ids', 'customers'),
    ('guest_share', 'orders'),
    ('consent_unknown', 'customers'),
    ('erasure_of_unknown_customer', 'requests'),
    ('no_new_orders', 'rows')
) as counted (warning_code, unit)
    on warnings.warning_code = counted.warning_code
left join marts.labels
    on labels.kind = 'warning' and warnings.warning_code = labels.code
left join marts.labels as rules
    on rules.kind = 'binding_rule' and warnings.binding_rule = rules.code
where warnings.warning_code <> 'rows_rejected'
group by 1, 2
order by 1, 2
"""


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
        tiers=rows(_TIERS, as_of=as_of),
        movements=rows(_MOVEMENTS, closed_on=closed_on, movements=list(MOVEMENTS)),
        alerts=rows(_ALERTS),
        actions=rows(_ACTIONS),
        reconciliation=rows(
            "select source_table, rows_in, rows_staged, rows_duplicate, rows_rejected "
            "from quality.reconciliation where rows_in > 0 order by 1"
        ),
        rejected=rows(_REJECTED),
        warnings=rows(_WARNINGS),
    )


def print_summary(summary: Summary, console: Console) -> None:
    """Print the summary, English with Chinese beside."""
    console.print(_rendered(summary))


def save_svg(summary: Summary, path: Path) -> None:
    """Draw the summary as an SVG that refers to nothing outside itself."""
    console = Console(record=True, width=SVG_WIDTH, file=_Nowhere(), force_terminal=True)
    console.print(_rendered(summary))
    svg = console.export_svg(title="tiering report", unique_id="tiering-report")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'textLength="([0-9.]+)"([^>]*)>([^<]*)<', _in_cells, svg)
    path.write_text(svg, encoding="utf-8")


def _in_cells(drawn: re.Match[str]) -> str:
    """A drawn text with the width of its cells: Rich gives it that of its characters, and Chinese ones take two."""
    text = unescape(drawn[3])
    width = float(drawn[1]) * cell_len(text) / max(len(text), 1)
    return f'textLength="{width:g}"{drawn[2]}>{drawn[3]}<'


class _Nowhere(StringIO):
    """A file that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)


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
