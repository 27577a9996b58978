"""The charts of the page, as Vega-Lite specifications. What they show is in the tables beside them too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt

from customer_tiering.overview.figures import Cell
from customer_tiering.overview.view import View, part

FONT = 'system-ui, -apple-system, "Segoe UI", "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif'
TEXT, FAINT, LINE, ACCENT = "#1f2933", "#52606d", "#e4e7eb", "#2f5d8a"
# Amounts on an axis; in Chinese by ten thousands and hundred millions.
AMOUNTS = (
    "format(datum.value, abs(datum.value) >= 1000 ? '.3~s' : ',')",
    "abs(datum.value) >= 1e8 ? format(datum.value / 1e8, ',~r') + '亿' : "
    "abs(datum.value) >= 1e4 ? format(datum.value / 1e4, ',~r') + '万' : format(datum.value, ',')",
)

Rows = Sequence[Mapping[str, Any]]


def drawn(view: View, place: int) -> dict[str, Any]:
    """The charts by name, where there is something to draw. `place` is that of the language: English, Chinese."""
    charts = {
        "tiers": _tiers(view, place),
        "concentration": _concentration(view, place),
        "over_time": _over_time(view, place),
    }
    return {name: chart for name, chart in charts.items() if chart}


def _tiers(view: View, place: int) -> dict[str, Any] | None:
    """One bar for customers and one for revenue, each divided by tier."""
    shown = view.overview.tables["tiers"]
    cells = view.tier_cells(shown)
    names = _names(view, [cell.codes[0] for cell in cells], place)

    def bar(measure: str, share: Callable[[Cell], float]) -> list[dict[str, Any]]:
        return [
            {
                "measure": view.word(measure)[place],
                "tier": names[i],
                "share": share(cell),
                "place": i,
            }
            for i, cell in enumerate(cells)
        ]

    rows = [
        *bar("customers", lambda cell: part(cell.customers or 0, shown.customers())),
        *bar("revenue", lambda cell: part(cell.revenue or 0, shown.revenue())),
    ]
    return _shares(rows, names, _tier_colours(view, cells)) if cells else None


def _concentration(view: View, place: int) -> dict[str, Any] | None:
    """The share of revenue by the share of customers, from those with the most."""
    steps = view.steps()
    if not steps or steps[-1][2] <= 0:
        return None
    rows = [{"customers": 0.0, "revenue": 0.0}]
    for _, customers, revenue in steps:
        rows.append(
            {"customers": part(customers, steps[-1][1]), "revenue": part(revenue, steps[-1][2])}
        )
    return _curve(rows, view.word("customers")[place], view.word("revenue")[place])


def _over_time(view: View, place: int) -> dict[str, Any] | None:
    """A column a period, divided by tier."""
    codes = view.period_tiers()
    names = _names(view, codes, place)
    rows = [
        {
            "period": f"{period_end:%Y-%m-%d}",
            "tier": names[codes.index(cell.codes[0])],
            "revenue": float(cell.revenue),
            "place": codes.index(cell.codes[0]),
        }
        for period_end, shown in view.periods()
        for cell in shown.cells
        if cell.revenue and cell.codes[0] in codes
    ]
    return (
        _columns(rows, names, [view.tier_colour(code) for code in codes], place) if rows else None
    )


def _names(view: View, codes: Sequence[str], place: int) -> list[str]:
    """Names of tiers; those that are called alike keep their codes beside."""
    names = [view.label("tier", code)[place] for code in codes]
    return [
        f"{name} ({code})" if names.count(name) > 1 else name
        for name, code in zip(names, codes, strict=True)
    ]


def _tier_colours(view: View, cells: Sequence[Cell]) -> list[str]:
    return [view.tier_colour(cell.codes[0]) for cell in cells]


def _shares(rows: Rows, tiers: Sequence[str], colours: Sequence[str]) -> dict[str, Any]:
    """A bar a measure. Rows: measure, tier, share, place."""
    measures = list(dict.fromkeys(row["measure"] for row in rows))
    return _finished(
        alt.Chart(_data(rows), height=130)
        .mark_bar(height=42)
        .encode(
            x=alt.X(
                "share:Q",
                stack="zero",
                title=None,
                scale=alt.Scale(domain=[0, 1], clamp=True),
                axis=alt.Axis(format=".0%", tickCount=5),
            ),
            y=alt.Y(
                "measure:N",
                sort=measures,
                title=None,
                axis=alt.Axis(ticks=False, domain=False, labelPadding=8),
            ),
            color=_colours("tier", tiers, colours),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("tier:N", title=" "),
                alt.Tooltip("measure:N", title=" "),
                alt.Tooltip("share:Q", format=".1%", title=" "),
            ],
        )
    )


def _curve(rows: Rows, across: str, up: str) -> dict[str, Any]:
    """A curve, above a line for revenue that is spread evenly. Rows: customers, revenue."""
    chart = alt.Chart(_data(rows), height=180)
    x = alt.X(
        "customers:Q", title=across, axis=alt.Axis(format=".0%", values=[0, 0.2, 0.4, 0.6, 0.8, 1])
    )
    y = alt.Y(
        "revenue:Q",
        title=up,
        axis=alt.Axis(format=".0%", tickCount=5),
        scale=alt.Scale(domain=[0, 1]),
    )
    even = (
        alt.Chart(_data([{"customers": 0, "revenue": 0}, {"customers": 1, "revenue": 1}]))
        .mark_line(color=FAINT, strokeDash=[3, 3], strokeWidth=1)
        .encode(x=x, y=y)
    )
    tooltip = [
        alt.Tooltip("customers:Q", format=".0%", title=across),
        alt.Tooltip("revenue:Q", format=".1%", title=up),
    ]
    return _finished(
        alt.layer(
            chart.mark_area(color=ACCENT, opacity=0.15, interpolate="monotone").encode(x=x, y=y),
            chart.mark_line(color=ACCENT, strokeWidth=2.5, interpolate="monotone").encode(x=x, y=y),
            chart.mark_point(color=ACCENT, filled=True, size=50, opacity=1).encode(
                x=x, y=y, tooltip=tooltip
            ),
            even,
        )
    )


def _columns(
    rows: Rows, tiers: Sequence[str], colours: Sequence[str], place: int
) -> dict[str, Any]:
    """Stacked columns. Rows: period, tier, revenue, place."""
    periods = list(dict.fromkeys(row["period"] for row in rows))
    return _finished(
        alt.Chart(_data(rows), height=260)
        .mark_bar()
        .encode(
            x=alt.X(
                "period:O",
                sort=periods,
                title=None,
                axis=alt.Axis(labelAngle=-45, labelOverlap=True, ticks=False),
                scale=alt.Scale(paddingInner=0.25),
            ),
            y=alt.Y("revenue:Q", title=None, axis=alt.Axis(labelExpr=AMOUNTS[place], tickCount=5)),
            color=_colours("tier", tiers, colours),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("period:O", title=" "),
                alt.Tooltip("tier:N", title=" "),
                alt.Tooltip("revenue:Q", format=",.0f", title=" "),
            ],
        )
    )


def _data(rows: Rows) -> alt.InlineData:
    return alt.InlineData(values=[dict(row) for row in rows])


def _colours(field: str, names: Sequence[str], colours: Sequence[str]) -> alt.Color:
    return alt.Color(
        f"{field}:N",
        scale=alt.Scale(domain=list(names), range=list(colours)),
        sort=list(names),
        legend=None,  # names and colours are on the page, where they wrap
    )


def _finished(chart: Any) -> dict[str, Any]:
    """The specification, as wide as its place on the page. Numbers are read out from the tables: `aria` is off."""
    finished = chart.properties(
        width="container", autosize=alt.AutoSizeParams(type="fit-x", contains="padding")
    ).configure(
        font=FONT,
        background="transparent",
        aria=False,
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelColor=FAINT,
            labelFontSize=12,
            labelLimit=120,
            titleColor=FAINT,
            titleFontSize=12,
            titleFontWeight="normal",
            gridColor=LINE,
            domainColor=LINE,
            tickColor=LINE,
        ),
    )
    specification: dict[str, Any] = finished.to_dict()
    return specification
