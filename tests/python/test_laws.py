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
    max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
MARTS = (
    "customers orders order_items review_periods customer_rfm rfm_score_edges customer_scores "
    "customer_score_details customer_tiers customer_periods customer_tier_history tier_transitions "
    "tier_change_details customer_tier_targets tier_summary customer_alerts customer_actions "
    "customer_profiles products customer_cohorts cohort_repeat_rates customer_attributes "
    "customer_categories market_trends segment_profiles product_affinity customer_recommendations "
    "recommendation_backtest category_flows campaign_effects holdout_assignments days tier_economics "
    "revenue_concentration"
).split()
# of today alone, and so as of a day
OF_A_DAY = (
    *("products", "order_items", "customer_cohorts", "cohort_repeat_rates", "customer_categories"),
    *("market_trends", "product_affinity", "customer_recommendations", "recommendation_backtest"),
    *("category_flows", "campaign_effects", "days", "tier_economics", "revenue_concentration"),
)


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


@pytest.fixture(scope="module")
def sample(compiled):
    with compiled().build(PROJECT / "sample") as connection:
        yield connection


def test_row_order_replayed_duplicates_and_file_splitting_change_nothing(
    compiled, sample, tmp_path
):
    expected = contents(sample)
    rejected = sample.execute("select * from quality.rejected_records").fetchall()
    random_numbers = random.Random(11)
    raw = oracle.load_raw(PROJECT / "sample")
    for rows in raw.values():
        rows += random_numbers.sample(rows, len(rows) // 10)
        random_numbers.shuffle(rows)
    with compiled().build(write_raw(tmp_path, raw, files=3)) as connection:
        found = contents(connection)
        rejected_now = connection.execute("select * from quality.rejected_records").fetchall()
    for mart in MARTS:
        assert found[mart] == expected[mart], mart
    assert set(rejected) <= set(rejected_now)


def test_later_facts_change_no_closed_period_and_nothing_as_of_a_day(compiled, tmp_path):
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
    project, folders = compiled(as_of_date=ANY_DATE), []
    rows, of_that_day = [], []
    for number, (tables, as_of_date) in enumerate([(early, str(day)), (raw, "2025-12-15")]):
        folders.append(write_raw(tmp_path / str(number), tables))
        with project.only("customer_periods").build(folders[-1], as_of_date) as connection:
            rows.append(sorted(connection.execute(query, [day]).fetchall(), key=repr))
    assert len(rows[0]) > 10_000
    assert rows[0] == rows[1]
    for folder in folders:
        with project.only(*OF_A_DAY).build(folder, str(day)) as connection:
            of_that_day.append(contents(connection, OF_A_DAY))
    assert len(of_that_day[0]["customer_cohorts"]) == 18 * 19 / 2  # January 2023 to June 2024
    assert of_that_day[0] == of_that_day[1]


def test_equal_values_get_equal_scores(sample):
    for metric, score in [
        ("recency_days", "r_score"),
        ("frequency", "f_score"),
        ("monetary", "m_score"),
    ]:
        split = sample.execute(
            f"""
            select period_end, {metric} from marts.customer_periods
            where segment_code not in ('lapsed', 'prospect')
            group by all having count(distinct {score}) > 1
            """
        ).fetchall()
        assert split == []


def test_points_that_moved_are_the_change_of_the_score_but_for_small_moves(sample):
    unexplained = """
        select details.customer_id, details.period_end
        from marts.tier_change_details as details
        left join marts.customer_periods as now
            on details.customer_id = now.customer_id and details.period_end = now.period_end
        left join marts.customer_periods as before
            on details.customer_id = before.customer_id and details.compared_period_end = before.period_end
        group by all
        having
            abs(
                sum(details.points_change) + coalesce(any_value(before.management_score), 0)
                - coalesce(any_value(now.management_score), 0)
            )
            > 18 - count(*)
    """
    assert sample.execute(unexplained).fetchall() == []
    assert sample.execute("select count(*) from marts.tier_change_details").fetchone()[0] > 7_000


def test_the_next_tier_asks_for_the_same_wherever_it_is_asked(sample):
    """Who holds the highest tier has no target, and nothing that is missing to a next one."""
    different = """
        select tiers.customer_id
        from marts.customer_tiers as tiers
        left join marts.customer_tier_targets as targets
            on tiers.customer_id = targets.customer_id and tiers.tier_rank + 1 = targets.tier_rank
        where
            (tiers.points_to_next, tiers.orders_to_next, tiers.revenue_to_next)
            is distinct from (targets.points_missing, targets.orders_missing, targets.revenue_missing)
    """
    assert sample.execute(different).fetchall() == []
    assert sample.execute("select count(*) from marts.customer_tier_targets").fetchone()[0] > 1_000


def own_scores(connection, customer_id: str) -> dict[date, tuple[int, int, int]]:
    rows = connection.execute(
        "select period_end, r_score, f_score, m_score from intermediate.int_customer_rfm "
        "join intermediate.int_customers using (customer_key) "
        "join intermediate.int_review_periods using (period_index) where customer_id = $1",
        [customer_id],
    ).fetchall()
    return {period_end: tuple(score or 0 for score in scores) for period_end, *scores in rows}


def with_one_order_more(data, raw, customer_id: str) -> dict:
    order = {
        "order_id": "more",
        "customer_id": customer_id,
        "ordered_at": str(data.draw(st.dates(date(2023, 10, 1), date(2025, 10, 31)))),
        "status": "completed",
        "order_amount": data.draw(st.sampled_from(["0", "5", "900"])),
    }
    return {**raw, "orders": [*raw["orders"], order]}


def with_more_spent(raw, order_id: str) -> dict:
    def is_it(row) -> bool:
        amount = row["order_amount"] or ""
        return (
            row["order_id"] == order_id
            and amount[:1].isdigit()
            and amount.replace(".", "").isdigit()
        )

    return {
        **raw,
        "orders": [
            {**row, "order_amount": str(float(row["order_amount"]) + 77)} if is_it(row) else row
            for row in raw["orders"]
        ],
        "refunds": [row for row in raw["refunds"] if row["order_id"] != order_id],
    }


def test_one_order_more_or_more_spent_never_lowers_a_customers_own_scores(compiled):
    project = compiled(as_of_date=ANY_DATE).only("int_customer_rfm", "int_order_outcomes")

    @SOME_EXAMPLES
    @given(raw=companies(), data=st.data())
    def check(raw, data):
        raw = {**raw, "customer_merges": []}
        with project.build(raw, as_of_date="2025-10-31") as connection:
            valid = connection.execute(
                "select order_id, customer_id from intermediate.int_order_outcomes "
                "join intermediate.int_customers using (customer_key) "
                # what is given back of an order is more when it cost more
                "where is_valid and currency_code = 'CNY' and order_status = 'completed' order by 1"
            ).fetchall()
            assume(valid)
            order_id, customer_id = data.draw(st.sampled_from(valid))
            before = own_scores(connection, customer_id)
        for changed in (
            with_one_order_more(data, raw, customer_id),
            with_more_spent(raw, order_id),
        ):
            with project.build(changed, as_of_date="2025-10-31") as connection:
                after = own_scores(connection, customer_id)
            for period_end, scores in before.items():
                if period_end in after:
                    assert all(
                        new >= old for new, old in zip(after[period_end], scores, strict=True)
                    ), period_end

    check()


def test_tiers_and_tierless_customers_together_hold_the_ledgers_revenue(sample):
    by_tier = sample.execute(
        "select period_end, sum(window_revenue) from marts.tier_summary group by 1 order by 1"
    ).fetchall()
    ledger = sample.execute(
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
