"""The business's own rules: the seeds, and the vars of the project with their defaults."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

# Vars that say where the data is or when the build runs; they reach the oracle as arguments.
VARS_GIVEN_ELSEWHERE = frozenset({"raw_path", "raw_schema", "run_date"})
NO_TIER = "none"


@dataclass(frozen=True)
class TierRule:
    """One tier of one version of the ladder. Minimum revenue None means no limit."""

    tier_code: str
    tier_rank: int
    enter_score: Decimal
    keep_score: Decimal
    enter_min_orders: int
    keep_min_orders: int
    enter_min_revenue: Decimal | None
    keep_min_revenue: Decimal | None


@dataclass(frozen=True)
class Ladder:
    """One version of the tiers, complete and ordered by rank, valid from its date on."""

    version_valid_from: date
    tiers: tuple[TierRule, ...]

    def tier(self, rank: int) -> TierRule | None:
        """Return the tier of a rank, None where this version has none (rank 0 included)."""
        return next((tier for tier in self.tiers if tier.tier_rank == rank), None)


@dataclass(frozen=True)
class ComponentWeight:
    """A component's nominal weight, and those of its inputs, in seed order."""

    component: str
    weight: Decimal
    inputs: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class Cell:
    """A box of score cells (inclusive limits) and the code it stands for."""

    code: str
    r_from: int
    r_to: int
    f_from: int
    f_to: int
    m_from: int
    m_to: int

    def holds(self, r: int, f: int, m: int) -> bool:
        """Whether the cell (r, f, m) lies in this box."""
        return (
            self.r_from <= r <= self.r_to
            and self.f_from <= f <= self.f_to
            and self.m_from <= m <= self.m_to
        )


@dataclass(frozen=True)
class LifecycleRule:
    """One rule of the lifecycle: limits of the order days, and ratios to the expected gap.

    Limits and ratios are inclusive; None means any.
    """

    lifecycle_stage: str
    order_days_from: int
    order_days_to: int | None
    gap_ratio_from: Decimal | None
    break_ratio_from: Decimal | None

    def matches(
        self,
        order_days: int,
        recency_days: int | None,
        last_gap_days: int | None,
        expected_gap_days: Decimal | None,
    ) -> bool:
        """Whether the rule matches; days that are not known do not reach a ratio that is given."""
        return (
            self.order_days_from <= order_days
            and (self.order_days_to is None or order_days <= self.order_days_to)
            and _reaches(recency_days, self.gap_ratio_from, expected_gap_days)
            and _reaches(last_gap_days, self.break_ratio_from, expected_gap_days)
        )


def _reaches(days: int | None, ratio: Decimal | None, expected_gap_days: Decimal | None) -> bool:
    if ratio is None:
        return True
    if days is None or expected_gap_days is None:
        return False
    return days >= ratio * expected_gap_days


@dataclass(frozen=True)
class AlertRule:
    """From which figures on an alert holds, how severe it then is and what it recommends.

    ``measure_below`` is exclusive, the other limits are inclusive; None means any.
    """

    alert_code: str
    severity: str
    measure_from: Decimal | None
    measure_below: Decimal | None
    basis_from: Decimal | None
    tier_rank_from: int | None
    action_code: str

    def matches(self, measure: Decimal, basis: int | None, tier_rank: int) -> bool:
        """Whether the rule matches; a basis that is not known reaches none that is given."""
        return (
            (self.measure_from is None or measure >= self.measure_from)
            and (self.measure_below is None or measure < self.measure_below)
            and (self.basis_from is None or (basis is not None and basis >= self.basis_from))
            and (self.tier_rank_from is None or tier_rank >= self.tier_rank_from)
        )


@dataclass(frozen=True)
class Play:
    """One row of the playbook: an action, and the customers it is for (None: any).

    ``because`` is the reason in English, with places for the figures of the alert.
    """

    priority: int
    action_code: str
    owner_department: str | None
    channel: str | None
    offer: str | None
    stance: str
    is_marketing: bool
    tier_rank_from: int | None
    tier_rank_to: int | None
    segment_code: str | None
    lifecycle_stage: str | None
    alert_code: str | None
    because: str | None


