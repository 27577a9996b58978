"""What may leave the house: from all tables of the page together no small group of customers can be worked out.

The oracle knows nothing of how cells are pooled. It knows each customer, takes the cells that a page shows, and tries for
every small group whether their sums, added and subtracted in any way, give that of the group.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_once import PROJECT
from made_up_publication import YEAR_BEFORE, Customer, made_up

from customer_tiering.overview.figures import Overview, Shown, TierFigures, read_overview
from customer_tiering.overview.view import Rules, View
from customer_tiering.publishing import open_publication

LABELS = PROJECT / "seeds" / "code_labels.csv"
PRIME = 2_147_483_647
WINDOW_DAYS = 365
MOVES = ("enter", "upgrade", "downgrade", "leave")
# A page shows what rules connect in one of these; its last review is another day's.
TODAY = ("totals", "tiers", "lifecycle", "segments", "concentration", "map", "alerts", "actions")
REVIEW = ("totals", "movements", "reasons")
WITH_AMOUNTS = ("tiers", "concentration")
# Of these tables what is not shown is in the cell `other`.
POOLED = ("tiers", "lifecycle", "segments", "reasons", "actions")

MARKETS: dict[str, Callable[[Customer], str | None]] = {
    "region": lambda c: c.region,
    "industry": lambda c: c.industry,
    "category": lambda c: c.category,
    "channel": lambda c: c.channel,
}

# On whom the figures of a tier's economics rest.
BASES: tuple[Callable[[Customer], bool], ...] = (
    lambda c: bool(c.tier),
    lambda c: bool(c.tier and c.revenue),
    lambda c: bool(c.tier and c.revenue and c.stage == "at_risk"),
    lambda c: bool(c.tier and c.to_next),
    lambda c: bool(c.tier and c.contacts),
)

Keys = Callable[[Customer], list[tuple[str, ...]]]

KEYS: dict[str, Keys] = {
    "totals": lambda c: (
        [("ordered",)] * (c.tier is not None)
        + [("active",)] * (c.tier is not None and c.frequency > 0)
    ),
    "tiers": lambda c: [(c.tier,)] if c.tier else [],
    "lifecycle": lambda c: [(c.stage,)],
    "segments": lambda c: [(c.segment,)],
    "map": lambda c: [tuple(map(str, c.scores))] if c.tier and c.frequency > 0 else [],
    "alerts": lambda c: list(c.alerts),
    "actions": lambda c: [(department or "", code) for department, code in c.actions],
    "movements": lambda c: [c.moved[:2]] if c.moved else [],
    "reasons": lambda c: (
        [(c.moved[2], c.moved[3] or "")] if c.moved and c.moved[2] in MOVES else []
    ),
}


def overview_of(
    customers: Sequence[Customer], smallest: int, starts_on: date = date(2023, 6, 1)
) -> Overview:
    with TemporaryDirectory() as folder:
        file = made_up(Path(folder, "made_up.duckdb"), customers, starts_on=starts_on)
        with open_publication(file) as connection:
            return read_overview(connection, smallest, WINDOW_DAYS)


def concentration(customers: Sequence[Customer], shown: Shown) -> list[set[int]]:
    """The customers in each step that is shown, by rank of revenue."""
    active = [i for i, c in enumerate(customers) if c.tier and c.frequency > 0]
    active.sort(key=lambda i: (-customers[i].revenue, f"c{i}"))
    steps, before = [], 0
    for cell in sorted(shown.cells, key=lambda cell: int(cell.codes[0])):
        up_to = int(cell.codes[0]) * len(active) // 100
        steps.append(set(active[before:up_to]))
        before = up_to
    return steps


def market_cells(
    customers: Sequence[Customer], there: list[int], markets: Mapping[str, Shown]
) -> list[set[int]]:
    """Who of those that were there is in each cell of a market of which a figure is shown."""
    cells = []
    for name, value_of in MARKETS.items():
        of_value: dict[str, set[int]] = {}
        for i in there:
            of_value.setdefault(value_of(customers[i]) or "unknown", set()).add(i)
        shown = {cell.codes[0]: cell.customers for cell in markets[name].cells}
        assert len(shown) == len(markets[name].cells)
        assert not (shown and markets[name].is_withheld)
        others = set().union(
            *(of_value[value] for value in of_value if value not in shown or value == "other")
        )
        if shown and others:
            assert shown.pop("other") == len(others)
            cells.append(others)
        for value, count in shown.items():
            assert count == len(of_value[value])
            cells.append(of_value[value])
    return cells


def economics_cells(customers: Sequence[Customer], overview: Overview) -> list[set[int]]:
    """Who is in each row of the economics."""
    of_code: dict[str, set[int]] = {}
    for i, customer in enumerate(customers):
        if customer.tier:
            of_code.setdefault(customer.tier, set()).add(i)
    rows = {row.code: row for row in overview.economics or ()}
    others = set().union(*(of_code[code] for code in of_code if code not in rows))
    cells = {code: of_code[code] for code in of_code if code in rows}
    if "other" in rows:
        cells["other"] = others
    for code, members in cells.items():
        assert rows[code].customers == len(members)
        assert rows[code].revenue == sum(customers[i].revenue for i in members)
        assert rows[code].contacts == sum(customers[i].contacts for i in members)
        assert rows[code].growth == sum(customers[i].to_next or 0 for i in members)
    return list(cells.values())


def cells_of(name: str, customers: Sequence[Customer], shown: Shown) -> list[set[int]]:
    """Who is in each cell of which a figure is shown."""
    if shown.is_withheld or not shown.cells:  # without an order nothing is due
        return []
    if name == "concentration":
        return concentration(customers, shown)
    of_key: dict[tuple[str, ...], set[int]] = {}
    for i, customer in enumerate(customers):
        for key in KEYS[name](customer):
            of_key.setdefault(key, set()).add(i)
    seen = {cell.codes for cell in shown.cells if cell.customers is not None}
    cells = [of_key[key] for key in of_key if key in seen]
    others = [of_key[key] for key in of_key if key not in seen]
    if name in POOLED and others:
        assert ("other",) in seen
        cells.append(set().union(*others))
    for cell in shown.cells:
        if cell.customers is not None and cell.codes in of_key:
            assert cell.customers == len(of_key[cell.codes])
    return cells


def isolated(cells: list[set[int]], people: list[int], smallest: int) -> set[int] | None:
    """A group of fewer than `smallest` people whose sum is a combination of the cells', by elimination modulo a prime."""
    rows = [[int(person in cell) for person in people] for cell in cells]
    reduced: list[tuple[int, list[int]]] = []

    def remainder(row: list[int]) -> list[int]:
        for pivot, other in reduced:
            if factor := row[pivot]:
                row = [(a - factor * b) % PRIME for a, b in zip(row, other, strict=True)]
        return row

    for row in rows:
        row = remainder(row)
        pivot = next((i for i, value in enumerate(row) if value), None)
        if pivot is not None:
            inverse = pow(row[pivot], -1, PRIME)
            reduced.append((pivot, [value * inverse % PRIME for value in row]))
    for size in range(1, smallest):
        for group in combinations(range(len(people)), size):
            row = [int(i in group) for i in range(len(people))]
            if not any(remainder(row)):
                return {people[i] for i in group}
    return None


