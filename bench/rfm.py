"""RFM alone: what it costs here and with its peers, and what each leaves out."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb

from bench.cost import Cost
from bench.peers import PEERS
from bench.processes import Measured, measure
from bench.refreshes import measure_rfm_alone

THIS_PROJECT = "this project"
DBT = "dbt with ntile"
# Peers that are not in the project's own environment run in this one (make setup-bench).
PEERS_PYTHON = Path(__file__).with_name(".venv") / "bin" / "python"
IN_PEERS_ENVIRONMENT = ("openretailscience", "pandas", "Polars")
CELL = ("customer_id", "r_score", "f_score", "m_score")

# A way to RFM: raw tables, the last day, a folder to work in and what DuckDB may hold in memory give
# what it cost, what its models cost where they are told apart, and the query of its rows.
Way = Callable[[Path, date, Path, str], tuple[Measured, Cost | None, str]]


@dataclass(frozen=True)
class Peer:
    """What RFM costs somewhere, and what becomes of facts that are easily overlooked.

    `models` is the cost of the models alone, where there are any. `other_cells` are the customers who have
    another cell than here.
    """

    whole: Measured
    models: Cost | None
    customers: int
    other_cells: int
    keeps: dict[str, bool]


def measure_peers(raw: Path, as_of: date, folder: Path, memory_limit: str) -> dict[str, Peer]:
    """Measure RFM alone, here and with each peer, each in its own process; see `Peer`."""
    shutil.rmtree(folder, ignore_errors=True)
    measured = {}
    ours = ""
    for name, way in WAYS.items():
        work = folder / name.replace(" ", "_")
        work.mkdir(parents=True)
        whole, models, rows = way(raw, as_of, work / "measured", memory_limit)
        ours = ours or rows
        customers, other_cells = _cells(rows, ours)
        peer = Peer(whole, models, customers, other_cells, keeps={})
        measured[name] = replace(peer, keeps=what_is_kept(way, work / "probed"))
        shutil.rmtree(work / "probed")
    return measured


def with_python(name: str) -> Way:
    """The way of a peer of bench.peers."""

    def run(raw: Path, as_of: date, folder: Path, _memory_limit: str) -> tuple[Measured, None, str]:
        folder.mkdir(parents=True)
        out = folder / "customer_rfm.parquet"
        python = PEERS_PYTHON if name in IN_PEERS_ENVIRONMENT else sys.executable
        command = [str(python), "-m", "bench.peers", name, str(raw), as_of.isoformat(), str(out)]
        return measure(command, folder / "peer.log"), None, f"select * from '{out}'"

    return run


def with_dbt(
    raw: Path, as_of: date, folder: Path, _memory_limit: str
) -> tuple[Measured, None, str]:
    """dbt with one model of one query (bench/dbt_ntile)."""
    folder.mkdir(parents=True)
    project = Path(__file__).with_name("dbt_ntile")
    project_vars = {"raw_path": str(raw), "as_of_date": as_of.isoformat()}
    command = [
        *(sys.executable, "-m", "dbt.cli.main", "run", "--vars", json.dumps(project_vars)),
        *("--project-dir", str(project), "--profiles-dir", str(project)),
        *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
    ]
    measured = measure(command, folder / "dbt.log", {"TIERING_WAREHOUSE": str(folder)})
    return measured, None, _exported(folder, "marts.customer_rfm")


def here(
    raw: Path, _as_of: date, folder: Path, memory_limit: str
) -> tuple[Measured, Cost | None, str]:
    """This project's models up to customer_rfm, into an empty warehouse."""
    measured, models = measure_rfm_alone(raw, folder, memory_limit)
    return measured, models, _exported(folder, "marts.customer_rfm")


WAYS: Mapping[str, Way] = {
    THIS_PROJECT: here,
    **{name: with_python(name) for name in PEERS},
    DBT: with_dbt,
}


def _exported(folder: Path, table: str) -> str:
    """The query of a table of a work database, copied out of it."""
    out = folder / "customer_rfm.parquet"
    with duckdb.connect(str(folder / "work.duckdb"), read_only=True) as connection:
        connection.execute(f"copy {table} to '{out}' (format parquet)")
    return f"select * from '{out}'"


