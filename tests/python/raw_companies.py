"""Hypothesis strategies for raw tables: small companies with everything that real ones get wrong."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

from hypothesis import strategies as st

CUSTOMERS = ["a", "b", "C3", "007", "客户一", "é", "é", "Ω-9", "k", "0"]
STATUSES = ["completed", "Delivered", "已完成", "returned", "cancelled", "cancelled", "pending"]
CATEGORIES = ["tea", "茶", "books", None]
PRODUCT_TYPES = ["product", "product", "service", "Solution", "toy", None]
INDUSTRIES = ["technolgy", "Retail", "制造业", "it服务", "dragons", " Software\u3000", None]
COMPANY_SIZES = ["1-9", "250+", "大型", "Micro", "12", "１２", "249.0", "-3", "9.5", "huge", None]
PARENTS = ["nobody", "guest", "reserved:erased_000001"]
LINE_AMOUNTS = st.sampled_from(["x", "-5.00", "-4000", None])
START = datetime(2023, 10, 15)

# Seconds of a day that lie at its ends, and hours that a change of clocks skips or repeats.
TIMES = st.sampled_from([0, 1, 86_399, 43_200, 5_400, 9_000, 3_600, 7_200])
DAYS = st.integers(0, 700)
CENTS = st.one_of(
    st.sampled_from([0, 1, 100, 1000, 1000, 2500]), st.integers(0, 500_000), st.integers(0, 99)
)


def _stamp(day: int, second: int) -> str:
    return (START + timedelta(days=day, seconds=second)).isoformat(sep=" ")


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


BAD = st.sampled_from(
    ["", "abc", "-5.00", "31/12/2024", "2999-01-01", "1990-01-01", " 2024-02-29\t", None]
    + [
        "infinity",
        "epoch",
        "2024-1-5",
        "2024-02-30",
        "2024-05-05 24:00:00",
        "2024-05-05 10:00:00 UTC",
        "2024/5/6 9:05",
        "May 6, 2024 11:30 pm",
        "2024年5月6日",
        "20240506",
        "\u200b5\u00a0",
        "１２",
        "1_000",
        "guest",
        "N/a",
        "0",
        "reserved:erased_000001",
    ]
)


@st.composite
def _order(draw: st.DrawFn, number: int, customers: list[str]) -> dict[str, str | None]:
    day, second = draw(DAYS), draw(TIMES)
    status = draw(st.sampled_from([*STATUSES, "completed", "completed", "completed"]))
    row: dict[str, str | None] = {
        "order_id": f"o{number}",
        "customer_id": draw(st.sampled_from([*customers, None])),
        "ordered_at": _stamp(day, second),
        "status": status,
        "order_amount": _amount(draw(CENTS)),
        "currency_code": draw(st.sampled_from([None, None, None, "CNY", "usd", "EUR"])),
        "channel": draw(st.sampled_from(["app", "Store", "fax", None])),
        "is_test": draw(st.sampled_from([None, None, None, "false", "true"])),
        "updated_at": draw(st.sampled_from([None, _stamp(day, second), _stamp(day + 1, 0)])),
    }
    if status in ("cancelled", "returned"):
        later = _stamp(day + draw(st.integers(-1, 200)), draw(TIMES))
        row["cancelled_at" if status == "cancelled" else "returned_at"] = draw(
            st.sampled_from([later, later, None])
        )
    if draw(st.integers(0, 19)) == 0:
        row["ordered_at"] += draw(st.sampled_from(["Z", "+08:00", "-05", " +0530"]))
    return _spoilt(draw, row)


def _versions(draw: st.DrawFn, orders: list[dict[str, str | None]]) -> list[dict[str, str | None]]:
    """More rows of some orders: copies, or with the outcome and the amount of another order."""
    if not orders:
        return []
    any_order = st.sampled_from(orders)
    outcome = ("status", "order_amount", "cancelled_at", "returned_at")
    return [
        one | {column: other.get(column) for column in outcome}
        for one, other in [
            *draw(st.lists(st.tuples(any_order, any_order), max_size=6)),
            *((order, order) for order in draw(st.lists(any_order, max_size=2))),
        ]
    ]


def _spoilt(draw: st.DrawFn, row: dict[str, str | None]) -> dict[str, str | None]:
    """The row, now and then with a value that cannot be right."""
    if draw(st.integers(0, 24)) == 0:
        row[draw(st.sampled_from(sorted(row)))] = draw(BAD)
    return row


# -- What customers do, say and complain of --------------------------------------------------------

# Of a handful of moments, some facts share one; the rest lie anywhere, at the very last second of
# the run date or beyond it.
MOMENTS = st.one_of(
    st.sampled_from([_stamp(day, 43_200) for day in (40, 100, 200, 300, 465, 600)]),
    st.builds(_stamp, DAYS, TIMES),
    st.builds(_stamp, DAYS, TIMES),
    st.sampled_from(["2026-01-31 23:59:59", "2026-02-01 00:00:00", "2026-01-31T23:00:00-05:00"]),
)
LATER_DAYS = st.sampled_from([-3, 0, 1, 30, 200, 500])
KEYS = ["1", "2", "9", "10", "11", "a", "B", "é", "客", " 1", "C-3", "k", "l", "m", "Z9"]
INTERACTION_TYPES = ["visit", "CALL", "message", "usage", "Usage", "usage", "fax", "", None]
CHANNELS = ["app", "App", " app ", "", "store", "茶", None]
SECONDS = ["0", "59", "60.0", "1e5", "36000", "359999", "9223372036854775807", "1.5", "-1", None]
TICKET_TYPES = ["complaint", "complaint", "Complaint", "question", "suggestion", "praise", None]
STARS = ["1", "2", "3", "5", "4.0", "0", "6", "2.5", "x", None, None]
SURVEY_TYPES = ["nps", "nps", "nps", "NPS", "csat", "csat", "ces", None]
BALANCES = st.one_of(
    CENTS.map(_amount),
    st.sampled_from(["-0.01", "-250.00", "x", "1000000000000.00", "-1e12", "1e13"]),
)
SCORES = ["0", "1", "3", "5", "6", "7", "8", "9", "10", "9.0", "11", "-1", "7.5", "", "ten"]


def _later(draw: st.DrawFn, moment: str) -> str | None:
    """A time around or long after another, or none."""
    if draw(st.integers(0, 2)) == 0:
        return None
    later = datetime.fromisoformat(moment) + timedelta(days=draw(LATER_DAYS))
    return draw(st.sampled_from([later.isoformat(sep=" ")] * 5 + ["never", "2999-01-01"]))


@st.composite
def _interaction(draw: st.DrawFn, people: list[str]) -> dict[str, str | None]:
    return {
        "interaction_id": draw(st.sampled_from(KEYS)),
        "customer_id": draw(st.sampled_from(people)),
        "occurred_at": draw(MOMENTS),
        "channel": draw(st.sampled_from(CHANNELS)),
        "interaction_type": draw(st.sampled_from(INTERACTION_TYPES)),
        "duration_seconds": draw(st.sampled_from(SECONDS)),
    }


@st.composite
def _ticket(draw: st.DrawFn, people: list[str]) -> dict[str, str | None]:
    opened_at = draw(MOMENTS)
    return {
        "ticket_id": draw(st.sampled_from(KEYS)),
        "customer_id": draw(st.sampled_from(people)),
        "opened_at": opened_at,
        "closed_at": _later(draw, opened_at),
        "ticket_type": draw(st.sampled_from(TICKET_TYPES)),
        "severity": draw(st.sampled_from(["low", "HIGH", "高", None])),
        "satisfaction_score": draw(st.sampled_from(STARS)),
    }


@st.composite
def _survey_response(draw: st.DrawFn, people: list[str]) -> dict[str, str | None]:
    return {
        "response_id": draw(st.sampled_from(KEYS)),
        "customer_id": draw(st.sampled_from(people)),
        "responded_at": draw(MOMENTS),
        "survey_type": draw(st.sampled_from(SURVEY_TYPES)),
        "score": draw(st.sampled_from(SCORES)),
    }


@st.composite
def _referral(draw: st.DrawFn, people: list[str]) -> dict[str, str | None]:
    referred_at = draw(MOMENTS)
    return {
        "referral_id": draw(st.sampled_from(KEYS)),
        "referrer_customer_id": draw(st.sampled_from(people)),
        "referred_customer_id": draw(st.sampled_from([*people, None])),
        "referred_at": referred_at,
        "converted_at": _later(draw, referred_at),
    }


@st.composite
def _account_balance(draw: st.DrawFn, people: list[str]) -> dict[str, str | None]:
    return {
        "customer_id": draw(st.sampled_from(people)),
        "account_id": draw(st.sampled_from([None, None, "1", " 1", "K-9", "客"])),
        "balance_date": draw(MOMENTS)[:10],
        "balance_amount": draw(BALANCES),
        "currency_code": draw(st.sampled_from([None, "CNY", "usd", "USD", "EUR", "¥"])),
    }


@st.composite
def _customer_attribute(draw: st.DrawFn, people: list[str]) -> dict[str, str | None]:
    return {
        "customer_id": draw(st.sampled_from(people)),
        "attribute": draw(st.sampled_from(["diet", "Diet", " hobby", "收入", "", None])),
        "value": draw(st.sampled_from(["vegan", "Vegan", " tea ", "茶", "5", "", None])),
        "updated_at": draw(
            st.sampled_from([None, "2024-05-01", "2024-05-01 00:00", "2024-06-01", "x"])
        ),
    }


@st.composite
def _campaign_contact(draw: st.DrawFn, people: list[str]) -> dict[str, str | None]:
    return {
        "campaign_id": draw(st.sampled_from(["k1", "k1", " k2", "k3", "k9"])),
        "customer_id": draw(st.sampled_from(people)),
        "contacted_at": draw(MOMENTS),
        "contact_group": draw(st.sampled_from(["treatment", "Holdout", "maybe", None])),
    }


def _campaign(draw: st.DrawFn, number: int) -> dict[str, str | None]:
    return {
        "campaign_id": f"k{number}",
        "campaign_name": draw(st.sampled_from(["Spring", None])),
        "starts_on": draw(
            st.sampled_from(["2024-03-01", "2024-03-01", "2999-01-01", "spring", None])
        ),
        "ends_on": draw(st.sampled_from(["2024-03-31", "2024-03-01", "2024-02-29", "x", None])),
        "target_tier_code": draw(st.sampled_from(["Gold", None])),
        "cost_amount": draw(st.sampled_from(["100.00", "0", "-1", "much", None])),
        "holdout_percent": draw(st.sampled_from(["50", "33.33", "0", "50.01", None])),
    }


FACTS = {
    "interactions": _interaction,
    "tickets": _ticket,
    "survey_responses": _survey_response,
    "referrals": _referral,
    "account_balances": _account_balance,
    "customer_attributes": _customer_attribute,
    "campaign_contacts": _campaign_contact,
}


def _facts(draw: st.DrawFn, table: str, customers: list[str]) -> list[dict[str, str | None]]:
    """Rows of a table of facts, mostly of the company's customers, some of merged or unknown ones."""
    people = [*customers * 3, *CUSTOMERS, "nobody"]
    rows = draw(st.lists(FACTS[table](people), min_size=4, max_size=20))
    return [_spoilt(draw, row) for row in rows]


