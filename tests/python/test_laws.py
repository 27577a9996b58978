"""Laws that hold for any data: what must not change, and what may only change one way."""

from __future__ import annotations

import csv
import random
from datetime import date
from pathlib import Path

import oracle
import pytest
from compiled_project import ANY_DATE, PROJECT
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from raw_companies import companies

SOME_EXAMPLES = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
MARTS = (
    "customers orders order_items review_periods customer_rfm rfm_score_edges customer_scores "
    "customer_score_details customer_tiers customer_periods customer_tier_history tier_transitions "
    "tier_summary customer_alerts customer_actions"
).split()


def write_raw(folder: Path, raw: dict[str, list[dict]], files: int = 1) -> Path:
    """Raw tables as CSV, each in one file or dealt out over several."""
    for table, rows in raw.items():
        if not rows:
            continue
        target = folder / table
        target.mkdir(parents=True)
        columns = list(dict.fromkeys(column for row in rows for column in row))
        for number in range(files):
            with open(target / f"{number}.csv", "w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, columns, quoting=csv.QUOTE_MINIMAL)
                writer.writeheader()
                writer.writerows(rows[number::files])
    return folder


def contents(connection, marts=MARTS) -> dict[str, list[tuple]]:
    return {
        mart: sorted(connection.execute(f"select * from marts.{mart}").fetchall(), key=repr)
        for mart in marts
    }


def test_row_order_replayed_duplicates_and_file_splitting_change_nothing(compiled, tmp_path):
    project = compiled()
    with project.build(PROJECT / "sample") as connection:
        expected = contents(connection)
        rejected = connection.execute("select * from quality.rejected_records").fetchall()
    random_numbers = random.Random(11)
    raw = oracle.load_raw(PROJECT / "sample")
    for rows in raw.values():
        rows += random_numbers.sample(rows, len(rows) // 10)
        random_numbers.shuffle(rows)
    with project.build(write_raw(tmp_path, raw, files=3)) as connection:
        found = contents(connection)
        rejected_now = connection.execute("select * from quality.rejected_records").fetchall()
    for mart in MARTS:
        assert found[mart] == expected[mart], mart
    assert set(rejected) <= set(rejected_now)


def test_adding_later_facts_changes_no_closed_earlier_period(compiled, tmp_path):
    """Only what was in the files by then, against all that came later."""
    day = date(2024, 6, 30)
    raw = oracle.load_raw(PROJECT / "sample")
    dated = {"orders": "ordered_at", "refunds": "refunded_at"}
    early = {
        table: [
            row for row in rows if table not in dated or (row[dated[table]] or "")[:10] <= str(day)
        ]
        for table, rows in raw.items()
    }
    query = "select * from marts.customer_periods where not is_open_period and period_end <= $1"
    rows = []
    project = compiled(as_of_date=ANY_DATE)
    for number, (tables, as_of_date) in enumerate([(early, str(day)), (raw, "2025-12-15")]):
        folder = write_raw(tmp_path / str(number), tables)
        with project.build(folder, as_of_date=as_of_date) as connection:
            rows.append(sorted(connection.execute(query, [day]).fetchall(), key=repr))
    assert len(rows[0]) > 10_000
    assert rows[0] == rows[1]


def test_equal_values_get_equal_scores(compiled):
    with compiled().build(PROJECT / "sample") as connection:
        for metric, score in [
            ("recency_days", "r_score"),
            ("frequency", "f_score"),
            ("monetary", "m_score"),
        ]:
            split = connection.execute(
                f"""
                select period_end, {metric} from marts.customer_periods
                where segment_code not in ('lapsed', 'prospect')
                group by all having count(distinct {score}) > 1
                """
            ).fetchall()
            assert split == []


def own_scores(connection, customer_id: str) -> dict[date, tuple[int, int, int]]:
    rows = connection.execute(
        "select period_end, r_score, f_score, m_score from marts.customer_periods where customer_id = $1",
        [customer_id],
    ).fetchall()
    return {period_end: tuple(score or 0 for score in scores) for period_end, *scores in rows}


@pytest.mark.parametrize("change", ["one order more", "more spent"])
def test_more_never_lowers_a_customers_own_scores(compiled, change):
    project = compiled(as_of_date=ANY_DATE)

    @SOME_EXAMPLES
    @given(raw=companies(), data=st.data())
    def check(raw, data):
        raw = {**raw, "customer_merges": []}
        with project.build(raw, as_of_date="2025-10-31") as connection:
            valid = connection.execute(
                "select order_id, customer_id from marts.orders "
                "where is_valid and customer_id is not null and currency_code = 'CNY' order by 1"
            ).fetchall()
            assume(valid)
            order_id, customer_id = data.draw(st.sampled_from(valid))
            before = own_scores(connection, customer_id)
        if change == "one order more":
            day = data.draw(st.dates(date(2023, 10, 1), date(2025, 10, 31)))
            more = {
                "order_id": "more",
                "customer_id": customer_id,
                "ordered_at": str(day),
                "status": "completed",
                "order_amount": data.draw(st.sampled_from(["0", "5", "900"])),
            }
            changed = {**raw, "orders": [*raw["orders"], more]}
        else:
            changed = {
                **raw,
                "orders": [
                    {**row, "order_amount": str(float(row["order_amount"]) + 77)}
                    if row["order_id"] == order_id
                    and (row["order_amount"] or "")[:1].isdigit()
                    and row["order_amount"].replace(".", "").isdigit()
                    else row
                    for row in raw["orders"]
                ],
                "refunds": [row for row in raw["refunds"] if row["order_id"] != order_id],
            }
        with project.build(changed, as_of_date="2025-10-31") as connection:
            after = own_scores(connection, customer_id)
        for period_end, scores in before.items():
            if period_end in after:
                assert all(
                    new >= old for new, old in zip(after[period_end], scores, strict=True)
                ), period_end

    check()


def test_tiers_and_tierless_customers_together_hold_the_ledgers_revenue(compiled):
    with compiled().build(PROJECT / "sample") as connection:
        by_tier = connection.execute(
            "select period_end, sum(window_revenue) from marts.tier_summary group by 1 order by 1"
        ).fetchall()
        ledger = connection.execute(
            """
            select period_end, coalesce(sum(revenue_delta), 0)
            from marts.review_periods
            left join intermediate.int_customer_ledger
                on known_date <= period_end and order_date <= period_end and order_date > period_end - 365
            group by 1 order by 1
            """
        ).fetchall()
    assert by_tier == ledger
    assert len(by_tier) == 36