@dataclass(frozen=True)
class CompanySize:
    """A word for a size, in small letters; the bounds in employees are inclusive, None for none."""

    name: str
    company_size: str
    employees_from: int | None
    employees_to: int | None


@dataclass(frozen=True)
class Rules:
    """Seeds and vars of one build. Vars carry the names and defaults of the project's own."""

    order_statuses: dict[str, str]
    channel_types: dict[str, str]
    nobody_words: dict[str, str]
    fixed_edges: dict[str, tuple[Decimal, ...]]
    segment_maps: dict[str, tuple[Cell, ...]]
    bands: dict[str, tuple[Cell, ...]]
    profiles: dict[str, tuple[ComponentWeight, ...]]
    star_ratings: tuple[tuple[int, Decimal], ...]
    lifecycle: tuple[LifecycleRule, ...]
    ladders: tuple[Ladder, ...]
    alert_rules: tuple[AlertRule, ...]
    playbook: tuple[Play, ...]
    contact_rhythms: dict[int, int]
    recommending_offers: frozenset[str]
    industries: dict[str, tuple[str, str]]
    company_sizes: tuple[CompanySize, ...]
    high_net_worth_bands: tuple[tuple[str, Decimal], ...]
    age_bands: dict[str, tuple[int, int]]
    budget_weights: dict[str, Decimal]

    as_of_date: str | date = "latest"
    history_starts_on: date = date(2000, 1, 1)
    review_period: str = "month"
    source_time_zone: str = "UTC"
    business_time_zone: str = "UTC"
    reporting_currency: str = "CNY"
    rfm_window_days: int = 365
    rfm_edges: str = "quantile"
    rfm_edges_frozen_on: date | None = None
    rfm_min_customers: int = 20
    score_profile: str = "retail"
    balance_valid_days: int = 92
    lifecycle_min_gaps: int = 3
    lifecycle_default_gap_days: int = 90
    tier_min_hold_periods: int = 3
    tier_grace_periods: int = 1
    tier_downgrade: str = "one_level"
    tier_validity: str = "rolling"
    change_details_min_points: int = 1
    tier_level: str = "customer"
    campaign_response_days: int = 30
    holdout_percent: int = 0
    alert_recent_days: int = 90
    max_open_actions: int = 3
    profile_attributes: tuple[str, ...] = ()
    profile_dimensions: tuple[str, ...] = ()
    min_group_size: int = 5
    affinity_min_baskets: int = 20
    affinity_max_products: int = 500

    # One computation for every set of known inputs and coverages (see scores.weights_of).
    weight_cache: dict[tuple[frozenset[str], tuple[int, ...]], Any] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    @classmethod
    def from_seeds(
        cls, folder: str | Path, profile: str | None = None, **project_vars: Any
    ) -> Rules:
        """Read the seeds of a folder and set the given vars.

        ``profile`` is short for the var ``score_profile``. Dates may be given as ISO text. Raises
        ValueError when the profile is not in the seed and TypeError for an unknown var.
        """
        folder = Path(folder)
        given = {
            name: value for name, value in project_vars.items() if name not in VARS_GIVEN_ELSEWHERE
        }
        if profile is not None:
            given["score_profile"] = profile
        given.update(_dates(given))
        rules = cls(
            order_statuses=_mapping(folder, "order_statuses", "source_status", "order_status"),
            channel_types=_mapping(folder, "sales_channels", "channel", "channel_type"),
            nobody_words=_mapping(folder, "nobody_words", "word", "holds"),
            fixed_edges=_fixed_edges(folder),
            segment_maps=_cells(folder, "rfm_segments", "segment_map", "segment_code"),
            bands=_cells(folder, "rfm_bands", "band", "band_code"),
            profiles=_profiles(folder),
            star_ratings=_star_ratings(folder),
            lifecycle=lifecycle_from(_read(folder, "lifecycle")),
            ladders=ladders_from(_read(folder, "tiers")),
            alert_rules=alert_rules_from(_read(folder, "alert_rules")),
            playbook=playbook_from(_read(folder, "playbook")),
            contact_rhythms={
                int(row["tier_rank_from"]): int(row["days_between_contacts"])
                for row in _read(folder, "contact_rhythms")
            },
            recommending_offers=frozenset(
                row["offer"] for row in _read(folder, "recommending_offers")
            ),
            industries={
                row["industry_name"].lower(): (row["industry"], row["industry_group"])
                for row in _read(folder, "industries")
            },
            company_sizes=tuple(
                CompanySize(
                    row["company_size_name"].lower(),
                    row["company_size"],
                    _int_or_none(row["employees_from"]),
                    _int_or_none(row["employees_to"]),
                )
                for row in _read(folder, "company_sizes")
            ),
            high_net_worth_bands=high_net_worth_bands_from(_read(folder, "high_net_worth_bands")),
            age_bands={
                row["age_band"]: (int(row["age_from"]), int(row["age_to"]))
                for row in _read(folder, "age_bands")
            },
            budget_weights={
                row["driver"]: Decimal(row["weight"]) for row in _read(folder, "budget_weights")
            },
            **given,
        )
        if rules.score_profile not in rules.profiles:
            raise ValueError(f"score_profile {rules.score_profile!r} is not in score_weights.csv")
        return rules

    @cached_property
    def components(self) -> tuple[ComponentWeight, ...]:
        """The chosen profile's components in seed order."""
        return self.profiles[self.score_profile]

    @cached_property
    def tier_codes(self) -> dict[int, str]:
        """Rank to code over all versions, and 0 for no tier; the pairs never change."""
        codes = {tier.tier_rank: tier.tier_code for ladder in self.ladders for tier in ladder.tiers}
        return {0: NO_TIER, **codes}

    def ladder_on(self, day: date) -> Ladder:
        """The newest version valid on a day; before the first version, the first."""
        valid = [ladder for ladder in self.ladders if ladder.version_valid_from <= day]
        return valid[-1] if valid else self.ladders[0]


