"""A publication of made-up customers, with what the page reads of it and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

BEGAN, YEAR_BEFORE = date(2023, 6, 30), date(2024, 5, 31)
BEFORE, CLOSED_ON, AS_OF = date(2025, 4, 30), date(2025, 5, 31), date(2025, 6, 15)


@dataclass(frozen=True)
class Customer:
    """A customer today and at the last review. `tier` is None for those who never ordered, `moved` without a review."""

    tier: str | None = "gold"
    segment: str = "loyal"
    stage: str = "active"
    scores: tuple[int, int] = (5, 5)
    frequency: int = 1
    revenue: Decimal = Decimal("100.00")
    moved: tuple[str, str, str | None, str | None] | None = None  # before, after, change, reason
    alerts: tuple[tuple[str, str], ...] = ()  # code, severity
    actions: tuple[tuple[str | None, str], ...] = ()  # department, code
    region: str | None = None
    industry: str | None = None
    category: str | None = None
    channel: str | None = None
    year_before: Decimal | None = None  # revenue of the window then
    to_next: Decimal | None = None  # revenue that is missing to the next tier
    contacts: int = 0  # tickets and calls


TIERS = ("none", "silver", "gold", "diamond")  # by rank
LABELS = (("tier", "none", "No tier", "无等级"),)


def made_up(
    file: Path,
    customers: Sequence[Customer],
    labels: Iterable[tuple[str, str, str, str]] = LABELS,
    tier_labels: Sequence[tuple[str, str]] = (),
    warnings: Iterable[tuple[str, str]] = (),
    currency: str = "EUR",
    starts_on: date = date(2023, 6, 1),
    campaigns: Iterable[Sequence[object]] = (),
) -> Path:
    """Write the publication into a file. `tier_labels` are those of TIERS, English and Chinese.

    `campaigns` are rows of campaign_effects, from campaign_id to cost.
    """
    names = tier_labels or [(code.title(), code) for code in TIERS]
    ordered = any(customer.tier for customer in customers)
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema marts; create schema quality")

        def table(name: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
            connection.execute(f"create table {name} ({columns})")
            if rows := [list(row) for row in rows]:
                places = ", ".join("?" for _ in rows[0])
                connection.executemany(f"insert into {name} values ({places})", rows)

        table(
            "marts.review_periods",
            "period_start date, period_end date, is_open_period boolean, rules_valid_from date",
            [
                (starts_on, BEGAN, False, date(2000, 1, 1)),
                (date(2024, 5, 1), YEAR_BEFORE, False, date(2000, 1, 1)),
                (date(2025, 4, 1), BEFORE, False, date(2000, 1, 1)),
                (date(2025, 5, 1), CLOSED_ON, False, date(2000, 1, 1)),
                (date(2025, 6, 1), AS_OF, True, date(2000, 1, 1)),
            ]
            if ordered
            else [],
        )
        ladder = [(code, rank, *names[rank]) for rank, code in enumerate(TIERS)]
        table(
            "marts.tiers",
            "version_valid_from date, tier_code varchar, tier_rank int, label_en varchar, label_zh varchar",
            [(date(2000, 1, 1), *row) for row in ladder[1:]],
        )
        table(
            "marts.labels",
            "kind varchar, code varchar, label_en varchar, label_zh varchar",
            [*labels, *(("tier", code, *words) for code, _, *words in ladder[1:])],
        )
        table(
            "marts.tier_summary",
            "period_end date, tier_code varchar, tier_rank int, customers bigint, window_revenue decimal(18, 2), "
            "window_revenue_share decimal(9, 6)",
            [
                (AS_OF, code, rank, len(of_tier), sum(c.revenue for c in of_tier), None)
                for code, rank, *_ in ladder
                for of_tier in [[c for c in customers if c.tier == code]]
            ]
            if ordered
            else [],
        )
        table(
            "marts.customers",
            "customer_id varchar, reviewed_customer_id varchar, segment_code varchar, lifecycle_stage varchar, "
            "region varchar, industry varchar",
            [
                (f"c{place}", f"c{place}", c.segment, c.stage, c.region, c.industry)
                for place, c in enumerate(customers)
            ],
        )
        table(
            "marts.customer_periods",
            "customer_id varchar, period_end date, tier_code varchar, tier_code_before varchar, "
            "change_type varchar, reason_code varchar, r_score int, f_score int, frequency int, "
            "monetary decimal(18, 2), period_revenue decimal(18, 2), favourite_category varchar, "
            "favourite_channel varchar, lifecycle_stage varchar",
            [
                *(
                    (f"c{place}", AS_OF, c.tier, "none", None, None)
                    + (*c.scores, c.frequency, c.revenue, c.revenue, c.category, c.channel, c.stage)
                    for place, c in enumerate(customers)
                    if c.tier
                ),
                *(
                    (f"c{place}", CLOSED_ON, c.moved[1], c.moved[0])
                    + (
                        *c.moved[2:],
                        *c.scores,
                        1,
                        c.revenue,
                        c.revenue,
                        c.category,
                        c.channel,
                        c.stage,
                    )
                    for place, c in enumerate(customers)
                    if c.moved
                ),
                *(
                    (f"c{place}", YEAR_BEFORE, "silver", "none", None, None)
                    + (*c.scores, 1, c.year_before, Decimal(0), c.category, c.channel, c.stage)
                    for place, c in enumerate(customers)
                    if c.year_before is not None
                ),
            ],
        )
        table(
            "marts.customer_tiers",
            "customer_id varchar, tier_code varchar, revenue_to_next decimal(18, 2)",
            [(f"c{place}", c.tier, c.to_next) for place, c in enumerate(customers) if c.tier],
        )
        table(
            "marts.tier_economics",
            "tier_code varchar, tier_rank int, customers bigint, served_customers bigint, window_revenue decimal(18, 2), "
            "growth_potential decimal(18, 2), service_contacts bigint, recommended_budget_share decimal(7, 6), "
            "as_of_date date",
            [
                (code, rank, len(of_tier), sum(c.contacts > 0 for c in of_tier))
                + (sum(c.revenue for c in of_tier), sum(c.to_next or 0 for c in of_tier))
                + (sum(c.contacts for c in of_tier), Decimal("0.25"), AS_OF)
                for code, rank, *_ in ladder
                for of_tier in [[c for c in customers if c.tier == code]]
            ]
            if ordered
            else [],
        )
        table(
            "marts.campaign_effects",
            "campaign_id varchar, campaign_name varchar, starts_on date, effect_status varchar, treated bigint, "
            "held_out bigint, treated_responses bigint, held_out_responses bigint, effect decimal(9, 6), "
            "effect_low decimal(9, 6), effect_high decimal(9, 6), incremental_revenue decimal(18, 2), "
            "incremental_revenue_low decimal(18, 2), incremental_revenue_high decimal(18, 2), "
            "cost decimal(18, 2), dimension varchar",
            [(*row, "all") for row in campaigns],
        )
        table(
            "marts.customer_alerts",
            "customer_id varchar, alert_code varchar, severity varchar, is_open boolean",
            [(f"c{place}", *a, True) for place, c in enumerate(customers) for a in c.alerts],
        )
        table(
            "marts.customer_actions",
            "customer_id varchar, owner_department varchar, action_code varchar, due_on date",
            [
                (f"c{place}", *a, AS_OF if ordered else None)
                for place, c in enumerate(customers)
                for a in c.actions
            ],
        )
        table(
            "quality.reconciliation",
            "rows_in bigint, rows_rejected bigint",
            [(len(customers), 0)] if customers else [],
        )
        table("quality.settings", "reporting_currency varchar", [(currency,)])
        table("quality.warnings", "warning_code varchar, subject varchar", warnings)
    return file
