"""The business's rules (seeds/*.csv): how they are read, and what each cell of a row may hold.

A cell's allowed values are said once, in the description of its type; messages quote it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from customer_tiering.errors import ConfigurationError

SegmentMap = Literal["standard", "value_matrix"]
Band = Literal["value_class", "purchasing_power", "purchase_frequency_band", "buyer_type"]
StatusOfOrder = Literal["pending", "completed", "cancelled", "returned"]
Metric = Literal["recency", "frequency", "monetary"]
LifecycleStage = Literal[
    "prospect", "new", "developing", "active", "at_risk", "dormant", "lost", "won_back"
]
Alert = Literal[
    "purchases_slowing",
    "spend_drop",
    "complaint_surge",
    "unanswered_complaint",
    "detractor_in_high_tier",
    "downgrade_ahead",
    "silent_high_value",
    "unusually_good_period",
    "one_order_to_next_tier",
]
BudgetDriver = Literal["window_revenue", "revenue_at_risk", "growth_potential", "service_contacts"]
TrueOrFalse = Literal["true", "false"]

SEGMENT_MAPS: tuple[str, ...] = get_args(SegmentMap)
BANDS: tuple[str, ...] = get_args(Band)
ORDER_STATUSES: tuple[str, ...] = get_args(StatusOfOrder)
METRICS: tuple[Metric, ...] = get_args(Metric)
BUDGET_DRIVERS: tuple[BudgetDriver, ...] = get_args(BudgetDriver)

COMPONENT_INPUTS = {
    "value": ("recency", "frequency", "monetary", "contribution", "balance"),
    "growth": ("revenue_trend", "new_categories"),
    "loyalty": ("repeat_rate", "tenure", "referrals"),
    "satisfaction": ("nps", "csat", "complaints"),
    "engagement": ("active_days", "channels", "usage_time"),
    "partnership": ("categories", "demand_breadth", "contact_regularity"),
}

# What an export can hold beside the columns of marts.customer_profiles.
CHANGE = "change"
PERSONAL_SOURCES = ("full_name", "email", "phone", "owner")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """' (did you mean x?)' when a known word is close to the given one, else nothing."""
    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _written_as(pattern: str) -> BeforeValidator:
    """Only text that the pattern describes whole reaches the type behind it."""

    def check(cell: object) -> object:
        if not isinstance(cell, str) or not re.fullmatch(pattern, cell):
            raise ValueError("not written as it must be")
        return cell

    return BeforeValidator(check)


def from_to(low: int, high: int) -> Any:
    """The bounds of a whole number, and how a message puts them."""
    return Field(ge=low, le=high, description=f"a whole number from {low} to {high}")


def _with_places(places: int) -> BeforeValidator:
    return _written_as(rf"[0-9]{{1,14}}(\.[0-9]{{1,{places}}})?")


Cell = TypeVar("Cell")
OrEmpty = Annotated[Cell | None, BeforeValidator(lambda cell: None if cell == "" else cell)]

Code = Annotated[
    str,
    _written_as(r"[a-z][a-z0-9_]{0,39}"),
    Field(description="a code of a-z, 0-9 and _ that begins with a letter, up to 40"),
]
BandCode = Annotated[
    str,
    _written_as(r"[a-z0-9][a-z0-9_]{0,39}"),
    Field(description="a code of a-z, 0-9 and _, up to 40"),
]
Label = Annotated[
    str, _written_as(r"[^\x00-\x1f]{1,80}"), Field(description="a text of 1 to 80 characters")
]
CountryCode = Annotated[
    str, _written_as(r"[A-Z]{2}"), Field(description="a country's code of two capitals, such as CN")
]
Whole = Annotated[int, _written_as(r"[0-9]{1,9}")]
Score = Annotated[Whole, from_to(1, 5)]
Rank = Annotated[Whole, from_to(0, 10)]
Orders = Annotated[Whole, from_to(0, 1_000_000)]
Priority = Annotated[Whole, from_to(1, 1000)]
Age = Annotated[Whole, from_to(0, 150)]
Employees = Annotated[Whole, from_to(0, 100_000_000)]
Points = Annotated[
    Decimal,
    _with_places(2),
    Field(ge=0, le=100, description="a number from 0 to 100 with at most 2 decimals"),
]
Weight = Annotated[
    Decimal,
    _with_places(6),
    Field(ge=0, le=1, description="a number from 0 to 1 with at most 6 decimals"),
]
Edge = Annotated[
    Decimal,
    _with_places(4),
    Field(ge=0, le=10**14, description="a number of 0 or more with at most 4 decimals"),
]
Amount = Annotated[
    Decimal,
    _with_places(2),
    Field(ge=0, le=10**14, description="a number of 0 or more with at most 2 decimals"),
]
Ratio = Annotated[
    Decimal,
    _with_places(2),
    Field(ge=0, le=1000, description="a number from 0 to 1000 with at most 2 decimals"),
]
ColumnName = Annotated[
    str,
    _written_as(r"(?![=+\-@＝＋－＠])[^\x00-\x1f]{1,80}"),
    Field(
        description="a text of 1 to 80 characters that does not begin like a formula (with =, +, - or @)"
    ),
]
# Words for people; braces only around what an alert's figures replace.
Reason = Annotated[
    str,
    _written_as(r"(?:[^\x00-\x1f{}]|\{(?:measure|now|before|detail)\}){1,200}"),
    Field(
        description="a text of 1 to 200 characters, with no braces but {measure}, {now}, {before} and {detail}"
    ),
]
IsoDate = Annotated[
    date, _written_as(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), Field(description="an ISO date (YYYY-MM-DD)")
]


def _allowed(field: FieldInfo) -> str:
    """What a column may hold, as a message puts it."""
    if field.description:
        return field.description
    kinds = get_args(field.annotation)
    if get_origin(field.annotation) is Literal:
        return f"one of {', '.join(kinds)}"
    (kind,) = (kind for kind in kinds if kind is not NoneType)
    return f"empty or {_allowed(FieldInfo.from_annotation(kind))}"


class SeedRow(BaseModel):
    """One row of a seed. `line` is its line in the file, the header being line 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    line: int

    @classmethod
    def columns(cls) -> list[str]:
        """The seed's columns, in their usual order (any order is allowed)."""
        return [name for name in cls.model_fields if name != "line"]