def ladders_from(rows: list[dict[str, str]]) -> tuple[Ladder, ...]:
    """Turn the rows of the seed tiers.csv into ladders, oldest first."""
    versions: dict[date, list[TierRule]] = defaultdict(list)
    for row in rows:
        versions[date.fromisoformat(row["version_valid_from"])].append(
            TierRule(
                tier_code=row["tier_code"],
                tier_rank=int(row["tier_rank"]),
                enter_score=Decimal(row["enter_score"]),
                keep_score=Decimal(row["keep_score"]),
                enter_min_orders=int(row["enter_min_orders"] or 0),
                keep_min_orders=int(row["keep_min_orders"] or 0),
                enter_min_revenue=_decimal_or_none(row["enter_min_revenue"]),
                keep_min_revenue=_decimal_or_none(row["keep_min_revenue"]),
            )
        )
    return tuple(
        Ladder(valid_from, tuple(sorted(tiers, key=lambda tier: tier.tier_rank)))
        for valid_from, tiers in sorted(versions.items())
    )


def lifecycle_from(rows: list[dict[str, str]]) -> tuple[LifecycleRule, ...]:
    """Turn the rows of the seed lifecycle.csv into rules, the smallest priority first."""
    return tuple(
        LifecycleRule(
            lifecycle_stage=row["lifecycle_stage"],
            order_days_from=int(row["order_days_from"]),
            order_days_to=_int_or_none(row["order_days_to"]),
            gap_ratio_from=_decimal_or_none(row["gap_ratio_from"]),
            break_ratio_from=_decimal_or_none(row["break_ratio_from"]),
        )
        for row in sorted(rows, key=lambda row: int(row["priority"]))
    )


def alert_rules_from(rows: list[dict[str, str]]) -> tuple[AlertRule, ...]:
    """Turn the rows of the seed alert_rules.csv into rules, in their own order."""
    return tuple(
        AlertRule(
            alert_code=row["alert_code"],
            severity=row["severity"],
            measure_from=_decimal_or_none(row["measure_from"]),
            measure_below=_decimal_or_none(row["measure_below"]),
            basis_from=_decimal_or_none(row["basis_from"]),
            tier_rank_from=_int_or_none(row["tier_rank_from"]),
            action_code=row["action_code"],
        )
        for row in rows
    )