# -- Companies -------------------------------------------------------------------------------------


@st.composite
def companies(
    draw: st.DrawFn, min_customers: int = 1, min_orders: int = 0, max_orders: int = 60
) -> dict[str, list[dict[str, str | None]]]:
    """Raw tables of one company; every optional table may be missing."""
    customers = draw(
        st.lists(st.sampled_from(CUSTOMERS), min_size=min_customers, max_size=8, unique=True)
    )
    count = draw(st.integers(min_orders, max_orders))
    orders = [draw(_order(number, customers)) for number in range(count)]
    ids = [order["order_id"] for order in orders] or ["o0"]
    raw = {
        "customers": [
            {
                "customer_id": customer,
                "customer_type": draw(st.sampled_from(["person", "COMPANY", "alien", None])),
                "country_code": draw(st.sampled_from(["cn", "Germany", "中国", "XX", None])),
                "gender": draw(st.sampled_from(["female", "male", None])),
                "region": draw(st.sampled_from(["north", "北", "unknown", None])),
                "birth_date": draw(st.sampled_from(["1980-02-29", "1850-01-01", "x", None])),
                "industry": draw(st.sampled_from(INDUSTRIES)),
                "company_size": draw(st.sampled_from(COMPANY_SIZES)),
                "parent_customer_id": draw(st.sampled_from([*CUSTOMERS, *PARENTS, None, None])),
                "marketing_consent": draw(st.sampled_from(["true", "Yes", "yes", "no", "x", None])),
                "updated_at": draw(st.sampled_from([None, "2024-01-01", "2024-06-01 10:00"])),
            }
            for customer in draw(st.lists(st.sampled_from(customers), max_size=10))
        ],
        "orders": [*orders, *_versions(draw, orders)],
        "exchange_rates": [
            {
                "rate_date": _stamp(draw(DAYS), 0)[:10],
                "currency_code": "USD",
                "rate_to_reporting": draw(st.sampled_from(["7.1", "6.87654321", "0.5", "0", "x"])),
            }
            for _ in range(draw(st.integers(0, 4)))
        ],
        "refunds": [
            {
                "refund_id": f"r{draw(st.integers(0, 30))}",
                "order_id": draw(st.sampled_from([*ids, "nowhere"])),
                "refunded_at": _stamp(draw(DAYS), draw(TIMES)),
                "refund_amount": draw(st.one_of(CENTS.map(_amount), BAD)),
            }
            for _ in range(draw(st.integers(0, 15)))
        ],
        "customer_merges": [
            {
                "from_customer_id": draw(st.sampled_from(CUSTOMERS)),
                "into_customer_id": draw(st.sampled_from(CUSTOMERS)),
                "merged_at": _stamp(draw(st.integers(0, 5)), 0),
            }
            for _ in range(draw(st.integers(0, 5)))
        ],
        "products": [
            {
                "product_id": f"p{number}",
                "product_name": f"Product {number}" if number else None,
                "category": draw(st.sampled_from(CATEGORIES)),
                "product_type": draw(st.sampled_from(PRODUCT_TYPES)),
            }
            for number in range(4)
        ],
        "order_items": [
            {
                "order_id": draw(st.sampled_from([*ids[:6] * 3, *ids, "nowhere"])),
                "line_number": str(draw(st.integers(1, 4))),
                "product_id": draw(st.sampled_from(["p0", "p1", "p2", "p3", "p9"])),
                "line_amount": draw(st.one_of(CENTS.map(_amount), LINE_AMOUNTS)),
            }
            for _ in range(draw(st.integers(5, 25)))
        ],
    }
    raw |= {table: _facts(draw, table, customers) for table in FACTS}
    raw["campaigns"] = [_campaign(draw, number) for number in (1, 2, 3, 3)]
    for table in (
        "exchange_rates",
        "refunds",
        "customer_merges",
        "products",
        "order_items",
        "campaigns",
        *FACTS,
    ):
        if draw(st.integers(0, 4)) == 0:
            raw[table] = []
    return raw


