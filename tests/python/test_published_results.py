"""The models give results that others have published for the same data."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
from public_examples import public_folder, without_cancellations, write_raw


def write_orders(folder: Path, query: str, *parameters: str) -> Path:
    """Raw tables of a folder: orders from a query, and no customers besides those they name."""
    with duckdb.connect() as connection:
        connection.execute(f"create table orders as {query}", list(parameters))
        connection.execute(
            "copy orders to '" + str(folder / "orders.parquet") + "' (format parquet)"
        )
        connection.execute(
            "copy (select cast(null as varchar) as customer_id where false) to '"
            + str(folder / "customers.parquet")
            + "' (format parquet)"
        )
    return folder


def test_all_scores_of_the_r_package_rfm(compiled, public_data, tmp_path):
    """Fixed edges: its cut points are its quantiles plus one, and it scores lower <= v < upper."""
    orders = str(public_data / "rfm_r" / "rfm_data_orders.parquet")
    raw = write_orders(
        tmp_path,
        """
        select
            cast(row_number() over () as varchar) as order_id,
            customer_id,
            cast(order_date as timestamp) as ordered_at,
            'completed' as status,
            cast(revenue as decimal(18, 2)) as order_amount
        from read_parquet($1)
        """,
        orders,
    )
    window = {"as_of_date": "2006-12-31", "rfm_window_days": 1900, "review_period": "quarter"}
    with compiled(**window).only("rfm_score_edges").build(raw) as connection:
        quantiles = connection.execute(
            "select metric, edge_1, edge_2, edge_3, edge_4 from marts.rfm_score_edges "
            "where period_end = date '2006-12-31'"
        ).fetchall()
    cuts = {metric: [edge + 1 for edge in edges] for metric, *edges in quantiles}
    assert {metric: [round(cut) for cut in values] for metric, values in cuts.items()} == {
        "recency": [115, 181, 297, 482],
        "frequency": [4, 5, 6, 8],
        "monetary": [256, 382, 506, 666],
    }
    seed = [
        {
            "metric": metric,
            **{f"edge_{n}": str(cut - Decimal("0.001")) for n, cut in enumerate(values, 1)},
        }
        for metric, values in cuts.items()
    ]
    by_fixed_edges = compiled(**window, rfm_edges="fixed").only("customer_rfm")
    with by_fixed_edges.build(raw, seeds={"rfm_fixed_edges": seed}) as connection:
        wrong = connection.execute(
            """
            with published as (
                select * from read_csv($1, all_varchar = true)
            )
            select ours.*, published.*
            from marts.customer_rfm as ours
            full join published on ours.customer_id = published.customer_id
            where
                ours.recency_days is distinct from cast(published.recency_days as integer)
                or ours.frequency is distinct from cast(published.transaction_count as integer)
                or ours.monetary is distinct from cast(published.amount as decimal(18, 2))
                or ours.rfm_cell is distinct from published.rfm_score
            """,
            [str(public_data / "expected" / "rfm_r_orders_rfm_computed.csv.gz")],
        ).fetchall()
        assert connection.execute("select count(*) from marts.customer_rfm").fetchone() == (995,)
    assert wrong == []


def test_recency_and_monetary_scores_of_online_retail(compiled, public_data, tmp_path):
    """All 4,338 customers, with the published cleaning; the day count differs by one, no score does."""
    mapping = without_cancellations(tmp_path / "mapping")
    raw = write_raw(mapping, public_folder("online_retail"), tmp_path / "raw")
    project = compiled(as_of_date="2011-12-11", rfm_window_days=400).only("customer_rfm")
    with project.build(raw) as connection:
        compared = connection.execute(
            """
            select
                count(*),
                count(*) filter (where ours.customer_id is null or published."Customer ID" is null),
                count(*) filter (where cast(published.R as integer) <> ours.r_score),
                count(*) filter (where cast(published.M as integer) <> ours.m_score)
            from (select * from marts.customer_rfm where frequency > 0) as ours
            full join read_csv($1, all_varchar = true) as published
                on ours.customer_id = published."Customer ID"
            """,
            [
                str(
                    public_data
                    / "expected"
                    / "online_retail_2010_2011_rfm_segments_computed.csv.gz"
                )
            ],
        ).fetchone()
    assert compared == (4338, 0, 0, 0)


def test_weekly_repeat_purchases_of_the_published_tenth_of_cdnow(compiled, public_data, tmp_path):
    """Days on which a customer buys after the first, by week from 1 January 1997, from the ledger."""
    raw = write_orders(
        tmp_path,
        """
        select
            cast(row_number() over () as varchar) as order_id,
            cast(sample_id as varchar) as customer_id,
            cast(order_date as timestamp) as ordered_at,
            'completed' as status,
            cast(amount as decimal(18, 2)) as order_amount
        from read_parquet($1)
        """,
        str(public_data / "cdnow" / "cdnow_sample.parquet"),
    )
    project = compiled(history_starts_on="1997-01-01").only("int_customer_ledger")
    with project.build(raw) as connection:
        weeks = connection.execute(
            """
            with days as (
                select order_date, row_number() over (partition by customer_key order by order_date) as place
                from (select distinct customer_key, order_date from intermediate.int_customer_ledger)
            )
            select (order_date - date '1997-01-01') // 7 + 1 as week, count(*)
            from days
            where place > 1 and (order_date - date '1997-01-01') // 7 + 1 between 20 and 25
            group by 1 order by 1
            """
        ).fetchall()
    assert weeks == [(20, 73), (21, 55), (22, 70), (23, 33), (24, 56), (25, 99)]
