"""What a simulation found: tiers before and after, who moves, the revenue of those, the cost of benefits."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from pathlib import Path

import duckdb

from customer_tiering.errors import BuildError
from customer_tiering.exporting import escaped
from customer_tiering.language import Words
from customer_tiering.publishing import UNFINISHED
from customer_tiering.queries import query
from customer_tiering.quoting import identifier, literal
from customer_tiering.replaying import version_on
from customer_tiering.rules import Change
from customer_tiering.seed_rules.tiers import TIERLESS
from customer_tiering.seeds import Seeds, TierBenefit
from customer_tiering.simulating.configuring import Simulated, rule_changes

CENT = Decimal("0.01")
DAYS_OF_A_YEAR = 365
FILE_COLUMNS = (
    *("customer_id", "tier_code", "simulated_tier_code", "segment_code", "simulated_segment_code"),
    *("value_matrix_code", "simulated_value_matrix_code", "lifecycle_stage"),
    *("simulated_lifecycle_stage", "movement", "reason"),
    *("management_score", "simulated_management_score", "window_revenue"),
)


class Basis(Enum):
    """What the simulation is compared with."""

    PUBLICATION = Words("the publication", "当前发布")
    OTHER_DATE = Words(
        "the published rules, computed as of another date than the publication's",
        "已发布的规则，按另一截止日期计算",
    )
    NOT_PUBLISHED = Words(
        "the published rules, computed from the raw tables as last landed, which may not be those of the publication",
        "已发布的规则，按最近一次载入的原始表计算（可能与发布时不同）",
    )
    OTHER_PROJECT = Words(
        "the published rules, computed by the project as it is now: its models are not those of the publication",
        "已发布的规则，按当前项目计算（模型与发布时不同）",
    )


@dataclass(frozen=True)
class Move:
    """Customers of a tier before and a tier after, and their window revenue before."""

    tier_code: str
    simulated_tier_code: str
    tier_rank: int
    simulated_tier_rank: int
    customers: int
    window_revenue: Decimal


@dataclass(frozen=True)
class TierTotal:
    """A tier before and after: customers, window revenue, and what its benefits cost in a year."""

    tier_code: str
    label: Words
    tier_rank: int
    customers: int
    simulated_customers: int
    window_revenue: Decimal
    simulated_window_revenue: Decimal
    benefit_cost: Decimal
    simulated_benefit_cost: Decimal


@dataclass(frozen=True)
class Outcome:
    """What a simulation found.

    `moves` has a row for each pair of tiers that somebody holds, the highest first; `movements` counts customers by
    movement and reason. `other_scores` counts those with another management score. `future_versions` are first days of rule
    versions after the newest review: nothing of them shows yet.
    """

    publication: str
    basis: Basis
    as_of_date: date | None
    currency: str
    changes: list[Change]
    tiers: list[TierTotal]
    moves: list[Move]
    movements: dict[tuple[str, str], int]
    other_scores: int
    future_versions: list[date]

    @property
    def customers(self) -> int:
        """How many customers are compared."""
        return sum(move.customers for move in self.moves)

    def moving(self, direction: int) -> list[Move]:
        """The moves to a higher tier (1) or to a lower one (-1)."""
        return [m for m in self.moves if (m.simulated_tier_rank - m.tier_rank) * direction > 0]


def read_outcome(
    connection: duckdb.DuckDBPyConnection,
    before: Simulated,
    after: Simulated,
    basis: Basis,
    publication: str,
) -> Outcome:
    """Compare simulation.before and simulation.after; who moves is the table simulation.moves then."""
    connection.execute(f"create table simulation.moves as {query('simulated_moves')}")
    moves = [
        Move(*row)
        for row in connection.execute(
            "select tier_code, simulated_tier_code, tier_rank, simulated_tier_rank, count(*), sum(window_revenue) "
            "from simulation.moves group by all order by tier_rank desc, simulated_tier_rank desc, 1, 2"
        ).fetchall()
    ]
    counted = connection.execute(
        "select movement, reason, count(*) from simulation.moves where movement is not null group by all order by all"
    ).fetchall()
    [(other_scores,)] = connection.execute(
        "select count(*) from simulation.moves where has_other_score"
    ).fetchall()
    [(as_of,)] = connection.execute("select as_of_date from simulation.dates").fetchall()
    versions = {row.version_valid_from for row in after.configuration.seeds.tiers}
    return Outcome(
        publication=publication,
        basis=basis,
        as_of_date=as_of,
        currency=before.settings.reporting_currency,
        changes=rule_changes(before, after),
        tiers=_totals(moves, before, after, as_of),
        moves=moves,
        movements={(movement, reason): count for movement, reason, count in counted},
        other_scores=other_scores,
        future_versions=sorted(v for v in versions if as_of is None or v > as_of),
    )


def write_moves(connection: duckdb.DuckDBPyConnection, out: Path) -> None:
    """Write a row for each customer of simulation.moves who moves, as CSV or Parquet by the file's ending.

    The file is there when it is complete, or not at all, for its owner alone. Raises BuildError.
    """
    new = out.with_name(f"{out.name}{UNFINISHED}")
    columns = ", ".join(identifier(column) for column in FILE_COLUMNS)
    selected = (
        f"select {columns} from simulation.moves where movement is not null order by customer_id"
    )
    try:
        if out.suffix == ".parquet":
            connection.execute(
                f"copy ({selected}) to {literal(new)} (format parquet, compression zstd)"
            )
        else:
            cursor = connection.execute(selected)
            with new.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(FILE_COLUMNS)
                while rows := cursor.fetchmany(10_000):
                    writer.writerows((escaped(row[0]), *row[1:]) for row in rows)
        os.replace(new, out)
    except OSError as error:
        raise BuildError(f"writing {out} failed: {error.strerror}.") from None
    finally:
        new.unlink(missing_ok=True)


def _totals(
    moves: Iterable[Move], before: Simulated, after: Simulated, as_of: date | None
) -> list[TierTotal]:
    """Every tier of both ladders in force, the highest first, and no tier."""
    moves = list(moves)
    ranks = {TIERLESS: 0}
    labels = {TIERLESS: Words("No tier", "无等级")}
    for simulated in (before, after):
        for code, (rank, label) in _ladder(simulated.configuration.seeds, as_of).items():
            ranks[code], labels[code] = rank, label
    for move in moves:  # tiers that are held still, though the ladder has them no more
        ranks.setdefault(move.tier_code, move.tier_rank)
        ranks.setdefault(move.simulated_tier_code, move.simulated_tier_rank)
    totals = []
    for code in sorted(ranks, key=lambda code: (-ranks[code], code)):
        held = [move for move in moves if move.tier_code == code]
        holds = [move for move in moves if move.simulated_tier_code == code]
        totals.append(
            TierTotal(
                code,
                labels.get(code, Words(code, code)),
                ranks[code],
                customers := _customers(held),
                simulated_customers := _customers(holds),
                revenue := _revenue(held),
                simulated_revenue := _revenue(holds),
                cost_of_benefits(before, code, customers, revenue, before),
                cost_of_benefits(after, code, simulated_customers, simulated_revenue, before),
            )
        )
    return totals


def cost_of_benefits(
    rules: Simulated, tier_code: str, customers: int, revenue: Decimal, window_of: Simulated
) -> Decimal:
    """What the benefits of a tier cost in a year, by the rules' seed: per customer, and of revenue.

    A year's revenue is taken from that of the window of `window_of`.
    """
    benefits: list[TierBenefit] = [
        row for row in rules.configuration.seeds.tier_benefits if row.tier_code == tier_code
    ]
    yearly = revenue * DAYS_OF_A_YEAR / window_of.settings.rfm_window_days
    cost = sum(
        (row.yearly_cost * customers + row.percent_of_revenue * yearly / 100 for row in benefits),
        Decimal(),
    )
    return cost.quantize(CENT, ROUND_HALF_UP)


def _ladder(seeds: Seeds, as_of: date | None) -> dict[str, tuple[int, Words]]:
    """Rank and label of the tiers of the ladder that is in force, by code."""
    version = version_on(seeds.tiers, as_of or date.min)
    return {
        row.tier_code: (row.tier_rank, Words(row.label_en, row.label_zh))
        for row in seeds.tiers
        if row.version_valid_from == version
    }


def _customers(moves: Iterable[Move]) -> int:
    return sum(move.customers for move in moves)


def _revenue(moves: Iterable[Move]) -> Decimal:
    return sum((move.window_revenue for move in moves), Decimal())
