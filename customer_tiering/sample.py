"""The sample company: a seeded generator of all raw tables.

It sells to persons and companies, in shops and online, mostly in China, over three years. Customers
join, grow, fade, leave and come back; on top lie the faults that real extracts have: duplicates,
conflicting versions, unreadable values, merged accounts, refunds of orders nobody knows. The same
seed and number of customers always give the same bytes.

    python -m customer_tiering.sample --out sample --seed 7 --customers 2000
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

Row = dict[str, str]

FIRST_DAY = date(2023, 1, 1)
LAST_DAY = date(2025, 12, 15)
LAST_MOMENT = datetime.combine(LAST_DAY, time(23, 59, 59))
DAYS = [FIRST_DAY + timedelta(n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
MONTHS = sorted({day.replace(day=1) for day in DAYS})

# The raw contract, column by column.
COLUMNS = {
    table: columns.split()
    for table, columns in {
        "customers": "customer_id customer_type full_name email phone birth_date gender"
        " country_code region city postal_code industry company_size parent_customer_id"
        " acquisition_channel signed_up_at marketing_consent updated_at",
        "orders": "order_id customer_id ordered_at status order_amount discount_amount"
        " currency_code channel store_id is_test cancelled_at returned_at updated_at",
        "order_items": "order_id line_number product_id quantity line_amount",
        "products": "product_id product_name category product_type",
        "refunds": "refund_id order_id refunded_at refund_amount",
        "exchange_rates": "rate_date currency_code rate_to_reporting",
        "customer_merges": "from_customer_id into_customer_id merged_at",
        "account_balances": "customer_id balance_date balance_amount currency_code",
        "customer_attributes": "customer_id attribute value updated_at",
        "interactions": "interaction_id customer_id occurred_at channel interaction_type"
        " duration_seconds",
        "tickets": "ticket_id customer_id opened_at closed_at ticket_type severity"
        " satisfaction_score",
        "survey_responses": "response_id customer_id responded_at survey_type score",
        "referrals": "referral_id referrer_customer_id referred_customer_id referred_at"
        " converted_at",
        "campaigns": "campaign_id campaign_name channel starts_on ends_on goal"
        " target_tier_code cost_amount",
        "campaign_contacts": "campaign_id customer_id contacted_at contact_group",
        "erasure_requests": "customer_id requested_at",
    }.items()
}

# -- Who buys, and how -----------------------------------------------------------------------------
# Shares of customers in percent, by the habit that rules when they order.
HABITS = {
    "prospect": 7,
    "one_time": 23,
    "steady": 31,
    "growing": 8,
    "fading": 8,
    "lost": 12,
    "won_back": 5,
    "seasonal": 6,
}
ONCE_AT_MOST = ("prospect", "one_time")
SHARE_OF_COMPANIES = 0.2
SHARE_JOINED_BEFORE = 0.35  # of repeat buyers: signed up in the four years before the first day
SHARE_OF_GUESTS = 0.05  # of all orders
# Orders a year of a repeat buyer: log-normal, so that a few order weekly and most a few times.
ORDERS_A_YEAR_MEDIAN, ORDERS_A_YEAR_SPREAD, ORDERS_A_YEAR_MOST = 2.2, 0.95, 40
WON_BACK_GAP = 330  # days without an order
CAMPAIGN_LIFT = 0.3  # more orders of a treated repeat buyer in the campaign's month
SPRING_FESTIVALS = (date(2023, 1, 22), date(2024, 2, 10), date(2025, 1, 29))

# Ids that trip careless joins, by position: unicode, leading zeros, and two that differ by case.
SPECIAL_IDS = {7: "客0007", 42: "000042", 77: "c0078"}
BLANK_PADDED_ID = "000042"  # written with blanks around it in customers
UNKNOWN_IDS = ["N001", "N002", "N003", "N004", "N005", "é006", "OLD17"]  # only in orders

# Shares of customers in percent. In China they pay in CNY, elsewhere in USD.
COUNTRIES = {"CN": 82, "US": 8, "SG": 3, "GB": 3, "DE": 2, "MX": 2}
PLACES = {  # region, city, postal code
    "CN": "广东,深圳,518000;广东,广州,510000;上海,上海,200000;北京,北京,100000;浙江,杭州,310000;"
    "四川,成都,610000;湖北,武汉,430000;陕西,西安,710000",
    "US": "CA,San Diego,92101;NY,Albany,12207;TX,Austin,78701",
    "SG": ",Singapore,018956",
    "GB": "England,Leeds,LS1 4AP;Scotland,Glasgow,G2 1DU",
    "DE": "Bayern,München,80331;Sachsen,Leipzig,04109",
    "MX": "Jalisco,Guadalajara,44100;,Ciudad de México,06000",
}
FAMILY_NAMES = "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 欧阳".split()
GIVEN_NAMES = "伟 芳 娜 敏 静 丽 强 磊 军 洋 艳 勇 杰 婷 雪梅 子涵 浩然 欣怡 梓轩 雨桐".split()
FIRST_NAMES = "Ana Ben Chloë Dan Eva Finn Grace Hugo Inés Jürgen Kate Léo Mia Noah Zoë".split()
LAST_NAMES = "Abbott Brandt Castillo Dunn Núñez Fischer Grant Hill O'Neill Kaya Müller Reed".split()
COMPANY_WORDS = "青禾 云杉 海棠 鹿鸣 星野 远山 拾光 白露".split()
COMPANY_TRADES = "科技 贸易 餐饮 物流 制造 教育".split()
COMPANY_NAMES = ["{} & Sons Ltd", "{}, Holm & Co.", 'The "Blue Door" {}', "{} GmbH"]
INDUSTRIES = "manufacturing retail logistics education hospitality technology health".split()
AREA_CODES = "212 305 312 415 512 617 702 808".split()  # 555-01xx is reserved for fiction in each

# -- What they buy ---------------------------------------------------------------------------------
# category, product type, typical price in CNY, names
CATEGORIES = [
    ("Groceries", "product", 45, "龙井茶叶;Coffee beans;Olive oil;坚果礼盒;Honey"),
    ("Beauty", "product", 130, "Hand cream;面膜;Perfume;Shampoo;口红"),
    ("Books", "product", 55, "Cookbook;儿童绘本;Atlas;Notebook;Novel"),
    ("Clothing", "product", 230, "T-shirt;羽绒服;Scarf;Jeans;Trainers"),
    ("Home", "product", 280, "Lamp;保温杯;Rug;Bed linen;Frying pan"),
    ("Sports", "product", 340, "Yoga mat;羽毛球拍;Tent;Bicycle helmet;Running shoes"),
    ("Toys", "product", 120, "Building blocks;拼图;Kite;Board game;Robot kit"),
    ("Electronics", "product", 1300, "Headphones;智能手表;Tablet;Camera;Speaker"),
    ("Office", "product", 420, "Desk chair;打印机;Whiteboard;Shredder;Monitor arm"),
    ("Repairs", "service", 220, "Bicycle service;手机维修;Tailoring;Knife grinding"),
    ("Delivery", "service", 90, "Assembly at home;上门安装;Express delivery;Storage"),
    ("Training", "service", 1600, "Barista course;办公培训;First aid course"),
    ("Fit-out", "solution", 6500, "Meeting room, complete;茶水间方案;Reception desk"),
    ("Smart office", "solution", 9000, "Access control;智慧办公方案;Video conferencing"),
]
GRADES = [("", 1.0), (", large", 2.1)]
CNY_TO_ONE_USD = 7.0  # list prices
FREIGHT = 1000  # cents, in order_amount but in no line
SHARE_WITH_FREIGHT, SHARE_WITHOUT_ITEMS, SHARE_OF_GIFTS, SHARE_OF_TESTS = 0.03, 0.07, 0.002, 0.0015

PERSON_CHANNELS = {"app": 36, "mini_program": 24, "web": 19, "store": 16, "marketplace": 5}
COMPANY_CHANNELS = {"web": 45, "field_sales": 30, "phone": 20, "store": 5}
STORES = ["S01", "S02", "S03", "S04", "S05", "S06", "S07", "S08"]
DATE_ONLY_STORE = "S08"  # its till knows the date of an order, not the time

# What each system calls the four order statuses: completed, cancelled, returned, pending.
STATUS_WORDS = {
    "mini_program": ("已完成 已支付 已发货", "已取消", "已退货 已退款", "待付款 待发货"),
    "store": ("closed paid COMPLETED", "voided", "Returned", "open"),
    "marketplace": ("delivered shipped", "canceled unavailable", "refunded", "approved invoiced"),
    "other": ("completed complete fulfilled", "cancelled", "returned", "pending processing"),
}
SPELLINGS = {"app": "zulu", "mini_program": "shanghai", "marketplace": "fraction"}
STATUSES = ("completed", "cancelled", "returned", "pending")

# What becomes of an order: status and shares. See settle().
FATES = {
    "kept": 8640,
    "partial_refund": 420,
    "full_refund": 230,
    "several_refunds": 90,
    "late_refund": 120,
    "cancelled": 180,
    "cancelled_before": 40,
    "cancelled_after": 120,
    "cancelled_after_refund": 30,
    "returned_refunded": 70,
    "returned_partly": 20,
    "returned_dated": 25,
    "returned_undated": 15,
}

# Orders that must be there: moment and spelling. Last seconds of months, leap days, the last day.
EDGE_MOMENTS = [
    (datetime(2023, 11, 30, 23, 59, 59), "plain"),
    (datetime(2024, 2, 29, 0, 0, 0), "zulu"),
    (datetime(2024, 2, 29, 23, 59, 59), "plain"),
    (datetime(2024, 5, 31, 23, 59, 59), "zulu"),
    (datetime(2024, 10, 31, 23, 59, 59), "shanghai"),  # reads 2024-11-01T07:59:59+08:00
    (datetime(2024, 12, 31, 23, 59, 59), "plain"),
    (datetime(2025, 12, 15, 12, 0, 0), "plain"),
]

# name, channel, start, days, goal, target tier, habits of the audience
CAMPAIGNS = [
    ("Spring welcome", "email", date(2023, 3, 6), 20, "acquisition", "", "prospect one_time"),
    ("618 会员日", "app", date(2023, 6, 1), 18, "upsell", "gold", "steady growing"),
    ("双11 预热", "app", date(2023, 10, 25), 17, "upsell", "", "steady growing seasonal"),
    ("We miss you", "email", date(2024, 3, 4), 21, "win_back", "", "lost fading won_back"),
    ("618 会员日", "mini_program", date(2024, 6, 1), 18, "upsell", "gold", "steady growing"),
    ("Referral bonus", "app", date(2024, 9, 2), 28, "referral", "silver", "steady growing"),
    ("双11 预热", "app", date(2024, 10, 25), 17, "upsell", "", "steady growing seasonal"),
    ("老客户回归", "sms", date(2025, 3, 3), 21, "win_back", "", "lost fading won_back"),
    ("Platinum preview", "phone", date(2025, 5, 12), 14, "retention", "platinum", "steady growing"),
    ("双11 预热", "app", date(2025, 10, 25), 17, "upsell", "", "steady growing seasonal"),
]
AUDIENCE_SHARE, HOLDOUT_SHARE = 0.35, 0.2

# -- What is wrong ---------------------------------------------------------------------------------
# A row for each value, good but for this one, which its required column does not allow: rejected.
REJECTED = {
    "customers": {"customer_id": ["", "  "]},
    "orders": {
        "order_id": ["", "   "],
        "ordered_at": ["", "yesterday", "2024-13-05 10:00:00", "05.03.2024"]
        + ["1999-12-31 10:00:00", "1970-01-01", "2999-12-31 00:00:00"],
        "status": ["", "on hold", "lost_in_transit", "已冻结"],
        "order_amount": ["", "abc", "1,234.50", "NaN", "-59.00"],
        "currency_code": ["RMB¥", "US"],
        "is_test": ["maybe"],
    },
    "order_items": {"order_id": ["", "99999998"], "line_number": ["", "first"]},
    "products": {"product_id": [""]},
    "refunds": {
        "refund_id": [""],
        "order_id": ["", "99999999", "99999997"],
        "refunded_at": ["", "31/12/2024"],
        "refund_amount": ["", "ten", "-10.00"],
    },
    "exchange_rates": {
        "rate_date": ["", "2024-02-30"],
        "currency_code": ["", "DOLLAR"],
        "rate_to_reporting": ["", "seven", "0", "-7.1"],
    },
    "customer_merges": {
        "from_customer_id": [""],
        "into_customer_id": [""],
        "merged_at": ["", "last week"],
    },
    "account_balances": {
        "customer_id": [""],
        "balance_date": ["2024-04-31"],
        "balance_amount": ["", "n/a"],
        "currency_code": ["¥"],
    },
    "customer_attributes": {"customer_id": [""], "attribute": [""], "value": [""]},
    "interactions": {"interaction_id": [""], "customer_id": [""], "occurred_at": ["noon"]},
    "tickets": {"ticket_id": [""], "customer_id": [""], "opened_at": ["2023-02-29 08:00:00"]},
    "survey_responses": {
        "response_id": [""],
        "responded_at": [""],
        "score": ["", "eleven", "11"],
    },
    "referrals": {"referral_id": [""], "referrer_customer_id": [""], "referred_at": ["?"]},
    "campaigns": {"campaign_id": [""], "starts_on": ["spring"]},
    "campaign_contacts": {"campaign_id": [""], "customer_id": [""], "contacted_at": ["", "soon"]},
    "erasure_requests": {"customer_id": [""], "requested_at": ["asap"]},
}
# Put into a row that stays: an optional value that cannot be read or is not allowed becomes NULL.
NULLED = {
    "customers": {
        "customer_type": ["robot"],
        "birth_date": ["1850-06-01", "1990-02-31", "2999-01-01"],
        "country_code": ["CHINA", "8"],
        "signed_up_at": ["long ago"],
        "marketing_consent": ["perhaps"],
        "updated_at": ["2024-00-10"],
    },
    "orders": {
        "discount_amount": ["-5.00", "free"],
        "cancelled_at": ["soon"],
        "returned_at": ["2024-02-30"],
        "updated_at": ["n/a"],
    },
    "order_items": {"quantity": ["two"], "line_amount": ["n/a"]},
    "products": {"product_type": ["gadget"]},
    "customer_attributes": {"updated_at": ["?"]},
    "interactions": {"duration_seconds": ["short"], "interaction_type": ["telepathy"]},
    "tickets": {"satisfaction_score": ["9"], "closed_at": ["never"], "ticket_type": ["rant"]},
    "survey_responses": {"survey_type": ["stars"]},
    "referrals": {"converted_at": ["later"]},
    "campaigns": {"cost_amount": ["a lot"]},
    "campaign_contacts": {"contact_group": ["maybe"]},
}
# Rows that come twice, letter by letter; of every other table two.
EXACT_DUPLICATES = {"customers": 8, "orders": 24, "order_items": 12, "refunds": 5}
# Tables whose first column is a key of their own, which the rejected copy of a row gets anew.
NUMBERED = (
    "customers orders products refunds interactions tickets survey_responses referrals campaigns"
)


@dataclass
class Customer:
    """A customer as the generator knows them; most of it never shows in a file."""

    customer_id: str
    habit: str
    is_company: bool
    country: str
    currency: str
    channel: str  # the one they use most
    joined: date
    turn: date  # when fading begins, a lost customer leaves, a won-back one pauses
    orders_a_year: float
    taste: float  # 0 to 1: where in the catalogue, ordered by price, they shop
    favourites: set[str]  # categories
    lift: dict[date, float] = field(default_factory=dict)  # month: more orders, from campaigns
    orders: list[tuple[datetime, Row]] = field(default_factory=list)


@dataclass(frozen=True)
class Product:
    """A product with its list price in cents of CNY."""

    product_id: str
    category: str
    product_type: str
    price: int


class Company:
    """The tables as they grow, and what later steps need to know about the rows before them."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.tables: dict[str, list[Row]] = {table: [] for table in COLUMNS}
        self.customers: list[Customer] = []
        self.catalogue: list[Product] = []
        self.moments: dict[str, datetime] = {}  # when each order was placed, in UTC
        self.taken: set[int] = set()  # id() of rows that belong to a story

    def stream(self, name: str) -> random.Random:
        """A random stream of its own for each step, so that a change in one moves no other."""
        return random.Random(f"{self.seed} {name}")

    def add(self, table: str, *values: str) -> Row:
        """Append a row with the given values for the contract's columns, in order."""
        row = dict(zip(COLUMNS[table], values, strict=True))
        self.tables[table].append(row)
        return row

    def append(self, table: str, row: Row) -> None:
        """Append a row of a story, which no other story may touch."""
        self.tables[table].append(row)
        self.taken.add(id(row))

    def number(self, table: str, prefix: str) -> str:
        """The next running id of a table."""
        return f"{prefix}{len(self.tables[table]) + 1}"

    def take(
        self,
        rng: random.Random,
        table: str,
        count: int,
        where: Callable[[Row], bool] = lambda row: True,
    ) -> list[Row]:
        """Up to `count` random rows that no other story has; each is now part of a story."""
        rows = [row for row in self.tables[table] if id(row) not in self.taken and where(row)]
        chosen = rng.sample(rows, min(count, len(rows)))
        self.taken.update(id(row) for row in chosen)
        return chosen


