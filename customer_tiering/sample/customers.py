"""Who buys."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta

from customer_tiering.sample.catalogue import CATEGORIES
from customer_tiering.sample.company import Company, Customer
from customer_tiering.sample.days import FIRST_DAY, LAST_DAY
from customer_tiering.sample.habits import (
    HABITS,
    ONCE_AT_MOST,
    ORDERS_A_YEAR_MEDIAN,
    ORDERS_A_YEAR_MOST,
    ORDERS_A_YEAR_SPREAD,
)
from customer_tiering.sample.values import at_business_hours, draw, spell

SHARE_OF_COMPANIES = 0.2
SHARE_JOINED_BEFORE = 0.35  # of repeat buyers: signed up in the four years before the first day

# Ids that trip careless joins, by position: unicode, leading zeros, and two that differ by case.
SPECIAL_IDS = {7: "客0007", 42: "000042", 77: "c0078"}
BLANK_PADDED_ID = "000042"  # written with blanks around it in customers

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
OWNERS = ["林晓", "周敏", "Nora Weiss", "Sam Okafor"]  # who looks after companies
INDUSTRIES = "manufacturing retail logistics education hospitality technology health".split()
AREA_CODES = "212 305 312 415 512 617 702 808".split()  # 555-01xx is reserved for fiction in each

PERSON_CHANNELS = {"app": 36, "mini_program": 24, "web": 19, "store": 16, "marketplace": 5}
COMPANY_CHANNELS = {"web": 45, "field_sales": 30, "phone": 20, "store": 5}


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
    rng, owners = company.stream("customer rows"), company.stream("owners")
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
            owners.choice(OWNERS) if person.is_company else "",
            draw(rng, {"true": 50, "false": 20, "yes": 5, "0": 5, "": 20}),
            spell(newest) if knows[5] > 0.05 else "",
        )
