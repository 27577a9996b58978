"""RFM: measures of a customer at a period end, edges of a period, scores, segments and bands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from oracle.money import ZERO, LedgerRow, Order
from oracle.periods import Period
from oracle.rules import Cell, Rules

ACTIVE, LAPSED, PROSPECT = "active", "lapsed", "prospect"
METRICS = ("recency", "frequency", "monetary")
TREND_DAYS, TREND_HALF_DAYS = 365, 182


# -- Measures --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Measures:
    """What is known of a customer's orders at a period end P.

    ``frequency`` and ``monetary`` are net orders and net revenue of the window, ``valid_orders``
    and ``net_revenue`` those of all time. Dates are of valid orders (None for a prospect).
    ``revenue_trend`` is (h2 - h1)/(h1 + h2) x f/(f + 2), None when unknown; ``categories`` is None
    before any order had a category. ``signals`` is what signals.measure gives.
    """

    status: str
    recency_days: int | None
    frequency: int
    monetary: Decimal
    period_revenue: Decimal
    first_order_on: date | None
    last_order_on: date | None
    valid_orders: int
    net_revenue: Decimal
    revenue_trend: Fraction | None = None
    categories: int | None = None
    signals: dict[str, int | Fraction] = field(default_factory=dict)

    @property
    def tenure_days(self) -> int | None:
        """Days from the first to the last valid order."""
        if self.first_order_on is None or self.last_order_on is None:
            return None
        return (self.last_order_on - self.first_order_on).days


def measure(ledger: Sequence[LedgerRow], period: Period, rules: Rules) -> Measures | None:
    """Measures from one customer's ledger rows; None before the first row is known."""
    period_end = period.period_end
    known = [row for row in ledger if row.known_date <= period_end]
    if not known:
        return None
    orders_on: dict[date, int] = defaultdict(int)
    for row in known:
        orders_on[row.order_date] += row.orders_delta
    valid_dates = [day for day, orders in orders_on.items() if orders > 0]
    window_start = period_end - timedelta(days=rules.rfm_window_days)
    frequency = sum(orders for day, orders in orders_on.items() if day > window_start)
    measures = Measures(
        status=PROSPECT if not valid_dates else ACTIVE if frequency else LAPSED,
        recency_days=(period_end - max(valid_dates)).days if valid_dates else None,
        frequency=frequency,
        monetary=_revenue(known, window_start, period_end),
        period_revenue=sum(
            (row.revenue_delta for row in known if row.order_date >= period.period_start), ZERO
        ),
        first_order_on=min(valid_dates, default=None),
        last_order_on=max(valid_dates, default=None),
        valid_orders=sum(orders_on.values()),
        net_revenue=sum((row.revenue_delta for row in known), ZERO),
    )
    measures.revenue_trend = _revenue_trend(known, period_end, measures)
    return measures


def _revenue(rows: Iterable[LedgerRow], after: date, until: date) -> Decimal:
    """Net revenue of the orders dated in (after, until]."""
    return sum((row.revenue_delta for row in rows if after < row.order_date <= until), ZERO)


def _revenue_trend(
    known: Sequence[LedgerRow], period_end: date, measures: Measures
) -> Fraction | None:
    """Change between the two halves of the last year, damped for few orders; in (-1, 1)."""
    start = period_end - timedelta(days=TREND_DAYS)
    if measures.status != ACTIVE or measures.first_order_on > start:
        return None
    h1, h2 = half_years(known, period_end)
    if h1 + h2 == 0:
        return None
    f = measures.frequency
    return Fraction(h2 - h1) / Fraction(h1 + h2) * Fraction(f, f + 2)


def half_years(known: Iterable[LedgerRow], period_end: date) -> tuple[Decimal, Decimal]:
    """Net revenue of the earlier and the later half of the last year, neither below zero."""
    known = list(known)
    start = period_end - timedelta(days=TREND_DAYS)
    middle = period_end - timedelta(days=TREND_HALF_DAYS)
    return (
        max(_revenue(known, start, middle), ZERO),
        max(_revenue(known, middle, period_end), ZERO),
    )


def first_category_date(orders: Iterable[Order]) -> date | None:
    """The first date from which product categories are known at all."""
    return min(
        (
            o.order_date
            for o in orders
            if o.enters and o.customer_id is not None and categories_of(o)
        ),
        default=None,
    )


def categories_of(order: Order) -> set[str]:
    """Product categories of an order's lines."""
    return {item.category for item in order.items if item.category is not None}


def count_categories(orders: Iterable[Order], period_end: date, window_days: int) -> int:
    """Distinct categories of one customer's valid orders in the window."""
    window_start = period_end - timedelta(days=window_days)
    found: set[str] = set()
    for order in orders:
        if order.order_date > window_start and order.is_valid_on(period_end):
            found |= categories_of(order)
    return len(found)