Row = TypeVar("Row", bound=SeedRow)


class Tier(SeedRow):
    """A tier of one version of the ladder. Scores 0-100; orders and revenue over the window."""

    version_valid_from: IsoDate
    tier_code: Code
    tier_rank: Annotated[Whole, from_to(1, 10)]
    label_en: Label
    label_zh: Label
    enter_score: Points
    keep_score: Points
    enter_min_orders: OrEmpty[Orders]
    keep_min_orders: OrEmpty[Orders]
    enter_min_revenue: OrEmpty[Amount]
    keep_min_revenue: OrEmpty[Amount]


class TierBenefit(SeedRow):
    """What a benefit of a tier costs in a year: per customer in the reporting currency, and of their revenue."""

    tier_code: Code
    benefit_code: Code
    label_en: Label
    label_zh: Label
    yearly_cost: Amount
    percent_of_revenue: Points


class ScoreWeight(SeedRow):
    """The weight of a component (empty input) or of an input inside its component."""

    profile: Code
    sort_order: Annotated[Whole, from_to(1, 1_000_000)]
    component: str
    input: str
    weight: Weight


class CellRange(SeedRow):
    """A box of RFM cells, both ends included."""

    r_from: Score
    r_to: Score
    f_from: Score
    f_to: Score
    m_from: Score
    m_to: Score

    def holds(self, cell: tuple[int, int, int]) -> bool:
        """Whether the cell (r, f, m) lies in the box."""
        r, f, m = cell
        return (
            self.r_from <= r <= self.r_to
            and self.f_from <= f <= self.f_to
            and self.m_from <= m <= self.m_to
        )


