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
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from customer_tiering.errors import ConfigurationError

SEGMENT_MAPS = ("standard", "value_matrix")
BANDS = ("value_class", "purchasing_power", "purchase_frequency_band", "buyer_type")
ORDER_STATUSES = ("pending", "completed", "cancelled", "returned")
LIFECYCLE_STAGES = (
    "prospect",
    "new",
    "developing",
    "active",
    "at_risk",
    "dormant",
    "lost",
    "won_back",
)
ALERTS = (
    "purchases_slowing",
    "spend_drop",
    "complaint_surge",
    "unanswered_complaint",
    "detractor_in_high_tier",
    "downgrade_ahead",
    "silent_high_value",
    "unusually_good_period",
    "one_order_to_next_tier",
)

# What an export can hold, customer by customer: the columns of exporting.relation, in its order.
EXPORT_SOURCES = (
    "customer_id",
    "change",
    "as_of_date",
    "customer_type",
    "tier_code",
    "tier_label_en",
    "tier_label_zh",
    "tier_rank",
    "tier_since",
    "points_to_keep",
    "points_to_next",
    "orders_to_next",
    "revenue_to_next",
    "protected_until",
    "next_review_on",
    "management_score",
    "value_score",
    "growth_score",
    "loyalty_score",
    "satisfaction_score",
    "engagement_score",
    "partnership_score",
    "star_rating",
    "lifecycle_stage",
    "lifecycle_label_en",
    "lifecycle_label_zh",
    "segment_code",
    "segment_label_en",
    "segment_label_zh",
    "alert_codes",
    "alert_code",
    "alert_label_en",
    "alert_label_zh",
    "alert_severity",
    "alert_severity_label_en",
    "alert_severity_label_zh",
    "alert_raised_on",
    "alert_evidence",
    "action_codes",
    "action_code",
    "action_label_en",
    "action_label_zh",
    "action_department",
    "action_department_label_en",
    "action_department_label_zh",
    "action_channel",
    "action_channel_label_en",
    "action_channel_label_zh",
    "action_offer",
    "action_offer_label_en",
    "action_offer_label_zh",
    "action_because_en",
    "action_because_zh",
    "has_marketing_consent",
    "full_name",
    "email",
    "phone",
)
PERSONAL_SOURCES = ("full_name", "email", "phone")


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


def _whole(low: int, high: int) -> object:
    return Annotated[
        int,
        _written_as(r"[0-9]{1,9}"),
        Field(ge=low, le=high, description=f"a whole number from {low} to {high}"),
    ]


def _number(high: int, places: int, what: str) -> object:
    return Annotated[
        Decimal,
        _written_as(rf"[0-9]{{1,14}}(\.[0-9]{{1,{places}}})?"),
        Field(ge=0, le=high, description=f"{what} with at most {places} decimals"),
    ]


def _or_empty(kind: object, description: str) -> object:
    empty = BeforeValidator(lambda cell: None if cell == "" else cell)
    return Annotated[kind | None, empty, Field(description=description)]


def _text(pattern: str, description: str) -> object:
    return Annotated[str, _written_as(pattern), Field(description=description)]


def _one_of(*words: str) -> object:
    return Annotated[Literal[words], Field(description=f"one of {', '.join(words)}")]


Code = _text(
    r"[a-z][a-z0-9_]{0,39}", "a code of a-z, 0-9 and _ that begins with a letter, up to 40"
)
BandCode = _text(r"[a-z0-9][a-z0-9_]{0,39}", "a code of a-z, 0-9 and _, up to 40")
Label = _text(r"[^\x00-\x1f]{1,80}", "a text of 1 to 80 characters")
Score = _whole(1, 5)
Points = _number(100, 2, "a number from 0 to 100")
Weight = _number(1, 6, "a number from 0 to 1")
Edge = _number(10**14, 4, "a number of 0 or more")
OrdersOrEmpty = _or_empty(_whole(0, 1_000_000), "empty or a whole number from 0 to 1000000")
AmountOrEmpty = _or_empty(
    _number(10**14, 2, "a number of 0 or more"),
    "empty or a number of 0 or more with at most 2 decimals",
)
RatioOrEmpty = _or_empty(
    _number(1000, 2, "a number from 0 to 1000"),
    "empty or a number from 0 to 1000 with at most 2 decimals",
)
RankOrEmpty = _or_empty(_whole(0, 10), "empty or a whole number from 0 to 10")
CodeOrEmpty = _or_empty(
    _text(r"[a-z][a-z0-9_]{0,39}", ""),
    "empty or a code of a-z, 0-9 and _ that begins with a letter, up to 40",
)
ColumnName = _text(
    r"(?![=+\-@＝＋－＠])[^\x00-\x1f]{1,80}",
    "a text of 1 to 80 characters that does not begin like a formula (with =, +, - or @)",
)
# Words for people; braces only around what an alert's figures replace.
Reason = _text(
    r"(?:[^\x00-\x1f{}]|\{(?:measure|now|before|detail)\}){1,200}",
    "a text of 1 to 200 characters, with no braces but {measure}, {now}, {before} and {detail}",
)
IsoDate = Annotated[
    date, _written_as(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), Field(description="an ISO date (YYYY-MM-DD)")
]


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
    tier_rank: _whole(1, 10)
    label_en: Label
    label_zh: Label
    enter_score: Points
    keep_score: Points
    enter_min_orders: OrdersOrEmpty
    keep_min_orders: OrdersOrEmpty
    enter_min_revenue: AmountOrEmpty
    keep_min_revenue: AmountOrEmpty