# -- Small helpers ---------------------------------------------------------------------------------


def is_filled(column: str, row: Row) -> bool:
    """Whether a row has a value in a column."""
    return row[column] != ""


def draw(rng: random.Random, weights: dict[str, int]) -> str:
    """One key, with its weight's chance."""
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def poisson(rng: random.Random, mean: float) -> int:
    """A Poisson number (Knuth's method; the mean is small here)."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def money(cents: int) -> str:
    """Cents as text with two decimals; cents >= 0."""
    return f"{cents // 100}.{cents % 100:02d}"


def cents(text: str) -> int:
    """The reverse of money()."""
    return int(text.replace(".", ""))


def spell(moment: datetime, spelling: str = "plain") -> str:
    """A UTC moment as text, in the spelling of one of the source systems."""
    if spelling == "zulu":
        return f"{moment:%Y-%m-%dT%H:%M:%S}Z"
    if spelling == "shanghai":
        return f"{moment + timedelta(hours=8):%Y-%m-%dT%H:%M:%S}+08:00"
    if spelling == "fraction":
        return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.second * 16 % 1000:03d}"
    if spelling == "date":
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def at_business_hours(rng: random.Random, day: date) -> datetime:
    """A moment of that day, most often in the evening in Shanghai (00:00 to 15:54 UTC)."""
    seconds = int(rng.triangular(0, 15.9 * 3600, 12 * 3600))
    return datetime.combine(day, time()) + timedelta(seconds=seconds)


def later(rng: random.Random, moment: datetime, low: float, high: float) -> datetime:
    """A moment `low` to `high` days later; earlier for negative days."""
    return moment + timedelta(seconds=int(rng.uniform(low, high) * 86400))


def season(day: date) -> float:
    """How much is ordered on a day, against an ordinary weekday."""
    weight = 1.2 if day.weekday() >= 5 else 1.0
    if any(-4 <= (day - festival).days <= 8 for festival in SPRING_FESTIVALS):
        return weight * 0.3
    if (day.month, day.day) in ((11, 11), (6, 18)):
        return weight * 6
    if (day.month == 11 and day.day < 11) or (day.month == 6 and 8 <= day.day < 18):
        return weight * 2
    if day.month == 12 and day.day >= 10:
        return weight * 1.5
    return weight


SEASON = {day: season(day) for day in DAYS}


# -- Customers -------------------------------------------------------------------------------------


def make_customers(company: Company, count: int) -> None:
    """Decide who there is, and how each behaves."""
    rng = company.stream("customers")
    span = (LAST_DAY - FIRST_DAY).days
    for number in range(1, count + 1):
        special = number in SPECIAL_IDS or number - 1 in SPECIAL_IDS
        habit = "steady" if special else draw(rng, HABITS)
        is_company = rng.random() < SHARE_OF_COMPANIES
        country = draw(rng, COUNTRIES)
        if habit not in ONCE_AT_MOST and rng.random() < SHARE_JOINED_BEFORE:
            joined = FIRST_DAY - timedelta(rng.randint(1, 4 * 365))
        else:
            joined = FIRST_DAY + timedelta(rng.randint(0, span - 10))
        if habit in ("lost", "won_back", "fading"):
            joined = min(joined, FIRST_DAY + timedelta(rng.randint(0, 450)))
        start = max(joined, FIRST_DAY)
        pace = ORDERS_A_YEAR_MEDIAN * math.exp(rng.gauss(0, ORDERS_A_YEAR_SPREAD))
        company.customers.append(
            Customer(
                customer_id=SPECIAL_IDS.get(number, f"C{number:04d}"),
                habit=habit,
                is_company=is_company,
                country=country,
                currency="CNY" if country == "CN" else "USD",
                channel=draw(rng, COMPANY_CHANNELS if is_company else PERSON_CHANNELS),
                joined=joined,
                turn=start + timedelta(rng.randint(150, 400)),
                orders_a_year=min(pace, ORDERS_A_YEAR_MOST),
                taste=0.85 * rng.betavariate(1.6, 2.2),
                favourites={category for category, *_ in rng.sample(CATEGORIES, 3)},
            )
        )


def name_of(rng: random.Random, customer: Customer) -> str:
    """A made-up name, Chinese for customers in China."""
    if customer.is_company and customer.country == "CN":
        return f"{rng.choice(COMPANY_WORDS)}{rng.choice(COMPANY_TRADES)}有限公司"
    if customer.is_company:
        return rng.choice(COMPANY_NAMES).format(rng.choice(LAST_NAMES))
    if customer.country == "CN":
        return rng.choice(FAMILY_NAMES) + rng.choice(GIVEN_NAMES)
    return f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"


def phone_of(rng: random.Random, customer: Customer) -> str:
    """A number from a range reserved for fiction: 555-01xx, or 07700 900xxx in Britain."""
    if customer.country == "GB":
        return f"+44 7700 900{rng.randint(0, 999):03d}"
    return f"+1 {rng.choice(AREA_CODES)} 555 01{rng.randint(0, 99):02d}"


def parents(company: Company) -> dict[str, str]:
    """Company groups of two levels: three subsidiaries, the first two with one of their own."""
    rng = company.stream("parents")
    firms = [customer.customer_id for customer in company.customers if customer.is_company]
    rng.shuffle(firms)
    result = {}
    for group in range(len(firms) // 25):
        root, first, second, third, *children = firms[group * 6 : group * 6 + 6]
        result.update({first: root, second: root, third: root})
        result.update(zip(children, (first, second), strict=True))
    result[firms[-1]] = "C-GONE"  # a parent company that is no customer
    return result


def write_customers(company: Company) -> None:
    """The customers table, after what they will have ordered is known."""
    rng = company.stream("customer rows")
    parent = parents(company)
    for person in company.customers:
        key = person.customer_id
        region, city, postal_code = rng.choice(PLACES[person.country].split(";")).split(",")
        joined = at_business_hours(rng, person.joined)
        newest = max([joined] + [moment for moment, _ in person.orders])
        birth = date(1945, 1, 1) + timedelta(int(365 * 62 * rng.betavariate(3.5, 2.5)))
        knows = [rng.random() for _ in range(6)]
        company.add(
            "customers",
            f"  {key} " if key == BLANK_PADDED_ID else key,
            "" if knows[0] < 0.01 else "company" if person.is_company else "person",
            name_of(rng, person),
            f"{key.lower()}@example.com" if key.isascii() and knows[1] < 0.85 else "",
            phone_of(rng, person) if knows[2] < 0.6 else "",
            "" if person.is_company or knows[3] < 0.35 else birth.isoformat(),
            "" if person.is_company else rng.choice(["F", "F", "M", "M", ""]),
            person.country.lower() if knows[4] < 0.01 else person.country,
            region,
            city,
            postal_code if knows[4] > 0.3 else "",
            rng.choice(INDUSTRIES) if person.is_company else "",
            rng.choice(["1-9", "10-49", "50-249", "250+"]) if person.is_company else "",
            parent.get(key, ""),
            draw(rng, {"search": 30, "store": 20, "social": 20, "ads": 15, "referral": 10, "": 5}),
            "" if knows[5] < 0.02 else spell(joined, rng.choice(["plain", "zulu", "date"])),
            draw(rng, {"true": 50, "false": 20, "yes": 5, "0": 5, "": 20}),
            spell(newest) if knows[5] > 0.05 else "",
        )


# -- Campaigns -------------------------------------------------------------------------------------


def make_campaigns(company: Company) -> None:
    """Campaigns and whom they reached; treated repeat buyers will order a little more."""
    rng = company.stream("campaigns")
    for number, (name, channel, start, days, goal, tier, audience) in enumerate(CAMPAIGNS, 1):
        key = f"P{number:02d}"
        end = start + timedelta(days)
        cost = money(rng.randint(2000, 30000) * 100)
        company.add("campaigns", key, name, channel, str(start), str(end), goal, tier, cost)
        for customer in company.customers:
            fits = customer.habit in audience.split() and customer.joined < start
            if not fits or rng.random() > AUDIENCE_SHARE:
                continue
            group = "holdout" if rng.random() < HOLDOUT_SHARE else "treatment"
            day = start + timedelta(rng.randint(0, 3))
            company.add("campaign_contacts", key, customer.customer_id, str(day), group)
            if group == "treatment" and customer.habit not in ONCE_AT_MOST:
                customer.lift[(start + timedelta(7)).replace(day=1)] = CAMPAIGN_LIFT


# -- Orders ----------------------------------------------------------------------------------------


def pace(customer: Customer, day: date) -> float:
    """Orders a year around that day, before season and campaigns."""
    since_turn = (day - customer.turn).days
    factor = 1.0
    if customer.habit == "growing":
        factor = min(3.0, 0.4 + 0.9 * (day - max(customer.joined, FIRST_DAY)).days / 365)
    elif customer.habit == "fading":
        factor = 1.3 * 0.5 ** (max(0, since_turn) / 150)
    elif customer.habit == "lost":
        factor = 1.3 if since_turn < 0 else 0.0
    elif customer.habit == "won_back":
        factor = 0.0 if 0 <= since_turn < WON_BACK_GAP else 1.3
    elif customer.habit == "seasonal":
        factor = 2.0 if day.month in (6, 11, 12) else 0.05
    return factor * customer.orders_a_year


def purchase_days(rng: random.Random, customer: Customer) -> list[date]:
    """The days on which a customer orders."""
    if customer.habit == "prospect":
        return []
    days, first = [], FIRST_DAY - timedelta(1)
    if customer.joined >= FIRST_DAY:  # who signs up orders soon after, rarely at the festival
        first = customer.joined + timedelta(int(rng.expovariate(1 / 6)))
        while SEASON.get(first, 1) < rng.random():
            first += timedelta(1)
        days = [min(first, LAST_DAY)]
    if customer.habit == "one_time":
        return days
    for month in MONTHS:
        open_days = [day for day in month_days(month) if day > first]
        if open_days:
            weights = [SEASON[day] for day in open_days]
            expected = pace(customer, open_days[len(open_days) // 2]) / 365 * sum(weights)
            count = poisson(rng, expected + customer.lift.get(month, 0))
            days += rng.choices(open_days, weights=weights, k=count)
    return days


def month_days(month: date) -> list[date]:
    """The days of a month up to the last day of all."""
    first = (month - FIRST_DAY).days
    return [day for day in DAYS[first : first + 31] if day.month == month.month]


def make_catalogue(company: Company) -> None:
    """The products, and the catalogue ordered by price that customers choose from."""
    rng = company.stream("products")
    for category, product_type, typical, names in CATEGORIES:
        for name in names.split(";"):
            price = typical * math.exp(rng.gauss(0, 0.4))
            for grade, factor in GRADES:
                key = company.number("products", "A")
                shown = "" if rng.random() < 0.02 else category
                company.add("products", key, name + grade, shown, product_type)
                in_cents = max(1, round(price * factor)) * 100
                company.catalogue.append(Product(key, category, product_type, in_cents))
    company.catalogue.sort(key=lambda product: (product.price, product.product_id))


def choose_lines(
    rng: random.Random, customer: Customer | None, catalogue: list[Product]
) -> list[tuple[Product, int]]:
    """What goes into one order: products near the customer's taste, and quantities."""
    firm = customer is not None and customer.is_company
    offered = [p for p in catalogue if firm or p.product_type != "solution"]
    taste = customer.taste if customer else rng.betavariate(1.6, 3)
    lines = []
    for _ in range(1 + min(4, poisson(rng, 0.7))):
        places = [int(len(offered) * (taste + rng.gauss(0, 0.14))) for _ in range(2)]
        pair = [offered[min(max(place, 0), len(offered) - 1)] for place in places]
        liked = [p for p in pair if customer and p.category in customer.favourites]
        lines.append(((liked or pair)[0], 1 + int(rng.expovariate(0.6 if firm else 1.8))))
    return lines


