"""All files of the sample."""

from __future__ import annotations

import csv
from pathlib import Path

from customer_tiering.sample.campaigns import make_campaigns
from customer_tiering.sample.catalogue import make_catalogue
from customer_tiering.sample.company import COLUMNS, Company, Row
from customer_tiering.sample.customers import make_customers, write_customers
from customer_tiering.sample.days import LAST_MOMENT
from customer_tiering.sample.faults import tell_faults
from customer_tiering.sample.orders import make_orders
from customer_tiering.sample.other_tables import (
    make_account_balances,
    make_customer_attributes,
    make_exchange_rates,
    make_interactions,
    make_referrals,
    make_survey_responses,
    make_tickets,
)
from customer_tiering.sample.stories import (
    tell_conflicts,
    tell_currencies,
    tell_identities,
    tell_refunds,
)


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