def _cells(rows: str, ours: str) -> tuple[int, int]:
    """How many customers there are, and how many of them have another cell than ours."""
    listed = ", ".join(f"{column}::varchar as {column}" for column in CELL)
    with duckdb.connect() as connection:
        (customers,) = connection.execute(f"select count(*) from ({rows})").fetchone()
        (other,) = connection.execute(
            f"select count(*) from (select {listed} from ({rows}) "
            f"except select {listed} from ({ours}))"
        ).fetchone()
    return customers, other


# -- What is left out ------------------------------------------------------------------------------

PROBED_DAY = date(2025, 12, 15)
# Customer, order, day, amount, status and whether it is a test; then refunds by order.
PROBED_ORDERS = [
    ("refunded", "o1", "2025-12-01", 100, "completed", False),
    ("refunded", "o2", "2025-12-02", 100, "completed", False),
    ("tested", "o3", "2025-12-01", 100, "completed", False),
    ("tested", "o4", "2025-12-02", 100, "completed", True),
    ("cancelling", "o5", "2025-12-01", 100, "completed", False),
    ("cancelling", "o6", "2025-12-02", 100, "cancelled", False),
    ("twice", "o7", "2025-12-03", 100, "completed", False),
    *((f"alike{n:02}", f"a{n:02}", "2025-11-20", 50, "completed", False) for n in range(20)),
]
PROBED_REFUNDS = [("r1", "o1", "2025-12-05", 40)]
TWICE = "o7"


def what_is_kept(way: Way, folder: Path) -> dict[str, bool]:
    """Whether a way to RFM does what a promise says, tried on a small company."""
    first, second = ({row[0]: row[1:] for row in _probed(way, folder, turned)} for turned in (0, 1))
    alike = {scores[2:] for customer, scores in first.items() if customer.startswith("alike")}
    return {
        "refunds are taken off": first["refunded"][1] == 160,
        "cancelled orders are left out": first["cancelling"][:2] == (1, 100),
        "test orders are left out": first["tested"][:2] == (1, 100),
        "a file that arrives twice counts once": first["twice"][:2] == (1, 100),
        "equal customers score alike": len(alike) == 1,
        "another order of rows changes nothing": first == second,
    }


def _probed(way: Way, folder: Path, turned: int) -> list[tuple]:
    """Customer, frequency, monetary and scores of the small company, whose rows may be turned round."""
    raw = folder / f"raw{turned}"
    write_probe(raw, turned=bool(turned))
    _, _, rows = way(raw, PROBED_DAY, folder / f"work{turned}", "1GB")
    return duckdb.sql(
        "select customer_id, frequency::integer, monetary::decimal(18, 2), r_score::integer, "
        f"f_score::integer, m_score::integer from ({rows})"
    ).fetchall()


def write_probe(raw: Path, turned: bool = False) -> None:
    """Write the small company's raw tables."""
    direction = "desc" if turned else "asc"

    def write(table: str, name: str, columns: str, values: str) -> None:
        (raw / table).mkdir(parents=True, exist_ok=True)
        duckdb.sql(
            f"copy (select {columns} from (values {values}) as given order by all {direction}) "
            f"to '{raw / table / f'{name}.parquet'}' (format parquet)"
        )

    orders = (
        "col1 as order_id, col0 as customer_id, (col2 || ' 10:00:00')::timestamp as ordered_at, "
        "col4 as status, col3::decimal(18, 2) as order_amount, 'CNY' as currency_code, "
        "'store' as channel, col5 as is_test, "
        "case when col4 = 'cancelled' then (col2 || ' 12:00:00')::timestamp end as cancelled_at, "
        "null::timestamp as returned_at, (col2 || ' 10:00:00')::timestamp as updated_at"
    )
    given = [str(order) for order in PROBED_ORDERS]
    write("orders", "first", orders, ", ".join(given))
    again = [str(order) for order in PROBED_ORDERS if order[1] == TWICE]
    write("orders", "second", orders, ", ".join(again))
    write(
        "refunds",
        "first",
        "col0 as refund_id, col1 as order_id, col2::timestamp as refunded_at, "
        "col3::decimal(18, 2) as refund_amount",
        ", ".join(str(refund) for refund in PROBED_REFUNDS),
    )
    customers = sorted({order[0] for order in PROBED_ORDERS})
    write(
        "customers",
        "first",
        "col0 as customer_id, 'person' as customer_type, timestamp '2025-01-01' as updated_at",
        ", ".join(f"('{customer}', 1)" for customer in customers),
    )