class RfmSegment(CellRange):
    """A box of cells that is (part of) a segment of one map."""

    segment_map: SegmentMap
    segment_code: Code


class RfmBand(CellRange):
    """A rule of a band; the matching rule with the smallest priority decides."""

    band: Band
    priority: Priority
    band_code: Code


class RfmFixedEdges(SeedRow):
    """The exclusive edges between the scores of a metric: days, orders or reporting currency."""

    metric: Metric
    edge_1: Edge
    edge_2: Edge
    edge_3: Edge
    edge_4: Edge


class StarRating(SeedRow):
    """The least management score (0-100) of a number of stars."""

    star_rating: Score
    min_score: Points


class LifecycleRule(SeedRow):
    """A rule of the lifecycle: the first that matches gives the stage.

    Order days are counted, both ends included; ratios are to the gap that is expected of the
    customer, empty for any.
    """

    priority: Priority
    lifecycle_stage: LifecycleStage
    classic_stage: Literal["acquisition", "conversion", "maintenance", "exit"]
    order_days_from: Orders
    order_days_to: OrEmpty[Orders]
    gap_ratio_from: OrEmpty[Ratio]
    break_ratio_from: OrEmpty[Ratio]


class AlertRule(SeedRow):
    """From which figures on an alert holds with a severity; empty limits hold for any.

    What measure and basis are of each alert is in docs/alerts.md.
    """

    alert_code: Alert
    severity: Literal["high", "medium", "low"]
    measure_from: OrEmpty[Amount]
    measure_below: OrEmpty[Amount]
    basis_from: OrEmpty[Orders]
    tier_rank_from: OrEmpty[Rank]
    action_code: Code


class PlaybookEntry(SeedRow):
    """Whom an action is for, who does it, how and why; empty conditions hold for any customer."""

    priority: Priority
    action_code: Code
    owner_department: OrEmpty[Code]
    channel: OrEmpty[Code]
    offer: OrEmpty[Code]
    stance: Literal["protect", "expand", "neutral"]
    is_marketing: TrueOrFalse
    tier_rank_from: OrEmpty[Rank]
    tier_rank_to: OrEmpty[Rank]
    segment_code: OrEmpty[Code]
    lifecycle_stage: OrEmpty[LifecycleStage]
    alert_code: OrEmpty[Alert]
    because_en: Reason
    because_zh: Reason


class ContactRhythm(SeedRow):
    """How many days lie between contacts with customers of a tier rank or above, up to the next row's rank."""

    tier_rank_from: Rank
    days_between_contacts: Annotated[Whole, from_to(1, 3660)]


class DepartmentChannel(SeedRow):
    """A channel by which a department reaches customers."""

    owner_department: Code
    channel: Code


class RecommendingOffer(SeedRow):
    """An offer with which something is recommended."""

    offer: Code


class AgeBand(SeedRow):
    """Ages in full years, both ends included."""

    age_band: BandCode
    age_from: Age
    age_to: Age


class HighNetWorthBand(SeedRow):
    """The least average balance of a band, reporting currency; the lowest takes what is below it too."""

    high_net_worth: BandCode
    balance_from: Amount


class BudgetWeight(SeedRow):
    """How much a driver counts where a budget is divided over the tiers."""

    driver: BudgetDriver
    weight: Weight


class OrderStatus(SeedRow):
    """A source system's word for an order status (any case), what it means here, and the only system that has it."""

    source_status: Label
    order_status: StatusOfOrder
    source_system: OrEmpty[Code]


class Country(SeedRow):
    """A word for a country (any case) and the country's code."""

    country_name: Label
    country_code: CountryCode


