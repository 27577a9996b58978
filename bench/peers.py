"""Score customers by RFM as somebody would without this project: with a library, or by hand.

    python -m bench.peers PEER RAW AS_OF OUT

All read the orders of known customers in the year up to the last day, score with fifths, and write a
row per customer. A peer runs in the environment that has it, so nothing else is imported here.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path

COLUMNS = ["customer_id", "recency_days", "frequency", "monetary", "r_score", "f_score", "m_score"]
READ = ["order_id", "customer_id", "ordered_at", "order_amount"]
FIFTHS = [1, 2, 3, 4, 5]
WINDOW_DAYS = 365


def with_openretailscience(raw: Path, as_of: date, out: Path) -> None:
    """RFMSegmentation of openretailscience, over an Ibis table as its documentation has it."""
    import ibis
    from openretailscience.segmentation.rfm import RFMSegmentation

    after, before = window(as_of)
    orders = ibis.read_parquet(f"{raw}/orders/*.parquet")
    transactions = orders.filter(
        orders.customer_id.notnull(), orders.ordered_at >= after, orders.ordered_at < before
    ).select(
        customer_id="customer_id",
        transaction_id="order_id",
        transaction_date="ordered_at",
        unit_spend="order_amount",
    )
    segmentation = RFMSegmentation(
        transactions, current_date=as_of, r_segments=5, f_segments=5, m_segments=5
    )
    customers = segmentation.df.reset_index()
    customers[COLUMNS[-3:]] += 1  # its scores begin with 0
    customers[COLUMNS].to_parquet(out)


def with_pandas(raw: Path, as_of: date, out: Path) -> None:
    """Groups and pd.qcut of ranks, as qcut refuses the many customers who are equal."""
    import pandas as pd

    after, before = window(as_of)
    orders = pd.read_parquet(raw / "orders", columns=READ, dtype_backend="pyarrow")
    is_read = (
        orders["customer_id"].notna()
        & (orders["ordered_at"] >= pd.Timestamp(after))
        & (orders["ordered_at"] < pd.Timestamp(before))
    )
    orders = orders[is_read].astype({"order_amount": "float64", "ordered_at": "datetime64[us]"})
    customers = orders.groupby("customer_id").agg(
        last_order_at=("ordered_at", "max"),
        frequency=("order_id", "nunique"),
        monetary=("order_amount", "sum"),
    )
    days = pd.Timestamp(as_of) - customers["last_order_at"].dt.normalize()
    customers["recency_days"] = days.dt.days

    def fifth(column: str, best_first: bool = False) -> pd.Series:
        ranks = customers[column].rank(method="first", ascending=not best_first)
        return pd.qcut(ranks, 5, labels=FIFTHS).astype("int64")

    customers["r_score"] = fifth("recency_days", best_first=True)
    customers["f_score"] = fifth("frequency")
    customers["m_score"] = fifth("monetary")
    customers.reset_index()[COLUMNS].to_parquet(out)


def with_polars(raw: Path, as_of: date, out: Path) -> None:
    """Lazy groups and qcut of ranks."""
    import polars as pl

    after, before = window(as_of)

    def fifth(column: str, best_first: bool = False) -> pl.Expr:
        ranks = pl.col(column).rank("ordinal", descending=best_first)
        return ranks.qcut(5, labels=[str(fifth) for fifth in FIFTHS]).cast(pl.String).cast(pl.Int64)

    customers = (
        pl.scan_parquet(raw / "orders" / "*.parquet")
        .select(READ)
        .filter(
            pl.col("customer_id").is_not_null(),
            pl.col("ordered_at") >= pl.lit(after).cast(pl.Datetime),
            pl.col("ordered_at") < pl.lit(before).cast(pl.Datetime),
        )
        .group_by("customer_id")
        .agg(
            (pl.lit(as_of) - pl.col("ordered_at").max().dt.date())
            .dt.total_days()
            .alias("recency_days"),
            pl.col("order_id").n_unique().cast(pl.Int64).alias("frequency"),
            pl.col("order_amount").sum().alias("monetary"),
        )
    )
    customers.with_columns(
        fifth("recency_days", best_first=True).alias("r_score"),
        fifth("frequency").alias("f_score"),
        fifth("monetary").alias("m_score"),
    ).select(COLUMNS).collect().write_parquet(out)


def with_duckdb(raw: Path, as_of: date, out: Path) -> None:
    """One query with ntile, the model of bench/dbt_ntile."""
    import duckdb

    model = Path(__file__).with_name("dbt_ntile") / "models" / "customer_rfm.sql"
    query = model.read_text(encoding="utf-8")
    for var, value in (("raw_path", raw), ("as_of_date", as_of)):
        query = query.replace(f"{{{{ var('{var}') }}}}", str(value))
    duckdb.sql(f"copy ({query}) to '{out}' (format parquet)")


PEERS = {
    "openretailscience": with_openretailscience,
    "pandas": with_pandas,
    "Polars": with_polars,
    "DuckDB with ntile": with_duckdb,
}


def window(as_of: date) -> tuple[date, date]:
    """The first day of the year up to a day, and the day after it."""
    return as_of - timedelta(days=WINDOW_DAYS - 1), as_of + timedelta(days=1)


def main(peer: str, raw: str, as_of: str, out: str) -> None:
    """Score customers with a peer."""
    PEERS[peer](Path(raw), date.fromisoformat(as_of), Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
