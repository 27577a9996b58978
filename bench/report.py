"""Write the figures of docs/benchmarks.md, and draw its plots, from the results that are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import typer

from bench.comparing import COMPARED
from bench.cost import Cost
from bench.generate import CLOSED_PERIODS, SIZES
from bench.plots import plots
from bench.processes import PROJECT
from bench.results import Day, Results, read
from bench.rfm import THIS_PROJECT, Peer

PAGE = PROJECT / "docs" / "benchmarks.md"
# What stands above it in the page is written by hand.
MARK = "<!-- From here on written by make bench-docs. -->"
FIRST, NEXT = "first refresh", "the day after"
USUAL_LIMIT = "6GB"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table; all columns but the first are of numbers."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def seconds(*costs: Cost) -> list[str]:
    """Wall and CPU seconds of each cost."""
    return [f"{figure:.1f}" for cost in costs for figure in (cost.wall, cost.cpu)]


# -- One run ---------------------------------------------------------------------------------------


def section(results: Results) -> list[str]:
    """The lines of a section in Markdown: what was measured, the costs, and what was compared."""
    size = SIZES[results.size]
    rows = ", ".join(f"{name} {count:,}" for name, count in results.raw_rows.items())
    lines = [
        f"## {results.raw_rows['orders']:,} orders of {size.customers:,} customers, "
        f"{results.closed_periods} closed periods, {results.memory_limit}",
        "",
        " ".join(part for part in (results.machine, results.note) if part),
        "",
        f"Raw rows: {rows}.",
        "",
    ]
    if results.days:
        lines += [*parts_table(results.days), "", *days_table(results.days), ""]
    lines += [*comparison(results.days)]
    if results.peers:
        lines += ["", *peers_table(results.peers), "", *keeps_table(results.peers)]
    return lines


def parts_table(days: Mapping[str, Day]) -> list[str]:
    """Seconds by part, what they add up to, and the script, on the first day and the one after."""
    shown = {name: day for name, day in days.items() if name in (FIRST, NEXT)}
    refreshes = [day.refresh for day in shown.values()]
    rows = []
    for part in refreshes[0].parts:
        rows.append([part, *seconds(*(refresh.parts[part] for refresh in refreshes))])
        if part == "models":
            of_them = "of them, customer_periods and its upstream models"
            rows.append([of_them, *seconds(*(refresh.to_history for refresh in refreshes))])
    rows.append(["**whole refresh**", *seconds(*(refresh.whole.cost for refresh in refreshes))])
    scripts = [day.script for day in shown.values() if day.script]
    if len(scripts) == len(shown):
        rows.append(["hand-written script", *seconds(*(script.cost for script in scripts))])
    head = ["seconds", *(column for name in shown for column in (name, "its CPU"))]
    return table(head, rows)


def days_table(days: Mapping[str, Day]) -> list[str]:
    """Each day's whole refresh, beside the first."""
    first = next(iter(days.values())).refresh.whole.cost
    return table(
        ["refresh", "new orders", "seconds", "CPU", "of the first", "models", "peak GB"],
        [
            [
                name,
                f"{day.new_rows.get('orders', 0):,}" if name != FIRST else "all",
                *seconds(day.refresh.whole.cost),
                percent(day.refresh.whole.cost.wall, first.wall),
                f"{day.refresh.parts['models'].wall:.1f}",
                f"{day.refresh.whole.peak_gigabytes:.1f}",
            ]
            for name, day in days.items()
        ],
    )


def comparison(days: Mapping[str, Day]) -> list[str]:
    """A line that says in what script and refreshes agree, or one per column that differs."""
    compared = {name: day.comparison for name, day in days.items() if day.comparison}
    differing = [
        f"{name}: {column}: {count:,} rows differ."
        for name, found in compared.items()
        for column, count in found.differences.items()
    ]
    if differing or not compared:
        return differing or ["Not compared with the script."]
    columns = "; ".join(
        f"{kind}: {', '.join(columns)}" for kind, (_, _, columns) in COMPARED.items()
    )
    rows = ", ".join(
        f"{sum(found.rows[kind] for found in compared.values()):,} rows of {kind}"
        for kind in COMPARED
    )
    return [
        f"Script and refreshes agree on all {len(compared)} days in {rows}: 0 rows differ ({columns})."
    ]


def peers_table(peers: Mapping[str, Peer]) -> list[str]:
    """What RFM alone costs, here and elsewhere."""
    return table(
        ["RFM alone", "seconds", "CPU", "models alone", "peak GB", "customers", "other cells"],
        [
            [
                name,
                *seconds(peer.whole.cost),
                f"{peer.models.wall:.1f}" if peer.models else "",
                f"{peer.whole.peak_gigabytes:.1f}",
                f"{peer.customers:,}",
                f"{peer.other_cells:,}",
            ]
            for name, peer in peers.items()
        ],
    )


def keeps_table(peers: Mapping[str, Peer]) -> list[str]:
    """What becomes of facts that are easily overlooked."""
    promises = next(iter(peers.values())).keeps
    return table(
        ["", *peers],
        [
            [promise, *("yes" if peer.keeps[promise] else "no" for peer in peers.values())]
            for promise in promises
        ],
    )


