"""The questions of docs/bi.md: each query gives rows, and what it gives is counted again in plain Python."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from made_once import PROJECT

BLOCK = re.compile(r"^## (.+?)$(?:(?!^## ).)*?^```sql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
QUESTIONS = dict(BLOCK.findall((PROJECT / "docs" / "bi.md").read_text(encoding="utf-8")))
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Marts:
    """The sample's publication, as rows by column name."""

    connection: duckdb.DuckDBPyConnection

    def __getitem__(self, table: str) -> list[dict]:
        result = self.connection.execute(f"from marts.{table}")
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    @cached_property
    def customers(self) -> dict[str, dict]:
        return {row["customer_id"]: row for row in self["customers"]}

    @cached_property
    def orders(self) -> list[dict]:
        return self["orders"]

    @cached_property
    def reviews(self) -> dict[date, dict[str, dict]]:
        """customer_periods by period and customer, the oldest first."""
        found: dict[date, dict[str, dict]] = defaultdict(dict)
        for row in self["customer_periods"]:
            found[row["period_end"]][row["customer_id"]] = row
        return dict(sorted(found.items()))

    def label(self, kind: str, code: str | None) -> str | None:
        return self.labels.get((kind, code))

    @cached_property
    def labels(self) -> dict[tuple[str, str | None], str]:
        return {(row["kind"], row["code"]): row["label_en"] for row in self["labels"]}


@pytest.fixture(scope="module")
def marts(sample_warehouse: Path) -> Iterator[Marts]:
    file = sample_warehouse / "customer_tiering.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        yield Marts(connection)


def best_customers(marts: Marts) -> list[tuple]:
    points: dict[str, list[tuple]] = defaultdict(list)
    for row in marts["customer_score_details"]:
        points[row["customer_id"]].append((-row["points"], row["input"]))
    scores = {row["customer_id"]: row["management_score"] for row in marts["customer_scores"]}
    rounded = {
        customer: score.quantize(CENT, ROUND_HALF_UP)
        for customer, score in scores.items()
        if score is not None
    }
    best = sorted(rounded, key=lambda customer: (-rounded[customer], customer))[:10]
    return [
        (
            customer,
            marts.label("tier", marts.customers[customer]["tier_code"]),
            rounded[customer],
            ", ".join(
                f"{marts.label('input', name)} {(-minus).quantize(CENT, ROUND_HALF_UP)}"
                for minus, name in sorted(points[customer])[:3]
            ),
        )
        for customer in best
    ]


def who_slipped(marts: Marts) -> list[tuple]:
    ranks = {"none": 0, "bronze": 1, "silver": 2, "gold": 3, "platinum": 4, "diamond": 5}
    closed = [end for end in marts.reviews if end + timedelta(1) == _next_month(end)]
    before, now = (marts.reviews[end] for end in closed[-2:])
    slipped = [
        (customer, before[customer]["tier_code"], row["tier_code"])
        + (marts.label("reason_code", row["reason_code"]), row["monetary"])
        for customer, row in now.items()
        if customer in before and ranks[row["tier_code"]] < ranks[before[customer]["tier_code"]]
    ]
    return sorted(slipped, key=lambda row: (-row[4], row[0]))


def revenue_by_tier(marts: Marts) -> list[tuple]:
    tiers = ("diamond", "platinum", "gold", "silver", "bronze", "none")
    closed = [end for end in marts.reviews if end + timedelta(1) == _next_month(end)]
    found = []
    for end in closed[-12:]:
        rows = list(marts.reviews[end].values())
        total = sum(row["monetary"] for row in rows)
        for tier in tiers:
            of_tier = [row for row in rows if row["tier_code"] == tier]
            share = sum(row["monetary"] for row in of_tier) / total
            found.append(
                (end, tier, len(of_tier), sum(row["period_revenue"] for row in of_tier))
                + (share.quantize(Decimal("0.000001"), ROUND_HALF_UP),)
            )
    return found


