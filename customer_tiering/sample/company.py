"""The sample company: its tables as they grow, and what the generator knows about customers and products."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

Row = dict[str, str]

# The raw contract, column by column.
COLUMNS = {
    table: columns.split()
    for table, columns in {
        "customers": "customer_id customer_type full_name email phone birth_date gender"
        " country_code region city postal_code industry company_size parent_customer_id"
        " acquisition_channel signed_up_at owner marketing_consent updated_at",
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