def discount_percent(rng: random.Random, day: date) -> int:
    """Percent off the whole order; more at the peaks, all of it for a gift."""
    if rng.random() < SHARE_OF_GIFTS:
        return 100
    if SEASON[day] >= 2:
        return rng.choice([0, 10, 15, 20])
    return rng.choices([0, 5, 10], weights=[80, 12, 8])[0]


def make_orders(company: Company) -> None:
    """Orders with their lines, in order of time, and what became of them."""
    rng = company.stream("orders")
    purchases: list[tuple[datetime, str, Customer | None, str]] = []
    for customer in company.customers:
        for day in purchase_days(rng, customer):
            purchases.append((at_business_hours(rng, day), customer.customer_id, customer, ""))
    for _ in range(int(len(purchases) * SHARE_OF_GUESTS)):
        day = rng.choices(DAYS, weights=list(SEASON.values()))[0]
        purchases.append((at_business_hours(rng, day), "", None, ""))
    loyal = [customer for customer in company.customers if customer.habit == "steady"]
    for moment, spelling in EDGE_MOMENTS:
        customer = rng.choice([c for c in loyal if c.joined < moment.date()])
        purchases.append((moment, customer.customer_id, customer, spelling))
    purchases.sort(key=lambda purchase: purchase[:2])
    for number, (moment, _, buyer, spelling) in enumerate(purchases, 10001):
        row = make_order(company, rng, str(number), moment, buyer, spelling)
        fate = "kept" if spelling or row["order_amount"] == "0.00" else draw(rng, FATES)
        settle(company, rng, row, moment, fate)
        company.moments[str(number)] = moment
        if buyer:
            buyer.orders.append((moment, row))