def whom_to_call(marts: Marts) -> list[tuple]:
    unscored = Decimal(-1)
    scores = {
        row["customer_id"]: unscored if row["management_score"] is None else row["management_score"]
        for row in marts["customer_profiles"]
    }
    today = max(marts.reviews)
    calls = [row for row in marts["customer_actions"] if row["channel"] == "phone"]
    calls = [row for row in calls if row["due_on"] and (row["due_on"] - today).days <= 7]
    calls.sort(key=lambda row: row["customer_id"])
    calls.sort(key=lambda row: (row["priority"], row["due_on"], -scores[row["customer_id"]]))
    return [
        (
            row["customer_id"],
            marts.label("tier", marts.customers[row["customer_id"]]["tier_code"]),
            marts.label("department", row["owner_department"]),
            marts.label("action", row["action_code"]),
            row["because"],
            row["due_on"],
        )
        for row in calls
    ]


def why_gold_was_lost(marts: Marts) -> list[tuple]:
    history = [(end, rows["C1061"]) for end, rows in marts.reviews.items() if "C1061" in rows]
    lost = [
        (end, row)
        for (_, before), (end, row) in pairwise(history)
        if before["tier_code"] == "gold" and row["tier_code"] in ("silver", "bronze", "none")
    ]
    found = []
    for end, row in lost:
        details = [
            detail
            for detail in marts["tier_change_details"]
            if (detail["customer_id"], detail["period_end"]) == ("C1061", end)
        ]
        details.sort(key=lambda d: (d["points_after"] - d["points_before"], d["input"]))
        for detail in details:
            found.append(
                (end, row["tier_code"], marts.label("reason_code", row["reason_code"]))
                + (marts.label("input", detail["input"]),)
                + tuple(
                    detail[points].quantize(CENT, ROUND_HALF_UP)
                    for points in ("points_before", "points_after")
                )
                + (detail["is_own_behaviour"],)
            )
    return found


def needed_for_platinum(marts: Marts) -> list[tuple]:
    newest = max(row["version_valid_from"] for row in marts["tiers"])
    (ladder,) = (
        row
        for row in marts["tiers"]
        if (row["version_valid_from"], row["tier_code"]) == (newest, "platinum")
    )
    now = marts.reviews[max(marts.reviews)]["C1061"]
    points = max(Decimal(0), ladder["enter_score"] - now["management_score"])
    return [
        ("platinum", points.quantize(CENT, ROUND_HALF_UP))
        + (max(0, (ladder["enter_min_orders"] or 0) - now["frequency"]),)
        + (max(Decimal(0), (ladder["enter_min_revenue"] or Decimal(0)) - now["monetary"]),)
    ]


def one_time_buyers(marts: Marts) -> list[tuple]:
    orders = Counter(row["customer_id"] for row in marts.orders if row["is_valid"])
    del orders[None]
    once = {customer for customer, count in orders.items() if count == 1}
    revenue = sum(row["net_amount"] for row in marts.orders if row["customer_id"] in once)
    return [(len(orders), len(once), revenue)]


def revenue_by_segment(marts: Marts) -> list[tuple]:
    revenue: Counter[tuple] = Counter()
    count: Counter[tuple] = Counter()
    for row in marts.orders:
        customer = marts.customers.get(row["customer_id"])
        segment = marts.label("segment", customer["segment_code"]) if customer else "Guests"
        key = (row["order_date"].replace(day=1), segment)
        revenue[key] += row["net_amount"]
        count[key] += row["is_valid"]
    return [(*key, revenue[key], count[key]) for key in sorted(revenue)]


