"""What the page says of its figures: words in both languages, labels, colours, and rows in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml

from customer_tiering.overview.campaigns import CAMPAIGNS_SHOWN, Campaign
from customer_tiering.overview.figures import (
    MARKETS,
    OTHER,
    SEVERITIES,
    STAGES,
    UNKNOWN,
    Cell,
    Overview,
    Shown,
    TierFigures,
)
from customer_tiering.reporting import MOVEMENTS

HERE = Path(__file__).parent
Both = tuple[str, str]  # in English and Chinese

# From those who buy most and lately to those who have never bought.
SEGMENTS = (
    *("champions", "loyal", "potential_loyalists", "new_customers", "promising", "need_attention"),
    *("about_to_sleep", "cant_lose", "at_risk", "hibernating", "lapsed", "prospect"),
)
# From the lowest tier up; what has no tier, and what is pooled.
TIER_COLOURS = ("#b08457", "#a3b1bf", "#e0b13c", "#57a8a0", "#3c6fb4", "#7a5aa6", "#b4587f")
MARKET_ROWS = 12  # the largest of a table of markets that are shown
NO_TIER, POOLED = "#dde1e6", "#9aa1a9"
SEGMENT_COLOURS = (
    *(
        "#8ec7a0",
        "#b3d9a6",
        "#cfe3a4",
        "#a7d3dd",
        "#c3dff0",
        "#f3e3a0",
        "#f2cfa0",
        "#e6a7a0",
        "#efbcae",
    ),
    *("#d3d6db", "#c9c2dd", "#dccbb8"),
)


@dataclass(frozen=True)
class Rules:
    """By which rules the figures came about, as the configuration says it."""

    window_days: int
    score_profile: str
    min_group_size: int


def number(count: int) -> str:
    """A number with separators."""
    return f"{count:,}"


def amount(value: Decimal) -> str:
    """An amount in whole units."""
    return f"{value:,.0f}"


def percent(share: float) -> str:
    """A share with one decimal."""
    return f"{100 * share:.1f}%"


def change(share: float) -> str:
    """A change with its sign and one decimal; what rounds to nothing has none."""
    text = f"{100 * share:+.1f}%"
    return text if text.strip("+-") != "0.0%" else "0.0%"


def points(value: Decimal) -> str:
    """Percentage points with their sign and one decimal; what rounds to nothing has none."""
    text = f"{value:+.1f}"
    return text if text.strip("+-") != "0.0" else "0.0"


def part(of: float | Decimal, whole: float | Decimal) -> float:
    """What part of a whole something is, 0 to 1 for a bar; 0 of nothing."""
    return float(of) / float(whole) if whole else 0.0


@cache
def _words() -> Mapping[str, Both]:
    words = yaml.safe_load((HERE / "words.yml").read_text(encoding="utf-8"))
    return {name: (english, chinese) for name, (english, chinese) in words.items()}


class View:
    """What the template asks for: words, labels, colours and rows in their order."""

    def __init__(self, overview: Overview, rules: Rules) -> None:
        self.overview, self.rules = overview, rules
        self.tiers = {tier.code: tier for tier in overview.tiers}
        segments = sorted(code for kind, code in overview.labels if kind == "segment")
        known = [code for code in SEGMENTS if code in segments]
        others = [code for code in segments if code not in SEGMENTS]
        self._segments = {code: place for place, code in enumerate([*known, *others])}
        self.filled = {
            "as_of": overview.as_of,
            "closed_on": overview.closed_on,
            "rules_valid_from": overview.rules_valid_from,
            "currency": overview.currency,
            "window": rules.window_days,
            "profile": rules.score_profile,
            "smallest": rules.min_group_size,
            "rows": MARKET_ROWS,
            "campaigns": CAMPAIGNS_SHOWN,
            "version": _version(),
        }

    def word(self, name: str, **filled: object) -> Both:
        """Words of words.yml, with what they name filled in."""
        english, chinese = _words()[name]
        values = {**self.filled, **filled}
        return english.format(**values), chinese.format(**values)

    def label(self, kind: str, code: str) -> Both:
        """What a code is called; the code itself where nothing says it."""
        if code == OTHER:
            return _words()["other"]
        if code == UNKNOWN and kind in MARKETS:
            return _words()["unknown"]
        if kind == "tier" and code in self.tiers:
            return self.tiers[code].label_en, self.tiers[code].label_zh or code
        return self.overview.labels.get((kind, code), (code, code))

    def tier_colour(self, code: str) -> str:
        """The colour of a tier, by its rank."""
        rank = self.tiers[code].rank if code in self.tiers else None
        if code == OTHER or rank is None:
            return POOLED
        return TIER_COLOURS[(rank - 1) % len(TIER_COLOURS)] if rank else NO_TIER

    def segment_colour(self, code: str) -> str:
        """The colour of a segment."""
        place = self._segments.get(code)
        return POOLED if place is None else SEGMENT_COLOURS[place % len(SEGMENT_COLOURS)]

    def tier_cells(self, shown: Shown) -> list[Cell]:
        """Cells by tier, the highest first; what is pooled comes last."""
        return _in_order(shown.cells, [tier.code for tier in self.overview.tiers])

    def economics(self) -> list[TierFigures]:
        """The economics by tier, the highest first; without tiers of an earlier ladder that nobody is in."""
        found = self.overview.economics or []
        return [one for one in found if one.customers or one.contacts or one.code in self.tiers]

    def whisker(self, campaign: Campaign) -> tuple[float, float, float] | None:
        """Where on a scale from 0 to 1 an effect's interval begins, the effect is, and it ends; 0.5 is no effect.

        All campaigns have one scale.
        """
        if campaign.low is None or campaign.effect is None or campaign.high is None:
            return None
        ends = [abs(end) for one in self.overview.campaigns for end in (one.low, one.high) if end]
        widest = float(max(ends, default=Decimal(1)))
        low, effect, high = (
            0.5 + float(value) / widest / 2
            for value in (campaign.low, campaign.effect, campaign.high)
        )
        return low, effect, high

    def by_size(self, name: str) -> list[Cell]:
        """The cells of a table, the largest first; what is pooled comes last."""
        cells = self.overview.tables[name].cells
        return sorted(
            cells, key=lambda cell: (cell.codes[0] == OTHER, -(cell.customers or 0), cell.codes)
        )

    def stages(self) -> list[Cell]:
        """The cells of the lifecycle in its order."""
        return _in_order(self.overview.tables["lifecycle"].cells, STAGES)

    def reasons(self) -> list[Cell]:
        """Reasons of each change, the commonest first."""
        cells = self.by_size("reasons")
        return _in_order(cells, MOVEMENTS)

    def steps(self) -> list[tuple[str, int, Decimal]]:
        """Per cent of customers from the top, how many they are, what revenue they bring: running totals."""
        cells = sorted(
            self.overview.tables["concentration"].cells, key=lambda cell: int(cell.codes[0])
        )
        steps: list[tuple[str, int, Decimal]] = []
        customers, revenue = 0, Decimal(0)
        for cell in cells:
            customers += cell.customers or 0
            revenue += cell.revenue or Decimal(0)
            steps.append((cell.codes[0], customers, revenue))
        return steps

    def headline_step(self) -> tuple[str, float] | None:
        """Of the steps, the per cent up to 20 that is shown above, and its part of revenue."""
        steps = self.steps()
        found = [step for step in steps if int(step[0]) in (10, 20)]
        if not found or not steps[-1][2]:
            return None
        return found[0][0], part(found[0][2], steps[-1][2])

    def matrix(self) -> tuple[list[str], dict[tuple[str, ...], Cell]]:
        """The tiers of the matrix, the highest first, and its cells by tier before and after."""
        cells = self.overview.tables["movements"].by_codes()
        found = {code for codes in cells for code in codes}
        known = [tier.code for tier in self.overview.tiers]
        order = [*known, *sorted(found - set(known))]
        return [code for code in order if code in found or code != "none"], cells

    def direction(self, before: str, after: str) -> str:
        """Whether a movement is up, down, or none at all."""
        ranks = [self.tiers[code].rank if code in self.tiers else 0 for code in (before, after)]
        return "same" if ranks[0] == ranks[1] else "up" if ranks[0] < ranks[1] else "down"

    def alert_rows(self) -> list[tuple[str, dict[str, Cell]]]:
        """Alerts with their cells by severity, the most severe and commonest first."""
        alerts: dict[str, dict[str, Cell]] = {}
        for cell in self.overview.tables["alerts"].cells:
            alerts.setdefault(cell.codes[0], {})[cell.codes[1]] = cell

        def weight(code: str) -> tuple[object, ...]:
            cells = alerts[code]
            return tuple(-(cells[s].customers or 0) if s in cells else 0 for s in SEVERITIES), code

        return [(code, alerts[code]) for code in sorted(alerts, key=weight)]

    def departments(self) -> list[tuple[str, list[Cell]]]:
        """Actions by department, the department with most to do first."""
        departments: dict[str, list[Cell]] = {}
        for cell in self.by_size("actions"):
            departments.setdefault(cell.codes[0], []).append(cell)

        def weight(code: str) -> tuple[object, ...]:
            return code == OTHER, -sum(cell.customers or 0 for cell in departments[code]), code

        return [(code, departments[code]) for code in sorted(departments, key=weight)]

    def market_names(self) -> list[str]:
        """The tables of markets that tell customers apart, or tell why nothing is shown."""
        return [
            name
            for name in MARKETS
            if (shown := self.overview.markets[name]).is_withheld
            or any(cell.codes[0] not in (UNKNOWN, OTHER) for cell in shown.cells)
        ]

    def market_rows(self, name: str) -> list[tuple[Cell, float | None]]:
        """The cells of a market with the largest revenue, and their change against a year before where it is known."""
        before = self.overview.markets_year_before[name].by_codes()
        rows: list[tuple[Cell, float | None]] = []
        for cell in self.overview.markets[name].cells:
            earlier = before.get(cell.codes)
            change = None
            if cell.codes[0] != OTHER and cell.revenue is not None and earlier and earlier.revenue:
                change = float(cell.revenue / earlier.revenue) - 1 if earlier.revenue > 0 else None
            rows.append((cell, change))
        rows.sort(key=lambda row: (row[0].codes[0] == OTHER, -(row[0].revenue or 0), row[0].codes))
        return rows[:MARKET_ROWS]

    def hidden(self, shown: Shown) -> tuple[str, Both]:
        """The sign of a cell that is hidden, and how it is read out."""
        if shown.hides_more:
            return "…", self.word("hidden_more")
        return f"<{self.rules.min_group_size}", self.word("hidden_plain")

    def periods(self) -> list[tuple[date, Shown]]:
        """Revenue by period, the oldest first."""
        return sorted(self.overview.revenue_by_period.items())

    def period_tiers(self) -> list[str]:
        """The tiers that have revenue in any period, the highest first."""
        cells = [cell for _, shown in self.periods() for cell in shown.cells if cell.revenue]
        return list(dict.fromkeys(cell.codes[0] for cell in self.tier_cells(Shown(cells))))

    def quality(self) -> Both:
        """How many rows there were, and how many were rejected."""
        rows_in, rejected = self.overview.rows_in, self.overview.rows_rejected
        figures = {"rows_in": number(rows_in), "rejected": number(rejected)}
        return self.word("quality_line", **figures, percent=percent(part(rejected, rows_in)))

    def to_do(self, warning: str) -> Both:
        """What to do about a warning; nothing for one that is not known here."""
        return self.word(name) if (name := f"warning_{warning}") in _words() else ("", "")

    def rules_in_words(self) -> list[Both]:
        """By which rules: what is known of them."""
        names = {
            "rules_ladder": self.overview.rules_valid_from,
            "rules_profile": self.rules.score_profile,
            "rules_currency": self.overview.currency,
            "rules_window": self.rules.window_days,
            "rules_code": _version(),
        }
        return [self.word(name) for name, known in names.items() if known]


def _in_order(cells: Sequence[Cell], codes: Sequence[str]) -> list[Cell]:
    """Cells in the order of their first codes, those that are not among them after them, what is pooled last."""
    places = {code: place for place, code in enumerate(codes)}
    return sorted(
        cells,
        key=lambda cell: (cell.codes[0] == OTHER, places.get(cell.codes[0], len(places))),
    )


def _version() -> str | None:
    try:
        return version("customer-tiering")
    except PackageNotFoundError:
        return None