def make_order(
    company: Company,
    rng: random.Random,
    key: str,
    moment: datetime,
    customer: Customer | None,
    spelling: str,
) -> Row:
    """One order as it is placed, with its lines. A given spelling marks an edge moment."""
    firm = customer is not None and customer.is_company
    channel = draw(rng, COMPANY_CHANNELS if firm else PERSON_CHANNELS)
    if customer and rng.random() < 0.7:
        channel = customer.channel
    store = rng.choice(STORES) if channel == "store" else ""
    if spelling:
        channel, store = "web", ""
    elif store == DATE_ONLY_STORE:
        spelling = "date"
    currency = customer.currency if customer else "CNY"
    percent_paid = 100 - discount_percent(rng, moment.date())
    gross = paid = 0
    lines = choose_lines(rng, customer, company.catalogue)
    has_items = rng.random() > SHARE_WITHOUT_ITEMS
    for line, (product, quantity) in enumerate(lines, 1):
        list_amount = product.price * quantity
        if currency == "USD":
            list_amount = round(list_amount / CNY_TO_ONE_USD)
        line_amount = list_amount * percent_paid // 100
        gross, paid = gross + list_amount, paid + line_amount
        if has_items:
            values = (key, str(line), product.product_id, str(quantity), money(line_amount))
            company.add("order_items", *values)
    freight = FREIGHT if paid and rng.random() < SHARE_WITH_FREIGHT else 0
    is_test = rng.random() < SHARE_OF_TESTS
    return company.add(
        "orders",
        key,
        customer.customer_id if customer else "",
        spell(moment, spelling or SPELLINGS.get(channel, "plain")),
        "",
        money(paid + freight),
        money(gross - paid) if gross > paid else "",
        "" if channel == "store" and currency == "CNY" else currency,
        channel,
        store,
        rng.choice(["true", "1", "Y"]) if is_test else "false" if channel == "app" else "",
        "",
        "",
        spell(moment),
    )