def never_bought(marts: Marts) -> list[tuple]:
    buyers = {row["customer_id"] for row in marts.orders if row["is_valid"]}
    rest = [row for customer, row in marts.customers.items() if customer not in buyers]
    columns = ("customer_id", "acquisition_channel", "signed_up_on", "has_marketing_consent")
    rest.sort(key=lambda row: row["customer_id"])
    # an unknown date is the last
    rest.sort(key=lambda row: row["signed_up_on"] or date.min, reverse=True)
    return [tuple(row[column] for column in columns) for row in rest]


def nps_by_tier(marts: Marts) -> list[tuple]:
    answers: dict[str, list[int]] = defaultdict(list)
    for row in marts.reviews[max(marts.reviews)].values():
        if row["nps_answer"] is not None:
            answers[row["tier_code"]].append(row["nps_answer"])
    found = []
    for tier, given in answers.items():
        promoters, detractors = sum(a >= 9 for a in given), sum(a <= 6 for a in given)
        score = Decimal(100 * (promoters - detractors)) / len(given)
        rounded = score.quantize(CENT, ROUND_HALF_UP)
        found.append((marts.label("tier", tier), len(given), promoters, detractors, rounded))
    return sorted(found, key=lambda row: (-row[4], row[0]))


def channels_of_diamonds(marts: Marts) -> list[tuple]:
    diamonds = {c for c, row in marts.customers.items() if row["tier_code"] == "diamond"}
    orders: dict[str, list[dict]] = defaultdict(list)
    for row in marts.orders:
        if row["customer_id"] in diamonds and row["is_valid"]:
            orders[row["channel"] or "unknown"].append(row)
    found = [
        (channel, len({row["customer_id"] for row in rows}), len(rows))
        + (sum(row["net_amount"] for row in rows),)
        for channel, rows in orders.items()
    ]
    return sorted(found, key=lambda row: (-row[3], row[0]))