def percent(part: float, whole: float) -> str:
    """A share in per cent."""
    return f"{100 * part / whole:.0f} %"


# -- The page --------------------------------------------------------------------------------------


def page(text: str, kept: Sequence[Results]) -> str:
    """The page with the figures of the results in place of those that it has."""
    by_hand = text.split(MARK)[0]
    lines = [MARK]
    if kept:
        lines += ["", *goals(kept)]
    if any(results.days for results in kept):
        lines += ["", *ages(kept)]
    for name, what in plots(kept).items():
        lines += ["", f"![{what.title}](benchmarks-{name}.svg)"]
    for results in reversed(kept):
        lines += ["", *section(results)]
    return by_hand + "\n".join(lines) + "\n"


def goals(kept: Sequence[Results]) -> list[str]:
    """The goals, and what was measured at each size."""
    sizes = [size for size in SIZES if any(one.size == size for one in kept)]
    measured = {size: _measured(size, kept) for size in sizes}
    return [
        "## Goals",
        "",
        *table(
            ["", "wanted", *(f"{size} orders" for size in sizes)],
            [
                [goal, wanted, *(measured[size].get(goal, "not measured") for size in sizes)]
                for goal, wanted in WANTED.items()
            ],
        ),
    ]


WANTED = {
    "the day after, whole refresh, of the first": "at most 25 %",
    "the day after at 12, 24 and 36 closed periods, seconds": "equal within a tenth",
    "after a period has closed, of the first": "told beside",
    "first refresh, models, against the script": "at most 4 x",
    "RFM alone, models, against openretailscience": "at most 4 x",
    "one order, from its file to the published tier": "under 60 s",
    "one order 40 days late": "told beside",
    "peak memory": "at most 8 GB",
    "with a limit of 4 GB": "no failure",
}


def _measured(size: str, kept: Sequence[Results]) -> dict[str, str]:
    """What was measured of each goal at a size, where it was."""
    of_size = {(one.closed_periods, one.memory_limit): one for one in kept if one.size == size}
    found: dict[str, str] = {}
    usual = of_size.get((CLOSED_PERIODS, USUAL_LIMIT))
    if usual:
        days = {name: day.refresh.whole for name, day in usual.days.items()}
        for goal, name in (
            ("the day after, whole refresh, of the first", NEXT),
            ("after a period has closed, of the first", "after a period has closed"),
        ):
            if name in days:
                found[goal] = percent(days[name].cost.wall, days[FIRST].cost.wall)
        for goal, name in (
            ("one order, from its file to the published tier", "one order"),
            ("one order 40 days late", "one order 40 days late"),
        ):
            if name in days:
                found[goal] = f"{days[name].cost.wall:.0f} s"
        if FIRST in usual.days and (script := usual.days[FIRST].script):
            models = usual.days[FIRST].refresh.parts["models"]
            found["first refresh, models, against the script"] = times(models, script.cost)
        if peers := usual.peers:
            models = peers[THIS_PROJECT].models or peers[THIS_PROJECT].whole.cost
            found["RFM alone, models, against openretailscience"] = times(
                models, peers["openretailscience"].whole.cost
            )
        if days:
            found["peak memory"] = f"{max(day.peak_gigabytes for day in days.values()):.1f} GB"
    ages_measured = [
        of_size[months, USUAL_LIMIT].days[NEXT].refresh.whole.cost.wall
        for months in (12, 24, 36)
        if (months, USUAL_LIMIT) in of_size and NEXT in of_size[months, USUAL_LIMIT].days
    ]
    if len(ages_measured) == 3:
        found["the day after at 12, 24 and 36 closed periods, seconds"] = ", ".join(
            f"{wall:.0f}" for wall in ages_measured
        )
    if limited := of_size.get((CLOSED_PERIODS, "4GB")):
        peak = max(day.refresh.whole.peak_gigabytes for day in limited.days.values())
        found["with a limit of 4 GB"] = f"no failure, peak {peak:.1f} GB"
    return found


def times(cost: Cost, other: Cost) -> str:
    """How many times as long."""
    return f"{cost.wall / other.wall:.1f} x"


def ages(kept: Sequence[Results]) -> list[str]:
    """The day after by the shop's age."""
    rows = [
        [
            f"{results.size}, {results.closed_periods} closed periods",
            f"{results.raw_rows['orders']:,}",
            *seconds(
                *(
                    results.days[name].refresh.whole.cost
                    for name in (FIRST, NEXT)
                    if name in results.days
                )
            ),
        ]
        for results in kept
        if results.memory_limit == USUAL_LIMIT and NEXT in results.days
    ]
    head = ["shop", "orders", FIRST, "its CPU", NEXT, "its CPU"]
    return ["## By the shop's age", "", *table(head, rows)]


def main() -> None:
    """Write docs/benchmarks.md and its plots from bench/results.json."""
    kept = read()
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), kept), encoding="utf-8")
    for name, chart in plots(kept).items():
        plot_file(name).write_text(chart.svg, encoding="utf-8")


def plot_file(name: str) -> Path:
    """Where a plot is kept."""
    return PAGE.with_name(f"benchmarks-{name}.svg")


if __name__ == "__main__":
    typer.run(main)
