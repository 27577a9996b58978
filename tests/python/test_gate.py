"""What stops a refresh for its raw tables, in which words: headers before anything is read, shares before it is built.

Shares and sentences are worked out by hand in the unit tests of models/intermediate/gate; here whole raw tables of each
kind that is stopped, and of each that may look like it, are read by the models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
from compiled_project import PROJECT, CompiledProject, RawTables
from dbt_in_process import manifest
from landing_in_process import Landings, landings
from test_cases import rows

from customer_tiering.building import _landing_error
from customer_tiering.errors import RawDataError, RawFilesError, VarError
from customer_tiering.sources import check_headers, contract_columns

ORDER = "order_id,customer_id,ordered_at,status,order_amount"


# -- Headers ---------------------------------------------------------------------------------------


def test_headers_of_all_tables_are_judged_at_once_and_no_value_is_told(tmp_path: Path) -> None:
    files = {
        "customers.csv": "customer_id;full_name;email\n1;René;rene@example.com\n".encode("cp1252"),
        "orders/1.csv": f"{ORDER}\n1,A,2024-01-05,paid,1\n".encode("utf-8-sig"),
        "orders/2.csv": b"sep=\t\norder_id\tcustomer_id\tordered_at\tstatus\torder_amount\n",
        "orders/3.csv": b"Order_ID,customer_id,state\n1,A,paid\n",
        "orders/4.csv": b"",
        "orders/5.csv": b'order_id,"' + b"x" * 200_000,
        "tickets.csv": b"\xef\xbb\xbfticket_id,customer_id,opened_at\n1,Ren\xe9,\n",
        "refunds.csv": b"r1,Ann Li,2024-01-05,17.00\n",
        "products.csv": "product_id,category\n1,Tee\n".encode("utf-16"),
        "survey_responses.csv": "response_id,customer_id\n1,A\n".encode("utf-16-le"),
        "interactions.csv": b"Kontakt;Kunde;Datum\n1;A;01.02.2024\n",
        "orders/6.csv": f'{ORDER}, "currency_code",UPDATED AT ,CustomerID\n'.encode(),
        "orders/7.csv": f"sep=,\r\n{ORDER}\r\n".encode("utf-8-sig"),
        "orders/8.csv": f"{ORDER},Currency Code,currency_code\n".encode(),
    }
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select 1 as rate) to '{tmp_path / 'exchange_rates.parquet'}' (format parquet)"
        )
    with pytest.raises(RawFilesError) as caught:
        check_headers(tmp_path, contract_columns(PROJECT))
    encoding = "found bytes that are not UTF-8; allowed is CSV in UTF-8: save it as CSV UTF-8."
    assert sorted(finding.removeprefix(f"raw file {tmp_path}/") for finding in caught.value.findings) == [
        f"customers.csv: {encoding}",
        "customers.csv: found cells parted by semicolons; allowed are commas.",
        "exchange_rates.parquet has no columns rate_date, currency_code, rate_to_reporting; found are 1 of other "
        "names, and rate_date, currency_code, rate_to_reporting are required.",
        "interactions.csv: found cells parted by semicolons; allowed are commas.",
        "orders/2.csv: found cells parted by tabs; allowed are commas.",
        "orders/3.csv has no columns ordered_at, status, order_amount; found are Order_ID, customer_id, 1 of other names, and "
        "ordered_at, status, order_amount are required.",
        "orders/6.csv: found 2 of the contract's columns in another spelling; allowed is currency_code, updated_at.",
        "orders/7.csv: found a first line that names the delimiter; allowed is the header: remove the line.",
        f"products.csv: {encoding}",
        "refunds.csv has no columns refund_id, order_id, refunded_at, refund_amount; found are 4 of other names, and "
        "refund_id, order_id, refunded_at, refund_amount are required.",
        f"survey_responses.csv: {encoding}",
        f"tickets.csv: {encoding}",
    ]  # fmt: skip


# -- Shares ----------------------------------------------------------------------------------------


class Kind(NamedTuple):
    """Raw tables, and what is said of them: nothing when they may be built from."""

    raw: RawTables
    findings: list[str]


def orders(*lines: str, header: str = ORDER, of: int = 12) -> list[dict[str, str | None]]:
    """Each line with the numbers from 1 to `of` for {n}."""
    return rows(header, *(line.format(n=n) for line in lines for n in range(1, of + 1)))


CUSTOMERS = rows("customer_id", *(f"{n}" for n in range(1, 13)))
WRITE_DATES = (
    "Write it like 2025-12-31 or 2025-12-31 10:37:33 +0800, or declare its form (docs/reading.md)."
)
KINDS = {
    "all dates are day first": Kind(
        {"customers": CUSTOMERS, "orders": orders("o{n},{n},24/12/2025,paid,5")},
        [
            f"orders: 12 of 12 rows rejected: ordered_at cannot be read: 99/99/9999 (12). {WRITE_DATES}"
        ],
    ),
    "codes are told, and no phone number or id in their place": Kind(
        {
            "customers": CUSTOMERS,
            "orders": orders("a{n},{n},2024-01-05,10,5", of=4)
            + orders("b{n},{n},2024-01-05,+49 30 12,5", of=3)
            + orders("c{n},{n},2024-01-05,K7,5", of=2)
            + orders("d{n},{n},2024-01-05,bo@x,5", of=1),
        },
        [
            "orders: 10 of 10 rows rejected: status is none of the known words: 10 (4), +99 99 99 (3), A9 (2), aa@a (1). "
            "Add them to seeds/order_statuses.csv."
        ],
    ),
    "words are told, and no customer in their place": Kind(
        {
            "customers": rows("customer_id,full_name,phone", "ann,Ann Li,one two", "b,张三,"),
            "orders": orders("a{n},b,2024-01-05,In transit,5", of=5)
            + orders("b{n},b,2024-01-05, ann li,5", of=4)
            + orders("c{n},b,2024-01-05,张三,5", of=3)
            + orders("d{n},b,2024-01-05,Ann,5", of=2)
            + orders("e{n},b,2024-01-05,one two,5", of=1),
        },
        [
            "orders: 15 of 15 rows rejected: status is none of the known words: In transit (5), aaa aa (4), aa (3), Aaa (2), "
            "aaa aaa (1). Add them to seeds/order_statuses.csv."
        ],
    ),
    "customers without ids, and who they are is not told": Kind(
        {
            "customers": rows("customer_id,email", *(f",{n}@example.com" for n in range(3))),
            "orders": orders("o{n},{n},2024-01-05,paid,5", of=2),
        },
        [
            "customers: 3 of 3 rows rejected: customer_id is empty. Fill it in the source, or give it from another column."
        ],
    ),
    "one row per customer and address": Kind(
        {
            "customers": [
                {"customer_id": f"{n}", "city": city} for n in range(12) for city in ("A", "B")
            ],
            "orders": orders("o{n},{n},2024-01-05,paid,5", of=2),
        },
        [
            "customers: 24 rows with 12 ids and different values: one row per customer is expected. Of versions of one "
            "row, updated_at says which is the newest."
        ],
    ),
    "ids with a decimal, as text": Kind(
        {"customers": CUSTOMERS, "orders": orders("o{n},{n}.0,2024-01-05,paid,5")},
        [
            "orders: 12 of 12 orders with a customer name one whom customers does not have (12 ids in all). 12 of the "
            "ids would match without the .0 at their end: write customer_id alike in both tables."
        ],
    ),
    "nobody bought anything": Kind(
        {"customers": CUSTOMERS, "orders": orders("o{n},guest,2024-01-05,paid,5")},
        [
            "orders: 12 of 12 orders have no customer: customer_id is empty or a word of seeds/nobody_words.csv. Give "
            "it from the column that says who bought."
        ],
    ),
    "another currency without rates": Kind(
        {
            "customers": CUSTOMERS,
            "orders": orders("o{n},{n},2024-01-05,paid,5,gbp", header=f"{ORDER},currency_code"),
        },
        [
            "orders: no order is in CNY and GBP has no rate: set reporting_currency to GBP or give exchange_rates."
        ],
    ),
    "facts of nobody": Kind(
        {
            "customers": CUSTOMERS,
            "orders": orders("o{n},{n},2024-01-05,paid,5"),
            "refunds": rows("refund_id,order_id,refunded_at,refund_amount", "r,17,2024-02-01,1"),
            "tickets": rows("ticket_id,customer_id,opened_at", "t,x,2024-02-01"),
        },
        [
            "refunds: 1 of 1 rows rejected: order_id names no order that was taken. Write the id alike in both tables.",
            "tickets: 1 of 1 rows rejected: customer_id names no known customer. Write the id alike in both tables.",
        ],
    ),
    # what may be: a few bad rows, guests beside customers, merges and erasures of anybody, and no rows at all
    "a small shop": Kind(
        {
            "customers": CUSTOMERS,
            "orders": orders(
                *("o{n},{n},2024-01-05,paid,5", "g{n},,2024-01-05,paid,5"), of=12
            )
            + orders("x{n},{n},2024-01-05,what,5", of=9),
            "customer_merges": rows("from_customer_id,into_customer_id,merged_at", "1,1,2024-01-01"),
            "erasure_requests": rows("customer_id,requested_at", "nobody,2024-01-01"),
        },
        [],
    ),
    "nothing": Kind({"customers": [], "orders": []}, []),
}  # fmt: skip


@pytest.fixture(scope="module")
def findings(
    compiled: Callable[..., CompiledProject],
) -> Iterator[Callable[[RawTables], list[str]]]:
    """What the gate says of raw tables."""
    gate = compiled().only("int_source_findings")
    with gate.build({}) as connection:

        def find(raw: RawTables) -> list[str]:
            gate.land(connection, raw)
            gate.run(connection)
            found = connection.execute(
                "select message from intermediate.int_source_findings order by finding_number"
            ).fetchall()
            return [message for (message,) in found]

        yield find


def test_all_that_is_computed_waits_for_the_gate() -> None:
    """Below the gate lies whatever reads staged rows and is not what the gate itself is made of."""
    nodes = manifest()["nodes"]

    @cache
    def above(unique_id: str) -> set[str]:
        parents = nodes.get(unique_id, {}).get("depends_on", {}).get("nodes", [])
        return {unique_id}.union(*(above(parent) for parent in parents))

    gate = "model.customer_tiering.int_source_findings"
    test = nodes["test.customer_tiering.raw_tables_are_within_their_limits"]
    assert test["depends_on"]["nodes"] == [gate]
    assert test["config"]["severity"].lower() == "error"
    early = {
        unique_id.split(".")[2]
        for unique_id, node in nodes.items()
        if node["resource_type"] in ("model", "snapshot")
        and node["fqn"][1] != "staging"
        and any(parent.startswith("source.customer_tiering") for parent in above(unique_id))
        and gate not in above(unique_id)
    }
    assert early == {
        *("int_customer_merges", "int_customer_identities", "int_customer_keys", "int_orders"),
        *("int_unknown_customers", "int_flawed_rows", "int_duplicate_counts", "int_raw_row_counts"),
        *("int_source_counts", "source_coverage"),
        *("int_exceeded_limits", "int_rejection_causes", "int_foreign_currencies"),
        # of a group of companies the key is that of its root
        *("int_customer_records", "int_customer_parents", "int_customer_groups"),
    }


@pytest.mark.parametrize("name", KINDS)
def test_raw_tables_are_stopped_in_words(
    findings: Callable[[RawTables], list[str]], name: str
) -> None:
    assert findings(KINDS[name].raw) == KINDS[name].findings


# -- Lost and old rows -------------------------------------------------------------------------------------

LOST = "raw table {}: found {} rows, where the last publication had {}; allowed is at most {} % fewer (var {})."


def test_a_table_may_be_as_old_and_lose_as_many_rows_as_its_limit_allows(tmp_path: Path) -> None:
    """The last publication had twenty orders, two merges and one customer.

    The newest order is of 10 March, but for one that lies after the run of 20 March.
    """
    old, found = [], []

    def attempt(session: Landings, **project_vars: object) -> str:
        try:
            session.land(**project_vars)
        except Exception as error:
            return str(error).split("\n")[1].strip()
        return ""

    def steps(session: Landings) -> None:
        raw = tmp_path / "old"
        raw.mkdir()
        (raw / "customers.csv").write_text("customer_id\nA\n")
        days = ("2025-01-05", "2025-03-10", "2025-03-21")
        lines = [f"o{n},A,{day},paid,1\n" for n, day in enumerate(days)]
        (raw / "orders.csv").write_text("".join([f"{ORDER}\n", *lines]))
        dated = {"raw_path": str(raw), "run_date": "2025-03-20"}
        for ages in ({"orders": 10}, {"orders": 9}, {"refunds": 9}, {"orders') or true --": 1}):
            old.append(attempt(session, **dated, source_max_age_days=ages))
        session.sql("create schema last_publication")
        session.sql(
            "create table last_publication.reconciliation as from (values "
            "('orders', 20), ('customer_merges', 2), ('customers', 1)) as counts (source_table, rows_in)"
        )
        for orders_left, customers_left, limits in (
            (11, 1, {}),  # nine of twenty are few, and so is one of two merges
            (10, 1, {}),
            (10, 1, {"orders": {"lost_rows": 50}}),
            (10, 1, {"orders": {"lost_rows": 49}}),
            (11, 0, {}),  # a required table may not lose all, however few they are
            (11, 1, {"orders": {"refused": 5}}),
            (11, 1, {"customer_merges": {"rejected": 5}}),
            (11, 1, {"orders": {"rejected": 101}}),
            (11, 1, {"order": {"rejected": 5}}),
        ):
            raw = tmp_path / f"raw{len(found)}"
            raw.mkdir()
            lines = [f"o{n},A,2024-01-05,paid,1\n" for n in range(orders_left)]
            (raw / "orders.csv").write_text("".join([f"{ORDER}\n", *lines]))
            (raw / "customers.csv").write_text("customer_id\n" + "A\n" * customers_left)
            (raw / "customer_merges.csv").write_text(
                "from_customer_id,into_customer_id,merged_at\nB,A,2024-01-05\n"
            )
            found.append(attempt(session, raw_path=str(raw), source_limits=limits))

    (tmp_path / "warehouse").mkdir()
    tables = ("customers", "orders", "refunds", "customer_merges")
    landings(tmp_path / "warehouse", steps, tables)
    assert old[:3] == [
        "",
        "raw table orders: found a newest ordered_at of 2025-03-10, 10 days before the run's date; allowed is at "
        "most 9 days (var source_max_age_days).",
        "raw table refunds: found no refunded_at up to the run's date; allowed is at most 9 days (var "
        "source_max_age_days).",
    ]
    assert old[3].startswith(
        "dbt_project.yml, vars: source_max_age_days has 'orders') or true --: 1'; allowed is"
    )
    errors = [_landing_error(sentence) for sentence in old[1:]]
    assert errors == [RawDataError, RawDataError, VarError]
    known = "rejected, undecided_duplicates, unknown_customers, guests"
    refused = "dbt_project.yml, vars: source_limits has '"
    assert found == [
        "",
        LOST.format("orders", 10, 20, 20, "source_max_shrink_percent"),
        "",
        LOST.format("orders", 10, 20, 49, "source_limits"),
        LOST.format("customers", 0, 1, 20, "source_max_shrink_percent"),
        f"{refused}orders: {{refused: 5}}'; allowed is lost_rows, {known}, each from 0 to 100 per cent.",
        f"{refused}customer_merges: {{rejected: 5}}'; allowed is lost_rows, each from 0 to 100 per cent.",
        f"{refused}orders: {{rejected: 101}}'; allowed is lost_rows, {known}, each from 0 to 100 per cent.",
        f"{refused}order: {{'rejected': 5}}'; allowed is a mapping of raw tables (customer_merges, customers, "
        "orders, refunds) to limits.",
    ]
