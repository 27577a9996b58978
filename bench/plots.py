"""The plots of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import altair as alt
import vl_convert

from bench.generate import CLOSED_PERIODS
from bench.results import Results

ACCENT, FAINT = "#2f5d8a", "#52606d"
WIDTH = 520


@dataclass(frozen=True)
class Plot:
    """What a plot shows, and how it is drawn."""

    title: str
    chart: alt.Chart

    @cached_property
    def svg(self) -> str:
        """The picture; the same for the same results."""
        chart = self.chart.properties(title=self.title, width=WIDTH).configure(
            background="white", font="sans-serif", view=alt.ViewConfig(stroke=None)
        )
        return vl_convert.vegalite_to_svg(chart.to_dict()) + "\n"


def plots(kept: Sequence[Results]) -> dict[str, Plot]:
    """The plots by name, where there is something to draw: of the largest shop of the usual age."""
    usual = [one for one in kept if one.closed_periods == CLOSED_PERIODS]
    refreshed = [one for one in usual if one.days]
    compared = [one for one in usual if one.peers]
    drawn = {}
    if refreshed:
        drawn["refreshes"] = _refreshes(refreshed[-1])
    if compared:
        drawn["peers"] = _peers(compared[-1])
    return drawn


def _refreshes(results: Results) -> Plot:
    """A bar for each day, divided into parts."""
    parts = list(next(iter(results.days.values())).refresh.parts)
    rows = [
        {"day": name, "part": part, "place": place, "seconds": round(cost.wall, 1)}
        for name, day in results.days.items()
        for place, (part, cost) in enumerate(day.refresh.parts.items())
    ]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar()
        .encode(
            x=alt.X("seconds:Q", title="seconds of wall time"),
            y=alt.Y("day:N", sort=list(results.days), title=None, axis=alt.Axis(labelLimit=220)),
            color=alt.Color("part:N", sort=parts, title=None, scale=alt.Scale(scheme="tableau10")),
            order=alt.Order("place:Q"),
        )
    )
    return Plot(f"Refreshes of {results.raw_rows['orders']:,} orders, by part", chart)


def _peers(results: Results) -> Plot:
    """A bar for each way to RFM, this project's in another colour."""
    rows = [
        {"peer": name, "seconds": round(peer.whole.cost.wall, 1), "place": place}
        for place, (name, peer) in enumerate(results.peers.items())
    ]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar()
        .encode(
            x=alt.X("seconds:Q", title="seconds of wall time"),
            y=alt.Y("peer:N", sort=list(results.peers), title=None),
            color=alt.condition("datum.place == 0", alt.value(ACCENT), alt.value(FAINT)),
        )
    )
    return Plot(f"RFM alone, {results.raw_rows['orders']:,} orders", chart)
