"""The sample company holds what it promises, counted from its files."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from statistics import mean, median

import pytest
from oracle.reading import COUNTRIES

from customer_tiering.sample import generate, write

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample"
MOST_BYTES = 3_000_000
LAST_DAY = date(2025, 12, 15)

CONTRACT = {
    "customers": "customer_id,customer_type,full_name,email,phone,birth_date,gender,country_code,"
    "region,city,postal_code,industry,company_size,parent_customer_id,acquisition_channel,"
    "signed_up_at,owner,marketing_consent,updated_at",
    "orders": "order_id,customer_id,ordered_at,status,order_amount,discount_amount,currency_code,"
    "channel,store_id,is_test,cancelled_at,returned_at,updated_at",
    "order_items": "order_id,line_number,product_id,quantity,line_amount",
    "products": "product_id,product_name,category,product_type",
    "refunds": "refund_id,order_id,refunded_at,refund_amount",
    "exchange_rates": "rate_date,currency_code,rate_to_reporting",
    "customer_merges": "from_customer_id,into_customer_id,merged_at",
    "account_balances": "customer_id,balance_date,balance_amount,currency_code",
    "customer_attributes": "customer_id,attribute,value,updated_at",
    "interactions": "interaction_id,customer_id,occurred_at,channel,interaction_type,"
    "duration_seconds",
    "tickets": "ticket_id,customer_id,opened_at,closed_at,ticket_type,severity,satisfaction_score",
    "survey_responses": "response_id,customer_id,responded_at,survey_type,score",
    "referrals": "referral_id,referrer_customer_id,referred_customer_id,referred_at,converted_at",
    "campaigns": "campaign_id,campaign_name,channel,starts_on,ends_on,goal,target_tier_code,"
    "cost_amount",
    "campaign_contacts": "campaign_id,customer_id,contacted_at,contact_group",
    "erasure_requests": "customer_id,requested_at",
}

Row = dict[str, str]


def files_of(table: str, folder: Path = SAMPLE) -> list[Path]:
    """The one file of a table, or the files of its folder."""
    return sorted((folder / table).glob("*.csv")) or [folder / f"{table}.csv"]


@cache
def read(table: str) -> list[Row]:
    """All rows of a table as they are written."""
    rows: list[Row] = []
    for path in files_of(table):
        with path.open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file)
    return rows


def moment(text: str) -> datetime | None:
    """A timestamp in UTC, or None when it cannot be read."""
    try:
        value = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    return (value - (value.utcoffset() or timedelta())).replace(tzinfo=None)


def number(text: str) -> Decimal | None:
    """A plain decimal number, or None when it is none."""
    return Decimal(text) if re.fullmatch(r"-?\d+(\.\d+)?", text.strip()) else None


@cache
def statuses() -> dict[str, str]:
    """The words of other systems and the order status they mean."""
    with (ROOT / "seeds" / "order_statuses.csv").open(encoding="utf-8", newline="") as file:
        return {row["source_status"].lower(): row["order_status"] for row in csv.DictReader(file)}


def status(row: Row) -> str | None:
    """What the status of an order means, or None when it is unknown."""
    return statuses().get(row["status"].strip().lower())


@cache
def good_orders() -> dict[str, Row]:
    """Orders by id without broken ones; of several versions any."""
    result = {}
    for row in read("orders"):
        when, amount = moment(row["ordered_at"]), number(row["order_amount"])
        is_readable = when and date(2023, 1, 1) <= when.date() <= LAST_DAY and status(row)
        if row["order_id"].strip() and is_readable and amount is not None and amount >= 0:
            result[row["order_id"]] = row
    return result


@cache
def purchases() -> dict[str, list[date]]:
    """Days of completed orders by customer, in order of time, guests left out."""
    result: dict[str, list[date]] = defaultdict(list)
    for row in good_orders().values():
        when, customer_id = moment(row["ordered_at"]), row["customer_id"].strip()
        if when and customer_id and status(row) == "completed":
            result[customer_id].append(when.date())
    return {customer_id: sorted(days) for customer_id, days in result.items()}


@cache
def refunds() -> dict[str, list[tuple[datetime, Decimal]]]:
    """Readable refunds by order, exact duplicates left out."""
    result: dict[str, list[tuple[datetime, Decimal]]] = defaultdict(list)
    for row in {row["refund_id"]: row for row in read("refunds") if row["refund_id"]}.values():
        when, amount = moment(row["refunded_at"]), number(row["refund_amount"])
        if when and amount is not None and amount >= 0:
            result[row["order_id"]].append((when, amount))
    return result


def customer_ids() -> set[str]:
    """Ids in the customers table."""
    return {row["customer_id"].strip() for row in read("customers")} - {""}


# -- The files -------------------------------------------------------------------------------------


def test_regenerating_gives_the_same_bytes(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "customer_tiering.sample", "--out", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "12345", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        check=True,
    )
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.csv")}
    kept = {path.relative_to(SAMPLE): path.read_bytes() for path in SAMPLE.rglob("*.csv")}
    assert sorted(made) == sorted(kept)
    assert [str(name) for name in made if made[name] != kept[name]] == []


def test_another_seed_gives_another_company() -> None:
    assert generate(seed=1, customers=200) == generate(seed=1, customers=200)
    assert generate(seed=1, customers=200) != generate(seed=2, customers=200)


@pytest.mark.parametrize("seed", range(3))
def test_a_small_company_can_be_made(seed: int, tmp_path: Path) -> None:
    write(tmp_path, generate(seed, customers=200))
    assert all(path.exists() for table in CONTRACT for path in files_of(table, tmp_path))


def test_too_few_customers_are_refused() -> None:
    with pytest.raises(ValueError, match="customers is 199, must be 200 or more"):
        generate(customers=199)


def test_the_sample_stays_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) <= MOST_BYTES


@pytest.mark.parametrize("table", CONTRACT)
def test_files_have_the_contract_columns_as_utf8_with_line_feeds(table: str) -> None:
    for path in files_of(table):
        content = path.read_bytes()
        assert content.decode("utf-8").split("\n")[0] == CONTRACT[table]
        assert b"\r" not in content
        assert content.endswith(b"\n")
    assert len(read(table)) > 0


def test_orders_are_a_folder_of_files() -> None:
    assert [path.name for path in files_of("orders")] == ["2023.csv", "2024.csv", "2025.csv"]


def test_it_is_as_large_as_promised() -> None:
    assert 1_900 <= len(customer_ids()) <= 2_100
    assert 9_000 <= len(good_orders()) <= 13_000
    days = [moment(row["ordered_at"]).date() for row in good_orders().values()]  # type: ignore[union-attr]
    assert (min(days).year, max(days)) == (2023, LAST_DAY)


def test_emails_and_phones_are_fictitious() -> None:
    for row in read("customers"):
        assert re.fullmatch(r"([a-z0-9]+@example\.com)?", row["email"])
        assert re.fullmatch(r"(\+1 \d{3} 555 01\d\d|\+44 7700 900\d{3})?", row["phone"])


# -- How customers behave --------------------------------------------------------------------------


def test_orders_have_seasons() -> None:
    per_day = Counter(day for days in purchases().values() for day in days)
    usual = median(per_day.values())
    for year in (2023, 2024, 2025):
        assert per_day[date(year, 11, 11)] > 3 * usual
        assert per_day[date(year, 6, 18)] > 3 * usual
    for first_day in (date(2023, 1, 22), date(2024, 2, 10), date(2025, 1, 29)):
        assert mean(per_day[first_day + timedelta(n)] for n in range(7)) < 0.6 * usual
    december = mean(per_day[date(year, 12, n)] for year in (2023, 2024) for n in range(12, 32))
    assert december > 1.2 * usual


def test_many_buy_once_and_some_never() -> None:
    once = sum(len(days) == 1 for days in purchases().values())
    assert 0.25 < once / len(purchases()) < 0.42
    ordered = {row["customer_id"].strip() for row in read("orders")}
    assert len(customer_ids() - ordered) > 80


def in_year(days: list[date], year: int) -> int:
    """Orders in one year."""
    return sum(day.year == year for day in days)


@pytest.mark.parametrize(
    ("behaviour", "least", "shows"),
    [
        ("growing", 25, lambda d: in_year(d, 2025) >= max(6, 2 * in_year(d, 2024))),
        ("fading", 20, lambda d: 0 < 3 * in_year(d, 2025) <= in_year(d, 2023) and len(d) > 5),
        ("lost", 100, lambda d: len(d) >= 3 and d[-1] < date(2024, 12, 15)),
        ("loyal", 100, lambda d: all(in_year(d, year) >= 4 for year in (2023, 2024, 2025))),
        (
            "won back",
            50,
            lambda d: any((d[n] - d[n - 1]).days >= 300 for n in range(2, len(d) - 1)),
        ),
        (
            "seasonal",
            20,
            lambda d: len(d) >= 6 and sum(x.month in (6, 11, 12) for x in d) >= 0.9 * len(d),
        ),
    ],
)
def test_customers_behave(behaviour: str, least: int, shows: Callable[[list[date]], bool]) -> None:
    assert sum(shows(days) for days in purchases().values()) >= least, behaviour


def test_spend_is_heavy_tailed() -> None:
    spend: Counter[str] = Counter()
    for row in good_orders().values():
        if row["currency_code"] in ("CNY", "") and row["customer_id"].strip():
            spend[row["customer_id"].strip()] += float(row["order_amount"])
    amounts = sorted(spend.values(), reverse=True)
    top = sum(amounts[: len(amounts) // 5]) / sum(amounts)
    assert 0.6 < top < 0.95
    assert amounts[0] < 0.1 * sum(amounts)


def test_some_orders_are_by_guests() -> None:
    guests = sum(not row["customer_id"].strip() for row in good_orders().values())
    assert 0.03 < guests / len(good_orders()) < 0.06


# -- Money -----------------------------------------------------------------------------------------


def shares_refunded() -> dict[str, list[tuple[timedelta, Decimal]]]:
    """For each refunded order that is known and above zero: age and share of each refund."""
    orders = good_orders()
    result = {}
    for order_id, parts in refunds().items():
        amount = number(orders[order_id]["order_amount"]) if order_id in orders else None
        ordered_at = moment(orders[order_id]["ordered_at"]) if order_id in orders else None
        if amount and ordered_at:
            result[order_id] = sorted((when - ordered_at, part / amount) for when, part in parts)
    return result


def adds_up(parts: list[tuple[timedelta, Decimal]], before_last: bool = False) -> Decimal:
    """The share of the order refunded by all parts, or by all but the last."""
    return sum((share for _, share in parts[: -1 if before_last else None]), Decimal(0))


@pytest.mark.parametrize(
    ("story", "least", "shows"),
    [
        ("partial", 200, lambda p: adds_up(p) < 1),
        ("full", 150, lambda p: adds_up(p) == 1),
        ("several", 40, lambda p: len(p) >= 3),
        ("months later", 50, lambda p: p[0][0] > timedelta(90)),
        ("partly beyond the order", 3, lambda p: adds_up(p) > 1 > adds_up(p, before_last=True)),
        ("wholly beyond the order", 2, lambda p: adds_up(p) > 1 and adds_up(p, True) == 1),
        ("before the order", 2, lambda p: p[0][0] <= timedelta(-1)),
    ],
)
def test_refunds(
    story: str, least: int, shows: Callable[[list[tuple[timedelta, Decimal]]], bool]
) -> None:
    assert sum(shows(parts) for parts in shares_refunded().values()) >= least, story


def test_refunds_of_unknown_orders() -> None:
    known = {row["order_id"] for row in read("orders")}
    assert sum(bool(order_id) and order_id not in known for order_id in refunds()) >= 2


def cancelled_after(row: Row) -> bool:
    """Whether an order was cancelled after it was placed."""
    cancelled_at, ordered_at = moment(row["cancelled_at"]), moment(row["ordered_at"])
    return bool(cancelled_at and ordered_at and cancelled_at > ordered_at)


@pytest.mark.parametrize(
    ("word", "story", "least", "shows"),
    [
        ("cancelled", "undated", 100, lambda r, n: not r["cancelled_at"] and not n),
        (
            "cancelled",
            "before",
            15,
            lambda r, n: moment(r["cancelled_at"]) and not cancelled_after(r),
        ),
        ("cancelled", "after", 60, lambda r, n: cancelled_after(r) and not n),
        ("cancelled", "after, with refunds", 15, lambda r, n: cancelled_after(r) and n >= 2),
        ("cancelled", "undated, with a refund", 3, lambda r, n: not r["cancelled_at"] and n),
        ("returned", "dated, with a refund", 50, lambda r, n: moment(r["returned_at"]) and n),
        ("returned", "dated, without", 10, lambda r, n: moment(r["returned_at"]) and not n),
        ("returned", "undated, without", 5, lambda r, n: not r["returned_at"] and not n),
        ("pending", "recent", 20, lambda r, n: r["ordered_at"] > "2025-12"),
    ],
)
def test_orders_undone(
    word: str, story: str, least: int, shows: Callable[[Row, int], object]
) -> None:
    parts = refunds()
    rows = [row for row in good_orders().values() if status(row) == word]
    found = sum(bool(shows(row, len(parts.get(row["order_id"], [])))) for row in rows)
    assert found >= least, story


def test_two_currencies_and_one_without_a_rate() -> None:
    used = Counter(row["currency_code"].upper() for row in good_orders().values())
    assert used["CNY"] > used["USD"] > 1_000
    assert used[""] > 500
    assert 4 <= used["EUR"] <= 10
    assert any(row["currency_code"] == "usd" for row in good_orders().values())
    rated = [row for row in read("exchange_rates") if row["currency_code"] == "USD"]
    months = {row["rate_date"][:7] for row in rated} - {""}
    assert len(months) == 36
    assert not any(row["currency_code"] == "EUR" for row in read("exchange_rates"))


def test_test_orders_and_orders_of_zero() -> None:
    orders = good_orders().values()
    assert len({r["is_test"] for r in orders if r["is_test"].lower() in ("true", "1", "y")}) == 3
    assert sum(r["is_test"].lower() in ("true", "1", "y") for r in orders) >= 10
    assert sum(number(row["order_amount"]) == 0 for row in orders) >= 10
    tests = {row["order_id"] for row in orders if row["is_test"].lower() in ("true", "1", "y")}
    assert len(tests & refunds().keys()) >= 2


def test_every_order_status_in_several_words() -> None:
    words: dict[str, set[str]] = defaultdict(set)
    for row in good_orders().values():
        words[str(status(row))].add(row["status"])
    assert sorted(words) == ["cancelled", "completed", "pending", "returned"]
    assert min(len(spellings) for spellings in words.values()) >= 4
    assert {"已完成", "COMPLETED", "Returned"} <= set().union(*words.values())


def test_lines_add_up_to_most_orders() -> None:
    lines: Counter[str] = Counter()
    for row in read("order_items"):
        amount = number(row["line_amount"])
        lines[row["order_id"]] += int(amount * 100) if amount is not None else 0
    orders = good_orders()
    equal = [
        lines[order_id] == number(row["order_amount"]) * 100  # type: ignore[operator]
        for order_id, row in orders.items()
        if order_id in lines
    ]
    assert 0.9 < len(equal) / len(orders) < 0.98
    assert 0.93 < mean(equal) < 0.99


def test_three_decimals() -> None:
    assert sum(bool(re.search(r"\.\d{3}$", r["order_amount"])) for r in read("orders")) == 2
    assert sum(bool(re.search(r"\.\d{3}$", r["refund_amount"])) for r in read("refunds")) == 2


# -- Time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "least"),
    [
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", 1_000),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", 1_000),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00", 1_000),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", 100),
        (r"\d{4}-\d\d-\d\d", 50),
        (r"2024-02-29.*", 2),
        (r"2024-02-29T00:00:00Z", 1),
        (r"20\d\d-12-31 23:59:59", 1),
        (r"20\d\d-(11-30|05-31).23:59:59Z?", 2),
        (r"20\d\d-\d\d-01T07:59:59\+08:00", 1),
        (r"2025-12-15.*", 1),
    ],
)
def test_timestamps_are_spelled(pattern: str, least: int) -> None:
    rows = good_orders().values()
    assert sum(bool(re.fullmatch(pattern, row["ordered_at"])) for row in rows) >= least


# -- Identity --------------------------------------------------------------------------------------


def merge_edges() -> dict[str, set[str]]:
    """Targets by merged account, of merges that can be read."""
    edges: dict[str, set[str]] = defaultdict(set)
    for row in read("customer_merges"):
        if row["from_customer_id"] and row["into_customer_id"] and moment(row["merged_at"]):
            edges[row["from_customer_id"]].add(row["into_customer_id"])
    return edges


def path_from(start: str, edges: dict[str, set[str]]) -> list[str]:
    """The accounts met by following single merges until the end or a repetition."""
    path = [start]
    while len(edges.get(path[-1], ())) == 1:
        path += edges[path[-1]]
        if path[-1] in path[:-1]:
            break
    return path


def test_merges_of_every_shape() -> None:
    edges = merge_edges()
    paths = [path_from(start, edges) for start in edges]
    assert sum(len(path) == 2 and path[0] != path[1] for path in paths) >= 10
    assert sum(len(path) == 4 and len(set(path)) == 4 for path in paths) == 1
    assert sum(len(path) == 3 and path[0] == path[-1] for path in paths) == 2  # cycle of two
    assert sum(len(path) == 4 and path[0] == path[-1] for path in paths) == 3  # cycle of three
    assert sum(len(targets) == 2 for targets in edges.values()) == 2
    assert sum(start in targets for start, targets in edges.items()) == 1
    known = customer_ids()
    assert edges.keys() - known == {"OLD17", "OLD18"}
    assert set().union(*edges.values()) - known == {"NEW01"}
    moments: dict[str, list[str]] = defaultdict(list)
    for row in read("customer_merges"):
        if row["merged_at"] and len(edges[row["from_customer_id"]]) == 2:
            moments[row["from_customer_id"]].append(row["merged_at"])
    assert sorted(len(set(times)) for times in moments.values()) == [1, 2]


def test_orders_name_unknown_customers() -> None:
    unknown = {row["customer_id"].strip() for row in good_orders().values()} - customer_ids() - {""}
    assert unknown == {"N001", "N002", "N003", "N004", "N005", "é006", "OLD17"}


def test_ids_that_trip_careless_joins() -> None:
    written = {row["customer_id"] for row in read("customers")}
    ordered = {row["customer_id"] for row in read("orders")}
    assert {"客0007", "  000042 ", "c0078", "C0078"} <= written
    assert {"客0007", "000042", " 000042", "c0078", "C0078"} <= ordered


def test_companies_have_parents_on_two_levels() -> None:
    parent = {r["customer_id"]: r["parent_customer_id"] for r in read("customers")}
    children = {child: above for child, above in parent.items() if above}
    assert len(children) >= 40
    assert sum(above in children for above in children.values()) >= 15
    assert sum(above not in parent for above in children.values()) == 1
    kinds = {r["customer_id"]: r["customer_type"] for r in read("customers")}
    assert {kinds[child] for child in children} <= {"company", ""}


def test_persons_companies_names_and_consent() -> None:
    rows = read("customers")
    kinds = Counter(row["customer_type"] for row in rows)
    assert kinds["person"] > 1_000
    assert kinds["company"] > 200
    is_chinese = [bool(re.search(r"[一-鿿]", row["full_name"])) for row in rows]
    assert 0.6 < mean(is_chinese) < 0.95
    assert any(any(sign in row["full_name"] for sign in ',"') for row in rows)
    consent = Counter(row["marketing_consent"] for row in rows)
    assert min(consent["true"], consent["false"], consent[""], consent["yes"]) > 50


# -- What is wrong ---------------------------------------------------------------------------------


def rows_by_key(table: str, *keys: str) -> list[list[Row]]:
    """Groups of rows with the same filled key."""
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in read(table):
        groups[tuple(row[key].strip() for key in keys)].append(row)
    return [rows for key, rows in groups.items() if all(key)]


@pytest.mark.parametrize("table", CONTRACT)
def test_rows_come_twice(table: str) -> None:
    counts = Counter(tuple(row.values()) for row in read(table))
    assert sum(count > 1 for count in counts.values()) >= 2


@pytest.mark.parametrize(
    ("table", "keys", "least"),
    [
        ("customers", ["customer_id"], 9),
        ("orders", ["order_id"], 20),
        ("order_items", ["order_id", "line_number"], 3),
        ("products", ["product_id"], 1),
        ("refunds", ["refund_id"], 2),
        ("exchange_rates", ["rate_date", "currency_code"], 2),
        ("customer_merges", ["from_customer_id", "into_customer_id"], 1),
        ("campaign_contacts", ["campaign_id", "customer_id"], 2),
    ],
)
def test_keys_with_conflicting_rows(table: str, keys: list[str], least: int) -> None:
    groups = rows_by_key(table, *keys)
    assert sum(len({tuple(row.values()) for row in rows}) > 1 for rows in groups) >= least


@pytest.mark.parametrize("table", ["customers", "orders"])
def test_conflicts_with_other_equal_and_missing_times(table: str) -> None:
    groups = [rows for rows in rows_by_key(table, f"{table[:-1]}_id") if len(rows) == 2]
    times = [[row["updated_at"] for row in rows] for rows in groups if rows[0] != rows[1]]
    assert sum(first != second for first, second in times) >= 6
    assert sum(first == second for first, second in times) >= 3
    if table == "orders":
        assert sum("" in pair for pair in times) >= 3


def test_an_order_is_delivered_again_in_another_file() -> None:
    ids = []
    for path in files_of("orders"):
        with path.open(encoding="utf-8", newline="") as file:
            ids.append({row["order_id"] for row in csv.DictReader(file)} - {""})
    assert len(ids[1] & ids[2]) == 3


def missing(text: str) -> bool:
    """Whether a required cell is empty or blank."""
    return not text.strip()


def no_moment(text: str) -> bool:
    """Whether a filled cell is no timestamp."""
    return bool(text.strip()) and moment(text) is None


def no_number(text: str) -> bool:
    """Whether a filled cell is no plain number."""
    return bool(text.strip()) and number(text) is None


def below_zero(text: str) -> bool:
    """Whether a cell is a number below zero."""
    return (number(text) or 0) < 0


def not_matching(pattern: str) -> Callable[[str], bool]:
    """Whether a filled cell is none of the allowed values."""
    return lambda text: bool(text.strip()) and not re.fullmatch(pattern, text.strip(), re.I)


BOOLEAN = "true|t|1|yes|y|false|f|0|no|n"


@pytest.mark.parametrize(
    ("table", "column", "is_bad", "count"),
    [
        ("customers", "customer_id", missing, 2),
        ("customers", "customer_type", not_matching("person|company"), 1),
        ("customers", "birth_date", no_moment, 1),
        ("customers", "birth_date", lambda text: "" < text < "1900", 1),
        ("customers", "birth_date", lambda text: text > "2026", 1),
        ("customers", "country_code", lambda text: bool(text) and text.lower() not in COUNTRIES, 2),
        ("customers", "signed_up_at", no_moment, 1),
        ("customers", "marketing_consent", not_matching(BOOLEAN), 1),
        ("customers", "updated_at", no_moment, 1),
        ("orders", "order_id", missing, 2),
        ("orders", "ordered_at", missing, 1),
        ("orders", "ordered_at", no_moment, 3),
        ("orders", "ordered_at", lambda text: "1000" < text < "2000", 2),
        ("orders", "ordered_at", lambda text: text.startswith("2999"), 1),
        ("orders", "status", missing, 1),
        ("orders", "status", lambda text: bool(text) and text.lower() not in statuses(), 3),
        ("orders", "order_amount", missing, 1),
        ("orders", "order_amount", no_number, 3),
        ("orders", "order_amount", below_zero, 1),
        ("orders", "discount_amount", no_number, 1),
        ("orders", "discount_amount", below_zero, 1),
        ("orders", "currency_code", not_matching("[a-z]{3}"), 2),
        ("orders", "is_test", not_matching(BOOLEAN), 1),
        ("orders", "cancelled_at", no_moment, 1),
        ("orders", "returned_at", no_moment, 1),
        ("orders", "updated_at", no_moment, 1),
        ("order_items", "order_id", missing, 1),
        ("order_items", "line_number", missing, 1),
        ("order_items", "line_number", no_number, 1),
        ("order_items", "quantity", no_number, 1),
        ("order_items", "line_amount", no_number, 1),
        ("products", "product_id", missing, 1),
        ("products", "product_type", not_matching("product|service|solution"), 1),
        ("refunds", "refund_id", missing, 1),
        ("refunds", "order_id", missing, 1),
        ("refunds", "refunded_at", missing, 1),
        ("refunds", "refunded_at", no_moment, 1),
        ("refunds", "refund_amount", missing, 1),
        ("refunds", "refund_amount", no_number, 1),
        ("refunds", "refund_amount", below_zero, 1),
        ("exchange_rates", "rate_date", missing, 1),
        ("exchange_rates", "rate_date", no_moment, 1),
        ("exchange_rates", "currency_code", missing, 1),
        ("exchange_rates", "currency_code", not_matching("[a-z]{3}"), 1),
        ("exchange_rates", "rate_to_reporting", missing, 1),
        ("exchange_rates", "rate_to_reporting", no_number, 1),
        ("exchange_rates", "rate_to_reporting", lambda text: number(text) == 0, 1),
        ("exchange_rates", "rate_to_reporting", below_zero, 1),
        ("customer_merges", "from_customer_id", missing, 1),
        ("customer_merges", "into_customer_id", missing, 1),
        ("customer_merges", "merged_at", missing, 1),
        ("customer_merges", "merged_at", no_moment, 1),
        ("account_balances", "customer_id", missing, 1),
        ("account_balances", "balance_date", no_moment, 1),
        ("account_balances", "balance_amount", missing, 1),
        ("account_balances", "balance_amount", no_number, 1),
        ("account_balances", "currency_code", not_matching("[a-z]{3}"), 1),
        ("customer_attributes", "customer_id", missing, 1),
        ("customer_attributes", "attribute", missing, 1),
        ("customer_attributes", "value", missing, 1),
        ("customer_attributes", "updated_at", no_moment, 1),
        ("interactions", "interaction_id", missing, 1),
        ("interactions", "customer_id", missing, 1),
        ("interactions", "occurred_at", no_moment, 1),
        ("interactions", "duration_seconds", no_number, 1),
        ("interactions", "interaction_type", not_matching("visit|call|message|usage"), 1),
        ("tickets", "ticket_id", missing, 1),
        ("tickets", "customer_id", missing, 1),
        ("tickets", "opened_at", no_moment, 1),
        ("tickets", "closed_at", no_moment, 1),
        ("tickets", "ticket_type", not_matching("complaint|question|suggestion"), 1),
        ("tickets", "satisfaction_score", not_matching("[1-5]"), 1),
        ("survey_responses", "response_id", missing, 1),
        ("survey_responses", "responded_at", missing, 1),
        ("survey_responses", "survey_type", not_matching("nps|csat"), 1),
        ("survey_responses", "score", missing, 1),
        ("survey_responses", "score", not_matching(r"\d|10"), 2),
        ("referrals", "referral_id", missing, 1),
        ("referrals", "referrer_customer_id", missing, 1),
        ("referrals", "referred_at", no_moment, 1),
        ("referrals", "converted_at", no_moment, 1),
        ("campaigns", "campaign_id", missing, 1),
        ("campaigns", "starts_on", no_moment, 1),
        ("campaigns", "cost_amount", no_number, 1),
        ("campaign_contacts", "campaign_id", missing, 1),
        ("campaign_contacts", "customer_id", missing, 1),
        ("campaign_contacts", "contacted_at", missing, 1),
        ("campaign_contacts", "contacted_at", no_moment, 1),
        ("campaign_contacts", "contact_group", not_matching("treatment|holdout"), 1),
        ("erasure_requests", "customer_id", missing, 1),
        ("erasure_requests", "requested_at", no_moment, 1),
    ],
)
def test_broken_values(table: str, column: str, is_bad: Callable[[str], bool], count: int) -> None:
    assert sum(is_bad(row[column]) for row in read(table)) == count


def test_items_of_unknown_orders() -> None:
    known = {row["order_id"] for row in read("orders")}
    named = {row["order_id"] for row in read("order_items")} - {""}
    assert named - known == {"99999998"}


# -- The other tables ------------------------------------------------------------------------------


def test_products_of_all_types_and_some_without_category() -> None:
    types = Counter(row["product_type"] for row in read("products"))
    assert min(types["product"], types["service"], types["solution"]) >= 8
    assert len({row["category"] for row in read("products")}) >= 12
    assert any(not row["category"] for row in read("products"))
    channels = Counter(row["channel"] for row in good_orders().values())
    assert {"app", "web", "store", "mini_program", "marketplace", "phone"} <= channels.keys()
    assert len({row["store_id"] for row in good_orders().values()} - {""}) == 8


def lost_and_loyal() -> tuple[set[str], set[str]]:
    """Customers who left after three orders or more, and those who order every year."""
    lost = {c for c, d in purchases().items() if len(d) >= 3 and d[-1] < date(2024, 9, 1)}
    loyal = {
        c for c, d in purchases().items() if all(in_year(d, y) >= 4 for y in (2023, 2024, 2025))
    }
    return lost, loyal


def test_complaints_come_before_customers_leave() -> None:
    lost, loyal = lost_and_loyal()
    complained = Counter(
        row["customer_id"] for row in read("tickets") if row["ticket_type"] == "complaint"
    )
    orders = {c: len(days) for c, days in purchases().items()}
    of_lost = sum(complained[c] for c in lost) / sum(orders[c] for c in lost)
    of_loyal = sum(complained[c] for c in loyal) / sum(orders[c] for c in loyal)
    assert of_lost > 5 * of_loyal
    assert sum(not row["closed_at"] for row in read("tickets")) > 10


def test_loyal_customers_recommend() -> None:
    lost, loyal = lost_and_loyal()
    scores: dict[str, list[int]] = defaultdict(list)
    for row in read("survey_responses"):
        if row["survey_type"] == "nps" and re.fullmatch(r"\d|10", row["score"]):
            scores[row["customer_id"]].append(int(row["score"]))
    of_loyal = [score for c in loyal for score in scores[c]]
    of_lost = [score for c in lost for score in scores[c]]
    assert mean(of_loyal) > mean(of_lost) + 2
    assert Counter(row["survey_type"] for row in read("survey_responses"))["csat"] > 200


def test_campaigns_treat_some_and_hold_out_others() -> None:
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for row in read("campaign_contacts"):
        groups[row["campaign_id"]][row["contact_group"]] += 1
    sizes = [groups[row["campaign_id"]] for row in read("campaigns") if moment(row["starts_on"])]
    assert len(sizes) >= 10
    assert sum(size["treatment"] for size in sizes) > 800
    assert sum(size["holdout"] for size in sizes) > 150
    assert {row["target_tier_code"] for row in read("campaigns")} >= {"", "gold", "platinum"}


def test_treated_customers_order_more() -> None:
    rates: dict[str, list[int]] = defaultdict(list)
    starts = {row["campaign_id"]: moment(row["starts_on"]) for row in read("campaigns")}
    for row in read("campaign_contacts"):
        start, days = starts.get(row["campaign_id"]), purchases().get(row["customer_id"], [])
        if start and len(days) > 1:
            until = start.date() + timedelta(35)
            rates[row["contact_group"]].append(sum(start.date() <= d < until for d in days))
    assert mean(rates["treatment"]) > mean(rates["holdout"])


def test_referrals_some_of_which_converted() -> None:
    rows = read("referrals")
    assert sum(bool(moment(row["converted_at"])) for row in rows) > 50
    assert sum(not row["referred_customer_id"] for row in rows) >= 5


def test_interactions_balances_attributes_and_erasures() -> None:
    kinds = Counter(row["interaction_type"] for row in read("interactions"))
    assert min(kinds[kind] for kind in ("visit", "call", "message", "usage")) > 100
    per_customer = Counter(row["customer_id"] for row in read("interactions"))
    assert per_customer.most_common(1)[0][1] > 40
    assert len({row["customer_id"] for row in read("account_balances")}) > 100
    assert any(row["balance_amount"].startswith("-") for row in read("account_balances"))
    assert len({row["attribute"] for row in read("customer_attributes")} - {""}) == 3
    asked = {row["customer_id"] for row in read("erasure_requests")} - {""}
    assert len(asked & purchases().keys()) >= 5
    assert asked - customer_ids() == {"GONE9"}