def playbook_from(rows: list[dict[str, str]]) -> tuple[Play, ...]:
    """Turn the rows of the seed playbook.csv into plays, the smallest priority first."""
    return tuple(
        Play(
            priority=int(row["priority"]),
            action_code=row["action_code"],
            owner_department=row["owner_department"] or None,
            channel=row["channel"] or None,
            offer=row["offer"] or None,
            stance=row["stance"],
            is_marketing=row["is_marketing"].lower() == "true",
            tier_rank_from=_int_or_none(row["tier_rank_from"]),
            tier_rank_to=_int_or_none(row["tier_rank_to"]),
            segment_code=row["segment_code"] or None,
            lifecycle_stage=row["lifecycle_stage"] or None,
            alert_code=row["alert_code"] or None,
            because=row["because_en"] or None,
        )
        for row in sorted(rows, key=lambda row: int(row["priority"]))
    )


def high_net_worth_bands_from(rows: list[dict[str, str]]) -> tuple[tuple[str, Decimal], ...]:
    """Turn the rows of the seed high_net_worth_bands.csv into bands, the lowest first."""
    bands = [(row["high_net_worth"], Decimal(row["balance_from"])) for row in rows]
    return tuple(sorted(bands, key=lambda band: band[1]))


def _read(folder: Path, seed: str) -> list[dict[str, str]]:
    with open(folder / f"{seed}.csv", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _mapping(folder: Path, seed: str, key: str, value: str) -> dict[str, str]:
    return {row[key].lower(): row[value] for row in _read(folder, seed)}


def _fixed_edges(folder: Path) -> dict[str, tuple[Decimal, ...]]:
    return {
        row["metric"]: tuple(Decimal(row[f"edge_{number}"]) for number in range(1, 5))
        for row in _read(folder, "rfm_fixed_edges")
    }


def _cells(folder: Path, seed: str, group: str, code: str) -> dict[str, tuple[Cell, ...]]:
    """Boxes by group, in order of priority where the seed has one (first match wins)."""
    limits = ("r_from", "r_to", "f_from", "f_to", "m_from", "m_to")
    groups: dict[str, list[Cell]] = defaultdict(list)
    for row in sorted(_read(folder, seed), key=lambda row: int(row.get("priority") or 0)):
        groups[row[group]].append(Cell(row[code], *(int(row[limit]) for limit in limits)))
    return {name: tuple(cells) for name, cells in groups.items()}


def _profiles(folder: Path) -> dict[str, tuple[ComponentWeight, ...]]:
    rows = sorted(_read(folder, "score_weights"), key=lambda row: int(row["sort_order"]))
    inputs: dict[tuple[str, str], list[tuple[str, Decimal]]] = defaultdict(list)
    for row in rows:
        if row["input"]:
            inputs[row["profile"], row["component"]].append((row["input"], Decimal(row["weight"])))
    profiles: dict[str, list[ComponentWeight]] = defaultdict(list)
    for row in rows:
        if not row["input"]:
            profile, component = row["profile"], row["component"]
            profiles[profile].append(
                ComponentWeight(
                    component, Decimal(row["weight"]), tuple(inputs[profile, component])
                )
            )
    return {name: tuple(components) for name, components in profiles.items()}


def _star_ratings(folder: Path) -> tuple[tuple[int, Decimal], ...]:
    rows = [
        (int(row["star_rating"]), Decimal(row["min_score"]))
        for row in _read(folder, "star_ratings")
    ]
    return tuple(sorted(rows))


def _decimal_or_none(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _int_or_none(text: str) -> int | None:
    return int(text) if text else None


def _dates(given: dict[str, Any]) -> dict[str, date | None]:
    """The date vars among the given, read from ISO text ('' is None)."""
    names = {"history_starts_on", "rfm_edges_frozen_on"} & given.keys()
    return {
        name: date.fromisoformat(given[name])
        if isinstance(given[name], str) and given[name]
        else given[name] or None
        for name in names
    }
