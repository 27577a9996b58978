"""The command that writes a made-up bank as its own systems export it: clients, accounts, transactions, balances, rates.

examples/bank maps these files to the raw contract.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer

from customer_tiering.sample.values import draw, poisson

MONTHS = [date(year, month, 1) for year in (2024, 2025) for month in range(1, 13)]

Row = dict[str, str]
COLUMNS = {
    "clients": "client_no client_type client_name birth_date gender province city industry staff opened_on marketing",
    "accounts": "account_no client_no product currency opened_on closed_on",
    "transactions": "txn_no account_no posted_at txn_type txn_amount bank_income channel status reversed_at",
    "balances": "account_no balance_date ledger_balance",
    "fx_rates": "quoted_on currency cny_per_100",
}


@dataclass(frozen=True)
class Kind:
    """Clients of a kind. Amounts are yuan, low and high; actions are what a client does a month."""

    clients: int  # of 100
    is_company: bool
    first_balance: tuple[float, float]
    income: tuple[float, float]  # a month
    actions: float
    spending: float  # share of the income
    has_deposit: float  # chance of a second account with more in it
    has_foreign: float  # chance of an account in dollars or Hong Kong dollars


KINDS = {
    "salaried": Kind(50, False, (2e3, 6e4), (6e3, 2.5e4), 4.5, 0.9, 0.3, 0.05),
    "student": Kind(14, False, (200, 4e3), (1.5e3, 3e3), 3.5, 1.0, 0.0, 0.02),
    "affluent": Kind(12, False, (1e5, 8e5), (3e4, 8e4), 5.0, 0.7, 0.8, 0.4),
    "private": Kind(4, False, (1e6, 9e6), (8e4, 4e5), 4.0, 0.5, 0.9, 0.8),
    "dormant": Kind(6, False, (6e5, 1.2e7), (0, 0), 0.02, 0.0, 0.5, 0.2),
    "small_company": Kind(10, True, (2e4, 4e5), (4e4, 3e5), 9.0, 0.97, 0.1, 0.2),
    "large_company": Kind(4, True, (5e5, 9e6), (5e5, 4e6), 12.0, 0.95, 0.3, 0.7),
}
PLACES = {
    "上海": "上海 浦东新区",
    "广东": "深圳 广州 东莞",
    "浙江": "杭州 宁波",
    "江苏": "苏州 南京",
    "北京": "北京",
}
SURNAMES, NAMES = "王李张刘陈杨黄赵吴周", "伟芳娜敏静强磊洋艳勇"
TRADES = ["制造业", "批发零售", "信息技术", "餐饮", "物流"]
CNY_FOR_ONE = {"CNY": 1.0, "USD": 7.15, "HKD": 0.92}
# What a client does, by kind of client: shares. The bank's own entries are not here.
ACTIONS = {
    False: {"card_purchase": 70, "transfer_out": 20, "cash_withdrawal": 6, "fund_purchase": 4},
    True: {"transfer_out": 80, "card_purchase": 8, "cash_withdrawal": 2, "bill_discount": 10},
}
# What the bank earns by an action: share of the amount, least and most, in cents.
INCOME = {
    "card_purchase": (0.0035, 0, 1300),
    "transfer_out": (0.0, 0, 0),
    "company_transfer": (0.0002, 500, 20000),
    "cash_withdrawal": (0.0, 200, 200),
    "fund_purchase": (0.006, 0, 10**9),
    "bill_discount": (0.002, 2000, 10**9),
    "currency_purchase": (0.003, 0, 10**9),
}
CHANNELS = {
    "card_purchase": "card terminal",
    "transfer_out": "mobile bank",
    "cash_withdrawal": "cash machine",
    "fund_purchase": "mobile bank",
    "bill_discount": "branch",
    "currency_purchase": "branch",
}
OVERDRAFT_RATE, INTEREST_RATE, ACCOUNT_FEE = 0.18, 0.002, 2000  # a year, a year, cents a month


@dataclass
class Account:
    """An account as it grows; the balance is in cents of its currency."""

    account_no: str
    client_no: str
    kind: Kind
    product: str
    currency: str
    opened_on: date
    balance: int
    overdraft: int = 0  # cents that may be owed
    closes_in: date | None = None  # first day of the month
    last_delivered_in: date | None = None  # no balance is delivered after this month
    transactions: list[Row] = field(default_factory=list)
    balances: list[Row] = field(default_factory=list)

    def post(self, moment: datetime, txn_type: str, cents: int, income: int = 0) -> Row:
        """Write a transaction and move the balance; income is what the bank earns by it."""
        self.balance += cents
        row = {
            "account_no": self.account_no,
            "posted_at": f"{moment:%Y-%m-%d %H:%M:%S}",
            "txn_type": txn_type,
            "txn_amount": in_units(cents),
            "bank_income": in_units(income),
            "channel": CHANNELS.get(txn_type, ""),
            "status": "posted",
            "reversed_at": "",
        }
        self.transactions.append(row)
        return row

    def note_balance(self, day: date) -> None:
        """Write what the account holds at the end of a day."""
        values = (self.account_no, day.isoformat(), in_units(self.balance))
        self.balances.append(dict(zip(COLUMNS["balances"].split(), values, strict=True)))


def in_units(cents: int) -> str:
    """Cents as text; what is owed has a minus."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def log_uniform(rng: random.Random, low: float, high: float) -> float:
    """A number between two others, evenly spread over the orders of magnitude; 0 of zeros."""
    return float(low * (high / low) ** rng.random()) if low else 0.0