# -- Histories: a company as it is found again and again ----------------------------------------------

Row = dict[str, str | None]
# When a row became known, and what was only known of it later with what stood there before.
KNOWN_AT = {
    "orders": "ordered_at",
    "refunds": "refunded_at",
    "interactions": "occurred_at",
    "tickets": "opened_at",
    "survey_responses": "responded_at",
    "referrals": "referred_at",
    "account_balances": "balance_date",
    "customer_attributes": "updated_at",
    "campaign_contacts": "contacted_at",
}
LEARNT_LATER = {
    "cancelled_at": {"cancelled_at": None, "status": "completed"},
    "returned_at": {"returned_at": None, "status": "completed"},
    "closed_at": {"closed_at": None, "satisfaction_score": None},
    "converted_at": {"converted_at": None},
}
# Days by which what comes late does so; what is planned comes early.
DELAYS = [0, 0, 0, 0, 20, 100, 400, -60]
STEPS = [0, 1, 15, 30, 31, 31, 45, 60, 90, 150, -20, -120]


def _day(stamp: str | None) -> date | None:
    """The day of a timestamp, if it can be read."""
    try:
        return date.fromisoformat((stamp or "")[:10])
    except ValueError:
        return None


def _as_known(row: Row, day: date) -> Row:
    """The row without what came of it after a day."""
    known = dict(row)
    for column, before in LEARNT_LATER.items():
        learnt = _day(row.get(column))
        if learnt and learnt > day:
            known |= {name: value for name, value in before.items() if name in row}
    return known