# -- Edges -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edges:
    """Four exclusive edges of one metric in one period; None when nobody had bought."""

    period_end: date
    metric: str
    method: str
    edge_1: Decimal | None
    edge_2: Decimal | None
    edge_3: Decimal | None
    edge_4: Decimal | None
    customers: int
    is_small_population: bool

    @property
    def values(self) -> tuple[Decimal, ...]:
        """The edges that are there."""
        edges = (self.edge_1, self.edge_2, self.edge_3, self.edge_4)
        return tuple(edge for edge in edges if edge is not None)

    @property
    def distinct_edges(self) -> int:
        """Number of different values among the four."""
        return len(set(self.values))


def quantile(ordered: Sequence[int | Decimal], share: Fraction) -> Fraction:
    """Linear interpolation between the two neighbours of position share x (n - 1)."""
    position = share * (len(ordered) - 1)
    below = position.numerator // position.denominator
    above = min(below + 1, len(ordered) - 1)
    low, high = Fraction(ordered[below]), Fraction(ordered[above])
    return low + (high - low) * (position - below)


def quantile_edges(values: Iterable[int | Decimal]) -> tuple[Decimal | None, ...]:
    """The 20, 40, 60 and 80 % quantiles, to 3 decimals; four None without values.

    They are exact: a fifth of a day, order or cent has 3 decimals at most.
    """
    ordered = sorted(values)
    if not ordered:
        return (None,) * 4
    thousandths = [quantile(ordered, Fraction(fifth, 5)) * 1000 for fifth in range(1, 5)]
    assert all(edge.denominator == 1 for edge in thousandths)
    return tuple(Decimal(edge.numerator).scaleb(-3) for edge in thousandths)


def metric_value(measures: Measures, metric: str) -> int | Decimal | None:
    """The measure behind a metric."""
    return getattr(measures, "recency_days" if metric == "recency" else metric)


def edges_of_periods(
    population: dict[Period, list[Measures]], rules: Rules
) -> dict[tuple[date, str], Edges]:
    """Edges of every period and metric over its active customers.

    Raises ValueError when frozen edges are asked for and no closed period ends on their date.
    """
    result: dict[tuple[date, str], Edges] = {}
    frozen_on = rules.rfm_edges_frozen_on if rules.rfm_edges == "frozen" else None
    closed_ends = {p.period_end for p in population if not p.is_open_period}
    if rules.rfm_edges == "frozen" and frozen_on not in closed_ends:
        raise ValueError(f"rfm_edges_frozen_on {frozen_on} is not the end of a closed period")
    for period, everybody in population.items():
        active = [measures for measures in everybody if measures.status == ACTIVE]
        for metric in METRICS:
            method = "quantile"
            values = quantile_edges(metric_value(measures, metric) for measures in active)
            if rules.rfm_edges == "fixed":
                method, values = "fixed", rules.fixed_edges[metric]
            elif frozen_on is not None and period.period_end >= frozen_on:
                method = "frozen"
                if period.period_end > frozen_on:
                    frozen = result[frozen_on, metric]
                    values = (frozen.edge_1, frozen.edge_2, frozen.edge_3, frozen.edge_4)
            is_small = len(active) < rules.rfm_min_customers
            edges = Edges(period.period_end, metric, method, *values, len(active), is_small)
            result[period.period_end, metric] = edges
    return result


# -- Scores, segments, bands -----------------------------------------------------------------------


@dataclass(frozen=True)
class RfmScores:
    """Scores 1-5 (None for a prospect) and what seeds say of them."""

    r_score: int | None
    f_score: int | None
    m_score: int | None
    segment_code: str
    value_matrix_code: str
    value_class: str
    purchasing_power: str | None
    purchase_frequency_band: str | None
    buyer_type: str

    @property
    def rfm_cell(self) -> str | None:
        """The three scores as three digits."""
        if self.r_score is None:
            return None
        return f"{self.r_score}{self.f_score}{self.m_score}"


PROSPECT_SCORES = RfmScores(None, None, None, PROSPECT, PROSPECT, "none", None, None, "none")


def score(
    measures: Measures, edges: dict[tuple[date, str], Edges], period_end: date
) -> tuple[int, ...]:
    """r, f and m of a customer who is no prospect."""
    if measures.status == LAPSED:
        return (1, 1, 1)
    below = {
        metric: sum(
            edge < metric_value(measures, metric) for edge in edges[period_end, metric].values
        )
        for metric in METRICS
    }
    m_score = 1 + below["monetary"] if measures.monetary > 0 else 1
    return (5 - below["recency"], 1 + below["frequency"], m_score)


def describe(status: str, scores: tuple[int, ...], rules: Rules) -> RfmScores:
    """Segment, value matrix and bands of a customer who is no prospect."""
    bands = {band: first_code(cells, scores) for band, cells in rules.bands.items()}
    if status == LAPSED:
        segment = matrix = LAPSED
        bands |= {"value_class": "none", "buyer_type": "none"}
    else:
        segment = first_code(rules.segment_maps["standard"], scores)
        matrix = first_code(rules.segment_maps["value_matrix"], scores)
    return RfmScores(*scores, segment_code=segment, value_matrix_code=matrix, **bands)


def first_code(cells: Sequence[Cell], scores: tuple[int, ...]) -> str:
    """Code of the first box that holds a cell. Raises StopIteration when none does."""
    return next(cell.code for cell in cells if cell.holds(*scores))