def retention(marts: Marts) -> list[tuple]:
    orders: dict[str, list[dict]] = defaultdict(list)
    for row in marts.orders:
        if row["customer_id"] is not None and row["is_valid"]:
            orders[row["customer_id"]].append(row)
    begun = {customer: min(_month(row) for row in rows) for customer, rows in orders.items()}
    sizes = Counter(begun.values())
    active: dict[tuple, set] = defaultdict(set)
    revenue: Counter[tuple] = Counter()
    for customer, rows in orders.items():
        for row in rows:
            key = (begun[customer], _month(row) - begun[customer])
            active[key].add(customer)
            revenue[key] += row["net_amount"]
    last = max(marts.reviews)
    over = last.year * 12 + last.month - 1 - (last + timedelta(1) < _next_month(last))
    return [
        (date(cohort // 12, cohort % 12 + 1, 1), size, since)
        + (
            (Decimal(100 * len(active[cohort, since])) / size).quantize(
                Decimal("0.1"), ROUND_HALF_UP
            ),
            revenue[cohort, since] or Decimal(0),
        )
        for cohort, size in sorted(sizes.items())
        for since in range(13)
        if cohort + since <= over
    ]


def growing_regions(marts: Marts) -> list[tuple]:
    ends = list(marts.reviews)
    closed = [end for end in ends if end + timedelta(1) == _next_month(end)][-12:]
    revenue: Counter[tuple] = Counter()
    for number, end in enumerate(ends):
        for customer, row in marts.reviews[end].items():
            region = marts.customers[customer]["region"] or "unknown"
            revenue[region, number] += row["period_revenue"]
    found = []
    for region in {region for region, _ in revenue}:
        numbers = [ends.index(end) for end in closed]
        now = sum(revenue[region, number] for number in numbers)
        before = sum(revenue[region, number - 12] for number in numbers)
        change = (100 * (now - before) / before).quantize(Decimal("0.1"), ROUND_HALF_UP)
        found.append((region, now, before, change))
    return sorted(found, key=lambda row: (-row[1], row[0]))


def gold_customers(marts: Marts) -> list[tuple]:
    columns = ("age_band", "gender", "region", "city", "country_code")
    columns += ("customer_type", "industry", "company_size")
    everybody = list(marts.customers.values())
    gold = [row for row in everybody if row["tier_code"] == "gold"]
    found = []
    for column in columns:
        of_all = Counter(row[column] or "unknown" for row in everybody)
        for value, count in Counter(row[column] or "unknown" for row in gold).items():
            index = Decimal(100 * count * len(everybody)) / (len(gold) * of_all[value])
            share = (Decimal(count) / len(gold)).quantize(Decimal("0.000001"), ROUND_HALF_UP)
            index = index.quantize(CENT, ROUND_HALF_UP)
            if count >= 5 and index > 100:
                found.append((column, value, count, share, index))
    found.sort(key=lambda row: (-row[4], row[0], row[1]))
    return [(marts.label("profile_dimension", row[0]), *row[1:]) for row in found]


def categories_of_a_customer(marts: Marts) -> list[tuple]:
    orders = {row["order_id"]: row for row in marts.orders}
    with open(PROJECT / "sample" / "exchange_rates.csv", encoding="utf-8-sig", newline="") as file:
        # but for the broken rows of the sample
        rates = sorted(
            (row["rate_date"], row["currency_code"], Decimal(row["rate_to_reporting"]))
            for row in csv.DictReader(file)
            if re.fullmatch(r"[0-9.]+", row["rate_to_reporting"])
            and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", row["rate_date"])
        )

    def revenue_of(line: dict) -> Decimal:
        order = orders[line["order_id"]]
        known = [Decimal(1)] if order["currency_code"] == "CNY" else []
        known += [
            r for d, c, r in rates if c == order["currency_code"] and d <= str(order["order_date"])
        ]
        return line["line_amount"] * known[-1]

    lines: dict[str, list[dict]] = defaultdict(list)
    for row in marts["order_items"]:
        is_valid = orders[row["order_id"]]["is_valid"]
        if row["customer_id"] == "C1061" and is_valid and row["category"] is not None:
            lines[row["category"]].append(row)
    revenue = {
        c: sum(map(revenue_of, rows)).quantize(CENT, ROUND_HALF_UP) for c, rows in lines.items()
    }
    ranked = sorted(revenue, key=lambda category: (-revenue[category], category))
    millionth = Decimal("0.000001")
    shares = {
        c: (revenue[c] / sum(revenue.values())).quantize(millionth, ROUND_HALF_UP) for c in ranked
    }
    shares[ranked[0]] += 1 - sum(shares.values())
    return [
        (rank, category, len({row["order_id"] for row in lines[category]}), revenue[category])
        + (shares[category], max(row["order_date"] for row in lines[category]))
        for rank, category in enumerate(ranked, start=1)
    ]


def next_categories(marts: Marts) -> list[tuple]:
    """Order days of a customer with their categories, each beside the next one."""
    last = max(marts.reviews)
    orders = {
        row["order_id"]: row
        for row in marts.orders
        if row["is_valid"] and last - timedelta(365) < row["order_date"] <= last
    }
    days: dict[str, dict[date, set]] = defaultdict(lambda: defaultdict(set))
    for row in marts["order_items"]:
        if row["order_id"] in orders and row["customer_id"] is not None:
            days[row["customer_id"]][row["order_date"]].add(row["category"])
    steps = [
        (today, tomorrow, customer)
        for customer, of_customer in days.items()
        for (_, today), (_, tomorrow) in pairwise(sorted(of_customer.items()))
    ]
    millionth, found = Decimal("0.000001"), []
    after = [step for step in steps if "Groceries" in step[0]]
    for category in {name for _, names, _ in after for name in names} - {None}:
        buyers = [customer for _, names, customer in after if category in names]
        of_all = sum(category in names for _, names, _ in steps)
        share = Decimal(len(buyers)) / len(after)
        lift = share * len(steps) / of_all
        found.append(
            (category, len(buyers), share.quantize(millionth, ROUND_HALF_UP))
            + (lift.quantize(millionth, ROUND_HALF_UP), len(set(buyers)))
        )
    return sorted((row for row in found if row[1] >= 20), key=lambda row: (-row[2], row[0]))


def flows_of_groceries(marts: Marts) -> list[tuple]:
    last = max(end for end in marts.reviews if end + timedelta(1) == _next_month(end))
    found = [
        (row["to_category"], row["customers"], row["revenue"])
        for row in marts["category_flows"]
        if row["from_category"] == "Groceries" and row["period_end"] == last
    ]
    return sorted(found, key=lambda row: (-row[2], row[0]))


def recommended(marts: Marts) -> list[tuple]:
    found = Counter(
        (row["recommended_kind"], row["recommended_name"])
        for row in marts["customer_recommendations"]
        if marts.customers[row["customer_id"]]["tier_code"] == "gold"
        and row["recommendation_rank"] == 1
    )
    rows = [(kind, name, customers) for (kind, name), customers in found.items()]
    return sorted(rows, key=lambda row: (-row[2], row[1]))


def what_tiers_bring(marts: Marts) -> list[tuple]:
    """The newest review is open: the one 13 before it is a year before the newest closed one."""
    reviews = list(marts.reviews.values())
    now, before = reviews[-1], reviews[-14]
    ranks = {row["tier_code"]: row["tier_rank"] for row in marts["tiers"]} | {"none": 0}
    everything = sum(row["monetary"] for row in now.values())
    found = []
    for code in sorted(ranks, key=ranks.__getitem__, reverse=True):
        members = [row for row in now.values() if row["tier_code"] == code]
        amounts = sorted((r["monetary"] for r in members if r["frequency"] > 0), reverse=True)
        revenue = sum(amounts, Decimal(0))
        fifth = sum(amounts[: -(-len(amounts) // 5)], Decimal(0))
        held = [c for c, r in before.items() if r["tier_code"] == code and r["frequency"] > 0]
        stayed = sum(now[customer]["frequency"] > 0 for customer in held)
        found.append(
            (
                *(marts.label("tier", code), len(members), _share(revenue, everything)),
                *(_share(fifth, revenue), _share(stayed, len(held))),
            )
        )
    return found


def _share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    return (
        (Decimal(part) / Decimal(whole)).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        if whole
        else None
    )


def _month(order: dict) -> int:
    return order["order_date"].year * 12 + order["order_date"].month - 1


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(31)).replace(day=1)


ANSWERS: dict[str, Callable[[Marts], list[tuple]]] = {
    "Who are our best customers, and why?": best_customers,
    "Who slipped at the last review?": who_slipped,
    "How much revenue has each tier, over a year?": revenue_by_tier,
    "Whom do we call this week?": whom_to_call,
    "Why did C1061 lose gold?": why_gold_was_lost,
    "What does C1061 need for platinum?": needed_for_platinum,
    "Who bought once and never again?": one_time_buyers,
    "How much revenue has each segment, month by month?": revenue_by_segment,
    "Who never bought?": never_bought,
    "How do the tiers recommend us?": nps_by_tier,
    "Where do diamonds buy?": channels_of_diamonds,
    "How many customers of a cohort come back?": retention,
    "Which region grows?": growing_regions,
    "What does each tier bring, and how loyal is it?": what_tiers_bring,
    "Who are our gold customers?": gold_customers,
    "Which categories does C1061 buy?": categories_of_a_customer,
    "What do customers of groceries buy next?": next_categories,
    "Where did the revenue of groceries go?": flows_of_groceries,
    "What do we recommend to gold customers?": recommended,
}


def test_every_question_has_an_answer() -> None:
    assert list(QUESTIONS) == list(ANSWERS)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_answer_of_a_question_is_right(marts: Marts, question: str) -> None:
    found = marts.connection.execute(QUESTIONS[question]).fetchall()
    assert found
    assert found == ANSWERS[question](marts)