def _mistaken(random: Random, tables: dict[str, list[Row]], raw: dict[str, list[Row]]) -> None:
    """Take a row away, or give one of its columns what stands there in another row."""
    table = random.choice([table for table, rows in tables.items() if rows])
    row = random.choice(tables[table])
    if random.random() < 0.4:
        tables[table].remove(row)
    else:
        column = random.choice(sorted(row))
        row[column] = random.choice(raw[table]).get(column)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, dict[str, list[Row]]]]:
    """The as_of_dates and raw tables of three to five loads of one company.

    What has become known by the date of a load is there, in any order, but for some tables of which
    rows, or what came of them, come late; now and then a row is missing in a load, or is not yet (or
    no more) what it is in the others. Dates mostly go forward.
    """
    raw = draw(companies(min_customers=4, min_orders=20, max_orders=45))
    # a list of hold-outs stays, so that it is none that a full build would make
    raw["campaigns"] = [row | {"holdout_percent": None} for row in raw["campaigns"]]
    as_of_date = draw(st.dates(date(2024, 3, 1), date(2025, 3, 31)))
    steps = draw(st.lists(st.sampled_from(STEPS), min_size=2, max_size=4))
    random = Random(draw(st.integers(0, 2**32)))
    late_tables = random.sample(sorted(raw), 3)

    def delay(table: str) -> timedelta:
        return timedelta(days=random.choice(DELAYS) if table in late_tables else 0)

    # rows that tell no date come with one load or another
    arrivals = {
        table: [
            (
                _day(row.get(KNOWN_AT.get(table, ""))),
                delay(table),
                delay(table),
                random.randint(0, 2) if table in late_tables else 0,
            )
            for row in rows
        ]
        for table, rows in raw.items()
    }
    loads = []
    for number, step in enumerate([0, *steps]):
        as_of_date += timedelta(days=step)
        tables = {
            table: [
                _as_known(row, as_of_date - later)
                for row, (day, late, later, load) in zip(rows, arrivals[table], strict=True)
                if (day <= as_of_date - late if day else load <= number)
            ]
            for table, rows in raw.items()
        }
        for _ in range(random.choice([0, 0, 0, 2]) if any(tables.values()) else 0):
            _mistaken(random, tables, raw)
        for rows in tables.values():
            random.shuffle(rows)
        loads.append((as_of_date.isoformat(), tables))
    return loads