def status_word(rng: random.Random, row: Row, status: str) -> str:
    """The status in the words of the system that took the order."""
    words = STATUS_WORDS.get(row["channel"], STATUS_WORDS["other"])
    return rng.choice(words[STATUSES.index(status)].split())


def settle(company: Company, rng: random.Random, row: Row, moment: datetime, fate: str) -> None:
    """Give an order its status, and the refunds, cancellation or return that followed."""
    event = later(rng, moment, 0.2, 14)
    if fate == "late_refund":
        event = later(rng, moment, 90, 400)
    if event > LAST_MOMENT:  # has not happened yet
        fate = "pending" if rng.random() < 0.3 else "kept"
    kind = fate.split("_")[0]
    status = kind if kind in STATUSES else "completed"
    row["status"] = status_word(rng, row, status)
    amount = cents(row["order_amount"])

    def refund(when: datetime, part: int) -> None:
        if part > 0 and when <= LAST_MOMENT:
            key = company.number("refunds", "R")
            company.add("refunds", key, row["order_id"], spell(when), money(part))

    if fate in ("partial_refund", "late_refund"):
        refund(event, amount * rng.randint(10, 60) // 100)
    elif fate in ("full_refund", "returned_refunded"):
        refund(event, amount)
    elif fate == "several_refunds":
        refund(event, amount * 30 // 100)
        refund(later(rng, event, 0, 20), amount * 25 // 100)
        refund(later(rng, event, 20, 40), amount * rng.choice([10, 20]) // 100)
    elif fate == "cancelled_before":  # at or before the order's own moment: it never counted
        row["cancelled_at"] = spell(moment - timedelta(minutes=rng.choice([0, 0, 5])))
    elif fate in ("cancelled_after", "cancelled_after_refund"):
        row["cancelled_at"] = spell(event)
        if fate == "cancelled_after_refund":
            refund(later(rng, moment, 0.1, 0.2), amount * 20 // 100)
            refund(later(rng, event, 0.5, 3), amount - amount * 20 // 100)
    elif fate == "returned_partly":
        refund(event, amount // 2)
    if kind == "returned" and fate != "returned_undated":
        row["returned_at"] = spell(event)
    if kind not in ("kept", "pending"):
        row["updated_at"] = spell(event)


# -- The other tables ------------------------------------------------------------------------------


def make_exchange_rates(company: Company) -> None:
    """A dollar rate on the first of each month; none ever for the euro."""
    rng = company.stream("exchange rates")
    rate = 6.95
    for month in MONTHS:
        rate += rng.uniform(-0.06, 0.07)
        company.add("exchange_rates", month.isoformat(), "USD", f"{rate:.4f}")
        if rng.random() < 0.2:  # now and then one within the month
            day = (month + timedelta(14)).isoformat()
            company.add("exchange_rates", day, "USD", f"{rate + 0.02:.8f}")


def make_account_balances(company: Company) -> None:
    """Balances of stored-value cards at the ends of quarters, for some loyal customers."""
    rng = company.stream("account balances")
    for customer in company.customers:
        if customer.habit not in ("steady", "growing") or rng.random() > 0.3:
            continue
        balance = rng.lognormvariate(6 + 3 * customer.taste, 0.6)
        for month in MONTHS[3::3]:
            if month > customer.joined:
                balance *= rng.uniform(0.6, 1.5)
                whole = round(balance)
                amount = str(whole) if rng.random() < 0.99 else f"-{whole}.50"  # overdrawn
                day = (month - timedelta(1)).isoformat()
                company.add(
                    "account_balances", customer.customer_id, day, amount, customer.currency
                )


def make_customer_attributes(company: Company) -> None:
    """Interests, lifestyle and preferences of some customers."""
    rng = company.stream("customer attributes")
    values = {
        "interest": ["cooking", "outdoor", "reading", "茶艺", "sports", "travel"],
        "lifestyle": ["family", "single", "commuter", "健身"],
        "preferred_contact": ["email", "sms", "app", "none"],
    }
    for customer in company.customers:
        if customer.orders and rng.random() < 0.35:
            for attribute in rng.sample(list(values), rng.randint(1, 2)):
                moment = spell(customer.orders[0][0], "date")
                chosen = rng.choice(values[attribute])
                company.add("customer_attributes", customer.customer_id, attribute, chosen, moment)


def make_interactions(company: Company) -> None:
    """Visits, calls, messages and use of the app, around the orders; a few are fans."""
    rng = company.stream("interactions")
    kinds = {"app": "usage", "mini_program": "usage", "store": "visit", "field_sales": "visit"}
    for customer in company.customers:
        eagerness = min(4.0, 0.2 * math.exp(rng.gauss(0, 1.1)))
        for moment, order in customer.orders:
            for _ in range(poisson(rng, eagerness)):
                channel = order["channel"] if rng.random() < 0.8 else "phone"
                kind = kinds.get(channel, rng.choice(["call", "message"]))
                when = later(rng, moment, -12, 12)
                if when <= LAST_MOMENT:
                    key = company.number("interactions", "I")
                    seconds = "" if kind == "message" else str(60 * rng.randint(1, 60))
                    values = (key, customer.customer_id, spell(when), channel, kind, seconds)
                    company.add("interactions", *values)


def make_tickets(company: Company) -> None:
    """Questions after some orders, and complaints before customers fade or leave."""
    rng = company.stream("tickets")

    def ticket(customer: Customer, opened: datetime, kind: str, score: int) -> None:
        if opened > LAST_MOMENT:
            return
        closed = later(rng, opened, 0.05, 6)
        is_open = rng.random() < 0.05 or closed > LAST_MOMENT
        company.add(
            "tickets",
            company.number("tickets", "T"),
            customer.customer_id,
            spell(opened),
            "" if is_open else spell(closed),
            kind,
            rng.choice(["medium", "high"]) if kind == "complaint" else "low",
            "" if is_open or rng.random() < 0.4 else str(score),
        )

    for customer in company.customers:
        unhappy = customer.habit in ("fading", "lost")
        if unhappy and rng.random() < 0.55:
            turn = datetime.combine(customer.turn, time(8))
            for _ in range(rng.randint(1, 2)):
                ticket(customer, later(rng, turn, -90, 0), "complaint", rng.randint(1, 3))
        for moment, _ in customer.orders:
            if rng.random() < 0.035:
                kind = draw(rng, {"question": 65, "suggestion": 20, "complaint": 15})
                score = rng.randint(2, 4) if kind == "complaint" else rng.randint(3, 5)
                ticket(customer, later(rng, moment, 0, 10), kind, score)


def make_survey_responses(company: Company) -> None:
    """Would-you-recommend scores that follow loyalty, and satisfaction after some orders."""
    rng = company.stream("survey responses")
    typical = {"growing": 9.2, "steady": 8.6, "fading": 4.5, "lost": 4.0}
    for customer in company.customers:
        for moment, _ in customer.orders:
            for kind, chance, mean, low, high in (
                ("nps", 0.06, typical.get(customer.habit, 7.2), 0, 10),
                ("csat", 0.05, typical.get(customer.habit, 7.2) / 2, 1, 5),
            ):
                when = later(rng, moment, 1, 20)
                if rng.random() < chance and when <= LAST_MOMENT:
                    score = min(high, max(low, round(rng.gauss(mean, high / 8))))
                    key = company.number("survey_responses", "V")
                    values = (key, customer.customer_id, spell(when), kind, str(score))
                    company.add("survey_responses", *values)


def make_referrals(company: Company) -> None:
    """Loyal customers bring in new ones; some who were asked never answered."""
    rng = company.stream("referrals")
    loyal = [c for c in company.customers if c.habit in ("steady", "growing")]
    for row in company.tables["customers"]:
        if row["acquisition_channel"] != "referral":
            continue
        newcomer = next(c for c in company.customers if c.customer_id == row["customer_id"].strip())
        known = [c for c in loyal if c.orders and c.orders[0][0].date() < newcomer.joined]
        if not known:
            continue
        referred = at_business_hours(rng, newcomer.joined - timedelta(rng.randint(0, 9)))
        answered = rng.random() < 0.85
        company.add(
            "referrals",
            company.number("referrals", "F"),
            rng.choice(known).customer_id,
            newcomer.customer_id if answered else "",
            spell(referred),
            spell(newcomer.orders[0][0]) if answered and newcomer.orders else "",
        )


# -- Stories: what real extracts hold besides good rows --------------------------------------------


def is_plain_order(row: Row) -> bool:
    """An order by a customer, completed in words, so that changing it keeps its meaning."""
    is_completed = row["status"] in "completed complete fulfilled closed paid delivered".split()
    return is_completed and bool(row["customer_id"]) and row["order_amount"] != "0.00"


def tell_refunds(company: Company) -> None:
    """Refunds beyond their order, of orders that never counted, and before their order."""
    rng = company.stream("refund stories")
    refunded = {row["order_id"] for row in company.tables["refunds"]}

    def add(order: Row, days: int, percent: int) -> None:
        when = spell(company.moments[order["order_id"]] + timedelta(days))
        part = money(cents(order["order_amount"]) * percent // 100)
        company.add("refunds", company.number("refunds", "R"), order["order_id"], when, part)

    def orders(count: int, fits: Callable[[Row], bool]) -> list[Row]:
        def where(row: Row) -> bool:
            is_old = company.moments[row["order_id"]].year < 2025
            return is_old and row["order_id"] not in refunded and fits(row)

        return company.take(rng, "orders", count, where)

    for order in orders(3, is_plain_order):  # partly beyond
        add(order, 5, 70)
        add(order, 30, 50)
    for order in orders(2, is_plain_order):  # wholly beyond
        add(order, 3, 100)
        add(order, 60, 20)
    for order in orders(2, is_plain_order):  # dated before the order
        add(order, -2, 25)
    for order in orders(3, lambda row: row["status"] == "cancelled" and not row["cancelled_at"]):
        add(order, 2, 100)
    for order in orders(2, lambda row: row["is_test"] in ("true", "1", "Y")):
        add(order, 1, 100)
    for order in orders(2, is_plain_order):  # three decimals: rounded half away from zero
        order["order_amount"] += "5"
        add(order, 4, 5)
        company.tables["refunds"][-1]["refund_amount"] = "1.005"


def tell_currencies(company: Company) -> None:
    """Orders in euro, for which there is no rate, one of them a test; a code in lower case."""
    rng = company.stream("currency stories")
    refunded = {row["order_id"] for row in company.tables["refunds"]}
    euros = company.take(
        rng, "orders", 6, lambda row: is_plain_order(row) and row["order_id"] not in refunded
    )
    for order in euros:
        order["currency_code"] = "EUR"
    euros[0]["is_test"] = "true"
    for order in company.take(rng, "orders", 5, lambda row: row["currency_code"] == "USD"):
        order["currency_code"] = "usd"


def tell_identities(company: Company) -> None:
    """Merged accounts of every shape, orders of customers nobody knows, padded ids."""
    rng = company.stream("identity stories")
    guests = company.take(rng, "orders", 2 * len(UNKNOWN_IDS), lambda row: not row["customer_id"])
    for number, order in enumerate(guests):
        order["customer_id"] = UNKNOWN_IDS[number % len(UNKNOWN_IDS)]
    for order in company.tables["orders"]:
        if order["customer_id"] == BLANK_PADDED_ID and rng.random() < 0.5:
            order["customer_id"] = f" {BLANK_PADDED_ID}"

    buyers = [c.customer_id for c in company.customers if c.orders and c.customer_id[0] == "C"]
    rng.shuffle(buyers)

    def merge(source: str, target: str, day: str) -> None:
        moment = at_business_hours(rng, date.fromisoformat(day))
        company.add("customer_merges", source, target, spell(moment))

    for _ in range(10):  # single
        merge(buyers.pop(), buyers.pop(), "2024-04-15")
    a, b, c, d = (buyers.pop() for _ in range(4))  # a chain of three
    merge(b, c, "2024-01-20")
    merge(a, b, "2024-06-03")
    merge(c, d, "2025-02-11")
    a, b = buyers.pop(), buyers.pop()  # a cycle of two
    merge(a, b, "2024-03-01")
    merge(b, a, "2024-09-01")
    a, b, c = (buyers.pop() for _ in range(3))  # a cycle of three
    merge(a, b, "2023-08-01")
    merge(b, c, "2023-05-01")
    merge(c, a, "2023-11-01")
    a, b, c = (buyers.pop() for _ in range(3))  # a second target
    merge(a, b, "2024-02-01")
    merge(a, c, "2024-07-01")
    a, b, c = (buyers.pop() for _ in range(3))  # two targets at the same moment
    merge(a, b, "2025-03-10")
    merge(a, c, "2025-03-10")
    company.tables["customer_merges"][-1]["merged_at"] = "2025-03-10"
    company.tables["customer_merges"][-2]["merged_at"] = "2025-03-10"
    merge(buyers[-1], buyers.pop(), "2024-05-05")  # into itself
    merge("OLD17", buyers.pop(), "2024-08-08")  # from an id known from orders only
    merge("OLD18", buyers.pop(), "2024-08-08")  # from an id known from nowhere
    merge(buyers.pop(), "NEW01", "2025-06-06")  # into an id known from nowhere
    again = company.tables["customer_merges"][0]  # the same pair, merged once more later
    merge(again["from_customer_id"], again["into_customer_id"], "2024-05-20")
    company.taken.update(id(row) for row in company.tables["customer_merges"][10:])

    for customer_id in buyers[:6] + ["GONE9"]:
        day = date(2025, 1, 10) + timedelta(rng.randint(0, 300))
        company.add("erasure_requests", customer_id, spell(at_business_hours(rng, day)))


def tell_conflicts(company: Company) -> None:
    """Several versions of one key: older, of the same time, without a time, or with no times."""
    rng = company.stream("conflict stories")
    tables = company.tables
    refunded = {row["order_id"] for row in tables["refunds"]}

    def orders(count: int) -> list[Row]:
        def where(row: Row) -> bool:
            return is_plain_order(row) and row["order_id"] not in refunded

        return company.take(rng, "orders", count, where)

    def version(table: str, row: Row, **changes: str) -> None:
        company.append(table, {**row, **changes})

    for row in orders(12):  # a version from before it was paid
        before = spell(company.moments[row["order_id"]] - timedelta(hours=1))
        version("orders", row, status="pending", updated_at=before)
    for row in orders(4):  # a correction that came later
        after = spell(company.moments[row["order_id"]] + timedelta(days=2))
        version("orders", row, order_amount="88.00", updated_at=after)
    for row in orders(4):  # the same time, another amount
        version("orders", row, order_amount="77.70")
    for row in orders(3):  # without a time: oldest
        version("orders", row, order_amount="66.60", updated_at="")
    for row in company.take(rng, "customers", 6, lambda row: row["updated_at"] > "2023-06"):
        version("customers", row, city="Old Town", updated_at="2022-01-01 00:00:00")
    for row in company.take(rng, "customers", 3):
        version("customers", row, city="Elsewhere")
    for row in company.take(rng, "order_items", 3):
        version("order_items", row, line_amount="5.55")
    for row in company.take(rng, "products", 1):
        version("products", row, category=" Clearance ")
    for row in company.take(rng, "refunds", 2):
        version("refunds", row, refund_amount="0.01")
    for row in company.take(rng, "exchange_rates", 2):
        version("exchange_rates", row, rate_to_reporting="7.2")
    for row in company.take(rng, "campaign_contacts", 2, lambda r: r["contact_group"][0] == "t"):
        version("campaign_contacts", row, contact_group="holdout")


def tell_faults(company: Company) -> None:
    """Broken rows of every kind, and rows that come twice."""
    rng = company.stream("faults")
    for table, faults in REJECTED.items():
        pairs = [(column, value) for column, values in faults.items() for value in values]
        models = company.take(rng, table, len(pairs))
        for number, (column, value) in enumerate(pairs):
            row = dict(models[number % len(models)])
            if table in NUMBERED.split():
                row[COLUMNS[table][0]] = f"Z{number:02d}"
            elif table == "order_items":
                row["line_number"] = str(90 + number)
            company.append(table, {**row, column: value})
    for table, faults in NULLED.items():
        for column, values in faults.items():
            filled = company.take(rng, table, len(values), partial(is_filled, column))
            for row, value in zip(filled, values, strict=False):
                row[column] = value
    for table, rows in company.tables.items():
        rows += [dict(row) for row in company.take(rng, table, EXACT_DUPLICATES.get(table, 2))]


# -- All of it -------------------------------------------------------------------------------------


def generate(seed: int = 7, customers: int = 2000) -> dict[str, list[Row]]:
    """All files of the sample: path without suffix, relative to the folder, and its rows.

    `seed` is any whole number; `customers` is how many rows of their own the customers table has
    before duplicates, at least 200 (fewer do not suffice for every story: ValueError).
    """
    if customers < 200:
        raise ValueError(f"customers is {customers}, must be 200 or more")
    company = Company(seed)
    make_customers(company, customers)
    make_campaigns(company)
    make_catalogue(company)
    make_orders(company)
    write_customers(company)
    make_exchange_rates(company)
    make_account_balances(company)
    make_customer_attributes(company)
    make_interactions(company)
    make_tickets(company)
    make_survey_responses(company)
    make_referrals(company)
    tell_refunds(company)
    tell_currencies(company)
    tell_identities(company)
    tell_conflicts(company)
    tell_faults(company)
    return files(company)


def files(company: Company) -> dict[str, list[Row]]:
    """One file per table, but orders in a folder, one per year; a few of 2024 come again in 2025."""
    result: dict[str, list[Row]] = {f"orders/{year}": [] for year in ("2023", "2024", "2025")}
    for row in company.tables["orders"]:
        moment = company.moments.get(row["order_id"], LAST_MOMENT)  # broken rows go to the end
        result[f"orders/{moment.year}"].append(row)
    result["orders/2025"] += [dict(row) for row in result["orders/2024"][10:13]]
    result.update({table: rows for table, rows in company.tables.items() if table != "orders"})
    return result


def write(folder: Path, contents: dict[str, list[Row]]) -> int:
    """Write the files as CSV (UTF-8, LF) and return their size in bytes. OSError if that fails."""
    size = 0
    for name, rows in contents.items():
        path = folder / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            columns = COLUMNS[name.split("/")[0]]
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        size += path.stat().st_size
    return size


def main(
    out: Annotated[Path, typer.Option(help="Folder to write to; its files are replaced.")] = Path(
        "sample"
    ),
    seed: Annotated[int, typer.Option(help="Another seed gives another company.")] = 7,
    customers: Annotated[int, typer.Option(min=200, help="Number of customers.")] = 2000,
) -> None:
    """Write the sample company's raw tables."""
    contents = generate(seed, customers)
    size = write(out, contents)
    rows = sum(len(part) for part in contents.values())
    typer.echo(f"{len(contents)} files, {rows:,} rows, {size / 1e6:.2f} MB in {out}")


if __name__ == "__main__":
    typer.run(main)