class NobodyWord(SeedRow):
    """A word (any case) that as a customer id means that there is no customer."""

    word: Label
    holds: Literal["always", "unless_customer"]


class SalesChannel(SeedRow):
    """A source system's word for a channel (any case) and its kind."""

    channel: Label
    channel_type: Literal["online", "offline"]


class Industry(SeedRow):
    """A word for an industry (any case), the industry's code and that of its group."""

    industry_name: Label
    industry: Code
    industry_group: Code


class CompanySize(SeedRow):
    """A word for the size of a company (any case) and the size's code.

    The row of a size itself has its bounds in employees, both included; no upper one for any number.
    """

    company_size_name: Label
    company_size: Code
    employees_from: OrEmpty[Employees]
    employees_to: OrEmpty[Employees]


class ExportColumn(SeedRow):
    """A column of a layout in which customers are exported: what it holds and what it is called."""

    layout: Code
    position: Annotated[Whole, from_to(1, 1000)]
    source_column: Code
    target_name: ColumnName
    is_key: TrueOrFalse
    is_personal: TrueOrFalse


class CodeLabel(SeedRow):
    """What people read for a code. Tiers carry their labels in tiers.csv."""

    kind: Code
    code: BandCode
    label_en: Label
    label_zh: Label


class Seeds(BaseModel):
    """All seeds, read and each row checked; seed_rules looks at the rows together."""

    model_config = ConfigDict(frozen=True)
    tiers: list[Tier]
    tier_benefits: list[TierBenefit]
    score_weights: list[ScoreWeight]
    rfm_segments: list[RfmSegment]
    rfm_bands: list[RfmBand]
    rfm_fixed_edges: list[RfmFixedEdges]
    star_ratings: list[StarRating]
    lifecycle: list[LifecycleRule]
    alert_rules: list[AlertRule]
    playbook: list[PlaybookEntry]
    contact_rhythms: list[ContactRhythm]
    department_channels: list[DepartmentChannel]
    recommending_offers: list[RecommendingOffer]
    age_bands: list[AgeBand]
    high_net_worth_bands: list[HighNetWorthBand]
    budget_weights: list[BudgetWeight]
    order_statuses: list[OrderStatus]
    countries: list[Country]
    nobody_words: list[NobodyWord]
    sales_channels: list[SalesChannel]
    industries: list[Industry]
    company_sizes: list[CompanySize]
    export_columns: list[ExportColumn]
    code_labels: list[CodeLabel]

    @property
    def profiles(self) -> list[str]:
        """The names of the score profiles, in the order of the file."""
        return list(dict.fromkeys(row.profile for row in self.score_weights))


def _read_cells(path: Path) -> list[tuple[int, list[str]]]:
    """The lines of a CSV that are not blank, each with its number in the file."""
    where, allowed = f"seeds/{path.name}", "a comma-separated text file in UTF-8"
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(where, "no such file", allowed) from None
    except OSError as error:
        raise ConfigurationError(where, f"a file that cannot be read ({error})", allowed) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        found = f"a byte that is not UTF-8 (0x{error.object[error.start]:02x})"
        raise ConfigurationError(f"{where}, line {line}", found, allowed) from None
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    lines, first_line = [], 1
    try:
        for cells in reader:
            if cells:
                lines.append((first_line, cells))
            first_line = reader.line_num + 1
    except csv.Error as error:
        found = f"a line that is not CSV ({error})"
        raise ConfigurationError(f"{where}, line {first_line}", found, allowed) from None
    return lines


def _check_header(name: str, header: list[str], columns: list[str]) -> None:
    where, allowed = f"seeds/{name}.csv, line 1", f"the columns {', '.join(columns)}, each once"
    for column in header:
        if column not in columns:
            hint = did_you_mean(column, columns)
            raise ConfigurationError(where, f"an unknown column {column!r}{hint}", allowed)
        if header.count(column) > 1:
            raise ConfigurationError(where, f"the column {column} more than once", allowed)
    for column in columns:
        if column not in header:
            raise ConfigurationError(where, f"no column {column}", allowed)