class ScoreWeight(SeedRow):
    """The weight of a component (empty input) or of an input inside its component."""

    profile: Code
    sort_order: _whole(1, 1_000_000)
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

    segment_map: _one_of(*SEGMENT_MAPS)
    segment_code: Code


class RfmBand(CellRange):
    """A rule of a band; the matching rule with the smallest priority decides."""

    band: _one_of(*BANDS)
    priority: _whole(1, 1000)
    band_code: Code


class RfmFixedEdges(SeedRow):
    """The exclusive edges between the scores of a metric: days, orders or reporting currency."""

    metric: _one_of("recency", "frequency", "monetary")
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

    priority: _whole(1, 1000)
    lifecycle_stage: _one_of(*LIFECYCLE_STAGES)
    classic_stage: _one_of("acquisition", "conversion", "maintenance", "exit")
    order_days_from: _whole(0, 1_000_000)
    order_days_to: OrdersOrEmpty
    gap_ratio_from: RatioOrEmpty
    break_ratio_from: RatioOrEmpty


class AlertRule(SeedRow):
    """From which figures on an alert holds with a severity; empty limits hold for any.

    What measure and basis are of each alert is in docs/alerts.md.
    """

    alert_code: _one_of(*ALERTS)
    severity: _one_of("high", "medium", "low")
    measure_from: AmountOrEmpty
    measure_below: AmountOrEmpty
    basis_from: OrdersOrEmpty
    tier_rank_from: RankOrEmpty
    action_code: Code


class PlaybookEntry(SeedRow):
    """Whom an action is for, who does it, how and why; empty conditions hold for any customer."""

    priority: _whole(1, 1000)
    action_code: Code
    owner_department: CodeOrEmpty
    channel: CodeOrEmpty
    offer: CodeOrEmpty
    stance: _one_of("protect", "expand", "neutral")
    is_marketing: _one_of("true", "false")
    tier_rank_from: RankOrEmpty
    tier_rank_to: RankOrEmpty
    segment_code: CodeOrEmpty
    lifecycle_stage: _or_empty(
        _one_of(*LIFECYCLE_STAGES), f"empty or one of {', '.join(LIFECYCLE_STAGES)}"
    )
    alert_code: _or_empty(_one_of(*ALERTS), f"empty or one of {', '.join(ALERTS)}")
    because_en: Reason
    because_zh: Reason


class AgeBand(SeedRow):
    """Ages in full years, both ends included."""

    age_band: BandCode
    age_from: _whole(0, 150)
    age_to: _whole(0, 150)


class OrderStatus(SeedRow):
    """A source system's word for an order status (any case) and what it means here."""

    source_status: Label
    order_status: _one_of(*ORDER_STATUSES)


class NobodyWord(SeedRow):
    """A word (any case) that as a customer id means that there is no customer."""

    word: Label
    holds: _one_of("always", "unless_customer")


class SalesChannel(SeedRow):
    """A source system's word for a channel (any case) and its kind."""

    channel: Label
    channel_type: _one_of("online", "offline")


class ExportColumn(SeedRow):
    """A column of a layout in which customers are exported: what it holds and what it is called."""

    layout: Code
    position: _whole(1, 1000)
    source_column: Code
    target_name: ColumnName
    is_key: _one_of("true", "false")
    is_personal: _one_of("true", "false")


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
    score_weights: list[ScoreWeight]
    rfm_segments: list[RfmSegment]
    rfm_bands: list[RfmBand]
    rfm_fixed_edges: list[RfmFixedEdges]
    star_ratings: list[StarRating]
    lifecycle: list[LifecycleRule]
    alert_rules: list[AlertRule]
    playbook: list[PlaybookEntry]
    age_bands: list[AgeBand]
    order_statuses: list[OrderStatus]
    nobody_words: list[NobodyWord]
    sales_channels: list[SalesChannel]
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
            rows.append(model(line=line, **dict(zip(header, cells, strict=True))))
        except ValidationError as error:
            column = str(error.errors()[0]["loc"][0])
            cell = cells[header.index(column)]
            allowed = str(model.model_fields[column].description)
            found = f"{column} {cell!r}" if cell else f"an empty {column}"
            raise ConfigurationError(where, found, allowed) from None
    if not rows:
        raise ConfigurationError(f"seeds/{name}.csv", "a header without rows", "at least one row")
    return rows


def read_seeds(folder: Path) -> Seeds:
    """Read all seeds of a folder and check each row by itself.

    Raises ConfigurationError at the first file or row that is not as it must be.
    """
    kinds = {
        "tiers": Tier,
        "score_weights": ScoreWeight,
        "rfm_segments": RfmSegment,
        "rfm_bands": RfmBand,
        "rfm_fixed_edges": RfmFixedEdges,
        "star_ratings": StarRating,
        "lifecycle": LifecycleRule,
        "alert_rules": AlertRule,
        "playbook": PlaybookEntry,
        "age_bands": AgeBand,
        "order_statuses": OrderStatus,
        "nobody_words": NobodyWord,
        "sales_channels": SalesChannel,
        "export_columns": ExportColumn,
        "code_labels": CodeLabel,
    }
    return Seeds(**{name: _read_seed(folder, name, kind) for name, kind in kinds.items()})


def read_export_columns(folder: Path) -> list[ExportColumn]:
    """Read the layouts of exports alone, each row checked by itself. Raises ConfigurationError."""
    return _read_seed(folder, "export_columns", ExportColumn)