amounts = st.sampled_from([Decimal(0), Decimal("10.00"), Decimal("25.50"), Decimal("400.00")])
moves = st.sampled_from(
    [
        ("none", "silver", "enter", "first_order"),
        ("silver", "gold", "upgrade", "monetary_up"),
        ("silver", "gold", "upgrade", "frequency_up"),
        ("gold", "silver", "downgrade", "recency_down"),
        ("gold", "none", "leave", "inactivity"),
        ("silver", "silver", "keep", None),
        ("gold", "gold", "keep", None),
    ]
)
people = st.one_of(
    st.builds(
        Customer,
        tier=st.just(None),
        segment=st.just("prospect"),
        stage=st.just("prospect"),
        actions=st.sampled_from([(), (("sales", "invite_first_order"),)]),
    ),
    st.builds(
        Customer,
        tier=st.sampled_from(["none", "silver", "gold"]),
        segment=st.sampled_from(["loyal", "at_risk"]),
        stage=st.sampled_from(["new", "active", "lost", "at_risk"]),
        scores=st.sampled_from([(1, 1), (5, 1), (5, 5)]),
        frequency=st.sampled_from([0, 1, 2]),
        revenue=amounts,
        moved=st.one_of(st.none(), moves),
        alerts=st.sampled_from([(), (("spend_drop", "high"),), (("spend_drop", "low"),)]),
        actions=st.sampled_from([(), (("sales", "call"),), (("sales", "call"), (None, "wait"))]),
        region=st.sampled_from(["north", "south", "other", None]),
        industry=st.sampled_from(["retail", None]),
        category=st.sampled_from(["tea", "books", None]),
        channel=st.sampled_from(["app", "store"]),
        year_before=st.one_of(st.none(), amounts),
        to_next=st.sampled_from([None, Decimal(0), Decimal(50)]),
        contacts=st.sampled_from([0, 0, 1, 7]),
    ),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(customers=st.lists(people, min_size=1, max_size=14), smallest=st.sampled_from([2, 3, 5]))
def test_no_small_group_can_be_worked_out_from_the_page(
    customers: list[Customer], smallest: int
) -> None:
    overview = overview_of(customers, smallest)
    everybody = list(range(len(customers)))
    buyers = [i for i, c in enumerate(customers) if c.tier and c.revenue]
    for family in (TODAY, REVIEW):
        cells = [c for name in family for c in cells_of(name, customers, overview.tables[name])]
        assert isolated(cells, everybody, smallest) is None
    amounts_of = [
        c for name in WITH_AMOUNTS for c in cells_of(name, customers, overview.tables[name])
    ]
    assert isolated(amounts_of, buyers, smallest) is None
    economics = economics_cells(customers, overview)
    of_today = [c for name in TODAY for c in cells_of(name, customers, overview.tables[name])]
    assert isolated([*of_today, *economics], everybody, smallest) is None
    for rests_on in BASES:
        counting = [i for i in everybody if rests_on(customers[i])]
        assert isolated(economics, counting, smallest) is None
    reviewed = [i for i, c in enumerate(customers) if c.moved]
    earlier = [i for i, c in enumerate(customers) if c.year_before is not None]
    for there, markets, revenue_of in (
        (reviewed, overview.markets, lambda c: c.revenue),
        (earlier, overview.markets_year_before, lambda c: c.year_before),
    ):
        cells = market_cells(customers, there, markets)
        assert isolated(cells, there, smallest) is None
        assert isolated(cells, [i for i in there if revenue_of(customers[i])], smallest) is None
    withheld = {
        i
        for period_end, shown in overview.revenue_by_period.items()
        for i, customer in enumerate(customers)
        if shown.is_withheld and customer.revenue and tier_at(customer, period_end)
    }
    if any(shown.revenue() for shown in overview.revenue_by_period.values()):
        assert not 0 < len(withheld) < smallest  # the revenue of the window less that of the others
    for period_end, shown in overview.revenue_by_period.items():
        of_tier: dict[str, set[int]] = {}
        for i, customer in enumerate(customers):
            tier = tier_at(customer, period_end)
            if tier and customer.revenue:
                of_tier.setdefault(tier, set()).add(i)
        seen = {cell.codes[0] for cell in shown.cells}
        cells = [of_tier[tier] for tier in of_tier if tier in seen]
        cells.append(set().union(*(of_tier[t] for t in of_tier if t not in seen)))
        if not shown.is_withheld:
            assert isolated(cells, everybody, smallest) is None


def tier_at(customer: Customer, period_end: date) -> str | None:
    """The tier of those who have revenue in a period: nobody has in that of a year before."""
    if period_end == YEAR_BEFORE:
        return None
    if period_end == date(2025, 6, 15):
        return customer.tier
    return customer.moved[1] if customer.moved else None


def many(count: int, **what: object) -> list[Customer]:
    return [Customer(**what) for _ in range(count)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sizes", "smallest", "shown"),
    [
        # 3 and 2 are 5 together
        ((10, 3, 2), 5, {"gold": 10, "other": 5}),
        # 3 alone would be too few: the next smallest joins it
        ((10, 6, 3), 5, {"gold": 10, "other": 9}),
        ((10, 6, 5), 5, {"gold": 10, "silver": 6, "diamond": 5}),
        ((10, 6, 1), 1, {"gold": 10, "silver": 6, "diamond": 1}),
        # fewer than five in all
        ((2, 1, 1), 5, None),
    ],
)
def test_small_tiers_are_other(
    sizes: tuple[int, int, int], smallest: int, shown: dict[str, int] | None
) -> None:
    tiers = zip(("gold", "silver", "diamond"), sizes, strict=True)
    customers = [c for tier, size in tiers for c in many(size, tier=tier)]
    found = overview_of(customers, smallest).tables["tiers"]
    if shown is None:
        assert found.is_withheld
    else:
        assert {cell.codes[0]: cell.customers for cell in found.cells} == shown
        assert {cell.codes[0]: cell.revenue for cell in found.cells} == {
            code: 100 * count for code, count in shown.items()
        }


def test_a_tier_of_many_without_revenue_hides_the_few_who_have_some() -> None:
    customers = [*many(20), *many(18, tier="silver", revenue=Decimal(0)), *many(2, tier="silver")]
    found = overview_of(customers, 5).tables["tiers"]
    assert [(cell.codes, cell.customers) for cell in found.cells] == [(("other",), 40)]


def test_what_is_left_of_a_table_by_another_is_not_shown() -> None:
    """Of 8 without a tier 6 have never ... bought this year; the other 2 would be the difference."""
    customers = [
        *many(30),
        *many(6, tier="none", segment="lapsed", stage="lost", frequency=0, revenue=Decimal(0)),
        *many(2, tier="none", segment="loyal", stage="lost", frequency=0, revenue=Decimal(0)),
    ]
    overview = overview_of(customers, 5)
    tiers = {cell.codes[0]: cell.customers for cell in overview.tables["tiers"].cells}
    segments = {cell.codes[0]: cell.customers for cell in overview.tables["segments"].cells}
    assert tiers == {"gold": 30, "none": 8}
    assert segments == {"other": 38}
    assert overview_of(customers, 1).tables["segments"].customers() == 38
    assert len(overview_of(customers, 1).tables["segments"].cells) == 2


def test_small_movements_are_hidden_with_another_where_they_could_be_worked_out() -> None:
    """Three reasons say that 13 went up; one cell of 3 and one of 10 are not enough to hide the 3."""
    up, far = (
        ("silver", "gold", "upgrade", "monetary_up"),
        ("silver", "diamond", "upgrade", "monetary_up"),
    )
    customers = [
        *many(10, moved=up),
        *many(3, moved=far),
        *many(9, moved=("gold", "gold", "keep", None)),
    ]
    found = overview_of(customers, 5).tables
    assert {cell.codes: cell.customers for cell in found["reasons"].cells} == {
        ("upgrade", "monetary_up"): 13
    }
    assert {cell.codes: cell.customers for cell in found["movements"].cells} == {
        ("gold", "gold"): 9,
        ("silver", "diamond"): None,
        ("silver", "gold"): None,
    }
    assert found["movements"].hides_more


def test_a_tier_with_few_who_called_is_pooled_in_the_economics_alone() -> None:
    """Of 10 of gold 3 called, and of 8 of silver 6: gold's calls would be those of three."""
    customers = [
        *many(7),
        *many(3, contacts=2),
        *many(6, tier="silver", contacts=1, to_next=Decimal(50)),
        *many(2, tier="silver"),
    ]
    overview = overview_of(customers, 5)
    assert {cell.codes[0] for cell in overview.tables["tiers"].cells} >= {"gold", "silver"}
    rows = {row.code: row for row in overview.economics or () if row.customers}
    assert rows == {
        "other": TierFigures("other", 18, Decimal(1800), Decimal(300), 12, Decimal("0.5"))
    }
    shown = {row.code: row.contacts for row in overview_of(customers, 3).economics or ()}
    assert (shown["gold"], shown["silver"]) == (6, 6)
    assert overview_of(many(3), 5).economics is None


@pytest.mark.parametrize(
    ("groups", "is_few"),
    [((100, 40, 50, 20), False), ((100, 40, 4, 20), True), ((100, 40, 96, 20), True)]
    + [((100, 40, 50, 4), True), ((100, 40, 50, 36), True), ((100, 4, 50, 2), True)]
    + [((100, 40, 0, 40), False), ((100, 40, 5, 35), False)],
)
def test_an_effect_of_few_is_not_shown(
    groups: tuple[int, ...], is_few: bool, tmp_path: Path
) -> None:
    """Neither the effect nor the revenue, which few brought; nor how many few are."""
    figures = (*map(Decimal, ("1.5", "-2", "5")), (Decimal(700), Decimal(-9), Decimal(1400)))
    rows = [("k", None, date(2025, 1, 1), "judged", *groups, *figures[:3], *figures[3], Decimal(9))]
    file = made_up(tmp_path / "made_up.duckdb", many(9), campaigns=rows)
    with open_publication(file) as connection:
        [campaign] = read_overview(connection, 5, WINDOW_DAYS).campaigns
        [everything] = read_overview(connection, 1, WINDOW_DAYS).campaigns
    shown = (campaign.effect, campaign.low, campaign.high, campaign.revenue)
    assert (shown == (None,) * 4, shown == figures) == (is_few, not is_few)
    assert (campaign.is_few, campaign.cost, campaign.name) == (is_few, 9, "k")
    assert (campaign.treated, campaign.held_out) == (100, None if groups[1] == 4 else 40)
    assert everything.effect == Decimal("1.5")


def test_every_warning_says_what_to_do() -> None:
    view = View(overview_of(many(9), 5), Rules(WINDOW_DAYS, "retail", 5))
    rows = csv.DictReader(LABELS.read_text(encoding="utf-8").splitlines())
    warnings = [row["code"] for row in rows if row["kind"] == "warning"]
    assert len(warnings) > 20
    assert [code for code in warnings if not all(view.to_do(code))] == []


def test_tiers_of_an_earlier_ladder_keep_their_codes() -> None:
    """What is rank 1 today had another name then."""
    overview = overview_of(many(9, moved=("none", "iron", "enter", "first_order")), 5)
    assert [cell.codes for cell in overview.tables["movements"].cells] == [("none", "iron")]
    codes = {day: [cell.codes for cell in s.cells] for day, s in overview.revenue_by_period.items()}
    assert codes == {date(2025, 5, 31): [("iron",)], date(2025, 6, 15): [("gold",)]}


def test_a_market_is_compared_with_a_year_before_where_both_are_shown() -> None:
    """3 of the west bought a year before, which says too little of them."""
    kept = {"moved": ("gold", "gold", "keep", None)}
    customers = [
        *many(8, region="north", year_before=Decimal(50), **kept),
        *many(6, region="south", year_before=Decimal(80), **kept),
        *many(3, region="west", year_before=Decimal(80), **kept),
        *many(3, region="west", **kept),
    ]
    overview = overview_of(customers, 5)
    now = {cell.codes[0]: cell.revenue for cell in overview.markets["region"].cells}
    before = {cell.codes[0]: cell.revenue for cell in overview.markets_year_before["region"].cells}
    assert now == {"north": 800, "south": 600, "west": 600}
    assert before == {"north": 400, "other": 720}
    view = View(overview, Rules(WINDOW_DAYS, "retail", 5))
    assert [(cell.codes[0], change) for cell, change in view.market_rows("region")] == [
        *(("north", 1.0), ("south", None), ("west", None))
    ]
    assert view.market_names() == ["region"]


def test_a_market_is_not_compared_with_a_window_that_began_before_the_first_period() -> None:
    customers = many(
        8, region="north", year_before=Decimal(50), moved=("gold", "gold", "keep", None)
    )
    for starts_on, change in ((date(2023, 6, 2), 1.0), (date(2023, 6, 3), None)):
        view = View(overview_of(customers, 5, starts_on), Rules(WINDOW_DAYS, "retail", 5))
        assert [found for _, found in view.market_rows("region")] == [change]


def test_a_change_from_less_than_nothing_is_no_percentage() -> None:
    customers = many(
        8, region="north", year_before=Decimal(-50), moved=("gold", "gold", "keep", None)
    )
    view = View(overview_of(customers, 5), Rules(WINDOW_DAYS, "retail", 5))
    assert [found for _, found in view.market_rows("region")] == [None]


def test_what_the_source_calls_other_is_one_row_with_what_is_pooled() -> None:
    """The industry `other` is a code of its own."""
    kept = {"moved": ("gold", "gold", "keep", None)}
    customers = [
        *many(8, industry="retail", **kept),
        *many(6, industry="other", **kept),
        *many(3, industry="health", **kept),
        *many(3, industry="mining", **kept),
    ]
    found = overview_of(customers, 5).markets["industry"].cells
    assert [(cell.codes[0], cell.customers) for cell in found] == [("retail", 8), ("other", 12)]