def _read_seed(folder: Path, name: str, model: type[Row]) -> list[Row]:
    """Rows of one seed, each checked by itself. Raises ConfigurationError."""
    lines = _read_cells(folder / f"{name}.csv")
    columns = model.columns()
    if not lines:
        where = f"seeds/{name}.csv"
        allowed = f"a header with the columns {', '.join(columns)} and at least one row"
        raise ConfigurationError(where, "an empty file", allowed)
    header = lines[0][1]
    _check_header(name, header, columns)
    rows = []
    for line, cells in lines[1:]:
        where = f"seeds/{name}.csv, line {line}"
        if len(cells) != len(header):
            found = f"{len(cells)} cells"
            raise ConfigurationError(where, found, f"{len(header)} cells, as in the header")
        for column, cell in zip(header, cells, strict=True):
            if cell != cell.strip():
                found = f"{column} {cell!r}"
                raise ConfigurationError(where, found, "a value without blanks around it")
        try:
            rows.append(
                model.model_validate({"line": line, **dict(zip(header, cells, strict=True))})
            )
        except ValidationError as error:
            column = str(error.errors()[0]["loc"][0])
            cell = cells[header.index(column)]
            allowed = _allowed(model.model_fields[column])
            found = f"{column} {cell!r}" if cell else f"an empty {column}"
            raise ConfigurationError(where, found, allowed) from None
    if not rows:
        raise ConfigurationError(f"seeds/{name}.csv", "a header without rows", "at least one row")
    return rows


def read_seeds(folder: Path) -> Seeds:
    """Read all seeds of a folder and check each row by itself.

    Raises ConfigurationError at the first file or row that is not as it must be.
    """
    return Seeds(
        tiers=_read_seed(folder, "tiers", Tier),
        tier_benefits=_read_seed(folder, "tier_benefits", TierBenefit),
        score_weights=_read_seed(folder, "score_weights", ScoreWeight),
        rfm_segments=_read_seed(folder, "rfm_segments", RfmSegment),
        rfm_bands=_read_seed(folder, "rfm_bands", RfmBand),
        rfm_fixed_edges=_read_seed(folder, "rfm_fixed_edges", RfmFixedEdges),
        star_ratings=_read_seed(folder, "star_ratings", StarRating),
        lifecycle=_read_seed(folder, "lifecycle", LifecycleRule),
        alert_rules=_read_seed(folder, "alert_rules", AlertRule),
        playbook=_read_seed(folder, "playbook", PlaybookEntry),
        contact_rhythms=_read_seed(folder, "contact_rhythms", ContactRhythm),
        department_channels=_read_seed(folder, "department_channels", DepartmentChannel),
        recommending_offers=_read_seed(folder, "recommending_offers", RecommendingOffer),
        age_bands=_read_seed(folder, "age_bands", AgeBand),
        high_net_worth_bands=_read_seed(folder, "high_net_worth_bands", HighNetWorthBand),
        budget_weights=_read_seed(folder, "budget_weights", BudgetWeight),
        order_statuses=_read_seed(folder, "order_statuses", OrderStatus),
        countries=_read_seed(folder, "countries", Country),
        nobody_words=_read_seed(folder, "nobody_words", NobodyWord),
        sales_channels=_read_seed(folder, "sales_channels", SalesChannel),
        industries=_read_seed(folder, "industries", Industry),
        company_sizes=_read_seed(folder, "company_sizes", CompanySize),
        export_columns=_read_seed(folder, "export_columns", ExportColumn),
        code_labels=_read_seed(folder, "code_labels", CodeLabel),
    )


def read_export_columns(folder: Path) -> list[ExportColumn]:
    """Read the layouts of exports alone, each row checked by itself. Raises ConfigurationError."""
    return _read_seed(folder, "export_columns", ExportColumn)