def end_of(month: date) -> date:
    """The last day of a month, given its first."""
    return (month + timedelta(32)).replace(day=1) - timedelta(1)


def at(month: date, day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of a month."""
    return datetime.combine(month.replace(day=day), time(hour, minute))


def income_of(txn_type: str, is_company: bool, cents: int) -> int:
    """What the bank earns by a transaction of so many cents, in cents."""
    of_company = is_company and txn_type == "transfer_out"
    share, least, most = INCOME["company_transfer" if of_company else txn_type]
    return min(max(round(share * cents), least), most)


# -- What happens on accounts ----------------------------------------------------------------------


def run_month(rng: random.Random, account: Account, month: date, income: float) -> None:
    """What moves on an account in a month, and its balance at the end."""
    last = end_of(month)
    if account.product == "current":
        if income:
            name = "transfer_in" if account.kind.is_company else "salary"
            account.post(at(month, 5, 9), name, round(100 * income * rng.uniform(0.8, 1.2)))
        act(rng, account, month, income)
    elif account.currency != "CNY" and rng.random() < 0.15:
        cents = round(100 * log_uniform(rng, 500, 20000))
        account.post(
            at(month, 15, 10),
            "currency_purchase",
            cents,
            income_of("currency_purchase", False, cents),
        )
    charge(account, last)
    if account.closes_in == month:
        name = "transfer_out" if account.balance > 0 else "write_off"
        if account.balance:
            account.post(datetime.combine(last, time(17)), name, -account.balance)
        account.note_balance(last)
    elif account.last_delivered_in is None or month <= account.last_delivered_in:
        account.note_balance(last)


def act(rng: random.Random, account: Account, month: date, income: float) -> None:
    """What the client does in a month, as far as there is money for it."""
    kind, last = account.kind, end_of(month).day
    for day in sorted(rng.randint(1, last) for _ in range(poisson(rng, kind.actions))):
        name = draw(rng, ACTIONS[kind.is_company])
        spent = income * kind.spending * (1.07 if account.overdraft else 1)
        usual = 100 * spent / max(kind.actions, 1)
        cents = round(usual * rng.lognormvariate(-0.3, 0.8)) or 10000
        if name == "fund_purchase":
            cents = max(account.balance // 5, 0)
        if name == "bill_discount":  # the bank lends against a bill: money comes in
            cents = -cents
        if not cents or account.balance - cents < -account.overdraft:
            continue
        moment = at(month, day, rng.randint(8, 21), rng.randint(0, 59))
        row = account.post(moment, name, -cents, income_of(name, kind.is_company, abs(cents)))
        if name == "card_purchase" and rng.random() < 0.01:  # the shop takes the goods back
            until = min(moment + timedelta(rng.randint(1, 9)), at(month, last, 23))
            row |= {"status": "reversed", "reversed_at": f"{until:%Y-%m-%d %H:%M:%S}"}
            account.balance += cents


def charge(account: Account, last: date) -> None:
    """What the bank books by itself at the end of a month: interest, and companies' fee."""
    moment = datetime.combine(last, time(16))
    if account.balance < 0:
        owed = round(-account.balance * OVERDRAFT_RATE / 12)
        account.post(moment, "overdraft_interest", -owed, owed)
    elif last.month % 3 == 0 and account.balance:
        account.post(moment, "interest_paid", round(account.balance * INTEREST_RATE / 4))
    if account.kind.is_company and account.product == "current":
        account.post(moment, "account_fee", -ACCOUNT_FEE, ACCOUNT_FEE)


# -- Clients and their accounts --------------------------------------------------------------------


def client_row(rng: random.Random, client_no: str, kind: Kind, opened_on: date) -> Row:
    """Who a client is."""
    province = rng.choice(list(PLACES))
    row = {
        "client_no": client_no,
        "client_type": "E" if kind.is_company else "P",
        "province": province,
        "city": rng.choice(PLACES[province].split()),
        "opened_on": opened_on.isoformat(),
        "marketing": rng.choice("YYN"),
    }
    surname, name = rng.choice(SURNAMES), rng.choice(NAMES)
    if kind.is_company:
        trade = rng.choice(TRADES)
        staff = rng.choice(["1-49", "50-299"] if kind.actions < 10 else ["300-999", "1000+"])
        return row | {
            "client_name": f"{row['city']}{surname}氏{trade}公司",
            "industry": trade,
            "staff": staff,
        }
    oldest, youngest = (2007, 2002) if kind.spending == 1.0 else (1995, 1950)
    born = date(rng.randint(youngest, oldest), rng.randint(1, 12), rng.randint(1, 28))
    return row | {
        "client_name": surname + name,
        "birth_date": born.isoformat(),
        "gender": rng.choice(["男", "女"]),
    }


def open_accounts(
    rng: random.Random, client_no: str, kind: Kind, opened_on: date
) -> Iterator[Account]:
    """The accounts of a client: a current one, often more."""
    start = round(100 * log_uniform(rng, *kind.first_balance))
    number = f"62{client_no[1:]}"
    current = Account(f"{number}01", client_no, kind, "current", "CNY", opened_on, start)
    if kind.is_company or rng.random() < 0.1:
        current.overdraft = round(100 * kind.income[1] * 0.5)
    yield current
    if rng.random() < kind.has_deposit:
        yield Account(f"{number}02", client_no, kind, "deposit", "CNY", opened_on, 2 * start)
    if rng.random() < kind.has_foreign:
        currency = rng.choice(["USD", "USD", "HKD"])
        held = round(start * 0.3 / CNY_FOR_ONE[currency])
        yield Account(f"{number}03", client_no, kind, "foreign", currency, opened_on, held)


def end_some(rng: random.Random, accounts: list[Account]) -> None:
    """Some accounts are closed; of a few no balances are delivered any more."""
    for place, account in enumerate(rng.sample(accounts, len(accounts) // 20)):
        month = rng.choice([month for month in MONTHS[6:20] if month > account.opened_on])
        if place % 6:
            account.closes_in = month
        else:
            account.last_delivered_in = month


def exchange_rates(rng: random.Random) -> Iterator[Row]:
    """Rates of the first of each month, for 100 units, as Chinese banks quote them."""
    for currency, rate in CNY_FOR_ONE.items():
        for month in MONTHS if currency != "CNY" else []:
            rate *= rng.uniform(0.99, 1.01)
            yield {
                "quoted_on": month.isoformat(),
                "currency": currency,
                "cny_per_100": f"{100 * rate:.2f}",
            }


def generate(seed: int = 7, clients: int = 400) -> dict[str, list[Row]]:
    """All files of the bank: name without suffix, and its rows."""
    rng = random.Random(f"{seed} clients")
    kinds = [kind for kind in KINDS.values() for _ in range(kind.clients)]
    rows: list[Row] = []
    accounts: list[tuple[float, Account]] = []
    for number in range(clients):
        kind = kinds[number * 37 % len(kinds)]  # all kinds among few clients too
        client_no = f"C{number + 1:05d}"
        is_new = rng.random() < 0.15
        opened_on = (
            rng.choice(MONTHS[1:18])
            if is_new
            else date(rng.randint(2008, 2023), rng.randint(1, 12), 1)
        )
        income = log_uniform(rng, *kind.income)
        rows.append(client_row(rng, client_no, kind, opened_on))
        accounts += [
            (income, account) for account in open_accounts(rng, client_no, kind, opened_on)
        ]
    end_some(random.Random(f"{seed} ends"), [account for _, account in accounts])
    for income, account in accounts:
        stream = random.Random(f"{seed} {account.account_no}")
        for month in MONTHS:
            if account.opened_on <= month and (
                account.closes_in is None or month <= account.closes_in
            ):
                run_month(stream, account, month, income)
    transactions = sorted(
        (row for _, account in accounts for row in account.transactions),
        key=lambda row: (row["posted_at"], row["account_no"]),
    )
    return {
        "clients": rows,
        "accounts": [account_row(account) for _, account in accounts],
        "transactions": [row | {"txn_no": f"T{n:07d}"} for n, row in enumerate(transactions, 1)],
        "balances": [row for _, account in accounts for row in account.balances],
        "fx_rates": list(exchange_rates(random.Random(f"{seed} rates"))),
    }


def account_row(account: Account) -> Row:
    """What the bank's list of accounts says of one."""
    return {
        "account_no": account.account_no,
        "client_no": account.client_no,
        "product": account.product,
        "currency": account.currency,
        "opened_on": account.opened_on.isoformat(),
        "closed_on": end_of(account.closes_in).isoformat() if account.closes_in else "",
    }


def write(folder: Path, contents: dict[str, list[Row]]) -> None:
    """Write the files as CSV (UTF-8, LF). OSError if that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in contents.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS[name].split(), restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def main(
    out: Annotated[Path, typer.Option(help="Folder to write to; its files are replaced.")],
    seed: Annotated[int, typer.Option(help="Another seed gives another bank.")] = 7,
    clients: Annotated[int, typer.Option(min=100, help="Number of clients.")] = 400,
) -> None:
    """Write the files of a made-up bank, to be read by examples/bank."""
    contents = generate(seed, clients)
    write(out, contents)
    typer.echo(f"{len(contents)} files, {sum(map(len, contents.values())):,} rows in {out}")


if __name__ == "__main__":
    typer.run(main)
